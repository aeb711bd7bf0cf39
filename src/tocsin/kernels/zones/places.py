"""What the atlas says of places: which zones hold one, whether two have an edge between them, how far edges are.

The cells are described in `cells.py`. Left out: ways between places (`crossings.py`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import heap_kernel, kernel
from tocsin.kernels.zones.cells import (
    COLUMNS,
    FIXED_BITS,
    LEVEL_BITS,
    ONE,
    AtlasArrays,
    cell_of,
    fixed,
    settled,
    write_list,
    write_record,
    write_zones,
)


@kernel
def _joined(n: int, m: int, out: NDArray[np.int64]) -> int:
    """Merge `out[n:m]` into `out[:n]`, both ascending, without doubles; return how many remain, or m past the room."""
    if m <= len(out):
        for i in range(n, m):
            zone, j = out[i], n
            while j > 0 and out[j - 1] > zone:
                j -= 1
            if j == 0 or out[j - 1] != zone:
                for k in range(n, j, -1):
                    out[k] = out[k - 1]
                out[j] = zone
                n += 1
        m = n
    return m


@kernel
def _zones_at(a: AtlasArrays, lat: float, lon: float, zones_out: NDArray[np.int64]) -> int:
    """Do what `zones_at` does, for cells with more than one zone or with edges, the antimeridian and the poles."""
    n = 0
    if abs(lat) < 90.0 and abs(lon) < 180.0:
        n = write_zones(a.coarse, a.cells, a.xy, a.zones, lon, lat, zones_out, 0)
    elif abs(lat) == 90.0 and abs(lon) <= 180.0:
        n = write_list(a.cells, a.north_pole if lat > 0.0 else a.south_pole, zones_out, 0)
    elif abs(lon) == 180.0 and abs(lat) < 90.0:
        n = write_zones(a.coarse, a.cells, a.xy, a.zones, 180.0, lat, zones_out, 0)
        n = _joined(n, write_zones(a.coarse, a.cells, a.xy, a.zones, -180.0, lat, zones_out, n), zones_out)
    return n


@kernel
def zones_at(a: AtlasArrays, lat: float, lon: float, zones_out: NDArray[np.int64]) -> int:
    """Write the zones that hold a place and return how many.

    Parameters
    ----------
    a : AtlasArrays
    lat, lon : float
        Degrees, -90…90 and -180…180; NaN and anything else is in no zone.
    zones_out : ndarray, shape (m,), int64
        Filled with zone numbers, ascending; a place on a zone's edge is inside.

    Returns
    -------
    int
        How many zones hold it. If that is more than m, the first m are written; on the antimeridian the number may
        then count a zone twice.
    """
    lat, lon = settled(lat), settled(lon)
    plain = (abs(lat) < 90.0) & (abs(lon) < 180.0)
    y, x = (lat, lon) if plain else (0.0, 0.0)
    code = np.int64(a.cells[cell_of(a.coarse, x, y)[0]])
    n = 0
    if plain & (code > 0) & (code <= a.zones) & (len(zones_out) > 0):
        zones_out[0] = code - 1
        n = 1
    elif not plain or code != 0:
        n = _zones_at(a, lat, lon, zones_out)
    return n


@heap_kernel
def locate(
    a: AtlasArrays, lat: NDArray[np.float64], lon: NDArray[np.float64], start: int, n: int,
    place_out: NDArray[np.int64], zone_out: NDArray[np.int32],
) -> tuple[int, int]:  # fmt: skip
    """Write the (place, zone) pairs of places from `start` on, from row `n` on, while there is room.

    Returns
    -------
    next, n : int
        The place to go on with, and how many pairs there are by now.

    Notes
    -----
    Constant time for each place and pair, whatever the number of zones; linear in the edges of a place's own cell.
    """
    coarse, cells, xy, zones = a.coarse, a.cells, a.xy, a.zones
    west, south, east, north = a.west, a.south, a.east, a.north
    room, held = len(place_out) - 2 * a.most, np.empty(2 * a.most, np.int64)
    i = start
    while i < len(lat) and n <= room:
        y, x = settled(lat[i]), settled(lon[i])
        if not (south <= y <= north and (west <= x <= east or abs(x) == 180.0 or abs(y) == 90.0)):
            i += 1
            continue
        before = n
        if -90.0 < y < 90.0 and -180.0 < x < 180.0:
            # As `write_zones`, written out: a call would cost as much as the rest.
            cell, cx, cy = cell_of(coarse, x, y)
            code = np.int64(cells[cell])
            if code < 0:
                n = write_record(cells, xy, ~code, x, y, cx, cy, zone_out, n)
            elif code > zones:
                n = write_list(cells, code - zones - 1, zone_out, n)
            elif code > 0:
                zone_out[n] = code - 1
                n += 1
        else:
            for j in range(zones_at(a, y, x, held)):
                zone_out[n] = held[j]
                n += 1
        for j in range(before, n):
            place_out[j] = i
        i += 1
    return i, n


@kernel
def same_empty_cell(a: AtlasArrays, lat0: float, lon0: float, lat1: float, lon1: float) -> bool:
    """Return True if no edge lies between two places: both are in one cell, or a block of four, without edges.

    False says nothing. NaN gives False.
    """
    known = (abs(lat0) < 90.0) & (abs(lon0) < 180.0) & (abs(lat1) < 90.0) & (abs(lon1) < 180.0)
    y0, x0, y1, x1 = (lat0, lon0, lat1, lon1) if known else (0.0, 0.0, 0.0, 0.0)
    fx0, fy0, fx1, fy1 = fixed(x0, 180), fixed(y0, 90), fixed(x1, 180), fixed(y1, 90)
    word = a.coarse[(fy0 >> FIXED_BITS) * COLUMNS + (fx0 >> FIXED_BITS)]
    level, start = word & ((1 << LEVEL_BITS) - 1), word >> LEVEL_BITS
    down = FIXED_BITS - level
    i, j, di, dj = fx0 >> down, fy0 >> down, (fx1 >> down) - (fx0 >> down), (fy1 >> down) - (fy0 >> down)
    same = (fx0 >> FIXED_BITS == fx1 >> FIXED_BITS) & (fy0 >> FIXED_BITS == fy1 >> FIXED_BITS)
    near = known & same & (abs(di) <= 1) & (abs(dj) <= 1)
    di, dj = (di, dj) if near else (0, 0)
    here = start + ((j & ((1 << level) - 1)) << level) + (i & ((1 << level) - 1))
    there = (dj << level) + di
    edges = a.cells[here] | a.cells[here + di] | a.cells[here + (dj << level)] | a.cells[here + there]
    return near & (edges >= 0)


@kernel
def clearance_m(a: AtlasArrays, lat: float, lon: float) -> float:
    """Return a lower bound on the distance from a place to the nearest edge of any zone.

    Parameters
    ----------
    a : AtlasArrays
    lat, lon : float
        Degrees.

    Returns
    -------
    float
        Metres; 0 where nothing is known, which includes NaN and places out of range; infinite if there are no zones.
    """
    index = 0  # nothing is known
    if abs(lat) <= 90.0 and abs(lon) <= 180.0:
        fx, fy = fixed(lon, 180), fixed(lat, 90)
        at = np.int64(a.clear_at[(fy >> FIXED_BITS) * COLUMNS + (fx >> FIXED_BITS)])
        down = FIXED_BITS - 5
        q = at + (((fy & (ONE - 1)) >> down) << 5) + ((fx & (ONE - 1)) >> down)
        index = np.int64(a.clear[q]) if at >= 0 else ~at
    return a.clear_m[index]
