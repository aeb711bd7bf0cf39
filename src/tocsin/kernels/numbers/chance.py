"""Chance: the few distributions that a forecast needs, from sums, products, quotients and roots.

As in `kernels/numbers/trig.py`, every machine finds the same bits, so that the same warning is given everywhere.
"""

from __future__ import annotations

from math import floor, sqrt

from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import LN2, power_of_2

LN2_HI = 0.693147180369123816490
"""The first 32 bits of the natural logarithm of 2: a whole number of times this is exact."""

LN2_LO = 1.90821492927058770002e-10
"""The rest of it."""

FARTHEST = 700.0
"""Exponents are held within this, where the exponential is still a number."""


@kernel
def exp(x: float) -> float:
    """Return e to the power x, within 2 units in the last place; x is held within ±700."""
    x = min(max(x, -FARTHEST), FARTHEST)
    k = floor(x / LN2 + 0.5)
    r = (x - k * LN2_HI) - k * LN2_LO
    s = 1.0 / 6227020800.0  # 1/13!
    s = s * r + 1.0 / 479001600.0
    s = s * r + 1.0 / 39916800.0
    s = s * r + 1.0 / 3628800.0
    s = s * r + 1.0 / 362880.0
    s = s * r + 1.0 / 40320.0
    s = s * r + 1.0 / 5040.0
    s = s * r + 1.0 / 720.0
    s = s * r + 1.0 / 120.0
    s = s * r + 1.0 / 24.0
    s = s * r + 1.0 / 6.0
    s = s * r + 0.5
    return (1.0 + (r + r * r * s)) * power_of_2(int(k))


@kernel
def logistic(x: float) -> float:
    """Return 1 / (1 + e^-x): the chance whose log odds are x."""
    return 1.0 / (1.0 + exp(-x))


@kernel
def student(x: float) -> float:
    """Return the share below x of Student's distribution of two degrees of freedom: heavy tails, and only a root."""
    return 0.5 + x / (2.0 * sqrt(2.0 + x * x))
