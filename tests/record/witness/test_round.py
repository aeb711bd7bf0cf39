"""Whom to ask and when: the decisions of the keeper's side, without a network and without a clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tocsin.clock import US_PER_S
from tocsin.record.witness.client import Outcome, Reply
from tocsin.record.witness.round import RETRY_MAX_S, ROUND_US, Round, Standing

NOW_US = 1_800_000_000 * US_PER_S
FAILED = [outcome for outcome in Outcome if outcome is not Outcome.COSIGNED]


def cosigned(name: str, size: int = 5) -> Reply:
    return Reply(witness=name, outcome=Outcome.COSIGNED, known_size=size)


def test_a_witness_that_is_down_is_asked_less_and_less_often_and_at_once_when_it_was_back() -> None:
    standing, waits = Standing(), []
    for _ in range(10):
        standing = standing.after(Reply(witness="w", outcome=Outcome.UNREACHABLE), NOW_US)
        waits.append((standing.next_try_us - NOW_US) // US_PER_S)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    back = standing.after(cosigned("w"), NOW_US)
    assert (back.failures, back.size, back.may_be_asked(NOW_US)) == (0, 5, True)


@given(failures=st.integers(0, 200), outcome=st.sampled_from(FAILED), step_us=st.integers(-(10**15), 10**15))
def test_no_clock_and_no_run_of_failures_makes_a_witness_wait_for_more_than_a_minute(
    failures: int, outcome: Outcome, step_us: int
) -> None:
    # Fault: a clock that stepped back a year, and a witness that is not asked for a year.
    standing = Standing(failures=failures).after(Reply(witness="w", outcome=outcome), NOW_US)
    later_us = NOW_US + step_us
    assert any(standing.may_be_asked(later_us + wait_s * US_PER_S) for wait_s in (0, RETRY_MAX_S))


def test_a_round_gives_way_once_it_has_its_quorum_all_answers_or_its_age() -> None:
    names = {"a", "b", "c"}
    begun = Round(size=5, began_us=NOW_US)
    assert not begun.is_over(6, names, NOW_US + ROUND_US - 1)
    assert begun.is_over(6, names, NOW_US + ROUND_US)
    assert begun.is_over(6, names, NOW_US - 1)  # the clock stepped back: nobody knows its age
    met = begun.after(cosigned("a"), is_met=False).after(cosigned("b"), is_met=True)
    assert met.is_over(6, names, NOW_US) and not met.is_over(5, names, NOW_US)
    answered = begun
    for name in names:
        assert not answered.is_over(6, names, NOW_US)
        answered = answered.after(Reply(witness=name, outcome=Outcome.UNREACHABLE), is_met=False)
    assert answered.is_over(6, names, NOW_US)


def test_nobody_is_asked_twice_for_what_it_cosigned_or_while_it_is_busy() -> None:
    standings = {name: Standing() for name in "abcd"} | {"d": Standing(next_try_us=NOW_US + 1)}
    begun = Round(size=5, began_us=NOW_US).after(cosigned("a"), is_met=False)
    assert begun.to_ask(standings, {"b"}, NOW_US) == ["c"]
    assert begun.to_ask(standings, set(), NOW_US + 1) == ["b", "c", "d"]
