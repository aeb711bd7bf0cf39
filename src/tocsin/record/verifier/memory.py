"""A verifier's memory: the newest signed tree it saw of each log, so that rollback and fork cannot pass.

One small file that the verifying party keeps where the log's keeper cannot write. Without it a verifier sees one
moment only. See docs/format/memory.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from tocsin.errors import ForkError, RecordError, RollbackError, SplitViewError, VerificationError
from tocsin.record.c2sp.checkpoint import Checkpoint, parse_checkpoint
from tocsin.record.c2sp.cosign import open_note
from tocsin.record.c2sp.note import SignedNote, Vkey, parse_note, parse_vkey
from tocsin.record.c2sp.tiles import TileReader
from tocsin.record.files import replace_file
from tocsin.record.verifier.evidence import Evidence, gather_evidence, split_view

MEMORY_FORMAT = "tocsin-memory/1"
"""Value of `format` in the file."""


class Remembered(Struct, frozen=True, kw_only=True):
    """The newest tree seen of one log.

    Attributes
    ----------
    vkey : Vkey
        The key that signed it.
    retired : tuple of Vkey
        Keys that had been replaced by then; what they sign alone is believed no more.
    note : SignedNote
    """

    vkey: Vkey
    retired: tuple[Vkey, ...]
    note: SignedNote

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says."""
        return parse_checkpoint(self.note.text)


def load_memory(path: Path) -> dict[str, Remembered]:
    """Return what a memory file holds, by origin; nothing if there is no file yet.

    Raises
    ------
    RecordError
        If the file is damaged. It is not replaced: a verifier that forgets cannot see a rollback.
    """
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_bytes())
        if value["format"] != MEMORY_FORMAT:
            raise VerificationError(f"format {value['format']!r}: expected {MEMORY_FORMAT!r}")
        return {origin: _remembered(origin, entry) for origin, entry in value["logs"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, OSError, VerificationError) as error:
        raise RecordError(
            f"{path}: this memory is damaged ({error}); bring it back from a copy, or move it away to begin anew"
        ) from None


def save_memory(path: Path, memory: dict[str, Remembered]) -> None:
    """Write a memory file, whole or not at all."""
    logs = {
        origin: {
            "checkpoint": bytes(entry.note).decode(),
            "retired": [str(key) for key in entry.retired],
            "vkey": str(entry.vkey),
        }
        for origin, entry in memory.items()
    }
    text = json.dumps({"format": MEMORY_FORMAT, "logs": logs}, ensure_ascii=False, indent=1, sort_keys=True)
    replace_file(path, text.encode() + b"\n")


def compare_keys(remembered: Remembered, keys: tuple[Vkey, ...]) -> None:
    """Check that a log's keys go on from the remembered one.

    Raises
    ------
    SplitViewError
        If its newest key had been retired when the memory was made.
    VerificationError
        If the remembered key is none of its keys.
    """
    if keys[-1] in remembered.retired:
        raise SplitViewError(
            f"{keys[-1]} was replaced by {remembered.vkey} before entry {remembered.checkpoint.size}; "
            "what it signs since is not believed"
        )
    if remembered.vkey not in keys:
        raise VerificationError(
            "the log's key is another than remembered", expected=str(remembered.vkey), calculated=str(keys[-1])
        )


def compare_trees(remembered: Remembered, note: SignedNote, signers: Sequence[Vkey], reader: TileReader) -> None:
    """Check that an audited tree goes on from the remembered one.

    Parameters
    ----------
    remembered : Remembered
    note : SignedNote
        The audited tree's checkpoint.
    signers : sequence of Vkey
        The log's keys, then its witnesses': whoever of them signed both trees is convicted.
    reader : TileReader
        Of the audited tree.

    Raises
    ------
    SplitViewError
        If it does not; a `ForkError` with evidence if somebody signed both.
    RollbackError
        If it is smaller.
    """
    old, new = remembered.checkpoint, parse_checkpoint(note.text)
    if new.size < old.size:
        raise RollbackError(
            f"rollback: {new.origin} was seen with {old.size} entries and shows {new.size} now",
            expected=old.root.hex(),
            calculated=new.root.hex(),
        )
    contained = reader.subtree_root(0, old.size)
    if contained == old.root:
        return
    evidence = find_evidence(remembered.note, note, signers, reader)
    if evidence:
        told = split_view(evidence[0])
        raise ForkError(told.what, evidence=evidence, expected=told.expected, calculated=told.calculated)
    raise SplitViewError(
        f"the tree of {new.size} entries does not begin with the remembered tree of {old.size}",
        expected=old.root.hex(),
        calculated=contained.hex(),
    )


def find_evidence(older: SignedNote, newer: SignedNote, signers: Sequence[Vkey], reader: TileReader) -> list[Evidence]:
    """Return the evidence against each of these keys that signed both notes; what does not verify convicts nobody."""
    found = []
    for key in signers:
        if all(any(line.is_by(key) for line in note.signatures) for note in (older, newer)):
            try:
                found.append(gather_evidence(key, older, newer, reader))
            except VerificationError:
                continue
    return found


def _remembered(origin: str, entry: dict[str, object]) -> Remembered:
    vkey, retired = parse_vkey(str(entry["vkey"])), entry["retired"]
    if not isinstance(retired, list):
        raise VerificationError("retired is no list")
    note = parse_note(str(entry["checkpoint"]).encode())
    open_note(note, [vkey])
    if parse_checkpoint(note.text).origin != origin:
        raise VerificationError(f"a checkpoint that is not of {origin}")
    return Remembered(vkey=vkey, retired=tuple(parse_vkey(str(key)) for key in retired), note=note)
