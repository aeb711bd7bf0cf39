"""What the watch found, taken into a case: worse, the same again, noted, receded, over, or withdrawn.

Implements the levels' triggers and `stand_down.when` for a case that is open. The first telling of a level's own
conduct is never delayed, grouped or withheld by an acknowledgement (P6); only the same level said again within its own
repeat time waits. An exempted event is kept and muted, with the exemption's name.
"""

from __future__ import annotations

from msgspec.structs import replace

from tocsin.agreement.playbook import Level
from tocsin.clock import US_PER_S
from tocsin.errors import LadderError
from tocsin.units import format_duration
from tocsin.warn.message import WHAT, neutral
from tocsin.warn.plan import level_of
from tocsin.warn.states import CaseInput, CaseOutcome, CaseState, MuteReason, Purpose
from tocsin.warn.steps import CaseEvent, Rung
from tocsin.warn.trigger import ENDINGS, anything_stands, level_stands, levels_begun, stands_after, stands_down
from tocsin.warn.work import Work
from tocsin.watch.event import Event, EventKind, Revision

REPEAT_FLOOR_S = 60.0
"""Seconds before a level is said again for new conduct of the same kind, where the agreement sets no repeat time.

Origin: one message a minute is what a person on a radio can still follow; other systems have sent hundreds in half an
hour (traccar issue 4675). It never touches the first telling of a level's own conduct. Lower means more messages from a
track that flaps.
"""

_RENEWABLE = frozenset({CaseState.ACKNOWLEDGED, CaseState.LULL, CaseState.EXHAUSTED, CaseState.CALLING})


def take(work: Work, event: Event) -> None:
    """Take one event into the case.

    Raises
    ------
    LadderError
        If the case is over, or the event is of another track.
    """
    case = work.case
    if event.track_id != case.track_id:
        raise LadderError(f"case {case.case_id} is about {case.track_id}, not about {event.track_id}")
    known = case.event(event.event_id)
    if event.revision is Revision.WITHDRAWN:
        _withdraw(work, event, known)
        return
    if known is not None and not known.withdrawn:
        work.keep_event(CaseEvent.of(event, began=known.began))
        said = "amended" if event.revision is Revision.AMENDED else f"confirmed as {event.standing}"
        work.fire(CaseInput.REVISED, f"{_told(event)}: {said}", event_id=event.event_id)
        return
    _take_new(work, event)


def _take_new(work: Work, event: Event) -> None:
    stood = anything_stands(work.case.standing)
    standing = stands_after(work.case.standing, event)
    begun = levels_begun(work.playbook, event, standing)
    work.case = replace(work.case, standing=standing)
    if begun and event.exemption is not None:
        work.keep_event(CaseEvent.of(event))
        top = begun[-1].level
        work.mute(MuteReason.EXEMPTION, event.exemption, event_id=event.event_id, level=top)
        reason = f"{_told(event)}: level {top} is not told, exemption {neutral(event.exemption)} covers it"
        work.fire(CaseInput.CONDUCT_NOTED, reason, event_id=event.event_id)
    elif begun:
        _take_trigger(work, event, begun[-1])
    elif stands_down(work.playbook.stand_down, event):
        work.keep_event(CaseEvent.of(event))
        work.fire(CaseInput.ALL_CLEAR, f"{_told(event)}: the agreed stand-down", event_id=event.event_id)
        work.stand_down(CaseOutcome.ALL_CLEAR)
    else:
        work.keep_event(CaseEvent.of(event))
        if event.kind in ENDINGS and stood and not anything_stands(standing):
            reason = f"{_told(event)}: nothing stands any longer, no answer is awaited"
            work.fire(CaseInput.RECEDED, reason, event_id=event.event_id)
            work.lull()
        else:
            work.fire(CaseInput.CONDUCT_NOTED, f"{_told(event)}: begins no level", event_id=event.event_id)


def _take_trigger(work: Work, event: Event, level: Level) -> None:
    case, number = work.case, level.level
    own_told = any(old.began == number for old in case.events if not old.withdrawn)
    wait_s = _pause_left_s(work, level) if own_told else 0.0
    muted_s = _muted_left_s(work) if own_told else 0.0
    root = _root(work)
    in_lull = case.state is CaseState.LULL
    beneath = root is not None and number < root.level and level_stands(root, case.standing) and not in_lull
    if number > case.level:
        work.keep_event(CaseEvent.of(event, began=number))
        reason = f"{_told(event)}: level {number} begins{_skipped(work, number)}"
        work.begin(CaseInput.WORSE_CONDUCT, number, reason, event_id=event.event_id)
    elif case.state in _RENEWABLE and not beneath:
        work.keep_event(CaseEvent.of(event, began=number))
        _begin_again(work, event, level, max(wait_s, muted_s), is_muted=muted_s > wait_s)
    elif number == case.level and own_told and case.state is CaseState.AWAITING:
        work.keep_event(CaseEvent.of(event))
        reason = f"{_told(event)}: of level {number}, which is being told"
        work.fire(CaseInput.CONDUCT_NOTED, reason, event_id=event.event_id)
    elif muted_s > 0.0:
        work.keep_event(CaseEvent.of(event))
        reason = f"{_told(event)}: of level {number}, {_mute_words(work)}"
        work.fire(CaseInput.CONDUCT_NOTED, reason, event_id=event.event_id)
    elif wait_s > 0.0:
        work.keep_event(CaseEvent.of(event))
        reason = f"{_told(event)}: of level {number}, {_throttle(work, event, level, wait_s)}"
        work.fire(CaseInput.CONDUCT_NOTED, reason, event_id=event.event_id)
    else:
        work.keep_event(CaseEvent.of(event, began=number))
        reason = f"{_told(event)}: of level {number}, told beside level {case.level}"
        work.fire(CaseInput.CONDUCT_BELOW, reason, event_id=event.event_id)
        rung = Rung(
            purpose=Purpose.WARNING, level=number, began_us=work.now_us, event_id=event.event_id, told=level.tell
        )
        work.aside(rung)


def _begin_again(work: Work, event: Event, level: Level, wait_s: float, *, is_muted: bool) -> None:
    reason = f"{_told(event)}: level {level.level} begins again"
    if wait_s > 0.0:
        why = _mute_words(work) if is_muted else _throttle(work, event, level, wait_s)
        reason += f", in {format_duration(wait_s)}: {why}"
    present = work.case.rung
    left_s = present.answer_left_s if present is not None and present.level == level.level else None
    work.begin(
        CaseInput.CONDUCT_AGAIN, level.level, reason, event_id=event.event_id, wait_s=wait_s, answer_left_s=left_s
    )


def _pause_left_s(work: Work, level: Level) -> float:
    """Return how long a level that was told for its own conduct is not told again: limited per party, as agreed."""
    said_us = [m.queued_us for m in work.case.messages if m.purpose is Purpose.WARNING and m.level == level.level]
    pause_s = REPEAT_FLOOR_S if level.repeat_every_s is None else level.repeat_every_s
    return max(0.0, pause_s - (work.now_us - max(said_us)) / US_PER_S) if said_us else 0.0


def _muted_left_s(work: Work) -> float:
    """Return how long a person's mute still holds back what was told already."""
    mute = work.muted
    return 0.0 if mute is None else ((mute.until_us or work.now_us) - work.now_us) / US_PER_S


def _mute_words(work: Work) -> str:
    mute = work.muted
    return f"muted by {mute.detail}" if mute else ""


def _throttle(work: Work, event: Event, level: Level, wait_s: float) -> str:
    detail = f"last said a moment ago; not again for {format_duration(wait_s)}"
    until_us = work.now_us + round(wait_s * US_PER_S)
    work.mute(MuteReason.THROTTLE, detail, event_id=event.event_id, level=level.level, until_us=until_us)
    return detail


def _root(work: Work) -> Level | None:
    """Return the level whose own conduct the present rung goes back to, through any silence between."""
    for rung in reversed(work.case.rungs[: work.case.present + 1]):
        event = work.case.event(rung.event_id)
        if not rung.aside and event is not None and event.began == rung.level:
            return level_of(work.playbook, rung.level)
    return None


def _withdraw(work: Work, event: Event, known: CaseEvent | None) -> None:
    case, event_id = work.case, event.event_id
    if known is None or known.withdrawn:
        if known is None:
            work.case = replace(case, standing=stands_after(case.standing, event))
        work.fire(CaseInput.EVENT_WITHDRAWN, f"{_told(event)}: withdrawn, and was not told", event_id=event_id)
        return
    stood = anything_stands(case.standing)
    told = work.already_told(event_id)
    work.keep_event(replace(known, withdrawn=True))
    work.case = replace(work.case, standing=stands_after(case.standing, event))
    reason = f"{_told(event)}: later reports withdraw it"
    present = case.rung
    if known.began and not work.case.grounds:
        if case.state is CaseState.CLOSED and case.outcome is CaseOutcome.FALSE_ALARM:
            work.fire(CaseInput.EVENT_WITHDRAWN, reason, event_id=event_id)
            return
        work.fire(CaseInput.FALSE_ALARM, f"{reason}; nothing told stands any longer", event_id=event_id)
        work.stand_down(CaseOutcome.FALSE_ALARM)
        return
    live = case.state not in {CaseState.STANDING_DOWN, CaseState.CLOSED}
    if live and present is not None and present.event_id == event_id:
        work.fire(CaseInput.LEVEL_WITHDRAWN, f"{reason}; earlier grounds still stand", event_id=event_id)
        work.lull()
    else:
        work.fire(CaseInput.EVENT_WITHDRAWN, reason, event_id=event_id)
        if live and stood and case.state is not CaseState.LULL and not anything_stands(work.case.standing):
            work.fire(CaseInput.RECEDED, "nothing stands any longer, no answer is awaited", event_id=event_id)
            work.lull()
    if live and told:
        work.aside(
            Rung(
                purpose=Purpose.CORRECTION,
                level=case.level,
                began_us=work.now_us,
                event_id=event_id,
                told=told,
            )
        )


def _told(event: Event) -> str:
    what = WHAT[event.kind].format(zone=neutral(event.zone_id))
    if event.kind is EventKind.APPROACH or event.kind in ENDINGS:
        return what
    act = event.rule_id.removeprefix(f"{event.zone_id}/")
    return what if act in {event.kind.value, event.rule_id} else f"{what} ({neutral(act)})"


def _skipped(work: Work, number: int) -> str:
    begun = {rung.level for rung in work.case.rungs}
    skipped = [
        level.level
        for level in work.playbook.levels
        if work.case.level < level.level < number and level.level not in begun
    ]
    if not skipped:
        return ""
    names = ", ".join(str(level) for level in skipped)
    return f"; level {names} did not come first: its own trigger was not found"
