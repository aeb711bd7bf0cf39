"""Nodes into records: every value by the annotation of its field, every refusal with its place, all of them at once.

The plan of a record class is made once from its type hints (`plan_of`); `schema.py` publishes the same plans. A key
that the plan lacks is kept as an `UnknownKey` for the linter. References between records are not followed here.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct
from msgspec.structs import fields

from tocsin.agreement.source.document import Document, Node, blank_state
from tocsin.agreement.terms.state import Blank, Disputed, State
from tocsin.agreement.terms.types import Collected, Inner, Kind, Quantity, Record, Vague
from tocsin.errors import AgreementError, UnitError
from tocsin.units import parse_instant_us

COMMON_KEYS = ("note", "comment", "source")
"""Keys that may stand in every section: words for people."""

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_VAGUE = re.compile(
    r"(?i)\s*(about|around|approx\w*|ca\.?|circa|roughly|some|up to|~|≈).*\d.*|.*\d\s*(-|–|to|\.\.)\s*\d.*"
)

Convert = Callable[["Reader", Node, str], Any]


class Refusal(Exception):
    """One value cannot be read; `Reader` turns it into an `AgreementError` with its place."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found)
        self.found = found
        self.expected = expected


class Slot(Struct, frozen=True):
    """One field of a record: its name, its key, how its value is read, and whether it may be left blank."""

    name: str
    key: str
    hint: Any
    convert: Convert
    blank_allowed: bool
    required: bool


class Plan(Struct, frozen=True):
    """How a record class is read: the slots by every key they answer to, and the patterns that collect keys."""

    keys: Mapping[str, Slot]
    collected: tuple[tuple[re.Pattern[str], Slot], ...]
    required: tuple[Slot, ...]


class Reader:
    """Reads records from one document, gathering what it refuses and what it does not know."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.errors: list[AgreementError] = []
        self.unknown: list[tuple[str, str, str | None]] = []

    def refuse(self, refusal: Refusal, path: str) -> None:
        """Keep a refusal of the value at a path."""
        place = self.document.where(path)
        self.errors.append(AgreementError(refusal.found, expected=refusal.expected, place=place))

    def fields(self, cls: type[Record], node: Node, path: str) -> dict[str, Any]:
        """Return the arguments that make a record of a mapping; a refused value is left out.

        Raises
        ------
        Refusal
            If the node is no mapping.
        """
        plan = plan_of(cls)
        if not isinstance(node.value, dict):
            raise Refusal(
                _shown(node), f"a mapping with some of {', '.join(dict.fromkeys(s.key for s in plan.keys.values()))}"
            )
        found: dict[str, Any] = {"path": path}
        for key, member in node.value.items():
            at = f"{path}.{key}" if path else key
            slot = plan.keys.get(key)
            try:
                if slot is not None:
                    if slot.name in found:
                        raise Refusal(f"{slot.key} a second time, as {key}", "one of the two")
                    found[slot.name] = self.value(slot, member, at)
                elif not self._collect(plan, key, member, at, found) and key not in COMMON_KEYS:
                    nearest = get_close_matches(key, list(plan.keys), 1)
                    self.unknown.append((at, key, nearest[0] if nearest else None))
            except Refusal as refusal:
                self.refuse(refusal, at)
        for slot in plan.required:
            if slot.key not in node.value:
                self.refuse(Refusal(f"no {slot.key}", f"a key {slot.key!r}"), path)
        return found

    def record(self, cls: type[Record], node: Node, path: str) -> Any:
        """Return a record of a mapping, or None if a key it cannot be without is missing or refused."""
        found = self.fields(cls, node, path)
        if any(slot.name not in found for slot in plan_of(cls).required):
            return None
        return cls(**found)

    def value(self, slot: Slot, node: Node, path: str) -> Any:
        """Return the value of a field, a blank, a dispute, or None for silence."""
        blank = blank_state(node)
        if blank is None:
            return slot.convert(self, node, path)
        if not slot.blank_allowed:
            raise Refusal(_shown(node), f"a value for {slot.key}: it cannot be left open")
        return {State.NOT_SET: Blank.NOT_SET, State.NOT_APPLICABLE: Blank.NOT_APPLICABLE, State.SILENT: None}.get(
            blank, _disputed(node)
        )

    def _collect(self, plan: Plan, key: str, node: Node, path: str, found: dict[str, Any]) -> bool:
        """Read a value whose key a pattern gathers; return False if none does."""
        for pattern, slot in plan.collected:
            match = pattern.fullmatch(key)
            if match:
                if blank_state(node) is None:
                    found.setdefault(slot.name, {})[match[1]] = slot.convert(self, node, path)
                return True
        return False


def plan_of(cls: type[Record]) -> Plan:
    """Return how a record class is read."""
    if cls not in _PLANS:
        _PLANS[cls] = _plan(cls)
    return _PLANS[cls]


_PLANS: dict[type[Record], Plan] = {}


def _plan(cls: type[Record]) -> Plan:
    """Make the plan of a record class from the annotations of its fields."""
    keys: dict[str, Slot] = {}
    collected: list[tuple[re.Pattern[str], Slot]] = []
    required: list[Slot] = []
    for entry in fields(cls):
        hint = entry.type
        marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        if entry.name == "path" or any(isinstance(m, Inner) for m in marks):
            continue
        gather = next((m for m in marks if isinstance(m, Collected)), None)
        parts = alternatives(hint)
        parts, may_be_blank = [p for p in parts if p not in _BLANKS], any(p in _BLANKS for p in parts)
        quantity = next((q for p in parts if (q := quantity_of(p))), None)
        key = _key(entry.name, parts, quantity)
        units = quantity.key_units if quantity else ()
        if gather:
            inner = get_args(get_args(hint)[0])[1]
            measure = quantity_of(inner)
            ending = f"(?:_(?:{'|'.join(measure.key_units)}))?" if measure else ""
            slot = Slot(entry.name, key, inner, _converter([inner]), True, False)
            collected.append((re.compile(gather.pattern + ending), slot))
            continue
        must = entry.required
        slot = Slot(entry.name, key, hint, _converter(parts), may_be_blank, must)
        keys |= {key: slot} | {f"{key}_{unit}": slot for unit in units}
        if must:
            required.append(slot)
    return Plan(keys, tuple(collected), tuple(required))


_BLANKS = (Blank, Disputed, types.NoneType)


def alternatives(hint: Any) -> list[Any]:
    """Return the members of a union, in order; a union of one for anything else."""
    if get_origin(hint) in (Union, types.UnionType):
        return [part for member in get_args(hint) for part in alternatives(member)]
    return [hint]


def quantity_of(hint: Any) -> Quantity | None:
    """Return what kind of quantity a type is, if it is one; a list's is its members'."""
    if get_origin(hint) is tuple:
        return quantity_of(get_args(hint)[0])
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((m for m in marks if isinstance(m, Quantity)), None)


def kind_of(hint: Any) -> Kind | None:
    """Return what kind of value a type is, where it is no quantity."""
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((m for m in marks if isinstance(m, Kind)), None)


def _key(name: str, parts: list[Any], quantity: Quantity | None) -> str:
    """Return the key of a field: its name without the unit or kind that ends it."""
    kinds = [kind_of(part) for part in parts]
    suffix = quantity.suffix if quantity else ""
    for kind in (Kind.INSTANT, Kind.TIME_OF_DAY):
        if kind in kinds and name.endswith(kind.value):
            suffix = kind.value
    return name.removesuffix(suffix).rstrip("_") if suffix else name.rstrip("_")


def _converter(parts: list[Any]) -> Convert:
    """Return what reads a value of one of several types: the first that does not refuse it."""
    if len(parts) == 1:
        return _one(parts[0])
    records = [p for p in parts if isinstance(p, type) and issubclass(p, Record)]
    others = [_one(p) for p in parts if p not in records]

    def union(reader: Reader, node: Node, path: str) -> Any:
        """Read a mapping as the record it fits best, anything else as the first type that takes it."""
        if isinstance(node.value, dict) and records:
            return reader.record(_best(records, reader, node, path), node, path)
        expected = []
        for convert in others:
            try:
                return convert(reader, node, path)
            except Refusal as refusal:
                expected.append(refusal.expected)
        raise Refusal(_shown(node), " or ".join(expected))

    return union


def _best(records: list[type[Record]], reader: Reader, node: Node, path: str) -> type[Record]:
    """Return the record that the mapping fits best: fewest refusals and unknown keys, the first of equals."""

    def faults(cls: type[Record]) -> int:
        trial = Reader(reader.document)
        trial.record(cls, node, path)
        return len(trial.errors) + len(trial.unknown)

    return min(records, key=faults) if len(records) > 1 else records[0]


def _one(hint: Any) -> Convert:
    """Return what reads a value of one type."""
    origin = get_origin(hint)
    if origin is Annotated:
        base, mark = get_args(hint)[:2]
        return _quantity(mark, vague=Vague in alternatives(base)) if isinstance(mark, Quantity) else _KINDS[mark]
    if origin is tuple:
        return _tuple(get_args(hint))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_converter(alternatives(get_args(hint)[1])))
    if issubclass(hint, Record):
        return lambda reader, node, path: reader.record(hint, node, path)
    return _choice(hint) if issubclass(hint, StrEnum) else _SCALARS[hint]


def _tuple(args: tuple[Any, ...]) -> Convert:
    """Return what reads a list: refused members are told each with its place, the others kept."""
    convert = _converter(alternatives(args[0]))
    length = None if args[-1] is Ellipsis else len(args)

    def members(reader: Reader, node: Node, path: str) -> tuple[Any, ...]:
        """Read each member; a list of a set length is refused whole if it has another."""
        if not isinstance(node.value, list):
            raise Refusal(_shown(node), "a list")
        if length is not None and len(node.value) != length:
            raise Refusal(f"a list of {len(node.value)}", f"a list of {length}")
        found = []
        for i, member in enumerate(node.value):
            try:
                read = convert(reader, member, path if length else f"{path}[{i}]")
            except Refusal as refusal:
                reader.refuse(refusal, f"{path}[{i}]")
                continue
            if read is not None:
                found.append(read)
        return tuple(found)

    return members


def _mapping(convert: Convert) -> Convert:
    """Return what reads a mapping with keys of the writer's own; blank values are left out."""

    def members(reader: Reader, node: Node, path: str) -> dict[str, Any]:
        """Read each value that is not blank."""
        if not isinstance(node.value, dict):
            raise Refusal(_shown(node), "a mapping")
        found = {}
        for key, member in node.value.items():
            if blank_state(member) is None:
                try:
                    found[key] = convert(reader, member, f"{path}.{key}")
                except Refusal as refusal:
                    reader.refuse(refusal, f"{path}.{key}")
        return found

    return members


def _choice(kind: type[StrEnum]) -> Convert:
    """Return what reads one word of a list."""

    def choice(reader: Reader, node: Node, path: str) -> StrEnum:
        """Read the word, or refuse it with the nearest one."""
        try:
            return kind(node.value if isinstance(node.value, str) else "")
        except ValueError:
            near = get_close_matches(str(node.value), list(kind), 1)
            hint = f" (nearest: {near[0]})" if near else ""
            raise Refusal(_shown(node), f"one of {', '.join(kind)}{hint}") from None

    return choice


def _quantity(quantity: Quantity, *, vague: bool) -> Convert:
    """Return what reads a number with its unit, in the value or at the end of its key; `vague` keeps an "about"."""

    def measured(reader: Reader, node: Node, path: str) -> float | Vague:
        """Read the quantity in its base unit."""
        value = node.value
        unit = next((u for u in quantity.key_units if path.endswith(f"_{u}")), None)
        if unit is not None and isinstance(value, int | float) and not isinstance(value, bool):
            return _checked(value * _factor(quantity, unit), quantity, node)
        if vague and isinstance(value, str) and _VAGUE.fullmatch(value):
            return Vague(value)
        if unit is not None:
            raise Refusal(_shown(node), f"a bare number, since the key ends in its unit ({unit})")
        try:
            return _checked(quantity.parse(value), quantity, node)
        except UnitError as error:
            raise Refusal(_shown(node), error.expected) from None

    return measured


def _factor(quantity: Quantity, unit: str) -> float:
    return {"nmi": quantity.units.get("NM", 0.0), "kmh": quantity.units.get("km/h", 0.0)}.get(unit) or quantity.units[
        unit
    ]


def _checked(value: float, quantity: Quantity, node: Node) -> float:
    if value < 0 and quantity is not Quantity.HEIGHT:
        raise Refusal(_shown(node), "a quantity that is not negative")
    return value


def _text(reader: Reader, node: Node, path: str) -> str:
    if not isinstance(node.value, str):
        raise Refusal(_shown(node), "text (in quotes if it looks like a number)")
    return node.value


def _truth(reader: Reader, node: Node, path: str) -> bool:
    if not isinstance(node.value, bool):
        raise Refusal(_shown(node), "true or false")
    return node.value


def _whole(reader: Reader, node: Node, path: str) -> int:
    if not isinstance(node.value, int) or isinstance(node.value, bool):
        raise Refusal(_shown(node), "a whole number")
    return node.value


def _number(reader: Reader, node: Node, path: str) -> float:
    if not isinstance(node.value, int | float) or isinstance(node.value, bool):
        raise Refusal(_shown(node), "a number")
    return float(node.value)


def _id(reader: Reader, node: Node, path: str) -> str:
    if not isinstance(node.value, str) or not _ID.fullmatch(node.value):
        raise Refusal(_shown(node), "an id: a letter, then letters, digits, _ - or . (at most 64)")
    return node.value


def _instant(reader: Reader, node: Node, path: str) -> int:
    try:
        return parse_instant_us(node.value)
    except UnitError as error:
        raise Refusal(_shown(node), error.expected) from None


def _day(reader: Reader, node: Node, path: str) -> date:
    try:
        return date.fromisoformat(node.value if isinstance(node.value, str) and len(node.value) == 10 else "")
    except ValueError:
        raise Refusal(_shown(node), 'a day, such as "2031-04-02"') from None


def _time_of_day(reader: Reader, node: Node, path: str) -> int:
    match = _TIME_OF_DAY.fullmatch(node.value) if isinstance(node.value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else None
    if minutes is None or minutes > 24 * 60:
        raise Refusal(_shown(node), 'a time of day, such as "06:00"')
    return minutes


def _time_zone(reader: Reader, node: Node, path: str) -> str:
    try:
        return ZoneInfo(node.value if isinstance(node.value, str) else "").key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refusal(_shown(node), 'a zone of the IANA database, such as "Asia/Damascus"') from None


def _words(reader: Reader, node: Node, path: str) -> tuple[str, ...]:
    members = node.value if isinstance(node.value, list) else [node]
    if any(not isinstance(m.value, str) for m in members):
        raise Refusal(_shown(node), "text, or a list of texts")
    return tuple(str(m.value) for m in members)


def _json(reader: Reader, node: Node, path: str) -> Any:
    return node.plain()


_KINDS: dict[Kind, Convert] = {
    Kind.INSTANT: _instant,
    Kind.DAY: _day,
    Kind.TIME_OF_DAY: _time_of_day,
    Kind.ID: _id,
    Kind.TIME_ZONE: _time_zone,
    Kind.WORDS: _words,
    Kind.JSON: _json,
}
_SCALARS: dict[type, Convert] = {str: _text, bool: _truth, int: _whole, float: _number}


def _disputed(node: Node) -> Disputed | None:
    """Return the readings of a value in dispute, or None for one that is not."""
    value = node.value
    readings = value[State.DISPUTED].value if isinstance(value, dict) and State.DISPUTED in value else None
    if readings is None:
        return None
    if not isinstance(readings, list) or len(readings) < 2 or not all(isinstance(r.value, dict) for r in readings):
        raise Refusal("a dispute", "at least two readings, each {says: who, value: what, source: id}")
    told = [r.plain() for r in readings]
    return Disputed(readings=tuple((str(r.get("says", "")), str(r.get("value", ""))) for r in told))  # type: ignore[attr-defined]


def _shown(node: Node) -> str:
    """Return a value as a refusal shows it, cut to a line."""
    value = node.value
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else str(value).lower()
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
