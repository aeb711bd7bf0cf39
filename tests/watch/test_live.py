"""Same events (P2): whatever the order of arrival within the lateness, the final events are the replay's bytes."""

from __future__ import annotations

from math import nan

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.watch.arrivals import arrive, assert_each_is_confirmed_or_withdrawn, final, new_state
from tests.watch.rehearse.stage import SQUARE, START_US, reports
from tests.watch.strategies import ALWAYS, SECOND, random_reports, random_watchlist

from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.tracks.order import canonical
from tocsin.watch.engine import Engine
from tocsin.watch.event import EventKind, Revision, Standing
from tocsin.watch.live import corrections, step
from tocsin.watch.replay import replay
from tocsin.watch.routes import as_routes, learn_routes


@example(seed=16_794, cuts=[], restarts=[])  # an exit that the watermark tells, or the fix after a silence
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


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32 - 1), most_late_s=st.sampled_from([1, 20, 120]))
def test_a_track_watched_on_tells_what_it_tells_watched_again(seed: int, most_late_s: int) -> None:
    # Fault: a report in order is watched on from where the track was; that must be where watching all again ends.
    watched = []
    for always_again in (False, True):
        rng = np.random.default_rng(seed)
        engine, reports = Engine(random_watchlist(rng)), random_reports(rng, 150, 4)
        reports = reports.take(canonical(reports).keep)
        told = arrive(engine, reports, rng, [], most_late_s=most_late_s, always_again=always_again)
        watched.append([event.as_line() for event in told])
    assert watched[0] == watched[1]


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


def watching_for_approaches() -> Watchlist:
    rules = [
        Rule(rule_id=f"z/{conduct}", clause="", conduct=conduct, zone=0, lookahead_s=ahead_s)
        for conduct, ahead_s in ((Conduct.ENTRY, nan), (Conduct.EXIT, nan), (Conduct.CROSSING, nan))
    ]
    rules.append(Rule(rule_id="z/approach", clause="", conduct=Conduct.APPROACH, zone=0, lookahead_s=900.0))
    zone = Zone(zone_id="z", kind="area", clause="", region=SQUARE, schedule=ALWAYS)
    return Watchlist(agreement_id="a", version=1, digest=bytes(32), in_force=ALWAYS, zones=[zone], rules=rules)


@pytest.mark.parametrize("seed", range(3))
def test_final_events_by_remembered_routes_do_not_depend_on_the_order_of_arrival(seed: int) -> None:
    # Fault: what passages tell, or how far they count, depends on the batches in which reports come.
    rng = np.random.default_rng(seed)
    paths = {}
    for k in range(6):  # from the west; half of them turn south into the square at 0, the others go on
        way_m = np.arange(-12_000.0, 12_000.0, 600.0) + 100.0 * k
        turns = k % 2 == 0
        east_m, north_m = np.where(turns, np.minimum(way_m, 0.0), way_m), 6_000.0 - turns * np.maximum(way_m, 0.0)
        apart_m = rng.normal(0.0, 20.0, (2, len(way_m)))
        paths[f"dev:{k}"] = [
            (60.0 * i + 7.0 * k, x, y)
            for i, (x, y) in enumerate(zip(east_m + apart_m[0], north_m + apart_m[1], strict=True))
        ]
    batch, watchlist = reports(paths), watching_for_approaches()
    batch = batch.take(canonical(batch).keep)
    the_day_before = structs.replace(batch, observed_us=batch.observed_us - 86_400 * SECOND)
    engine = Engine(watchlist, as_routes(learn_routes(the_day_before)))
    told, (expected, _) = arrive(engine, batch, rng, [40, 90]), replay(engine, batch)
    until_us = int(batch.observed_us.max())
    lines = [e.as_line() for e in expected if e.known_us < until_us]
    assert [e.as_line() for e in final(told) if e.known_us < until_us] == lines
    warned = [e for e in expected if e.kind is EventKind.APPROACH]
    assert warned and warned != [e for e in replay(Engine(watchlist), batch)[0] if e.kind is EventKind.APPROACH]


def test_approach_due_while_no_fix_comes_is_told_by_the_clock_and_confirmed_by_the_watermark() -> None:
    # Fault: a warning that waits for the next fix, or for the lateness, is late where reports are rare.
    fixes = [(60.0 * k, -15_000.0 + 600.0 * k, 0.0) for k in range(8)]  # 10 m/s towards a square, then nothing
    watchlist = watching_for_approaches()
    engine, state, batch = Engine(watchlist), new_state(), reports({"dev:a": fixes})
    told = []
    for at_s in range(0, 3_000, 30):
        come = batch.take(
            (batch.observed_us > START_US + (at_s - 30) * SECOND) & (batch.observed_us <= START_US + at_s * SECOND)
        )
        state, events, _ = step(engine, state, come, now_us=START_US + at_s * SECOND)
        told += [(at_s, event) for event in events if event.kind is EventKind.APPROACH]
    (first_s, first), (_, last) = told
    assert (first.standing, last.standing) == (Standing.PROVISIONAL, Standing.FINAL)
    assert first.event_id == last.event_id and first.known_us == last.known_us
    due_s = (first.known_us - START_US) / SECOND
    assert due_s > fixes[-1][0] and due_s < first_s <= due_s + 30
    assert last.after is None and last.measured["probability"] > 0.2
