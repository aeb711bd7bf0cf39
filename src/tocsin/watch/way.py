"""Way: a notified track's reports as samples along its way, each measured against the notice's place and the zones.

Between two fixes the way is a geodesic at even speed, cut so finely that a corridor's edge is not stepped over
unseen (P3); across a silence it is not filled. Distances are taken in a plane about the middle of the place, good to a
few parts in ten thousand; on which side of the edge a sample lies is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import shapely
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.agreement.notices.notice import PlaceOf, Route, positions_of, region_of
from tocsin.agreement.notices.places import in_plane
from tocsin.agreement.notices.plan import Plan
from tocsin.agreement.watchlist import Schedule, Watchlist, Zone
from tocsin.clock import US_PER_S
from tocsin.geo import measure
from tocsin.geo.plane import plane_about
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.category import may_be
from tocsin.watch.book import UNOBSERVED_S

MOST_SAMPLES = 64
"""Samples that one step between two fixes is cut into at most."""

STEP_M = 200.0
"""How far samples lie apart, metres, where no narrower corridor asks for half of its half width."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Way(Struct, frozen=True, kw_only=True):
    """n samples of one track, in order of time.

    Attributes
    ----------
    at_us : ndarray, shape (n,), int64
    lat_deg, lon_deg : ndarray, shape (n,), float64
    distance_m : ndarray, shape (n,), float64
        From the edge of the place; negative inside.
    excess_m : ndarray, shape (n,), float64
        The same less the report's own accuracy, where it gave one: above zero only where it is surely outside.
    in_zone : ndarray, shape (n,), bool
        In a zone that is in force and binds such a mover.
    beside : ndarray, shape (n,), bool
        Along a route, not past one of its ends; False for an area.
    after_gap : ndarray, shape (n,), bool
        The first sample, and the first after a silence that is not judged.
    """

    at_us: NDArray[np.int64]
    lat_deg: Floats
    lon_deg: Floats
    distance_m: Floats
    excess_m: Floats
    in_zone: Bools
    beside: Bools
    after_gap: Bools


def ways_of(
    plans: Sequence[Plan], reports: ReportBatch, watchlist: Watchlist, *, beside_s: float
) -> Iterator[tuple[Plan, str, Way | None]]:
    """Yield each notified track's way about its window; None where it has not two reports there.

    Parameters
    ----------
    plans : sequence of Plan
    reports : ReportBatch
        In canonical order.
    watchlist : Watchlist
    beside_s : float
        How long before and after the window reports are taken.
    """
    codes = {name: code for code, name in enumerate(reports.tracks)}
    wanted = sorted({codes[track] for plan in plans for track in plan.tracks if track in codes})
    mine = np.flatnonzero(np.isin(reports.track, wanted))
    rows = {code: mine[reports.track[mine] == code] for code in wanted}
    beside_us = round(beside_s * US_PER_S)
    for plan in plans:
        begin_us = max(plan.known_us, plan.from_us - beside_us)
        for track in sorted(plan.tracks):
            at = rows.get(codes.get(track, -1), np.empty(0, np.int64))
            observed = reports.observed_us[at]
            at = at[(observed >= begin_us) & (observed <= plan.to_us + beside_us)]
            yield plan, track, _way(plan.place, reports.take(at), watchlist) if len(at) > 1 else None


def _way(place: PlaceOf, fixes: ReportBatch, watchlist: Watchlist) -> Way:
    at_us, lat, lon, accuracy_m, fix, after_gap = _samples(place, fixes)
    measured = _Measured(place)
    distance_m = measured.distance_m(lat, lon)
    return Way(
        at_us=at_us,
        lat_deg=lat,
        lon_deg=lon,
        distance_m=distance_m,
        excess_m=np.where(distance_m > 0, np.maximum(distance_m - accuracy_m, 0.0), distance_m),
        in_zone=_in_zones(watchlist, fixes, fix, at_us, lat, lon),
        beside=measured.beside(lat, lon),
        after_gap=after_gap,
    )


def _samples(
    place: PlaceOf, fixes: ReportBatch
) -> tuple[NDArray[np.int64], Floats, Floats, Floats, NDArray[np.int64], Bools]:
    """Return times, places, accuracies, fixes and gaps of the samples: every fix, and the way between two of them."""
    at_us, lat, lon = fixes.observed_us, fixes.lat_deg, fixes.lon_deg
    accuracy_m = np.nan_to_num(fixes.accuracy_m.astype(np.float64), nan=0.0)
    length_m = measure.distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
    gap = np.diff(at_us) > round(UNOBSERVED_S * US_PER_S)
    step_m = min(STEP_M, place.half_width_m / 2) if isinstance(place, Route) else STEP_M
    parts = np.where(gap, 1, np.clip(np.ceil(length_m / step_m), 1, MOST_SAMPLES)).astype(np.int64)
    first = np.repeat(np.arange(len(parts)), parts)
    part = np.arange(len(first)) - np.repeat(np.cumsum(parts) - parts, parts)
    share = part / parts[first]
    lats, lons = measure.interpolate(lat[first], lon[first], lat[first + 1], lon[first + 1], share)
    times = at_us[first] + np.round(share * (at_us[first + 1] - at_us[first])).astype(np.int64)
    lats[part == 0], lons[part == 0] = lat[:-1], lon[:-1]
    greater_m = np.maximum(accuracy_m[first], accuracy_m[first + 1])
    last = len(at_us) - 1
    after_gap = (part == 0) & np.concatenate([[True], gap])[first]
    return (
        np.append(times, at_us[last]),
        np.append(lats, lat[last]),
        np.append(lons, lon[last]),
        np.append(np.where(part == 0, accuracy_m[first], greater_m), accuracy_m[last]),
        np.append(first, last),
        np.append(after_gap, gap[-1]),
    )


class _Measured:
    """A place laid out in a plane about its middle, to measure from its edge."""

    def __init__(self, place: PlaceOf) -> None:
        lat, lon = region_of(place).centre
        self._project = plane_about(lat, lon)
        self._geometry = region_of(place).geometry
        shapely.prepare(self._geometry)
        self._edge = shapely.boundary(in_plane(region_of(place), self._project))
        self._line: Any = None
        if isinstance(place, Route):
            lats, lons = measure.along(*np.array(positions_of(place)).T)
            self._line = shapely.LineString(np.column_stack(self._project.transform(lons, lats)))

    def distance_m(self, lat: Floats, lon: Floats) -> Floats:
        """Return the distance from the edge, negative inside."""
        away = shapely.distance(self._edge, self._plane(lat, lon))
        inside = shapely.covers(self._geometry, shapely.points(lon, lat))
        return np.asarray(np.where(inside, -away, away), np.float64)

    def beside(self, lat: Floats, lon: Floats) -> Bools:
        """Return True where a place is beside the route rather than past one of its ends; False for an area."""
        if self._line is None:
            return np.zeros(len(lat), np.bool_)
        along_m = shapely.line_locate_point(self._line, self._plane(lat, lon))
        return np.asarray((along_m > 0.0) & (along_m < self._line.length), np.bool_)

    def _plane(self, lat: Floats, lon: Floats) -> Any:
        return shapely.points(*self._project.transform(lon, lat))


def _in_zones(
    watchlist: Watchlist, fixes: ReportBatch, fix: NDArray[np.int64], at_us: NDArray[np.int64], lat: Floats, lon: Floats
) -> Bools:
    """Return which samples lie in a zone that is in force and binds such a mover."""
    found = np.zeros(len(at_us), np.bool_)
    points = shapely.points(lon, lat)
    alt_m = fixes.alt_m[fix]
    in_force = _holds(watchlist.in_force, at_us)
    for zone in watchlist.zones:
        west, south, east, north = zone.region.bounds
        near = (lat >= south) & (lat <= north) & (lon >= west) & (lon <= east) & in_force & ~found
        near &= ~((alt_m < zone.lower_m) | (alt_m > zone.upper_m))
        if zone.is_exemption or not near.any():
            continue
        near &= _binds(zone, fixes)[fix] & _holds(zone.schedule, at_us)
        near[near] = shapely.covers(zone.region.geometry, points[near])
        found |= near
    return found


def _binds(zone: Zone, fixes: ReportBatch) -> Bools:
    """Return which fixes are of a mover that the zone binds."""
    parties = [zone.binds(name) for name in (*fixes.parties, None)]
    kinds = [zone.categories is None or may_be(name, zone.categories) for name in (*fixes.categories, None)]
    bound: Bools = np.array(parties, np.bool_)[fixes.party] & np.array(kinds, np.bool_)[fixes.category]
    return bound


def _holds(schedule: Schedule, at_us: NDArray[np.int64]) -> Bools:
    """Return at which instants, in order, a schedule is in force."""
    if schedule.is_always or not len(at_us):
        return np.ones(len(at_us), np.bool_)
    spans = schedule.intervals_us(int(at_us[0]), int(at_us[-1]) + 1)
    begun = np.searchsorted(spans[:, 0], at_us, side="right")
    ended = np.searchsorted(spans[:, 1], at_us, side="right")
    return np.asarray(begun > ended, np.bool_)
