"""A disk that fails on cue: dies before the n-th change, refuses it, or loses power and all that was not synced.

Works inside one process by standing in for the calls of `os` that change files, so that every point of a run can be
tried in seconds; `test_crash.py` also kills a real process to show that the points are the same.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHANGES = ("open", "write", "fsync", "replace", "link", "unlink", "mkdir", "ftruncate", "rmdir")


class PowerCutError(BaseException):
    """The process is gone; nothing of it may run any more but closing what it had open."""


class FaultyDisk:
    """Counts the changes made to files, fails at one of them, and knows what was synced.

    Attributes
    ----------
    count : int
        Changes asked for so far.
    fail_at : int or None
        The one that fails, from 1.
    """

    def __init__(self, *, fail_at: int | None = None, error: BaseException | None = None, only: str = "") -> None:
        self.count = 0
        self.fail_at = fail_at
        self._error = error or PowerCutError()
        self._only = only
        self._content: dict[int, bytes] = {}
        self._folders: dict[int, dict[str, tuple[int, bool]]] = {}
        self._held: dict[int, int] = {}
        self._is_dead = False

    @contextmanager
    def installed(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Stand in for the calls of `os` while the block runs."""
        with patch.context() as inner:
            for name in CHANGES:
                inner.setattr(os, name, self._wrap(name, getattr(os, name)))
            yield
        for fd in self._held.values():
            os.close(fd)

    def _wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            is_change = name != "open" or bool(arguments[1] & os.O_CREAT)
            if is_change and self._is_dead:
                raise PowerCutError
            if is_change and self._only in {"", name}:
                self.count += 1
                if self.count == self.fail_at:
                    self._is_dead = isinstance(self._error, PowerCutError)
                    if name == "write":
                        real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                    raise self._error
            result = real(*arguments, **named)
            if name == "fsync":
                self._note_synced(arguments[0])
            return result

        return call

    def _note_synced(self, fd: int) -> None:
        found = os.fstat(fd)
        path = Path(os.readlink(f"/proc/self/fd/{fd}"))
        if stat.S_ISDIR(found.st_mode):
            entries: dict[str, tuple[int, bool]] = {}
            for entry in os.scandir(path):
                entries[entry.name] = (entry.inode(), entry.is_dir())
                self._hold(entry.inode(), path / entry.name)
            self._folders[found.st_ino] = entries
        else:
            self._content[found.st_ino] = path.read_bytes()
        self._hold(found.st_ino, path)

    def _hold(self, inode: int, path: Path) -> None:
        """Keep a file open, so that its inode's number is not used again."""
        if inode not in self._held:
            self._held[inode] = os.open(path, os.O_RDONLY)

    def after_power_cut(self, folder: Path, into: Path) -> None:
        """Write what the disk holds if everything that was not synced is lost."""
        into.mkdir()
        self._restore(folder.stat().st_ino, into)

    def _restore(self, inode: int, into: Path) -> None:
        for name, (child, is_folder) in self._folders.get(inode, {}).items():
            if is_folder:
                (into / name).mkdir()
                self._restore(child, into / name)
            else:
                (into / name).write_bytes(self._content.get(child, b""))
