"""GeoJSON: one notice a feature, drawn; the properties are the keys of a form.

A LineString is a route (`half_width` among the properties), a Polygon with one ring an area, a Point the middle of a
circle (`radius`). Positions are longitude first, WGS84 (RFC 7946 §3.1.1, §4): the one place in these formats where
longitude stands first. A feature without a geometry is a notice without a place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tocsin.agreement.notices.formats.entry import MAX_ENTRIES, Entry, text_of, too_many
from tocsin.canon import parse_json
from tocsin.errors import Place, SettingError

WGS84_NAMES = frozenset({"urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "EPSG:4326", "CRS84"})
"""What a `crs` member of GeoJSON 2008 may name."""

_GEOMETRY_KEYS = ("route", "area", "around")
_KINDS = ("LineString", "Polygon", "Point")
_LENGTHS = {"LineString": "half_width", "Point": "radius"}
"""The property that belongs to each kind of geometry; beside another it is a key that nobody reads, and refused."""


def read_geojson(raw: bytes, name: str) -> Iterator[Entry]:
    """Yield the features of a GeoJSON file as entries.

    Raises
    ------
    SettingError
        If the text is no strict JSON, no FeatureCollection or Feature, or of another coordinate system.
    """
    try:
        document = parse_json(text_of(raw, name))
    except ValueError as error:
        raise SettingError(f"no strict JSON ({error})", expected="GeoJSON", place=Place(name)) from error
    features = _features(document, name)
    if len(features) > MAX_ENTRIES:
        raise too_many(name)
    for at, feature in enumerate(features):
        value: object
        try:
            value = _notice(feature)
        except ValueError as error:
            value = error
        yield Entry(place=Place(name, path=f"features[{at}]"), value=value, text=ascii(feature))


def _features(document: Any, name: str) -> list[Any]:
    told = document if isinstance(document, dict) else {}
    crs = told.get("crs")
    if crs is not None:
        properties = crs.get("properties") if isinstance(crs, dict) else None
        named = properties.get("name") if isinstance(properties, dict) else crs
        if named not in WGS84_NAMES:
            found = f"coordinate system {str(named)[:60]!r}"
            raise SettingError(found, expected="WGS84, longitude first", place=Place(name))
    if told.get("type") == "FeatureCollection" and isinstance(told.get("features"), list):
        return list(told["features"])
    if told.get("type") == "Feature":
        return [told]
    raise SettingError("no FeatureCollection", expected="GeoJSON with a list of features", place=Place(name))


def _notice(feature: Any) -> dict[str, Any]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise ValueError("expected a Feature")
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        raise ValueError("properties: expected the keys of a notice")
    drawn = [key for key in _GEOMETRY_KEYS if key in properties]
    if drawn:
        raise ValueError(f"{drawn[0]}: expected it as the feature's geometry")
    geometry = feature.get("geometry")
    length = _LENGTHS.get(str(geometry.get("type"))) if isinstance(geometry, dict) else None
    told = {key: value for key, value in properties.items() if value is not None and key != length}
    if "id" in feature and "reference" not in told:
        told["reference"] = str(feature["id"])
    return told | _place(geometry, properties)


def _place(geometry: Any, properties: dict[str, Any]) -> dict[str, Any]:
    if geometry is None:
        return {}
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if kind not in _KINDS or not isinstance(coordinates, list):
        raise ValueError(f"geometry: found {kind!r}, expected {', '.join(_KINDS)}")
    if kind == "Point":
        around: dict[str, Any] = _position(coordinates)
        return {"around": around | _length(properties, "radius")}
    if kind == "LineString":
        return {"route": {"line": [_position(p) for p in coordinates]} | _length(properties, "half_width")}
    if len(coordinates) != 1 or not isinstance(coordinates[0], list):
        raise ValueError(f"geometry: found a Polygon of {len(coordinates)} rings, expected one ring")
    return {"area": {"ring": [_position(p) for p in coordinates[0]]}}


def _length(properties: dict[str, Any], key: str) -> dict[str, Any]:
    return {key: properties[key]} if key in properties else {}


def _position(told: Any) -> dict[str, Any]:
    if not isinstance(told, list) or not 2 <= len(told) <= 3 or not all(type(n) in (int, float) for n in told):
        raise ValueError(f"geometry: found position {ascii(told)[:60]}, expected [longitude, latitude]")
    return {"lat_deg": float(told[1]), "lon_deg": float(told[0])}
