"""When snapshots are taken, and by whom: bounded work for a restart, and no wait for a disk in between.

The state is frozen between two ticks, turned into bytes, written and fsynced by a thread of its own, and named in the
transaction of a later tick. The two newest stay: should one be damaged, the other and more inputs do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tocsin.clock import US_PER_S
from tocsin.station.core.state import State
from tocsin.station.durable.snapshot import drop_snapshots, freeze_state, write_snapshot
from tocsin.store import schema
from tocsin.store.store import Store

log = logging.getLogger(__name__)

EVERY_TICKS = 2_000
EVERY_US = 300 * US_PER_S
"""How often at the most, and at the least, a snapshot is taken."""

EVERY_REPORTS = 250_000
"""Reports after which one is taken: about a second of replay."""

QUIET_REPORTS = 20_000
QUIET_US = US_PER_S
"""Reports after which one is taken as soon as none has come for so long: nobody waits for it then, and a start that
comes before the next report has nothing to take again."""

WAITING_SHARE = 4
"""One is taken at most when one part in so many of the reports that wait has come: a snapshot holds all of them."""

REPLAYED = 40_000
"""Reports that a start took again and settled again, each counted twice then, after which one is taken at once, lest
every start do it again."""

KEPT = 2
"""Snapshots that stay."""

Named = tuple[int, str, str]
"""A snapshot's tick, file and SHA-256."""


class Snapshots:
    """The snapshots of a data folder.

    Parameters
    ----------
    folder : Path
    store : Store
    replayed : int
        Reports that this start took or settled again (`rows.take_up`).
    """

    def __init__(self, folder: Path, store: Store, *, replayed: int = 0) -> None:
        self._folder = folder
        rows = store.rows(schema.snapshots)
        self._named: list[Named] = [(row["tick"], row["file"], row["sha256"]) for row in rows]
        self._tick = self._named[-1][0] if self._named else 0
        self._replayed = replayed
        self._received = self._newest = 0
        self._newest_us = 0
        self._at_us: int | None = None
        self._under_way: Future[Named] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="snapshot")

    def done(self) -> tuple[Named | None, int | None]:
        """Return a snapshot that has become durable, and before which tick others may go."""
        if self._under_way is None or not self._under_way.done():
            return None, None
        under_way, self._under_way = self._under_way, None
        try:
            self._named.append(under_way.result())
        except OSError as error:
            log.warning("station.snapshot", extra={"reason": str(error)})
            return None, None
        self._drop()
        return self._named[-1], self._named[0][0]

    def take(self, state: State) -> None:
        """Take a snapshot of a state that is durable, if one is due."""
        received = sum(counts.received for counts in state.counts.values())
        if received > self._newest:
            self._newest, self._newest_us = received, state.now_us
        if self._at_us is None:
            self._at_us, self._received = state.now_us, received - self._replayed
            most = REPLAYED
        elif state.now_us - self._newest_us >= QUIET_US:
            most = QUIET_REPORTS
        else:
            most = max(EVERY_REPORTS, len(state.live.order.waiting) // WAITING_SHARE)
        if self._under_way is None and self._is_due(state, received - self._received, most):
            self._tick, self._at_us, self._received = state.tick, state.now_us, received
            self._under_way = self._thread.submit(self._write, state.tick, freeze_state(state))

    def close(self) -> None:
        """Wait for what is under way; it is a file that nobody names, and dropped later."""
        self._thread.shutdown(wait=True)

    def _is_due(self, state: State, report_count: int, most: int) -> bool:
        since_us = state.now_us - (self._at_us or 0)
        return state.tick - self._tick >= EVERY_TICKS or since_us >= EVERY_US or report_count >= most

    def _write(self, tick: int, dump: Callable[[], bytes]) -> Named:
        name, sha256 = write_snapshot(self._folder, tick, dump())
        return tick, name, sha256

    def _drop(self) -> None:
        """Forget all but the newest, whose rows a restart would find whether or not this commit is made."""
        self._named = self._named[-KEPT:]
        drop_snapshots(self._folder, frozenset(name for _, name, _ in self._named))
