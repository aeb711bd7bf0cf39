"""Late reports of a live station: in the end what is told as final is what a replay of all reports tells (P2)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from tests.station.walks import SECOND, START, terms, walk
from tests.store.postgres import DATABASES, database

from tocsin.station.durable.room import Room
from tocsin.station.durable.rows import restore
from tocsin.station.durable.ticker import Ticker
from tocsin.station.durable.timing import StationClock
from tocsin.station.export import export_events
from tocsin.station.past.lookback import Lookback
from tocsin.store.store import Store
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.feeds.feed import Delivery
from tocsin.tracks.order import FeedPolicy, canonical
from tocsin.warn.states import CaseState, Purpose
from tocsin.watch.corrections import amendments, final_events
from tocsin.watch.event import Event, Revision, Standing

TERMS = terms()
POLICY = FeedPolicy(lateness_us=60 * SECOND, hold_us=10**9 * SECOND)
"""The reports alone move the watermark, and no moment at which a tick happens to come."""


class SetClock(StationClock):
    """A clock that the test sets."""

    at_us = START + 200 * SECOND

    def now_us(self) -> int:
        return self.at_us


@dataclass
class Stage:
    folder: Path
    store: Store
    ticker: Ticker
    clock: SetClock
    lookback: Lookback
    events: list[Event] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)

    def deliver(self, batch: ReportBatch) -> None:
        delivery = Delivery(feed="f", batch=batch, rejects=(), read=len(batch), position=None)
        self.ticker.deliver(delivery).result(timeout=60)

    def until(self, is_so: Callable[[], object]) -> None:
        for _ in range(6_000):
            if is_so():
                return
            time.sleep(0.005)
        raise AssertionError(f"it never came to that; {self.noted}")

    def settled(self) -> bool:
        """Return True once everything late is looked at, and nothing that is told of it waits for another look."""
        state, lookback = self.ticker.state, self.lookback
        due = lookback._again.due(state.doubted, watermark_us=state.live.order.watermark_us)
        return not len(state.late) and not lookback._busy and not due


@pytest.fixture(params=["sqlite"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    with database(request.param, tmp_path) as url:
        yield from staged(tmp_path, Store(url))


def staged(tmp_path: Path, store: Store) -> Iterator[Stage]:
    clock = SetClock(None)
    ticker = Ticker(store, None, clock=clock, room=Room(tmp_path))
    ticker.send = lambda _: None
    noted: list[str] = []
    lookback = Lookback(store, tmp_path, correct=ticker.correct, note=lambda note: noted.append(note.detail))
    made = Stage(tmp_path, store, ticker, clock, lookback, noted=noted)
    ticker.on_commit.append(lambda commit: made.events.extend(commit.events))
    ticker.on_commit.append(lambda commit: lookback.committed(commit, ticker.state))
    ticker.start(TERMS, {"f": POLICY}, [], log_key="")
    lookback.start()
    yield made
    lookback.stop()
    if ticker.is_running:
        ticker.stop()
    store.close()


@pytest.mark.parametrize("stage", DATABASES, indirect=True)
def test_what_is_final_in_the_end_is_what_a_replay_of_all_reports_tells(stage: Stage) -> None:
    reports = walk(np.random.default_rng(4), 400)
    seen = np.arange(400)
    withheld = (seen < 130) & (np.random.default_rng(1).random(400) < 0.5)
    stage.deliver(reports.take((seen < 200) & ~withheld))
    told = len([e for e in stage.events if e.standing is Standing.FINAL])
    stage.deliver(reports.take(withheld))
    again = reports.take((seen < 50) & ~withheld)
    stage.deliver(again)
    stage.until(stage.settled)
    revisions = {e.revision for e in stage.events[told:] if e.standing is Standing.FINAL}
    assert revisions >= {Revision.OPENED, Revision.WITHDRAWN} and not stage.noted
    counts = stage.ticker.counters["f"]
    assert (counts["late"], counts["duplicate"]) == (int(withheld.sum()), len(again))
    stage.clock.at_us = START + 400 * SECOND
    stage.deliver(reports.take(seen >= 200))
    stage.until(stage.settled)
    stage.ticker.stop()
    watermark_us = stage.ticker.state.live.order.watermark_us
    assert watermark_us == int(reports.observed_us.max()) - 60 * SECOND
    before = reports.take(reports.observed_us < watermark_us)
    expected = final_events(TERMS.engine, before.take(canonical(before).keep), watermark_us=watermark_us)
    with stage.store.reader() as connection:
        stands = [Event.from_json(json.loads(line)) for line in export_events(connection, is_final=True)]
    assert len(expected) > 8 and amendments(stands, expected) == []
    opened = {case.case_id for case in stage.ticker.state.docket.cases.values()}
    assert opened and stage.ticker.state.doubted
    restored = restore(stage.store, stage.folder)
    assert restored.doubted == stage.ticker.state.doubted and not len(restored.late)


def test_a_case_hears_that_what_it_was_told_is_not_so(stage: Stage) -> None:
    reports = walk(np.random.default_rng(4), 200, tracks=1)
    reports.lat_deg[:], reports.lon_deg[:] = 55.0, np.where(np.arange(200) < 50, 9.9, 10.1)
    around = reports.take(slice(46, 54))
    around.lat_deg[:] = 55.2  # it went round the ring, not through it
    stage.deliver(reports.take(np.r_[0:46, 54:200]))
    (case,) = stage.ticker.state.docket.cases.values()
    stage.deliver(around)
    stage.until(stage.settled)
    final = [(str(e.kind), e.revision) for e in stage.events if e.standing is Standing.FINAL]
    assert final == [("crossing", Revision.OPENED), ("crossing", Revision.WITHDRAWN)]
    case = stage.ticker.state.docket.cases[case.case_id]
    assert case.state is CaseState.STANDING_DOWN and Purpose.CORRECTION in {
        message.purpose for message in case.messages
    }


def test_a_report_that_is_a_week_late_is_counted_and_nothing_is_read_for_it(stage: Stage) -> None:
    reports = walk(np.random.default_rng(4), 200)
    stage.deliver(reports)
    old = reports.take(slice(0, 3))
    old.observed_us[:] -= 8 * 86_400 * SECOND
    stage.deliver(old)
    stage.until(stage.settled)
    assert stage.ticker.counters["f"]["late"] == 3 and not stage.ticker.state.doubted and not stage.noted
