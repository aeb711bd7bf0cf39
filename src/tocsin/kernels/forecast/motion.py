"""Motion: what a track's own past says of how it moves: its velocity now, and averages over longer and longer times.

One row of fixed size for a track. The averages are exponential in time, not in fixes, and corrected for how little has
been seen, so that a track reporting every second and one reporting every two minutes are measured alike. Where no
course is reported, velocity now is that of the last leg, and the averages are those before it.
"""

from __future__ import annotations

from math import isnan, nan, sqrt

import numpy as np

from tocsin.kernels.earth.geodesic import A_M, E2, inverse_m
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.chance import exp
from tocsin.kernels.numbers.trig import RAD_PER_DEG, hypot, sincosd
from tocsin.kernels.tables import MEMORIES, MOTION_FIELDS, NEVER, Row

SHORT, MIDDLE, LONG = 0, 1, 2
SHORT_S, MIDDLE_S, LONG_S = 20.0, 80.0, 640.0
"""Time constants of the averages, seconds: a manoeuvre, a leg, a habit."""

INTERVAL_GAIN = 0.2
"""Weight of the newest step in the average reporting interval; dimensionless."""

SILENCE_INTERVALS, SILENCE_S = 10.0, 300.0
"""A silence longer than so many reporting intervals, and than this, and what was known of the motion is forgotten."""

CARRY_INTERVALS, CARRY_S, CARRY_MOST_S = 10.0, 600.0, 1_800.0
"""What was forecast at a fix is good for so many reporting intervals after it, for this long at least and at most."""

SHORT_LEG_DEG, POLAR_DEG = 0.2, 80.0
"""A leg no longer than this in longitude or latitude, and not nearer to a pole, is measured on the ellipsoid's tangent
at its middle: less than a millionth of its length off, and ten times as fast as the geodesic."""

MOTION = np.dtype(MOTION_FIELDS, align=True)
"""What is known of one track's motion."""


@kernel
def forget_motion(row: Row) -> None:
    """Make a row that of a track never seen."""
    row.asked_us = NEVER
    row.interval_s = row.seen_s = row.leg_s = 0.0
    row.east_mps = row.north_mps = nan
    for k in range(MEMORIES):
        row.mean_east_mps[k] = row.mean_north_mps[k] = row.mean_speed_mps[k] = 0.0


@kernel
def memory_s(k: int) -> float:
    """Return the time constant of an average, seconds."""
    return SHORT_S if k == SHORT else (MIDDLE_S if k == MIDDLE else LONG_S)


@kernel
def _remember(row: Row, dt_s: float, east_mps: float, north_mps: float) -> None:
    """Take one leg into the averages."""
    speed_mps = hypot(east_mps, north_mps)
    for k in range(MEMORIES):
        gain = 1.0 - exp(-dt_s / memory_s(k))
        row.mean_east_mps[k] += gain * (east_mps - row.mean_east_mps[k])
        row.mean_north_mps[k] += gain * (north_mps - row.mean_north_mps[k])
        row.mean_speed_mps[k] += gain * (speed_mps - row.mean_speed_mps[k])
    row.seen_s += dt_s


@kernel
def learn_motion(
    row: Row, dt_s: float, leg_east_mps: float, leg_north_mps: float, east_mps: float, north_mps: float
) -> None:
    """Take one fix.

    Parameters
    ----------
    row : record of MOTION
        Changed.
    dt_s : float, seconds
        Since the fix before; 0 if there is none.
    leg_east_mps, leg_north_mps : float
        Velocity from the fix before to this one.
    east_mps, north_mps : float
        Velocity as reported; NaN if it was not.
    """
    if dt_s > SILENCE_S and dt_s > SILENCE_INTERVALS * row.interval_s and row.interval_s > 0.0:
        forget_motion(row)
        dt_s = 0.0
    reported = not (isnan(east_mps) or isnan(north_mps))
    if row.leg_s > 0.0:
        _remember(row, row.leg_s, row.east_mps, row.north_mps)
        row.leg_s = 0.0
    if dt_s > 0.0:
        row.interval_s += (INTERVAL_GAIN if row.interval_s > 0.0 else 1.0) * (dt_s - row.interval_s)
        if reported:
            _remember(row, dt_s, leg_east_mps, leg_north_mps)
        else:
            row.leg_s, row.east_mps, row.north_mps = dt_s, leg_east_mps, leg_north_mps
    if reported:
        row.east_mps, row.north_mps = east_mps, north_mps


@kernel
def share_seen(row: Row, k: int) -> float:
    """Return how much of an average has been fed, 0 to 1: dividing by it corrects the average for what was not seen."""
    return 1.0 - exp(-row.seen_s / memory_s(k))


@kernel
def leg_m(lat0_deg: float, lon0_deg: float, lat1_deg: float, lon1_deg: float) -> tuple[float, float]:
    """Return how far east and how far north one place lies of another, metres: the geodesic's length and its course."""
    dlat, dlon = lat1_deg - lat0_deg, lon1_deg - lon0_deg
    if abs(dlat) <= SHORT_LEG_DEG and abs(dlon) <= SHORT_LEG_DEG and abs(lat0_deg) <= POLAR_DEG:
        s, c = sincosd(0.5 * (lat0_deg + lat1_deg))
        w = 1.0 - E2 * s * s
        across_m = A_M / sqrt(w)
        return across_m * c * dlon * RAD_PER_DEG, across_m * (1.0 - E2) / w * dlat * RAD_PER_DEG
    way_m, azimuth_deg = inverse_m(lat0_deg, lon0_deg, lat1_deg, lon1_deg)
    s, c = sincosd(azimuth_deg)
    return way_m * s, way_m * c


@kernel
def about_m(lat0_deg: float, lon0_deg: float, lat1_deg: float, lon1_deg: float) -> float:
    """Return how far one place lies from another, to a millionth, metres."""
    east_m, north_m = leg_m(lat0_deg, lon0_deg, lat1_deg, lon1_deg)
    return hypot(east_m, north_m)


@kernel
def carry_s(row: Row) -> float:
    """Return how long after its last fix a track is still taken to go on as forecast, seconds."""
    return min(max(CARRY_INTERVALS * row.interval_s, CARRY_S), CARRY_MOST_S)
