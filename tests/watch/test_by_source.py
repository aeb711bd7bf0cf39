"""Silence by source (SEMANTICS 4.6): the time agreed for the feed that brought the last report, in any order."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.common import S, batch, report
from tests.watch.arrivals import arrive, final
from tests.watch.detect.fleets import FIRST_US, one_zone, square

from tocsin.agreement.watchlist import Conduct, Rule, Watchlist
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.order import canonical
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event, EventKind
from tocsin.watch.replay import replay
from tocsin.watch.state import WatchState

BOX = square(33.0, 38.0, 0.01)
AFTER_S, RADAR_S, SATELLITE_S = 300.0, 30.0, 7_200.0
SILENCES = (EventKind.GAP, EventKind.GAP_ENDED)


def agreed(*others: Rule) -> Watchlist:
    """Return an agreement about one box: a coast station has the common time, a radar less, a satellite more."""
    gap = Rule(rule_id="z0/gap", clause="t", conduct=Conduct.GAP, zone=0, after_s=AFTER_S,
               by_feed=(("radar", RADAR_S), ("sat", SATELLITE_S)))  # fmt: skip
    return one_zone(gap, *others, region=BOX)


def heard(*fixes: tuple[float, str], track: str = "dev:1", lat_deg: float = 33.0) -> list[dict[str, object]]:
    """Return rows of a track that lies still, each at so many seconds from a feed."""
    return [
        report(track_id=track, observed=FIRST_US + round(at_s * S), lat_deg=lat_deg, lon_deg=38.0, feed=feed)
        for at_s, feed in fixes
    ]


def told(watchlist: Watchlist, rows: list[dict[str, object]]) -> list[Event]:
    """Return what a replay tells of rows in any order."""
    mixed = batch(rows)
    return list(replay(Engine(watchlist), mixed.take(canonical(mixed).keep))[0])


def silences(events: list[Event]) -> list[tuple[str, float, float]]:
    """Return kind, seconds and threshold of each silence told."""
    return [(e.kind.value, (e.at_us - FIRST_US) / S, e.measured["threshold_s"]) for e in events if e.kind in SILENCES]


def test_silence_has_the_time_of_the_feed_that_brought_the_last_report():
    later = heard((20_000, "coast"), track="dev:2", lat_deg=34.0)  # far away: time goes on
    for feed, after_s in (("coast", AFTER_S), ("radar", RADAR_S), ("sat", SATELLITE_S)):
        for before in ("coast", "radar", "sat"):
            events = told(agreed(), [*heard((0, before), (10, feed)), *later])
            assert silences(events) == [("gap", 10 + after_s, after_s)]


def test_silence_of_a_slow_source_is_withdrawn_by_nobody_and_ended_by_whoever_reports():
    assert silences(told(agreed(), heard((0, "sat"), (7_000, "coast"), (7_200, "sat")))) == []
    ended = silences(told(agreed(), heard((0, "radar"), (40, "sat"))))
    assert ended == [("gap", RADAR_S, RADAR_S), ("gap_ended", 40, RADAR_S)]


def test_quick_source_that_takes_over_is_missed_by_its_own_time_also_when_nothing_else_is_due():
    """The fault: the watermark asks nobody until what was due while only the satellite had the track."""
    rows = heard((0, "sat"), *((at_s, "radar") for at_s in range(10, 60, 10)))
    rest = heard(*((at_s, "coast") for at_s in range(60, 120, 10)), track="dev:2", lat_deg=34.0)
    engine, state, found = Engine(agreed()), WatchState(), []
    for row in [*rows, *rest]:
        state, events = engine.step(state, batch([row]))
        found += [(event.kind, row["observed"]) for event in events if event.kind in SILENCES]
    assert found == [(EventKind.GAP, FIRST_US + 90 * S)]  # the first report later than 50 s + 30 s


def test_what_lies_in_a_step_is_unobserved_after_the_agreed_time_and_no_later_for_a_slow_source():
    def way(feed: str, step_s: float) -> bool:
        rows = [
            report(observed=FIRST_US + round(at_s * S), lat_deg=33.0, lon_deg=lon, feed=feed)
            for at_s, lon in ((0, 37.9), (step_s, 38.0))
        ]
        (entry,) = (e for e in told(agreed(), rows) if e.kind is EventKind.ENTRY)
        return entry.unobserved

    assert [way("coast", AFTER_S), way("coast", AFTER_S + 1)] == [False, True]
    assert [way("radar", RADAR_S), way("radar", RADAR_S + 1)] == [False, True]
    assert [way("sat", AFTER_S), way("sat", AFTER_S + 1)] == [False, True]


def feeds_of(rng: np.random.Generator, fixes: int = 50, tracks: int = 3) -> ReportBatch:
    """Return tracks that lie in the box or beside it, heard by three feeds, some fixes by two at one time."""
    rows = []
    for track in range(tracks):
        at_s = 0.0
        for _ in range(fixes):
            at_s += float(rng.choice([5.0, 25.0, 31.0, 200.0, 400.0]))
            lat = 33.0 + float(rng.normal(0, 0.004))
            for feed in rng.choice(["f", "radar", "sat"], rng.choice([1, 2], p=[0.9, 0.1]), replace=False):
                rows += heard((at_s, str(feed)), track=f"dev:{track}", lat_deg=lat)
    mixed = batch(rows)
    return mixed.take(canonical(mixed).keep)


@example(seed=15606378, cuts=[], restarts=frozenset())  # two meet on ways that begin before all that are known
@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    cuts=st.lists(st.integers(0, 170), max_size=6),
    restarts=st.frozensets(st.integers(0, 170), max_size=2),
)
def test_final_events_are_those_of_the_replay_in_any_order_batches_and_restarts(
    seed: int, cuts: list[int], restarts: frozenset[int]
) -> None:
    rng = np.random.default_rng(seed)
    together = Rule(rule_id="near", clause="t", conduct=Conduct.PROXIMITY, zone=0, radius_m=300.0, after_s=60.0)
    watchlist, reports = agreed(together), feeds_of(rng)
    live = final(arrive(Engine(watchlist), reports, rng, cuts, restarts))
    end_us = int(reports.observed_us.max()) + 2 * 86_400 * S
    engine = Engine(watchlist)
    state, first = engine.step(WatchState(), reports)
    state, rest = engine.step(state, reports.take(slice(0, 0)), watermark_us=end_us)
    _, last = engine.finish(state)
    whole = sorted([*first, *rest, *last], key=lambda e: e.order)
    assert [(e.kind, e.track_id, e.at_us, e.measured) for e in live] == [
        (e.kind, e.track_id, e.at_us, e.measured) for e in whole
    ]


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 150), max_size=8))
def test_batches_of_any_size_tell_the_same_as_one_report_a_step_by_the_long_way(seed: int, cuts: list[int]) -> None:
    reports = feeds_of(np.random.default_rng(seed))
    found: dict[bool, list[bytes]] = {True: [], False: []}
    for long_way in found:
        engine, state = Engine(agreed()), WatchState()
        bounds = range(len(reports) + 1) if long_way else sorted({0, len(reports), *cuts})
        for begin, end in pairwise(bounds):
            if long_way:
                state.goes_to_another_engine()
            state, events = engine.step(state, reports.take(slice(begin, end)))
            found[long_way] += [event.as_line() for event in events]
    assert sorted(found[True]) == sorted(found[False])
