"""JSON Schema of `tocsin-agreement/1`, for editors: generated from the annotations that the reader reads by.

JSON Schema 2020-12. It knows types, keys and the declared blanks; it knows no references between sections and measures
nothing, which `lint.py` and `compile.py` do. An unknown key is allowed: the reader keeps it and the linter says so.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin

from tocsin.agreement.model import FORMAT, Agreement
from tocsin.agreement.source.read import COMMON_KEYS, Slot, alternatives, plan_of, quantity_of
from tocsin.agreement.terms.state import NOT_APPLICABLE, NOT_SET, Blank, Disputed
from tocsin.agreement.terms.types import Kind, Quantity, Record, Vague

SCHEMA_ID = "https://tocsin.invalid/schema/tocsin-agreement-1.json"
"""A name, not an address: the schema comes with the program (`tocsin agreement schema`)."""

_UNIT_TEXT = r"^\s*[+-]?\d+(\.\d+)?\s*[A-Za-z/]+\s*$"
_ISO_DURATION = r"^P(?!$)(\d+Y)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$"
_INSTANT = r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?\s?([Zz]|[+-]\d\d:?\d\d)$"

_BLANK: dict[str, Any] = {"$ref": "#/$defs/blank"}

_KINDS: dict[Kind, dict[str, Any]] = {
    Kind.INSTANT: {"type": "string", "pattern": _INSTANT, "description": "An instant with its offset (RFC 3339)."},
    Kind.DAY: {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$", "description": "A day."},
    Kind.TIME_OF_DAY: {"type": "string", "pattern": r"^([01]\d|2[0-4]):[0-5]\d$", "description": "A local time."},
    Kind.ID: {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$"},
    Kind.TIME_ZONE: {"type": "string", "description": "A zone of the IANA database."},
    Kind.WORDS: {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    Kind.JSON: {},
}
_SCALARS: dict[type, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
}


def agreement_schema() -> dict[str, Any]:
    """Return the JSON Schema of an agreement, as JSON values."""
    defs: dict[str, Any] = {
        "blank": {
            "description": "Declared not set, or not applicable, or disputed with both readings.",
            "anyOf": [
                {"enum": [NOT_SET, NOT_APPLICABLE, None]},
                {"type": "object", "properties": {NOT_APPLICABLE: {"const": True}}, "required": [NOT_APPLICABLE]},
                {
                    "type": "object",
                    "properties": {"disputed": {"type": "array", "minItems": 2, "items": {"type": "object"}}},
                    "required": ["disputed"],
                },
            ],
        }
    }
    top = _record(Agreement, defs)
    top["properties"]["format"] = {"const": FORMAT}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": FORMAT,
        **top,
        "$defs": defs,
    }


def _record(cls: type[Record], defs: dict[str, Any]) -> dict[str, Any]:
    plan = plan_of(cls)
    properties: dict[str, Any] = {}
    for key, slot in plan.keys.items():
        properties[key] = _slot(slot, key, defs)
    for key in COMMON_KEYS:
        properties.setdefault(key, {"description": "Words for people."})
    schema: dict[str, Any] = {"type": "object", "description": _first_line(cls), "properties": properties}
    for pattern, slot in plan.collected:
        schema.setdefault("patternProperties", {}).update(_collected(pattern.pattern, slot, defs))
    if plan.required:
        schema["required"] = [slot.key for slot in plan.required]
    return schema


def _collected(pattern: str, slot: Slot, defs: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of keys that a pattern gathers: bare numbers where the key ends in a unit, text elsewhere."""
    quantity = quantity_of(slot.hint)
    ending = "|".join(quantity.key_units) if quantity else "(?!)"
    return {
        f"^(?=.*_({ending})$){pattern}$": {"anyOf": [_hint(slot.hint, "_unit", defs), _BLANK]},
        f"^(?!.*_({ending})$){pattern}$": {"anyOf": [_hint(slot.hint, "", defs), _BLANK]},
    }


def _slot(slot: Slot, key: str, defs: dict[str, Any]) -> dict[str, Any]:
    parts = [p for p in alternatives(slot.hint) if p not in (Blank, Disputed, type(None))]
    told = [_hint(part, key.removeprefix(slot.key), defs) for part in parts]
    told += [_BLANK] if slot.blank_allowed else []
    return told[0] if len(told) == 1 else {"anyOf": told}


def _hint(hint: Any, unit: str, defs: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one type; `unit` is what the key ends in beyond its name, such as `_m`."""
    origin = get_origin(hint)
    if origin is Annotated:
        base, mark = get_args(hint)[:2]
        return _quantity(mark, unit, vague=Vague in alternatives(base)) if isinstance(mark, Quantity) else _KINDS[mark]
    if origin is tuple:
        items = _any([_hint(part, unit, defs) for part in alternatives(get_args(hint)[0])])
        fixed = len(get_args(hint)) if get_args(hint)[-1] is not Ellipsis else None
        return {"type": "array", "items": items} | ({"minItems": fixed, "maxItems": fixed} if fixed else {})
    if origin is not None:
        values = [_hint(part, unit, defs) for part in alternatives(get_args(hint)[1])]
        return {"type": "object", "additionalProperties": _any([*values, _BLANK])}
    if issubclass(hint, Record):
        if hint.__name__ not in defs:
            defs[hint.__name__] = {}
            defs[hint.__name__] = _record(hint, defs)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    return {"enum": [str(member) for member in hint]} if issubclass(hint, StrEnum) else _SCALARS[hint]


def _quantity(quantity: Quantity, unit: str, *, vague: bool) -> dict[str, Any]:
    if unit:
        return {"type": "number"} | ({} if quantity is Quantity.HEIGHT else {"minimum": 0})
    units = ", ".join(quantity.units)
    text = {"type": "string", "description": f"A {quantity.noun} with its unit ({units})."}
    patterns = [_UNIT_TEXT, *([_ISO_DURATION] if quantity is Quantity.DURATION else [])]
    return text if vague else text | {"anyOf": [{"pattern": pattern} for pattern in patterns]}


def _any(told: list[dict[str, Any]]) -> dict[str, Any]:
    return told[0] if len(told) == 1 else {"anyOf": told}


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().split("\n")[0]
