"""Which cells an edge may touch: never one too few, sometimes one too many.

The atlas lists an edge in every cell that it touches, and a way is followed through every cell that it touches, by
these same functions. They are widened by `SLACK_DEG`, far above their rounding, so that exactness is left to the
tests of `cells.py`, which an edge listed too often does not disturb.
"""

from __future__ import annotations

from math import floor

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import kernel

SLACK_DEG = 1e-9
"""0.1 mm; the rounding of a coordinate on an edge is below 1e-13 degrees."""


@kernel
def span(ax: float, ay: float, bx: float, by: float, y_lo: float, y_hi: float) -> tuple[float, float]:
    """Return the west and east ends of an edge's part between two latitudes, widened by the slack."""
    t0, t1 = 0.0, 1.0
    if by != ay:
        t0, t1 = (y_lo - SLACK_DEG - ay) / (by - ay), (y_hi + SLACK_DEG - ay) / (by - ay)
        if t0 > t1:
            t0, t1 = t1, t0
        t0, t1 = min(max(t0, 0.0), 1.0), min(max(t1, 0.0), 1.0)
    x0, x1 = ax + t0 * (bx - ax), ax + t1 * (bx - ax)
    return min(x0, x1) - SLACK_DEG, max(x0, x1) + SLACK_DEG


@kernel
def cell_range(lo: float, hi: float, origin: float, n: int, scale: float) -> tuple[int, int]:
    """Return the first cell and one past the last of `n` cells of width 1 / scale that an interval touches."""
    first = floor((lo - SLACK_DEG - origin) * scale)
    last = floor((hi + SLACK_DEG - origin) * scale)
    return max(first, 0), min(last, n - 1) + 1


@kernel
def cells_of_edge(
    ax: float, ay: float, bx: float, by: float,
    x0: float, y0: float, columns: int, rows: int, scale: float, out: NDArray[np.int32],
) -> int:  # fmt: skip
    """Write the cells of a grid that an edge may touch, row by row, and return how many.

    Parameters
    ----------
    ax, ay, bx, by : float
        The edge.
    x0, y0 : float
        South-west corner of the grid.
    columns, rows : int
    scale : float
        Cells a degree.
    out : ndarray, int32
        Room for every cell of the grid that a line can touch: 3 × (columns + rows) + 9.
    """
    n = 0
    j0, j1 = cell_range(min(ay, by), max(ay, by), y0, rows, scale)
    i0, i1 = cell_range(min(ax, bx), max(ax, bx), x0, columns, scale)
    for j in range(j0, j1):
        if i1 - i0 > 1 and j1 - j0 > 1:
            lo, hi = span(ax, ay, bx, by, y0 + j / scale, y0 + (j + 1) / scale)
            k0, k1 = cell_range(lo, hi, x0, columns, scale)
        else:
            k0, k1 = i0, i1
        for i in range(k0, k1):
            out[n] = j * columns + i
            n += 1
    return n
