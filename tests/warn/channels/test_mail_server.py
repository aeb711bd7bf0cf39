"""Mail against aiosmtpd, an SMTP server that others wrote: TLS both ways, notices asked for, the link in the letter."""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from msgspec.structs import replace
from tests.peers import free_port
from tests.warn.channels.conftest import LOOPBACK
from tests.warn.stories import T0

from tocsin.warn.answers.notice import read_notice
from tocsin.warn.answers.token import Good, check_token
from tocsin.warn.channels.link import Linked, with_link
from tocsin.warn.channels.mail import Mail, Relay, Security
from tocsin.warn.channels.setting import AnswerDesk
from tocsin.warn.inputs import Answer
from tocsin.warn.states import AnswerKind, MessageState, Purpose
from tocsin.warn.telling import Message

KEY = bytes(range(32))
TO = {"mover": ("mate@ship.example",)}
DESK = AnswerDesk(key=KEY, url="https://watch.example.org/answer/")


class Mailbox:
    """Takes every mail and keeps it with its envelope."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.asked: list[str] = []

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", responses[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.taken.append(envelope)
        return "250 taken as 1"


class WithNotices(SMTP):
    """aiosmtpd with the parameters of RFC 3461, which it does not know by itself; it keeps what it was asked."""

    def _getparams(self, params: Sequence[str]) -> dict[str, Any] | None:
        found = dict(super()._getparams(params) or {})
        asked: Mailbox = self.event_handler
        asked.asked += [f"{key}={found.pop(key)}" for key in ("ENVID", "RET", "NOTIFY", "ORCPT") if key in found]
        return found


class Server(Controller):
    """The server, with or without implicit TLS."""

    def factory(self) -> SMTP:
        return WithNotices(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        with socket.create_connection((self.hostname, self.port), 10):  # its own speaks TLS with a server's context
            pass


@pytest.fixture
def server_tls(authority: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem")
    return context


def post(server: Server, message: Message, authority: Path, security: Security) -> Any:
    relay = Relay(
        host="localhost",
        port=server.port,
        security=security,
        allow=LOOPBACK,
        tls=ssl.create_default_context(cafile=str(authority / "ca.pem")),
        timeout_s=15.0,
    )
    return Linked(Mail(relay, sender="watch@desk.example", mailboxes=TO, key=KEY), DESK).send(message, T0)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_letter_arrives_over_tls_with_a_link_that_answers_for_its_recipient_alone(
    security: Security, message: Message, authority: Path, server_tls: ssl.SSLContext
) -> None:
    mailbox = Mailbox()
    kwargs: dict[str, Any] = {"tls_context": server_tls, "require_starttls": True}
    if security is Security.TLS:
        kwargs = {"ssl_context": server_tls}
    server = Server(mailbox, hostname="127.0.0.1", port=free_port(), **kwargs)
    server.start()
    try:
        outcome = post(server, message, authority, security)
    finally:
        server.stop()
    assert (outcome.state, outcome.reason) == (MessageState.HANDED_OVER, "250 taken as 1")
    (envelope,) = mailbox.taken
    assert envelope.rcpt_tos == ["mate@ship.example"]
    letter = email.message_from_bytes(bytes(envelope.content or b""), policy=email.policy.default)
    body = letter.get_content()
    link = next(line for line in body.splitlines() if str(DESK.url) in line)
    token = link.partition(str(DESK.url))[2].partition(" ")[0]
    judged = check_token(token, KEY, message.queued_us, party=message.recipient, channel=message.channel)
    assert isinstance(judged, Good)
    assert letter["Auto-Submitted"] == "auto-generated"


def test_notice_is_asked_for_and_proves_itself_by_what_only_the_relay_saw(
    message: Message, authority: Path, server_tls: ssl.SSLContext
) -> None:
    mailbox = Mailbox()
    server = Server(mailbox, hostname="127.0.0.1", port=free_port(), tls_context=server_tls, require_starttls=True)
    server.start()
    try:
        post(server, message, authority, Security.STARTTLS)
    finally:
        server.stop()
    envid = next(asked.partition("=")[2] for asked in mailbox.asked if asked.startswith("ENVID="))
    assert {"RET=HDRS", "NOTIFY=SUCCESS,FAILURE,DELAY"} <= set(mailbox.asked)
    assert len(envid) <= 100
    assert envid.partition(".")[2].encode() not in bytes(mailbox.taken[0].content or b""), "the recipient never sees it"
    notice = (
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\nMIME-Version: 1.0\n\n--b\n'
        f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; relay\nOriginal-Envelope-Id: {envid}\n\n"
        "Final-Recipient: rfc822; mate@ship.example\nAction: delivered\nStatus: 2.0.0\n\n--b--\n"
    ).encode()
    (found,) = read_notice(notice, key=KEY, now_us=T0, source="x", told={message.message_id: message}.get)
    assert isinstance(found, Answer)
    assert (found.kind, found.party, found.refused) == (AnswerKind.DELIVERED, message.recipient, "")


@pytest.mark.parametrize("purpose", [Purpose.STAND_DOWN, Purpose.CORRECTION])
def test_message_that_needs_no_answer_gets_no_link(purpose: Purpose, message: Message) -> None:
    assert str(DESK.url) not in with_link(replace(message, purpose=purpose), DESK).body
    assert with_link(message, AnswerDesk(key=KEY)) == message
