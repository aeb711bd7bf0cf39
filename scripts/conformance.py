"""Write the conformance vectors of docs/conformance and the table of errors in its README.

    python scripts/conformance.py

Every verdict comes from GeographicLib (circles, corridors, geodesic edges), from the closed formula of the isometric
latitude (rhumb edges) or from fractions (planar edges); none from Tocsin. Places are rounded to 1e-10 degrees before
their distance is measured, so that what the files say is exactly what was asked.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from geographiclib.geodesic import Geodesic

from tocsin.geo.shapes import circle

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "conformance"
WGS84 = Geodesic.WGS84
ECCENTRICITY = math.sqrt(WGS84.f * (2.0 - WGS84.f))
SPHERES_M = (6_371_000.0, 6_378_137.0)
"""The mean radius, and the equator's, which web maps use."""
OFFSETS_M = (0.11, 1.0, 150.0)
"""How far from the edge the places lie, to either side: beyond P1's 0.1 m, and within what a sphere gets wrong."""
CENTRES = {
    "At Tanf": (33.50583, 38.61778),
    "equator": (0.0, 6.5),
    "across 180°": (-16.8, 179.9),
    "60° N": (60.0, -1.2),
    "89.9° N": (89.9, 10.0),
    "the pole": (90.0, 0.0),
    "Ross Sea": (-77.85, 166.67),
}
LINES = {
    "Gulf lane": ([(26.0, 52.0), (26.5, 54.0), (27.2, 55.1)], 3_704.0),
    "cable across 180°": ([(-17.0, 178.4), (-16.4, -179.2), (-18.9, -175.6)], 500.0),
    "over the pole": ([(88.7, 40.0), (88.9, -150.0)], 30_000.0),
}
QUADS = {
    "North Atlantic": [(50.0, -40.0), (50.0, -10.0), (40.0, -10.0), (41.0, -40.0)],
    "across 180°": [(10.0, 170.0), (12.0, -165.0), (-8.0, -168.0), (-9.0, 172.0)],
    "off Antarctica": [(-60.0, 0.0), (-61.0, 45.0), (-70.0, 44.0), (-69.0, 1.0)],
}

Place = tuple[float, float]
Vector = dict[str, Any]


def rounded(lat_deg: float, lon_deg: float) -> Place:
    """Return a place as the files write it."""
    return round(lat_deg, 10), round((lon_deg + 180.0) % 360.0 - 180.0, 10)


def off(lat_deg: float, lon_deg: float, azimuth_deg: float, distance_m: float) -> Place:
    """Return the place at a distance, by GeographicLib."""
    there = WGS84.Direct(lat_deg, lon_deg, azimuth_deg, distance_m)
    return rounded(there["lat2"], there["lon2"])


def distance_m(a: Place, b: Place) -> float:
    """Return the length of the geodesic."""
    return float(WGS84.Inverse(*a, *b)["s12"])


def to_line_m(line: list[Place], place: Place) -> float:
    """Return the distance to a line of geodesics: a coarse look along each, then golden sections."""
    best = math.inf
    for a, b in pairwise(line):
        way = WGS84.InverseLine(*a, *b)

        def away(s: float, way: Any = way) -> float:
            there = way.Position(s)
            return distance_m((there["lat2"], there["lon2"]), place)

        steps = np.linspace(0.0, way.s13, 65)
        k = int(np.argmin([away(s) for s in steps]))
        low, high = steps[max(k - 1, 0)], steps[min(k + 1, 64)]
        while high - low > 1e-4:
            third = (high - low) * 0.381966
            low, high = (low, high - third) if away(low + third) < away(high - third) else (low + third, high)
        best = min(best, away((low + high) / 2.0), away(0.0), away(way.s13))
    return best


def circles() -> Iterator[Vector]:
    """Yield places beside circles of 500 m and 55 km."""
    for name, centre in CENTRES.items():
        for radius_m in (500.0, 55_000.0):
            for azimuth in range(0, 360, 30):
                for offset_m in (*OFFSETS_M, *(-o for o in OFFSETS_M)):
                    place = off(*centre, azimuth + 7.0, radius_m + offset_m)
                    measured_m = distance_m(centre, place)
                    shape = {"circle": {"centre": centre, "radius_m": radius_m}}
                    yield vector(name, shape, place, measured_m - radius_m)


def corridors() -> Iterator[Vector]:
    """Yield places beside corridors."""
    for name, (line, half_width_m) in LINES.items():
        for a, b in pairwise(line):
            way = WGS84.InverseLine(*a, *b)
            for share in (0.02, 0.25, 0.5, 0.75, 0.98):
                at = way.Position(share * way.s13)
                for offset_m in (*OFFSETS_M, *(-o for o in OFFSETS_M)):
                    for side in (-90.0, 90.0):
                        place = off(at["lat2"], at["lon2"], at["azi2"] + side, half_width_m + offset_m)
                        edge_m = to_line_m(line, place) - half_width_m
                        if abs(edge_m) > 0.1:
                            shape = {"corridor": {"line": line, "half_width_m": half_width_m}}
                            yield vector(name, shape, place, edge_m)


def polygons() -> Iterator[Vector]:
    """Yield places beside edges of each meaning; inside is to the right of an edge of these rings."""
    for name, quad in QUADS.items():
        ring = [*quad, quad[0]]
        for edges, along in (("geodesic", _on_geodesic), ("rhumb", _on_rhumb)):
            shape = {"polygon": {"rings": [ring], "edges": edges}}
            for a, b in pairwise(ring):
                for share in (0.1, 0.4, 0.5, 0.8):
                    lat, lon, azimuth = along(a, b, share)
                    for offset_m in OFFSETS_M:
                        yield vector(name, shape, off(lat, lon, azimuth - 90.0, offset_m), offset_m)
                        yield vector(name, shape, off(lat, lon, azimuth + 90.0, offset_m), -offset_m)
        yield from _planar(name, ring)


def _on_geodesic(a: Place, b: Place, share: float) -> tuple[float, float, float]:
    way = WGS84.InverseLine(*a, *b)
    there = way.Position(share * way.s13)
    return there["lat2"], there["lon2"], there["azi2"]


def _on_rhumb(a: Place, b: Place, share: float) -> tuple[float, float, float]:
    east = (b[1] - a[1] + 180.0) % 360.0 - 180.0
    if a[0] == b[0]:
        return a[0], a[1] + share * east, 90.0 if east > 0 else 270.0
    lat = a[0] + share * (b[0] - a[0])
    rise = _isometric(b[0]) - _isometric(a[0])
    lon = a[1] + east * (_isometric(lat) - _isometric(a[0])) / rise
    return lat, lon, math.degrees(math.atan2(math.radians(east), rise))


def _isometric(lat_deg: float) -> float:
    """Return the isometric latitude, radians (Snyder 1987, eq. 7-7)."""
    sine = math.sin(math.radians(lat_deg))
    return math.atanh(sine) - ECCENTRICITY * math.atanh(ECCENTRICITY * sine)


def _planar(name: str, ring: list[Place]) -> Iterator[Vector]:
    """Yield places on, and within a millimetre of, straight edges in longitude and latitude, decided by fractions.

    None lies on an edge across the antimeridian: programs cut such an edge there, and no float holds the cut exactly.
    """
    shape = {"polygon": {"rings": [ring], "edges": "planar"}}
    for a, b in pairwise(ring):
        east = (b[1] - a[1] + 180.0) % 360.0 - 180.0
        on_edge = () if abs(b[1] - a[1]) > 180.0 else (0.0,)
        for share in (0.25, 0.5, 0.75):
            for nudge in (-4e-9, -1e-10, *on_edge, 1e-10, 4e-9):
                place = rounded(a[0] + share * (b[0] - a[0]) + nudge, a[1] + share * east)
                run = Fraction((place[1] - a[1] + 180.0) % 360.0 - 180.0)
                side = Fraction(east) * (Fraction(place[0]) - Fraction(a[0])) - run * (Fraction(b[0]) - Fraction(a[0]))
                yield {"name": name, "shape": shape, "place": place, "inside": side <= 0}


def vector(name: str, shape: dict[str, Any], place: Place, edge_m: float) -> Vector:
    """Return one line of a file; a negative distance to the edge is inside."""
    return {"name": name, "shape": shape, "place": place, "edge_m": round(edge_m, 4), "inside": edge_m < 0.0}


# --- the table ------------------------------------------------------------------------------------------------------


def haversine_m(a: Place, b: Place, radius_m: float) -> float:
    """Return the distance on a sphere."""
    (lat1, lon1), (lat2, lon2) = (map(math.radians, p) for p in (a, b))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2.0 * radius_m * math.asin(math.sqrt(half))


def table(vectors: list[Vector]) -> list[str]:
    """Return the rows: how far each model's circle of 55 km leaves the true one, and how often it is wrong."""
    lines = [
        "| centre | ours, m | sphere 6,371,000 m | sphere 6,378,137 m | wrong verdicts of each sphere |",
        "|---|---|---|---|---|",
    ]
    for name, centre in CENTRES.items():
        mine = [v for v in vectors if v["name"] == name and v["shape"]["circle"]["radius_m"] == 55_000.0]
        worst = [max(abs(_sphere_error_m(centre, v, r)) for v in mine) for r in SPHERES_M]
        wrong = [sum((_sphere_edge_m(centre, v, r) < 0) != v["inside"] for v in mine) for r in SPHERES_M]
        said = " | ".join(f"{error:.0f} m" for error in worst)
        lines.append(f"| {name} | {ours_m(centre):.2f} | {said} | {wrong[0]} and {wrong[1]} of {len(mine)} |")
    return lines


def ours_m(centre: Place) -> float:
    """Return how far the outline that Tocsin watches leaves the true circle at most: at its corners and between."""
    region = circle(*centre, 55_000.0)
    lat, lon = region.lat_deg, region.lon_deg
    keep = (np.abs(lat) < 90.0) & (np.abs(lon) < 180.0)
    between = keep[1:] & keep[:-1]
    between[region.ring_start[1:-1] - 1] = False
    places = [
        *zip(lat[keep], lon[keep], strict=True),
        *zip(((lat[1:] + lat[:-1]) / 2)[between], ((lon[1:] + lon[:-1]) / 2)[between], strict=True),
    ]
    return max(abs(distance_m(centre, (float(a), float(b))) - 55_000.0) for a, b in places)


def _sphere_edge_m(centre: Place, v: Vector, radius_m: float) -> float:
    return haversine_m(centre, v["place"], radius_m) - v["shape"]["circle"]["radius_m"]


def _sphere_error_m(centre: Place, v: Vector, radius_m: float) -> float:
    return _sphere_edge_m(centre, v, radius_m) - v["edge_m"]


def main() -> None:
    """Write the three files and the table."""
    made = {"circles": list(circles()), "corridors": list(corridors()), "polygons": list(polygons())}
    for name, vectors in made.items():
        text = "".join(json.dumps(v, separators=(",", ":")) + "\n" for v in vectors)
        (FOLDER / f"{name}.jsonl").write_text(text)
        print(f"{name}: {len(vectors)} places, {sum(v['inside'] for v in vectors)} inside")
    page = FOLDER / "README.md"
    rows = "\n".join(table(made["circles"]))
    page.write_text(re.sub(r"(?s)(<!-- table -->\n).*(\n<!-- /table -->)", rf"\g<1>{rows}\g<2>", page.read_text()))


if __name__ == "__main__":
    main()
