"""Places: whether a notice lies where the agreement is, and whether its coordinates look like what was meant.

Measures for people to look at, not for the watch: distances are taken in a plane about the notice's own place, good to
a part in a hundred at the distances that matter here. Nothing is corrected: a notice with swapped coordinates keeps
them, and its giver is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from math import cos, inf, radians
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from msgspec.structs import replace
from numpy.typing import NDArray

from tocsin.agreement.notices.check import Flagged
from tocsin.agreement.notices.notice import Area, Around, PlaceOf, Position, positions_of, region_of
from tocsin.agreement.notices.words import Flag
from tocsin.agreement.watchlist import Zone
from tocsin.geo.plane import plane_about
from tocsin.geo.shapes import Region
from tocsin.units import format_length

if TYPE_CHECKING:
    from pyproj import Transformer

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

    def meets(self, place: PlaceOf) -> tuple[str, ...]:
        """Return the ids of the zones that a place meets, in order of name."""
        shape = region_of(place).geometry
        lat, lon = _box(shape)
        zones = [self.zones[i] for i in np.flatnonzero(self._may_reach(lat, lon, 0.0))]
        for zone in zones:
            shapely.prepare(zone.region.geometry)
        return tuple(sorted(z.zone_id for z in zones if shapely.intersects(z.region.geometry, shape)))

    def nearest(self, place: PlaceOf) -> tuple[str, float] | None:
        """Return the nearest zone and how far it is, metres, 0 where they meet; None beyond `FAR_M` of every zone."""
        region = region_of(place)
        lat, lon = _box(region.geometry)
        about = positions_of(place)[0]
        found = [
            (apart_m(region, self.zones[i].region, about=about), self.zones[i].zone_id)
            for i in np.flatnonzero(self._may_reach(lat, lon, FAR_M))
        ]
        distance_m, zone = min(found, default=(inf, ""))
        return (zone, distance_m) if distance_m <= FAR_M else None

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
    meets = ground.meets(place)
    if meets:
        return (), meets
    near = ground.nearest(place)
    if near:
        zone, distance_m = near
        words = f"It meets no zone of the agreement; the nearest is {zone}, {format_length(distance_m)} away."
        return (Flagged(flag=Flag.TOUCHES_NO_ZONE, words=words),), ()
    words = f"It is more than {format_length(FAR_M)} from every zone of the agreement."
    found = [Flagged(flag=Flag.FAR_FROM_ZONES, words=words)]
    other = exchanged(place)
    there = ground.nearest(other) if other else None
    if there:
        zone, distance_m = there
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
        Latitude and longitude near which they lie: the plane's middle is the whole degree next to it.
    """
    project = _plane_about(round(about[0]), round(about[1]))
    return float(shapely.distance(in_plane(first, project), in_plane(second, project)))


_plane_about = lru_cache(maxsize=1_024)(plane_about)


def in_plane(region: Region, project: Transformer) -> Any:
    """Return a region as a shapely geometry in metres of a projection, its cuts at the antimeridian mended."""
    flat = shapely.transform(region.geometry, lambda xy: np.column_stack(project.transform(*xy.T)))
    return shapely.union_all(shapely.get_parts(flat), grid_size=MEND_M)


MEND_M = 1e-3
"""Size of the grid on which the two sides of a cut meet again, metres."""


def _box(shape: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return latitudes and longitudes of the corners of a shape's box."""
    west, south, east, north = shapely.bounds(shape)
    return np.array([south, north]), np.array([west, east])


def _turned(at: Position) -> Position:
    return at[1], at[0]
