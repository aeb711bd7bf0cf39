"""GeoJSON: points with a time, and lines with a time for each place, into reports.

Geometry by RFC 7946 (longitude first, WGS84; a `crs` member naming anything else is refused). A Point takes its time
and identity from its properties, by the column map. A LineString takes them from `coordTimes`, as togeojson writes
it, or from OGC Moving Features JSON (19-045r3): `temporalGeometry` of type MovingPoint, or `datetimes` among the
properties. Numbers in `datetimes` are milliseconds since 1970. Areas and features without times are counted and kept
apart; bounding boxes are ignored, since the coordinates speak for themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct, field
from msgspec.structs import replace

from tocsin.canon import parse_json
from tocsin.errors import Place, ReportError
from tocsin.tracks.formats.cells import Cells, read_cells
from tocsin.tracks.formats.columns import BUILT_IN, Column, ColumnMap
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.stream import Stream, check_text
from tocsin.tracks.quality import Reject, RejectReason, clip, reject_table
from tocsin.units import format_instant

WGS84_NAMES = frozenset({"urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "EPSG:4326", "CRS84"})
"""What a GeoJSON 2008 `crs` member may name. (EPSG:4326 was written for longitude first, whatever it should mean.)"""

_PLACED = ("lat", "lon", "alt")


class _Rows(Struct):
    """Cells gathered from features."""

    words: tuple[str, ...]
    cells: dict[str, list[Any]] = field(default_factory=dict)
    line: list[int] = field(default_factory=list)
    rejects: list[tuple[int, RejectReason, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cells = {word: [] for word in self.words}

    def add(self, number: int, position: Any, time: Any, given: dict[str, Any]) -> None:
        """Add one position of a feature."""
        place = _numbers(position)
        if place is None:
            self.refuse(number, RejectReason.NOT_A_POSITION, position)
            return
        row = {**given, "lon": place[0], "lat": place[1], "alt": place[2], "time": time}
        for word, column in self.cells.items():
            column.append(row.get(word))
        self.line.append(number)

    def refuse(self, number: int, reason: RejectReason, what: Any) -> None:
        """Add a reject."""
        try:
            raw = clip(str(what))
        except RecursionError:
            raw = "nested too deeply to show"
        self.rejects.append((number, reason, raw))


def read_geojson(stream: Stream, columns: ColumnMap | None, *, feed: str) -> Iterator[Part]:
    """Yield a GeoJSON file as one part; a record is a position, or a feature that has none.

    Parameters
    ----------
    stream : Stream
    columns : ColumnMap or None
        Which property is which; its `lat`, `lon` and `alt` are not used, the geometry gives them. None takes
        properties with the names of the report's columns.
    feed : str
        The feed of reports that name none.

    Raises
    ------
    ReportError
        For text that is not strict JSON or no GeoJSON, or another coordinate system.
    """
    data = stream.whole()
    text = data[len(check_text(data[:65_536], stream.place)) :]
    try:
        document = parse_json(text.decode("utf-8"))
    except ValueError as error:
        raise ReportError(f"no strict JSON ({error})", expected="a GeoJSON document", place=stream.place) from error
    rules = columns or BUILT_IN["tocsin"]
    rows = _Rows((*rules.columns, *(() if "alt" in rules.columns else ("alt",))))
    for number, feature in enumerate(_features(document, stream.place), start=1):
        _read_feature(feature, number, rules, rows)
    yield _part(rows, rules, file=stream.name, feed=feed)


def _features(document: Any, place: Place) -> list[Any]:
    if not isinstance(document, dict):
        raise ReportError(f"a JSON {type(document).__name__}", expected="a GeoJSON object", place=place)
    crs = document.get("crs")
    if crs is not None:
        name = crs.get("properties", {}).get("name") if isinstance(crs, dict) else crs
        if name not in WGS84_NAMES:
            raise ReportError(f"coordinate system {name}", expected="WGS84 longitude and latitude", place=place)
    if document.get("type") == "FeatureCollection" and isinstance(document.get("features"), list):
        return list(document["features"])
    if document.get("type") == "Feature":
        return [document]
    raise ReportError(
        f"an object of type {document.get('type')!r}", expected="a FeatureCollection or a Feature", place=place
    )


def _read_feature(feature: Any, number: int, rules: ColumnMap, rows: _Rows) -> None:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        rows.refuse(number, RejectReason.UNPARSABLE, feature)
        return
    properties = feature.get("properties") or {}
    moving = feature.get("temporalGeometry")
    geometry = moving if isinstance(moving, dict) else feature.get("geometry")
    if not isinstance(properties, dict) or not isinstance(geometry, dict):
        rows.refuse(number, RejectReason.NOT_A_TRACK, feature)
        return
    given = {w: _cell(properties.get(c.name)) for w, c in rules.columns.items() if w not in (*_PLACED, "time")}
    if given.get("id") is None:
        given["id"] = _cell(feature.get("id"))
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point":
        rows.add(number, coordinates, _cell(properties.get(rules.columns["time"].name)), given)
        return
    lines = _timed_lines(kind, coordinates, _times(properties, geometry))
    if lines is None:
        rows.refuse(number, RejectReason.NOT_A_TRACK, feature)
        return
    for positions, times in lines:
        for k, position in enumerate(positions):
            # A place beyond the end of the times has none, and is refused as such; a time without a place is no record.
            rows.add(number, position, _instant(times[k], rules.format) if k < len(times) else None, given)


def _times(properties: dict[str, Any], geometry: dict[str, Any]) -> Any:
    nested = properties.get("coordinateProperties")
    by_coordinate = nested.get("times") if isinstance(nested, dict) else None
    for times in (geometry.get("datetimes"), properties.get("datetimes"), properties.get("coordTimes"), by_coordinate):
        if times is not None:
            return times
    return None


def _timed_lines(kind: Any, coordinates: Any, times: Any) -> list[tuple[list[Any], list[Any]]] | None:
    if not isinstance(times, list) or not isinstance(coordinates, list):
        return None
    if kind in ("LineString", "MovingPoint"):
        return [(coordinates, times)]
    pairs = list(zip(coordinates, times, strict=False))
    if kind == "MultiLineString" and all(isinstance(x, list) for pair in pairs for x in pair):
        return [*pairs, *((rest, []) for rest in coordinates[len(pairs) :] if isinstance(rest, list))]
    return None


def _part(rows: _Rows, rules: ColumnMap, *, file: str, feed: str) -> Part:
    # The geometry's numbers are metres and degrees whatever the map says of columns.
    found = {**rules.columns, "alt": Column(name="coordinates", unit="m")}
    cells = {word: _array(word, column) for word, column in rows.cells.items()}
    present = {
        word: cell for word, cell in cells.items() if word in ("id", "time", *_PLACED) or cell.null_count < len(cell)
    }

    def raw(at: Any) -> list[str]:
        return [clip(str({w: rows.cells[w][k] for w in present})) for k in at]

    read = read_cells(
        Cells(columns=present, line=np.array(rows.line, np.int64), raw=raw),
        replace(rules, columns=found),
        found,
        file=file,
        feed=feed,
    )
    own = reject_table(Reject(file=file, line=n, reason=why, raw=raw_text) for n, why, raw_text in rows.rejects)
    return Part(
        read=len(rows.line) + len(rows.rejects),
        table=read.table,
        rejects=pa.concat_tables([read.rejects, own]).sort_by("line"),
        flags=read.flags,
    )


def _array(word: str, column: list[Any]) -> pa.Array:
    if word in _PLACED:
        return pa.array(column, pa.float64())
    return pa.array(column, pa.string())


def _numbers(position: Any) -> tuple[float, float, float] | None:
    if not isinstance(position, list) or len(position) < 2:
        return None
    numbers = [float(p) if isinstance(p, int | float) and not isinstance(p, bool) else None for p in position[:3]]
    if numbers[0] is None or numbers[1] is None:
        return None
    height = numbers[2] if len(numbers) > 2 else None
    return numbers[0], numbers[1], float("nan") if height is None else height


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, dict | list | bool):
        return None
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return text.encode("utf-8", "backslashreplace").decode()


def _instant(value: Any, form: str) -> str | None:
    # Moving Features: a number is milliseconds since 1970.
    if form == "iso" and isinstance(value, int | float) and not isinstance(value, bool):
        return format_instant(round(value * 1_000)) if abs(value) < 4e12 else str(value)
    return _cell(value)
