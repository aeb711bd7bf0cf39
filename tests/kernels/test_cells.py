"""Which zones hold a place: against fractions and against shapely, on edges, vertices and cell corners too."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.naive_geo import crossings, features, holds, of_shapely, region, rings_of, star

from tocsin.geo.atlas import Atlas
from tocsin.geo.shapes import Region, polygon
from tocsin.kernels.zones.atlas import free_box, no_edge_between, zones_at

BOX = [(1.0, 1.0), (1.0, 3.0), (3.0, 3.0), (3.0, 1.0), (1.0, 1.0)]


def _zones(atlas: Atlas, lat: float, lon: float) -> list[int]:
    out = np.empty(64, np.int64)
    return out[: zones_at(atlas.arrays, lat, lon, out)].tolist()


def _near_edges(rng: np.random.Generator, shapes: list[Region], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return places on vertices, on middles of edges and a few last bits beside them."""
    lat, lon = np.empty(n), np.empty(n)
    for i in range(n):
        shape = shapes[int(rng.integers(len(shapes)))]
        v = int(rng.integers(len(shape.lon_deg) - 1))
        t = rng.choice([0.0, 0.5, 1.0, rng.random()])
        lat[i] = shape.lat_deg[v] + t * (shape.lat_deg[v + 1] - shape.lat_deg[v])
        lon[i] = shape.lon_deg[v] + t * (shape.lon_deg[v + 1] - shape.lon_deg[v])
        for _ in range(int(rng.integers(0, 3))):
            lon[i] = np.nextafter(lon[i], rng.choice([-999.0, 999.0]))
    lon[np.abs(lon) < 1e-140] = 0.0  # the atlas takes what is smaller for 0, and fractions do not
    return np.clip(lat, -90.0, 90.0), np.clip(lon, -180.0, 180.0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_zones_at_against_fractions_on_edges_and_vertices(seed: int, gridded: bool):
    """Would catch a corner on an edge, a vertex on a cell's border, an edge counted twice or not at all."""
    rng = np.random.default_rng(seed)
    step = 0.25 if gridded else 0.0
    size = 10.0 ** rng.uniform(-1.0 if gridded else -3.0, 0.5, 4)
    shapes = [
        of_shapely(star(rng, int(rng.integers(3, 12)), *rng.uniform(-2.0, 2.0, 2), max(r, 3 * step), step))
        for r in size
    ]
    atlas = Atlas.build(shapes)
    lat, lon = _near_edges(rng, shapes, 40)
    if gridded:
        lat[20:], lon[20:] = np.round(rng.uniform(-3.0, 3.0, (2, 20)) * 8.0) / 8.0
    for y, x in zip(lat.tolist(), lon.tolist(), strict=True):
        assert _zones(atlas, y, x) == [z for z, s in enumerate(shapes) if holds(rings_of(s), (x, y))]


@pytest.mark.parametrize("name", ["miami", "countries", "wind_areas"])
def test_locate_against_shapely_on_real_areas(name: str):
    """0 mismatches in 80,000 places each, half of them on edges and vertices or a last bit beside them."""
    rng = np.random.default_rng(4)
    shapes = []
    for geometry in features(name):
        try:
            shapes.append(region(geometry))
        except ValueError:  # refused: tests/geo/test_shapes.py says which and why
            continue
    n = 40_000
    bounds = np.array([s.bounds for s in shapes])
    lat, lon = _near_edges(rng, shapes, n)
    lat = np.concatenate([lat, rng.uniform(bounds[:, 1].min(), bounds[:, 3].max(), n)])
    lon = np.concatenate([lon, rng.uniform(bounds[:, 0].min(), bounds[:, 2].max(), n)])
    plain = (np.abs(lat) < 90.0) & (np.abs(lon) < 180.0)  # where the plane and the globe agree
    lat, lon = lat[plain], lon[plain]
    place, zone = Atlas.build(shapes).locate(lat, lon)
    true = [np.flatnonzero(shapely.intersects_xy(s.geometry, lon, lat)) for s in shapes]
    pairs = sorted((int(p), z) for z, places in enumerate(true) for p in places)
    assert pairs == list(zip(place.tolist(), zone.tolist(), strict=True))
    assert len(pairs) > n / 4


def test_locate_against_shapely_on_overlapping_stars():
    """0 mismatches in 120,000 places; cells covered by many zones at once, of all sizes."""
    rng = np.random.default_rng(5)
    shapes = [
        star(rng, int(rng.integers(3, 60)), *rng.uniform(-3.0, 3.0, 2), 10.0 ** rng.uniform(-3.0, 0.7))
        for _ in range(300)
    ]
    lat, lon = rng.uniform(-5.0, 5.0, (2, 120_000))
    place, zone = Atlas.build([of_shapely(s) for s in shapes]).locate(lat, lon)
    true = shapely.STRtree(shapes).query(shapely.points(lon, lat), predicate="intersects")
    order = np.lexsort(true[::-1])
    assert np.array_equal(true[0][order], place) and np.array_equal(true[1][order], zone)


def test_zones_at_the_edge_of_a_box_are_inside_all_round():
    atlas = Atlas.build([polygon([BOX])])
    for lat, lon in [*BOX, (1.0, 2.0), (2.0, 1.0), (3.0, 2.0), (2.0, 3.0), (2.0, 2.0)]:
        assert _zones(atlas, lat, lon) == [0]
    out = np.nextafter(1.0, 0.0)
    for lat, lon in [(out, 2.0), (2.0, out), (np.nextafter(3.0, 4.0), 2.0), (2.0, np.nextafter(3.0, 4.0)), (out, out)]:
        assert _zones(atlas, lat, lon) == []


def test_zones_at_a_hole_and_its_edge():
    hole = [(1.5, 1.5), (1.5, 2.5), (2.5, 2.5), (2.5, 1.5), (1.5, 1.5)]
    atlas = Atlas.build([polygon([BOX, hole])])
    assert (_zones(atlas, 2.0, 2.0), _zones(atlas, 1.5, 2.0), _zones(atlas, 1.25, 2.0)) == ([], [0], [0])


@pytest.mark.parametrize(
    ("lat", "lon"), [(np.nan, 2.0), (2.0, np.nan), (90.5, 2.0), (2.0, 181.0), (np.inf, 0.0), (2.0, -np.inf)]
)
def test_zones_at_no_place_is_in_no_zone(lat: float, lon: float):
    whole = polygon([[(-90, -180), (-90, 180), (90, 180), (90, -180), (-90, -180)]])
    atlas = Atlas.build([whole])
    assert _zones(atlas, lat, lon) == [] and len(atlas.locate([lat], [lon])[0]) == 0
    assert not no_edge_between(atlas.arrays, lat, lon, lat, lon)


def test_zones_at_with_too_little_room_counts_all_and_writes_the_first():
    atlas = Atlas.build([polygon([BOX])] * 5)
    out = np.full(3, -1, np.int64)
    assert zones_at(atlas.arrays, 2.0, 2.0, out) == 5 and out.tolist() == [0, 1, 2]
    assert zones_at(atlas.arrays, 1.0, 2.0, out) == 5 and out.tolist() == [0, 1, 2]


def test_both_sides_of_the_antimeridian_are_one_place():
    """Would catch a zone that ends on one side of 180° and is not seen from the other."""
    west = polygon([[(0, 170), (0, 180), (10, 180), (10, 170), (0, 170)]])
    east = polygon([[(5, -180), (5, -170), (15, -170), (15, -180), (5, -180)]])
    across = polygon([[(2, 175), (2, -175), (8, -175), (8, 175), (2, 175)]])
    atlas = Atlas.build([west, east, across])
    for lat, zones in [
        (1.0, [0]),
        (2.0, [0, 2]),
        (6.0, [0, 1, 2]),
        (9.0, [0, 1]),
        (10.0, [0, 1]),
        (12.0, [1]),
        (16.0, []),
    ]:
        for lon in (180.0, -180.0):
            assert _zones(atlas, lat, lon) == zones
            assert atlas.locate([lat], [lon])[1].tolist() == zones


def test_a_pole_is_one_place_whatever_its_longitude():
    cap = polygon([[(80, -180), (80, 180), (90, 180), (90, -180), (80, -180)]])
    wedge = polygon([[(70, 10), (70, 20), (90, 15), (70, 10)]])
    south = polygon([[(-80, 0), (-80, 120), (-80, -120), (-80, 0)]], "geodesic")
    atlas = Atlas.build([cap, wedge, south])
    for lon in (-180.0, -33.3, 0.0, 15.0, 180.0):
        assert _zones(atlas, 90.0, lon) == [0, 1]
        assert _zones(atlas, -90.0, lon) == [2]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-180, 180))
def test_zones_at_after_a_turn_of_the_globe_is_the_same(seed: int, turn: int):
    """Coordinates on a grid of 1/4 degree, so that turning rounds nothing: the antimeridian must not matter."""
    rng = np.random.default_rng(seed)
    shape = star(rng, 9, 0.0, 0.0, 4.0, 0.25)
    xy = shapely.get_coordinates(shape)

    def turned(x: np.ndarray) -> np.ndarray:
        return (x + turn + 180.0) % 360.0 - 180.0

    here = Atlas.build([polygon([xy[:, ::-1]])])
    there = Atlas.build([polygon([np.column_stack([xy[:, 1], turned(xy[:, 0])])])])
    lat, lon = np.round(rng.uniform(-6.0, 6.0, (2, 200)) * 8.0) / 8.0
    assert here.locate(lat, lon)[0].tolist() == there.locate(lat, turned(lon))[0].tolist()


@pytest.mark.xfail(strict=True, reason="an edge is cut at 180 degrees at a latitude that is rounded")
def test_place_on_an_edge_that_the_antimeridian_cuts_is_inside():
    """On the edge from (-3.5, 177) to (-1, 181.25), to the bit, as the same place is where nothing is cut."""
    ring = np.array([(-3.5, -1.0), (-1.0, 3.25), (4.0, 3.75), (3.25, -3.0), (-3.5, -1.0)])
    here, there = Atlas.build([polygon([ring])]), Atlas.build([polygon([ring + np.array([0.0, 178.0])])])
    assert _zones(here, -2.25, 1.125) == _zones(there, -2.25, 179.125) == [0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_no_edge_between_never_hides_a_change(seed: int, near: bool):
    """Would catch a filter that is sure too soon, and a cell of the way not looked at."""
    rng = np.random.default_rng(seed)
    shapes = [of_shapely(star(rng, 7, *rng.uniform(-1.0, 1.0, 2), 0.4)) for _ in range(3)]
    atlas = Atlas.build(shapes)
    quiet = 0
    places = np.column_stack(_near_edges(rng, shapes, 200)) if near else rng.uniform(-1.5, 1.5, (200, 2))
    for lat, lon in places.tolist():
        to_lat, to_lon = lat + rng.normal(0.0, 0.02), lon + rng.normal(0.0, 0.02)
        if no_edge_between(atlas.arrays, lat, lon, to_lat, to_lon):
            quiet += 1
            way = shapely.LineString([(lon, lat), (to_lon, to_lat)])
            assert near or not any(s.geometry.boundary.intersects(way) for s in shapes)
            assert not any(crossings(rings_of(s), (lon, lat), (to_lon, to_lat)) for s in shapes)
    assert quiet > 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_edge_touches_a_free_box(seed: int):
    """Would catch a box beyond its cell, or one reaching farther than the clearance does at this latitude."""
    rng = np.random.default_rng(seed)
    y = rng.uniform(-80.0, 80.0)
    shapes = [of_shapely(star(rng, 7, rng.uniform(-1.0, 1.0), y, 0.4)) for _ in range(3)]
    atlas = Atlas.build(shapes)
    boxes = small = 0
    beside = [s.geometry.boundary.interpolate(share, normalized=True) for s in shapes for share in rng.random(20)]
    places = [(p.y + rng.uniform(-0.003, 0.003), p.x + rng.uniform(-0.003, 0.003)) for p in beside]
    for lat, lon in [*(rng.uniform(-2.5, 2.5, (200, 2)) + np.array([y, 0.0])).tolist(), *places]:
        south, north, west, east = free_box(atlas.arrays, lat, lon)
        if not np.isnan(south):
            boxes += 1
            assert south <= lat <= north and west <= lon <= east
            box = shapely.box(max(west, -360.0), max(south, -90.0), min(east, 360.0), min(north, 90.0))
            assert not any(s.geometry.boundary.intersects(box) for s in shapes)
            small += max(north - south, east - west) < 1.0 / 128.0
    assert boxes > small
    assert small > 0  # some lie in a cell that an edge passes
    assert np.isnan(free_box(atlas.arrays, float("nan"), 0.0)[0])
    assert free_box(Atlas.build([]).arrays, 10.0, 20.0)[0] == -np.inf


def test_an_atlas_of_nothing_holds_nothing():
    atlas = Atlas.build([])
    assert _zones(atlas, 0.0, 0.0) == [] == _zones(atlas, 90.0, 0.0) == _zones(atlas, 0.0, 180.0)
    assert len(atlas.locate([0.0, 1.0], [0.0, 1.0])[0]) == 0
