"""Hours go into files that a replay reads, and leave the store only then; a restart and a look back miss nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.station.walks import FEEDS, SECOND, START, terms, walk
from tests.store.postgres import DATABASES, database

from tocsin.errors import StoreError
from tocsin.station.core.inputs import Inputs, of_deliveries
from tocsin.station.core.state import begin
from tocsin.station.core.step import tick
from tocsin.station.durable.rows import Chores, restore, write_of
from tocsin.station.durable.snapshot import dump_state, write_snapshot
from tocsin.station.past.archive import HOUR_US, Archivist, Task
from tocsin.station.past.journal import FOLDER, Ahead, reports_of
from tocsin.store import schema
from tocsin.store.store import Store
from tocsin.tracks.archive import read_tracks
from tocsin.tracks.feeds.feed import Delivery

TERMS = terms()
MINUTES_5 = 300 * SECOND
EVERYTHING = {"tracks": None, "from_us": 0, "before_us": 2**62, "last_tick": 10**9}


class Hours:
    """A station of a tick every five minutes whose reports come for some hours."""

    def __init__(self, folder: Path, hours: int, url: str) -> None:
        self.folder = folder
        self.store = Store(url)
        self.state = begin(TERMS)
        self.archivist = Archivist(folder, self.store)
        self.step(Inputs(agreement=TERMS.written, started=FEEDS), START, terms=TERMS)
        self.reports = walk(np.random.default_rng(1), 12 * hours)
        self.reports.observed_us[:] = START + np.arange(12 * hours) * MINUTES_5
        for number in range(12 * hours):
            batch = self.reports.take(slice(number, number + 1))
            taken, rest = of_deliveries([Delivery(feed="f", batch=batch, rejects=(), read=1, position=str(number))])
            snapshot = None
            if number % 6 == 5:
                snapshot = (self.state.tick, *write_snapshot(folder, self.state.tick, dump_state(self.state)))
            self.step(Inputs(batch=taken, delivered=rest), START + (number + 1) * MINUTES_5, snapshot=snapshot)

    @property
    def ahead(self) -> Ahead:
        return Ahead.of(self.state.live.order)

    def step(self, inputs: Inputs, now_us: int, *, terms=None, snapshot=None, keep_for_s=None) -> Task:
        self.state, commit = tick(self.state, inputs, now_us, terms=terms)
        task = self.archivist.step(now_us, ahead=self.ahead, keep_for_s=keep_for_s)
        forgotten = None if snapshot is None else snapshot[0] - 6
        chores = Chores(archive=task, snapshot=snapshot, forgotten=forgotten)
        self.store.write(write_of(commit, inputs, clock=b"", chores=chores))
        if self.archivist._under_way is not None:
            self.archivist._under_way.exception()  # wait for the file
        return task

    def idle(self, ticks: int, **more) -> list[Task]:
        return [self.step(Inputs(), self.state.now_us + MINUTES_5, **more) for _ in range(ticks)]

    def held(self) -> int:
        with self.store.reader() as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM tick WHERE inputs IS NOT NULL").scalar() or 0


@pytest.fixture(scope="module", params=DATABASES)
def hours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hours]:
    folder = tmp_path_factory.mktemp("hours")
    with database(request.param, folder) as url:
        made = Hours(folder, 4, url)
        yield made
        made.archivist.close()
        made.store.close()


def test_hours_become_files_that_a_replay_reads_and_leave_the_store(hours: Hours) -> None:
    rows = hours.store.rows(schema.archive)
    assert len(rows) >= 3 and sorted(p.name for p in (hours.folder / FOLDER).iterdir()) == sorted(
        row["file"].partition("/")[2] for row in rows
    )
    hours.idle(10)
    assert hours.held() < hours.state.tick - rows[-1]["last_tick"] + 2, "their inputs are gone"
    with hours.store.reader() as connection:
        left = [row[0] for row in connection.exec_driver_sql("SELECT tick FROM tick ORDER BY tick")]
    assert left == [1, *range(rows[-1]["last_tick"] + 1, hours.state.tick + 1)], "but for the first version's beginning"
    read = read_tracks([hours.folder / row["file"] for row in rows])
    assert read.table.num_rows == sum(row["report_count"] for row in rows)
    again = restore(hours.store, hours.folder)
    assert again is not None and (again.tick, again.counts) == (hours.state.tick, hours.state.counts)
    with pytest.raises(StoreError, match="tick 1 is not held"):
        restore(hours.store, hours.folder / "nowhere")


def test_what_is_read_back_is_everything_whether_in_a_file_or_not(hours: Hours) -> None:
    back = reports_of(hours.store, hours.folder, ahead=hours.ahead, **EVERYTHING)
    assert np.array_equal(np.sort(back.observed_us), hours.reports.observed_us)
    one = reports_of(hours.store, hours.folder, ahead=hours.ahead, **EVERYTHING | {"tracks": {"dev:f1"}})
    assert len(one) == int((hours.reports.track == 1).sum()) and one.tracks == ("dev:f1",)
    path = hours.folder / hours.store.rows(schema.archive)[0]["file"]
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + b"x")
    with pytest.raises(StoreError, match="is not the file that the store names"):
        reports_of(hours.store, hours.folder, ahead=hours.ahead, **EVERYTHING)
    path.write_bytes(sound)


def test_a_file_that_a_crash_left_unnamed_is_made_again(hours: Hours) -> None:
    row = hours.store.rows(schema.archive)[0]
    stray = hours.folder / FOLDER / "2001-01-01T00Z.parquet"
    stray.write_bytes(b"half")
    hours.archivist.close()
    hours.archivist = Archivist(hours.folder, hours.store)
    assert not stray.exists() and (hours.folder / row["file"]).exists()
    batch = read_tracks([hours.folder / row["file"]]).reports
    assert len(batch) == row["report_count"]


def test_hours_older_than_they_are_kept_are_deleted_and_no_others(hours: Hours) -> None:
    before = hours.store.rows(schema.archive)
    keep_for_s = (hours.state.now_us - before[0]["hour_us"] - HOUR_US) / SECOND
    hours.idle(3, keep_for_s=keep_for_s)
    rows = hours.store.rows(schema.archive)
    assert rows == before[1:]
    hours.idle(2, keep_for_s=keep_for_s)
    assert len(list((hours.folder / FOLDER).iterdir())) == len(rows)
