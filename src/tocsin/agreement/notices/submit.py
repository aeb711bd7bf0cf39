"""Submit: what a party sends in, as a form, a table, a drawing or JSON, read and judged before it is taken.

Pure: bytes, their media type, whose key came with them, and the time go in; entries that may be taken and refusals come
out. Whose notice it is comes from the key and never from the body alone: a party gives and ends its own notices and
those of parties that it speaks for, and confirms receipt in its own name. A notice that it may not see and one that
is not there are refused in the same words (DESIGN P8). Whatever is taken is flagged, never dropped (`register.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct
from msgspec.structs import replace

from tocsin.agreement.notices.consent import answer_of
from tocsin.agreement.notices.formats import cells
from tocsin.agreement.notices.formats.door import Sort, item
from tocsin.agreement.notices.formats.entry import Entry, text_of
from tocsin.agreement.notices.formats.read import READERS, TEXT_SHOWN, Refused
from tocsin.agreement.notices.notice import Consent, Item, Notice, ReceiptOf
from tocsin.agreement.notices.register import Register
from tocsin.agreement.notices.words import SHOWN
from tocsin.canon import parse_json
from tocsin.errors import Place, SettingError
from tocsin.units import format_instant

FORM = "application/x-www-form-urlencoded"

ENDINGS = {
    "application/yaml": ".yaml",
    "application/x-ndjson": ".jsonl",
    "text/csv": ".csv",
    "application/geo+json": ".geojson",
}
"""The ending of a file of each media type; JSON and forms are read here."""

MEDIA_TYPES = ("application/json", FORM, *ENDINGS)
"""What may be sent in."""

MAX_BYTES = 1 << 20
"""Bytes of one submission, 1 MiB; longer lists are files of the deployment."""

MAX_FIELDS = 60
"""Fields of one form."""

HIDDEN = "there is no such notice, or none that you may see"
"""The one refusal for a notice that is absent and for one that is hidden."""


class Given(Struct, frozen=True, kw_only=True):
    """One entry that may be taken.

    Attributes
    ----------
    sort : Sort
    value : dict
        The entry as completed from the key and the clock: what a store keeps, and `item_of` reads again.
    item : Notice, ReceiptOf, Consent or Verification
    entered_us : int
        When it reached this system.
    """

    sort: Sort
    value: dict[str, Any]
    item: Item
    entered_us: int

    def as_json(self) -> dict[str, Any]:
        """Return the entry as a JSON object, for a store."""
        return {"sort": str(self.sort), "value": self.value, "entered": format_instant(self.entered_us)}


class Submission(Struct, frozen=True, kw_only=True):
    """What came in: what may be taken, in its order, and what not."""

    given: tuple[Given, ...]
    refused: tuple[Refused, ...]


def read_submission(data: bytes, *, media: str, party: str, register: Register, now_us: int) -> Submission:
    """Return what a submission holds, judged.

    Parameters
    ----------
    data : bytes
    media : str
        One of `MEDIA_TYPES`, without parameters.
    party : str
        Whose key came with it.
    register : Register
        Up to date; it is not changed.
    now_us : int
        When it reached this system.

    Raises
    ------
    SettingError
        If the whole of it cannot be read: its media type, its size, its form. A bad entry refuses itself alone.
    """
    if len(data) > MAX_BYTES:
        raise SettingError(f"{len(data):,} bytes", expected=f"at most {MAX_BYTES:,}", place=Place("body"))
    given: list[Given] = []
    refused: list[Refused] = []
    known: dict[str, Item] = {}
    for entry in _entries(data, media):
        try:
            if isinstance(entry.value, ValueError):
                raise entry.value
            value = _completed(entry, party, now_us)
            found = item_of({"sort": str(entry.sort), "value": value}, source="submitted", entered_us=now_us)
            _check(found, party, register, known, now_us)
        except ValueError as error:
            refused.append(Refused(place=entry.place, reason=str(error), text=entry.text[:TEXT_SHOWN]))
            continue
        if isinstance(found, Notice):
            known[found.notice_id] = found
        given.append(Given(sort=entry.sort, value=value, item=found, entered_us=now_us))
    return Submission(given=tuple(given), refused=tuple(refused))


def item_of(kept: Mapping[str, Any], *, source: str, entered_us: int) -> Item:
    """Return the item of an entry that a store kept; see `Given.as_json`.

    Raises
    ------
    ValueError
        If it is none.
    """
    found = item(kept["value"], source=source, sort=Sort(kept["sort"]))
    return replace(found, entered_us=entered_us) if isinstance(found, Notice) else found


def sees(register: Register, held_id: str, *, party: str, now_us: int) -> bool:
    """Return True if a party may be shown a notice by its giver; what routing lets it see is asked besides."""
    held = register.held.get(held_id)
    return held is not None and answer_of(held, register.rules, to=party, now_us=now_us) in SHOWN


def _entries(data: bytes, media: str) -> Iterable[Entry]:
    if media == FORM:
        return [_form(data)]
    if media == "application/json":
        return _json(data)
    if media not in ENDINGS:
        raise SettingError(f"media type {media!r}", expected=f"one of {', '.join(MEDIA_TYPES)}", place=Place("body"))
    return READERS[ENDINGS[media]](data, f"body{ENDINGS[media]}")


def _form(data: bytes) -> Entry:
    """Return the notice of an HTML form: fields named as the columns of CSV, a line of a text for a list item."""
    place = Place("form")
    try:
        pairs = parse_qsl(data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise SettingError("fields that cannot be read", expected=FORM, place=place) from error
    row: dict[str, str] = {}
    for key, value in pairs:
        if key in row:
            raise SettingError(f"field {key!r} a second time", expected="it once", place=place)
        if value.strip():
            row[key] = value.strip()
    unknown = sorted(key for key in row if key not in cells.COLUMNS and not key.startswith("content."))
    if unknown:
        raise SettingError(f"field {unknown[0]!r}", expected="the fields of the form", place=place)
    for key in ("route", "area", "track", "mover", "consent_to"):
        if key in row:
            row[key] = ";".join(row[key].splitlines())
    try:
        return Entry(place=place, value=cells.row_value(row), text="")
    except ValueError as error:
        return Entry(place=place, value=error, text="")


def _json(data: bytes) -> Iterator[Entry]:
    """Yield the entries of JSON: one object under its sort, such as `{"notice": {…}}`, or a whole form."""
    try:
        told = parse_json(text_of(data, "body"))
    except ValueError as error:
        raise SettingError(f"no strict JSON ({error})", expected="JSON", place=Place("body")) from error
    keys = list(told) if isinstance(told, dict) else []
    if len(keys) == 1 and keys[0] in tuple(Sort):
        yield Entry(place=Place("body", path=keys[0]), sort=Sort(keys[0]), value=told[keys[0]], text="")
        return
    yield from READERS[".json"](data, "body")


def _completed(entry: Entry, party: str, now_us: int) -> dict[str, Any]:
    """Return an entry with what the key and the clock say of it in the place of what it leaves out."""
    if not isinstance(entry.value, dict):
        raise ValueError("expected an object")
    value = dict(entry.value)
    at = format_instant(now_us)
    if entry.sort is Sort.NOTICE:
        value.setdefault("party", party)
        value.setdefault("given_at", at)
        value["consents"] = [c | {"at": c.get("at") or at} for c in _objects(value.get("consents"))]
        return value
    # what is said here and now has the time of its arrival, whatever its sender's clock said
    value["at"] = at
    if entry.sort is Sort.RECEIPT:
        value.setdefault("of", party)
    if entry.sort is Sort.CONSENT:
        value.setdefault("party", party)
    return value


def _objects(told: object) -> list[dict[str, Any]]:
    if told is None:
        return []
    if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
        raise ValueError("consents: expected a list of objects")
    return told


def _check(found: Item, party: str, register: Register, known: Mapping[str, Item], now_us: int) -> None:
    """Refuse what this party may not say."""
    speaks = register.rules.may_speak
    if isinstance(found, Notice):
        if not speaks(party, of=found.party):
            raise ValueError(f"party: found {found.party!r}, expected {party!r} or a party that it speaks for")
        if found.given_us > now_us:
            raise ValueError("given_at: found a time to come")
        return
    held_id = f"{found.party}/{found.notice}"
    held = register.find(found.party, found.notice)
    if held is not None:
        held_id = held.notice.notice_id
    own = speaks(party, of=found.party)
    if held_id not in known and not (held is not None and (own or sees(register, held_id, party=party, now_us=now_us))):
        raise ValueError(HIDDEN)
    if isinstance(found, ReceiptOf) and found.of is not None and not speaks(party, of=found.of):
        raise ValueError(f"of: found {found.of!r}, expected {party!r} or a party that it speaks for")
    if isinstance(found, Consent) and not own:
        raise ValueError("only its giver lets others see a notice")
