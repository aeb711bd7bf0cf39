"""Found: the kernels' rows, with their words back: a batch of events, as a table or one by one.

Coordinates are rounded to 1e-7 degree (11 mm) and measures to three decimals: far below any sensor, and enough to
make the
bytes of an event the same on machines whose sine differs in its last bit (FAULTS §0.5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Watchlist
from tocsin.ids import ID_BYTES
from tocsin.kernels.tables import FOUND, MEASURED, NEVER
from tocsin.tracks.report import INSTANT
from tocsin.watch.event import (
    CODED_EVENT_SCHEMA,
    EVENT_SCHEMA,
    MEASURES,
    Event,
    EventKind,
    Fix,
    Revision,
    Standing,
)
from tocsin.watch.event_ids import event_ids, met
from tocsin.watch.sequence import Alphabet, ordered, ranks

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
    EventKind.DWELL,
    EventKind.VOID,
    EventKind.ZONE_CHANGED,
)
"""The kind of each code of the kernels, in order."""

KIND_RANKS = ranks(KINDS)
"""The place of each kind's name in alphabetical order, by code."""

NO_ROWS = np.zeros(0, FOUND)
"""The rows of a step that found nothing."""

ROW_BYTES = np.dtype((np.void, FOUND.itemsize))
"""A row as mere bytes."""

PLACE_DECIMALS = 7
VALUE_DECIMALS = 3


class Words:
    """The words behind the codes of a state, and of the agreement it watches.

    Parameters
    ----------
    watchlist : Watchlist
    codes : mapping of str to mapping of str to int
        The state's own, for `tracks`, `feeds`, `parties` and `categories`: they may grow, and a code never changes.
    alphabet : Alphabet
        Of the watchlist; it outlives these words.
    """

    def __init__(self, watchlist: Watchlist, codes: Mapping[str, Mapping[str, int]], alphabet: Alphabet) -> None:
        self.watchlist = watchlist
        self.codes = codes
        self.alphabet = alphabet

    @cached_property
    def tracks(self) -> list[str]:
        """Every track's name, by code; so for `feeds`, `parties` and `categories`."""
        return list(self.codes["tracks"])

    def tracks_of(self, codes: NDArray[np.int32]) -> list[str]:
        """Return the names of these tracks."""
        return [self.tracks[code] for code in codes.tolist()]

    @cached_property
    def feeds(self) -> list[str]:
        """Every feed's name."""
        return list(self.codes["feeds"])

    @cached_property
    def parties(self) -> list[str]:
        """Every party's name."""
        return list(self.codes["parties"])

    @cached_property
    def categories(self) -> list[str]:
        """Every category's name."""
        return list(self.codes["categories"])


class EventBatch:
    """Events in the one order of events (`Event.order`), kept as the kernels' rows until somebody wants words.

    Ids and order are made when they are first asked for, each by itself: batches that are only put together cost
    nothing.

    Parameters
    ----------
    rows : ndarray of `tables.FOUND`
        In any order.
    words : Words
        What the rows' codes mean.
    """

    def __init__(self, rows: NDArray[Any], words: Words) -> None:
        self._found = rows
        self._words = words

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events if len(self._found) else ())

    @property
    def words(self) -> Words:
        """What the rows' codes mean."""
        return self._words

    @property
    def track_codes(self) -> list[int]:
        """The track of each row, in the order of the rows."""
        codes: list[int] = self._found["track"].tolist()
        return codes

    @property
    def watchlist(self) -> Watchlist:
        """What was watched for."""
        return self._words.watchlist

    def place(self, row: int) -> tuple[str, str]:
        """Return the track and the zone of a row, by id."""
        told = self.rows[row]
        return self._words.tracks[told["track"]], self._words.watchlist.zones[told["zone"]].zone_id

    @cached_property
    def _ids(self) -> NDArray[np.void]:
        return _ids(self._found, self._words)

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        order, places, group = ordered(self._found, self._words.tracks_of, self._words.alphabet.rules, KIND_RANKS)
        if len(places):  # ids are dear and seldom decide
            at = order[places]
            order[places] = at[np.lexsort((at, _ids(taken(self._found, at), self._words), group))]
        return order

    @cached_property
    def rows(self) -> NDArray[Any]:
        """The rows of `tables.FOUND`, in the one order of events."""
        return taken(self._found, self._order)

    @cached_property
    def events(self) -> list[Event]:
        """The events one by one: final, opened."""
        return [_event(row, key, self._words) for row, key in zip(self.rows, self._ids[self._order], strict=True)]

    @classmethod
    def concat(cls, batches: Sequence[EventBatch]) -> EventBatch:
        """Return the events of several batches of one watch, one or more; the last knows every word."""
        return cls(together([batch._found for batch in batches]), batches[-1]._words)

    def table(self) -> pa.Table:
        """Return the events as a table of `EVENT_SCHEMA`."""
        return self.coded().cast(EVENT_SCHEMA)

    def coded(self) -> pa.Table:
        """Return the events as a table of `CODED_EVENT_SCHEMA`, made column by column."""
        rows, words = self.rows, self._words
        zones, rules = [zone.zone_id for zone in words.watchlist.zones], words.watchlist.rules

        def alike(word: str) -> pa.Array:
            return _words([word], np.zeros(len(rows), np.int32))

        columns = {
            "event_id": _hexadecimal(self._ids[self._order]),
            "kind": _words([kind.value for kind in KINDS], rows["code"]),
            "standing": alike(Standing.FINAL.value),
            "revision": alike(Revision.OPENED.value),
            "agreement_id": alike(words.watchlist.agreement_id),
            "agreement_version": pa.array(np.full(len(rows), words.watchlist.version, np.int32)),
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
        columns |= _measures(rows)
        return pa.table([columns[name] for name in CODED_EVENT_SCHEMA.names], schema=CODED_EVENT_SCHEMA)


def together(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the rows of several arrays of `tables.FOUND`, one or more, in one; most of them are empty."""
    full = [part for part in parts if len(part)]
    if len(full) > 1:
        return np.concatenate([part.view(ROW_BYTES) for part in full]).view(FOUND)
    return (full or parts)[0]


def copied(rows: NDArray[Any]) -> NDArray[Any]:
    """Return a copy of rows of `tables.FOUND`: their bytes, which is ten times as fast as field by field."""
    return np.ndarray(len(rows), FOUND, bytearray(rows.tobytes())) if len(rows) else NO_ROWS


def taken(rows: NDArray[Any], at: NDArray[np.intp]) -> NDArray[Any]:
    """Return these of the rows of `tables.FOUND`, in this order: as bytes, ten times as fast as field by field."""
    return rows.view(ROW_BYTES)[at].view(FOUND)


def nothing(words: Words) -> EventBatch:
    """Return a batch without events."""
    return EventBatch(NO_ROWS, words)


def _ids(rows: NDArray[Any], words: Words) -> NDArray[np.void]:
    return event_ids(rows, words.watchlist, words.tracks, KINDS)


def _words(words: Sequence[str], codes: NDArray[np.integer[Any]]) -> pa.DictionaryArray:
    """Return a column of words by their codes, null for less than 0; it lists each word once that comes in it."""
    absent = codes < 0
    if absent.all():
        return pa.nulls(len(codes), CODED_EVENT_SCHEMA.field("kind").type)
    used, at = met(np.where(absent, codes.max(), codes), len(words))
    names = [words[code] for code in used.tolist()]
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    told = np.array([places[name] for name in names], np.int32)[at]
    listed = pa.array([*places], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(told, mask=absent if absent.any() else None), listed)


def _instants(at_us: NDArray[np.int64], absent: NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(np.ascontiguousarray(at_us), mask=absent).cast(INSTANT)


def _hexadecimal(ids: NDArray[np.void]) -> pa.Array:
    """Return ids as texts: all of them at once, since each is as long as the others."""
    ends = pa.array(np.arange(len(ids) + 1, dtype=np.int32) * (2 * ID_BYTES))
    return pa.StringArray.from_buffers(len(ids), ends.buffers()[1], pa.py_buffer(ids.tobytes().hex().encode()))


def _measures(rows: NDArray[Any]) -> dict[str, pa.Array]:
    """Return a column of each measure, null where the kind has none, or none could be taken."""
    found = {code: np.flatnonzero(rows["code"] == code) for code in np.unique(rows["code"]).tolist()}
    columns = dict.fromkeys(MEASURES, pa.nulls(len(rows), pa.float64()))
    for name in {name for code in found for name in MEASURED[code]}:
        values = np.full(len(rows), np.nan)
        for code, mine in found.items():
            if name in MEASURED[code]:
                values[mine] = rows["value"][mine, MEASURED[code].index(name)]
        columns[name] = pa.array(np.round(values, VALUE_DECIMALS), mask=np.isnan(values))
    return columns


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
