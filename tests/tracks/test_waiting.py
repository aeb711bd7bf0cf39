"""Waiting: whatever is added and taken in whatever order, it holds what a plain list of rows would."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.common import batch, report

from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.waiting import Waiting


def rows(some: ReportBatch) -> list[str]:
    return sorted(map(repr, some.to_table().to_pylist()))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6), st.sampled_from("xy")), max_size=60), st.randoms())
def test_what_waits_is_what_a_plain_list_holds(said: list[tuple[int, int, str]], rng: random.Random) -> None:
    waiting, held, at = Waiting(), [], 0
    made = [report(track_id=f"dev:{who}", observed=when, feed=feed) for when, who, feed in said]
    while made:
        n = rng.randint(0, 5)
        some, made = made[:n], made[n:]
        waiting, held = waiting.add(batch(some)), [*held, *some]
        assert rows(waiting.whole()) == rows(batch(held))
        who = {f"dev:{rng.randint(0, 7)}", "dev:nobody"}
        assert rows(waiting.of(who)) == rows(batch(row for row in held if row["track_id"] in who))
        at = max(at, rng.randint(0, 50))
        done, waiting = waiting.before(at)
        assert rows(done) == rows(batch(row for row in held if row["observed"] < at))
        held = [row for row in held if row["observed"] >= at]
        assert len(waiting) == len(held)
        assert waiting.counts == Counter(row["feed"] for row in held)
        assert all((run["observed_us"][1:] >= run["observed_us"][:-1]).all() for run in waiting.runs)
