"""File: each message as one line of JSON, on the disk before the attempt counts as handed over.

The line is RFC 8785 JSON of `transport.envelope` and the time of the attempt. It is appended with one write and synced,
and the folder is synced when the file is new, so that a power cut after `handed_over` loses nothing. No rotation. With
`cap` each message is a document of its own in a folder, put there whole or not at all.
"""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Literal

from tocsin.canon import canonical_line
from tocsin.errors import DeliveryError
from tocsin.units import format_instant
from tocsin.warn.channels.formats.form import Form
from tocsin.warn.channels.setting import CapSetting, ChannelSetting, Name, Room, form_of
from tocsin.warn.channels.transport import Transport, envelope, failed
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome

_PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EAGAIN, errno.EINTR, errno.EMFILE, errno.ENFILE, errno.ENOENT})
"""Errors that may pass: a full disk, a quota, too many open files, a folder not yet mounted."""


class JsonLinesFile:
    """Append each message to a JSON Lines file.

    Parameters
    ----------
    path : Path
        Its folder must exist.
    """

    kind = "file"
    timeout_s = 0.0

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def send(self, message: Message, now_us: int) -> Outcome:
        """Append one line and sync it; see `Transport.send`."""
        line = canonical_line({**envelope(message), "sent": format_instant(now_us)})
        try:
            with self._lock:
                offset = self._append(line)
        except OSError as error:
            reason = f"cannot append to {self.path.name}: {error.strerror or error}"
            return failed(DeliveryError(reason, retryable=error.errno in _PASSING), self.kind)
        return Outcome(state=MessageState.HANDED_OVER, transport=self.kind, transport_id=f"{self.path.name}@{offset}")

    def _append(self, line: bytes) -> int:
        is_new = not self.path.exists()
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = os.lseek(handle, 0, os.SEEK_END)
            torn = end > 0 and os.pread(handle, 1, end - 1) != b"\n"
            whole = b"\n" + line if torn else line
            if os.write(handle, whole) != len(whole):
                raise OSError(errno.ENOSPC, "only part of the line was written")
            os.fsync(handle)
        finally:
            os.close(handle)
        if is_new:
            sync_folder(self.path.parent)
        return end + 1 if torn else end


class Documents:
    """Put each message into a folder as a document of its own, named by its id; a second attempt writes the same.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    form : Form
    """

    kind = "file"
    timeout_s = 0.0

    def __init__(self, folder: Path, form: Form) -> None:
        self.folder = folder
        self._form = form

    def send(self, message: Message, now_us: int) -> Outcome:
        """Write one document and sync it; see `Transport.send`."""
        payload = self._form.render(message)
        name = message.message_id + payload.suffix
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            put_whole(self.folder / name, payload.body)
        except OSError as error:
            reason = f"cannot write {name}: {error.strerror or error}"
            return failed(DeliveryError(reason, retryable=error.errno in _PASSING), self.kind)
        return Outcome(state=MessageState.HANDED_OVER, transport=self.kind, transport_id=name)


class FileSetting(ChannelSetting, frozen=True, kw_only=True):
    """Append to a JSON Lines file, or with `cap` write documents into a folder; a relative path is in the output."""

    transport: Literal["file"]
    path: Name
    cap: CapSetting | None = None

    def build(self, room: Room) -> Transport:
        """Return the transport."""
        path = room.out / self.path
        return JsonLinesFile(path) if self.cap is None else Documents(path, form_of(self.cap))


def put_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
