"""The case: one track's encounter with the zones of one ladder, and everything said and answered in it.

A case is a value: `ladder.step` makes the next one of it, and nothing else changes it. It holds its whole timeline
(steps, rungs, messages, attempts, answers, what was withheld, what falls due), so that a line of `cases.jsonl` is
enough to draw it and a ladder can be replayed from the record alone. It holds no opinion on who was at fault.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tocsin.canon import canonical_line
from tocsin.units import format_instant, format_instant_if
from tocsin.warn.states import OUT, AnswerKind, CaseOutcome, CaseState, Disposition
from tocsin.warn.steps import CaseEvent, Deadline, Mute, Rung, Step
from tocsin.warn.telling import Acknowledgement, Attempt, Message


class Case(Struct, frozen=True, kw_only=True):
    """One track's encounter with the zones of one ladder, from the first conduct that begins a level to all clear.

    Attributes
    ----------
    case_id : str
    agreement_id : str
    agreement_version : int
        The version under which it began, and ends.
    zones : tuple of str
        The zones that the ladder names: a case is about all of them, since one ladder leads through them.
    track_id : str
    party, category : str or None
        As declared by the reports.
    opened_us : int
    state : CaseState
    level : int
        The present rung; 0 before the first.
    highest_level : int
    closed_us : int or None
    outcome : CaseOutcome or None
    standing : tuple of str
        What stands now, sorted: `inside:ZONE`, `approach:ZONE`, `act:ZONE/ACT`.
    events : tuple of CaseEvent
        The events of this encounter, in the order they became known.
    present : int
        Index of the rung whose deadlines run; -1 before the first.
    steps, rungs, messages, attempts, acknowledgements, mutes : tuple
    deadlines : tuple of Deadline
        What still falls due.
    """

    case_id: str
    agreement_id: str
    agreement_version: int
    zones: tuple[str, ...]
    track_id: str
    party: str | None
    category: str | None
    opened_us: int
    state: CaseState = CaseState.NOTICED
    level: int = 0
    highest_level: int = 0
    closed_us: int | None = None
    outcome: CaseOutcome | None = None
    standing: tuple[str, ...] = ()
    events: tuple[CaseEvent, ...] = ()
    present: int = -1
    steps: tuple[Step, ...] = ()
    rungs: tuple[Rung, ...] = ()
    messages: tuple[Message, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    mutes: tuple[Mute, ...] = ()
    deadlines: tuple[Deadline, ...] = ()

    @property
    def nobody_reached(self) -> bool:
        """True if nobody and nothing took any message of the case."""
        return not any(message.state in OUT for message in self.messages)

    @property
    def echelons(self) -> tuple[tuple[int, str, str | None, AnswerKind], ...]:
        """How far down it is known to have got: when, who says so, to whom they passed it on, and what they say."""
        return tuple(
            (ack.at_us, ack.party, ack.to, ack.kind)
            for ack in self.acknowledgements
            if ack.disposition in {Disposition.COUNTED, Disposition.RECEIPT, Disposition.DOUBLE, Disposition.LATE}
        )

    @property
    def rung(self) -> Rung | None:
        """The present rung; None before the first."""
        return self.rungs[self.present] if self.present >= 0 else None

    @property
    def grounds(self) -> tuple[CaseEvent, ...]:
        """The events that began a level and still stand."""
        return tuple(event for event in self.events if event.began and not event.withdrawn)

    def event(self, event_id: str | None) -> CaseEvent | None:
        """Return the event of this id, or None."""
        return next((event for event in self.events if event.event_id == event_id), None)

    def message(self, message_id: str) -> Message | None:
        """Return the message of this id, or None."""
        return next((message for message in self.messages if message.message_id == message_id), None)

    def as_json(self) -> dict[str, Any]:
        """Return the case as a JSON object; instants as RFC 3339, missing values as null."""
        return {
            "case_id": self.case_id,
            "agreement": {"id": self.agreement_id, "version": self.agreement_version},
            "zones": list(self.zones),
            "track": self.track_id,
            "party": self.party,
            "category": self.category,
            "opened": format_instant(self.opened_us),
            "closed": format_instant_if(self.closed_us),
            "state": str(self.state),
            "outcome": str(self.outcome) if self.outcome else None,
            "level": self.level,
            "highest_level": self.highest_level,
            "nobody_reached": self.nobody_reached,
            "standing": list(self.standing),
            "events": [event.as_json() for event in self.events],
            "present_rung": self.present if self.present >= 0 else None,
            "steps": [step.as_json() for step in self.steps],
            "rungs": [rung.as_json() for rung in self.rungs],
            "messages": [message.as_json() for message in self.messages],
            "attempts": [attempt.as_json() for attempt in self.attempts],
            "acknowledgements": [ack.as_json() for ack in self.acknowledgements],
            "echelons": [
                {"at": format_instant(at_us), "party": party, "to": to, "what": str(kind)}
                for at_us, party, to, kind in self.echelons
            ],
            "mutes": [mute.as_json() for mute in self.mutes],
            "deadlines": [deadline.as_json() for deadline in self.deadlines],
        }

    def as_line(self) -> bytes:
        """Return the case as one canonical line of `cases.jsonl`."""
        return canonical_line(self.as_json())
