"""The desk: every open case of a watch, as one pure step: (docket, what arrived, now) -> (docket, what was decided).

It decides and acts on nothing, so that a station can commit the facts and its outbox first, then send, then feed each
outcome back as an input (house rule 16). At one instant outcomes and answers come first, then what the watch found,
then deadlines: an answer or an exit at the very deadline is in time. A deadline that fell while nobody was at the desk
is taken at once, marked overdue, and its case takes one step for it, not one for every rung that was missed (FAULTS
§2.4 row 52). Cases end under the agreement version under which they began (row 54). There is no clock in here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from tocsin.errors import LadderError
from tocsin.warn.case import Case
from tocsin.warn.docket import KEPT_S, Docket, Playbooks, knows, retires_before_us
from tocsin.warn.facts import FactKind, fact, facts_of
from tocsin.warn.heard import answer_identity, as_recorded
from tocsin.warn.inputs import (
    Answer,
    CallPerson,
    DropDeadline,
    Due,
    Ended,
    Found,
    Happening,
    Muting,
    Reported,
    Resumed,
    Send,
    SetDeadline,
)
from tocsin.warn.ladder import begins_case, open_case
from tocsin.warn.ladder import step as step_case
from tocsin.warn.states import CaseState, DeadlineKind, Disposition, MessageState, MuteReason
from tocsin.warn.steps import Deadline, Mute
from tocsin.warn.telling import Acknowledgement, Outcome
from tocsin.warn.trigger import ENDINGS, levels_begun, stands_after
from tocsin.watch.event import Event, Revision

T = TypeVar("T")

Input = Found | Answer | Reported | Muting | Resumed
"""What can arrive at a desk. Deadlines are its own: it is told only what time it is."""

_SAYINGS = frozenset({DeadlineKind.REPEAT, DeadlineKind.RETRY})

CUT_OFF = "the process ended before its outcome was known"
"""Why an attempt is in doubt after a restart."""


class Decided(Struct, kw_only=True):
    """What a desk decided in one step; nothing of it has been done yet.

    Attributes
    ----------
    facts : list of dict
        For the record, in its order; each with `kind` (a `FactKind`) and `at`.
    sends : list of Send or CallPerson
        One attempt each, in the order decided. To be committed with the facts, then made, and each reported back.
    answered : list of Acknowledgement
        The end of every answer that arrived, in the order given.
    muted : list of Mute or str
        What every person's mute became, or why the ladder refused it, in the order given.
    withheld : list of Mute
        What was withheld without opening a case.
    stray : list of Acknowledgement
        Answers that no case took.
    changed : dict of str to None
        Ids of cases that changed, in order of their first change.
    standing : dict of str to None
        Tracks for which something else stands than before.
    refused : dict of int to str
        Why the ladder took nothing of an input, by its place among those given.
    retired : list of str
        Ids of closed cases that left the docket (`docket.KEPT_S`).
    """

    facts: list[dict[str, Any]] = field(default_factory=list)
    sends: list[Send | CallPerson] = field(default_factory=list)
    answered: list[Acknowledgement] = field(default_factory=list)
    muted: list[Mute | str] = field(default_factory=list)
    withheld: list[Mute] = field(default_factory=list)
    stray: list[Acknowledgement] = field(default_factory=list)
    changed: dict[str, None] = field(default_factory=dict)
    standing: dict[str, None] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    retired: list[str] = field(default_factory=list)


def step(
    docket: Docket, inputs: Sequence[Input], now_us: int, *, playbooks: Playbooks, kept_s: float = KEPT_S
) -> tuple[Docket, Decided]:
    """Take everything that arrived and every deadline that has passed.

    Parameters
    ----------
    docket : Docket
        Taken over: use the returned one from now on.
    inputs : sequence of Found, Answer, Reported, Muting or Resumed
        In any order: they are taken by the instant at which they arrived (`at_us` of an answer or outcome, `now_us` of
        the rest), between the deadlines of that time. Empty to let time pass.
    now_us : int
        Microseconds UTC; not before the docket's last step. Everything decided is dated with it.
    playbooks : Playbooks
    kept_s : float
        How long closed cases stay on the docket, seconds.

    Returns
    -------
    Docket, Decided

    Raises
    ------
    ValueError
        If `now_us` lies before the docket's last step. Nothing was changed.

    Notes
    -----
    What the ladder refuses becomes a fact `refused`, and the rest goes on: one bad input costs one input.
    """
    if now_us < docket.now_us:
        raise ValueError(f"found now at {now_us}, expected no earlier than the last step at {docket.now_us}")
    turn = Turn(docket, playbooks, now_us)
    arrived = sorted((_order(item, now_us), number, item) for number, item in enumerate(inputs))
    ends: dict[int, Acknowledgement | Mute] = {}
    for order, number, item in arrived:
        turn.let_pass(before_us=order[0], sayings=False)
        end = turn.try_to(partial(turn.take, item), type(item).__name__.lower(), number=number)
        if end is not None:
            ends[number] = end
    turn.let_pass(before_us=now_us + 1)
    turn.decided.answered = [end for _, end in sorted(ends.items()) if isinstance(end, Acknowledgement)]
    muted = {number: end for number, end in ends.items() if isinstance(end, Mute)}
    asked = [number for number, item in enumerate(inputs) if isinstance(item, Muting)]
    turn.decided.muted = [muted[number] if number in muted else turn.decided.refused[number] for number in asked]
    turn.decided.retired = docket.retire(before_us=retires_before_us(now_us, kept_s))
    docket.now_us = now_us
    return docket, turn.decided


class Turn:
    """A docket on its way through one step; `take`, `fall_due` and `end` do one thing each and raise `LadderError`."""

    def __init__(self, docket: Docket, playbooks: Playbooks, now_us: int) -> None:
        self.docket = docket
        self.playbooks = playbooks
        self.now_us = now_us
        self.decided = Decided()

    def take(self, item: Input) -> Acknowledgement | Mute | None:
        """Take one thing that arrived; return the end of an answer, or what a person's mute became."""
        match item:
            case Found(event=event):
                self._found(event)
            case Answer():
                return self._heard(item)
            case Reported():
                self._reported(item)
            case Muting():
                return self._muting(item)
            case Resumed():
                self._resumed()
        return None

    def let_pass(self, *, before_us: int, sayings: bool = True) -> None:
        """Take every deadline before an instant, in order; without `sayings`, none that only says something again.

        What is said again waits until everything that arrived is taken, so that nobody who has answered hears it.
        """
        due, waiting = self.docket.due, []
        while (deadline := due.next()) is not None and deadline.at_us < before_us:
            if deadline.kind in _SAYINGS and not sayings and self._unanswered(deadline, before_us) is None:
                waiting.append(due.take())
            else:
                self.try_to(lambda: self.fall_due(before_us=before_us), f"deadline {deadline.kind}")
        for deadline in waiting:
            if deadline in self.docket.cases[deadline.case_id].deadlines:
                due.add(deadline)

    def fall_due(self, *, before_us: int | None = None) -> None:
        """Take the next deadline; where the time to answer has passed too, that is what is taken."""
        due = self.docket.due
        first = due.take()
        deadline = self._unanswered(first, self.now_us + 1 if before_us is None else before_us) or first
        if deadline != first:
            due.drop(deadline)
            due.add(first)
        self._apply(self.docket.cases[first.case_id], Due(deadline=deadline))

    def end(self, reason: str) -> None:
        """End the watch of every case that is not closed."""
        for case in sorted(self.docket.cases.values(), key=lambda case: (case.opened_us, case.case_id)):
            if case.state is not CaseState.CLOSED:
                self._apply(case, Ended(reason=reason))

    def keep_stray(self, answer: Answer, disposition: Disposition, **more: str) -> Acknowledgement:
        """Keep an answer that no case takes, with its end."""
        kept = as_recorded(answer, disposition=disposition, case_id=None)
        self.decided.stray.append(kept)
        self._fact(FactKind.ACKNOWLEDGEMENT, {**kept.as_json(), **more})
        return kept

    def try_to(self, act: Callable[[], T], what: str, *, number: int | None = None) -> T | None:
        """Do something; what the ladder refuses becomes a fact, and the rest goes on."""
        try:
            return act()
        except LadderError as error:
            self._fact(FactKind.REFUSED, {"what": what, "reason": str(error)})
            if number is not None:
                self.decided.refused[number] = str(error)
            return None

    def _unanswered(self, deadline: Deadline, before_us: int) -> Deadline | None:
        """Return the case's deadline for an answer, if that has passed too."""
        held = self.docket.cases[deadline.case_id].deadlines
        return next((d for d in held if d.kind is DeadlineKind.ANSWER and d.at_us < before_us), None)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _found(self, event: Event) -> None:
        if event.zone_id not in self.playbooks.zones:
            return
        docket, track = self.docket, event.track_id
        stood = docket.standing.get(track, ())
        case = docket.case_of(event, is_withdrawal=event.revision is Revision.WITHDRAWN)
        if (case is None or not knows(case, event)) and docket.stand(track, stands_after(stood, event)):
            self.decided.standing[track] = None
        if case is not None:
            self._apply(case, Found(event=event))
        elif event.zone_id in self.playbooks.zones_in_force and begins_case(self.playbooks.in_force, event, stood):
            if event.exemption is None:
                self._open_case(event, stood)
            else:
                self._mute(event, stood)

    def _open_case(self, event: Event, stood: Sequence[str]) -> None:
        again = self.docket.times_begun(event)
        case = open_case(self.playbooks.in_force, event, standing=stood, again=again, now_us=self.now_us)
        opened = {"case": case.case_id, "track": case.track_id, "event": event.event_id, "zones": list(case.zones)}
        self._fact(FactKind.CASE_OPENED, opened)
        self._apply(case, Found(event=event))

    def _mute(self, event: Event, stood: Sequence[str]) -> None:
        levels = levels_begun(self.playbooks.in_force, event, stands_after(stood, event))
        mute = Mute(
            at_us=self.now_us,
            until_us=None,
            reason=MuteReason.EXEMPTION,
            detail=event.exemption or "",
            track_id=event.track_id,
            case_id=None,
            event_id=event.event_id,
            level=levels[-1].level,
        )
        self.decided.withheld.append(mute)
        self._fact(FactKind.MUTE, mute.as_json())

    def _heard(self, answer: Answer) -> Acknowledgement:
        if answer.at_us > self.now_us:
            answer = replace(answer, at_us=self.now_us)
        if answer.refused:
            return self.keep_stray(answer, Disposition.REFUSED, refused=answer.refused)
        case = self.docket.case_about(answer)
        if case is None:
            return self.keep_stray(answer, Disposition.UNKNOWN_CASE)
        if answer.key and (earlier := _same_key(case, answer)) is not None:
            if _says_the_same(earlier, answer):
                return earlier
            reason = "its key was used for another answer"
            return self.keep_stray(answer, Disposition.REFUSED, refused=reason)
        return self._apply(case, answer).acknowledgements[-1]

    def _reported(self, report: Reported) -> None:
        case = self.docket.case_of_message(report.message_id)
        if case is None:
            raise LadderError(f"no case on the docket has a message {report.message_id}")
        self._apply(case, report)

    def _muting(self, asked: Muting) -> Mute:
        case = self.docket.case_named(asked.case_id)
        if case is None:
            raise LadderError(f"no case on the docket is named {asked.case_id}")
        return self._apply(case, asked).mutes[-1]

    def _resumed(self) -> None:
        """Take up what was in flight when the process ended: each attempt is in doubt, and made again at once."""
        for message_id, number in self.docket.in_flight():
            outcome = Outcome(state=MessageState.UNKNOWN, reason=CUT_OFF, retry_after_s=0.0)
            self._reported(Reported(message_id=message_id, number=number, outcome=outcome))

    def _apply(self, case: Case, happened: Happening) -> Case:
        wording = self.playbooks.wording(case.agreement_version)
        after, actions = step_case(case, happened, self.now_us, wording=wording)
        self.docket.put(case, after, happened.event if isinstance(happened, Found) else None)
        self.decided.changed[after.case_id] = None
        self.decided.facts.extend(facts_of(case, after, happened, self.now_us))
        for action in actions:
            if isinstance(action, SetDeadline):
                self.docket.due.add(action.deadline)
            elif isinstance(action, DropDeadline):
                self.docket.due.drop(action.deadline)
            elif isinstance(action, Send | CallPerson):
                self.decided.sends.append(action)
        return after

    def _fact(self, kind: FactKind, what: dict[str, Any]) -> None:
        self.decided.facts.append(fact(kind, self.now_us, what))


def _order(item: Input, now_us: int) -> tuple[Any, ...]:
    """Return the instant at which something arrived, then its rank at that instant; what was in flight comes first."""
    match item:
        case Resumed():
            return (0,)
        case Reported():
            return (min(now_us, now_us if item.at_us is None else item.at_us), 0, item.message_id, item.number)
        case Answer():
            rest = (item.who, item.party, str(item.kind), item.source, item.key, item.text)
            return (min(now_us, item.at_us), 1, *rest)
        case Muting():
            return (min(now_us, item.at_us), 2, item.who, item.party, item.case_id, str(item.reason), item.until_us)
    event = item.event
    return (now_us, 3, event.kind in ENDINGS, *event.order, str(event.revision))


def _same_key(case: Case, answer: Answer) -> Acknowledgement | None:
    answer_id = answer_identity(case.case_id, answer)
    return next((ack for ack in case.acknowledgements if ack.answer_id == answer_id), None)


def _says_the_same(earlier: Acknowledgement, answer: Answer) -> bool:
    again = as_recorded(answer, disposition=earlier.disposition, case_id=earlier.case_id)
    return replace(again, at_us=earlier.at_us, source=earlier.source) == earlier
