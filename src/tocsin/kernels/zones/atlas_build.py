"""How the cells of the zone atlas are filled; `cells.py` says what they hold.

First the cells of one degree: which edges pass, which zones cover, how finely to cut. Then each cell that edges
pass is cut and filled by sweeping its rows. Sides of corners are found by the same exact tests as places later, so a
cell's corner and a place in it can never disagree. Linear in the edges and in the cells they pass.
"""

from __future__ import annotations

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import heap_kernel, kernel
from tocsin.kernels.zones.cells import COLUMNS, LEVEL_BITS, ROWS, Ints, north_of, west_of
from tocsin.kernels.zones.edges import cells_of_edge

MAX_LEVEL = 10
"""The finest cell is 2⁻¹⁰ degrees, 109 m."""
EDGES_PER_PLACE = 0.5
"""Cells are cut until a place in them meets fewer edges than this on average; smaller is faster and larger."""
MAX_CELLS = 16_000_000
"""Fine cells at most (4 bytes each); the cut is coarser where this would be passed."""
ROOM = 3 * (COLUMNS + ROWS) + 9 + 6 * (1 << MAX_LEVEL)
"""Cells that one edge can touch in the coarse grid or in one cell's fine grid, at most."""


@heap_kernel
def grown(values: Ints, used: int, more: int) -> Ints:
    """Return an array that has room for `more` values after the first `used`."""
    if used + more <= len(values):
        return values
    bigger = np.empty(used + more + (used + more) // 2, np.int32)
    for i in range(used):
        bigger[i] = values[i]
    return bigger


@heap_kernel
def survey(
    xy: NDArray[np.float64], ring_end: NDArray[np.bool_], count: NDArray[np.int64], reach: NDArray[np.float64]
) -> None:
    """Count each coarse cell's edges, and add up how far they reach east and north within it, degrees."""
    cells = np.empty(ROOM, np.int32)
    for e in range(len(ring_end)):
        if ring_end[e]:
            continue
        ax, ay, bx, by = xy[2 * e], xy[2 * e + 1], xy[2 * e + 2], xy[2 * e + 3]
        n = cells_of_edge(ax, ay, bx, by, -180.0, -90.0, COLUMNS, ROWS, 1.0, cells)
        share = (abs(bx - ax) + abs(by - ay)) / n
        for i in range(n):
            count[cells[i]] += 1
            reach[cells[i]] += min(share, 2.0)


@heap_kernel
def list_edges(xy: NDArray[np.float64], ring_end: NDArray[np.bool_], start: NDArray[np.int64], edges: Ints) -> None:
    """Write each coarse cell's edges, ascending, from `start[cell]` on."""
    cells = np.empty(ROOM, np.int32)
    at = np.empty(len(start), np.int64)
    for c in range(len(start)):
        at[c] = start[c]
    for e in range(len(ring_end)):
        if not ring_end[e]:
            n = cells_of_edge(
                xy[2 * e], xy[2 * e + 1], xy[2 * e + 2], xy[2 * e + 3], -180.0, -90.0, COLUMNS, ROWS, 1.0, cells
            )
            for i in range(n):
                edges[at[cells[i]]] = e
                at[cells[i]] += 1


@kernel
def first_east(ax: float, ay: float, bx: float, by: float, x0: float, y: float, n: int, scale: float) -> int:
    """Return the first column border from x0 on, 0 to n, that the edge lies west of where it passes latitude y."""
    x = ax + (y - ay) / (by - ay) * (bx - ax)
    i = min(max(ceil((x - x0) * scale), 0), n)
    while i > 0 and west_of(ax, ay, bx, by, x0 + (i - 1) / scale, y):
        i -= 1
    while i < n and not west_of(ax, ay, bx, by, x0 + i / scale, y):
        i += 1
    return i


@kernel
def _first_north(ax: float, ay: float, bx: float, by: float, x: float, y0: float, n: int, scale: float) -> int:
    """Return the first row border from y0 on, 0 to n, that the edge does not lie north of, just east of x."""
    y = ay + (x - ax) / (bx - ax) * (by - ay)
    j = min(max(ceil((y - y0) * scale), 0), n)
    while j > 0 and not north_of(ax, ay, bx, by, x, y0 + (j - 1) / scale):
        j -= 1
    while j < n and north_of(ax, ay, bx, by, x, y0 + j / scale):
        j += 1
    return j


@heap_kernel
def list_zones(xy: NDArray[np.float64], ring_end: NDArray[np.bool_], zone: NDArray[np.int64]) -> tuple[Ints, Ints, int]:
    """Return, by zone, the coarse cells that each zone touches.

    Returns
    -------
    cell, word : ndarray, int32
        The cell, and the zone's head as in a record: covering, or with edges and the side of the corner.
    n : int
        How many of them count.
    """
    cell, word, used = np.empty(1024, np.int32), np.empty(1024, np.int32), 0
    seen = np.zeros(COLUMNS * ROWS, np.int32)
    odd = np.zeros(COLUMNS * ROWS, np.bool_)
    touched = np.empty(ROOM, np.int32)
    for z in range(len(zone) - 1):
        west, east, south, north = 180.0, -180.0, 90.0, -90.0
        for v in range(zone[z, 0], zone[z + 1, 0]):
            west, east = min(west, xy[2 * v]), max(east, xy[2 * v])
            south, north = min(south, xy[2 * v + 1]), max(north, xy[2 * v + 1])
        for e in range(zone[z, 0], zone[z + 1, 0]):
            if ring_end[e]:
                continue
            ax, ay, bx, by = xy[2 * e], xy[2 * e + 1], xy[2 * e + 2], xy[2 * e + 3]
            n = cells_of_edge(ax, ay, bx, by, -180.0, -90.0, COLUMNS, ROWS, 1.0, touched)
            for i in range(n):
                seen[touched[i]] = z + 1
            y = ceil(min(ay, by))
            while y < max(ay, by):
                i = first_east(ax, ay, bx, by, -180.0, y, COLUMNS, 1.0)
                if i < COLUMNS:
                    odd[int(y + 90.0) * COLUMNS + i] ^= True
                y += 1.0
        # Slack may list a neighbour: one row and column more on every side.
        i0, i1 = max(floor(west) + 179, 0), min(floor(east) + 182, COLUMNS)
        j0, j1 = max(floor(south) + 89, 0), min(floor(north) + 92, ROWS)
        cell, word = grown(cell, used, (i1 - i0) * (j1 - j0)), grown(word, used, (i1 - i0) * (j1 - j0))
        for j in range(j0, j1):
            inside = False
            for i in range(i0, i1):
                c = j * COLUMNS + i
                inside ^= odd[c]
                odd[c] = False
                if seen[c] == z + 1 or inside:
                    cell[used] = c
                    word[used] = z << 2 | (inside << 1 | 1 if seen[c] == z + 1 else 0)
                    used += 1
    return cell, word, used


@kernel
def level_for(count: int, reach: float, edges_per_place: float) -> int:
    """Return the power of two to cut a cell by, so that few edges are met by a place in it."""
    level = 0
    while level < MAX_LEVEL and (count + reach * (1 << level)) > edges_per_place * (1 << (2 * level)):
        level += 1
    return level


@heap_kernel
def _put(zones: int, active: Ints, n: int, cells: Ints, used: int, near: tuple[int, int]) -> tuple[int, Ints, int]:
    """Return the code of a cell without edges that `active[:n]` cover; a list equal to one of `near` is shared."""
    if n == 0:
        return 0, cells, used
    if n == 1:
        return np.int64(active[0]) + 1, cells, used
    for other in near:
        if other > zones:
            at = other - zones - 1
            same = cells[at] == n
            for j in range(n):
                same = same and cells[at + 1 + j] == active[j]
                if not same:
                    break
            if same:
                return other, cells, used
    cells = grown(cells, used, n + 1)
    cells[used] = n
    for j in range(n):
        cells[used + 1 + j] = active[j]
    return used + zones + 1, cells, used + n + 1


@heap_kernel
def _sweep_zone(
    xy: NDArray[np.float64], x0: float, y0: float, level: int, edges: Ints, zone: int, word: int,
    grid: tuple[Ints, NDArray[np.uint8], NDArray[np.uint8]], touched: Ints,
    part: Ints, parts: int, run: Ints, runs: int,
) -> tuple[Ints, int, Ints, int]:  # fmt: skip
    """Find one zone's cells in a coarse cell.

    Appends (cell, edge, head) for each cell and edge to `part`, and (row, first column, column past the last, zone)
    for each run of cells that the zone covers to `run`; both flat. `grid` is scratch: stamps, flips, sides.
    """
    n = 1 << level
    scale = float(n)
    stamp, flip, side = grid
    north_flip = np.zeros(n + 1, np.uint8)
    began = parts
    busy_lo, busy_hi = n, -1
    for e in edges:
        ax, ay, bx, by = xy[2 * e], xy[2 * e + 1], xy[2 * e + 2], xy[2 * e + 3]
        m = cells_of_edge(ax, ay, bx, by, x0, y0, n, n, scale, touched)
        part = grown(part, 3 * parts, 3 * m)
        for i in range(m):
            part[3 * parts], part[3 * parts + 1] = touched[i], e
            parts += 1
            stamp[touched[i]] = zone
            busy_lo, busy_hi = min(busy_lo, touched[i] >> level), max(busy_hi, touched[i] >> level)
        if (ax > x0) != (bx > x0) and north_of(ax, ay, bx, by, x0, y0):
            north_flip[_first_north(ax, ay, bx, by, x0, y0, n, scale)] ^= 1
        j = max(ceil((min(ay, by) - y0) * scale), 0)
        while j < n and y0 + j / scale < max(ay, by):
            if y0 + j / scale >= min(ay, by):
                i = first_east(ax, ay, bx, by, x0, y0 + j / scale, n, scale)
                if 0 < i < n:
                    flip[(j << level) + i] ^= 1
                    busy_lo, busy_hi = min(busy_lo, j), max(busy_hi, j)
            j += 1
    west = (word >> 1) & 1
    for j in range(n):
        west ^= north_flip[j]
        inside, since = west, 0
        if busy_lo <= j <= busy_hi:
            run = grown(run, 4 * runs, 4 * n)
            for i in range(n):
                c = (j << level) + i
                if flip[c]:
                    inside ^= 1
                    flip[c] = 0
                if stamp[c] == zone:
                    side[c] = inside
                    if since < i:
                        run[4 * runs], run[4 * runs + 1], run[4 * runs + 2], run[4 * runs + 3] = j, since, i, zone
                        runs += 1
                    since = i + 1
                elif not inside:
                    since = i + 1
        if inside and since < n:
            run = grown(run, 4 * runs, 4)
            run[4 * runs], run[4 * runs + 1], run[4 * runs + 2], run[4 * runs + 3] = j, since, n, zone
            runs += 1
    for p in range(began, parts):
        part[3 * p + 2] = zone << 2 | side[part[3 * p]] << 1 | 1
    return part, parts, run, runs


@heap_kernel
def _record(
    part: Ints, mine: Ints, active: Ints, n: int, cells: Ints,
    used: int,
) -> tuple[Ints, int, int]:  # fmt: skip
    """Write the record of a cell, its parts `mine` by edge merged with its covering zones; return its items too."""
    cells = grown(cells, used, 1 + n + 4 * len(mine))
    at, items, covering, p = used, 0, 0, 0
    used += 1
    while p < len(mine) or covering < n:
        if p == len(mine) or (covering < n and active[covering] < part[3 * mine[p] + 2] >> 2):
            cells[used] = active[covering] << 2
            covering += 1
            used += 1
        else:
            head = part[3 * mine[p] + 2]
            cells[used] = head
            runs_at, used = used + 1, used + 2
            cells[runs_at] = 0
            last = -2
            while p < len(mine) and part[3 * mine[p] + 2] >> 2 == head >> 2:
                e = part[3 * mine[p] + 1]
                if e == last + 1:
                    cells[used - 1] += 1
                else:
                    cells[used], cells[used + 1] = e, 1
                    cells[runs_at] += 1
                    used += 2
                last = e
                p += 1
        items += 1
    cells[at] = items
    return cells, used, items


@heap_kernel
def _grouped(rows: Ints, width: int, n: int, groups: int) -> tuple[Ints, Ints]:
    """Return where each group starts and the rows' numbers by group; a row's group is its first value. Stable."""
    start, at, order = np.zeros(groups + 1, np.int32), np.empty(groups, np.int32), np.empty(n, np.int32)
    for i in range(n):
        start[rows[width * i] + 1] += 1
    for g in range(groups):
        at[g] = start[g]
        start[g + 1] += start[g]
    for i in range(n):
        g = rows[width * i]
        order[at[g]] = i
        at[g] += 1
    return start, order


@heap_kernel
def _change(run: Ints, mine: Ints, i: int, n: int, active: Ints, actives: int) -> tuple[int, int]:
    """Take the zones whose runs end at column i out of `active` and those that begin into it, ascending.

    Returns
    -------
    actives, next : int
        How many are active, and the next column where anything changes (n at most).
    """
    after = n
    for r in mine:
        if run[4 * r + 2] == i:
            k = 0
            while active[k] != run[4 * r + 3]:
                k += 1
            actives -= 1
            for m in range(k, actives):
                active[m] = active[m + 1]
    for r in mine:
        begin, end = run[4 * r + 1], run[4 * r + 2]
        if begin == i and i < n:
            k = actives
            while k > 0 and active[k - 1] > run[4 * r + 3]:
                active[k] = active[k - 1]
                k -= 1
            active[k] = run[4 * r + 3]
            actives += 1
        if begin > i:
            after = min(after, begin)
        if end > i:
            after = min(after, end)
    return actives, after


@heap_kernel
def _fill_cell(
    part: Ints, parts: int, run: Ints, runs: int, level: int, active: Ints, actives: int, zones: int, start: int,
    cells: Ints, used: int, most: int,
) -> tuple[Ints, int, int]:  # fmt: skip
    """Write the codes of one coarse cell, row by row, from its zones' parts and runs; `active` covers all of it."""
    n = 1 << level
    cell_start, by_cell = _grouped(part, 3, parts, n * n)
    row_start, by_row = _grouped(run, 4, runs, n)
    for j in range(n):
        mine = by_row[row_start[j] : row_start[j + 1]]
        actives, after = _change(run, mine, 0, n, active, actives)
        known, fresh = 0, True
        for i in range(n):
            c = (j << level) + i
            if i == after:
                actives, after = _change(run, mine, i, n, active, actives)
                fresh = True
            if cell_start[c] < cell_start[c + 1]:
                cells = grown(cells, used, 1)
                cells[start + c] = ~used
                here = by_cell[cell_start[c] : cell_start[c + 1]]
                cells, used, items = _record(part, here, active, actives, cells, used)
                most = max(most, items)
            else:
                if fresh:
                    below = np.int64(cells[start + c - n]) if j > 0 else 0
                    known, cells, used = _put(zones, active, actives, cells, used, (below, known))
                    most, fresh = max(most, actives), False
                cells[start + c] = known
        actives, after = _change(run, mine, n, n, active, actives)
    return cells, used, most


@heap_kernel
def fill(
    xy: NDArray[np.float64], zone: NDArray[np.int64], coarse: NDArray[np.int64], used: int,
    edge_start: NDArray[np.int64], edges: Ints, word_start: NDArray[np.int64], words: Ints,
) -> tuple[Ints, int, int]:  # fmt: skip
    """Write the codes, lists and records of all cells.

    Parameters
    ----------
    xy, zone, coarse : see `AtlasArrays`
    used : int
        How many codes there will be, by `coarse`.
    edge_start, edges : ndarray
        Each coarse cell's edges, ascending.
    word_start, words : ndarray
        Each coarse cell's zones, ascending, as `list_zones` says.

    Returns
    -------
    cells : ndarray, int32
    used, most : int
        How much of `cells` counts, and the most items of a cell.
    """
    cells, most, big = np.zeros(used + (1 << 16), np.int32), 1, 1
    for word in coarse:
        big = max(big, 1 << 2 * (word & ((1 << LEVEL_BITS) - 1)))
    grid = (np.empty(big, np.int32), np.zeros(big, np.uint8), np.zeros(big, np.uint8))
    part, run, touched = np.empty(1024, np.int32), np.empty(1024, np.int32), np.empty(ROOM, np.int32)
    for c in range(COLUMNS * ROWS):
        if word_start[c] == word_start[c + 1]:
            continue
        level, start = coarse[c] & ((1 << LEVEL_BITS) - 1), coarse[c] >> LEVEL_BITS
        for q in range(1 << 2 * level):
            grid[0][q] = -1
        active, actives = np.empty(word_start[c + 1] - word_start[c], np.int32), 0
        parts, runs, e = 0, 0, edge_start[c]
        for word in words[word_start[c] : word_start[c + 1]]:
            z, e0 = np.int64(word >> 2), e
            if word & 1 == 0:
                active[actives] = z
                actives += 1
                continue
            while e < edge_start[c + 1] and edges[e] < zone[z + 1, 0]:
                e += 1
            part, parts, run, runs = _sweep_zone(
                xy, c % COLUMNS - 180.0, c // COLUMNS - 90.0, level, edges[e0:e], z, np.int64(word), grid, touched,
                part, parts, run, runs,
            )  # fmt: skip
        cells, used, most = _fill_cell(
            part, parts, run, runs, level, active, actives, len(zone) - 1, start, cells, used, most
        )
    return cells, used, most
