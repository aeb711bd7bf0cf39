"""Shapes: circles, polygons, sectors and corridors made into regions of plane longitude and latitude.

Each has two functions: `circle` returns the region, `drawn_circle` its outline, for many to be settled together.

Antimeridian, poles and the meaning of edges are settled here, once (DESIGN §5, P1; RFC 7946 §3.1.6 and §3.1.9). Every
outline lies within 0.1 m of the true one. Nothing is repaired: a ring that crosses itself is refused with the
place where it does. Left out: altitudes and times, which are the agreement's.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import ceil, cos, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.geo import buffers, measure, rings
from tocsin.geo.region import Outline, Region, bounds_of, of_rings, settled
from tocsin.kernels.earth import outline

__all__ = [
    "Edges",
    "Outline",
    "Region",
    "bounds_of",
    "circle",
    "corridor",
    "drawn_circle",
    "drawn_corridor",
    "drawn_multipolygon",
    "drawn_sector",
    "multipolygon",
    "polygon",
    "sector",
    "settled",
]

EDGE_TOLERANCE_M = 0.08
"""How far a plane chord may leave a geodesic or loxodromic edge; with its bound's own slack, below 0.1 m."""
ARC_TOLERANCE_M = 0.07
"""How far an arc's chords may leave it, to either side; `CHORD_TOLERANCE_M` comes on top."""
CHORD_TOLERANCE_M = 0.02
"""How far a plane chord may leave the geodesic between two points of an arc."""
LEAST_STEPS = 72
"""Chords of a full circle at least, whatever its radius."""
MAX_RADIUS_M = 9_000_000.0
"""A circle of more would be nearly half the globe, and its inside not to be told from its outside."""


class Edges(StrEnum):
    """What a straight edge between two positions means."""

    GEODESIC = "geodesic"
    """The shortest way on the ellipsoid."""
    RHUMB = "rhumb"
    """The way of constant course, straight on a Mercator chart."""
    PLANAR = "planar"
    """Straight in longitude and latitude, as GeoJSON has it (RFC 7946 §3.1.1)."""


def circle(lat_deg: float, lon_deg: float, radius_m: float) -> Region:
    """Return all places within a distance of a centre.

    Parameters
    ----------
    lat_deg, lon_deg : float, degrees
        The centre, -90…90 and -180…180; a pole is a centre like any other.
    radius_m : float, metres
        Along the geodesic; above 0, at most 9,000 km.

    Returns
    -------
    Region
        Its edge is nowhere further than 0.1 m from the true circle. The error is shared: vertices lie as far outside
        as the middles of the chords lie inside.

    Raises
    ------
    ValueError
        If centre or radius are out of range.

    Examples
    --------
    >>> region = circle(33.50583, 38.61778, 55_000.0)
    >>> region.vertex_count, round(region.area_m2 / (3.14159265 * 55_000.0**2), 4)
    (1393, 1.0)
    """
    return drawn_circle(lat_deg, lon_deg, radius_m).region()


def drawn_circle(lat_deg: float, lon_deg: float, radius_m: float) -> Outline:
    """Return the outline of `circle`."""
    _check_centre(lat_deg, lon_deg, radius_m)
    azimuth, reach_m = _arc(radius_m, 0.0, 360.0)
    lat, lon = np.empty(len(azimuth)), np.empty(len(azimuth))
    outline.arc(float(lat_deg), float(lon_deg), reach_m, azimuth[::-1].copy(), lat, lon)
    lat[-1], lon[-1] = lat[0], lon[0]
    return of_rings([[_ring(lat, lon, outline.cut_geodesics, CHORD_TOLERANCE_M, "circle")]])


def sector(lat_deg: float, lon_deg: float, radius_m: float, from_deg: float, to_deg: float) -> Region:
    """Return the part of a circle between two azimuths, clockwise from the first to the second.

    Parameters
    ----------
    lat_deg, lon_deg, radius_m : float
        As in `circle`.
    from_deg, to_deg : float, degrees from true north
        Equal ones, or 0 and 360, mean the whole circle.

    Raises
    ------
    ValueError
        If anything is out of range.
    """
    return drawn_sector(lat_deg, lon_deg, radius_m, from_deg, to_deg).region()


def drawn_sector(lat_deg: float, lon_deg: float, radius_m: float, from_deg: float, to_deg: float) -> Outline:
    """Return the outline of `sector`."""
    _check_centre(lat_deg, lon_deg, radius_m)
    if not (np.isfinite(from_deg) and np.isfinite(to_deg)):
        raise ValueError(f"found azimuths {from_deg} and {to_deg}, expected degrees from true north")
    turn = (to_deg - from_deg) % 360.0
    if turn == 0.0:
        return drawn_circle(lat_deg, lon_deg, radius_m)
    azimuth, reach_m = _arc(radius_m, from_deg, turn)
    lat, lon = np.empty(len(azimuth) + 2), np.empty(len(azimuth) + 2)
    lat[[0, -1]], lon[[0, -1]] = lat_deg, lon_deg
    outline.arc(float(lat_deg), float(lon_deg), reach_m, azimuth[::-1].copy(), lat[1:-1], lon[1:-1])
    return of_rings([[_ring(lat, lon, outline.cut_geodesics, CHORD_TOLERANCE_M, "sector")]])


def _arc(radius_m: float, begin_deg: float, turn_deg: float) -> tuple[NDArray[np.float64], float]:
    """Return the azimuths of an arc's points and their distance: half of the chords' sagitta outside of the arc."""
    steps = max(LEAST_STEPS, pi * sqrt(radius_m / (4.0 * ARC_TOLERANCE_M)))
    n = ceil(steps * turn_deg / 360.0)
    sagitta_m = radius_m * (1.0 - cos(pi * turn_deg / 360.0 / n))
    return begin_deg + turn_deg * (np.arange(n + 1) / n), radius_m + min(0.5 * sagitta_m, ARC_TOLERANCE_M)


def _check_centre(lat_deg: float, lon_deg: float, radius_m: float) -> None:
    if not (-90.0 <= lat_deg <= 90.0 and -180.0 <= lon_deg <= 180.0):
        raise ValueError(f"found centre {lat_deg}, {lon_deg}, expected latitude -90…90 and longitude -180…180")
    if not 0.0 < radius_m <= MAX_RADIUS_M:
        raise ValueError(f"found radius {radius_m} m, expected more than 0 and at most {MAX_RADIUS_M:.0f} m")


_CUT = {Edges.GEODESIC: outline.cut_geodesics, Edges.RHUMB: outline.cut_loxodromes, Edges.PLANAR: None}


def _ring(lat: ArrayLike, lon: ArrayLike, kernel: Any, tolerance_m: float, name: str) -> rings.Ring:
    lat, lon = np.asarray(lat, np.float64), np.asarray(lon, np.float64)
    edge = np.arange(len(lat))
    if kernel is not None:
        lat, lon, number = rings.begun_off_poles(lat, lon)
        lat, lon, edge = measure.cut(kernel, lat, lon, tolerance_m=tolerance_m)
        edge = number[edge]
    return rings.Ring(name=name, lat_deg=lat, lon_deg=lon, edge=edge)


def polygon(rings: Sequence[ArrayLike], edges: Edges = Edges.PLANAR) -> Region:
    """Return the area between an outer ring and its holes; see `multipolygon`.

    Parameters
    ----------
    rings : sequence of array_like, each shape (n, 2), float64, degrees
        Latitude then longitude; the first is the outer ring, the others are holes.
    edges : Edges
        What an edge between two positions means.

    Examples
    --------
    >>> across = polygon([[(10.0, 170.0), (10.0, -170.0), (20.0, -170.0), (20.0, 170.0), (10.0, 170.0)]])
    >>> across.bounds, len(across.geometry.geoms)
    ((-180.0, 10.0, 180.0, 20.0), 2)
    """
    return multipolygon([rings], edges)


def multipolygon(polygons: Sequence[Sequence[ArrayLike]], edges: Edges = Edges.PLANAR) -> Region:
    """Return the area of several polygons that do not overlap.

    Parameters
    ----------
    polygons : sequence of sequences of array_like, each shape (n, 2), float64, degrees
        Each as in `polygon`. Every ring is closed: its first position is repeated as its last. Winding means nothing.
        A repeated position is one position. Longitudes are -540…540; beyond ±180 they are another way to write across
        the antimeridian (170 → 190).
    edges : Edges
        What an edge between two positions means.

    Returns
    -------
    Region
        With `planar`, every given position is a vertex, to the bit, and nothing is added but cuts at the antimeridian.
        The latitude of a cut is rounded: a place exactly on an edge that is cut may count as outside, by that rounding.

    Raises
    ------
    ValueError
        Naming ring and vertex: fewer than four positions, not closed, not finite, out of range; no area; crossing or
        touching itself or another ring along more than a point; a hole outside; polygons that overlap.

    Notes
    -----
    An edge goes the short way round: from 170 to -170 it crosses the antimeridian; one from 100 to -100 is refused,
    unless it is a geodesic, since it could be meant either way. Only an edge along a parallel from -180 to 180, or
    back, goes all the way. A ring that goes round the globe encloses the pole on its smaller side, and
    is refused where neither side is clearly the smaller; any other is refused if it holds more than half of the globe,
    unless it has such an edge.

    References
    ----------
    RFC 7946 §3.1.6 (rings), §3.1.9 (antimeridian).
    """
    return drawn_multipolygon(polygons, edges).region()


def drawn_multipolygon(polygons: Sequence[Sequence[ArrayLike]], edges: Edges = Edges.PLANAR) -> Outline:
    """Return the outline of `multipolygon`; what it refuses may be refused only when the outline is settled."""
    edges = Edges(edges)
    if edges is Edges.PLANAR and len(polygons) == 1:
        return Outline(polygon=tuple(polygons[0]), rings=lambda: _checked(polygons, edges))
    return of_rings(_checked(polygons, edges))


def _checked(polygons: Sequence[Sequence[ArrayLike]], edges: Edges) -> list[list[rings.Ring]]:
    kernel = _CUT[edges]
    checked = []
    for p, given in enumerate(polygons):
        part = []
        for r, positions in enumerate(given):
            name = f"ring {r}" if len(polygons) == 1 else f"polygon {p}, ring {r}"
            lat, lon = rings.checked(positions, name, poles=edges is not Edges.RHUMB)
            if edges is not Edges.GEODESIC:
                rings.check_ways(lat, lon, name)
            part.append(_ring(lat, lon, kernel, EDGE_TOLERANCE_M, name))
        checked.append(part)
    return checked


def corridor(lat_deg: ArrayLike, lon_deg: ArrayLike, half_width_m: float) -> Region:
    """Return all places within a distance of a line: round ends, round outer corners.

    Parameters
    ----------
    lat_deg, lon_deg : array_like, shape (n,), float64, degrees
        The line's positions, joined by geodesics; one alone makes a circle.
    half_width_m : float, metres
        Above 0, at most 1,000 km.

    Returns
    -------
    Region
        Its edge is nowhere further than 0.1 m from the true one. Openings of less than a square metre are closed.

    Raises
    ------
    ValueError
        If a position or the width is out of range, or the line reaches further than 9,000 km from its middle.
    """
    return drawn_corridor(lat_deg, lon_deg, half_width_m).region()


def drawn_corridor(lat_deg: ArrayLike, lon_deg: ArrayLike, half_width_m: float) -> Outline:
    """Return the outline of `corridor`."""
    lat, lon = rings.checked_line(lat_deg, lon_deg)
    if not 0.0 < half_width_m <= buffers.MAX_HALF_WIDTH_M:
        raise ValueError(
            f"found half width {half_width_m} m, expected more than 0 and at most {buffers.MAX_HALF_WIDTH_M:.0f} m"
        )
    if len(lat) == 1:
        return drawn_circle(float(lat[0]), float(lon[0]), half_width_m)
    return of_rings(
        [
            [
                _ring(ring_lat, ring_lon, outline.cut_geodesics, CHORD_TOLERANCE_M, f"corridor, ring {r}")
                for r, (ring_lat, ring_lon) in enumerate(part)
            ]
            for part in buffers.around_line(lat, lon, float(half_width_m))
        ]
    )
