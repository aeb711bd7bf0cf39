"""The desk: what arrives late, twice, forged or over a restart; and the same docket from its dump."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.warn.stories import HANDED, NEVER, NOW_NOT, T0, S, answer, cable, event, withdrawn

from tocsin.agreement.playbook import MOVER, ConductTrigger, Level
from tocsin.agreement.watchlist import Conduct
from tocsin.canon import canonical_line
from tocsin.warn import snapshot
from tocsin.warn.case import Case
from tocsin.warn.desk import Decided, Input, step
from tocsin.warn.docket import Docket, Playbooks
from tocsin.warn.facts import FactKind
from tocsin.warn.inputs import Found, Reported, Resumed
from tocsin.warn.states import CaseInput, CaseOutcome, CaseState, Disposition, MessageState
from tocsin.warn.telling import Outcome
from tocsin.watch.event import EventKind


class Station:
    """A desk and its outbox: sends are made, and reported, when the test pleases."""

    def __init__(self, playbooks: Playbooks | None = None) -> None:
        self.playbooks = playbooks or Playbooks([cable()])
        self.docket = Docket()
        self.outbox: list[Any] = []
        self.facts: list[dict[str, Any]] = []

    def at(self, at_s: float, *inputs: Input) -> Decided:
        self.docket, decided = step(self.docket, inputs, T0 + round(at_s * S), playbooks=self.playbooks)
        self.outbox += decided.sends
        self.facts += decided.facts
        return decided

    def report(self, at_s: float, outcome: Outcome = HANDED) -> Decided:
        sent, self.outbox = self.outbox, []
        return self.at(at_s, *(_report(action, outcome) for action in sent))

    def restart(self) -> None:
        self.docket = snapshot.load(snapshot.dump(self.docket))
        self.outbox = []

    @property
    def case(self) -> Case:
        (case,) = self.docket.cases.values()
        return case


def _report(action: Any, outcome: Outcome = HANDED) -> Reported:
    return Reported(message_id=action.message.message_id, number=action.number, outcome=outcome)


def approach(**changes: Any) -> Found:
    return Found(event=event(EventKind.APPROACH, 0, **changes))


def test_decided_before_it_is_sent_and_the_outcome_comes_back_later() -> None:
    desk = Station()
    decided = desk.at(0, approach())
    kinds = [f["kind"] for f in decided.facts]
    assert kinds == [FactKind.CASE_OPENED, FactKind.CASE_STEP, *[FactKind.MESSAGE] * 3, *[FactKind.ATTEMPT] * 3]
    assert {m.state for m in desk.case.messages} == {MessageState.QUEUED}
    desk.report(2)
    assert {m.state for m in desk.case.messages} == {MessageState.HANDED_OVER}
    assert [a.ended_us for a in desk.case.attempts] == [T0 + 2 * S] * 3


def test_cut_off_attempt_is_in_doubt_and_made_once_more_under_the_same_id() -> None:
    desk = Station()
    first = desk.at(0, approach()).sends
    desk.restart()
    again = desk.at(5, Resumed()).sends
    assert [s.message.message_id for s in again] == [s.message.message_id for s in first]
    assert [s.number for s in again] == [2, 2, 2]
    assert {m.state for m in desk.case.messages} == {MessageState.UNKNOWN}
    desk.report(6)
    assert not desk.at(7, Resumed()).sends, "what has an outcome is in no doubt"


def test_whom_an_attempt_in_doubt_may_have_reached_is_told_of_the_correction() -> None:
    desk = Station()
    found = approach()
    desk.at(0, found)
    desk.report(1, replace(NEVER, state=MessageState.UNKNOWN))
    decided = desk.at(2, Found(event=withdrawn(found.event, 2)))
    assert {s.message.purpose for s in decided.sends} == {"correction"}
    assert len(decided.sends) == 3


def test_deadline_fallen_while_the_process_was_down_is_one_step_marked_overdue() -> None:
    desk = Station()
    desk.at(0, approach())
    desk.report(1)
    desk.restart()
    decided = desk.at(3_600, Resumed())
    steps = [f for f in decided.facts if f["kind"] == FactKind.CASE_STEP]
    assert [s["input"] for s in steps] == [CaseInput.UNANSWERED_NEXT], "no repeat and no second rung with it"
    assert "overdue by 51 min" in steps[0]["reason"]
    assert desk.case.level == 2
    assert desk.case.rungs[-1].answer_due_us == T0 + (3_600 + 120 + 3 * 120) * S, "the next counts from now"


def test_answer_that_came_before_the_deadline_counts_though_both_are_taken_late() -> None:
    desk = Station()
    desk.at(0, approach())
    desk.report(1)
    (end,) = desk.at(560, answer(539)).answered
    assert end.disposition is Disposition.COUNTED
    late = Station()
    late.at(0, approach())
    late.report(1)
    (end,) = late.at(560, answer(541)).answered
    assert end.disposition is Disposition.LATE


def test_same_answer_sent_again_gets_the_same_end_and_adds_nothing() -> None:
    desk = Station()
    desk.at(0, approach())
    desk.report(1)
    said = answer(10, key="post-1")
    (first,) = desk.at(10, said).answered
    before = snapshot.dump_case(desk.case)
    decided = desk.at(20, replace(said, at_us=said.at_us + 9 * S))
    assert decided.answered == [first]
    assert (decided.facts, snapshot.dump_case(desk.case)) == ([], before)
    (changed,) = desk.at(30, replace(said, text="something else")).answered
    assert changed.disposition is Disposition.REFUSED
    assert snapshot.dump_case(desk.case) == before, "the ladder is unaffected"


def test_refused_answer_is_kept_as_an_attempt_and_touches_no_case() -> None:
    desk = Station()
    desk.at(0, approach())
    before = snapshot.dump_case(desk.case)
    decided = desk.at(10, answer(10, refused="token of another message"))
    assert [a.disposition for a in decided.stray] == [Disposition.REFUSED]
    assert decided.facts[0]["refused"] == "token of another message"
    assert snapshot.dump_case(desk.case) == before


@pytest.mark.parametrize("flip", [False, True])
def test_two_answers_of_the_same_microsecond_end_alike_in_either_order(flip: bool) -> None:
    desk = Station()
    desk.at(0, approach())
    heard = [answer(10, who="B. Bosun", key="1"), answer(10, who="A. Mate", key="2")]
    ends = desk.at(10, *(reversed(heard) if flip else heard)).answered
    assert {a.who: a.disposition for a in ends} == {
        "A. Mate": Disposition.COUNTED,
        "B. Bosun": Disposition.DOUBLE,
    }


def test_outcome_of_no_attempt_or_known_already_is_a_fact_and_costs_itself_alone() -> None:
    desk = Station()
    (send, *_) = desk.at(0, approach()).sends
    desk.report(1)
    decided = desk.at(2, _report(send, NEVER), Reported(message_id="0" * 32, number=1, outcome=HANDED), answer(2))
    assert [f["kind"] for f in decided.facts[:2]] == [FactKind.REFUSED] * 2
    assert decided.answered[0].disposition is Disposition.COUNTED


def test_time_runs_forward() -> None:
    desk = Station()
    desk.at(10)
    with pytest.raises(ValueError, match="no earlier than"):
        desk.at(9)


def second_version() -> Playbooks:
    """A new version in force that also tells who enters a zone of which the old one knew nothing."""
    harbour = Level(
        level=1,
        trigger=ConductTrigger(conduct=Conduct.ENTRY, zone_id="harbour"),
        tell=(MOVER,),
        channels=("vhf16",),
        text="T2",
        ack_within_s=60.0,
    )
    return Playbooks([cable(), cable(version=5, levels=(harbour,))])


def test_open_case_ends_under_the_version_it_began_with_and_new_conduct_goes_by_the_new() -> None:
    desk = Station()
    desk.at(0, approach())
    desk.report(1)
    desk.playbooks = second_version()
    desk.at(20, Found(event=event(EventKind.ENTRY, 20, zone="harbour", agreement_version=5)))
    desk.report(21)
    desk.at(600)
    old, new = desk.docket.cases.values()
    assert (old.agreement_version, old.level) == (4, 2), "silence climbs by the ladder it began with"
    assert (new.agreement_version, new.level, new.state) == (5, 1, CaseState.EXHAUSTED)
    desk.at(700, Found(event=event(EventKind.EXIT, 700, zone="outer", agreement_version=5)))
    assert desk.docket.cases[old.case_id].outcome is CaseOutcome.ALL_CLEAR


def test_closed_case_leaves_the_docket_in_time_and_can_be_recalled() -> None:
    desk = Station()
    desk.at(0, approach())
    desk.at(10, Found(event=event(EventKind.EXIT, 10, zone="outer")))
    desk.report(11)
    kept = desk.case
    assert kept.state is CaseState.CLOSED
    assert desk.at(8 * 86_400).retired == [kept.case_id]
    assert not desk.docket.cases
    message = kept.messages[0].message_id
    (unknown,) = desk.at(8 * 86_400, answer(8 * 86_400, message_id=message, track_id=None)).answered
    assert unknown.disposition is Disposition.UNKNOWN_CASE
    desk.docket.recall(kept)
    (late,) = desk.at(8 * 86_400 + 1, answer(8 * 86_400, message_id=message, track_id=None)).answered
    assert late.disposition is Disposition.LATE


def test_storm_of_500_opens_each_at_once_with_its_own_facts() -> None:
    desk = Station()
    decided = desk.at(1, *(approach(track_id=f"mmsi:{n}", event_id=f"e{n}") for n in range(500)))
    assert len(desk.docket.cases) == 500
    assert len(decided.sends) == 1_500, "the first message of each, delayed by none of the others"
    assert sum(f["kind"] == FactKind.CASE_OPENED for f in decided.facts) == 500


def test_snapshot_of_another_format_is_refused() -> None:
    for raw in (b'{"format":"tocsin-desk/2"}', b"[]", b"{"):
        with pytest.raises(ValueError, match="expected"):
            snapshot.load(raw)
    with pytest.raises(ValueError, match="expected"):
        snapshot.load_case(b'{"case_id":1}')


KINDS = [EventKind.APPROACH, EventKind.ENTRY, EventKind.EXIT, EventKind.APPROACH_ENDED, EventKind.CROSSING]
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.sampled_from(KINDS), st.sampled_from(["guard", "outer"]), st.integers(1, 3)),
        st.tuples(st.just("report"), st.sampled_from([HANDED, NOW_NOT, NEVER, replace(NEVER, state="unknown")])),
        st.tuples(st.just("answer"), st.sampled_from([MOVER, "fishers", "operator"]), st.integers(1, 3)),
        st.tuples(st.just("withdraw"), st.integers(0, 5)),
        st.tuples(st.just("resume")),
        st.tuples(st.just("wait"), st.sampled_from([60, 700, 5_000])),
    ),
    min_size=3,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(moves=MOVES)
def test_docket_read_back_takes_every_step_like_the_one_written(moves: list[tuple[Any, ...]]) -> None:
    one, two = Station(), Station()
    seen: list[Any] = []
    at_s = 0.0
    for move in moves:
        at_s += 7 + (move[1] if move[0] == "wait" else 0)
        inputs: list[Input] = []
        if move[0] == "event":
            _, kind, zone, track = move
            name = f"{len(seen)}/{track}"
            seen.append(event(kind, at_s, zone=zone, event_id=name, track_id=f"mmsi:{track}"))
            inputs = [Found(event=seen[-1])]
        elif move[0] == "report" and one.outbox:
            outcome = replace(move[1], state=MessageState(move[1].state))
            inputs = [_report(action, outcome) for action in one.outbox]
            one.outbox, two.outbox = [], []
        elif move[0] == "answer":
            inputs = [answer(at_s, move[1], track_id=f"mmsi:{move[2]}")]
        elif move[0] == "withdraw" and seen:
            inputs = [Found(event=withdrawn(seen[move[1] % len(seen)], at_s))]
        elif move[0] == "resume":
            inputs = [Resumed()]
        two.docket = snapshot.load(snapshot.dump(two.docket))
        first, second = one.at(at_s, *inputs), two.at(at_s, *inputs)
        assert [canonical_line(f) for f in first.facts] == [canonical_line(f) for f in second.facts]
        assert first.sends == second.sends
        assert snapshot.dump(one.docket) == snapshot.dump(two.docket)
    parts = [snapshot.dump_case(case) for case in one.docket.cases.values()]
    again = snapshot.restore(parts, standing=one.docket.standing, now_us=one.docket.now_us)
    assert {k: v.as_line() for k, v in again.cases.items()} == {k: v.as_line() for k, v in one.docket.cases.items()}
    assert (
        one.at(at_s + 2 * 3_600).facts
        == step(again, [], T0 + round((at_s + 2 * 3_600) * S), playbooks=one.playbooks)[1].facts
    )
