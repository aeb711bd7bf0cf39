"""Found: the kernels' rows, with their words back: a batch of events, as a table or one by one.

Coordinates are rounded to 1e-7 degree (11 mm) and measures to three decimals: far below any sensor, and enough to
make the
bytes of an event the same on machines whose sine differs in its last bit (FAULTS §0.5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Watchlist
from tocsin.ids import ID_BYTES, text_key
from tocsin.kernels.tables import FOUND, MEASURED, NEVER, NONE
from tocsin.tracks.report import INSTANT
from tocsin.watch.event import EVENT_SCHEMA, KIND_KEYS, MEASURES, Event, EventKind, Fix, Revision, Standing

KINDS: tuple[EventKind, ...] = (
    EventKind.FIRST_SEEN_INSIDE,
    EventKind.ENTRY,
    EventKind.EXIT,
    EventKind.CROSSING,
    EventKind.APPROACH,
    EventKind.APPROACH_ENDED,
    EventKind.LOITER,
    EventKind.STOPPED,
    EventKind.GAP,
    EventKind.GAP_ENDED,
    EventKind.ZONE_BEGAN,
    EventKind.ZONE_ENDED,
    EventKind.PROBING,
    EventKind.PROXIMITY,
    EventKind.BUILDUP,
)
"""The kind of each code of the kernels, in order."""

PLACE_DECIMALS = 7
VALUE_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Words:
    """The words behind the codes of a state, and of the agreement it watches."""

    watchlist: Watchlist
    tracks: Sequence[str]
    feeds: Sequence[str]
    parties: Sequence[str]
    categories: Sequence[str]


class EventBatch:
    """Events in the one order of events (`Event.order`), kept as the kernels' rows until somebody wants words.

    Parameters
    ----------
    rows : ndarray of `tables.FOUND`
        In any order.
    words : Words
        What the rows' codes mean.
    ids : ndarray, shape (n,), 16 bytes each, or None
        Ids of the rows, if they are known already.
    """

    def __init__(self, rows: NDArray[Any], words: Words, ids: NDArray[np.void] | None = None) -> None:
        self._words = words
        ids = _ids(rows, words) if ids is None else ids
        kinds = _ranks([kind.value for kind in KINDS])[rows["code"]]
        rules = _ranks([rule.rule_id for rule in words.watchlist.rules])[rows["rule"]]
        used, place = np.unique(rows["track"], return_inverse=True)
        tracks = _ranks([words.tracks[track] for track in used])[place]
        order = np.lexsort((ids, kinds, rules, tracks, rows["at_us"]))
        self.rows = rows[order]
        self._id = ids[order]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    @cached_property
    def events(self) -> list[Event]:
        """The events one by one: final, opened."""
        return [_event(row, key, self._words) for row, key in zip(self.rows, self._id, strict=True)]

    @classmethod
    def concat(cls, batches: Sequence[EventBatch]) -> EventBatch:
        """Return the events of several batches of one watch, one or more; the last knows every word."""
        rows, ids = (np.concatenate([getattr(b, name) for b in batches]) for name in ("rows", "_id"))
        return cls(rows, batches[-1]._words, ids)

    def table(self) -> pa.Table:
        """Return the events as a table of `EVENT_SCHEMA`, made column by column."""
        rows, words = self.rows, self._words
        zones = [zone.zone_id for zone in words.watchlist.zones]
        rules = words.watchlist.rules
        same = len(rows)
        columns = {
            "event_id": pa.array([key.tobytes().hex() for key in self._id], pa.string()),
            "kind": _words([kind.value for kind in KINDS], rows["code"]),
            "standing": pa.array(np.repeat(Standing.FINAL.value, same)),
            "revision": pa.array(np.repeat(Revision.OPENED.value, same)),
            "agreement_id": pa.array([words.watchlist.agreement_id] * same, pa.string()),
            "agreement_version": pa.array(np.full(same, words.watchlist.version, np.int32)),
            "rule_id": _words([rule.rule_id for rule in rules], rows["rule"]),
            "clause": _words([rule.clause for rule in rules], rows["rule"]),
            "zone_id": _words(zones, rows["zone"]),
            "track_id": _words(words.tracks, rows["track"]),
            "other_track": _words(words.tracks, rows["other"]),
            "party": _words(words.parties, rows["party"]),
            "category": _words(words.categories, rows["category"]),
            "feed": _words(words.feeds, rows["feed"]),
            "at": _instants(rows["at_us"]),
            "known": _instants(rows["known_us"]),
            "lat_deg": pa.array(np.round(rows["lat_deg"], PLACE_DECIMALS)),
            "lon_deg": pa.array(np.round(rows["lon_deg"], PLACE_DECIMALS)),
            "accuracy_m": pa.array(np.round(rows["accuracy_m"].astype(np.float64), VALUE_DECIMALS)),
            "visit_start": _instants(rows["visit_us"]),
            "unobserved": pa.array(rows["unobserved"] != 0),
            "exemption": _words(zones, rows["exemption"]),
        }
        for end in ("before", "after"):
            absent = rows[f"{end}_us"] == NEVER
            columns[f"{end}_observed"] = _instants(rows[f"{end}_us"], absent)
            for axis in ("lat_deg", "lon_deg"):
                columns[f"{end}_{axis}"] = pa.array(rows[f"{end}_{axis}"], mask=absent)
        columns |= {name: _measure(rows, name) for name in MEASURES}
        return pa.table([columns[name] for name in EVENT_SCHEMA.names], schema=EVENT_SCHEMA)


def nothing(words: Words) -> EventBatch:
    """Return a batch without events."""
    return EventBatch(np.zeros(0, FOUND), words)


def _ids(rows: NDArray[Any], words: Words) -> NDArray[np.void]:
    """Return the 16 bytes that `event.event_id` prints, for each row."""
    watchlist = words.watchlist
    heads = [
        watchlist.digest + text_key(rule.rule_id) + text_key(watchlist.zones[rule.zone].zone_id)
        for rule in watchlist.rules
    ]
    named = np.unique(np.concatenate([rows["track"], rows["other"]])).tolist()
    tracks = {track: text_key(words.tracks[track]) for track in named if track != NONE}
    kinds = [KIND_KEYS[kind] for kind in KINDS]
    visits = rows["visit_us"].astype(">i8").tobytes()
    digests = bytearray()
    parts = zip(*(rows[name].tolist() for name in ("rule", "track", "other", "code")), strict=True)
    for i, (rule, track, other, code) in enumerate(parts):
        who = tracks[track] if other == NONE else b"".join(sorted((tracks[track], tracks[other])))
        whole = heads[rule] + who + kinds[code] + visits[8 * i : 8 * i + 8]
        digests += hashlib.sha256(whole).digest()[:ID_BYTES]
    return np.frombuffer(bytes(digests), np.dtype((np.void, ID_BYTES)))


def _ranks(words: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each word in alphabetical order."""
    ranks = np.empty(len(words), np.int64)
    ranks[sorted(range(len(words)), key=words.__getitem__)] = np.arange(len(words))
    return ranks


def _words(words: Sequence[str], codes: NDArray[np.integer[Any]]) -> pa.Array:
    codes = np.ascontiguousarray(codes, np.int32)
    encoded = pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(list(words), pa.string()))
    return encoded.cast(pa.string())


def _instants(at_us: NDArray[np.int64], absent: NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(np.ascontiguousarray(at_us), mask=absent).cast(INSTANT)


def _measure(rows: NDArray[Any], name: str) -> pa.Array:
    values = np.full(len(rows), np.nan)
    for code, names in MEASURED.items():
        if name in names:
            mine = rows["code"] == code
            values[mine] = rows["value"][mine, names.index(name)]
    return pa.array(np.round(values, VALUE_DECIMALS), mask=np.isnan(values))


def _event(row: Any, key: np.void, words: Words) -> Event:
    code = int(row["code"])
    rule = words.watchlist.rules[row["rule"]]
    measured = {
        name: round(float(value), VALUE_DECIMALS)
        for name, value in zip(MEASURED[code], row["value"], strict=False)
        if not np.isnan(value)
    }
    return Event(
        event_id=key.tobytes().hex(),
        kind=KINDS[code],
        agreement_id=words.watchlist.agreement_id,
        agreement_version=words.watchlist.version,
        rule_id=rule.rule_id,
        clause=rule.clause,
        zone_id=words.watchlist.zones[row["zone"]].zone_id,
        track_id=words.tracks[row["track"]],
        other_track=_word(words.tracks, row["other"]),
        party=_word(words.parties, row["party"]),
        category=_word(words.categories, row["category"]),
        feed=words.feeds[row["feed"]],
        at_us=int(row["at_us"]),
        known_us=int(row["known_us"]),
        lat_deg=round(float(row["lat_deg"]), PLACE_DECIMALS),
        lon_deg=round(float(row["lon_deg"]), PLACE_DECIMALS),
        accuracy_m=round(float(row["accuracy_m"]), VALUE_DECIMALS),
        before=_fix(row, "before"),
        after=_fix(row, "after"),
        visit_us=int(row["visit_us"]),
        unobserved=bool(row["unobserved"]),
        exemption=words.watchlist.zones[row["exemption"]].zone_id if row["exemption"] >= 0 else None,
        measured=measured,
    )


def _word(words: Sequence[str], code: int) -> str | None:
    return words[code] if code >= 0 else None


def _fix(row: Any, end: str) -> Fix | None:
    at_us = int(row[f"{end}_us"])
    if at_us == NEVER:
        return None
    return Fix(observed_us=at_us, lat_deg=float(row[f"{end}_lat_deg"]), lon_deg=float(row[f"{end}_lon_deg"]))
