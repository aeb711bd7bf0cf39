"""The station's time: what the ladder's clock guard tells, kept with every tick, and what jumped, for somebody to know.

Implements FAULTS 19 to 21 by `warn/guard.py`; a restart goes on from what the last tick was told.
"""

from __future__ import annotations

import threading

import msgspec

from tocsin.clock import reading
from tocsin.warn.guard import Jump, Told, tell


class StationClock:
    """A clock that never steps; may be read from any thread.

    Parameters
    ----------
    kept : bytes or None
        What `keep` returned at the last tick of the process before; None for a new station.
    at_least_us : int
        The last tick's time: it never says less.
    """

    def __init__(self, kept: bytes | None, *, at_least_us: int = 0) -> None:
        last = msgspec.json.decode(kept, type=Told) if kept else None
        self._lock = threading.Lock()
        self._at_least_us = at_least_us
        self._told, jump = tell(last, reading())
        self._jumps = [jump] if jump else []

    def now_us(self) -> int:
        """Return the time, microseconds UTC."""
        with self._lock:
            self._told, jump = tell(self._told, reading())
            if jump is not None:
                self._jumps.append(jump)
            return max(self._at_least_us, self._told.now_us)

    def jumps(self) -> list[Jump]:
        """Return what jumped since this was last asked."""
        with self._lock:
            jumps, self._jumps = self._jumps, []
        return jumps

    def keep(self) -> bytes:
        """Return what the next process goes on from."""
        with self._lock:
            return msgspec.json.encode(self._told)
