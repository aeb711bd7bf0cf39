"""Diff: what changed from one version of an agreement to the next, in words, and what that opened or closed.

Compares values, not text: `55 km` and `radius_m: 55000` are the same, and so is another order of keys. List members are
matched by id, level or name. Whether a change is good is not said; what it does to the list of mechanisms is (`opened`,
`closed`), by linting both versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tocsin.agreement.lint import lint
from tocsin.agreement.model import Agreement
from tocsin.agreement.rules.check import Finding, listed, state_of
from tocsin.agreement.source.read import Plan, Slot, alternatives, kind_of, plan_of, quantity_of
from tocsin.agreement.terms.places import Weekly, Zone
from tocsin.agreement.terms.state import State, given
from tocsin.agreement.terms.types import Kind, Quantity, Record, Vague
from tocsin.agreement.versions.drift import drift_of
from tocsin.clock import US_PER_S
from tocsin.units import format_duration, format_instant


class ChangeKind(StrEnum):
    """What happened to a value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Change(Struct, frozen=True, kw_only=True):
    """One change.

    Attributes
    ----------
    kind : ChangeKind
    path : str
        With ids instead of positions, such as `zones[ring].geometry.circle.radius`.
    before, after : str
        The two values in words; empty where there is none.
    by : str
        How far apart they are, in words; empty where that has no measure.
    """

    kind: ChangeKind
    path: str
    before: str = ""
    after: str = ""
    by: str = ""

    def __str__(self) -> str:
        if self.kind is ChangeKind.CHANGED:
            return f"{self.path}: {self.before} → {self.after}" + (f" ({self.by})" if self.by else "")
        sign, value = ("+", self.after) if self.kind is ChangeKind.ADDED else ("-", self.before)
        return f"{sign} {self.path}" + (f": {value}" if value else "")


class Diff(Struct, frozen=True, kw_only=True):
    """The changes between two versions, and the findings that they opened and closed."""

    changes: tuple[Change, ...]
    opened: tuple[Finding, ...]
    closed: tuple[Finding, ...]


def diff(before: Agreement, after: Agreement) -> Diff:
    """Return what changed from one version of an agreement to another."""
    found = sorted([*_records(before, after, ""), *_features(before, after)], key=lambda c: c.path)
    old, new = lint(before), lint(after)
    known, still = {_mark(f) for f in old}, {_mark(f) for f in new}
    return Diff(
        changes=tuple(found),
        opened=tuple(f for f in new if _mark(f) not in known),
        closed=tuple(f for f in old if _mark(f) not in still),
    )


def format_diff(found: Diff) -> str:
    """Return a diff for people."""
    lines = [str(change) for change in found.changes] or ["No term changed."]
    for title, findings in (("Opened by this", found.opened), ("Closed by this", found.closed)):
        if findings:
            lines += ["", title, *(f"{f.severity} {f.code} {f.state}: {f.message}" for f in findings)]
    return "\n".join(lines)


def _mark(finding: Finding) -> tuple[str, str, str, str]:
    return finding.code, finding.path, finding.state, finding.message


def _records(before: Record, after: Record, path: str) -> Iterator[Change]:
    if isinstance(before, Weekly) and isinstance(after, Weekly):
        shift = _shift(before, after)
        if shift is not None:
            yield replace(shift, path=path)
            return
    plan: Plan = plan_of(type(before))
    for _, slot in plan.collected:
        yield from _values(getattr(before, slot.name), getattr(after, slot.name), path, slot)
    for slot in dict.fromkeys(plan.keys.values()):
        at = f"{path}.{slot.key}" if path else slot.key
        if at == "features":
            continue
        yield from _values(getattr(before, slot.name), getattr(after, slot.name), at, slot)


def _values(before: Any, after: Any, path: str, slot: Slot) -> Iterator[Change]:
    if before == after and type(before) is type(after):
        return
    old, new = state_of(before), state_of(after)
    if State.SET in (old, new) and old != new:
        kind = ChangeKind.CHANGED if State.SILENT not in (old, new) else _kind(old)
        yield Change(kind=kind, path=path, before=_shown(before, slot), after=_shown(after, slot))
    elif old != new:
        yield Change(kind=ChangeKind.CHANGED, path=path, before=_state(old), after=_state(new))
    elif isinstance(before, Record) and type(before) is type(after):
        yield from _records(before, after, path)
    elif isinstance(before, tuple) and isinstance(after, tuple):
        yield from _lists(before, after, path, slot)
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _values(before.get(key), after.get(key), f"{path}.{key}", slot)
    else:
        by = _apart(before, after, slot)
        shown = _shown(before, slot), _shown(after, slot)
        yield Change(kind=ChangeKind.CHANGED, path=path, before=shown[0], after=shown[1], by=by)


def _lists(before: tuple[Any, ...], after: tuple[Any, ...], path: str, slot: Slot) -> Iterator[Change]:
    if not all(isinstance(member, Record | str) for member in (*before, *after)):
        yield Change(kind=ChangeKind.CHANGED, path=path, before=_shown(before, slot), after=_shown(after, slot))
        return
    old, new = _labelled(before), _labelled(after)
    for label in dict.fromkeys((*old, *new)):
        at = path if label in before or label in after else f"{path}[{label}]"
        if label in old and label in new:
            if isinstance(old[label], Record) and type(old[label]) is type(new[label]):
                yield from _records(old[label], new[label], at)
            elif old[label] != new[label]:
                shown = _shown(old[label], slot), _shown(new[label], slot)
                yield Change(kind=ChangeKind.CHANGED, path=at, before=shown[0], after=shown[1])
            continue
        gone = label in old
        words = _shown(old[label] if gone else new[label], slot)
        kind = ChangeKind.REMOVED if gone else ChangeKind.ADDED
        yield Change(kind=kind, path=at, before=words if gone else "", after="" if gone else words)


def _labelled(members: tuple[Any, ...]) -> dict[str, Any]:
    """Return list members by what names them: id, level, what, or their place."""
    found: dict[str, Any] = {}
    for place, member in enumerate(members):
        label = member if isinstance(member, str) else str(place)
        for key in ("id", "level", "what"):
            name = getattr(member, key, None)
            if isinstance(name, str | int):
                label = f"level {name}" if key == "level" else str(name)
                break
        found[label if label not in found else f"{label} ({place})"] = member
    return found


def _shift(before: Weekly, after: Weekly) -> Change | None:
    """Return the one change of a weekly window that only moved on the clock; None if anything else changed."""
    a, b, c, d = given(before.from_min), given(before.to_min), given(after.from_min), given(after.to_min)
    if a is None or b is None or c is None or d is None or (before.days, before.zone) != (after.days, after.zone):
        return None
    if c - a != d - b or c == a:
        return None
    by = f"shifted by {format_duration(abs(c - a) * 60)}, {'later' if c > a else 'earlier'}"
    old, new = f"{_clock(a)} to {_clock(b)}", f"{_clock(c)} to {_clock(d)}"
    return Change(kind=ChangeKind.CHANGED, path=after.path, before=old, after=new, by=by)


def _features(before: Agreement, after: Agreement) -> Iterator[Change]:
    for name in sorted({*before.by_feature, *after.by_feature}):
        old, new = before.by_feature.get(name), after.by_feature.get(name)
        path = f"features[{name}]"
        if old is None or new is None:
            kind = ChangeKind.ADDED if old is None else ChangeKind.REMOVED
            yield Change(kind=kind, path=path)
            continue
        if (old.kind, old.coordinates) != (new.kind, new.coordinates):
            hang = [zone.id for zone in given(after.zones) or () if name in _names(after, zone)]
            also = f"; zone{'s' if len(hang) > 1 else ''} {listed(hang)} with it" if hang else ""
            by = drift_of(old, new) + also
            yield Change(kind=ChangeKind.CHANGED, path=path, before=_place(old), after=_place(new), by=by)
        if dict(old.properties) != dict(new.properties):
            keys = sorted(
                k for k in {*old.properties, *new.properties} if old.properties.get(k) != new.properties.get(k)
            )
            yield Change(
                kind=ChangeKind.CHANGED,
                path=f"{path}.properties",
                before=", ".join(f"{k} {old.properties.get(k)}" for k in keys),
                after=", ".join(f"{k} {new.properties.get(k)}" for k in keys),
            )


def _names(agreement: Agreement, zone: Zone) -> set[str]:
    """Return the features that a zone's shape hangs on."""
    told = given(zone.geometry)
    if told is None:
        return set()
    parts = [given(told.circle), given(told.corridor), given(told.sector)]
    names = {getattr(p, key, None) for p in parts if p for key in ("centre", "line")} | {given(told.polygon)}
    sites = {site.id: given(site.feature) for site in given(agreement.sites) or ()}
    return {feature for name in names if isinstance(name, str) for feature in (name, sites.get(name)) if feature}


def _place(feature: Any) -> str:
    if feature.kind == "Point":
        lon, lat = feature.coordinates[:2]
        return f"{lat:.6f}, {lon:.6f}"
    return f"a {feature.kind}"


def _kind(old: State) -> ChangeKind:
    return ChangeKind.ADDED if old is State.SILENT else ChangeKind.REMOVED


def _state(state: State) -> str:
    return "not mentioned" if state is State.SILENT else str(state)


def _shown(value: Any, slot: Slot) -> str:
    """Return a value in words, with its unit."""
    state = state_of(value)
    if state is not State.SET:
        return _state(state)
    if isinstance(value, Record):
        return str(getattr(value, "id", f"{slot.key} set"))
    if isinstance(value, tuple):
        return f"[{', '.join(_shown(member, slot) for member in value)}]"
    if isinstance(value, bool | Vague):
        return str(value).lower() if isinstance(value, bool) else repr(value.text)
    return _number(value, slot) if isinstance(value, int | float) else str(value)


def _number(value: int | float, slot: Slot) -> str:
    kinds = [kind_of(part) for part in alternatives(slot.hint)]
    if Kind.INSTANT in kinds:
        return format_instant(int(value))
    if Kind.TIME_OF_DAY in kinds:
        return _clock(int(value))
    quantity = _quantity(slot)
    if quantity is Quantity.DURATION:
        return _time(value)
    unit = {Quantity.LENGTH: " m", Quantity.HEIGHT: " m", Quantity.SPEED: " m/s"}
    return f"{value:.10g}{unit[quantity] if quantity else ''}"


def _quantity(slot: Slot) -> Quantity | None:
    return next((q for part in alternatives(slot.hint) if (q := quantity_of(part))), None)


def _apart(before: Any, after: Any, slot: Slot) -> str:
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in (before, after)):
        return ""
    more, quantity = after - before, _quantity(slot)
    kinds = [kind_of(part) for part in alternatives(slot.hint)]
    if Kind.INSTANT in kinds:
        return f"{format_duration(abs(more) / US_PER_S)} {'later' if more > 0 else 'earlier'}"
    if Kind.TIME_OF_DAY in kinds:
        return f"{format_duration(abs(more) * 60)} {'later' if more > 0 else 'earlier'}"
    if quantity is Quantity.DURATION:
        return f"{_time(abs(more))} {'longer' if more > 0 else 'shorter'}"
    return f"{_number(abs(more), slot)} {'more' if more > 0 else 'less'}"


def _time(duration_s: float) -> str:
    """Return a duration in days where it is whole days, else in hours, minutes or seconds, exactly."""
    days = duration_s / 86_400
    if days >= 2 and days == round(days):
        return f"{days:g} days"
    return format_duration(duration_s) if duration_s < 120 or duration_s % 60 == 0 else f"{duration_s:.10g} s"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
