"""Regions: closed areas ready for the atlas, and the outlines they are settled from, one by one or many together.

Left out: how a circle or an edge is drawn (`shapes.py`), what is proved of many outlines at once (`plain.py`), and what
is cut or refused (`cuts.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from tocsin.geo import cuts
from tocsin.geo.plain import settle_plain
from tocsin.geo.rings import Ring


class Region(Struct, frozen=True, kw_only=True, eq=False, dict=True):
    """A closed area on WGS84, ready for the atlas.

    Attributes
    ----------
    lon_deg, lat_deg : ndarray, shape (v,), float64, degrees
        Every ring's vertices, one ring after the other, each ring's first repeated as its last; longitude -180…180,
        latitude -90…90. Areas across the antimeridian are cut there; one that holds a pole runs along ±90.
    ring_start : ndarray, shape (rings + 1,), int64
        Where each ring begins; the last is v. An outer ring runs anticlockwise and is followed by its holes, which run
        clockwise. Inside is what an odd number of rings surround, and all rings.
    """

    lon_deg: NDArray[np.float64]
    lat_deg: NDArray[np.float64]
    ring_start: NDArray[np.int64]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north, degrees; west is -180 and east 180 for an area across the antimeridian."""
        lon, lat = self.lon_deg, self.lat_deg
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())

    @property
    def vertex_count(self) -> int:
        """Number of vertices, each ring's repeated last not counted."""
        return len(self.lon_deg) - (len(self.ring_start) - 1)

    @cached_property
    def geometry(self) -> Any:
        """The area as a shapely MultiPolygon, longitude first, for drawing and checks."""
        return cuts.geometry_of(self.lon_deg, self.lat_deg, self.ring_start)

    @cached_property
    def area_m2(self) -> float:
        """Area on the ellipsoid, square metres, to about 1e-9 of it."""
        return cuts.area_m2(self.lon_deg, self.lat_deg, self.ring_start)

    @cached_property
    def centre(self) -> tuple[float, float]:
        """Latitude and longitude, degrees, of a place inside, well within the largest part."""
        point = shapely.point_on_surface(max(self.geometry.geoms, key=lambda part: float(part.area)))
        return float(point.y), float(point.x)


class Outline(Struct, frozen=True, kw_only=True, eq=False):
    """A shape as drawn, not yet settled: nothing says so far that it is an area.

    Attributes
    ----------
    polygon : tuple of array_like, each shape (n, 2), degrees
        The rings of a shape of one polygon, latitude then longitude, unchecked; empty for a shape of several.
    rings : callable
        Returns the checked rings of every polygon, or raises what is wrong with one.
    """

    polygon: tuple[ArrayLike, ...]
    rings: Callable[[], Sequence[Sequence[Ring]]]

    def region(self) -> Region:
        """Return the area.

        Raises
        ------
        ValueError
            As `shapes.multipolygon` says.
        """
        (found,) = settled([self])
        if isinstance(found, ValueError):
            raise found
        return found


def of_rings(polygons: Sequence[Sequence[Ring]]) -> Outline:
    """Return the outline of checked rings."""
    drawn = polygons[0] if len(polygons) == 1 else ()
    return Outline(polygon=tuple(np.column_stack([r.lat_deg, r.lon_deg]) for r in drawn), rings=lambda: polygons)


def settled(outlines: Sequence[Outline]) -> list[Region | ValueError]:
    """Return the area of every outline, or what is wrong with it; many together cost little more than one.

    Parameters
    ----------
    outlines : sequence of Outline
    """
    plain = settle_plain([_positions(outline) for outline in outlines])
    return [
        _settled(outline) if proved is None else _region(*proved)
        for outline, proved in zip(outlines, plain, strict=True)
    ]


def bounds_of(regions: Sequence[Region]) -> NDArray[np.float64]:
    """Return the bounds of many regions.

    Parameters
    ----------
    regions : sequence of Region

    Returns
    -------
    ndarray, shape (n, 4), float64, degrees
        West, south, east, north, as `Region.bounds`.
    """
    if not regions:
        return np.empty((0, 4))
    places = np.stack([np.concatenate([r.lon_deg for r in regions]), np.concatenate([r.lat_deg for r in regions])])
    counts = np.array([len(region.lon_deg) for region in regions])
    starts = np.cumsum(counts) - counts
    low, high = np.minimum.reduceat(places, starts, axis=1), np.maximum.reduceat(places, starts, axis=1)
    return np.concatenate([low, high]).T


def _positions(outline: Outline) -> list[NDArray[np.float64]]:
    """Return the rings of an outline of one polygon as arrays; none if they are no tables of positions."""
    try:
        found = [np.asarray(ring, np.float64) for ring in outline.polygon]
    except (TypeError, ValueError):
        return []
    return found if all(ring.ndim == 2 and ring.shape[1] == 2 for ring in found) else []


def _settled(outline: Outline) -> Region | ValueError:
    try:
        return _region(*cuts.settle(outline.rings()))
    except ValueError as error:
        return error


def _region(lon_deg: NDArray[np.float64], lat_deg: NDArray[np.float64], ring_start: NDArray[np.int64]) -> Region:
    return Region(lon_deg=lon_deg, lat_deg=lat_deg, ring_start=ring_start)
