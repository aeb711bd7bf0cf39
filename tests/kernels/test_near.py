"""Zones whose edge is near, against measuring every zone: at the antimeridian, near a pole, among many."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.naive_geo import of_shapely, star

from tocsin.geo.atlas import Atlas
from tocsin.geo.shapes import circle
from tocsin.kernels.zones.atlas import boundary_distance_m, zones_near


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), lat=st.sampled_from([0.0, 33.0, -89.7, 89.7]), lon=st.sampled_from([38.0, 180.0])
)
def test_zones_near_are_those_whose_edge_is(seed: int, lat: float, lon: float) -> None:
    rng = np.random.default_rng(seed)

    def east(metres_deg: float) -> float:
        return float((lon + metres_deg / max(np.cos(np.radians(lat)), 1e-3) + 180.0) % 360.0 - 180.0)

    places = [(float(np.clip(lat + rng.normal(0, 0.02), -90, 90)), east(rng.normal(0, 0.02))) for _ in range(40)]
    shapes = [circle(a, o, 10.0 ** rng.uniform(1, 3.5)) for a, o in places]
    if abs(lat) < 80 and lon < 100:
        shapes += [of_shapely(star(rng, 9, lon, lat, 0.05)) for _ in range(5)]
    atlas = Atlas.build(shapes)
    out = np.empty(len(shapes), np.int32)
    for p_lat, p_lon in places[:10]:
        for within_m in (0.0, 30.0, 2_000.0):
            n = zones_near(atlas.arrays, p_lat, p_lon, within_m, out)
            true = [z for z in range(len(shapes)) if boundary_distance_m(atlas.arrays, z, p_lat, p_lon) <= within_m]
            assert sorted(out[:n].tolist()) == true


def test_zones_near_nowhere_are_none() -> None:
    atlas = Atlas.build([circle(10.0, 20.0, 1_000.0)])
    out = np.empty(4, np.int32)
    for lat, lon, within_m in ((np.nan, 20.0, 9.0), (10.0, 200.0, 9.0), (10.0, 20.0, np.nan), (10.0, 20.0, -1.0)):
        assert zones_near(atlas.arrays, lat, lon, within_m, out) == 0


def test_zones_near_past_the_room_are_counted() -> None:
    atlas = Atlas.build([circle(10.0, 20.0, 1_000.0 + k) for k in range(9)])
    assert zones_near(atlas.arrays, 10.0, 20.0, 2_000.0, np.empty(2, np.int32)) > 2
