"""The cells of the zone atlas: what they hold, and how a place finds its own.

The globe is 360 × 180 cells of one degree; each is cut into n × n fine cells, n a power of two chosen by how much
boundary passes (DESIGN §6). All cell borders are binary fractions, so that finding the cell of a place is exact.
A fine cell holds one code:

    0                     no zone, no edge
    1 … zones             exactly that zone (less one) covers it; no edge
    more than zones       no edge; a list of covering zones stands at this position, less `zones` and 1
    negative              edges pass; a record stands at position ~code

A list is its length and its zones, ascending. A record is the number of its items and the items, by zone: a zone
that covers the cell is `zone << 2`; a zone with edges here is `zone << 2 | corner << 1 | 1`, then how many runs of
consecutive edges, then each run's first vertex and its number of edges. `corner` says whether the cell's south-west
corner, moved inward by an infinitesimal (east by ε₂, north by ε ≪ ε₂, so that it lies on no edge), is in the zone.
What this leaves out: what the zones mean, their heights and times.
"""

from __future__ import annotations

from math import floor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.predicates import orient2d

Ints = NDArray[Any]
"""Whole numbers of 32 or 64 bits."""

FIXED_BITS = 20
"""A coordinate is a whole number of 2⁻²⁰ degrees when its cell is sought; the finest cell is no finer."""
ONE = 1 << FIXED_BITS
COLUMNS, ROWS = 360, 180
LEVEL_BITS = 4
"""A coarse cell's word: where its fine cells start, shifted by this, and the power of two n."""

NO_DISTANCE_DEG = 1e-140
"""A coordinate below this is taken for 0, which moves it by less than any distance there is."""

OUTSIDE, INSIDE, ON_EDGE = 0, 1, 2


class AtlasArrays(NamedTuple):
    """The arrays of an atlas, passed to kernels as one argument.

    Attributes
    ----------
    zones : int
        How many zones there are.
    most : int
        The most items that any cell holds.
    west, south, east, north : float
        Bounds of all zones, degrees.
    south_pole, north_pole : int
        Where the lists of the zones that hold a pole stand in `cells`.
    coarse : ndarray, shape (64800,), int64
        For each cell of one degree, row by row from the south-west: its fine cells' start and level.
    cells : ndarray, int32
        One code for each fine cell, then lists and records.
    xy : ndarray, shape (2 × vertices,), float64, degrees
        Longitude and latitude of each vertex in turn; edge i goes from vertex i to i + 1.
    zone : ndarray, shape (zones + 1, 3), int64
        Each zone's first vertex, first chunk and first group.
    chunk : ndarray, shape (chunks, 2), int64
        First edge and number of edges, at most 16; a group is at most 16 chunks of one zone.
    box : ndarray, shape (chunks + groups, 5), float64
        Of the chunks and then of the groups: west, south, east, north in degrees, and the least cosine of latitude.
    clear_at : ndarray, shape (64800,), int32
        For each cell of one degree: where its tile of `clear` starts or, negative, ~ the clearance of all of it.
    clear : ndarray, uint8
        Tiles of 32 × 32 clearances, as indices into `clear_m`.
    clear_m : ndarray, shape (256,), float64
        What an index means, metres.
    """

    zones: int
    most: int
    west: float
    south: float
    east: float
    north: float
    south_pole: int
    north_pole: int
    coarse: NDArray[np.int64]
    cells: Ints
    xy: NDArray[np.float64]
    zone: NDArray[np.int64]
    chunk: NDArray[np.int64]
    box: NDArray[np.float64]
    clear_at: NDArray[np.int32]
    clear: NDArray[np.uint8]
    clear_m: NDArray[np.float64]


@kernel
def settled(degrees: float) -> float:
    """Return a coordinate, or 0 for one so small that `orient2d` could not be exact; NaN stays."""
    return 0.0 if abs(degrees) < NO_DISTANCE_DEG else degrees


@kernel
def fixed(degrees: float, whole: int) -> int:
    """Return a coordinate in units of 2⁻²⁰ degrees counted from -`whole` degrees, rounded down: exact.

    The last cell is closed: `whole` itself belongs to it.
    """
    return min(np.int64(floor(degrees * ONE)) + whole * ONE, 2 * whole * ONE - 1)


@kernel
def cell_of(coarse: NDArray[np.int64], x: float, y: float) -> tuple[int, float, float]:
    """Return the fine cell of a place within ±180 and ±90 degrees and its south-west corner.

    Returns
    -------
    cell : int
        Where its code stands in `cells`.
    corner_x, corner_y : float
        Degrees, exact.
    """
    fx, fy = fixed(x, 180), fixed(y, 90)
    word = coarse[(fy >> FIXED_BITS) * COLUMNS + (fx >> FIXED_BITS)]
    level = word & ((1 << LEVEL_BITS) - 1)
    down = FIXED_BITS - level
    cell = (word >> LEVEL_BITS) + (((fy & (ONE - 1)) >> down) << level) + ((fx & (ONE - 1)) >> down)
    return cell, ((fx >> down) << down) * (1.0 / ONE) - 180.0, ((fy >> down) << down) * (1.0 / ONE) - 90.0


@kernel
def west_of(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> bool:
    """Return True if the edge, where it passes the latitude of p, lies west of p or on it; it must pass there."""
    side = orient2d(ax, ay, bx, by, px, py)
    return side == 0 or (side < 0) == (by > ay)


@kernel
def north_of(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> bool:
    """Return True if the edge, just east of the longitude of p, lies north of p; it must pass there."""
    side = orient2d(ax, ay, bx, by, px, py)
    if side == 0:
        return (bx > ax) == (by > ay) and by != ay
    return (side < 0) == (bx > ax)


@kernel
def where_in(cells: Ints, xy: NDArray[np.float64], item: int, px: float, py: float, cx: float, cy: float) -> int:
    """Return whether a zone with edges in a cell holds a place of that cell.

    Parameters
    ----------
    cells, xy : ndarray
        Of the atlas.
    item : int
        Where the zone's item stands in `cells`.
    px, py : float
        The place.
    cx, cy : float
        The cell's south-west corner.

    Returns
    -------
    int
        `OUTSIDE`, `INSIDE` or `ON_EDGE`.

    Notes
    -----
    From the corner, whose side is known, the way goes north along the cell's west border to the latitude of the place
    and then east to it; each edge that it crosses changes the side. Vertices count as lying below their own latitude
    and west of their own longitude (the infinitesimals of the module's head), so that each is crossed once or not at
    all. Every decision is an exact `orient2d` unless boxes settle it.
    """
    inside, on_edge = np.int64((cells[item] >> 1) & 1), False
    run, stop = item + 2, item + 2 + 2 * cells[item + 1]
    while run < stop and not on_edge:
        v = np.int64(cells[run])
        last = v + cells[run + 1]
        bx, by = xy[2 * v], xy[2 * v + 1]
        while v < last and not on_edge:
            v += 1
            ax, ay = bx, by
            bx, by = xy[2 * v], xy[2 * v + 1]
            if (ay <= py and by >= py) or (by <= py and ay >= py):
                side = orient2d(ax, ay, bx, by, px, py)
                on_edge = side == 0 and min(ax, bx) <= px <= max(ax, bx)
                # Eastward: passes py + ε, west of the place, and east of the cell's west border.
                if (
                    (ay > py) != (by > py)
                    and (side < 0) == (by > ay)
                    and (min(ax, bx) > cx or (max(ax, bx) > cx and not west_of(ax, ay, bx, by, cx, py)))
                ):
                    inside ^= 1
            # Northward: passes cx + ε₂, north of the corner and south of the place's latitude.
            if (
                (ax > cx) != (bx > cx)
                and min(ay, by) <= py
                and max(ay, by) >= cy
                and north_of(ax, ay, bx, by, cx, cy)
                and not north_of(ax, ay, bx, by, cx, py)
            ):
                inside ^= 1
        run += 2
    return ON_EDGE if on_edge else inside


@kernel
def item_after(cells: Ints, item: int) -> int:
    """Return where the next item of a record stands."""
    return item + 1 + (cells[item] & 1) * (1 + 2 * cells[item + 1])


@kernel
def write_record(
    cells: Ints, xy: NDArray[np.float64], record: int, x: float, y: float, cx: float, cy: float, out: Ints, n: int
) -> int:
    """Write the zones that hold a place of a cell with edges from `out[n]` on; see `write_zones`."""
    item = record + 1
    for _ in range(cells[record]):
        if cells[item] & 1 == 0 or where_in(cells, xy, item, x, y, cx, cy) != OUTSIDE:
            if n < len(out):
                out[n] = cells[item] >> 2
            n += 1
        item = item_after(cells, item)
    return n


@kernel
def write_zones(
    coarse: NDArray[np.int64], cells: Ints, xy: NDArray[np.float64], zones: int, x: float, y: float, out: Ints, n: int
) -> int:
    """Write the zones that hold a place, ascending, from `out[n]` on; return where they end, past the room if need be.

    The place lies within ±180 and ±90 degrees; the sides of the antimeridian are not joined here.
    """
    cell, cx, cy = cell_of(coarse, x, y)
    code = np.int64(cells[cell])
    if code < 0:
        n = write_record(cells, xy, ~code, x, y, cx, cy, out, n)
    elif code > zones:
        n = write_list(cells, code - zones - 1, out, n)
    elif code > 0:
        if n < len(out):
            out[n] = code - 1
        n += 1
    return n


@kernel
def write_list(cells: Ints, at: int, out: Ints, n: int) -> int:
    """Write a list of zones from `out[n]` on; see `write_zones`."""
    for j in range(at + 1, at + 1 + cells[at]):
        if n < len(out):
            out[n] = cells[j]
        n += 1
    return n
