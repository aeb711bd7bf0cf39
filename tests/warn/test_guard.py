"""The clock guard: steps, drift, restarts and reboots, and what the ladder makes of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.warn.stories import T0, S, cable, event

from tocsin.clock import Reading, reading
from tocsin.warn.desk import step
from tocsin.warn.docket import Docket, Playbooks
from tocsin.warn.guard import STEP_US, JumpKind, Told, compare, tell
from tocsin.warn.inputs import Found
from tocsin.warn.states import CaseInput
from tocsin.watch.event import EventKind


def clocks(wall_s: float, mono_s: float, boot: str = "b1", process: str = "p1") -> Reading:
    return Reading(wall_us=T0 + round(wall_s * S), monotonic_us=round(mono_s * S), boot=boot, process=process)


def test_step_of_the_wall_clock_is_said_once_and_moves_no_deadline() -> None:
    for step_s in (3_600.0, -3_600.0, 86_400.0):
        told, _ = tell(None, clocks(0, 100))
        docket, books = Docket(), Playbooks([cable()])
        docket, _ = step(docket, [Found(event=event(EventKind.APPROACH))], told.now_us, playbooks=books)
        jumps, taken = [], []
        for second in range(1, 700):
            told, jump = tell(told, clocks(second + (step_s if second > 200 else 0), 100 + second))
            jumps += [jump] if jump else []
            docket, decided = step(docket, [], told.now_us, playbooks=books)
            taken += [(f["input"], (told.now_us - T0) / S) for f in decided.facts if f["kind"] == "case_step"]
        assert [(j.kind, j.by_us / S) for j in jumps] == [(JumpKind.STEPPED, step_s)]
        assert taken[:3] == [
            (CaseInput.REPEAT_DUE, 180.0),
            (CaseInput.REPEAT_DUE, 360.0),
            (CaseInput.UNANSWERED_NEXT, 540.0),
        ]


def test_drift_of_500_ppm_is_followed_and_is_no_step() -> None:
    told, _ = tell(None, clocks(0, 0))
    for second in range(1, 3_601):
        told, jump = tell(told, clocks(second * 1.0005, second))
        assert jump is None
    assert abs(told.now_us - (T0 + round(3_601.8 * S))) < STEP_US


def test_restart_on_the_same_boot_counts_on_whatever_the_wall_clock_says() -> None:
    told, _ = tell(None, clocks(0, 100))
    told, jump = tell(told, clocks(600 - 3_600, 700, process="p2"))
    assert (told.now_us, jump and jump.kind) == (T0 + 600 * S, JumpKind.STEPPED)
    told, jump = tell(told, clocks(660 - 3_600, 760, process="p3"))
    assert jump is not None
    assert (jump.kind, jump.by_us) == (JumpKind.AWAY, 60 * S)


def test_reboot_with_a_clock_set_back_goes_on_from_what_was_written_down() -> None:
    told, _ = tell(None, clocks(0, 100))
    told, jump = tell(told, clocks(-7_200, 3, boot="b2", process="p2"))
    assert jump is not None
    assert (jump.kind, jump.by_us, told.now_us) == (JumpKind.BEHIND, -7_200 * S, T0)
    told, jump = tell(told, clocks(-7_190, 13, boot="b2", process="p2"))
    assert (told.now_us, jump) == (T0 + 10 * S, None), "deadlines go on, none is taken twice"


def test_system_without_a_boot_identity_is_trusted_less_over_a_restart() -> None:
    told, _ = tell(None, clocks(0, 100, boot=""))
    assert tell(told, clocks(60, 160, boot=""))[1] is None
    told, jump = tell(told, clocks(60, 160, boot="", process="p2"))
    assert (told.now_us, jump and jump.kind) == (T0 + 60 * S, JumpKind.AWAY)


def test_feeds_that_disagree_are_said() -> None:
    told = Told(now_us=T0, reading=clocks(0, 0))
    assert compare(told, T0 - 60 * S) is None
    doubt = compare(told, T0 + 3_600 * S)
    assert doubt is not None
    assert (doubt.kind, doubt.by_us) == (JumpKind.DOUBTED, 3_600 * S)


@given(st.lists(st.tuples(st.integers(-(10**12), 10**12), st.integers(0, 10**9), st.sampled_from("ab")), max_size=30))
def test_time_never_runs_back(steps: list[tuple[int, int, str]]) -> None:
    told, _ = tell(None, clocks(0, 0, boot="a"))
    mono = 0
    for wall, passed, boot in steps:
        mono += passed
        before = told.now_us
        told, _ = tell(told, Reading(wall_us=T0 + wall, monotonic_us=mono, boot=boot, process="p"))
        assert told.now_us >= before


def test_own_clocks_can_be_read() -> None:
    first, second = reading(), reading()
    assert (first.boot, first.process) == (second.boot, second.process)
    assert second.monotonic_us >= first.monotonic_us
