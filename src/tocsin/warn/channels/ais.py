"""AIS: a message as safety-related text for a transponder to send, to one ship (12) or to all (14).

The sentences go to a file, or by TCP or UDP to a transmitter on our own network. Handing them to it is *handed over*;
that it was sent, or shown on a bridge, nobody here knows. A text that had to be shortened or written otherwise says so
in its outcome. Messages to others than a ship go out only by broadcast.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol

from msgspec import Meta

from tocsin.agreement.playbook import MOVER
from tocsin.errors import DeliveryError
from tocsin.warn.channels.dial import dial
from tocsin.warn.channels.file import sync_folder
from tocsin.warn.channels.formats.ais import ADDRESSED_LIMIT, BROADCAST_LIMIT, addressed, broadcast, safety_text
from tocsin.warn.channels.guard import Network, checked_addresses
from tocsin.warn.channels.setting import ChannelSetting, Port, Room, networks, seconds
from tocsin.warn.channels.transport import failed
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome

TIMEOUT_S = 10.0
_MMSI = re.compile(r"mmsi:(\d{9})")


class Wire(Protocol):
    """Where the sentences go."""

    def put(self, sentences: bytes) -> None:
        """Hand the sentences over.

        Raises
        ------
        DeliveryError, OSError
            If they cannot be.
        """
        ...


class FileWire:
    """Append to a file that a transmitter reads, synced.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def put(self, sentences: bytes) -> None:
        """Append in one write; see `Wire.put`."""
        with self._lock:
            is_new = not self._path.exists()
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb", buffering=0) as file:
                if file.write(sentences) != len(sentences):
                    raise OSError("only part of the sentences was written")
                os.fsync(file.fileno())
            if is_new:
                sync_folder(self._path.parent)


class NetWire:
    """Send to an address of the allow list; the sentences go plain.

    Parameters
    ----------
    host : str
    port : int
    is_udp : bool
        True: one datagram a sentence, which nobody confirms.
    allow : sequence of network
    timeout_s : float
    """

    def __init__(self, host: str, port: int, *, is_udp: bool, allow: Sequence[Network], timeout_s: float) -> None:
        self._where = (host, port)
        self._is_udp = is_udp
        self._allow = tuple(allow)
        self._timeout_s = timeout_s

    def put(self, sentences: bytes) -> None:
        """Send; see `Wire.put`."""
        host, port = self._where
        if not self._is_udp:
            with dial(host, port, allow=self._allow, timeout_s=self._timeout_s, plain=True) as connection:
                connection.sendall(sentences)
                connection.shutdown(socket.SHUT_WR)
            return
        address = checked_addresses(host, port, allow=self._allow, timeout_s=self._timeout_s, plain=True)[0]
        family = socket.AF_INET6 if isinstance(address, ipaddress.IPv6Address) else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            for sentence in sentences.splitlines(keepends=True):
                sender.sendto(sentence, (str(address), port))


class Ais:
    """Write each message as safety-related text.

    Parameters
    ----------
    wire : Wire
    is_broadcast : bool
        True: message 14, to all; else message 12, to the ship told.
    radio_channel : int
        0: the transponder chooses; 1: A; 2: B; 3: both.
    timeout_s : float
    """

    kind = "ais"

    def __init__(
        self, wire: Wire, *, is_broadcast: bool = False, radio_channel: int = 0, timeout_s: float = 0.0
    ) -> None:
        self.timeout_s = timeout_s
        self._wire = wire
        self._is_broadcast = is_broadcast
        self._radio_channel = radio_channel
        self._lock = threading.Lock()
        self._sequence = 0

    def send(self, message: Message, now_us: int) -> Outcome:
        """Hand the sentences to the transmitter; see `Transport.send`."""
        try:
            text = safety_text(message, limit=BROADCAST_LIMIT if self._is_broadcast else ADDRESSED_LIMIT)
            sentences = self._sentences(message, text.text)
            self._wire.put("".join(sentences).encode("ascii"))
        except DeliveryError as error:
            return failed(error, self.kind)
        except ValueError as error:
            return failed(DeliveryError(str(error), retryable=False), self.kind)
        except OSError as error:
            return failed(DeliveryError(f"transmitter: {error.strerror or error}", retryable=True), self.kind)
        sent = f"{len(sentences)} sentences for the transmitter: {text.text}"
        reason = "; ".join([sent, *text.notes])
        return Outcome(state=MessageState.HANDED_OVER, reason=reason, transport=self.kind)

    def _sentences(self, message: Message, text: str) -> tuple[str, ...]:
        with self._lock:
            sequence, self._sequence = self._sequence, (self._sequence + 1) % 4
        if self._is_broadcast:
            return broadcast(text, sequence=sequence, channel=self._radio_channel)
        found = _MMSI.fullmatch(message.facts.track_id) if message.facts and message.recipient == MOVER else None
        if found is None:
            raise ValueError(f"{message.recipient} has no MMSI that a text could be addressed to")
        return addressed(text, mmsi=int(found[1]), sequence=sequence, channel=self._radio_channel)


class AisSetting(ChannelSetting, frozen=True, kw_only=True):
    """Write ABM or BBM sentences to a file (`path`), or send them to a transmitter (`host`, `port`)."""

    transport: Literal["ais"]
    to: Literal["ship", "all"] = "ship"
    path: str | None = None
    host: str | None = None
    port: Port | None = None
    protocol: Literal["tcp", "udp"] = "tcp"
    allow: tuple[str, ...] = ()
    radio_channel: Annotated[int, Meta(ge=0, le=3)] = 0
    timeout: str | None = None

    def __post_init__(self) -> None:
        if (self.path is None) == (self.host is None) or (self.host is None) != (self.port is None):
            raise ValueError("expected path, or host and port")

    def build(self, room: Room) -> Ais:
        """Return the transport."""
        timeout_s = seconds(self.timeout, TIMEOUT_S)
        is_broadcast = self.to == "all"
        if self.path is not None:
            wire: Wire = FileWire(room.out / self.path)
            return Ais(wire, is_broadcast=is_broadcast, radio_channel=self.radio_channel)
        wire = NetWire(
            self.host or "",
            self.port or 0,
            is_udp=self.protocol == "udp",
            allow=networks(self.allow),
            timeout_s=timeout_s,
        )
        return Ais(wire, is_broadcast=is_broadcast, radio_channel=self.radio_channel, timeout_s=timeout_s)
