"""How far the nearest edge is at least, for every place: tables made once.

Distances are counted in cells, as a king moves: if every cell within r columns and rows is free of edges, no edge
is nearer than r rows of latitude, nor nearer than the meridian r columns away, which is asin(cos φ sin rΔλ) on the
sphere. The sphere of the ellipsoid's least radius of curvature makes no distance too long. Cells are 1/32 degree
near zones and one degree elsewhere; values are rounded down to one of 256 lengths.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import heap_kernel, kernel
from tocsin.kernels.numbers.trig import RAD_PER_DEG, atan2_rad, sincosd
from tocsin.kernels.zones.cells import COLUMNS, ROWS
from tocsin.kernels.zones.distance import LEAST_RADIUS_M
from tocsin.kernels.zones.edges import cells_of_edge

TILE = 32
"""Clearance cells in a degree."""
FAR = 250
"""Longest distance counted in clearance cells."""


@kernel
def free_m(lat: float, degrees: float) -> float:
    """Return how far the nearest edge is at least, if none is within so many degrees of latitude and longitude.

    `lat` is the latitude of the place or, for a cell, its latitude nearest to a pole.
    """
    if degrees <= 0.0:
        return 0.0
    _, cos_lat = sincosd(lat)
    s, _ = sincosd(min(degrees, 90.0))
    aside = min(max(cos_lat, 0.0) * s, 1.0)
    return LEAST_RADIUS_M * min(degrees * RAD_PER_DEG, atan2_rad(aside, sqrt(1.0 - aside * aside)))


@kernel
def _index_of(metres: float, lengths: NDArray[np.float64]) -> int:
    """Return the last index whose length is not more."""
    lo, hi = 0, len(lengths)
    while hi - lo > 1:
        mid = (lo + hi) >> 1
        if lengths[mid] <= metres:
            lo = mid
        else:
            hi = mid
    return lo


@heap_kernel
def coarse_steps(busy: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return each coarse cell's king's distance to the nearest busy one, round the globe; 360 if there is none."""
    steps = np.empty(COLUMNS * ROWS, np.int32)
    for c in range(COLUMNS * ROWS):
        steps[c] = 0 if busy[c] else COLUMNS
    for turn in range(4):  # a second time each way, for what came round the globe
        for n in range(COLUMNS * ROWS):
            c = n if turn % 2 == 0 else COLUMNS * ROWS - 1 - n
            j, i = c // COLUMNS, c % COLUMNS
            ahead = -1 if turn % 2 == 0 else 1
            for dj in range(2):
                for di in range(-1, 2):
                    row = j + ahead * dj
                    if 0 <= row < ROWS and (dj == 1 or di == ahead):
                        steps[c] = min(steps[c], steps[row * COLUMNS + (i + di) % COLUMNS] + 1)
    return steps


@heap_kernel
def mark_tiles(
    xy: NDArray[np.float64], edge_start: NDArray[np.int64], edges: NDArray[np.int32], at: NDArray[np.int32],
    clear: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Set to 0 every clearance cell that an edge may touch."""
    touched = np.empty(12 * TILE + 9, np.int32)
    for c in range(COLUMNS * ROWS):
        for e in edges[edge_start[c] : edge_start[c + 1]]:
            n = cells_of_edge(
                xy[2 * e], xy[2 * e + 1], xy[2 * e + 2], xy[2 * e + 3],
                c % COLUMNS - 180.0, c // COLUMNS - 90.0, TILE, TILE, float(TILE), touched,
            )  # fmt: skip
            for i in range(n):
                clear[at[c] + touched[i]] = 0


@kernel
def _load(at: NDArray[np.int32], clear: NDArray[np.uint8], c: int, padded: NDArray[np.uint8]) -> None:
    """Copy a tile and a border of its neighbours' cells; FAR where there is no neighbour."""
    for j in range(TILE + 2):
        for i in range(TILE + 2):
            padded[j, i] = FAR
    for dj in range(-1, 2):
        for di in range(-1, 2):
            j, i = c // COLUMNS + dj, (c % COLUMNS + di) % COLUMNS
            if 0 <= j < ROWS and at[j * COLUMNS + i] >= 0:
                tile = at[j * COLUMNS + i]
                for row in range(max(-1, dj * TILE), min(TILE + 1, dj * TILE + TILE)):
                    for column in range(max(-1, di * TILE), min(TILE + 1, di * TILE + TILE)):
                        padded[row + 1, column + 1] = clear[tile + (row % TILE) * TILE + column % TILE]


@kernel
def _spread(at: NDArray[np.int32], clear: NDArray[np.uint8], c: int, padded: NDArray[np.uint8]) -> bool:
    """Bring one tile up to what its neighbours know; return True if anything in it became less."""
    _load(at, clear, c, padded)
    for j in range(1, TILE + 1):
        for i in range(1, TILE + 1):
            before = min(padded[j - 1, i - 1], padded[j - 1, i], padded[j - 1, i + 1], padded[j, i - 1])
            padded[j, i] = min(padded[j, i], before + 1)
    changed = False
    for j in range(TILE, 0, -1):
        for i in range(TILE, 0, -1):
            behind = min(padded[j + 1, i + 1], padded[j + 1, i], padded[j + 1, i - 1], padded[j, i + 1])
            least = min(padded[j, i], behind + 1)
            padded[j, i] = least
            q = at[c] + (j - 1) * TILE + i - 1
            if clear[q] != least:
                clear[q] = least
                changed = True
    return changed


@heap_kernel
def spread_tiles(at: NDArray[np.int32], clear: NDArray[np.uint8]) -> None:
    """Turn marks, 0, into king's distances to them, FAR at most: tile by tile, to and fro, until nothing changes."""
    padded = np.empty((TILE + 2, TILE + 2), np.uint8)
    changed, forward = True, True
    while changed:
        changed = False
        for n in range(COLUMNS * ROWS):
            c = n if forward else COLUMNS * ROWS - 1 - n
            if at[c] >= 0 and _spread(at, clear, c, padded):
                changed = True
        forward = not forward


@heap_kernel
def clearances(
    steps: NDArray[np.int32], at: NDArray[np.int32], clear: NDArray[np.uint8], lengths: NDArray[np.float64]
) -> None:
    """Turn distances counted in cells into indices of `lengths`, in place; where there is no tile, into ~ an index."""
    index = np.empty((TILE, FAR + 1), np.uint8)
    for j in range(ROWS):
        tiles = False
        for c in range(j * COLUMNS, (j + 1) * COLUMNS):
            tiles |= at[c] >= 0
        if tiles:
            for row in range(TILE):
                south = j - 90.0 + row / TILE
                for count in range(FAR + 1):
                    metres = free_m(max(abs(south), abs(south + 1.0 / TILE)), (count - 1.0) / TILE)
                    index[row, count] = _index_of(metres, lengths)
        poleward = max(abs(j - 90.0), abs(j - 89.0))
        for c in range(j * COLUMNS, (j + 1) * COLUMNS):
            if at[c] >= 0:
                for q in range(TILE * TILE):
                    clear[at[c] + q] = index[q // TILE, clear[at[c] + q]]
            elif steps[c] == COLUMNS:
                at[c] = ~_index_of(np.inf, lengths)
            else:
                at[c] = ~_index_of(free_m(poleward, steps[c] - 1.0), lengths)
