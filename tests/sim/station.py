"""A whole station in virtual time: core, store, snapshots, record, its keeper's requests, archive and looks back.

All of them are the station's own, in a folder of their own; only their threads are not: the world calls each when its
time comes, and may end the process at any call to the disk. What a crash takes is the `Process`; what must hold of the
folder is `ledger.py`'s.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.keeper import Keeper
from tests.sim.disk import Disk, Inline
from tests.sim.ledger import Ledger
from tests.sim.machines import NewVersion, Step
from tests.sim.traffic import terms_of, traffic
from tests.station.walks import FEEDS, START
from tests.warn.stories import S

from tocsin.agreement.terms.state import given
from tocsin.station.core.health import HealthNote
from tocsin.station.core.inputs import (
    Corrected,
    Inputs,
    Kept,
    Saying,
    dump_rest,
    load_inputs,
    of_deliveries,
)
from tocsin.station.core.state import Commit, State, begin
from tocsin.station.core.step import tick
from tocsin.station.core.terms import Terms
from tocsin.station.durable.rows import Chores, take_up, write_of
from tocsin.station.durable.snapshots import Snapshots
from tocsin.station.past.archive import Archivist
from tocsin.station.past.journal import Ahead
from tocsin.station.past.lookback import Lookback
from tocsin.station.publish import publisher as publishing
from tocsin.station.publish.publisher import Publisher
from tocsin.store.connect import sqlite_url
from tocsin.store.store import Store
from tocsin.tracks.feeds.feed import Delivery
from tocsin.tracks.packed import dump_batch
from tocsin.warn.docket import Docket
from tocsin.warn.inputs import Answer, Muting, Reported


@cache
def empty_store() -> bytes:
    """Return the file of a store in which nothing has happened: its tables take longer than a run's ticks."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "station.db"
        Store(sqlite_url(path)).close()
        return path.read_bytes()


class Process:
    """What a crash takes: everything that a station holds in its memory.

    Parameters
    ----------
    folder : Path
    machine : StationMachine
        Takes what the parts have to say.
    """

    def __init__(self, folder: Path, machine: StationMachine) -> None:
        self._closing = ExitStack()
        try:
            self.store = Store(sqlite_url(folder / "station.db"))
            self._closing.callback(self.store.close)
            self.state: State | None
            self.state, replayed = take_up(self.store, folder, known=machine.compiled.values())
            self.kept: list[Kept] = []
            terms = self.state.terms if self.state else machine.first
            self.publisher = Publisher(
                folder, self.store, terms=terms, clock=machine, note=machine.note, keep=self.kept.append
            )
            self._closing.callback(self.publisher._log.close)
            self.publisher.check(self.state.entry_count if self.state else 0)
            self.lookback = Lookback(self.store, folder, correct=_nobody, note=machine.note)
            self.snapshots, self.archivist = (
                Snapshots(folder, self.store, replayed=replayed),
                Archivist(folder, self.store),
            )
            self.snapshots._thread = self.archivist._thread = Inline()
        except BaseException:
            self._closing.close()
            raise

    def close(self) -> None:
        """Let go of the folder, as the end of a process does."""
        self._closing.close()


class StationMachine:
    """A station; implements `machines.Machine`."""

    start_us = START
    lost: tuple[type, ...] = (Reported, Corrected, Kept)

    def __init__(self) -> None:
        base = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self.whole = Path(tempfile.mkdtemp(prefix="tocsin-sim-", dir=base))
        weakref.finalize(self, shutil.rmtree, self.whole, ignore_errors=True)
        self.folder = self.whole / "data"
        self.folder.mkdir()
        (self.folder / "station.db").write_bytes(empty_store())
        self.first = terms_of(1, 0)
        self.compiled = {self.first.written: self.first}
        self.time_us = START - 3_600 * S
        self.commit: Commit | None = None

    def meet(self, seed: int) -> None:
        self._disk = Disk(seed)
        self.keeper = Keeper(self.folder)
        self.ledger = Ledger(self.folder, self.first)
        with self.running():
            self.process = Process(self.folder, self)
            self.keeper.begin(self.process.publisher.log_key)

    @contextmanager
    def running(self) -> Iterator[None]:
        with self._disk.running(), patch.object(publishing, "monotonic_us", self.now_us):
            yield

    def die_after(self, calls: int | None) -> None:
        self._disk.left = calls

    def now_us(self) -> int:
        return self.time_us

    def note(self, note: HealthNote) -> None:
        """Nothing can befall the parts of this station that they would have to tell."""
        raise AssertionError(f"{note.kind} {note.about}: {note.detail}")

    @property
    def state(self) -> State:
        state = self.process.state
        assert state is not None
        return state

    @property
    def docket(self) -> Docket:
        return self.process.state.docket if self.process.state else Docket()

    @property
    def is_delicate(self) -> bool:
        """True while something is on the disk that the store does not name yet."""
        process = self.process
        return bool(process.archivist._under_way or process.snapshots._under_way or process.kept)

    # --- ticks -----------------------------------------------------------------------------------------------------

    def pack(self, arrived: list[Any], *, is_start: bool) -> Any:
        batch, rest = of_deliveries([item for item in arrived if isinstance(item, Delivery)])
        versions = [item for item in arrived if isinstance(item, NewVersion)]
        written = self.compiled_of(versions[-1]).written if versions else None
        inputs = Inputs(
            batch=batch,
            delivered=rest,
            answers=tuple(item for item in arrived if isinstance(item, Answer)),
            mutes=tuple(item for item in arrived if isinstance(item, Muting)),
            outcomes=tuple(item for item in arrived if isinstance(item, Reported)),
            sayings=tuple(item for item in arrived if isinstance(item, Saying)),
            corrected=tuple(item for item in arrived if isinstance(item, Corrected)),
            kept=tuple(item for item in arrived if isinstance(item, Kept)),
            agreement=written if self.process.state else self.first.written,
            started=FEEDS if is_start else None,
            log_key=self.process.publisher.log_key if is_start else "",
        )
        return dump_rest(inputs), dump_batch(batch) if len(batch) else None

    def step(self, packed: Any, now_us: int) -> Step:
        """Decide a tick, and what else its transaction is to keep."""
        process = self.process
        inputs = load_inputs(*packed)
        self.time_us = now_us
        terms = self.compiled[inputs.agreement] if inputs.agreement else None
        process.state, commit = tick(process.state or begin(self.first), inputs, now_us, terms=terms)
        snapshot, forgotten = process.snapshots.done()
        record = given(process.state.terms.agreement.record)
        self.task = process.archivist.step(
            now_us, ahead=Ahead.of(process.state.live.order), keep_for_s=given(record.keep_for_s) if record else None
        )
        chores = Chores(recorded=process.publisher.size, snapshot=snapshot, forgotten=forgotten, archive=self.task)
        self.write = write_of(commit, inputs, clock=b"", chores=chores)
        self.commit = commit
        return Step(
            facts=commit.facts,
            sends=commit.sends,
            answered=commit.answered,
            digest=commit.digest(),
            changed=[case.case_id for case in commit.cases],
        )

    def durable(self, packed: Any, step: Step, now_us: int) -> None:
        process, commit = self.process, self.commit
        assert commit is not None
        process.store.write(self.write)
        self.ledger.after(commit, load_inputs(*packed), self.task, self.state, process.store)
        process.publisher.want(commit.first_entry + len(commit.entries))
        process.lookback.committed(commit, self.state)
        process.snapshots.take(self.state)

    def recover(self) -> None:
        self.process.close()
        self.process = Process(self.folder, self)
        state = self.process.state
        assert (state.tick if state else 0) == self.ledger.tick, "a restart has every durable tick, and no other"
        self.keeper.check()

    def looked_back(self, rng: random.Random) -> list[Any]:
        """Return what the thread beside would have handed over by now."""
        lookback, kept = self.process.lookback, list(self.process.kept)
        self.process.kept.clear()
        if lookback._job is None or rng.random() < 0.5:
            return kept
        job, lookback._job = lookback._job, None
        found = lookback._found(job)
        assert found is not None
        return [*kept, found]

    # --- beside them -----------------------------------------------------------------------------------------------

    def aside(self, what: str, rng: random.Random) -> None:
        """Let the keeper ask for something, or the publisher do its work."""
        if what == "ask":
            log = self.process.publisher._log
            self.keeper.ask(rng, vkey=str(log.vkey), size=log.size)
            return
        publisher = self.process.publisher
        publisher.turn(publisher._wanted)
        self.keeper.collect(rng)

    def at_the_end(self) -> None:
        """Everything asked is done, everything is where it belongs, and what is final is what all reports tell (P2)."""
        publisher = self.process.publisher
        publisher.turn(self.state.entry_count, is_last=True)
        self.keeper.at_the_end(entry_count=self.state.entry_count)
        assert publisher.size == self.state.entry_count
        self.root = publisher._log.published.root
        assert not len(self.state.late), "every late report was looked at"
        self.ledger.at_the_end(self.state, self.process.store)
        self.recover()
        self.process.close()
        shutil.rmtree(self.whole)

    # --- what drives it --------------------------------------------------------------------------------------------

    def compiled_of(self, version: NewVersion) -> Terms:
        """Return the terms of a version that comes into force, the text of which is its own in each run."""
        terms = terms_of(*divmod(version.version, 10))
        self.compiled[terms.written] = terms
        return terms

    def traffic(self, rng: random.Random, hours: float, faults: frozenset[str]) -> Iterator[tuple[int, Any]]:
        """Yield what happens to it."""
        return traffic(rng, hours, faults)


def _nobody(corrected: Corrected) -> None:
    raise AssertionError("nobody runs the thread")
