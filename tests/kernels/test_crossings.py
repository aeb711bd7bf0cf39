"""Where ways cross the edges of zones: against fractions, across 180°, at the poles, along geodesics."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.naive_geo import crossings, features, holds, of_shapely, region, rings_of, star

from tocsin.geo.atlas import Atlas
from tocsin.geo.shapes import circle, polygon
from tocsin.kernels.zones.atlas import crossings_on, edges_met, split_count, way_crossings, zones_at

Way = tuple[float, float, float, float]


def _found(atlas: Atlas, way: Way, *, geodesic: bool = False) -> list[tuple[int, float]]:
    """Return the (zone, s) of a way (lat, lon, lat, lon)."""
    zone, s = np.empty(256, np.int64), np.empty(256)
    n = (way_crossings if geodesic else crossings_on)(atlas.arrays, *way, zone, s)
    assert n <= len(zone)
    pairs = list(zip(zone[:n].tolist(), s[:n].tolist(), strict=True))
    assert all(0.0 <= t <= 1.0 for _, t in pairs) and pairs == sorted(pairs, key=lambda p: (p[1], p[0]))
    if not geodesic:
        met_zone, met_s = np.empty(4_096, np.int64), np.empty(4_096)
        m = edges_met(atlas.arrays, *way, met_zone, met_s)
        assert set(zip(met_zone[:m].tolist(), met_s[:m].tolist(), strict=True)) == set(pairs)
    return pairs


def _zones(atlas: Atlas, lat: float, lon: float) -> set[int]:
    out = np.empty(64, np.int64)
    return set(out[: zones_at(atlas.arrays, lat, lon, out)].tolist())


def _parity_holds(atlas: Atlas, way: Way, pairs: list[tuple[int, float]]) -> bool:
    odd = {z for z in {z for z, _ in pairs} if sum(z == other for other, _ in pairs) % 2}
    return odd == _zones(atlas, *way[:2]) ^ _zones(atlas, *way[2:])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_crossings_against_fractions_through_vertices_and_along_edges(seed: int):
    """Ways between points of the grid that vertices lie on too: many touch a vertex or run along an edge."""
    rng = np.random.default_rng(seed)
    shapes = [of_shapely(star(rng, int(rng.integers(3, 10)), *rng.integers(-2, 3, 2), 2.0, 0.5)) for _ in range(3)]
    atlas = Atlas.build(shapes)
    for lat0, lon0, lat1, lon1 in (np.round(rng.uniform(-4.0, 4.0, (12, 4)) * 2.0) / 2.0).tolist():
        pairs = _found(atlas, (lat0, lon0, lat1, lon1))
        for z, shape in enumerate(shapes):
            true = crossings(rings_of(shape), (lon0, lat0), (lon1, lat1))
            assert [t for zone, t in pairs if zone == z] == pytest.approx([float(t) for t in true], abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_crossings_of_any_way_against_fractions(seed: int):
    rng = np.random.default_rng(seed)
    shapes = [of_shapely(star(rng, 8, *rng.uniform(-1.0, 1.0, 2), 10.0 ** rng.uniform(-2.0, 0.3))) for _ in range(3)]
    atlas = Atlas.build(shapes)
    for lat0, lon0, lat1, lon1 in rng.uniform(-2.0, 2.0, (6, 4)).tolist():
        pairs = _found(atlas, (lat0, lon0, lat1, lon1))
        for z, shape in enumerate(shapes):
            true = crossings(rings_of(shape), (lon0, lat0), (lon1, lat1))
            assert [t for zone, t in pairs if zone == z] == pytest.approx([float(t) for t in true], abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_crossings_of_short_ways_about_edges_that_zones_share_against_fractions(seed: int):
    """Ways that mostly stay in one cell, some of them through vertices or along edges: each zone's edge is met."""
    rng, middle = np.random.default_rng(seed), (0.25, 0.5)
    ring = np.asarray(star(rng, 9, *middle, 0.06, 2.0**-8).exterior.coords)
    fans = [shapely.Polygon([middle, a, b]) for a, b in pairwise(ring.tolist())]
    shapes = [of_shapely(fan) for fan in fans if fan.area > 0.0]
    atlas = Atlas.build(shapes)
    for _ in range(12):
        lon, lat = ring[int(rng.integers(len(ring)))].tolist()
        step = (2.0 ** -rng.integers(7, 14, 4) * rng.integers(-2, 3, 4)).tolist()
        way = (lat + step[0], lon + step[1], lat + step[2], lon + step[3])
        pairs = _found(atlas, way)
        for z, shape in enumerate(shapes):
            true = crossings(rings_of(shape), way[1::-1], way[:1:-1])
            assert [t for zone, t in pairs if zone == z] == pytest.approx([float(t) for t in true], abs=1e-12)


def test_crossings_on_real_areas_part_ways_as_shapely_does():
    """The length of the way inside each area, to a part in 10⁹, and the parity of the ends; ways of all lengths."""
    rng = np.random.default_rng(6)
    shapes = [region(g) for g in features("miami")]
    atlas = Atlas.build(shapes)
    total = 0
    for _ in range(400):
        shape, length = shapes[int(rng.integers(len(shapes)))], 10.0 ** rng.uniform(-4.0, -0.5)
        lat0, lon0 = shape.lat_deg[0] + rng.normal(0.0, length), shape.lon_deg[0] + rng.normal(0.0, length)
        way = (lat0, lon0, lat0 + rng.normal(0.0, length), lon0 + rng.normal(0.0, length))
        pairs = _found(atlas, way)
        total += len(pairs)
        assert _parity_holds(atlas, way, pairs)
        line = shapely.LineString([way[1::-1], way[:1:-1]])
        for z in {z for z, _ in pairs}:
            at = [t for zone, t in pairs if zone == z]
            at = [0.0] * (z in _zones(atlas, *way[:2])) + at + [1.0] * (z in _zones(atlas, *way[2:]))
            inside = sum(b - a for a, b in zip(at[::2], at[1::2], strict=True))
            assert inside == pytest.approx(line.intersection(shapes[z].geometry).length / line.length, abs=1e-9)
    assert total > 200


def test_crossings_of_a_touch_are_two_at_one_place():
    atlas = Atlas.build([polygon([[(0, 0), (0, 2), (2, 1), (0, 0)]])])
    assert _found(atlas, (2.0, 0.0, 2.0, 2.0)) == [(0, 0.5), (0, 0.5)]
    assert _found(atlas, (2.5, 0.0, 2.5, 2.0)) == []


def test_crossings_that_begin_or_end_on_an_edge():
    """A place on the edge is inside: coming to it is an entry at s = 1, leaving it outwards an exit at s = 0."""
    atlas = Atlas.build([polygon([[(0, 0), (0, 2), (2, 2), (2, 0), (0, 0)]])])
    assert _found(atlas, (1.0, -1.0, 1.0, 0.0)) == [(0, 1.0)]
    assert _found(atlas, (1.0, 0.0, 1.0, -1.0)) == [(0, 0.0)]
    assert _found(atlas, (1.0, 0.0, 1.0, 1.0)) == []
    assert _found(atlas, (0.0, 0.5, 0.0, 1.5)) == []  # along the edge
    assert _found(atlas, (0.0, -1.0, 0.0, 3.0)) == [(0, 0.25), (0, 0.75)]
    assert _found(atlas, (0.0, 0.0, -1.0, -1.0)) == [(0, 0.0)]  # from a corner
    assert _found(atlas, (1.0, 1.0, 1.0, 1.0)) == []


def test_crossings_over_the_antimeridian_take_the_short_way():
    """Would catch a way that sweeps the whole globe, and the cut of a zone at 180° taken for its edge."""
    across = polygon([[(-5, 175), (-5, -175), (5, -175), (5, 175), (-5, 175)]])
    world = polygon([[(-10, -100), (-10, 0), (-10, 100), (10, 100), (10, 0), (10, -100), (-10, -100)]])
    west = polygon([[(-5, 170), (-5, 180), (5, 180), (5, 170), (-5, 170)]])
    atlas = Atlas.build([across, world, west])
    pairs = _found(atlas, (0.0, 165.0, 0.0, -165.0))
    assert [z for z, _ in pairs] == [2, 0, 2, 0]
    assert [s for _, s in pairs] == pytest.approx([1 / 6, 1 / 3, 1 / 2, 2 / 3])
    back = _found(atlas, (0.0, -165.0, 0.0, 165.0))
    assert [(z, round(1.0 - s, 12)) for z, s in back[::-1]] == [(z, round(s, 12)) for z, s in pairs]


@pytest.mark.parametrize("seam", [180.0, -180.0])
def test_crossings_of_ways_that_end_on_the_antimeridian(seam: float):
    across = polygon([[(-5, 175), (-5, -175), (5, -175), (5, 175), (-5, 175)]])
    west = polygon([[(-5, 170), (-5, 180), (5, 180), (5, 170), (-5, 170)]])
    atlas = Atlas.build([across, west])
    assert _found(atlas, (0.0, 172.5, 0.0, seam)) == [(0, pytest.approx(1 / 3))]
    assert _found(atlas, (0.0, seam, 0.0, -177.0)) == [(1, 0.0)]
    assert _found(atlas, (0.0, -177.0, 0.0, seam)) == [(1, 1.0)]
    assert _found(atlas, (5.0, seam, 6.0, seam)) == [(0, 0.0), (1, 0.0)]


def test_crossings_at_a_pole_run_along_the_meridian_of_the_other_end():
    cap = polygon([[(80, -180), (80, 180), (90, 180), (90, -180), (80, -180)]])
    wedge = polygon([[(70, 10), (70, 20), (90, 15), (70, 10)]])
    atlas = Atlas.build([cap, wedge])
    for lon in (-180.0, 0.0, 77.7):
        assert _found(atlas, (70.0, 40.0, 90.0, lon)) == [(0, 0.5), (1, 1.0)]
        assert _found(atlas, (90.0, lon, 70.0, 40.0)) == [(1, 0.0), (0, 0.5)]
        assert _found(atlas, (70.0, 15.0, 90.0, lon)) == [(0, 0.5)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_crossings_have_the_parity_of_the_ends_on_the_antimeridian_and_poles(seed: int):
    rng = np.random.default_rng(seed)
    xy = shapely.get_coordinates(star(rng, 8, 0.0, 0.0, 4.0, 0.5))
    cap = [(84, -180), (85, -90), (84, 0), (86, 90), (84, -180)]
    shapes = [polygon([np.column_stack([xy[:, 1], (xy[:, 0] + 360.0) % 360.0 - 180.0])]), polygon([cap])]
    atlas = Atlas.build(shapes)
    lat = np.round(rng.uniform(-6.0, 6.0, (30, 2)) * 2.0) / 2.0
    lat[rng.random((30, 2)) < 0.1] = 90.0
    lon = (np.round(rng.uniform(-6.0, 6.0, (30, 2)) * 2.0) / 2.0 + 360.0) % 360.0 - 180.0
    for (lat0, lat1), (lon0, lon1) in zip(lat.tolist(), lon.tolist(), strict=True):
        if not (lon0 == lon1 == -180.0):  # ways along the antimeridian are looked at on one side only
            way = (lat0, lon0, lat1, lon1)
            assert _parity_holds(atlas, way, _found(atlas, way))


def test_crossings_with_too_little_room_ask_for_enough():
    comb = [(0.0, 0.0), *((1.0 - i % 2 * 0.9, i / 10.0) for i in range(60)), (-1.0, 6.0), (-1.0, 0.0), (0.0, 0.0)]
    atlas = Atlas.build([polygon([comb])])
    zone, s = np.empty(4, np.int64), np.empty(4)
    n = crossings_on(atlas.arrays, 0.5, -1.0, 0.5, 7.0, zone, s)
    assert n > 4
    zone, s = np.empty(n, np.int64), np.empty(n)
    m = crossings_on(atlas.arrays, 0.5, -1.0, 0.5, 7.0, zone, s)
    assert 4 < m <= n and (np.diff(s[:m]) >= 0.0).all()


@pytest.mark.parametrize("way", [(np.nan, 0.0, 1.0, 1.0), (0.0, 0.0, 91.0, 1.0), (0.0, 190.0, 1.0, 1.0)])
def test_crossings_of_no_way_are_none(way: Way):
    atlas = Atlas.build([polygon([[(-5, -5), (-5, 5), (5, 5), (5, -5), (-5, -5)]])])
    assert _found(atlas, way) == []


@pytest.mark.parametrize(
    "way",
    [
        pytest.param((50.0, -30.0, 52.0, 30.0), id="Atlantic"),
        pytest.param((60.0, 170.0, 62.0, -150.0), id="across 180°"),
        pytest.param((30.0, 20.0, 40.0, 20.0), id="meridian"),
        pytest.param((80.0, 10.0, 80.0, -170.0), id="over the pole"),
        pytest.param((85.0, 0.0, 84.0, 179.0), id="past the pole"),
        pytest.param((-70.0, 0.0, -65.0, 9.0), id="south"),
    ],
)
def test_way_crossings_lie_on_the_geodesic(way: Way):
    """A planar chord would miss by tens of kilometres: the circle stands on the geodesic's own middle."""
    line = Geodesic.WGS84.InverseLine(*way)
    middle = line.Position(0.5 * line.s13)
    atlas = Atlas.build([circle(middle["lat2"], middle["lon2"], 20_000.0)])
    pairs = _found(atlas, way, geodesic=True)
    assert [z for z, _ in pairs] == [0, 0]
    for _, s in pairs:
        at = line.Position(s * line.s13)
        away = Geodesic.WGS84.Inverse(at["lat2"], at["lon2"], middle["lat2"], middle["lon2"])["s12"]
        assert away == pytest.approx(20_000.0, abs=0.3)


@pytest.mark.parametrize(
    "way", [(10.0, 10.0, 12.0, 14.0), (50.0, 0.0, 50.5, 3.0), (-75.0, 100.0, -75.2, 101.0), (89.0, 0.0, 89.2, 30.0)]
)
def test_split_count_keeps_chords_within_a_tenth_of_a_metre(way: Way):
    pieces = split_count(*way)
    line = Geodesic.WGS84.InverseLine(*way)
    ends = [line.Position(i / pieces * line.s13) for i in range(pieces + 1)]
    worst = 0.0
    for a, b in list(pairwise(ends))[:: max(1, pieces // 20)]:
        lat, lon = 0.5 * (a["lat2"] + b["lat2"]), 0.5 * (a["lon2"] + b["lon2"])
        way_back = Geodesic.WGS84.InverseLine(a["lat2"], a["lon2"], b["lat2"], b["lon2"])
        worst = max(worst, min(
            Geodesic.WGS84.Inverse(lat, lon, p["lat2"], p["lon2"])["s12"]
            for p in (way_back.Position(f * way_back.s13) for f in np.linspace(0.4, 0.6, 201))
        ))  # fmt: skip
    assert worst < 0.1
    assert worst > 0.005 or abs(way[0]) > 85.0  # and not by cutting far too finely


def test_holds_and_crossings_of_the_twin_agree():
    """The twin itself: a square's diagonal."""
    square = [[(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0), (0.0, 0.0)]]
    assert crossings(square, (-1.0, -1.0), (3.0, 3.0)) == [0.25, 0.75] and holds(square, (2.0, 1.0))
