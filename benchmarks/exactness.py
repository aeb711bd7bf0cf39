"""Ten million places against shapely, a million of them within a millimetre of an edge: how many differ?

    python benchmarks/exactness.py [--places 10000000] [--seed 1]

Zones are the real areas of tests/data/geo (NOAA charts off Miami, countries, wind leases) and random polygons,
some with every vertex on a grid that cells and other zones share. Each difference is settled by exact fractions, and
the program ends with 1 if any was ours. Peer: GEOS's `intersects` through shapely, an independent implementation.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.naive_geo import features, holds, of_shapely, region, rings_of, star

from tocsin.geo.atlas import Atlas
from tocsin.geo.shapes import Region

CHUNK = 250_000
MILLIMETRE_DEG = 8.9e-9
"""A millimetre of latitude, and less of longitude."""


def zones(rng: np.random.Generator) -> dict[str, list[Region]]:
    """Return the sets of zones by name."""
    sets: dict[str, list[Region]] = {}
    for name in ("miami", "countries", "wind_areas"):
        sets[name] = []
        for geometry in features(name):
            try:
                sets[name].append(region(geometry))
            except ValueError:  # touches or overlaps itself: refused
                continue
    size = 10.0 ** rng.uniform(-3.0, 0.7, 400)
    sets["stars"] = [of_shapely(star(rng, int(rng.integers(3, 60)), *rng.uniform(-4.0, 4.0, 2), r)) for r in size]
    size = 10.0 ** rng.uniform(0.0, 0.7, 200)
    sets["gridded"] = [
        of_shapely(star(rng, int(rng.integers(3, 40)), *rng.uniform(-4.0, 4.0, 2), r, 0.25)) for r in size
    ]
    return sets


def near_edges(rng: np.random.Generator, shapes: list[Region], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return places within a millimetre of edges: some on them, on vertices, or a last bit away."""
    lon = np.concatenate([s.lon_deg for s in shapes])
    lat = np.concatenate([s.lat_deg for s in shapes])
    first = np.cumsum([0, *(len(s.lon_deg) for s in shapes)])
    last = np.concatenate([at + s.ring_start[1:] - 1 for s, at in zip(shapes, first[:-1], strict=True)])
    edge = rng.choice(np.setdiff1d(np.arange(len(lon)), last), n)
    t = rng.random(n)
    t[rng.random(n) < 0.1] = 0.0
    t[rng.random(n) < 0.1] = 0.5
    x, y = lon[edge] + t * (lon[edge + 1] - lon[edge]), lat[edge] + t * (lat[edge + 1] - lat[edge])
    away = rng.uniform(-MILLIMETRE_DEG, MILLIMETRE_DEG, (2, n)) / np.sqrt(2.0)
    away[:, rng.random(n) < 0.3] = 0.0
    y, x = np.clip(y + away[0], -90.0, 90.0), x + away[1]
    bit = rng.random(n) < 0.2
    x[bit] = np.nextafter(x[bit], rng.choice([-999.0, 999.0], int(bit.sum())))
    x[np.abs(x) < 1e-140] = 0.0
    plain = (np.abs(x) < 180.0) & (np.abs(y) < 90.0)
    return y[plain], x[plain]


def main() -> int:
    """Run it and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    sets = zones(rng)
    total = near_total = differ = ours = pairs = 0
    ours_s = theirs_s = 0.0
    for name, shapes in sets.items():
        atlas = Atlas.build(shapes)
        polygons = np.array([s.geometry for s in shapes], object)
        tree = shapely.STRtree(polygons)
        bounds = np.array([s.bounds for s in shapes])
        west, south, east, north = *bounds[:, :2].min(axis=0), *bounds[:, 2:].max(axis=0)
        left, here = asked.places // len(sets), 0
        while left > 0:
            n = min(left, CHUNK)
            near_lat, near_lon = near_edges(rng, shapes, n // 10 + 1)
            lat = np.concatenate([near_lat, rng.uniform(south, north, n - len(near_lat))])
            lon = np.concatenate([near_lon, rng.uniform(west, east, n - len(near_lon))])
            t0 = time.process_time()
            place, zone = atlas.locate(lat, lon)
            t1 = time.process_time()
            found = tree.query(shapely.points(lon, lat), predicate="intersects")
            ours_s, theirs_s = ours_s + t1 - t0, theirs_s + time.process_time() - t1
            mine = set((place * len(shapes) + zone).tolist())
            true = set((found[0] * len(shapes) + found[1]).tolist())
            for pair in mine ^ true:
                p, z = divmod(pair, len(shapes))
                differ += 1
                if holds(rings_of(shapes[z]), (lon[p], lat[p])) != (pair in mine):
                    ours += 1
                    print(f"  ours: {name}, zone {z}, {lat[p]!r}, {lon[p]!r}")
            total, near_total, pairs, here = total + n, near_total + len(near_lat), pairs + len(mine), here + n
            left -= n
        print(f"{name:12s} {len(shapes):4d} zones {here:10,d} places", flush=True)
    print(f"{total:,} places, {near_total:,} of them within 1 mm of an edge; {pairs:,} pairs")
    print(f"{differ} differ from GEOS; {ours} of those are ours by exact fractions")
    print(f"atlas {ours_s:.1f} s, shapely STRtree with its points {theirs_s:.1f} s (CPU)")
    return 1 if ours else 0


if __name__ == "__main__":
    sys.exit(main())
