"""Geodesics on WGS84 for kernels: distance and azimuth between two points, and the point at a distance.

Implements the series of Karney (2013) to sixth order. The inverse problem is iterated on the auxiliary sphere,
which converges for all pairs but the nearly antipodal; those are solved by bisecting the azimuth. Errors are
below a micrometre up to 10,000 km and below 0.1 mm anywhere. Arithmetic is `kernels/numbers/trig.py`'s, so every
machine finds the same bits. Arrays of geodesics in Python: `geo/measure.py`.

References
----------
C. F. F. Karney, Algorithms for geodesics, Journal of Geodesy 87:43–55, 2013, equations 5–25 and 45–46.
"""

from __future__ import annotations

from math import floor, sqrt
from typing import NamedTuple

from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import PI, RAD_PER_DEG, atan2_rad, atan2d, hypot, sincos_rad, sincosd

A_M = 6_378_137.0
"""WGS84 semi-major axis, metres."""
F = 1.0 / 298.257223563
"""WGS84 flattening."""
F1 = 1.0 - F
B_M = A_M * F1
"""WGS84 semi-minor axis, metres."""
N = F / (2.0 - F)
"""Third flattening."""
E2 = F * (2.0 - F)
EP2 = E2 / (F1 * F1)
TINY = 1e-150
"""Stands for the cosine of the latitude of a pole, so that an azimuth there is counted from its longitude."""
STEPS = 12
"""Iterations of the inverse problem; four suffice for short ways, and who needs more is nearly antipodal."""


@kernel
def short_way(dlon_deg: float) -> float:
    """Return a difference of longitudes taken the short way round, -180 to 180 degrees."""
    if -180.0 <= dlon_deg <= 180.0:
        return dlon_deg
    return dlon_deg - 360.0 * floor((dlon_deg + 180.0) / 360.0)


@kernel
def _rounded(degrees: float) -> float:
    """Return an angle rounded to 2⁻⁵⁷ degrees, far below an atom, so that no product of small ones vanishes."""
    size = abs(degrees)
    if size < 0.0625:
        size = 0.0625 - (0.0625 - size)
    return size if degrees >= 0.0 else -size


@kernel
def reduced(lat_deg: float) -> tuple[float, float]:
    """Return sine and cosine of the reduced latitude, tan β = (1 − f) tan φ (eq. 6); the cosine is positive."""
    s, c = sincosd(_rounded(lat_deg))
    s *= F1
    h = hypot(s, c)
    return s / h, max(c / h, TINY)


@kernel
def _epsilon(cos_a0: float) -> float:
    """Return the expansion parameter ε from k² = e′² cos² α₀ (eqs. 9, 16)."""
    k2 = EP2 * cos_a0 * cos_a0
    return k2 / (2.0 * (1.0 + sqrt(1.0 + k2)) + k2)


@kernel
def _a1(e: float) -> float:
    """Return A₁ (eq. 17)."""
    z = e * e
    return (1.0 + z * (64.0 + z * (4.0 + z)) / 256.0) / (1.0 - e)


@kernel
def _sines(s: float, c: float, c1: float, c2: float, c3: float, c4: float, c5: float, c6: float) -> float:
    """Return Σ cₗ sin 2lσ from sin σ and cos σ, by Clenshaw's recurrence."""
    x = 2.0 * (c - s) * (c + s)  # 2 cos 2σ
    b6 = c6
    b5 = x * b6 + c5
    b4 = x * b5 - b6 + c4
    b3 = x * b4 - b5 + c3
    b2 = x * b3 - b4 + c2
    b1 = x * b2 - b3 + c1
    return 2.0 * s * c * b1


@kernel
def _b1(e: float, s: float, c: float) -> float:
    """Return Σ C₁ₗ sin 2lσ (eq. 18)."""
    z = e * e
    return _sines(
        s,
        c,
        e * (-16.0 + z * (6.0 - z)) / 32.0,
        z * (-128.0 + z * (64.0 - 9.0 * z)) / 2048.0,
        e * z * (-16.0 + 9.0 * z) / 768.0,
        z * z * (-5.0 + 3.0 * z) / 512.0,
        e * z * z * -7.0 / 1280.0,
        z * z * z * -7.0 / 2048.0,
    )


@kernel
def _b1_back(e: float, s: float, c: float) -> float:
    """Return Σ C′₁ₗ sin 2lτ, which takes τ back to σ (eq. 21)."""
    z = e * e
    return _sines(
        s,
        c,
        e * (768.0 + z * (-432.0 + 205.0 * z)) / 1536.0,
        z * (3840.0 + z * (-4736.0 + 4005.0 * z)) / 12288.0,
        e * z * (116.0 - 225.0 * z) / 384.0,
        z * z * (2695.0 - 7173.0 * z) / 7680.0,
        e * z * z * 3467.0 / 7680.0,
        z * z * z * 38081.0 / 61440.0,
    )


@kernel
def _turn_back(sin_a0: float, e: float, sig12: float, s1: float, c1: float, s2: float, c2: float) -> float:
    """Return ω₁₂ − λ₁₂: how much the longitude falls behind the sphere's (eqs. 8, 23–25), radians."""
    a3 = 1.0 - e * (
        (1.0 - N) / 2.0
        + e
        * (
            (2.0 + N * (1.0 - 3.0 * N)) / 8.0
            + e * ((1.0 + N * (3.0 + N)) / 16.0 + e * ((3.0 + 2.0 * N) / 64.0 + e * 3.0 / 128.0))
        )
    )
    k1 = e * (
        (1.0 - N) / 4.0
        + e
        * ((1.0 - N * N) / 8.0 + e * ((3.0 + N * (3.0 - N)) / 64.0 + e * ((5.0 + 2.0 * N) / 128.0 + e * 3.0 / 128.0)))
    )
    k2 = (
        e
        * e
        * (
            (2.0 + N * (N - 3.0)) / 32.0
            + e * ((3.0 - N * (2.0 + 3.0 * N)) / 64.0 + e * ((3.0 + N) / 128.0 + e * 5.0 / 256.0))
        )
    )
    k3 = e * e * e * ((5.0 + N * (5.0 * N - 9.0)) / 192.0 + e * ((9.0 - 10.0 * N) / 384.0 + e * 7.0 / 512.0))
    k4 = e * e * e * e * (7.0 * (1.0 - 2.0 * N) / 512.0 + e * 7.0 / 512.0)
    k5 = e * e * e * e * e * 21.0 / 2560.0
    wave = _sines(s2, c2, k1, k2, k3, k4, k5, 0.0) - _sines(s1, c1, k1, k2, k3, k4, k5, 0.0)
    return F * sin_a0 * a3 * (sig12 + wave)


class Line(NamedTuple):
    """A geodesic that sets out from a place; what does not depend on how far it goes."""

    sin_a0: float
    cos_a0: float
    e: float
    s1: float
    c1: float
    sig1: float
    back1: float
    unit_m: float


@kernel
def setting_out(sin_b1: float, cos_b1: float, azi_deg: float) -> Line:
    """Return the geodesic that sets out at an azimuth from a place of this reduced latitude (`reduced`)."""
    sin_a1, cos_a1 = sincosd(_rounded(azi_deg))
    sin_a0, cos_a0 = sin_a1 * cos_b1, hypot(cos_a1, sin_a1 * sin_b1)  # eq. 5
    e = _epsilon(cos_a0)
    c1 = cos_a1 * cos_b1
    if sin_b1 == 0.0 and c1 == 0.0:
        c1 = 1.0  # along the equator σ may be counted from anywhere
    h = hypot(sin_b1, c1)
    s1, c1 = sin_b1 / h, c1 / h
    return Line(sin_a0, cos_a0, e, s1, c1, atan2_rad(s1, c1), _b1(e, s1, c1), B_M * _a1(e))


@kernel
def along(lon: float, line: Line, s_m: float) -> tuple[float, float]:
    """Return the point at a distance along a geodesic that sets out from a longitude; see `direct`."""
    sin_a0, cos_a0, e, s1, c1 = line.sin_a0, line.cos_a0, line.e, line.s1, line.c1
    tau12 = s_m / line.unit_m
    s, c = sincos_rad(line.sig1 + line.back1 + tau12)
    sig12 = tau12 + line.back1 + _b1_back(e, s, c)
    s12, c12 = sincos_rad(sig12)
    s2, c2 = s1 * c12 + c1 * s12, c1 * c12 - s1 * s12
    cos_b2 = hypot(sin_a0, cos_a0 * c2)
    lat2 = atan2d(cos_a0 * s2, F1 * cos_b2)
    # ω₁₂ by the difference of the two angles (sin α₀ sin σ, cos σ), so that it keeps its digits
    om12 = atan2_rad(sin_a0 * (s2 * c1 - c2 * s1), c2 * c1 + sin_a0 * sin_a0 * s2 * s1)
    lam12 = om12 - _turn_back(sin_a0, e, sig12, s1, c1, s2, c2)
    return lat2, short_way(short_way(lon) + lam12 / RAD_PER_DEG)


@kernel
def direct(lat: float, lon: float, azi_deg: float, s_m: float) -> tuple[float, float]:
    """Return the point at a distance along a geodesic.

    Parameters
    ----------
    lat, lon : float
        Where it starts, degrees.
    azi_deg : float
        Azimuth at the start, degrees from true north; at a pole, north is along the given longitude's far side.
    s_m : float
        Distance, metres; negative goes backwards.

    Returns
    -------
    lat, lon : float
        Degrees; longitude -180 to 180.
    """
    sin_b1, cos_b1 = reduced(lat)
    return along(lon, setting_out(sin_b1, cos_b1, azi_deg), s_m)


@kernel
def inverse_m(lat1: float, lon1: float, lat2: float, lon2: float) -> tuple[float, float]:
    """Return the length of the shortest geodesic between two points, and where it sets out to.

    Parameters
    ----------
    lat1, lon1, lat2, lon2 : float
        Degrees.

    Returns
    -------
    s_m : float
        Metres; 0 if the points are one.
    azi_deg : float
        Azimuth at the first point, -180 to 180 degrees from true north; 0 if the points are one.
    """
    dlon = _rounded(short_way(lon2 - lon1))
    if lat1 == lat2 and (dlon == 0.0 or abs(lat1) == 90.0):
        return 0.0, 0.0
    lam12 = dlon * RAD_PER_DEG
    sin_b1, cos_b1 = reduced(lat1)
    sin_b2, cos_b2 = reduced(lat2)
    # First guess: a sphere whose longitudes are stretched as at the mean latitude (Karney's eq. 48)
    w = 0.5 * (cos_b1 + cos_b2)
    om12 = lam12 / sqrt(1.0 - E2 * w * w) if abs(lam12) < 1.0 else lam12
    for _ in range(STEPS):
        so, co = sincos_rad(om12)
        half, _c = sincos_rad(0.5 * om12)
        east = cos_b2 * so
        north = (sin_b2 * cos_b1 - cos_b2 * sin_b1) + 2.0 * sin_b1 * cos_b2 * half * half
        sin_s12, cos_s12 = hypot(east, north), sin_b1 * sin_b2 + cos_b1 * cos_b2 * co
        if sin_s12 == 0.0:
            if cos_s12 > 0.0:
                return 0.0, 0.0
            break
        sin_a1, cos_a1 = east / sin_s12, north / sin_s12
        sin_a0, cos_a0 = sin_a1 * cos_b1, hypot(cos_a1, sin_a1 * sin_b1)
        e = _epsilon(cos_a0)
        s1, c1 = sin_b1, cos_a1 * cos_b1
        if s1 == 0.0 and c1 == 0.0:
            c1 = 1.0
        h = hypot(s1, c1)
        s1, c1 = s1 / h, c1 / h
        s2, c2 = s1 * cos_s12 + c1 * sin_s12, c1 * cos_s12 - s1 * sin_s12
        sig12 = atan2_rad(sin_s12, cos_s12)
        better = lam12 + _turn_back(sin_a0, e, sig12, s1, c1, s2, c2)
        step = abs(better - om12)
        om12 = better
        if step < 1e-13 * max(abs(om12), 1e-3) or sin_a0 == 0.0:
            if abs(om12) > PI:
                break  # this one is not the shortest
            # `step` of the next round would be F times smaller: the values above are right to rounding
            return B_M * _a1(e) * (sig12 + _b1(e, s2, c2) - _b1(e, s1, c1)), atan2d(sin_a1, cos_a1)
    return _inverse_antipodal(lat1, lat2, dlon)


@kernel
def _hybrid(sin_b1: float, cos_b1: float, sin_b2: float, cos_b2: float, a1: float) -> tuple[float, float]:
    """Return λ₁₂ (radians) and s₁₂ (metres) of the geodesic that leaves β₁ ≤ 0 at azimuth a1 ≥ 0 and reaches β₂.

    |β₂| ≤ −β₁, so that it is reached whatever the azimuth (Karney's hybrid problem, section 4).
    """
    sin_a1, cos_a1 = sincos_rad(a1)
    sin_a0, cos_a0 = sin_a1 * cos_b1, hypot(cos_a1, sin_a1 * sin_b1)
    if sin_b1 == 0.0 and cos_a1 == 0.0:
        cos_a1 = -TINY  # along the equator: as the limit from the south
    sin_a2 = sin_a0 / cos_b2
    cos_a2 = sqrt(max((cos_a1 * cos_b1) ** 2 + (cos_b2 - cos_b1) * (cos_b2 + cos_b1), 0.0)) / cos_b2
    if sin_a2 * sin_a2 + cos_a2 * cos_a2 == 0.0:
        cos_a2 = 1.0
    s1, c1 = sin_b1, cos_a1 * cos_b1
    s2, c2 = sin_b2, cos_a2 * cos_b2
    h1, h2 = max(hypot(s1, c1), TINY), max(hypot(s2, c2), TINY)
    s1, c1, s2, c2 = s1 / h1, c1 / h1, s2 / h2, c2 / h2
    sig12 = atan2_rad(max(c1 * s2 - s1 * c2, 0.0), c1 * c2 + s1 * s2)
    om12 = atan2_rad(max(sin_a0 * (s2 * c1 - c2 * s1), 0.0), c2 * c1 + sin_a0 * sin_a0 * s2 * s1)
    e = _epsilon(cos_a0)
    lam12 = om12 - _turn_back(sin_a0, e, sig12, s1, c1, s2, c2)
    return lam12, B_M * _a1(e) * (sig12 + _b1(e, s2, c2) - _b1(e, s1, c1))


@kernel
def _inverse_antipodal(lat1: float, lat2: float, dlon: float) -> tuple[float, float]:
    """Return length and first azimuth for points that are nearly antipodal: bisection on the azimuth."""
    east = dlon >= 0.0
    swap = abs(lat1) < abs(lat2)
    near, far = (lat2, lat1) if swap else (lat1, lat2)
    flip = near > 0.0
    if flip:
        near, far = -near, -far
    sin_b1, cos_b1 = reduced(near)
    sin_b2, cos_b2 = reduced(far)
    cos_b2 = max(cos_b2, cos_b1)
    lam12 = abs(dlon) * RAD_PER_DEG
    lo, hi = 0.0, PI
    for _ in range(60):
        mid = 0.5 * (lo + hi)
        if _hybrid(sin_b1, cos_b1, sin_b2, cos_b2, mid)[0] < lam12:
            lo = mid
        else:
            hi = mid
    s_m = _hybrid(sin_b1, cos_b1, sin_b2, cos_b2, 0.5 * (lo + hi))[1]
    sin_a, cos_a = sincos_rad(0.5 * (lo + hi))
    if swap:  # the azimuth is wanted at the other end; Clairaut: sin α cos β is the same
        sin_a = min(sin_a * cos_b1 / cos_b2, 1.0)
        cos_a = sqrt(max(1.0 - sin_a * sin_a, 0.0))
    if swap != flip:
        cos_a = -cos_a
    return s_m, atan2d(sin_a if east else -sin_a, cos_a)
