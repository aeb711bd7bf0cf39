"""Where a straight way first meets one of a zone's edges, for whoever asks about few zones and many ways.

By the filters of the exact predicates alone: nearly always they tell; where they cannot, that is said, and
`crossings.edges_met` settles it. Where they can, the fraction is the one that it finds, to the last bit.
"""

from __future__ import annotations

from math import inf, nan

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.predicates import ORIENT_BOUND


@kernel
def first_edge(xy: NDArray[np.float64], first: int, count: int, x0: float, y0: float, x1: float, y1: float) -> float:
    """Return how far along a way the nearest of so many consecutive edges that it crosses is.

    Parameters
    ----------
    xy : ndarray
        Of the atlas.
    first, count : int
        The edges; no cuts along the antimeridian or at the poles where the way goes.
    x0, y0, x1, y1 : float
        Longitude and latitude of the ends, degrees.

    Returns
    -------
    float
        0 to 1; infinite if it crosses none; NaN if one of them passes too near to a vertex or an end to be sure.
    """
    least = inf
    lo_x, hi_x, lo_y, hi_y = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    bx, by = xy[2 * first], xy[2 * first + 1]
    left, right = (x0 - bx) * (y1 - by), (y0 - by) * (x1 - bx)
    of_b, unsure_b = left - right, ORIENT_BOUND * (abs(left) + abs(right))
    for v in range(first + 1, first + 1 + count):
        ax, ay, of_a, unsure_a = bx, by, of_b, unsure_b
        bx, by = xy[2 * v], xy[2 * v + 1]
        left, right = (x0 - bx) * (y1 - by), (y0 - by) * (x1 - bx)
        of_b, unsure_b = left - right, ORIENT_BOUND * (abs(left) + abs(right))
        if ((of_a > unsure_a) & (of_b > unsure_b)) | ((of_a < -unsure_a) & (of_b < -unsure_b)):
            continue
        if min(ax, bx) > hi_x or max(ax, bx) < lo_x or min(ay, by) > hi_y or max(ay, by) < lo_y:
            continue
        l0, r0 = (ax - x0) * (by - y0), (ay - y0) * (bx - x0)
        l1, r1 = (ax - x1) * (by - y1), (ay - y1) * (bx - x1)
        of_0, of_1 = l0 - r0, l1 - r1
        unsure_0, unsure_1 = ORIENT_BOUND * (abs(l0) + abs(r0)), ORIENT_BOUND * (abs(l1) + abs(r1))
        if ((of_0 > unsure_0) & (of_1 > unsure_1)) | ((of_0 < -unsure_0) & (of_1 < -unsure_1)):
            continue
        sure = (abs(of_a) > unsure_a) & (abs(of_b) > unsure_b) & (abs(of_0) > unsure_0) & (abs(of_1) > unsure_1)
        if not sure:
            return nan
        d0 = (bx - ax) * (y0 - ay) - (by - ay) * (x0 - ax)
        d1 = (bx - ax) * (y1 - ay) - (by - ay) * (x1 - ax)
        least = min(least, min(max(d0 / (d0 - d1), 0.0), 1.0) if d0 != d1 else 0.0)
    return least
