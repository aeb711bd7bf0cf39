"""What came back, taken into a case: outcomes of attempts, receipts and answers, each with its defined end.

The states of a message follow RFC 3464: what a relay took is handed over, never delivered. Every answer is a claim by
a named person; the first in time from somebody told counts as their acknowledgement of that level, and nothing more
follows from it. A time-out is never one.
"""

from __future__ import annotations

from msgspec.structs import replace

from tocsin.agreement.playbook import Playbook
from tocsin.clock import US_PER_S
from tocsin.errors import LadderError
from tocsin.ids import stable_id
from tocsin.units import format_duration
from tocsin.warn import plan
from tocsin.warn.case import Case
from tocsin.warn.inputs import Answer, Reported
from tocsin.warn.message import neutral
from tocsin.warn.saying import ENDING
from tocsin.warn.states import (
    OUT,
    REACH,
    AnswerKind,
    CaseInput,
    CaseState,
    DeadlineKind,
    Disposition,
    MessageState,
)
from tocsin.warn.telling import Acknowledgement, Message, Outcome
from tocsin.warn.work import Work

RETRY_AFTER_S = (10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""Seconds between the attempts of one message; then it has failed for good.

Origin: doubling, so that a short outage costs seconds and a long one stays far from a flood; about ten minutes in all,
since a warning that late is told better by the next level. Where the level sets a deadline no attempt is made past it.
"""

ANSWER_TEXT_LIMIT = 2_000
"""Characters of an answer's text that are kept."""

_FAILED = frozenset({MessageState.FAILED_FOR_NOW, MessageState.FAILED_FOR_GOOD})
_OVER = frozenset({CaseState.STANDING_DOWN, CaseState.CLOSED})


def reported(work: Work, report: Reported) -> None:
    """Take the outcome of an attempt.

    Raises
    ------
    LadderError
        If the case made no such attempt, or its outcome is already known.
    """
    message = work.case.message(report.message_id)
    attempt = next(
        (a for a in work.case.attempts if (a.message_id, a.number) == (report.message_id, report.number)), None
    )
    if message is None or attempt is None:
        raise LadderError(f"case {work.case.case_id} made no attempt {report.number} of message {report.message_id}")
    if attempt.outcome is not None:
        raise LadderError(f"attempt {report.number} of message {report.message_id} is already {attempt.outcome.state}")
    done = replace(attempt, ended_us=work.now_us, outcome=report.outcome)
    work.case = replace(work.case, attempts=tuple(done if a is attempt else a for a in work.case.attempts))
    where = f"{message.channel} to {message.recipient}, attempt {report.number}"
    said = f": {neutral(report.outcome.reason)}" if report.outcome.reason else ""
    if report.outcome.state in OUT:
        _raise(work, message, report.outcome.state)
        work.fire(CaseInput.SENT, f"{where}: {report.outcome.state}{said}", message_id=message.message_id)
    elif report.outcome.state is MessageState.UNKNOWN:
        _in_doubt(work, message, report.outcome, f"{where}: nobody knows whether it went out{said}")
    elif report.outcome.state is MessageState.FAILED_FOR_NOW:
        _failed_for_now(work, message, report.outcome, f"{where} failed for now{said}")
    else:
        _failed_for_good(work, message, f"{where} failed for good{said}")


def _in_doubt(work: Work, message: Message, outcome: Outcome, reason: str) -> None:
    """Make a cut-off attempt again under the same id, at once or when the outcome says; at most one extra copy."""
    due_us = work.case.rungs[message.rung].answer_due_us
    is_over = due_us is not None and work.now_us >= due_us
    if message.state in OUT or is_over or not work.is_active(message):
        if message.state not in OUT:
            work.change_message(message.message_id, MessageState.UNKNOWN)
        work.fire(CaseInput.IN_DOUBT, f"{reason}; no further attempt is needed", message_id=message.message_id)
        return
    wait_s = _wait_s(work, message) if outcome.retry_after_s is None else outcome.retry_after_s
    if wait_s is None:
        _failed_for_good(work, message, f"{reason}; there is no time for another attempt")
        return
    work.change_message(message.message_id, MessageState.UNKNOWN)
    again = "at once" if wait_s == 0.0 else f"in {format_duration(wait_s)}"
    work.fire(CaseInput.IN_DOUBT, f"{reason}; tried again {again}, under the same id", message_id=message.message_id)
    if wait_s == 0.0:
        work.attempt(message)
    else:
        work.set_deadline(DeadlineKind.RETRY, work.now_us + round(wait_s * US_PER_S), message.message_id)


def _wait_s(work: Work, message: Message) -> float | None:
    """Return how long to wait before the next attempt; None after the last one, or if it would pass the deadline."""
    tried = sum(made.message_id == message.message_id for made in work.case.attempts)
    if tried > len(RETRY_AFTER_S):
        return None
    due_us = work.case.rungs[message.rung].answer_due_us
    wait_s = RETRY_AFTER_S[tried - 1]
    return None if due_us is not None and work.now_us + round(wait_s * US_PER_S) >= due_us else wait_s


def _failed_for_now(work: Work, message: Message, outcome: Outcome, reason: str) -> None:
    number = sum(made.message_id == message.message_id for made in work.case.attempts)
    is_failure = not outcome.held_back
    if message.state in OUT or not work.is_active(message):
        _failed_for_good(work, message, f"{reason}; no further attempt is needed", use_backup=is_failure)
        return
    if number > len(RETRY_AFTER_S):
        _failed_for_good(work, message, f"{reason}; given up after {number} attempts", use_backup=is_failure)
        return
    wait_s = max(RETRY_AFTER_S[number - 1], outcome.retry_after_s or 0.0)
    at_us = work.now_us + round(wait_s * US_PER_S)
    due_us = work.case.rungs[message.rung].answer_due_us
    if due_us is not None and at_us >= due_us:
        late = f"{reason}; the next attempt would come after the deadline"
        _failed_for_good(work, message, late, use_backup=is_failure)
        return
    work.change_message(message.message_id, MessageState.FAILED_FOR_NOW)
    work.set_deadline(DeadlineKind.RETRY, at_us, message.message_id)
    again = f"{reason}; tried again in {format_duration(wait_s)}"
    work.fire(CaseInput.FAILED_FOR_NOW, again, message_id=message.message_id)


def _failed_for_good(work: Work, message: Message, reason: str, *, use_backup: bool = True) -> None:
    instead = None
    if message.state not in OUT:
        work.change_message(message.message_id, MessageState.FAILED_FOR_GOOD)
        work.drop_deadlines(DeadlineKind.RELAY, about=message.message_id)
        if use_backup and work.is_active(message):
            instead = work.after_failure(message)
    if instead is not None:
        is_next = work.in_turn(message.rung) and instead == work.next_way(message.rung, message.meant_for)
        reason = f"{reason}; {'the next' if is_next else 'its backup'} is {instead.channel}"
    work.fire(CaseInput.FAILED_FOR_GOOD, reason, message_id=message.message_id)
    if instead is not None:
        work.use_after_failure(message, instead)
    work.check_reach(message.rung)


def answered(work: Work, answer: Answer) -> None:
    """Take an answer: judge its end, keep it, and count it if it counts."""
    disposition, index = judge(work.case, work.playbook, answer, work.now_us)
    answer_id = answer_identity(work.case.case_id, answer)
    work.case = replace(
        work.case,
        acknowledgements=(
            *work.case.acknowledgements,
            as_recorded(answer, disposition=disposition, case_id=work.case.case_id),
        ),
    )
    message = _spoken(work.case, index, answer) if index is not None else None
    who = f"{neutral(answer.who)} for {neutral(answer.party)}"
    words = f": “{neutral(answer.text)}”" if answer.text else ""
    reason = f"{who}: {answer.kind}, {disposition.replace('_', ' ')}{words}"
    message_id = message.message_id if message else None
    if disposition is Disposition.COUNTED and index is not None:
        _count(work, answer, index, message, reason)
    elif disposition is Disposition.FAILURE and message is not None:
        work.fire(CaseInput.ANSWER_RECORDED, reason, answer_id=answer_id, message_id=message_id)
        if message.state is MessageState.HANDED_OVER:
            work.change_message(message.message_id, MessageState.FAILED_FOR_NOW)
            message = replace(message, state=MessageState.FAILED_FOR_NOW)
        work.drop_deadlines(DeadlineKind.RETRY, about=message.message_id)
        _failed_for_good(work, message, f"{message.channel} to {message.recipient} reported as failed by {who}")
    elif disposition is Disposition.RECEIPT:
        _raise_by(work, message, answer)
        work.fire(CaseInput.RECEIPT, reason, answer_id=answer_id, message_id=message_id)
    else:
        if disposition in {Disposition.DOUBLE, Disposition.LATE}:
            _raise_by(work, message, answer)
        work.fire(CaseInput.ANSWER_RECORDED, reason, answer_id=answer_id, message_id=message_id)


def judge(case: Case, playbook: Playbook, answer: Answer, now_us: int) -> tuple[Disposition, int | None]:
    """Return the end of an answer, and the rung that it is about.

    Parameters
    ----------
    case : Case
    playbook : Playbook
    answer : Answer
    now_us : int

    Returns
    -------
    Disposition, int or None
        None when no rung is meant.
    """
    index = _rung_of(case, answer)
    if index is None:
        return Disposition.NOT_TOLD, None
    rung = case.rungs[index]
    told_on = {m.channel for m in case.messages if m.rung == index and answer.party in {m.recipient, m.relay_for}}
    credited = rung.credited(answer.party)
    running = case.state not in _OVER and (index == case.present or (rung.aside and index > case.present))
    heard_us = min(answer.at_us, now_us)
    acknowledges = answer.kind in {AnswerKind.ACKNOWLEDGED, AnswerKind.ANSWERED}
    if answer.channel is not None and answer.channel not in told_on:
        disposition = Disposition.UNKNOWN_CHANNEL
    elif answer.kind is AnswerKind.FAILED:
        disposition = Disposition.FAILURE if running else Disposition.LATE
    elif not acknowledges or rung.purpose in ENDING or credited not in rung.told:
        disposition = Disposition.RECEIPT
    elif answer.channel is not None and not plan.can_acknowledge(playbook, answer.channel):
        disposition = Disposition.CANNOT_ACKNOWLEDGE
    elif credited in rung.acknowledged:
        disposition = Disposition.DOUBLE
    elif not running or (rung.answer_due_us is not None and heard_us > rung.answer_due_us):
        disposition = Disposition.LATE
    else:
        disposition = Disposition.COUNTED
    return disposition, index


def answer_identity(case_id: str | None, answer: Answer) -> str:
    """Return the id of an answer: the same for the same words at the same time about the same case.

    An answer that its sender has named keeps its id whenever it is sent again, so that a retry is one answer.
    """
    if answer.key:
        return stable_id("answer", case_id or answer.case_id or answer.message_id or answer.track_id, answer.key)
    return stable_id(
        "answer",
        case_id or answer.case_id or answer.message_id or answer.track_id,
        answer.at_us,
        answer.who,
        answer.party,
        str(answer.kind),
        answer.level,
        answer.channel,
        answer.text,
    )


def as_recorded(answer: Answer, *, disposition: Disposition, case_id: str | None) -> Acknowledgement:
    """Return an answer as it is kept, with its end; names and words are neutralised."""
    return Acknowledgement(
        answer_id=answer_identity(case_id, answer),
        case_id=case_id,
        at_us=answer.at_us,
        who=neutral(answer.who),
        party=neutral(answer.party),
        kind=answer.kind,
        disposition=disposition,
        level=answer.level,
        channel=answer.channel,
        text=neutral(answer.text, limit=ANSWER_TEXT_LIMIT),
        to=neutral(answer.to) if answer.to else None,
        source=answer.source,
    )


def _count(work: Work, answer: Answer, index: int, message: Message | None, reason: str) -> None:
    rung = work.case.rungs[index]
    answer_id = answer_identity(work.case.case_id, answer)
    _raise_by(work, message, answer)
    credited = rung.credited(answer.party)
    acknowledged = (*rung.acknowledged, credited)
    unreachable = tuple(who for who in rung.unreachable if who != credited)
    work.change_rung(index, acknowledged=acknowledged, unreachable=unreachable)
    missing = [who for who in rung.told if who not in acknowledged]
    if index != work.case.present:
        work.fire(CaseInput.ACKNOWLEDGED_IN_PART, reason, answer_id=answer_id)
    elif missing:
        still = f"{reason}; not yet: {', '.join(missing)}"
        work.fire(CaseInput.ACKNOWLEDGED_IN_PART, still, answer_id=answer_id)
    else:
        work.fire(CaseInput.ACKNOWLEDGED, f"{reason}; received, the watch goes on", answer_id=answer_id)
        work.answered_by_all()
    if index == work.case.present:
        work.drop_deadlines(DeadlineKind.TURN, about=answer.party)
    work.give_up_to(index, credited)


def _raise_by(work: Work, message: Message | None, answer: Answer) -> None:
    """Note on a message what an answer says of it; one that failed there needs an answer that names its channel."""
    if message is None or answer.kind is AnswerKind.FAILED:
        return
    state = MessageState(answer.kind)
    if message.relay_for == answer.party and state is MessageState.ACKNOWLEDGED:
        state = MessageState.PASSED_ON
    if message.state not in _FAILED or answer.channel is not None or answer.message_id is not None:
        _raise(work, message, state)


def _raise(work: Work, message: Message, state: MessageState) -> None:
    current = work.case.message(message.message_id)
    if current is not None and REACH[state] > REACH[current.state]:
        work.drop_deadlines(DeadlineKind.RETRY, about=message.message_id)
        if REACH[state] >= REACH[MessageState.DELIVERED] and message.rung == work.case.present:
            work.drop_deadlines(DeadlineKind.TURN, about=message.meant_for)
        if REACH[state] >= REACH[MessageState.PASSED_ON]:
            work.drop_deadlines(DeadlineKind.RELAY, about=message.message_id)
        work.change_message(message.message_id, state)


def _rung_of(case: Case, answer: Answer) -> int | None:
    if answer.message_id is not None:
        message = case.message(answer.message_id)
        is_theirs = message is not None and answer.party in {message.recipient, message.relay_for}
        return message.rung if message is not None and is_theirs else None
    found = [
        index
        for index, rung in enumerate(case.rungs)
        if _is_told(case, index, answer.party)
        and rung.sayings > 0
        and rung.began_us <= answer.at_us
        and (answer.level is None or (rung.level == answer.level and rung.purpose not in ENDING))
    ]
    if not found:
        return None
    return case.present if answer.level is None and case.present in found else found[-1]


def _is_told(case: Case, index: int, party: str) -> bool:
    rung = case.rungs[index]
    return rung.credited(party) in rung.told or any(
        m.rung == index and m.recipient == party and m.relay_for for m in case.messages
    )


def _spoken(case: Case, index: int, answer: Answer) -> Message | None:
    if answer.message_id is not None:
        return case.message(answer.message_id)
    said = [
        m
        for m in case.messages
        if m.rung == index and answer.party in {m.recipient, m.relay_for} and answer.channel in {None, m.channel}
    ]
    return max(said, key=lambda m: (m.state in OUT, m.queued_us), default=None)
