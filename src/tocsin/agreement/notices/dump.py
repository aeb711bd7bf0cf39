"""Dump: a register as bytes that another process goes on from, deciding the same.

Everything the register remembers but the facts it has told, which are whoever asked's to keep. The rules are compiled
anew from the agreement. Not a format for others: a version of Tocsin reads its own.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tocsin.agreement.notices.alike import Alike
from tocsin.agreement.notices.check import Flagged
from tocsin.agreement.notices.due import Calendar, Due
from tocsin.agreement.notices.held import Held
from tocsin.agreement.notices.notice import (
    Area,
    Around,
    Consent,
    Mover,
    Notice,
    PlaceOf,
    Position,
    Route,
    SiteOf,
    Verification,
)
from tocsin.agreement.notices.owed import Line
from tocsin.agreement.notices.register import Register
from tocsin.agreement.notices.rules import Rules
from tocsin.agreement.notices.standing import Standing
from tocsin.agreement.notices.words import Act, NoticeKind, RuleName


class _Place(msgspec.Struct, kw_only=True):
    """A place of any of the three sorts."""

    sort: str
    positions: tuple[Position, ...]
    metres: float = 0.0


class _Notice(msgspec.Struct, kw_only=True):
    """A notice with its place in one type; the fields are `Notice`'s, which a test compares."""

    reference: str
    rule: RuleName
    kind: NoticeKind
    act: Act
    replaces: str | None
    party: str
    given_by: str
    given_us: int
    entered_us: int | None
    movers: tuple[Mover, ...]
    place: _Place | None
    site: SiteOf | None
    from_us: int | None
    to_us: int | None
    content: dict[str, str]
    reason: str
    verification: Verification | None
    consents: tuple[Consent, ...]
    source: str


class _Held(msgspec.Struct, kw_only=True):
    """A held notice; the fields are `Held`'s."""

    notice: _Notice
    flags: tuple[Flagged, ...]
    zones: tuple[str, ...]
    standing: Standing
    since_us: int
    confirmed_us: int
    successor: str | None
    predecessor: str | None
    lines: list[Line]
    consents: list[Consent]
    verifications: list[Verification]
    stood: list[tuple[int, int]]


class _Kept(msgspec.Struct, kw_only=True):
    """A register as it is kept."""

    held: list[_Held]
    other_names: dict[str, str]
    due: list[Due]
    due_count: int
    alike: list[str]
    by_hash: dict[str, str]


_DECODER = msgspec.msgpack.Decoder(_Kept)


def dump_register(register: Register) -> bytes:
    """Return a register, its facts left out, as bytes that `load_register` reads."""
    kept = register.kept()
    return msgspec.msgpack.encode(
        _Kept(
            held=[_held_out(held) for held in kept.held.values()],
            other_names=kept.other_names,
            due=kept.calendar.held,
            due_count=kept.calendar.count,
            alike=kept.alike.names,
            by_hash=kept.alike.by_hash,
        )
    )


def load_register(dump: bytes, rules: Rules) -> Register:
    """Return the register that `dump_register` wrote, going on by the rules in force.

    Raises
    ------
    ValueError
        If the bytes are of another version.
    """
    try:
        kept = _DECODER.decode(dump)
    except msgspec.DecodeError as error:
        raise ValueError(f"found no register of notices: {error}") from error
    held = {found.notice.notice_id: found for found in map(_held_in, kept.held)}
    alike = Alike()
    for name in kept.alike:
        alike.add(held[name].notice)
    alike.by_hash = kept.by_hash
    return Register(rules, held=held, other_names=kept.other_names, due=Calendar(kept.due, kept.due_count), alike=alike)


def _fields(record: Any, names: tuple[str, ...], but: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names if name not in but}


def _held_out(held: Held) -> _Held:
    fields = _fields(held, _Held.__struct_fields__, but=("notice", "lines"))
    return _Held(notice=_notice_out(held.notice), lines=list(held.lines.values()), **fields)


def _held_in(kept: _Held) -> Held:
    fields = _fields(kept, _Held.__struct_fields__, but=("notice", "lines"))
    lines = {(line.receipt, line.unit): line for line in kept.lines}
    return Held(notice=_notice_in(kept.notice), lines=lines, **fields)


def _notice_out(notice: Notice) -> _Notice:
    fields = _fields(notice, _Notice.__struct_fields__, but=("place", "content"))
    place = None if notice.place is None else _place_out(notice.place)
    return _Notice(place=place, content=dict(notice.content), **fields)


def _notice_in(kept: _Notice) -> Notice:
    fields = _fields(kept, _Notice.__struct_fields__, but=("place",))
    return Notice(place=None if kept.place is None else _place_in(kept.place), **fields)


def _place_out(place: PlaceOf) -> _Place:
    match place:
        case Route():
            return _Place(sort="route", positions=place.line, metres=place.half_width_m)
        case Area():
            return _Place(sort="area", positions=place.ring)
        case Around():
            return _Place(sort="around", positions=(place.at,), metres=place.radius_m)


def _place_in(kept: _Place) -> PlaceOf:
    if kept.sort == "route":
        return Route(line=kept.positions, half_width_m=kept.metres)
    return Area(ring=kept.positions) if kept.sort == "area" else Around(at=kept.positions[0], radius_m=kept.metres)
