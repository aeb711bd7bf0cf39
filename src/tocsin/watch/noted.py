"""Noted: events of a notified track, inside its notified place and time, carry the notice instead of a warning.

A mark `notice:<id>` stands where the name of an exemption stands, so that the ladder keeps the event and is not climbed
for it (SEMANTICS §4.3: a notified movement whose route enters is no approach alert but a conformance check). A notice
informs and lifts nothing: what the agreement prohibits (an event of a rule with an act), loitering, stopping, silence
and probing are warned as ever, and so is everything outside the corridor, outside the window, or before the notice was
given. A pure step after the engine; the kernels know no notices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import pyarrow as pa
import shapely
from msgspec.structs import replace

from tocsin.agreement.notices.notice import PlaceOf, region_of
from tocsin.agreement.notices.plan import Plan
from tocsin.agreement.watchlist import Watchlist
from tocsin.watch.event import CODED_EVENT_SCHEMA, Event, EventKind
from tocsin.watch.found import EventBatch

MARK = "notice:"
"""What the mark of a notice begins with; no zone's id can (a colon is no letter of an id)."""

QUIETED = frozenset(
    {
        EventKind.APPROACH,
        EventKind.APPROACH_ENDED,
        EventKind.ENTRY,
        EventKind.FIRST_SEEN_INSIDE,
        EventKind.CROSSING,
        EventKind.EXIT,
        EventKind.ZONE_BEGAN,
        EventKind.ZONE_ENDED,
        EventKind.ZONE_CHANGED,
    }
)
"""Kinds that say only that a mover comes, is there, and goes: what its notice told beforehand."""


def marks_of(events: Iterable[Event], plans: Sequence[Plan], watchlist: Watchlist) -> dict[str, str]:
    """Return the marks of the events that a notice told of, by event id.

    Parameters
    ----------
    events : iterable of Event
    plans : sequence of Plan
        Of two that tell of one event, the first given marks it.
    watchlist : Watchlist
        The one that raised the events.
    """
    acts = {rule.rule_id for rule in watchlist.rules if rule.act is not None}
    by_track: dict[str, list[Plan]] = defaultdict(list)
    for covering in sorted((p for p in plans if p.covers), key=lambda p: (p.known_us, p.notice_id)):
        for track in covering.tracks:
            by_track[track].append(covering)
    found = {}
    for event in events:
        if event.exemption is None and event.kind in QUIETED and event.rule_id not in acts:
            plan = next((p for p in by_track.get(event.track_id, ()) if tells_of(p, event)), None)
            if plan is not None:
                found[event.event_id] = f"{MARK}{plan.notice_id}"
    return found


def tells_of(plan: Plan, event: Event) -> bool:
    """Return True if an event lies in a plan's place and time, and was not known before the notice."""
    in_time = max(plan.from_us, plan.known_us) <= event.at_us < plan.to_us and event.known_us >= plan.known_us
    return in_time and _holds(plan.place, event.lat_deg, event.lon_deg)


def mark(events: Sequence[Event], plans: Sequence[Plan], watchlist: Watchlist) -> list[Event]:
    """Return events in their order, those that a notice told of carrying its mark; see `marks_of`."""
    marks = marks_of(events, plans, watchlist)
    return [replace(e, exemption=marks[e.event_id]) if e.event_id in marks else e for e in events]


class NotedBatch(EventBatch):
    """A batch whose events carry the marks of notices, one by one and as a table.

    Parameters
    ----------
    batch : EventBatch
    marks : mapping of str to str
        By event id; see `marks_of`.
    """

    def __init__(self, batch: EventBatch, marks: Mapping[str, str]) -> None:
        super().__init__(batch.rows, batch._words)
        self._marks = dict(marks)

    @cached_property
    def events(self) -> list[Event]:
        """The events one by one, marked."""
        plain = EventBatch(self._found, self._words).events
        return [replace(e, exemption=self._marks.get(e.event_id, e.exemption)) for e in plain]

    def coded(self) -> pa.Table:
        """Return the events as a table of `CODED_EVENT_SCHEMA`, marked."""
        table = super().coded()
        ids, told = table["event_id"].to_pylist(), table["exemption"].to_pylist()
        column = [self._marks.get(key, exemption) for key, exemption in zip(ids, told, strict=True)]
        place = CODED_EVENT_SCHEMA.get_field_index("exemption")
        return table.set_column(
            place, CODED_EVENT_SCHEMA.field(place), pa.array(column, pa.string()).dictionary_encode()
        )


def _holds(place: PlaceOf, lat_deg: float, lon_deg: float) -> bool:
    return bool(shapely.covers(region_of(place).geometry, shapely.Point(lon_deg, lat_deg)))
