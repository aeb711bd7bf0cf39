"""Sides of a line: exact, which is what makes every other answer the same everywhere."""

from __future__ import annotations

import math

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.naive_geo import orient

from tocsin.kernels.numbers.predicates import orient2d, orient2d_exact

coarse = st.integers(-12, 12).map(lambda k: k / 4)
fine = st.floats(-180.0, 180.0).filter(lambda v: v == 0.0 or abs(v) > 1e-140)
small = st.floats(-1e-9, 1e-9).filter(lambda v: v == 0.0 or abs(v) > 1e-140)
value = st.one_of(coarse, fine, small)


@settings(max_examples=500)
@given(
    value,
    value,
    value,
    value,
    st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(-1.0, 2.0),
    st.integers(-3, 3),
    st.integers(-3, 3),
)
@example(0.1, 0.1, 0.3, 0.3, 0.5, 0, 0)
def test_orient2d_within_ulps_of_the_line_is_exact(
    ax: float, ay: float, bx: float, by: float, t: float, up: int, right: int
):
    """Would catch a filter that decides what it cannot: the point is on the line but for a few last bits."""
    x, y = ax + t * (bx - ax), ay + t * (by - ay)
    x, y = x + right * math.ulp(x or 1.0), y + up * math.ulp(y or 1.0)
    assume(all(v == 0.0 or abs(v) > 1e-140 for v in (x, y)))  # as the kernel asks
    true = orient((ax, ay), (bx, by), (x, y))
    assert orient2d(ax, ay, bx, by, x, y) == true
    assert orient2d_exact(ax, ay, bx, by, x, y) == true


@given(value, value, value, value, value, value)
def test_orient2d_turns_its_sign_when_two_points_change_places(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float
):
    side = orient2d(ax, ay, bx, by, cx, cy)
    assert side == orient2d(bx, by, cx, cy, ax, ay) == -orient2d(bx, by, ax, ay, cx, cy)
    assert side == orient((ax, ay), (bx, by), (cx, cy))
