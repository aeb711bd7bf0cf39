"""The YAML document: values that remember their line, and nothing that a hostile file could build.

Reads the YAML 1.2 core schema (§10.3.2) from libyaml's event stream: text, numbers, true/false and null; `on`, `no` and
`06:00` stay text. Refused, each with its place: repeated keys, tags, numbers that are not finite, a second document,
text that is not UTF-8, and anything past the limits below. Means nothing by itself: `read.py` knows what a key is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isfinite
from typing import TypeAlias

import yaml
from msgspec import Struct

from tocsin.agreement.terms.state import NOT_APPLICABLE, NOT_SET, State
from tocsin.canon import MOST_INT
from tocsin.errors import AgreementError, Place
from tocsin.units import KEY_UNITS

MAX_BYTES = 8 << 20
"""Bytes of one agreement file, 8 MiB: some fifty thousand zones; a longer one is refused unread."""

MAX_NODES = 2_000_000
"""Values of one document, each alias counted with all it stands for: what stops an alias bomb."""

LONGEST_INT = 20
"""Characters of a whole number, sign and zeros in front included; a longer one is refused unread."""

MAX_DEPTH = 40
"""Levels of nesting; the format itself needs eight."""

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_BLANK_WORDS = {"": State.SILENT, NOT_SET: State.NOT_SET, NOT_APPLICABLE: State.NOT_APPLICABLE}
_NUMBER_BEGINS = frozenset("+-.0123456789")
_VALUES = (yaml.ScalarEvent, yaml.CollectionStartEvent)
_STEP = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")
"""One step of a path: a key, or else what stands in brackets."""

Scalar: TypeAlias = str | int | float | bool | None


class Node:
    """One value of the document and where it stands: the line and column of its key, or of itself in a list."""

    __slots__ = ("column", "line", "value")

    def __init__(self, value: Scalar | dict[str, Node] | list[Node], line: int, column: int) -> None:
        self.value = value
        self.line = line
        self.column = column

    def plain(self) -> object:
        """Return the value as JSON has it: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


class Document(Struct, frozen=True):
    """A composed document: its file's name, its lines and its root."""

    file: str
    lines: tuple[str, ...]
    root: Node

    def find(self, path: str) -> tuple[Node, str, bool]:
        """Return the node at a path, or the deepest one above it.

        Parameters
        ----------
        path : str
            Keys and list steps, such as `zones[0].geometry.circle.radius` or `zones[ring].altitude`: a step in
            brackets is a position from 0, or the member's `id`, or `level` and its number. A quantity is found
            under its key with or without a unit (`radius`, `radius_m`).

        Returns
        -------
        node : Node
        path : str
            The path as far as it was found, with positions.
        whole : bool
            False when something of the path is not in the document.
        """
        node, at = self.root, ""
        for key, index in _STEP.findall(path):
            value = node.value
            if key and isinstance(value, dict):
                name = _key_in(value, key)
                if name is not None:
                    node, at = value[name], f"{at}.{name}" if at else name
                    continue
            elif not key and isinstance(value, list):
                place = _index_in(value, index)
                if place is not None:
                    node, at = value[place], f"{at}[{place}]"
                    continue
            return node, at, False
        return node, at, True

    def where(self, path: str) -> Place:
        """Return the place of a value; for one that is not there, of what it would stand in, with its full path."""
        node, at, whole = self.find(path)
        return Place(self.file, node.line, node.column, at if whole else path)

    def state(self, path: str) -> State:
        """Return how the document answers a path: set, not_set, silent, not_applicable or disputed.

        What stands under a mechanism declared not_set is not_set too. A key with nothing after it is silent.
        """
        node, _, whole = self.find(path)
        blank = blank_state(node)
        if blank is not None:
            return blank
        return State.SET if whole else State.SILENT

    def label(self, path: str) -> str:
        """Return a path with list positions replaced by the members' ids or levels: a shuffle does not change it."""
        node, out = self.root, ""
        for key, index in _STEP.findall(path):
            if key:
                out = f"{out}.{key}" if out else key
                value = node.value
                name = _key_in(value, key) if isinstance(value, dict) else None
                node = value[name] if isinstance(value, dict) and name is not None else _NOWHERE
                continue
            value = node.value
            place = _index_in(value, index) if isinstance(value, list) else None
            node = value[place] if isinstance(value, list) and place is not None else _NOWHERE
            out += f"[{_member_label(node) or index}]"
        return out

    def line(self, number: int) -> str:
        """Return a line of the file, from 1; empty past its end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


def blank_state(node: Node) -> State | None:
    """Return the state of a value that sets nothing, or None for one that does."""
    value = node.value
    if isinstance(value, str):
        return _BLANK_WORDS.get(value)
    if value is None or value == {}:
        return State.SILENT
    if isinstance(value, dict):
        if NOT_APPLICABLE in value and value[NOT_APPLICABLE].value is True:
            return State.NOT_APPLICABLE
        if State.DISPUTED in value:
            return State.DISPUTED
    return None


def compose(text: bytes, *, file: str) -> Document:
    """Return the document of a YAML text.

    Parameters
    ----------
    text : bytes
        UTF-8, with or without a byte order mark.
    file : str
        The name to give in places.

    Raises
    ------
    AgreementError
        For text that is not YAML or not allowed here: what was found, what was expected, and the line.
    """
    if len(text) > MAX_BYTES:
        raise AgreementError(f"{len(text):,} bytes", expected=f"at most {MAX_BYTES:,}", place=Place(file))
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise AgreementError(
            f"byte 0x{text[error.start]:02x}", expected="UTF-8 text", place=Place(file, line)
        ) from error
    try:
        root = _Composer(decoded, file).compose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise AgreementError(f"text that is not YAML ({problem})", expected="YAML 1.2", place=place) from error
    return Document(file, tuple(decoded.splitlines()), root)


class _Composer:
    """Builds nodes from events; counts what it builds."""

    def __init__(self, text: str, file: str) -> None:
        self.events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=yaml.CSafeLoader))
        self.file = file
        self.count = 0
        self.anchors: dict[str, tuple[Node, int]] = {}

    def compose(self) -> Node:
        """Return the root of the one document."""
        next(self.events)  # the stream's start
        first = next(self.events)
        if isinstance(first, yaml.StreamEndEvent):
            raise AgreementError("an empty file", expected="an agreement", place=Place(self.file, 1))
        root = self.node(next(self.events), 0)
        next(self.events)  # the document's end
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self.refusal(after, "a second document", "one agreement a file")
        return root

    def refusal(self, event: yaml.Event, found: str, expected: str) -> AgreementError:
        """Return the refusal of what stands at an event."""
        line, column = _at(event)
        return AgreementError(found, expected=expected, place=Place(self.file, line, column))

    def counted(self, event: yaml.Event, nodes: int) -> None:
        """Add to the number of values; refuse the one that is too many."""
        self.count += nodes
        if self.count > MAX_NODES:
            raise self.refusal(
                event, f"more than {MAX_NODES:,} values", "fewer, aliases counted with all they stand for"
            )

    def node(self, event: yaml.Event, depth: int, key: yaml.Event | None = None) -> Node:
        """Return the node that begins with an event, at the place of its key if it has one.

        `depth` is how many lists and mappings stand around it.
        """
        line, column = _at(key or event)
        if isinstance(event, yaml.AliasEvent):
            known = self.anchors.get(event.anchor or "")
            if known is None:
                raise self.refusal(event, f"alias *{event.anchor}", "an anchor that ends above it")
            self.counted(event, known[1])
            return Node(known[0].value, line, column)  # the same value, and each use knows its own line
        assert isinstance(event, _VALUES)
        if event.tag is not None:
            raise self.refusal(event, f"tag {event.tag}", "no tags: text, numbers, true, false and null only")
        if depth > MAX_DEPTH:
            raise self.refusal(event, f"more than {MAX_DEPTH} levels of nesting", "fewer")
        before = self.count
        self.counted(event, 1)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self.scalar(event), line, column)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Node(self.sequence(depth + 1), line, column)
        else:
            node = Node(self.mapping(depth + 1), line, column)
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, self.count - before)
        return node

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        """Return the value of a scalar by the core schema: plain text may be a number, true, false or null."""
        text: str = event.value
        if not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in _NUMBER_BEGINS:
            return text
        if _INT.fullmatch(text):
            if len(text) > LONGEST_INT or not -MOST_INT <= int(text) <= MOST_INT:
                expected = f"a whole number of at most {MOST_INT:,}, as JSON has it"
                raise self.refusal(event, f"number {text[:20]}", expected)
            return int(text)
        if _NOT_FINITE.fullmatch(text):
            raise self.refusal(event, f"number {text}", "a finite number")
        if _FLOAT.fullmatch(text):
            number = float(text)
            if not isfinite(number):
                raise self.refusal(event, f"number {text[:20]}", "a finite number")
            return number
        return text

    def sequence(self, depth: int) -> list[Node]:
        """Return the members of a list that has begun."""
        found: list[Node] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            found.append(self.node(event, depth))
        return found

    def mapping(self, depth: int) -> dict[str, Node]:
        """Return the values of a mapping that has begun, by their keys."""
        found: dict[str, Node] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
                raise self.refusal(event, "a key that is no plain text", "text as key")
            key = event.value
            if key in found:
                raise self.refusal(event, f"key {key!r} a second time", f"it once (first on line {found[key].line})")
            found[key] = self.node(next(self.events), depth, event)
        return found


_NOWHERE = Node(None, 0, 0)


def _at(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _key_in(mapping: dict[str, Node], key: str) -> str | None:
    if key in mapping:
        return key
    for unit in KEY_UNITS:
        if f"{key}_{unit}" in mapping:
            return f"{key}_{unit}"
    return None


def _index_in(members: list[Node], index: str) -> int | None:
    if index.isdigit():
        return int(index) if int(index) < len(members) else None
    return next((i for i, member in enumerate(members) if _member_label(member) == index), None)


def _member_label(node: Node) -> str | None:
    if isinstance(node.value, dict):
        name, level = node.value.get("id", node.value.get("party")), node.value.get("level")
        if name is not None and isinstance(name.value, str):
            return name.value
        if level is not None and isinstance(level.value, int):
            return f"level {level.value}"
    return None
