"""What approach warnings are judged on: recorded tracks, zones laid beside their traffic, and which half is which.

Tracks are read from a folder given by the caller; nothing here names a place on a machine. Zones are laid by a fixed
seed beside where traffic passed: a track is drawn, then one of its fixes in motion, and the zone's centre lies up to
two of its own radii away from it in any direction. Half are circles, half irregular polygons of 4 to 8 corners. Which
half of the data a track belongs to is a bit of a hash of its name.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyproj
from numpy.typing import NDArray

from tocsin.geo.shapes import Region, circle, polygon
from tocsin.tracks.archive import read_tracks
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.rehearse.truth import Terms

WGS84 = pyproj.Geod(ellps="WGS84")
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """One set of tracks: its files, how it is judged, and what zones are laid in it."""

    files: tuple[str, ...]
    terms: Terms
    radius_m: tuple[float, float]
    zones: int
    horizons_s: tuple[int, ...]
    box: tuple[float, float, float, float] = (-90.0, -180.0, 90.0, 180.0)
    days: tuple[int, int] = (0, 10_000)
    by_day: bool = False


def _terms(eps_m: float, clear_s: float, gap_s: float) -> Terms:
    return Terms(eps_m=eps_m, clear_s=clear_s, gap_s=gap_s)


SETS: dict[str, Set] = {
    "airliners": Set(
        files=("adsb_switzerland_20180801_half",),
        terms=_terms(250, 120, 120), radius_m=(2_000, 10_000), zones=40, horizons_s=(60, 300, 900),
    ),
    "other aircraft": Set(
        files=("adsb_single_flights_worldwide", "adsb_special_missions", "glider_igc_xcsoar"),
        terms=_terms(250, 120, 180), radius_m=(2_000, 10_000), zones=250, horizons_s=(60, 300, 900, 1_800),
    ),
    "harbour": Set(
        files=("ais_solent_20160112_half",),
        terms=_terms(40, 300, 600), radius_m=(300, 1_500), zones=200, horizons_s=(60, 300, 900, 1_800),
    ),
    "channel": Set(
        files=("ais_guernsey_channel_20110726",), box=(48.0, -8.0, 52.0, 4.0),
        terms=_terms(40, 300, 900), radius_m=(300, 5_000), zones=150, horizons_s=(60, 300, 900, 1_800),
    ),
    "coast": Set(
        files=("ais_us_marinecadastre_20220103",),
        terms=_terms(40, 300, 900), radius_m=(300, 3_000), zones=700, horizons_s=(60, 300, 900),
    ),
    "buses": Set(
        files=("bus_austin_capmetro_2015_2016",), box=(29.0, -99.0, 31.0, -96.0), days=(0, 2),
        terms=_terms(40, 300, 900), radius_m=(300, 2_000), zones=30, horizons_s=(60, 300, 900, 1_800),
    ),
    "buses, a later day": Set(
        files=("bus_austin_capmetro_2015_2016",), box=(29.0, -99.0, 31.0, -96.0), days=(6, 7), by_day=True,
        terms=_terms(40, 300, 900), radius_m=(300, 2_000), zones=30, horizons_s=(60, 300, 900, 1_800),
    ),
}  # fmt: skip
"""The sets by name. Position error and gaps by docs/guide/warning-quality.md; horizons as far as tracks are long."""

MOVING_MPS = 1.0


def read_set(folder: Path, one: Set) -> ReportBatch:
    """Return the reports of a set, within its box and days."""
    batch = read_tracks([folder / f"{name}.parquet" for name in one.files]).reports
    south, west, north, east = one.box
    day = batch.observed_us // DAY_US
    seen = np.unique(day)[one.days[0] : one.days[1]]
    keep = (batch.lat_deg >= south) & (batch.lat_deg <= north) & (batch.lon_deg >= west) & (batch.lon_deg <= east)
    return batch.take(keep & np.isin(day, seen))


def past_of(folder: Path, one: Set, batch: ReportBatch) -> ReportBatch:
    """Return what routes may be learnt from: half 0 of the tracks, or, split by day, all reports of the days before."""
    if one.by_day:
        return read_set(folder, replace(one, days=(0, one.days[0])))
    return batch.take(half_of(batch.tracks)[batch.track] == 0)


def half_of(tracks: tuple[str, ...]) -> NDArray[np.int64]:
    """Return 0 or 1 for each track, by its name alone."""
    return np.array([zlib.crc32(name.encode()) & 1 for name in tracks], np.int64)


def lay_zones(batch: ReportBatch, one: Set, seed: int) -> list[Region]:
    """Return zones beside the traffic of some reports; in what order tracks were read does not matter."""
    random = np.random.default_rng(seed)
    moving = np.flatnonzero(batch.speed_mps > MOVING_MPS)
    track = np.unique(batch.tracks, return_inverse=True)[1][batch.track[moving]]
    drawn = np.unique(track)
    regions: list[Region] = []
    for _ in range(one.zones):
        fix = random.choice(moving[track == random.choice(drawn)])
        radius_m = float(np.exp(random.uniform(*np.log(one.radius_m))))
        away_m, azimuth_deg = radius_m * random.uniform(0, 2), random.uniform(0, 360)
        lon, lat, _ = WGS84.fwd(batch.lon_deg[fix], batch.lat_deg[fix], azimuth_deg, away_m)
        regions.append(circle(lat, lon, radius_m) if random.random() < 0.5 else _star(random, lat, lon, radius_m))
    return regions


def _star(random: np.random.Generator, lat: float, lon: float, radius_m: float) -> Region:
    n = int(random.integers(4, 9))
    azimuth = np.linspace(0.0, 360.0, n, endpoint=False) + random.uniform(0, 200 / n, n)
    lon_deg, lat_deg, _ = WGS84.fwd(np.full(n, lon), np.full(n, lat), azimuth, radius_m * random.uniform(0.6, 1.3, n))
    ring = np.column_stack([lat_deg, lon_deg])[::-1]
    return polygon([np.concatenate([ring, ring[:1]])])
