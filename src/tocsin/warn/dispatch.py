"""Dispatch: a whole watch in recorded time: events, deadlines, answers and outcomes in one order, out by the channels.

Drives the desk over a replay and acts at once on what it decides, so that the outcome of each send is known before the
next thing is taken. The facts come out in the order in which a log is to hold them. A live station does not come
through here: it commits what `desk.step` decides before it sends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from tocsin.agreement.boundary import boundary_words
from tocsin.agreement.playbook import Playbook
from tocsin.warn.case import Case
from tocsin.warn.channels.transport import Transport
from tocsin.warn.desk import Turn
from tocsin.warn.docket import Docket, Playbooks
from tocsin.warn.due import DueQueue
from tocsin.warn.facts import FactKind
from tocsin.warn.inputs import Answer, CallPerson, Found, Reported, Send
from tocsin.warn.message import Boundary
from tocsin.warn.states import Disposition, MessageState
from tocsin.warn.steps import Mute
from tocsin.warn.telling import Acknowledgement, Outcome
from tocsin.warn.trigger import ENDINGS
from tocsin.watch.event import Event

__all__ = ["REPLAY", "Dispatcher", "FactKind", "WarnResult", "run"]

REPLAY = "REPLAY of recorded reports. Nothing here is happening now."
"""First line of every message of a replay: words that reach a person must not pass for live ones."""


class WarnResult(Struct, frozen=True, kw_only=True):
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
    """The cases of one agreement, and what drives them.

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
        self.docket = Docket()
        self.facts: list[dict[str, Any]] = []
        self.mutes: list[Mute] = []
        self.stray: list[Acknowledgement] = []
        self._transports = transports
        self._boundary, self._preface = boundary, preface
        self._held = [playbook]
        self._playbooks = Playbooks(self._held, boundary=boundary, preface=preface)

    @property
    def cases(self) -> Mapping[str, Case]:
        """The cases by id."""
        return self.docket.cases

    @property
    def due(self) -> DueQueue:
        """What falls due."""
        return self.docket.due

    def change(self, playbook: Playbook) -> None:
        """Let another version come into force: new cases climb its ladder, open ones end under their own."""
        self.playbook = playbook
        self._held = [*self._held, playbook]
        self._playbooks = Playbooks(
            self._held, in_force=playbook.version, boundary=self._boundary, preface=self._preface
        )

    def found(self, event: Event) -> None:
        """Take one event of the watch: into its case, or to open one, or into nothing if the ladder is not about it."""
        self._turn(lambda turn: turn.take(Found(event=event)), event.known_us)

    def heard(self, answer: Answer) -> None:
        """Take one answer: into the case it is about, or among the stray ones."""
        self._turn(lambda turn: turn.take(answer), answer.at_us)

    def keep_stray(self, answer: Answer, disposition: Disposition) -> None:
        """Keep an answer that no case takes, with its end."""
        self._turn(lambda turn: turn.keep_stray(answer, disposition), answer.at_us)

    def fall_due(self, now_us: int) -> None:
        """Take the next deadline, which has passed by now."""
        self._turn(Turn.fall_due, now_us)

    def end(self, now_us: int, reason: str) -> None:
        """End the watch of every case that is not closed."""
        self._turn(lambda turn: turn.end(reason), now_us)

    def result(self) -> WarnResult:
        """Return what came of it so far."""
        cases = tuple(sorted(self.cases.values(), key=lambda case: (case.opened_us, case.case_id)))
        mutes = sorted(
            [*self.mutes, *(mute for case in cases for mute in case.mutes)],
            key=lambda mute: (mute.at_us, mute.track_id, mute.event_id or ""),
        )
        return WarnResult(cases=cases, facts=tuple(self.facts), mutes=tuple(mutes), stray=tuple(self.stray))

    # --- inside ----------------------------------------------------------------------------------------------------

    def _turn(self, act: Callable[[Turn], Any], now_us: int) -> None:
        turn = Turn(self.docket, self._playbooks, now_us)
        act(turn)
        self.facts += turn.decided.facts
        self.mutes += turn.decided.withheld
        self.stray += turn.decided.stray
        for action in turn.decided.sends:
            self._send(action, now_us)

    def _send(self, action: Send | CallPerson, now_us: int) -> None:
        message = action.message
        transport = self._transports.get(message.channel)
        if transport is None:
            reason = f"this deployment sets no transport for {message.channel}"
            outcome = Outcome(state=MessageState.FAILED_FOR_GOOD, reason=reason)
        else:
            outcome = transport.send(message, now_us)
        report = Reported(message_id=message.message_id, number=action.number, outcome=outcome)
        self._turn(lambda turn: turn.take(report), now_us)


def run(
    playbook: Playbook,
    events: Iterable[Event],
    answers: Iterable[Answer],
    transports: Mapping[str, Transport],
    *,
    until_us: int,
    boundary: Boundary = boundary_words,
    preface: str | None = REPLAY,
    later: Sequence[tuple[int, Playbook]] = (),
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
    later : sequence of (int, Playbook)
        Versions that come into force during the watch, each with its instant: cases that begin from then on climb its
        ladder, those that are open end under their own.

    Returns
    -------
    WarnResult
    """
    desk = Dispatcher(playbook, transports, boundary=boundary, preface=preface)
    incoming: list[tuple[tuple[Any, ...], Event | Answer | Playbook]] = [
        ((from_us, -1, number), playbook) for number, (from_us, playbook) in enumerate(later) if from_us <= until_us
    ]
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
        if isinstance(item, Playbook):
            desk.change(item)
        elif isinstance(item, Answer):
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
