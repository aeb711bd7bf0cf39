"""A station's writes as one plain sequence, to be cut at any of them: what a child does, and what must be true after.

The same parts as in `tocsin run` (core, store, snapshots, publisher), called one after the other in one thread, so that
the n-th write of two runs is the same write. Times, reports and what is drawn at random are a script, and syncs that
are asked for side by side are made one after another. The child's progress is in shared memory, since a pipe would be
one more write.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import random
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import numpy as np
from tests.station.noted import NOTED, TERMS, movement, said
from tests.station.walks import FEEDS, SECOND, START, arrivals, walk

from tocsin.errors import TocsinError
from tocsin.record.files import make_folder, replace_file
from tocsin.record.keyfiles import overlapping
from tocsin.record.keys import load_key
from tocsin.record.log import RECORD
from tocsin.record.rotation import RotationReason
from tocsin.record.verifier.entitled import entries_in
from tocsin.record.verifier.keychain import HANDOVER
from tocsin.record.verifier.pack import verify_pack
from tocsin.record.verifier.verify import verify_folder
from tocsin.station.core.inputs import Corrected, Inputs, Kept, of_deliveries
from tocsin.station.core.state import begin
from tocsin.station.core.step import tick
from tocsin.station.core.terms import compile_terms
from tocsin.station.durable.rows import Chores, restore, write_of
from tocsin.station.durable.snapshots import Snapshots
from tocsin.station.durable.timing import StationClock
from tocsin.station.past.archive import LOOK_EVERY_US, Archivist
from tocsin.station.past.journal import Ahead, reports_of
from tocsin.station.past.lookback import Lookback
from tocsin.station.publish import requests
from tocsin.station.publish.publisher import Publisher
from tocsin.store import schema
from tocsin.store.connect import sqlite_url
from tocsin.store.store import Store
from tocsin.tracks.feeds.feed import Delivery
from tocsin.warn.inputs import Reported, Send
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Outcome

SNAPSHOT_EVERY = 8
PUBLISH_EVERY = 5
LATER_US = START + 3_700 * SECOND
"""When the hour of the script goes into the archive."""

MOST_LATER = 60
"""Ticks that this may take."""

AHEAD = Ahead(by_feed={}, other_us=2**60)
"""Nothing comes from the future."""

REFUSED = 3
"""Exit code of a child that stopped by itself, by an error of ours."""
FAILED = 70
"""By any other."""


def script() -> list[tuple[int, Delivery]]:
    """Return what a run is given: some twenty deliveries of vessels that cross the ring."""
    made = arrivals(np.random.default_rng(11), walk(np.random.default_rng(11), 120), late_s=90)
    return [
        (at_us, Delivery(feed="f", batch=one.batch, rejects=(), read=one.read, position=str(number)))
        for number, (at_us, one) in enumerate(made, start=1)
    ]


SCRIPT = script()


SAYINGS = {
    2: (movement("F-0", "dev:f0", 0, 1, 90),),
    5: (said("receipt", 20, notice="F-0", receipt="received", by="officer", of="watch"),),
    9: (movement("F-1", "dev:f1", 40, 110, 200), said("notice", 40, reference="C-0", act="cancel", replaces="F-0")),
}
"""What parties say with some of the deliveries."""

PACK = "pack"
"""Where the pack goes, inside the data folder."""

ASKED: dict[int, Callable[[Path, str], requests.Request]] = {
    4: lambda _, key: requests.Rotate(old=key, reason=RotationReason.PLANNED),
    10: lambda *_: requests.Disclose(
        to="watch", entries=(0, 1, 5), keeper="authority", reason="asked", out=PACK, grant="by decision 7"
    ),
    13: lambda folder, _: requests.EndOverlap(old=_old_key(folder)),
}
"""What the record's keeper asks for before some of them, of a folder and its log's key."""


def _old_key(folder: Path) -> str:
    """Return the key whose overlap is to end, or has: the keeper who is refused asks for the same again."""
    aside = [load_key(path).vkey for path in (folder / "keys").glob("log.retired-*.key")]
    return str(overlapping(folder) or next(iter(aside), ""))


class InTurn:
    """What calls in other threads, calling one after another here."""

    def __init__(self, _: int, thread_name_prefix: str = "") -> None: ...

    def __enter__(self) -> InTurn:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, call: Callable[[Any], object], given: list[Any]) -> Iterator[object]:
        return map(call, given)

    def submit(self, call: Callable[..., Any], *given: Any) -> Future[Any]:
        made: Future[Any] = Future()
        try:
            made.set_result(call(*given))
        except Exception as error:
            made.set_exception(error)
        return made

    def shutdown(self, *, wait: bool) -> None: ...


@contextlib.contextmanager
def settled(folder: Path) -> Iterator[None]:
    """Let a run depend on nothing but its script and its folder: keys, salts and names, seconds, the order of syncs."""
    drawn = random.Random(sum(1 for _ in folder.rglob("*")))  # a name that was drawn before a cut is not drawn again
    with (
        patch("secrets.token_bytes", drawn.randbytes),
        patch("secrets.token_hex", lambda n: drawn.randbytes(n).hex()),
        patch("tocsin.station.publish.publisher.monotonic_us", lambda: 0),
        patch("tocsin.record.files.ThreadPoolExecutor", InTurn),
        patch("tocsin.station.past.archive.ThreadPoolExecutor", InTurn),
        patch("tocsin.station.durable.snapshots.ThreadPoolExecutor", InTurn),
        patch("tocsin.station.durable.snapshots.EVERY_TICKS", SNAPSHOT_EVERY),
    ):
        yield


def run(folder: Path, acknowledged: mmap.mmap) -> None:
    """Go through what is left of the script; `acknowledged` holds the number of the last durable delivery."""
    with settled(folder), contextlib.chdir(folder):
        station = _Station(folder)
        for number, (at_us, delivery) in enumerate(SCRIPT[station.done :], start=station.done + 1):
            if (found := station.looked_back()) is not None:
                station.step(Inputs(corrected=(found,)), station.state.now_us)
            if number in ASKED:
                station.ask(number)
            batch, rest = of_deliveries([delivery])
            station.step(Inputs(batch=batch, delivered=rest, sayings=SAYINGS.get(number, ())), at_us)
            acknowledged[:4] = number.to_bytes(4, "big")
            os.access(f"/acknowledged/{number}", os.F_OK)  # there is none: a trace tells that it was asked for
        for minute in range(MOST_LATER):
            for number in ASKED:
                station.ask(number)
            if station.has_ended():
                break
            station.step(Inputs(), LATER_US + minute * LOOK_EVERY_US)
        assert station.has_ended()
        station.close()


class _Station:
    """The parts of a station on a folder, and what it remembers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = Store(sqlite_url(folder / "station.db"))
        state = restore(self._store, folder)
        self._kept: list[Kept] = []
        self._publisher = Publisher(
            folder, self._store, terms=TERMS, clock=_Clock(None), note=_note, keep=self._kept.append
        )
        self._publisher.check(state.entry_count if state else 0)
        self._snapshots = Snapshots(folder, self._store)
        self._archivist = Archivist(folder, self._store)
        self._lookback = Lookback(self._store, folder, correct=_note, note=_note)
        self._sends: Sequence[Send] = ()
        self.state = state or begin(TERMS)
        self.done = int(self.state.positions.get("f", "0"))
        opening = Inputs(agreement=NOTED if state is None else None, started=FEEDS, log_key=self._publisher.log_key)
        self.step(opening, max(self.state.now_us, START - SECOND))

    def step(self, inputs: Inputs, at_us: int) -> None:
        """Take a tick with what came of the attempts of the last one, and do all that follows from it."""
        kept, self._kept[:] = tuple(self._kept), []
        inputs = msgspec.structs.replace(inputs, outcomes=tuple(map(_outcome, self._sends)), kept=kept)
        terms = compile_terms(inputs.agreement) if inputs.agreement else None
        self.state, commit = tick(self.state, inputs, max(at_us, self.state.now_us), terms=terms)
        self._sends = commit.sends
        snapshot, forgotten = self._snapshots.done()
        archive = self._archivist.step(commit.at_us, ahead=AHEAD, keep_for_s=None)
        if archive.ticks is not None and archive.ticks[0] == 1:
            last = again(self._store)[0]
            assert last == commit.tick - 1, f"decided again up to {last}, before {commit.tick}"
        chores = Chores(recorded=self._publisher.size, snapshot=snapshot, forgotten=forgotten, archive=archive)
        self._store.write(write_of(commit, inputs, clock=b"", chores=chores))
        self._snapshots.take(self.state)
        self._lookback.committed(commit, self.state)
        self._publisher._append(self.state.entry_count)
        self._publisher._asked.look()
        if self.state.tick % PUBLISH_EVERY == 0:
            self._publisher._log.publish()

    def looked_back(self) -> Corrected | None:
        """Return what late reports change; the thread's work, without the thread."""
        job, self._lookback._job = self._lookback._job, None
        return None if job is None else self._lookback._found(job)

    def ask(self, number: int) -> None:
        """Put a request of the keeper into the folder, unless it is there or was carried out; if it failed, again."""
        path = self._folder / requests.FOLDER / f"{number:020}{requests.ASKED}"
        ended = path.with_suffix(requests.ENDED)
        if path.exists() or (ended.exists() and "error" not in json.loads(ended.read_bytes())):
            return
        ended.unlink(missing_ok=True)
        make_folder(path.parent)
        request = ASKED[number](self._folder, self._publisher.log_key)
        replace_file(path, msgspec.json.encode(request), mode=0o600)

    def has_ended(self) -> bool:
        """Return True once every request is carried out, and the hour is in the archive and nowhere else."""
        archived = [row["last_tick"] for row in self._store.rows(schema.archive)]
        return bool(archived) and self._archivist._oldest_tick() > max(archived) and not requests.waiting(self._folder)

    def close(self) -> None:
        """Publish what is committed, and close everything."""
        self._publisher._append(self.state.entry_count)
        self._publisher._log.publish()
        self._publisher.stop()
        self._store.close()


def _outcome(send: Send) -> Reported:
    outcome = Outcome(state=MessageState.HANDED_OVER, transport="test")
    return Reported(message_id=send.message.message_id, number=send.number, outcome=outcome)


def _note(note: object) -> None:
    """The publisher's notes are for a ticker, and there is none."""


class _Clock(StationClock):
    """A clock that stands, for what the record's keeper asks for."""

    def now_us(self) -> int:
        return START


_decided: dict[bytes, tuple[int, int]] = {}
"""Of ticks that were decided again already, by their SHA-256: the last one, and how many entries they made."""


def again(store: Store) -> tuple[int, int]:
    """Decide every tick again from the first; ticks of the same bytes once only."""
    with store.reader() as connection:
        rows = connection.exec_driver_sql("SELECT tick, at_us, reports, inputs, digest FROM tick ORDER BY tick")
        key = hashlib.sha256(repr([tuple(row) for row in rows]).encode()).digest()
    if key not in _decided:
        whole = restore(store, Path("/nowhere"))
        assert whole is not None
        _decided[key] = whole.tick, whole.entry_count
    return _decided[key]


def child(folder: Path, acknowledged: mmap.mmap) -> int:
    """Run, and return the exit code."""
    try:
        run(folder, acknowledged)
    except (TocsinError, OSError) as error:
        with contextlib.suppress(OSError):
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        return REFUSED
    except Exception:  # no error of ours: a fault of the station, or of this test
        os.write(2, traceback.format_exc().encode())
        return FAILED
    return 0


def durable_of(folder: Path) -> int:
    """Return the number of the last delivery that a folder holds, as a restart finds it."""
    store = Store(sqlite_url(folder / "station.db"))
    try:
        state = restore(store, folder)
        return int(state.positions.get("f", "0")) if state else 0
    finally:
        store.close()


def outcome_of(folder: Path) -> dict[str, object]:
    """Return what a folder holds that no cut may change: its events and cases, the record whole."""
    store = Store(sqlite_url(folder / "station.db"))
    try:
        with store.reader() as connection:
            lines = [bytes(r[0]) for r in connection.exec_driver_sql("SELECT line FROM event ORDER BY seq")]
            opened = [
                bytes(r[0])
                for r in connection.exec_driver_sql("SELECT line FROM fact WHERE kind='case_opened' ORDER BY seq")
            ]
            noticed = [
                bytes(r[0])
                for r in connection.exec_driver_sql("SELECT line FROM fact WHERE kind='notice' ORDER BY seq")
            ]
        state = restore(store, folder)
        assert state is not None
        assert verify_folder(folder).checkpoint.size == state.entry_count
        assert len(store.rows(schema.log_entries)) <= state.entry_count
        pack = verify_pack(folder / PACK)
        back = reports_of(store, folder, tracks=None, from_us=0, before_us=2**62, last_tick=state.tick, ahead=AHEAD)
        held = {name: notice.as_json() for name, notice in state.noticing.register.held.items()}
        told = [json.loads(line)["told"] for line in noticed]
        ended = {one["message"]: one["outcome"] for one in told if one["fact"] == "told"}
        return {
            "events": lines,
            "opened": opened,
            "notices": held,
            "told": [one for one in told if one["fact"] != "told"],
            "ended": ended,
            "counts": state.counts["f"].as_json(),
            "at": state.positions["f"],
            "reports": sorted(zip(back.track.tolist(), back.observed_us.tolist(), back.lon_deg.tolist(), strict=True)),
            "hours": [(row["file"], row["report_count"]) for row in store.rows(schema.archive)],
            "keys": Counter(path.name.partition("-")[0] for path in (folder / "keys").glob("*.key")),
            "handovers": len(list((folder / RECORD / HANDOVER).iterdir())),
            "asked": {
                path.name: sorted(json.loads(path.read_bytes())) for path in (folder / requests.FOLDER).iterdir()
            },
            "pack": tuple(entries_in(pack.disclosure)),
        }
    finally:
        store.close()
