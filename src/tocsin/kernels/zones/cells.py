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

from math import floor, inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.predicates import ORIENT_BOUND, orient2d

Ints = NDArray[Any]
"""Whole numbers of 32 or 64 bits."""

FIXED_BITS = 20
"""A coordinate is a whole number of 2⁻²⁰ degrees when its cell is sought; the finest cell is no finer."""
ONE = 1 << FIXED_BITS
COLUMNS, ROWS = 360, 180
LEVEL_BITS = 4
"""A coarse cell's word: where its fine cells start, shifted by this, and the power of two n."""

TILE_BITS = 5
TILE = 1 << TILE_BITS
"""Clearance cells in a degree."""
FAR = 250
"""Longest distance counted in clearance cells."""

NO_DISTANCE_DEG = 1e-140
"""A coordinate below this is taken for 0, which moves it by less than any distance there is."""

TINY = 1e-300
"""Keeps an edge without length from being divided by; degrees."""

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
    edged_at : ndarray, shape (64801,), int32
        Where each cell of one degree begins in `edged`.
    edged : ndarray, int32
        The zones with edges in each cell of one degree, ascending.
    clear_at : ndarray, shape (64800,), int32
        For each cell of one degree: where its tile of `clear` starts or, negative, ~ how many cells of one degree
        away, as a king moves, the nearest with an edge is; 360 if there is none.
    clear : ndarray, uint8
        Tiles of 32 × 32 smaller cells: how many of them away, as a king moves, the nearest with an edge is.
    clear_sine : ndarray, shape (612,), float64
        The sine of the angle that is free of edges on every side: by counts of smaller cells, `FAR` and less, and then
        by counts of degrees; infinite if there is no edge.
    clear_m : ndarray, shape (180,), float64
        By row of one degree: what such a sine is worth at the least, metres.
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
    edged_at: NDArray[np.int32]
    edged: NDArray[np.int32]
    clear_at: NDArray[np.int32]
    clear: NDArray[np.uint8]
    clear_sine: NDArray[np.float64]
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
def cell_at(coarse: NDArray[np.int64], fx: int, fy: int) -> tuple[int, int]:
    """Return where the code of the fine cell of a place stands in `cells`, and the cell's side as a power of two.

    `fx` and `fy` are the place's, as `fixed` gives them; the side is in their unit.
    """
    word = coarse[(fy >> FIXED_BITS) * COLUMNS + (fx >> FIXED_BITS)]
    level = word & ((1 << LEVEL_BITS) - 1)
    down = FIXED_BITS - level
    return (word >> LEVEL_BITS) + (((fy & (ONE - 1)) >> down) << level) + ((fx & (ONE - 1)) >> down), down


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
    cell, down = cell_at(coarse, fx, fy)
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
def _met_exactly(ax: float, ay: float, bx: float, by: float, px: float, py: float, cx: float, cy: float) -> int:
    """Return what `where_in` does for one edge when a filter cannot tell: 1 if the side changes, `ON_EDGE` on it."""
    met = 0
    if (ay <= py and by >= py) or (by <= py and ay >= py):
        side = orient2d(ax, ay, bx, by, px, py)
        if side == 0 and min(ax, bx) <= px <= max(ax, bx):
            return ON_EDGE
        # Eastward: passes py + ε, west of the place, and east of the cell's west border.
        if (ay > py) != (by > py) and (side < 0) == (by > ay) and not west_of(ax, ay, bx, by, cx, py):
            met ^= 1
    # Northward: passes cx + ε₂, north of the corner and south of the place's latitude.
    if (ax > cx) != (bx > cx) and north_of(ax, ay, bx, by, cx, cy) and not north_of(ax, ay, bx, by, cx, py):
        met ^= 1
    return met


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
    all. Where the filters of `orient2d` decide on which side of an edge the place, the corner and the turn between
    them lie, nothing branches; where one cannot, the edge is met exactly.
    """
    inside = np.int64((cells[item] >> 1) & 1)
    for run in range(item + 2, item + 2 + 2 * cells[item + 1], 2):
        first = np.int64(cells[run])
        bx, by = xy[2 * first], xy[2 * first + 1]
        for v in range(first + 1, first + 1 + cells[run + 1]):
            ax, ay = bx, by
            bx, by = xy[2 * v], xy[2 * v + 1]
            place_l, place_r = (ax - px) * (by - py), (ay - py) * (bx - px)
            turn_l, turn_r = (ax - cx) * (by - py), (ay - py) * (bx - cx)
            corner_l, corner_r = (ax - cx) * (by - cy), (ay - cy) * (bx - cx)
            sure = (
                (abs(place_l - place_r) > ORIENT_BOUND * (abs(place_l) + abs(place_r)))
                & (abs(turn_l - turn_r) > ORIENT_BOUND * (abs(turn_l) + abs(turn_r)))
                & (abs(corner_l - corner_r) > ORIENT_BOUND * (abs(corner_l) + abs(corner_r)))
            )
            right, turned, north, east = place_l < place_r, turn_l < turn_r, by > ay, bx > ax
            eastward = ((ay > py) != (by > py)) & (right == north) & (turned != north)
            northward = ((ax > cx) != (bx > cx)) & ((corner_l < corner_r) == east) & (turned != east)
            met = np.int64(eastward != northward)
            if not sure:
                met = _met_exactly(ax, ay, bx, by, px, py, cx, cy)
                if met == ON_EDGE:
                    return ON_EDGE
            inside ^= met
    return inside


@kernel
def item_after(cells: Ints, item: int) -> int:
    """Return where the next item of a record stands."""
    return item + 1 + (cells[item] & 1) * (1 + 2 * cells[item + 1])


@kernel
def apart_in(cells: Ints, xy: NDArray[np.float64], record: int, x0: float, y0: float, x1: float, y1: float) -> bool:
    """Return True if no edge of a record touches the way from (x0, y0) to (x1, y1); False says nothing.

    Filters alone: an edge is apart if it lies beside the way's box, surely on one side of its line, or the way surely
    on one side of the edge's. Nothing branches within an edge.
    """
    lo_x, hi_x, lo_y, hi_y = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    item = record + 1
    for _ in range(cells[record]):
        runs = np.int64(cells[item + 1]) if cells[item] & 1 else 0
        for run in range(item + 2, item + 2 + 2 * runs, 2):
            first = np.int64(cells[run])
            bx, by = xy[2 * first], xy[2 * first + 1]
            for v in range(first + 1, first + 1 + cells[run + 1]):
                ax, ay = bx, by
                bx, by = xy[2 * v], xy[2 * v + 1]
                beside = (min(ax, bx) > hi_x) | (max(ax, bx) < lo_x) | (min(ay, by) > hi_y) | (max(ay, by) < lo_y)
                l0, r0 = (ax - x0) * (by - y0), (ay - y0) * (bx - x0)
                l1, r1 = (ax - x1) * (by - y1), (ay - y1) * (bx - x1)
                la, ra = (x0 - ax) * (y1 - ay), (y0 - ay) * (x1 - ax)
                lb, rb = (x0 - bx) * (y1 - by), (y0 - by) * (x1 - bx)
                d0, d1, da, db = l0 - r0, l1 - r1, la - ra, lb - rb
                e0, e1 = ORIENT_BOUND * (abs(l0) + abs(r0)), ORIENT_BOUND * (abs(l1) + abs(r1))
                ea, eb = ORIENT_BOUND * (abs(la) + abs(ra)), ORIENT_BOUND * (abs(lb) + abs(rb))
                of_edge = ((d0 > e0) & (d1 > e1)) | ((d0 < -e0) & (d1 < -e1))
                of_way = ((da > ea) & (db > eb)) | ((da < -ea) & (db < -eb))
                if not (beside | of_edge | of_way):
                    return False
        item = item_after(cells, item)
    return True


@kernel
def room_in(cells: Ints, xy: NDArray[np.float64], record: int, x: float, y: float) -> float:
    """Return how far a square about a place reaches each way before an edge of a record touches it; degrees, nearly.

    An edge and a square are apart if they are so along an axis or across the edge. Rounding is far below
    `edges.SLACK_DEG`.
    """
    least = inf
    item = record + 1
    for _ in range(cells[record]):
        runs = np.int64(cells[item + 1]) if cells[item] & 1 else 0
        for run in range(item + 2, item + 2 + 2 * runs, 2):
            first = np.int64(cells[run])
            bx, by = xy[2 * first], xy[2 * first + 1]
            for v in range(first + 1, first + 1 + cells[run + 1]):
                ax, ay = bx, by
                bx, by = xy[2 * v], xy[2 * v + 1]
                beside = max(min(ax, bx) - x, x - max(ax, bx), min(ay, by) - y, y - max(ay, by))
                across = abs((by - ay) * (x - ax) - (bx - ax) * (y - ay)) / (abs(by - ay) + abs(bx - ax) + TINY)
                least = min(least, max(beside, across))
        item = item_after(cells, item)
    return least


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
