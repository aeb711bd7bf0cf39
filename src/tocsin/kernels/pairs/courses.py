"""Straight courses: movers that keep course and speed along the geodesic, as pieces, and how near two of them come.

A way of up to some hundred kilometres is walked on the circle that fits the ellipsoid best at its start (Euler's
radius of curvature in that direction): off the geodesic by 0.2 m after 150 km, by its cube before. Where that could
change an answer the geodesics themselves are walked. Leaves out altitude, wind, turns: a prediction, not a promise.
"""

from __future__ import annotations

from math import ceil, nan, sqrt

import numpy as np

from tocsin.kernels.earth.geodesic import A_M, E2, direct, inverse_m
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import sincosd
from tocsin.kernels.pairs.neighbours import arc_m
from tocsin.kernels.tables import Row, Rows

COURSE = np.dtype(
    [
        ("x_m", "f8"),  # start, Earth-centred
        ("y_m", "f8"),
        ("z_m", "f8"),
        ("along_x", "f8"),  # unit vector along the course
        ("along_y", "f8"),
        ("along_z", "f8"),
        ("down_x", "f8"),  # unit vector towards the centre of curvature
        ("down_y", "f8"),
        ("down_z", "f8"),
        ("radius_m", "f8"),
        ("speed_mps", "f8"),
    ],
    align=True,
)
"""One mover that goes on as it goes."""

OFF_AT_150_KM_M = 0.3
"""How far the circle may be off the geodesic after 150 km, metres, from above; it grows with the cube of the way."""
NEWTON_STEPS = 1
"""Steps towards the closest moment; the first guess is off by a thousandth of a piece, and a step squares that."""


@kernel
def set_courses(lat_deg: Rows, lon_deg: Rows, speed_mps: Rows, course_deg: Rows, courses: Rows) -> None:
    """Write the course of each mover.

    Parameters
    ----------
    lat_deg, lon_deg, speed_mps, course_deg : ndarray, shape (n,), float64
        A mover whose speed or course is NaN stays where it is.
    courses : ndarray, shape (n,), COURSE
    """
    for i in range(len(lat_deg)):
        sin_lat, cos_lat = sincosd(lat_deg[i])
        sin_lon, cos_lon = sincosd(lon_deg[i])
        w2 = 1.0 - E2 * sin_lat * sin_lat
        n_m = A_M / sqrt(w2)
        m_m = n_m * (1.0 - E2) / w2
        row = courses[i]
        row.x_m, row.y_m, row.z_m = n_m * cos_lat * cos_lon, n_m * cos_lat * sin_lon, n_m * (1.0 - E2) * sin_lat
        row.down_x, row.down_y, row.down_z = -cos_lat * cos_lon, -cos_lat * sin_lon, -sin_lat
        moves = speed_mps[i] > 0.0 and course_deg[i] == course_deg[i]
        row.speed_mps = speed_mps[i] if moves else 0.0
        sin_c, cos_c = sincosd(course_deg[i]) if moves else (0.0, 1.0)
        row.radius_m = 1.0 / (cos_c * cos_c / m_m + sin_c * sin_c / n_m)  # Euler
        row.along_x = -sin_lon * sin_c - sin_lat * cos_lon * cos_c
        row.along_y = cos_lon * sin_c - sin_lat * sin_lon * cos_c
        row.along_z = cos_lat * cos_c


@kernel
def _arc(angle: float) -> tuple[float, float]:
    """Return the sine of a small angle and one less its cosine (to 1e-12 below 0.1 radians)."""
    z = angle * angle
    s = angle * (1.0 - z / 6.0 * (1.0 - z / 20.0 * (1.0 - z / 42.0)))
    return s, 0.5 * z * (1.0 - z / 12.0 * (1.0 - z / 30.0 * (1.0 - z / 56.0)))


@kernel
def _place(course: Row, at_s: float) -> tuple[float, float, float]:
    """Return where a mover is after a time, Earth-centred metres."""
    s, c = _arc(course.speed_mps * at_s / course.radius_m)
    along_m, down_m = course.radius_m * s, course.radius_m * c
    return (
        course.x_m + along_m * course.along_x + down_m * course.down_x,
        course.y_m + along_m * course.along_y + down_m * course.down_y,
        course.z_m + along_m * course.along_z + down_m * course.down_z,
    )


@kernel
def cut_courses(courses: Rows, horizon_s: float, longest_m: float, start: int, pieces: Rows, n: int) -> tuple[int, int]:
    """Write the pieces of each course over the horizon, from mover `start` on.

    Parameters
    ----------
    courses : ndarray of COURSE
    horizon_s : float
        More than 0.
    longest_m : float
        Longest piece, metres.
    pieces : ndarray of pairs.PIECE
        Written from row `n` on.

    Returns
    -------
    next, n : int
        The mover to go on with, and how many pieces there are.
    """
    for i in range(start, len(courses)):
        course = courses[i]
        count = max(1, ceil(course.speed_mps * horizon_s / longest_m))
        if n + count > len(pieces):
            return i, n
        step_s = horizon_s / count
        x, y, z = course.x_m, course.y_m, course.z_m
        for k in range(count):
            piece = pieces[n]
            n += 1
            piece.x_m, piece.y_m, piece.z_m = x, y, z
            piece.x_mps, piece.y_mps, piece.z_mps = 0.0, 0.0, 0.0
            piece.from_s = k * step_s
            piece.to_s = horizon_s if k == count - 1 else (k + 1) * step_s
            if course.speed_mps > 0.0:
                took_s = piece.to_s - piece.from_s
                x, y, z = _place(course, piece.to_s)
                piece.x_mps, piece.y_mps = (x - piece.x_m) / took_s, (y - piece.y_m) / took_s
                piece.z_mps = (z - piece.z_m) / took_s
            piece.alt_m, piece.climb_mps, piece.reach_m = nan, nan, 0.0
            piece.track, piece.slot = i, 0
    return len(courses), n


@kernel
def _closest_on_arcs(a: Row, b: Row, at_s: float, horizon_s: float) -> tuple[float, float]:
    """Return when two movers are closest, near a first guess, and how close in a straight line."""
    for _ in range(NEWTON_STEPS):
        pa, pb = a.speed_mps / a.radius_m, b.speed_mps / b.radius_m
        sa, ca = _arc(pa * at_s)
        sb, cb = _arc(pb * at_s)
        ua, da = a.speed_mps * (1.0 - ca), a.speed_mps * sa
        ub, db = b.speed_mps * (1.0 - cb), b.speed_mps * sb
        ka, kb = a.speed_mps * pa, b.speed_mps * pb
        ax, ay, az = _place(a, at_s)
        bx, by, bz = _place(b, at_s)
        x, y, z = bx - ax, by - ay, bz - az
        u = ub * b.along_x + db * b.down_x - ua * a.along_x - da * a.down_x
        v = ub * b.along_y + db * b.down_y - ua * a.along_y - da * a.down_y
        w = ub * b.along_z + db * b.down_z - ua * a.along_z - da * a.down_z
        bend = x * (kb * b.down_x - ka * a.down_x) + y * (kb * b.down_y - ka * a.down_y)
        bend += z * (kb * b.down_z - ka * a.down_z)
        slope, curve = x * u + y * v + z * w, u * u + v * v + w * w + bend
        if not curve > 0.0:
            break
        at_s = min(max(at_s - slope / curve, 0.0), horizon_s)
    ax, ay, az = _place(a, at_s)
    bx, by, bz = _place(b, at_s)
    x, y, z = bx - ax, by - ay, bz - az
    return at_s, sqrt(x * x + y * y + z * z)


@kernel
def _apart_m(lat_deg: Rows, lon_deg: Rows, speed_mps: Rows, course_deg: Rows, i: int, j: int, at_s: float) -> float:
    """Return the geodesic distance of two movers after a time, each walked along its geodesic."""
    lat1, lon1, lat2, lon2 = lat_deg[i], lon_deg[i], lat_deg[j], lon_deg[j]
    if speed_mps[i] > 0.0 and course_deg[i] == course_deg[i]:
        lat1, lon1 = direct(lat1, lon1, course_deg[i], speed_mps[i] * at_s)
    if speed_mps[j] > 0.0 and course_deg[j] == course_deg[j]:
        lat2, lon2 = direct(lat2, lon2, course_deg[j], speed_mps[j] * at_s)
    return inverse_m(lat1, lon1, lat2, lon2)[0]


@kernel
def settle(lat_deg: Rows, lon_deg: Rows, speed_mps: Rows, course_deg: Rows, courses: Rows, hits: Rows, within_m: float,
           horizon_s: float, i_out: Rows, j_out: Rows, cpa_out: Rows, tcpa_out: Rows) -> int:  # fmt: skip
    """Decide each hit exactly: write the pairs whose closest approach is within the distance, and return how many.

    Parameters
    ----------
    lat_deg, lon_deg, speed_mps, course_deg : ndarray, shape (n,), float64
    courses, hits
        As `set_courses` and `pairs.meet` left them.
    within_m, horizon_s : float
    i_out, j_out : ndarray, shape (hits,), int32
        A pair may be written twice, once for each piece at whose seam it is closest.
    cpa_out, tcpa_out : ndarray, shape (hits,), float64
        Metres and seconds.
    """
    n = 0
    for h in range(len(hits)):
        i, j = hits[h].p_track, hits[h].q_track
        a, b = courses[i], courses[j]
        at_s, chord_m = _closest_on_arcs(a, b, hits[h].closest_s, horizon_s)
        way = max(a.speed_mps, b.speed_mps) * at_s / 150_000.0
        off_m = 2.0 * OFF_AT_150_KM_M * way * way * way + 1e-6
        away_m = arc_m(chord_m)
        if chord_m - off_m > within_m:
            continue
        if away_m + off_m > within_m:  # too near to call: walk the geodesics; the moment is right to the square of that
            away_m = _apart_m(lat_deg, lon_deg, speed_mps, course_deg, i, j, at_s)
            if away_m > within_m:
                continue
        i_out[n], j_out[n] = i, j
        cpa_out[n], tcpa_out[n] = away_m, at_s
        n += 1
    return n
