"""Findings: where and when something happened on the way between two fixes, written as rows of `tables.FOUND`."""

from __future__ import annotations

from math import isnan, nan

import numpy as np

from tocsin.kernels.earth.geodesic import direct, inverse_m
from tocsin.kernels.earth.legs import leg_error_m
from tocsin.kernels.forecast.motion import about_m
from tocsin.kernels.jit import kernel
from tocsin.kernels.tables import NEVER, Row, Rows

US_PER_S = 1_000_000.0
"""Microseconds in a second; dimensionless."""


NEARLY_LESS, NEARLY_MORE = 1.0 - 1e-5, 1.0 + 1e-5
"""Times `motion.about_m`, a length is surely too short, or too long: ten times what that may be off."""

EVEN_M = 0.005
"""A way whose chord leaves the geodesic by less is as good as straight; metres: half of the last digit written."""


@kernel
def way_of(leg: Row) -> tuple[float, float]:
    """Return the length of a way, and the course on which it begins; worked out once."""
    if isnan(leg.way_m):
        leg.way_m, leg.azimuth_deg = inverse_m(leg.from_lat_deg, leg.from_lon_deg, leg.to_lat_deg, leg.to_lon_deg)
    return leg.way_m, leg.azimuth_deg


@kernel
def place_on_way(leg: Row, s: float) -> tuple[float, float]:
    """Return latitude and longitude of a place on the way between two fixes, s from 0 to 1."""
    if s <= 0.0:
        return leg.from_lat_deg, leg.from_lon_deg
    if s >= 1.0:
        return leg.to_lat_deg, leg.to_lon_deg
    lat0, lon0, lat1, lon1 = leg.from_lat_deg, leg.from_lon_deg, leg.to_lat_deg, leg.to_lon_deg
    if abs(lon1 - lon0) < 180.0 and leg_error_m(lat0, lon0, lat1, lon1) < EVEN_M:
        return lat0 + s * (lat1 - lat0), lon0 + s * (lon1 - lon0)
    way_m, azimuth_deg = way_of(leg)
    return direct(lat0, lon0, azimuth_deg, s * way_m)


@kernel
def instant_on_way(leg: Row, s: float) -> int:
    """Return the instant at a place on the way, to the nearest microsecond."""
    if s >= 1.0:
        return leg.to_us
    return leg.from_us + np.int64(np.floor(s * (leg.to_us - leg.from_us) + 0.5))


@kernel
def know_motion(leg: Row) -> None:
    """Fill in the speed and course that the report did not give, from the two positions; once, and only if asked."""
    if leg.knows_motion:
        return
    leg.knows_motion = 1
    if leg.first or not (np.isnan(leg.speed_mps) or np.isnan(leg.course_deg)):
        return
    way_m, course_deg = way_of(leg)
    if np.isnan(leg.speed_mps):
        leg.speed_mps = way_m * US_PER_S / (leg.to_us - leg.from_us)
    if np.isnan(leg.course_deg) and way_m > 0.0:
        leg.course_deg = course_deg % 360.0


@kernel
def is_between(leg: Row, lo_mps: float, hi_mps: float) -> bool:
    """Return True if the speed at the second fix is `lo_mps` or more and below `hi_mps`; worked out only if need be."""
    if not leg.knows_motion and isnan(leg.speed_mps) and not leg.first:
        if isnan(leg.about_mps):
            way_m = about_m(leg.from_lat_deg, leg.from_lon_deg, leg.to_lat_deg, leg.to_lon_deg)
            leg.about_mps = way_m * US_PER_S / (leg.to_us - leg.from_us)
        least_mps, most_mps = NEARLY_LESS * leg.about_mps, NEARLY_MORE * leg.about_mps
        if lo_mps <= least_mps and most_mps < hi_mps:
            return True
        if most_mps < lo_mps or least_mps >= hi_mps:
            return False
    know_motion(leg)
    return bool(lo_mps <= leg.speed_mps < hi_mps)


@kernel
def is_farther(lat0_deg: float, lon0_deg: float, lat1_deg: float, lon1_deg: float, than_m: float) -> bool:
    """Return True if two places lie farther apart than a distance."""
    about = about_m(lat0_deg, lon0_deg, lat1_deg, lon1_deg)
    if NEARLY_LESS * about > than_m or NEARLY_MORE * about < than_m:
        return about > than_m
    return inverse_m(lat0_deg, lon0_deg, lat1_deg, lon1_deg)[0] > than_m


@kernel
def emit(found: Rows, n: int, leg: Row, code: int, rule: int, zone: int, at_us: int, lat_deg: float, lon_deg: float,
          visit_us: int) -> int:  # fmt: skip
    """Write the common part of a finding and return the new count; the caller made sure there is room."""
    know_motion(leg)
    row = found[n]
    row.code, row.rule, row.zone, row.track = code, rule, zone, leg.track
    row.feed, row.party, row.category = leg.feed, leg.party, leg.category
    row.at_us, row.known_us, row.visit_us = at_us, leg.to_us, visit_us
    row.lat_deg, row.lon_deg, row.accuracy_m = lat_deg, lon_deg, leg.accuracy_m
    row.before_us = NEVER if leg.first else leg.from_us
    row.before_lat_deg, row.before_lon_deg = leg.from_lat_deg, leg.from_lon_deg
    row.after_us, row.after_lat_deg, row.after_lon_deg = leg.to_us, leg.to_lat_deg, leg.to_lon_deg
    row.exemption, row.unobserved = leg.to_exemption, 0
    row.value[0], row.value[1], row.value[2], row.value[3] = leg.speed_mps, leg.to_alt_m, nan, nan
    return n + 1


@kernel
def seconds(from_us: int, to_us: int) -> float:
    """Return the time between two instants, in seconds."""
    return (to_us - from_us) / US_PER_S
