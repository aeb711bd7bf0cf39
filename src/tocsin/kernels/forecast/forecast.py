"""Forecast: how likely a track is to enter each zone ahead of it, and when.

A track is let go on in a fan of directions, denser about its course, each way walked through the atlas once or, by
`cast.py`, along the edges of those zones only that it can matter to. How likely each direction is, and how fast the
track gets on, comes from how such tracks moved: wider the more this one has turned and wandered, and wider with time.
Nothing is drawn at random. The coefficients were fitted to recorded tracks (docs/guide/warning-quality.md says which
and how); routes are not remembered and altitude is not forecast.
"""

from __future__ import annotations

from math import ceil, inf
from typing import NamedTuple

import numpy as np

from tocsin.kernels.earth.geodesic import direct
from tocsin.kernels.forecast.motion import LONG, MIDDLE, SHORT, share_seen
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.chance import exp, logistic, student
from tocsin.kernels.numbers.trig import RAD_PER_DEG, atan2d, hypot, log, sincosd
from tocsin.kernels.tables import Row, Rows
from tocsin.kernels.zones.atlas import AtlasArrays, clearance_m, edges_met

_HALF_FAN_DEG = (1.0, 2.0, 3.5, 6.0, 9.0, 13.0, 19.0, 27.0, 38.0, 52.0, 70.0, 95.0, 130.0, 165.0)
FAN_DEG = np.array([*(-a for a in reversed(_HALF_FAN_DEG)), 0.0, *_HALF_FAN_DEG])
"""Directions of the fan against the course, degrees."""

RAYS = len(FAN_DEG)

FAN_EDGE_DEG = np.array([-180.0, *(0.5 * (FAN_DEG[1:] + FAN_DEG[:-1])), 180.0])
"""Where one direction's share of the circle ends and the next one's begins, degrees."""

PIECE_M = 100_000.0
"""A way is straight in longitude and latitude in pieces of this length, metres: 200 m off at most at 45° N."""

PER_METRE_DEG = 1.0 / 111_200.0
"""Degrees of latitude in a metre, to half a hundredth; degrees of longitude on the equator, too."""

FLAT_DEG = 75.0
"""Beyond this latitude no way is followed on a plane, degrees."""

LEAST_WIDE = 0.1
"""Less than the cosine of that latitude."""

SHORTEST_LOOK = 1.0 / 32.0
"""A way is followed in steps of at least this share of it: with shorter ones it costs less to look at its edges."""

REACH = 1.5
"""A fan reaches as far as this many times the way that the speed so far would make."""

UNSEEN_INTERVALS, UNSEEN_S = 6.0, 180.0
"""It reaches so many reporting intervals, or this, beyond the horizon: no further fix may come in time."""

SLOWEST_MPS = 0.5
"""Slower, a track is taken to lie still and no forecast is made; m/s, about a knot."""

LEAST_MPS = 0.05
"""No speed is taken to be lower where its logarithm is needed, m/s."""


ROUNDING = 1e-9
"""Far more than a chance loses by rounding."""


SURELY, HARDLY = 37.0, 60.0
"""Log odds above which a chance is 1 to the last bit, and below minus which it changes no bit of the least odds."""


class Spread(NamedTuple):
    """How such tracks moved on. Angles in degrees, times against 300 s, speeds against 5 m/s, all in logarithms.

    Attributes
    ----------
    turn : the fan's width: constant, turn in the last seconds, speed, interval, unknown past, no reported course,
        time to the edge, time left over
    lean : how much of the turn against the last minute goes on
    stray : log odds of leaving the course altogether: constant, crookedness, no reported course, horizon
    stray_deg : width of the fan then
    pace : expected progress: constant, speed of the last minute, speed now
    unsteady : its spread: constant, time, speed, change of speed, no reported course
    halt : log odds of not getting there at all: constant, time, speed
    settle : last correction of the log odds: constant and slope, and what each owes to the fan's width
    """

    turn: float
    turn_turned: float
    turn_speed: float
    turn_interval: float
    turn_new: float
    turn_derived: float
    turn_time: float
    turn_left: float
    lean: float
    stray: float
    stray_crooked: float
    stray_derived: float
    stray_horizon: float
    stray_deg: float
    pace: float
    pace_mean: float
    pace_now: float
    unsteady: float
    unsteady_time: float
    unsteady_speed: float
    unsteady_change: float
    unsteady_derived: float
    halt: float
    halt_time: float
    halt_speed: float
    settle: float
    settle_width: float
    settle_slope: float
    settle_slope_width: float


SPREAD = Spread(
    turn=0.892,
    turn_turned=0.648,
    turn_speed=-0.077,
    turn_interval=-0.343,
    turn_new=0.97,
    turn_derived=0.374,
    turn_time=0.246,
    turn_left=0.177,
    lean=-0.208,
    stray=-1.253,
    stray_crooked=0.738,
    stray_derived=0.403,
    stray_horizon=0.999,
    stray_deg=78.235,
    pace=-0.019,
    pace_mean=0.403,
    pace_now=0.542,
    unsteady=-3.148,
    unsteady_time=0.19,
    unsteady_speed=-0.84,
    unsteady_change=1.086,
    unsteady_derived=0.963,
    halt=-3.139,
    halt_time=0.516,
    halt_speed=-0.887,
    settle=0.305,
    settle_width=-0.283,
    settle_slope=0.796,
    settle_slope_width=-0.087,
)
"""The coefficients in use: fitted once, outside this repository, to one half of the tracks that
docs/guide/warning-quality.md names, so that what is forecast comes true as often as it says; measured there on the
other half."""


class Outlook(NamedTuple):
    """One track's numbers for one horizon, the same for every zone and direction.

    Attributes
    ----------
    speed_mps, log_width, lean_deg, stray, log_pace, log_unsteady, halt : see `Spread`
    settle, slope : what the log odds of an entry are raised by, once multiplied, so that they come true as often
    known : how much earlier passages count for, 0 to 1 (`routes.py`)
    horizon_s : the horizon, seconds, with its patience
    interval_s : how long passes between reports, seconds; 0 if that is not known
    """

    speed_mps: float
    log_width: float
    lean_deg: float
    stray: float
    log_pace: float
    log_unsteady: float
    halt: float
    settle: float
    slope: float
    known: float
    horizon_s: float
    interval_s: float


NO_OUTLOOK = Outlook(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
"""That of a horizon of no time, which nobody asks for."""


@kernel
def speed_ahead_mps(row: Row, now_mps: float) -> float:
    """Return the speed by which a forecast measures time, metres per second: now, or of late if that was faster."""
    if row.seen_s > 0.0:
        now_mps = max(now_mps, 0.7 * row.mean_speed_mps[MIDDLE] / share_seen(row, MIDDLE))
        now_mps = max(now_mps, 0.5 * row.mean_speed_mps[LONG] / share_seen(row, LONG))
    return now_mps


@kernel
def reach_m(row: Row, now_mps: float, horizon_s: float, carry_s: float) -> float:
    """Return how far a forecast must look, metres; 0 for a track that lies still, NaN if its velocity is not known."""
    speed_mps = speed_ahead_mps(row, now_mps)
    if speed_mps < SLOWEST_MPS:
        return 0.0
    return REACH * speed_mps * (horizon_s + min(carry_s, max(UNSEEN_INTERVALS * row.interval_s, UNSEEN_S)))


@kernel
def course_ahead_deg(row: Row) -> float:
    """Return the course about which the fan opens: that of now, steadied a little by the last minute's."""
    east_mps, north_mps = float(row.east_mps), float(row.north_mps)
    if row.seen_s > 0.0:
        share = 0.2 / share_seen(row, MIDDLE)
        east_mps += share * row.mean_east_mps[MIDDLE]
        north_mps += share * row.mean_north_mps[MIDDLE]
    return atan2d(east_mps, north_mps)


@kernel
def _goes_free(
    atlas: AtlasArrays, lat_deg: float, lon_deg: float, course_deg: float, way_m: float, reach_m: float, bend: float
) -> bool:
    """Return True if one way of a fan surely meets no edge; False says nothing.

    The way is followed on a plane about its start, from circle to circle that the clearance says is free of edges.
    `way_m` of it is known to be free. `bend` is how far, for each metre of the way, it may lie beside the plane's.
    """
    sin_lat, cos_lat = sincosd(lat_deg)
    east, north = sincosd(course_deg)
    while way_m < reach_m:
        up = way_m * north * PER_METRE_DEG
        wide = max(cos_lat - 0.5 * up * RAD_PER_DEG * sin_lat, LEAST_WIDE)  # the cosine halfway
        free_m = clearance_m(atlas, lat_deg + up, lon_deg + way_m * east * PER_METRE_DEG / wide)
        step_m = (free_m - bend * way_m) / (1.02 + bend)
        if not step_m > SHORTEST_LOOK * reach_m:
            return False
        way_m += step_m
    return True


@kernel
def _bend(lat_deg: float, reach_m: float) -> float:
    """Return how far a way of a fan may lie beside the plane's, for each metre of it.

    A hundredth, because degrees are longer here and shorter there by half of that; and for the turning of the meridians
    twice what the geodesic and the chord that stands for it leave the plane's together.
    """
    farthest_deg = abs(lat_deg) + reach_m * PER_METRE_DEG
    if farthest_deg > FLAT_DEG:
        return inf
    s, c = sincosd(farthest_deg)
    return 0.01 + reach_m * PER_METRE_DEG * RAD_PER_DEG * s / c


@kernel
def look_around(
    atlas: AtlasArrays, lat_deg: float, lon_deg: float, course_deg: float, reach_m: float,
    edge_zone: Rows, edge_s: Rows, fan_of: Rows, zones_out: Rows, way_m: Rows,
) -> int:  # fmt: skip
    """Write the zones that a fan meets, and how far each is in each direction.

    Parameters
    ----------
    atlas : AtlasArrays
    lat_deg, lon_deg, course_deg, reach_m : float
    edge_zone, edge_s : ndarray, int64 and float64
        Scratch room for the edges of one way.
    fan_of : ndarray, shape (zones,), int32
        Scratch room; what stands in it does not matter.
    zones_out : ndarray, shape (m,), int64
    way_m : ndarray, shape (m, RAYS), float64
        Metres along each direction to the zone's first edge; infinite where it is not met.

    Returns
    -------
    int
        How many zones; more than there is room for is the room plus one, and means that nothing can be said.
    """
    n, room, free_m = 0, min(len(zones_out), len(edge_s)), clearance_m(atlas, lat_deg, lon_deg)
    if not free_m <= reach_m:
        return 0
    pieces, bend = ceil(reach_m / PIECE_M), _bend(lat_deg, reach_m)
    free_m /= 1.02 + bend
    may_be_free = free_m > SHORTEST_LOOK * reach_m
    for ray in range(RAYS):
        ray_deg = course_deg + FAN_DEG[ray]
        if may_be_free and _goes_free(atlas, lat_deg, lon_deg, ray_deg, free_m, reach_m, bend):
            continue
        from_lat, from_lon = lat_deg, lon_deg
        for piece in range(pieces):
            to_lat, to_lon = direct(lat_deg, lon_deg, ray_deg, reach_m * (piece + 1) / pieces)
            met = edges_met(atlas, from_lat, from_lon, to_lat, to_lon, edge_zone, edge_s)
            if met > room:
                return room + 1
            for j in range(met):
                z = fan_of[edge_zone[j]]
                if not (0 <= z < n and zones_out[z] == edge_zone[j]):
                    if n == room:
                        return room + 1
                    z = n
                    fan_of[edge_zone[j]], zones_out[n] = n, edge_zone[j]
                    for other in range(RAYS):
                        way_m[n, other] = inf
                    n += 1
                way_m[z, ray] = min(way_m[z, ray], reach_m * (piece + edge_s[j]) / pieces)
            from_lat, from_lon = to_lat, to_lon
    return n


@kernel
def _turn_deg(row: Row, k: int, course_deg: float) -> float:
    """Return how far the mean course of a memory lies to the right of a course, -180 to 180 degrees."""
    off = (atan2d(row.mean_east_mps[k], row.mean_north_mps[k]) - course_deg) % 360.0
    return off - 360.0 if off > 180.0 else off


@kernel
def outlook(row: Row, spread: Spread, horizon_s: float) -> Outlook:
    """Return one track's numbers for a horizon."""
    speed_mps = max(speed_ahead_mps(row, hypot(row.east_mps, row.north_mps)), LEAST_MPS)
    course_deg = course_ahead_deg(row)
    log_speed = log(speed_mps / 5.0)
    derived = 1.0 if row.leg_s > 0.0 else 0.0
    known = row.seen_s > 0.0
    turned_deg = abs(_turn_deg(row, SHORT, course_deg)) if known else 0.0
    lean_deg = min(max(_turn_deg(row, MIDDLE, course_deg), -90.0), 90.0) if known else 0.0
    crooked, mean_mps, change = 0.1, speed_mps, 0.0
    if known:
        mean_mps = max(row.mean_speed_mps[MIDDLE] / share_seen(row, MIDDLE), LEAST_MPS)
        long_mps = float(row.mean_speed_mps[LONG])
        if long_mps > 0.0:
            crooked = max(1.0 - hypot(row.mean_east_mps[LONG], row.mean_north_mps[LONG]) / long_mps, 0.0)
        change = min(abs(log(max(long_mps / share_seen(row, LONG), LEAST_MPS) / speed_mps)), 2.0)
    now = min(max(log(max(hypot(row.east_mps, row.north_mps), 0.1) / speed_mps), -2.0), 0.0)
    interval_s = row.interval_s if row.interval_s > 0.0 else 60.0
    log_width = spread.turn + spread.turn_turned * log(turned_deg + 0.3) + spread.turn_speed * log_speed
    log_width += spread.turn_interval * log(interval_s / 30.0) + spread.turn_derived * derived
    if not known:
        log_width += spread.turn_new
    stray = spread.stray + spread.stray_crooked * log(crooked + 1e-3) + spread.stray_derived * derived
    pace = spread.pace + spread.pace_mean * min(max(log(mean_mps / speed_mps), -2.0), 1.0) + spread.pace_now * now
    unsteady = spread.unsteady + spread.unsteady_speed * log_speed + spread.unsteady_change * change
    return Outlook(
        speed_mps,
        log_width,
        spread.lean * lean_deg,
        logistic(stray + spread.stray_horizon * log(horizon_s / 300.0)),
        pace,
        unsteady + spread.unsteady_derived * derived,
        spread.halt + spread.halt_speed * log_speed,
        spread.settle + spread.settle_width * log_width,
        max(spread.settle_slope + spread.settle_slope_width * log_width, 0.1),
        0.0,
        horizon_s,
        1.0 * row.interval_s,  # a float64, which the row is not
    )


@kernel
def weigh_ways(way_m: Rows, view: Outlook, spread: Spread, ways_out: Rows) -> int:
    """Write the directions in which a zone lies, each with its weight, and return how many.

    Parameters
    ----------
    way_m : ndarray, shape (RAYS,), float64
        Metres to the zone in each direction; infinite where it is not met.
    view : Outlook
    spread : Spread
    ways_out : ndarray, shape (RAYS, 3), float64
        The chance that the track goes this way and does not halt; the logarithm of the seconds it then needs, by its
        expected pace; how well that time is known.
    """
    n = 0
    for ray in range(RAYS):
        if way_m[ray] == inf:
            continue
        time_s = max(way_m[ray] / view.speed_mps, 1.0)
        log_time = log(time_s / 300.0)
        left = min(max(log(view.horizon_s / time_s), 0.0), 4.0)
        width = exp(min(max(view.log_width + spread.turn_time * log_time + spread.turn_left * left, -3.0), 5.0))
        lo, hi = FAN_EDGE_DEG[ray] - view.lean_deg, FAN_EDGE_DEG[ray + 1] - view.lean_deg
        share = (1.0 - view.stray) * (student(hi / width) - student(lo / width))
        share += view.stray * (student(hi / spread.stray_deg) - student(lo / spread.stray_deg))
        unsteady = min(max(view.log_unsteady + spread.unsteady_time * log_time, -5.0), 2.0)
        ways_out[n, 0] = share * logistic(-view.halt - spread.halt_time * log_time)
        ways_out[n, 1] = log(time_s) - view.log_pace
        ways_out[n, 2] = exp(-unsteady)
        n += 1
    return n


@kernel
def entry_chance(ways: Rows, n: int, view: Outlook, within_s: float) -> float:
    """Return the chance that a track enters a zone within a time.

    Parameters
    ----------
    ways : ndarray, shape (m, 3), float64
        As `weigh_ways` wrote them; the first `n` count.
    n : int
    view : Outlook
    within_s : float, seconds

    Returns
    -------
    float
        0 to 1; rises with the time.
    """
    odds, log_within = 0.0, log(max(within_s, 1e-3))
    for way in range(n):
        early = (log_within - ways[way, 1]) * ways[way, 2]
        if early > SURELY:
            odds += ways[way, 0]
        elif early > -HARDLY:
            odds += ways[way, 0] * logistic(early)
    odds = min(max(odds, 1e-5), 1.0 - 1e-5)
    return logistic(view.settle + view.slope * log(odds / (1.0 - odds)))


@kernel
def most_chance(ways: Rows, n: int, view: Outlook) -> float:
    """Return more than the chance that a track enters a zone, however long it is given; see `entry_chance`."""
    odds = 0.0
    for way in range(n):
        odds += ways[way, 0]
    odds = min(max(odds, 1e-5), 1.0 - 1e-5)
    return logistic(view.settle + view.slope * log(odds / (1.0 - odds))) + ROUNDING


@kernel
def entry_time_s(ways: Rows, n: int, view: Outlook, chance: float, latest_s: float) -> float:
    """Return the time within which a zone is entered with a chance, seconds; infinite if not even within the latest."""
    if entry_chance(ways, n, view, latest_s) < chance:
        return inf
    return time_to_s(ways, n, view, chance, latest_s)


@kernel
def time_to_s(ways: Rows, n: int, view: Outlook, chance: float, latest_s: float) -> float:
    """Return what `entry_time_s` does for a chance that is reached within the latest time."""
    lo_s, hi_s = 0.0, latest_s
    while hi_s - lo_s > 0.5 and hi_s - lo_s > 0.005 * hi_s:
        mid_s = 0.5 * (lo_s + hi_s)
        if entry_chance(ways, n, view, mid_s) < chance:
            lo_s = mid_s
        else:
            hi_s = mid_s
    return hi_s
