"""One step of a case under construction: saying, trying, climbing, standing down.

Implements the levels' `tell`, `channels`, `repeat`, `ack_within`, `on_no_ack` and the agreement's `end_of_ladder` and
`stand_down`. A `Work` lives inside one call of `ladder.step` and is thrown away if the table refuses, so that a refused
step changes nothing. It acts on nothing: it only collects what the shell is to do.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from tocsin.agreement.playbook import MOVER
from tocsin.clock import US_PER_S
from tocsin.errors import LadderError
from tocsin.ids import stable_id
from tocsin.units import format_duration
from tocsin.warn import plan
from tocsin.warn.case import Attempt, Case, CaseEvent, Deadline, Message, Mute, Rung, Step
from tocsin.warn.inputs import Action, CallPerson, Close, DropDeadline, Send, SetDeadline
from tocsin.warn.message import Wording, compose
from tocsin.warn.states import (
    OUT,
    CaseInput,
    CaseOutcome,
    CaseState,
    DeadlineKind,
    MessageState,
    MuteReason,
    Purpose,
)
from tocsin.warn.table import next_state
from tocsin.warn.trigger import anything_stands

LULL_S = 3_600.0
"""Seconds that nothing must stand before a case without its stand-down conduct is over.

Origin: no agreement sets it; an hour holds the pauses between the tries of one probing. It decides only whether a later
approach belongs to this case or opens a new one; either way it is told at once. Lower means more and shorter cases.
"""

_ANSWERING = (DeadlineKind.ANSWER, DeadlineKind.REPEAT)
_TELLING = frozenset({CaseState.AWAITING, CaseState.ACKNOWLEDGED, CaseState.CALLING, CaseState.EXHAUSTED})
_LIVE = _TELLING | {CaseState.LULL}
_ENDING = frozenset({Purpose.STAND_DOWN, Purpose.CORRECTION})
_TO_COME = frozenset({MessageState.FAILED_FOR_NOW, MessageState.UNKNOWN})
_UNSETTLED = _TO_COME | {MessageState.QUEUED}


class Work:
    """A case on its way through one step."""

    def __init__(self, case: Case, now_us: int, wording: Wording) -> None:
        if case.steps and now_us < case.steps[-1].at_us:
            raise LadderError(f"a case at {case.steps[-1].at_us} cannot step back to {now_us}")
        self.before = case
        self.case = case
        self.now_us = now_us
        self.wording = wording
        self.playbook = wording.playbook
        self._sends: list[Action] = []

    # --- the table -------------------------------------------------------------------------------------------------

    def fire(
        self,
        happened: CaseInput,
        reason: str,
        *,
        level: int | None = None,
        event_id: str | None = None,
        message_id: str | None = None,
        answer_id: str | None = None,
    ) -> None:
        """Take one input: the table's next state, and a step that says why.

        Raises
        ------
        LadderError
            If the table does not list the pair.
        """
        case = self.case
        target = next_state(case.state, happened)
        level = case.level if level is None else level
        step = Step(
            at_us=self.now_us,
            input=happened,
            from_state=case.state,
            to_state=target,
            level_before=case.level,
            level=level,
            reason=reason,
            event_id=event_id,
            message_id=message_id,
            answer_id=answer_id,
        )
        self.case = replace(
            case, state=target, level=level, highest_level=max(case.highest_level, level), steps=(*case.steps, step)
        )

    # --- levels ----------------------------------------------------------------------------------------------------

    def begin(
        self,
        happened: CaseInput,
        number: int,
        reason: str,
        *,
        event_id: str | None,
        wait_s: float = 0.0,
        answer_left_s: float | None = None,
    ) -> None:
        """Begin a level as the present rung and say it, at once unless a throttle makes a repeated level wait."""
        level = plan.level_of(self.playbook, number)
        self.fire(happened, "; ".join([reason, *plan.not_set(level)]), level=number, event_id=event_id)
        self.drop_deadlines(*_ANSWERING)
        self._give_up_all("told anew by a later rung", to=level.tell)
        said_us = self.now_us + round(wait_s * US_PER_S)
        times = level.repeat_times if level.repeat_every_s is not None else 0
        due_us = None
        if level.ack_within_s is not None:
            whole_s = level.ack_within_s + times * (level.repeat_every_s or 0.0)
            due_us = said_us + round((whole_s if answer_left_s is None else min(whole_s, answer_left_s)) * US_PER_S)
            self.set_deadline(DeadlineKind.ANSWER, due_us)
        rung = Rung(
            purpose=Purpose.WARNING,
            level=number,
            began_us=self.now_us,
            event_id=event_id,
            told=level.tell,
            answer_due_us=due_us,
        )
        self._append(rung, present=True)
        if wait_s > 0.0:
            self.set_deadline(DeadlineKind.REPEAT, said_us)
        else:
            self.say(self.case.present)

    def aside(self, rung: Rung) -> None:
        """Say something beside the present rung, whose deadlines run on."""
        self._append(replace(rung, aside=True), present=False)
        self.say(len(self.case.rungs) - 1)

    def climb(self, what: str, who: Collection[str], *, note: str = "") -> None:
        """Go on to what follows an unanswered or undelivered rung: the next level, the person, or nobody."""
        names = " and ".join("the mover" if name == MOVER else name for name in who)
        lead = f"no way to {names} is left" if what == "undelivered" else f"no answer from {names} in time"
        lead += note
        present = self.case.rung
        event_id = present.event_id if present else None
        after = plan.after_silence(self.playbook, self.case.level)
        if self.case.state is CaseState.CALLING or after.follows is plan.Follows.NOBODY:
            why = "the call itself failed" if self.case.state is CaseState.CALLING else after.why
            reached = "; nobody reached" if self.case.nobody_reached else ""
            self.fire(CaseInput(f"{what}_end"), f"{lead}; {why}{reached}", event_id=event_id)
            self.drop_deadlines(*_ANSWERING)
        elif after.level is not None:
            self.begin(CaseInput(f"{what}_next"), after.level.level, f"{lead}; {after.why}", event_id=event_id)
        else:
            person = after.person or ""
            reason = f"{lead}; {after.why}; no deadline is set for the call"
            self.fire(CaseInput(f"{what}_person"), reason, event_id=event_id)
            self.drop_deadlines(*_ANSWERING)
            call = Rung(
                purpose=Purpose.CALL,
                level=self.case.level,
                began_us=self.now_us,
                event_id=event_id,
                told=(person,),
            )
            self._append(call, present=True)
            self.say(self.case.present)

    def say(self, index: int) -> None:
        """Say a rung, or say it again to those who have not acknowledged, and set its next repeat."""
        rung = self.case.rungs[index]
        for recipient in rung.told:
            if recipient not in rung.acknowledged:
                for channel in self._ways(index, recipient):
                    self.queue(index, channel, recipient)
        sayings = rung.sayings + 1
        self.change_rung(index, sayings=sayings)
        if rung.purpose is Purpose.WARNING and not rung.aside:
            level = plan.level_of(self.playbook, rung.level)
            if level.repeat_every_s is not None and sayings <= level.repeat_times:
                self.set_deadline(DeadlineKind.REPEAT, self.now_us + round(level.repeat_every_s * US_PER_S))
        self.check_reach(index)

    def check_reach(self, index: int) -> None:
        """Note whom no way is left to, and climb at once if that is so at the present rung."""
        rung = self.case.rungs[index]
        lost = tuple(who for who in rung.told if who not in rung.acknowledged and not self._alive(index, who))
        if lost == rung.unreachable:
            return
        new = [who for who in lost if who not in rung.unreachable]
        self.change_rung(index, unreachable=lost)
        waiting = {CaseState.AWAITING: Purpose.WARNING, CaseState.CALLING: Purpose.CALL}
        if new and index == self.case.present and waiting.get(self.case.state) is rung.purpose:
            self.climb("undelivered", new)

    # --- messages and attempts -------------------------------------------------------------------------------------

    def queue(self, index: int, channel: str, recipient: str) -> None:
        """Decide one message of a rung and its first attempt."""
        case, rung = self.case, self.case.rungs[index]
        for old in case.messages:
            if (old.rung, old.channel, old.recipient) == (index, channel, recipient):
                self._give_up(old, "said anew")
        key = (rung.purpose, rung.level, channel, recipient)
        saying = sum((old.purpose, old.level, old.channel, old.recipient) == key for old in case.messages)
        reached = any((m.rung, m.recipient) == (index, recipient) and m.state in OUT for m in case.messages)
        text_id = self._text_id(rung)
        words = compose(
            self.wording,
            case,
            purpose=rung.purpose,
            level=rung.level,
            channel=channel,
            recipient=recipient,
            event=case.event(rung.event_id),
            text_id=text_id,
        )
        message = Message(
            message_id=stable_id("message", case.case_id, *map(str, key), saying),
            case_id=case.case_id,
            rung=index,
            purpose=rung.purpose,
            level=rung.level,
            channel=channel,
            recipient=recipient,
            saying=saying,
            is_repeat=reached,
            event_id=rung.event_id,
            queued_us=self.now_us,
            text_id=text_id,
            languages=words.languages,
            subject=words.subject,
            body=words.body,
            state_us=self.now_us,
            facts=words.facts,
        )
        self.case = replace(self.case, messages=(*self.case.messages, message))
        self.attempt(message)

    def attempt(self, message: Message) -> None:
        """Decide one more attempt of a message."""
        number = 1 + sum(made.message_id == message.message_id for made in self.case.attempts)
        attempt = Attempt(
            attempt_id=stable_id("attempt", message.message_id, number),
            message_id=message.message_id,
            number=number,
            begun_us=self.now_us,
        )
        self.case = replace(self.case, attempts=(*self.case.attempts, attempt))
        action = CallPerson if message.purpose is Purpose.CALL else Send
        self._sends.append(action(message=message, number=number))

    def change_message(self, message_id: str, state: MessageState) -> None:
        """Set how far a message got."""
        messages = list(self.case.messages)
        index = next(n for n, message in enumerate(messages) if message.message_id == message_id)
        messages[index] = replace(messages[index], state=state, state_us=self.now_us)
        self.case = replace(self.case, messages=tuple(messages))

    def is_active(self, message: Message) -> bool:
        """Return True if further attempts still serve.

        They do until the recipient has answered, was told anew by a later rung, or nothing stands any longer. A rung
        that climbed because somebody else could not be reached goes on for those who still can.
        """
        if message.purpose in _ENDING:
            return self.case.state is not CaseState.CLOSED
        later = self.case.rungs[message.rung + 1 :]
        if message.recipient in self.case.rungs[message.rung].acknowledged or self.case.state not in _TELLING:
            return False
        return not any(message.recipient in rung.told for rung in later if rung.purpose not in _ENDING)

    def give_up_to(self, index: int, recipient: str) -> None:
        """Try no further to reach somebody who has answered this rung."""
        for message in self.case.messages:
            if message.rung == index and message.recipient == recipient:
                self._give_up(message, "already acknowledged")

    # --- the end ---------------------------------------------------------------------------------------------------

    def lull(self) -> None:
        """Stop waiting: nothing stands, so silence means nothing now; what was left of the time to answer is kept."""
        rung = self.case.rung
        if rung is not None and any(deadline.kind is DeadlineKind.ANSWER for deadline in self.case.deadlines):
            left_s = ((rung.answer_due_us or self.now_us) - self.now_us) / US_PER_S
            rungs = self.case.rungs
            index = self.case.present
            self.case = replace(
                self.case, rungs=(*rungs[:index], replace(rung, answer_left_s=left_s), *rungs[index + 1 :])
            )
        self.drop_deadlines(*_ANSWERING)
        self._give_up_all("nothing stands any longer")

    def stand_down(self, outcome: CaseOutcome) -> None:
        """Tell those who were told that it is over, or that it was an error."""
        self._give_up_all("the case is over")
        self.case = replace(self.case, outcome=outcome, deadlines=())
        false_alarm = outcome is CaseOutcome.FALSE_ALARM
        told = self.already_told()
        if not false_alarm:
            wanted = self.playbook.stand_down.tell if self.playbook.stand_down else ()
            told = tuple(who for who in told if who in wanted or who in self._called())
        last = self.case.events[-1].event_id if self.case.events else None
        rung = Rung(
            purpose=Purpose.CORRECTION if false_alarm else Purpose.STAND_DOWN,
            level=self.case.level,
            began_us=self.now_us,
            event_id=last,
            told=told,
        )
        if told:
            self.aside(rung)

    def already_told(self, event_id: str | None = None) -> tuple[str, ...]:
        """Return whom a warning or call was said to and may have reached, about one event or any, in order."""
        found = [
            message.recipient
            for message in self.case.messages
            if message.purpose not in _ENDING
            and self._may_have_arrived(message)
            and event_id in {None, message.event_id}
        ]
        return tuple(dict.fromkeys(found))

    def finish(self) -> tuple[Case, tuple[Action, ...]]:
        """Settle what follows by itself, and return the new case and what the shell is to do."""
        self._settle()
        self._watch_lull()
        old, new = set(self.before.deadlines), set(self.case.deadlines)
        actions: list[Action] = [DropDeadline(deadline=deadline) for deadline in sorted(old - new)]
        actions += [SetDeadline(deadline=deadline) for deadline in sorted(new - old)]
        actions += self._sends
        closed = self.case.state is CaseState.CLOSED and self.before.state is not CaseState.CLOSED
        if closed and self.case.outcome is not None:
            actions.append(Close(outcome=self.case.outcome))
        return self.case, tuple(actions)

    # --- deadlines, rungs, mutes -----------------------------------------------------------------------------------

    def set_deadline(self, kind: DeadlineKind, at_us: int, about: str = "") -> None:
        """Set what falls due, in place of one of the same kind about the same thing."""
        kept = [old for old in self.case.deadlines if (old.kind, old.about) != (kind, about)]
        deadline = Deadline(at_us=at_us, case_id=self.case.case_id, kind=kind, about=about)
        self.case = replace(self.case, deadlines=tuple(sorted([*kept, deadline])))

    def drop_deadlines(self, *kinds: DeadlineKind, about: str | None = None) -> None:
        """Drop the deadlines of these kinds, about one thing or all."""
        kept = [old for old in self.case.deadlines if old.kind not in kinds or about not in {None, old.about}]
        self.case = replace(self.case, deadlines=tuple(kept))

    def change_rung(
        self,
        index: int,
        *,
        sayings: int | None = None,
        unreachable: tuple[str, ...] | None = None,
        acknowledged: tuple[str, ...] | None = None,
    ) -> None:
        """Change what is known of one rung."""
        rung = self.case.rungs[index]
        rung = replace(
            rung,
            sayings=rung.sayings if sayings is None else sayings,
            unreachable=rung.unreachable if unreachable is None else unreachable,
            acknowledged=rung.acknowledged if acknowledged is None else acknowledged,
        )
        rungs = self.case.rungs
        self.case = replace(self.case, rungs=(*rungs[:index], rung, *rungs[index + 1 :]))

    def mute(self, reason: MuteReason, detail: str, *, event_id: str, level: int, until_us: int | None = None) -> None:
        """Record that something was withheld."""
        mute = Mute(
            at_us=self.now_us,
            until_us=until_us,
            reason=reason,
            detail=detail,
            track_id=self.case.track_id,
            case_id=self.case.case_id,
            event_id=event_id,
            level=level,
        )
        self.case = replace(self.case, mutes=(*self.case.mutes, mute))

    def keep_event(self, event: CaseEvent) -> None:
        """Add an event to the case, or put its newer revision in its place."""
        known = [old.event_id for old in self.case.events]
        events = tuple(event if old.event_id == event.event_id else old for old in self.case.events)
        self.case = replace(self.case, events=events if event.event_id in known else (*events, event))

    # --- inside ----------------------------------------------------------------------------------------------------

    def _append(self, rung: Rung, *, present: bool) -> None:
        rungs = (*self.case.rungs, rung)
        self.case = replace(self.case, rungs=rungs, present=len(rungs) - 1 if present else self.case.present)

    def _ways(self, index: int, recipient: str) -> tuple[str, ...]:
        rung = self.case.rungs[index]
        spoken = [m for m in self.case.messages if m.rung == index and m.recipient == recipient]
        if rung.purpose is Purpose.WARNING:
            planned = plan.ways(self.playbook, plan.level_of(self.playbook, rung.level), recipient)
        elif rung.purpose is Purpose.CALL:
            planned = (recipient,)
        else:
            planned = tuple(
                m.channel for m in self.case.messages if m.recipient == recipient and m.purpose not in _ENDING
                and self._may_have_arrived(m)
            )  # fmt: skip
        latest = {m.channel: m.state for m in spoken}
        dead = {name for name, state in latest.items() if state is MessageState.FAILED_FOR_GOOD}
        return tuple(name for name in dict.fromkeys([*planned, *latest]) if name not in dead)

    def _alive(self, index: int, recipient: str) -> bool:
        return any(
            m.rung == index and m.recipient == recipient and m.state is not MessageState.FAILED_FOR_GOOD
            for m in self.case.messages
        )

    def _may_have_arrived(self, message: Message) -> bool:
        """Return True unless every attempt is known to have failed and none is to come."""
        return message.state is not MessageState.FAILED_FOR_GOOD or any(
            made.outcome is None or made.outcome.state is MessageState.UNKNOWN
            for made in self.case.attempts
            if made.message_id == message.message_id
        )

    def _called(self) -> set[str]:
        return {who for rung in self.case.rungs if rung.purpose is Purpose.CALL for who in rung.told}

    def _text_id(self, rung: Rung) -> str | None:
        if rung.purpose is Purpose.WARNING:
            return plan.level_of(self.playbook, rung.level).text
        over = self.playbook.stand_down
        if over is None or rung.purpose is Purpose.CALL:
            return None
        return over.text if rung.purpose is Purpose.STAND_DOWN else over.false_alarm_text

    def _give_up_all(self, why: str, *, to: Collection[str] | None = None) -> None:
        for message in self.case.messages:
            if message.purpose not in _ENDING and (to is None or message.recipient in to):
                self._give_up(message, why)

    def _give_up(self, message: Message, why: str) -> None:
        if message.state in _TO_COME:
            self.drop_deadlines(DeadlineKind.RETRY, about=message.message_id)
            self.change_message(message.message_id, MessageState.FAILED_FOR_GOOD)
            reason = f"no further attempt on {message.channel} to {message.recipient}: {why}"
            self.fire(CaseInput.FAILED_FOR_GOOD, reason, message_id=message.message_id)

    def _settle(self) -> None:
        if self.case.state is not CaseState.STANDING_DOWN:
            return
        left = [m for m in self.case.messages if m.purpose in _ENDING and m.state in _UNSETTLED]
        if not left:
            told = "everyone who is told of the end was told" if self._ended_to() else self._nobody_told_of_end()
            self.fire(CaseInput.SETTLED, told)
            self.case = replace(self.case, closed_us=self.now_us, deadlines=())

    def _ended_to(self) -> bool:
        return any(m.purpose in _ENDING for m in self.case.messages)

    def _nobody_told_of_end(self) -> str:
        if self.playbook.stand_down is None and self.case.outcome is not CaseOutcome.FALSE_ALARM:
            return "no stand-down is set: nobody is told that it is over"
        return "nobody who was told is to be told of the end"

    def _watch_lull(self) -> None:
        case = self.case
        if case.state not in _LIVE or anything_stands(case.standing):
            self.drop_deadlines(DeadlineKind.LULL)
        elif not any(deadline.kind is DeadlineKind.LULL for deadline in case.deadlines):
            due_us = max([self.now_us, *(d.at_us for d in case.deadlines if d.kind is DeadlineKind.ANSWER)])
            self.set_deadline(DeadlineKind.LULL, due_us + round(LULL_S * US_PER_S))


def overdue(deadline: Deadline, now_us: int) -> str:
    """Return how late a deadline is taken, as a clause for the step; empty if it is on time."""
    late_s = (now_us - deadline.at_us) / US_PER_S
    return f"; overdue by {format_duration(late_s)}" if late_s >= 1.0 else ""
