"""Buffers: everything within a distance of a geodesic line, as rings.

A disc about every position and a band beside every leg are united in a plane chart about the line's middle (the
stereographic projection of a sphere), which only decides what covers what: every vertex of the result is either a
point found on the ellipsoid, taken back unchanged, or a crossing of two chords of at most 2 km. Left out: the
antimeridian and the poles, which mean nothing in this chart (`cuts.py`).
"""

from __future__ import annotations

from math import ceil, cos, pi, sqrt
from typing import Any

import numpy as np
import shapely

from tocsin.geo import measure
from tocsin.geo.rings import Floats
from tocsin.kernels.earth import outline
from tocsin.kernels.earth.geodesic import A_M

MAX_HALF_WIDTH_M = 1_000_000.0
MAX_REACH_M = 9_000_000.0
"""How far a line may reach from its middle."""
STEP_M = 2_000.0
"""Longest chord; at 2 km a chord of the chart leaves the geodesic by less than 1 cm within 1,000 km of the middle."""
ARC_TOLERANCE_M = 0.03
"""How far the chords of a disc leave it, to either side."""
LEAST_OPENING_M2 = 1.0
"""Smaller openings are where chords of two pieces miss each other, not places out of reach."""


def around_line(lat_deg: Floats, lon_deg: Floats, half_width_m: float) -> list[list[tuple[Floats, Floats]]]:
    """Return the rings, outer ones first in each part, around a line of two positions or more.

    Raises
    ------
    ValueError
        If the line reaches too far from its middle.
    """
    length_m, azimuth = measure.inverse(lat_deg[:-1], lon_deg[:-1], lat_deg[1:], lon_deg[1:])
    chart = _Chart(*_middle(lat_deg, lon_deg, length_m, azimuth))
    reach_m = float(measure.distance_m(chart.lat_deg, chart.lon_deg, lat_deg, lon_deg).max())
    if reach_m > MAX_REACH_M:
        raise ValueError(
            f"line: found a position {reach_m / 1000:.0f} km from the line's middle, "
            f"expected at most {MAX_REACH_M / 1000:.0f} km"
        )
    discs = [chart.polygon(*_disc(lat, lon, half_width_m)) for lat, lon in zip(lat_deg, lon_deg, strict=True)]
    legs = zip(lat_deg[:-1], lon_deg[:-1], length_m, azimuth, strict=True)
    bands = [chart.polygon(*_band(lat, lon, s, azi, half_width_m)) for lat, lon, s, azi in legs]
    return chart.rings(shapely.union_all([*discs, *bands]))


def _middle(lat: Floats, lon: Floats, length_m: Floats, azimuth: Floats) -> tuple[float, float]:
    """Return the place half-way along a line."""
    ends = np.cumsum(length_m)
    leg = int(np.searchsorted(ends, 0.5 * ends[-1]))
    way_m = 0.5 * ends[-1] - (ends[leg] - length_m[leg])
    middle = measure.destination(lat[leg], lon[leg], azimuth[leg], way_m)
    return float(middle[0]), float(middle[1])


def _disc(lat: float, lon: float, radius_m: float) -> tuple[Floats, Floats]:
    """Return the ring around a position, its chords half outside and half inside of the circle."""
    n = max(72, ceil(pi * sqrt(radius_m / (4.0 * ARC_TOLERANCE_M))), ceil(2.0 * pi * radius_m / STEP_M))
    sagitta_m = radius_m * (1.0 - cos(pi / n))
    return measure.destination(lat, lon, 360.0 * np.arange(n) / n, radius_m + 0.5 * sagitta_m)


def _band(lat: float, lon: float, length_m: float, azimuth: float, half_width_m: float) -> tuple[Floats, Floats]:
    """Return the ring beside a leg: points square off the geodesic, up one side and down the other."""
    way_m = length_m * np.linspace(0.0, 1.0, ceil(length_m / STEP_M) + 1)
    lats, lons = measure.destination(lat, lon, azimuth, way_m)
    # The azimuth at each point, found looking back at the start and ahead to the end, whichever is further.
    end = measure.destination(lat, lon, azimuth, length_m)
    ahead = measure.azimuth_deg(lats, lons, *end)
    back = measure.azimuth_deg(lats, lons, lat, lon) + 180.0
    course = np.where(way_m < 0.5 * length_m, ahead, back)
    right = measure.destination(lats, lons, course + 90.0, half_width_m)
    left = measure.destination(lats, lons, course - 90.0, half_width_m)
    return np.concatenate([right[0], left[0][::-1]]), np.concatenate([right[1], left[1][::-1]])


class _Chart:
    """The stereographic chart about a place, with a memory of the places put on it."""

    def __init__(self, lat_deg: float, lon_deg: float) -> None:
        self.lat_deg, self.lon_deg = lat_deg, lon_deg
        self._places: dict[tuple[float, float], tuple[float, float]] = {}

    def polygon(self, lat_deg: Floats, lon_deg: Floats) -> Any:
        """Put a ring on the chart."""
        xy = np.empty((2, len(lat_deg)))
        outline.to_chart(self.lat_deg, self.lon_deg, lat_deg, lon_deg, xy[0], xy[1])
        places = zip(lat_deg.tolist(), lon_deg.tolist(), strict=True)
        self._places.update(zip(zip(*xy.tolist(), strict=True), places, strict=True))
        return shapely.Polygon(xy.T)

    def rings(self, shape: Any) -> list[list[tuple[Floats, Floats]]]:
        """Take polygons off the chart; openings that only rounding made are left out."""
        least = LEAST_OPENING_M2 / A_M**2
        parts = []
        for part in shapely.get_parts(shape):
            holes = [h for h in part.interiors if shapely.Polygon(h).area > least]
            parts.append([self._places_of(shapely.get_coordinates(ring)) for ring in (part.exterior, *holes)])
        return parts

    def _places_of(self, xy: Floats) -> tuple[Floats, Floats]:
        x, y = np.ascontiguousarray(xy.T)
        place = np.empty((2, len(x)))
        outline.from_chart(self.lat_deg, self.lon_deg, x, y, place[0], place[1])
        for i, key in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
            if key in self._places:
                place[:, i] = self._places[key]
        return place[0], place[1]
