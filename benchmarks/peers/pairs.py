"""Pairs of movers, by the programs a user would pick instead; every answer is i × 2**20 + j, i < j.

`within`: closer than 5 km now. `cpa`: straight courses that come within 1 km in 10 minutes.
"""

from __future__ import annotations

import types
from typing import Any

import measure
import numpy as np
from join import EARTH_M, unit
from measure import Asked

WITHIN_M, CPA_M, HORIZON_S = 5_000.0, 1_000.0, 600.0


def keys(i: Any, j: Any) -> np.ndarray:
    """Return unordered pairs as numbers."""
    return np.minimum(i, j).astype(np.int64) << 20 | np.maximum(i, j).astype(np.int64)


def chord(distance_m: Any) -> Any:
    """Return the straight line through the unit sphere."""
    return 2.0 * np.sin(np.asarray(distance_m) / (2.0 * EARTH_M))


def ecef(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Return places on WGS84, metres from the Earth's centre, shape (n, 3)."""
    x, y = np.radians(lon), np.radians(lat)
    e2 = 0.0066943799901413165
    n = 6_378_137.0 / np.sqrt(1.0 - e2 * np.sin(y) ** 2)
    return np.stack([n * np.cos(y) * np.cos(x), n * np.cos(y) * np.sin(x), n * (1.0 - e2) * np.sin(y)], axis=1)


def ckdtree_within(asked: Asked) -> Any:
    """Ask a tree of the places on WGS84 for its pairs: over 5 km the straight line and the geodesic are one."""
    from scipy.spatial import cKDTree

    movers = measure.table(asked.folder, f"states_{asked.case}")

    def call() -> Any:
        return cKDTree(ecef(movers["lon"], movers["lat"])).query_pairs(WITHIN_M, output_type="ndarray")

    return len(movers["lon"]), call, lambda found: keys(found[:, 0], found[:, 1])


def ckdtree_cpa(asked: Asked) -> Any:
    """Candidates within what two can close in the time, then the formula on a local plane."""
    from scipy.spatial import cKDTree

    movers = measure.table(asked.folder, f"states_{asked.case}")
    lon, lat, speed, course = (movers[name] for name in ("lon", "lat", "speed", "course"))
    east, north = speed * np.sin(np.radians(course)), speed * np.cos(np.radians(course))

    def close(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        degree = np.radians(1.0) * EARTH_M
        x = (lon[j] - lon[i]) * degree * np.cos(np.radians((lat[i] + lat[j]) / 2))
        y = (lat[j] - lat[i]) * degree
        u, v = east[j] - east[i], north[j] - north[i]
        t = np.clip(-(x * u + y * v) / np.maximum(u * u + v * v, 1e-9), 0.0, HORIZON_S)
        return (x + u * t) ** 2 + (y + v * t) ** 2 < CPA_M**2

    def call() -> Any:
        places, found = unit(lon, lat), []
        tree = cKDTree(places)
        for begin in range(0, len(lon), 2_000):
            cut = slice(begin, min(begin + 2_000, len(lon)))
            reach = chord((speed[cut] + speed.max()) * HORIZON_S + CPA_M)
            hits = tree.query_ball_point(places[cut], reach, return_sorted=False)
            i = np.repeat(np.arange(cut.start, cut.stop), [len(hit) for hit in hits])
            j = np.concatenate([np.asarray(hit, np.int64) for hit in hits])
            later = j > i
            i, j = i[later], j[later]
            near = close(i, j)
            found.append((i[near], j[near]))
        return found

    return len(lon), call, lambda found: np.concatenate([keys(i, j) for i, j in found])


def bluesky(asked: Asked) -> Any:
    """Ask BlueSky's state-based detection, in C++, over all pairs."""
    from bluesky.traffic.asas import cstatebased

    movers = measure.table(asked.folder, f"states_{asked.case}")
    count = len(movers["lon"])
    traffic = types.SimpleNamespace(
        ntraf=count,
        id=[str(k) for k in range(count)],
        lat=movers["lat"],
        lon=movers["lon"],
        trk=movers["course"],
        gs=movers["speed"],
        alt=np.zeros(count),
        vs=np.zeros(count),
    )
    near, high, ahead = np.full(count, CPA_M), np.full(count, 300.0), np.full(count, HORIZON_S)

    def numbers(found: Any) -> np.ndarray:
        both = np.array([(int(a), int(b)) for a, b in found[0]], np.int64).reshape(-1, 2)
        return keys(both[:, 0], both[:, 1])

    return count, lambda: cstatebased.detect(traffic, traffic, near, high, ahead), numbers


PEERS = {f.__name__: f for f in (ckdtree_within, ckdtree_cpa, bluesky)}

if __name__ == "__main__":
    measure.run(PEERS, __doc__ or "")
