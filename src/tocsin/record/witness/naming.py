"""Naming witnesses: the policy in force in a log, and making the agreement's policy that.

A log says in its `witnesses` entries whom to believe; the last one is in force (docs/format/witness.md). How far the
log has been searched for them lies in `DIR/policy`, so that opening a long log does not read it whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tocsin.record.c2sp.policy import Policy, parse_policy, read_policy
from tocsin.record.c2sp.tiles import ENTRIES, TILE_WIDTH, parse_bundle
from tocsin.record.envelope import EVERYBODY, Envelope, parse_envelope
from tocsin.record.files import replace_file
from tocsin.record.leaf import Entry, EntryKind
from tocsin.record.log import Log

SEARCHED = "policy"
"""File beside `record/` with the index of the policy in force and the size up to which it is known to be the last."""

_MARK = f'"kind":"{EntryKind.WITNESSES}"'.encode()


def policy_entry(text: str, *, at_us: int) -> Entry:
    """Return the entry with which a log names its witnesses.

    Parameters
    ----------
    text : str
        A C2SP tlog-policy; see `format_policy`.
    at_us : int
        Microseconds UTC.
    """
    return Entry(kind=EntryKind.WITNESSES, at_us=at_us, audience=frozenset({EVERYBODY}), payload={"policy": text})


def policy_in_force(log: Log) -> Policy | None:
    """Return the policy of a log's last `witnesses` entry, published or not; None if it has none.

    Raises
    ------
    VerificationError
        If an entry cannot be read.
    """
    found = _in_force(log)
    return None if found is None else read_policy(found[1].open, found[0])


def name_witnesses(log: Log, text: str, *, at_us: int) -> Policy:
    """Make a policy the one in force, by an entry unless it is already; return it.

    Parameters
    ----------
    log : Log
        Open. The entry is durable on return, and published with the next publication.
    text : str
        See `policy_entry`.
    at_us : int
        Microseconds UTC.
    """
    policy = parse_policy(text)
    found = _in_force(log)
    if found is None or read_policy(found[1].open, found[0]) != policy:
        (index,) = log.append([policy_entry(text, at_us=at_us)])
        _save(log, index)
    return policy


def _in_force(log: Log) -> tuple[int, Envelope] | None:
    index, searched = _load(log)
    found = None
    if index is not None:
        entry = parse_envelope(_entry(log, index))
        if entry.kind == EntryKind.WITNESSES:
            found = index, entry
        else:
            searched = 0
    for at, envelope in _witnesses_entries(log, searched):
        found = at, envelope
    _save(log, None if found is None else found[0])
    return found


def _entry(log: Log, index: int) -> bytes:
    return log.reader().entry(index) if index < log.published.size else log.opening(index).envelope


def _witnesses_entries(log: Log, start: int) -> Iterator[tuple[int, Envelope]]:
    reader, published = log.reader(), log.published.size
    for number in range(start // TILE_WIDTH, -(-published // TILE_WIDTH)):
        data, width, path = reader.bytes_of(ENTRIES, number)
        if _MARK not in data:
            continue
        for at, entry in enumerate(parse_bundle(data, width, path), start=number * TILE_WIDTH):
            if at >= start and _MARK in entry and parse_envelope(entry).kind == EntryKind.WITNESSES:
                yield at, parse_envelope(entry)
    for opening in log.openings(max(start, published), log.size):
        envelope = parse_envelope(opening.envelope)
        if envelope.kind == EntryKind.WITNESSES:
            yield opening.index, envelope


def _load(log: Log) -> tuple[int | None, int]:
    """Return where the policy in force is and how far was searched; (None, 0) if that is not known."""
    try:
        value = json.loads(_path(log).read_bytes())
        index, searched = value["index"], value["searched"]
    except (OSError, ValueError, KeyError, TypeError):
        return None, 0
    is_whole = isinstance(searched, int) and 0 <= searched <= log.size
    is_index = index is None or (isinstance(index, int) and 0 <= index < searched)
    return (index, searched) if is_whole and is_index else (None, 0)


def _save(log: Log, index: int | None) -> None:
    value = json.dumps({"index": index, "searched": log.size}).encode() + b"\n"
    if not _path(log).exists() or _path(log).read_bytes() != value:
        replace_file(_path(log), value)


def _path(log: Log) -> Path:
    return log.folder / SEARCHED
