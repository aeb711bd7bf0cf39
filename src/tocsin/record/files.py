"""Files whose bytes are on the disk before anybody is told so.

A write counts once its file and its folder are fsynced. A failed fsync is never tried again: the kernel may have
dropped the pages and report success the second time (FAULTS 2.1, no. 5), so the caller must stop.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tocsin.errors import RecordError

try:
    import fcntl
except ImportError:  # Windows: no flock; the lock file is then opened exclusively
    fcntl = None  # type: ignore[assignment]


FSYNC_THREADS = 8
"""Fsyncs that are asked for at once."""


def write_new(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file that must not exist yet, and fsync it; its folder is the caller's to sync."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)


def write_new_files(files: Mapping[Path, bytes], *, mode: int = 0o644) -> None:
    """Write files that must not exist yet, and fsync them all; their folders are the caller's to sync.

    The fsyncs are asked for at once, from several threads: a journalling disk then answers them with one commit. Four
    one after the other took 19 ms on a busy machine, four at once 2 ms.
    """
    fds: list[int] = []
    try:
        for path, data in files.items():
            fds.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
            write_all(fds[-1], data)
        _fsync_all(fds)
    finally:
        for fd in fds:
            os.close(fd)


def _fsync_all(fds: Sequence[int]) -> None:
    """Fsync open files, side by side if there are several; raise what the first that failed raised."""
    if len(fds) < 2:
        for fd in fds:
            os.fsync(fd)
        return
    with ThreadPoolExecutor(min(len(fds), FSYNC_THREADS)) as pool:
        list(pool.map(os.fsync, fds))


def write_all(fd: int, data: bytes) -> None:
    """Write all bytes, however many calls the kernel needs."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def read_back(path: Path) -> bytes:
    """Return a file's bytes as the disk has them: what the kernel kept in memory of it is dropped first."""
    fd = os.open(path, os.O_RDONLY)
    try:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        chunks = []
        while chunk := os.read(fd, 1 << 20):
            chunks.append(chunk)
    finally:
        os.close(fd)
    return b"".join(chunks)


def sync_folder(path: Path) -> None:
    """Make a folder's list of names durable."""
    if os.name != "posix":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_path(path: Path) -> None:
    """Make a file's bytes, or a folder's list of names, durable."""
    if path.is_dir():
        sync_folder(path)
        return
    fd = os.open(path, os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_open(fd: int, *, folders: Iterable[Path] = ()) -> None:
    """Fsync an open file, and folders whose lists of names it changed, side by side."""
    opened = [os.open(path, os.O_RDONLY) for path in folders] if os.name == "posix" else []
    try:
        _fsync_all([fd, *opened])
    finally:
        for one in opened:
            os.close(one)


def make_folder(path: Path) -> None:
    """Make a folder, and those on the way to it, durably."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def replace_file(path: Path, data: bytes, *, by: Path | None = None, mode: int = 0o644) -> None:
    """Put new bytes in a file's place, so that after a crash it holds the old ones or the new ones.

    Parameters
    ----------
    path : Path
    data : bytes
    by : Path or None
        A folder on the same disk for the new file until it is complete; beside the old one if None.
    mode : int
        Of a file that was not there.
    """
    fresh = (by or path.parent) / f"{path.name}.new"
    fresh.unlink(missing_ok=True)
    write_new(fresh, data, mode=mode)
    os.replace(fresh, path)
    sync_folder(path.parent)


def cut(path: Path, byte_count: int) -> None:
    """Shorten a file to its first bytes, durably."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.ftruncate(fd, byte_count)
        os.fsync(fd)
    finally:
        os.close(fd)


class Lock:
    """One process at a time on one folder; let go of by closing or by dying, never by a stale file.

    Raises
    ------
    RecordError
        At once, if another process holds it.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise RecordError(f"{path}: this folder cannot be locked for writing ({error.strerror})") from error
        if fcntl is None:
            return
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise RecordError(f"{path}: another process has this folder open; only one may write it") from None

    def close(self) -> None:
        """Let go."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
