"""Room: a reserve on the disk, kept so that open ladders go on when everything else has filled it (FAULTS 6).

The reserve is a file of its own, with its blocks allocated; it is given up when the disk says no, and made anew before
reports are taken again. It watches the disk of the data folder; a database elsewhere answers for itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

RESERVE_BYTES = 16 * 2**20
"""The reserve: thousands of ticks without reports."""

SHARE = 8
"""The reserve is no more than one part in so many of what was free at the start, on small disks."""

FILE = "reserve"


class Room:
    """The reserve of a data folder.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        held = self._path.stat().st_size if self._path.exists() else 0
        free = shutil.disk_usage(folder).free + held
        self.reserve_bytes = max(1, min(RESERVE_BYTES, free // SHARE))
        self.make()

    def make(self) -> bool:
        """Make the reserve if it is not there; return True if it is, and as much again is free beside it."""
        held = self._path.exists()
        if shutil.disk_usage(self._path.parent).free < (1 if held else 2) * self.reserve_bytes:
            return False
        if held:
            return True
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                _allocate(fd, self.reserve_bytes)
            finally:
                os.close(fd)
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the reserve up."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def is_short(self) -> bool:
        """Return True if less is free than half of the reserve; reports are taken again only once all of it is."""
        return shutil.disk_usage(self._path.parent).free < self.reserve_bytes // 2

    def sentence(self) -> str:
        """Return how much is free, for people."""
        free = shutil.disk_usage(self._path.parent).free
        return f"{free >> 10} KiB are free beside a reserve of {self.reserve_bytes >> 10} KiB; no reports are taken"


def _allocate(fd: int, byte_count: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, byte_count)
    else:
        os.write(fd, bytes(byte_count))
