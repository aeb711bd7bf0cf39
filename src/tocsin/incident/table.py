"""Table: a mapping of a document that knows which keys were asked for, and refuses the rest by file and line.

It knows no key of `tocsin-claims/1`; `load.py` does.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from tocsin.agreement.source.document import Node
from tocsin.errors import ClaimError, Place, UnitError
from tocsin.incident.edtf import is_edtf

_E = TypeVar("_E", bound=StrEnum)
_T = TypeVar("_T")


class Table:
    """A mapping of the document that knows which of its keys were asked for."""

    def __init__(self, node: Node, path: str, file: str) -> None:
        self.node = node
        self.path = path
        self.file = file
        if not isinstance(node.value, dict):
            raise ClaimError(shown(node), expected="a mapping of keys", place=self.place())
        self.values: dict[str, Node] = node.value
        self.asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self.values and self.values[key].value is not None

    def place(self, key: str = "") -> Place:
        """Return where a key stands, or the mapping itself."""
        node = self.values.get(key, self.node) if key else self.node
        path = f"{self.path}.{key}" if self.path and key else self.path or key
        return Place(self.file, node.line, node.column, path)

    def refusal(self, key: str, expected: str) -> ClaimError:
        """Return the error that says what stands at a key and what should."""
        found = shown(self.values[key]) if key in self.values else "nothing"
        return ClaimError(found, expected=expected, place=self.place(key))

    def node_of(self, key: str) -> Node | None:
        """Return the value of a key, or None if it is absent or null."""
        self.asked.add(key)
        node = self.values.get(key)
        return None if node is None or node.value is None else node

    def maybe_text(self, key: str) -> str | None:
        """Return text, or None if it is absent."""
        node = self.node_of(key)
        if node is None:
            return None
        if not isinstance(node.value, str) or not node.value.strip():
            raise self.refusal(key, "text")
        return node.value

    def text(self, key: str) -> str:
        """Return text that must be there."""
        found = self.maybe_text(key)
        if found is None:
            raise self.refusal(key, f"{key}, as text")
        return found

    def number(self, key: str) -> float | None:
        """Return a number, or None if it is absent."""
        node = self.node_of(key)
        if node is None:
            return None
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise self.refusal(key, "a number")
        return float(node.value)

    def flag(self, key: str) -> bool:
        """Return true or false; false if it is absent."""
        node = self.node_of(key)
        if node is None:
            return False
        if not isinstance(node.value, bool):
            raise self.refusal(key, "true or false")
        return node.value

    def choice(self, key: str, words: type[_E], default: _E | None = None) -> _E:
        """Return a word of a list, or the default if it is absent."""
        text = self.maybe_text(key)
        if text is None and default is not None:
            return default
        if text not in list(words):
            raise self.refusal(key, f"one of {', '.join(words)}")
        return words(text)

    def quantity(self, key: str, parse: Callable[[object], _T]) -> _T | None:
        """Return what `parse` makes of a value with its unit or zone, or None if it is absent."""
        node = self.node_of(key)
        if node is None:
            return None
        try:
            return parse(node.value)
        except UnitError as error:
            raise self.refusal(key, error.expected) from error

    def edtf(self, key: str) -> str | None:
        """Return a date or interval in EDTF, or None if it is absent."""
        text = self.maybe_text(key)
        if text is not None and not is_edtf(text):
            raise self.refusal(key, 'a date or interval in EDTF, such as "2017-05-18" or "2017-05-18T14:02Z/.."')
        return text

    def nodes(self, key: str) -> list[Node]:
        """Return the members of a list; none if it is absent."""
        node = self.node_of(key)
        if node is None:
            return []
        if not isinstance(node.value, list):
            raise self.refusal(key, "a list")
        return node.value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; none if it is absent."""
        found = []
        for index, node in enumerate(self.nodes(key)):
            if not isinstance(node.value, str):
                place = Place(self.file, node.line, node.column, f"{self.path}.{key}[{index}]")
                raise ClaimError(shown(node), expected="text", place=place)
            found.append(node.value)
        return tuple(found)

    def table(self, key: str) -> Table:
        """Return a mapping that must be there."""
        node = self.node_of(key)
        if node is None:
            raise self.refusal(key, f"{key}, as a mapping of keys")
        return Table(node, f"{self.path}.{key}" if self.path else key, self.file)

    def tables(self, key: str) -> list[Table]:
        """Return a list of mappings; none if it is absent."""
        path = f"{self.path}.{key}" if self.path else key
        return [Table(node, f"{path}[{i}]", self.file) for i, node in enumerate(self.nodes(key))]

    def done(self) -> None:
        """Refuse the keys that nobody asked for."""
        for key in self.values:
            if key not in self.asked:
                expected = f"one of {', '.join(sorted(self.asked))}"
                raise ClaimError(f"unknown key {key!r}", expected=expected, place=self.place(key))


def shown(node: Node) -> str:
    """Return a value as a refusal shows it."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return "a list"
    return repr(node.value)[:80]
