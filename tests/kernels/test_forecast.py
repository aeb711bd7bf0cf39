"""The forecast and its vigil: against a slow twin, on a plane stage, and as a watch of one track."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import naive_forecast as naive
from tests.watch.rehearse.stage import EAST_M, NORTH_M, SQUARE

from tocsin.geo.atlas import Atlas
from tocsin.geo.shapes import circle
from tocsin.kernels.earth.geodesic import direct
from tocsin.kernels.forecast.forecast import (
    FAN_DEG,
    FAN_EDGE_DEG,
    PIECE_M,
    RAYS,
    SPREAD,
    entry_chance,
    entry_time_s,
    look_around,
    outlook,
    weigh_ways,
)
from tocsin.kernels.forecast.motion import MOTION, forget_motion, learn_motion
from tocsin.kernels.forecast.vigil import (
    DUE,
    IDLE,
    LIKELY,
    LIKELY_LEAST,
    LIKELY_SELDOM,
    LIKELY_STRAY,
    MISSES,
    PATIENCE,
    REARM,
    REARM_LEAST,
    STEADY,
    VIGIL,
    WARNED,
    clear_vigil,
    falls_due,
    keep_vigil,
    likely_enough,
)
from tocsin.kernels.numbers import chance
from tocsin.kernels.zones.atlas import crossings_on

LEGS = st.lists(
    st.tuples(st.floats(1.0, 120.0), st.floats(-20.0, 20.0), st.floats(-20.0, 20.0)), min_size=1, max_size=30
)
S = 1_000_000


def moving(legs: list[tuple[float, float, float]]) -> np.ndarray:
    """Return the motion of a track that reported the velocity at which it had come."""
    rows = np.zeros(1, MOTION)
    forget_motion(rows[0])
    for dt_s, east, north in [(0.0, *legs[0][1:]), *legs]:
        learn_motion(rows[0], dt_s, east, north, east, north)
    return rows


def steady(speed_mps: float = 10.0, legs: int = 90) -> np.ndarray:
    return moving([(10.0, speed_mps, 0.0)] * legs)


def ways_to(way_m: list[float], rows: np.ndarray, horizon_s: float) -> tuple[np.ndarray, int, object]:
    view, ways = outlook(rows[0], SPREAD, PATIENCE * horizon_s), np.zeros((RAYS, 3))
    return ways, weigh_ways(np.array(way_m), view, SPREAD, ways), view


@given(st.floats(-600.0, 600.0))
def test_exponential_is_that_of_the_library_within_two_units(x):
    assert abs(chance.exp(x) / math.exp(x) - 1.0) < 1e-15


@pytest.mark.parametrize("x", [-30.0, -1.3, 0.0, 0.2, 4.0])
def test_student_is_the_integral_of_its_density(x):
    assert chance.student(x) == pytest.approx(naive.student(x), abs=1e-9)


@settings(deadline=None)
@given(LEGS)
def test_averages_are_the_weighted_sums_over_every_leg(legs):
    rows = moving(legs)
    for k, (east, north, speed) in enumerate(naive.averages(legs)):
        found = (rows["mean_east_mps"][0, k], rows["mean_north_mps"][0, k], rows["mean_speed_mps"][0, k])
        assert found == pytest.approx((east, north, speed), abs=2e-4)


@settings(deadline=None)
@given(LEGS, st.lists(st.one_of(st.just(math.inf), st.floats(1.0, 50_000.0)), min_size=RAYS, max_size=RAYS),
       st.floats(30.0, 3_600.0), st.floats(1.0, 7_200.0))  # fmt: skip
def test_chance_is_that_of_the_slow_twin_and_rises_with_time(legs, way_m, horizon_s, within_s):
    ways, n, view = ways_to(way_m, moving(legs), horizon_s)
    found = entry_chance(ways, n, view, within_s)
    assert found == pytest.approx(naive.chance(way_m, FAN_EDGE_DEG, view, SPREAD, within_s), rel=1e-9)
    assert 0.0 < found <= entry_chance(ways, n, view, 2.0 * within_s) < 1.0


def test_fan_finds_a_square_where_plane_geometry_puts_it():
    atlas, room, fan_of = Atlas.build([SQUARE]), 64, np.full(1, 7, np.int32)
    zones, way_m = np.zeros(room, np.int64), np.zeros((room, RAYS))
    edge_zone, edge_s = np.zeros(room, np.int64), np.zeros(room)
    for course_deg in (90.0, 60.0, 200.0):
        n = look_around(
            atlas.arrays, 0.0, -3_000.0 / EAST_M, course_deg, 9_000.0, edge_zone, edge_s, fan_of, zones, way_m
        )  # two kilometres west of the square's edge
        expected = []
        for off in FAN_DEG:
            east, north = math.sin(math.radians(course_deg + off)), math.cos(math.radians(course_deg + off))
            hit = [math.inf]
            if east > 0.0 and abs(2_000.0 / east * north) <= 1_000.0:
                hit.append(2_000.0 / east)
            for side in (-1_000.0, 1_000.0):
                if north * side > 0.0 and -1_000.0 <= -3_000.0 + side / north * east <= 1_000.0:
                    hit.append(side / north)
            expected.append(min(hit))
        assert n == (0 if all(map(math.isinf, expected)) else 1)
        if n:
            assert way_m[0] == pytest.approx(expected, rel=2e-3)
    assert NORTH_M > 110_000.0


@settings(deadline=None, max_examples=60)
@given(
    st.floats(-80.0, 80.0),
    st.floats(-180.0, 180.0),
    st.floats(0.0, 360.0),
    st.floats(500.0, 260_000.0),
    st.lists(st.tuples(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2), st.floats(0.01, 0.6)), min_size=1, max_size=5),
)
def test_fan_is_the_same_as_if_every_way_were_followed_edge_by_edge(lat_deg, lon_deg, course_deg, reach_m, around):
    circles = [
        circle(lat_deg + north * reach_m / NORTH_M, (lon_deg + east * reach_m / NORTH_M + 180.0) % 360.0 - 180.0,
               share * reach_m)
        for north, east, share in around
    ]  # fmt: skip
    atlas, room, fan_of = Atlas.build(circles), 1_024, np.full(len(circles), 1, np.int32)
    zones, way_m = np.zeros(room, np.int64), np.zeros((room, RAYS))
    edge_zone, edge_s = np.zeros(room, np.int64), np.zeros(room)
    n = look_around(atlas.arrays, lat_deg, lon_deg, course_deg, reach_m, edge_zone, edge_s, fan_of, zones, way_m)
    expected = np.full((len(circles), RAYS), math.inf)
    pieces = math.ceil(reach_m / PIECE_M)
    for ray, off in enumerate(FAN_DEG):
        place = lat_deg, lon_deg
        for piece in range(pieces):
            to = direct(lat_deg, lon_deg, course_deg + off, reach_m * (piece + 1) / pieces)
            for j in range(crossings_on(atlas.arrays, *place, *to, edge_zone, edge_s)):
                at_m = reach_m * (piece + edge_s[j]) / pieces
                expected[edge_zone[j], ray] = min(expected[edge_zone[j], ray], at_m)
            place = to
    found = np.full((len(circles), RAYS), math.inf)
    found[zones[:n]] = way_m[:n]
    assert np.array_equal(found, expected)


def test_time_of_a_chance_is_where_the_chance_is_reached():
    ways, n, view = ways_to([6_000.0] * RAYS, steady(), 900.0)
    for share in (0.1, 0.4, 0.8):
        at_s = entry_time_s(ways, n, view, share, 3_000.0)
        assert entry_chance(ways, n, view, at_s) >= share
        assert entry_chance(ways, n, view, 0.98 * at_s) < share
    assert math.isinf(entry_time_s(ways, n, view, 0.999, 60.0))


def straight_on(distance_m: float) -> list[float]:
    """Return a wall across the way, so many metres ahead."""
    return [distance_m / math.cos(math.radians(a)) if abs(a) < 80.0 else math.inf for a in FAN_DEG]


@pytest.mark.parametrize(
    ("interval_s", "less"), [(0.0, 0.0), (30.0, LIKELY_SELDOM / 27.0), (60.0, LIKELY_SELDOM / 8.0)]
)
def test_less_likely_entry_is_warned_of_where_reports_come_seldom(interval_s: float, less: float) -> None:
    view = outlook(steady()[0], SPREAD, 60.0)
    view = view._replace(stray=0.1, interval_s=interval_s)
    assert likely_enough(view, 60.0) == pytest.approx(LIKELY - 0.1 * LIKELY_STRAY - less)
    assert likely_enough(view._replace(interval_s=3_600.0), 60.0) == LIKELY_LEAST


def test_track_that_goes_straight_on_is_warned_of_once_in_time_and_never_again():
    vigil, rows, told, horizon_s = np.zeros(1, VIGIL), steady(), [], 900.0
    clear_vigil(vigil[0])
    for at_s in range(0, 2_900, 75):
        if falls_due(vigil[0], at_s * S):
            told.append((int(vigil[0]["began_us"]) / S, float(vigil[0]["chance"])))
        ways, n, view = ways_to(straight_on(30_000.0 - 10.0 * at_s), rows, horizon_s)
        if keep_vigil(vigil[0], ways, n, view, at_s * S, 600.0, math.inf)[0]:
            told.append((at_s, float(vigil[0]["chance"])))
    ((when_s, said),) = told
    assert 0.5 * horizon_s <= 3_000 - when_s <= PATIENCE * horizon_s
    assert said > 0.5
    assert vigil[0]["time_lo_s"] <= vigil[0]["time_s"] <= vigil[0]["time_hi_s"]


def test_warning_is_due_at_the_same_moment_however_late_anybody_looks():
    vigil, rows = np.zeros(1, VIGIL), steady()
    clear_vigil(vigil[0])
    ways, n, view = ways_to(straight_on(10_000.0), rows, 900.0)
    assert keep_vigil(vigil[0], ways, n, view, 0, 600.0, math.inf) == (False, False)
    due_us = int(vigil[0]["began_us"])
    assert vigil[0]["standing"] == DUE and due_us > 0
    assert not falls_due(vigil[0], due_us) and falls_due(vigil[0], due_us + 500 * S)
    assert (
        vigil[0]["began_us"] == due_us and vigil[0]["standing"] == WARNED and not falls_due(vigil[0], due_us + 501 * S)
    )


def test_approach_that_turned_away_ends_once_and_arms_again_only_later():
    vigil, rows, horizon_s = np.zeros(1, VIGIL), steady(), 300.0
    clear_vigil(vigil[0])
    ways, n, view = ways_to(straight_on(1_200.0), rows, horizon_s)
    assert keep_vigil(vigil[0], ways, n, view, 0, 600.0, math.inf)[0]
    ends = [keep_vigil(vigil[0], ways, 0, view, 25 * k * S, 600.0, math.inf) for k in range(1, MISSES + 3)]
    assert [ended for _, ended in ends].count(True) == 1
    assert not keep_vigil(vigil[0], ways, n, view, 200 * S, 600.0, math.inf)[0]
    rearm_us = round(REARM * PATIENCE * horizon_s * S)
    keep_vigil(vigil[0], ways, 0, view, rearm_us, 600.0, math.inf)
    assert vigil[0]["standing"] == IDLE
    assert keep_vigil(vigil[0], ways, n, view, rearm_us + 25 * S, 600.0, math.inf)[0]


def test_approach_that_stayed_away_arms_again_after_one_horizon() -> None:
    vigil, rows, horizon_s = np.zeros(1, VIGIL), steady(), 300.0
    clear_vigil(vigil[0])
    ways, n, view = ways_to(straight_on(1_200.0), rows, horizon_s)
    assert keep_vigil(vigil[0], ways, n, view, 0, 600.0, math.inf)[0]
    least_s = math.ceil(REARM_LEAST * PATIENCE * horizon_s)
    for k in range(STEADY):
        keep_vigil(vigil[0], ways, 0, view, (least_s - 25 * (STEADY - 1 - k)) * S, 600.0, math.inf)
    assert keep_vigil(vigil[0], ways, n, view, (least_s + 25) * S, 600.0, math.inf)[0]
