"""The way past the fan: a report that nothing can come of is not looked at, and that changes no event."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.common import NOON_US, S, batch, report
from tests.naive_geo import of_shapely, star
from tests.watch.detect.fleets import one_zone, watchlist

from tocsin.agreement.compile import compile_watchlist
from tocsin.agreement.load import load
from tocsin.agreement.schedule import ALWAYS_ON
from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.geo.shapes import circle
from tocsin.tracks.archive import read_tracks
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.formats.columns import load_columns
from tocsin.watch.engine import Engine
from tocsin.watch.state import WatchState

COAST = Path(__file__).parents[2] / "examples/us-coast"
BUSY, MOST = 60, 1_500
"""Of the coast's tracks, those with the most reports, and so many of their reports: a step each."""


def lines(agreed: Watchlist, reports: ReportBatch, *, every: int) -> list[bytes]:
    """Return the events, so many reports a step; with one a step, each takes the long way: no track counts as quiet."""
    engine, state, found = Engine(agreed), WatchState(), []
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
    agreed, reports = one_zone(rule, region=circle(33.0, 38.0, 5_000.0)), batch(rows)
    assert lines(agreed, reports, every=len(reports)) == lines(agreed, reports, every=1)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lat_deg=st.sampled_from([0.0, 41.0, -64.0]))
def test_walks_among_many_edges_are_told_of_alike_by_the_short_and_the_long_way(seed: int, lat_deg: float) -> None:
    """The fault: a box about a fix, or a way, that an edge touches after all; a first fix that is in a zone."""
    rng = np.random.default_rng(seed)
    regions = [
        of_shapely(star(rng, 9, 38.0 + rng.uniform(-0.3, 0.3), lat_deg + rng.uniform(-0.3, 0.3), size))
        for size in rng.choice([0.02, 0.1, 0.4], 8)
    ]
    zones = [
        Zone(zone_id=f"z{z}", kind="area", clause="-", region=shape, schedule=ALWAYS_ON, clear_s=0.0)
        for z, shape in enumerate(regions)
    ]
    rows, east_m = [], 111_000 * np.cos(np.radians(lat_deg))
    for track in range(8):
        speed_mps, course, at_us = float(rng.choice([2.0, 20.0, 200.0, 900.0])), rng.uniform(0.0, 360.0), NOON_US
        lat, lon = lat_deg + rng.uniform(-0.4, 0.4), 38.0 + rng.uniform(-0.4, 0.4)
        for _ in range(40):
            course = (course + rng.normal(0, 15)) % 360.0
            lat += speed_mps * 10.0 * np.cos(np.radians(course)) / 111_000
            lon += speed_mps * 10.0 * np.sin(np.radians(course)) / east_m
            at_us += 10 * S
            rows.append(report(track_id=f"dev:{track}", observed=at_us, lat_deg=lat, lon_deg=lon))
    rows.sort(key=lambda row: (row["observed"], row["track_id"]))
    agreed, reports = watchlist(zones, []), batch(rows)
    assert lines(agreed, reports, every=len(reports)) == lines(agreed, reports, every=1)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), clear_s=st.sampled_from([0.0, 90.0]), every=st.integers(2, 60))
def test_forecasts_are_told_of_alike_whether_it_is_known_when_the_next_is_made(
    seed: int, clear_s: float, every: int
) -> None:
    """The fault: a warning that falls due before the next forecast, left out because it seemed to fall due after it."""
    rng = np.random.default_rng(seed)
    zones, rules, rows = [], [], []
    for z in range(12):
        shape = of_shapely(star(rng, 9, 38.0 + rng.uniform(-0.4, 0.4), 41.0 + rng.uniform(-0.3, 0.3), 0.06))
        zones.append(Zone(zone_id=f"z{z}", kind="area", clause="-", region=shape, schedule=ALWAYS_ON, clear_s=clear_s))
        for name, lookahead_s in (("soon", 60.0), ("late", 600.0)):
            common = {"clause": "-", "conduct": Conduct.APPROACH, "zone": z}
            rules.append(Rule(rule_id=f"z{z}/{name}", lookahead_s=lookahead_s, **common))
    for track in range(5):
        speed, course, at_us = rng.uniform(3.0, 120.0), rng.uniform(0.0, 360.0), NOON_US + track * S
        lat, lon, steps_s = 41.0 + rng.uniform(-0.3, 0.3), 38.0 + rng.uniform(-0.3, 0.3), [4.0, 10.0, 10.0, 45.0]
        for n in range(60):
            step_s = float(rng.choice(steps_s)) if n % 20 else 400.0  # silent so long, it is not known any more
            course = (course + rng.normal(0, 8)) % 360.0
            lat += speed * step_s * np.cos(np.radians(course)) / 111_000
            lon += speed * step_s * np.sin(np.radians(course)) / 84_000
            at_us += int(step_s) * S
            says = {"accuracy_m": 500.0} if rng.random() < 0.02 else {}
            rows.append(report(track_id=f"dev:{track}", observed=at_us, lat_deg=lat, lon_deg=lon, **says))
    rows.sort(key=lambda row: (row["observed"], row["track_id"]))
    agreed, reports = watchlist(zones, rules), batch(rows)
    told = lines(agreed, reports, every=1)
    assert lines(agreed, reports, every=len(reports)) == told
    assert lines(agreed, reports, every=every) == told


STAYS = [
    Rule(rule_id="loiter", clause="-", conduct=Conduct.LOITER, zone=0, after_s=120.0, radius_m=300.0),
    Rule(rule_id="slow", clause="-", conduct=Conduct.LOITER, zone=0, after_s=60.0, radius_m=400.0, speed_hi_mps=4.0),
    Rule(rule_id="stopped", clause="-", conduct=Conduct.STOPPED, zone=0, after_s=60.0),
    Rule(rule_id="dwell", clause="-", conduct=Conduct.DWELL, zone=0, after_s=200.0),
    Rule(rule_id="gap", clause="-", conduct=Conduct.GAP, zone=0, after_s=100.0),
    Rule(rule_id="near", clause="-", conduct=Conduct.APPROACH, zone=0, lookahead_s=120.0),
]


@example(seed=7132, lat_deg=-79.5, chosen=32)  # a forecast that finds no zone any more, while a warning falls due
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
    agreed, reports = one_zone(*rules, region=circle(lat_deg, 38.0, 3_000.0)), batch(rows)
    assert lines(agreed, reports, every=len(reports)) == lines(agreed, reports, every=1)


def test_zone_with_more_rules_than_a_word_has_bits_tells_what_each_tells_alone() -> None:
    """The fault: a spell opened twice, or never, for a rule past the bits."""
    rng = np.random.default_rng(3)
    rows, lat = [], 33.0
    for n in range(160):
        lat += 0.003 if n % 74 == 0 else float(rng.choice([0.0, 0.00001]))
        rows.append(report(track_id="dev:1", observed=NOON_US + n * 20 * S, lat_deg=lat, lon_deg=38.0))
    rules = [
        Rule(rule_id=f"r{n:02}", clause="-", conduct=Conduct.LOITER, zone=0, after_s=20.0 + 20.0 * n, radius_m=200.0)
        for n in range(70)
    ]
    region, reports = circle(33.0, 38.0, 9_000.0), batch(rows)
    whole = lines(one_zone(*rules, region=region), reports, every=len(reports))
    assert whole == lines(one_zone(*rules, region=region), reports, every=1)
    parts = [lines(one_zone(*some, region=region), reports, every=1) for some in (rules[:60], rules[60:])]
    assert whole == sorted({line for part in parts for line in part})
    assert all(any(b'"' + name + b'"' in line for line in whole) for name in (b"r00", b"r61", b"r62", b"r69"))


def test_coast_is_told_of_alike_by_the_short_and_the_long_way() -> None:
    archive = read_tracks([COAST / "tracks.parquet"], columns=load_columns(COAST / "columns.yaml"))
    reports, agreed = archive.reports, compile_watchlist(load(COAST / "agreement.yaml"))
    busy = np.argsort(-np.bincount(reports.track), kind="stable")[:BUSY]
    reports = reports.take(np.flatnonzero(np.isin(reports.track, busy))[:MOST])
    told = lines(agreed, reports, every=len(reports))
    assert told == lines(agreed, reports, every=1)
    assert any(b'"approach"' in line for line in told)
