"""Extent: how wide a zone is, which zones overlap, and how far the edge of one is from another.

Measures for the checks, not for the watch: a local plane is good to a part in a hundred, which settles "a tenth of the
width" and a time budget in minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import numpy as np
import shapely

from tocsin.agreement.terms.places import Zone
from tocsin.agreement.terms.state import given
from tocsin.geo.plane import plane_about
from tocsin.geo.shapes import Region, bounds_of

METRES_PER_DEGREE = 111_195.0
"""Metres in a degree of a meridian, to a part in a hundred."""


def widths_m(zones: Sequence[Zone], regions: Sequence[Region]) -> list[float]:
    """Return how wide zones are where they are narrow: a diameter, twice a half width, the shorter side of a box.

    Parameters
    ----------
    zones : sequence of Zone
    regions : sequence of Region
        Of the same zones.
    """
    found = [_agreed_width_m(zone) for zone in zones]
    drawn = [i for i, width in enumerate(found) if width is None]
    for i, width in zip(drawn, _narrow_sides_m([regions[i] for i in drawn]), strict=True):
        found[i] = width
    return [width for width in found if width is not None]


def _agreed_width_m(zone: Zone) -> float | None:
    """Return the width that is written down, for a circle or a corridor."""
    geometry = given(zone.geometry)
    circle = given(geometry.circle) if geometry else None
    corridor = given(geometry.corridor) if geometry else None
    agreed = circle.radius_m if circle else corridor.half_width_m if corridor else None
    return 2 * agreed if isinstance(agreed, float) else None


def _narrow_sides_m(regions: Sequence[Region]) -> list[float]:
    """Return the shorter side of the smallest box round each region, in a plane that begins at its first vertex."""
    if not regions:
        return []
    counts = np.array([len(region.lat_deg) for region in regions])
    lat, lon = np.concatenate([r.lat_deg for r in regions]), np.concatenate([r.lon_deg for r in regions])
    starts = np.cumsum(counts) - counts
    scale = np.repeat(np.cos(np.radians(np.add.reduceat(lat, starts) / counts)), counts)
    first = np.repeat(starts, counts)
    plane = METRES_PER_DEGREE * np.column_stack([(lon - lon[first]) * scale, lat - lat[first]])
    places = shapely.multipoints(plane, indices=np.repeat(np.arange(len(regions)), counts))
    sides: list[list[float]] = [[] for _ in regions]
    corners, box = shapely.get_coordinates(shapely.oriented_envelope(places), return_index=True)
    lengths = np.hypot(*np.diff(corners, axis=0).T)
    for number, length in zip(box[:-1][np.diff(box) == 0].tolist(), lengths[np.diff(box) == 0].tolist(), strict=True):
        sides[number].append(length)
    return [min(of_one, default=0.0) for of_one in sides]


def overlaps(regions: Mapping[str, Region]) -> list[tuple[str, str]]:
    """Return the pairs of zones whose areas overlap by more than an edge, in order of name."""
    names = sorted(regions)
    if not names:
        return []
    boxes = shapely.box(*bounds_of([regions[name] for name in names]).T)
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
    project = plane_about(lat, lon)

    def plane(region: Region) -> Any:
        return shapely.transform(region.geometry, lambda xy: np.column_stack(project.transform(*xy.T)))

    distance = float(plane(outer).boundary.distance(plane(inner)))
    return distance if distance < inf else 0.0
