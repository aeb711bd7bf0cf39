"""The journal: where an entry is first made durable, with its salt and payload, before any tree knows of it.

It is the keeper's `payload/` folder (see `payload.py`), appended to and fsynced before `append` returns. After a
crash the unacknowledged end is cut off and kept aside. Does not build trees and signs nothing: `log.py` does.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.tiles import TILE_WIDTH
from tocsin.record.files import cut, make_folder, sync_folder, sync_open, write_all, write_new
from tocsin.record.leaf import Sealed
from tocsin.record.payload import (
    DETACHED,
    MAX_INLINE_BYTES,
    Opening,
    format_opening,
    parse_opening,
    payload_file,
    read_openings,
    resolve,
)

TORN = "torn"
"""Folder beside `payload/` for bytes of appends that a crash interrupted."""


class Torn(Struct, frozen=True, kw_only=True):
    """The end of a file that a crash left unfinished; nobody had been told it was recorded.

    Attributes
    ----------
    path : Path
        Where its bytes are kept now.
    first_index : int
        The entry that was not finished.
    byte_count : int
    reason : str
    """

    path: Path
    first_index: int
    byte_count: int
    reason: str


class Journal:
    """The keeper's payload folder, open for appending.

    Parameters
    ----------
    folder : Path
        `payload/`; made if missing.
    published : int
        Entries that a signed tree already holds: none of them may be missing or damaged from its end here.

    Attributes
    ----------
    size : int
        Entries that are durable.
    torn : Torn or None
        What the last crash left.
    dirty : bool
        True once it is not known what the disk holds: an fsync failed, or undoing an append did. Nothing may be
        appended any more; opening the journal again reads what is there.

    Raises
    ------
    RecordError
        If a line of a published entry is damaged.
    """

    def __init__(self, folder: Path, published: int) -> None:
        self.folder = folder
        self.torn: Torn | None = None
        self.dirty = False
        make_folder(folder / DETACHED)
        self.size = self._recover(published)

    def append(self, sealed: Sequence[Sealed]) -> range:
        """Write entries at the end and fsync; return their indices.

        Raises
        ------
        OSError
            If the disk refuses; see `dirty` for whether appending may be tried again.
        """
        first = self.size
        for entry in sealed:
            if len(entry.payload) > MAX_INLINE_BYTES:
                self._detach(entry.payload)
        undo: list[tuple[Path, int]] = []
        try:
            for path, lines in self._lines(first, sealed):
                self._append_lines(path, lines, undo)
        except OSError:
            if not self.dirty:
                self._undo(undo)
            raise
        self.size = first + len(sealed)
        return range(first, self.size)

    def _lines(self, first: int, sealed: Sequence[Sealed]) -> Iterator[tuple[Path, bytes]]:
        at = 0
        while at < len(sealed):
            number = (first + at) // TILE_WIDTH
            here = sealed[at : (number + 1) * TILE_WIDTH - first]
            lines = [format_opening(first + at + i, e.envelope, e.salt, e.payload) for i, e in enumerate(here)]
            yield self.folder / payload_file(number), b"".join(lines)
            at += len(here)

    def read(self, start: int, end: int) -> Iterator[Opening]:
        """Yield the openings [start, end) as the disk has them.

        Raises
        ------
        VerificationError
            If one is missing or damaged.
        """
        expected = start
        for number in range(start // TILE_WIDTH, -(-end // TILE_WIDTH)):
            for opening in read_openings(self.folder, number):
                if start <= opening.index < end:
                    if opening.index != expected:
                        break
                    opening.check_quickly()
                    yield opening
                    expected += 1
        if expected != end:
            raise VerificationError(f"{self.folder}: entry {expected} is missing")

    def _append_lines(self, path: Path, lines: bytes, undo: list[tuple[Path, int]]) -> None:
        make_folder(path.parent)
        fresh = not path.exists()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            undo.append((path, os.fstat(fd).st_size))
            write_all(fd, lines)
            self.dirty = True
            sync_open(fd, folders=[path.parent] if fresh else [])
            self.dirty = False
        finally:
            os.close(fd)

    def _undo(self, undo: list[tuple[Path, int]]) -> None:
        """Cut files back to where they ended before an append that failed; if that fails too, nobody knows."""
        self.dirty = True
        for path, byte_count in undo:
            cut(path, byte_count)
        self.dirty = False

    def _detach(self, payload: bytes) -> None:
        path = self.folder / DETACHED / hashlib.sha256(payload).hexdigest()
        if path.exists() and path.read_bytes() == payload:
            return
        path.unlink(missing_ok=True)
        write_new(path, payload, mode=0o600)
        sync_folder(path.parent)

    def _recover(self, published: int) -> int:
        size = published
        number = published // TILE_WIDTH
        while (path := self.folder / payload_file(number)).exists():
            size = self._recover_file(path, number, published, size)
            if size < (number + 1) * TILE_WIDTH:
                break
            number += 1
        return size

    def _recover_file(self, path: Path, number: int, published: int, size: int) -> int:
        data = path.read_bytes()
        at, reason = 0, ""
        expected = number * TILE_WIDTH
        while at < len(data) and not reason:
            end = data.find(b"\n", at)
            try:
                if end < 0:
                    raise VerificationError("a line without its end")
                opening = parse_opening(data[at:end], f"{path} at byte {at}")
                if expected < published:  # lines of published entries may have been erased, by retention
                    expected = max(expected, min(opening.index, published))
                if opening.index != expected:
                    raise VerificationError(f"entry {opening.index} where {expected} should stand")
                resolve(self.folder, opening).check()
            except VerificationError as error:
                reason = str(error)
            else:
                at, expected = end + 1, expected + 1
        if reason and expected < published:
            raise RecordError(f"{path}: entry {expected} was published and is damaged now: {reason}")
        if reason:
            self._set_aside(path, data, at, expected, reason)
        return max(size, expected)

    def _set_aside(self, path: Path, data: bytes, keep: int, index: int, reason: str) -> None:
        folder = self.folder.parent / TORN
        make_folder(folder)
        aside, count = folder / f"{index}", 0
        while aside.exists():
            count += 1
            aside = folder / f"{index}.{count}"
        write_new(aside, data[keep:], mode=0o600)
        sync_folder(folder)
        cut(path, keep)
        self.torn = Torn(path=aside, first_index=index, byte_count=len(data) - keep, reason=reason)
