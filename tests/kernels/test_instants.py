"""Reports of one instant in order of their tracks, and only where that is all that is to be done."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tocsin.kernels.instants import NOT_SO, order_instants

REPORTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 30)), max_size=80)
"""An instant and a track each."""


def naive_order(reports: list[tuple[int, int]], rank: list[int]) -> list[int] | None:
    """Return the rows by time and rank; None if they are not by time yet, or two are alike in both."""
    at_us = [at for at, _ in reports]
    if at_us != sorted(at_us) or len(set(reports)) < len(reports):
        return None
    return sorted(range(len(reports)), key=lambda row: (reports[row][0], rank[reports[row][1]]))


@given(REPORTS, st.booleans(), st.permutations(range(31)))
def test_order_is_that_of_the_slow_twin(reports: list[tuple[int, int]], by_time: bool, rank: list[int]) -> None:
    reports = sorted(reports, key=lambda report: report[0]) if by_time else reports
    told = np.array(reports, np.int64).reshape(-1, 2)
    to, rows = np.empty((2, len(reports)), np.int64)
    n = order_instants(np.ascontiguousarray(told[:, 0]), told[:, 1].astype(np.int32), np.array(rank), to, rows)
    expected = naive_order(reports, rank)
    if expected is None:
        assert n == NOT_SO
        return
    order = np.arange(len(reports))
    order[to[:n]] = rows[:n]
    assert order.tolist() == expected
    assert (np.diff(to[:n]) > 0).all()


def test_what_is_in_order_moves_nothing() -> None:
    """Would catch an archive of Tocsin's own that is written anew, row by row, each time it is read."""
    to, rows = np.empty((2, 100), np.int64)
    assert order_instants(np.repeat(np.arange(10), 10), np.arange(100, dtype=np.int32), np.arange(100), to, rows) == 0
