"""Ways to warn, run over recorded fixes: two that anyone would write first, and Tocsin's engine.

All are given the same fixes in time order, see the past only and know nothing of the classes by which they are judged.
Baselines: *plain*, constant velocity as reported, asked at every fix; and *filtered* velocity, k of n and hysteresis,
asked every ten seconds with the last state carried forward, which is stronger than asking at fixes alone.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from tocsin.agreement.schedule import ALWAYS_ON
from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.geo.shapes import Region
from tocsin.kernels.earth.geodesic import direct, inverse_m
from tocsin.kernels.forecast.routes import Routes
from tocsin.kernels.numbers.trig import hypot, sincosd
from tocsin.kernels.zones.atlas import AtlasArrays, clearance_m, crossings_on, zones_at
from tocsin.rehearsal.warned import as_warnings
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.engine import Engine
from tocsin.watch.event import EventKind
from tocsin.watch.rehearse.fixes import Fixes
from tocsin.watch.rehearse.judge import Warnings
from tocsin.watch.rehearse.truth import Truth
from tocsin.watch.replay import replay
from tocsin.watch.routes import NO_ROUTES

Rows = NDArray[Any]
compiled = numba.njit(nogil=True, error_model="numpy")
EDGES = 4_096
CLOCK_US = 10_000_000
CARRY_US = 600_000_000


class Feed(NamedTuple):
    """Fixes for a kernel; velocity as reported is NaN where it was not."""

    track: Rows
    at_us: Rows
    lat: Rows
    lon: Rows
    east: Rows
    north: Rows


def feed_of(batch: ReportBatch, fixes: Fixes) -> Feed:
    """Return the fixes that are judged, with what else their reports said."""
    order = np.lexsort((batch.observed_us, batch.track))
    track, at_us = batch.track[order], batch.observed_us[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (track[1:] != track[:-1]) | (at_us[1:] != at_us[:-1])
    order = order[first]
    speed, course = batch.speed_mps[order].astype(np.float64), np.radians(batch.course_deg[order].astype(np.float64))
    east, north = speed * np.sin(course), speed * np.cos(course)
    return Feed(fixes.track, fixes.at_us, fixes.lat_deg, fixes.lon_deg, east, north)


def warnings_of(rows: Rows, horizon_s: float) -> Warnings:
    """Return a method's rows (track, zone, at, chance, lo, hi) as warnings."""
    at_us = rows[:, 2].astype(np.int64)
    return Warnings(
        track=rows[:, 0].astype(np.int64), zone=rows[:, 1].astype(np.int64), at_us=at_us,
        horizon_s=np.full(len(rows), horizon_s), probability=rows[:, 3],
        lo_us=at_us + np.nan_to_num(rows[:, 4] * 1e6).astype(np.int64),
        hi_us=at_us + np.nan_to_num(rows[:, 5] * 1e6).astype(np.int64),
    )  # fmt: skip


@compiled
def leg_velocity(feed: Feed, i: int) -> tuple[float, float]:
    """Return the velocity from the fix before, metres per second."""
    way_m, azimuth_deg = inverse_m(feed.lat[i - 1], feed.lon[i - 1], feed.lat[i], feed.lon[i])
    s, c = sincosd(azimuth_deg)
    v = way_m * 1e6 / (feed.at_us[i] - feed.at_us[i - 1])
    return v * s, v * c


@compiled
def _velocities(feed: Feed, filter_s: float) -> Rows:
    """Return the velocity at each fix: reported, else of the last leg; filtered if asked."""
    out = np.full((len(feed.at_us), 2), np.nan)
    for i in range(len(out)):
        east, north = feed.east[i], feed.north[i]
        follows = i > 0 and feed.track[i] == feed.track[i - 1]
        if math.isnan(east) or math.isnan(north):
            if not follows:
                continue
            east, north = leg_velocity(feed, i)
        gain = 1.0
        if filter_s > 0.0 and follows and not math.isnan(out[i - 1, 0]):
            gain = 1.0 - math.exp(-(feed.at_us[i] - feed.at_us[i - 1]) / 1e6 / filter_s)
        old_east, old_north = (out[i - 1, 0], out[i - 1, 1]) if gain < 1.0 else (east, north)
        out[i, 0], out[i, 1] = old_east + gain * (east - old_east), old_north + gain * (north - old_north)
    return out


@compiled
def _ahead(atlas: AtlasArrays, lat: float, lon: float, east: float, north: float, within_s: float, zone: Rows,
           s: Rows) -> int:  # fmt: skip
    """Write the edges on the straight way ahead and return how many."""
    reach = hypot(east, north) * within_s
    if not (reach > 0.0 and clearance_m(atlas, lat, lon) <= reach):
        return 0
    to_lat, to_lon = direct(lat, lon, math.degrees(math.atan2(east, north)), reach)
    return min(crossings_on(atlas, lat, lon, to_lat, to_lon, zone, s), len(s))


@compiled
def _put(out: Rows, rows: int, track: int, zone: int, at_us: int, chance: float, lo_s: float, hi_s: float) -> Rows:
    """Write one warning, in a longer list if need be."""
    if rows == len(out):
        out = np.concatenate((out, np.empty_like(out)))
    out[rows, 0], out[rows, 1], out[rows, 2] = track, zone, at_us
    out[rows, 3], out[rows, 4], out[rows, 5] = chance, lo_s, hi_s
    return out


@compiled
def constant_velocity(  # noqa: PLR0912  (one loop over looks)
                      atlas: AtlasArrays, feed: Feed, zones: int, horizon_s: float, filter_s: float, k: int, n: int,
                      slack: float, misses: int, clock_us: int) -> Rows:  # fmt: skip
    """Warn when the straight way ahead enters within the horizon at k of the last n looks.

    It ends when it has not entered within `slack` horizons at `misses` looks in a row. With a clock, looks are made
    between fixes too, for ten minutes.
    """
    velocity, out, rows = _velocities(feed, filter_s), np.empty((1_024, 6)), 0
    zone, s, held = np.zeros(EDGES, np.int64), np.zeros(EDGES), np.zeros(EDGES, np.int64)
    live, lives, spot = np.zeros(zones, np.int64), 0, np.full(zones, -1)
    past, on, missed, soon = (
        np.zeros(zones, np.int64),
        np.zeros(zones, np.bool_),
        np.zeros(zones, np.int64),
        np.zeros(zones),
    )
    for i in range(len(feed.at_us)):
        if i == 0 or feed.track[i] != feed.track[i - 1]:
            for j in range(lives):
                spot[live[j]] = -1
            lives = 0
        east, north = velocity[i]
        if math.isnan(east):
            continue
        last = i + 1 == len(feed.at_us) or feed.track[i + 1] != feed.track[i]
        until_us = feed.at_us[i] + CARRY_US if last else min(feed.at_us[i + 1], feed.at_us[i] + CARRY_US)
        at_us, lat, lon = feed.at_us[i], feed.lat[i], feed.lon[i]
        while True:
            for j in range(lives):
                soon[live[j]] = np.inf
            met = _ahead(atlas, lat, lon, east, north, slack * horizon_s, zone, s)
            for j in range(met):
                z = zone[j]
                if spot[z] < 0:
                    spot[z], live[lives], past[z], on[z], missed[z], soon[z] = lives, z, 0, False, 0, np.inf
                    lives += 1
                soon[z] = min(soon[z], s[j] * slack * horizon_s)
            holds = min(zones_at(atlas, lat, lon, held), EDGES) if lives else 0
            j = 0
            while j < lives:
                z, inside = live[j], False
                for h in range(holds):
                    inside = inside or held[h] == z
                past[z] = (past[z] << 1 | (soon[z] <= horizon_s and not inside)) & ((1 << n) - 1)
                count = 0
                for b in range(n):
                    count += past[z] >> b & 1
                missed[z] = 0 if soon[z] <= slack * horizon_s and not inside else missed[z] + 1
                if on[z]:
                    on[z] = not (inside or missed[z] >= misses)
                    past[z] = past[z] if on[z] else 0
                elif count >= k and past[z] & 1:
                    out = _put(out, rows, feed.track[i], z, at_us, np.nan, np.nan, np.nan)
                    on[z], missed[z], rows = True, 0, rows + 1
                if on[z] or past[z]:
                    j += 1
                else:
                    lives -= 1
                    live[j] = live[lives]
                    spot[live[j]], spot[z] = j, -1
            if clock_us == 0 or at_us + clock_us >= until_us:
                break
            at_us += clock_us
            step_s = (at_us - feed.at_us[i]) / 1e6
            lat, lon = direct(
                feed.lat[i], feed.lon[i], math.degrees(math.atan2(east, north)), hypot(east, north) * step_s
            )
    return out[:rows]


FILTERS: tuple[tuple[float, int, int, float], ...] = (
    (15.0, 2, 2, 1.5), (30.0, 2, 3, 1.5), (60.0, 3, 5, 1.5), (60.0, 2, 2, 1.2),
)  # fmt: skip
"""Settings of the filtered baseline: seconds of the filter, k, n, and how many look-aheads hold it."""

PLAIN = (0.0, 1, 1, 1.0)


def straight(truth: Truth, feed: Feed, horizon_s: float, setting: tuple[float, int, int, float]) -> Warnings:
    """Return what constant velocity warned of: filtered and on the clock unless the setting is `PLAIN`."""
    filter_s, k, n, slack = setting
    misses, clock_us = (1, 0) if setting == PLAIN else (3, CLOCK_US)
    arrays = truth.atlas.arrays
    rows = constant_velocity(arrays, feed, arrays.zones, horizon_s, filter_s, k, n, slack, misses, clock_us)
    return warnings_of(rows, horizon_s)


def tocsin(batch: ReportBatch, regions: list[Region], horizon_s: float, routes: Routes = NO_ROUTES) -> Warnings:
    """Return the approaches that the engine finds, each zone agreed with this look-ahead."""
    names = [f"z{i}" for i in range(len(regions))]
    zones = [
        Zone(zone_id=name, kind="area", clause="", region=region, schedule=ALWAYS_ON)
        for name, region in zip(names, regions, strict=True)
    ]
    asked = {Conduct.ENTRY: math.nan, Conduct.EXIT: math.nan, Conduct.CROSSING: math.nan, Conduct.APPROACH: horizon_s}
    rules = [
        Rule(rule_id=f"{name}/{conduct}", clause="", conduct=conduct, zone=i, lookahead_s=ahead_s)
        for i, name in enumerate(names)
        for conduct, ahead_s in asked.items()
    ]
    watchlist = Watchlist(
        agreement_id="benchmark", version=1, digest=bytes(32), in_force=ALWAYS_ON, zones=zones, rules=rules
    )
    found = [event for event in replay(Engine(watchlist, routes), batch)[0] if event.kind is EventKind.APPROACH]
    return as_warnings(found, batch.tracks, names, horizon_s)
