"""On which side of a line does a point lie: exact for every float64, and the same on every machine.

Implements the orientation test of Shewchuk (1997): a floating-point filter with a proven error bound, and
where that cannot decide, the exact determinant by expansion arithmetic. It needs correctly rounded +, − and ×
(IEEE 754) and no fused multiply–add, which numba does not make unless fast-math allows it. Coordinates must be
0 or between 1e-140 and 1e140 in size, so that no product underflows: 1e-140 degrees is no distance on Earth.

References
----------
J. R. Shewchuk, Adaptive precision floating-point arithmetic and fast robust geometric predicates, Discrete &
Computational Geometry 18:305–363, 1997, sections 2 and 4.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import kernel, sixteen

ORIENT_BOUND = 3.3306690738754716e-16
"""(3 + 16 ε) ε with ε = 2⁻⁵³: the filter's relative error bound, Shewchuk (1997), `ccwerrboundA`."""

SPLITTER = 134217729.0
"""2²⁷ + 1: splits a float64 into two halves whose products are exact."""


@kernel
def _two_sum(a: float, b: float) -> tuple[float, float]:
    """Return a + b and its rounding error; their sum is exact (Shewchuk 1997, theorem 7)."""
    x = a + b
    b_virtual = x - a
    return x, (a - (x - b_virtual)) + (b - b_virtual)


@kernel
def _two_product(a: float, b: float) -> tuple[float, float]:
    """Return a × b and its rounding error; their sum is exact (Shewchuk 1997, theorem 18)."""
    x = a * b
    c = SPLITTER * a
    a_hi = c - (c - a)
    a_lo = a - a_hi
    c = SPLITTER * b
    b_hi = c - (c - b)
    b_lo = b - b_hi
    return x, a_lo * b_lo - (((x - a_hi * b_hi) - a_lo * b_hi) - a_hi * b_lo)


@kernel
def _grow(e: NDArray[np.float64], a: float, b: float) -> None:
    """Add a × b to an expansion of twelve parts that do not overlap, the largest last; two zeros come first."""
    product, error = _two_product(a, b)
    q = error
    for j in range(1, 12):  # theorem 10: grow by one term
        q, e[j - 1] = _two_sum(q, e[j])
    e[11] = q
    q = product
    for j in range(1, 12):
        q, e[j - 1] = _two_sum(q, e[j])
    e[11] = q


@kernel
def orient2d_exact(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> int:
    """Return the sign of the determinant by the exact expansion of its six products.

    See `orient2d`, which calls this only when the filter cannot decide. The determinant is
    ax·by − ay·bx + bx·cy − by·cx + cx·ay − cy·ax: twelve terms once every product is split.
    """
    e = sixteen()
    for j in range(12):
        e[j] = 0.0
    _grow(e, ax, by)
    _grow(e, -ay, bx)
    _grow(e, bx, cy)
    _grow(e, -by, cx)
    _grow(e, cx, ay)
    _grow(e, -cy, ax)
    sign = 0
    for j in range(12):
        if e[j] != 0.0:
            sign = 1 if e[j] > 0.0 else -1
    return sign


@kernel
def orient2d(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> int:
    """Return on which side of the line a → b the point c lies.

    Parameters
    ----------
    ax, ay, bx, by, cx, cy : float
        Plane coordinates, here degrees of longitude and latitude; each 0 or from 1e-140 to 1e140 in size.

    Returns
    -------
    int
        1 if c lies to the left (a, b, c turn anticlockwise), -1 to the right, 0 exactly on the line.

    Notes
    -----
    Seven operations for nearly every point; about 300 where the filter cannot decide.

    Examples
    --------
    >>> orient2d(0.0, 0.0, 1.0, 1.0, 0.0, 1.0)
    1
    >>> orient2d(0.1, 0.1, 0.3, 0.3, 0.2, 0.2)  # by chance on the line, to the last bit
    0
    """
    left = (ax - cx) * (by - cy)
    right = (ay - cy) * (bx - cx)
    det = left - right
    # Readable form: |det| > bound × (|left| + |right|).
    bound = ORIENT_BOUND * (abs(left) + abs(right))
    side = 1 if det > 0.0 else -1
    if not abs(det) > bound:
        side = orient2d_exact(ax, ay, bx, by, cx, cy)
    return side
