"""Distances to edges, and the cheap bounds that spare them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.naive_geo import edge_distance_m, features, geodesic_m, of_shapely, region, star

from tocsin.geo.atlas import Atlas
from tocsin.geo.shapes import circle, polygon
from tocsin.kernels.zones.atlas import boundary_distance_m, clearance_m


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_boundary_distance_against_geographiclib(seed: int):
    """Places near and far of shapes of 100 m to 300 km, at all latitudes: within 0.05 m and a part in 10⁶."""
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(-75.0, 75.0), rng.uniform(-170.0, 170.0)
    shape = of_shapely(star(rng, int(rng.integers(3, 8)), lon, lat, 10.0 ** rng.uniform(-3.0, 0.5)))
    atlas = Atlas.build([shape])
    for _ in range(3):
        off = 10.0 ** rng.uniform(-3.0, 1.0)
        p_lat, p_lon = np.clip(lat + rng.normal(0.0, off), -90.0, 90.0), lon + rng.normal(0.0, off)
        p_lon = (p_lon + 180.0) % 360.0 - 180.0
        found = boundary_distance_m(atlas.arrays, 0, p_lat, p_lon)
        assert found == pytest.approx(edge_distance_m(shape, p_lat, p_lon), abs=0.05, rel=1e-6)


@pytest.mark.parametrize(
    ("lat", "lon", "radius_m"),
    [(33.5, 38.6, 55_000.0), (0.0, 180.0, 5_000.0), (89.9, 10.0, 55_000.0), (-90.0, 0.0, 800.0)],
)
def test_boundary_distance_of_circles_is_the_radius_less_the_way_to_the_centre(lat: float, lon: float, radius_m: float):
    """Would catch the antimeridian's cut, or the line along a pole, taken for an edge."""
    atlas = Atlas.build([circle(lat, lon, radius_m)])
    assert boundary_distance_m(atlas.arrays, 0, lat, lon) == pytest.approx(radius_m, abs=0.1)
    rng = np.random.default_rng(7)
    for _ in range(20):
        p_lat = float(np.clip(lat + rng.normal(0.0, radius_m / 80_000.0), -90.0, 90.0))
        p_lon = float((lon + rng.normal(0.0, 1.0) + 180.0) % 360.0 - 180.0)
        true = abs(geodesic_m(lat, lon, p_lat, p_lon) - radius_m)
        assert boundary_distance_m(atlas.arrays, 0, p_lat, p_lon) == pytest.approx(true, abs=0.15)


def test_boundary_distance_to_edges_of_many_degrees():
    """A plane edge of 60 degrees bulges hundreds of kilometres off the great circle between its ends."""
    shape = polygon([[(40, -30), (60, 0), (40, 30), (40, -30)]])
    atlas = Atlas.build([shape])
    for lat, lon in [(50.0, 0.0), (30.0, 0.0), (55.0, 20.0), (80.0, 170.0), (-60.0, -120.0)]:
        true = edge_distance_m(shape, lat, lon, steps=400)
        assert boundary_distance_m(atlas.arrays, 0, lat, lon) == pytest.approx(true, abs=0.05, rel=2e-5)


def test_clearance_never_promises_too_much():
    """Against the true distance to the nearest of all edges, near and far; and it is worth asking."""
    rng = np.random.default_rng(8)
    shapes = [region(g) for g in features("countries")] + [circle(89.99, 0.0, 3_000.0), circle(10.0, 180.0, 50_000.0)]
    atlas = Atlas.build(shapes)
    share = []
    places = [
        (s.lat_deg[0] + rng.normal(0.0, 1.0), s.lon_deg[0] + rng.normal(0.0, 1.0)) for s in shapes for _ in range(6)
    ]
    places += [
        (float(y), float(x)) for y, x in zip(rng.uniform(-89, 89, 120), rng.uniform(-180, 180, 120), strict=True)
    ]
    for y, x in places:
        lat, lon = float(np.clip(y, -90.0, 90.0)), float((x + 180.0) % 360.0 - 180.0)
        true = min(boundary_distance_m(atlas.arrays, z, lat, lon) for z in range(len(shapes)))
        promised = clearance_m(atlas.arrays, lat, lon)
        assert 0.0 <= promised <= true + 0.1
        share.append(promised / true if true > 50_000.0 else np.nan)
    assert np.nanmedian(share) > 0.5


def test_clearance_of_an_atlas_of_nothing_is_endless_and_of_no_place_nothing():
    assert clearance_m(Atlas.build([]).arrays, 10.0, 10.0) == np.inf
    atlas = Atlas.build([circle(0.0, 0.0, 10.0)])
    assert clearance_m(atlas.arrays, np.nan, 0.0) == 0.0 == clearance_m(atlas.arrays, 0.0, 181.0)
