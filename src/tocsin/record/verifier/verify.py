"""Verification: whether a record is what its signature covers, every byte of it.

Audits the tree of C2SP tlog-tiles, compares its root with the signed checkpoint, follows the log's keys, checks its
witnesses' cosignatures against the policy in the log, and the payloads if they are here. Everything in the folder is
either covered by that, or named. Without a memory (`memory.py`) it cannot know whether the signed tree is the newest,
nor whether others were shown another: it says so.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from msgspec import Struct

from tocsin.errors import VerificationError
from tocsin.record.c2sp.checkpoint import Checkpoint, parse_checkpoint
from tocsin.record.c2sp.cosign import Opened, open_note
from tocsin.record.c2sp.note import SignatureType, SignedNote, Vkey, parse_note, parse_vkey
from tocsin.record.c2sp.policy import Policy, read_policy
from tocsin.record.c2sp.tiles import ReadFile, TileReader
from tocsin.record.payload import verify_payloads
from tocsin.record.verifier.audit import Audit, account_for, audit
from tocsin.record.verifier.keychain import follow_keys, key_entry
from tocsin.record.verifier.memory import Remembered, compare_keys, compare_trees
from tocsin.record.verifier.source import FolderSource, Source, find_record

CHECKPOINT = "checkpoint"
"""File with the newest signed checkpoint."""

WITNESSED = "witnessed"
"""File with the newest checkpoint that had its quorum of witnesses."""

LOG_VKEY = "log.vkey"
"""File with the log's verifier key."""

MAX_ATTEMPTS = 5
"""Times that a record is read again because its keeper published meanwhile."""

KEY_KIND, WITNESSES_KIND, CONTINUES_KIND, CONTINUED_KIND = "key", "witnesses", "continues", "continued"
"""Kinds of entries that a verifier itself understands."""


class Witnessing(Struct, frozen=True, kw_only=True):
    """What witnesses say about a record.

    Attributes
    ----------
    policy : Policy
        In force: from the log's last `witnesses` entry.
    size : int
        Entries that a quorum of witnesses has seen; 0 if none ever did.
    times_s : dict of str to int
        By witness, when it cosigned the checkpoint of that size; seconds since 1970.
    """

    policy: Policy
    size: int
    times_s: dict[str, int]


class Verified(Struct, frozen=True, kw_only=True):
    """A record that is what its signature covers.

    Attributes
    ----------
    keys : tuple of Vkey
        The log's keys, first to last; the last signed the checkpoint.
    note : SignedNote
    checkpoint : Checkpoint
    opened : Opened
    kinds : Counter
        Entries by kind; "other" for what is no envelope.
    witnessing : Witnessing or None
        None if the log names no witnesses.
    joins : tuple of (int, str, JSON value)
        Index, kind and content of entries that join this log to another.
    file_count : int
        Files in the folder that are covered; 0 where files cannot be listed.
    uncovered : tuple of str
        What no signature covers, in words.
    payload_indices : frozenset of int or None
        Entries whose payload is here and opens its commitment; None if no payloads lie beside the record.
    """

    keys: tuple[Vkey, ...]
    note: SignedNote
    checkpoint: Checkpoint
    opened: Opened
    kinds: Counter[str]
    witnessing: Witnessing | None
    joins: tuple[tuple[int, str, Any], ...]
    file_count: int
    uncovered: tuple[str, ...]
    payload_indices: frozenset[int] | None

    @property
    def vkey(self) -> Vkey:
        """The key that signed the checkpoint."""
        return self.keys[-1]

    @property
    def origin(self) -> str:
        """The log's identity."""
        return self.checkpoint.origin

    @property
    def size(self) -> int:
        """Entries in the signed tree."""
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        """The signed root."""
        return self.checkpoint.root

    @property
    def remembered(self) -> Remembered:
        """What a verifier should remember of this record."""
        return Remembered(vkey=self.vkey, retired=self.keys[:-1], note=self.note)


def verify(
    source: Source,
    *,
    vkey: Vkey | None = None,
    payload: Path | None = None,
    remembered: Remembered | None = None,
) -> Verified:
    """Check a whole record.

    Parameters
    ----------
    source : Source
        The record's files.
    vkey : Vkey or None
        A key of this log as the agreement has it; the folder's own `log.vkey` if None, which proves nothing about
        whose log it is.
    payload : Path or None
        The folder of payloads, if they are here.
    remembered : Remembered or None
        The newest tree seen of this log before.

    Raises
    ------
    VerificationError
        At the first thing that does not fit, naming it.
    SplitViewError
        If it does not go on from the remembered tree (`RollbackError`, `ForkError`).

    Notes
    -----
    A keeper may publish while this reads. What does not fit is an error only if the checkpoint is still the same.
    """
    for _ in range(MAX_ATTEMPTS - 1):
        before = source.read(CHECKPOINT)
        try:
            return _verify_once(source, vkey=vkey, payload=payload, remembered=remembered)
        except VerificationError:
            if source.read(CHECKPOINT) == before:
                raise
    return _verify_once(source, vkey=vkey, payload=payload, remembered=remembered)


def _verify_once(source: Source, *, vkey: Vkey | None, payload: Path | None, remembered: Remembered | None) -> Verified:
    last = read_vkey(source.read)
    if remembered is not None and last in remembered.retired:
        compare_keys(remembered, (last,))
    note = parse_note(_needed(source.read, CHECKPOINT))
    open_note(note, [last])
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != last.name:
        raise VerificationError("origin of the checkpoint", expected=last.name, calculated=checkpoint.origin)
    audited = audit(source.read, checkpoint.size)
    if audited.root != checkpoint.root:
        raise VerificationError(
            f"root of {checkpoint.size} entries", expected=checkpoint.root.hex(), calculated=audited.root.hex()
        )
    reader = TileReader(source.read, checkpoint.size)
    key_entries = [key_entry(index, e.open) for index, e in audited.opens if e.kind == KEY_KIND]
    keys, handovers = follow_keys(key_entries, last=last, reader=reader, read=source.read, newest=note)
    if vkey is not None and vkey not in keys:
        raise VerificationError("the log's key is not the one expected", expected=str(vkey), calculated=str(last))
    policy = _policy_in_force(audited, checkpoint.size)
    if remembered is not None:
        compare_keys(remembered, keys)
        witnesses = [witness.vkey for witness in policy.witnesses] if policy else []
        compare_trees(remembered, note, [*keys, *witnesses], reader)
    opened = _open_all(note, keys, policy)
    witnessing = _witnessing(source.read, checkpoint, opened, keys, audited, reader)
    uncovered = [f"signature line of a key not known here: {s.name}" for s in opened.unknown]
    file_count = 0
    names = source.names()
    if names is None:
        uncovered.append("files nobody asked for: a web server does not list its files")
    else:
        checked = {CHECKPOINT, LOG_VKEY, *handovers} | ({WITNESSED} if policy else set())
        file_count, strays = account_for(source.read, names, checkpoint.size, checked)
        uncovered += strays
    payload_indices = None
    if payload is not None:
        payload_indices, strays = verify_payloads(source.read, checkpoint.size, payload)
        uncovered += strays
    return Verified(
        keys=keys,
        note=note,
        checkpoint=checkpoint,
        opened=opened,
        kinds=audited.kinds,
        witnessing=witnessing,
        joins=tuple((i, e.kind, e.open) for i, e in audited.opens if e.kind in {CONTINUES_KIND, CONTINUED_KIND}),
        file_count=file_count,
        uncovered=tuple(uncovered),
        payload_indices=payload_indices,
    )


def verify_folder(folder: Path, *, vkey: Vkey | None = None, remembered: Remembered | None = None) -> Verified:
    """Check a record in a folder, and the payloads if they lie beside it.

    Parameters
    ----------
    folder : Path
        `DIR/record`, or the keeper's `DIR` that holds it.
    vkey, remembered
        See `verify`.
    """
    record = find_record(folder)
    payload = record.parent / "payload"
    return verify(FolderSource(record), vkey=vkey, payload=payload if payload.is_dir() else None, remembered=remembered)


def read_vkey(read: ReadFile) -> Vkey:
    """Return the key in `log.vkey`: one line, a log's Ed25519 key."""
    try:
        text = _needed(read, LOG_VKEY).decode()
    except UnicodeDecodeError:
        raise VerificationError(f"{LOG_VKEY} is no UTF-8") from None
    key = parse_vkey(text.removesuffix("\n"))
    if text != f"{key}\n" or key.type is not SignatureType.ED25519:
        raise VerificationError(f"{LOG_VKEY} is not one line with an Ed25519 log key")
    return key


def _needed(read: ReadFile, name: str) -> bytes:
    data = read(name)
    if data is None:
        raise VerificationError(f"{name} is missing")
    return data


def _policy_in_force(audited: Audit, size: int) -> Policy | None:
    """Return the policy that was the last one recorded when the tree had this size."""
    found = [(i, e.open) for i, e in audited.opens if e.kind == WITNESSES_KIND and i < size]
    return read_policy(found[-1][1], found[-1][0]) if found else None


def _open_all(note: SignedNote, keys: tuple[Vkey, ...], policy: Policy | None) -> Opened:
    """Verify every line of a note; in a log that names its witnesses, a line by nobody is refused."""
    witnesses = [witness.vkey for witness in policy.witnesses] if policy else []
    opened = open_note(note, [*keys, *witnesses])
    if policy and opened.unknown:
        raise VerificationError(f"a signature line by none of the log's keys and witnesses: {opened.unknown[0].name}")
    return opened


def _witnessing(
    read: ReadFile, checkpoint: Checkpoint, opened: Opened, keys: tuple[Vkey, ...], audited: Audit, reader: TileReader
) -> Witnessing | None:
    policy = _policy_in_force(audited, checkpoint.size)
    if policy is None:
        return None
    size = 0
    times: dict[str, int] = {}
    data = read(WITNESSED)
    if data is not None:
        size, times = _check_witnessed(parse_note(data), checkpoint, keys, audited, reader)
    if policy.is_met(opened.verified):
        size, times = checkpoint.size, _times(policy, opened)
    return Witnessing(policy=policy, size=size, times_s=times)


def _check_witnessed(
    note: SignedNote, checkpoint: Checkpoint, keys: tuple[Vkey, ...], audited: Audit, reader: TileReader
) -> tuple[int, dict[str, int]]:
    """Check the newest witnessed checkpoint against the tree and the policy of its day; return its size and times."""
    earlier = parse_checkpoint(note.text)
    policy = _policy_in_force(audited, earlier.size)
    found = _open_all(note, keys, policy)
    contained = reader.subtree_root(0, earlier.size) if earlier.size <= checkpoint.size else b""
    if earlier.origin != checkpoint.origin or contained != earlier.root:
        raise VerificationError(
            f"{WITNESSED} is not of this tree", expected=earlier.root.hex(), calculated=contained.hex()
        )
    if policy is None or not set(found.verified) & set(keys) or not policy.is_met(found.verified):
        raise VerificationError(f"{WITNESSED} has not the cosignatures that the policy of its day asks for")
    return earlier.size, _times(policy, found)


def _times(policy: Policy, opened: Opened) -> dict[str, int]:
    times = {witness.name: opened.verified.get(witness.vkey) for witness in policy.witnesses}
    return {name: time for name, time in times.items() if time}
