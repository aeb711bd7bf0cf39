"""The ticker beside a database that refuses: what is taken, what goes out, what is told, and what is durable after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from tests.station.walks import FEEDS, SECOND, START, terms, walk

from tocsin.clock import Reading, reading
from tocsin.errors import LadderError, RefusedError, StoreAwayError, StoreError, StoreFullError
from tocsin.station.durable import door
from tocsin.station.durable import ticker as module
from tocsin.station.durable.room import Room
from tocsin.station.durable.rows import restore
from tocsin.station.durable.ticker import UNRECORDED, Ticker
from tocsin.station.durable.timing import StationClock
from tocsin.station.warm import warm_up
from tocsin.store import schema
from tocsin.store.connect import sqlite_url
from tocsin.store.store import Store, Write
from tocsin.tracks.feeds.feed import Delivery
from tocsin.warn.inputs import CallPerson, Muting, Send
from tocsin.warn.states import CaseState, MuteReason

TERMS = terms()


class MovingClock(StationClock):
    """The tests' own time: it begins with the reports and goes on at the usual pace."""

    def __init__(self) -> None:
        self.began = time.monotonic_ns()
        super().__init__(None)

    def now_us(self) -> int:
        return START + 200 * SECOND + (time.monotonic_ns() - self.began) // 1_000


class Refusing(Store):
    """A store that refuses writes while told to, and counts them."""

    refuse: Callable[[], Exception] | None = None

    def write(self, work: Write) -> None:
        if self.refuse is not None:
            raise self.refuse()
        super().write(work)


@dataclass
class Stage:
    folder: Path
    store: Refusing
    ticker: Ticker
    sent: list[Send | CallPerson] = field(default_factory=list)
    last_words: list[str] = field(default_factory=list)

    def deliver(self, first: int, last: int):
        batch = walk(np.random.default_rng(4), 200).take(slice(first, last))
        return self.ticker.deliver(Delivery(feed="f", batch=batch, rejects=(), read=len(batch), position=str(last)))

    def until(self, is_so: Callable[[], object]) -> None:
        for _ in range(4_000):
            if is_so():
                return
            time.sleep(0.005)
        raise AssertionError("it never came to that")


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    warm_up(TERMS)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(module, "EMERGENCY_S", 0.2)
    monkeypatch.setattr(module, "RETRY_S", 0.05)
    store = Refusing(sqlite_url(tmp_path / "a.db"))
    made = Stage(tmp_path, store, Ticker(store, None, clock=MovingClock(), room=Room(tmp_path)))
    made.ticker.send = made.sent.append
    made.ticker.last_words = made.last_words.append
    made.ticker.start(TERMS, FEEDS, [], log_key="")
    yield made
    if made.ticker.is_running:
        made.ticker.stop()
    store.close()


def test_what_is_found_wrong_stops_it_and_whoever_waits_is_told(stage: Stage) -> None:
    stage.ticker.fail("the database is damaged")
    stage.until(lambda: stage.last_words)
    assert stage.last_words == ["the database is damaged"]
    with pytest.raises(RefusedError, match="damaged"):
        stage.deliver(0, 1)


def test_what_comes_together_shares_a_tick_and_is_durable_when_told_so(stage: Stage) -> None:
    futures = [stage.deliver(n, n + 1) for n in range(100)]
    for future in futures:
        future.result(timeout=20)
    assert stage.ticker.counters["f"]["received"] == 100
    assert stage.store.last_tick()[0] < 60, "a hundred deliveries took fewer ticks"
    assert [row["position"] for row in stage.store.rows(schema.feeds)] == ["100"]


@pytest.mark.parametrize("refusal", [StoreFullError, StoreAwayError])
def test_without_a_database_ladders_go_on_marked_and_catch_up(stage: Stage, refusal: type[StoreError]) -> None:
    stage.deliver(0, 20).result(timeout=20)
    stage.store.refuse = lambda: refusal("no")
    held = stage.deliver(20, 200)
    stage.until(lambda: stage.ticker.blocked)
    with pytest.raises(RefusedError) as refused:
        stage.deliver(0, 1)
    assert refused.value.is_full is (refusal is StoreFullError)
    stage.until(lambda: any(send.message.body.startswith(UNRECORDED) for send in stage.sent))
    assert not held.done(), "nothing is acknowledged before it is durable"
    told = len(stage.sent)
    stage.store.refuse = None
    held.result(timeout=20)
    stage.until(lambda: stage.ticker.blocked is None)
    stage.deliver(0, 1).result(timeout=20)
    once = [(send.message.message_id, send.number) for send in stage.sent]
    assert len(once) == len(set(once)) >= told, "what went out in the emergency is not sent again"
    stage.ticker.stop()
    stage.store.close()
    store = Store(sqlite_url(stage.folder / "a.db"))
    state = restore(store, stage.folder)
    assert state is not None and state.counts["f"].received == 201
    store.close()


def test_a_mute_is_durable_when_told_so_and_a_refused_one_costs_nobody_else(stage: Stage) -> None:
    stage.deliver(0, 200).result(timeout=20)
    state = stage.ticker.state
    assert state is not None
    case_id = next(c.case_id for c in state.docket.cases.values() if c.state in {CaseState.AWAITING, CaseState.CALLING})
    at_us = stage.ticker.now_us()
    asked = Muting(
        at_us=at_us, who="w", party="watch", case_id=case_id, reason=MuteReason.DRILL, until_us=at_us + 600 * SECOND
    )
    lost = stage.ticker.mute(replace(asked, case_id="0" * 32))
    ended = stage.ticker.mute(replace(asked, who="x", until_us=at_us))
    muted = stage.ticker.mute(asked).result(timeout=20)
    assert (muted.case_id, muted.until_us) == (case_id, asked.until_us)
    with pytest.raises(LadderError, match="no case"):
        lost.result(timeout=20)
    assert ended.result(timeout=20).until_us >= at_us, "what ends at once is not too late by the time of its tick"
    stage.ticker.stop()
    stage.store.close()
    store = Store(sqlite_url(stage.folder / "a.db"))
    again = restore(store, stage.folder)
    assert again is not None and muted in again.docket.cases[case_id].mutes
    store.close()


def test_a_write_of_unknown_fate_ends_the_station_and_is_told(stage: Stage) -> None:
    stage.deliver(0, 20).result(timeout=20)
    stage.store.refuse = lambda: StoreError("disk I/O error (SQLITE_IOERR_FSYNC)")
    held = stage.deliver(20, 40)
    with pytest.raises(RefusedError, match="SQLITE_IOERR_FSYNC"):
        held.result(timeout=20)
    stage.until(lambda: stage.last_words)
    assert "SQLITE_IOERR_FSYNC" in stage.last_words[0]
    with pytest.raises(RefusedError, match="has stopped"):
        stage.deliver(40, 60)
    assert stage.store.last_tick()[0] == stage.ticker.committed_tick


def test_too_much_at_once_is_refused_and_not_kept(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MAX_WAITING_REPORTS", 50)
    stage.store.refuse = lambda: StoreAwayError("no")
    taken, refused = [], 0
    for n in range(0, 200, 20):
        try:
            taken.append(stage.deliver(n, n + 20))
        except RefusedError:
            refused += 1
    assert refused > 0
    stage.store.refuse = None
    for future in taken:
        future.result(timeout=20)
    assert stage.ticker.counters["f"]["received"] == 20 * len(taken)


def test_a_step_of_the_wall_clock_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = StationClock(None)
    began = clock.now_us()

    def stepped() -> Reading:
        now = reading()
        return Reading(
            wall_us=now.wall_us + 3_600 * SECOND, monotonic_us=now.monotonic_us, boot=now.boot, process=now.process
        )

    monkeypatch.setattr("tocsin.station.durable.timing.reading", stepped)
    assert clock.now_us() - began < 60 * SECOND
    assert [str(jump.kind) for jump in clock.jumps()] == ["stepped"]
