"""Near: the zones whose edge lies within a distance of a place, such as a fix's own accuracy.

The cells of the atlas around the place name the zones with edges there; each is then measured exactly. Meant for
metres to a few kilometres: it looks at every cell that the distance reaches.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import sincosd
from tocsin.kernels.zones.cells import COLUMNS, LEVEL_BITS, ROWS, AtlasArrays, item_after
from tocsin.kernels.zones.distance import boundary_distance_m
from tocsin.kernels.zones.edges import cell_range

DEGREE_M = 110_500.0
"""No degree of latitude is shorter, metres."""


@kernel
def _offer(a: AtlasArrays, cell: int, n: int, out: NDArray[np.int64]) -> int:
    """Add the zones with edges in one cell that are not there yet; past the room they are only counted."""
    code = a.cells[cell]
    if code >= 0:
        return n
    at = np.int64(~code)
    item = at + 1
    for _ in range(a.cells[at]):
        zone, known = np.int64(a.cells[item] >> 2), a.cells[item] & 1 == 0
        for i in range(min(n, len(out))):
            known = known or out[i] == zone
        if not known:
            if n < len(out):
                out[n] = zone
            n += 1
        item = item_after(a.cells, item)
    return n


@kernel
def zones_near(a: AtlasArrays, lat: float, lon: float, within_m: float, zones_out: NDArray[np.int64]) -> int:
    """Write the zones whose edge lies within a distance of a place and return how many.

    Parameters
    ----------
    a : AtlasArrays
    lat, lon : float
        Degrees, -90…90 and -180…180; for anything else there is none.
    within_m : float
        Metres; NaN: none.
    zones_out : ndarray, shape (m,), int64
        Each zone once, in no order. A zone whose edge is near may hold the place or not. Also scratch room.

    Returns
    -------
    int
        How many. If more than m, what is written means nothing: call again with more room than that number.
    """
    if not (within_m >= 0.0 and abs(lat) <= 90.0 and abs(lon) <= 180.0):
        return 0
    n, half = 0, within_m / DEGREE_M
    south, north = max(lat - half, -90.0), min(lat + half, 90.0)
    _, cos_lat = sincosd(max(abs(south), abs(north)))
    wide = 180.0 if half >= 180.0 * cos_lat else half / cos_lat
    r0, r1 = cell_range(south, north, -90.0, ROWS, 1.0)
    for r in range(r0, r1):
        for turn in range(-1, 2):  # the same place seen from beyond the antimeridian, too
            x = lon + 360.0 * turn
            c0, c1 = cell_range(x - wide, x + wide, -180.0, COLUMNS, 1.0)
            for c in range(c0, c1):
                word = a.coarse[r * COLUMNS + c]
                level, start = word & ((1 << LEVEL_BITS) - 1), word >> LEVEL_BITS
                scale, side = float(1 << level), 1 << level
                j0, j1 = cell_range(south, north, r - 90.0, side, scale)
                i0, i1 = cell_range(x - wide, x + wide, c - 180.0, side, scale)
                for j in range(j0, j1):
                    for i in range(i0, i1):
                        n = _offer(a, start + (j << level) + i, n, zones_out)
    if n > len(zones_out):
        return n
    near = 0
    for k in range(n):
        if boundary_distance_m(a, zones_out[k], lat, lon) <= within_m:
            zones_out[near] = zones_out[k]
            near += 1
    return near
