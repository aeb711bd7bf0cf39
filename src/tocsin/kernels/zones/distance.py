"""How far a place is from the edge of a zone.

An edge is straight in longitude and latitude. Nearest edges are sought by chords through the Earth, whole chunks of
edges being passed over by a bound that can only be too small; the nearest is then settled on the ellipsoid by sliding
along the edge until the geodesic to the place stands square on it. Error: below 0.05 m plus 1e-6 of the distance.
The cuts along the antimeridian and at the poles are no edges.
"""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.earth.geodesic import A_M, B_M, E2, F1, inverse_m, short_way
from tocsin.kernels.jit import kernel, sixteen
from tocsin.kernels.numbers.trig import RAD_PER_DEG, atan2_rad, sincosd
from tocsin.kernels.zones.cells import AtlasArrays
from tocsin.kernels.zones.chunks import GROUP_CHUNKS

LEAST_RADIUS_M = A_M * F1 * F1
"""6,335 km: no radius of curvature of the ellipsoid is smaller, so a sphere of it gives no distance too long."""
PART_M = 20_000.0
"""Longer edges are taken in parts, so that their chords pass less than 10 m below the ground."""
CHORD_ERROR = 8e-4
"""Times (d / R)² d: how much too long a ground distance found by a chord and the polar radius can be."""
WORTH_M = 0.02
"""An edge that could be nearer by less than this is not looked at closer."""
SLIDES = 4
"""Steps along an edge; each leaves a fraction of the error of about the distance over the Earth's radius, squared."""


@kernel
def box_bound_m(box: NDArray[np.float64], lat: float, lon: float, cos_lat: float) -> float:
    """Return a lower bound on the distance from a place to anything in a box of five: west … north, least cosine.

    sin²(d / 2) = sin²(Δφ / 2) + cos φ₁ cos φ₂ sin²(Δλ / 2) on the sphere, each part at its least; and
    u² − u⁴ / 3 ≤ sin² u.
    """
    dlat = max(box[1] - lat, lat - box[3], 0.0)
    dlon = 0.0
    if lon < box[0] or lon > box[2]:
        dlon = min(abs(short_way(box[0] - lon)), abs(short_way(lon - box[2])))
    u, v = 0.5 * RAD_PER_DEG * dlat, 0.5 * RAD_PER_DEG * dlon
    square = u * u * (1.0 - u * u / 3.0) + cos_lat * box[4] * v * v * (1.0 - v * v / 3.0)
    return 2.0 * LEAST_RADIUS_M * sqrt(square)  # 2 asin x ≥ 2 x


@kernel
def _earth(lat: float, lon: float) -> tuple[float, float, float]:
    """Return the place's coordinates in space, metres."""
    s, c = sincosd(lat)
    t, d = sincosd(lon)
    n = A_M / sqrt(1.0 - E2 * s * s)
    return n * c * d, n * c * t, n * (1.0 - E2) * s


@kernel
def _foot_m(p: tuple[float, float, float], q: tuple[float, float, float], r: tuple[float, float, float],
            radius_m: float) -> tuple[float, float]:  # fmt: skip
    """Return the distance on the ground from p to the chord q → r, and where on it the nearest point is, 0 to 1."""
    ux, uy, uz = r[0] - q[0], r[1] - q[1], r[2] - q[2]
    wx, wy, wz = p[0] - q[0], p[1] - q[1], p[2] - q[2]
    length2 = ux * ux + uy * uy + uz * uz
    t = 0.0
    if length2 > 0.0:
        t = min(max((ux * wx + uy * wy + uz * wz) / length2, 0.0), 1.0)
    wx, wy, wz = wx - t * ux, wy - t * uy, wz - t * uz
    half = min(0.5 * sqrt(wx * wx + wy * wy + wz * wz) / radius_m, 1.0)
    return 2.0 * radius_m * atan2_rad(half, sqrt(1.0 - half * half)), t


@kernel
def edge_distance_m(lat: float, lon: float, ax: float, ay: float, bx: float, by: float, t: float) -> float:
    """Return the distance from a place to an edge, sliding from the fraction `t` of it to where it is least nearby."""
    best = inf
    for _ in range(SLIDES):
        x, y = ax + t * (bx - ax), ay + t * (by - ay)
        d_m, azi_deg = inverse_m(y, x, lat, lon)
        best = min(best, d_m)
        s, c = sincosd(y)
        w = 1.0 - E2 * s * s
        east_m = RAD_PER_DEG * (bx - ax) * c * A_M / sqrt(w)
        north_m = RAD_PER_DEG * (by - ay) * A_M * F1 * F1 / (w * sqrt(w))
        length2 = east_m * east_m + north_m * north_m
        if length2 == 0.0 or d_m == 0.0:
            break
        s, c = sincosd(azi_deg)
        slide = min(max(t + d_m * (east_m * s + north_m * c) / length2, 0.0), 1.0)
        if abs(slide - t) * sqrt(length2) < 1e-3 * sqrt(d_m):
            break
        t = slide
    return best


@kernel
def _least_by_chords_m(
    p: tuple[float, float, float], q: tuple[float, float, float], ax: float, ay: float, bx: float, by: float
) -> tuple[float, float, tuple[float, float, float]]:
    """Return how far a place in space is from an edge at least, where on the edge, and the edge's end in space.

    The chord of a part passes below the ground by its sag, and beside the edge by no more; the sphere of the polar
    radius makes ground distances too long by `CHORD_ERROR`.
    """
    size_m = A_M * RAD_PER_DEG * (abs(bx - ax) + abs(by - ay))
    parts = 1 + int(size_m / PART_M)
    least, share = inf, 0.0
    for part in range(1, parts + 1):
        f = part / parts
        r = _earth(ay + f * (by - ay), ax + f * (bx - ax))
        about_m, t = _foot_m(p, q, r, B_M)
        if about_m < least:
            least, share = about_m, (part - 1 + t) / parts
        q = r
    curve = least / B_M
    return least - size_m * size_m / (parts * parts) / (2.0 * B_M) - CHORD_ERROR * curve * curve * least, share, q


@kernel
def _chunk_distance_m(xy: NDArray[np.float64], first: int, count: int, lat: float, lon: float, best: float) -> float:
    """Return the least of `best` and the distance from a place to so many edges, sixteen at most, from the first on.

    The edge that is nearest by its chords is measured first; then those that could still be nearer, unless their
    nearest point is the same vertex.
    """
    p, q = _earth(lat, lon), _earth(xy[2 * first + 1], xy[2 * first])
    least, share, nearest = sixteen(), sixteen(), 0
    for k in range(count):
        ax, ay, bx, by = xy[2 * (first + k)], xy[2 * (first + k) + 1], xy[2 * (first + k) + 2], xy[2 * (first + k) + 3]
        least[k], share[k], q = _least_by_chords_m(p, q, ax, ay, bx, by)
        if (ax == bx and abs(ax) == 180.0) or (ay == by and abs(ay) == 90.0):
            least[k] = inf  # a cut, no edge
        if least[k] < least[nearest]:
            nearest = k
    x, y = inf, inf
    for turn in range(count + 1):
        k = nearest if turn == 0 else turn - 1
        if least[k] < best - WORTH_M and (turn == 0 or k != nearest):
            e = 2 * (first + k)
            ax, ay, bx, by = xy[e], xy[e + 1], xy[e + 2], xy[e + 3]
            if not ((share[k] == 0.0 and ax == x and ay == y) or (share[k] == 1.0 and bx == x and by == y)):
                best = min(best, edge_distance_m(lat, lon, ax, ay, bx, by, share[k]))
                if turn == 0:
                    x, y = (ax, ay) if share[k] < 0.5 else (bx, by)
    return best


@kernel
def boundary_distance_m(a: AtlasArrays, zone: int, lat: float, lon: float) -> float:
    """Return the distance from a place to the nearest point of a zone's edge.

    Parameters
    ----------
    a : AtlasArrays
    zone : int
    lat, lon : float
        Degrees; inside or outside of the zone.

    Returns
    -------
    float
        Metres, 0 or more; infinite if the zone has no edge at all (it is the whole Earth).

    Notes
    -----
    About a microsecond and a half where the zone is far or has few edges; every edge is looked at for the centre of
    a circle, whose edges are all equally near.
    """
    _, cos_lat = sincosd(lat)
    c0, c1 = a.zone[zone, 1], a.zone[zone + 1, 1]
    g0, g1 = len(a.chunk) + a.zone[zone, 2], len(a.chunk) + a.zone[zone + 1, 2]
    best, nearest, near_m = inf, g0, inf
    for group in range(g0, g1):
        bound = box_bound_m(a.box[group], lat, lon, cos_lat)
        if bound < near_m:
            near_m, nearest = bound, group
    # The nearest group first, then all; a group is 16 chunks of its zone.
    for group in range(g0 - 1, g1):
        if group == nearest or (group >= g0 and box_bound_m(a.box[group], lat, lon, cos_lat) >= best):
            continue
        chunks = c0 + GROUP_CHUNKS * ((group if group >= g0 else nearest) - g0)
        for chunk in range(chunks, min(chunks + GROUP_CHUNKS, c1)):
            if box_bound_m(a.box[chunk], lat, lon, cos_lat) < best:
                best = _chunk_distance_m(a.xy, a.chunk[chunk, 0], a.chunk[chunk, 1], lat, lon, best)
    return best
