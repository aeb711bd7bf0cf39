"""Same events (P2): whatever the order of arrival within the lateness, the final events are the replay's bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.watch.arrivals import arrive, assert_each_is_confirmed_or_withdrawn, final
from tests.watch.strategies import random_reports, random_watchlist

from tocsin.tracks.order import canonical
from tocsin.watch.engine import Engine
from tocsin.watch.event import Revision
from tocsin.watch.live import corrections
from tocsin.watch.replay import replay


@settings(max_examples=8)
@given(
    seed=st.integers(0, 2**32 - 1),
    cuts=st.lists(st.integers(1, 100), max_size=5),
    restarts=st.lists(st.integers(0, 4), max_size=2),
)
def test_final_events_do_not_depend_on_the_order_of_arrival(seed: int, cuts: list[int], restarts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    watchlist, reports = random_watchlist(rng), random_reports(rng, 150, 4)
    reports = reports.take(canonical(reports).keep)
    engine = Engine(watchlist)
    told = arrive(engine, reports, rng, cuts, frozenset(sorted(cuts)[k] for k in restarts if k < len(cuts)))
    expected, _ = replay(engine, reports)
    until_us = int(reports.observed_us.max())
    assert [e.as_line() for e in final(told) if e.known_us < until_us] == [
        e.as_line() for e in expected if e.known_us < until_us
    ]


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1))
def test_provisional_events_come_first_and_each_is_confirmed_or_withdrawn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    engine, reports = Engine(random_watchlist(rng)), random_reports(rng, 150, 4)
    assert_each_is_confirmed_or_withdrawn(arrive(engine, reports.take(canonical(reports).keep), rng, []))


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
