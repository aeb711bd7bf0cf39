"""The detectors of many tracks against their slow twin, and the promise that cuts and arrival mean nothing (P2)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.naive_detect import naive_meetings
from tests.watch.detect.fleets import random_fleet, random_watchlist

from tocsin.watch.engine import Engine
from tocsin.watch.event import Event
from tocsin.watch.replay import replay
from tocsin.watch.state import WatchState, dump_state, load_state

TOLERANCE_US = 300_000
"""The twin works in a plane around each pair: centimetres apart, and a few slow metres a second."""


def _together(events: list[Event]) -> list[tuple[str, str, tuple[str, ...], int, int]]:
    return sorted(
        (e.kind.value, e.rule_id, tuple(sorted(t for t in (e.track_id, e.other_track) if t)), e.at_us, e.visit_us)
        for e in events
        if e.kind in ("proximity", "buildup", "void")
    )


@settings(max_examples=40, derandomize=True)  # a graze could tell the two ways apart
@given(seed=st.integers(0, 2**32 - 1))
@example(seed=1110551875)  # a track astern of the other's course, and not so of its own
@example(seed=1958047676)  # one who has left, but not long enough ago to be gone when the reports end
def test_replay_finds_what_the_slow_twin_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    agreed, fleet = random_watchlist(rng), random_fleet(rng)
    fast, slow = _together(replay(Engine(agreed), fleet)[0].events), naive_meetings(agreed, fleet)
    assert [f[:3] for f in fast] == [s[:3] for s in slow]
    for f, s in zip(fast, slow, strict=True):
        assert abs(f[3] - s[3]) <= TOLERANCE_US, (f, s)
        assert abs(f[4] - s[4]) <= TOLERANCE_US, (f, s)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_number_of_a_track_means_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    agreed, fleet = random_watchlist(rng), random_fleet(rng)
    number = rng.permutation(len(fleet.tracks))
    names = tuple(fleet.tracks[at] for at in np.argsort(number))
    other = replace(fleet, track=number[fleet.track].astype(np.int32), tracks=names)
    one, two = (replay(Engine(agreed), reports)[0].events for reports in (fleet, other))
    assert [e.as_line() for e in one] == [e.as_line() for e in two]


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 360), max_size=8))
@example(seed=6742059, cuts=[166])  # a contact that is over at the instant at which it is full
def test_step_cut_anywhere_and_restarted_gives_the_same_bytes(seed: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    agreed, fleet = random_watchlist(rng), random_fleet(rng)
    whole, _ = replay(Engine(agreed), fleet)
    state, parts = WatchState(), []
    for first, last in pairwise(sorted({0, len(fleet), *cuts})):
        engine = Engine(agreed)
        state, found = engine.step(load_state(dump_state(state)), fleet.take(slice(first, last)))
        parts += found.events
    _, found = engine.finish(load_state(dump_state(state)))
    parts = sorted([*parts, *found.events], key=lambda e: e.order)
    assert [e.as_line() for e in parts] == [e.as_line() for e in whole]
