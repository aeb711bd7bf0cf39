"""A keeper's key files: which of them sign now, and a rotation that a crash cannot leave half done.

    DIR/keys/log.key       signs
    DIR/keys/log.old.key   signs beside it, while a rotation's overlap lasts
    DIR/keys/log.new.key   only while a rotation is under way

The log's own order of steps is `rotation.py`'s; this one adds that the new key is on the disk before the log hears of
it, and that files are renamed only once `record/log.vkey` has changed. What becomes of a retired key is the keeper's to
decide: it is moved aside, never deleted.
"""

from __future__ import annotations

import os
from pathlib import Path

from tocsin.errors import RecordError
from tocsin.record.c2sp.checkpoint import Checkpoint, parse_checkpoint
from tocsin.record.c2sp.cosign import Signer
from tocsin.record.c2sp.note import Vkey, parse_note, parse_vkey
from tocsin.record.c2sp.tiles import TileReader
from tocsin.record.envelope import parse_envelope
from tocsin.record.files import sync_folder
from tocsin.record.keys import create_key, load_key
from tocsin.record.leaf import Sealed, new_salt, seal
from tocsin.record.log import RECORD, Log
from tocsin.record.rotation import RotationReason, rotation_entry, rotation_under_way
from tocsin.record.verifier.keychain import HANDOVER, key_entry
from tocsin.record.verifier.source import FolderSource
from tocsin.record.verifier.verify import CHECKPOINT, LOG_VKEY

KEYS = "keys"
SIGNS, OVERLAPS, COMES = "log.key", "log.old.key", "log.new.key"


def open_log(folder: Path) -> Log:
    """Open a keeper's log with the keys in its `keys/`, finishing a rotation that a crash interrupted.

    Parameters
    ----------
    folder : Path
        The keeper's folder, which holds `record/`, `payload/` and `keys/`.

    Raises
    ------
    RecordError
        If there is no log or no key, or another process has it open.
    VerificationError
        If none of the keys signed the checkpoint.
    """
    keys = folder / KEYS
    if not (folder / RECORD / LOG_VKEY).exists():
        raise RecordError(f"{folder}: found no record/{LOG_VKEY}, expected a keeper's folder")
    if (keys / COMES).exists():
        _recover(folder)
    if (keys / OVERLAPS).exists() and _last_reason(folder) is RotationReason.STOLEN:
        end_overlap(folder)
    overlapping = [load_key(keys / OVERLAPS)] if (keys / OVERLAPS).exists() else []
    return Log.open(folder, load_key(keys / SIGNS), also=overlapping)


def rotate_key(folder: Path, *, reason: RotationReason, at_us: int) -> tuple[Vkey, Checkpoint]:
    """Make a new key for a keeper's log, hand over to it, and return it with the checkpoint of the handover.

    After a planned change both keys sign until `end_overlap`; after a theft the new one alone does.

    Parameters
    ----------
    folder : Path
        See `open_log`.
    reason : RotationReason
    at_us : int
        Microseconds UTC.

    Raises
    ------
    RecordError
        If an earlier rotation is not over yet.
    """
    with open_log(folder) as log:
        new = next_key(folder, log.origin)
        entry = rotation_entry(old=log.vkey, new=new.vkey, reason=reason, at_us=at_us)
        return new.vkey, hand_over(folder, log, seal(entry, new_salt()))


def next_key(folder: Path, origin: str) -> Signer:
    """Return the key that a log is to be handed over to, safe on the disk; one that a crash left is taken.

    Raises
    ------
    RecordError
        If an earlier rotation is not over yet.
    """
    keys = folder / KEYS
    if (keys / OVERLAPS).exists():
        raise RecordError(f"{keys / OVERLAPS}: the last rotation's overlap is not over; end it first")
    return load_key(keys / COMES) if (keys / COMES).exists() else create_key(keys / COMES, origin)


def hand_over(folder: Path, log: Log, sealed: Sealed) -> Checkpoint:
    """Hand a keeper's open log over to the key of `next_key` by its sealed entry, and put the key files right."""
    keys = folder / KEYS
    checkpoint = log.hand_over(sealed, load_key(keys / COMES))
    _take_over(keys)
    if _last_reason(folder) is RotationReason.STOLEN:
        end_overlap(folder)
    return checkpoint


def overlapping(folder: Path) -> Vkey | None:
    """Return the old key that still signs a keeper's log beside the new one; None if no overlap is under way."""
    old = folder / KEYS / OVERLAPS
    return load_key(old).vkey if old.exists() else None


def end_overlap(folder: Path, *, key: Vkey | None = None) -> Path:
    """Let the old key sign no more; return where its file lies now.

    Parameters
    ----------
    folder : Path
    key : Vkey or None
        The old key, if it is known: where its overlap is over already, that is made durable and said.

    Raises
    ------
    RecordError
        If no overlap is under way.
    """
    old = folder / KEYS / OVERLAPS
    if key is not None and (retired := _retired(folder, key)).exists():
        sync_folder(retired.parent)  # a crash or a refusal may have come between the renaming and this
        return retired
    if not old.exists():
        raise RecordError(f"{old}: found no old key, expected the overlap of a rotation")
    retired = _retired(folder, load_key(old).vkey)
    os.replace(old, retired)
    sync_folder(old.parent)
    return retired


def signers_of(folder: Path) -> list[Signer]:
    """Return the keys that sign a keeper's log now, the newest first."""
    names = [name for name in (SIGNS, OVERLAPS) if (folder / KEYS / name).exists()]
    return [load_key(folder / KEYS / name) for name in names]


def _recover(folder: Path) -> None:
    """Finish a rotation that a crash interrupted, if the log had heard of it; else the new key waits for another."""
    keys = folder / KEYS
    new = load_key(keys / COMES)
    if rotation_under_way(folder) is not None:
        old = keys / (SIGNS if (keys / SIGNS).exists() else OVERLAPS)
        with Log.open(folder, load_key(old), also=[new]) as log:
            if rotation_under_way(folder) is not None:  # opening forgets one whose entry was never durable
                log.publish()
    if parse_vkey((folder / RECORD / LOG_VKEY).read_text().removesuffix("\n")) == new.vkey:
        _take_over(keys)


def _last_reason(folder: Path) -> RotationReason:
    """Return why the log's key was changed the last time, as its entry says."""
    record = folder / RECORD
    index = max(int(path.name) for path in (record / HANDOVER).iterdir())
    size = parse_checkpoint(parse_note((record / CHECKPOINT).read_bytes()).text).size
    entry = TileReader(FolderSource(record).read, size).entry(index)
    return RotationReason(key_entry(index, parse_envelope(entry).open).reason)


def _retired(folder: Path, key: Vkey) -> Path:
    """Return where the file of a key lies that signs no more."""
    return folder / KEYS / f"log.retired-{key.key_id.hex()}.key"


def _take_over(keys: Path) -> None:
    """Put the new key in the old one's place; safe to repeat after a crash between the two renames."""
    if (keys / SIGNS).exists() and not (keys / OVERLAPS).exists():
        os.replace(keys / SIGNS, keys / OVERLAPS)
        sync_folder(keys)
    os.replace(keys / COMES, keys / SIGNS)
    sync_folder(keys)
