"""The atlas as Python sees it: pairs in order, refusals, its size, and threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.naive_geo import of_shapely, star

from tocsin.geo.atlas import Atlas
from tocsin.geo.shapes import Region, circle


def test_locate_gives_pairs_in_order_of_places_and_zones_and_grows_its_room():
    """More pairs than a first guess allows: every place in forty zones."""
    atlas = Atlas.build([circle(0.0, 0.0, 100_000.0)] * 40)
    lat, lon = np.zeros(5_000), np.linspace(-0.5, 0.5, 5_000)
    place, zone = atlas.locate(lat, lon)
    assert len(place) == 40 * 5_000
    assert np.array_equal(place, np.repeat(np.arange(5_000), 40)) and np.array_equal(
        zone, np.tile(np.arange(40), 5_000)
    )


def test_locate_refuses_arrays_of_different_shape():
    atlas = Atlas.build([circle(0.0, 0.0, 100.0)])
    with pytest.raises(ValueError, match=r"found shapes \(2,\) and \(1,\)"):
        atlas.locate([0.0, 1.0], [0.0])


def test_build_refuses_a_region_out_of_range_and_says_which():
    good = circle(0.0, 0.0, 100.0)
    lon = good.lon_deg.copy()
    lon[7] = np.nan
    bad = Region(lon_deg=lon, lat_deg=good.lat_deg, ring_start=good.ring_start)
    with pytest.raises(ValueError, match="region 1, vertex 7: found longitude nan"):
        Atlas.build([good, bad])


def test_build_is_the_same_every_time_and_whatever_else_is_in_it_answers_alike():
    rng = np.random.default_rng(10)
    shapes = [of_shapely(star(rng, 12, *rng.uniform(-3.0, 3.0, 2), 1.0)) for _ in range(20)]
    one, two = Atlas.build(shapes), Atlas.build(shapes)
    assert all(np.array_equal(a, b) for a, b in zip(one.arrays, two.arrays, strict=True))
    lat, lon = rng.uniform(-5.0, 5.0, (2, 20_000))
    place, zone = one.locate(lat, lon)
    alone = Atlas.build(shapes[7:8]).locate(lat, lon)[0]
    assert np.array_equal(place[zone == 7], alone)


def test_locate_in_threads_answers_as_in_one():
    rng = np.random.default_rng(11)
    atlas = Atlas.build([of_shapely(star(rng, 30, *rng.uniform(-3.0, 3.0, 2), 2.0)) for _ in range(50)])
    lat, lon = rng.uniform(-5.0, 5.0, (2, 40_000))
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda k: atlas.locate(lat[k::4], lon[k::4])[1], range(4)))
    assert sum(map(len, parts)) == len(atlas.locate(lat, lon)[1])


ODD = [np.nan, np.inf, -np.inf, 0.0, 1e-200, -1e-200, 2.0, -2.0, 90.0, -90.0, 90.0000001, 180.0, -180.0, 180.0000001]
"""Coordinates at borders: of the zones' bounds, of the globe, of numbers."""


@given(
    seed=st.integers(0, 2**32 - 1),
    shares=st.lists(st.sampled_from([0.0, 0.002, 0.1, 0.24, 0.26, 1.0]), min_size=1, max_size=20),
    beyond=st.integers(0, 1_023),
)
@example(seed=1, shares=[1.0, *[0.002] * 9, 1.0], beyond=3)
@settings(max_examples=60)
def test_locate_answers_alike_however_many_places_around_one_are_near_zones(
    seed: int, shares: list[float], beyond: int
):
    """Few of some thousand places near zones are taken out first; each alone tells what it must be."""
    rng = np.random.default_rng(seed)
    atlas = Atlas.build([*(of_shapely(star(rng, 12, 0.0, 0.0, 2.0)) for _ in range(3)), circle(0.0, 180.0, 100_000.0)])
    near = np.concatenate([rng.random(1_024) < share for share in shares] + [rng.random(beyond) < 0.5])
    lat, lon = (np.where(near, rng.uniform(-2.0, 2.0, len(near)), rng.uniform(-90.0, 90.0, len(near))) for _ in "yx")
    for axis in (lat, lon):
        axis[rng.integers(0, len(near), 9)] = rng.choice(ODD, 9)
    order = np.argsort(near, kind="stable")
    place, zone = atlas.locate(lat, lon)
    other_place, other_zone = atlas.locate(lat[order], lon[order])
    assert sorted(zip(place, zone, strict=True)) == sorted(zip(order[other_place], other_zone, strict=True))
    some = rng.integers(0, len(near), 200)
    assert [zone[place == k].tolist() for k in some] == [atlas.locate(lat[[k]], lon[[k]])[1].tolist() for k in some]


def test_size_is_bounded_by_the_edges():
    """100 times the vertices must not take 100 times the memory of cells, nor many big zones more than the limit."""
    rng = np.random.default_rng(12)
    base = Atlas.build([]).nbytes
    small = Atlas.build([circle(33.5, 38.6, 55_000.0)])
    assert small.nbytes - base < 100_000
    fine = shapely.segmentize(shapely.geometry.box(10.0, 10.0, 10.9, 10.9), 3.6 / 100_000)
    assert Atlas.build([of_shapely(fine)]).nbytes - base < 50 * 100_000
    wide = [of_shapely(star(rng, 40, *rng.uniform(-30.0, 30.0, 2), 20.0)) for _ in range(100)]
    assert Atlas.build(wide).nbytes < 160_000_000
