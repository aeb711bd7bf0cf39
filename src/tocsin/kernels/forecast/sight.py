"""Sight: in which directions of its fan a track may meet a box or an edge, on a plane about it.

The plane is that of distance and first azimuth, to the second order: a place's azimuth is that of the chord in
longitude and latitude, turned back by half of what the meridians converge. All bounds err to the side of seeing: by
`bent` for what the plane leaves out and for the chords by which a way is followed. `sees` says where it is too far
from the globe; sets of directions are bits of a whole number.
"""

from __future__ import annotations

from math import ceil, inf, sqrt
from typing import NamedTuple

import numpy as np

from tocsin.kernels.earth.geodesic import A_M, E2, reduced
from tocsin.kernels.forecast.forecast import FAN_DEG, FLAT_DEG, PER_METRE_DEG, PIECE_M, RAYS
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import RAD_PER_DEG, hypot, sincosd

MOST_PIECES = 16
"""Pieces of a way that there is room for."""

STEEP, ROUGH = 0.6, 0.004
"""A way's piece sets out beside its geodesic by its length over the Earth's radius, times the tangent of the latitude,
times this at most; and what else the plane leaves out on short ways, radians: half of the first is so by proof."""

MOST_BENT = 0.1
"""A fan whose ways may lie further beside the plane's than this, for each metre of them, is not seen by it."""

NEARLY = 1.01
"""No length in the plane is further from that on the globe."""

ALL_RAYS = (1 << RAYS) - 1
"""Every direction."""

HALF_TURN = 2.0
"""A pseudo-angle goes from minus this to this as the angle goes from -180 to 180 degrees, by less than a radian's one
for each radian."""

BINS = 64
"""In a unit of pseudo-angles, by which the first direction beyond one is looked up."""

WIDE = 1.0
"""An edge that spans more of a pseudo-angle than this is seen in every direction: it is near, and there are few."""


@kernel
def pseudo_angle(right: float, ahead: float) -> float:
    """Return a number that grows as a direction turns to the right: -2 to 2, 0 for straight ahead."""
    size = abs(right) + abs(ahead)
    p = right / size if size > 0.0 else 0.0
    return p if ahead >= 0.0 else (2.0 - p if right >= 0.0 else -2.0 - p)


_AHEAD, _RIGHT = np.cos(np.radians(FAN_DEG)), np.sin(np.radians(FAN_DEG))
_SHARE = _RIGHT / (abs(_RIGHT) + abs(_AHEAD))
FAN_PSEUDO = np.where(_AHEAD >= 0.0, _SHARE, np.copysign(2.0, _RIGHT) - _SHARE)
"""The directions of the fan as pseudo-angles."""

FIRST_BEYOND = np.searchsorted(FAN_PSEUDO, np.arange(-HALF_TURN, HALF_TURN + 2.0 / BINS, 1.0 / BINS))
"""For each bin the first direction that is not before it."""


class Sight(NamedTuple):
    """One fix and its fan, in a plane about it.

    Attributes
    ----------
    lat_deg, lon_deg, course_deg, reach_m : the fix, and how far the fan reaches about which course
    sin_course, cos_course : of that
    sin_reduced, cos_reduced : of the fix's reduced latitude
    pieces : of each way
    lat_m : metres in a degree of latitude
    lon_m, lon_less_m : metres in a degree of longitude, and how many fewer for each degree that a place lies further
        north
    turn : by how much meridians converge halfway to a place, radians for each degree of longitude
    tangent : of the highest latitude in reach
    wide_deg : degrees of longitude in reach, on either side
    bent : how far a way may lie beside the plane's, for each metre of it
    """

    lat_deg: float
    lon_deg: float
    course_deg: float
    reach_m: float
    sin_course: float
    cos_course: float
    sin_reduced: float
    cos_reduced: float
    pieces: int
    lat_m: float
    lon_m: float
    lon_less_m: float
    turn: float
    tangent: float
    wide_deg: float
    bent: float


@kernel
def sight_of(lat_deg: float, lon_deg: float, course_deg: float, reach_m: float) -> Sight:
    """Return a fix and its fan in a plane about it."""
    s, c = sincosd(lat_deg)
    w = 1.0 - E2 * s * s
    across_m = RAD_PER_DEG * A_M / sqrt(w)
    sin_course, cos_course = sincosd(course_deg)
    sin_reduced, cos_reduced = reduced(lat_deg)
    pieces, farthest_deg = ceil(reach_m / PIECE_M), abs(lat_deg) + NEARLY * reach_m * PER_METRE_DEG
    far_s, far_c = sincosd(min(farthest_deg, FLAT_DEG))
    tangent, far = far_s / far_c, reach_m / A_M
    bent = ROUGH + STEEP * far / max(pieces, 1) * tangent + far * far * (1.0 + tangent * tangent)
    return Sight(
        lat_deg, lon_deg, course_deg, reach_m, sin_course, cos_course, sin_reduced, cos_reduced, pieces,
        across_m * (1.0 - E2) / w, across_m * c, 0.5 * across_m * RAD_PER_DEG * s, 0.5 * RAD_PER_DEG * s,
        tangent, NEARLY * reach_m * PER_METRE_DEG / far_c, bent if farthest_deg < FLAT_DEG else inf,
    )  # fmt: skip


@kernel
def sees(sight: Sight) -> bool:
    """Return True if all this holds for a fan: it stays clear of the poles and the antimeridian, and near its plane."""
    return bool(
        (sight.bent < MOST_BENT) & (sight.pieces <= MOST_PIECES) & (abs(sight.lon_deg) + sight.wide_deg < 180.0)
    )


@kernel
def _placed(sight: Sight, lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """Return how far to the right of the course and how far ahead a place lies in the plane, metres."""
    up, aside = lat_deg - sight.lat_deg, lon_deg - sight.lon_deg
    x, y, turn = aside * (sight.lon_m - up * sight.lon_less_m), up * sight.lat_m, aside * sight.turn
    x, y = x - turn * y, y + turn * x
    return x * sight.cos_course - y * sight.sin_course, x * sight.sin_course + y * sight.cos_course


@kernel
def _between(lo: float, hi: float) -> int:
    """Return the directions of the fan between two pseudo-angles within ±`HALF_TURN`."""
    first, end = FIRST_BEYOND[int((lo + HALF_TURN) * BINS)], FIRST_BEYOND[int((hi + HALF_TURN) * BINS)]
    while first < RAYS and FAN_PSEUDO[first] < lo:
        first += 1
    while end < RAYS and FAN_PSEUDO[end] <= hi:
        end += 1
    return ((1 << (end - first)) - 1) << first if end > first else 0


@kernel
def rays_between(lo: float, hi: float) -> int:
    """Return the directions of the fan between two pseudo-angles, which may be past ±`HALF_TURN`."""
    if hi - lo >= 2.0 * HALF_TURN:
        return ALL_RAYS
    seen = _between(min(max(lo, -HALF_TURN), HALF_TURN), min(max(hi, -HALF_TURN), HALF_TURN))
    if lo < -HALF_TURN:
        seen |= _between(lo + 2.0 * HALF_TURN, HALF_TURN)
    if hi > HALF_TURN:
        seen |= _between(-HALF_TURN, hi - 2.0 * HALF_TURN)
    return seen


@kernel
def box_seen(sight: Sight, west: float, south: float, east: float, north: float) -> int:
    """Return the directions in which a way of the fan may meet a box of degrees: those of a disc about it."""
    half_lon, half_lat = 0.5 * (east - west), 0.5 * (north - south)
    lat_deg, lon_deg = 0.5 * (south + north), 0.5 * (west + east)
    right, ahead = _placed(sight, lat_deg, lon_deg)
    shift = half_lat * abs(sight.lon_less_m)
    half_x = half_lon * (sight.lon_m + abs(lat_deg - sight.lat_deg) * abs(sight.lon_less_m) + shift)
    half_x += abs(lon_deg - sight.lon_deg) * shift
    square, half2 = right * right + ahead * ahead, half_x * half_x + half_lat * half_lat * sight.lat_m * sight.lat_m
    # The box turns by what the meridians converge within it.
    half = (sqrt(half2) + half_lon * abs(sight.turn) * sqrt(square)) * NEARLY + 1.0
    if square <= half * half:
        return ALL_RAYS
    if square > (half + NEARLY * sight.reach_m) * (half + NEARLY * sight.reach_m):
        return 0
    away = sqrt(square)
    sine = half / away
    cosine = sqrt(1.0 - sine * sine)
    lo = pseudo_angle(right * cosine - ahead * sine, ahead * cosine + right * sine)
    hi = pseudo_angle(right * cosine + ahead * sine, ahead * cosine - right * sine)
    return rays_between(lo - sight.bent, (hi if lo <= hi else hi + 2.0 * HALF_TURN) + sight.bent)


@kernel
def vertex_seen(sight: Sight, lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """Return where a vertex lies in the plane: its pseudo-angle, and how far away, metres."""
    right, ahead = _placed(sight, lat_deg, lon_deg)
    return pseudo_angle(right, ahead), hypot(right, ahead)


@kernel
def edge_seen(sight: Sight, a: float, a_m: float, b: float, b_m: float, length_deg: float) -> tuple[int, float, float]:
    """Return the directions in which a way of the fan may meet an edge, and how near and how far along it.

    `a`, `a_m`, `b` and `b_m` are the vertices' (`vertex_seen`); `length_deg` is no less than the edge's length.
    """
    length_m = length_deg * sight.lat_m * NEARLY
    near_m, far_m = 0.5 * (a_m + b_m - length_m) / NEARLY - 1.0, 0.5 * (a_m + b_m + length_m) * NEARLY + 1.0
    if near_m > sight.reach_m:
        return 0, near_m, far_m
    lo, hi = min(a, b), max(a, b)
    if hi - lo > HALF_TURN:
        lo, hi = hi, lo + 2.0 * HALF_TURN
    # Straight in longitude and latitude, it bulges in the plane.
    bulge_m = length_m * length_m * (0.25 * sight.tangent + 0.05) / A_M
    slack = sight.bent + 3.0 * bulge_m / max(min(a_m, b_m), 1e-3)
    if hi - lo > WIDE or slack > WIDE:
        return ALL_RAYS, near_m, far_m
    return rays_between(lo - slack, hi + slack), near_m, far_m
