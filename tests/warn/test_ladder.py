"""Short stories of one case, with its state after every step."""

from __future__ import annotations

import copy

import pytest
from tests.warn.stories import HANDED, MIN, NEVER, NOW_NOT, T0, S, Walk, answer, cable, event, withdrawn

from tocsin.agreement.playbook import MOVER, Channel, ConductTrigger, Level
from tocsin.agreement.watchlist import Conduct
from tocsin.errors import LadderError
from tocsin.warn.inputs import Due, Ended, Found, Reported
from tocsin.warn.ladder import open_case, step
from tocsin.warn.states import (
    AnswerKind,
    CaseInput,
    CaseOutcome,
    CaseState,
    Disposition,
    MessageState,
    MuteReason,
    Purpose,
)
from tocsin.warn.telling import Outcome
from tocsin.watch.event import EventKind, Revision


def last(walk: Walk) -> CaseInput:
    assert walk.case is not None
    return walk.case.steps[-1].input


def inputs(walk: Walk) -> list[CaseInput]:
    assert walk.case is not None
    return [taken.input for taken in walk.case.steps if taken.input is not CaseInput.SENT]


def test_approach_is_told_at_once_on_every_channel_of_the_level_that_ends_at_the_mover() -> None:
    walk = Walk()
    case = walk.found(event(EventKind.APPROACH))
    assert (case.state, case.level) == (CaseState.AWAITING, 1)
    assert walk.said == [(0.0, 1, "ais_msg", MOVER), (0.0, 1, "vhf16", MOVER), (0.0, 1, "satc", MOVER)]
    assert {m.state for m in case.messages} == {MessageState.HANDED_OVER}, "handed over is not delivered"


def test_silence_climbs_after_the_agreed_repeats_to_the_named_person_and_stops_there() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    assert walk.until(539).level == 1
    assert {at for at, *_ in walk.said} == {0.0, 180.0, 360.0}, "said, and twice again every 3 min"
    assert walk.until(540).level == 2, "9 min: the level's whole time by the agreement"
    assert walk.until(1020).level == 3, "8 min more"
    case = walk.until(1680)
    assert (case.state, case.level, walk.said[-1]) == (
        CaseState.CALLING,
        3,
        (1680.0, 3, "duty_officer", "duty_officer"),
    )
    said = len(walk.said)
    walk.until(100_000)
    assert len(walk.said) == said, "nothing more is said to anybody"
    assert case.rungs[-1].purpose is Purpose.CALL
    assert [a for a in case.acknowledgements] == [], "a time-out is never an acknowledgement"


def test_acknowledgement_stops_the_repeats_and_the_watch_goes_on() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    case = walk.heard(answer(60))
    assert (case.state, case.acknowledgements[-1].disposition) == (CaseState.ACKNOWLEDGED, Disposition.COUNTED)
    said = len(walk.said)
    walk.until(3_000)
    assert len(walk.said) == said
    case = walk.found(event(EventKind.LOITER, 3_100, rule="guard/anchor"))
    assert (case.state, case.level) == (CaseState.AWAITING, 2), "worse conduct is told whatever was acknowledged"
    assert walk.said[-1][0] == 3_100.0, "and at once"


def test_acknowledgement_at_the_very_deadline_is_in_time_and_a_microsecond_later_is_late() -> None:
    for late_us, disposition in ((0, Disposition.COUNTED), (1, Disposition.LATE)):
        walk = Walk()
        walk.found(event(EventKind.APPROACH))
        walk.until(539)
        heard = answer(540, at_us=T0 + 540 * S + late_us)
        assert walk.heard(heard).acknowledgements[-1].disposition is disposition


def test_level_is_acknowledged_only_when_everyone_told_has_answered() -> None:
    walk = Walk()
    walk.found(event(EventKind.LOITER, rule="guard/anchor"))
    case = walk.heard(answer(10, "fishers"))
    assert (case.state, last(walk)) == (CaseState.AWAITING, CaseInput.ACKNOWLEDGED_IN_PART)
    walk.until(120)
    assert [who for at, _, _, who in walk.said if at == 120.0] == [MOVER, MOVER], "only those who have not answered"
    case = walk.heard(answer(130))
    assert case.state is CaseState.ACKNOWLEDGED


def test_answers_each_have_their_end() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    ends = [
        (answer(1, "operator"), Disposition.NOT_TOLD),
        (answer(2, level=2), Disposition.NOT_TOLD),
        (answer(3, channel="desk_mail"), Disposition.UNKNOWN_CHANNEL),
        (answer(4, channel="satc"), Disposition.CANNOT_ACKNOWLEDGE),
        (answer(5, channel="satc", kind=AnswerKind.DELIVERED), Disposition.RECEIPT),
        (answer(6, kind=AnswerKind.PASSED_ON), Disposition.RECEIPT),
        (answer(7, channel="vhf16"), Disposition.COUNTED),
        (answer(8, channel="vhf16"), Disposition.DOUBLE),
        (answer(9, channel="ais_msg", kind=AnswerKind.ANSWERED, text="keeping clear"), Disposition.DOUBLE),
    ]
    for heard, disposition in ends:
        assert walk.heard(heard).acknowledgements[-1].disposition is disposition, heard
    assert walk.case is not None
    assert len(walk.case.acknowledgements) == len(ends), "every answer is kept"
    found = {m.channel: m.state for m in walk.case.messages}
    assert found == {
        "ais_msg": MessageState.ANSWERED,
        "vhf16": MessageState.ACKNOWLEDGED,
        "satc": MessageState.DELIVERED,
    }


def test_late_answer_is_kept_marked_late_and_stops_nothing() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    walk.until(600)
    case = walk.heard(answer(601, level=1, channel="vhf16"))
    assert case.acknowledgements[-1].disposition is Disposition.LATE
    assert (case.state, case.level) == (CaseState.AWAITING, 2)
    assert walk.until(1020).level == 3


def test_failed_attempts_are_tried_again_with_the_same_message_id_until_the_deadline() -> None:
    walk = Walk(outcome=lambda channel: NOW_NOT if channel == "vhf16" else HANDED)
    walk.found(event(EventKind.APPROACH))
    case = walk.until(170)
    first = next(m for m in case.messages if m.channel == "vhf16")
    tries = [(a.begun_us - T0) / S for a in case.attempts if a.message_id == first.message_id]
    assert tries == [0.0, 10.0, 30.0, 70.0, 150.0], "ever longer pauses"
    assert [a.number for a in case.attempts if a.message_id == first.message_id] == [1, 2, 3, 4, 5]
    case = walk.until(181)
    again = case.messages[-2]
    assert (again.channel, again.saying) == ("vhf16", 1)
    assert again.message_id != first.message_id, "said again is another message"
    state = case.message(first.message_id)
    assert state is not None
    assert state.state is MessageState.FAILED_FOR_GOOD


def test_retry_after_is_waited_for_but_not_past_the_deadline() -> None:
    asked = Outcome(state=MessageState.FAILED_FOR_NOW, reason="503", retry_after_s=600.0)
    walk = Walk(outcome=lambda channel: asked if channel == "vhf16" else HANDED)
    case = walk.found(event(EventKind.APPROACH))
    message = next(m for m in case.messages if m.channel == "vhf16")
    assert message.state is MessageState.FAILED_FOR_GOOD, "600 s would be past the deadline at 540 s"
    assert any("past" in s.reason or "after the deadline" in s.reason for s in case.steps)


def test_undelivered_climbs_at_once_without_waiting_for_the_deadline() -> None:
    walk = Walk(outcome=lambda channel: NEVER if channel in {"ais_msg", "vhf16", "satc"} else HANDED)
    case = walk.found(event(EventKind.APPROACH))
    assert (case.state, case.level) == (CaseState.AWAITING, 3), "level 2 has no way to the ship either"
    assert [i for i in inputs(walk) if "undelivered" in i] == [CaseInput.UNDELIVERED_NEXT, CaseInput.UNDELIVERED_NEXT]
    assert case.rungs[0].unreachable == (MOVER,)
    assert {at for at, *_ in walk.said} == {0.0}


def test_all_channels_dead_ends_in_a_recorded_nobody_reached() -> None:
    walk = Walk(outcome=lambda channel: NEVER)
    case = walk.found(event(EventKind.APPROACH))
    assert case.state is CaseState.EXHAUSTED
    assert case.nobody_reached
    assert any("nobody reached" in s.reason for s in case.steps)
    assert case.rungs[-1].told == ("duty_officer",), "the person was tried"


def test_backup_is_used_when_a_channel_fails_for_good() -> None:
    walk = Walk(outcome=lambda channel: NEVER if channel == "desk_phone" else HANDED)
    walk.found(event(EventKind.APPROACH))
    case = walk.until(1020)
    phone = [m for m in case.messages if m.level == 3 and m.recipient == "operator"]
    assert [(m.channel, m.state) for m in phone] == [
        ("desk_phone", MessageState.FAILED_FOR_GOOD),
        ("desk_mail", MessageState.HANDED_OVER),
    ], "desk_mail is told already; the backup is not a second copy"
    only_phone = cable(
        levels=(*cable().levels[:2], Level(**(_fields(cable().levels[2]) | {"channels": ("desk_phone",)}))),
    )
    walk = Walk(only_phone, outcome=lambda channel: NEVER if channel == "desk_phone" else HANDED)
    walk.found(event(EventKind.APPROACH))
    case = walk.until(1019)
    assert case.level == 2
    case = walk.until(1020)
    assert case.state is CaseState.CALLING, "no way to the authority is left"
    told = {(m.channel, m.recipient): m.state for m in case.messages if m.level == 3}
    assert told["desk_mail", "operator"] is MessageState.HANDED_OVER, "the operator is told by the backup all the same"


def _fields(level: Level) -> dict[str, object]:
    return {name: getattr(level, name) for name in Level.__slots__}


def test_level_told_to_somebody_no_channel_reaches_is_unreachable_and_climbs() -> None:
    levels = (Level(**(_fields(cable().levels[0]) | {"channels": ("desk_mail",)})), *cable().levels[1:])
    walk = Walk(cable(levels=levels))
    case = walk.found(event(EventKind.APPROACH))
    assert case.rungs[0].unreachable == (MOVER,)
    assert (case.level, inputs(walk)) == (2, [CaseInput.WORSE_CONDUCT, CaseInput.UNDELIVERED_NEXT])


def test_nothing_is_invented_where_no_deadline_is_set() -> None:
    fields = _fields(cable().levels[0]) | {"ack_within_s": None, "repeat_times": 0, "on_no_ack": None}
    walk = Walk(cable(levels=(Level(**fields),), stand_down=None, end_of_ladder=None))
    case = walk.found(event(EventKind.APPROACH))
    assert "no deadline is set: nobody will be told of the silence" in case.steps[0].reason
    case = walk.until(1_000_000)
    assert case.state is CaseState.AWAITING
    walk.found(event(EventKind.APPROACH_ENDED, 1_000_001))
    case = walk.until(1_010_000)
    assert (case.state, case.outcome) == (CaseState.CLOSED, CaseOutcome.OVER)
    assert case.steps[-1].reason == "no stand-down is set: nobody is told that it is over"


def test_silence_with_nothing_set_to_follow_is_exhausted_and_says_so() -> None:
    walk = Walk(cable(levels=(Level(**(_fields(cable().levels[0]) | {"on_no_ack": None})),), end_of_ladder=None))
    walk.found(event(EventKind.APPROACH))
    case = walk.until(540)
    assert (case.state, last(walk)) == (CaseState.EXHAUSTED, CaseInput.UNANSWERED_END)
    assert "what follows silence at level 1 is not set: nobody is told of it" in case.steps[-1].reason


def test_last_level_without_a_successor_calls_the_person_at_the_end_of_the_ladder() -> None:
    walk = Walk(cable(levels=cable().levels[:1]))
    walk.found(event(EventKind.APPROACH))
    case = walk.until(540)
    assert (case.state, case.messages[-1].recipient) == (CaseState.CALLING, "duty officer of the authority")


def test_call_that_fails_for_now_is_tried_again_and_the_person_can_acknowledge() -> None:
    outcomes = iter([NOW_NOT, NOW_NOT, HANDED, HANDED])
    walk = Walk(
        cable(levels=cable().levels[:1]),
        outcome=lambda channel: next(outcomes) if channel.startswith("duty") else HANDED,
    )
    walk.found(event(EventKind.APPROACH))
    case = walk.until(580)
    assert [a.number for a in case.attempts][-3:] == [1, 2, 3]
    case = walk.heard(answer(600, "duty officer of the authority"))
    assert case.state is CaseState.ACKNOWLEDGED


def test_entry_alone_begins_no_level_whose_trigger_names_acts_and_the_act_inside_does() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    case = walk.found(event(EventKind.ENTRY, 100))
    assert (case.level, last(walk)) == (1, CaseInput.CONDUCT_NOTED)
    case = walk.found(event(EventKind.LOITER, 200, rule="guard/loiter"))
    assert case.level == 1, "not one of the named acts"
    case = walk.found(event(EventKind.LOITER, 300, rule="guard/trawl"))
    assert case.level == 2


def test_own_conduct_of_a_level_begun_by_silence_is_told_at_once_beside_the_present_one() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    case = walk.until(1_030)
    assert case.level == 3
    due = [d for d in case.deadlines if d.kind == "answer"]
    case = walk.found(event(EventKind.LOITER, 1_040, rule="guard/anchor"))
    assert (case.state, case.level, last_unsent(walk)) == (CaseState.AWAITING, 3, CaseInput.CONDUCT_BELOW)
    assert {(level, who) for at, level, _, who in walk.said if at == 1_040.0} == {(2, MOVER), (2, "fishers")}
    assert [d for d in case.deadlines if d.kind == "answer"] == due, "the operator's deadline runs on"
    said = len(walk.said)
    walk.found(event(EventKind.LOITER, 1_050, rule="guard/trawl"))
    assert len(walk.said) == said, "once is enough"
    case = walk.heard(answer(1_060, level=2))
    assert case.acknowledgements[-1].disposition is Disposition.COUNTED
    assert case.state is CaseState.AWAITING, "an answer beside the present rung does not stop it"


def last_unsent(walk: Walk) -> CaseInput:
    return inputs(walk)[-1]


def test_turning_away_ends_the_waiting_and_a_new_approach_is_told_at_once_in_the_same_case() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    walk.until(199)
    case = walk.found(event(EventKind.APPROACH_ENDED, 200))
    assert case.state is CaseState.LULL
    walk.until(800)
    assert {at for at, *_ in walk.said} == {0.0, 180.0}, "silence means nothing now"
    case = walk.found(event(EventKind.APPROACH, 1_000))
    assert (case.state, case.level, walk.said[-1][0]) == (CaseState.AWAITING, 1, 1_000.0)
    assert case.case_id == walk.case.case_id if walk.case else False


def test_flapping_approach_does_not_flood_and_loses_nothing() -> None:
    walk = Walk()
    for n in range(20):
        walk.found(event(EventKind.APPROACH, 10.0 * n))
        case = walk.found(event(EventKind.APPROACH_ENDED, 10.0 * n + 5))
    assert len({at for at, *_ in walk.said}) == 2, "at 0 and, with 180 s between, once more"
    case = walk.found(event(EventKind.APPROACH, 200))
    assert case.mutes[0].reason is MuteReason.THROTTLE
    assert case.mutes[0].until_us == T0 + 180 * S
    assert case.mutes[-1].until_us is not None
    walk.until(400)
    assert max(at for at, *_ in walk.said) >= 360.0, "what was held back is said when the pause is over"


def test_new_approach_after_the_person_was_called_is_told_to_the_mover_again() -> None:
    walk = Walk(cable(levels=cable().levels[:1]))
    walk.found(event(EventKind.APPROACH))
    walk.until(600)
    assert walk.case is not None
    assert walk.case.state is CaseState.CALLING
    case = walk.found(event(EventKind.APPROACH, 900))
    assert (case.state, last_unsent(walk)) == (CaseState.AWAITING, CaseInput.CONDUCT_AGAIN)
    assert walk.said[-1][0] == 900.0
    assert walk.until(900 + 540).state is CaseState.CALLING, "and silence climbs again"


def test_lower_conduct_while_the_higher_still_stands_is_told_beside_it_and_the_level_does_not_fall() -> None:
    other = Level(**(_fields(cable().levels[0]) | {"trigger": ConductTrigger(conduct=Conduct.APPROACH, zone_id="air")}))
    inside = Level(
        **(_fields(cable().levels[0]) | {"level": 2, "trigger": ConductTrigger(conduct=Conduct.ENTRY, zone_id="guard")})
    )
    walk = Walk(cable(levels=(other, inside)))
    walk.found(event(EventKind.ENTRY))
    walk.heard(answer(10))
    case = walk.found(event(EventKind.APPROACH, 100, zone="air"))
    assert (case.state, case.level, last_unsent(walk)) == (CaseState.ACKNOWLEDGED, 2, CaseInput.CONDUCT_BELOW)
    assert walk.said[-1] == (100.0, 1, "satc", MOVER)
    walk.found(event(EventKind.EXIT, 200))
    case = walk.found(event(EventKind.APPROACH, 300, zone="air"))
    assert (case.state, case.level, case.highest_level) == (CaseState.AWAITING, 1, 2), "it has left: a new matter"


def test_approaches_with_pauses_between_do_not_hide_from_the_deadline() -> None:
    walk = Walk()
    for n in range(3):
        walk.found(event(EventKind.APPROACH, 400.0 * n))
        walk.until(400.0 * n + 199)
        walk.found(event(EventKind.APPROACH_ENDED, 400.0 * n + 200))
    assert walk.case is not None
    assert walk.case.rungs[0].answer_left_s == 340.0
    assert walk.case.rungs[1].answer_left_s == 140.0
    assert [(s.at_us - T0) / S for s in walk.case.steps if s.input is CaseInput.UNANSWERED_NEXT] == [940.0]


def test_stand_down_tells_those_who_were_told_and_no_others() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    case = walk.found(event(EventKind.EXIT, 100, zone="outer"))
    assert (case.state, case.outcome, case.closed_us) == (CaseState.CLOSED, CaseOutcome.ALL_CLEAR, T0 + 100 * S)
    over = [m for m in case.messages if m.purpose is Purpose.STAND_DOWN]
    assert {m.recipient for m in over} == {MOVER}, "the operator was told nothing, so hears nothing"
    assert over[0].body.startswith("The vessel has left the outer zone")
    assert not case.deadlines


def test_zone_that_ends_around_the_track_stands_the_case_down() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    case = walk.found(event(EventKind.ZONE_ENDED, 100, zone="outer"))
    assert case.outcome is CaseOutcome.ALL_CLEAR


def test_closed_case_takes_no_conduct_and_is_unchanged_by_the_refusal() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    walk.found(event(EventKind.EXIT, 100, zone="outer"))
    before = copy.deepcopy(walk.case)
    with pytest.raises(LadderError, match="a closed case cannot take"):
        walk.found(event(EventKind.ENTRY, 200))
    assert walk.case == before


def test_answer_after_the_end_is_kept_as_late() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    walk.found(event(EventKind.EXIT, 100, zone="outer"))
    case = walk.heard(answer(200, level=1))
    assert (case.state, case.acknowledgements[-1].disposition) == (CaseState.CLOSED, Disposition.LATE)


@pytest.mark.parametrize("close_first", [False, True])
def test_false_alarm_is_told_to_exactly_those_already_told(close_first: bool) -> None:
    walk = Walk(outcome=lambda channel: NEVER if channel == "satc" else HANDED)
    approach = event(EventKind.APPROACH)
    walk.found(approach)
    if close_first:
        walk.found(event(EventKind.EXIT, 50, zone="outer"))
    case = walk.found(withdrawn(approach, 100))
    assert (case.state, case.outcome) == (CaseState.CLOSED, CaseOutcome.FALSE_ALARM)
    corrected = [m for m in case.messages if m.purpose is Purpose.CORRECTION]
    assert {(m.recipient, m.channel) for m in corrected} == {(MOVER, "ais_msg"), (MOVER, "vhf16")}
    assert corrected[0].body.startswith("Earlier warning was an error")


def test_withdrawal_of_the_present_level_alone_stops_its_waiting_and_corrects_it() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    act = event(EventKind.LOITER, 100, rule="guard/anchor")
    walk.found(act)
    case = walk.found(withdrawn(act, 110))
    assert (case.state, case.outcome) == (CaseState.LULL, None)
    assert {m.recipient for m in case.messages if m.purpose is Purpose.CORRECTION} == {MOVER, "fishers"}
    said = len(walk.said)
    walk.until(1_000)
    assert len(walk.said) == said


def test_exempted_event_is_kept_and_muted_not_told() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    said = len(walk.said)
    case = walk.found(event(EventKind.LOITER, 10, rule="guard/anchor", exemption="approach_box"))
    assert (case.level, len(walk.said)) == (1, said)
    assert (case.mutes[-1].reason, case.mutes[-1].detail) == (MuteReason.EXEMPTION, "approach_box")


def test_confirmation_and_amendment_of_a_known_event_tell_nobody_twice() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    said = len(walk.said)
    walk.found(event(EventKind.APPROACH, known_us=T0 + 30 * S))
    case = walk.found(event(EventKind.APPROACH, revision=Revision.AMENDED, known_us=T0 + 40 * S, lat_deg=57.2))
    assert len(walk.said) == said
    assert [s.input for s in case.steps[-2:]] == [CaseInput.REVISED, CaseInput.REVISED]
    assert case.events[0].lat_deg == 57.2


def test_skipped_level_is_named_with_the_reason() -> None:
    case = Walk().found(event(EventKind.LOITER, rule="guard/anchor"))
    assert case.level == 2
    assert "level 1 did not come first: its own trigger was not found" in case.steps[0].reason


def test_deadline_that_fell_while_nobody_ran_fires_once_and_says_how_late() -> None:
    walk = Walk()
    case = walk.found(event(EventKind.APPROACH))
    due = next(d for d in case.deadlines if d.kind == "answer")
    case = walk.take(Due(deadline=due), due.at_us + 90 * MIN)
    assert case.level == 2
    assert "overdue by 1 h 30 min" in case.steps[-4].reason
    assert all(d.at_us > due.at_us + 90 * MIN for d in case.deadlines), "no burst of all that was missed"


def test_deadline_not_held_or_not_yet_due_is_refused() -> None:
    walk = Walk()
    case = walk.found(event(EventKind.APPROACH))
    due = case.deadlines[0]
    with pytest.raises(LadderError, match="not yet"):
        walk.take(Due(deadline=due), due.at_us - 1)
    walk.heard(answer(10))
    with pytest.raises(LadderError, match="has no deadline"):
        walk.take(Due(deadline=due), due.at_us)


def test_step_back_in_time_or_for_another_track_is_refused() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH, 100))
    with pytest.raises(LadderError, match="cannot step back"):
        walk.heard(answer(50))
    with pytest.raises(LadderError, match="is about mmsi:273000001, not about mmsi:2"):
        walk.found(event(EventKind.ENTRY, 200, track_id="mmsi:2"))


def test_outcome_of_an_attempt_nobody_made_or_known_already_is_refused() -> None:
    walk = Walk()
    case = walk.found(event(EventKind.APPROACH))
    with pytest.raises(LadderError, match="is already handed_over"):
        walk.take(Reported(message_id=case.messages[0].message_id, number=1, outcome=HANDED), T0 + S)
    with pytest.raises(LadderError, match="made no attempt 2"):
        walk.take(Reported(message_id=case.messages[0].message_id, number=2, outcome=HANDED), T0 + S)


def test_bounce_after_handing_over_counts_as_failed_and_climbs() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    for number, channel in enumerate(("ais_msg", "vhf16", "satc")):
        case = walk.heard(answer(10 + number, kind=AnswerKind.FAILED, channel=channel, who="radio operator"))
        assert case.acknowledgements[-1].disposition is Disposition.FAILURE
    assert CaseInput.UNDELIVERED_NEXT in inputs(walk)
    assert case.level == 2


def test_case_open_at_the_end_of_the_recording_says_so() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    case = walk.take(Ended(reason="the recording ends here"), T0 + 60 * S)
    assert (case.state, case.outcome, case.deadlines) == (CaseState.CLOSED, CaseOutcome.WATCH_ENDED, ())
    assert case.steps[-1].from_state is CaseState.AWAITING


def test_case_id_is_of_what_it_is_and_two_visits_are_two() -> None:
    first, second = event(EventKind.APPROACH, 0), event(EventKind.APPROACH, 9)
    assert open_case(cable(), first).case_id == open_case(cable(), first, standing=("inside:outer",)).case_id
    assert open_case(cable(), first).case_id != open_case(cable(), second).case_id
    assert open_case(cable(), first).case_id != open_case(cable(version=5), first).case_id


def test_case_begins_when_a_zone_comes_into_force_around_the_track() -> None:
    entry = Level(
        level=1,
        trigger=ConductTrigger(conduct=Conduct.ENTRY, zone_id="guard"),
        tell=(MOVER,),
        channels=("vhf16",),
        text="T2",
        ack_within_s=60.0,
    )
    for kind in (EventKind.ENTRY, EventKind.FIRST_SEEN_INSIDE, EventKind.CROSSING, EventKind.ZONE_BEGAN):
        case = Walk(cable(levels=(entry,))).found(event(kind))
        assert (case.state, len(case.messages)) == (CaseState.AWAITING, 1), kind


def test_crossing_that_nothing_follows_is_over_after_a_lull_and_says_so_to_those_told() -> None:
    crossed = ConductTrigger(conduct=Conduct.CROSSING, zone_id="guard")
    fields = _fields(cable().levels[0]) | {"trigger": crossed, "ack_within_s": None, "repeat_times": 0}
    walk = Walk(cable(levels=(Level(**fields),)))
    walk.found(event(EventKind.CROSSING))
    case = walk.until(3_600)
    assert (case.state, case.outcome) == (CaseState.CLOSED, CaseOutcome.OVER)
    assert CaseInput.NOTHING_SINCE in inputs(walk)
    assert {m.recipient for m in case.messages if m.purpose is Purpose.STAND_DOWN} == {MOVER}


def test_same_record_gives_the_same_next_action() -> None:
    def story() -> tuple[bytes, list[object]]:
        walk = Walk()
        walk.found(event(EventKind.APPROACH))
        walk.heard(answer(30, kind=AnswerKind.READ))
        case = walk.until(700)
        return case.as_line(), list(walk.actions)

    assert story() == story()


def test_step_leaves_the_case_it_was_given_alone() -> None:
    walk = Walk()
    case = walk.found(event(EventKind.APPROACH))
    line = case.as_line()
    step(case, Found(event=event(EventKind.LOITER, 5, rule="guard/anchor")), T0 + 5 * S, wording=walk.wording)
    assert case.as_line() == line


def test_channel_that_cannot_acknowledge_proves_nothing_by_silence_and_says_where_to_answer() -> None:
    channels = dict(cable().channels)
    case = Walk(cable(channels=channels)).found(event(EventKind.APPROACH))
    body = next(m.body for m in case.messages if m.channel == "satc")
    assert "No answer can be given here. ais_msg or vhf16 reaches you" in body
    lonely = {"satc": channels["satc"], "ais_msg": Channel(channel_id="ais_msg", kind="ais", to=frozenset())}
    walk = Walk(cable(channels=lonely, levels=cable().levels[:1]))
    case = walk.found(event(EventKind.APPROACH))
    assert case.messages[0].body.endswith("No answer can be given to this.")
    assert walk.until(540).state is CaseState.CALLING
