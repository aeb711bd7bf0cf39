"""Shapes within 0.1 m of what was agreed, wherever on the globe; and refusals that say where."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.naive_geo import DATA, features, geodesic_m, line_distances_m, region

from tocsin.geo.shapes import Edges, Region, circle, corridor, multipolygon, polygon, sector

WGS84 = pyproj.Geod(ellps="WGS84")
TOLERANCE_M = 0.1
NAN = float("nan")
SQUARE = [(0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0), (0.0, 0.0)]


def _on_edges(
    shape: Region, shares: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75), most: int = 1_000_000
) -> tuple[np.ndarray, np.ndarray]:
    """Return latitudes and longitudes of places on the edges that are no cuts: all, or about so many."""
    lats, lons = [], []
    for a, b in pairwise(shape.ring_start):
        x, y = shape.lon_deg[a:b], shape.lat_deg[a:b]
        cut = ((np.abs(x[:-1]) == 180.0) & (x[:-1] == x[1:])) | ((np.abs(y[:-1]) == 90.0) & (y[:-1] == y[1:]))
        for t in shares:
            lons.append((x[:-1] + t * np.diff(x))[~cut])
            lats.append((y[:-1] + t * np.diff(y))[~cut])
    every = max(1, sum(map(len, lats)) // most)
    return np.concatenate(lats)[::every], np.concatenate(lons)[::every]


@pytest.mark.parametrize(
    ("lat", "lon", "radius_m"),
    [
        pytest.param(33.50583, 38.61778, 55_000.0, id="At-Tanf"),
        pytest.param(89.9, 10.0, 55_000.0, id="89.9 N, over the pole"),
        pytest.param(-89.9, -10.0, 500.0, id="89.9 S, beside the pole"),
        pytest.param(90.0, 0.0, 55_000.0, id="at the pole"),
        pytest.param(-90.0, 77.0, 3.0, id="small, at the pole"),
        pytest.param(0.0, 180.0, 55_000.0, id="on 180"),
        pytest.param(-17.0, -179.9, 60_000.0, id="across 180"),
        pytest.param(60.0, 0.0, Geodesic.WGS84.Inverse(60, 0, 90, 0)["s12"], id="its edge on the pole"),
        pytest.param(75.0, 179.0, 1_500_000.0, id="large, over pole and 180"),
        pytest.param(12.0, 44.0, 0.5, id="half a metre"),
    ],
)
def test_circle_is_within_a_tenth_of_a_metre_all_round(lat: float, lon: float, radius_m: float):
    shape = circle(lat, lon, radius_m)
    assert shape.geometry.is_valid
    y, x = _on_edges(shape)
    away = WGS84.inv(x, y, np.full(len(x), lon), np.full(len(x), lat))[2]
    assert np.abs(away - radius_m).max() < TOLERANCE_M
    for i in np.linspace(0, len(x) - 1, 50, dtype=int):  # and by the other implementation
        assert geodesic_m(lat, lon, y[i], x[i]) == pytest.approx(radius_m, abs=TOLERANCE_M)


def test_circle_shares_its_error_to_both_sides():
    y, x = _on_edges(circle(33.5, 38.6, 55_000.0), tuple(np.linspace(0.0, 1.0, 21)))
    away = WGS84.inv(x, y, np.full(len(x), 38.6), np.full(len(x), 33.5))[2] - 55_000.0
    assert -0.08 < away.min() < -0.06 and 0.06 < away.max() < 0.08


@pytest.mark.parametrize(
    ("lat", "lon", "half_width_m"),
    [
        pytest.param([33.0, 34.0], [38.0, 39.0], 5_000.0, id="one leg"),
        pytest.param([50.0, 51.0, 50.5, 52.0], [0.0, 3.0, 3.2, -1.0], 2_000.0, id="a sharp bend"),
        pytest.param([10.0, 10.5, 10.0], [179.5, -179.9, -179.5], 1_000.0, id="across 180"),
        pytest.param([89.5, 89.5], [0.0, 180.0], 5_000.0, id="over the pole"),
        pytest.param([80.0, 89.99, 80.0], [10.0, 100.0, -170.0], 20_000.0, id="round the pole"),
        pytest.param([0.0, 0.1, 0.1, 0.0, 0.0], [0.0, 0.0, 0.1, 0.1, 0.0], 300.0, id="a loop"),
        pytest.param([10.0, 30.0], [10.0, 60.0], 100_000.0, id="5,700 km"),
    ],
)
def test_corridor_is_within_a_tenth_of_a_metre_all_along(lat: list[float], lon: list[float], half_width_m: float):
    shape = corridor(lat, lon, half_width_m)
    assert shape.geometry.is_valid
    y, x = _on_edges(shape, (0.0, 0.5), most=2_000)
    away = line_distances_m(list(zip(lat, lon, strict=True)), y, x)
    assert np.abs(away - half_width_m).max() < TOLERANCE_M


def test_corridor_of_a_loop_leaves_its_middle_out():
    shape = corridor([0.0, 0.1, 0.1, 0.0, 0.0], [0.0, 0.0, 0.1, 0.1, 0.0], 300.0)
    assert len(shape.ring_start) == 3
    assert not shape.geometry.contains(shapely.Point(0.05, 0.05)) and shape.geometry.contains(shapely.Point(0.05, 0.0))


def test_corridor_of_one_position_is_a_circle_and_repeats_mean_nothing():
    alone, doubled = corridor([10.0], [20.0], 500.0), corridor([10.0, 10.0], [20.0, 20.0], 500.0)
    assert alone.area_m2 == doubled.area_m2 == circle(10.0, 20.0, 500.0).area_m2


@pytest.mark.parametrize(("begin", "end"), [(10.0, 100.0), (350.0, 20.0), (90.0, 80.0)])
def test_sector_is_the_part_of_the_circle_clockwise_between(begin: float, end: float):
    shape = sector(40.0, 20.0, 30_000.0, begin, end)
    whole = circle(40.0, 20.0, 30_000.0)
    assert shape.area_m2 / whole.area_m2 == pytest.approx((end - begin) % 360.0 / 360.0, abs=1e-3)
    for turn in (0.02, 0.5, 0.98):
        to = WGS84.fwd(20.0, 40.0, begin + turn * ((end - begin) % 360.0), 29_000.0)
        assert shape.geometry.contains(shapely.Point(to[0], to[1]))
    assert sector(40.0, 20.0, 30_000.0, 0.0, 360.0).area_m2 == whole.area_m2


def _rhumb_distances_m(lat: np.ndarray, lon: np.ndarray, a: tuple[float, float], b: tuple[float, float]) -> np.ndarray:
    """Return how far places are from the loxodrome a → b, by Mercator's own formula; infinite beside its ends."""

    def psi(phi: Any) -> Any:
        e, s = math.sqrt(WGS84.es), np.sin(np.radians(phi))
        return np.arctanh(s) - e * np.arctanh(e * s)

    dlon = (b[1] - a[1] + 180.0) % 360.0 - 180.0
    course = math.atan2(math.radians(dlon), psi(b[0]) - psi(a[0]))
    share = (psi(lat) - psi(a[0])) / (psi(b[0]) - psi(a[0]))
    off = (lon - a[1] + 180.0) % 360.0 - 180.0 - share * dlon
    east = np.abs(np.radians(off) * np.cos(np.radians(lat)) * 6.38e6 * math.cos(course))
    return np.where((share >= -1e-9) & (share <= 1.0 + 1e-9), east, np.inf)


@pytest.mark.parametrize(
    ("a", "b"), [((10.0, 0.0), (60.0, 40.0)), ((-40.0, 170.0), (-55.0, -160.0)), ((70.0, 0.0), (71.0, 60.0))]
)
def test_edges_of_each_meaning_are_within_a_tenth_of_a_metre(a: tuple[float, float], b: tuple[float, float]):
    ring = [a, b, (a[0] - 5.0, b[1]), a]
    geodesic, rhumb, planar = (polygon([ring], edges) for edges in Edges)
    y, x = _on_edges(geodesic, most=2_000)
    assert line_distances_m(ring, y, x).max() < TOLERANCE_M
    y, x = _on_edges(rhumb)
    assert np.min([_rhumb_distances_m(y, x, p, q) for p, q in pairwise(ring)], axis=0).max() < TOLERANCE_M
    assert planar.vertex_count < 10  # three positions, and where it is cut at 180
    assert np.abs(line_distances_m(ring, *_on_edges(planar, most=50))).max() > 1_000.0


def test_planar_polygon_keeps_every_vertex_to_the_bit():
    geometry = features("countries")[0]
    shape = region(geometry)
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    given_ = {(x, y) for part in parts for ring in part for x, y in ring}
    assert given_ <= set(zip(shape.lon_deg.tolist(), shape.lat_deg.tolist(), strict=True))


@pytest.mark.parametrize("name", ["miami", "countries"])
def test_real_areas_become_the_same_areas(name: str):
    for geometry in features(name):
        shape = region(geometry)
        assert shape.geometry.is_valid
        assert shape.geometry.symmetric_difference(shapely.geometry.shape(geometry)).area < 1e-9


def test_real_areas_that_touch_themselves_or_are_empty_are_refused():
    refused = {}
    for i, geometry in enumerate(features("wind_areas")):
        try:
            region(geometry)
        except ValueError as error:
            refused[i] = str(error)
    assert set(refused) == {21, 56, 67, 70}
    assert "ring self-intersection at latitude 39.19983, longitude -74.27735" in refused[21]
    assert "polygon 0, ring 0 and polygon 2, ring 0: found polygons that overlap" in refused[56]
    assert refused[70].startswith("found no ring")


ANTIMERIDIAN = sorted(p.stem for p in (DATA / "antimeridian").glob("*.json") if "expected" not in p.name)
REFUSED = {
    "both-poles": "more than half of the globe",
    "issues-124": "nearly as much on one side as on the other",
    "issues-187": "not closed",
    "overlap": "either way round",
}
"""What the antimeridian package reads one way or the other, or closes, is refused here: it could be meant otherwise."""


@pytest.mark.parametrize("name", ANTIMERIDIAN)
def test_antimeridian_rings_are_cut_as_the_antimeridian_package_cuts_them(name: str):
    geometry = json.loads(Path(DATA / "antimeridian" / f"{name}.json").read_text())
    if name in REFUSED:
        with pytest.raises(ValueError, match=REFUSED[name]):
            region(geometry)
        return
    found = region(geometry).geometry
    expected = DATA / "antimeridian" / f"{name}.expected.json"
    true = json.loads(expected.read_text()) if expected.exists() else geometry
    true = shapely.geometry.shape(true.get("flat", true))
    assert found.is_valid and found.symmetric_difference(true).area < 2e-6


def test_rings_beyond_180_and_rings_cut_by_their_writer_are_the_same_area():
    beyond = polygon([[(0, 170), (0, 190), (9, 190), (9, 170), (0, 170)]])
    jumping = polygon([[(0, 170), (0, -170), (9, -170), (9, 170), (0, 170)]])
    cut = multipolygon(
        [
            [[(0, 170), (0, 180), (9, 180), (9, 170), (0, 170)]],
            [[(0, -180), (0, -170), (9, -170), (9, -180), (0, -180)]],
        ]
    )
    areas = {round(s.area_m2, 3) for s in (beyond, jumping, cut)}
    assert len(areas) == 1 and beyond.bounds == jumping.bounds == cut.bounds == (-180.0, 0.0, 180.0, 9.0)


def test_hole_across_the_antimeridian_stays_a_hole():
    """Would catch the hole's cut taken for an edge: on 180° itself its middle is outside."""
    from tocsin.geo.atlas import Atlas

    shell = [(0, 170), (0, -170), (20, -170), (20, 170), (0, 170)]
    hole = [(5, 175), (5, -175), (15, -175), (15, 175), (5, 175)]
    atlas = Atlas.build([polygon([shell, hole])])
    lat, lon = [10.0, 10.0, 10.0, 2.0, 2.0, 15.0], [180.0, -180.0, 179.0, 180.0, -180.0, 180.0]
    assert atlas.locate(lat, lon)[0].tolist() == [3, 4, 5]


@pytest.mark.parametrize("reverse", [False, True])
def test_ring_round_a_pole_encloses_the_smaller_side_whatever_its_winding(reverse: bool):
    ring = [(70.0, 0.0), (75.0, 90.0), (72.0, 180.0), (80.0, -90.0), (70.0, 0.0)]
    hole = [(85.0, 0.0), (85.0, 90.0), (85.0, 180.0), (85.0, -90.0), (85.0, 0.0)]
    rings = [ring[::-1] if reverse else ring, hole]
    shape = polygon(rings)
    assert (shape.geometry.is_valid and shape.bounds[2:] == (180.0, 85.0)) or shape.bounds[3] < 86.0
    assert polygon(rings[:1]).bounds[3] == 90.0
    assert shape.geometry.contains(shapely.Point(33.0, 81.0)) and not shape.geometry.contains(shapely.Point(33.0, 87.0))


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_geodesic_edges_over_a_pole_and_a_vertex_on_it(side: float):
    """Half a disc whose straight edge runs over the pole, and wedges with their corner on it."""
    half = polygon([[(80.0, 0.0), (75.0, side * 90.0), (80.0, 180.0), (80.0, 0.0)]], Edges.GEODESIC)
    assert half.geometry.contains(shapely.Point(side * 90.0, 80.0))
    assert half.geometry.contains(shapely.Point(side * 10.0, 89.0))
    assert not half.geometry.intersects(shapely.Point(side * -90.0, 89.99))
    cap = circle(90.0, 0.0, geodesic_m(90.0, 0.0, 80.0, 0.0))
    for sweep in (90.0, 200.0, 300.0):
        lon = (np.linspace(0.0, sweep, 61) * side + 10.0) % 360.0 - 180.0  # across 180 too
        wedge = polygon([[(90.0, 55.0), *((80.0, x) for x in lon), (90.0, 55.0)]], Edges.GEODESIC)
        assert wedge.area_m2 / cap.area_m2 == pytest.approx(sweep / 360.0, rel=2e-3)
        assert not wedge.geometry.intersects(shapely.Point((10.0 - side * 10.0) % 360.0 - 180.0, 85.0))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-180, 180))
def test_area_after_a_turn_of_the_globe_is_the_same(seed: int, turn: int):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 12))
    angle = np.sort(rng.uniform(0.0, 2.0 * np.pi, n))
    lat = rng.uniform(-60.0, 60.0) + 8.0 * np.sin(angle)
    lon = 8.0 * np.cos(angle) * rng.uniform(0.5, 1.0, n)
    ring = np.column_stack([np.append(lat, lat[0]), np.append(lon, lon[0])])
    try:
        here = polygon([ring], Edges.GEODESIC)
    except ValueError:  # a star that crosses itself is refused at home and abroad
        return
    ring[:, 1] = (ring[:, 1] + turn + 180.0) % 360.0 - 180.0
    assert polygon([ring], Edges.GEODESIC).area_m2 == pytest.approx(here.area_m2, rel=1e-9)


def test_area_is_the_ellipsoid_s_own():
    shape = circle(52.0, 5.0, 40_000.0)
    true = abs(WGS84.polygon_area_perimeter(shape.lon_deg, shape.lat_deg)[0])
    assert shape.area_m2 == pytest.approx(true, rel=1e-8)
    globe = polygon([[(-90, -180), (-90, 180), (90, 180), (90, -180), (-90, -180)]])
    assert globe.area_m2 == pytest.approx(510_065_621_724_088.0, rel=1e-12)  # GeographicLib's area of the ellipsoid


def test_region_tells_its_bounds_centre_and_vertices():
    shape = polygon([SQUARE, [(1, 1), (1, 2), (2, 2), (2, 1), (1, 1)]])
    assert shape.bounds == (0.0, 0.0, 4.0, 4.0) and shape.vertex_count == 8
    assert shape.ring_start.tolist() == [0, 5, 10]
    lat, lon = shape.centre
    assert shape.geometry.contains(shapely.Point(lon, lat))
    assert shapely.is_ccw(shapely.linearrings(np.column_stack([shape.lon_deg[:5], shape.lat_deg[:5]])))


def _squared(*holes: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    return [SQUARE, *holes]


ACROSS = [(0, 170), (0, -170), (9, -170), (9, 170), (0, 170)]
NO_AREAS = {
    "bow tie": (
        [[(0, 0), (1, 1), (0, 1), (1, 0), (0, 0)]],
        r"vertex 0 and ring 0, vertex 2: .* latitude 0.5, longitude 0.5",
    ),
    "bow tie on 180": ([[(0, 170), (0, -170), (9, 170), (9, -170), (0, 170)]], r"at latitude 4.5, longitude -180"),
    "spike": ([[(0, 0), (0, 4), (2, 4), (2, 6), (2, 4), (4, 4), (4, 0), (0, 0)]], r"vertex 2 and ring 0, vertex 3: "),
    "touching itself": ([[(0, 0), (0, 4), (4, 4), (2, 2), (4, 0), (2, 2), (0, 0)]], r"ring 0, vertex"),
    "too few": ([SQUARE[:3]], r"ring 0: found 3 positions"),
    "not closed": ([SQUARE[:-1]], r"ring 0, vertex 3: .* not closed"),
    "NaN": ([[(0, 0), (0, 4), (NAN, 4), (0, 0)]], r"ring 0, vertex 2: found nan, 4.0"),
    "latitude": ([[(0, 0), (0, 4), (90.0000001, 4), (0, 0)]], r"ring 0, vertex 2: found 90.0000001"),
    "longitude": ([[(0, 0), (0, 541), (1, 4), (0, 0)]], r"ring 0, vertex 1: found 0.0, 541.0"),
    "flat": ([[(0, 0), (0, 1), (0, 2), (0, 0)]], r"ring 0: found no area"),
    "one place": ([[(1, 1)] * 5], r"ring 0: found 0 different positions"),
    "hole outside": (_squared([(5, 5), (5, 6), (6, 6), (5, 5)]), r"ring 1, vertex .* hole lies outside"),
    "hole across": (_squared([(1, 1), (1, 5), (3, 5), (3, 1), (1, 1)]), r"ring 0, vertex 1 and ring 1, vertex 0"),
    "hole twice": (_squared(*[[(1, 1), (1, 3), (3, 3), (1, 1)]] * 2), r"ring 1"),
    "hole far off": ([ACROSS, [(1, 0), (1, 1), (2, 1), (1, 0)]], r"ring 1: found a hole that is not inside"),
    "too wide": ([[(0, -100), (0, 100), (9, 100), (9, -100), (0, -100)]], r"ring 0, vertex 0: .* either way round"),
    "words": ([[(0, "a")] * 4], r"ring 0: found no table of numbers"),
    "three columns": ([[(0, 0, 0)] * 4], r"ring 0: found an array of shape \(4, 3\)"),
    "nothing": ([], r"found no ring"),
}


@pytest.mark.parametrize(("rings", "message"), NO_AREAS.values(), ids=NO_AREAS)
def test_polygon_that_is_no_area_is_refused_with_ring_and_vertex(rings: list, message: str):
    with pytest.raises(ValueError, match=message):
        polygon(rings)


def test_multipolygon_that_overlaps_is_refused_with_both_polygons():
    with pytest.raises(ValueError, match=r"polygon 0, ring 0 and polygon 1, ring 0: .* overlap"):
        multipolygon([[SQUARE], [[(1, 1), (1, 5), (5, 5), (1, 1)]]])
    with pytest.raises(ValueError, match="polygon 1, ring 0, vertex 0: found 95"):
        multipolygon([[SQUARE], [[(95, 1), (1, 5), (5, 5), (95, 1)]]])
    touching = multipolygon([[SQUARE], [[(4, 4), (4, 5), (5, 5), (4, 4)]]])
    assert len(touching.geometry.geoms) == 2


def test_polygon_with_repeated_positions_is_the_same_polygon():
    doubled = [p for p in SQUARE for _ in range(2)]
    assert polygon([doubled]).lon_deg.tolist() == polygon([SQUARE]).lon_deg.tolist()


@pytest.mark.parametrize("call", [
    lambda: circle(91.0, 0.0, 10.0), lambda: circle(0.0, 181.0, 10.0), lambda: circle(0.0, 0.0, 0.0),
    lambda: circle(0.0, 0.0, NAN), lambda: circle(0.0, 0.0, 9_000_001.0), lambda: sector(0.0, 0.0, 10.0, NAN, 3.0),
    lambda: corridor([0.0, NAN], [0.0, 1.0], 10.0), lambda: corridor([0.0, 1.0], [0.0], 10.0),
    lambda: corridor([], [], 10.0),
    lambda: corridor([0.0, 1.0], [0.0, 1.0], -1.0), lambda: corridor([0.0, 0.0, 0.0], [0.0, 100.0, -160.0], 10.0),
    lambda: polygon([[(0, 0), (90, 10), (0, 20), (0, 0)]], Edges.RHUMB), lambda: polygon([SQUARE], "straight"),
])  # fmt: skip
def test_shapes_out_of_range_are_refused(call):
    with pytest.raises(ValueError, match=r"found|not a valid"):
        call()
