"""The calls that change a real folder, as a simulated process makes them: it can die between any two of them.

What a process has done to its files stays, as it does when a process is killed; what unsynced data a power cut takes is
`tests/crash/powercut.py`'s. Salts and keys come from the seed while it runs, so that a seed gives the same bytes.
"""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from tests.sim.machines import Died

CALLS = ("fsync", "replace", "unlink", "write", "mkdir", "rename", "ftruncate")
"""Of `os`: before each of them the process may die."""


class Disk:
    """The disk of one simulated machine.

    Attributes
    ----------
    left : int or None
        Calls until the process dies; None: it does not.
    """

    def __init__(self, seed: int) -> None:
        self.left: int | None = None
        self._random = random.Random(f"salts of {seed}")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the calls of this process be those of the simulated one."""
        with ExitStack() as stack:
            for name in CALLS:
                stack.enter_context(patch.object(os, name, self._mortal(getattr(os, name))))
            stack.enter_context(patch.object(secrets, "token_bytes", self._random.randbytes))
            yield

    def _mortal(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **more: Any) -> Any:
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    self.left = None
                    raise Died
            return call(*args, **more)

        return called


class Inline:
    """An executor without a thread: what is asked of it is done before it answers."""

    def submit(self, act: Callable[..., Any], *args: Any) -> Future[Any]:
        """Do it; what it raises is the future's, but for the end of the process."""
        future: Future[Any] = Future()
        try:
            future.set_result(act(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, *, wait: bool) -> None:
        """Nothing is under way."""
