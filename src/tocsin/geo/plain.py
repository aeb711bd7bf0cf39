"""Plain areas: proved to need no cut and no repair, many at once.

An area that spans less than 180 degrees of longitude, keeps off the poles and is valid as drawn is what `cuts.settle`
would make of it, vertex by vertex; this is proved with arrays over all areas together. What is not proved here is not
refused here: `cuts.settle` cuts it, or says what is wrong with it and where.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from tocsin.geo.rings import LEAST_POSITIONS, Floats

MAX_SPAN_DEG = 180.0
"""Longitudes of an area that spans less can be meant in one way only, and it is less than half of the globe."""
LEAST_FILLED = 1e-6
"""The part of its bounding box that an area fills at least; one of less may be a line but for rounding."""

Settled = tuple[Floats, Floats, NDArray[np.int64]]
"""Longitudes, latitudes and ring starts, as `cuts.settle` returns them."""


def settle_plain(areas: Sequence[Sequence[Floats]]) -> list[Settled | None]:
    """Return the rings of every area that is proved plain, as `cuts.settle` does; None for the others.

    Parameters
    ----------
    areas : sequence of sequences of ndarray, each shape (n, 2), float64, degrees
        Latitude then longitude; the outer ring of an area, then its holes. An area without rings is not plain.
    """
    found: list[Settled | None] = [None] * len(areas)
    kept = [a for a, rings in enumerate(areas) if rings and min(map(len, rings)) >= LEAST_POSITIONS]
    if not kept:
        return found
    rings = [ring for a in kept for ring in areas[a]]
    area_of = np.repeat(np.arange(len(kept)), [len(areas[a]) for a in kept])
    places = np.concatenate(rings) + 0.0  # -0.0 becomes 0.0
    counts = np.array([len(ring) for ring in rings])
    good = np.ones(len(kept), bool)
    good[area_of[~_are_unambiguous(places, counts)]] = False
    picked = good[area_of]
    polygons = _polygons(places[np.repeat(picked, counts)], counts[picked], (np.cumsum(good) - 1)[area_of[picked]])
    box = shapely.bounds(polygons)
    filled = shapely.area(polygons) >= LEAST_FILLED * (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    valid = filled & shapely.is_valid(polygons)
    numbers = np.array(kept)[good][valid].tolist()
    for number, settled in zip(numbers, _taken_apart(polygons[valid]), strict=True):
        found[number] = settled
    return found


def _are_unambiguous(places: Floats, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rings are closed, repeat no position, keep off the poles and go nowhere near round the globe."""
    ends = np.cumsum(counts)
    starts = ends - counts
    low, high = np.minimum.reduceat(places, starts), np.maximum.reduceat(places, starts)  # NaN where a ring has one
    good = (low[:, 0] > -90.0) & (high[:, 0] < 90.0) & (low[:, 1] >= -180.0) & (high[:, 1] <= 180.0)
    good &= high[:, 1] - low[:, 1] < MAX_SPAN_DEG
    good &= (places[starts] == places[ends - 1]).all(axis=1)
    repeated = np.append((places[1:] == places[:-1]).all(axis=1), False)
    repeated[ends - 1] = False  # the last of one ring and the first of the next are nobody's edge
    return np.asarray(good & ~np.logical_or.reduceat(repeated, starts))


def _polygons(places: Floats, counts: NDArray[np.int64], area_of: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return a polygon for every area: the first of its rings and the others as holes."""
    if not len(counts):
        return np.empty(0, object)
    lines = shapely.linearrings(places[:, ::-1], indices=np.repeat(np.arange(len(counts)), counts))
    return np.asarray(shapely.polygons(lines, indices=area_of))


def _taken_apart(polygons: NDArray[np.object_]) -> list[Settled]:
    """Return each polygon's coordinates and ring starts, wound as `Region` wants them."""
    rings, area_of = shapely.get_rings(shapely.orient_polygons(polygons, exterior_cw=False), return_index=True)
    places = shapely.get_coordinates(rings)
    lon, lat = np.ascontiguousarray(places[:, 0]), np.ascontiguousarray(places[:, 1])
    starts = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(rings))]).astype(np.int64)
    first = np.searchsorted(area_of, np.arange(len(polygons) + 1)).tolist()
    found = []
    for a, b in pairwise(first):
        at, end = int(starts[a]), int(starts[b])
        found.append((lon[at:end], lat[at:end], starts[a : b + 1] - at))
    return found
