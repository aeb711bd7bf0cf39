"""Same events (P2): whatever the order of arrival within the lateness, the final events are the replay's bytes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.watch.strategies import SECOND, random_reports, random_watchlist

from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.order import FeedPolicy, Reorder, canonical
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event, Revision, Standing
from tocsin.watch.live import LiveState, corrections, step
from tocsin.watch.replay import replay

LATENESS_S = 120


def _arrive(engine: Engine, reports: ReportBatch, rng: np.random.Generator, cuts: list[int]) -> list[Event]:
    """Return all events of reports that arrive late and mixed up, each up to the lateness, some twice."""
    delay_us = rng.integers(0, LATENESS_S * SECOND, len(reports))
    twice = rng.choice(len(reports), 20)
    index = np.concatenate([np.arange(len(reports)), twice])
    arrival_us = np.concatenate([reports.observed_us + delay_us, (reports.observed_us + delay_us)[twice]])
    order = np.argsort(arrival_us, kind="stable")
    policy = FeedPolicy(lateness_us=LATENESS_S * SECOND)
    state = LiveState(order=Reorder(feeds={"f": policy}, other=policy))
    told: list[Event] = []
    bounds = sorted({0, len(order), *(cut % len(order) for cut in cuts)})
    for first, last in pairwise(bounds):
        mine = order[first:last]
        for at_us in np.unique(arrival_us[mine]):  # nothing is told before it arrives
            now = mine[arrival_us[mine] == at_us]
            state, events, release = step(engine, state, reports.take(index[now]), now_us=int(at_us))
            assert len(release.late) == len(release.ahead) == 0
            told += events
    end_us = int(reports.observed_us.max()) + 10 * LATENESS_S * SECOND
    for late_us in (end_us, end_us + 86_400 * SECOND):
        state, events, _ = step(engine, state, reports.take(slice(0, 0)), now_us=late_us)
        told += events
    assert not state.open, "every provisional event is confirmed or withdrawn in the end"
    return told


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(1, 100), max_size=5))
def test_final_events_do_not_depend_on_the_order_of_arrival(seed: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    watchlist, reports = random_watchlist(rng), random_reports(rng, 150, 4)
    reports = reports.take(canonical(reports).keep)
    engine = Engine(watchlist)
    told = _arrive(engine, reports, rng, cuts)
    final = sorted((e for e in told if e.standing is Standing.FINAL), key=lambda e: e.order)
    expected, _ = replay(engine, reports)
    until_us = int(reports.observed_us.max())
    assert [e.as_line() for e in final if e.known_us < until_us] == [
        e.as_line() for e in expected if e.known_us < until_us
    ]


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1))
def test_provisional_events_come_first_and_each_is_confirmed_or_withdrawn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    engine, reports = Engine(random_watchlist(rng)), random_reports(rng, 150, 4)
    open_ids: set[str] = set()
    for event in _arrive(engine, reports.take(canonical(reports).keep), rng, []):
        if event.revision is Revision.WITHDRAWN or event.standing is Standing.FINAL:
            open_ids.discard(event.event_id)
        else:
            assert (event.event_id in open_ids) == (event.revision is Revision.AMENDED)
            open_ids.add(event.event_id)
    assert not open_ids


def test_corrections_name_what_a_late_report_changes() -> None:
    rng = np.random.default_rng(3)
    engine, reports = Engine(random_watchlist(rng, plain=True)), random_reports(rng, 200, 2)
    reports = reports.take(canonical(reports).keep)
    kept = np.ones(len(reports), bool)
    kept[60:70] = False
    changed = corrections(engine, reports.take(kept), reports.take(~kept))
    before = {e.event_id for e in replay(engine, reports.take(kept))[0]}
    after = {e.event_id for e in replay(engine, reports)[0]}
    assert {e.event_id for e in changed if e.revision is Revision.OPENED} == after - before
    assert {e.event_id for e in changed if e.revision is Revision.WITHDRAWN} == before - after
    assert changed
    assert corrections(engine, reports, reports.take(slice(0, 5))) == []
