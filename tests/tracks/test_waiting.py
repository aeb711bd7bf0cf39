"""Waiting: whatever is added and taken in whatever order, it holds what a plain list of rows would."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.common import batch, report

from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.waiting import Waiting


def rows(some: ReportBatch) -> list[tuple[object, ...]]:
    tracks = [some.tracks[code] for code in some.track.tolist()]
    feeds = [some.feeds[code] for code in some.feed.tolist()]
    return sorted(zip(some.observed_us.tolist(), tracks, feeds, some.lat_deg.tolist(), strict=True))


def listed(held: Iterable[Mapping[str, Any]]) -> list[tuple[object, ...]]:
    return sorted((row["observed"], row["track_id"], row["feed"], row["lat_deg"]) for row in held)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6), st.sampled_from("xy")), max_size=60), st.randoms())
def test_what_waits_is_what_a_plain_list_holds(said: list[tuple[int, int, str]], rng: random.Random) -> None:
    waiting, held, at = Waiting(), [], 0
    made = [
        report(track_id=f"dev:{who}", observed=when, feed=feed, lat_deg=float(n))
        for n, (when, who, feed) in enumerate(said)
    ]
    while made:
        n = rng.randint(0, 5)
        some, made = made[:n], made[n:]
        waiting, held = waiting.add(batch(some)), [*held, *some]
        assert rows(waiting.whole()) == listed(held)
        who = {f"dev:{rng.randint(0, 7)}", "dev:nobody"}
        assert rows(waiting.of(who)) == listed(row for row in held if row["track_id"] in who)
        at = max(at, rng.randint(0, 50))
        done, waiting = waiting.before(at)
        assert rows(done) == listed(row for row in held if row["observed"] < at)
        held = [row for row in held if row["observed"] >= at]
        assert len(waiting) == len(held)
        assert waiting.counts == Counter(row["feed"] for row in held)
        assert all((run["observed_us"][1:] >= run["observed_us"][:-1]).all() for run in waiting.runs)
