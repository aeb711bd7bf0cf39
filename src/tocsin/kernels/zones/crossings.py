"""Where a straight way crosses the edges of zones.

A zone is a closed set, so a way is inside it on closed pieces; a crossing is an end of such a piece that is not an
end of the way lying inside. So the number of a zone's crossings is odd exactly when one end of the way is inside and
the other is not; a way that touches a zone from outside at one point crosses it twice there; one that runs along an
edge is inside on it. Every one of these decisions is exact; only the fraction `s` is rounded, and crossings closer
than about 1e-15 of the way may change places.

A way goes the short way round: across 180° when the longitudes differ by more than 180°. At a pole a longitude means
nothing: the way runs along the meridian of its other end. The cuts that `geo/shapes.py` made along the antimeridian
and at the poles are no edges. Left out: ways that run along the antimeridian itself are looked at on the side of
their own sign only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.earth.geodesic import direct, inverse_m
from tocsin.kernels.earth.legs import CHORD_TOLERANCE_M, SHORTEST_CUT, leg_error_m, split_count
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.predicates import orient2d
from tocsin.kernels.zones.cells import (
    COLUMNS,
    LEVEL_BITS,
    ROWS,
    AtlasArrays,
    Ints,
    cell_of,
    item_after,
    north_of,
    settled,
    west_of,
)
from tocsin.kernels.zones.edges import cell_range, span
from tocsin.kernels.zones.places import clearance_m, zones_at

Floats = NDArray[np.float64]
DEGREE_M = 111_700.0
"""More metres than any degree of longitude or latitude has."""

RIGHT, LEFT = 1, 2
"""Bits of a contact: it changes the side of a way moved by an infinitesimal to the right, to the left."""


@kernel
def _offer(of: int, flips: int, s: float, n: int, out: NDArray[np.int64], s_out: NDArray[np.float64]) -> int:
    """Add a contact, perhaps one that another cell has shown already; past the room it is only counted."""
    if n < len(out):
        out[n], s_out[n] = of << 2 | flips, s
    return n + 1


@kernel
def _meet_edges(
    cells: Ints, xy: Floats, item: int, x0: float, y0: float, x1: float, y1: float, by_edge: bool, n: int,
    out: NDArray[np.int64], s_out: NDArray[np.float64],
) -> int:  # fmt: skip
    """Add the contacts of the way with one zone's edges in one cell, under the edge or else the zone."""
    zone = np.int64(cells[item] >> 2)
    lo_x, hi_x, lo_y, hi_y = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    for run in range(item + 2, item + 2 + 2 * cells[item + 1], 2):
        first = np.int64(cells[run])
        bx, by = xy[2 * first], xy[2 * first + 1]
        for v in range(first + 1, first + 1 + cells[run + 1]):
            ax, ay = bx, by
            bx, by = xy[2 * v], xy[2 * v + 1]
            if min(ax, bx) > hi_x or max(ax, bx) < lo_x or min(ay, by) > hi_y or max(ay, by) < lo_y:
                continue
            side_a, side_b = orient2d(x0, y0, x1, y1, ax, ay), orient2d(x0, y0, x1, y1, bx, by)
            if side_a * side_b > 0 or (ax == bx and abs(ax) == 180.0) or (ay == by and abs(ay) == 90.0):
                continue
            # The way moved to the right has on-line vertices on its left, and the other way round.
            flips = ((side_a >= 0) != (side_b >= 0)) * RIGHT | ((side_a > 0) != (side_b > 0)) * LEFT
            if flips == 0:
                continue  # along the way: its ends are contacts of its neighbours
            from_a, to_a = orient2d(ax, ay, bx, by, x0, y0), orient2d(ax, ay, bx, by, x1, y1)
            if from_a * to_a > 0:
                continue
            of = v - 1 if by_edge else zone
            if from_a == 0 or to_a == 0:
                n = _offer(of, 0, 0.0 if from_a == 0 else 1.0, n, out, s_out)
            elif side_a == 0 or side_b == 0:
                vx, vy = (ax, ay) if side_a == 0 else (bx, by)
                s = (vx - x0) / (x1 - x0) if abs(x1 - x0) > abs(y1 - y0) else (vy - y0) / (y1 - y0)
                n = _offer(of, flips, s, n, out, s_out)
            else:
                d0 = (bx - ax) * (y0 - ay) - (by - ay) * (x0 - ax)
                d1 = (bx - ax) * (y1 - ay) - (by - ay) * (x1 - ax)
                s = d0 / (d0 - d1) if d0 != d1 else 0.0
                n = _offer(of, flips, min(max(s, 0.0), 1.0), n, out, s_out)
    return n


@kernel
def _meet_cell(
    cells: Ints, xy: Floats, cell: int, x0: float, y0: float, x1: float, y1: float, by_edge: bool, n: int,
    out: NDArray[np.int64], s_out: NDArray[np.float64],
) -> int:  # fmt: skip
    """Add the contacts of the way with all edges in one cell."""
    code = cells[cell]
    if code < 0:
        at = np.int64(~code)
        item = at + 1
        for _ in range(cells[at]):
            if cells[item] & 1:
                n = _meet_edges(cells, xy, item, x0, y0, x1, y1, by_edge, n, out, s_out)
            item = item_after(cells, item)
    return n


@kernel
def _meet_all(
    coarse: Ints, cells: Ints, xy: Floats, x0: float, y0: float, x1: float, y1: float, by_edge: bool,
    out: NDArray[np.int64], s_out: NDArray[np.float64],
) -> int:  # fmt: skip
    """Write the contacts of the way with edges, in no order, one perhaps more than once; return how many.

    Each under its edge, or else only under its zone, which is at hand.
    """
    n, south, north = 0, min(y0, y1), max(y0, y1)
    r0, r1 = cell_range(south, north, -90.0, ROWS, 1.0)
    for r in range(r0, r1):
        west, east = span(x0, y0, x1, y1, r - 90.0, r - 89.0)
        c0, c1 = cell_range(west, east, -180.0, COLUMNS, 1.0)
        for c in range(c0, c1):
            word = coarse[r * COLUMNS + c]
            level, start = word & ((1 << LEVEL_BITS) - 1), word >> LEVEL_BITS
            if level == 0:
                n = _meet_cell(cells, xy, start, x0, y0, x1, y1, by_edge, n, out, s_out)
                continue
            scale, origin_x, origin_y = float(1 << level), c - 180.0, r - 90.0
            j0, j1 = cell_range(max(south, origin_y), min(north, origin_y + 1.0), origin_y, 1 << level, scale)
            for j in range(j0, j1):
                lo, hi = span(x0, y0, x1, y1, origin_y + j / scale, origin_y + (j + 1) / scale)
                i0, i1 = cell_range(lo, hi, origin_x, 1 << level, scale)
                for i in range(i0, i1):
                    cell = start + (j << level) + i
                    if cells[cell] < 0:
                        n = _meet_cell(cells, xy, cell, x0, y0, x1, y1, by_edge, n, out, s_out)
    return n


@kernel
def _once(n: int, out: NDArray[np.int64], s_out: NDArray[np.float64]) -> int:
    """Keep one contact with each edge and return how many."""
    m = 0
    for i in range(n):
        known = False
        for j in range(m - 1, -1, -1):
            if out[j] >> 2 == out[i] >> 2:
                known = True
                break
        if not known:
            out[m], s_out[m] = out[i], s_out[i]
            m += 1
    return m


@kernel
def _side_beyond(
    coarse: Ints, cells: Ints, xy: Floats, zones: int, zone: int, x0: float, y0: float, x1: float, y1: float, hand: int
) -> bool:
    """Return whether the place just beyond (x0, y0) towards (x1, y1), and a still smaller step aside, is in the zone.

    `hand` is `RIGHT` or `LEFT`. The place lies on no edge, so this is yes or no. It is found as in `where_in`, with
    every tie settled by the direction of the infinitesimal steps.
    """
    cell, cx, cy = cell_of(coarse, x0, y0)
    code = cells[cell]
    if code >= 0:
        if code <= zones:
            return code == zone + 1
        at = np.int64(code) - zones - 1
        holds = False
        for j in range(at + 1, at + 1 + cells[at]):
            holds |= cells[j] == zone
        return holds
    at = np.int64(~code)
    item = at + 1
    for _ in range(cells[at]):
        if cells[item] >> 2 == zone:
            break
        item = item_after(cells, item)
    else:
        return False
    if cells[item] & 1 == 0:
        return True
    dx, dy = x1 - x0, y1 - y0
    aside_y = -dx if hand == RIGHT else dx
    up = dy > 0.0 or (dy == 0.0 and aside_y > 0.0)
    inside = (cells[item] >> 1) & 1 == 1
    for run in range(item + 2, item + 2 + 2 * cells[item + 1], 2):
        first = np.int64(cells[run])
        for v in range(first, first + cells[run + 1]):
            ax, ay, bx, by = xy[2 * v], xy[2 * v + 1], xy[2 * v + 2], xy[2 * v + 3]
            if (ay > y0 or (ay == y0 and not up)) != (by > y0 or (by == y0 and not up)):
                side = orient2d(ax, ay, bx, by, x0, y0)
                if side == 0:
                    side = orient2d(ax, ay, bx, by, x1, y1)
                if side == 0:  # the edge lies along the way
                    along = dx * (bx - ax) > 0.0 if dx != 0.0 else dy * (by - ay) > 0.0
                    side = 1 if along == (hand == LEFT) else -1
                inside ^= ((side < 0) == (by > ay)) != west_of(ax, ay, bx, by, cx, y0)
            if (ax > cx) != (bx > cx):
                beyond = north_of(ax, ay, bx, by, cx, y0)
                if ay == by and ay == y0:
                    beyond = not up
                inside ^= north_of(ax, ay, bx, by, cx, cy) != beyond
    return inside


@kernel
def _zone_of(zone: NDArray[np.int64], edge: int) -> int:
    """Return the zone that an edge belongs to; halves without branching, which would go wrong every other time."""
    lo, n = 0, len(zone) - 1
    while n > 1:
        half = n >> 1
        lo += half * (zone[lo + half, 0] <= edge)
        n -= half
    return lo


@kernel
def _sort(n: int, zone: NDArray[np.int64], s: NDArray[np.float64]) -> None:
    """Sort crossings by s and then by zone."""
    for i in range(1, n):
        z, t, j = zone[i], s[i], i
        while j > 0 and (s[j - 1] > t or (s[j - 1] == t and zone[j - 1] > z)):
            zone[j], s[j] = zone[j - 1], s[j - 1]
            j -= 1
        zone[j], s[j] = z, t


@kernel
def _settle(
    zone: int, right: bool, left: bool, i0: int, i1: int, n: int,
    out: NDArray[np.int64], s_out: NDArray[np.float64],
) -> int:  # fmt: skip
    """Turn one zone's contacts `i0` to `i1`, sorted by s, into its crossings, from `n` ≤ i0 on.

    `right` and `left` say whether the way is inside just after its beginning, on either hand (`_side_beyond`).
    Contacts without flips mark an end of the way that lies on the zone's edge.
    """
    i = i0
    starts_on_edge, ends_on_edge = False, False
    while i < i1 and out[i] & 3 == 0 and s_out[i] == 0.0:
        starts_on_edge = True
        i += 1
    if starts_on_edge and not (right or left):
        out[n], s_out[n] = zone, 0.0
        n += 1
    while i < i1:
        s = s_out[i]
        if out[i] & 3 == 0:
            ends_on_edge = True
            i += 1
            continue
        before = right or left
        while i < i1 and s_out[i] == s and out[i] & 3 != 0:
            right ^= out[i] & RIGHT != 0
            left ^= out[i] & LEFT != 0
            i += 1
        after = right or left
        for _ in range(1 if before != after else 2 if not before else 0):
            out[n], s_out[n] = zone, s
            n += 1
    if ends_on_edge and not (right or left):
        out[n], s_out[n] = zone, 1.0
        n += 1
    return n


@kernel
def _settled_crossings(
    a: AtlasArrays, x0: float, y0: float, x1: float, y1: float, out: NDArray[np.int64], s_out: NDArray[np.float64]
) -> int:
    """Write the crossings of a way that meets the antimeridian and the poles at its ends only, by zone and s."""
    n = _meet_all(a.coarse, a.cells, a.xy, x0, y0, x1, y1, True, out, s_out)
    if n <= len(out):
        n = _once(n, out, s_out)
    for end in range(2):
        x, y = (x0, y0) if end == 0 else (x1, y1)
        if abs(x) == 180.0 or abs(y) == 90.0:
            # Every zone that holds such a place has it on its edge or on its cut.
            if n > len(out):
                return n
            m = zones_at(a, y, x, out[n:])
            if n + m > len(out):
                return n + m
            for i in range(n, n + m):
                out[i], s_out[i] = (a.zone[out[i], 0] << 2), float(end)
            n += m
    if n == 0 or n > len(out):
        return n
    plain = True
    for i in range(n):
        plain = plain and out[i] & 3 == RIGHT | LEFT
        out[i] = _zone_of(a.zone, out[i] >> 2) << 2 | out[i] & 3
    if plain:
        for i in range(n):
            out[i] >>= 2
        return n
    # By zone, then by s; the flips in the two low bits must not part a zone's contacts.
    for i in range(1, n):
        k, t, j = out[i], s_out[i], i
        while j > 0 and (out[j - 1] >> 2 > k >> 2 or (out[j - 1] >> 2 == k >> 2 and s_out[j - 1] > t)):
            out[j], s_out[j] = out[j - 1], s_out[j - 1]
            j -= 1
        out[j], s_out[j] = k, t
    i, m = 0, 0
    while i < n:
        zone, i0, simple = out[i] >> 2, i, True
        while i < n and out[i] >> 2 == zone:
            simple = simple and out[i] & 3 == RIGHT | LEFT
            i += 1
        if simple:
            for k in range(i0, i):
                out[m], s_out[m] = zone, s_out[k]
                m += 1
        else:
            right = _side_beyond(a.coarse, a.cells, a.xy, a.zones, zone, x0, y0, x1, y1, RIGHT)
            left = _side_beyond(a.coarse, a.cells, a.xy, a.zones, zone, x0, y0, x1, y1, LEFT)
            m = _settle(zone, right, left, i0, i, m, out, s_out)
    return m


@kernel
def _plane_crossings(
    a: AtlasArrays, x0: float, y0: float, x1: float, y1: float, once: bool,
    out: NDArray[np.int64], s_out: NDArray[np.float64],
) -> int:  # fmt: skip
    """Do what `_settled_crossings` does; unless they are wanted `once`, they may be in no order, and one come again."""
    if x0 == x1 and y0 == y1:
        return 0
    n, plain, cell = 0, max(abs(x0), abs(x1)) < 180.0 and max(abs(y0), abs(y1)) < 90.0, cell_of(a.coarse, x0, y0)[0]
    if plain and cell > 0 and cell == cell_of(a.coarse, x1, y1)[0]:  # cell 0 is all that lies far from zones
        n = _meet_cell(a.cells, a.xy, cell, x0, y0, x1, y1, False, n, out, s_out)  # which has each edge once
    elif plain and not once:
        n = _meet_all(a.coarse, a.cells, a.xy, x0, y0, x1, y1, False, out, s_out)
    else:
        plain = False
    for i in range(min(n, len(out))):
        plain = plain and out[i] & 3 == RIGHT | LEFT
        out[i] >>= 2
    return n if plain else _settled_crossings(a, x0, y0, x1, y1, out, s_out)


@kernel
def _crossings(
    a: AtlasArrays, lat0: float, lon0: float, lat1: float, lon1: float, once: bool,
    zone_out: NDArray[np.int64], s_out: NDArray[np.float64],
) -> int:  # fmt: skip
    """Do what `crossings_on` does, or `edges_met` unless each is wanted `once`."""
    if not (-90.0 <= lat0 <= 90.0 and -90.0 <= lat1 <= 90.0 and abs(lon0) <= 180.0 and abs(lon1) <= 180.0):
        return 0
    lat0, lon0, lat1, lon1 = settled(lat0), settled(lon0), settled(lat1), settled(lon1)
    if abs(lat0) == 90.0:
        lon0 = lon1
    if abs(lat1) == 90.0:
        lon1 = lon0
    if abs(lon0) == 180.0 and lon0 * lon1 < 0.0:
        lon0 = -lon0
    if abs(lon1) == 180.0 and lon0 * lon1 < 0.0:
        lon1 = -lon1
    dlat, dlon = lat1 - lat0, lon1 - lon0
    if abs(dlon) > 180.0:
        # Two straight ways, each on its own side, that meet in one place of the antimeridian.
        edge = 180.0 if lon0 > 0.0 else -180.0
        m = (edge - lon0) / ((edge - lon0) + (lon1 + edge))
        lat_m = min(max(lat0 + m * dlat, min(lat0, lat1)), max(lat0, lat1))
        k = _plane_crossings(a, lon0, lat0, edge, lat_m, once, zone_out, s_out)
        if k > len(zone_out):
            return k
        n = k + _plane_crossings(a, -edge, lat_m, lon1, lat1, once, zone_out[k:], s_out[k:])
        if n > len(zone_out):
            return n
        for i in range(n):
            s_out[i] = m * s_out[i] if i < k else m + (1.0 - m) * s_out[i]
    else:
        if DEGREE_M * (abs(dlat) + abs(dlon)) < clearance_m(a, lat0, lon0):
            return 0
        n = _plane_crossings(a, lon0, lat0, lon1, lat1, once, zone_out, s_out)
    if once and n <= len(zone_out):
        _sort(n, zone_out, s_out)
    return n


@kernel
def crossings_on(
    a: AtlasArrays, lat0: float, lon0: float, lat1: float, lon1: float,
    zone_out: NDArray[np.int64], s_out: NDArray[np.float64],
) -> int:  # fmt: skip
    """Write every crossing of a zone's edge by the straight longitude–latitude way between two places.

    Parameters
    ----------
    a : AtlasArrays
    lat0, lon0, lat1, lon1 : float
        Degrees, -90…90 and -180…180; with NaN or anything else there is no way and no crossing.
    zone_out : ndarray, shape (m,), int64
        The zone of each crossing; also scratch room.
    s_out : ndarray, shape (m,), float64
        How far along the way it is, 0 to 1; ascending, zones ascending where equal.

    Returns
    -------
    int
        How many. If more than m, what is written means nothing and the number is an upper bound: call again with
        that much room.

    Notes
    -----
    Follows the way from cell to cell; linear in the cells it touches and their edges.
    """
    return _crossings(a, lat0, lon0, lat1, lon1, True, zone_out, s_out)


@kernel
def edges_met(
    a: AtlasArrays, lat0: float, lon0: float, lat1: float, lon1: float,
    zone_out: NDArray[np.int64], s_out: NDArray[np.float64],
) -> int:  # fmt: skip
    """Write what `crossings_on` does, in no order and some of it more than once: for whoever wants the first of each.

    Notes
    -----
    Without the sorting, and without the look whether an edge has been met in another cell already, it is linear where
    a long way crosses hundreds of edges.
    """
    return _crossings(a, lat0, lon0, lat1, lon1, False, zone_out, s_out)


@kernel
def way_crossings(
    a: AtlasArrays, lat0: float, lon0: float, lat1: float, lon1: float,
    zone_out: NDArray[np.int64], s_out: NDArray[np.float64],
) -> int:  # fmt: skip
    """Write every crossing of a zone's edge by the geodesic between two places; otherwise as `crossings_on`.

    Notes
    -----
    The geodesic is cut into plane chords that leave it by less than 0.1 m, unevenly where it passes a pole; `s` is the
    fraction of its length. A way of 300 km in middle latitudes is some 150 chords, unless no zone is near.
    """
    if leg_error_m(lat0, lon0, lat1, lon1) <= CHORD_TOLERANCE_M:
        return crossings_on(a, lat0, lon0, lat1, lon1, zone_out, s_out)
    length_m, azi_deg = inverse_m(lat0, lon0, lat1, lon1)
    if length_m < clearance_m(a, lat0, lon0):
        return 0
    n, f, step = 0, 0.0, 1.0 / split_count(lat0, lon0, lat1, lon1)
    lat_f, lon_f = lat0, lon0
    while f < 1.0:
        g, lat_g, lon_g = 1.0, lat1, lon1
        if f + step < 1.0:
            g = f + step
            lat_g, lon_g = direct(lat0, lon0, azi_deg, g * length_m)
        error_m = leg_error_m(lat_f, lon_f, lat_g, lon_g)
        if error_m > CHORD_TOLERANCE_M and step > SHORTEST_CUT:
            step *= 0.5
            continue
        more = crossings_on(a, lat_f, lon_f, lat_g, lon_g, zone_out[n:], s_out[n:])
        if n + more > len(zone_out):
            return n + more
        for i in range(n, n + more):
            s_out[i] = f + s_out[i] * (g - f)
        n += more
        if error_m < 0.2 * CHORD_TOLERANCE_M:
            step *= 2.0
        f, lat_f, lon_f = g, lat_g, lon_g
    return n
