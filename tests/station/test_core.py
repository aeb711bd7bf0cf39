"""The core is a function: the same inputs decide the same, restarted or replayed, and every report is counted."""

from __future__ import annotations

import numpy as np
import pytest
from tests.station.walks import FEEDS, SECOND, START, arrivals, run, script, terms, walk

from tocsin.station.core.counters import AHEAD
from tocsin.station.core.inputs import Inputs, dump_rest, load_inputs, of_deliveries
from tocsin.station.core.state import State, begin
from tocsin.station.core.step import tick
from tocsin.station.durable.snapshot import dump_state, load_state
from tocsin.tracks.feeds.feed import Delivery
from tocsin.tracks.packed import dump_batch
from tocsin.tracks.quality import Reject, RejectReason
from tocsin.watch.event import Standing
from tocsin.watch.replay import replay


def test_a_restart_from_any_snapshot_and_kept_inputs_decides_the_same() -> None:
    rng = np.random.default_rng(5)
    deliveries = sorted(
        [*arrivals(rng, walk(rng, 150)), *arrivals(rng, walk(rng, 150, feed="g"))], key=lambda pair: pair[0]
    )
    made: list = []
    kept: list[tuple[bytes, bytes | None, int]] = []
    snapshots: dict[int, bytes] = {}
    state: State | None = None
    for inputs, now_us, version in script(deliveries, until_s=300, made=made):
        state = state or begin(version)
        state, commit = tick(state, inputs, now_us, terms=version)
        made.append(commit)
        kept.append((dump_rest(inputs), dump_batch(inputs.batch) if len(inputs.batch) else None, now_us))
        if len(made) % 17 == 0:
            snapshots[len(made)] = dump_state(state)
    assert sum(len(commit.events) for commit in made) > 20 and sum(len(commit.sends) for commit in made) > 10
    for at, dump in snapshots.items():
        again = load_state(dump)
        assert again.tick == at
        for (rest, reports, now_us), commit in zip(kept[at:], made[at:], strict=True):
            again, twin = tick(again, load_inputs(rest, reports), now_us)
            assert twin.digest() == commit.digest(), f"tick {commit.tick} after a restart at {at}"


def test_final_events_are_those_of_a_replay_whatever_the_order_of_arrival() -> None:
    reports = walk(np.random.default_rng(2), 200)
    until_us = int(reports.observed_us.max())  # an exit is known some time after it: a replay ends before the last ones
    expected = {event.as_line() for event in replay(terms().engine, reports)[0] if event.known_us < until_us}
    assert len(expected) > 5
    for seed in range(3):
        commits = run(arrivals(np.random.default_rng(seed), reports))
        told = [e for commit in commits for e in commit.events if e.standing is Standing.FINAL]
        assert {e.as_line() for e in told if e.known_us < until_us} == expected
        assert commits[-1].counters["f"]["late"] == 0 and commits[-1].counters["f"]["duplicate"] == 20


def test_every_record_is_accounted_for() -> None:
    rng = np.random.default_rng(3)
    reports = walk(rng, 60)
    state, _ = tick(begin(version := terms()), Inputs(agreement=version.written, started=FEEDS), START, terms=version)
    reject = Reject(file="f", line=1, reason=RejectReason.NO_TIME)

    def deliver(batch, now_s, *, rejects=(), shed=0):
        nonlocal state
        read = len(batch) + len(rejects) + shed
        delivery = Delivery(feed="f", batch=batch, rejects=rejects, read=read, position=None, shed=shed)
        taken, rest = of_deliveries([delivery])
        state, commit = tick(state, Inputs(batch=taken, delivered=rest), START + now_s * SECOND)
        return commit.counters["f"]

    deliver(reports.take(slice(0, 30)), 30, rejects=(reject, reject), shed=4)
    deliver(reports.take(slice(10, 30)), 31)
    counts = deliver(reports.take(slice(59, 60)), 31)  # observed 28 s ahead of the clock
    assert counts["rejected"] == {"no_time": 2, AHEAD: 1} and counts["shed"] == 4
    deliver(reports.take(slice(30, 59)), 600)
    counts = deliver(reports.take(slice(0, 1)), 601)
    assert counts["late"] == 1 and counts["duplicate"] == 20 and counts["pending"] == 0
    assert counts["received"] == 30 + 2 + 4 + 20 + 1 + 29 + 1
    assert counts["received"] == counts["accepted"] + 3 + counts["shed"] + counts["duplicate"]
    assert counts["accepted"] == counts["applied"] + counts["late"] + counts["pending"] == 60
    assert len(state.late) == 1, "somebody is to look at it"


def test_a_silent_feed_is_told_once_and_heard_again() -> None:
    state, _ = tick(begin(v := terms()), Inputs(agreement=v.written, started=FEEDS), START, terms=v)
    told: list[tuple[str, str]] = []
    for now_s in range(10, 300, 10):
        state, commit = tick(state, Inputs(), START + now_s * SECOND)
        told += [(fact["what"], fact["about"]) for fact in commit.facts]
    assert told == [("silent", "f"), ("silent", "g")]
    batch, rest = of_deliveries(
        [Delivery(feed="g", batch=walk(np.random.default_rng(1), 1, feed="g"), rejects=(), read=1, position=None)]
    )
    _, commit = tick(state, Inputs(batch=batch, delivered=rest), START + 300 * SECOND)
    assert [(fact["what"], fact["about"]) for fact in commit.facts] == [("heard_again", "g")]


def test_time_does_not_run_backwards() -> None:
    state, _ = tick(begin(version := terms()), Inputs(agreement=version.written), START, terms=version)
    with pytest.raises(ValueError, match="expected none before"):
        tick(state, Inputs(), START - 1)
