"""Whose answer is right where a peer computes on a sphere or a plane: told by GeographicLib, through pyproj.

Used by `bench.py`: an answer that only one of the two gave is settled here, so that "differs" never has to be excused.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pyproj

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))

from pairs import CPA_M, HORIZON_S

WGS84 = pyproj.Geod(ellps="WGS84")
LOW = (1 << 20) - 1


def circles(folder: Path, case: str, keys: np.ndarray) -> np.ndarray:
    """Return how far inside circles (the rest of the key) places (key >> 20) are, metres; negative outside."""
    zones = pq.read_table(folder / f"zones_{case}.parquet")
    points = pq.read_table(folder / "points.parquet", columns=["lon", "lat"])
    place, zone = keys >> 20, keys & LOW
    lon, lat = (points[name].to_numpy()[place] for name in ("lon", "lat"))
    at_lon, at_lat, radius_m = (zones[name].to_numpy()[zone] for name in ("lon", "lat", "radius_m"))
    return radius_m - np.asarray(WGS84.inv(lon, lat, at_lon, at_lat)[2])


def approaches(folder: Path, case: str, keys: np.ndarray) -> np.ndarray:
    """Return how much closer than asked pairs of movers come, metres, both walked along their geodesics."""
    movers = pq.read_table(folder / f"states_{case}.parquet")
    lon, lat, speed, course = (movers[name].to_numpy() for name in ("lon", "lat", "speed", "course"))
    i, j = keys >> 20, keys & LOW

    def apart_m(t: np.ndarray) -> np.ndarray:
        ends = [WGS84.fwd(lon[k], lat[k], course[k], speed[k] * t)[:2] for k in (i, j)]
        return np.asarray(WGS84.inv(*ends[0], *ends[1])[2])

    times = np.linspace(0.0, HORIZON_S, 41)
    best = times[np.argmin([apart_m(np.full(len(keys), t)) for t in times], axis=0)]
    step = HORIZON_S / 40
    while step > 1e-4:
        tries = np.array([np.clip(best + share * step, 0.0, HORIZON_S) for share in np.linspace(-1.0, 1.0, 9)])
        nearest = np.argmin([apart_m(t) for t in tries], axis=0)
        best, step = tries[nearest, np.arange(len(keys))], 0.3 * step
    return CPA_M - apart_m(best)
