"""The ladder as a pure step: (case, what happened, now) -> (case, what to do). The table is `table.TRANSITIONS`.

Implements `ladder`, `end_of_ladder` and `stand_down` of `tocsin-agreement/1`; docs/guide/ladder.md draws it. There is
no clock, socket, file or chance in here: the same record gives the same next action. It ends in a person being called;
it has no target, advises no force, and knows no state beyond *acknowledged*, which means received.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tocsin.agreement.playbook import Playbook
from tocsin.clock import US_PER_S
from tocsin.errors import LadderError
from tocsin.ids import stable_id
from tocsin.units import format_duration
from tocsin.warn import found, heard
from tocsin.warn.case import Case
from tocsin.warn.inputs import Action, Answer, Due, Ended, Found, Happening, Muting, Reported
from tocsin.warn.message import Wording, neutral
from tocsin.warn.states import PERSONS_REASONS, CaseInput, CaseOutcome, DeadlineKind
from tocsin.warn.steps import Deadline
from tocsin.warn.table import TRANSITIONS, next_state
from tocsin.warn.trigger import anything_stands, ladder_zones, levels_begun, stands_after
from tocsin.warn.work import Work, overdue
from tocsin.watch.event import Event

MUTE_MAX_S = 86_400.0
"""Seconds that one mute can last, a day.

Origin: a silence that outlives its reason hides the next matter (alertmanager issue 1860); a watch that changes hands
daily asks again. Lower means that people mute more often.
"""

__all__ = ["TRANSITIONS", "begins_case", "next_state", "open_case", "step"]


def begins_case(playbook: Playbook, event: Event, standing: Sequence[str] = ()) -> bool:
    """Return True if an event begins a level for a track that has no open case.

    Parameters
    ----------
    playbook : Playbook
    event : Event
    standing : sequence of str
        What stood for the track before it (`trigger.stands_after`).
    """
    return bool(levels_begun(playbook, event, stands_after(standing, event)))


def open_case(
    playbook: Playbook, event: Event, *, standing: Sequence[str] = (), again: int = 0, now_us: int | None = None
) -> Case:
    """Return a new case for the event that begins it; the event itself is then taken by `step`.

    Parameters
    ----------
    playbook : Playbook
    event : Event
    standing : sequence of str
        What stood for the track before the event.
    again : int
        How many earlier cases the same event had begun and later data had closed; 0 as a rule.
    now_us : int or None
        When it opens; None: at the event's `known_us`, as in a replay.

    Returns
    -------
    Case
        Noticed. Its id is the hash of agreement version, zones of the ladder, track and the event's visit and id.
    """
    zones = ladder_zones(playbook)
    return Case(
        case_id=stable_id(
            "case",
            playbook.agreement_id,
            playbook.version,
            *zones,
            event.track_id,
            event.visit_us,
            event.event_id,
            again,
        ),
        agreement_id=playbook.agreement_id,
        agreement_version=playbook.version,
        zones=zones,
        track_id=event.track_id,
        party=event.party,
        category=event.category,
        opened_us=event.known_us if now_us is None else now_us,
        standing=tuple(standing),
    )


def step(case: Case, happened: Happening, now_us: int, *, wording: Wording) -> tuple[Case, tuple[Action, ...]]:
    """Take one happening and return the case after it and what the shell is to do.

    Parameters
    ----------
    case : Case
    happened : Found, Reported, Answer, Muting, Due or Ended
    now_us : int
        Microseconds UTC; not before the case's last step.
    wording : Wording
        The playbook under which the case began, and how to put its messages into words.

    Returns
    -------
    Case, tuple of Action
        Changes of deadlines first; then sends, in the order decided; then the close, if it closed.

    Raises
    ------
    LadderError
        If the table does not list what this would be, or it is about nothing in this case. Nothing was changed.
    """
    work = Work(case, now_us, wording)
    match happened:
        case Found(event=event):
            found.take(work, event)
        case Reported():
            heard.reported(work, happened)
        case Answer():
            heard.answered(work, happened)
        case Muting():
            _mute(work, happened)
        case Due(deadline=deadline):
            _fall_due(work, deadline)
        case Ended(reason=reason):
            work.fire(CaseInput.WATCH_ENDED, reason)
            outcome = work.case.outcome or CaseOutcome.WATCH_ENDED
            work.case = replace(work.case, outcome=outcome, closed_us=now_us, deadlines=())
    return work.finish()


def _fall_due(work: Work, deadline: Deadline) -> None:
    case = work.case
    if deadline not in case.deadlines:
        raise LadderError(f"case {case.case_id} has no deadline {deadline.kind} at {deadline.at_us}")
    if work.now_us < deadline.at_us:
        raise LadderError(f"deadline {deadline.kind} of case {case.case_id} is due at {deadline.at_us}, not yet")
    work.drop_deadlines(deadline.kind, about=deadline.about)
    late = overdue(deadline, work.now_us)
    mute = work.muted
    if mute is not None and deadline.kind in {DeadlineKind.REPEAT, DeadlineKind.EXPIRY}:
        work.withhold(deadline, mute)
    elif deadline.kind is DeadlineKind.ANSWER:
        rung = case.rungs[case.present]
        work.climb("unanswered", [who for who in rung.told if who not in rung.acknowledged], note=late)
    elif deadline.kind is DeadlineKind.REPEAT:
        sayings = work.case.rungs[case.present].sayings + 1
        work.fire(CaseInput.REPEAT_DUE, f"level {case.level} is said, time {sayings}{late}")
        work.say(case.present)
    elif deadline.kind is DeadlineKind.RETRY:
        message = case.message(deadline.about)
        if message is None:
            raise LadderError(f"case {case.case_id} has no message {deadline.about}")
        reason = f"{message.channel} to {message.recipient} is tried again{late}"
        work.fire(CaseInput.RETRY_DUE, reason, message_id=message.message_id)
        work.attempt(message)
    elif deadline.kind is DeadlineKind.TURN:
        _next_turn(work, deadline.about, late)
    elif deadline.kind is DeadlineKind.ALTERNATE:
        work.alternate_due(deadline.about, note=late)
    elif deadline.kind is DeadlineKind.RELAY:
        _not_passed_on(work, deadline.about, late)
    elif deadline.kind is DeadlineKind.EXPIRY:
        reason = f"level {case.level} was acknowledged, that has run out, and it still stands: it begins again{late}"
        rung = case.rungs[case.present]
        work.begin(CaseInput.ACK_EXPIRED, case.level, reason, event_id=rung.event_id)
    elif not anything_stands(case.standing):
        work.fire(CaseInput.NOTHING_SINCE, f"nothing has stood for a while and no new conduct was found{late}")
        work.stand_down(CaseOutcome.OVER)


def _next_turn(work: Work, recipient: str, late: str) -> None:
    index = work.case.present
    way = work.next_way(index, recipient)
    if way is not None and not work.is_delivered(index, recipient):
        turn = f"nothing is proved to have arrived at {recipient} in time{late}; {way.channel} is next"
        work.fire(CaseInput.NEXT_WAY, turn)
        work.use_next_way(index, recipient)


def _not_passed_on(work: Work, message_id: str, late: str) -> None:
    message = work.case.message(message_id)
    if message is None:
        raise LadderError(f"case {work.case.case_id} has no message {message_id}")
    reason = f"{message.recipient} has not said in time that it was passed on to {message.relay_for}{late}"
    work.fire(CaseInput.NOT_PASSED_ON, reason, message_id=message_id)


def _mute(work: Work, asked: Muting) -> None:
    """Mute a case for a person, or end a mute: until the end, nothing told already is said again."""
    asked_s = (asked.until_us - min(asked.at_us, work.now_us)) / US_PER_S
    if asked.reason not in PERSONS_REASONS:
        known = ", ".join(sorted(PERSONS_REASONS))
        raise LadderError(f"found the reason {asked.reason} for a mute, expected one of {known}")
    if not 0.0 <= asked_s <= MUTE_MAX_S:
        longest = format_duration(MUTE_MAX_S)
        raise LadderError(f"found a mute that ends in {asked_s:,.0f} s, expected from now to {longest} on")
    until_us = max(asked.until_us, work.now_us)
    left_s = (until_us - work.now_us) / US_PER_S
    earlier = work.muted
    said = f": {neutral(asked.text)}" if asked.text else ""
    detail = f"{neutral(asked.who)} for {neutral(asked.party)}, {asked.reason.replace('_', ' ')}{said}"
    work.mute(asked.reason, detail, event_id=None, level=work.case.level, until_us=until_us)
    until = "it ends now" if left_s == 0.0 else f"for {format_duration(left_s)}, what was told is not said again"
    work.fire(CaseInput.MUTED, f"muted by {detail}; {until}")
    for put_off in work.case.deadlines:
        if earlier and put_off.kind in {DeadlineKind.REPEAT, DeadlineKind.EXPIRY} and put_off.at_us == earlier.until_us:
            work.set_deadline(put_off.kind, until_us)
