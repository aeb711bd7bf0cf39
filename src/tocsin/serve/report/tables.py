"""Tables: the rows of the report's lists, with what is left out counted.

Rows hold the records themselves where the template can read them, and words where several fields make one sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct

from tocsin.clock import US_PER_S
from tocsin.serve.report.fate import Fate, case_fate
from tocsin.serve.report.model import Report
from tocsin.serve.report.text import words
from tocsin.tracks.quality import Counts, RejectReason
from tocsin.units import format_duration, format_length
from tocsin.warn.case import Case
from tocsin.warn.states import REACH, CaseInput, Disposition, MessageState
from tocsin.warn.steps import Step
from tocsin.warn.telling import Attempt, Message
from tocsin.watch.event import Event, EventKind, Revision
from tocsin.watch.noted import MARK

MAX_EVENT_ROWS = 1_500
"""Events in the table; the rest are in events.jsonl, and the page says how many."""
MAX_CASE_CHARTS = 40
"""Cases drawn as timelines, the gravest first; every case is in the table."""
BINS = 120
"""Pieces of the period in a coverage strip."""
MAX_FEEDS = 12

_MINOR = frozenset(
    {
        CaseInput.SENT,
        CaseInput.FAILED_FOR_NOW,
        CaseInput.RETRY_DUE,
        CaseInput.CONDUCT_NOTED,
    }
)
"""Inputs that the short story of a case leaves to its full list."""


class EventRow(Struct, frozen=True, kw_only=True):
    """One event; `index` is its place among the report's events, `case` that of its case or -1."""

    index: int
    event: Event
    zone: str
    zone_index: int
    track: int
    case: int
    measured: str
    remarks: str


class CaseRow(Struct, frozen=True, kw_only=True):
    """One case in a line."""

    index: int
    case: Case
    fate: Fate
    track: int
    attempts: int
    delivered: int
    acknowledged: int
    called: bool


class Strip(Struct, frozen=True, kw_only=True):
    """One feed's reports over the period: `runs` are (left, width, share) in hundredths of the period."""

    feed: str
    reports: int
    runs: tuple[tuple[float, float, float], ...]
    longest: str


def event_rows(report: Report, tracks: Mapping[str, int]) -> tuple[EventRow, ...]:
    """Return the first `MAX_EVENT_ROWS` events, in the one order of events.

    Parameters
    ----------
    report : Report
    tracks : mapping of str to int
        Track id to its place among the report's tracks.
    """
    zones = {zone.zone_id: i for i, zone in enumerate(report.zones)}
    case_of = {event.event_id: i for i, case in enumerate(report.cases) for event in case.events}
    order = sorted(range(len(report.events)), key=lambda i: report.events[i].order)[:MAX_EVENT_ROWS]
    return tuple(
        EventRow(
            index=i,
            event=(event := report.events[i]),
            zone=report.zones[zones[event.zone_id]].name if event.zone_id in zones else event.zone_id,
            zone_index=zones.get(event.zone_id, -1),
            track=tracks.get(event.track_id, -1),
            case=case_of.get(event.event_id, -1),
            measured=measured_words(event),
            remarks=_remarks(event),
        )
        for i in order
    )


def measured_words(event: Event) -> str:
    """Return the two or three measures that say most about an event of its kind."""
    got = event.measured
    found = []
    if "time_to_entry_s" in got:
        found.append(f"entry predicted in {format_duration(got['time_to_entry_s'])}")
    if "probability" in got:
        found.append(f"probability {got['probability']:.2f}")
    if "chord_m" in got:
        found.append(f"{format_length(got['chord_m'])} inside")
    if "inside_s" in got:
        found.append(f"for {format_duration(got['inside_s'])}")
    if "dwell_s" in got:
        found.append(f"inside for {format_duration(got['dwell_s'])}")
    if "gap_s" in got:
        found.append(f"no report for {format_duration(got['gap_s'])}")
    if "count" in got:
        found.append(f"{got['count']:g} {'times' if event.kind is EventKind.PROBING else 'tracks'}")
    if "distance_m" in got:
        found.append(f"{format_length(got['distance_m'])} from its edge")
    if "speed_mps" in got:
        found.append(f"{got['speed_mps']:.1f} m/s")
    return ", ".join(found[:3])


def _remarks(event: Event) -> str:
    found = []
    if event.exemption is not None:
        notice = event.exemption.removeprefix(MARK)
        found.append(f"exempt: {notice}" if notice == event.exemption else f"told of by notice {notice}")
    if event.unobserved:
        found.append("inferred across a silence")
    if event.revision is not Revision.OPENED:
        found.append(str(event.revision))
    return ", ".join(found)


def case_rows(report: Report, tracks: Mapping[str, int]) -> tuple[CaseRow, ...]:
    """Return the cases, the gravest first: by how far they climbed, then by time."""
    order = {fate: rank for rank, fate in enumerate(Fate)}
    rows = [
        CaseRow(
            index=i,
            case=case,
            fate=case_fate(case),
            track=tracks.get(case.track_id, -1),
            attempts=len(case.attempts),
            delivered=sum(m.state in _ARRIVED for m in case.messages),
            acknowledged=sum(a.disposition is Disposition.COUNTED for a in case.acknowledgements),
            called=any(str(m.purpose) == "call" for m in case.messages),
        )
        for i, case in enumerate(report.cases)
    ]
    return tuple(
        sorted(rows, key=lambda r: (order[r.fate], -r.case.highest_level, not r.called, r.case.opened_us, r.index))
    )


_ARRIVED = frozenset(state for state in MessageState if REACH[state] >= REACH[MessageState.DELIVERED])


def story(case: Case) -> tuple[Step, ...]:
    """Return the steps that tell a case: what was seen, told, heard, missed and ended; not each hand-over."""
    return tuple(step for step in case.steps if step.input not in _MINOR)


def tried(case: Case) -> tuple[tuple[Attempt, Message], ...]:
    """Return every attempt with its message, by time."""
    messages = {m.message_id: m for m in case.messages}
    ordered = sorted(case.attempts, key=lambda a: (a.begun_us, a.message_id, a.number))
    return tuple((attempt, messages[attempt.message_id]) for attempt in ordered)


def count_rows(counts: Mapping[str, Counts]) -> tuple[tuple[str, Counts], ...]:
    """Return the counts by file, and their sum where there are several."""
    rows = tuple(counts.items())
    return (*rows, ("all", sum(counts.values(), Counts()))) if len(rows) > 1 else rows


def reject_rows(counts: Mapping[str, Counts]) -> tuple[tuple[RejectReason, int], ...]:
    """Return the reasons of what was refused, with their numbers, the most frequent first."""
    total: Counter[RejectReason] = Counter()
    for counted in counts.values():
        total.update(counted.rejected)
    return tuple((reason, n) for reason, n in total.most_common() if n)


def coverage(report: Report) -> tuple[Strip, ...]:
    """Return each feed's strip over the period of all reports, the busiest first, at most `MAX_FEEDS`."""
    reports = report.reports
    if not len(reports):
        return ()
    first, last = int(reports.observed_us.min()), int(reports.observed_us.max())
    span = max(last - first, US_PER_S)
    strips = []
    for code, feed in enumerate(reports.feeds):
        at = np.sort(reports.observed_us[reports.feed == code])
        if not len(at):
            continue
        hits = np.bincount(np.minimum((at - first) * BINS // span, BINS - 1), minlength=BINS)
        gaps = np.diff(np.concatenate([[first], at, [last]]))
        longest = format_duration(float(gaps.max()) / US_PER_S)
        strips.append(Strip(feed=feed, reports=len(at), runs=_runs(hits), longest=longest))
    return tuple(sorted(strips, key=lambda s: (-s.reports, s.feed))[:MAX_FEEDS])


def _runs(hits: np.ndarray) -> tuple[tuple[float, float, float], ...]:
    shares = np.ceil(4 * hits / max(int(hits.max()), 1)) / 4
    edges = [0, *(np.flatnonzero(np.diff(shares)) + 1).tolist(), len(hits)]
    return tuple(
        (round(100 * a / len(hits), 2), round(100 * (b - a) / len(hits), 2), float(shares[a]))
        for a, b in pairwise(edges)
    )


def silences(report: Report) -> tuple[int, int, str]:
    """Return how many silences the watch found, of how many tracks, and the longest in words."""
    gaps = [e for e in report.events if e.kind is EventKind.GAP and e.revision is not Revision.WITHDRAWN]
    ended = [e.measured.get("gap_s", 0.0) for e in report.events if e.kind is EventKind.GAP_ENDED]
    longest = max([0.0, *ended, *(e.measured.get("gap_s", 0.0) for e in gaps)])
    return len(gaps), len({e.track_id for e in gaps}), format_duration(longest)


def kind_counts(events: Sequence[Event]) -> tuple[tuple[str, int], ...]:
    """Return the kinds of events in their own order, with their numbers; the withdrawn are left out."""
    counted = Counter(e.kind for e in events if e.revision is not Revision.WITHDRAWN)
    return tuple((words(kind), counted[kind]) for kind in EventKind if counted[kind])
