"""Slow twins of `geo` and `kernels`: exact fractions and plain loops, every answer the obvious way.

Areas here are lists of closed rings of (x, y); even-odd, and every edge and vertex inside.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from geographiclib.geodesic import Geodesic

from tocsin.geo.shapes import Region, multipolygon

WGS84 = pyproj.Geod(ellps="WGS84")
DATA = Path(__file__).parent / "data" / "geo"
Point = tuple[float, float]
Rings = Sequence[Sequence[Point]]


def features(name: str) -> list[dict[str, Any]]:
    """Return the geometries of a packed GeoJSON file of the test data."""
    return [f["geometry"] for f in json.loads(gzip.decompress((DATA / f"{name}.geojson.gz").read_bytes()))["features"]]


def region(geometry: dict[str, Any]) -> Region:
    """Return a GeoJSON polygon or multipolygon as a region with plane edges."""
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return multipolygon([[[(lat, lon) for lon, lat, *_ in ring] for ring in part] for part in parts])


def of_shapely(shape: Any) -> Region:
    """Return a shapely polygon or multipolygon as a region with plane edges."""
    return region(shapely.geometry.mapping(shape))


def star(rng: np.random.Generator, n: int, x: float, y: float, radius: float, step: float = 0.0) -> Any:
    """Return a random star-shaped polygon; with a step, its vertices lie on a grid and meet others' and the cells'."""
    while True:
        angle = np.sort(rng.uniform(0.0, 2.0 * np.pi, n))
        r = radius * rng.uniform(0.4, 1.4, n)
        xy = np.column_stack([x + r * np.cos(angle), y + r * np.sin(angle)])
        if step:
            xy = np.round(xy / step) * step
        if len(np.unique(xy, axis=0)) > 2:
            shape = shapely.Polygon(xy)
            if shape.is_valid and shape.area > 0.0:
                return shape


def rings_of(shape: Region) -> Rings:
    """Return a region's rings as lists of (x, y)."""
    xy = list(zip(shape.lon_deg.tolist(), shape.lat_deg.tolist(), strict=True))
    return [xy[a:b] for a, b in pairwise(shape.ring_start.tolist())]


def orient(a: Point, b: Point, c: Point) -> int:
    """Return the sign of the turn a → b → c, in fractions."""
    (ax, ay), (bx, by), (cx, cy) = ((Fraction(x), Fraction(y)) for x, y in (a, b, c))
    det = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    return (det > 0) - (det < 0)


def edges(rings: Rings) -> Iterator[tuple[Point, Point]]:
    """Yield every edge."""
    for ring in rings:
        yield from pairwise(ring)


def holds(rings: Rings, p: tuple[Any, Any]) -> bool:
    """Return True if the closed area holds p: on an edge, or an odd number of edges to its west."""
    x, y = Fraction(p[0]), Fraction(p[1])
    odd = False
    for a, b in edges(rings):
        side = orient(a, b, (x, y))  # type: ignore[arg-type]
        within = min(a[0], b[0]) <= x <= max(a[0], b[0]) and min(a[1], b[1]) <= y <= max(a[1], b[1])
        if side == 0 and within:
            return True
        if (a[1] > y) != (b[1] > y) and (side < 0) == (b[1] > a[1]):
            odd = not odd
    return odd


def crossings(rings: Rings, p: Point, q: Point) -> list[Fraction]:
    """Return where the way from p to q changes between the closed area and the rest, as fractions of the way.

    All places where the way meets the line of an edge part the way into pieces that are inside or outside as a whole.
    """
    if p == q:
        return []
    px, py, qx, qy = (Fraction(v) for v in (*p, *q))
    dx, dy = qx - px, qy - py
    cuts = {Fraction(0), Fraction(1)}
    for (ax, ay), (bx, by) in edges(rings):
        ex, ey = Fraction(bx) - Fraction(ax), Fraction(by) - Fraction(ay)
        across = dx * ey - dy * ex
        if across != 0:
            cuts.add(((Fraction(ax) - px) * ey - (Fraction(ay) - py) * ex) / across)
        for vx, vy in ((ax, ay), (bx, by)):
            cuts.add(((Fraction(vx) - px) * dx + (Fraction(vy) - py) * dy) / (dx * dx + dy * dy))
    at = sorted(t for t in cuts if 0 <= t <= 1)

    def inside(t: Fraction) -> bool:
        return holds(rings, (px + t * dx, py + t * dy))

    found: list[Fraction] = []
    was = inside(at[0])
    for t, u in pairwise(at):
        between, then = inside((t + u) / 2), inside(u)
        found += [t] * (was != between) + [u] * (between != then)
        was = then
    return found


def geodesic_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the length of a geodesic by GeographicLib."""
    return float(Geodesic.WGS84.Inverse(lat1, lon1, lat2, lon2)["s12"])


def edge_distance_m(shape: Region, lat: float, lon: float, steps: int = 40) -> float:
    """Return the distance to a region's nearest edge: samples on every edge, then golden sections at the best."""
    best = np.inf
    for (ax, ay), (bx, by) in edges(rings_of(shape)):
        if (ax == bx and abs(ax) == 180.0) or (ay == by and abs(ay) == 90.0):
            continue  # a cut, no edge

        def away(t: float, ax: float = ax, ay: float = ay, bx: float = bx, by: float = by) -> float:
            return geodesic_m(lat, lon, ay + t * (by - ay), ax + t * (bx - ax))

        k = min(range(steps + 1), key=lambda i, away=away: away(i / steps))  # type: ignore[misc]
        lo, hi = max(k - 1, 0) / steps, min(k + 1, steps) / steps
        for _ in range(40):
            m, n = lo + 0.382 * (hi - lo), lo + 0.618 * (hi - lo)
            lo, hi = (lo, n) if away(m) < away(n) else (m, hi)
        best = min(best, away(0.5 * (lo + hi)), away(0.0), away(1.0))
    return float(best)


def line_distances_m(line: Sequence[Point], lat: Any, lon: Any, steps: int = 60) -> Any:
    """Return each place's distance to a geodesic polyline of (lat, lon), by pyproj: samples, then golden sections."""
    best = np.full(len(lat), np.inf)
    for (lat1, lon1), (lat2, lon2) in pairwise(line):
        azimuth, _, length = WGS84.inv(lon1, lat1, lon2, lat2)

        def away(s: Any, azimuth: float = azimuth, lat1: float = lat1, lon1: float = lon1) -> Any:
            start = np.full(len(lat), lon1), np.full(len(lat), lat1)
            x, y, _ = WGS84.fwd(*start, np.full(len(lat), azimuth), s)
            return WGS84.inv(lon, lat, x, y)[2]

        at = np.linspace(0.0, length, steps)
        k = np.argmin([away(np.full(len(lat), s)) for s in at], axis=0)
        lo, hi = at[np.maximum(k - 1, 0)], at[np.minimum(k + 1, steps - 1)]
        for _ in range(45):
            m, n = lo + 0.382 * (hi - lo), lo + 0.618 * (hi - lo)
            nearer = away(m) < away(n)
            lo, hi = np.where(nearer, lo, m), np.where(nearer, n, hi)
        best = np.minimum(best, away(0.5 * (lo + hi)))
    return best
