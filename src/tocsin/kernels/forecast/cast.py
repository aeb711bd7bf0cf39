"""Cast: the fan of ways at single zones, where it can come to something.

The same as `forecast.look_around` finds, left out what cannot matter: from the boxes about a zone's edges and from the
edges it follows which directions of the fan may meet it (`sight.py`), from those the most that its chance can be, and a
zone whose chance cannot reach what is asked for is not looked at closer. The directions of the others are followed
along that zone's edges alone. All bounds err to the side of looking. Not along earlier passages.
"""

from __future__ import annotations

from math import inf, isnan, nan
from typing import NamedTuple

import numpy as np

from tocsin.kernels.earth.geodesic import Line, along, setting_out
from tocsin.kernels.forecast.forecast import FAN_DEG, FAN_EDGE_DEG, PER_METRE_DEG, RAYS, Outlook, Spread
from tocsin.kernels.forecast.sight import (
    ALL_RAYS,
    MOST_PIECES,
    NEARLY,
    Sight,
    box_seen,
    edge_seen,
    vertex_seen,
)
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.chance import exp, logistic, student
from tocsin.kernels.numbers.trig import log
from tocsin.kernels.tables import Rows
from tocsin.kernels.zones.atlas import AtlasArrays, edges_met, first_edge
from tocsin.kernels.zones.cells import COLUMNS, ROWS, settled
from tocsin.kernels.zones.chunks import CHUNK_EDGES, GROUP_CHUNKS
from tocsin.kernels.zones.edges import cell_range

LEFT_MOST = 4.0
"""As much of the time left over, in logarithms, as `forecast.weigh_ways` counts."""

SLACK = 1e-9
"""Far more than a bound loses by rounding."""

LEAST_ODDS = 2e-5
"""Odds are never taken to be less than half of this."""


FAR_SHARE = 0.5
"""What ways that lead too far may weigh of the odds asked for; with less they lead further, with more so much less is
asked of the others."""

PADDED = 32
"""Directions, and as many more as make a multiple of four."""

EDGES = 512
"""Edges of a zone that are noted before they are followed."""


class Rays(NamedTuple):
    """Scratch room of one fan.

    Attributes
    ----------
    lat_deg, lon_deg : ndarray, shape (RAYS, MOST_PIECES + 1), float64
        Where the pieces of each way begin and end.
    line : ndarray, shape (RAYS, len(Line)), float64
        Each way's geodesic (`geodesic.setting_out`).
    made : ndarray, shape (RAYS,), int64
        Which of these places are known: bits; the first if the line is.
    most : ndarray, shape (PADDED,), float64
        The most that each direction can weigh; 0 beyond `RAYS`.
    edge, seen : ndarray, shape (EDGES,), int64
        Edges of one zone that are still to be followed, and in which directions each may be met.
    near_m, far_m : ndarray, shape (EDGES,), float64
        How near and how far along a way that may be.
    """

    lat_deg: Rows
    lon_deg: Rows
    line: Rows
    made: Rows
    most: Rows
    edge: Rows
    seen: Rows
    near_m: Rows
    far_m: Rows


def no_rays() -> Rays:
    """Return the room of a fan."""
    lat_deg, lon_deg = np.zeros((2, RAYS, MOST_PIECES + 1))
    line, (edge, seen) = np.zeros((RAYS, len(Line._fields))), np.zeros((2, EDGES), np.int64)
    near_m, far_m = np.zeros((2, EDGES))
    return Rays(lat_deg, lon_deg, line, np.zeros(RAYS, np.int64), np.zeros(PADDED), edge, seen, near_m, far_m)


@kernel
def least_odds(view: Outlook, chance: float) -> float:
    """Return less than what ways must weigh together to lead into a zone with a chance; see `forecast.entry_chance`."""
    chance -= 1e-6
    odds = logistic((log(chance / (1.0 - chance)) - view.settle) / view.slope)
    return odds if odds > LEAST_ODDS else 0.0


@kernel
def _most_between(lo_deg: float, hi_deg: float, narrow_deg: float, wide_deg: float) -> float:
    """Return the most of Student's distribution that lies between two angles, for any width between two."""
    if hi_deg < 0.0:
        lo_deg, hi_deg = -hi_deg, -lo_deg
    if lo_deg >= wide_deg:  # so far out, more lies there the wider it is
        narrow_deg = wide_deg
    elif lo_deg <= 0.0 or hi_deg <= narrow_deg:  # and so near, the less
        wide_deg = narrow_deg
    return student(hi_deg / narrow_deg) - student(lo_deg / wide_deg)


@kernel
def weigh_most(
    rays: Rays, view: Outlook, least_stray: float, soonest_s: float, spread: Spread, from_m: float, to_m: float
) -> None:
    """Write the most that each direction of a fan can weigh; see `forecast.weigh_ways`. Begins a new fan.

    Parameters
    ----------
    rays : Rays
    view : Outlook
        For the longest horizon.
    least_stray, soonest_s : float
        `stray` of the outlook for the shortest, and that horizon.
    spread : Spread
    from_m, to_m : float
        How near and how far a zone may be.
    """
    far = log(max(to_m / view.speed_mps, 1.0) / 300.0)
    near = min(log(max(from_m / view.speed_mps, 1.0) / 300.0), far)
    lo, hi = inf, -inf
    for turn in range(8):  # straight in the logarithm of the time between these
        horizon = log((view.horizon_s if turn < 4 else soonest_s) / 300.0)
        at = near if turn % 4 == 0 else (far if turn % 4 == 1 else (horizon if turn % 4 == 2 else horizon - LEFT_MOST))
        at = min(max(at, near), far)
        width = spread.turn_time * at + spread.turn_left * min(max(horizon - at, 0.0), LEFT_MOST)
        lo, hi = min(lo, width), max(hi, width)
    narrow = exp(min(max(view.log_width + lo - SLACK, -3.0), 5.0))
    wide = exp(min(max(view.log_width + hi + SLACK, -3.0), 5.0))
    goes = logistic(-view.halt - spread.halt_time * (near if spread.halt_time > 0.0 else far))
    for ray in range(RAYS):
        lo_deg, hi_deg = FAN_EDGE_DEG[ray] - view.lean_deg, FAN_EDGE_DEG[ray + 1] - view.lean_deg
        keeps = _most_between(lo_deg, hi_deg, narrow, wide)
        strays = student(hi_deg / spread.stray_deg) - student(lo_deg / spread.stray_deg)
        more = max(view.stray * strays + (1.0 - view.stray) * keeps, least_stray * strays + (1.0 - least_stray) * keeps)
        rays.most[ray], rays.made[ray] = more * goes + SLACK, 0


@kernel
def counts_within_m(rays: Rays, view: Outlook, odds: float, latest_s: float, spread: Spread, to_m: float) -> float:
    """Return how far off ways weigh less than `FAR_SHARE` of some odds together; see `forecast.entry_chance`.

    That is, those on which a zone is first met further off, when it must be entered within a time.
    """
    if not odds > 0.0:
        return inf
    more = _weigh(rays, ALL_RAYS) / (FAR_SHARE * odds) - 1.0
    if not more > 0.0:
        return 0.0
    more, far = log(more), log(max(to_m / view.speed_mps, 1.0) / 300.0)
    least, most = spread.unsteady_time * min(far, log(1.0 / 300.0)), spread.unsteady_time * max(far, log(1.0 / 300.0))
    least, most = min(least, most), max(least, most)
    unsteady = exp(min(max(view.log_unsteady + (most if more > 0.0 else least), -5.0), 2.0))
    return view.speed_mps * latest_s * exp(view.log_pace + more * unsteady + SLACK)


@kernel
def _weigh(rays: Rays, seen: int) -> float:
    """Return the most that a set of directions can weigh together."""
    most, a, b, c, d = rays.most, 0.0, 0.0, 0.0, 0.0  # four sums go on at a time
    for ray in range(0, PADDED, 4):
        a += most[ray] if (seen >> ray) & 1 else 0.0
        b += most[ray + 1] if (seen >> (ray + 1)) & 1 else 0.0
        c += most[ray + 2] if (seen >> (ray + 2)) & 1 else 0.0
        d += most[ray + 3] if (seen >> (ray + 3)) & 1 else 0.0
    return (a + b) + (c + d)


@kernel
def _place(sight: Sight, rays: Rays, ray: int, at: int) -> tuple[float, float]:
    """Return where on a way a piece ends, or the first begins: latitude and longitude."""
    if rays.made[ray] == 0:
        line = setting_out(sight.sin_reduced, sight.cos_reduced, sight.course_deg + FAN_DEG[ray])
        for k, value in enumerate(line):
            rays.line[ray, k] = value
        rays.lat_deg[ray, 0], rays.lon_deg[ray, 0], rays.made[ray] = settled(sight.lat_deg), settled(sight.lon_deg), 1
    if (rays.made[ray] >> at) & 1 == 0:
        v = rays.line[ray]
        line = Line(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7])
        lat_deg, lon_deg = along(sight.lon_deg, line, sight.reach_m * at / sight.pieces)
        rays.lat_deg[ray, at], rays.lon_deg[ray, at] = settled(lat_deg), settled(lon_deg)
        rays.made[ray] |= 1 << at
    return rays.lat_deg[ray, at], rays.lon_deg[ray, at]


@kernel
def _exactly_m(atlas: AtlasArrays, zone: int, y0: float, x0: float, y1: float, x1: float, edge_zone: Rows,
               edge_s: Rows) -> float:  # fmt: skip
    """Return what `first_edge` does, for all edges of a zone and in every case; NaN if there is no room."""
    met, least = edges_met(atlas, y0, x0, y1, x1, edge_zone, edge_s), inf
    if met > min(len(edge_zone), len(edge_s)):
        return nan
    for j in range(met):
        least = min(least, edge_s[j]) if edge_zone[j] == zone else least
    return least


@kernel
def _follow(atlas: AtlasArrays, sight: Sight, rays: Rays, zone: int, n: int, edge_zone: Rows, edge_s: Rows,
            way_m: Rows) -> bool:  # fmt: skip
    """Bring `way_m` up to the first `n` edges that are noted; return False if there is no room."""
    reach_m, pieces = sight.reach_m, sight.pieces
    for ray in range(RAYS):
        for k in range(n):
            if (rays.seen[k] >> ray) & 1 == 0 or way_m[ray] < rays.near_m[k]:
                continue
            first = max(int(rays.near_m[k] / reach_m * pieces), 0)
            last = min(int(min(rays.far_m[k] / reach_m, 1.0) * pieces), pieces - 1)
            for piece in range(first, last + 1):
                y0, x0 = _place(sight, rays, ray, piece)
                y1, x1 = _place(sight, rays, ray, piece + 1)
                s = first_edge(atlas.xy, rays.edge[k], 1, x0, y0, x1, y1)
                if isnan(s):
                    s = _exactly_m(atlas, zone, y0, x0, y1, x1, edge_zone, edge_s)
                    if isnan(s):
                        return False
                if s < inf:
                    way_m[ray] = min(way_m[ray], reach_m * (piece + s) / pieces)
                    break
    return True


@kernel
def _note_chunk(atlas: AtlasArrays, sight: Sight, rays: Rays, chunk: int, n: int) -> int:
    """Note the edges of a chunk that may be met, from number `n` on, and return how many are noted."""
    xy, box = atlas.xy, atlas.box[chunk]
    edge, end = atlas.chunk[chunk, 0], atlas.chunk[chunk, 0] + atlas.chunk[chunk, 1]
    if box_seen(sight, box[0], box[1], box[2], box[3]) == 0:
        return n
    bx, by = xy[2 * edge], xy[2 * edge + 1]
    b, b_m = vertex_seen(sight, by, bx)
    for e in range(edge, end):
        ax, ay, a, a_m = bx, by, b, b_m
        bx, by = xy[2 * e + 2], xy[2 * e + 3]
        b, b_m = vertex_seen(sight, by, bx)
        rays.seen[n], rays.near_m[n], rays.far_m[n] = edge_seen(sight, a, a_m, b, b_m, abs(bx - ax) + abs(by - ay))
        rays.edge[n] = e
        n += rays.seen[n] != 0
    return n


@kernel
def _zone_seen(atlas: AtlasArrays, sight: Sight, zone: int) -> int:
    """Return the directions in which a way of the fan may meet a zone, by the boxes of its groups of chunks."""
    seen, groups = 0, len(atlas.chunk)
    for group in range(groups + atlas.zone[zone, 2], groups + atlas.zone[zone + 1, 2]):
        box = atlas.box[group]
        seen |= box_seen(sight, box[0], box[1], box[2], box[3])
    return seen


@kernel
def may_count(atlas: AtlasArrays, sight: Sight, rays: Rays, zone: int, odds: float) -> bool:
    """Return False if the directions in which a fan may meet a zone weigh less than so much together."""
    return bool(_weigh(rays, _zone_seen(atlas, sight, zone)) >= odds)


@kernel
def cast_at(atlas: AtlasArrays, sight: Sight, rays: Rays, zone: int, odds: float, edge_zone: Rows, edge_s: Rows,
            way_m: Rows) -> int:  # fmt: skip
    """Write how far a zone is in each direction of a fan, unless its ways surely weigh less than so much together.

    Parameters
    ----------
    atlas : AtlasArrays
    sight : Sight
        One that `sees`.
    rays : Rays
        As `weigh_most` wrote it, for edges no nearer than the zone's.
    zone : int
    odds : float
        As of `least_odds`.
    edge_zone, edge_s : ndarray, int64 and float64
        Scratch room for the edges of one way.
    way_m : ndarray, shape (RAYS,), float64
        As of `forecast.look_around`; means nothing if 1 is not returned.

    Returns
    -------
    int
        1 if it was written, 0 if the zone weighs less, more than `ALL_RAYS` if there is no room.
    """
    seen = _zone_seen(atlas, sight, zone)
    if seen == 0 or _weigh(rays, seen) < odds:
        return 0
    for ray in range(RAYS):
        way_m[ray] = inf
    first, last, first_group = atlas.zone[zone, 1], atlas.zone[zone + 1, 1], len(atlas.chunk) + atlas.zone[zone, 2]
    n, whole = 0, True
    for begin in range(first, last, GROUP_CHUNKS):
        box = atlas.box[first_group + (begin - first) // GROUP_CHUNKS]
        if last - first > GROUP_CHUNKS and box_seen(sight, box[0], box[1], box[2], box[3]) == 0:
            continue
        for chunk in range(begin, min(begin + GROUP_CHUNKS, last)):
            if n + CHUNK_EDGES >= EDGES:
                whole = False
                if not _follow(atlas, sight, rays, zone, n, edge_zone, edge_s, way_m):
                    return ALL_RAYS + 1
                n = 0
            n = _note_chunk(atlas, sight, rays, chunk, n)
    seen = 0
    for k in range(n):
        seen |= rays.seen[k]
    if whole and _weigh(rays, seen) < odds:
        return 0
    if not _follow(atlas, sight, rays, zone, n, edge_zone, edge_s, way_m):
        return ALL_RAYS + 1
    seen = 0
    for ray in range(RAYS):
        seen |= (1 if way_m[ray] < inf else 0) << ray
    return 1 if seen != 0 and _weigh(rays, seen) >= odds else 0


@kernel
def zones_in_sight(atlas: AtlasArrays, sight: Sight, rays: Rays, odds: float, of: Rows, zones_out: Rows) -> int:
    """Write the zones with edges in the cells of one degree that a fan may meet, but for those that weigh too little.

    Cells are passed over as long as all directions in which they are seen weigh less than so much together, for a zone
    may lie in several.

    Parameters
    ----------
    atlas, sight, rays, odds : see `cast_at`
    of : ndarray, shape (zones,), int32
        Scratch room; what stands in it does not matter.
    zones_out : ndarray, shape (m,), int32
        Each zone once.

    Returns
    -------
    int
        How many; more than m means that there is no room.
    """
    n, passed, up = 0, 0, NEARLY * NEARLY * sight.reach_m * PER_METRE_DEG
    r0, r1 = cell_range(sight.lat_deg - up, sight.lat_deg + up, -90.0, ROWS, 1.0)
    c0, c1 = cell_range(sight.lon_deg - sight.wide_deg, sight.lon_deg + sight.wide_deg, -180.0, COLUMNS, 1.0)
    for r in range(r0, r1):
        for c in range(c0, c1):
            begin, end = atlas.edged_at[r * COLUMNS + c], atlas.edged_at[r * COLUMNS + c + 1]
            if begin == end:
                continue
            seen = box_seen(sight, c - 180.0, r - 90.0, c - 179.0, r - 89.0)
            if seen == 0 or _weigh(rays, passed | seen) < odds:
                passed |= seen
                continue
            for k in range(begin, end):
                zone = atlas.edged[k]
                at = of[zone]
                if not (0 <= at < n and zones_out[at] == zone):
                    if n == len(zones_out):
                        return n + 1
                    of[zone], zones_out[n] = n, zone
                    n += 1
    return n
