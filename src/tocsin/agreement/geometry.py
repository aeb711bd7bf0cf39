"""The shape of a zone: from what was agreed (centre and radius, line and half width, feature) to a region.

Follows the names in `geometry` to sites and GeoJSON features and hands them to `geo/shapes.py`, which knows the
ellipsoid. The agreed terms stay the agreement; the region is worked out anew at every load.

References
----------
RFC 7946 §3.1 (positions are longitude first).
EGM2008: geoid heights between -107 m and +86 m (Pavlis et al., 2012, J. Geophys. Res. 117).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.agreement.load import GEOMETRY_DEPTH, check_coordinates
from tocsin.agreement.model import Agreement
from tocsin.agreement.terms.places import Datum, Feature, Geometry, Position, Sector, Zone
from tocsin.agreement.terms.state import Blank, Disputed, Maybe, given
from tocsin.agreement.terms.types import Vague
from tocsin.errors import AgreementError
from tocsin.geo.shapes import (
    Edges,
    Outline,
    Region,
    drawn_circle,
    drawn_corridor,
    drawn_multipolygon,
    drawn_sector,
    settled,
)

GEOID_LOW_M, GEOID_HIGH_M = -107.0, 86.0
"""The lowest and highest mean sea level on Earth, metres above the ellipsoid (EGM2008)."""

T = TypeVar("T")


class Band(Struct, frozen=True):
    """Altitudes above the ellipsoid, metres; `exact` is False where a datum without a model widened them."""

    lower_m: float = -inf
    upper_m: float = inf
    exact: bool = True


def region_of(agreement: Agreement, zone: Zone) -> Region:
    """Return the closed area of a zone.

    Raises
    ------
    AgreementError
        If the zone has no geometry, an open-ended one ("about 55 km"), names a feature that is not there, or its
        rings are no valid area (which ring, which vertex).
    """
    (found,) = regions_of(agreement, [zone])
    if isinstance(found, AgreementError):
        raise found
    return found


def regions_of(agreement: Agreement, zones: Sequence[Zone]) -> list[Region | AgreementError]:
    """Return the closed area of every zone, or why it has none, as `region_of` raises it; settled all together."""
    found: list[Region | AgreementError | None] = [None] * len(zones)
    drawn: dict[int, Outline] = {}
    for i, zone in enumerate(zones):
        try:
            drawn[i] = _outline(agreement, zone)
        except AgreementError as error:
            found[i] = error
    for i, region in zip(drawn, settled(list(drawn.values())), strict=True):
        found[i] = _no_area(agreement, zones[i], region) if isinstance(region, ValueError) else region
    return [region for region in found if region is not None]


def _outline(agreement: Agreement, zone: Zone) -> Outline:
    geometry = given(zone.geometry)
    path = f"{zone.path}.geometry"
    if geometry is None:
        state = agreement.state(path)
        raise AgreementError(f"geometry {state}", expected=f"the shape of zone {zone.id}", place=agreement.where(path))
    told = [form for form in _DRAW if given(getattr(geometry, form)) is not None]
    if len(told) != 1:
        raise AgreementError(
            " and ".join(told) or "no shape", expected=f"one of {', '.join(_DRAW)}", place=agreement.where(path)
        )
    try:
        return _DRAW[told[0]](agreement, geometry)
    except ValueError as error:
        raise _no_area(agreement, zone, error) from error


def _no_area(agreement: Agreement, zone: Zone, error: ValueError) -> AgreementError:
    """Return the refusal of a zone whose shape is no area, at the feature it is drawn by."""
    geometry = given(zone.geometry)
    name = given(geometry.polygon) if geometry else None
    feature = feature_of(agreement, name) if name else None
    place = feature.place if feature else agreement.where(f"{zone.path}.geometry")
    return AgreementError(f"a shape that is no area ({error})", expected=f"the area of zone {zone.id}", place=place)


def feature_of(agreement: Agreement, name: str) -> Feature | None:
    """Return the feature that a name in a geometry means: the site's of that id, or the feature's own id."""
    return agreement.by_feature.get(agreement.site_features.get(name, name))


def band_of(agreement: Agreement, zone: Zone) -> Band:
    """Return a zone's altitudes above the ellipsoid.

    Notes
    -----
    `hae` is exact. `msl` needs a geoid model to be exact; without one the band is widened by the geoid's own limits, so
    that the watch warns early and never misses (an exemption is narrowed instead). `agl` needs the terrain: the watch
    then covers every altitude, and an exemption is refused. GEO-05 reports all of this.

    Raises
    ------
    AgreementError
        For a floor above its ceiling, or an exemption that would need a terrain model.
    """
    altitude = given(zone.altitude)
    if altitude is None:
        return Band()
    floor, ceiling, datum = given(altitude.floor_m), given(altitude.ceiling_m), given(altitude.datum)
    lower, upper = -inf if floor is None else floor, inf if ceiling is None else ceiling
    place = agreement.where(altitude.path)
    if lower > upper:
        raise AgreementError(f"a floor of {lower:g} m", expected=f"one below the ceiling of {upper:g} m", place=place)
    if datum is Datum.HAE:
        return Band(lower, upper)
    if datum is Datum.MSL:
        down, up = (GEOID_HIGH_M, GEOID_LOW_M) if zone.is_exemption else (GEOID_LOW_M, GEOID_HIGH_M)
        return Band(lower + down, max(lower + down, upper + up), exact=False)
    if zone.is_exemption:
        raise AgreementError(f"an exemption by altitude of datum {datum}", expected="datum hae or msl", place=place)
    return Band(exact=False)


def _open(agreement: Agreement, path: str, what: str) -> AgreementError:
    return AgreementError(f"{what} {agreement.state(path)}", expected=f"a {what}", place=agreement.where(path))


def _need(agreement: Agreement, value: T | None, path: str, what: str) -> T:
    if value is None:
        raise _open(agreement, path, what)
    return value


def _length(agreement: Agreement, told: Maybe[float | Vague], path: str, what: str) -> float:
    if told is None or isinstance(told, Blank | Disputed):
        raise _open(agreement, path, what)
    if isinstance(told, Vague):
        raise AgreementError(repr(told.text), expected=f"one number for the {what}", place=agreement.where(path))
    if told <= 0:
        raise AgreementError(f"{told:g} m", expected=f"a {what} above zero", place=agreement.where(path))
    return told


def _feature(agreement: Agreement, name: str, path: str, kinds: tuple[str, ...]) -> Feature:
    feature = feature_of(agreement, name)
    if feature is None:
        raise AgreementError(
            f"{name!r}, which is drawn nowhere", expected="a site or feature", place=agreement.where(path)
        )
    if feature.kind not in kinds:
        found = f"{name!r}, which is a {feature.kind}"
        raise AgreementError(found, expected=f"a {' or '.join(kinds)}", place=agreement.where(path))
    return feature


def _centre(agreement: Agreement, told: Maybe[str | Position], path: str) -> tuple[float, float]:
    if told is None or isinstance(told, Blank | Disputed):
        raise _open(agreement, path, "centre")
    if isinstance(told, Position):
        if not (-90 <= told.lat_deg <= 90 and -180 <= told.lon_deg <= 180):
            found = f"lat {told.lat_deg:g}, lon {told.lon_deg:g}"
            raise AgreementError(
                found, expected="latitude within ±90°, longitude within ±180°", place=agreement.where(path)
            )
        return told.lat_deg, told.lon_deg
    lon, lat = _feature(agreement, told, path, ("Point",)).coordinates[:2]
    return float(lat), float(lon)


def _circle(agreement: Agreement, geometry: Geometry) -> Outline:
    told = given(geometry.circle)
    assert told is not None
    lat, lon = _centre(agreement, told.centre, f"{told.path}.centre")
    return drawn_circle(lat, lon, _length(agreement, told.radius_m, f"{told.path}.radius", "radius"))


def _corridor(agreement: Agreement, geometry: Geometry) -> Outline:
    told = given(geometry.corridor)
    assert told is not None
    path = f"{told.path}.line"
    line = _feature(agreement, _need(agreement, given(told.line), path, "line"), path, ("LineString",))
    half = _length(agreement, told.half_width_m, f"{told.path}.half_width", "half width")
    ring = _ring(line.coordinates)
    return drawn_corridor(ring[:, 0], ring[:, 1], half)


def _polygon(agreement: Agreement, geometry: Geometry) -> Outline:
    name = given(geometry.polygon)
    assert name is not None
    feature = _feature(agreement, name, f"{geometry.path}.polygon", ("Polygon", "MultiPolygon"))
    return _area(feature.kind, feature.coordinates, given(geometry.edges))


def _inline(agreement: Agreement, geometry: Geometry) -> Outline:
    place = agreement.where(f"{geometry.path}.coordinates")
    if geometry.type not in ("Polygon", "MultiPolygon"):
        raise AgreementError(f"type {geometry.type}", expected="type: Polygon or MultiPolygon", place=place)
    check_coordinates(geometry.coordinates, GEOMETRY_DEPTH[geometry.type], place)
    return _area(geometry.type, geometry.coordinates, given(geometry.edges))


def _sector(agreement: Agreement, geometry: Geometry) -> Outline:
    told = given(geometry.sector)
    assert told is not None
    lat, lon = _centre(agreement, told.centre, f"{told.path}.centre")
    radius = _length(agreement, told.radius_m, f"{told.path}.radius", "radius")
    begin, end = _azimuths(agreement, told)
    return drawn_sector(lat, lon, radius, begin, end)


def _azimuths(agreement: Agreement, told: Sector) -> tuple[float, float]:
    begin = _need(agreement, given(told.from_deg), f"{told.path}.from_deg", "azimuth")
    end = _need(agreement, given(told.to_deg), f"{told.path}.to_deg", "azimuth")
    return begin, end


def _area(kind: str, coordinates: Any, edges: Edges | None) -> Outline:
    parts = [coordinates] if kind == "Polygon" else coordinates
    return drawn_multipolygon([[_ring(ring) for ring in part] for part in parts], edges or Edges.PLANAR)


def _ring(positions: Any) -> NDArray[np.float64]:
    """Return GeoJSON positions as rows of latitude and longitude; a third coordinate is left out."""
    return np.array([(lat, lon) for lon, lat, *_ in positions], dtype=np.float64)


_DRAW = {"circle": _circle, "corridor": _corridor, "polygon": _polygon, "sector": _sector, "coordinates": _inline}
"""The keys of `geometry`, of which a zone has exactly one, and how each is drawn."""
