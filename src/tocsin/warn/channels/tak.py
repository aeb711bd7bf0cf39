"""TAK: messages as Cursor-on-Target over TCP or TLS, to a TAK server or client, and the receipts that come back by it.

One connection is kept, so that what comes back is heard; it is made anew when it is lost. Handing the events to the
connection is *handed over*; delivered and read come as receipts. It speaks CoT XML, version 0 of the TAK protocol, and
enrols nobody: certificates come from the server's own keeper.
"""

from __future__ import annotations

import select
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from socket import SHUT_RDWR, socket
from typing import Annotated, Literal

from msgspec import Meta

from tocsin.clock import now_us as wall_us
from tocsin.errors import DeliveryError, Place
from tocsin.warn.channels.dial import dial
from tocsin.warn.channels.formats.cot import Contact, events, read_event, split
from tocsin.warn.channels.guard import Network
from tocsin.warn.channels.setting import ChannelSetting, Name, Port, Room, networks, seconds
from tocsin.warn.channels.transport import Hear, Told, failed
from tocsin.warn.inputs import Rejected
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome

TIMEOUT_S = 15.0
"""Seconds to connect, and to hand over; a warning cannot wait longer."""
AGAIN_S = 5.0
"""Seconds before a listener's lost connection is made anew. Origin: short beside any deadline, kind to a server that
restarts."""
LOOK_S = 0.5
"""Seconds that a reader waits for something to come before it looks whether its connection still stands."""
RECORD_S = 0.1
"""Seconds that a reader waits for the rest of a TLS record, `send` waiting meanwhile."""
_CHUNK = 65_536


class Tak:
    """Send each message to the contacts of its recipient.

    Parameters
    ----------
    host : str
    port : int
    ours : Contact
    to : mapping of str to sequence of Contact
        By recipient: a party, or the person called.
    tls : ssl.SSLContext or None
        None: plain TCP, to addresses of the allow list alone, and nothing heard there counts as an answer.
    allow : sequence of network
    channel : str or None
        The channel that chats are heard on, where this transport serves one alone.
    timeout_s : float
    """

    kind = "tak"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        ours: Contact,
        to: Mapping[str, Sequence[Contact]],
        tls: ssl.SSLContext | None,
        allow: Sequence[Network] = (),
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.timeout_s = timeout_s
        self._where = (host, port)
        self._ours = ours
        self._to = to
        self._tls = tls
        self._allow = tuple(allow)
        self._lock = threading.Lock()
        self._connection: socket | None = None
        self._heard: tuple[Hear, Told] | None = None
        self._ended = threading.Event()

    def send(self, message: Message, now_us: int) -> Outcome:
        """Send the events of one message; see `Transport.send`."""
        to = self._to.get(message.recipient, ())
        if not to:
            return failed(DeliveryError(f"no contact of {message.recipient} is set", retryable=False), self.kind)
        sent = events(message, ours=self._ours, to=to, now_us=now_us)
        with self._lock:
            try:
                self._connected().sendall(b"".join(sent))
            except DeliveryError as error:
                return failed(error, self.kind)
            except OSError as error:
                self._drop()
                said = error.strerror or str(error) or type(error).__name__
                reason = f"{self._where[0]}: {said}; whether it was received is not known"
                return failed(DeliveryError(reason, retryable=True), self.kind)
        names = ", ".join(contact.callsign for contact in to)
        return Outcome(state=MessageState.HANDED_OVER, reason=f"to {names}", transport=self.kind)

    def listen(self, hear: Hear, told: Told) -> Callable[[], None]:
        """Keep a connection, and hear what comes back; see `Listener.listen`."""
        self._heard = (hear, told)
        self._ended.clear()
        keeper = threading.Thread(target=self._keep, name=f"tak {self._where[0]}", daemon=True)
        keeper.start()

        def end() -> None:
            self._ended.set()
            with self._lock:
                self._drop()
            keeper.join(self.timeout_s)

        return end

    def _keep(self) -> None:
        while not self._ended.is_set():
            with self._lock, suppress(DeliveryError, OSError):
                self._connected()
            self._ended.wait(AGAIN_S)

    def _connected(self) -> socket:
        """Return the connection, made if there is none; under the lock."""
        if self._connection is not None:
            return self._connection
        host, port = self._where
        made = dial(host, port, allow=self._allow, timeout_s=self.timeout_s, plain=self._tls is None)
        if self._tls is not None:
            try:
                made = self._tls.wrap_socket(made, server_hostname=host)
            except OSError:
                made.close()
                raise
        self._connection = made
        threading.Thread(target=self._read, args=[made], name=f"tak {host} reader", daemon=True).start()
        return made

    def _next_chunk(self, connection: socket) -> bytes | None:
        """Return what has come, empty at the end, None if nothing yet.

        Never reads while `send` writes: Python's `ssl` lets two threads enter one connection, OpenSSL does not.
        """
        with self._lock:
            waiting = isinstance(connection, ssl.SSLSocket) and connection.pending()
        try:
            if not waiting and not select.select([connection], [], [], LOOK_S)[0]:
                return None
        except ValueError:  # closed meanwhile by `send` or the listener's end: it has no number any more
            return b""
        with self._lock:
            connection.settimeout(RECORD_S)
            try:
                return connection.recv(_CHUNK)
            except TimeoutError:
                return None
            finally:
                connection.settimeout(self.timeout_s)

    def _read(self, connection: socket) -> None:
        rest = b""
        try:
            while True:
                chunk = self._next_chunk(connection)
                if chunk is None:
                    continue
                if not chunk:
                    break
                found, rest = split(rest + chunk)
                for raw in found:
                    self._take(raw)
        except (OSError, ValueError) as error:
            if isinstance(error, ValueError) and self._heard is not None:
                self._heard[0](Rejected(place=Place(self._source), reason=str(error), text=""))
        with self._lock:
            if self._connection is connection:
                self._drop()

    def _take(self, raw: bytes) -> None:
        if self._heard is None:
            return
        hear, told = self._heard
        contacts = {contact.uid: party for party, all_of in self._to.items() for contact in all_of}
        found = read_event(
            raw,
            now_us=wall_us(),
            source=self._source,
            channel=None,
            ours=self._ours,
            contacts=contacts,
            told=told,
            is_trusted=self._tls is not None,
        )
        if found is not None:
            hear(found)

    @property
    def _source(self) -> str:
        return f"tak {self._where[0]}:{self._where[1]}"

    def _drop(self) -> None:
        """Close the connection; under the lock."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(SHUT_RDWR)
            self._connection.close()
            self._connection = None


class TakSetting(ChannelSetting, frozen=True, kw_only=True):
    """Send CoT; `to` names the contacts of each party as callsign: uid, `certificate` is our own and its key."""

    transport: Literal["tak"]
    host: Name
    port: Port
    uid: Name = "tocsin"
    callsign: Name = "TOCSIN"
    to: Annotated[dict[str, dict[str, str]], Meta(min_length=1)]
    security: Literal["tls", "none"] = "tls"
    allow: tuple[str, ...] = ()
    ca: str | None = None
    certificate: str | None = None
    timeout: str | None = None

    def build(self, room: Room) -> Tak:
        """Return the transport."""
        return Tak(
            self.host,
            self.port,
            ours=Contact(uid=self.uid, callsign=self.callsign),
            to={
                party: tuple(Contact(uid=uid, callsign=callsign) for callsign, uid in named.items())
                for party, named in self.to.items()
            },
            tls=room.tls(self.ca, self.certificate) if self.security == "tls" else None,
            allow=networks(self.allow),
            timeout_s=seconds(self.timeout, TIMEOUT_S),
        )
