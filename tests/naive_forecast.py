"""Slow naive twin of `motion.py` and `forecast.py` in `kernels/forecast`: sums over every leg, formulas in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

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


def chance(way_m: Sequence[float], edges_deg: Sequence[float], view: object, spread: object, within_s: float) -> float:
    """Return the chance of entry within a time, ray by ray, as the module describes it."""
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
        gets_there = 1.0 - logistic(v.halt + p.halt_time * far)
        unsteady = math.exp(min(max(v.log_unsteady + p.unsteady_time * far, -5.0), 2.0))
        expected_s = needs_s * math.exp(-v.log_pace)
        odds += share * gets_there * logistic(math.log(within_s / expected_s) / unsteady)
    odds = min(max(odds, 1e-5), 1.0 - 1e-5)
    slope = max(p.settle_slope + p.settle_slope_width * v.log_width, 0.1)
    return logistic(p.settle + p.settle_width * v.log_width + slope * math.log(odds / (1.0 - odds)))
