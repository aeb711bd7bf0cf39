"""Read notices: a file, or a folder of files, each by its format; every entry is accepted or refused with its reason.

read = accepted + refused. A file that as a whole is none of the formats is refused whole, with its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from msgspec import Struct

from tocsin.agreement.notices.formats import cells, drawn, forms
from tocsin.agreement.notices.formats.door import item
from tocsin.agreement.notices.formats.entry import Entry
from tocsin.agreement.notices.notice import Item, Notice
from tocsin.errors import Place, SettingError

MAX_FILE_BYTES = 64 << 20
"""Bytes of one file of notices that are still read, 64 MiB (P11)."""

READERS = {
    ".yaml": forms.read_yaml,
    ".yml": forms.read_yaml,
    ".json": forms.read_json,
    ".jsonl": forms.read_lines,
    ".csv": cells.read_csv,
    ".geojson": drawn.read_geojson,
}
"""The reader of each ending."""

TEXT_SHOWN = 300
"""Characters of a refused entry that are kept."""


class Refused(Struct, frozen=True, kw_only=True):
    """An entry that is no notice, receipt, consent or verification: where it stands, why, and what it said."""

    place: Place
    reason: str
    text: str


class Submissions(Struct, frozen=True, kw_only=True):
    """What files of notices held.

    Attributes
    ----------
    items : tuple of Notice, ReceiptOf, Consent or Verification
        By time; of one instant, notices first, then as they stood in the files.
    refused : tuple of Refused
    read : int
        `len(items) + len(refused)`.
    """

    items: tuple[Item, ...]
    refused: tuple[Refused, ...]
    read: int


def read_notices(path: Path) -> Submissions:
    """Return what a file of notices, or every such file of a folder, holds.

    Parameters
    ----------
    path : Path
        A file by one of the endings of `READERS`, or a folder of them, read in order of name.

    Raises
    ------
    SettingError
        If a file as a whole cannot be read. A single bad entry is kept in `refused` instead.
    """
    files = sorted(p for p in path.iterdir() if p.suffix.lower() in READERS) if path.is_dir() else [path]
    if not files:
        raise SettingError("no file of notices", expected=f"one of {', '.join(READERS)}", place=Place(str(path)))
    return _submissions(entry for file in files for entry in _entries(_bytes(file), file.name))


def parse_notices(text: bytes, *, name: str) -> Submissions:
    """Return what a text of notices holds, as `read_notices` does; the ending of `name` says the format."""
    return _submissions(_entries(text, name))


def _submissions(entries: Iterable[Entry]) -> Submissions:
    items: list[Item] = []
    refused: list[Refused] = []
    for entry in entries:
        try:
            if isinstance(entry.value, ValueError):
                raise entry.value
            at = entry.place.line or entry.place.path
            items.append(item(entry.value, source=f"{entry.place.file}:{at}", sort=entry.sort))
        except ValueError as error:
            refused.append(Refused(place=entry.place, reason=str(error), text=entry.text[:TEXT_SHOWN]))
    items.sort(key=lambda found: (found.at_us, not isinstance(found, Notice)))
    return Submissions(items=tuple(items), refused=tuple(refused), read=len(items) + len(refused))


def _entries(raw: bytes, name: str) -> Iterable[Entry]:
    ending = PurePath(name).suffix.lower()
    if ending not in READERS:
        raise SettingError(f"a file ending in {ending!r}", expected=f"one of {', '.join(READERS)}", place=Place(name))
    return READERS[ending](raw, name)


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise SettingError(f"{size:,} bytes", expected=f"at most {MAX_FILE_BYTES:,}", place=Place(path.name))
        return path.read_bytes()
    except OSError as error:
        found = error.strerror or str(error)
        raise SettingError(found, expected="a readable file", place=Place(path.name)) from error
