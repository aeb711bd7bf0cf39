"""Pairs: which straight pieces of way come near each other, anywhere on the globe, without looking at every two.

A *piece* is a mover's way over a short time, straight in space (Earth-centred WGS84 metres) and walked at even speed.
Pieces are listed by cell: rows of equal height in geocentric latitude, each cut into columns of about the same width,
so that neither 180° nor the poles are special. A piece stands in every cell within half the wanted distance of it;
two pieces that come near each other therefore share the cell in which the middle between them lies at their closest
moment, and are found there, once. Pieces of different *slots* never meet: a slot is a span of time, and keeps what
never coincided apart.

Leaves out what a piece means: `courses.py` makes pieces of straight courses, `meetings.py` of recorded ways.
"""

from __future__ import annotations

from math import floor, isnan, nan, sqrt

import numpy as np

from tocsin.kernels.earth.geodesic import A_M, E2
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import HALF_PI, PI, atan2_rad, sincos_rad, sincosd
from tocsin.kernels.tables import Row, Rows

PIECE = np.dtype(
    [
        ("x_m", "f8"),  # where it starts, Earth-centred
        ("y_m", "f8"),
        ("z_m", "f8"),
        ("x_mps", "f8"),
        ("y_mps", "f8"),
        ("z_mps", "f8"),
        ("alt_m", "f8"),  # NaN where it is not known; a difference of altitude counts if both are
        ("climb_mps", "f8"),
        ("from_s", "f8"),
        ("to_s", "f8"),
        ("reach_m", "f8"),  # counts towards the wider of the two distances
        ("track", "i4"),
        ("slot", "i4"),
    ],
    align=True,
)
"""One piece of way; two of one track never meet."""

HIT = np.dtype(
    [("closest_s", "f8"), ("closest_m", "f8"), ("p", "i4"), ("q", "i4"), ("p_track", "i4"), ("q_track", "i4")],
    align=True,
)
"""Two pieces that come near each other, whose they are, and their closest moment."""

ENTRY = np.dtype([("code", "u4"), ("piece", "i4"), ("from_s", "f4"), ("to_s", "f4")], align=True)
"""One piece in one cell, and when it is there. Cells that are near each other never share a code; others may."""

WAY = np.dtype([("lat", "f8"), ("lon", "f8"), ("north", "f8"), ("east", "f8")], align=True)
"""A piece in latitude and longitude, geocentric radians: where it starts and where it ends from there. Near a pole its
middle stands for it, and `north` is NaN."""

LEAST_RADIUS_M = 6_335_000.0
"""Below the least radius of curvature of WGS84 (6,335,439 m): turns metres into angles from above."""
TOUCH_M = 0.05
"""What a piece's box is wider than needed, metres: far above rounding."""
NEAR_POLE = 0.1
"""Cosine of the latitude (84°) from which on a piece's box is that of a circle around it; dimensionless."""
MIN_CELL_M = 200.0
"""Smallest cell, metres: there are then fewer than 200,000 columns."""
TOUCH_S = 0.01
"""What a piece's time in a cell is longer than needed, seconds: what float32 keeps of times below `MOST_S`."""
MOST_S = 100_000.0
"""Times are counted from an instant at most this far away, seconds."""
ROW_STEP, SLOT_STEP, CODES = 40_503, 2_654_435_761, (1 << 32) - 1
"""How far apart the codes of two rows and of two slots are; the columns of a row are neighbours in memory."""


@kernel
def earth_centred(lat_deg: float, lon_deg: float) -> tuple[float, float, float]:
    """Return a place on the ellipsoid in Earth-centred metres."""
    sin_lat, cos_lat = sincosd(lat_deg)
    sin_lon, cos_lon = sincosd(lon_deg)
    n_m = A_M / sqrt(1.0 - E2 * sin_lat * sin_lat)
    return n_m * cos_lat * cos_lon, n_m * cos_lat * sin_lon, n_m * (1.0 - E2) * sin_lat


@kernel
def columns_in(row: int, cell_rad: float, columns: Rows) -> int:
    """Return into how many columns about as wide as it is high a row is cut, from the list if it stands there.

    Parameters
    ----------
    row : int
        Counted from the south pole.
    cell_rad : float
        Its height, radians.
    columns : ndarray, shape (rows + 1,), int32
        0 where nobody has asked yet; then written.
    """
    if columns[row] == 0:
        low = row * cell_rad - HALF_PI
        widest = 0.0 if low <= 0.0 <= low + cell_rad else min(abs(low), abs(low + cell_rad))
        columns[row] = max(1, floor(2.0 * PI * sincos_rad(widest)[1] / cell_rad))
    return columns[row]


@kernel
def _row(lat_rad: float, cell_rad: float) -> int:
    return max(0, floor((lat_rad + HALF_PI) / cell_rad))


@kernel
def _code(slot: int, row: int, column: int) -> int:
    return (column + row * ROW_STEP + slot * SLOT_STEP) & CODES


@kernel
def _angles(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return geocentric latitude and longitude of a place, radians, and the cosine of the latitude."""
    across = sqrt(x * x + y * y)
    return atan2_rad(z, across), atan2_rad(y, x), across / sqrt(x * x + y * y + z * z)


@kernel
def _surround(piece: Row, around_m: float, way: Row) -> tuple[float, float]:
    """Write a piece in latitude and longitude, and return its surroundings: so much in latitude, so much in longitude.

    The second is 2π where a pole is near enough that all longitudes are.
    """
    took_s = piece.to_s - piece.from_s
    dx, dy, dz = piece.x_mps * took_s, piece.y_mps * took_s, piece.z_mps * took_s
    long_m2 = dx * dx + dy * dy + dz * dz
    lat, lon, cos_lat = _angles(piece.x_m, piece.y_m, piece.z_m)
    wide = around_m / LEAST_RADIUS_M
    way.lat, way.lon, way.north, way.east = lat, lon, 0.0, 0.0
    if long_m2 > 0.0:
        to_lat, to_lon, to_cos = _angles(piece.x_m + dx, piece.y_m + dy, piece.z_m + dz)
        way.north, way.east = to_lat - lat, _short(to_lon - lon)
        cos_lat = min(cos_lat, to_cos)
        wide += long_m2 / (6.0 * LEAST_RADIUS_M * LEAST_RADIUS_M * max(cos_lat, NEAR_POLE))  # it bends towards the pole
    if cos_lat - 2.0 * wide >= NEAR_POLE:
        return wide, wide / (cos_lat - 2.0 * wide)
    way.lat, way.lon, cos_lat = _angles(piece.x_m + 0.5 * dx, piece.y_m + 0.5 * dy, piece.z_m + 0.5 * dz)
    way.north, way.east = nan, 0.0
    wide += 0.5 * sqrt(long_m2) / LEAST_RADIUS_M
    if wide >= 0.9 * cos_lat:
        return wide, 2.0 * PI
    sine = 1.001 * wide / cos_lat
    return wide, atan2_rad(sine, sqrt(1.0 - sine * sine))


@kernel
def _short(turn: float) -> float:
    """Return a difference of longitudes taken the short way round, radians."""
    return turn - 2.0 * PI if turn > PI else (turn + 2.0 * PI if turn < -PI else turn)


@kernel
def _span(start: float, change: float, low: float, high: float) -> tuple[float, float]:
    """Return between which fractions of its way a value lies in [low, high]; the first is the greater if nowhere."""
    if change == 0.0:
        return (0.0, 1.0) if low <= start <= high else (1.0, 0.0)
    a, b = (low - start) / change, (high - start) / change
    if a > b:
        a, b = b, a
    return max(a, 0.0), min(b, 1.0)


@kernel
def enter(pieces: Rows, start: int, around_m: float, cell_m: float, columns_of: Rows, ways: Rows, entries: Rows, n: int,
          starts: Rows) -> tuple[int, int]:  # fmt: skip
    """List pieces by cell, from `start` on, until all are listed or the room is too small.

    Parameters
    ----------
    pieces : ndarray of PIECE
    start : int
    around_m : float
        Half the wanted distance, metres; each piece's `reach_m` is added.
    cell_m : float
        Height of a cell, `MIN_CELL_M` or more, metres.
    columns_of : ndarray, shape (rows + 1,), int32
        Into how many columns each row is cut; 0 where nobody has asked yet. Rows are π `LEAST_RADIUS_M` / `cell_m`.
    ways : ndarray, shape (n,), WAY
        Written.
    entries : ndarray of ENTRY
        Written from row `n` on.
    starts : ndarray, shape (2**k + 1,), int32
        How many entries each bucket has is added one place on.

    Returns
    -------
    next, n : int
        The piece to go on with, and how many entries there are.
    """
    cell_rad = cell_m / LEAST_RADIUS_M
    mask = len(starts) - 2
    for i in range(start, len(pieces)):
        piece, w, first_entry = pieces[i], ways[i], n
        wide, aside = _surround(piece, around_m + piece.reach_m + TOUCH_M, w)
        took_s = piece.to_s - piece.from_s
        north = 0.0 if isnan(w.north) else w.north
        low, high = min(w.lat, w.lat + north) - wide, max(w.lat, w.lat + north) + wide
        for row in range(_row(low, cell_rad), _row(min(high, HALF_PI), cell_rad) + 1):
            south = row * cell_rad - HALF_PI
            s0, s1 = _span(w.lat, north, south - wide, south + cell_rad + wide)
            if s0 > s1:
                continue
            columns = columns_in(row, cell_rad, columns_of)
            scale = columns / (2.0 * PI)
            west, east = w.lon + s0 * w.east, w.lon + s1 * w.east
            if west > east:
                west, east = east, west
            first = floor((west - aside + PI) * scale)
            last = floor((east + aside + PI) * scale)
            whole = last - first + 1 >= columns
            if whole:
                first, last = 0, columns - 1
            for column in range(first, last + 1):
                if n == len(entries):
                    for e in range(first_entry, n):
                        starts[(entries[e].code & mask) + 1] -= 1
                    return i, first_entry
                a, b = s0, s1
                if first < last and not whole:
                    edge = column / scale - PI
                    c, d = _span(w.lon, w.east, edge - aside, edge + 1.0 / scale + aside)
                    a, b = max(a, c), min(b, d)
                    if a > b:
                        continue
                inside = column + columns if column < 0 else (column - columns if column >= columns else column)
                entry = entries[n]
                n += 1
                code = _code(piece.slot, row, inside)
                entry.code, entry.piece = code, i
                entry.from_s = piece.from_s + a * took_s - TOUCH_S
                entry.to_s = piece.from_s + b * took_s + TOUCH_S
                starts[(code & mask) + 1] += 1
    return len(pieces), n


@kernel
def fill_buckets(entries: Rows, starts: Rows, filled: Rows) -> None:
    """Order entries by bucket.

    Parameters
    ----------
    entries : ndarray of ENTRY
    starts : ndarray, shape (2**k + 1,), int32
        As `enter` left it; on return, where each bucket starts.
    filled : ndarray, shape of `entries`, ENTRY
    """
    for b in range(1, len(starts)):
        starts[b] += starts[b - 1]
    mask = len(starts) - 2
    for e in range(len(entries)):
        b = entries[e].code & mask
        filled[starts[b]] = entries[e]
        starts[b] += 1
    for b in range(len(starts) - 1, 0, -1):
        starts[b] = starts[b - 1]
    starts[0] = 0


@kernel
def _closest(p: Row, q: Row, limit_m: float) -> tuple[float, float]:
    """Return when two pieces are closest to each other and how close; the time is NaN if that is beyond the limit."""
    lo, hi = max(p.from_s, q.from_s), min(p.to_s, q.to_s)
    if lo > hi:
        return nan, nan
    a, b = lo - p.from_s, lo - q.from_s
    u, v, w = q.x_mps - p.x_mps, q.y_mps - p.y_mps, q.z_mps - p.z_mps
    x = q.x_m + q.x_mps * b - p.x_m - p.x_mps * a
    y = q.y_m + q.y_mps * b - p.y_m - p.y_mps * a
    z = q.z_m + q.z_mps * b - p.z_m - p.z_mps * a
    aa, ab, bb = u * u + v * v + w * w, x * u + y * v + z * w, x * x + y * y + z * z
    up = q.alt_m + q.climb_mps * b - p.alt_m - p.climb_mps * a
    if not isnan(up):
        climb = q.climb_mps - p.climb_mps
        aa, ab, bb = aa + climb * climb, ab + up * climb, bb + up * up
    s = 0.0
    if ab < 0.0:
        s = min(-ab / aa, hi - lo)
    away_m2 = bb + s * (2.0 * ab + s * aa)
    if away_m2 > limit_m * limit_m:
        return nan, nan
    return lo + s, sqrt(max(away_m2, 0.0))


@kernel
def _middle_code(p: Row, q: Row, p_way: Row, q_way: Row, at_s: float, within_m: float, cell_rad: float,
                 columns_of: Rows) -> int:  # fmt: skip
    """Return the cell of a place between two pieces that both are listed for: the middle of their reach."""
    f = (0.5 * within_m + p.reach_m) / max(within_m + p.reach_m + q.reach_m, 1e-9)
    if not (isnan(p_way.north) or isnan(q_way.north)):
        a = (at_s - p.from_s) / (p.to_s - p.from_s) if p.to_s > p.from_s else 0.0
        b = (at_s - q.from_s) / (q.to_s - q.from_s) if q.to_s > q.from_s else 0.0
        p_lat, p_lon = p_way.lat + a * p_way.north, p_way.lon + a * p_way.east
        q_lat, q_lon = q_way.lat + b * q_way.north, q_way.lon + b * q_way.east
        lat, lon = (1.0 - f) * p_lat + f * q_lat, p_lon + f * _short(q_lon - p_lon)
    else:
        a, b = at_s - p.from_s, at_s - q.from_s
        x = (1.0 - f) * (p.x_m + p.x_mps * a) + f * (q.x_m + q.x_mps * b)
        y = (1.0 - f) * (p.y_m + p.y_mps * a) + f * (q.y_m + q.y_mps * b)
        z = (1.0 - f) * (p.z_m + p.z_mps * a) + f * (q.z_m + q.z_mps * b)
        lat, lon, _ = _angles(x, y, z)
    row = _row(lat, cell_rad)
    columns = columns_in(row, cell_rad, columns_of)
    column = floor((lon + PI) * (columns / (2.0 * PI)))
    return _code(p.slot, row, column + columns if column < 0 else (column - columns if column >= columns else column))


@kernel
def meet(pieces: Rows, ways: Rows, filled: Rows, starts: Rows, bucket: int, within_m: float, cell_m: float,
         columns_of: Rows, hits: Rows, n: int) -> tuple[int, int]:  # fmt: skip
    """Write every two pieces that come within a distance of each other, from a bucket on.

    Parameters
    ----------
    pieces : ndarray of PIECE
    ways, filled, starts
        As `enter` and `fill_buckets` left them.
    bucket : int
        The first.
    within_m : float
        The wanted distance in a straight line, metres; both pieces' `reach_m` are added.
    cell_m, columns_of
        As `enter` had them.
    hits : ndarray of HIT
        Written from row `n` on, in no order that means anything; each two pieces once.

    Returns
    -------
    next, n : int
        The bucket to go on with (of which nothing was written), and how many hits there are.
    """
    cell_rad = cell_m / LEAST_RADIUS_M
    for b in range(bucket, len(starts) - 1):
        last, before = starts[b + 1], n
        for i in range(starts[b], last):
            one = filled[i]
            for j in range(i + 1, last):
                other = filled[j]
                if one.code != other.code or one.from_s > other.to_s or other.from_s > one.to_s:
                    continue
                p, q = pieces[one.piece], pieces[other.piece]
                if p.track == q.track:
                    continue
                limit_m = within_m + p.reach_m + q.reach_m
                at_s, closest_m = _closest(p, q, limit_m)
                if isnan(at_s):
                    continue
                middle = _middle_code(p, q, ways[one.piece], ways[other.piece], at_s, within_m, cell_rad, columns_of)
                if middle != one.code:
                    continue
                if n == len(hits):
                    return b, before
                hit = hits[n]
                n += 1
                hit.p, hit.q, hit.p_track, hit.q_track = one.piece, other.piece, p.track, q.track
                hit.closest_s, hit.closest_m = at_s, closest_m
    return len(starts) - 1, n


@kernel
def together(p: Row, q: Row, at_s: float, closest_m: float, limit_m: float) -> tuple[float, float]:
    """Return from when to when two pieces are within a distance of each other, NaN if never.

    Parameters
    ----------
    p, q : PIECE
    at_s, closest_m : float
        As `meet` found them.
    limit_m : float
        In a straight line, metres.
    """
    lo, hi = max(p.from_s, q.from_s), min(p.to_s, q.to_s)
    if closest_m > limit_m:
        return nan, nan
    u, v, w = q.x_mps - p.x_mps, q.y_mps - p.y_mps, q.z_mps - p.z_mps
    aa = u * u + v * v + w * w
    a, b = at_s - p.from_s, at_s - q.from_s
    x = q.x_m + q.x_mps * b - p.x_m - p.x_mps * a
    y = q.y_m + q.y_mps * b - p.y_m - p.y_mps * a
    z = q.z_m + q.z_mps * b - p.z_m - p.z_mps * a
    ab = x * u + y * v + z * w
    up = q.alt_m + q.climb_mps * b - p.alt_m - p.climb_mps * a
    if not isnan(up):
        climb = q.climb_mps - p.climb_mps
        aa, ab = aa + climb * climb, ab + up * climb
    spare = limit_m * limit_m - closest_m * closest_m
    if aa * (hi - lo) * (hi - lo) <= 1e-12 * spare:  # they do not move against each other
        return lo, hi
    half = sqrt(ab * ab + aa * spare)
    return max(lo, at_s + (-ab - half) / aa), min(hi, at_s + (-ab + half) / aa)
