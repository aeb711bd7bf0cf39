"""Replay: an archive through the engine, as if it were happening.

The archive is already sorted (`tracks/order.py`); it is cut into batches only to bound memory. Where it is cut
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tocsin.tracks.batch import ReportBatch
from tocsin.watch.engine import Engine
from tocsin.watch.found import EventBatch, nothing
from tocsin.watch.state import WatchState

BATCH = 200_000
"""Reports handed to the engine at a time."""


def replay(
    engine: Engine, reports: ReportBatch, *, progress: Callable[[int], None] = lambda _: None
) -> tuple[EventBatch, WatchState]:
    """Return every event of an archive and the state at its end.

    Parameters
    ----------
    engine : Engine
    reports : ReportBatch
        In canonical order.
    progress : callable
        Called with the number of reports taken so far.
    """
    state = WatchState()
    events = [nothing(engine.words(state))]
    for done, batch in _batches(reports):
        state, found = engine.step(state, batch)
        events.append(found)
        progress(done)
    state, found = engine.finish(state)
    return EventBatch.concat([*events, found]), state


def _batches(reports: ReportBatch) -> Iterator[tuple[int, ReportBatch]]:
    for start in range(0, len(reports), BATCH):
        stop = min(start + BATCH, len(reports))
        yield stop, reports.take(slice(start, stop))
