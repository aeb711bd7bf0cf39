"""Which zones hold each place: the atlas beside shapely, on the same places, in one run.

    python benchmarks/locate.py [--places 2000000] [--runs 3] [--seed 20170518]

Makes its own data: tracks that walk randomly about two hundred hubs over 57 by 24 degrees, half of them on land, a
quarter vessels, a quarter aircraft, in order of time; and zones: 1, 100 and 10,000 polygons of 30 vertices and 1 to
60 km, the same as circles, and 3,230 tiles that share ragged borders, as counties do. Times are CPU seconds of this
process, the median of the runs; the tree does 200,000 places only, and all pairs are compared before any time counts.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely

from tocsin.geo.atlas import Atlas
from tocsin.geo.shapes import Region, circle, multipolygon, polygon

WEST, SOUTH, EAST, NORTH = -124.0, 25.0, -67.0, 49.0
DEGREE_M = 111_195.0
PEER_PLACES = 200_000


def hubs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return two hundred towns and how often each is chosen."""
    weight = 1.0 / np.arange(1, 201) ** 0.8
    return rng.uniform(SOUTH + 1, NORTH - 1, 200), rng.uniform(WEST + 2, EAST - 2, 200), weight / weight.sum()


def places(rng: np.random.Generator, n: int, tracks: int = 5_000) -> tuple[np.ndarray, np.ndarray]:
    """Return latitudes and longitudes of tracks, one report every 10 s, in order of time."""
    hub_lat, hub_lon, weight = hubs(np.random.default_rng(1))
    hub = rng.choice(200, tracks, p=weight)
    lat, lon = hub_lat[hub] + rng.normal(0.0, 0.2, tracks), hub_lon[hub] + rng.normal(0.0, 0.25, tracks)
    kind = rng.choice(3, tracks, p=[0.5, 0.25, 0.25])
    speed = np.choose(kind, [rng.uniform(2, 30, tracks), rng.uniform(2, 12, tracks), rng.uniform(60, 250, tracks)])
    turn, course = np.choose(kind, [0.25, 0.05, 0.03]), rng.uniform(0.0, 2.0 * np.pi, tracks)
    lats, lons = np.empty((n // tracks, tracks)), np.empty((n // tracks, tracks))
    for step in range(n // tracks):
        lats[step], lons[step] = lat, lon
        course = course + turn * rng.normal(0.0, 1.0, tracks)
        way = speed * 10.0 / DEGREE_M
        lat = np.clip(lat + way * np.cos(course), SOUTH, NORTH)
        lon = np.clip(lon + way * np.sin(course) / np.cos(np.radians(lat)), WEST, EAST)
    return lats.ravel(), lons.ravel()


def centres(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return centres and radii: a third near towns; the first about the largest."""
    hub_lat, hub_lon, weight = hubs(np.random.default_rng(1))
    hub, near = rng.choice(200, n, p=weight), rng.random(n) < 0.3
    lat = np.where(near, hub_lat[hub] + rng.normal(0.0, 0.5, n), rng.uniform(SOUTH, NORTH, n))
    lon = np.where(near, hub_lon[hub] + rng.normal(0.0, 0.6, n), rng.uniform(WEST, EAST, n))
    radius = np.exp(rng.uniform(np.log(1_000.0), np.log(60_000.0), n))
    lat[0], lon[0], radius[0] = hub_lat[0], hub_lon[0], 30_000.0
    return lat, lon, radius


def stars(rng: np.random.Generator, n: int) -> list[Region]:
    """Return polygons of 30 vertices; one that crosses itself becomes its hull."""
    regions = []
    for lat, lon, radius in zip(*centres(rng, n), strict=True):
        angle, r = np.sort(rng.uniform(0.0, 2.0 * np.pi, 30)), radius / DEGREE_M * rng.uniform(0.6, 1.4, 30)
        shape = shapely.Polygon(
            np.column_stack([lon + r * np.cos(angle) / np.cos(np.radians(lat)), lat + r * np.sin(angle)])
        )
        shape = shape if shape.is_valid else shape.convex_hull
        regions.append(polygon([shapely.get_coordinates(shape)[:, ::-1]]))
    return regions


def tiles(rng: np.random.Generator, n: int) -> list[Region]:
    """Return tiles that cover the box and share borders, each border bent at random about every 4 km."""
    seeds = np.column_stack([rng.uniform(WEST, EAST, n), rng.uniform(SOUTH, NORTH, n)])
    box = shapely.box(WEST, SOUTH, EAST, NORTH)
    cells = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(seeds))), box)
    regions = []
    for cell in shapely.segmentize(cells, 0.04):
        xy = shapely.get_coordinates(cell)
        # The same point bends the same way, whichever tile it is seen from.
        bend = 0.008 * np.sin(np.round(xy, 6) @ np.array([[12.9, 78.2], [39.3, 11.1]]) * 437.5)
        shape = shapely.make_valid(shapely.Polygon(xy + bend))
        parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > 1e-6]
        rings = [[shapely.get_coordinates(r)[:, ::-1] for r in (p.exterior, *p.interiors)] for p in parts]
        regions.append(multipolygon(rings))
    return regions


def measured(call: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """Return the median CPU seconds of a call and its last answer."""
    spent = []
    for _ in range(runs):
        began = time.process_time()
        answer = call()
        spent.append(time.process_time() - began)
    return statistics.median(spent), answer


def tree_pairs(geometries: np.ndarray, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return shapely's pairs, (place, zone): what geopandas does inside."""
    return shapely.STRtree(geometries).query(shapely.points(lon, lat), predicate="intersects")


def box_pairs(geometries: np.ndarray, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return the careful script's pairs: boxes in NumPy, then the prepared polygon."""
    shapely.prepare(geometries)
    found = []
    for zone, (west, south, east, north) in enumerate(shapely.bounds(geometries)):
        near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
        near = near[shapely.intersects_xy(geometries[zone], lon[near], lat[near])]
        found.append(np.stack([near, np.full(len(near), zone)]))
    return np.concatenate(found, axis=1)


def main() -> int:
    """Run all cases and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=20170518)
    asked = parser.parse_args()
    lat, lon = places(np.random.default_rng(asked.seed), asked.places)
    cases: dict[str, Callable[[np.random.Generator], list[Region]]] = {
        "1 polygon": lambda rng: stars(rng, 1),
        "100 polygons": lambda rng: stars(rng, 100),
        "3,230 tiles": lambda rng: tiles(rng, 3_230),
        "10,000 polygons": lambda rng: stars(rng, 10_000),
        "100 circles": lambda rng: [circle(*map(float, c)) for c in zip(*centres(rng, 100), strict=True)],
        "10,000 circles": lambda rng: [circle(*map(float, c)) for c in zip(*centres(rng, 10_000), strict=True)],
    }
    Atlas.build(stars(np.random.default_rng(0), 3)).locate(lat[:10], lon[:10])  # compiled before any time counts
    print(
        "| zones | vertices | compiled, s | atlas, MB | places, M/s | pairs "
        "| STRtree, M/s | ratio | boxes, M/s | ratio |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, make in cases.items():
        regions = make(np.random.default_rng(asked.seed + 1))
        build_s, atlas = measured(lambda regions=regions: Atlas.build(regions), 1)
        ours_s, (place, zone) = measured(lambda atlas=atlas: atlas.locate(lat, lon), asked.runs)
        ours = len(lat) / ours_s
        geometries = np.array([r.geometry for r in regions], object)
        row = f"| {name} | {sum(r.vertex_count for r in regions):,} | {build_s:.2f} | {atlas.nbytes / 1e6:.0f} "
        row += f"| {ours / 1e6:.1f} | {len(place):,} "
        n = min(PEER_PLACES, len(lat))
        mine = np.stack([place, zone])[:, place < n]
        for peer in (tree_pairs, box_pairs):
            if peer is box_pairs and len(regions) > 100:
                row += "| | "
                continue
            m = len(lat) if peer is box_pairs else n
            peer_s, found = measured(lambda g=geometries, peer=peer, m=m: peer(g, lat[:m], lon[:m]), 1)
            found = found[:, found[0] < n]
            if not np.array_equal(mine, found[:, np.lexsort(found[::-1])]):
                print(f"{name}: pairs differ from {peer.__name__}", file=sys.stderr)
                return 1
            row += f"| {m / peer_s / 1e6:.2f} | {ours * peer_s / m:.1f} "
        print(row + "|", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
