"""Areas: rings checked as an area, cut at the antimeridian, settled at the poles.

Plane geometry is done on rings unrolled beyond ±180 degrees (`rings.py`), where it is what is meant, and the result
is cut into pieces between -180 and 180. Vertices that were given stay as they are, to the bit. Nothing is repaired:
what is no area is refused, naming ring and vertex. Every edge is straight in longitude and latitude by now.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from tocsin.geo.rings import Floats, Ring, Unrolled, unroll, whole_parallels
from tocsin.kernels.earth.geodesic import A_M, E2

SMALLER_SIDE = 0.45
"""A ring round the globe must leave less than this part of the ellipsoid on one side."""
GAUSS = np.polynomial.legendre.leggauss(7)


def settle(polygons: Sequence[Sequence[Ring]]) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return the rings of an area between -180 and 180 degrees, as `Region` holds them.

    Parameters
    ----------
    polygons : sequence of sequences of Ring
        Outer ring, then holes.

    Returns
    -------
    lon_deg, lat_deg : ndarray, float64
    ring_start : ndarray, int64

    Raises
    ------
    ValueError
        As `shapes.multipolygon` says.
    """
    if not polygons or not all(polygons):
        raise ValueError("found no ring, expected an outer ring for every polygon")
    pieces = [piece for part in polygons for piece in _pieces([unroll(ring) for ring in part])]
    if len(polygons) > 1:
        _check_apart(pieces, polygons)
    oriented = shapely.orient_polygons(np.array([p for p, _ in pieces], object), exterior_cw=False)
    chains = [shapely.get_coordinates(r) for p in oriented for r in (p.exterior, *p.interiors)]
    xy = np.concatenate(chains)
    starts = np.concatenate([[0], np.cumsum([len(c) for c in chains])])
    return np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1]), starts.astype(np.int64)


def _pieces(rings: list[Unrolled]) -> list[tuple[Any, str]]:
    """Return the polygons between ±180 that one polygon consists of, each with the name of its outer ring."""
    shell, name = rings[0], rings[0].ring.name
    pole = _pole(shell) if shell.turn else 0.0
    for hole in rings[1:]:
        if hole.turn and not pole:
            raise ValueError(f"{hole.ring.name}: found a hole round the globe, expected one inside {name}")
    closed = [_closed(ring, pole) for ring in rings]
    if not pole and abs(_under_m2(shell.x, shell.y)) > HALF_GLOBE_M2 and not whole_parallels(shell.ring).any():
        raise ValueError(
            f"{name}: found more than half of the globe, expected less, or an edge along a parallel from -180 to 180: "
            "which side of the ring is meant cannot be told"
        )
    if not pole and all(abs(c[:, 0]).max() <= 180.0 for c in closed):
        polygon = shapely.Polygon(closed[0], closed[1:])
        _check(polygon, rings, closed)
        return [(polygon, name)]
    cut = []
    for ring, chain in zip(rings, closed, strict=True):
        _check(shapely.Polygon(chain), [ring], [chain])
        cut.append(_cut(chain, ring))
    whole = cut[0]
    for ring, hole in zip(rings[1:], cut[1:], strict=True):
        if not shapely.covers(whole, hole):
            raise ValueError(f"{ring.ring.name}: found a hole that is not inside {name} and outside of other holes")
        whole = shapely.difference(whole, hole)
    if not shapely.is_valid(whole):
        raise ValueError(f"{name}: found a ring that meets itself again round the globe, expected one that does not")
    return [(p, name) for p in shapely.get_parts(whole) if p.geom_type == "Polygon"]


def _pole(ring: Unrolled) -> float:
    """Return the latitude of the pole on the smaller side of a ring that goes round the globe."""
    north_m2 = HALF_GLOBE_M2 + np.sign(ring.turn) * _under_m2(ring.x, ring.y)
    if not min(north_m2, 2.0 * HALF_GLOBE_M2 - north_m2) < 2.0 * SMALLER_SIDE * HALF_GLOBE_M2:
        raise ValueError(
            f"{ring.ring.name}: found a ring round the globe with nearly as much on one side as on the other, "
            "expected a clearly smaller side"
        )
    return 90.0 if north_m2 < HALF_GLOBE_M2 else -90.0


def _closed(ring: Unrolled, pole: float) -> Floats:
    """Return the ring's chain in the plane; one that goes round the globe is closed along the pole.

    It is opened where it crosses the antimeridian nearest to the pole, so that the way there meets nothing else of it.
    """
    chain = np.column_stack([ring.x, ring.y])
    if not ring.turn:
        return chain
    chain = _noded(chain)
    x, y = chain[:-1, 0], chain[:-1, 1]
    seam = np.flatnonzero((x + 180.0) % 360.0 == 0.0)
    start = int(seam[np.argmax(y[seam] * np.sign(pole))])
    x = np.concatenate([x[start:], x[: start + 1] + ring.turn])
    y = np.concatenate([y[start:], y[: start + 1]])
    return np.column_stack([np.concatenate([x, [x[-1], x[0], x[0]]]), np.concatenate([y, [pole, pole, y[0]]])])


def _check(polygon: Any, rings: Sequence[Unrolled], chains: Sequence[Floats]) -> None:
    """Refuse what is no area, saying where."""
    flat = [r.ring.name for r, c in zip(rings, chains, strict=True) if shapely.MultiPoint(c).convex_hull.area == 0.0]
    if flat:
        raise ValueError(f"{flat[0]}: found no area, expected a ring around some")
    if shapely.is_valid(polygon):
        return
    reason = str(shapely.is_valid_reason(polygon))
    found = re.match(r"(.*)\[(\S+) (\S+)\]$", reason)
    what, at = (found[1], (float(found[2]), float(found[3]))) if found else (reason, (np.nan, np.nan))
    # Every edge that passes the place, nearest first: for a crossing, the two that cross.
    near = []
    places = shapely.points([at[0] - 360.0, at[0], at[0] + 360.0], at[1])
    for ring in rings:
        chain = np.column_stack([ring.x, ring.y])
        edges = shapely.linestrings(np.stack([chain[:-1], chain[1:]], axis=1))
        with np.errstate(all="ignore"):  # edges too short to have a direction: GEOS divides by their length
            away = shapely.distance(edges[:, None], places).min(axis=1)
        near += [(float(away[e]), ring.ring.name, int(ring.ring.edge[e])) for e in np.argsort(away, kind="stable")[:2]]
    names = dict.fromkeys(f"{name}, vertex {vertex}" for _, name, vertex in sorted(near)[:2])
    lon = (at[0] + 180.0) % 360.0 - 180.0
    raise ValueError(
        f"{' and '.join(names)}: found {what.lower()} at latitude {at[1]:.9g}, longitude {lon:.9g}, "
        "expected rings that neither cross nor run along themselves or another"
    )


def _cut(chain: Floats, ring: Unrolled) -> Any:
    """Return the area of an unrolled chain as polygons between -180 and 180 degrees."""
    x = chain[:, 0]
    first, last = int(np.floor((x.min() + 180.0) / 360.0)), int(np.ceil((x.max() - 180.0) / 360.0))
    noded = _noded(chain)
    given = dict(zip(ring.x.tolist(), ring.ring.lon_deg.tolist(), strict=True))
    given |= {value + ring.turn: lon for value, lon in given.items()} if ring.turn else {}
    parts = []
    for turn in range(first, last + 1):
        west = 360.0 * turn - 180.0
        piece = shapely.intersection(shapely.Polygon(noded), shapely.box(west, -90.0, west + 360.0, 90.0))
        for part in shapely.get_parts(piece):
            if part.geom_type == "Polygon" and part.area > 0.0:
                parts.append(shapely.transform(part, lambda xy, west=west: _home(xy, west, given)))
    return shapely.MultiPolygon(parts)


def _noded(chain: Floats) -> Floats:
    """Return the chain with a vertex wherever it crosses ±180 degrees, so that both sides are cut in one place."""
    rows = [chain[0]]
    for a, b in pairwise(chain):
        lo, hi = sorted((a[0], b[0]))
        seams = np.arange(np.floor((lo + 180.0) / 360.0) + 1.0, np.ceil((hi + 180.0) / 360.0)) * 360.0 - 180.0
        for seam in seams if a[0] < b[0] else seams[::-1]:
            rows.append(np.array([seam, a[1] + (seam - a[0]) / (b[0] - a[0]) * (b[1] - a[1])]))
        rows.append(b)
    return np.array(rows)


def _home(xy: Floats, west: float, given: dict[float, float]) -> Floats:
    """Return plane coordinates between ±180 degrees: as they were given, where they were."""
    lon = np.array(
        [given.get(x, x - west - 180.0) if west < x < west + 360.0 else x - west - 180.0 for x in xy[:, 0].tolist()]
    )
    return np.column_stack([(lon + 180.0) % 360.0 - 180.0 if (np.abs(lon) > 180.0).any() else lon, xy[:, 1]])


def _check_apart(pieces: Sequence[tuple[Any, str]], polygons: Sequence[Sequence[Ring]]) -> None:
    """Refuse polygons that overlap or share an edge."""
    shapes = [p for p, _ in pieces]
    if shapely.is_valid(shapely.MultiPolygon(shapes)):
        return
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        common = shapely.intersection(shapes[i], shapes[j]) if i < j else shapely.Point()
        if common.area > 0.0 or common.length > 0.0:
            at = shapely.point_on_surface(common)
            raise ValueError(
                f"{pieces[i][1]} and {pieces[j][1]}: found polygons that overlap or share an edge at latitude "
                f"{at.y:.9g}, longitude {at.x:.9g}, expected ones that touch in points at most"
            )
    raise ValueError(f"found {shapely.is_valid_reason(shapely.MultiPolygon(shapes))}, expected polygons apart")


def _authalic(lat_deg: Floats) -> Floats:
    """Return the area between the equator and a latitude, m² for each radian of longitude."""
    e, s = np.sqrt(E2), np.sin(np.radians(lat_deg))
    return np.asarray(0.5 * A_M * A_M * (1.0 - E2) * (s / (1.0 - E2 * s * s) + np.arctanh(e * s) / e))


HALF_GLOBE_M2 = 2.0 * np.pi * float(_authalic(np.array(90.0)))


def _under_m2(x: Floats, y: Floats) -> float:
    """Return the area between the equator and a chain of plane edges, m²; a chain eastwards north of it is negative."""
    node, weight = GAUSS
    lat = 0.5 * (y[:-1] + y[1:])[:, None] + 0.5 * np.diff(y)[:, None] * node
    return -0.5 * float(np.radians(np.diff(x)) @ (_authalic(lat) @ weight))


def area_m2(lon_deg: Floats, lat_deg: Floats, ring_start: NDArray[np.int64]) -> float:
    """Return the area within rings, outer ones anticlockwise and holes clockwise, m²."""
    return sum(_under_m2(lon_deg[a:b], lat_deg[a:b]) for a, b in pairwise(ring_start))


def geometry_of(lon_deg: Floats, lat_deg: Floats, ring_start: NDArray[np.int64]) -> Any:
    """Return the rings of a region as a shapely MultiPolygon."""
    xy = np.column_stack([lon_deg, lat_deg])
    parts: list[list[Floats]] = []
    for a, b in pairwise(ring_start):
        if not parts or shapely.is_ccw(shapely.linearrings(xy[a:b])):
            parts.append([])
        parts[-1].append(xy[a:b])
    return shapely.MultiPolygon([shapely.Polygon(shell, holes) for shell, *holes in parts])
