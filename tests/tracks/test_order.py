"""One order of reports whatever order they came in; nothing released twice, lost, or held for ever."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.common import NOON_US, ZOO, S, batch, report
from tests.naive_tracks import naive_content_hash, naive_distinct

from tocsin.tracks.batch import EMPTY, ReportBatch, concat
from tocsin.tracks.order import FeedPolicy, Reorder, by_instant, canonical, content_hash, flush, push

L = 60 * S
POLICY = FeedPolicy(lateness_us=L, hold_us=30 * S, ahead_us=5 * S)


def lines(reports: ReportBatch) -> list[str]:
    """Return reports as text, in which NaN equals NaN and 0 equals -0 (as RFC 8785 writes them)."""
    return [str(row).replace("-0.0,", "0.0,") for row in reports.to_table().to_pylist()]


def shuffled(reports: ReportBatch, seed: int) -> ReportBatch:
    order = np.arange(len(reports))
    random.Random(seed).shuffle(order)
    return reports.take(order)


@pytest.mark.parametrize("name", ZOO)
def test_canonical_order_is_the_same_from_any_order(name: str) -> None:
    settled = ZOO[name].take(canonical(ZOO[name]).keep)
    for seed in range(5):
        other = shuffled(ZOO[name], seed)
        assert lines(other.take(canonical(other).keep)) == lines(settled)


@pytest.mark.parametrize("name", ZOO)
def test_canonical_order_is_by_time_then_track_and_says_it_all(name: str) -> None:
    ordering = canonical(ZOO[name])
    kept = ZOO[name].take(ordering.keep)
    keys = [(int(t), kept.tracks[k].encode()) for t, k in zip(kept.observed_us, kept.track, strict=True)]
    assert keys == sorted(keys)
    expected = naive_distinct(ZOO[name].to_table().to_pylist())
    assert (len(ordering.keep), len(ordering.duplicate), len(ordering.conflict)) == expected
    assert sorted([*ordering.keep, *ordering.duplicate]) == list(range(len(ZOO[name])))


ROWS = st.builds(
    report,
    track_id=st.sampled_from(["dev:a", "dev:b"]),
    observed=st.integers(0, 2).map(lambda k: NOON_US + k * S),
    lat_deg=st.sampled_from([0.0, -0.0, 1.0]),
    speed_mps=st.sampled_from([float("nan"), 0.0, 5.0]),
    feed=st.sampled_from(["x", "y"]),
    received=st.sampled_from([None, NOON_US + 9 * S]),
    party=st.sampled_from([None, "north", "south"]),
    category=st.sampled_from([None, "cargo"]),
)


@given(st.lists(ROWS, max_size=12), st.randoms())
def test_duplicates_and_conflicts_are_those_of_the_slow_twin_in_any_order(rows: list[dict], rng: random.Random) -> None:
    one = batch(rows)
    rng.shuffle(rows)
    other = batch(rows)
    first, second = canonical(one), canonical(other)
    assert (len(first.keep), len(first.duplicate), len(first.conflict)) == naive_distinct(one.to_table().to_pylist())
    assert lines(one.take(first.keep)) == lines(other.take(second.keep))


@given(st.lists(ROWS, max_size=12))
def test_what_only_changes_its_place_within_an_instant_ends_in_canonical_order(rows: list[dict]) -> None:
    reports = batch(sorted(rows, key=lambda row: row["observed"]))
    moves, expected = by_instant(reports), canonical(reports)
    if moves is None:
        assert len(expected.duplicate) + len(expected.conflict) > 0
        return
    order = np.arange(len(reports))
    order[moves.to] = moves.keep
    assert order.tolist() == expected.keep.tolist()
    assert len(expected.duplicate) == len(expected.conflict) == 0


def test_of_equal_reports_the_one_with_a_category_and_the_first_received_is_kept() -> None:
    rows = [
        report(feed="b", received=NOON_US + S),
        report(feed="a", received=NOON_US + 3 * S, category="cargo"),
        report(feed="c", received=NOON_US + 2 * S, category="cargo"),
    ]
    kept = batch(rows).take(canonical(batch(rows)).keep)
    assert [kept.feeds[k] for k in kept.feed] == ["c"]


def test_content_hash_is_the_same_on_every_machine() -> None:
    assert [f"{h:016x}" for h in content_hash(ZOO["full_row"])] == ["4257c1b232dd709b"]


@pytest.mark.parametrize("name", ZOO)
def test_content_hash_is_that_of_the_slow_twin(name: str) -> None:
    rows = ZOO[name].to_table().to_pylist()
    assert content_hash(ZOO[name]).tolist() == [naive_content_hash(row) for row in rows]


def test_content_hash_spreads() -> None:
    reports = batch(report(lat_deg=33.5 + k * 1e-12, speed_mps=float(k % 7)) for k in range(2_000))
    assert len(set(content_hash(reports).tolist())) == 2_000


def run(arrivals: list[tuple[int, dict]], sizes: random.Random) -> tuple[list[str], int]:
    """Push reports in order of arrival, in batches of any size; return all that came out ready, and the duplicates."""
    state = Reorder(feeds={"x": POLICY, "y": POLICY}, other=POLICY)
    waiting = sorted(arrivals, key=lambda pair: pair[0])
    ready: list[str] = []
    duplicate = 0
    while waiting:
        n = sizes.randint(1, 4)
        taken, waiting = waiting[:n], waiting[n:]
        state, released = push(state, batch(row for _, row in taken), now_us=taken[-1][0])
        assert (state.waiting.whole().observed_us >= state.watermark_us).all()
        assert (len(released.late), len(released.ahead)) == (0, 0)
        ready += lines(released.ready)
        duplicate += released.duplicate
    state, released = flush(state)
    assert len(state.waiting) == 0
    return ready + lines(released.ready), duplicate + released.duplicate


@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.integers(0, 60), st.sampled_from(["x", "y"]), st.sampled_from("ab")),
        max_size=25,
    ),
    st.randoms(use_true_random=False),
)
def test_any_arrival_within_the_lateness_gives_the_same_sequence(
    reports: list[tuple[int, int, str, str]], sizes: random.Random
) -> None:
    # Each report arrives 0 to 60 s after it was true.
    rows = [
        report(track_id=f"dev:{who}", observed=NOON_US + at * S, feed=feed, lat_deg=float(at % 9))
        for at, _, feed, who in reports
    ]
    arrivals = [(row["observed"] + delay * S, row) for row, (_, delay, _, _) in zip(rows, reports, strict=True)]
    expected = batch(rows)
    settled = lines(expected.take(canonical(expected).keep))
    sequence, duplicate = run(arrivals, random.Random(1))
    assert sequence == settled
    assert run(arrivals, sizes)[0] == settled
    assert len(sequence) + duplicate == len(rows)


def test_a_report_older_than_the_watermark_is_late_and_not_lost() -> None:
    state = Reorder(feeds={"zoo": POLICY}, other=POLICY)
    state, first = push(state, batch([report(observed=NOON_US + 2 * L)]), now_us=NOON_US + 2 * L)
    state, second = push(state, batch([report(observed=NOON_US)]), now_us=NOON_US + 2 * L)
    assert (len(first.ready), len(second.late), len(second.ready)) == (0, 1, 0)


def test_a_report_from_the_future_is_set_apart_and_moves_nothing() -> None:
    state = Reorder(feeds={"zoo": POLICY}, other=POLICY)
    rows = [report(), report(observed=NOON_US + 3_600 * S), report(observed="1970-01-01T00:00:00Z")]
    after, released = push(state, batch(rows), now_us=NOON_US + S)
    assert [int(t) for t in released.ahead.observed_us] == [NOON_US + 3_600 * S]
    assert after.watermark_us <= NOON_US - L
    assert len(released.ready) == 1


def test_a_report_a_little_ahead_of_the_clock_costs_the_others_nothing() -> None:
    state = Reorder(feeds={"zoo": POLICY}, other=POLICY)
    state, _ = push(state, batch([report(observed=NOON_US + 5 * S)]), now_us=NOON_US)
    _, released = push(state, batch([report(observed=NOON_US - L)]), now_us=NOON_US)
    assert len(released.late) == 0


def test_a_feed_whose_clock_runs_ahead_costs_the_other_feed_nothing() -> None:
    state = Reorder(feeds={"good": POLICY, "fast": POLICY}, other=POLICY)
    ready, late, ahead = [], 0, 0
    for k in range(60):
        now = NOON_US + k * 10 * S
        rows = [
            report(feed="good", observed=now - 20 * S, track_id="dev:g"),
            report(feed="fast", observed=now + 600 * S, track_id="dev:f"),
        ]
        state, released = push(state, batch(rows), now_us=now)
        ready += lines(released.ready)
        late += len(released.late)
        ahead += len(released.ahead)
    assert (late, ahead) == (0, 60)
    assert len(ready) > 45


def test_a_silent_feed_stops_holding_the_others_back() -> None:
    state = Reorder(feeds={"good": POLICY, "silent": POLICY}, other=POLICY)
    state, _ = push(state, batch([report(feed="silent")]), now_us=NOON_US)
    state, _ = push(state, batch([report(feed="good", observed=NOON_US + S)]), now_us=NOON_US + S)
    state, quiet = push(state, EMPTY, now_us=NOON_US + L + POLICY.hold_us)
    state, released = push(state, EMPTY, now_us=NOON_US + L + POLICY.hold_us + 2 * S)
    assert (len(quiet.ready), len(released.ready)) == (0, 2)


def test_a_feed_that_was_never_heard_holds_until_its_time_is_up_and_no_longer() -> None:
    state = Reorder(feeds={"good": POLICY, "never": POLICY}, other=POLICY)
    state, _ = push(state, batch([report(feed="good")]), now_us=NOON_US)
    state, held = push(state, EMPTY, now_us=NOON_US + L)
    state, released = push(state, EMPTY, now_us=NOON_US + L + POLICY.hold_us + 1)
    assert (len(held.ready), len(released.ready)) == (0, 1)


def test_the_watermark_never_goes_back_not_even_when_the_clock_does() -> None:
    state = Reorder(feeds={}, other=POLICY)
    state, _ = push(state, batch([report()]), now_us=NOON_US)
    before = state.watermark_us
    state, _ = push(state, EMPTY, now_us=NOON_US - 3_600 * S)
    assert state.watermark_us == before


def test_every_report_comes_out_once() -> None:
    rng = random.Random(7)
    rows = [report(track_id=f"dev:{k}", observed=NOON_US + rng.randint(-200, 200) * S) for k in range(200)]
    state = Reorder(feeds={"zoo": POLICY}, other=POLICY)
    out: list[ReportBatch] = []
    for k in range(0, 200, 9):
        state, released = push(state, batch(rows[k : k + 9]), now_us=NOON_US + k * S)
        out += [released.ready, released.late, released.ahead]
    state, released = flush(state)
    names = concat([*out, released.ready])
    assert sorted(names.tracks[k] for k in names.track) == sorted(row["track_id"] for row in rows)
