"""Edit: one value of an agreement's file changed, and every other byte of it left as it stands.

The text is cut at the value's own span (`spans.py`) and read again: an edit is returned only if the document then
differs in that one value and nowhere else. A dumper that keeps comments (ruamel.yaml was tried) still wraps long lines
and respaces braces, so none is used. What the value means is not asked here; `agreement/versions/change.py` does.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from msgspec import Struct

from tocsin.agreement.source.document import Document, Node, blank_state, compose
from tocsin.agreement.source.flow import flow
from tocsin.agreement.source.spans import Span, spans_of
from tocsin.errors import AgreementError, Place

APPEND = "[]"
"""At the end of a path: one more member of that list."""

_TAIL = re.compile(r"[^.\[\]]+|\[[^\]]*\]")
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Edit(Struct, frozen=True, kw_only=True):
    """A text with one value changed.

    Attributes
    ----------
    text : bytes
        The whole new file.
    path : str
        Where the value stands now, with positions.
    old, new : str
        The value before and after in one line of YAML; `old` is empty where nothing stood.
    """

    text: bytes
    path: str
    old: str
    new: str


def edit(text: bytes, path: str, value: str, *, file: str = "agreement.yaml") -> Edit:
    """Return a file's text with the value at a path set.

    Parameters
    ----------
    text : bytes
        UTF-8; byte order mark and line ends stay.
    path : str
        As `Document.find` reads it, such as `zones[ring].altitude.ceiling`; keys that are missing are added at the
        end of what holds them, and `channels[]` adds a member to a list.
    value : str
        As YAML, in one line or more; it is written in one line.
    file : str
        The name to give in places.

    Raises
    ------
    AgreementError
        If the value is no YAML or nothing; the path leads through what cannot hold it or through an alias; or the
        value could not be replaced without losing comments that stand in it.
    """
    document = compose(text, file=file)
    told = compose(value.encode(), file="the value").root.plain() if value.strip() else None
    if told is None:
        raise AgreementError("nothing", expected="a value; `not_set` says that it is not agreed", place=Place(path))
    base, appends = path.removesuffix(APPEND), path.endswith(APPEND)
    node, at, whole = document.find(base)
    rest = [] if whole else _rest(document, base, at)
    adds = appends and whole and blank_state(node) is None
    wanted: Any = [told] if appends and not adds else told
    for key in reversed(rest[1:]):
        wanted = {key: wanted}
    expected, where = _expected(document, at, rest, wanted, adds=adds, node=node)
    candidates = [flow(wanted)]
    if wanted is told and "\n" not in value.strip():
        candidates.insert(0, value.strip())
    decoded = text.decode("utf-8-sig")
    mark = text[: len(text) - len(decoded.encode())]
    cut = _Cut(document, decoded, at)
    for candidate in candidates:
        changed = cut.append(candidate) if adds else cut.put(rest[:1], candidate, node)
        if changed is not None and _reads_as(mark + changed.encode(), expected):
            old = "" if rest or adds else flow(node.plain())
            begun = "[0]" if appends and not adds else ""  # the first member of a list that was not there
            return Edit(text=mark + changed.encode(), path=where + begun, old=old, new=flow(told))
    raise AgreementError(
        "a place that cannot be edited alone (an alias, an anchor, or a form this tool does not write)",
        expected="the change by hand",
        place=document.where(path),
    )


def _reads_as(text: bytes, expected: object) -> bool:
    try:
        return compose(text, file="").root.plain() == expected
    except AgreementError:
        return False


def _rest(document: Document, path: str, at: str) -> list[str]:
    """Return the keys of a path that the document does not have yet."""
    steps, done = _TAIL.findall(path), len(_TAIL.findall(at))
    rest: list[str] = steps[done:]
    for step in rest:
        if not _KEY.fullmatch(step):
            raise AgreementError(
                f"no member {step}", expected="one that is there, or PATH[] to add one", place=document.where(path)
            )
    return rest


def _expected(document: Document, at: str, rest: list[str], wanted: Any, *, adds: bool, node: Node) -> tuple[Any, str]:
    """Return what the document shall read as after the edit, and the path of the value in it."""
    plain = deepcopy(document.root.plain())
    holder, key = None, None
    found: Any = plain
    for step in _TAIL.findall(at):
        holder, key = found, int(step[1:-1]) if step.startswith("[") else step
        found = found[key]
    if adds:
        if not isinstance(found, list):
            raise AgreementError("no list", expected=f"a list at {at}", place=document.where(at))
        found.append(wanted)
        return plain, f"{at}[{len(found) - 1}]"
    if rest and isinstance(found, dict) and blank_state(node) is None:
        found[rest[0]] = wanted
    elif rest and blank_state(node) is None:
        place = document.where(at)
        raise AgreementError(f"a value that holds no keys at {at}", expected="a mapping, or PATH[]", place=place)
    elif holder is None:
        raise AgreementError("no path", expected="the path of one value", place=document.where(""))
    else:
        holder[key] = {rest[0]: wanted} if rest else wanted
    return plain, ".".join([at, *rest]) if at else ".".join(rest)


class _Cut:
    """Where a value stands in the text, and the text with another in its place."""

    def __init__(self, document: Document, text: str, at: str) -> None:
        self.document, self.text, self.at = document, text, at
        self.newline = "\r\n" if "\r\n" in text else "\n"
        span = spans_of(text)
        for step in _TAIL.findall(at):
            if span.is_alias:
                break
            span = span.members[step.strip("[]")]
        self.span = span

    def put(self, missing: list[str], value: str, node: Node) -> str | None:
        """Return the text with a value in place of the old one, or under a new key at the end of its mapping."""
        if not missing:
            return self._replaced(value)
        if blank_state(node) is not None or not self.span.members:
            return self._replaced(f"{{{missing[0]}: {value}}}")
        return self._added(f"{missing[0]}: {value}", dash="")

    def append(self, value: str) -> str | None:
        """Return the text with one more member at the end of a list."""
        if not self.span.members:
            return self._replaced(f"[{value}]")
        return self._added(value, dash="- ")

    def _added(self, entry: str, *, dash: str) -> str | None:
        if self.span.is_alias:
            return None
        *_, last = self.span.members.values()
        if self.span.is_flow:
            return f"{self.text[: last.end]}, {entry}{self.text[last.end :]}"
        line_end = self.text.find("\n", last.end)
        line_end = len(self.text) if line_end < 0 else line_end - self.text[:line_end].endswith("\r")
        line = f"{self.newline}{' ' * self.span.column}{dash}{entry}"
        return self.text[:line_end] + line + self.text[line_end:]

    def _replaced(self, value: str) -> str:
        start, end = self.span.start, self.span.end
        self._keep_comments(start, end)
        between = self.text[self.span.after_key : start]
        if self.span.members and not self.span.is_flow and re.fullmatch(r"\s*:\s*", between):
            start = self.span.after_key + between.index(":") + 1
        space = " " if self.text[start - 1 : start] in (":", "-") else ""
        return f"{self.text[:start]}{space}{value}{self.text[end:]}"

    def _keep_comments(self, start: int, end: int) -> None:
        """Refuse to replace what has comments in it: they would be lost."""
        if not self.span.members:
            return
        at = start
        for part in [*self.span.scalars(), Span(start=end, end=end)]:
            gap = self.text[at : part.start]
            if re.search(r"(^|\s)#", gap):
                line = self.text.count("\n", 0, at) + 1
                place = Place(self.document.file, line, path=self.at)
                raise AgreementError(
                    "comments inside what would be replaced", expected="its keys set one by one", place=place
                )
            at = part.end
