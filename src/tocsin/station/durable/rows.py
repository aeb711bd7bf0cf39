"""Rows: a commit as the one transaction that makes it durable, and the restart from what those transactions left.

Implements DESIGN P4. The restart reads the newest sound snapshot and takes every later tick again through the same
core; a tick that decides something else than it did is a fault that stops the station, since what was sent and recorded
would not be what is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Table

from tocsin.canon import canonical_bytes
from tocsin.errors import StoreError
from tocsin.record.leaf import new_salt, seal
from tocsin.station.core.inputs import Inputs, dump_rest, load_inputs
from tocsin.station.core.state import Commit, State, attempt_id, begin
from tocsin.station.core.step import tick
from tocsin.station.core.terms import Terms, compile_terms
from tocsin.station.durable.snapshot import load_state, read_snapshot
from tocsin.station.past.archive import NOTHING, Task
from tocsin.station.past.journal import DROPPED
from tocsin.store import schema
from tocsin.store.reading import StoreReader
from tocsin.store.store import Write
from tocsin.tracks.packed import dump_batch
from tocsin.warn.case import Case
from tocsin.warn.snapshot import dump_case
from tocsin.warn.states import CaseState
from tocsin.warn.telling import Message
from tocsin.watch.event import Event, Standing

COUNTERS = "counters"
"""Key of the counters among the station's single values."""

CLOCK = "clock"
"""Key of what the clock was told at the last tick."""


class Chores(Struct, frozen=True, kw_only=True):
    """What else the next transaction is to keep.

    Attributes
    ----------
    recorded : int or None
        The record has the entries before this index.
    snapshot : (int, str, str) or None
        Tick, file and SHA-256 of a snapshot that is durable.
    forgotten : int or None
        Snapshots before this tick are not needed any more.
    archive : Task
    """

    recorded: int | None = None
    snapshot: tuple[int, str, str] | None = None
    forgotten: int | None = None
    archive: Task = NOTHING


NO_CHORES = Chores()


def write_of(commit: Commit, inputs: Inputs, *, clock: bytes, chores: Chores = NO_CHORES) -> Write:
    """Return the transaction of a commit; the entries get their salts here."""
    number = commit.tick
    event_lines, fact_lines = commit.lines
    added: dict[Table, list[dict[str, Any]]] = {
        schema.events: [
            _event(event, line, commit.first_event + n, number)
            for n, (event, line) in enumerate(zip(commit.events, event_lines, strict=True))
        ],
        schema.facts: [
            {
                "seq": commit.first_fact + n,
                "tick": number,
                "case_id": fact.get("case"),
                "kind": fact["kind"],
                "line": line,
            }
            for n, (fact, line) in enumerate(zip(commit.facts, fact_lines, strict=True))
        ],
        schema.outbox: [
            {
                "attempt_id": attempt_id(send.message.message_id, send.number),
                "seq": number * 1_000_000 + n,
                "tick": number,
                "message_id": send.message.message_id,
                "number": send.number,
                "channel": send.message.channel,
                "message": msgspec.json.encode(send.message),
            }
            for n, send in enumerate(commit.sends)
        ],
        schema.log_entries: list(_entries(commit)),
    }
    if commit.version is not None:
        added[schema.agreements] = [_version(commit)]
    if chores.archive.archived is not None:
        added[schema.archive] = [dict(chores.archive.archived)]
    if chores.snapshot is not None:
        taken, file, sha256 = chores.snapshot
        added[schema.snapshots] = [{"tick": taken, "file": file, "sha256": sha256}]
    put: dict[Table, list[dict[str, Any]]] = {
        schema.cases: [_case(case) for case in commit.cases],
        schema.feeds: [{"name": name, "position": at, "tick": number} for name, at in commit.positions.items()],
        schema.station: [
            {"key": COUNTERS, "value": canonical_bytes(commit.counters)},
            {"key": CLOCK, "value": clock},
        ],
    }
    if chores.archive.dropped_us is not None:
        put[schema.station] = [*put[schema.station], {"key": DROPPED, "value": b"%d" % chores.archive.dropped_us}]
    return Write(
        tick={
            "tick": number,
            "at_us": commit.at_us,
            "reports": dump_batch(inputs.batch) if len(inputs.batch) else None,
            "inputs": dump_rest(inputs),
            "report_count": len(inputs.batch),
            "digest": commit.digest(),
        },
        added=added,
        put=put,
        sent=commit.settled,
        recorded=chores.recorded,
        forgotten=chores.forgotten,
        archived=chores.archive.ticks,
        dropped_us=chores.archive.dropped_us,
    )


def load_message(raw: bytes) -> Message:
    """Return the message of an outbox row."""
    return msgspec.json.decode(raw, type=Message)


def restore(store: StoreReader, folder: Path, *, known: Iterable[Terms] = ()) -> State | None:
    """Return the state after the last committed tick, or None if there has been none.

    Parameters
    ----------
    store : StoreReader
    folder : Path
        The data folder, for its snapshots.
    known : iterable of Terms
        Versions that are compiled already.

    Raises
    ------
    StoreError
        If a tick is missing, cannot be read, or decides something else than it did.
    """
    return take_up(store, folder, known=known)[0]


def read_newest(store: StoreReader, folder: Path) -> Future[bytes | None] | None:
    """Begin to read the newest snapshot in a thread: it needs no interpreter, and a start has other work meanwhile."""
    rows = store.rows(schema.snapshots, descending=True)
    if not rows:
        return None
    thread = ThreadPoolExecutor(1, thread_name_prefix="snapshot")
    reading = thread.submit(read_snapshot, folder, rows[0]["file"], rows[0]["sha256"])
    thread.shutdown(wait=False)
    return reading


def take_up(
    store: StoreReader,
    folder: Path,
    *,
    known: Iterable[Terms] = (),
    newest: Future[bytes | None] | None = None,
) -> tuple[State | None, int]:
    """Return what `restore` does, and how many reports the ticks after the snapshot took or settled.

    Parameters
    ----------
    store, folder, known
        As `restore` has them.
    newest : Future, optional
        What `read_newest` began, with nothing written since.
    """
    snapshots = store.rows(schema.snapshots, descending=True)
    state: State | None = None
    for row in snapshots:
        dump = newest.result() if newest is not None else read_snapshot(folder, row["file"], row["sha256"])
        newest = None
        if dump is not None:
            try:
                state = load_state(dump, known=known)
            except ValueError as error:
                raise StoreError(f"{row['file']}: {error}; the Tocsin that wrote it reads it") from error
            break
    after = state.tick if state else 0
    done = _handled(state)
    for kept in store.ticks_after(after):
        if kept.tick != after + 1 or kept.inputs is None:
            named = ", ".join(str(row["file"]) for row in snapshots) or "none"
            raise StoreError(f"tick {after + 1} is not held whole, and no snapshot after it is sound (held: {named})")
        inputs = load_inputs(kept.inputs, kept.reports)
        terms = compile_terms(inputs.agreement) if inputs.agreement else None
        if state is None:
            if terms is None:
                raise StoreError("the first tick brings no agreement")
            state = begin(terms)
        state, commit = tick(state, inputs, kept.at_us, terms=terms)
        if commit.digest() != kept.digest:
            raise StoreError(
                f"tick {kept.tick} does not decide what it decided: the store is damaged, or the program is"
            )
        after = kept.tick
    return state, _handled(state) - done


def _handled(state: State | None) -> int:
    return sum(counts.received + counts.applied for counts in state.counts.values()) if state else 0


def _entries(commit: Commit) -> Iterator[dict[str, Any]]:
    # An entry's payload that is a fact is written already, but for the end of its line.
    written = {id(fact): line[:-1] for fact, line in zip(commit.facts, commit.lines[1], strict=True)}
    for n, entry in enumerate(commit.entries):
        sealed = seal(entry, new_salt(), written=written.get(id(entry.payload)))
        yield {
            "entry_index": commit.first_entry + n,
            "tick": commit.tick,
            "envelope": sealed.envelope,
            "salt": sealed.salt,
            "payload": sealed.payload,
        }


def _event(event: Event, line: bytes, seq: int, number: int) -> dict[str, Any]:
    return {
        "seq": seq,
        "tick": number,
        "event_id": event.event_id,
        "is_final": event.standing is Standing.FINAL,
        "revision": str(event.revision),
        "at_us": event.at_us,
        "track_id": event.track_id,
        "rule_id": event.rule_id,
        "kind": str(event.kind),
        "line": line,
    }


def _case(case: Case) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "track_id": case.track_id,
        "opened_us": case.opened_us,
        "is_open": case.state is not CaseState.CLOSED,
        "line": case.as_line(),
        "dump": dump_case(case),
    }


def _version(commit: Commit) -> dict[str, Any]:
    assert commit.version is not None
    terms = compile_terms(commit.version)
    return {
        "tick": commit.tick,
        "agreement_id": terms.agreement.id,
        "version": terms.version,
        "sha256": terms.agreement.digest.hex(),
        "text": msgspec.msgpack.encode(commit.version),
    }
