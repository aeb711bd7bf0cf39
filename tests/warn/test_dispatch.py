"""Whole runs: the order of facts, one case a track at a time, and the same bytes twice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.warn.receiver import Receiver, status
from tests.warn.stories import HANDED, NEVER, T0, S, answer, cable, event, withdrawn

from tocsin.agreement.playbook import MOVER
from tocsin.canon import canonical_line
from tocsin.warn.channels.config import default_transports, load_transports
from tocsin.warn.dispatch import REPLAY, Dispatcher, FactKind, WarnResult, run
from tocsin.warn.inputs import Answer
from tocsin.warn.states import AnswerKind, CaseOutcome, CaseState, Disposition, MessageState, MuteReason
from tocsin.warn.telling import Message, Outcome
from tocsin.watch.event import Event, EventKind


class Recorder:
    """A transport that keeps what it is given and answers by channel."""

    kind = "test"

    def __init__(self, dead: frozenset[str] = frozenset()) -> None:
        self.sent: list[tuple[float, str, str]] = []
        self.dead = dead
        self.desk: Dispatcher | None = None

    def send(self, message: Message, now_us: int) -> Outcome:
        if self.desk is not None:
            decided = [f for f in self.desk.facts if f["kind"] == FactKind.ATTEMPT]
            assert decided[-1]["message"] or decided, "the decision is a fact before the send"
            assert message.message_id in {f["message"] for f in decided}
        self.sent.append(((now_us - T0) / S, message.channel, message.recipient))
        return NEVER if message.channel in self.dead else HANDED


class Everywhere(dict[str, Recorder]):
    """Every channel has the one recorder."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def get(self, _channel: str, _default: object = None) -> Recorder:  # type: ignore[override]
        return self.recorder


def played(events: list[Event], answers: list[Answer], until_s: float = 10_000, dead: str = "") -> WarnResult:
    transports = Everywhere(Recorder(frozenset(dead.split())))
    return run(cable(), events, answers, transports, until_us=T0 + round(until_s * S))


STORY = [
    event(EventKind.ENTRY, -500, zone="outer"),
    event(EventKind.APPROACH, 0),
    event(EventKind.APPROACH_ENDED, 590),
    event(EventKind.ENTRY, 590),
    event(EventKind.LOITER, 1_500, rule="guard/anchor"),
    event(EventKind.EXIT, 4_000),
    event(EventKind.EXIT, 5_000, zone="outer"),
    event(EventKind.APPROACH, 20, track_id="mmsi:2"),
    event(EventKind.APPROACH_ENDED, 400, track_id="mmsi:2"),
]


def test_story_is_told_in_two_cases_that_both_end() -> None:
    result = played(STORY, [answer(100), answer(1_510, level=2), answer(1_520, "fishers")])
    ends = [(case.track_id, case.state, case.outcome, case.highest_level) for case in result.cases]
    assert ends == [
        ("mmsi:273000001", CaseState.CLOSED, CaseOutcome.ALL_CLEAR, 2),
        ("mmsi:2", CaseState.CLOSED, CaseOutcome.OVER, 1),
    ]


def test_case_knows_what_stood_before_it_opened() -> None:
    (case, _) = played(STORY, [], until_s=3_000).cases
    assert case.standing == ("act:guard/anchor", "inside:guard", "inside:outer")


def test_facts_come_in_the_order_of_a_log_decision_before_outcome() -> None:
    result = played(STORY, [answer(100)])
    at = [fact["at"] for fact in result.facts]
    assert at == sorted(at)
    seen: set[tuple[str, int]] = set()
    for fact in result.facts:
        if fact["kind"] == FactKind.ATTEMPT:
            seen.add((fact["message"], fact["number"]))
        if fact["kind"] == FactKind.OUTCOME:
            assert (fact["message"], fact["number"]) in seen
    kinds = {fact["kind"] for fact in result.facts}
    assert kinds == set(FactKind) - {FactKind.MUTE, FactKind.REFUSED}


def test_decision_is_recorded_before_the_send() -> None:
    recorder = Recorder()
    desk = Dispatcher(cable(), Everywhere(recorder))
    recorder.desk = desk
    desk.found(event(EventKind.APPROACH))
    assert len(recorder.sent) == 3


def test_facts_and_cases_tell_the_same() -> None:
    result = played(STORY, [answer(100)])
    for kind, held in [
        (FactKind.CASE_STEP, sum(len(case.steps) for case in result.cases)),
        (FactKind.MESSAGE, sum(len(case.messages) for case in result.cases)),
        (FactKind.ATTEMPT, sum(len(case.attempts) for case in result.cases)),
        (FactKind.ACKNOWLEDGEMENT, sum(len(case.acknowledgements) for case in result.cases) + len(result.stray)),
        (FactKind.CASE_OPENED, len(result.cases)),
    ]:
        assert sum(fact["kind"] == kind for fact in result.facts) == held, kind


def test_any_order_of_input_gives_the_same_bytes() -> None:
    answers = [answer(100), answer(1_510, level=2), answer(1_510, "fishers"), answer(1_510, "fishers")]
    expected = None
    for seed in range(5):
        events, heard = list(STORY), list(answers)
        random.Random(seed).shuffle(events)
        random.Random(seed).shuffle(heard)
        result = played(events, heard)
        lines = b"".join(case.as_line() for case in result.cases) + b"".join(map(canonical_line, result.facts))
        assert lines == (expected or lines)
        expected = lines


def test_approach_that_ends_in_the_entry_keeps_its_case() -> None:
    events = [event(EventKind.APPROACH_ENDED, 100), event(EventKind.ENTRY, 100), event(EventKind.APPROACH, 0)]
    (case,) = played(events, [], until_s=150).cases
    assert case.steps[-1].from_state is CaseState.AWAITING, "it never fell into a lull"


def test_answer_and_exit_at_the_very_deadline_are_in_time() -> None:
    first = played([event(EventKind.APPROACH)], [answer(540)], until_s=600).cases[0]
    assert first.level == 1
    left = played([event(EventKind.APPROACH), event(EventKind.EXIT, 540, zone="outer")], []).cases[0]
    assert (left.outcome, left.highest_level) == (CaseOutcome.ALL_CLEAR, 1)


def test_exempted_track_opens_no_case_and_is_listed_as_muted() -> None:
    result = played([event(EventKind.APPROACH, exemption="approach_box")], [])
    assert result.cases == ()
    (mute,) = result.mutes
    assert (mute.reason, mute.detail, mute.case_id) == (MuteReason.EXEMPTION, "approach_box", None)
    assert [fact["kind"] for fact in result.facts] == [FactKind.MUTE]


def test_zone_that_the_ladder_does_not_name_is_left_alone() -> None:
    assert played([event(EventKind.ENTRY, zone="elsewhere")], []).cases == ()


def test_new_approach_after_the_end_is_a_new_case() -> None:
    events = [*STORY[:7], event(EventKind.APPROACH, 6_000)]
    cases = played(events, []).cases
    assert [case.track_id for case in cases] == ["mmsi:273000001", "mmsi:273000001"]
    assert len({case.case_id for case in cases}) == 2


def test_event_opened_again_after_its_withdrawal_is_a_new_case() -> None:
    approach = event(EventKind.APPROACH)
    again = event(EventKind.APPROACH, known_us=T0 + 90 * S)
    result = played([approach, withdrawn(approach, 50), again], [], until_s=100)
    assert [case.outcome for case in result.cases] == [CaseOutcome.FALSE_ALARM, CaseOutcome.WATCH_ENDED]
    assert len({case.case_id for case in result.cases}) == 2


def test_withdrawal_after_the_case_was_over_still_reaches_those_told() -> None:
    approach = event(EventKind.APPROACH)
    events = [approach, event(EventKind.EXIT, 50, zone="outer"), withdrawn(approach, 100)]
    (case,) = played(events, []).cases
    assert (case.state, case.outcome) == (CaseState.CLOSED, CaseOutcome.FALSE_ALARM)


@pytest.mark.parametrize(
    ("heard", "disposition"),
    [
        (answer(-10), Disposition.UNKNOWN_CASE),
        (answer(10, track_id="mmsi:9"), Disposition.UNKNOWN_CASE),
        (answer(10, track_id=None, case_id="0" * 8), Disposition.UNKNOWN_CASE),
        (answer(10, message_id="0" * 32), Disposition.UNKNOWN_CASE),
        (answer(99_999), Disposition.AFTER_END),
    ],
)
def test_stray_answer_is_kept_with_its_end(heard: Answer, disposition: Disposition) -> None:
    result = played([event(EventKind.APPROACH)], [heard], until_s=300)
    (stray,) = result.stray
    assert stray.disposition is disposition
    assert result.cases[0].acknowledgements == ()
    assert sum(fact["kind"] == FactKind.ACKNOWLEDGEMENT for fact in result.facts) == 1


def test_answer_can_name_its_case_by_the_eight_digits_that_the_message_quotes() -> None:
    case_id = played([event(EventKind.APPROACH)], []).cases[0].case_id
    result = played([event(EventKind.APPROACH)], [answer(10, track_id=None, case_id=case_id[:8])], until_s=60)
    assert result.cases[0].acknowledgements[0].disposition is Disposition.COUNTED


def test_answer_can_name_its_message_and_another_party_cannot_use_it() -> None:
    case = played([event(EventKind.APPROACH)], []).cases[0]
    message_id = case.messages[0].message_id
    for party, disposition in ((MOVER, Disposition.COUNTED), ("operator", Disposition.NOT_TOLD)):
        heard = answer(10, party, track_id=None, message_id=message_id, kind=AnswerKind.ANSWERED)
        result = played([event(EventKind.APPROACH)], [heard], until_s=60)
        assert result.cases[0].acknowledgements[0].disposition is disposition


def test_two_answers_in_one_instant_first_counts_in_a_fixed_order() -> None:
    heard = [answer(10, who="B. Bosun"), answer(10, who="A. Mate")]
    for order in (heard, heard[::-1]):
        kept = played([event(EventKind.APPROACH)], order, until_s=60).cases[0].acknowledgements
        assert [(a.who, a.disposition) for a in kept] == [
            ("A. Mate", Disposition.COUNTED),
            ("B. Bosun", Disposition.DOUBLE),
        ]


def test_storm_drops_nothing_and_every_case_has_its_own_entry() -> None:
    storm = [event(EventKind.APPROACH, n / 10, track_id=f"mmsi:{n}", event_id=f"e{n}") for n in range(300)]
    result = played(storm, [], until_s=60)
    assert len(result.cases) == 300
    for case in result.cases:
        assert case.messages[0].queued_us == case.opened_us, "the first message of each is not delayed by the others"


def test_replay_says_so_in_every_message_and_can_be_told_not_to() -> None:
    result = played([event(EventKind.APPROACH)], [])
    assert all(m.body.startswith(REPLAY) for m in result.cases[0].messages)
    live = run(cable(), [event(EventKind.APPROACH)], [], Everywhere(Recorder()), until_us=T0, preface=None)
    assert not live.cases[0].messages[0].body.startswith(REPLAY)


def test_channel_without_a_transport_fails_for_good_and_the_ladder_goes_on() -> None:
    result = run(cable(), [event(EventKind.APPROACH)], [], {}, until_us=T0 + 60 * S)
    (case,) = result.cases
    assert case.nobody_reached
    assert "this deployment sets no transport for ais_msg" in case.steps[1].reason
    assert case.steps[-1].from_state is CaseState.EXHAUSTED


def test_injected_boundary_decides_what_may_be_sent() -> None:
    result = run(
        cable(),
        [event(EventKind.APPROACH)],
        [],
        Everywhere(Recorder()),
        until_us=T0,
        boundary=lambda text: ["anchor"] if "anchor" in text else [],
    )
    assert "withheld" in result.cases[0].messages[0].body


def test_whole_run_through_a_real_webhook_and_files(tmp_path: Path) -> None:
    with Receiver(status(500), status(200)) as receiver:
        config = tmp_path / "channels.yaml"
        config.write_text(f"vhf16: {{transport: webhook, url: '{receiver.url}', allow: [127.0.0.1]}}\n")
        transports = load_transports(config, out=tmp_path)
        result = run(cable(), [event(EventKind.APPROACH)], [answer(60)], transports, until_us=T0 + 300 * S)
    (case,) = result.cases
    vhf = next(m for m in case.messages if m.channel == "vhf16")
    tries = [a for a in case.attempts if a.message_id == vhf.message_id]
    assert [a.outcome.state if a.outcome else None for a in tries] == [
        MessageState.FAILED_FOR_NOW,
        MessageState.HANDED_OVER,
    ]
    assert [r.headers["webhook-id"] for r in receiver.received] == [vhf.message_id] * 2
    assert (tmp_path / "messages.jsonl").read_bytes().count(b"\n") == 2


def test_replay_twice_writes_the_same_lines(tmp_path: Path) -> None:
    lines = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        transports = default_transports(tmp_path / name)
        result = run(cable(), STORY, [answer(100)], transports, until_us=T0 + 9_000 * S)
        lines.append([b"".join(c.as_line() for c in result.cases), (tmp_path / name / "messages.jsonl").read_bytes()])
    assert lines[0] == lines[1]


def test_dead_channels_of_the_mover_end_with_the_operator_told() -> None:
    result = played([event(EventKind.APPROACH)], [], until_s=10, dead="ais_msg vhf16 satc")
    told = {(m.level, m.recipient) for m in result.cases[0].messages if m.state is MessageState.HANDED_OVER}
    assert {(3, "operator"), (3, "authority")} <= told
