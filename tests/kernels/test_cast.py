"""The fan cast at single zones: where it may be left out, what it finds, and the plane on which it is seen."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.kernels.test_forecast import LEGS, moving

from tocsin.geo.atlas import Atlas
from tocsin.geo.shapes import Region, circle, polygon
from tocsin.kernels.detect.sweep import link
from tocsin.kernels.earth.geodesic import direct, inverse_m
from tocsin.kernels.forecast.cast import (
    FAR_SHARE,
    cast_at,
    counts_within_m,
    least_odds,
    no_rays,
    weigh_most,
    zones_in_sight,
)
from tocsin.kernels.forecast.forecast import (
    FAN_DEG,
    RAYS,
    SPREAD,
    course_ahead_deg,
    entry_chance,
    look_around,
    most_chance,
    outlook,
    weigh_ways,
)
from tocsin.kernels.forecast.sight import FAN_PSEUDO, box_seen, edge_seen, rays_between, sees, sight_of, vertex_seen
from tocsin.kernels.forecast.vigil import CLEARLY_FALSE, PATIENCE, least_due
from tocsin.kernels.tables import NONE
from tocsin.kernels.zones.atlas import clearance_m, crossings_on, first_edge
from tocsin.kernels.zones.cells import settled

LATS, LONS, COURSES = st.floats(-72.0, 72.0), st.floats(-170.0, 170.0), st.floats(0.0, 360.0)
REACHES = st.floats(300.0, 600_000.0)
PLACES = st.lists(st.tuples(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2), st.floats(0.01, 0.6)), min_size=1, max_size=5)


def place_on(sight, ray: int, share: float) -> tuple[float, float, float]:
    """Return a place on a way of the fan, and how far along it: straight in pieces, as the fan is followed."""
    at = share * sight.pieces
    piece = min(int(at), sight.pieces - 1)
    ends = [
        direct(sight.lat_deg, sight.lon_deg, sight.course_deg + FAN_DEG[ray], sight.reach_m * p / sight.pieces)
        for p in (piece, piece + 1)
    ]
    s = at - piece
    lat, lon = (a + s * (b - a) for a, b in zip(*ends, strict=True))
    return lat, lon, sight.reach_m * share


@settings(deadline=None, max_examples=300)
@given(LATS, LONS, COURSES, REACHES, st.integers(0, RAYS - 1), st.floats(0.001, 1.0), st.floats(0.0, 0.4),
       st.floats(0.0, 0.4), st.floats(0.0, 6.3))  # fmt: skip
def test_box_and_edge_that_a_way_meets_are_seen_in_its_direction(
    lat, lon, course, reach_m, ray, share, before, after, turn
):
    sight = sight_of(lat, lon, course, reach_m)
    assume(sees(sight))
    y, x, way_m = place_on(sight, ray, share)
    size = way_m / 111_000.0
    assert box_seen(sight, x - before * size, y - before * size, x + after * size, y + after * size) >> ray & 1
    ends = [(y + k * size * math.sin(turn), x + k * size * math.cos(turn)) for k in (-before, after)]
    (a, a_m), (b, b_m) = (vertex_seen(sight, *end) for end in ends)
    length = abs(ends[1][0] - ends[0][0]) + abs(ends[1][1] - ends[0][1])
    seen, near_m, far_m = edge_seen(sight, a, a_m, b, b_m, length)
    assert seen >> ray & 1
    assert near_m <= way_m <= far_m


@settings(deadline=None)
@given(LATS, LONS, COURSES, REACHES, st.floats(1.05, 2.0), st.floats(0.0, 360.0))
def test_box_out_of_reach_is_not_seen(lat, lon, course, reach_m, far, azimuth):
    sight = sight_of(lat, lon, course, reach_m)
    assume(sees(sight))
    y, x = direct(lat, lon, azimuth, far * reach_m)
    assume(inverse_m(lat, lon, y, x)[0] > 1.03 * reach_m + 10.0 and abs(x) < 179.0 and abs(y) < 75.0)
    assert box_seen(sight, x, y, x, y) == 0


@given(st.floats(-2.0, 2.0), st.floats(0.0, 3.9))
def test_directions_between_two_angles_are_those_of_the_table(lo, wide):
    expected = 0
    for ray, at in enumerate(FAN_PSEUDO):
        expected |= any(lo <= at + turn <= lo + wide for turn in (-4.0, 0.0, 4.0)) << ray
    assert rays_between(lo, lo + wide) == expected


@settings(deadline=None, max_examples=200)
@given(LEGS, st.floats(60.0, 3_600.0), st.floats(0.1, 1.0),
       st.lists(st.one_of(st.just(math.inf), st.floats(0.0, 1.0)), min_size=RAYS, max_size=RAYS))  # fmt: skip
def test_no_zone_weighs_more_than_the_most_of_its_directions(legs, horizon_s, sooner, shares):
    rows, rays, reach_m = moving(legs), no_rays(), 50_000.0
    horizons = PATIENCE * horizon_s, PATIENCE * sooner * horizon_s
    views = [outlook(rows[0], SPREAD, h) for h in horizons]
    way_m, from_m, ways = reach_m * np.array(shares), 0.0, np.zeros((RAYS, 3))
    from_m = min(way_m.min(), reach_m)
    weigh_most(rays, views[0], views[1].stray, horizons[1], SPREAD, from_m, reach_m)
    for view in views:
        n = weigh_ways(way_m, view, SPREAD, ways)
        most = rays.most[:RAYS][np.isfinite(way_m)]
        assert (ways[:n, 0] <= most).all()
        for chance in (CLEARLY_FALSE, 0.3, 0.9):
            if most.sum() < least_odds(view, chance):
                assert most_chance(ways, n, view) < chance


@given(LEGS, st.floats(60.0, 3_600.0), st.floats(0.1, 1.0), st.floats(0.0, 1.0))
def test_no_chance_from_which_is_warned_is_less_than_the_least_looked_for(
    legs: list[tuple[float, float, float]], horizon_s: float, sooner: float, between: float
) -> None:
    """The fault: with two look-aheads a zone is passed over of which the shorter would be warned."""
    (row,) = moving(legs)
    longest_s = PATIENCE * horizon_s
    soonest_s = sooner * longest_s
    own_s = soonest_s + between * (longest_s - soonest_s)
    least = least_due(outlook(row, SPREAD, longest_s), soonest_s)
    assert least <= least_due(outlook(row, SPREAD, own_s), own_s) + 1e-12


@settings(deadline=None, max_examples=200)
@given(LEGS, st.floats(60.0, 3_600.0), st.floats(0.2, 1.5), st.sampled_from([0.2, 0.42, 0.9]),
       st.lists(st.floats(1.0, 3.0), min_size=RAYS, max_size=RAYS))  # fmt: skip
def test_ways_that_lead_too_far_weigh_less_than_their_share_of_the_odds(legs, horizon_s, sooner, chance, farther):
    """The fault: a zone is passed over, though a warning of it falls due in time."""
    rows, rays, ways = moving(legs), no_rays(), np.zeros((RAYS, 3))
    view = outlook(rows[0], SPREAD, PATIENCE * horizon_s)
    reach_m, latest_s = 2.0 * view.speed_mps * horizon_s, sooner * horizon_s
    weigh_most(rays, view, view.stray, view.horizon_s, SPREAD, 0.0, reach_m)
    odds = least_odds(view, chance)
    far_m = counts_within_m(rays, view, odds, latest_s, SPREAD, reach_m)
    assume(far_m < reach_m)
    n = weigh_ways(np.minimum(max(far_m, 1.0) * np.array(farther), reach_m), view, SPREAD, ways)
    early = (math.log(latest_s) - ways[:n, 1]) * ways[:n, 2]
    assert (ways[:n, 0] / (1.0 + np.exp(-early))).sum() <= FAR_SHARE * odds * (1.0 + 1e-9)
    assert entry_chance(ways, n, view, latest_s) < chance


@given(st.lists(st.integers(0, 4), max_size=30), st.lists(st.integers(-40, 40), min_size=5, max_size=5))
def test_reports_are_linked_to_the_same_track_s_next(track, seen):
    following = np.zeros(len(track), np.int32)
    link(np.array(track, np.int32), np.array(seen, np.int32), following)
    expected = [next((j for j in range(i + 1, len(track)) if track[j] == t), NONE) for i, t in enumerate(track)]
    assert following.tolist() == expected


def ragged(lat: float, lon: float, size_deg: float, corners: int) -> Region:
    """Return a star of so many corners, long enough for several chunks of edges."""
    turn = np.linspace(0.0, 2.0 * math.pi, corners, endpoint=False)
    reach = size_deg * (0.7 + 0.3 * np.sin(7.0 * turn + lat))
    ring = [(lat + r * math.sin(t), lon + r * math.cos(t)) for r, t in zip(reach, turn, strict=True)]
    return polygon([[*ring, ring[0]]])


@settings(deadline=None, max_examples=40)
@given(LATS, LONS, LEGS, st.floats(2_000.0, 500_000.0), PLACES, st.sampled_from([5, 40, 700]))
def test_zone_is_cast_at_as_by_the_whole_fan_or_weighs_too_little(lat, lon, legs, reach_m, around, corners):
    rows, horizon_s = moving(legs), 660.0
    sight = sight_of(lat, lon, course_ahead_deg(rows[0]), reach_m)
    assume(sees(sight) and abs(lat) + 2.0 * reach_m / 111_000.0 < 80.0 and abs(lon) < 150.0)
    at = [(lat + n * reach_m / 111_000.0, lon + e * reach_m / 111_000.0, share * reach_m) for n, e, share in around]
    zones = [circle(*p) if k % 2 else ragged(*p[:2], p[2] / 111_000.0, corners) for k, p in enumerate(at)]
    atlas, room, rays = Atlas.build(zones).arrays, 2_048, no_rays()
    fan_of, met, way_m = np.full(len(zones), 1, np.int32), np.zeros(room, np.int32), np.zeros((room, RAYS))
    edge_zone, edge_s, one_m = np.zeros(room, np.int32), np.zeros(room), np.zeros(RAYS)
    n = look_around(atlas, lat, lon, sight.course_deg, reach_m, edge_zone, edge_s, fan_of, met, way_m)
    assert n <= room
    whole = {int(z): way_m[k] for k, z in enumerate(met[:n])}
    view, ways = outlook(rows[0], SPREAD, horizon_s), np.zeros((RAYS, 3))
    weigh_most(rays, view, view.stray, horizon_s, SPREAD, clearance_m(atlas, lat, lon), reach_m)
    for chance in (CLEARLY_FALSE, 0.4):
        odds = least_odds(view, chance)
        offered = np.zeros(room, np.int32)
        offered = set(offered[: zones_in_sight(atlas, sight, rays, odds, fan_of, offered)].tolist())
        for zone in range(len(zones)):
            if cast_at(atlas, sight, rays, zone, odds, edge_zone, edge_s, one_m) == 1:
                assert zone in offered
                assert np.array_equal(one_m, whole[zone])
            elif zone in whole:
                assert most_chance(ways, weigh_ways(whole[zone], view, SPREAD, ways), view) < chance


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=3, max_size=17, unique=True),
       st.tuples(*[st.one_of(st.integers(-5, 5), st.floats(-5.0, 5.0))] * 4))  # fmt: skip
def test_first_edge_is_that_of_the_exact_crossings_unless_it_cannot_tell(corners, way):
    turn = sorted(corners, key=lambda c: (math.atan2(c[0] - 0.3, c[1] - 0.1), c))
    ring = [(float(lat), float(lon)) for lat, lon in turn]
    try:
        atlas = Atlas.build([polygon([[*ring, ring[0]]])]).arrays
    except ValueError:
        assume(False)
    y0, x0, y1, x1 = (settled(float(degrees)) for degrees in way)
    room, s = np.zeros(64, np.int64), np.zeros(64)
    found = first_edge(atlas.xy, 0, len(atlas.xy) // 2 - 1, x0, y0, x1, y1)
    if not math.isnan(found):
        n = crossings_on(atlas, y0, x0, y1, x1, room, s)
        assert found == (s[0] if n else math.inf)
