"""Mail: a message to the mailboxes of the party told, through a relay that may or may not deliver it.

Implements RFC 5321 submission with STARTTLS or TLS (RFC 8314), RFC 3461 delivery notices where the relay offers them,
and RFC 3834 (`Auto-Submitted`). A relay's 250 is *handed over*: relays accept and lose. The `Message-ID` is the
message's id, the same at every attempt. It reads no mailbox: notices come back as answers. The library is smtplib.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta

from tocsin.clock import US_PER_S
from tocsin.errors import DeliveryError
from tocsin.warn.answers.notice import envelope_id
from tocsin.warn.channels.dial import dial
from tocsin.warn.channels.guard import Network
from tocsin.warn.channels.setting import ChannelSetting, Name, Port, Room, Secret, networks, seconds
from tocsin.warn.channels.transport import failed
from tocsin.warn.message import neutral
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome

Mailbox = Annotated[str, Meta(pattern=r"^[!-?A-~]+@[A-Za-z0-9.-]+\Z")]
"""An address of printable ASCII without spaces; what it names is the relay's affair."""

TIMEOUT_S = 30.0
"""Seconds for a whole attempt. RFC 5321 §4.5.3.2 allows minutes for each command; a warning cannot wait for them."""


class Security(StrEnum):
    """How the way to the relay is protected."""

    STARTTLS = "starttls"
    """Plain at first, then TLS; refused if the relay does not offer it."""
    TLS = "tls"
    NONE = "none"
    """Only to addresses of the allow list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where mail is submitted.

    Attributes
    ----------
    host : str
    port : int
    security : Security
    user, password : str or None
        Both or neither.
    allow : tuple of network
        Addresses that may be reached although they are not public.
    tls : ssl.SSLContext or None
        The system's trust store if None.
    timeout_s : float
    """

    host: str
    port: int
    security: Security = Security.STARTTLS
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    allow: tuple[Network, ...] = ()
    tls: ssl.SSLContext | None = None
    timeout_s: float = TIMEOUT_S


class Mail:
    """Send each message to the mailboxes of its recipient.

    Parameters
    ----------
    relay : Relay
    sender : str
        The address that it comes from.
    mailboxes : mapping of str to sequence of str
        By recipient: a party, or the person called.
    key : bytes or None
        The station's secret: with it, a delivery notice that comes back proves that it is one (`answers.notice`).
    """

    kind = "smtp"

    def __init__(
        self, relay: Relay, *, sender: str, mailboxes: Mapping[str, Sequence[str]], key: bytes | None = None
    ) -> None:
        self.timeout_s = relay.timeout_s
        self._relay = relay
        self._key = key
        self._sender = sender
        self._mailboxes = mailboxes

    def send(self, message: Message, now_us: int) -> Outcome:
        """Submit once; see `Transport.send`."""
        to = self._mailboxes.get(message.recipient, ())
        if not to:
            return failed(DeliveryError(f"no mailbox of {message.recipient} is set", retryable=False), self.kind)
        try:
            with _connected(self._relay, self._sender) as relay:
                return self._submit(relay, message, to, now_us)
        except DeliveryError as error:
            return failed(error, self.kind)
        except smtplib.SMTPResponseException as error:
            return failed(_refusal(error.smtp_code, error.smtp_error), self.kind)
        except (smtplib.SMTPException, OSError) as error:
            reason = f"{self._relay.host}: {neutral(str(error)) or type(error).__name__}"
            return failed(DeliveryError(f"{reason}; whether it was received is not known", retryable=True), self.kind)

    def _submit(self, relay: smtplib.SMTP, message: Message, to: Sequence[str], now_us: int) -> Outcome:
        notices = relay.has_extn("dsn")
        envelope = envelope_id(self._key, message) if self._key is not None else message.message_id
        code, said = relay.mail(self._sender, [f"ENVID={envelope}", "RET=HDRS"] if notices else [])
        if code != 250:
            raise _refusal(code, said)
        refused: dict[str, tuple[int, bytes]] = {}
        for mailbox in to:
            code, said = relay.rcpt(mailbox, ["NOTIFY=SUCCESS,FAILURE,DELAY"] if notices else [])
            if code not in {250, 251}:
                refused[mailbox] = (code, said)
        if len(refused) == len(to):
            code, said = min(refused.values())
            raise _refusal(code, said)
        code, said = relay.data(letter(message, sender=self._sender, to=to, now_us=now_us).as_bytes())
        if code != 250:
            raise _refusal(code, said)
        missed = "".join(f"; refused {mailbox}: {_words(reply[1])}" for mailbox, reply in refused.items())
        reason = f"{code} {_words(said)}{missed}"
        return Outcome(state=MessageState.HANDED_OVER, reason=reason, transport=self.kind, transport_id=_words(said))


class MailSetting(ChannelSetting, frozen=True, kw_only=True):
    """Submit mail to a relay; `to` names the mailboxes of each party told, `password` is a file that holds it."""

    transport: Literal["smtp"]
    host: Name
    port: Port
    sender: Mailbox
    to: Annotated[dict[str, tuple[Mailbox, ...]], Meta(min_length=1)]
    security: Security = Security.STARTTLS
    user: str | None = None
    password: str | Secret | None = None
    allow: tuple[str, ...] = ()
    ca: str | None = None
    timeout: str | None = None

    def build(self, room: Room) -> Mail:
        """Return the transport."""
        if (self.user is None) != (self.password is None):
            raise ValueError("found one of user and password, expected both or neither")
        where = Secret(file=self.password) if isinstance(self.password, str) else self.password
        relay = Relay(
            host=self.host,
            port=self.port,
            security=self.security,
            user=self.user,
            password=room.secret(where) if where else None,
            allow=networks(self.allow),
            tls=room.own_tls(self.ca),
            timeout_s=seconds(self.timeout, TIMEOUT_S),
        )
        return Mail(relay, sender=self.sender, mailboxes=self.to, key=room.desk().key)


def letter(message: Message, *, sender: str, to: Sequence[str], now_us: int) -> EmailMessage:
    """Return the mail of a message: plain text, with headers by which machines know that nobody typed it.

    Parameters
    ----------
    message : Message
    sender : str
    to : sequence of str
    now_us : int
    """
    domain = sender.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(datetime.fromtimestamp(now_us // US_PER_S, UTC))
    mail["Message-ID"] = f"<{message.message_id}@{domain}>"
    mail["References"] = f"<{message.case_id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.body, cte="base64")
    return mail


class _Guarded(smtplib.SMTP):
    """An SMTP connection to an address that the guard has checked, with one deadline for the whole exchange."""

    def __init__(self, relay: Relay, sender: str) -> None:
        self._relay = relay
        self._watchdog: threading.Timer | None = None
        super().__init__(
            relay.host, relay.port, local_hostname=sender.rpartition("@")[2] or "localhost", timeout=relay.timeout_s
        )

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        relay = self._relay
        plain = dial(host, port, allow=relay.allow, timeout_s=timeout, plain=relay.security is Security.NONE)
        self._watchdog = threading.Timer(timeout, _cut, [plain])
        self._watchdog.daemon = True
        self._watchdog.start()
        if relay.security is not Security.TLS:
            return plain
        try:
            return (relay.tls or ssl.create_default_context()).wrap_socket(plain, server_hostname=host)
        except OSError:
            self._watchdog.cancel()
            plain.close()
            raise

    def close(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        super().close()


@contextmanager
def _connected(relay: Relay, sender: str) -> Iterator[smtplib.SMTP]:
    connection = _Guarded(relay, sender)
    try:
        connection.ehlo_or_helo_if_needed()
        if relay.security is Security.STARTTLS:
            if not connection.has_extn("starttls"):
                raise DeliveryError(f"{relay.host} does not offer STARTTLS", retryable=False)
            connection.starttls(context=relay.tls or ssl.create_default_context())
            connection.ehlo()
        if relay.user is not None and relay.password is not None:
            connection.login(relay.user, relay.password)
        yield connection
        with suppress(smtplib.SMTPException, OSError):  # the relay has answered; how it says goodbye changes nothing
            connection.quit()
    finally:
        connection.close()


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # it may be closed already
        connection.shutdown(socket.SHUT_RDWR)


def _refusal(code: int, said: bytes | str) -> DeliveryError:
    return DeliveryError(f"{code} {_words(said)}", retryable=400 <= code < 500 or code < 0)


def _words(said: bytes | str) -> str:
    return neutral(said.decode("utf-8", errors="replace") if isinstance(said, bytes) else said)
