"""The case: one track's encounter with the zones of one ladder, and everything said and answered in it.

A case is a value: `ladder.step` makes the next one of it, and nothing else changes it. It holds its whole timeline
(steps, rungs, messages, attempts, answers, what was withheld, what falls due), so that a line of `cases.jsonl` is
enough to draw it and a ladder can be replayed from the record alone. It holds no opinion on who was at fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Any

from tocsin.canon import canonical_line
from tocsin.units import format_instant
from tocsin.warn.content import Facts
from tocsin.warn.states import (
    OUT,
    AnswerKind,
    CaseInput,
    CaseOutcome,
    CaseState,
    DeadlineKind,
    Disposition,
    MessageState,
    MuteReason,
    Purpose,
)
from tocsin.watch.event import Event, EventKind


def _instant(at_us: int | None) -> str | None:
    return None if at_us is None else format_instant(at_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
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
            "answer_due": _instant(self.answer_due_us),
            "answer_left_s": self.answer_left_s,
            "aside": self.aside,
            "standins": [list(pair) for pair in self.standins],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing said to one recipient on one channel.

    Attributes
    ----------
    message_id : str
        The idempotency key: the same at every attempt, on every machine, after every restart.
    case_id : str
    rung : int
        Index into `Case.rungs`.
    purpose : Purpose
    level : int
    channel, recipient : str
        A person called has their own id as channel.
    saying : int
        0 for the first, then one for each time it was said again to this recipient on this channel.
    is_repeat : bool
        True if something of the same rung had reached the recipient already.
    event_id : str or None
        The event it tells of.
    queued_us : int
    text_id : str or None
        The agreement's words used.
    languages : tuple of str
        Languages of those words, in order.
    subject, body : str
        As sent: neutralised, without control characters.
    relay_for : str or None
        To whom the recipient is asked to pass it on; None if it is meant for the recipient.
    state : MessageState
    state_us : int
        Since when.
    facts : Facts or None
        What it says, for machines; not in its JSON, since the case holds all of it.
    """

    message_id: str
    case_id: str
    rung: int
    purpose: Purpose
    level: int
    channel: str
    recipient: str
    saying: int
    is_repeat: bool
    event_id: str | None
    queued_us: int
    text_id: str | None
    languages: tuple[str, ...]
    subject: str
    body: str
    relay_for: str | None = None
    state: MessageState = MessageState.QUEUED
    state_us: int = 0
    facts: Facts | None = None

    @property
    def meant_for(self) -> str:
        """Who is to be told by it: the recipient, or the one to whom it is to be passed on."""
        return self.relay_for or self.recipient

    def as_json(self) -> dict[str, Any]:
        """Return the message as a JSON object."""
        return {
            "message_id": self.message_id,
            "case": self.case_id,
            "rung": self.rung,
            "purpose": str(self.purpose),
            "level": self.level,
            "channel": self.channel,
            "recipient": self.recipient,
            "saying": self.saying,
            "is_repeat": self.is_repeat,
            "event": self.event_id,
            "queued": format_instant(self.queued_us),
            "text": self.text_id,
            "languages": list(self.languages),
            "subject": self.subject,
            "body": self.body,
            "relay_for": self.relay_for,
            "state": str(self.state),
            "since": format_instant(self.state_us),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a transport says of one attempt.

    Attributes
    ----------
    state : MessageState
        `handed_over`, `delivered` (only on proof), `failed_for_now`, `failed_for_good`, or `unknown` if the attempt
        was cut off.
    reason : str
        In the transport's own words; empty if there is nothing to say.
    transport : str
        Kind of transport, such as `webhook`.
    transport_id : str or None
        The transport's own id of what it took.
    retry_after_s : float or None
        The receiver's wish, if it named one.
    held_back : bool
        True if nothing was tried, since the recipient had heard enough repeats for the moment.
    """

    state: MessageState
    reason: str = ""
    transport: str = ""
    transport_id: str | None = None
    retry_after_s: float | None = None
    held_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of one message on one channel.

    Attributes
    ----------
    attempt_id, message_id : str
    number : int
        From 1.
    begun_us : int
        When it was decided and recorded, before the send.
    ended_us : int or None
    outcome : Outcome or None
        None while nobody knows: in flight, or cut off by a crash.
    """

    attempt_id: str
    message_id: str
    number: int
    begun_us: int
    ended_us: int | None = None
    outcome: Outcome | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the attempt as a JSON object."""
        found = self.outcome
        return {
            "attempt_id": self.attempt_id,
            "message": self.message_id,
            "number": self.number,
            "begun": format_instant(self.begun_us),
            "ended": _instant(self.ended_us),
            "outcome": str(found.state) if found else None,
            "reason": found.reason if found else None,
            "transport": found.transport if found else None,
            "transport_id": found.transport_id if found else None,
            "held_back": found.held_back if found else False,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """An answer as it was recorded: a claim by a named person, with the end it came to.

    Attributes
    ----------
    answer_id : str
    case_id : str or None
        None when it is about no case.
    at_us : int
    who, party : str
        The person, and the party they speak for.
    kind : AnswerKind
    disposition : Disposition
        What it did. No disposition means anything beyond receipt.
    level : int or None
    channel : str or None
    text : str
        What was said, neutralised.
    source : str
        Where the answer was read, such as `answers.jsonl:3`.
    to : str or None
        The echelon to which it was passed on.
    """

    answer_id: str
    case_id: str | None
    at_us: int
    who: str
    party: str
    kind: AnswerKind
    disposition: Disposition
    level: int | None
    channel: str | None
    text: str
    source: str
    to: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the acknowledgement as a JSON object."""
        return {
            "answer_id": self.answer_id,
            "case": self.case_id,
            "at": format_instant(self.at_us),
            "who": self.who,
            "party": self.party,
            "what": str(self.kind),
            "disposition": str(self.disposition),
            "level": self.level,
            "channel": self.channel,
            "text": self.text,
            "source": self.source,
            "to": self.to,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
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
            "until": _instant(self.until_us),
            "reason": str(self.reason),
            "detail": self.detail,
            "track": self.track_id,
            "case": self.case_id,
            "event": self.event_id,
            "level": self.level,
        }


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Deadline:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
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
            "closed": _instant(self.closed_us),
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
