"""Rungs with more to them: channels in turn, alternates, relays, acknowledgements that run out, mutes, grouping."""

from __future__ import annotations

from typing import Any

import pytest
from tests.warn.stories import HANDED, NEVER, NOW_NOT, T0, S, Walk, answer, cable, event, withdrawn

from tocsin.agreement.playbook import MOVER, Alternate, Channel, Level, Playbook, Relay
from tocsin.errors import LadderError
from tocsin.warn.inputs import Muting
from tocsin.warn.states import (
    AnswerKind,
    CaseInput,
    CaseState,
    Disposition,
    MessageState,
    MuteReason,
    Purpose,
)
from tocsin.warn.telling import Outcome
from tocsin.watch.event import EventKind

DELIVERED = Outcome(state=MessageState.DELIVERED, transport="test")


def with_first(**changes: Any) -> Playbook:
    """Return the cable's ladder with its first level changed; `ways` are its channels, the rest is the playbook's."""
    first = cable().levels[0]
    of_level = {k: v for k, v in changes.items() if k in Level.__slots__}
    fields = {name: getattr(first, name) for name in Level.__slots__} | of_level
    rest = {k: v for k, v in changes.items() if k not in {*Level.__slots__, "ways"}}
    return cable(levels=(Level(**fields), *cable().levels[1:]), **rest, channels=changes.get("ways", cable().channels))


def inputs(walk: Walk) -> list[CaseInput]:
    assert walk.case is not None
    return [step.input for step in walk.case.steps]


def test_in_turn_the_next_channel_waits_for_the_time_of_the_one_before() -> None:
    walk = Walk(with_first(in_turn=True, turn_s=30.0))
    walk.found(event(EventKind.APPROACH))
    walk.until(70)
    assert walk.said == [(0, 1, "ais_msg", MOVER), (30, 1, "vhf16", MOVER), (60, 1, "satc", MOVER)]
    assert inputs(walk).count(CaseInput.NEXT_WAY) == 2


def test_in_turn_a_failure_brings_the_next_at_once_and_proof_of_arrival_none() -> None:
    outcome = {"ais_msg": NEVER, "vhf16": DELIVERED, "satc": HANDED}
    walk = Walk(with_first(in_turn=True, turn_s=30.0), outcome.__getitem__)
    walk.found(event(EventKind.APPROACH))
    walk.until(170)
    assert walk.said == [(0, 1, "ais_msg", MOVER), (0, 1, "vhf16", MOVER)]
    assert "the next is vhf16" in " ".join(step.reason for step in walk.case.steps)  # type: ignore[union-attr]


def test_in_turn_climbs_only_when_the_last_channel_failed() -> None:
    walk = Walk(with_first(in_turn=True, turn_s=30.0), lambda channel: NEVER)
    case = walk.found(event(EventKind.APPROACH))
    assert [said[2] for said in walk.said if said[1] == 1] == ["ais_msg", "vhf16", "satc"]
    assert CaseInput.UNDELIVERED_NEXT in {step.input for step in case.steps}


def test_alternate_is_told_after_the_agreed_silence_and_their_answer_counts() -> None:
    walk = Walk(with_first(alternates=(Alternate(of=MOVER, who="deputy", after_s=60.0),)))
    walk.found(event(EventKind.APPROACH))
    walk.until(61)
    assert walk.said[-1] == (60, 1, "deputy", "deputy"), "who has no channel of the level is a channel of their own"
    case = walk.heard(answer(70, "deputy"))
    assert (case.state, case.rungs[0].acknowledged) == (CaseState.ACKNOWLEDGED, (MOVER,))
    assert walk.heard(answer(71)).acknowledgements[-1].disposition is Disposition.DOUBLE


def test_alternate_is_told_at_once_when_nobody_else_can_be_reached() -> None:
    book = with_first(alternates=(Alternate(of=MOVER, who="deputy"),))
    walk = Walk(book, lambda channel: HANDED if channel == "deputy" else NEVER)
    case = walk.found(event(EventKind.APPROACH))
    assert (case.state, case.level, case.rungs[0].standins) == (CaseState.AWAITING, 1, (("deputy", MOVER),))


def test_call_that_is_not_answered_goes_to_the_next_person_and_ends_with_the_last() -> None:
    book = with_first(on_no_ack="first_officer", call_within_s=120.0, call_alternates=("second_officer",))
    walk = Walk(book)
    walk.found(event(EventKind.APPROACH))
    walk.until(540 + 119)
    assert [s[2] for s in walk.said][-1] == "first_officer"
    case = walk.until(540 + 121)
    assert (case.state, [s[2] for s in walk.said][-1]) == (CaseState.CALLING, "second_officer")
    answered = walk.heard(answer(700, "second_officer"))
    assert answered.state is CaseState.ACKNOWLEDGED
    silent = Walk(book)
    silent.found(event(EventKind.APPROACH))
    case = silent.until(540 + 241)
    assert case.state is CaseState.EXHAUSTED
    assert "the call was not answered" in case.steps[-1].reason


def only_relayed() -> Playbook:
    """Return a ladder whose first level reaches the mover through the authority alone."""
    line = Channel(channel_id="line", kind="phone", to=frozenset({"authority"}))
    relay = Relay(to=MOVER, by="authority", within_s=60.0)
    return with_first(relays=(relay,), channels=("line",), ways={**cable().channels, "line": line})


def test_relay_is_told_to_pass_on_and_what_it_received_the_other_has_not() -> None:
    walk = Walk(only_relayed())
    case = walk.found(event(EventKind.APPROACH))
    (message,) = case.messages
    assert (message.recipient, message.relay_for) == ("authority", MOVER)
    assert "asked to pass this on to the one who moves" in message.body
    case = walk.heard(answer(10, "authority"))
    assert (case.state, case.acknowledgements[-1].disposition) == (CaseState.AWAITING, Disposition.RECEIPT)
    case = walk.heard(answer(20, "authority", AnswerKind.PASSED_ON, to="bridge"))
    assert case.messages[0].state is MessageState.PASSED_ON
    assert case.state is CaseState.AWAITING, "passed on is not the other's acknowledgement"
    assert [(party, to) for _, party, to, _ in case.echelons] == [("authority", None), ("authority", "bridge")]
    case = walk.heard(answer(30))
    assert case.state is CaseState.ACKNOWLEDGED


def test_relay_that_does_not_say_it_passed_on_is_a_step_and_the_silence_climbs() -> None:
    walk = Walk(only_relayed())
    walk.found(event(EventKind.APPROACH))
    case = walk.until(61)
    assert (case.steps[-1].input, case.state) == (CaseInput.NOT_PASSED_ON, CaseState.AWAITING)
    assert walk.until(541).level == 2


def test_stand_down_goes_the_way_the_warning_went() -> None:
    walk = Walk(only_relayed())
    walk.found(event(EventKind.APPROACH))
    case = walk.found(event(EventKind.EXIT, 60, zone="outer"))
    last = case.messages[-1]
    assert (last.purpose, last.recipient, last.relay_for) == (Purpose.STAND_DOWN, "authority", MOVER)


def test_acknowledgement_that_runs_out_arms_the_level_again_while_it_stands() -> None:
    walk = Walk(with_first(ack_expires_s=600.0))
    walk.found(event(EventKind.APPROACH))
    walk.heard(answer(10))
    case = walk.until(611)
    assert (case.state, case.steps[-4].input) == (CaseState.AWAITING, CaseInput.ACK_EXPIRED)
    assert [s[0] for s in walk.said] == [0, 0, 0, 610, 610, 610]
    over = Walk(with_first(ack_expires_s=600.0))
    over.found(event(EventKind.APPROACH))
    over.heard(answer(10))
    over.found(event(EventKind.APPROACH_ENDED, 100))
    assert over.until(700).state is CaseState.LULL, "what no longer stands arms nothing"


def muting(at_s: float, until_s: float, **changes: Any) -> Muting:
    fields: dict[str, Any] = {"who": "W. Officer", "party": "authority", "case_id": "0" * 8}
    at_us, until_us = T0 + round(at_s * S), T0 + round(until_s * S)
    return Muting(**(fields | {"at_us": at_us, "until_us": until_us, "reason": MuteReason.IN_CONTACT} | changes))


def test_mute_holds_back_repeats_until_its_end_and_never_what_is_new() -> None:
    walk = Walk(cable())
    walk.found(event(EventKind.APPROACH))
    case = walk.take(muting(10, 300), T0 + 10 * S)
    assert (case.mutes[-1].reason, case.mutes[-1].until_us) == (MuteReason.IN_CONTACT, T0 + 300 * S)
    walk.until(299)
    assert {s[0] for s in walk.said} == {0}
    walk.until(301)
    assert {s[0] for s in walk.said} == {0, 300}, "what was held back is said at its end"
    walk.take(muting(310, 5_000), T0 + 310 * S)
    case = walk.until(541)
    assert case.level == 2, "silence climbs all the same"
    assert [s[0] for s in walk.said][-1] == 540


def test_mute_holds_back_conduct_told_already_and_worse_conduct_is_told_at_once() -> None:
    walk = Walk(cable())
    walk.found(event(EventKind.APPROACH))
    walk.heard(answer(10))
    walk.take(muting(20, 1_000), T0 + 20 * S)
    walk.found(event(EventKind.APPROACH_ENDED, 30))
    walk.found(event(EventKind.APPROACH, 200))
    assert {s[0] for s in walk.said} == {0}
    walk.found(event(EventKind.LOITER, 210, rule="guard/anchor"))
    assert {s[:2] for s in walk.said} == {(0, 1), (210, 2)}


def test_mute_is_ended_early_and_what_it_held_back_is_said() -> None:
    walk = Walk(cable())
    walk.found(event(EventKind.APPROACH))
    walk.take(muting(10, 400), T0 + 10 * S)
    walk.until(190)
    walk.take(muting(200, 200), T0 + 200 * S)
    walk.until(201)
    assert {s[0] for s in walk.said} == {0, 200}


@pytest.mark.parametrize(
    "asked",
    [muting(10, 9), muting(10, 2 * 86_400), muting(10, 60, reason=MuteReason.THROTTLE)],
    ids=["ends before it begins", "longer than a day", "no person's reason"],
)
def test_mute_without_a_right_end_or_reason_is_refused_and_changes_nothing(asked: Muting) -> None:
    walk = Walk(cable())
    before = walk.found(event(EventKind.APPROACH))
    with pytest.raises(LadderError, match="expected"):
        walk.take(asked, T0 + 10 * S)
    assert walk.case is before


def test_grouped_repeats_of_two_cases_fall_due_together_and_first_messages_do_not_wait() -> None:
    channels = {
        name: Channel(channel_id=name, kind=way.kind, to=way.to, group_within_s=120.0)
        for name, way in cable().channels.items()
    }
    book = cable(channels=channels)
    walks = [Walk(book), Walk(book)]
    for number, walk in enumerate(walks):
        walk.found(event(EventKind.APPROACH, 7 + 8 * number))
        walk.until(400)
    firsts, repeats = [w.said[0][0] for w in walks], [w.said[3][0] for w in walks]
    assert firsts == [7, 15]
    assert repeats[0] == repeats[1]


def test_retry_of_a_message_in_turn_keeps_its_turn() -> None:
    walk = Walk(with_first(in_turn=True, turn_s=30.0), lambda channel: NOW_NOT if channel == "ais_msg" else HANDED)
    walk.found(event(EventKind.APPROACH))
    walk.until(35)
    assert [s[2] for s in walk.said] == ["ais_msg", "vhf16"]


def test_correction_that_failed_for_now_is_tried_again_though_the_case_stands_down_meanwhile() -> None:
    walk = Walk(cable())
    walk.found(event(EventKind.APPROACH))
    second = event(EventKind.LOITER, 10, rule="guard/anchor")
    walk.found(second)
    walk.outcome = lambda channel: NOW_NOT if channel == "vhf16" else HANDED
    walk.found(withdrawn(second, 20))
    walk.found(event(EventKind.EXIT, 25, zone="outer"))
    walk.outcome = lambda channel: HANDED
    case = walk.until(100)
    assert {m.state for m in case.messages if m.purpose is Purpose.CORRECTION} == {MessageState.HANDED_OVER}
    assert case.state is CaseState.CLOSED
