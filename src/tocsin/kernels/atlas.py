"""The zone atlas: which zones hold a point, and where a way crosses their edges.

Coordinates are plane longitude and latitude; every region has been cut at the antimeridian and settled at the
poles (`geo/shapes.py`). A region is closed: a point on its edge is inside.
"""

from __future__ import annotations

from math import cos, inf, radians, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.geodesic import geodesic_point, inverse_m, split_count
from tocsin.kernels.jit import kernel
from tocsin.kernels.predicates import orient2d

__all__ = [
    "AtlasArrays",
    "boundary_distance_m",
    "clearance_m",
    "crossings_on",
    "geodesic_point",
    "locate",
    "same_empty_cell",
    "split_count",
    "zones_at",
]


class AtlasArrays(NamedTuple):
    """The arrays of an atlas, passed to kernels as one argument.

    Attributes
    ----------
    x, y : ndarray, float64
        Longitude and latitude of every vertex, degrees.
    ring_end : ndarray, shape (vertices,), bool
        True at the last vertex of a ring: no edge starts there.
    first : ndarray, shape (zones + 1,), int64
        First vertex of each zone.
    box : ndarray, shape (zones, 4), float64
        West, south, east, north.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    ring_end: NDArray[np.bool_]
    first: NDArray[np.int64]
    box: NDArray[np.float64]


@kernel
def _holds(a: AtlasArrays, zone: int, px: float, py: float) -> bool:
    inside = False
    for i in range(a.first[zone], a.first[zone + 1]):
        if a.ring_end[i]:
            continue
        ax, ay, bx, by = a.x[i], a.y[i], a.x[i + 1], a.y[i + 1]
        if min(ay, by) <= py <= max(ay, by):
            side = orient2d(ax, ay, bx, by, px, py)
            if side == 0 and min(ax, bx) <= px <= max(ax, bx):
                return True
            if (ay > py) != (by > py) and (side > 0) == (by > ay):
                inside = not inside
    return inside


@kernel
def zones_at(a: AtlasArrays, lat: float, lon: float, zones_out: NDArray[np.int64]) -> int:
    """Write the zones that hold a point, ascending, and return how many; past the room they are only counted."""
    n = 0
    for zone in range(len(a.box)):
        box = a.box[zone]
        holds = False
        if box[1] <= lat <= box[3]:
            if abs(lat) == 90.0:
                holds = True
            elif abs(lon) == 180.0:
                holds = _holds(a, zone, 180.0, lat) or _holds(a, zone, -180.0, lat)
            elif box[0] <= lon <= box[2]:
                holds = _holds(a, zone, lon, lat)
        if holds:
            if n < len(zones_out):
                zones_out[n] = zone
            n += 1
    return n


@kernel
def locate(
    a: AtlasArrays, lat: NDArray[np.float64], lon: NDArray[np.float64], start: int,
    point_out: NDArray[np.int64], zone_out: NDArray[np.int32],
) -> tuple[int, int]:  # fmt: skip
    """Write the (point, zone) pairs of points from `start` on; return the next point and how many pairs."""
    zones = np.empty(len(a.box), np.int64)
    n = 0
    for i in range(start, len(lat)):
        k = zones_at(a, lat[i], lon[i], zones)
        if n + k > len(point_out):
            return i, n
        for j in range(k):
            point_out[n], zone_out[n] = i, zones[j]
            n += 1
    return len(lat), n


@kernel
def _plane_crossings(
    a: AtlasArrays, x0: float, y0: float, x1: float, y1: float, s_from: float, s_to: float, n: int,
    zone_out: NDArray[np.int64], s_out: NDArray[np.float64],
) -> int:  # fmt: skip
    west, east, south, north = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    for zone in range(len(a.box)):
        box = a.box[zone]
        if box[0] > east or box[2] < west or box[1] > north or box[3] < south:
            continue
        for i in range(a.first[zone], a.first[zone + 1]):
            if a.ring_end[i]:
                continue
            ax, ay, bx, by = a.x[i], a.y[i], a.x[i + 1], a.y[i + 1]
            if min(ax, bx) > east or max(ax, bx) < west or min(ay, by) > north or max(ay, by) < south:
                continue
            if (abs(ax) == 180.0 and ax == bx) or (abs(ay) == 90.0 and ay == by):
                continue
            sa, sb = orient2d(x0, y0, x1, y1, ax, ay), orient2d(x0, y0, x1, y1, bx, by)
            if (sa >= 0) == (sb >= 0):
                continue
            o0, o1 = orient2d(ax, ay, bx, by, x0, y0), orient2d(ax, ay, bx, by, x1, y1)
            if o0 * o1 > 0:
                continue
            d0 = (bx - ax) * (y0 - ay) - (by - ay) * (x0 - ax)
            d1 = (bx - ax) * (y1 - ay) - (by - ay) * (x1 - ax)
            t = d0 / (d0 - d1) if d0 != d1 else 0.0
            if n < len(s_out):
                zone_out[n], s_out[n] = zone, s_from + t * (s_to - s_from)
            n += 1
    return n


@kernel
def crossings_on(
    a: AtlasArrays, lat0: float, lon0: float, lat1: float, lon1: float,
    zone_out: NDArray[np.int64], s_out: NDArray[np.float64],
) -> int:  # fmt: skip
    """Write every crossing of a zone's edge by the straight lon/lat way, by s in [0, 1] and then zone; return how many.

    The way goes the short way round: across 180° when the longitudes differ by more than 180°. If more are
    returned than there is room for, the contents mean nothing: call again with as much room.
    """
    if abs(lon1 - lon0) > 180.0:
        east = 180.0 if lon0 > lon1 else -180.0
        far = lon1 + 2.0 * east
        m = (east - lon0) / (far - lon0) if far != lon0 else 0.0
        lat_m = lat0 + m * (lat1 - lat0)
        n = _plane_crossings(a, lon0, lat0, east, lat_m, 0.0, m, 0, zone_out, s_out)
        n = _plane_crossings(a, -east, lat_m, lon1, lat1, m, 1.0, n, zone_out, s_out)
    else:
        n = _plane_crossings(a, lon0, lat0, lon1, lat1, 0.0, 1.0, 0, zone_out, s_out)
    for i in range(1, min(n, len(s_out))):
        zone, s, j = zone_out[i], s_out[i], i
        while j > 0 and (s_out[j - 1] > s or (s_out[j - 1] == s and zone_out[j - 1] > zone)):
            zone_out[j], s_out[j] = zone_out[j - 1], s_out[j - 1]
            j -= 1
        zone_out[j], s_out[j] = zone, s
    return n


@kernel
def same_empty_cell(a: AtlasArrays, lat0: float, lon0: float, lat1: float, lon1: float) -> bool:
    """Return True if no edge passes between two points, by a test so cheap that False means nothing."""
    return lat0 == lat1 and lon0 == lon1


@kernel
def clearance_m(a: AtlasArrays, lat: float, lon: float) -> float:
    """Return a lower bound, metres, on the distance from a point to the nearest edge of any zone; 0 if not known."""
    return 0.0


@kernel
def boundary_distance_m(a: AtlasArrays, zone: int, lat: float, lon: float) -> float:
    """Return the distance in metres from a point to the nearest point of the zone's edge."""
    best, found_lat, found_lon = inf, lat, lon
    k = cos(radians(lat))
    for i in range(a.first[zone], a.first[zone + 1]):
        if a.ring_end[i]:
            continue
        ay, by = a.y[i] - lat, a.y[i + 1] - lat
        ax, bx = a.x[i] - lon, a.x[i + 1] - lon
        turn = 360.0 * round(ax / 360.0)
        ax, bx = (ax - turn) * k, (bx - turn) * k
        dx, dy = bx - ax, by - ay
        ll = dx * dx + dy * dy
        t = min(max(-(ax * dx + ay * dy) / ll, 0.0), 1.0) if ll > 0.0 else 0.0
        qx, qy = ax + t * dx, ay + t * dy
        d = sqrt(qx * qx + qy * qy)
        if d < best:
            best = d
            found_lat, found_lon = a.y[i] + t * (a.y[i + 1] - a.y[i]), a.x[i] + t * (a.x[i + 1] - a.x[i])
    return inverse_m(lat, lon, found_lat, found_lon)[0]
