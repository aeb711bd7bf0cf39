"""CSV: one notice a row, by RFC 4180; columns by name, as docs/format/notice.md lists them.

Lists in a cell are separated by semicolons; a position is latitude, then longitude, separated by a space. A column
`content.WORD` carries further content. A cell never spans lines, so that one stray quote cannot swallow its neighbours.
A column that nobody would read refuses the file; a bad cell refuses its row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from tocsin.agreement.notices.formats.entry import MAX_ENTRIES, Entry, text_of, too_many
from tocsin.errors import Place, SettingError

_COPIED = ("reference", "rule", "kind", "act", "replaces", "party", "given_by", "given_at", "from", "to", "reason")
_MOVER = ("track", "mover", "category", "marking")
_PLACE = ("route", "half_width", "area", "lat", "lon", "radius")
_OTHER = ("count", "site", "site_name", "consent_to")

COLUMNS = frozenset({*_COPIED, *_MOVER, *_PLACE, *_OTHER})
"""The columns that may stand in a header, beside `content.WORD`."""

REQUIRED = ("party", "given_by", "given_at")

_CONTENT = "content."


def read_csv(raw: bytes, name: str) -> Iterator[Entry]:
    """Yield the rows of a CSV file as entries.

    Raises
    ------
    SettingError
        If the text is not UTF-8, the header has columns that are not known, or a needed one is missing.
    """
    lines = text_of(raw, name).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not numbered:
        raise SettingError("an empty file", expected="a header and rows", place=Place(name))
    if len(numbered) > MAX_ENTRIES:
        raise too_many(name)
    header = _header(numbered[0][1], Place(name, numbered[0][0]))
    for number, line in numbered[1:]:
        value: object
        try:
            value = _row(header, _split(line))
        except (ValueError, csv.Error) as error:
            value = ValueError(str(error))
        yield Entry(place=Place(name, number), value=value, text=line)


def _split(line: str) -> list[str]:
    return next(csv.reader([line], strict=True), [])


def _header(line: str, place: Place) -> list[str]:
    try:
        names = [cell.strip() for cell in _split(line)]
    except csv.Error as error:
        raise SettingError(f"a header that is no CSV ({error})", expected="a header", place=place) from error
    known = ", ".join([*sorted(COLUMNS), f"{_CONTENT}WORD"])
    for column in names:
        if column not in COLUMNS and not (column.startswith(_CONTENT) and len(column) > len(_CONTENT)):
            raise SettingError(f"column {column!r}", expected=f"columns of {known}", place=place)
        if names.count(column) > 1:
            raise SettingError(f"column {column!r} a second time", expected="it once", place=place)
    for column in REQUIRED:
        if column not in names:
            raise SettingError(f"no column {column!r}", expected=f"{', '.join(REQUIRED)} at least", place=place)
    return names


def _row(header: list[str], cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(header):
        raise ValueError(f"found {len(cells)} cells, expected {len(header)}, as the header has")
    return row_value({column: cell.strip() for column, cell in zip(header, cells, strict=True) if cell.strip()})


def row_value(row: dict[str, str]) -> dict[str, Any]:
    """Return the notice of a row as the object that a form holds.

    Parameters
    ----------
    row : dict of str to str
        Cells by column, the empty ones left out.

    Raises
    ------
    ValueError
        For a cell that cannot be read.
    """
    found: dict[str, Any] = {column: row[column] for column in _COPIED if column in row}
    movers = _movers(row)
    if movers:
        found["movers"] = movers
    found |= _place(row)
    if "site" in row or "site_name" in row:
        found["site"] = {key: row[column] for key, column in (("id", "site"), ("name", "site_name")) if column in row}
    content = {column.removeprefix(_CONTENT): cell for column, cell in row.items() if column.startswith(_CONTENT)}
    if content:
        found["content"] = content
    if "consent_to" in row:
        found["consents"] = [
            {"to": to, "by": row.get("given_by", ""), "at": row.get("given_at", "")} for to in _list(row["consent_to"])
        ]
    return found


def _movers(row: dict[str, str]) -> list[dict[str, Any]]:
    tracks, names = _list(row.get("track", "")), _list(row.get("mover", ""))
    shared: dict[str, Any] = {key: row[key] for key in ("category", "marking") if key in row}
    if "count" in row:
        if not row["count"].isascii() or not row["count"].isdigit():
            raise ValueError(f"count: found {row['count']!r}, expected a whole number")
        shared["count"] = int(row["count"])
    n = max(len(tracks), len(names), 1 if shared else 0)
    if len(tracks) > 1 and len(names) > 1 and len(tracks) != len(names):
        raise ValueError(f"found {len(tracks)} tracks and {len(names)} movers, expected as many of both")
    if n > 1 and "count" in shared:
        raise ValueError("found a count beside several movers, expected one of the two")
    movers = []
    for at in range(n):
        one = dict(shared)
        for key, values in (("track", tracks), ("name", names)):
            if len(values) == n or (values and at < len(values)):
                one[key] = values[at]
        movers.append(one)
    return movers


def _place(row: dict[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if "route" in row:
        told["route"] = {"line": _positions(row["route"], "route")}
        if "half_width" in row:
            told["route"]["half_width"] = row["half_width"]
    elif "half_width" in row:
        raise ValueError("found a half_width, expected a route beside it")
    if "area" in row:
        told["area"] = {"ring": _positions(row["area"], "area")}
    if "lat" in row or "lon" in row:
        told["around"] = {key: _number(row[column], column) for key, column in _AROUND if column in row}
        if "radius" in row:
            told["around"]["radius"] = row["radius"]
    elif "radius" in row:
        raise ValueError("found a radius, expected lat and lon beside it")
    return told


_AROUND = (("lat_deg", "lat"), ("lon_deg", "lon"))


def _positions(text: str, column: str) -> list[dict[str, float]]:
    found = []
    for part in _list(text):
        pair = part.split()
        if len(pair) != 2:
            raise ValueError(f'{column}: found {part!r}, expected "latitude longitude; latitude longitude; …"')
        found.append({"lat_deg": _number(pair[0], column), "lon_deg": _number(pair[1], column)})
    return found


def _number(text: str, column: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{column}: found {text!r}, expected degrees") from None


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]
