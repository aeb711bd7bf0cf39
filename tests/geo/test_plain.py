"""The quick way to a region and the sure way agree to the bit, wherever the quick way answers; and when it must not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.naive_geo import features

from tocsin.geo import cuts, rings
from tocsin.geo.plain import settle_plain
from tocsin.geo.shapes import Outline, Region, circle, drawn_circle, drawn_multipolygon, multipolygon, settled

SQUARE = [(0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0), (0.0, 0.0)]
HOLE = [(1.0, 1.0), (1.0, 2.0), (2.0, 2.0), (1.0, 1.0)]


def sure(polygon: Any) -> Any:
    """Return what the sure way makes of one polygon of straight edges: its arrays, or its refusal in words."""
    try:
        drawn = []
        for r, ring in enumerate(polygon):
            lat, lon = rings.checked(ring, f"ring {r}")
            rings.check_ways(lat, lon, f"ring {r}")
            drawn.append(rings.Ring(name=f"ring {r}", lat_deg=lat, lon_deg=lon, edge=np.arange(len(lat))))
        return cuts.settle([drawn])
    except ValueError as error:
        return str(error)


def are_same(one: Any, other: Any) -> bool:
    """Return True if two answers hold the same bits."""
    if isinstance(one, str) or isinstance(other, str):
        return bool(isinstance(one, str) and one == other)
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


def arrays(region: Region) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return region.lon_deg, region.lat_deg, region.ring_start


# Few values, many of them awkward: so that rings meet themselves, lie flat, repeat positions, touch seams and poles.
LATITUDES = st.sampled_from([-90.0, -89.0, -1.0, -0.0, 0.0, 1.0, 2.0, 5e-324, 1e-160, 89.0, 90.0, 91.0, float("nan")])
LONGITUDES = st.sampled_from([-190.0, -180.0, -179.0, -90.0, -0.0, 0.0, 1.0, 2.0, 1e-160, 89.9, 179.0, 180.0, 200.0])
SMALL = st.floats(-3.0, 3.0)
PLACE = st.tuples(LATITUDES, LONGITUDES) | st.tuples(SMALL, SMALL) | st.tuples(SMALL, st.floats(-180.0, 180.0))
RING = st.lists(PLACE, min_size=2, max_size=7).flatmap(
    lambda places: st.sampled_from([[*places, places[0]], [*places, places[0]], [*places, places[0]], places])
)
POLYGON = st.lists(RING, min_size=1, max_size=3)


@given(st.lists(POLYGON, max_size=6))
@example([[SQUARE], [SQUARE, HOLE], [HOLE, SQUARE], [SQUARE[::-1], HOLE[::-1]]])
@example([[[(0.0, -90.0), (1.0, 0.0), (0.0, 90.0), (0.0, -90.0)]]])  # just not less than 180 degrees wide
@example([[[(0.0, 0.0), (0.0, 1.0), (1e-160, 0.5), (0.0, 0.0)]]])  # an area that rounds to none
@example([[[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (1.0, 1.0), (0.0, 0.0)]]])  # there and back
def test_the_quick_way_and_the_sure_way_agree_to_the_bit(polygons: list[Any]):
    given_ = [[np.array(ring, np.float64) for ring in polygon] for polygon in polygons]
    for polygon, proved in zip(polygons, settle_plain(given_), strict=True):
        if proved is not None:
            assert are_same(proved, sure(polygon)), polygon


@given(st.lists(POLYGON, max_size=5))
def test_many_settled_together_are_each_as_if_alone(polygons: list[Any]):
    together = settled([drawn_multipolygon([polygon]) for polygon in polygons])
    for polygon, found in zip(polygons, together, strict=True):
        told = str(found) if isinstance(found, ValueError) else arrays(found)
        assert are_same(told, sure(polygon)), polygon


def test_real_areas_go_the_quick_way_and_come_out_the_same():
    quick = 0
    for name in ("countries", "wind_areas"):
        for geometry in features(name):
            parts = {"Polygon": [geometry["coordinates"]], "MultiPolygon": geometry["coordinates"]}[geometry["type"]]
            for part in parts:
                polygon = [[(lat, lon) for lon, lat, *_ in ring] for ring in part]
                (proved,) = settle_plain([[np.array(ring) for ring in polygon]])
                quick += proved is not None
                assert proved is None or are_same(proved, sure(polygon))
    assert quick > 0


@pytest.mark.parametrize(
    "polygon",
    [
        pytest.param([[(0.0, 170.0), (0.0, -170.0), (9.0, 180.0), (0.0, 170.0)]], id="across the antimeridian"),
        pytest.param([[(80.0, 0.0), (80.0, 120.0), (80.0, -120.0), (80.0, 0.0)]], id="round the pole"),
        pytest.param([[(90.0, 0.0), (80.0, 0.0), (80.0, 9.0), (90.0, 0.0)]], id="a vertex on the pole"),
        pytest.param([[(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0), (0.0, 0.0)]], id="crosses itself"),
        pytest.param([SQUARE, [(3.0, 3.0), (3.0, 9.0), (9.0, 9.0), (3.0, 3.0)]], id="a hole that is not inside"),
        pytest.param([[(0.0, 0.0), (0.0, 4.0), (4.0, 4.0)]], id="too short"),
        pytest.param([[*SQUARE[:2], *SQUARE[1:]]], id="a position twice"),
        pytest.param([SQUARE[:-1]], id="not closed"),
        pytest.param([[(0.0, 0.0), (float("nan"), 4.0), (4.0, 0.0), (0.0, 0.0)]], id="not a number"),
        pytest.param([], id="no ring"),
    ],
)
def test_what_needs_a_cut_or_a_refusal_is_left_to_the_sure_way(polygon: Any):
    plain = [np.array(SQUARE)]
    found = settle_plain([plain, [np.array(ring) for ring in polygon], plain])
    assert found[1] is None
    assert found[0] is not None and found[2] is not None  # its neighbours go on as they were


def test_circles_settled_together_are_the_same_circles():
    centres = [(33.5, 38.6, 55_000.0), (89.9, 10.0, 55_000.0), (0.0, 180.0, 500.0), (12.0, 44.0, 0.5)]
    for told, together in zip(centres, settled([drawn_circle(*c) for c in centres]), strict=True):
        assert isinstance(together, Region)
        assert are_same(arrays(circle(*told)), arrays(together))


def test_an_outline_that_is_no_table_of_positions_is_refused_in_words():
    with pytest.raises(ValueError, match="expected rows of latitude and longitude"):
        multipolygon([[["north", "east"]]])
    (found,) = settled([Outline(polygon=(), rings=list)])
    assert isinstance(found, ValueError)
