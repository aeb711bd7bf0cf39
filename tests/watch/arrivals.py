"""Reports as they arrive: late and mixed up within the lateness, some twice, in any batches, through restarts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from tests.watch.strategies import SECOND

from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.order import FeedPolicy, Reorder
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event, Revision, Standing
from tocsin.watch.live import LiveState, step
from tocsin.watch.snapshot import dump_live, load_live

LATENESS_S = 120
POLICY = FeedPolicy(lateness_us=LATENESS_S * SECOND)


def new_state() -> LiveState:
    """Return a live watch of one feed."""
    return LiveState(order=Reorder(feeds={"f": POLICY}, other=POLICY))


def restarted(state: LiveState) -> LiveState:
    """Return the state after its process died and another read its snapshot."""
    return load_live(dump_live(state), feeds=state.order.feeds, other=state.order.other)


def arrive(
    engine: Engine,
    reports: ReportBatch,
    rng: np.random.Generator,
    cuts: list[int],
    restarts: frozenset[int] = frozenset(),
    *,
    most_late_s: int = LATENESS_S,
    always_again: bool = False,
) -> list[Event]:
    """Return all events of reports that arrive late and mixed up, each up to the lateness, some twice.

    `always_again` has every track watched again from where it is settled at each report, as if nothing were known.
    """
    delay_us = rng.integers(0, most_late_s * SECOND, len(reports))
    twice = rng.choice(len(reports), 20)
    index = np.concatenate([np.arange(len(reports)), twice])
    arrival_us = np.concatenate([reports.observed_us + delay_us, (reports.observed_us + delay_us)[twice]])
    order = np.argsort(arrival_us, kind="stable")
    state, told = new_state(), []
    bounds = sorted({0, len(order), *(cut % len(order) for cut in cuts)})
    for first, last in pairwise(bounds):
        mine = order[first:last]
        for at_us in np.unique(arrival_us[mine]):  # nothing is told before it arrives
            now = mine[arrival_us[mine] == at_us]
            state.again |= set(range(len(state.settled.track_ids))) if always_again else set()
            state, events, release = step(engine, state, reports.take(index[now]), now_us=int(at_us))
            assert len(release.late) == len(release.ahead) == 0
            told += events
        if last in restarts:
            engine, state = Engine(engine.watchlist), restarted(state)
    end_us = int(reports.observed_us.max()) + 10 * LATENESS_S * SECOND
    for late_us in (end_us, end_us + 86_400 * SECOND):
        state, events, _ = step(engine, state, reports.take(slice(0, 0)), now_us=late_us)
        told += events
    assert not state.open, "every provisional event is confirmed or withdrawn in the end"
    return told


def final(told: list[Event]) -> list[Event]:
    """Return the final events that were not withdrawn, in the one order of events."""
    kept = (e for e in told if e.standing is Standing.FINAL and e.revision is not Revision.WITHDRAWN)
    return sorted(kept, key=lambda e: e.order)


def assert_each_is_confirmed_or_withdrawn(told: list[Event]) -> None:
    """Fail if a provisional event stays open, or an amendment comes of what is not."""
    open_ids: set[str] = set()
    for event in told:
        if event.revision is Revision.WITHDRAWN or event.standing is Standing.FINAL:
            open_ids.discard(event.event_id)
        else:
            assert (event.event_id in open_ids) == (event.revision is Revision.AMENDED), event
            open_ids.add(event.event_id)
    assert not open_ids
