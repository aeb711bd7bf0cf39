"""Pace: so many repeats a minute to one recipient, and no limit at all on what is said for the first time.

A storm of cases says everything first once; what it must not do is to repeat all of it to the same desk at once. A
repeat over the limit is held back, with the time when there is room again, and the ladder tries it then unless its
deadline comes first. A first message, a call, a stand-down and a correction always pass.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque

from tocsin.agreement.playbook import MOVER
from tocsin.clock import US_PER_S
from tocsin.warn.channels.transport import Transport
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome

WINDOW_S = 60.0
"""Seconds over which repeats are counted; the limit is set per minute."""


class Paced:
    """A transport whose repeats are limited per recipient.

    Parameters
    ----------
    inner : Transport
    repeats_per_minute : int
    """

    def __init__(self, inner: Transport, *, repeats_per_minute: int) -> None:
        self.kind = inner.kind
        self.timeout_s = inner.timeout_s
        self.inner = inner
        self._lock = threading.Lock()
        self._limit = repeats_per_minute
        self._sent_us: dict[str, deque[int]] = defaultdict(deque)

    def send(self, message: Message, now_us: int) -> Outcome:
        """Send, or say when there is room again; see `Transport.send`."""
        if message.is_repeat:
            wait_s = self._wait_s(message, now_us)
            if wait_s > 0.0:
                reason = f"held back: {self._limit} repeats went to {message.recipient} within a minute"
                return Outcome(
                    state=MessageState.FAILED_FOR_NOW,
                    reason=reason,
                    transport=self.kind,
                    retry_after_s=wait_s,
                    held_back=True,
                )
        return self.inner.send(message, now_us)

    def _wait_s(self, message: Message, now_us: int) -> float:
        """Return the seconds until there is room again; 0 if there is, and then it is taken."""
        whom = message.case_id if message.recipient == MOVER else message.recipient
        with self._lock:
            sent = self._sent_us[whom]
            while sent and now_us - sent[0] >= WINDOW_S * US_PER_S:
                sent.popleft()
            if len(sent) >= self._limit:
                return WINDOW_S - (now_us - sent[0]) / US_PER_S
            sent.append(now_us)
            return 0.0
