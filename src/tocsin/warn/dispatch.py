"""Dispatch: events, deadlines, answers and outcomes in one order, through the ladder, out by the channels.

Drives `ladder.step` over recorded time and acts on what it decides: the decision is a fact before the send, the outcome
is one after (house rule 16). At one instant answers come first, then events, then deadlines, so that an answer or an
exit at the very deadline is in time. The facts come out in the order in which a log is to hold them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tocsin.agreement.boundary import boundary_words
from tocsin.agreement.playbook import Playbook
from tocsin.units import format_instant
from tocsin.warn.case import Acknowledgement, Case, Mute, Outcome
from tocsin.warn.channels.transport import Transport
from tocsin.warn.due import DueQueue
from tocsin.warn.heard import as_recorded
from tocsin.warn.inputs import (
    Action,
    Answer,
    CallPerson,
    DropDeadline,
    Due,
    Ended,
    Found,
    Happening,
    Reported,
    Send,
    SetDeadline,
)
from tocsin.warn.ladder import begins_case, open_case, step
from tocsin.warn.message import Boundary, Wording
from tocsin.warn.states import CaseState, Disposition, MessageState, MuteReason
from tocsin.warn.trigger import ENDINGS, ladder_zones, levels_begun, stands_after
from tocsin.watch.event import Event, Revision

REPLAY = "REPLAY of recorded reports. Nothing here is happening now."
"""First line of every message of a replay: words that reach a person must not pass for live ones."""

_OVER = frozenset({CaseState.STANDING_DOWN, CaseState.CLOSED})


class FactKind(StrEnum):
    """The kinds of fact that the ladder hands to the record."""

    CASE_OPENED = "case_opened"
    CASE_STEP = "case_step"
    MESSAGE = "message"
    ATTEMPT = "attempt"
    """An attempt was decided; what came of it is not known yet."""
    OUTCOME = "outcome"
    ACKNOWLEDGEMENT = "acknowledgement"
    MUTE = "mute"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarnResult:
    """What came of a run.

    Attributes
    ----------
    cases : tuple of Case
        By opening time, then id.
    facts : tuple of dict
        JSON objects in the order of the log, each with `kind` (a `FactKind`) and `at`.
    mutes : tuple of Mute
        Everything withheld, in a case or before one opened.
    stray : tuple of Acknowledgement
        Answers about no case that existed at their time, or dated after the end.
    """

    cases: tuple[Case, ...]
    facts: tuple[dict[str, Any], ...]
    mutes: tuple[Mute, ...]
    stray: tuple[Acknowledgement, ...]


class Dispatcher:
    """The cases of one agreement version, and what drives them.

    Parameters
    ----------
    playbook : Playbook
    transports : mapping of str to Transport
        By channel id; a person at the end of the ladder is a channel under their own id.
    boundary : callable
        Finds the words that may not be sent; see `message.Boundary`.
    preface : str or None
        First line of every message.
    """

    def __init__(
        self,
        playbook: Playbook,
        transports: Mapping[str, Transport],
        *,
        boundary: Boundary = boundary_words,
        preface: str | None = None,
    ) -> None:
        self.playbook = playbook
        self.cases: dict[str, Case] = {}
        self.facts: list[dict[str, Any]] = []
        self.mutes: list[Mute] = []
        self.stray: list[Acknowledgement] = []
        self.due = DueQueue()
        self._transports = transports
        self._wording = Wording(playbook=playbook, boundary=boundary, preface=preface)
        self._zones = frozenset(ladder_zones(playbook))
        self._standing: dict[str, tuple[str, ...]] = {}
        self._open: dict[str, str] = {}
        self._by_event: dict[str, str] = {}
        self._openings: dict[str, int] = {}

    def found(self, event: Event) -> None:
        """Take one event of the watch: into its case, or to open one, or into nothing if the ladder is not about it."""
        if event.zone_id not in self._zones:
            return
        track, stood = event.track_id, self._standing.get(event.track_id, ())
        case = self._case_of(event)
        if case is None or not _knows(case, event):
            self._standing[track] = stands_after(stood, event)
        if case is not None:
            self._apply(case, Found(event=event), event.known_us)
        elif begins_case(self.playbook, event, stood):
            if event.exemption is None:
                self._open_case(event, stood)
            else:
                self._mute(event, stood)

    def heard(self, answer: Answer) -> None:
        """Take one answer: into the case it is about, or among the stray ones."""
        case = self._case_about(answer)
        if case is None:
            self.keep_stray(answer, Disposition.UNKNOWN_CASE)
        else:
            self._apply(case, answer, answer.at_us)

    def keep_stray(self, answer: Answer, disposition: Disposition) -> None:
        """Keep an answer that no case takes, with its end."""
        kept = as_recorded(answer, disposition=disposition, case_id=None)
        self.stray.append(kept)
        self._fact(FactKind.ACKNOWLEDGEMENT, answer.at_us, kept.as_json())

    def fall_due(self, now_us: int) -> None:
        """Take the next deadline, which has passed by now."""
        deadline = self.due.take()
        self._apply(self.cases[deadline.case_id], Due(deadline=deadline), now_us)

    def end(self, now_us: int, reason: str) -> None:
        """End the watch of every case that is not closed."""
        for case in sorted(self.cases.values(), key=lambda case: (case.opened_us, case.case_id)):
            if case.state is not CaseState.CLOSED:
                self._apply(case, Ended(reason=reason), now_us)

    def result(self) -> WarnResult:
        """Return what came of it so far."""
        cases = tuple(sorted(self.cases.values(), key=lambda case: (case.opened_us, case.case_id)))
        mutes = sorted(
            [*self.mutes, *(mute for case in cases for mute in case.mutes)],
            key=lambda mute: (mute.at_us, mute.track_id, mute.event_id or ""),
        )
        return WarnResult(cases=cases, facts=tuple(self.facts), mutes=tuple(mutes), stray=tuple(self.stray))

    # --- inside ----------------------------------------------------------------------------------------------------

    def _case_of(self, event: Event) -> Case | None:
        known = self.cases.get(self._by_event.get(event.event_id, ""))
        if known is not None and (event.revision is Revision.WITHDRAWN or _knows(known, event)):
            return known
        return self.cases.get(self._open.get(event.track_id, ""))

    def _open_case(self, event: Event, stood: Sequence[str]) -> None:
        again = self._openings.get(event.event_id, 0)
        self._openings[event.event_id] = again + 1
        case = open_case(self.playbook, event, standing=stood, again=again)
        self._open[event.track_id] = case.case_id
        opened = {"case": case.case_id, "track": case.track_id, "event": event.event_id, "zones": list(case.zones)}
        self._fact(FactKind.CASE_OPENED, event.known_us, opened)
        self._apply(case, Found(event=event), event.known_us)

    def _mute(self, event: Event, stood: Sequence[str]) -> None:
        levels = levels_begun(self.playbook, event, stands_after(stood, event))
        mute = Mute(
            at_us=event.known_us,
            until_us=None,
            reason=MuteReason.EXEMPTION,
            detail=event.exemption or "",
            track_id=event.track_id,
            case_id=None,
            event_id=event.event_id,
            level=levels[-1].level,
        )
        self.mutes.append(mute)
        self._fact(FactKind.MUTE, event.known_us, mute.as_json())

    def _case_about(self, answer: Answer) -> Case | None:
        found = [
            case
            for case in self.cases.values()
            if (answer.case_id is None or case.case_id.startswith(answer.case_id))
            and (answer.track_id is None or case.track_id == answer.track_id)
            and (answer.message_id is None or case.message(answer.message_id) is not None)
        ]
        if answer.case_id is not None and len(found) > 1:
            return None
        return max(found, key=lambda case: (case.state not in _OVER, case.opened_us, case.case_id), default=None)

    def _apply(self, case: Case, happened: Happening, now_us: int) -> None:
        after, actions = step(case, happened, now_us, wording=self._wording)
        self.cases[after.case_id] = after
        if isinstance(happened, Found):
            self._by_event[happened.event.event_id] = after.case_id
        if after.state in _OVER and self._open.get(after.track_id) == after.case_id:
            del self._open[after.track_id]
        self._record(case, after, happened, now_us)
        for action in actions:
            self._act(action, now_us)

    def _act(self, action: Action, now_us: int) -> None:
        if isinstance(action, SetDeadline):
            self.due.add(action.deadline)
        elif isinstance(action, DropDeadline):
            self.due.drop(action.deadline)
        elif isinstance(action, Send | CallPerson):
            message = action.message
            transport = self._transports.get(message.channel)
            if transport is None:
                reason = f"this deployment sets no transport for {message.channel}"
                outcome = Outcome(state=MessageState.FAILED_FOR_GOOD, reason=reason)
            else:
                outcome = transport.send(message, now_us)
            report = Reported(message_id=message.message_id, number=action.number, outcome=outcome)
            self._apply(self.cases[message.case_id], report, now_us)

    def _record(self, before: Case, after: Case, happened: Happening, now_us: int) -> None:
        about = {"case": after.case_id, "track": after.track_id}
        if isinstance(happened, Reported):
            key = (happened.message_id, happened.number)
            done = next(made for made in after.attempts if (made.message_id, made.number) == key)
            self._fact(FactKind.OUTCOME, now_us, {**about, **done.as_json()})
        for ack in after.acknowledgements[len(before.acknowledgements) :]:
            self._fact(FactKind.ACKNOWLEDGEMENT, now_us, {**about, **ack.as_json()})
        for mute in after.mutes[len(before.mutes) :]:
            self._fact(FactKind.MUTE, now_us, {**about, **mute.as_json()})
        for taken in after.steps[len(before.steps) :]:
            self._fact(FactKind.CASE_STEP, now_us, {**about, **taken.as_json()})
        for message in after.messages[len(before.messages) :]:
            self._fact(FactKind.MESSAGE, now_us, {**about, **message.as_json()})
        for made in after.attempts[len(before.attempts) :]:
            self._fact(FactKind.ATTEMPT, now_us, {**about, **made.as_json()})

    def _fact(self, kind: FactKind, at_us: int, fact: dict[str, Any]) -> None:
        self.facts.append({**fact, "kind": str(kind), "at": format_instant(at_us)})


def run(
    playbook: Playbook,
    events: Iterable[Event],
    answers: Iterable[Answer],
    transports: Mapping[str, Transport],
    *,
    until_us: int,
    boundary: Boundary = boundary_words,
    preface: str | None = REPLAY,
) -> WarnResult:
    """Drive the ladder over recorded events and answers, in replayed time.

    Parameters
    ----------
    playbook : Playbook
    events : iterable of Event
        In any order; each enters at its `known_us`.
    answers : iterable of Answer
        In any order; each enters at its own time.
    transports : mapping of str to Transport
        By channel id, such as `channels.config.load_transports` returns.
    until_us : int
        End of the watch, microseconds UTC: what falls due later does not, and open cases are ended as such.
    boundary : callable
        Finds the words that may not be sent.
    preface : str or None
        First line of every message; says that this is a replay unless told otherwise.

    Returns
    -------
    WarnResult
    """
    desk = Dispatcher(playbook, transports, boundary=boundary, preface=preface)
    incoming: list[tuple[tuple[Any, ...], Event | Answer]] = []
    for event in events:
        if event.known_us <= until_us:
            key = (event.known_us, 1, event.kind in ENDINGS, *event.order, str(event.revision))
            incoming.append((key, event))
    late: list[Answer] = []
    for number, answer in enumerate(sorted(answers, key=_answer_order)):
        if answer.at_us > until_us:
            late.append(answer)
        else:
            incoming.append(((answer.at_us, 0, number), answer))
    incoming.sort(key=lambda pair: pair[0])
    for key, item in incoming:
        _let_pass(desk, before_us=key[0])
        if isinstance(item, Answer):
            desk.heard(item)
        else:
            desk.found(item)
    _let_pass(desk, before_us=until_us + 1)
    desk.end(until_us, "the recording ends here; what came after is not known")
    for answer in late:
        desk.keep_stray(answer, Disposition.AFTER_END)
    return desk.result()


def _let_pass(desk: Dispatcher, *, before_us: int) -> None:
    while (deadline := desk.due.next()) is not None and deadline.at_us < before_us:
        desk.fall_due(deadline.at_us)


def _answer_order(answer: Answer) -> tuple[int, str, str, str, str]:
    return (answer.at_us, answer.who, answer.party, str(answer.kind), answer.source)


def _knows(case: Case, event: Event) -> bool:
    known = case.event(event.event_id)
    return known is not None and not known.withdrawn
