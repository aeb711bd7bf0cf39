"""The column map: which column of a file is which, in which unit, zone and register. Stated, never guessed.

A map is written in one line (`id=MMSI,time=BaseDateTime,lat=LAT,lon=LON,sog=SOG[kn],zone=UTC`), in a YAML file,
or is one of `BUILT_IN`. A file is recognised without one only if it has exactly the columns that a built-in map
names. Quantities need their unit (house rule 6); degrees are degrees. Nothing here reads a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from os import PathLike
from pathlib import Path
from zoneinfo import available_timezones

import yaml
from msgspec import Struct
from msgspec.structs import replace

from tocsin.errors import Place, ReportError
from tocsin.tracks.identity import IdPrefix
from tocsin.units import METRES, METRES_PER_SECOND

FIELDS: dict[str, str] = {
    "id": "track_id",
    "time": "observed",
    "received": "received",
    "lat": "lat_deg",
    "lon": "lon_deg",
    "alt": "alt_m",
    "sog": "speed_mps",
    "cog": "course_deg",
    "heading": "heading_deg",
    "accuracy": "accuracy_m",
    "feed": "feed",
    "party": "party",
    "category": "category",
}
"""What a map may name, and the report's column that it fills. Words of ITU-R M.1371 where it has one."""

REQUIRED = ("id", "time", "lat", "lon")
"""What a map must name."""

UNITS: dict[str, Mapping[str, float]] = {
    "alt": METRES,
    "accuracy": METRES,
    "sog": METRES_PER_SECOND,
    "category": {"word": 1.0, "ship_type": 1.0},
}
"""What may, and for the first three must, stand in the brackets after a column: the unit, or the list of codes."""

OPTIONS = ("prefix", "zone", "format", "absent")
"""What a map may say of the whole file; see the attributes of `ColumnMap`."""

TIME_WORDS = ("iso", "epoch_s", "epoch_ms")
"""Time formats with a name; any other is a strptime pattern, which must hold a %."""

MAX_MAP_BYTES = 65_536
"""Bytes of a YAML map (P11)."""

_COLUMN = re.compile(r"(?P<name>.+?)(?:\[(?P<unit>[^\[\]]+)\])?")


class Column(Struct, frozen=True, kw_only=True):
    """One column: its name in the file, and its unit or list of codes where it has one."""

    name: str
    unit: str | None = None


class ColumnMap(Struct, frozen=True, kw_only=True):
    """Which column is which.

    Attributes
    ----------
    name : str
        For messages: a built-in name, a file, or "the stated map".
    columns : mapping of str to Column
        By the words of `FIELDS`; those of `REQUIRED` are present.
    prefix : IdPrefix or None
        Register of identities that carry no prefix of their own; None means `dev`.
    zone : str or None
        IANA zone of times that have none; None refuses such times.
    format : str
        One of `TIME_WORDS`, or a strptime pattern.
    absent : str or None
        "m1371": speed 102.3 kn, course 360° and heading 511° mean not available, as in AIS.
    lenient : bool
        True for built-in maps: an optional column that the file lacks is no error.
    """

    name: str
    columns: Mapping[str, Column]
    prefix: IdPrefix | None = None
    zone: str | None = None
    format: str = "iso"
    absent: str | None = None
    lenient: bool = False

    def resolve(self, header: Iterable[str], place: Place) -> dict[str, Column]:
        """Return the columns that the file has.

        Raises
        ------
        ReportError
            If a column is missing that must be there, or stands twice in the header.
        """
        names = list(header)
        found = {}
        for field, column in self.columns.items():
            times = names.count(column.name)
            if times > 1:
                raise ReportError(f"column {column.name!r} {times} times", expected="it once", place=place)
            if times:
                found[field] = column
            elif field in REQUIRED or not self.lenient:
                raise ReportError(
                    f"no column {column.name!r} (for {field}) among {_listed(names)}",
                    expected=f"the columns of {self.name}",
                    place=place,
                )
        return found


def load_columns(text: str | PathLike[str]) -> ColumnMap:
    """Return a column map from its one-line form, the name of a built-in map, or the path of a YAML file.

    Raises
    ------
    ReportError
        For an unknown word, a missing unit or column, or a file that cannot be read as a map.

    Examples
    --------
    >>> load_columns("id=MMSI,time=T,lat=LAT,lon=LON,sog=SOG[kn],prefix=mmsi,zone=UTC").columns["sog"]
    Column(name='SOG', unit='kn')
    >>> load_columns("id=MMSI,time=T,lat=LAT,lon=LON,sog=SOG")
    Traceback (most recent call last):
    ...
    tocsin.errors.ReportError: the stated columns: found sog=SOG without a unit, expected a unit, such as sog=SOG[m/s]
    """
    if isinstance(text, str) and text in BUILT_IN:
        return BUILT_IN[text]
    if isinstance(text, str) and "=" in text:
        place = Place("the stated columns")
        pairs = [pair.partition("=") for pair in text.split(",")]
        given = {key.strip(): value.strip() for key, _, value in pairs}
        if len(given) < len(pairs):
            raise ReportError("a word twice", expected="each once", place=place)
        return parse_columns(given, name="the stated columns", place=place)
    path = Path(text)
    place = Place(str(text))
    if path.suffix not in (".yaml", ".yml"):
        raise ReportError(
            repr(str(text)),
            expected=f"columns as id=…,time=…, a .yaml file, or one of {', '.join(BUILT_IN)}",
            place=place,
        )
    return parse_columns(_load_yaml(path, place), name=str(text), place=place)


def parse_columns(given: Mapping[str, str], *, name: str, place: Place) -> ColumnMap:
    """Return the map that these words state; keys are those of `FIELDS` and `OPTIONS`.

    Raises
    ------
    ReportError
        For an unknown word, a missing unit or a missing column.
    """
    unknown = [key for key in given if key not in FIELDS and key not in OPTIONS]
    if unknown:
        raise ReportError(unknown[0], expected=f"one of {', '.join((*FIELDS, *OPTIONS))}", place=place)
    columns = {key: _column(key, value, place) for key, value in given.items() if key in FIELDS}
    missing = [key for key in REQUIRED if key not in columns]
    if missing:
        raise ReportError(f"no column for {missing[0]}", expected=f"columns for {', '.join(REQUIRED)}", place=place)
    prefix, zone, absent = given.get("prefix"), given.get("zone"), given.get("absent")
    form = given.get("format", "iso")
    if prefix is not None and prefix not in list(IdPrefix):
        raise ReportError(f"prefix {prefix}", expected=f"one of {', '.join(IdPrefix)}", place=place)
    if zone not in (None, "UTC") and zone not in available_timezones():
        raise ReportError(f"zone {zone}", expected="an IANA zone, such as UTC or Europe/Kyiv", place=place)
    if absent not in (None, "m1371"):
        raise ReportError(f"absent {absent}", expected="m1371", place=place)
    if form not in TIME_WORDS and "%" not in form:
        raise ReportError(f"format {form}", expected=f"{', '.join(TIME_WORDS)} or a pattern with %", place=place)
    return ColumnMap(
        name=name, columns=columns, prefix=IdPrefix(prefix) if prefix else None, zone=zone, format=form, absent=absent
    )


def recognise(header: Iterable[str], place: Place) -> ColumnMap:
    """Return the built-in map whose columns the header has, spelled exactly so.

    Raises
    ------
    ReportError
        If no built-in map fits, or more than one.
    """
    names = set(header)
    fitting = [m for m in BUILT_IN.values() if all(m.columns[f].name in names for f in REQUIRED)]
    if len(fitting) != 1:
        raise ReportError(
            f"columns {_listed(sorted(names))}"
            + (f", which fit {' and '.join(m.name for m in fitting)}" if fitting else ""),
            expected=f"a stated column map, or the columns of one of {', '.join(BUILT_IN)}",
            place=place,
        )
    return _with_own_units(fitting[0], names) if fitting[0].name == "tocsin" else fitting[0]


def _with_own_units(own: ColumnMap, names: Set[str]) -> ColumnMap:
    # A file with our own names may keep its own unit, as long as the name ends in it: speed_kn, alt_ft.
    columns = dict(own.columns)
    for field, stem, units in (
        ("sog", "speed", {"kn": "kn", "kmh": "km/h"}),
        ("alt", "alt", {"ft": "ft", "km": "km"}),
        ("accuracy", "accuracy", {"km": "km", "ft": "ft"}),
    ):
        for suffix, unit in units.items():
            if columns[field].name not in names and f"{stem}_{suffix}" in names:
                columns[field] = Column(name=f"{stem}_{suffix}", unit=unit)
    return replace(own, columns=columns)


def _column(field: str, value: str, place: Place) -> Column:
    match = _COLUMN.fullmatch(value)
    if match is None:
        raise ReportError(f"{field}={value}", expected=f"the name of a column, such as {field}=NAME", place=place)
    unit, known = match["unit"], UNITS.get(field)
    if known is None or unit not in (None, *known):
        # Brackets that are no unit belong to the name: "Speed [raw]".
        if known is not None and unit is not None:
            raise ReportError(f"unit {unit} of {field}", expected=f"one of {', '.join(known)}", place=place)
        return Column(name=value)
    if unit is None and field != "category":
        first = "m/s" if field == "sog" else "m"
        raise ReportError(
            f"{field}={value} without a unit", expected=f"a unit, such as {field}={value}[{first}]", place=place
        )
    return Column(name=match["name"], unit=unit)


def _load_yaml(path: Path, place: Place) -> dict[str, str]:
    try:
        if path.stat().st_size > MAX_MAP_BYTES:
            raise ReportError(f"{path.stat().st_size} bytes", expected=f"at most {MAX_MAP_BYTES}", place=place)
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ReportError(f"no readable YAML ({error})", expected="a map of words to columns", place=place) from error
    if not isinstance(document, dict) or not all(isinstance(v, str) for kv in document.items() for v in kv):
        raise ReportError("another document", expected="a map of words to texts, such as lat: LAT", place=place)
    return document


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(n[:40]) for n in names[:30])
    return f"{shown} and {len(names) - 30} more" if len(names) > 30 else shown


def _built_in(name: str, text: str) -> ColumnMap:
    made = parse_columns(dict(pair.split("=") for pair in text.split(",")), name=name, place=Place(name))
    return replace(made, lenient=True)


BUILT_IN: dict[str, ColumnMap] = {
    name: _built_in(name, text)
    for name, text in {
        "tocsin": (
            "id=track_id,time=observed,received=received,lat=lat_deg,lon=lon_deg,alt=alt_m[m],sog=speed_mps[m/s],"
            "cog=course_deg,heading=heading_deg,accuracy=accuracy_m[m],feed=feed,party=party,category=category"
        ),
        "tocsin-sample": (
            "id=track_id,time=t,lat=lat,lon=lon,alt=alt_m[m],sog=sog_mps[m/s],cog=cog_deg,feed=source,category=kind"
        ),
        "marinecadastre": (
            "id=MMSI,time=BaseDateTime,lat=LAT,lon=LON,sog=SOG[kn],cog=COG,heading=Heading,"
            "category=VesselType[ship_type],prefix=mmsi,zone=UTC,absent=m1371"
        ),
        "marinecadastre-2025": (
            "id=mmsi,time=base_date_time,lat=latitude,lon=longitude,sog=sog[kn],cog=cog,heading=heading,"
            "category=vessel_type[ship_type],prefix=mmsi,zone=UTC,absent=m1371"
        ),
        "danish-ais": (
            "id=MMSI,time=# Timestamp,lat=Latitude,lon=Longitude,sog=SOG[kn],cog=COG,heading=Heading,"
            "category=Ship type,prefix=mmsi,zone=UTC,absent=m1371,format=%d/%m/%Y %H:%M:%S"
        ),
        "opensky": (
            "id=icao24,time=lastposupdate,lat=lat,lon=lon,alt=geoaltitude[m],sog=velocity[m/s],cog=heading,"
            "prefix=icao24,format=epoch_s"
        ),
        "sbs": (
            "id=hex_ident,time=generated,lat=latitude,lon=longitude,sog=ground_speed[kn],cog=track_angle,"
            "prefix=icao24,zone=UTC,format=%Y/%m/%d %H:%M:%S"
        ),
    }.items()
}
"""Maps for files with a known header; docs/format/reports.md names the publisher of each."""
