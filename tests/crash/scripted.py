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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from tests.station.noted import NOTED, TERMS, movement, said
from tests.station.walks import FEEDS, SECOND, START, arrivals, walk

from tocsin.errors import TocsinError
from tocsin.record.verifier.verify import verify_folder
from tocsin.station.core.inputs import Inputs, of_deliveries
from tocsin.station.core.state import State, begin
from tocsin.station.core.step import tick
from tocsin.station.core.terms import compile_terms
from tocsin.station.durable.rows import Chores, restore, write_of
from tocsin.station.durable.snapshot import dump_state, write_snapshot
from tocsin.station.durable.timing import StationClock
from tocsin.station.past.lookback import Lookback
from tocsin.station.publish.publisher import Publisher
from tocsin.store import schema
from tocsin.store.connect import sqlite_url
from tocsin.store.store import Store
from tocsin.tracks.feeds.feed import Delivery
from tocsin.warn.inputs import Reported
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Outcome

SNAPSHOT_EVERY = 8
PUBLISH_EVERY = 5
REFUSED = 3
"""Exit code of a child that stopped by itself, by an error of ours."""


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


class InTurn:
    """What calls in several threads at once, calling one after another."""

    def __init__(self, _: int) -> None: ...

    def __enter__(self) -> InTurn:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, call: Callable[[Any], object], given: list[Any]) -> Iterator[object]:
        return map(call, given)


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """Let a run depend on nothing but its script: keys, salts and names, the log's second, the order of syncs."""
    drawn = random.Random(1)
    with (
        patch("secrets.token_bytes", drawn.randbytes),
        patch("secrets.token_hex", lambda n: drawn.randbytes(n).hex()),
        patch("tocsin.station.publish.publisher.monotonic_us", lambda: 0),
        patch("tocsin.record.files.ThreadPoolExecutor", InTurn),
    ):
        yield


@settled()
def run(folder: Path, acknowledged: mmap.mmap) -> None:
    """Go through what is left of the script; `acknowledged` holds the number of the last durable delivery."""
    _step.pending = None
    store = Store(sqlite_url(folder / "station.db"))
    state = restore(store, folder)
    publisher = Publisher(folder, store, terms=TERMS, clock=StationClock(None), note=_note, keep=_note)
    publisher.check(state.entry_count if state else 0)
    is_new = state is None
    state = state or begin(TERMS)
    done = int(state.positions.get("f", "0"))
    began_us = max(state.now_us, START - SECOND)
    opening = Inputs(agreement=NOTED if is_new else None, started=FEEDS, log_key=publisher.log_key)
    lookback = Lookback(store, folder, correct=_note, note=_note)
    state, sends = _step(store, publisher, folder, state, opening, began_us)
    for number, (at_us, delivery) in enumerate(SCRIPT[done:], start=done + 1):
        if (found := _looked_back(lookback, state)) is not None:
            inputs = Inputs(corrected=(found,), outcomes=tuple(map(_outcome, sends)))
            state, sends = _step(store, publisher, folder, state, inputs, state.now_us)
        batch, rest = of_deliveries([delivery])
        inputs = Inputs(
            batch=batch, delivered=rest, outcomes=tuple(map(_outcome, sends)), sayings=SAYINGS.get(number, ())
        )
        state, sends = _step(store, publisher, folder, state, inputs, max(at_us, state.now_us))
        acknowledged[:4] = number.to_bytes(4, "big")
        os.access(f"/acknowledged/{number}", os.F_OK)  # there is none: a trace tells that it was asked for
    publisher.want(state.entry_count)
    publisher._append(state.entry_count)
    publisher._log.publish()
    publisher.stop()
    store.close()


def _step(store: Store, publisher: Publisher, folder: Path, state: State, inputs: Inputs, now_us: int):
    terms = compile_terms(inputs.agreement) if inputs.agreement else None
    state, commit = tick(state, inputs, now_us, terms=terms)
    _step.commit = commit
    named = None
    if state.tick % SNAPSHOT_EVERY == 1 and state.tick > 1:
        named = _step.pending
        _step.pending = None
    store.write(write_of(commit, inputs, clock=b"", chores=Chores(recorded=publisher.size, snapshot=named)))
    if state.tick % SNAPSHOT_EVERY == 0:
        _step.pending = (state.tick, *write_snapshot(folder, state.tick, dump_state(state)))
    publisher._append(state.entry_count)
    if state.tick % PUBLISH_EVERY == 0:
        publisher._log.publish()
    return state, commit.sends


_step.pending = None


def _looked_back(lookback: Lookback, state: State):
    """Return what late reports change; the thread's work, without the thread."""
    lookback.committed(_step.commit, state)
    job, lookback._job = lookback._job, None
    return None if job is None else lookback._found(job)


def _outcome(send) -> Reported:
    outcome = Outcome(state=MessageState.HANDED_OVER, transport="test")
    return Reported(message_id=send.message.message_id, number=send.number, outcome=outcome)


def _note(note: object) -> None:
    """The publisher's notes are for a ticker, and there is none."""


def child(folder: Path, acknowledged: mmap.mmap) -> int:
    """Run, and return the exit code."""
    try:
        run(folder, acknowledged)
    except (TocsinError, OSError) as error:
        with contextlib.suppress(OSError):
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        return REFUSED
    return 0


def durable_of(folder: Path) -> int:
    """Return the number of the last delivery that a folder holds, as a restart finds it."""
    store = Store(sqlite_url(folder / "station.db"))
    try:
        state = restore(store, folder)
        return int(state.positions.get("f", "0")) if state else 0
    finally:
        store.close()


_decided: dict[bytes, tuple[int, int]] = {}
"""Of ticks that were decided again already, by their SHA-256: the last one, and how many entries they made."""


def _again(store: Store) -> tuple[int, int]:
    """Decide every tick again from the first; ticks of the same bytes once only."""
    with store.reader() as connection:
        rows = connection.exec_driver_sql("SELECT tick, at_us, reports, inputs, digest FROM tick ORDER BY tick")
        key = hashlib.sha256(repr([tuple(row) for row in rows]).encode()).digest()
    if key not in _decided:
        whole = restore(store, Path("/nowhere"))
        assert whole is not None
        _decided[key] = whole.tick, whole.entry_count
    return _decided[key]


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
        tick_count, entry_count = _again(store)
        assert state.tick == tick_count
        assert verify_folder(folder).checkpoint.size == state.entry_count == entry_count
        assert len(store.rows(schema.log_entries)) <= state.entry_count
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
        }
    finally:
        store.close()
