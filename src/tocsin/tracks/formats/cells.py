"""Cells into reports: whole columns of raw cells, checked, converted and told apart, by a column map.

Shared by the readers of rows (CSV, Parquet) and of features (GeoJSON), so that every format refuses and flags
alike. Missing numbers become NaN; where the map says so, AIS's words for not available do as well (ITU-R M.1371-5,
Annex 8). When most rows fail in one way that means that the map is wrong, not the rows (latitude and
longitude swapped, no zone, decimal commas), the file is refused with that hint. No Python runs per sound row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.errors import Place, ReportError
from tocsin.tracks import category
from tocsin.tracks.formats.columns import FIELDS, UNITS, Column, ColumnMap
from tocsin.tracks.formats.part import NO_FLAGS, NO_REJECTS, Part, coded
from tocsin.tracks.formats.times import CODE, NONE, REASONS, read_times
from tocsin.tracks.identity import MAX_ID_CHARS, IdPrefix, normal_id
from tocsin.tracks.quality import FLAG_SCHEMA, Flag, Reject, RejectReason, reject_table
from tocsin.tracks.report import CODED_SCHEMA, FLOAT32_COLUMNS, INSTANT

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Raw = Callable[[NDArray[np.int64]], list[str]]

SPEED_ABSENT = 102.3
"""Speed over ground that AIS sends for "not available", in knots."""
COURSE_ABSENT = 360.0
HEADING_ABSENT = 511.0
MOST = 0.5
"""Share of a part's rows above which a failure that they share is the map's and not theirs."""
MAX_SPEED_MPS = 12_000.0
"""Above it (orbital speed is 7,800 m/s) a speed is a fault of the source, not a fast mover."""
MAX_ALT_M = 1_000_000.0

_ABSENT = {"cog": COURSE_ABSENT, "heading": HEADING_ABSENT}
_BELOW_360 = np.nextafter(360.0, 0.0)
_USABLE = {
    "alt": (-MAX_ALT_M, MAX_ALT_M),
    "sog": (0.0, MAX_SPEED_MPS),
    "cog": (0.0, _BELOW_360),
    "heading": (0.0, _BELOW_360),
    "accuracy": (0.0, np.finfo(np.float64).max),
}
"""The least and the most that each optional quantity may be."""

_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$"
_COMMA = r"^[+-]?\d+,\d+$"
_MISSING = pa.array(["", "NAN", "NULL", "NONE", "NA", "N/A", "\\N", "-"])


class Cells(Struct, frozen=True, kw_only=True):
    """Raw columns of one piece of a file.

    Attributes
    ----------
    columns : mapping of str to Array
        By the words of `columns.FIELDS`; all of length n.
    line : ndarray, shape (n,), int64
        Where each row stands in the file, from 1.
    raw : callable
        Returns the raw text of the rows at some indices.
    """

    columns: Mapping[str, pa.Array]
    line: NDArray[np.int64]
    raw: Raw


def read_cells(
    cells: Cells, rules: ColumnMap, found: Mapping[str, Column], *, file: str, feed: str, judge_map: bool = True
) -> Part:
    """Return the reports, rejects and flags of some cells.

    Parameters
    ----------
    cells : Cells
    rules : ColumnMap
    found : mapping of str to Column
        The columns that the file has, as `rules.resolve` returned them.
    file, feed : str
        The file's name; the feed of rows that name none.
    judge_map : bool
        False where the map is the format's own and cannot be wrong.

    Raises
    ------
    ReportError
        If most rows fail in a way that means a wrong map.
    """
    n = len(cells.line)
    lat, lon = _axis(cells.columns["lat"]), _axis(cells.columns["lon"])
    times = read_times(_text(cells.columns["time"]), rules)
    ids, id_reason = _ids(cells.columns["id"], rules)
    reason = position_reasons(lat, lon)
    for after in (times.reason, id_reason):
        if (after != NONE).any():
            reason = np.where(reason == NONE, after, reason)
    sound = reason == NONE
    if judge_map and not sound.all():
        _check_map(cells, lat, lon, times.reason, rules, file)

    flags = _Flags(file=file, line=cells.line)
    columns: dict[str, Any] = {
        "track_id": ids,
        "observed": pa.array(times.us).view(INSTANT),
        "lat_deg": pa.array(lat.without_minus_zero()),
        "lon_deg": pa.array(lon.without_minus_zero()),
    }
    if lat.may_be_zero and lon.may_be_zero:
        flags.add(Flag.NULL_ISLAND, (lat.values == 0) & (lon.values == 0), "")
    for field, cell in cells.columns.items():
        column = FIELDS[field]
        if cell.null_count == n:
            continue
        if column in FLOAT32_COLUMNS:
            columns[column] = _optional(field, cell, found[field].unit, rules, flags)
        elif field == "received":
            received = read_times(_text(cell), rules)
            unusable = (received.reason != NONE) & (received.reason != CODE[RejectReason.NO_TIME])
            flags.add(Flag.BAD_OPTIONAL, unusable, column)
            columns[column] = pa.array(received.us, mask=received.reason != NONE).cast(INSTANT)
        elif field in ("party", "feed"):
            columns[column] = _words(cell, feed if field == "feed" else None)
        elif field == "category":
            columns[column] = _categories(cell, found[field].unit, flags)
    if "feed" not in columns:
        columns["feed"] = coded(np.zeros(n, np.int32), [feed])
    table = pa.table([_column(f, columns, n) for f in CODED_SCHEMA], schema=CODED_SCHEMA)
    if not sound.all():
        table = table.take(pa.array(np.flatnonzero(sound)))
    return Part(read=n, table=table, rejects=_rejects(cells, reason, file), flags=flags.table(sound, columns))


class Axis(NamedTuple):
    """Latitudes or longitudes: NaN where missing, and which cells are no numbers; NaN may be the least and the most."""

    values: Floats
    bad: Bools
    least: float
    most: float

    def is_within(self, limit: float) -> bool:
        """Return True if all values lie within these bounds; False if one is missing."""
        return self.least >= -limit and self.most <= limit

    @property
    def may_be_zero(self) -> bool:
        """False if no value is zero, as is plain from the least and the most."""
        return not (self.least > 0.0 or self.most < 0.0)

    def without_minus_zero(self) -> Floats:
        """Return the values, 0 in the place of -0."""
        return self.values + 0.0 if self.may_be_zero else self.values


def _axis(column: pa.Array) -> Axis:
    values, bad = _floats(column)
    least, most = values.min(initial=np.inf), values.max(initial=-np.inf)
    return Axis(values, bad if least > -np.inf and most < np.inf else bad | np.isinf(values), least, most)


def read_numbers(column: pa.Array) -> tuple[Floats, Bools]:
    """Return a column as float64, NaN where missing, and which cells are no numbers (infinities among them)."""
    values, bad = _floats(column)
    return values, bad | np.isinf(values)


def _floats(column: pa.Array) -> tuple[Floats, Bools]:
    """Return a column as float64, NaN where missing, and which cells cannot be read as one."""
    bad = np.zeros(len(column), bool)
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        column, bad = _parsed(_text(column))
    elif pa.types.is_decimal(column.type) or pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        column = column.cast(pa.float64(), safe=False)
    else:
        return np.full(len(column), np.nan), ~column.is_null().to_numpy(zero_copy_only=False)
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float64), bad


def position_reasons(lat: Axis, lon: Axis) -> NDArray[np.int8]:
    """Return why each position is none: code of a reason, or `NONE`."""
    bad, lats, lons = lat.bad | lon.bad, lat.values, lon.values
    if lat.is_within(90.0) and lon.is_within(180.0) and not bad.any():
        return np.full(len(lats), NONE, np.int8)
    absent = np.isnan(lats) | np.isnan(lons) | (lats == 91.0) | (lons == 181.0)
    conditions = [bad, absent, np.abs(lats) > 90.0, np.abs(lons) > 180.0]
    reasons = [
        CODE[RejectReason.BAD_NUMBER],
        CODE[RejectReason.NOT_A_POSITION],
        CODE[RejectReason.BAD_LATITUDE],
        CODE[RejectReason.BAD_LONGITUDE],
    ]
    return np.select(conditions, reasons, NONE).astype(np.int8)


def optional_floats(field: str, values: Floats, *, m1371: bool) -> tuple[Floats, Bools]:
    """Return the usable values of an optional quantity, NaN elsewhere, and which were given but not usable.

    Parameters
    ----------
    field : str
        `alt`, `sog`, `cog`, `heading` or `accuracy`.
    values : ndarray, shape (n,), float64
        Metres, m/s or degrees.
    m1371 : bool
        True if course 360° means not available, and not north.
    """
    if m1371 and field in _ABSENT:
        values = np.where(values == _ABSENT[field], np.nan, values)
    if _are_usable(field, values):
        return values, np.zeros(len(values), np.bool_)
    if field in ("cog", "heading"):
        values = np.where(values == 360.0, 0.0, values)
    least, most = _USABLE[field]
    bad = ~((values >= least) & (values <= most)) & ~np.isnan(values)
    return np.where(bad, np.nan, values), bad


def _are_usable(field: str, values: NDArray[np.floating[Any]]) -> bool:
    """Return True if all values that are given lie within the bounds of their quantity."""
    least, most = _USABLE[field]
    return bool(np.fmin.reduce(values, initial=least) >= least and np.fmax.reduce(values, initial=least) <= most)


class _Flags:
    """Flags of one part, as masks over its rows."""

    def __init__(self, *, file: str, line: NDArray[np.int64]) -> None:
        self._file = file
        self._line = line
        self._masks: list[tuple[Flag, Bools, str]] = []

    def add(self, flag: Flag, mask: Bools, detail: str) -> None:
        """Flag the rows of a mask, all of the file's rows long."""
        if mask.any():
            self._masks.append((flag, mask, detail))

    def table(self, keep: Bools, columns: Mapping[str, pa.Array]) -> pa.Table:
        """Return the flags of the rows that are kept, as rows of the table of flags."""
        pieces = []
        for flag, mask, detail in self._masks:
            rows = np.flatnonzero(mask & keep)
            at, n = pa.array(rows), len(rows)
            texts = [pa.repeat(pa.scalar(text, pa.string()), n) for text in (self._file, flag.value, detail)]
            arrays = [
                texts[0], pa.array(self._line[rows]), texts[1],
                columns["track_id"].take(at).cast(pa.string()), columns["observed"].take(at), texts[2],
            ]  # fmt: skip
            pieces.append(pa.table(arrays, schema=FLAG_SCHEMA))
        return pa.concat_tables([NO_FLAGS, *pieces]) if pieces else NO_FLAGS


def _ids(column: pa.Array, rules: ColumnMap) -> tuple[pa.DictionaryArray, NDArray[np.int8]]:
    encoded = column.dictionary_encode()
    spelling, reasons = _ids_of(_Listed(encoded.dictionary), rules.prefix)
    texts = _respelled(encoded, spelling)
    if not texts.null_count:
        return texts, np.full(len(texts), NONE, np.int8)
    return texts, reasons[_places(encoded)]


class _Listed:
    """Some words, as what is known of them is kept by: equal to others of the same type that are the same."""

    def __init__(self, words: pa.Array) -> None:
        self.words = words

    def __hash__(self) -> int:
        return len(self.words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Listed) and bool(self.words.equals(other.words))


class _Spelling(NamedTuple):
    """What is written for each of some words: its place in a list, the last for a missing word; -1 for nothing."""

    written: pa.Array
    places: NDArray[np.int32]
    is_as_read: bool


@lru_cache(maxsize=1)
def _ids_of(listed: _Listed, prefix: IdPrefix | None) -> tuple[_Spelling, NDArray[np.int8]]:
    """Return the identity that each of some cells is, and why it is none: piece after piece has the same cells."""
    found = [_id(cell, prefix) for cell in listed.words.to_pylist()]
    reasons = np.array([*(reason for _, reason in found), CODE[RejectReason.NO_IDENTITY]], np.int8)
    return _spelling([text for text, _ in found]), reasons


def _spelling(words: Sequence[str | None], absent: str | None = None) -> _Spelling:
    """Return how to write these words; `absent`, or nothing, where there is none."""
    told = [*(absent if word is None else word for word in words), absent]
    codes = {word: code for code, word in enumerate(dict.fromkeys(word for word in told if word is not None))}
    places = np.array([-1 if word is None else codes[word] for word in told], np.int32)
    is_as_read = len(codes) == len(words) and bool((places[:-1] == np.arange(len(words))).all())
    return _Spelling(pa.array([*codes], pa.string()), places, is_as_read)


def _respelled(encoded: pa.DictionaryArray, spelling: _Spelling) -> pa.DictionaryArray:
    """Return cells as their words are to be written."""
    if spelling.is_as_read and not encoded.indices.null_count:
        codes = encoded.indices.cast(pa.int32())
        is_safe = codes.to_numpy().view(np.uint32).max(initial=0) < len(spelling.written)  # in a tenth of Arrow's time
        return pa.DictionaryArray.from_arrays(codes, spelling.written, safe=not is_safe)
    return coded(spelling.places[_places(encoded)], spelling.written)


def _places(encoded: pa.DictionaryArray) -> NDArray[np.int32]:
    """Return the place of each row's cell in the dictionary, -1 where there is none."""
    places = encoded.indices.cast(pa.int32())
    return np.asarray((places.fill_null(-1) if places.null_count else places).to_numpy())


@lru_cache(maxsize=2**16, typed=True)
def _id(cell: object, prefix: IdPrefix | None) -> tuple[str | None, int]:
    """Return the identity that a cell is, or why it is none; another list often has the same cells."""
    text = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell
    if not isinstance(text, str):
        text = str(int(text)) if isinstance(text, float) and text.is_integer() else str(text)
    elif "\ufffd" in text:
        return None, CODE[RejectReason.BAD_TEXT]
    found = normal_id(text, prefix)
    if found is None:
        return None, CODE[RejectReason.BAD_IDENTITY if text.strip() else RejectReason.NO_IDENTITY]
    return found, NONE


def _optional(field: str, cell: pa.Array, unit: str | None, rules: ColumnMap, flags: _Flags) -> pa.Array:
    m1371, factor = rules.absent == "m1371", UNITS[field][unit] if unit else 1.0
    is_plain = pa.types.is_float32(cell.type) and not cell.null_count and factor == 1.0 and not m1371
    if is_plain and np.isnan(np.fmax.reduce(cell.to_numpy(), initial=np.nan)):
        return _unsaid(cell.type, len(cell))  # and what was decoded may go
    if is_plain and _are_usable(field, cell.to_numpy()):
        return cell
    values, bad = read_numbers(cell)
    if m1371 and field == "sog":
        values = np.where(np.isclose(values, SPEED_ABSENT, rtol=0, atol=0.001), np.nan, values)
    values, unusable = optional_floats(field, values * factor if factor != 1.0 else values, m1371=m1371)
    flags.add(Flag.BAD_OPTIONAL, bad | unusable, FIELDS[field])
    return pa.array(values.astype(np.float32))


def _words(column: pa.Array, absent: str | None) -> pa.DictionaryArray:
    encoded = column.dictionary_encode()
    words = [_word(cell) for cell in encoded.dictionary.to_pylist()]
    is_said = not encoded.indices.null_count and None not in words
    return _respelled(encoded, _spelling(words, None if is_said else absent))


def _word(cell: object) -> str | None:
    text = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
    return text.strip()[:MAX_ID_CHARS] or None


def _categories(column: pa.Array, unit: str | None, flags: _Flags) -> pa.DictionaryArray:
    encoded = column.dictionary_encode()
    kinds: list[str | None] = []
    unknown: list[bool] = []
    for cell in encoded.dictionary.to_pylist():
        word = _word(cell)
        if word is None or "_".join(word.lower().split()) in category.UNSAID:
            kind, said = None, False
        elif unit == "ship_type":
            digits = word.removesuffix(".0")
            kind, said = category.of_ship_type(int(digits)) if digits.isascii() and digits.isdigit() else None, False
        else:
            kind, said = category.of_word(word), True
        kinds.append(kind)
        unknown.append(said and kind is None)
    if any(unknown):
        flags.add(Flag.UNKNOWN_CATEGORY, np.array([*unknown, False])[_places(encoded)], "category")
    return _respelled(encoded, _spelling(kinds))


def _parsed(text: pa.Array) -> tuple[pa.Array, Bools]:
    empty = pc.equal(text, "")
    try:
        # The usual column: plain numbers, or nothing. The cast reads nan and inf as such, and refuses the rest.
        return pc.cast(pc.if_else(empty, None, text), pa.float64()), np.zeros(len(text), bool)
    except pa.ArrowInvalid:
        plain = pc.utf8_trim_whitespace(text)
    sound = pc.fill_null(pc.match_substring_regex(plain, _NUMBER), False)
    missing = pc.fill_null(pc.is_in(pc.utf8_upper(plain), value_set=_MISSING), True)
    bad = pc.invert(pc.or_(sound, missing)).to_numpy(zero_copy_only=False)
    return pc.cast(pc.if_else(sound, plain, None), pa.float64()), bad


def _text(column: pa.Array) -> pa.Array:
    if not pa.types.is_binary(column.type):
        return column
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        # Bytes that are no UTF-8 match no pattern of a number or a time, and are refused as such.
        options = pc.CastOptions(target_type=pa.string(), allow_invalid_utf8=True)
        return pc.cast(column, options=options)


def _column(field: pa.Field, columns: Mapping[str, pa.Array], n: int) -> pa.Array:
    return columns[field.name] if field.name in columns else _unsaid(field.type, n)


@lru_cache(maxsize=16)
def _unsaid(kind: pa.DataType, n: int) -> pa.Array:
    """Return a column that says nothing; the pieces of a file share one, as it is never written to."""
    return pa.array(np.full(n, np.nan, np.float32)) if pa.types.is_floating(kind) else pa.nulls(n, kind)


def _check_map(
    cells: Cells, latitude: Axis, longitude: Axis, when: NDArray[np.int8], rules: ColumnMap, file: str
) -> None:
    lat, lon, lat_bad = latitude.values, longitude.values, latitude.bad
    swapped = (np.abs(lat) > 90.0) & (lat != 91.0) & (np.abs(lat) <= 180.0) & (np.abs(lon) <= 90.0)
    if swapped.sum() > MOST * np.count_nonzero(~np.isnan(lat)):
        k = int(np.argmax(swapped))
        raise ReportError(
            f"latitude {lat[k]:g} and longitude {lon[k]:g}",
            expected=f"latitudes within ±90: are lat={rules.columns['lat'].name} and lon={rules.columns['lon'].name} "
            "swapped?",
            place=Place(file, int(cells.line[k])),
        )
    naive = when == CODE[RejectReason.NAIVE_TIME]
    if naive.sum() > MOST * len(naive):
        k = int(np.argmax(naive))
        raise ReportError(
            f"the time {_shown(cells.columns['time'][k])!r} without a zone",
            expected="an offset or Z, or a map that states the zone, such as zone=UTC",
            place=Place(file, int(cells.line[k])),
        )
    if lat_bad.sum() > MOST * len(lat_bad):
        comma = pc.match_substring_regex(_text(cells.columns["lat"]), _COMMA)
        if pc.any(comma).as_py():
            k = comma.index(True).as_py()
            raise ReportError(
                f"the latitude {_shown(cells.columns['lat'][k])!r}",
                expected="a decimal point",
                place=Place(file, int(cells.line[k])),
            )


def _rejects(cells: Cells, reason: NDArray[np.int8], file: str) -> pa.Table:
    at = np.flatnonzero(reason != NONE)
    if not len(at):
        return NO_REJECTS
    raws = cells.raw(at)
    whys = [REASONS[code] for code in reason[at]]
    lines = cells.line[at].tolist()
    return reject_table(
        Reject(file=file, line=line, reason=why, raw=raw, detail=_detail(cells, k, why))
        for k, line, why, raw in zip(at.tolist(), lines, whys, raws, strict=True)
    )


_ABOUT: dict[RejectReason, tuple[str, ...]] = {
    RejectReason.NOT_A_POSITION: ("lat", "lon"),
    RejectReason.BAD_NUMBER: ("lat", "lon"),
    RejectReason.BAD_LATITUDE: ("lat",),
    RejectReason.BAD_LONGITUDE: ("lon",),
    RejectReason.NO_IDENTITY: ("id",),
    RejectReason.BAD_IDENTITY: ("id",),
    RejectReason.BAD_TEXT: ("id",),
}


def _detail(cells: Cells, k: int, reason: RejectReason) -> str:
    fields = _ABOUT.get(reason, ("time",))
    return ", ".join(f"{field} {_shown(cells.columns[field][k])}" for field in fields)


def _shown(cell: pa.Scalar) -> str:
    value = cell.cast(pa.binary()).as_py() if pa.types.is_string(cell.type) else cell.as_py()
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
