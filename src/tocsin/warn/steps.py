"""What moves a case: events as it keeps them, its steps and rungs, what was withheld, and what falls due.

Values only: `ladder.step` makes them, nothing changes them. What was said and answered is in `telling.py`.
"""

from __future__ import annotations

from math import isnan
from typing import Any

from msgspec import Struct

from tocsin.units import format_instant, format_instant_if
from tocsin.warn.states import CaseInput, CaseState, DeadlineKind, MuteReason, Purpose
from tocsin.watch.event import Event, EventKind


class CaseEvent(Struct, frozen=True, kw_only=True):
    """What a case keeps of an event: enough to say what was seen, where and when.

    Attributes
    ----------
    event_id, rule_id, zone_id : str
    kind : EventKind
    at_us, known_us : int
    lat_deg, lon_deg, accuracy_m : float
        Accuracy is NaN when no report gave one.
    measured : tuple of (str, float)
        Sorted by name; names from `watch.event.MEASURES`.
    began : int
        The level that it began by its own conduct; 0 if none.
    withdrawn : bool
        True once later data withdrew it.
    """

    event_id: str
    rule_id: str
    zone_id: str
    kind: EventKind
    at_us: int
    known_us: int
    lat_deg: float
    lon_deg: float
    accuracy_m: float
    measured: tuple[tuple[str, float], ...] = ()
    began: int = 0
    withdrawn: bool = False

    @classmethod
    def of(cls, event: Event, *, began: int = 0) -> CaseEvent:
        """Return what a case keeps of this event."""
        return cls(
            event_id=event.event_id,
            rule_id=event.rule_id,
            zone_id=event.zone_id,
            kind=event.kind,
            at_us=event.at_us,
            known_us=event.known_us,
            lat_deg=event.lat_deg,
            lon_deg=event.lon_deg,
            accuracy_m=event.accuracy_m,
            measured=tuple(sorted((name, value) for name, value in event.measured.items() if not isnan(value))),
            began=began,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the event as a JSON object; a missing accuracy as null."""
        return {
            "event_id": self.event_id,
            "rule": self.rule_id,
            "zone": self.zone_id,
            "kind": str(self.kind),
            "at": format_instant(self.at_us),
            "known": format_instant(self.known_us),
            "lat_deg": self.lat_deg,
            "lon_deg": self.lon_deg,
            "accuracy_m": None if isnan(self.accuracy_m) else self.accuracy_m,
            "measured": dict(self.measured),
            "began_level": self.began,
            "withdrawn": self.withdrawn,
        }


class Step(Struct, frozen=True, kw_only=True):
    """One move of a case, with what caused it.

    Attributes
    ----------
    at_us : int
    input : CaseInput
    from_state, to_state : CaseState
    level_before, level : int
        The rung before and after; 0 before the first.
    reason : str
        A sentence for people; what happened, and what the agreement does not set.
    event_id, message_id, answer_id : str or None
        What the step is about.
    """

    at_us: int
    input: CaseInput
    from_state: CaseState
    to_state: CaseState
    level_before: int
    level: int
    reason: str
    event_id: str | None = None
    message_id: str | None = None
    answer_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the step as a JSON object."""
        return {
            "at": format_instant(self.at_us),
            "input": str(self.input),
            "from": str(self.from_state),
            "to": str(self.to_state),
            "level_before": self.level_before,
            "level": self.level,
            "reason": self.reason,
            "event": self.event_id,
            "message": self.message_id,
            "answer": self.answer_id,
        }


class Rung(Struct, frozen=True, kw_only=True):
    """One telling: a level begun, a person called, or the end announced.

    Attributes
    ----------
    purpose : Purpose
    level : int
    began_us : int
    event_id : str or None
        The event it tells of.
    told : tuple of str
        Whom: party ids, `MOVER`, or the person called.
    unreachable : tuple of str
        Those of them to whom no way is left.
    acknowledged : tuple of str
        Those of them whose acknowledgement was counted.
    sayings : int
        How often it was said: 1, and one for each repeat.
    answer_due_us : int or None
        When silence climbs; None where the agreement sets no deadline.
    answer_left_s : float or None
        Seconds that were left to answer when nothing stood any longer; they go on where the same level begins again.
    aside : bool
        True if it was said beside the present rung, whose deadlines run on.
    standins : tuple of (str, str)
        Who was told instead, and instead of whom: their answer counts for the other.
    """

    purpose: Purpose
    level: int
    began_us: int
    event_id: str | None
    told: tuple[str, ...]
    unreachable: tuple[str, ...] = ()
    acknowledged: tuple[str, ...] = ()
    sayings: int = 0
    answer_due_us: int | None = None
    answer_left_s: float | None = None
    aside: bool = False
    standins: tuple[tuple[str, str], ...] = ()

    def credited(self, who: str) -> str:
        """Return for whom an answer of this person counts: the one they stand in for, or themselves."""
        return next((of for name, of in self.standins if name == who), who)

    def as_json(self) -> dict[str, Any]:
        """Return the rung as a JSON object."""
        return {
            "purpose": str(self.purpose),
            "level": self.level,
            "began": format_instant(self.began_us),
            "event": self.event_id,
            "told": list(self.told),
            "unreachable": list(self.unreachable),
            "acknowledged": list(self.acknowledged),
            "sayings": self.sayings,
            "answer_due": format_instant_if(self.answer_due_us),
            "answer_left_s": self.answer_left_s,
            "aside": self.aside,
            "standins": [list(pair) for pair in self.standins],
        }


class Mute(Struct, frozen=True, kw_only=True):
    """Something withheld, with its reason and its end.

    Attributes
    ----------
    at_us : int
    until_us : int or None
        None: for as long as the exemption covers the track.
    reason : MuteReason
    detail : str
        The exemption's id, or a sentence.
    track_id : str
    case_id : str or None
    event_id : str or None
    level : int
    """

    at_us: int
    until_us: int | None
    reason: MuteReason
    detail: str
    track_id: str
    case_id: str | None
    event_id: str | None
    level: int

    def as_json(self) -> dict[str, Any]:
        """Return the mute as a JSON object."""
        return {
            "at": format_instant(self.at_us),
            "until": format_instant_if(self.until_us),
            "reason": str(self.reason),
            "detail": self.detail,
            "track": self.track_id,
            "case": self.case_id,
            "event": self.event_id,
            "level": self.level,
        }


class Deadline(Struct, frozen=True, kw_only=True, order=True):
    """Something that falls due in a case; sorted by time, then case, kind and subject.

    Attributes
    ----------
    at_us : int
    case_id : str
    kind : DeadlineKind
    about : str
        The message to try again; empty for the other kinds.
    """

    at_us: int
    case_id: str
    kind: DeadlineKind
    about: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the deadline as a JSON object."""
        return {"at": format_instant(self.at_us), "what": str(self.kind), "about": self.about or None}
