"""An entry: one thing in a file of notices before it is judged, and how the readers refuse a whole file."""

from __future__ import annotations

from msgspec import Struct

from tocsin.agreement.notices.formats.door import Sort
from tocsin.errors import Place, SettingError

MAX_ENTRIES = 200_000
"""Entries of one file (P11)."""


class Entry(Struct, frozen=True, kw_only=True):
    """One entry.

    Attributes
    ----------
    place : Place
    sort : Sort
        What it is meant to be, by where it stands.
    value : JSON value or ValueError
        The object, or why there is none.
    text : str
        What stands there, for the one who corrects it.
    """

    place: Place
    sort: Sort = Sort.NOTICE
    value: object
    text: str


def text_of(raw: bytes, name: str) -> str:
    """Return a file's text.

    Raises
    ------
    SettingError
        If it is not UTF-8.
    """
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{raw[error.start]:02x}"
        raise SettingError(found, expected="UTF-8 text", place=Place(name, line)) from error


def too_many(name: str) -> SettingError:
    """Return the refusal of a file with more than `MAX_ENTRIES` entries."""
    return SettingError(f"more than {MAX_ENTRIES:,} entries", expected="fewer in one file", place=Place(name))
