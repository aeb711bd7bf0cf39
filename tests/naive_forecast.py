"""Slow naive twin of `motion`, `forecast` and `trust` in `kernels/forecast`: sums over every leg, formulas in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

MEMORIES_S = (20.0, 80.0, 640.0)


def averages(legs: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Return mean east, north and speed of (seconds, east, north) legs, oldest first, for each time constant."""
    out = []
    for tau in MEMORIES_S:
        sums = [0.0, 0.0, 0.0]
        for i, (dt, east, north) in enumerate(legs):
            since = sum(later[0] for later in legs[i + 1 :])
            weight = (1.0 - math.exp(-dt / tau)) * math.exp(-since / tau)
            for axis, value in enumerate((east, north, math.hypot(east, north))):
                sums[axis] += weight * value
        out.append((sums[0], sums[1], sums[2]))
    return out


def student(x: float, steps: int = 200_000) -> float:
    """Return the integral of the density of Student's distribution of two degrees of freedom, up to x."""
    width = abs(x) / steps
    area = sum((2.0 + ((i + 0.5) * width) ** 2) ** -1.5 for i in range(steps)) * width
    return 0.5 + math.copysign(area, x)


def logistic(x: float) -> float:
    """Return the chance whose log odds are x."""
    return 1.0 / (1.0 + math.exp(-x))


def in_time(needs_s: float, view: object, spread: object, within_s: float, steady: float = 0.0) -> float:
    """Return the chance that a track gets somewhere at all, and within a time, if by its speed it needs so long."""
    v, p = view, spread
    far = math.log(needs_s / 300.0)
    gets_there = 1.0 - logistic(v.halt + p.halt_time * far)
    unsteady = math.exp(min(max(v.log_unsteady + steady + p.unsteady_time * far, -5.0), 2.0))
    expected_s = needs_s * math.exp(-v.log_pace)
    return gets_there * logistic(math.log(within_s / expected_s) / unsteady)


def fan_odds(way_m: Sequence[float], edges_deg: Sequence[float], view: object, spread: object, within_s: float
             ) -> float:  # fmt: skip
    """Return the share of the fan that enters within a time, ray by ray, as the module describes it."""
    v, p = view, spread
    odds = 0.0
    for ray, metres in enumerate(way_m):
        if math.isinf(metres):
            continue
        needs_s = max(metres / v.speed_mps, 1.0)
        far = math.log(needs_s / 300.0)
        left = min(max(math.log(v.horizon_s / needs_s), 0.0), 4.0)
        width = math.exp(min(max(v.log_width + p.turn_time * far + p.turn_left * left, -3.0), 5.0))

        def fan(scale: float, ray: int = ray) -> float:
            lo, hi = edges_deg[ray] - v.lean_deg, edges_deg[ray + 1] - v.lean_deg
            cdf = [0.5 + a / (2.0 * math.sqrt(2.0 + a * a)) for a in (lo / scale, hi / scale)]
            return cdf[1] - cdf[0]

        share = (1.0 - v.stray) * fan(width) + v.stray * fan(p.stray_deg)
        odds += share * in_time(needs_s, v, p, within_s)
    return odds


def chance(way_m: Sequence[float], edges_deg: Sequence[float], view: object, spread: object, within_s: float,
           odds: float | None = None, gain: float = 0.0) -> float:  # fmt: skip
    """Return the chance of entry within a time; `odds` of something else than the fan, and what they gain."""
    v, p = view, spread
    odds = fan_odds(way_m, edges_deg, v, p, within_s) if odds is None else odds
    odds = min(max(odds, 1e-5), 1.0 - 1e-5)
    slope = max(p.settle_slope + p.settle_slope_width * v.log_width, 0.1)
    return logistic(gain + p.settle + p.settle_width * v.log_width + slope * math.log(odds / (1.0 - odds)))


Passage = tuple[float, float, float, float, bool]
"""How unlike it is, metres to the zone along it, how far and how long it was followed, whether it ended there."""


def chance_with(way_m: Sequence[float], edges_deg: Sequence[float], passed: Sequence[Passage], view: object,
                spread: object, trust: object, within_s: float) -> tuple[float, float]:  # fmt: skip
    """Return the chance of entry within a time where there were passages, and how much these count for."""
    v, t = view, trust
    counts = [
        (math.exp(-t.unlike * unlike), to_m)
        for unlike, to_m, way, time_s, ended in passed
        if not ended or to_m < math.inf or way >= v.speed_mps * v.horizon_s or time_s >= v.horizon_s
    ]
    whole = sum(weight for weight, _ in counts)
    if not counts:
        return chance(way_m, edges_deg, v, spread, within_s), 0.0
    fan = t.fan * ((1.0 - v.stray) / v.stray) ** t.straight
    part = t.most * whole / (whole + fan)
    came = sum(w * in_time(max(m / v.speed_mps, 1.0), v, spread, within_s, t.steady) for w, m in counts if m < math.inf)
    odds = (1.0 - part) * fan_odds(way_m, edges_deg, v, spread, within_s) + part * came / whole
    gain = part * (t.settle + t.settle_time * math.log(v.horizon_s / 300.0))
    return chance(way_m, edges_deg, v, spread, within_s, odds, gain), part


def apart_m(lat0: float, lon0: float, lat1: float, lon1: float) -> tuple[float, float]:
    """Return how far east and north the second place lies of the first, in a plane about the first."""
    return (lon1 - lon0) * 111_195.0 * math.cos(math.radians(lat0)), (lat1 - lat0) * 111_195.0


def passages(steps: Sequence[tuple[int, int, float, float]], lat: float, lon: float, east: float, north: float,
             now_us: int, most: int) -> list[tuple[float, int, int]]:  # fmt: skip
    """Return (unlikeness, route, place) of the likest step of each route, the likest routes first, at most so many.

    `steps` are the places (route, us, lat, lon) of all routes; every pair of neighbours is looked at.
    """
    speed = math.hypot(east, north)
    near = min(max(60.0 * speed, 300.0), 5_000.0)
    best: dict[int, tuple[float, int, int]] = {}
    for j, ((route, from_us, lat0, lon0), (other, to_us, lat1, lon1)) in enumerate(pairwise(steps)):
        if route != other or to_us > now_us:
            continue
        x, y = apart_m(lat0, lon0, lat1, lon1)
        px, py = apart_m(lat0, lon0, lat, lon)
        length = math.hypot(x, y)
        if length < 10.0:
            continue
        share = min(max((px * x + py * y) / length**2, 0.0), 1.0)
        off = math.hypot(px - share * x, py - share * y) / near
        ahead = (x * east + y * north) / (length * speed)
        faster = math.log(max(length * 1e6 / (to_us - from_us), 0.1) / speed)
        if off > 1.0 or ahead < 0.85 or abs(faster) > 1.1:
            continue
        score = 4.0 * off**2 + 30.0 * (1.0 - ahead) + 4.0 * faster**2
        best[route] = min(best.get(route, (math.inf, 0, 0)), (score, route, j))
    return sorted(best.values())[:most]


def thinned(fixes: Sequence[tuple[str, int, float, float]], gap_us: int) -> list[int | None]:
    """Return the path that each fix (track, us, lat, lon) is kept for, or None: by track, then time."""
    out: list[int | None] = [None] * len(fixes)
    path, kept, heading = -1, 0, None
    for i, (track, at_us, lat, lon) in enumerate(fixes):
        if i == 0 or fixes[i - 1][0] != track or at_us - fixes[i - 1][1] > gap_us:
            if i:
                out[i - 1] = path
            path, kept, heading = path + 1, i, None
            out[i] = path
            continue
        x, y = apart_m(fixes[kept][2], fixes[kept][3], lat, lon)
        way, seconds = math.hypot(x, y), (at_us - fixes[kept][1]) / 1e6
        turned = False
        if way >= 50.0:
            heading = heading or (x / way, y / way)
            turned = (x * heading[0] + y * heading[1]) / way < 0.985
        if seconds >= 600.0 or (way >= 50.0 and (turned or seconds >= 60.0 or way >= 3_000.0)):
            out[i], kept, heading = path, i, None
    if fixes:
        out[-1] = path
    return out
