"""Extent: how wide a zone is, which zones overlap, and how far the edge of one is from another.

Measures for the checks, not for the watch: a local plane is good to a part in a hundred, which settles "a tenth of the
width" and a time budget in minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import cos, hypot, inf, radians
from typing import Any

import numpy as np
import pyproj
import shapely

from tocsin.agreement.terms.places import Zone
from tocsin.agreement.terms.state import given
from tocsin.geo.shapes import Region

METRES_PER_DEGREE = 111_195.0
"""Metres in a degree of a meridian, to a part in a hundred."""


def width_m(zone: Zone, region: Region) -> float:
    """Return how wide a zone is where it is narrow: a diameter, twice a half width, the shorter side of a box."""
    geometry = given(zone.geometry)
    circle = given(geometry.circle) if geometry else None
    corridor = given(geometry.corridor) if geometry else None
    agreed = circle.radius_m if circle else corridor.half_width_m if corridor else None
    if isinstance(agreed, float):
        return 2 * agreed
    box = shapely.oriented_envelope(shapely.MultiPoint(_plane(region)))
    corners = shapely.get_coordinates(box)
    sides = [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(corners)]
    return min(sides, default=0.0)


def overlaps(regions: Mapping[str, Region]) -> list[tuple[str, str]]:
    """Return the pairs of zones whose areas overlap by more than an edge, in order of name."""
    names = sorted(regions)
    if not names:
        return []
    boxes = shapely.box(*np.array([regions[n].bounds for n in names]).T)
    tree = shapely.STRtree(boxes)
    first, second = tree.query(boxes, predicate="intersects")
    wanted = first < second
    pairs = [(names[i], names[j]) for i, j in zip(first[wanted], second[wanted], strict=True)]
    shapes: dict[str, Any] = {}
    for name in {n for pair in pairs for n in pair}:
        shapes[name] = regions[name].geometry
        shapely.prepare(shapes[name])
    return sorted((a, b) for a, b in pairs if shapes[a].intersects(shapes[b]) and not shapes[a].touches(shapes[b]))


def edge_distance_m(outer: Region, inner: Region) -> float:
    """Return the shortest way from the edge of one region to another, metres; 0 where the edge lies in it."""
    lat, lon = inner.centre
    project = pyproj.Transformer.from_crs("EPSG:4326", f"+proj=aeqd +lat_0={lat} +lon_0={lon}", always_xy=True)

    def plane(region: Region) -> Any:
        return shapely.transform(region.geometry, lambda xy: np.column_stack(project.transform(*xy.T)))

    distance = float(plane(outer).boundary.distance(plane(inner)))
    return distance if distance < inf else 0.0


def _plane(region: Region) -> Any:
    """Return a region's vertices as metres east and north of its first."""
    lat = region.lat_deg
    scale = cos(radians(float(lat.mean())))
    east = (region.lon_deg - region.lon_deg[0]) * METRES_PER_DEGREE * scale
    return np.column_stack([east, (lat - lat[0]) * METRES_PER_DEGREE])
