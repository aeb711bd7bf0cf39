"""Changing a log's key without a moment in which nobody could say whose log it is.

The order, each step durable before the next: a note of what is about to happen (`DIR/rotation`); a `key` entry under
the old key; a checkpoint signed by both keys; the new key in `log.vkey`; that checkpoint kept in `record/handover/`.
Opening the log after a crash finishes what was begun. See docs/format/keys.md, also for a key that was stolen.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from tocsin.errors import RecordError
from tocsin.record.c2sp.note import Vkey, parse_note
from tocsin.record.envelope import EVERYBODY
from tocsin.record.files import make_folder, replace_file, sync_folder
from tocsin.record.leaf import Entry, EntryKind
from tocsin.record.verifier.keychain import KeyEntry, by_both, handover_path, key_entry
from tocsin.record.verifier.verify import CHECKPOINT, LOG_VKEY

ROTATION = "rotation"
"""File beside `record/` while a rotation is under way."""


class RotationReason(StrEnum):
    """Why a key is replaced."""

    PLANNED = "planned"
    STOLEN = "stolen"


class Rotation(Struct, frozen=True, kw_only=True):
    """A rotation under way in a folder."""

    folder: Path
    entry: KeyEntry

    def finish(self) -> None:
        """Make the new key the log's, keep the checkpoint that both keys signed, and forget the rotation."""
        record = self.folder / "record"
        replace_file(record / LOG_VKEY, f"{self.entry.new}\n".encode(), by=self.folder)
        kept = record / handover_path(self.entry.index)
        make_folder(kept.parent)
        signed = parse_note((record / CHECKPOINT).read_bytes())
        replace_file(kept, bytes(by_both(self.entry, signed)), by=self.folder)
        self.forget()

    def forget(self) -> None:
        """Remove the note of this rotation."""
        (self.folder / ROTATION).unlink()
        sync_folder(self.folder)


def rotation_entry(*, old: Vkey, new: Vkey, reason: RotationReason, at_us: int) -> Entry:
    """Return the entry that hands a log over from one key to another."""
    payload = {"old": str(old), "new": str(new), "reason": str(reason)}
    return Entry(kind=EntryKind.KEY, at_us=at_us, audience=frozenset({EVERYBODY}), payload=payload)


def begin_rotation(folder: Path, entry: KeyEntry) -> None:
    """Note durably that a rotation begins: the entry that must get its index."""
    payload = {"old": str(entry.old), "new": str(entry.new), "reason": entry.reason}
    replace_file(folder / ROTATION, json.dumps({"index": entry.index} | payload).encode())


def rotation_under_way(folder: Path) -> Rotation | None:
    """Return the rotation that a folder's note tells of, or None."""
    path = folder / ROTATION
    if not path.exists():
        return None
    try:
        value = json.loads(path.read_bytes())
        return Rotation(folder=folder, entry=key_entry(value["index"], value))
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path}: found a damaged note of a rotation ({error})") from None
