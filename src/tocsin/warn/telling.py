"""What a case said and what was answered: messages, attempts with what a transport said of them, acknowledgements.

Values only. A message is the same at every attempt; an acknowledgement is a claim, and none is permission.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tocsin.units import format_instant, format_instant_if
from tocsin.warn.content import Facts
from tocsin.warn.states import AnswerKind, Disposition, MessageState, Purpose


class Message(Struct, frozen=True, kw_only=True):
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


class Outcome(Struct, frozen=True, kw_only=True):
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


class Attempt(Struct, frozen=True, kw_only=True):
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
            "ended": format_instant_if(self.ended_us),
            "outcome": str(found.state) if found else None,
            "reason": found.reason if found else None,
            "transport": found.transport if found else None,
            "transport_id": found.transport_id if found else None,
            "held_back": found.held_back if found else False,
        }


class Acknowledgement(Struct, frozen=True, kw_only=True):
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
