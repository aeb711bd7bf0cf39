"""File: each message as one line of JSON, on the disk before the attempt counts as handed over.

The line is RFC 8785 JSON of `transport.envelope` and the time of the attempt. It is appended with one write and synced,
and the folder is synced when the file is new, so that a power cut after `handed_over` loses nothing. No rotation.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from tocsin.canon import canonical_line
from tocsin.errors import DeliveryError
from tocsin.units import format_instant
from tocsin.warn.case import Message, Outcome
from tocsin.warn.channels.transport import envelope, failed
from tocsin.warn.states import MessageState

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

    def __init__(self, path: Path) -> None:
        self.path = path

    def send(self, message: Message, now_us: int) -> Outcome:
        """Append one line and sync it; see `Transport.send`."""
        line = canonical_line({**envelope(message), "sent": format_instant(now_us)})
        try:
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
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return end + 1 if torn else end
