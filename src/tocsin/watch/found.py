"""Found: the kernels' rows, with their words back, as events.

Coordinates are rounded to 1e-7 degree (11 mm) and measures to three decimals: far below any sensor, and enough to
make the
bytes of an event the same on machines whose sine differs in its last bit (FAULTS §0.5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Watchlist
from tocsin.ids import ID_BYTES, text_key
from tocsin.kernels.tables import MEASURED, NEVER
from tocsin.watch.event import EVENT_SCHEMA, KIND_KEYS, MEASURES, Event, EventKind, Fix

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


def as_events(rows: NDArray[Any], words: Words) -> list[Event]:
    """Return the events of rows of `tables.FOUND`, in the one order of events.

    Parameters
    ----------
    rows : ndarray of FOUND
    words : Words

    Returns
    -------
    list of Event
        Final and opened, sorted by `Event.order`.
    """
    ids = _Ids(words)
    return sorted((_event(row, words, ids) for row in rows), key=lambda event: event.order)


def as_table(events: Sequence[Event]) -> pa.Table:
    """Return events as a table of `EVENT_SCHEMA`."""
    columns: dict[str, list[Any]] = {name: [] for name in EVENT_SCHEMA.names}
    for event in events:
        for name, value in _flat(event).items():
            columns[name].append(value)
    return pa.table(columns, schema=EVENT_SCHEMA)


class _Ids:
    """The digests that event ids are made from, each made once."""

    def __init__(self, words: Words) -> None:
        watchlist = words.watchlist
        rules = [text_key(rule.rule_id) for rule in watchlist.rules]
        self._rule = [watchlist.digest + key + text_key(watchlist.zones[rule.zone].zone_id)
                      for key, rule in zip(rules, watchlist.rules, strict=True)]  # fmt: skip
        self._tracks = words.tracks
        self._track: dict[int, bytes] = {}

    def of(self, *, rule: int, track: int, kind: EventKind, visit_us: int) -> str:
        """Return what `event.event_id` returns for these."""
        key = self._track.get(track)
        if key is None:
            key = self._track[track] = text_key(self._tracks[track])
        head = self._rule[rule] + key + KIND_KEYS[kind] + visit_us.to_bytes(8, "big", signed=True)
        return hashlib.sha256(head).digest()[:ID_BYTES].hex()


def _event(row: Any, words: Words, ids: _Ids) -> Event:
    code = int(row["code"])
    kind, rule = KINDS[code], words.watchlist.rules[row["rule"]]
    visit_us = int(row["visit_us"])
    measured = {
        name: round(float(value), VALUE_DECIMALS)
        for name, value in zip(MEASURED[code], row["value"], strict=False)
        if not np.isnan(value)
    }
    return Event(
        event_id=ids.of(rule=int(row["rule"]), track=int(row["track"]), kind=kind, visit_us=visit_us),
        kind=kind,
        agreement_id=words.watchlist.agreement_id,
        agreement_version=words.watchlist.version,
        rule_id=rule.rule_id,
        clause=rule.clause,
        zone_id=words.watchlist.zones[row["zone"]].zone_id,
        track_id=words.tracks[row["track"]],
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
        visit_us=visit_us,
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


def _flat(event: Event) -> dict[str, Any]:
    flat: dict[str, Any] = {
        "event_id": event.event_id,
        "kind": event.kind.value,
        "standing": event.standing.value,
        "revision": event.revision.value,
        "agreement_id": event.agreement_id,
        "agreement_version": event.agreement_version,
        "rule_id": event.rule_id,
        "clause": event.clause,
        "zone_id": event.zone_id,
        "track_id": event.track_id,
        "party": event.party,
        "category": event.category,
        "feed": event.feed,
        "at": event.at_us,
        "known": event.known_us,
        "lat_deg": event.lat_deg,
        "lon_deg": event.lon_deg,
        "accuracy_m": event.accuracy_m,
        "visit_start": event.visit_us,
        "unobserved": event.unobserved,
        "exemption": event.exemption,
    }
    for end, fix in (("before", event.before), ("after", event.after)):
        flat[f"{end}_observed"] = fix.observed_us if fix else None
        flat[f"{end}_lat_deg"] = fix.lat_deg if fix else None
        flat[f"{end}_lon_deg"] = fix.lon_deg if fix else None
    return flat | {name: event.measured.get(name) for name in MEASURES}
