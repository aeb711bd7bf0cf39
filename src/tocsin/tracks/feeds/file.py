"""Reports that another program writes to a file: `file:PATH`, read to its end and followed from there.

The position is the place after the last whole line that is durable, so that a restart goes on there and nothing is read
twice. A file that was renamed away is read to its end before the new one is begun, also across a restart, if it still
lies in the same folder. A file that shrank, or that begins otherwise than before, is read from its beginning, and is
said to have been cut: what was not read before that is lost (FAULTS 34). Compressed files are for `tocsin replay`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from tocsin.clock import US_PER_S, now_us
from tocsin.errors import SettingError
from tocsin.tracks.feeds.address import FeedAddress
from tocsin.tracks.feeds.decoding import OPTIONS, policy_of, reader_of
from tocsin.tracks.feeds.feed import Deliver, FactKind
from tocsin.tracks.feeds.inbox import Inbox
from tocsin.tracks.feeds.udp import SILENCE_S, watch_silence

POLL_S = 0.25
"""Seconds between looks at a file that had nothing new, unless the URL says otherwise."""

PIECE_BYTES = 65_536
"""Bytes read at a time."""

HEAD_BYTES = 256
"""Bytes at the beginning of a file by which it is known again."""


class Mark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a file feed is.

    Attributes
    ----------
    inode : int
    offset : int
        Bytes that are done: up to the end of a line.
    head : str
        SHA-256 of the first `head_bytes` of the file, in hexadecimal digits.
    head_bytes : int
    """

    inode: int
    offset: int
    head: str
    head_bytes: int


class _Open(Struct, kw_only=True):
    """A file while it is read."""

    file: BinaryIO
    mark: Mark
    taken: int

    @property
    def inode(self) -> int:
        return os.fstat(self.file.fileno()).st_ino


class FileFeed:
    """Lines that another program appends to a file.

    Parameters
    ----------
    address : FeedAddress
        `file:PATH`, absolute or from the working directory; the file may not be there yet.

    Raises
    ------
    SettingError
        For an option or value that is none.
    """

    def __init__(self, address: FeedAddress) -> None:
        address.allow(*OPTIONS, "timeout", "poll")
        if not address.path or address.host:
            raise SettingError("no path", expected="file:PATH", place=address.place)
        self._path = Path(address.path)
        self.name = address.name(f"file:{self._path.name}")
        self.policy = policy_of(address)
        self._poll_s = max(0.01, address.duration_us("poll", POLL_S) / US_PER_S)
        self._timeout_us = address.duration_us("timeout", SILENCE_S)
        self._reader = reader_of(address, self.name)

    async def run(self, deliver: Deliver, *, resume: str | None) -> None:
        """Follow the file and hand over, until cancelled.

        Parameters
        ----------
        deliver : callable
        resume : str or None
            A `Mark` as JSON, as this feed handed it over.
        """
        inbox = Inbox(feed=self.name, lateness_us=self.policy.lateness_us, position=resume)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(inbox.run(deliver))
            tasks.create_task(watch_silence(inbox, self._timeout_us))
            await self._follow(inbox, None if resume is None else msgspec.json.decode(resume, type=Mark))

    async def _follow(self, inbox: Inbox, mark: Mark | None) -> None:
        missing_said = False
        while True:
            opened = self._begin(inbox, mark)
            if opened is None:
                if not missing_said:
                    inbox.note(FactKind.LOST, "the file is not there")
                    missing_said = True
            else:
                missing_said = False
                with opened.file:
                    await self._read(opened, inbox)
                mark = None
            await asyncio.sleep(self._poll_s)

    def _begin(self, inbox: Inbox, mark: Mark | None) -> _Open | None:
        """Open the file where a mark says, or the one that it was renamed to, or anew."""
        if mark is not None:
            try:
                beside = sorted(self._path.parent.glob(f"{self._path.name}*"))
            except OSError:
                beside = []
            for path in (self._path, *beside):
                opened = _open(path, mark)
                if opened is not None:
                    return opened
            if self._path.exists():
                inbox.note(FactKind.MISSED, f"not the file that was read up to byte {mark.offset}: read from its start")
        return _open(self._path, None)

    async def _read(self, opened: _Open, inbox: Inbox) -> None:
        """Read a file to its end, and on, until another takes its place."""
        lines = self._reader()

        def position() -> str:
            done = opened.taken - lines.held_bytes
            mark = msgspec.structs.replace(opened.mark, offset=max(done, opened.mark.offset))
            return msgspec.json.encode(mark).decode()

        inbox.open(lines, position)
        try:
            while True:
                await inbox.room()
                # A look at the name before the read: what was renamed away by then is read to its end below.
                is_replaced = self._is_replaced(opened)
                if not _is_same(opened):
                    inbox.note(FactKind.MISSED, f"the file was cut after {opened.taken} bytes: read from its start")
                    return
                data = opened.file.read(PIECE_BYTES)
                if data:
                    opened.taken += len(data)
                    _remember_head(opened)
                    lines.push(data, now_us())
                    inbox.came()
                    await asyncio.sleep(0)
                elif is_replaced:
                    return
                else:
                    await asyncio.sleep(self._poll_s)
        finally:
            inbox.close(lines)

    def _is_replaced(self, opened: _Open) -> bool:
        try:
            return self._path.stat().st_ino != opened.inode
        except OSError:
            return False


def _open(path: Path, mark: Mark | None) -> _Open | None:
    """Return a file opened at its mark, or at its beginning; None if it is not there, or not the one meant."""
    try:
        file = path.open("rb")
    except OSError:
        return None
    stat = os.fstat(file.fileno())
    if mark is None:
        return _Open(file=file, mark=Mark(inode=stat.st_ino, offset=0, head=_digest(b""), head_bytes=0), taken=0)
    head = file.read(mark.head_bytes)
    if stat.st_ino != mark.inode or stat.st_size < mark.offset or _digest(head) != mark.head:
        file.close()
        return None
    file.seek(mark.offset)
    return _Open(file=file, mark=mark, taken=mark.offset)


def _remember_head(opened: _Open) -> None:
    if opened.mark.head_bytes < HEAD_BYTES:
        head = os.pread(opened.file.fileno(), min(HEAD_BYTES, opened.taken), 0)
        opened.mark = msgspec.structs.replace(opened.mark, head=_digest(head), head_bytes=len(head))


def _is_same(opened: _Open) -> bool:
    descriptor = opened.file.fileno()
    if os.fstat(descriptor).st_size < opened.taken:
        return False
    return _digest(os.pread(descriptor, opened.mark.head_bytes, 0)) == opened.mark.head


def _digest(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()
