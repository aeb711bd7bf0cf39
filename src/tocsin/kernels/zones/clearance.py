"""How far the nearest edge is at least, for every place: tables made once.

Distances are counted in cells, as a king moves: if every cell within r columns and rows is free of edges, no edge
is nearer than r rows of latitude, nor nearer than the meridian r columns away, which is asin(cos φ sin rΔλ) on the
sphere. The sphere of the ellipsoid's least radius of curvature makes no distance too long. Cells are 1/32 degree
near zones and one degree elsewhere. The count itself tells a box in longitude and latitude, too, and a larger one
(`places.free_box`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import heap_kernel, kernel
from tocsin.kernels.numbers.trig import sincosd
from tocsin.kernels.zones.cells import COLUMNS, FAR, ROWS, TILE
from tocsin.kernels.zones.distance import LEAST_RADIUS_M
from tocsin.kernels.zones.edges import cells_of_edge

LEAST_COSINE = 1e-300
"""Stands for the cosine of the latitude of a pole, so that infinity times it is infinite."""


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
def clear_lengths() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return `clear_sine` and `clear_m` of the atlas: their product is how far the nearest edge is at least, metres."""
    sine, least_m = np.zeros(FAR + 2 + COLUMNS), np.empty(ROWS)
    for count in range(1, FAR + 1):
        sine[count] = sincosd((count - 1.0) / TILE)[0]
    for count in range(1, COLUMNS):
        sine[FAR + 1 + count] = sincosd(min(count - 1.0, 90.0))[0]
    sine[FAR + 1 + COLUMNS] = np.inf
    for row in range(ROWS):
        cosine = sincosd(max(abs(row - 90.0), abs(row - 89.0)))[1]
        least_m[row] = LEAST_RADIUS_M * max(cosine, LEAST_COSINE)
    return sine, least_m
