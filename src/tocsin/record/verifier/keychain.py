"""How one log key followed another: each handover stands in the log under the old key, and both signed it.

A `key` entry names the old and the new key. The checkpoint that first covers it is signed by both and kept as
`record/handover/<index of the entry>`, so that somebody who knows only the first key can follow to the last, offline,
for ever. See docs/format/keys.md. Rotation itself is `rotation.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from tocsin.errors import VerificationError
from tocsin.record.c2sp.checkpoint import parse_checkpoint
from tocsin.record.c2sp.cosign import open_note
from tocsin.record.c2sp.note import SignatureType, SignedNote, Vkey, parse_note, parse_vkey
from tocsin.record.c2sp.tiles import ReadFile, TileReader

HANDOVER = "handover"
"""Folder with the checkpoints at which keys changed, each named by the index of its key entry."""


class KeyEntry(Struct, frozen=True, kw_only=True):
    """A `key` entry of the log.

    Attributes
    ----------
    index : int
    old, new : Vkey
    reason : str
        `planned` or `stolen`.
    """

    index: int
    old: Vkey
    new: Vkey
    reason: str


def key_entry(index: int, payload: Any) -> KeyEntry:
    """Return what a `key` entry's open payload says.

    Raises
    ------
    VerificationError
        If it does not name two different Ed25519 keys of one log.
    """
    try:
        old, new = parse_vkey(payload["old"]), parse_vkey(payload["new"])
        reason = str(payload["reason"])
    except (KeyError, TypeError, AttributeError):
        raise VerificationError(f"entry {index} is a key entry without old, new and reason") from None
    if old == new or old.name != new.name or {old.type, new.type} != {SignatureType.ED25519}:
        raise VerificationError(f"entry {index} does not hand over from one key of a log to another")
    return KeyEntry(index=index, old=old, new=new, reason=reason)


def handover_path(index: int) -> str:
    """Return where the checkpoint is kept that covers the key entry of this index and that both keys signed."""
    return f"{HANDOVER}/{index}"


def follow_keys(
    entries: Sequence[KeyEntry], *, last: Vkey, reader: TileReader, read: ReadFile, newest: SignedNote
) -> tuple[tuple[Vkey, ...], list[str]]:
    """Return the log's keys, first to last, every handover verified, and the files that were needed for it.

    Parameters
    ----------
    entries : sequence of KeyEntry
        All of the log, in order.
    last : Vkey
        The key in `log.vkey`.
    reader : TileReader
        Of the audited tree.
    read : callable
        Reads the record's files.
    newest : SignedNote
        The newest checkpoint, which may be the last handover itself.

    Raises
    ------
    VerificationError
        If a key entry has no handover signed by both keys, the keys do not follow one another, or the last is not
        the one given.
    """
    keys, files = [entries[0].old if entries else last], []
    for entry in entries:
        if entry.old != keys[-1]:
            raise VerificationError(
                f"entry {entry.index} hands over from a key that did not sign",
                expected=str(keys[-1]),
                calculated=str(entry.old),
            )
        keys.append(entry.new)
        name = handover_path(entry.index)
        data = read(name)
        if data is None:
            check_handover(entry, newest, reader, keys, f"{name} is missing, and the newest checkpoint")
        else:
            kept = parse_note(data)
            check_handover(entry, kept, reader, keys, name)
            if kept != by_both(entry, kept):
                raise VerificationError(f"{name} has other signature lines than those of entry {entry.index}'s keys")
            files.append(name)
    is_pending = len(files) < len(entries) and last == entries[-1].old  # both signed; log.vkey comes a moment later
    if keys[-1] != last and not is_pending:
        raise VerificationError(
            "log.vkey is not the key last handed over to", expected=str(keys[-1]), calculated=str(last)
        )
    return tuple(keys), files


def by_both(entry: KeyEntry, note: SignedNote) -> SignedNote:
    """Return a checkpoint with the signature lines of the two keys of an entry alone, as it is kept."""
    lines = tuple(line for line in note.signatures if line.is_by(entry.old) or line.is_by(entry.new))
    return SignedNote(text=note.text, signatures=lines)


def check_handover(entry: KeyEntry, note: SignedNote, reader: TileReader, keys: Sequence[Vkey], name: str) -> None:
    """Check that a checkpoint covers a key entry, is of the audited tree, and that both keys signed it.

    Raises
    ------
    VerificationError
        If not; the message begins with `name`.
    """
    checkpoint = parse_checkpoint(note.text)
    if not entry.index < checkpoint.size <= reader.size or checkpoint.origin != entry.old.name:
        raise VerificationError(f"{name} does not cover the key entry {entry.index}")
    opened = open_note(note, keys)
    if not {entry.old, entry.new} <= set(opened.verified):
        raise VerificationError(f"{name} is not signed by both keys of entry {entry.index}")
    found = reader.subtree_root(0, checkpoint.size)
    if found != checkpoint.root:
        raise VerificationError(f"{name} is not of this tree", expected=checkpoint.root.hex(), calculated=found.hex())
