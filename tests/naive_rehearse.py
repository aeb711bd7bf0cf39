"""Slow naive twin of `tocsin.watch.rehearse`: a plane, ten looks a second, and the definitions word for word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

LOOKS_PER_S = 10


@dataclass
class Walk:
    """One segment: seconds and metres of its fixes."""

    t: list[float]
    x: list[float]
    y: list[float]


def distances(walk: Walk, zone: shapely.Polygon) -> tuple[np.ndarray, np.ndarray]:
    """Return every look's second and signed distance."""
    t = np.arange(round(walk.t[0] * LOOKS_PER_S), round(walk.t[-1] * LOOKS_PER_S) + 1) / LOOKS_PER_S
    places = shapely.points(np.interp(t, walk.t, walk.x), np.interp(t, walk.t, walk.y))
    d = shapely.distance(zone.exterior, places)
    return t, np.where(shapely.contains(zone, places), -d, d)


def story(t: np.ndarray, d: np.ndarray, eps: float, clear: float) -> dict[str, list]:
    """Return entries, grazes, and the looks at which the track was at risk."""
    entries, grazes, risk = [], [], np.zeros(len(t), bool)
    was_out = was_in = False
    out_since = exit_at = fell = band_at = None
    in_band = False
    for i in range(len(t)):
        if i and d[i - 1] > 0 >= d[i]:
            fell = t[i]
        if i and d[i - 1] <= 0 < d[i]:
            rose = t[i]
        if d[i] >= eps:
            if was_in or not was_out:
                exit_at = rose if was_in else None
                out_since = t[i] if exit_at is None else max(t[i], exit_at + clear)
            elif in_band:
                grazes.append((band_at, t[i]))
            was_out, was_in, in_band = True, False, False
        elif d[i] <= -eps:
            if was_out and (exit_at is None or fell - exit_at >= clear):
                entries.append((fell, out_since))
            if was_out:
                risk[t >= fell] = False
            was_out, was_in, in_band = False, True, False
        elif was_out and not in_band:
            in_band, band_at = True, t[i]
        risk[i] = was_out and t[i] >= out_since
    if was_out and in_band:
        grazes.append((band_at, t[-1]))
    for tau, _ in entries:  # from the fall through 0 to the certain inside it is no longer at risk
        inside = np.flatnonzero((t > tau) & (d <= -eps))
        risk[(t > tau) & (t < t[inside[0]])] = False
    return {"entries": entries, "grazes": grazes, "risk": risk}


def verdict(
    walk: Walk, zone: shapely.Polygon, *, at: float, h: float, eps: float, clear: float, interval: float
) -> str:
    """Return the class of one warning, a repeat told as right."""
    t, d = distances(walk, zone)
    told = story(t, d, eps, clear)
    w = 1.1 * h + interval
    look = int(np.argmin(np.abs(t - at)))
    if not told["risk"][look]:
        return "idle"
    later = [tau for tau, _ in told["entries"] if tau > at]
    if later and later[0] - at <= w:
        return "right"
    if later and later[0] - at <= 3 * h:
        return "early"
    if t[-1] < at + w:
        return "censored"
    if any(a <= at + w and b > at for a, b in told["grazes"]):
        return "graze"
    window = (t > at) & (t <= at + w)
    return "near" if d[window].min() <= max(3 * eps, 0.05 * d[look]) else "false"
