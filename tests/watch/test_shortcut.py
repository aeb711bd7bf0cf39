"""The way past the fan: a report that nothing can come of is not looked at, and that changes no event."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.common import NOON_US, S, batch, report
from tests.watch.detect.fleets import one_zone

from tocsin.agreement.compile import compile_watchlist
from tocsin.agreement.load import load
from tocsin.agreement.watchlist import Conduct, Rule, Watchlist
from tocsin.geo.shapes import circle
from tocsin.tracks.archive import read_tracks
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.formats.columns import load_columns
from tocsin.watch.engine import Engine
from tocsin.watch.state import WatchState

COAST = Path(__file__).parents[2] / "examples/us-coast"
BUSY, MOST = 60, 1_500
"""Of the coast's tracks, those with the most reports, and so many of their reports: a step each."""


def lines(watchlist: Watchlist, reports: ReportBatch, *, every: int) -> list[bytes]:
    """Return the events, so many reports a step; with one a step, each takes the long way: no track counts as quiet."""
    engine, state, found = Engine(watchlist), WatchState(), []
    for begin in range(0, len(reports), every):
        if every == 1:
            state.goes_to_another_engine()
        state, events = engine.step(state, reports.take(slice(begin, begin + every)))
        found += [event.as_line() for event in events]
    return sorted(found)


@example(seed=4615455, lookahead_s=600.0)  # an exit told by the fix that left, of a track that states no speed
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lookahead_s=st.sampled_from([60.0, 600.0]))
def test_walks_far_and_near_are_told_of_alike_by_the_short_and_the_long_way(seed: int, lookahead_s: float) -> None:
    rng = np.random.default_rng(seed)
    rows = []
    for track in range(4):
        speed, course = rng.uniform(1.0, 60.0), rng.uniform(0.0, 360.0)
        lat, lon = 33.0 + rng.normal(0, 0.3), 38.0 + rng.normal(0, 0.3)
        says = {"accuracy_m": float(rng.choice([np.nan, 30.0, 3_000.0]))}
        at_us, states = NOON_US + track * S, rng.random() < 0.5
        for _ in range(40):
            step_s = float(rng.choice([5.0, 20.0, 120.0]))
            course = (course + rng.normal(0, 20)) % 360.0
            lat += speed * step_s * np.cos(np.radians(course)) / 111_000
            lon += speed * step_s * np.sin(np.radians(course)) / 93_000
            at_us += int(step_s) * S
            moves = {"speed_mps": speed, "course_deg": course} if states else {}
            rows.append(report(track_id=f"dev:{track}", observed=at_us, lat_deg=lat, lon_deg=lon, **moves, **says))
    rows.sort(key=lambda row: (row["observed"], row["track_id"]))
    rule = Rule(rule_id="near", clause="-", conduct=Conduct.APPROACH, zone=0, lookahead_s=lookahead_s)
    watchlist, reports = one_zone(rule, region=circle(33.0, 38.0, 5_000.0)), batch(rows)
    assert lines(watchlist, reports, every=len(reports)) == lines(watchlist, reports, every=1)


STAYS = [
    Rule(rule_id="loiter", clause="-", conduct=Conduct.LOITER, zone=0, after_s=120.0, radius_m=300.0),
    Rule(rule_id="slow", clause="-", conduct=Conduct.LOITER, zone=0, after_s=60.0, radius_m=400.0, speed_hi_mps=4.0),
    Rule(rule_id="stopped", clause="-", conduct=Conduct.STOPPED, zone=0, after_s=60.0),
    Rule(rule_id="dwell", clause="-", conduct=Conduct.DWELL, zone=0, after_s=200.0),
    Rule(rule_id="gap", clause="-", conduct=Conduct.GAP, zone=0, after_s=100.0),
    Rule(rule_id="near", clause="-", conduct=Conduct.APPROACH, zone=0, lookahead_s=120.0),
]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lat_deg=st.sampled_from([33.0, -79.5, 84.0]), chosen=st.integers(1, 63))
def test_stays_are_told_of_alike_by_the_short_and_the_long_way(seed: int, lat_deg: float, chosen: int) -> None:
    """The fault: a spell that goes on after its track has strayed or sped up, or one that ends before it has."""
    rng = np.random.default_rng(seed)
    east_m = 111_000 * np.cos(np.radians(lat_deg))
    rows = []
    for track in range(3):
        states, course, at_us = rng.random() < 0.5, rng.uniform(0.0, 360.0), NOON_US + track * S
        lat, lon = lat_deg + rng.normal(0, 1_500) / 111_000, 38.0 + rng.normal(0, 1_500) / east_m
        for _ in range(60):
            speed, step_s = float(rng.choice([0.0, 0.2, 3.0, 15.0])), float(rng.choice([5.0, 20.0, 20.0, 120.0]))
            course = (course + rng.normal(0, 60)) % 360.0
            lat += speed * step_s * np.cos(np.radians(course)) / 111_000
            lon += speed * step_s * np.sin(np.radians(course)) / east_m
            at_us += int(step_s) * S
            moves = {"speed_mps": speed, "course_deg": course} if states else {}
            rows.append(report(track_id=f"dev:{track}", observed=at_us, lat_deg=lat, lon_deg=lon, **moves))
    rows.sort(key=lambda row: (row["observed"], row["track_id"]))
    rules = [rule for n, rule in enumerate(STAYS) if chosen >> n & 1]
    watchlist, reports = one_zone(*rules, region=circle(lat_deg, 38.0, 3_000.0)), batch(rows)
    assert lines(watchlist, reports, every=len(reports)) == lines(watchlist, reports, every=1)


def test_coast_is_told_of_alike_by_the_short_and_the_long_way() -> None:
    archive = read_tracks([COAST / "tracks.parquet"], columns=load_columns(COAST / "columns.yaml"))
    reports, watchlist = archive.reports, compile_watchlist(load(COAST / "agreement.yaml"))
    busy = np.argsort(-np.bincount(reports.track), kind="stable")[:BUSY]
    reports = reports.take(np.flatnonzero(np.isin(reports.track, busy))[:MOST])
    told = lines(watchlist, reports, every=len(reports))
    assert told == lines(watchlist, reports, every=1)
    assert any(b'"approach"' in line for line in told)
