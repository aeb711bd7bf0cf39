"""Console: a message printed for a person who is looking, such as a radio operator who reads it out.

Printing is handing over, never delivery: nobody knows whether anybody looked.
"""

from __future__ import annotations

import sys
from typing import Literal, TextIO

from tocsin.errors import DeliveryError
from tocsin.units import format_instant
from tocsin.warn.channels.setting import ChannelSetting, Room
from tocsin.warn.channels.transport import failed
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome


class Console:
    """Print each message to a text stream.

    Parameters
    ----------
    stream : file-like or None
        Standard error if None, since standard output is for data.
    """

    kind = "console"
    timeout_s = 0.0

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, message: Message, now_us: int) -> Outcome:
        """Print one message between two rules; see `Transport.send`."""
        stream = self._stream or sys.stderr
        head = f"--- {format_instant(now_us)} {message.channel} -> {message.recipient} ({message.message_id[:8]})"
        try:
            stream.write(f"{head}\n{message.subject}\n{message.body}\n---\n")
            stream.flush()
        except (OSError, ValueError) as error:
            return failed(DeliveryError(f"cannot print: {error}", retryable=True), self.kind)
        return Outcome(state=MessageState.HANDED_OVER, transport=self.kind)


class ConsoleSetting(ChannelSetting, frozen=True, kw_only=True):
    """Print to standard error."""

    transport: Literal["console"]

    def build(self, room: Room) -> Console:
        """Return the transport; it needs nothing of the room."""
        return Console()
