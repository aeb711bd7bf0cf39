"""Routes: what earlier tracks did from here, going this way; their paths are remembered, no labels and no names.

A path is thinned to where it turned. At a fix the passages nearest to it in place, course and speed are looked up by
cell and walked on from where they passed, displaced to the track: each is one more way that the track may go, beside
the fan of `forecast.py`, so that a zone drawn today is answered by last month's traffic. Only what was past at the
time is used; `trust.py` says how much it counts. Learns nothing about who a track is, about time of day, or about
weather.
"""

from __future__ import annotations

from math import floor, inf, sqrt
from typing import NamedTuple

import numpy as np

from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import hypot, log, sincosd
from tocsin.kernels.tables import NONE, Row, Rows
from tocsin.kernels.zones.atlas import AtlasArrays, clearance_m, crossings_on

PASSAGES = 16
"""As many passages as are walked on at a fix, the likest ones; dimensionless; more cost more and differ less."""

CELLS = 32
"""Cells in a degree, by which places of routes are looked up."""

DEGREE_M = 111_195.0
"""Metres in a degree of latitude, on a sphere: routes are compared in a plane about the fix, some kilometres wide."""

TURN_COS, LEAST_M, MOST_M, MOST_S, STAY_S = 0.985, 50.0, 3_000.0, 60.0, 600.0
"""A place of a path is kept once the path has turned by 10°, or after so many metres or seconds, unless it lies nearer
than 50 m to the last; one that stays is kept every ten minutes."""

NEAR_S, NEAR_LEAST_M, NEAR_MOST_M, LOOK_MOST_M = 60.0, 300.0, 5_000.0, 8_000.0
"""A passage is near within what the track makes in a minute, and within these bounds; cells are searched so far."""

ALIKE_COS, ALIKE_LOG = 0.85, 1.1
"""A passage goes this way if its course is within 32° of the track's and its speed within a factor of 3."""

OFF, BENT, FASTER = 4.0, 30.0, 4.0
"""What a passage loses in likeness: at the edge of what is near, by the cosine of the courses, by the logarithm of the
speeds, squared."""

PACE_LEAST, PACE_MOST = 0.6, 1.6
"""A passage's own times are stretched by the ratio of the speeds at the fix, within these bounds."""

PATIENT = 2.0
"""A passage is followed for so many look-aheads of its own time."""


PASSAGE = np.dtype(
    [
        ("score", "f8"),  # unlikeness, 0 and more; infinite: no passage
        ("share", "f8"),  # where on its step it passes
        ("way_m", "f8"),  # how far, and how long, it was walked on
        ("way_s", "f8"),
        ("route", "i4"),
        ("step", "i4"),  # the place of the route that begins its step
        ("lost", "u1"),  # the path ended before that: nothing is known beyond
    ],
    align=True,
)
"""One passage near the fix that is asked about."""


class Routes(NamedTuple):
    """Paths of earlier tracks, all in one list.

    Attributes
    ----------
    route : ndarray, shape (n,), int32
        Number of the path, ascending; places of one path are in order of time.
    at_us : ndarray, shape (n,), int64
    lat_deg, lon_deg : ndarray, shape (n,), float64
    cell : ndarray, shape (c,), int64
        Cells with places, ascending: row × 360 × `CELLS` + column.
    first : ndarray, shape (c + 1,), int64
        Where each cell's places begin in `place`.
    place : ndarray, shape (n,), int32
        Places by cell.
    """

    route: Rows
    at_us: Rows
    lat_deg: Rows
    lon_deg: Rows
    cell: Rows
    first: Rows
    place: Rows


@kernel
def thin_paths(track: Rows, at_us: Rows, lat_deg: Rows, lon_deg: Rows, gap_us: int, route_out: Rows) -> int:
    """Write the number of the path that each fix is kept for, `NONE` for one that is not kept; return how many paths.

    Parameters
    ----------
    track, at_us, lat_deg, lon_deg : ndarray, shape (n,)
        By track, then time.
    gap_us : int
        A longer silence ends a path.
    route_out : ndarray, shape (n,), int32
    """
    paths, last, turning = 0, 0, False
    turn_x = turn_y = 0.0
    for i in range(len(at_us)):
        route_out[i] = NONE
        if i == 0 or track[i] != track[i - 1] or at_us[i] - at_us[i - 1] > gap_us:
            if i > 0:
                route_out[i - 1] = paths - 1
            route_out[i], last, turning, paths = paths, i, False, paths + 1
            continue
        x, y = _apart_m(lat_deg[last], lon_deg[last], lat_deg[i], lon_deg[i])
        way_m, dt_s = hypot(x, y), (at_us[i] - at_us[last]) / 1e6
        keep = dt_s >= STAY_S
        if way_m >= LEAST_M:
            if not turning:
                turning, turn_x, turn_y = True, x / way_m, y / way_m
            keep = keep or dt_s >= MOST_S or way_m >= MOST_M or (x * turn_x + y * turn_y) / way_m < TURN_COS
        if keep:
            route_out[i], last, turning = paths - 1, i, False
    if len(at_us):
        route_out[len(at_us) - 1] = paths - 1
    return paths


@kernel
def _apart_m(lat0_deg: float, lon0_deg: float, lat1_deg: float, lon1_deg: float) -> tuple[float, float]:
    """Return how far east and north the second place lies of the first, in a plane about the first, metres."""
    _, c = sincosd(lat0_deg)
    east = (lon1_deg - lon0_deg + 540.0) % 360.0 - 180.0
    return east * DEGREE_M * c, (lat1_deg - lat0_deg) * DEGREE_M


@kernel
def _slot(passages: Rows, n: int, score: float, route: int) -> int:
    """Return the slot in which a passage belongs: its route's own, a free one, the unlikest's; `NONE` if in none."""
    unlikest = 0
    for k in range(n):
        if passages[k].route == route:
            return k if score < passages[k].score else NONE
        unlikest = k if passages[k].score > passages[unlikest].score else unlikest
    if n < PASSAGES:
        return n
    return unlikest if score < passages[unlikest].score else NONE


@kernel
def _likeness(routes: Routes, j: int, lat_deg: float, lon_deg: float, east_mps: float, north_mps: float, near_m: float
              ) -> tuple[float, float]:  # fmt: skip
    """Return how unlike a step of a route is to the track's own motion, infinite if too much, and where it passes."""
    step_x, step_y = _apart_m(routes.lat_deg[j], routes.lon_deg[j], routes.lat_deg[j + 1], routes.lon_deg[j + 1])
    to_x, to_y = _apart_m(routes.lat_deg[j], routes.lon_deg[j], lat_deg, lon_deg)
    step_m, speed_mps = hypot(step_x, step_y), hypot(east_mps, north_mps)
    if step_m < 0.2 * LEAST_M:
        return inf, 0.0
    ahead = (step_x * east_mps + step_y * north_mps) / (step_m * speed_mps)
    share = min(max((to_x * step_x + to_y * step_y) / (step_m * step_m), 0.0), 1.0)
    off = hypot(to_x - share * step_x, to_y - share * step_y) / near_m
    own_mps = step_m * 1e6 / (routes.at_us[j + 1] - routes.at_us[j])
    faster = log(max(own_mps, 0.1) / speed_mps)
    if ahead < ALIKE_COS or off > 1.0 or abs(faster) > ALIKE_LOG:
        return inf, share
    return OFF * off * off + BENT * (1.0 - ahead) + FASTER * faster * faster, share


@kernel
def _first_cell(routes: Routes, cell: int) -> int:
    """Return the first cell with places that is not before a cell."""
    lo, hi = 0, len(routes.cell)
    while lo < hi:
        middle = (lo + hi) // 2
        if routes.cell[middle] < cell:
            lo = middle + 1
        else:
            hi = middle
    return lo


@kernel
def find_passages(routes: Routes, lat_deg: float, lon_deg: float, east_mps: float, north_mps: float, now_us: int,
                  passages: Rows) -> int:  # fmt: skip
    """Write the passages that went by here this way before an instant, the likest of each route, and return how many.

    Parameters
    ----------
    routes : Routes
    lat_deg, lon_deg, east_mps, north_mps : float
        Place and velocity of the track; not at rest.
    now_us : int
        Steps that had not ended by then are unknown.
    passages : ndarray of PASSAGE, shape (PASSAGES,)
    """
    n, speed_mps = 0, hypot(east_mps, north_mps)
    near_m = min(max(NEAR_S * speed_mps, NEAR_LEAST_M), NEAR_MOST_M)
    look_deg = min(near_m + MOST_S * speed_mps, LOOK_MOST_M) / DEGREE_M
    _, c = sincosd(lat_deg)
    wide_deg, columns = look_deg / max(c, 0.05), 360 * CELLS
    west, east = floor((lon_deg - wide_deg + 180.0) * CELLS), floor((lon_deg + wide_deg + 180.0) * CELLS)
    for r in range(floor((lat_deg - look_deg + 90.0) * CELLS), floor((lat_deg + look_deg + 90.0) * CELLS) + 1):
        for turn in range(-1, 2):  # the same cells seen from beyond the antimeridian, too
            lo, hi = max(west + turn * columns, 0), min(east + turn * columns, columns - 1)
            k = _first_cell(routes, r * columns + lo)
            while lo <= hi and k < len(routes.cell) and routes.cell[k] <= r * columns + hi:
                for p in range(routes.first[k], routes.first[k + 1]):
                    j = routes.place[p]
                    if j + 1 == len(routes.route) or routes.route[j + 1] != routes.route[j]:
                        continue
                    if routes.at_us[j + 1] > now_us:
                        continue
                    score, share = _likeness(routes, j, lat_deg, lon_deg, east_mps, north_mps, near_m)
                    slot = _slot(passages, n, score, routes.route[j]) if score < inf else NONE
                    if slot != NONE:
                        row = passages[slot]
                        row.score, row.share, row.route, row.step = score, share, routes.route[j], j
                        n = max(n, slot + 1)
                k += 1
    return n


@kernel
def _meet_nowhere(rows: Rows, z: int) -> None:
    """Make a row of distances that of a zone that no way has met yet."""
    for k in range(rows.shape[1]):
        rows[z, k] = inf


@kernel
def _walk_on(atlas: AtlasArrays, routes: Routes, lat_deg: float, lon_deg: float, speed_mps: float, now_us: int,
             reach_m: float, patience_s: float, row: Row, column: int, edge_zone: Rows, edge_s: Rows, n: int,
             zones_out: Rows, way_m: Rows, route_m: Rows) -> int:  # fmt: skip
    """Walk one passage on from the track's place and write how far along it each zone is; return how many zones."""
    j = row.step
    off_lat = lat_deg - (routes.lat_deg[j] + row.share * (routes.lat_deg[j + 1] - routes.lat_deg[j]))
    step_x, step_y = _apart_m(routes.lat_deg[j], routes.lon_deg[j], routes.lat_deg[j + 1], routes.lon_deg[j + 1])
    off_lon = lon_deg - (routes.lon_deg[j] + row.share * _east_deg(routes, j))
    step_us = float(routes.at_us[j + 1] - routes.at_us[j])
    passed_us = routes.at_us[j] + np.int64(row.share * step_us)
    pace = min(max(hypot(step_x, step_y) * 1e6 / step_us / speed_mps, PACE_LEAST), PACE_MOST)
    row.way_m, row.way_s, row.lost = 0.0, 0.0, 1
    k = j + 1
    while k < len(routes.route) and routes.route[k] == routes.route[j] and routes.at_us[k] <= now_us:
        to_lat = min(max(routes.lat_deg[k] + off_lat, -90.0), 90.0)
        to_lon = (routes.lon_deg[k] + off_lon + 540.0) % 360.0 - 180.0
        x, y = _apart_m(lat_deg, lon_deg, to_lat, to_lon)
        leg_m, to_s = hypot(x, y), (routes.at_us[k] - passed_us) / 1e6 * pace
        if leg_m > 0.0 and not clearance_m(atlas, lat_deg, lon_deg) > 1.02 * leg_m:
            met = min(crossings_on(atlas, lat_deg, lon_deg, to_lat, to_lon, edge_zone, edge_s), len(edge_s))
            for e in range(met):
                z = 0
                while z < n and zones_out[z] != edge_zone[e]:
                    z += 1
                if z == n:
                    if n == len(zones_out):
                        return n + 1
                    zones_out[n] = edge_zone[e]
                    _meet_nowhere(way_m, n)
                    _meet_nowhere(route_m, n)
                    n += 1
                to_m, own_s = row.way_m + edge_s[e] * leg_m, row.way_s + edge_s[e] * (to_s - row.way_s)
                route_m[z, column] = min(route_m[z, column], sqrt(to_m * speed_mps * own_s))
        row.way_m, row.way_s = row.way_m + leg_m, to_s
        if row.way_m > reach_m or row.way_s > patience_s:
            row.lost = 0
            break
        lat_deg, lon_deg = to_lat, to_lon
        k += 1
    return n


@kernel
def _east_deg(routes: Routes, j: int) -> float:
    """Return how many degrees of longitude a step goes east, the short way round."""
    return (routes.lon_deg[j + 1] - routes.lon_deg[j] + 540.0) % 360.0 - 180.0


@kernel
def look_along(atlas: AtlasArrays, routes: Routes, lat_deg: float, lon_deg: float, east_mps: float, north_mps: float,
               now_us: int, reach_m: float, horizon_s: float, edge_zone: Rows, edge_s: Rows, n: int, zones_out: Rows,
               way_m: Rows, route_m: Rows, passages: Rows) -> int:  # fmt: skip
    """Add to the zones that a fan meets those that passages meet, and write how far along each they are.

    Parameters
    ----------
    atlas, routes : see their classes
    lat_deg, lon_deg, east_mps, north_mps, now_us : see `find_passages`
    reach_m, horizon_s : float
        How far, and for how long, to look.
    edge_zone, edge_s : ndarray
        Scratch room.
    n : int
        How many zones the fan meets.
    zones_out, way_m : ndarray
        As `forecast.look_around` wrote them; zones that only passages meet are added.
    route_m : ndarray, shape (m, PASSAGES), float64
        Metres along each passage to the zone's first edge; infinite where it is not met. The geometric mean of the
        way and of what the track makes in the time that the passage took, so that a stop on the way is a longer way.
    passages : ndarray of PASSAGE, shape (PASSAGES,)
        Written; the score of those that do not count is infinite.

    Returns
    -------
    int
        How many zones; more than there is room for is the room plus one.
    """
    found, speed_mps = 0, hypot(east_mps, north_mps)
    near = clearance_m(atlas, lat_deg, lon_deg) <= reach_m  # else the fan finds nothing, and nobody asks
    if len(routes.route) and n <= len(zones_out) and near:
        found = find_passages(routes, lat_deg, lon_deg, east_mps, north_mps, now_us, passages)
    for z in range(min(n, len(zones_out))):
        _meet_nowhere(route_m, z)
    for k in range(found, PASSAGES):
        passages[k].score = inf
    for k in range(found):
        if n <= len(zones_out):
            n = _walk_on(
                atlas, routes, lat_deg, lon_deg, speed_mps, now_us, reach_m, PATIENT * horizon_s, passages[k], k,
                edge_zone, edge_s, n, zones_out, way_m, route_m,
            )  # fmt: skip
    return n
