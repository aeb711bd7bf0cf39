"""The seam between a message and the bytes a carrier moves: JSON of our own, or CAP 1.2.

A form decides nothing and knows no carrier; file, webhook, MQTT and NATS carry any of them. What a form cannot say it
leaves out, and its file says which.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from tocsin.canon import canonical_bytes
from tocsin.units import format_instant
from tocsin.warn.channels.transport import envelope
from tocsin.warn.telling import Message


class Payload(Struct, frozen=True, kw_only=True):
    """What is carried.

    Attributes
    ----------
    body : bytes
    content_type : str
        Media type.
    suffix : str
        File suffix with its full stop.
    """

    body: bytes
    content_type: str
    suffix: str


class Form(Protocol):
    """One way of writing a message down."""

    def render(self, message: Message) -> Payload:
        """Return the bytes of a message; the same at every attempt."""
        ...


class JsonForm:
    """Our own JSON, RFC 8785, in the event envelope that Standard Webhooks recommends."""

    def render(self, message: Message) -> Payload:
        """Return `{"type", "timestamp", "data"}` with `transport.envelope` as its data."""
        body = canonical_bytes(
            {"type": "tocsin.message", "timestamp": format_instant(message.queued_us), "data": envelope(message)}
        )
        return Payload(body=body, content_type="application/json", suffix=".json")
