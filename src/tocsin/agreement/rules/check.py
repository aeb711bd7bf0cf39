"""The frame of a lint check: what a finding is, how a check is registered, and what every check may ask.

A check reads values, never free text, and answers one row of the list of mechanisms (docs/findings). It says that a
mechanism is not set, never whether an agreement is good or who broke it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

from msgspec import Struct

from tocsin.agreement.geometry import regions_of
from tocsin.agreement.model import Agreement, Party
from tocsin.agreement.terms.places import Zone
from tocsin.agreement.terms.state import Blank, Disputed, State, given
from tocsin.agreement.terms.telling import Channel, LadderLevel
from tocsin.agreement.terms.types import Record
from tocsin.errors import AgreementError, Place
from tocsin.geo.shapes import Region


class Severity(StrEnum):
    """How much a missing mechanism weighs."""

    ERROR = "E"
    """Cannot be run, or a known killer."""
    WARNING = "W"
    INFORMATION = "I"


class Finding(Struct, frozen=True, kw_only=True):
    """One mechanism that is not set, or at odds with another.

    Attributes
    ----------
    code : str
        The check, such as `WRN-04`; docs/findings has a page for each.
    severity : Severity
    state : State
    where : Place
        File, line and path; what is missing has the place it would stand in.
    path : str
        The path with ids instead of positions: the same however the lists are shuffled.
    message : str
        One sentence, naming the mechanism.
    fix : str
        A stub, as YAML.
    quoted : str
        The line of the file.
    """

    code: str
    severity: Severity
    state: State
    where: Place
    path: str
    message: str
    fix: str
    quoted: str = ""


class Gap(Struct, frozen=True):
    """What a check yields: the state, the path and the sentence; `lint` makes a finding of it."""

    state: State
    path: str
    message: str


Test: TypeAlias = Callable[["View"], Iterable[Gap]]


class Check(Struct, frozen=True, kw_only=True):
    """One row of the list of mechanisms.

    Attributes
    ----------
    code, title : str
    severity : Severity
    armed_only : bool
        True if the question does not arise under `armed: false`.
    keys : tuple of str
        The keys it depends on, such as `ladder[].ack_within`: without one of them it may speak.
    fix : str
        How to set it, as YAML.
    test : callable
    """

    code: str
    title: str
    severity: Severity
    armed_only: bool
    keys: tuple[str, ...]
    fix: str
    test: Test


REGISTERED: dict[str, Check] = {}
"""Every check by its code, in the order in which the modules were imported."""


def check(
    code: str, title: str, *, severity: Severity, keys: tuple[str, ...], fix: str, armed_only: bool = False
) -> Callable[[Test], Test]:
    """Register a check under its code.

    Raises
    ------
    ValueError
        If the code is taken.
    """

    def register(test: Test) -> Test:
        if code in REGISTERED:
            raise ValueError(f"check {code} is registered twice")
        REGISTERED[code] = Check(
            code=code, title=title, severity=severity, armed_only=armed_only, keys=keys, fix=fix.strip("\n"), test=test
        )
        return test

    return register


_SAYS = {
    State.SILENT: "leaves unsaid",
    State.NOT_SET: "declares as not set",
    State.DISPUTED: "leaves in dispute",
}


class View:
    """An agreement as the checks see it: its lists, its regions, and its blanks as sentences."""

    def __init__(self, agreement: Agreement) -> None:
        self.agreement = agreement

    @cached_property
    def parties(self) -> tuple[Party, ...]:
        """The parties, by id: the order in which they are named must not depend on the file."""
        return tuple(sorted(given(self.agreement.parties) or (), key=lambda p: (given(p.name) or "", p.id)))

    @cached_property
    def party_ids(self) -> frozenset[str]:
        """The ids of the parties."""
        return frozenset(p.id for p in self.parties)

    @cached_property
    def zones(self) -> tuple[Zone, ...]:
        """All zones, by id."""
        return tuple(sorted(given(self.agreement.zones) or (), key=lambda z: z.id))

    @cached_property
    def bound(self) -> tuple[Zone, ...]:
        """The zones that bind somebody: all but the exemptions."""
        return tuple(z for z in self.zones if not z.is_exemption)

    @cached_property
    def zone_ids(self) -> frozenset[str]:
        """The ids of the zones."""
        return frozenset(z.id for z in self.zones)

    def knows_party(self, name: str) -> bool:
        """Return True if a name is a party's; also where no party is named at all, which PAR-01 says once."""
        return name in self.party_ids or not self.party_ids

    def knows_zone(self, name: str) -> bool:
        """Return True if a name is a zone's; also where no zone is drawn at all, which GEO-01 says once."""
        return name in self.zone_ids or not self.zone_ids

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """The channels, by id."""
        return tuple(sorted(given(self.agreement.channels) or (), key=lambda c: c.id))

    @cached_property
    def channel_by_id(self) -> dict[str, Channel]:
        """The channels by id."""
        return {c.id: c for c in self.channels}

    @cached_property
    def levels(self) -> tuple[LadderLevel, ...]:
        """The levels of the ladder, by number."""
        return tuple(sorted(given(self.agreement.ladder) or (), key=lambda v: v.level))

    @cached_property
    def regions(self) -> dict[str, Region | AgreementError]:
        """Each zone's region by its id, or why it has none."""
        return {z.id: found for z, found in zip(self.zones, regions_of(self.agreement, self.zones), strict=True)}

    def need(self, path: str, subject: str, what: str) -> Iterator[Gap]:
        """Yield a gap unless the path is set or declared not applicable."""
        yield from self.gap(self.agreement.state(path), path, subject, what)

    def need_of(self, record: Record, key: str, subject: str, what: str) -> Iterator[Gap]:
        """Yield a gap unless a field of a record is set or declared not applicable.

        `key` is the field's key in the file; the field itself may end in a unit or an underscore.
        """
        state = state_of(getattr(record, _field(type(record), key)))
        if state in _SAYS:
            path = f"{record.path}.{key}" if record.path else key
            yield from self.gap(state, path, subject, what)

    def gap(self, state: State, path: str, subject: str, what: str) -> Iterator[Gap]:
        """Yield the gap of a state that is a blank; nothing for one that is set or not applicable."""
        if state in _SAYS:
            yield Gap(state, path, f"{subject} {_SAYS[state]} {what}.")

    def odd(self, path: str, message: str) -> Gap:
        """Return the gap of something that is set and at odds with something else."""
        return Gap(State.INCONSISTENT, path, message)


def state_of(value: object) -> State:
    """Return the state of a field of a record."""
    if value is None:
        return State.SILENT
    if isinstance(value, Blank):
        return State.NOT_SET if value is Blank.NOT_SET else State.NOT_APPLICABLE
    return State.DISPUTED if isinstance(value, Disputed) else State.SET


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence has them: "a, b and c".

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


_FIELDS: dict[tuple[type, str], str] = {}


def _field(kind: type, key: str) -> str:
    """Return the name of the field of a record class that answers to a key."""
    if (kind, key) not in _FIELDS:
        names = [key + ending for ending in ("", "_", "_m", "_mps", "_s", "_us", "_min") if hasattr(kind, key + ending)]
        if not names:
            raise AttributeError(f"{kind.__name__} has no field for {key}")
        _FIELDS[kind, key] = names[0]
    return _FIELDS[kind, key]
