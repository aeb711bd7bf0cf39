"""Mail against a real relay on loopback: what it takes, refuses, loses and hides."""

from __future__ import annotations

import email
import email.policy
import ipaddress
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.warn.relay import FakeRelay, Script
from tests.warn.stories import T0, Walk, event

from tocsin.warn.channels.config import load_transports
from tocsin.warn.channels.mail import Mail, Relay, Security, letter
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome
from tocsin.watch.event import EventKind

LOOPBACK = (ipaddress.ip_network("127.0.0.1/32"), ipaddress.ip_network("::1/128"))
MAILBOXES = {"mover": ("mate@ship.example", "master@ship.example")}


def post(relay: FakeRelay, message: Message, **changes: Any) -> Outcome:
    fields = {"host": "localhost", "port": relay.port, "security": Security.NONE, "allow": LOOPBACK, "timeout_s": 3.0}
    return Mail(Relay(**(fields | changes)), sender="watch@desk.example", mailboxes=MAILBOXES).send(message, T0)


def test_mail_is_submitted_and_only_handed_over(message: Message) -> None:
    with FakeRelay(Script()) as relay:
        outcome = post(relay, message)
    assert (outcome.state, outcome.reason) == (MessageState.HANDED_OVER, "250 queued as ABC123")
    mail = email.message_from_bytes(relay.mails[0], policy=email.policy.default)
    assert mail["Message-ID"] == f"<{message.message_id}@desk.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == message.subject
    assert mail.get_content().replace("\r\n", "\n").strip() == message.body
    assert f"ENVID={message.message_id}" in relay.commands[1]
    assert "NOTIFY=SUCCESS,FAILURE,DELAY" in relay.commands[2]
    assert relay.commands[0] == "ehlo desk.example", "the machine's own name is nobody's affair"


def test_relay_without_notices_is_asked_for_none(message: Message) -> None:
    with FakeRelay(Script(offers=())) as relay:
        post(relay, message)
    assert not [command for command in relay.commands if "NOTIFY" in command or "ENVID" in command]


@pytest.mark.parametrize(
    ("script", "state", "words"),
    [
        (Script(mail="451 try later"), MessageState.FAILED_FOR_NOW, "451 try later"),
        (Script(mail="550 not you"), MessageState.FAILED_FOR_GOOD, "550 not you"),
        (Script(data="452 full"), MessageState.FAILED_FOR_NOW, "452 full"),
        (Script(data="554 no"), MessageState.FAILED_FOR_GOOD, "554 no"),
        (Script(rcpt=lambda _: "550 unknown"), MessageState.FAILED_FOR_GOOD, "550 unknown"),
        (Script(cut_at="BODY"), MessageState.FAILED_FOR_NOW, "not known"),
        (Script(cut_at="MAIL"), MessageState.FAILED_FOR_NOW, "not known"),
    ],
)
def test_refusal_is_kept_with_the_relays_words(
    script: Script, state: MessageState, words: str, message: Message
) -> None:
    with FakeRelay(script) as relay:
        outcome = post(relay, message)
    assert outcome.state is state
    assert words in outcome.reason


def test_one_mailbox_refused_for_now_is_worth_another_try_when_no_other_took_it(message: Message) -> None:
    answers: Callable[[str], str] = lambda mailbox: "450 busy" if mailbox.startswith("mate") else "550 unknown"  # noqa: E731
    with FakeRelay(Script(rcpt=answers)) as relay:
        assert post(relay, message).state is MessageState.FAILED_FOR_NOW


def test_some_mailboxes_refused_is_handed_over_and_says_which(message: Message) -> None:
    answers: Callable[[str], str] = lambda mailbox: "550 unknown" if mailbox.startswith("mate") else "250 ok"  # noqa: E731
    with FakeRelay(Script(rcpt=answers)) as relay:
        outcome = post(relay, message)
    assert outcome.state is MessageState.HANDED_OVER
    assert "refused mate@ship.example: unknown" in outcome.reason
    assert len(relay.mails) == 1


def test_recipient_without_a_mailbox_fails_for_good_and_nothing_is_sent(message: Message) -> None:
    with FakeRelay(Script()) as relay:
        outcome = post(relay, replace(message, recipient="fishers"))
    assert outcome.state is MessageState.FAILED_FOR_GOOD
    assert "no mailbox of fishers is set" in outcome.reason
    assert relay.commands == []


def test_hanging_relay_costs_only_the_time_allowed(message: Message) -> None:
    """The relay hangs until the test ends, so a `send` without a limit would never return."""
    with FakeRelay(Script(hang_at="DATA")) as relay:
        outcome = post(relay, message, timeout_s=0.4)
    assert outcome.state is MessageState.FAILED_FOR_NOW


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_tls_is_used_and_the_name_is_checked(security: Security, message: Message, authority: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority / "server.pem")
    client = ssl.create_default_context(cafile=str(authority / "ca.pem"))
    script = Script(tls=server, implicit=security is Security.TLS, login="watch:secret")
    with FakeRelay(script) as relay:
        good = post(relay, message, security=security, tls=client, user="watch", password="secret")
        assert good.state is MessageState.HANDED_OVER
        wrong = post(relay, message, security=security, tls=client, user="watch", password="guess")
        assert wrong.state is MessageState.FAILED_FOR_GOOD
        assert "secret" not in wrong.reason
        unknown = post(relay, message, security=security)
        assert unknown.state is MessageState.FAILED_FOR_NOW, "a stranger's certificate"
        named = post(relay, message, security=security, tls=client, host="127.0.0.1")
        assert named.state is MessageState.FAILED_FOR_NOW, "the certificate is for another name"
    assert len(relay.mails) == 1


def test_relay_that_does_not_offer_starttls_gets_no_word(message: Message) -> None:
    with FakeRelay(Script()) as relay:
        outcome = post(relay, message, security=Security.STARTTLS)
    assert outcome.state is MessageState.FAILED_FOR_GOOD
    assert "does not offer STARTTLS" in outcome.reason
    assert not [command for command in relay.commands if command.upper().startswith("MAIL")]


def test_relay_on_loopback_is_refused_as_shipped(message: Message) -> None:
    with FakeRelay(Script()) as relay:
        outcome = post(relay, message, allow=())
    assert outcome.state is MessageState.FAILED_FOR_GOOD
    assert "not a public address" in outcome.reason
    assert relay.commands == []


def test_hostile_subject_adds_no_header() -> None:
    case = Walk().found(event(EventKind.APPROACH, track_id="dev:x\r\nBcc: all@example.org"))
    raw = letter(case.messages[0], sender="watch@desk.example", to=["a@b.example"], now_us=T0).as_bytes()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail["Bcc"] is None
    assert "Bcc: all@example.org" in mail["Subject"]


def test_letter_in_arabic_survives_the_way() -> None:
    message = replace(Walk().found(event(EventKind.APPROACH)).messages[0], body="أمامكم منطقة متفق عليها\nWhat: x")
    raw = letter(message, sender="watch@desk.example", to=["a@b.example"], now_us=T0).as_bytes()
    raw.decode("ascii")
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail.get_content().strip().splitlines()[0] == "أمامكم منطقة متفق عليها"


def test_channels_file_sets_mail_up(tmp_path: Path, message: Message) -> None:
    with FakeRelay(Script(login="watch:secret")) as relay:
        (tmp_path / "password").write_text("secret\n")
        (tmp_path / "channels.yaml").write_text(
            f"ais_msg: {{transport: smtp, host: localhost, port: {relay.port}, security: none, user: watch,"
            " password: password, allow: [127.0.0.1, '::1'], sender: watch@desk.example,"
            " to: {mover: [mate@ship.example]}}\n"
        )
        outcome = load_transports(tmp_path / "channels.yaml", out=tmp_path).send(message, T0)
    assert outcome.state is MessageState.HANDED_OVER
