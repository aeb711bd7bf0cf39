"""Senders: the attempts of the outbox, each made by its channel's transport, what came of it handed back as input.

A few threads a channel, so that one that hangs holds up no other (FAULTS 44); each transport has its own time-out. The
message id is the idempotency key: an attempt that a crash cut off is made again under the same (FAULTS 41). What an
outcome means is the ladder's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tocsin.warn.channels.config import Transports
from tocsin.warn.inputs import CallPerson, Reported, Send

THREADS_A_CHANNEL = 8
"""Attempts that one channel makes at a time; a storm of 500 at 100 ms each is through in 7 s."""


class Senders:
    """The threads that send.

    Parameters
    ----------
    transports : Transports
    report : callable
        Takes the outcome of every attempt.
    now_us : callable
        The station's time.
    """

    def __init__(
        self, transports: Transports, *, report: Callable[[Reported], None], now_us: Callable[[], int]
    ) -> None:
        self._transports = transports
        self._report = report
        self._now_us = now_us
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._change = threading.Lock()
        self._stopping = False

    def send(self, attempt: Send | CallPerson) -> None:
        """Make one attempt, soon; returns at once."""
        channel = attempt.message.channel
        with self._change:
            if self._stopping:
                return
            pool = self._pools.get(channel)
            if pool is None:
                pool = ThreadPoolExecutor(THREADS_A_CHANNEL, thread_name_prefix=f"send-{channel}")
                self._pools[channel] = pool
            pool.submit(self._make, attempt)

    def stop(self) -> None:
        """Begin no further attempt, and wait for those under way; what was not begun stays in the outbox."""
        with self._change:
            self._stopping = True
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def _make(self, attempt: Send | CallPerson) -> None:
        message = attempt.message
        outcome = self._transports.send(message, self._now_us())
        self._report(
            Reported(message_id=message.message_id, number=attempt.number, outcome=outcome, at_us=self._now_us())
        )
