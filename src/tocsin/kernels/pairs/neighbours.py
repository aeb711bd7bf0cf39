"""Neighbours: which places lie within a distance of each other, now, by geodesic distance on WGS84.

Rows of latitude as high as the distance, cut into columns about as wide: a place's neighbours stand in its own row
and the one above it. The straight line between two places decides nearly always, because it bounds the geodesic to a
hair; where it does not, the geodesic is computed. Places only: for movers over a time see `pairs.py`.
"""

from __future__ import annotations

from math import floor, sqrt

import numpy as np

from tocsin.kernels.earth.geodesic import A_M, E2, inverse_m
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import HALF_PI, PI, RAD_PER_DEG, atan2_rad, sincos_rad, sincosd
from tocsin.kernels.pairs.pairs import LEAST_RADIUS_M, ROW_STEP, columns_in
from tocsin.kernels.tables import Row, Rows

SPOT = np.dtype(
    [
        ("x_m", "f8"),  # Earth-centred
        ("y_m", "f8"),
        ("z_m", "f8"),
        ("lon", "f8"),  # radians, -π to π
        ("reach", "f8"),  # how far a neighbour of anything in the row may lie in longitude, radians; above π: anywhere
        ("row", "i4"),
        ("column", "i4"),
        ("place", "i4"),  # index into the input
    ],
    align=True,
)
"""One place and where it stands."""


@kernel
def arc_m(chord_m: float) -> float:
    """Return the length over ground of a straight line between two places of the ellipsoid, from above.

    Above by less than 0.2 mm at 20 km, 0.3 m at 200 km. A curve that bends at most so much is at most so long (Schur).
    """
    half = 0.5 * chord_m / LEAST_RADIUS_M
    return 2.0 * LEAST_RADIUS_M * atan2_rad(half, sqrt(max(1.0 - half * half, 0.0)))


@kernel
def stand(lat_deg: Rows, lon_deg: Rows, cell_m: float, columns_of: Rows, spots: Rows, starts: Rows) -> None:
    """Write where each place stands, and count the places of each bucket.

    Parameters
    ----------
    lat_deg, lon_deg : ndarray, shape (n,), float64, finite
    cell_m : float
        Height of a cell: the distance that will be asked for, or more.
    columns_of : ndarray, shape (rows + 1,), int32
        0 where nobody has asked yet; as of `pairs.enter`.
    spots : ndarray, shape (n,), SPOT
    starts : ndarray, shape (2**k + 1,), int32
        How many each bucket has is added one place on.
    """
    wide = cell_m / LEAST_RADIUS_M
    mask = len(starts) - 2
    for i in range(len(lat_deg)):
        spot = spots[i]
        sin_lat, cos_lat = sincosd(lat_deg[i])
        sin_lon, cos_lon = sincosd(lon_deg[i])
        n_m = A_M / sqrt(1.0 - E2 * sin_lat * sin_lat)
        spot.x_m, spot.y_m, spot.z_m = n_m * cos_lat * cos_lon, n_m * cos_lat * sin_lon, n_m * (1.0 - E2) * sin_lat
        spot.lon = (lon_deg[i] - 360.0 * floor((lon_deg[i] + 180.0) / 360.0)) * RAD_PER_DEG
        spot.row = max(0, floor((lat_deg[i] * RAD_PER_DEG + HALF_PI) / wide))
        south = spot.row * wide - HALF_PI
        _, cos_edge = sincos_rad(min(max(abs(south), abs(south + wide)), HALF_PI))
        spot.reach = 1.0001 * wide / (cos_edge - wide) if cos_edge > 2.0 * wide else 2.0 * PI
        columns = columns_in(spot.row, wide, columns_of)
        column = floor((spot.lon + PI) * (columns / (2.0 * PI)))
        spot.column, spot.place = min(max(column, 0), columns - 1), i
        starts[((spot.column + spot.row * ROW_STEP) & mask) + 1] += 1


@kernel
def order_spots(spots: Rows, starts: Rows, filled: Rows) -> None:
    """Order places by bucket; on return `starts` says where each bucket starts."""
    for b in range(1, len(starts)):
        starts[b] += starts[b - 1]
    mask = len(starts) - 2
    for i in range(len(spots)):
        b = (spots[i].column + spots[i].row * ROW_STEP) & mask
        filled[starts[b]] = spots[i]
        starts[b] += 1
    for b in range(len(starts) - 1, 0, -1):
        starts[b] = starts[b - 1]
    starts[0] = 0


@kernel
def _apart_m(one: Row, other: Row, lat_deg: Rows, lon_deg: Rows, within_m: float) -> float:
    """Return the geodesic distance of two places, or -1 if it is greater than asked."""
    x, y, z = one.x_m - other.x_m, one.y_m - other.y_m, one.z_m - other.z_m
    chord_m2 = x * x + y * y + z * z
    if chord_m2 > within_m * within_m:
        return -1.0
    away_m = arc_m(sqrt(chord_m2))
    if away_m > within_m or within_m > 20_000.0:
        i, j = one.place, other.place
        away_m = inverse_m(lat_deg[i], lon_deg[i], lat_deg[j], lon_deg[j])[0]
    return away_m if away_m <= within_m else -1.0


@kernel
def neighbours(lat_deg: Rows, lon_deg: Rows, filled: Rows, starts: Rows, within_m: float, cell_m: float,
               columns_of: Rows, start: int, i_out: Rows, j_out: Rows, away_out: Rows,
               n: int) -> tuple[int, int]:  # fmt: skip
    """Write every two places at most a distance apart, from the place at `start` of `filled` on.

    Parameters
    ----------
    lat_deg, lon_deg : ndarray, shape (n,), float64
    filled, starts, cell_m, columns_of
        As `order_spots` and `stand` left them.
    within_m : float
    start : int
    i_out, j_out, away_out : ndarray, int32, int32, float64
        Indices i < j, and metres; written from `n` on; each two once.

    Returns
    -------
    next, n : int
        The place to go on with (of which nothing was written), and how many pairs there are.
    """
    wide = cell_m / LEAST_RADIUS_M
    mask = len(starts) - 2
    last_row = len(columns_of) - 1
    for s in range(start, len(filled)):
        one, before = filled[s], n
        for up in range(2):
            row = one.row + up
            if row > last_row:
                break
            columns = columns_in(row, wide, columns_of)
            scale = columns / (2.0 * PI)
            middle = one.column if up == 0 else floor((one.lon + PI) * scale)
            ahead = columns if one.reach >= PI else int(one.reach * scale) + 1
            first, last = middle if up == 0 else middle - ahead, middle + ahead
            whole = 2 * ahead + 1 >= columns
            if whole:
                first, last = 0, columns - 1
            for column in range(first, last + 1):
                c = column + columns if column < 0 else (column - columns if column >= columns else column)
                b = (c + row * ROW_STEP) & mask
                # in its own row each two are met twice where all columns are looked at, and in its own column
                later = up == 0 and (whole or c == one.column)
                for k in range(max(starts[b], s + 1) if later else starts[b], starts[b + 1]):
                    other = filled[k]
                    if other.column != c or other.row != row:
                        continue
                    away_m = _apart_m(one, other, lat_deg, lon_deg, within_m)
                    if away_m < 0.0:
                        continue
                    if n == len(i_out):
                        return s, before
                    i_out[n], j_out[n] = min(one.place, other.place), max(one.place, other.place)
                    away_out[n] = away_m
                    n += 1
    return len(filled), n
