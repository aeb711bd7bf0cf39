"""Forms: `tocsin-notice/1` as YAML, JSON or JSON Lines.

YAML and JSON are one mapping: `format`, and lists `notices`, `receipts`, `consents`, `verifications`. JSON Lines are
one object a line under the one key `notice`, `receipt`, `consent` or `verification`, as a gateway writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tocsin.agreement.notices.formats.door import Sort
from tocsin.agreement.notices.formats.entry import MAX_ENTRIES, Entry, text_of, too_many
from tocsin.agreement.notices.notice import FORMAT
from tocsin.agreement.source.document import compose
from tocsin.canon import parse_json
from tocsin.errors import AgreementError, Place, SettingError

MAX_LINE_BYTES = 1 << 20
"""Bytes of one line of JSON Lines, 1 MiB: a route of ten thousand positions."""

_LISTS = {f"{sort}s": sort for sort in Sort}


def read_yaml(raw: bytes, name: str) -> Iterator[Entry]:
    """Yield the entries of a YAML form.

    Raises
    ------
    SettingError
        If the text is no YAML, or no mapping with `format` and lists.
    """
    try:
        document = compose(raw, file=name)
    except AgreementError as error:
        raise SettingError(error.found, expected=error.expected, place=error.place) from error
    root = document.root
    told = root.value if isinstance(root.value, dict) else {}
    _check_form({key: node.plain() for key, node in told.items() if key not in _LISTS}, name)
    for key, sort in _LISTS.items():
        listed = told.get(key)
        if listed is None:
            continue
        if not isinstance(listed.value, list):
            raise SettingError(f"{key} that are no list", expected="a list", place=Place(name, listed.line))
        for node in listed.value:
            yield Entry(
                place=Place(name, node.line), sort=sort, value=node.plain(), text=document.line(node.line).strip()
            )


def read_json(raw: bytes, name: str) -> Iterator[Entry]:
    """Yield the entries of a JSON form.

    Raises
    ------
    SettingError
        If the text is no strict JSON, or no mapping with `format` and lists.
    """
    try:
        told = parse_json(text_of(raw, name))
    except ValueError as error:
        raise SettingError(f"no strict JSON ({error})", expected="a form in JSON", place=Place(name)) from error
    if not isinstance(told, dict):
        raise _no_form(name)
    _check_form({key: value for key, value in told.items() if key not in _LISTS}, name)
    for key, sort in _LISTS.items():
        listed = told.get(key, [])
        if not isinstance(listed, list):
            raise SettingError(f"{key} that are no list", expected="a list", place=Place(name, path=key))
        if len(listed) > MAX_ENTRIES:
            raise too_many(name)
        for at, value in enumerate(listed):
            yield Entry(place=Place(name, path=f"{key}[{at}]"), sort=sort, value=value, text=repr(value))


def read_lines(raw: bytes, name: str) -> Iterator[Entry]:
    """Yield the entries of JSON Lines; a line that cannot be read is an entry that says why.

    Raises
    ------
    SettingError
        If there are too many lines.
    """
    lines = [(number, line) for number, line in enumerate(raw.split(b"\n"), start=1) if line.strip()]
    if len(lines) > MAX_ENTRIES:
        raise too_many(name)
    for number, line in lines:
        yield _line(Place(name, number), line)


def _line(place: Place, line: bytes) -> Entry:
    text = line[:2_000].decode("utf-8", errors="replace")
    try:
        if len(line) > MAX_LINE_BYTES:
            raise ValueError(f"found {len(line):,} bytes, expected at most {MAX_LINE_BYTES:,}")
        told = parse_json(line)
        keys = list(told) if isinstance(told, dict) else []
        if len(keys) != 1 or keys[0] not in tuple(Sort):
            raise ValueError(f"expected an object with one key of {', '.join(Sort)}")
    except ValueError as error:
        return Entry(place=place, value=ValueError(str(error)), text=text)
    return Entry(place=place, sort=Sort(keys[0]), value=told[keys[0]], text=text)


def _check_form(rest: Mapping[str, object], name: str) -> None:
    """Refuse a mapping that is not of this format, or that has keys that would be read by nobody."""
    if rest.get("format") != FORMAT:
        raise _no_form(name, found=f"format {rest['format']!r}" if "format" in rest else "no format")
    unknown = sorted(set(rest) - {"format"})
    if unknown:
        raise SettingError(f"key {unknown[0]!r}", expected=f"only {', '.join(_LISTS)}", place=Place(name))


def _no_form(name: str, *, found: str = "no mapping") -> SettingError:
    return SettingError(found, expected=f"format: {FORMAT}, and {', '.join(_LISTS)}", place=Place(name))
