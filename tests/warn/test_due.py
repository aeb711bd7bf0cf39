"""The queue of deadlines against a plain sorted list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.warn.due import DueQueue
from tocsin.warn.states import DeadlineKind
from tocsin.warn.steps import Deadline

DEADLINES = st.builds(
    Deadline,
    at_us=st.integers(0, 5),
    case_id=st.sampled_from("ab"),
    kind=st.sampled_from(DeadlineKind),
    about=st.sampled_from(["", "m1"]),
)


@given(st.lists(st.tuples(st.booleans(), DEADLINES), max_size=30))
def test_queue_gives_what_a_sorted_set_would_whatever_was_added_and_dropped(moves: list[tuple[bool, Deadline]]) -> None:
    queue, naive = DueQueue(), set()
    for is_add, deadline in moves:
        if is_add:
            queue.add(deadline)
            naive.add(deadline)
        else:
            queue.drop(deadline)
            naive.discard(deadline)
        assert queue.next() == min(naive, default=None)
        assert len(queue) == len(naive)
    assert [queue.take() for _ in range(len(queue))] == sorted(naive)


def test_empty_queue_has_nothing_to_take() -> None:
    with pytest.raises(IndexError, match="no deadline"):
        DueQueue().take()
