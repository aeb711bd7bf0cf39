"""Load an agreement: one YAML file, its zones drawn inside it or in a GeoJSON file beside it.

Implements `tocsin-agreement/1` (docs/format/agreement.md). All that is refused is refused together, in the order of the
file. Loads what a draft may say, complete or not: what is missing or at odds is for `lint.py`, and what cannot be run
is refused by `compile.py`.

References
----------
RFC 7946 (GeoJSON): longitude first, WGS84, ids on features.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tocsin.agreement.model import FORMAT, Agreement, UnknownKey
from tocsin.agreement.source.collector import collector_held
from tocsin.agreement.source.document import MAX_BYTES, Document, blank_state, compose
from tocsin.agreement.source.read import Reader
from tocsin.agreement.terms.places import Feature
from tocsin.agreement.terms.state import given
from tocsin.canon import canonical_bytes, parse_json
from tocsin.errors import AgreementError, AgreementErrors, Place

MAX_GEOJSON_BYTES = 64 << 20
"""Bytes of the GeoJSON file beside an agreement, 64 MiB."""

GEOMETRY_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
"""The kinds of GeoJSON geometry and how many lists stand around one position."""

_WGS84 = ("CRS84", "EPSG::4326", "EPSG:4326")


def load(path: Path | str) -> Agreement:
    """Return the agreement of a file.

    Parameters
    ----------
    path : Path
        The YAML file. Its `geojson:` names a file in the same folder.

    Raises
    ------
    AgreementErrors
        Everything that was refused: found, expected, file and line.
    OSError
        If the file cannot be read.
    """
    path = Path(path)
    try:
        with collector_held():
            return _agreement(compose(_bytes(path, MAX_BYTES), file=str(path)), path.parent)
    except AgreementErrors:
        raise
    except AgreementError as error:
        raise AgreementErrors([error]) from error


def parse(text: str | bytes, *, file: str = "agreement.yaml", folder: Path | None = None) -> Agreement:
    """Return the agreement of a text, as `load` does; without a folder no GeoJSON beside it is read.

    Raises
    ------
    AgreementErrors
        Everything that was refused.
    """
    try:
        with collector_held():
            return _agreement(compose(text.encode() if isinstance(text, str) else text, file=file), folder)
    except AgreementErrors:
        raise
    except AgreementError as error:
        raise AgreementErrors([error]) from error


def _bytes(path: Path, limit: int) -> bytes:
    """Return a file's bytes, read no further than its limit."""
    with path.open("rb") as file:
        read = file.read(limit + 1)
    if len(read) > limit:
        raise AgreementError(f"more than {limit:,} bytes", expected="a shorter file", place=Place(str(path)))
    return read


def _agreement(document: Document, folder: Path | None) -> Agreement:
    told = document.root.value
    name = told["format"].value if isinstance(told, dict) and "format" in told else None
    if name != FORMAT:
        raise AgreementError(f"format {name!r}", expected=f"format: {FORMAT}", place=document.where("format"))
    reader = Reader(document)
    found = reader.fields(Agreement, document.root, "")
    collection, at = _geojson(document, folder, reader)
    by_feature, crs = _features(collection, at, reader)
    if reader.errors:
        raise AgreementErrors(
            sorted(reader.errors, key=lambda e: (e.place.file != document.file, e.place.line, e.place.column))
        )
    site_features: dict[str, str] = {}
    for site in given(found.get("sites")) or ():
        site_features.setdefault(site.id, given(site.feature) or site.id)
    return Agreement(
        **found,
        document=document,
        by_feature=by_feature,
        site_features=site_features,
        crs=crs,
        unknown=tuple(UnknownKey(path=p, key=k, nearest=n) for p, k, n in reader.unknown),
        collection=None if at.path == "features" else collection,
    )


def _geojson(document: Document, folder: Path | None, reader: Reader) -> tuple[Any, Place]:
    """Return the feature collection, inline or from the file beside, and the place it came from."""
    told = document.root.value
    assert isinstance(told, dict)
    if "features" in told:
        return {"type": "FeatureCollection", "features": told["features"].plain()}, document.where("features")
    name = told["geojson"].value if "geojson" in told and blank_state(told["geojson"]) is None else None
    at = document.where("geojson")
    if name is None or folder is None:
        return None, at
    refused = _unfit(name, folder)
    if refused is not None:
        reader.errors.append(AgreementError(refused[0], expected=refused[1], place=at))
        return None, at
    path = folder / str(name)
    try:
        collection = parse_json(_bytes(path, MAX_GEOJSON_BYTES)) or {}
        canonical_bytes(collection)  # what has none could be loaded and not signed
        return collection, Place(str(path))
    except ValueError as error:
        found, expected = f"text that is not JSON ({error})", "GeoJSON (I-JSON, RFC 7493)"
        reader.errors.append(AgreementError(found, expected=expected, place=Place(str(path))))
    return None, at


def _unfit(name: object, folder: Path) -> tuple[str, str] | None:
    """Return what was found that names no file of the folder, and what was expected; None for a name that does."""
    if not isinstance(name, str) or Path(name).name != name or name in (".", ".."):
        return f"geojson {name!r}", "the name of a file in the same folder"
    path = folder / name
    if not path.is_file():
        return f"no file {name}", "it beside the agreement"
    if not path.resolve().is_relative_to(folder.resolve()):
        return f"{name}, which is a link to a file elsewhere", "a file in the same folder"
    return None


def _features(collection: Any, at: Place, reader: Reader) -> tuple[dict[str, Feature], str | None]:
    if collection is None:
        return {}, None
    if not isinstance(collection, dict) or not isinstance(collection.get("features"), list):
        reader.errors.append(
            AgreementError("no FeatureCollection", expected="GeoJSON with a list of features", place=at)
        )
        return {}, None
    crs = collection.get("crs")
    name = None if crs is None else _crs_name(crs)
    found: dict[str, Feature] = {}
    for i, told in enumerate(collection["features"]):
        path = f"features[{i}]"
        place = reader.document.where(path) if at.path == "features" else Place(at.file, at.line, at.column, path)
        try:
            feature = _feature(told, place)
        except AgreementError as error:
            reader.errors.append(error)
            continue
        if feature.id in found:
            reader.errors.append(
                AgreementError(f"feature {feature.id!r} a second time", expected="it once", place=place)
            )
        found[feature.id] = feature
    return found, None if name is None or name.endswith(_WGS84) else name


def _crs_name(crs: Any) -> str:
    """Return the name of a `crs` member (GeoJSON 2008); RFC 7946 has none, and old files do."""
    properties = crs.get("properties") if isinstance(crs, dict) else None
    return str(properties.get("name", crs) if isinstance(properties, dict) else crs)


def _feature(told: Any, place: Place) -> Feature:
    geometry = told.get("geometry") if isinstance(told, dict) else None
    properties = (told.get("properties") or {}) if isinstance(told, dict) else None
    if not isinstance(geometry, dict) or not isinstance(properties, dict):
        raise AgreementError("no Feature with a geometry", expected="GeoJSON Features (RFC 7946 §3.2)", place=place)
    name = told.get("id", properties.get("id"))
    if not isinstance(name, str | int) or isinstance(name, bool):
        raise AgreementError("a feature without id", expected="an id that the agreement can name", place=place)
    kind = geometry.get("type")
    if not isinstance(kind, str) or kind not in GEOMETRY_DEPTH:
        raise AgreementError(f"geometry {kind!r}", expected=f"one of {', '.join(GEOMETRY_DEPTH)}", place=place)
    check_coordinates(geometry.get("coordinates"), GEOMETRY_DEPTH[kind], place)
    return Feature(id=str(name), kind=kind, coordinates=geometry["coordinates"], properties=properties, place=place)


def check_coordinates(told: Any, depth: int, place: Place) -> None:
    """Refuse GeoJSON coordinates that are no positions, or lie off the globe.

    Parameters
    ----------
    told : JSON value
        The `coordinates` member.
    depth : int
        Lists around one position: 0 for a Point, 3 for a MultiPolygon.
    place : Place
        Where they stand.

    Raises
    ------
    AgreementError
        Naming the first position that cannot be used.
    """
    if _are_coordinates(told, depth):
        return
    if depth:
        if not isinstance(told, list) or not told:
            raise AgreementError("coordinates that are no list", expected="lists of positions", place=place)
        for i, member in enumerate(told):
            check_coordinates(member, depth - 1, replace(place, path=f"{place.path}[{i}]"))
        return
    if not isinstance(told, list) or not 2 <= len(told) <= 3 or not all(type(n) in (int, float) for n in told):
        raise AgreementError(f"position {told!r}"[:80], expected="[longitude, latitude] in degrees", place=place)
    lon, lat = told[:2]
    hint = " (longitude stands first: are the two swapped?)" if abs(lat) > 90 >= abs(lon) else ""
    expected = f"longitude within ±180° and latitude within ±90°{hint}"
    raise AgreementError(f"position [{lon}, {lat}]", expected=expected, place=place)


def _are_coordinates(told: Any, depth: int) -> bool:
    """Return True if so many lists stand around positions on the globe."""
    if depth == 0:
        return _are_positions([told])
    if type(told) is not list or not told:
        return False
    return _are_positions(told) if depth == 1 else all(_are_coordinates(member, depth - 1) for member in told)


def _are_positions(told: list[Any]) -> bool:
    """Return True if every member is [longitude, latitude] or has a height too, on the globe."""
    numbers = (int, float)
    for member in told:
        if type(member) is not list or not 2 <= len(member) <= 3:
            return False
        lon, lat = member[0], member[1]
        if type(lon) not in numbers or type(lat) not in numbers or type(member[-1]) not in numbers:
            return False
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            return False
    return True
