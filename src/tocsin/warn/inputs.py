"""What enters a case and what comes out of it: happenings in, actions out, both plain records.

A happening says what occurred outside; `ladder.step` decides which input of the table it is. An action says what the
shell is to do; it has already been decided, and the step that says so is in the case. Neither does anything itself.
"""

from __future__ import annotations

from msgspec import Struct

from tocsin.errors import Place
from tocsin.warn.states import AnswerKind, CaseOutcome, MuteReason
from tocsin.warn.steps import Deadline
from tocsin.warn.telling import Message, Outcome
from tocsin.watch.event import Event


class Found(Struct, frozen=True, kw_only=True):
    """The watch found, amended or withdrew an event."""

    event: Event


class Reported(Struct, frozen=True, kw_only=True):
    """A transport reported the outcome of an attempt.

    Attributes
    ----------
    message_id : str
    number : int
        Which attempt, from 1.
    outcome : Outcome
    at_us : int or None
        When the outcome was known; None: now.
    """

    message_id: str
    number: int
    outcome: Outcome
    at_us: int | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """Something was heard back: one line of an answers file, as read.

    Attributes
    ----------
    at_us : int
    who, party : str
        A named person, and the party (or `MOVER`, or the person called) that they answer for.
    kind : AnswerKind
    case_id, track_id, message_id : str or None
        What it is about: at least one is given; a case may be named by the first eight or more digits of its id.
    level : int or None
    channel : str or None
    text : str
    source : str
        Where it was read, such as `answers.jsonl:3`.
    key : str
        What the sender calls this answer, the same when it sends it again; empty if it has no name for it.
    to : str or None
        To which echelon it was passed on, where that is what is said.
    refused : str
        Why nothing in it may be believed (a token that does not fit); empty if it may.
    """

    at_us: int
    who: str
    party: str
    kind: AnswerKind
    case_id: str | None = None
    track_id: str | None = None
    message_id: str | None = None
    level: int | None = None
    channel: str | None = None
    text: str = ""
    source: str = ""
    key: str = ""
    to: str | None = None
    refused: str = ""


class Rejected(Struct, frozen=True, kw_only=True):
    """A line that is no answer: where it stands, why, and what it said."""

    place: Place
    reason: str
    text: str


class Muting(Struct, frozen=True, kw_only=True):
    """A named person mutes a case: what was told already is not said again until then.

    Attributes
    ----------
    at_us : int
    who, party : str
        The person, and for whom they act.
    case_id : str
        Whole, or its first eight or more digits.
    reason : MuteReason
        One of `states.PERSONS_REASONS`.
    until_us : int
        At most `ladder.MUTE_MAX_S` after `at_us`; `at_us` itself ends an earlier mute.
    text : str
    """

    at_us: int
    who: str
    party: str
    case_id: str
    reason: MuteReason
    until_us: int
    text: str = ""


class Resumed(Struct, frozen=True, kw_only=True):
    """The process began again from what it had kept: what was in flight when it ended is in doubt."""


class Due(Struct, frozen=True, kw_only=True):
    """A deadline of the case has passed."""

    deadline: Deadline


class Ended(Struct, frozen=True, kw_only=True):
    """The watch of this case ends, open or not."""

    reason: str


Happening = Found | Reported | Answer | Muting | Due | Ended


class Send(Struct, frozen=True, kw_only=True):
    """Make one attempt of this message on its channel, then report its outcome."""

    message: Message
    number: int


class CallPerson(Struct, frozen=True, kw_only=True):
    """Call the person at the end of the ladder: an attempt like another, to somebody who decides."""

    message: Message
    number: int


class SetDeadline(Struct, frozen=True, kw_only=True):
    """Wake the case at this time."""

    deadline: Deadline


class DropDeadline(Struct, frozen=True, kw_only=True):
    """Forget a deadline: it no longer matters."""

    deadline: Deadline


class Close(Struct, frozen=True, kw_only=True):
    """The case is over."""

    outcome: CaseOutcome


Action = Send | CallPerson | SetDeadline | DropDeadline | Close
