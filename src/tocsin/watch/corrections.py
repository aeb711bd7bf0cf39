"""Corrections: what was told as final, against what all reports say now that late ones have come.

Implements FAULTS appendix C, promise 3: history is amended, never edited, and each change names its event. The result
depends on what was told and on the reports alone, not on when which of them came, so a second look finds nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from tocsin.tracks.batch import EMPTY, ReportBatch
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event, Revision, Standing
from tocsin.watch.noted import MARK
from tocsin.watch.state import WatchState

PORTION = 5_000
"""Reports that the engine is handed at a time: few, so that a watch in another thread is not held up."""


def final_events(engine: Engine, reports: ReportBatch, *, watermark_us: int) -> list[Event]:
    """Return the events that are final once everything before an instant is known.

    Parameters
    ----------
    engine : Engine
        No other thread's.
    reports : ReportBatch
        In canonical order, all of them before `watermark_us`.
    watermark_us : int
    """
    state = WatchState()
    found: list[Event] = []
    for start in range(0, len(reports), PORTION):
        state, events = engine.step(state, reports.take(slice(start, start + PORTION)))
        found += events
    if len(reports):
        state, events = engine.step(state, EMPTY, watermark_us=watermark_us)
        found += events
    return found


def amendments(told: Iterable[Event], found: Iterable[Event]) -> list[Event]:
    """Return what has to be told so that what was told becomes what was found.

    Parameters
    ----------
    told : iterable of Event
        Final, as each stands; the mark of a notice is not compared.
    found : iterable of Event
        Final.

    Returns
    -------
    list of Event
        Opened, amended or withdrawn; in the one order of events.
    """
    before = {event.event_id: _plain(event) for event in told}
    after = {event.event_id: event for event in found}
    opened = [event for key, event in after.items() if key not in before]
    amended = [
        replace(event, revision=Revision.AMENDED)
        for key, event in after.items()
        if key in before and before[key].as_line() != _plain(event).as_line()
    ]
    withdrawn = [replace(e, revision=Revision.WITHDRAWN) for key, e in before.items() if key not in after]
    return sorted([*opened, *amended, *withdrawn], key=lambda event: event.order)


def _plain(event: Event) -> Event:
    marked = event.exemption is not None and event.exemption.startswith(MARK)
    exemption = None if marked else event.exemption
    return replace(event, revision=Revision.OPENED, standing=Standing.FINAL, exemption=exemption)
