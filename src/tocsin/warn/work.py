"""One step of a case under construction: levels begun, climbed and said again, alternates, mutes, and standing down.

Implements the levels' `tell`, `repeat`, `ack_within`, `ack_expires`, `alternates`, `on_no_ack` and the agreement's
`end_of_ladder` and `stand_down`. It acts on nothing: it only collects what the shell is to do.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from tocsin.agreement.playbook import MOVER
from tocsin.clock import US_PER_S
from tocsin.units import format_duration
from tocsin.warn import plan
from tocsin.warn.case import Case
from tocsin.warn.inputs import Action, Close, DropDeadline, SetDeadline
from tocsin.warn.saying import ENDING, TELLING, TO_COME, Saying
from tocsin.warn.states import (
    PERSONS_REASONS,
    CaseInput,
    CaseOutcome,
    CaseState,
    DeadlineKind,
    MessageState,
    Purpose,
)
from tocsin.warn.steps import Deadline, Mute, Rung
from tocsin.warn.trigger import anything_stands

LULL_S = 3_600.0
"""Seconds that nothing must stand before a case without its stand-down conduct is over.

Origin: no agreement sets it; an hour holds the pauses between the tries of one probing. It decides only whether a later
approach belongs to this case or opens a new one; either way it is told at once. Lower means more and shorter cases.
"""

_OF_THE_RUNG = (
    DeadlineKind.ANSWER,
    DeadlineKind.REPEAT,
    DeadlineKind.TURN,
    DeadlineKind.ALTERNATE,
    DeadlineKind.RELAY,
    DeadlineKind.EXPIRY,
)
"""What falls due for the present rung, and no longer matters once another begins or nothing stands."""

_LIVE = TELLING | {CaseState.LULL}
_UNSETTLED = TO_COME | {MessageState.QUEUED}


class Work(Saying):
    """A case on its way through one step."""

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
        self.drop_deadlines(*_OF_THE_RUNG)
        self.give_up_all("told anew by a later rung", to=level.tell)
        said_us = self.now_us + round(wait_s * US_PER_S)
        times = level.repeat_times if level.repeat_every_s is not None else 0
        due_us = None
        if level.ack_within_s is not None:
            whole_s = level.ack_within_s + times * (level.repeat_every_s or 0.0)
            due_us = said_us + round((whole_s if answer_left_s is None else min(whole_s, answer_left_s)) * US_PER_S)
            self.set_deadline(DeadlineKind.ANSWER, due_us)
        for other in level.alternates:
            if other.after_s is not None:
                self.set_deadline(DeadlineKind.ALTERNATE, said_us + round(other.after_s * US_PER_S), other.who)
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
        names = " and ".join(_name(name) for name in who)
        lead = f"no way to {names} is left" if what == "undelivered" else f"no answer from {names} in time"
        lead += note
        present = self.case.rung
        event_id = present.event_id if present else None
        after = plan.after_silence(self.playbook, self.case.level)
        if self.case.state is CaseState.CALLING:
            if not self.call_next(lead):
                failed = "the call itself failed" if what == "undelivered" else "the call was not answered"
                self._end_of_ladder(what, f"{lead}; {failed}", event_id)
        elif after.follows is plan.Follows.NOBODY:
            self._end_of_ladder(what, f"{lead}; {after.why}", event_id)
        elif after.level is not None:
            self.begin(CaseInput(f"{what}_next"), after.level.level, f"{lead}; {after.why}", event_id=event_id)
        else:
            self._call(CaseInput(f"{what}_person"), after.person or "", f"{lead}; {after.why}", event_id)

    def call_next(self, lead: str) -> bool:
        """Call who stands in for the person called, if there is one left; return True if so."""
        rung = self.case.rungs[self.case.present]
        tried = {who for who, _ in rung.standins}
        after = next((who for who in self.playbook.call_alternates if who not in tried and who not in rung.told), None)
        if after is None:
            return False
        self.fire(CaseInput.ALTERNATE_DUE, f"{lead}; {after} is called instead", event_id=rung.event_id)
        self.change_rung(self.case.present, standins=(*rung.standins, (after, rung.told[0])))
        self._await_call()
        self.say_to(self.case.present, after)
        self.check_reach(self.case.present)
        return True

    def say(self, index: int) -> None:
        """Say a rung, or say it again to those who have not acknowledged, and set its next repeat."""
        rung = self.case.rungs[index]
        for recipient in [*rung.told, *(who for who, _ in rung.standins)]:
            if rung.credited(recipient) not in rung.acknowledged:
                self.say_to(index, recipient)
        sayings = rung.sayings + 1
        self.change_rung(index, sayings=sayings)
        if rung.purpose is Purpose.WARNING and not rung.aside:
            level = plan.level_of(self.playbook, rung.level)
            if level.repeat_every_s is not None and sayings <= level.repeat_times:
                at_us = self.now_us + round(level.repeat_every_s * US_PER_S)
                self.set_deadline(DeadlineKind.REPEAT, plan.grouped_us(self.playbook, level, at_us))
        self.check_reach(index)

    def check_reach(self, index: int) -> None:
        """Note whom no way is left to; at the present rung tell who stands in for them, or climb at once."""
        rung = self.case.rungs[index]
        lost = tuple(who for who in rung.told if who not in rung.acknowledged and not self.is_alive(index, who))
        if lost == rung.unreachable:
            return
        new = [who for who in lost if who not in rung.unreachable]
        waiting = {CaseState.AWAITING: Purpose.WARNING, CaseState.CALLING: Purpose.CALL}
        is_present = index == self.case.present and waiting.get(self.case.state) is rung.purpose
        if is_present and rung.purpose is Purpose.WARNING:
            for who in new:
                if self._stand_in(index, who):
                    self.check_reach(index)
                    return
        self.change_rung(index, unreachable=lost)
        if new and is_present:
            self.climb("undelivered", new)

    def alternate_due(self, who: str, *, note: str = "") -> None:
        """Tell another person, since the one they stand in for has stayed silent long enough."""
        rung = self.case.rungs[self.case.present]
        others = plan.level_of(self.playbook, rung.level).alternates
        other = next(other for other in others if other.who == who)
        if other.of not in rung.acknowledged and who not in {name for name, _ in rung.standins}:
            lead = f"no answer from {_name(other.of)} yet{note}"
            self._tell_instead(self.case.present, who, other.of, lead)

    # --- mutes -----------------------------------------------------------------------------------------------------

    @property
    def muted(self) -> Mute | None:
        """The mute by a person that holds now; the newest one says how long."""
        mine = [mute for mute in self.case.mutes if mute.reason in PERSONS_REASONS]
        newest = mine[-1] if mine else None
        return newest if newest is not None and (newest.until_us or 0) > self.now_us else None

    def withhold(self, deadline: Deadline, mute: Mute) -> None:
        """Put off what a mute withholds until it ends; what would have climbed by then does."""
        what = "its acknowledgement has run out" if deadline.kind is DeadlineKind.EXPIRY else "it is not said again"
        reason = f"level {self.case.level}: {what}, muted by {mute.detail}"
        self.fire(CaseInput.WITHHELD, reason)
        answer_us = [d.at_us for d in self.case.deadlines if d.kind is DeadlineKind.ANSWER]
        until_us = mute.until_us or self.now_us
        if deadline.kind is DeadlineKind.EXPIRY or not answer_us or until_us < min(answer_us):
            self.set_deadline(deadline.kind, until_us)

    # --- the end ---------------------------------------------------------------------------------------------------

    def lull(self) -> None:
        """Stop waiting: nothing stands, so silence means nothing now; what was left of the time to answer is kept."""
        rung = self.case.rung
        if rung is not None and any(deadline.kind is DeadlineKind.ANSWER for deadline in self.case.deadlines):
            left_s = ((rung.answer_due_us or self.now_us) - self.now_us) / US_PER_S
            self.change_rung(self.case.present, answer_left_s=left_s)
        self.drop_deadlines(*_OF_THE_RUNG)
        self.give_up_all("nothing stands any longer")

    def answered_by_all(self) -> None:
        """Stop waiting: everyone has answered; watch how long that counts, where the agreement says so."""
        self.drop_deadlines(*_OF_THE_RUNG)
        lasts_s = plan.level_of(self.playbook, self.case.level).ack_expires_s
        if lasts_s is not None and self.case.state is CaseState.ACKNOWLEDGED:
            self.set_deadline(DeadlineKind.EXPIRY, self.now_us + round(lasts_s * US_PER_S))

    def stand_down(self, outcome: CaseOutcome) -> None:
        """Tell those who were told that it is over, or that it was an error."""
        self.give_up_all("the case is over")
        retries = tuple(d for d in self.case.deadlines if d.kind is DeadlineKind.RETRY)  # of corrections, if any
        self.case = replace(self.case, outcome=outcome, deadlines=retries)
        false_alarm = outcome is CaseOutcome.FALSE_ALARM
        told = self.already_told()
        if not false_alarm:
            wanted = {*(self.playbook.stand_down.tell if self.playbook.stand_down else ()), *self._called()}
            instead = {who for rung in self.case.rungs for who, of in rung.standins if of in wanted}
            told = tuple(who for who in told if who in wanted | instead)
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

    def finish(self) -> tuple[Case, tuple[Action, ...]]:
        """Settle what follows by itself, and return the new case and what the shell is to do."""
        self._settle()
        self._watch_lull()
        old, new = set(self.before.deadlines), set(self.case.deadlines)
        actions: list[Action] = [DropDeadline(deadline=deadline) for deadline in sorted(old - new)]
        actions += [SetDeadline(deadline=deadline) for deadline in sorted(new - old)]
        actions += self.sends
        closed = self.case.state is CaseState.CLOSED and self.before.state is not CaseState.CLOSED
        if closed and self.case.outcome is not None:
            actions.append(Close(outcome=self.case.outcome))
        return self.case, tuple(actions)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _call(self, happened: CaseInput, person: str, reason: str, event_id: str | None) -> None:
        unset = "" if self.playbook.call_within_s is not None else "; no deadline is set for the call"
        self.fire(happened, reason + unset, event_id=event_id)
        self.drop_deadlines(*_OF_THE_RUNG)
        call = Rung(
            purpose=Purpose.CALL,
            level=self.case.level,
            began_us=self.now_us,
            event_id=event_id,
            told=(person,),
        )
        self._append(call, present=True)
        self._await_call()
        self.say(self.case.present)

    def _await_call(self) -> None:
        if self.playbook.call_within_s is not None:
            due_us = self.now_us + round(self.playbook.call_within_s * US_PER_S)
            self.set_deadline(DeadlineKind.ANSWER, due_us)
            self.change_rung(self.case.present, answer_due_us=due_us)

    def _end_of_ladder(self, what: str, reason: str, event_id: str | None) -> None:
        reached = "; nobody reached" if self.case.nobody_reached else ""
        self.fire(CaseInput(f"{what}_end"), f"{reason}{reached}", event_id=event_id)
        self.drop_deadlines(*_OF_THE_RUNG)

    def _stand_in(self, index: int, who: str) -> bool:
        """Tell the next who stands in for somebody to whom no way is left; return True if there is one."""
        rung = self.case.rungs[index]
        tried = {name for name, _ in rung.standins}
        others = plan.level_of(self.playbook, rung.level).alternates
        other = next((other for other in others if other.of == who and other.who not in tried), None)
        if other is None:
            return False
        self._tell_instead(index, other.who, who, f"no way to {_name(who)} is left")
        return True

    def _tell_instead(self, index: int, who: str, of: str, lead: str) -> None:
        rung = self.case.rungs[index]
        reason = f"{lead}; {_name(who)} is told instead"
        self.fire(CaseInput.ALTERNATE_DUE, reason, event_id=rung.event_id)
        self.drop_deadlines(DeadlineKind.ALTERNATE, about=who)
        self.change_rung(index, standins=(*rung.standins, (who, of)))
        self.say_to(index, who)
        self.check_reach(index)

    def _called(self) -> set[str]:
        calls = [rung for rung in self.case.rungs if rung.purpose is Purpose.CALL]
        return {who for rung in calls for who in (*rung.told, *(name for name, _ in rung.standins))}

    def _settle(self) -> None:
        if self.case.state is not CaseState.STANDING_DOWN:
            return
        left = [m for m in self.case.messages if m.purpose in ENDING and m.state in _UNSETTLED]
        if not left:
            told = "everyone who is told of the end was told" if self._ended_to() else self._nobody_told_of_end()
            self.fire(CaseInput.SETTLED, told)
            self.case = replace(self.case, closed_us=self.now_us, deadlines=())

    def _ended_to(self) -> bool:
        return any(m.purpose in ENDING for m in self.case.messages)

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


def _name(who: str) -> str:
    return "the mover" if who == MOVER else who
