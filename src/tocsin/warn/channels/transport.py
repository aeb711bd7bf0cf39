"""The seam between a decided message and the world: one attempt in, one outcome out.

The states of an outcome follow RFC 3464: handed over is not delivered. A transport decides nothing about the ladder and
never raises for a failure outside: whatever happens to one attempt is its outcome. `send` blocks, at most `timeout_s`
and a little; it may be called from any thread and from several at once, so a live station runs it in a pool of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from tocsin.errors import DeliveryError
from tocsin.units import format_instant
from tocsin.warn.inputs import Answer, Rejected
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome


class Transport(Protocol):
    """One way of carrying messages.

    Attributes
    ----------
    kind : str
    timeout_s : float
        The longest that an attempt takes; 0 where nothing is waited for.
    """

    kind: str
    timeout_s: float

    def send(self, message: Message, now_us: int) -> Outcome:
        """Make one attempt.

        Parameters
        ----------
        message : Message
            Its `message_id` is the idempotency key: the same at every attempt.
        now_us : int
            Microseconds UTC: the time of the attempt.

        Returns
        -------
        Outcome
            `handed_over`, `delivered` (only if the transport holds proof), `failed_for_now` or `failed_for_good`.
        """
        ...


Hear = Callable[[Answer | Rejected], None]
"""Takes what came back by a channel; called from the listener's own thread."""

Told = Callable[[str], Message | None]
"""Returns the message of an id, or None if we sent none such."""


@runtime_checkable
class Listener(Protocol):
    """A transport by which answers come back."""

    def listen(self, hear: Hear, told: Told) -> Callable[[], None]:
        """Begin to listen, in a thread of its own, and return what ends it.

        Parameters
        ----------
        hear : callable
        told : callable

        Notes
        -----
        A connection that is lost is made anew until the end. What cannot be an answer is handed over as rejected, with
        its reason; what is not meant for us is not.
        """
        ...


def envelope(message: Message) -> dict[str, Any]:
    """Return what a machine at the other end is sent, as JSON; the same at every attempt."""
    return {
        "type": "tocsin.message/1",
        "message_id": message.message_id,
        "case": message.case_id,
        "purpose": str(message.purpose),
        "level": message.level,
        "channel": message.channel,
        "recipient": message.recipient,
        "saying": message.saying,
        "languages": list(message.languages),
        "subject": message.subject,
        "body": message.body,
        "queued": format_instant(message.queued_us),
    }


def failed(error: DeliveryError, transport: str, *, retry_after_s: float | None = None) -> Outcome:
    """Return the outcome of an attempt that failed."""
    state = MessageState.FAILED_FOR_NOW if error.retryable else MessageState.FAILED_FOR_GOOD
    return Outcome(state=state, reason=error.reason, transport=transport, retry_after_s=retry_after_s)
