"""Any story whatever: conduct, outcomes, answers, silence and withdrawals in any order keep the ladder's promises."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.warn.stories import HANDED, NEVER, NOW_NOT, T0, S, answer, cable, event, rich, withdrawn

from tocsin.agreement.playbook import MOVER, ConductTrigger, Level, Playbook
from tocsin.agreement.watchlist import Conduct
from tocsin.canon import parse_json
from tocsin.warn.inputs import Answer, CallPerson, Due, Ended, Found, Happening, Muting, Reported, Send
from tocsin.warn.ladder import begins_case, open_case, step
from tocsin.warn.message import Wording
from tocsin.warn.plan import ways
from tocsin.warn.states import (
    OUT,
    PERSONS_REASONS,
    AnswerKind,
    CaseInput,
    CaseState,
    Disposition,
    MessageState,
    MuteReason,
    Purpose,
)
from tocsin.warn.telling import Outcome
from tocsin.warn.trigger import levels_begun, stands_after
from tocsin.watch.event import Event, EventKind

OVER = {CaseState.STANDING_DOWN, CaseState.CLOSED}
DELIVERED = Outcome(state=MessageState.DELIVERED, transport="test")
CONDUCTS = [
    (EventKind.APPROACH, "guard", None),
    (EventKind.APPROACH_ENDED, "guard", None),
    (EventKind.ENTRY, "guard", None),
    (EventKind.ENTRY, "outer", None),
    (EventKind.LOITER, "guard", "guard/anchor"),
    (EventKind.LOITER, "guard", "guard/loiter"),
    (EventKind.CROSSING, "guard", None),
    (EventKind.GAP, "outer", "outer/dark"),
    (EventKind.EXIT, "guard", None),
    (EventKind.EXIT, "outer", None),
]


def short(**changes: object) -> Playbook:
    """Return the first level alone, with nobody at the end."""
    first = cable().levels[0]
    fields = {name: getattr(first, name) for name in Level.__slots__} | {"on_no_ack": None} | changes
    return cable(levels=(Level(**fields),), end_of_ladder=None, stand_down=None)


FIRSTS = [(EventKind.APPROACH, None), (EventKind.LOITER, "guard/anchor"), (EventKind.CROSSING, None)]


PLAYBOOKS = [cable(), rich(), cable(levels=cable().levels[:2]), short(), short(ack_within_s=None, repeat_every_s=None)]


class AnyStory(RuleBasedStateMachine):
    """One case; the shell's sends are answered when the rules please, so that attempts are in flight over anything."""

    @initialize(
        first=st.sampled_from(
            [(EventKind.APPROACH, None), (EventKind.LOITER, "guard/anchor"), (EventKind.CROSSING, None)]
        ),
        playbook=st.sampled_from(PLAYBOOKS),
    )
    def open(self, first: tuple[EventKind, str | None], playbook: Playbook) -> None:
        self.playbook = playbook
        if first[0] is EventKind.CROSSING:
            self.playbook = short(trigger=ConductTrigger(conduct=Conduct.ENTRY, zone_id="guard"))
        self.wording = Wording(playbook=self.playbook)
        self.at_s = 0.0
        self.in_flight: list[Send | CallPerson] = []
        self.events: list[Event] = []
        found = event(first[0], 0.0, rule=first[1])
        if not begins_case(self.playbook, found):
            found = event(EventKind.APPROACH, 0.0)
        self.case = open_case(self.playbook, found)
        self._take_event(found)

    def _take(self, happened: Happening) -> None:
        before = self.case
        self.case, actions = step(before, happened, T0 + round(self.at_s * S), wording=self.wording)
        sends = [action for action in actions if isinstance(action, Send | CallPerson)]
        self.in_flight += sends
        if before.state is CaseState.CLOSED and self.case.state is CaseState.CLOSED:
            assert not sends, "nothing is said after close"
        if before.state in OVER:
            assert all(send.message.purpose in {Purpose.STAND_DOWN, Purpose.CORRECTION} for send in sends)

    def _take_event(self, found: Event) -> None:
        before = self.case
        standing = stands_after(before.standing, found)
        begun = levels_begun(self.playbook, found, standing)
        self.events.append(found)
        self._take(Found(event=found))
        if begun and begun[-1].level > before.level:
            level = begun[-1]
            assert self.case.level >= level.level, "an acknowledgement never stops a higher level's conduct"
            told = {
                (m.channel, m.recipient)
                for m in self.case.messages
                if m.level == level.level and m.queued_us == T0 + round(self.at_s * S) and m.event_id == found.event_id
            }
            due = {
                (channel, who)
                for who in level.tell
                for channel in ways(self.playbook, level, who)[: 1 if level.in_turn else None]
            }
            assert due <= told, "the first message of a level is never delayed"

    @precondition(lambda self: self.case.state not in OVER)
    @rule(conduct=st.sampled_from(CONDUCTS), after_s=st.integers(0, 400), exempt=st.booleans())
    def conduct(self, conduct: tuple[EventKind, str, str | None], after_s: int, exempt: bool) -> None:
        self._pass(after_s)
        if self.case.state in OVER:
            return
        kind, zone, name = conduct
        shown = event(kind, self.at_s, zone=zone, rule=name, event_id=f"e{len(self.events)}")
        if exempt and kind is EventKind.CROSSING:
            shown = event(kind, self.at_s, zone=zone, rule=name, event_id=f"e{len(self.events)}", exemption="box")
            self.events.append(shown)
            said = len(self.case.messages)
            self._take(Found(event=shown))
            assert len(self.case.messages) == said, "an exempted event is told to nobody"
            return
        self._take_event(shown)

    @rule(data=st.data(), outcome=st.sampled_from([HANDED, DELIVERED, NOW_NOT, NEVER, NEVER]))
    def report(self, data: st.DataObject, outcome: Outcome) -> None:
        if not self.in_flight:
            return
        action = self.in_flight.pop(data.draw(st.integers(0, len(self.in_flight) - 1)))
        self._take(Reported(message_id=action.message.message_id, number=action.number, outcome=outcome))

    @rule(outcome=st.sampled_from([HANDED, NOW_NOT, NEVER]))
    def report_all(self, outcome: Outcome) -> None:
        flying, self.in_flight = self.in_flight, []
        for action in flying:
            self._take(Reported(message_id=action.message.message_id, number=action.number, outcome=outcome))

    @rule(
        party=st.sampled_from(
            [MOVER, "fishers", "operator", "authority", "duty_officer", "deputy", "agent", "chief", "stranger"]
        ),
        kind=st.sampled_from(AnswerKind),
        level=st.sampled_from([None, 1, 2, 3]),
        channel=st.sampled_from([None, "vhf16", "satc", "desk_mail"]),
    )
    def heard(self, party: str, kind: AnswerKind, level: int | None, channel: str | None) -> None:
        said: Answer = answer(self.at_s, party, kind, level=level, channel=channel)
        kept = len(self.case.acknowledgements)
        self._take(said)
        assert len(self.case.acknowledgements) == kept + 1, "every answer is kept"

    @precondition(lambda self: self.case.state not in OVER)
    @rule(after_s=st.sampled_from([0, 60, 500, 86_400]), reason=st.sampled_from(sorted(PERSONS_REASONS)))
    def mute(self, after_s: int, reason: MuteReason) -> None:
        at_us = T0 + round(self.at_s * S)
        said = len(self.case.messages)
        self._take(
            Muting(at_us=at_us, who="w", party="operator", case_id="0", reason=reason, until_us=at_us + after_s * S)
        )
        assert len(self.case.messages) == said

    @rule()
    def everyone_answers(self) -> None:
        for _ in range(3):
            rung = self.case.rung
            missing = [who for who in rung.told if who not in rung.acknowledged] if rung else []
            if missing:
                self._take(answer(self.at_s, missing[0]))

    @rule(data=st.data())
    def revise(self, data: st.DataObject) -> None:
        found = data.draw(st.sampled_from(self.events))
        known = self.case.event(found.event_id)
        if known is not None and not known.withdrawn:
            said = len(self.case.messages)
            self._take(Found(event=found))
            assert len(self.case.messages) == said, "a confirmation tells nobody twice"

    @rule(after_s=st.sampled_from([1, 60, 200, 700, 5_000]))
    def silence(self, after_s: int) -> None:
        self._pass(after_s)

    def _pass(self, after_s: int) -> None:
        until_us = T0 + round((self.at_s + after_s) * S)
        while self.case.deadlines and self.case.deadlines[0].at_us <= until_us:
            due = self.case.deadlines[0]
            self.at_s = (due.at_us - T0) / S
            self._take(Due(deadline=due))
        self.at_s = (until_us - T0) / S

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        found = data.draw(st.sampled_from(self.events))
        self._take(Found(event=withdrawn(found, self.at_s)))

    @invariant()
    def promises(self) -> None:
        case = self.case
        if case.state is CaseState.EXHAUSTED:
            person = [m for m in case.messages if m.purpose is Purpose.CALL]
            set_one = self.playbook.end_of_ladder is not None
            assert person or not set_one, "the ladder never ends before the named person was tried"
            if self.playbook.call_within_s is None:
                assert all(m.state is MessageState.FAILED_FOR_GOOD for m in person if m.rung == case.present)
        if case.state is CaseState.CLOSED:
            assert not case.deadlines
            assert case.outcome is not None
        for taken in case.steps:
            assert taken.reason
            if taken.to_state is CaseState.ACKNOWLEDGED and taken.from_state is not CaseState.ACKNOWLEDGED:
                assert taken.input is CaseInput.ACKNOWLEDGED
                assert taken.answer_id is not None, "no silence is an acknowledgement"
            if taken.level > taken.level_before + 1 and taken.level_before + 1 not in self._begun_before(taken.at_us):
                assert "did not come first" in taken.reason, "no level is skipped without a reason"
        counted = {a.answer_id for a in case.acknowledgements if a.disposition is Disposition.COUNTED}
        assert {t.answer_id for t in case.steps if t.input is CaseInput.ACKNOWLEDGED} <= counted
        assert len({m.message_id for m in case.messages}) == len(case.messages), "no message has another's id"
        assert len({a.attempt_id for a in case.attempts}) == len(case.attempts)
        proved = {a.message_id for a in case.attempts if a.outcome is not None and a.outcome.state in OUT}
        for message in case.messages:
            if message.state in OUT and message.message_id not in proved:
                spoke = {a.party for a in case.acknowledgements}
                assert spoke & {message.recipient, message.relay_for}, "delivered only on proof"

    def _begun_before(self, at_us: int) -> set[int]:
        return {rung.level for rung in self.case.rungs if rung.began_us <= at_us}

    def teardown(self) -> None:
        if not hasattr(self, "case"):
            return
        for _ in range(60):
            while self.in_flight:
                self.report_all(NEVER)
            if not self.case.deadlines:
                break
            self._pass(10_000)
        said = [m.state for m in self.case.messages]
        assert MessageState.QUEUED not in said, "every obligation is met or recorded as failed"
        if self.case.state is not CaseState.CLOSED:
            self._take(Ended(reason="end"))
        assert self.case.state is CaseState.CLOSED
        assert parse_json(self.case.as_line())["case_id"] == self.case.case_id


AnyStory.TestCase.settings = settings(
    max_examples=200, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnyStory = AnyStory.TestCase
