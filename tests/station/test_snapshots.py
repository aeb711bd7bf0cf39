"""Snapshots: a start that had much to do again leaves the next one little, however the reports had waited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.station.walks import FEEDS, SECOND, START, terms, walk

from tocsin.errors import StoreError
from tocsin.station.core.inputs import Inputs, of_deliveries
from tocsin.station.core.state import State, begin
from tocsin.station.core.step import tick
from tocsin.station.durable import snapshots as module
from tocsin.station.durable.rows import Chores, read_newest, take_up, write_of
from tocsin.station.durable.snapshot import FORMAT, dump_state, write_snapshot
from tocsin.station.durable.snapshots import Snapshots
from tocsin.store.connect import sqlite_url
from tocsin.store.store import Store
from tocsin.tracks.feeds.feed import Delivery

TERMS = terms()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(sqlite_url(tmp_path / "a.db"))
    yield opened
    opened.close()


def lived(folder: Path, store: Store, *, settles: bool) -> State:
    """Let a station take 300 reports, take a snapshot while they wait, and go on until they are settled, or not."""
    state, commit = tick(begin(TERMS), Inputs(agreement=TERMS.written, started=FEEDS), START, terms=TERMS)
    store.write(write_of(commit, Inputs(agreement=TERMS.written, started=FEEDS), clock=b""))
    reports = walk(np.random.default_rng(1), 300)
    batch, delivered = of_deliveries([Delivery(feed="f", batch=reports, rejects=(), read=300, position=None)])
    now_us = int(reports.observed_us.max())
    state, commit = tick(state, Inputs(batch=batch, delivered=delivered), now_us)
    store.write(write_of(commit, Inputs(batch=batch, delivered=delivered), clock=b""))
    snapshot = (state.tick, *write_snapshot(folder, state.tick, dump_state(state)))
    for number in range(1, 3):
        state, commit = tick(state, Inputs(), now_us + number * (1_000 * SECOND if settles else SECOND))
        store.write(write_of(commit, Inputs(), clock=b"", chores=Chores(snapshot=snapshot if number == 1 else None)))
    return state


@pytest.mark.parametrize("settles", [False, True])
def test_what_a_start_settled_again_the_next_one_need_not(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, *, settles: bool
) -> None:
    monkeypatch.setattr(module, "REPLAYED", 100)
    was = lived(tmp_path, store, settles=settles)
    state, replayed = take_up(store, tmp_path)
    assert state is not None and state.counts == was.counts
    assert (replayed >= 100) is settles, "the ticks after the snapshot brought no report: they settled some, or not"
    snapshots = Snapshots(tmp_path, store, replayed=replayed)
    snapshots.take(state)
    snapshots.close()
    named, _ = snapshots.done()
    assert (named is not None) is settles
    if named is not None:
        assert named[0] == state.tick


def test_ticks_are_counted_from_the_snapshot_and_not_from_the_start(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(tmp_path, store, settles=False)
    state, replayed = take_up(store, tmp_path)
    assert state is not None
    monkeypatch.setattr(module, "EVERY_TICKS", 2)
    snapshots = Snapshots(tmp_path, store, replayed=replayed)
    snapshots.take(state)
    snapshots.close()
    assert snapshots.done()[0] is not None


def test_one_that_is_read_ahead_is_passed_over_if_it_is_damaged(tmp_path: Path, store: Store) -> None:
    assert read_newest(store, tmp_path) is None
    was = lived(tmp_path, store, settles=False)
    again = []
    for damaged in (False, True):
        if damaged:
            (file,) = (tmp_path / "snapshot").glob("*.bin")
            file.write_bytes(file.read_bytes()[:-1] + b"?")
        newest = read_newest(store, tmp_path)
        assert newest is not None and (newest.result() is None) is damaged
        state, replayed = take_up(store, tmp_path, newest=newest)
        assert state is not None and state.counts == was.counts
        again.append(replayed)
    assert again[0] < again[1], "from the snapshot, and from the first tick"


def test_a_snapshot_of_another_version_is_said_to_be_one(tmp_path: Path, store: Store) -> None:
    state = lived(tmp_path, store, settles=False)
    other = dump_state(state).replace(b"\xa6format" + bytes([FORMAT]), b"\xa6format" + bytes([FORMAT + 1]), 1)
    _, commit = tick(state, Inputs(), state.now_us + 1)
    named = (commit.tick, *write_snapshot(tmp_path, commit.tick, other))
    store.write(write_of(commit, Inputs(), clock=b"", chores=Chores(snapshot=named)))
    with pytest.raises(StoreError, match=f"format {FORMAT + 1}, expected {FORMAT}"):
        take_up(store, tmp_path)


def test_one_is_taken_when_reports_have_come_and_no_more_come(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUIET_REPORTS", 100)
    state, _ = tick(begin(TERMS), Inputs(agreement=TERMS.written, started=FEEDS), START, terms=TERMS)
    snapshots = Snapshots(tmp_path, store)
    snapshots.take(state)
    reports = walk(np.random.default_rng(1), 300)
    batch, delivered = of_deliveries([Delivery(feed="f", batch=reports, rejects=(), read=300, position=None)])
    came_us = int(reports.observed_us.max())
    for at_us, inputs in (
        (came_us, Inputs(batch=batch, delivered=delivered)),
        (came_us + SECOND // 2, Inputs()),
        (came_us + module.QUIET_US, Inputs()),
        (came_us + 3 * module.QUIET_US, Inputs()),
    ):
        state, _ = tick(state, inputs, at_us)
        snapshots.take(state)
    snapshots.close()
    named, _ = snapshots.done()
    assert named is not None and named[0] == state.tick - 1, "when a second had passed without a report, and then once"
