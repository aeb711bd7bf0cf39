"""The words of the ladder: states of a case and of a message, what can happen, how answers end. Each list exists once.

The states of a message follow RFC 3464 (handed over is not delivered) and GoAlert's failed for now / for good. No list
here holds a word for leave, consent or approval: *acknowledged* means received, and there is no state beyond it. A test
reads every word of every list.
"""

from __future__ import annotations

from enum import StrEnum


class CaseState(StrEnum):
    """Where a case stands. The transitions are the table in `ladder.py`."""

    NOTICED = "noticed"
    """Conduct was found that begins a level; nobody was told yet."""
    AWAITING = "awaiting"
    """The level's messages are under way or out, and an answer is awaited."""
    ACKNOWLEDGED = "acknowledged"
    """Everyone told at this level has acknowledged receipt. The watch goes on; worse conduct is told at once."""
    CALLING = "calling"
    """The ladder is at its end: the named person is being called."""
    EXHAUSTED = "exhausted"
    """Unanswered or undelivered, and the agreement sets nobody further to tell, or the call failed."""
    LULL = "lull"
    """Nothing stands at the moment: outside every zone of the ladder, no approach. New conduct is told at once."""
    STANDING_DOWN = "standing_down"
    """It is over; those who were told are being told so."""
    CLOSED = "closed"
    """Over. Late answers are still recorded; nothing more is said, save a correction."""


class CaseInput(StrEnum):
    """What happened, as the ladder's table knows it. Every input names its own reason."""

    WORSE_CONDUCT = "worse_conduct"
    """Conduct was found that begins a higher level than the present one."""
    CONDUCT_AGAIN = "conduct_again"
    """Conduct of a level already begun, found anew after an answer, a lull or the ladder's end: it begins again."""
    CONDUCT_BELOW = "conduct_below"
    """The own conduct of a level at or below the present one: told beside it, whose conduct still stands."""
    CONDUCT_NOTED = "conduct_noted"
    """An event of this encounter that begins no level now."""
    REVISED = "revised"
    """A newer revision of an event already known: amended, or confirmed as final."""
    RECEDED = "receded"
    """The last thing that stood has ended: outside every zone of the ladder and approaching none."""
    ALL_CLEAR = "all_clear"
    """The agreement's stand-down conduct was found, or its zone ended around the track."""
    NOTHING_SINCE = "nothing_since"
    """A lull lasted as long as `LULL_S`: the encounter is over although no stand-down conduct came."""
    EVENT_WITHDRAWN = "event_withdrawn"
    """Later data withdrew an event; others still stand."""
    LEVEL_WITHDRAWN = "level_withdrawn"
    """Later data withdrew the event that the present level tells of; others still stand."""
    FALSE_ALARM = "false_alarm"
    """Later data withdrew every event that had begun a level."""
    SENT = "sent"
    """An attempt was handed over or delivered."""
    FAILED_FOR_NOW = "failed_for_now"
    """An attempt failed and may go through later."""
    FAILED_FOR_GOOD = "failed_for_good"
    """An attempt failed and will not go through; another way to the recipient is left, or none is needed."""
    IN_DOUBT = "in_doubt"
    """An attempt was cut off: nobody knows whether it went out. It is made again under the same id."""
    UNDELIVERED_NEXT = "undelivered_next"
    """No way to somebody told at this level is left; the next level begins."""
    UNDELIVERED_PERSON = "undelivered_person"
    """No way is left; the named person is called."""
    UNDELIVERED_END = "undelivered_end"
    """No way is left, and the agreement sets nobody further."""
    UNANSWERED_NEXT = "unanswered_next"
    """The deadline for the acknowledgement passed in silence; the next level begins."""
    UNANSWERED_PERSON = "unanswered_person"
    """The deadline passed in silence; the named person is called."""
    UNANSWERED_END = "unanswered_end"
    """The deadline passed in silence, and the agreement sets nobody further."""
    NEXT_WAY = "next_way"
    """A channel's time is over and nothing is proved to have arrived: the next one's turn."""
    ALTERNATE_DUE = "alternate_due"
    """Somebody told was silent long enough, or cannot be reached: another person is told, or called, instead."""
    NOT_PASSED_ON = "not_passed_on"
    """Who was asked to pass the words on has not said in time that they did."""
    ACK_EXPIRED = "ack_expired"
    """What was acknowledged still stands and the acknowledgement has run out: the level begins again."""
    MUTED = "muted"
    """A named person has muted the case for a while, or ended a mute."""
    WITHHELD = "withheld"
    """Something was due to be said again, and a mute holds it back."""
    REPEAT_DUE = "repeat_due"
    """The agreed time to say it again has come."""
    RETRY_DUE = "retry_due"
    """The time to try an attempt again has come."""
    RECEIPT = "receipt"
    """A receipt below acknowledgement came: delivered, read, passed on."""
    ACKNOWLEDGED_IN_PART = "acknowledged_in_part"
    """One of those told has acknowledged; others have not."""
    ACKNOWLEDGED = "acknowledged"
    """The last of those told at this level has acknowledged, in time."""
    ANSWER_RECORDED = "answer_recorded"
    """An answer that changes nothing: double, late, or from somebody not told. Kept all the same."""
    SETTLED = "settled"
    """Every message of the stand-down has its outcome."""
    WATCH_ENDED = "watch_ended"
    """The recording ended, or the watch was stopped, while the case was open."""


class CaseOutcome(StrEnum):
    """How a closed case ended."""

    ALL_CLEAR = "all_clear"
    """The stand-down conduct of the agreement was found."""
    OVER = "over"
    """Nothing stood any longer, though no stand-down conduct came or none is set."""
    FALSE_ALARM = "false_alarm"
    """Later data withdrew what had been told."""
    WATCH_ENDED = "watch_ended"
    """It was still open when the watch ended. What came after is not known."""


class Purpose(StrEnum):
    """Why a message is sent."""

    WARNING = "warning"
    """A level of the ladder."""
    CALL = "call"
    """The end of the ladder: a named person is called."""
    STAND_DOWN = "stand_down"
    """It is over."""
    CORRECTION = "correction"
    """An earlier warning was an error."""


class MessageState(StrEnum):
    """How far a message got. The order is that of `REACH`; *delivered* and beyond only on proof."""

    QUEUED = "queued"
    """Decided and recorded; no attempt has an outcome yet."""
    FAILED_FOR_NOW = "failed_for_now"
    """The last attempt failed; another will be made."""
    FAILED_FOR_GOOD = "failed_for_good"
    """No further attempt will be made on this channel."""
    UNKNOWN = "unknown"
    """The last attempt was cut off, by a crash or a broken connection: nobody knows whether it went out."""
    HANDED_OVER = "handed_over"
    """A channel or relay took it. That is no proof of arrival."""
    DELIVERED = "delivered"
    """A receipt says that it arrived."""
    READ = "read"
    """A receipt says that it was seen."""
    ACKNOWLEDGED = "acknowledged"
    """A named person says that it was received. It means nothing more."""
    PASSED_ON = "passed_on"
    """Somebody says that they passed it on. It is their word, not an acknowledgement by the one it was meant for."""
    ANSWERED = "answered"
    """A named person answered with words. What the words mean is for people to judge."""


REACH: dict[MessageState, int] = {state: n for n, state in enumerate(MessageState)}
"""How far each state is, so that a late receipt of less never undoes one of more."""

OUT = frozenset(state for state in MessageState if REACH[state] >= REACH[MessageState.HANDED_OVER])
"""States of a message that somebody or something took."""


class AnswerKind(StrEnum):
    """What an answer says of a message."""

    DELIVERED = "delivered"
    READ = "read"
    PASSED_ON = "passed_on"
    """Somebody told has relayed it to the next echelon, named in the answer's text."""
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    FAILED = "failed"
    """The channel, or the person at it, says that it did not get through."""


class Disposition(StrEnum):
    """The end of an answer: what it did. Every answer gets exactly one and is kept."""

    COUNTED = "counted"
    """In time, from somebody told, and the first: the level counts it as acknowledged by that party."""
    RECEIPT = "receipt"
    """Delivered, read or passed on: noted on the message; the ladder goes on."""
    FAILURE = "failure"
    """Says that the message did not get through; the ladder treats it as a failed attempt."""
    DOUBLE = "double"
    """That party's acknowledgement of that level was already counted."""
    LATE = "late"
    """After the deadline, after a higher level began, or after the case was over."""
    NOT_TOLD = "not_told"
    """From a party that was told nothing at that level of this case, or nothing yet."""
    UNKNOWN_CHANNEL = "unknown_channel"
    """Names a channel on which that party was told nothing in this case."""
    CANNOT_ACKNOWLEDGE = "cannot_acknowledge"
    """The agreement says that nobody can acknowledge on that channel."""
    UNKNOWN_CASE = "unknown_case"
    """About no case that exists at that time."""
    AFTER_END = "after_end"
    """Dated after the end of the watch."""
    REFUSED = "refused"
    """Its token, key or sender did not fit: guessed, used up, or of another message, party or channel. Nothing in it
    was believed; it is kept as an attempt."""


class MuteReason(StrEnum):
    """Why something that would have been said was withheld."""

    EXEMPTION = "exemption"
    """A written exception of the agreement covers the track here."""
    THROTTLE = "throttle"
    """The same party was told the same level a moment ago. Never the first message of a level in an encounter."""
    IN_CONTACT = "in_contact"
    """A person is speaking with the mover, or with the party that answers for it."""
    ANNOUNCED = "announced"
    """The party has announced this activity, and no exemption covers it."""
    DOUBTFUL_POSITION = "doubtful_position"
    """A person holds the positions to be wrong; later data has not withdrawn them."""
    DRILL = "drill"
    """A drill that the parties know of."""


PERSONS_REASONS = frozenset(
    {MuteReason.IN_CONTACT, MuteReason.ANNOUNCED, MuteReason.DOUBTFUL_POSITION, MuteReason.DRILL}
)
"""Why a person may mute a case: what was told already is not said again meanwhile. What is new is said all the same."""


class DeadlineKind(StrEnum):
    """What falls due."""

    ANSWER = "answer"
    REPEAT = "repeat"
    RETRY = "retry"
    LULL = "lull"
    TURN = "turn"
    """The next channel, where they are used in turn."""
    ALTERNATE = "alternate"
    RELAY = "relay"
    """When it should have been passed on."""
    EXPIRY = "expiry"
    """When an acknowledgement has run out."""
