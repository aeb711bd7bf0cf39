"""Shapes: circles, polygons and corridors made into regions of plane longitude and latitude.

Antimeridian, poles and edges are settled here, once (DESIGN §5, P1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray

WGS84 = pyproj.Geod(ellps="WGS84")


class Edges(StrEnum):
    """What a straight edge of a polygon means."""

    GEODESIC = "geodesic"
    RHUMB = "rhumb"
    PLANAR = "planar"


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """A closed area on WGS84, ready for the atlas.

    Attributes
    ----------
    lon_deg, lat_deg : ndarray, shape (v,), float64, degrees
        Every ring's vertices, one ring after the other, each ring's first repeated as its last; -180…180.
    ring_start : ndarray, shape (rings + 1,), int64
        Where each ring starts; the last is v. Inside is what an odd number of rings surround.
    """

    lon_deg: NDArray[np.float64]
    lat_deg: NDArray[np.float64]
    ring_start: NDArray[np.int64]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north, degrees."""
        return (
            float(self.lon_deg.min()), float(self.lat_deg.min()), float(self.lon_deg.max()), float(self.lat_deg.max())
        )  # fmt: skip

    @property
    def vertex_count(self) -> int:
        """Number of vertices, each ring's last not counted."""
        return len(self.lon_deg) - (len(self.ring_start) - 1)

    @cached_property
    def geometry(self) -> Any:
        """The area as a shapely MultiPolygon, longitude first, for drawing and checks."""
        xy = np.column_stack([self.lon_deg, self.lat_deg])
        rings = [xy[a:b] for a, b in zip(self.ring_start[:-1], self.ring_start[1:], strict=True)]
        shape: Any = shapely.MultiPolygon()
        for ring in rings:
            shape = shapely.symmetric_difference(shape, shapely.Polygon(ring))
        polygons = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
        return shapely.MultiPolygon(polygons)

    @cached_property
    def area_m2(self) -> float:
        """Area on the ellipsoid, square metres."""
        return abs(float(WGS84.geometry_area_perimeter(shapely.orient_polygons(self.geometry))[0]))

    @property
    def centre(self) -> tuple[float, float]:
        """Latitude and longitude of a point well inside."""
        point = shapely.point_on_surface(self.geometry)
        return float(point.y), float(point.x)


def _region(geometry: Any) -> Region:
    xy, starts = [], [0]
    for part in shapely.get_parts(geometry):
        for ring in (part.exterior, *part.interiors):
            xy.append(shapely.get_coordinates(ring))
            starts.append(starts[-1] + len(xy[-1]))
    joined = np.concatenate(xy)
    return Region(
        lon_deg=np.ascontiguousarray(joined[:, 0]),
        lat_deg=np.ascontiguousarray(joined[:, 1]),
        ring_start=np.array(starts, np.int64),
    )


def circle(lat_deg: float, lon_deg: float, radius_m: float) -> Region:
    """Return all points within `radius_m` metres, along the geodesic, of a centre."""
    n = max(64, int(np.ceil(np.pi / np.sqrt(2 * 0.05 / radius_m))))
    azimuth = np.linspace(0.0, 360.0, n, endpoint=False)
    lon, lat, _ = WGS84.fwd(np.full(n, lon_deg), np.full(n, lat_deg), azimuth, np.full(n, float(radius_m)))
    ring = np.column_stack([lat, lon])[::-1]
    return polygon([np.concatenate([ring, ring[:1]])])


def polygon(rings: Sequence[ArrayLike], edges: Edges = Edges.PLANAR) -> Region:
    """Return the area between an outer ring and its holes.

    Parameters
    ----------
    rings : sequence of array_like, each shape (n, 2), float64, degrees
        Latitude then longitude; the first is the outer ring; each closed (the first position repeated as the last).
    edges : Edges
        What an edge between two positions means.
    """
    return multipolygon([rings], edges)


def multipolygon(polygons: Sequence[Sequence[ArrayLike]], edges: Edges = Edges.PLANAR) -> Region:
    """Return the area of several polygons that do not overlap; each as in `polygon`."""
    parts = []
    for rings in polygons:
        xy = [np.asarray(ring, np.float64)[:, ::-1] for ring in rings]
        parts.append(shapely.Polygon(xy[0], xy[1:]))
    return _region(shapely.MultiPolygon(parts))


def corridor(lat_deg: ArrayLike, lon_deg: ArrayLike, half_width_m: float) -> Region:
    """Return all points within `half_width_m` metres of a geodesic polyline."""
    lat, lon = np.asarray(lat_deg, np.float64), np.asarray(lon_deg, np.float64)
    project = pyproj.Transformer.from_crs(
        "EPSG:4326", f"+proj=aeqd +lat_0={lat.mean()} +lon_0={lon.mean()}", always_xy=True
    )
    x, y = project.transform(lon, lat)
    shape = shapely.buffer(shapely.LineString(np.column_stack([x, y])), half_width_m, quad_segs=64)
    x, y = project.transform(*np.asarray(shape.exterior.coords).T, direction="INVERSE")
    return polygon([np.column_stack([y, x])])
