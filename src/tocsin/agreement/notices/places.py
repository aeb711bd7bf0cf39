"""Places: whether a notice lies where the agreement is, and whether its coordinates look like what was meant.

Measures for people to look at, not for the watch: distances are taken in a plane about the notice's own place, good to
a part in a hundred at the distances that matter here. Nothing is corrected: a notice with swapped coordinates keeps
them, and its giver is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from math import cos, radians
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from tocsin.agreement.notices.check import Flagged
from tocsin.agreement.notices.notice import Area, Around, PlaceOf, Position, Route, positions_of, region_of
from tocsin.agreement.notices.words import Flag
from tocsin.agreement.watchlist import Zone
from tocsin.geo.shapes import Region
from tocsin.units import format_length

FAR_M = 50_000.0
"""Metres from every zone beyond which a notice is asked about; own choice, wide enough for a day's drive to a zone;
lower means more questions about movements that begin far away."""

METRES_PER_DEGREE = 111_000.0
"""A little less than the metres of a degree of latitude anywhere, so that boxes are never too small."""


class Ground:
    """The zones of an agreement, to ask where a place lies among them.

    Parameters
    ----------
    zones : sequence of Zone
        Compiled.
    """

    def __init__(self, zones: Sequence[Zone]) -> None:
        self.zones = tuple(zones)

    @cached_property
    def _boxes(self) -> NDArray[np.float64]:
        """West, south, east, north of each zone, degrees, shape (zones, 4)."""
        return np.array([zone.region.bounds for zone in self.zones], np.float64).reshape(-1, 4)

    def near(self, place: PlaceOf) -> list[tuple[str, float]]:
        """Return the zones within `FAR_M` of a place and how far they are, metres, nearest first; 0 where they meet."""
        lat, lon = np.array(positions_of(place)).T
        reach_m = FAR_M + (place.half_width_m if isinstance(place, Route) else 0.0)
        reach_m += place.radius_m if isinstance(place, Around) else 0.0
        region = region_of(place)
        middle = (float(lat.mean()), float(lon[0]))
        found = []
        for i in np.flatnonzero(self._may_reach(lat, lon, reach_m)):
            distance_m = apart_m(region, self.zones[i].region, about=middle)
            if distance_m <= FAR_M:
                found.append((self.zones[i].zone_id, distance_m))
        return sorted(found, key=lambda pair: (pair[1], pair[0]))

    def _may_reach(self, lat: NDArray[np.float64], lon: NDArray[np.float64], reach_m: float) -> NDArray[np.bool_]:
        """Return which zones' boxes come within a distance of the box of some positions; too many, never too few."""
        boxes = self._boxes
        tall = reach_m / METRES_PER_DEGREE
        south, north = lat.min() - tall, lat.max() + tall
        across: NDArray[np.bool_] = (south > boxes[:, 3]) | (north < boxes[:, 1])
        steepest = max(abs(south), abs(north))
        if steepest >= 89.0 or np.ptp(lon) > 180.0:
            return np.logical_not(across)
        wide = tall / cos(radians(steepest))
        beside = np.ones(len(boxes), np.bool_)
        for turn in (-360.0, 0.0, 360.0):
            beside &= (lon.min() - wide > boxes[:, 2] + turn) | (lon.max() + wide < boxes[:, 0] + turn)
        return np.logical_not(across | beside)


def flags_of_place(place: PlaceOf, ground: Ground) -> tuple[tuple[Flagged, ...], tuple[str, ...]]:
    """Return what should be looked at about a place, and the zones that it meets.

    Returns
    -------
    flags : tuple of Flagged
    zones : tuple of str
        Ids of the zones that the place meets, in order of name.
    """
    near = ground.near(place)
    meets = tuple(sorted(zone for zone, distance_m in near if distance_m == 0.0))
    if meets:
        return (), meets
    if near:
        zone, distance_m = near[0]
        words = f"It meets no zone of the agreement; the nearest is {zone}, {format_length(distance_m)} away."
        return (Flagged(flag=Flag.TOUCHES_NO_ZONE, words=words),), ()
    words = f"It is more than {format_length(FAR_M)} from every zone of the agreement."
    found = [Flagged(flag=Flag.FAR_FROM_ZONES, words=words)]
    other = exchanged(place)
    there = ground.near(other) if other else []
    if there:
        zone, distance_m = there[0]
        where = f"in zone {zone}" if distance_m == 0.0 else f"{format_length(distance_m)} from zone {zone}"
        lat, lon = positions_of(place)[0]
        words = f"Latitude {lat:g} and longitude {lon:g}, exchanged, would lie {where}: are they swapped?"
        found.append(Flagged(flag=Flag.SWAPPED_COORDINATES, words=words))
    return tuple(found), ()


def exchanged(place: PlaceOf) -> PlaceOf | None:
    """Return a place with latitudes and longitudes exchanged; None if that is off the globe or no area."""
    if any(abs(lon) > 90.0 for _, lon in positions_of(place)):
        return None
    if isinstance(place, Around):
        turned: PlaceOf = replace(place, at=_turned(place.at))
    elif isinstance(place, Area):
        turned = replace(place, ring=tuple(map(_turned, place.ring)))
    else:
        turned = replace(place, line=tuple(map(_turned, place.line)))
    try:
        region_of(turned)
    except ValueError:
        return None
    return turned


def apart_m(first: Region, second: Region, *, about: Position) -> float:
    """Return the shortest way from one region to another, metres; 0 where they meet.

    Parameters
    ----------
    first, second : Region
    about : (float, float)
        Latitude and longitude of the middle of the plane that is measured in.
    """
    lat, lon = about
    project = pyproj.Transformer.from_crs("EPSG:4326", f"+proj=aeqd +lat_0={lat} +lon_0={lon}", always_xy=True)
    return float(shapely.distance(in_plane(first, project), in_plane(second, project)))


def in_plane(region: Region, project: pyproj.Transformer) -> Any:
    """Return a region as a shapely geometry in metres of a projection, its cuts at the antimeridian mended."""
    flat = shapely.transform(region.geometry, lambda xy: np.column_stack(project.transform(*xy.T)))
    return shapely.union_all(shapely.get_parts(flat), grid_size=MEND_M)


MEND_M = 1e-3
"""Size of the grid on which the two sides of a cut meet again, metres."""


def _turned(at: Position) -> Position:
    return at[1], at[0]
