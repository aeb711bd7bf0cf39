"""The way between two fixes: the geodesic, cut so that plane chords of longitude and latitude follow it.

A straight line in longitude and latitude leaves the geodesic between its ends by about
R |sin φ| Δλ (cos²φ Δλ² + 2 Δφ²) / 8 |v|, with v = (cos φ Δλ, Δφ): the acceleration of the chord against the
geodesic equation. Near a pole this grows without bound, and pieces are cut ever shorter.
"""

from __future__ import annotations

from math import ceil, sqrt

from tocsin.kernels.earth.geodesic import A_M, E2, direct, inverse_m, short_way
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import RAD_PER_DEG, sincosd

CHORD_TOLERANCE_M = 0.1
"""How far a chord may lie from its geodesic, metres (DESIGN §5, P1)."""
MERIDIAN_ERROR_M = 1.5 * E2 * A_M / 8.0
"""Times Δφ² in radians; 0.1 m for 0.2 degrees."""
MAX_PIECES = 4096
"""Most pieces of one way cut evenly."""
SHORTEST_CUT = 1.0 / (1 << 24)
"""Shortest piece of a way cut unevenly, as a fraction of it."""


@kernel
def chord_error_m(lat0: float, lon0: float, lat1: float, lon1: float) -> float:
    """Return about how far the plane chord between two places leaves their geodesic, metres, from above."""
    dlon = abs(short_way(lon1 - lon0)) * RAD_PER_DEG
    if dlon == 0.0 or abs(lat0) == 90.0 or abs(lat1) == 90.0:
        return 0.0  # along a meridian
    dlat = abs(lat1 - lat0) * RAD_PER_DEG
    sin_lat, _ = sincosd(max(abs(lat0), abs(lat1)))
    _, cos_lat = sincosd(min(abs(lat0), abs(lat1)))
    if dlon > 0.5:  # the formula is for short ways
        cos_lat = 1.0
    east = cos_lat * dlon
    v = sqrt(east * east + dlat * dlat)
    return A_M * sin_lat * dlon * (east * east + 2.0 * dlat * dlat) / (8.0 * v)


@kernel
def leg_error_m(lat0: float, lon0: float, lat1: float, lon1: float) -> float:
    """Return about how far a place at a share of the chord is from the place at that share of the geodesic, metres.

    Across the way that is `chord_error_m`. Along it the error is of the same size, but on a meridian, where the chord
    is the geodesic, degrees of latitude differ in length: by 3/2 e² sin 2φ R Δφ² / 8 at most.
    """
    dlat, dlon = (lat1 - lat0) * RAD_PER_DEG, abs(short_way(lon1 - lon0)) * RAD_PER_DEG
    across_m = 0.25 * A_M * dlon * (dlon + abs(dlat))  # no latitude has more
    if across_m > CHORD_TOLERANCE_M:
        across_m = chord_error_m(lat0, lon0, lat1, lon1)
    return max(across_m, MERIDIAN_ERROR_M * dlat * dlat)


@kernel
def split_count(lat0: float, lon0: float, lat1: float, lon1: float) -> int:
    """Return into how many equal pieces a geodesic is cut so that each one's plane chord follows it within 0.1 m.

    Parameters
    ----------
    lat0, lon0, lat1, lon1 : float
        Degrees.

    Returns
    -------
    int
        1 … 4096. Ways that pass a pole closely need uneven pieces: `crossings.way_crossings` cuts those itself.
    """
    error_m = leg_error_m(lat0, lon0, lat1, lon1)
    if error_m <= CHORD_TOLERANCE_M:
        return 1
    return min(ceil(sqrt(2.0 * error_m / CHORD_TOLERANCE_M)), MAX_PIECES)


@kernel
def geodesic_point(lat0: float, lon0: float, lat1: float, lon1: float, f: float) -> tuple[float, float]:
    """Return latitude and longitude at the fraction `f`, 0 to 1, of the geodesic from the first place to the second."""
    s_m, azi_deg = inverse_m(lat0, lon0, lat1, lon1)
    return direct(lat0, lon0, azi_deg, f * s_m)
