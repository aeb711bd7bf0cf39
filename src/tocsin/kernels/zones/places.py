"""What the atlas says of places: which zones hold one, whether two have an edge between them, how far edges are.

The cells are described in `cells.py`. Left out: ways between places (`crossings.py`).
"""

from __future__ import annotations

from math import floor, inf, nan

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import heap_kernel, kernel
from tocsin.kernels.prefetch import prefetch_row
from tocsin.kernels.zones.cells import (
    COLUMNS,
    FAR,
    FIXED_BITS,
    LEVEL_BITS,
    ONE,
    TILE_BITS,
    AtlasArrays,
    apart_in,
    cell_at,
    cell_of,
    fixed,
    room_in,
    settled,
    write_list,
    write_record,
    write_zones,
)
from tocsin.kernels.zones.edges import SLACK_DEG

TOGETHER = 1_024
"""Places whose cells are looked up together; dimensionless."""
FEW, TRUSTED = TOGETHER // 4, 8
"""How many of them near zones are few enough to be taken out first; for how many times as many it is taken for granted,
once they were not few, that they are not; dimensionless."""
SEAM = np.iinfo(np.int32).min
"""The code that stands for a place on the antimeridian or a pole."""
AT_SEAM, BEYOND = np.int32(-1), np.int32(-2)
"""What stands for the fixed longitude of such a place, and of one that is nowhere."""
BENT = 0.005
"""A geodesic that stays in a square reaching r degrees each way leaves the straight way by less than this times r²: the
0.1 m at `sweep.STRAIGHT_DEG`, grown with the square of 2 r; 1/degree."""
MOST_CELLS = 9
"""Cells about a way that are looked at before it is followed from cell to cell; dimensionless."""


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


@kernel
def _mark(a: AtlasArrays, lat: NDArray[np.float64], lon: NDArray[np.float64], near_out: NDArray[np.uint8]) -> int:
    """Mark the places within the bounds of all zones, or on the antimeridian or a pole; return how many there are.

    A loop without branches or tables: several places are done at once.
    """
    west, south, east, north, m = a.west, a.south, a.east, a.north, 0
    for k in range(len(near_out)):
        y, x = settled(lat[k]), settled(lon[k])
        near = (south <= y) & (y <= north) & (west <= x) & (x <= east)
        near_out[k] = near | (abs(y) >= 90.0) | (abs(x) >= 180.0)
        m += near_out[k]
    return m


@kernel
def _take(
    near: NDArray[np.uint8], lat: NDArray[np.float64], lon: NDArray[np.float64], place_out: NDArray[np.int32],
    lat_out: NDArray[np.float64], lon_out: NDArray[np.float64],
) -> int:  # fmt: skip
    """Write the places that are marked, and return how many there are: one less than there is room for, at most."""
    n = 0
    for k in range(len(near)):
        place_out[n] = k
        n += near[k]
    for k in range(n):
        lat_out[k], lon_out[k] = lat[place_out[k]], lon[place_out[k]]
    return n


@kernel
def _fix(
    lat: NDArray[np.float64], lon: NDArray[np.float64], fy_out: NDArray[np.int32], fx_out: NDArray[np.int32]
) -> None:
    """Write places as `cells.fixed` does; as fx, `BEYOND` for one that is nowhere, `AT_SEAM` for one on a seam.

    A loop without branches or tables, in 32 bits: several places are done at once.
    """
    for k in range(len(fy_out)):
        y, x = settled(lat[k]), settled(lon[k])
        plain = (abs(y) < 90.0) & (abs(x) < 180.0)
        seam = ((abs(y) == 90.0) & (abs(x) <= 180.0)) | ((abs(x) == 180.0) & (abs(y) < 90.0))
        fy_out[k] = np.int32(floor((y if plain else 0.0) * ONE)) + 90 * ONE
        fx = np.int32(floor((x if plain else 0.0) * ONE)) + 180 * ONE
        fx_out[k] = fx if plain else (AT_SEAM if seam else BEYOND)


@kernel
def _codes(
    a: AtlasArrays, fy: NDArray[np.int32], fx: NDArray[np.int32], place_out: NDArray[np.int32],
    code_out: NDArray[np.int32],
) -> int:  # fmt: skip
    """Write the codes that are not 0 of the cells of places by `_fix`, and which places; return how many.

    The code of a place on a seam is `SEAM`.
    """
    coarse, cells, n = a.coarse, a.cells, 0
    for k in range(len(fx)):
        x = np.int64(fx[k])
        cell, _ = cell_at(coarse, max(x, 0), np.int64(fy[k]))
        code = SEAM if x == AT_SEAM else cells[np.uint64(cell)]
        place_out[n], code_out[n] = k, code
        n += (code != 0) & (x != BEYOND)
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
    Constant time for each place and pair, whatever the number of zones; linear in the edges of a place's own cell. The
    codes of some places are read together, which does not branch; what they mean is then written one by one.
    """
    coarse, cells, xy, zones = a.coarse, a.cells, a.xy, a.zones
    room, held = len(place_out) - 2 * a.most - 1, np.empty(2 * a.most, np.int64)
    places, codes = np.empty(TOGETHER, np.int32), np.empty(TOGETHER, np.int32)
    fy, fx = np.empty(TOGETHER, np.int32), np.empty(TOGETHER, np.int32)
    every, few, near = np.empty(TOGETHER, np.int32), np.empty(FEW + 1, np.int32), np.empty(TOGETHER, np.uint8)
    few_lat, few_lon, trusted = np.empty(FEW), np.empty(FEW), 0
    for k in range(TOGETHER):
        every[k] = k
    for begin in range(start, len(lat), TOGETHER):
        end, trusted = min(begin + TOGETHER, len(lat)), max(trusted - 1, 0)
        m, whose = end - begin, every
        if trusted == 0 and _mark(a, lat[begin:end], lon[begin:end], near[:m]) > FEW:
            trusted = TRUSTED
        if trusted == 0:
            m, whose = _take(near[:m], lat[begin:end], lon[begin:end], few, few_lat, few_lon), few
            _fix(few_lat, few_lon, fy[:m], fx[:m])
        else:
            _fix(lat[begin:end], lon[begin:end], fy[:m], fx[:m])
        for k in range(_codes(a, fy[:m], fx[:m], places, codes)):
            i, code, before = begin + whose[places[k]], np.int64(codes[k]), n
            if n > room:
                return i, n
            if code == SEAM:
                for j in range(zones_at(a, lat[i], lon[i], held)):
                    zone_out[n] = held[j]
                    n += 1
            elif code < 0:
                x, y = settled(lon[i]), settled(lat[i])
                _, cx, cy = cell_of(coarse, x, y)
                n = write_record(cells, xy, ~code, x, y, cx, cy, zone_out, n)
            elif code > zones:
                n = write_list(cells, code - zones - 1, zone_out, n)
            else:
                zone_out[n] = code - 1
                n += 1
            for j in range(before, n):
                place_out[j] = i
    return len(lat), n


@kernel
def no_edge_between(a: AtlasArrays, lat0: float, lon0: float, lat1: float, lon1: float) -> bool:
    """Return True if no edge lies on the straight way between two places: a quick look at the cells about it.

    False says nothing: the way is long, goes from one cell of a degree to another, or an edge is too near to be sure.
    NaN gives False.
    """
    known = (abs(lat0) < 90.0) & (abs(lon0) < 180.0) & (abs(lat1) < 90.0) & (abs(lon1) < 180.0)
    y0, x0, y1, x1 = (lat0, lon0, lat1, lon1) if known else (0.0, 0.0, 0.0, 0.0)
    fx0, fy0, fx1, fy1 = fixed(x0, 180), fixed(y0, 90), fixed(x1, 180), fixed(y1, 90)
    word = a.coarse[(fy0 >> FIXED_BITS) * COLUMNS + (fx0 >> FIXED_BITS)]
    level, start = word & ((1 << LEVEL_BITS) - 1), word >> LEVEL_BITS
    down = FIXED_BITS - level
    i0, i1, j0, j1 = min(fx0, fx1) >> down, max(fx0, fx1) >> down, min(fy0, fy1) >> down, max(fy0, fy1) >> down
    same = (fx0 >> FIXED_BITS == fx1 >> FIXED_BITS) & (fy0 >> FIXED_BITS == fy1 >> FIXED_BITS)
    if not (known & same & ((i1 - i0 + 1) * (j1 - j0 + 1) <= MOST_CELLS)):
        return False
    within = (1 << level) - 1
    for j in range(j0, j1 + 1):
        for i in range(i0, i1 + 1):
            code = np.int64(a.cells[start + ((j & within) << level) + (i & within)])
            if code < 0 and not apart_in(a.cells, a.xy, ~code, x0, y0, x1, y1):
                return False
    return True


@kernel
def _cell_box(fx: int, fy: int, down: int, more: int) -> tuple[float, float, float, float]:
    """Return the box of a place's cell and of so many more around it: south, north, west and east, degrees; exact.

    `fx` and `fy` are the place's (`cells.fixed`), the cell's side is 2 to the power `down` in their unit.
    """
    i, j = fx >> down, fy >> down
    south, north = ((j - more) << down) * (1.0 / ONE) - 90.0, ((j + more + 1) << down) * (1.0 / ONE) - 90.0
    return south, north, ((i - more) << down) * (1.0 / ONE) - 180.0, ((i + more + 1) << down) * (1.0 / ONE) - 180.0


@kernel
def free_box(a: AtlasArrays, lat: float, lon: float) -> tuple[float, float, float, float]:
    """Return a box about a place that no edge touches: south, north, west and east, degrees; NaN where none is known.

    As many cells of clearance as are free on every side; where an edge passes the place's own, what is free of its cell
    of the atlas, less what a geodesic may leave the straight way by. It may reach beyond ±180 and ±90 degrees.
    """
    if not ((abs(lat) < 90.0) & (abs(lon) < 180.0)):
        return nan, nan, nan, nan
    fx, fy = fixed(lon, 180), fixed(lat, 90)
    coarse = (fy >> FIXED_BITS) * COLUMNS + (fx >> FIXED_BITS)
    cell, side = cell_at(a.coarse, fx, fy)
    prefetch_row(a.cells, cell)
    at, down = np.int64(a.clear_at[coarse]), FIXED_BITS - TILE_BITS
    if at >= 0:
        count = np.int64(a.clear[at + (((fy & (ONE - 1)) >> down) << TILE_BITS) + ((fx & (ONE - 1)) >> down)])
    else:
        count, down = ~at, FIXED_BITS
    if count == COLUMNS:
        return -inf, inf, -inf, inf
    if count > 0:
        return _cell_box(fx, fy, down, count - 1)
    south, north, west, east = _cell_box(fx, fy, side, 0)
    code = np.int64(a.cells[cell])
    if code < 0:
        room = min(room_in(a.cells, a.xy, ~code, lon, lat), 1.0)
        room -= BENT * room * room + SLACK_DEG
        if not room > 0.0:
            return nan, nan, nan, nan
        south, north = max(south, lat - room), min(north, lat + room)
        west, east = max(west, lon - room), min(east, lon + room)
    return south, north, west, east


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
    if not ((abs(lat) <= 90.0) & (abs(lon) <= 180.0)):
        return 0.0
    fx, fy = fixed(lon, 180), fixed(lat, 90)
    row, down = fy >> FIXED_BITS, FIXED_BITS - TILE_BITS
    at = np.int64(a.clear_at[row * COLUMNS + (fx >> FIXED_BITS)])
    count = FAR + 1 + ~at
    if at >= 0:
        count = np.int64(a.clear[at + (((fy & (ONE - 1)) >> down) << TILE_BITS) + ((fx & (ONE - 1)) >> down)])
    return a.clear_m[row] * a.clear_sine[count]
