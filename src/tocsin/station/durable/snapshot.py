"""Snapshots: everything the station remembers, as bytes that the same core goes on from.

With the inputs of every later tick this is all that a restart needs (DESIGN P4). One file a snapshot, put in its place
whole and named in the store with its SHA-256; a file that is not what the store says is passed over for the one before
it. Not a format for others: a version of Tocsin reads its own.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from tocsin.agreement.notices.dump import dump_register, load_register
from tocsin.record.files import make_folder, sync_folder, write_all
from tocsin.station.core.counters import FeedCounts
from tocsin.station.core.handover import Outgoing, Place, Seam, engine_of
from tocsin.station.core.keeping import Keeping
from tocsin.station.core.noticing import Noticing
from tocsin.station.core.state import OTHER_FEED, State
from tocsin.station.core.terms import AgreementText, Terms, compile_terms
from tocsin.tracks.batch import EMPTY, concat
from tocsin.tracks.order import FeedPolicy
from tocsin.tracks.packed import dump_batch, load_batch
from tocsin.warn import snapshot as desk_snapshot
from tocsin.watch.event import Event
from tocsin.watch.snapshot import dump_live, load_live

FORMAT = 4
"""First field; a later one is refused."""

PIECE_BYTES = 2**20
"""How much of a snapshot goes to the disk at a time: a commit that is made meanwhile waits for no more than that."""

FOLDER = "snapshot"
"""Where the files lie, inside the data folder."""


class _Old(msgspec.Struct, kw_only=True):
    """The watch of a version before the one in force."""

    version: int
    from_us: int | None
    until_us: int
    live: memoryview
    ended: list[bytes]
    began: list[bytes]
    said: list[bytes]
    awaited: list[str] | None


class _Noticing(msgspec.Struct, kw_only=True):
    """Notices, and what is followed for them."""

    register: bytes
    day: int
    followed: bytes
    looked_us: dict[str, int]
    over: dict[str, list[str]]
    settled: dict[str, int]


class _Kept(msgspec.Struct, kw_only=True):
    """A snapshot as it is kept."""

    format: int
    tick: int
    now_us: int
    in_force: int
    versions: dict[int, AgreementText]
    from_us: int | None
    live: memoryview
    outgoing: list[_Old]
    feeds: dict[str, FeedPolicy]
    docket: bytes
    noticing: _Noticing
    keeping: Keeping
    counts: dict[str, FeedCounts]
    positions: dict[str, str]
    late: bytes
    doubted: dict[str, tuple[int, int]]
    in_flight: dict[str, tuple[str, int]]
    event_count: int
    fact_count: int
    entry_count: int
    counted_us: int
    log_key: str


_SAME = (
    "keeping",
    "counts",
    "positions",
    "doubted",
    "in_flight",
    "event_count",
    "fact_count",
    "entry_count",
    "counted_us",
    "log_key",
)
"""Fields that are kept as they are."""


def dump_state(state: State) -> bytes:
    """Return the state as bytes that `load_state` reads."""
    return freeze_state(state)()


def freeze_state(state: State) -> Callable[[], bytes]:
    """Return what makes the state's bytes as it stands now, whatever becomes of it; to be called from any thread."""
    kept = _Kept(
        format=FORMAT,
        tick=state.tick,
        now_us=state.now_us,
        in_force=state.terms.version,
        versions={number: terms.written for number, terms in state.versions.items()},
        live=memoryview(b""),
        from_us=state.from_us,
        outgoing=[],
        feeds=dict(state.live.order.feeds),
        docket=desk_snapshot.dump(state.docket),
        noticing=_noticing_out(state.noticing),
        late=dump_batch(state.late),
        **{name: msgspec.Raw(msgspec.msgpack.encode(getattr(state, name))) for name in _SAME},  # type: ignore[arg-type]
    )
    live = state.live.frozen()
    outgoing = [(_outgoing_out(old), old.live.frozen()) for old in state.outgoing]

    def dump() -> bytes:
        kept.live = memoryview(dump_live(live))
        for old, its_live in outgoing:
            old.live = memoryview(dump_live(its_live))
        kept.outgoing = [old for old, _ in outgoing]
        return msgspec.msgpack.encode(kept)

    return dump


def load_state(dump: bytes, *, known: Iterable[Terms] = ()) -> State:
    """Return the state that `dump_state` wrote.

    Parameters
    ----------
    dump : bytes
    known : iterable of Terms
        Versions that are compiled already; the others are compiled.

    Raises
    ------
    ValueError
        If the bytes are of another version.
    """
    try:
        kept: Any = msgspec.msgpack.decode(dump, type=_Kept)
    except msgspec.DecodeError as error:
        raise ValueError(f"found no snapshot of a station: {error}") from error
    if kept.format != FORMAT:
        raise ValueError(f"found a snapshot of format {kept.format}, expected {FORMAT}")
    compiled = {terms.written: terms for terms in known}
    versions = {number: compiled.get(text) or compile_terms(text) for number, text in kept.versions.items()}
    terms = versions[kept.in_force]
    engine = terms.engine
    if kept.from_us is not None:
        engine = engine_of(terms, from_us=kept.from_us, until_us=None)
    outgoing = [
        Outgoing(
            terms=versions[old.version],
            from_us=old.from_us,
            until_us=old.until_us,
            engine=engine_of(versions[old.version], from_us=old.from_us, until_us=old.until_us),
            live=load_live(old.live, feeds=kept.feeds, other=OTHER_FEED),
            seam=Seam(at_us=old.until_us, ended=_places(old.ended), began=_places(old.began), said=_places(old.said)),
            awaited=None if old.awaited is None else set(old.awaited),
        )
        for old in kept.outgoing
    ]
    return State(
        tick=kept.tick,
        now_us=kept.now_us,
        terms=terms,
        versions=versions,
        engine=engine,
        from_us=kept.from_us,
        outgoing=outgoing,
        live=load_live(kept.live, feeds=kept.feeds, other=OTHER_FEED),
        docket=desk_snapshot.load(kept.docket),
        noticing=_noticing_in(kept.noticing, terms),
        late=load_batch(kept.late),
        **{name: getattr(kept, name) for name in _SAME},
    )


def _outgoing_out(old: Outgoing) -> _Old:
    """Return what is kept of a version that has ended, but for its watch."""
    seam = old.seam
    ended, began, said = ([event.as_line() for event in held.values()] for held in (seam.ended, seam.began, seam.said))
    return _Old(
        version=old.terms.version,
        from_us=old.from_us,
        until_us=old.until_us,
        live=memoryview(b""),
        ended=ended,
        began=began,
        said=said,
        awaited=None if old.awaited is None else sorted(old.awaited),
    )


def _places(lines: list[bytes]) -> dict[Place, Event]:
    events = (Event.from_json(json.loads(line)) for line in lines)
    return {(event.track_id, event.zone_id): event for event in events}


def _noticing_out(noticing: Noticing) -> _Noticing:
    return _Noticing(
        register=dump_register(noticing.register),
        day=noticing.day,
        followed=dump_batch(concat(noticing.followed) if noticing.followed else EMPTY),
        looked_us=noticing.looked_us,
        over=noticing.over,
        settled=noticing.settled,
    )


def _noticing_in(kept: _Noticing, terms: Terms) -> Noticing:
    followed = load_batch(kept.followed)
    return Noticing(
        register=load_register(kept.register, terms.rules),
        day=kept.day,
        followed=[followed] if len(followed) else [],
        looked_us=kept.looked_us,
        over=kept.over,
        settled=kept.settled,
    )


def write_snapshot(folder: Path, tick: int, dump: bytes) -> tuple[str, str]:
    """Write a snapshot durably into a data folder; return its file's name there and its SHA-256."""
    make_folder(folder / FOLDER)
    name = f"{FOLDER}/{tick:012}.bin"
    path, fresh = folder / name, folder / f"{name}.new"
    fresh.unlink(missing_ok=True)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        for start in range(0, len(dump), PIECE_BYTES):
            write_all(fd, dump[start : start + PIECE_BYTES])
            os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(fresh, path)
    sync_folder(path.parent)
    return name, hashlib.sha256(dump).hexdigest()


def read_snapshot(folder: Path, name: str, sha256: str) -> bytes | None:
    """Return a snapshot's bytes, or None if the file is not what the store says."""
    try:
        dump = (folder / name).read_bytes()
    except OSError:
        return None
    return dump if hashlib.sha256(dump).hexdigest() == sha256 else None


def drop_snapshots(folder: Path, keep: frozenset[str]) -> None:
    """Delete the snapshots of a data folder that nobody names any more."""
    for path in (folder / FOLDER).glob("*.bin*"):
        if f"{FOLDER}/{path.name}" not in keep:
            path.unlink(missing_ok=True)
