"""Sine, cosine, arc tangent and logarithm that give the same bits on every machine.

The C library's and NumPy's differ from machine to machine in the last bit (NumPy's with AVX-512 and without),
and the last bit decides whether two machines write the same event. These use +, −, ×, ÷ and square root only,
which IEEE 754 rounds correctly everywhere, in a fixed order. Error: below 4 units in the last place. Angles
are degrees, where 90° and 180° are exact, unless the name says `rad`. Arguments must be finite and below 1e9.
"""

from __future__ import annotations

from math import floor, frexp, sqrt

import numpy as np

from tocsin.kernels.jit import kernel

PI = 3.141592653589793
HALF_PI = 1.5707963267948966
HALF_PI_LO = 6.123233995736766e-17
"""π/2 less its float64: two parts together carry 107 bits."""
RAD_PER_DEG = PI / 180.0
LN2 = 0.6931471805599453

MANTISSA_BITS, BIAS = 52, 1_023
MANTISSA, HALF = (1 << MANTISSA_BITS) - 1, (BIAS - 1) << MANTISSA_BITS
"""A float64 is a mantissa under the power of 2 that it is multiplied by; and the bits of that of ½."""

LEAST_NORMAL = 2.2250738585072014e-308
"""The least number that has all its bits."""

ATAN_QUARTER, ATAN_HALF, ATAN_3_QUARTERS = 0.24497866312686414, 0.4636476090008061, 0.6435011087932844


@kernel
def _sincos_octant(r: float) -> tuple[float, float]:
    """Return sine and cosine of |r| ≤ π/4 radians by their Taylor series to r¹⁷ (remainder below 1e-19)."""
    z = r * r
    s = 1.0 / 355687428096000.0  # 1/17!
    s = s * z - 1.0 / 1307674368000.0
    s = s * z + 1.0 / 6227020800.0
    s = s * z - 1.0 / 39916800.0
    s = s * z + 1.0 / 362880.0
    s = s * z - 1.0 / 5040.0
    s = s * z + 1.0 / 120.0
    s = s * z - 1.0 / 6.0
    c = 1.0 / 20922789888000.0  # 1/16!
    c = c * z - 1.0 / 87178291200.0
    c = c * z + 1.0 / 479001600.0
    c = c * z - 1.0 / 3628800.0
    c = c * z + 1.0 / 40320.0
    c = c * z - 1.0 / 720.0
    c = c * z + 1.0 / 24.0
    return r + r * z * s, 1.0 - (0.5 * z - z * z * c)


@kernel
def _turned(quarters: float, s: float, c: float) -> tuple[float, float]:
    """Return the sine and cosine of an angle plus so many right angles."""
    turn = int(quarters) & 3
    if turn == 0:
        return s, c
    if turn == 1:
        return c, 0.0 - s  # never -0.0
    if turn == 2:
        return 0.0 - s, 0.0 - c
    return 0.0 - c, s


@kernel
def sincosd(x_deg: float) -> tuple[float, float]:
    """Return sine and cosine of an angle in degrees; multiples of 90° are exact.

    Examples
    --------
    >>> sincosd(90.0)
    (1.0, 0.0)
    """
    q = floor(x_deg / 90.0 + 0.5)
    s, c = _sincos_octant((x_deg - 90.0 * q) * RAD_PER_DEG)  # the difference is exact (Sterbenz)
    return _turned(q, s, c)


@kernel
def sincos_rad(x: float) -> tuple[float, float]:
    """Return sine and cosine of an angle in radians, at most a few turns."""
    q = floor(x / HALF_PI + 0.5)
    s, c = _sincos_octant((x - q * HALF_PI) - q * HALF_PI_LO)
    return _turned(q, s, c)


@kernel
def _atan_unit(t: float) -> float:
    """Return the arc tangent of 0 ≤ t ≤ 1: a shift by a quarter's multiple leaves |u| ≤ 1/8, then the series."""
    if t < 0.125:
        base, u = 0.0, t
    elif t < 0.375:
        base, u = ATAN_QUARTER, (t - 0.25) / (1.0 + 0.25 * t)
    elif t < 0.625:
        base, u = ATAN_HALF, (t - 0.5) / (1.0 + 0.5 * t)
    elif t < 0.875:
        base, u = ATAN_3_QUARTERS, (t - 0.75) / (1.0 + 0.75 * t)
    else:
        base, u = 0.25 * PI, (t - 1.0) / (1.0 + t)
    z = u * u
    p = 1.0 / 17.0
    p = 1.0 / 15.0 - z * p
    p = 1.0 / 13.0 - z * p
    p = 1.0 / 11.0 - z * p
    p = 1.0 / 9.0 - z * p
    p = 1.0 / 7.0 - z * p
    p = 1.0 / 5.0 - z * p
    p = 1.0 / 3.0 - z * p
    return base + (u - u * z * p)


@kernel
def atan2_rad(y: float, x: float) -> float:
    """Return the angle of the vector (x, y) in radians, -π to π; 0 for the null vector."""
    ay, ax = abs(y), abs(x)
    if ay == 0.0 and ax == 0.0:
        return 0.0
    angle = _atan_unit(ay / ax) if ay <= ax else HALF_PI - _atan_unit(ax / ay)
    if x < 0.0:
        angle = PI - angle
    return -angle if y < 0.0 else angle


@kernel
def atan2d(y: float, x: float) -> float:
    """Return the angle of the vector (x, y) in degrees, -180 to 180; 0 for the null vector.

    Examples
    --------
    >>> atan2d(1.0, 0.0)
    90.0
    """
    ay, ax = abs(y), abs(x)
    if ay == 0.0 and ax == 0.0:
        return 0.0
    angle = _atan_unit(ay / ax) / RAD_PER_DEG if ay <= ax else 90.0 - _atan_unit(ax / ay) / RAD_PER_DEG
    if x < 0.0:
        angle = 180.0 - angle
    return -angle if y < 0.0 else angle


@kernel
def power_of_2(k: int) -> float:
    """Return 2 to a whole power from -1022 to 1023, exactly: the bits of the number, which costs no call."""
    return np.int64((k + BIAS) << MANTISSA_BITS).view(np.float64)


@kernel
def log(x: float) -> float:
    """Return the natural logarithm of x > 0."""
    bits = np.float64(x).view(np.int64)
    m, e = np.int64(bits & MANTISSA | HALF).view(np.float64), (bits >> MANTISSA_BITS) - BIAS + 1
    if x < LEAST_NORMAL:
        m, e = frexp(x)
    if m < 0.7071067811865476:
        m, e = 2.0 * m, e - 1
    u = (m - 1.0) / (m + 1.0)
    z = u * u
    p = 1.0 / 23.0
    for n in range(21, 1, -2):
        p = 1.0 / n + z * p
    return e * LN2 + 2.0 * (u + u * z * p)


@kernel
def hypot(x: float, y: float) -> float:
    """Return the length of (x, y); the parts must be neither huge nor tiny."""
    return sqrt(x * x + y * y)
