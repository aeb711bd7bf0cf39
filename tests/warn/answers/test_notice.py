"""Delivery notices: real ones as relays write them, forged ones, and mails that are none."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.warn.stories import T0, S, Walk, event

from tocsin.warn.answers.notice import envelope_id, read_notice
from tocsin.warn.inputs import Answer, Rejected
from tocsin.warn.states import AnswerKind, MessageState
from tocsin.warn.telling import Message
from tocsin.watch.event import EventKind

KEY = bytes(range(32))
MESSAGE = Walk().found(event(EventKind.APPROACH)).messages[1]


def told(message_id: str) -> Message | None:
    return MESSAGE if message_id == MESSAGE.message_id else None


def notice(*groups: str, envelope: str = "", kind: str = "delivery-status") -> bytes:
    """Return a notice after the example of RFC 3464, appendix E.1."""
    given = envelope or envelope_id(KEY, MESSAGE)
    head = f"Reporting-MTA: dns; relay.example.org\nOriginal-Envelope-Id: {given}\n"
    status = "\n".join([head, *groups])
    return (
        "From: MAILER-DAEMON@relay.example.org\nTo: watch@example.org\nSubject: Delivery report\n"
        f'MIME-Version: 1.0\nContent-Type: multipart/report; report-type={kind}; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nYour message was handled.\n"
        f"--b\nContent-Type: message/delivery-status\n\n{status}\n"
        "--b--\n"
    ).encode()


def group(action: str, mailbox: str = "duty@example.com", status: str = "2.0.0") -> str:
    return f"Final-Recipient: rfc822; {mailbox}\nAction: {action}\nStatus: {status}\n"


def read(raw: bytes) -> tuple[Answer | Rejected, ...]:
    return read_notice(raw, key=KEY, now_us=T0 + S, source="maildir/1", told=told)


def test_delivered_and_failed_become_answers_about_the_message() -> None:
    delivered, failed = read(notice(group("delivered"), group("failed", "gone@example.com", "5.1.1")))
    assert isinstance(delivered, Answer)
    assert isinstance(failed, Answer)
    assert (delivered.kind, failed.kind) == (AnswerKind.DELIVERED, AnswerKind.FAILED)
    assert (delivered.message_id, delivered.party, delivered.channel) == (
        MESSAGE.message_id,
        MESSAGE.recipient,
        MESSAGE.channel,
    )
    assert failed.text == "gone@example.com: failed 5.1.1"


def test_notice_raises_the_message_to_delivered_and_no_further() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    (found,) = read(notice(group("delivered")))
    assert isinstance(found, Answer)
    case = walk.heard(found)
    assert case.message(MESSAGE.message_id).state is MessageState.DELIVERED  # type: ignore[union-attr]
    assert case.state == "awaiting", "a machine's receipt is nobody's acknowledgement"


@pytest.mark.parametrize("action", ["delayed", "relayed", "expanded", ""])
def test_notice_that_proves_no_arrival_is_kept_as_such(action: str) -> None:
    (found,) = read(notice(group(action)))
    assert isinstance(found, Rejected)
    assert "no proof of arrival" in found.reason


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        (MESSAGE.message_id, "wrong code"),
        (f"{MESSAGE.message_id}.AAAAAAAAAAAAAAAAAAAAAA", "wrong code"),
        (envelope_id(bytes(32), MESSAGE), "wrong code"),
        ("0" * 32 + ".x", "no message of ours"),
    ],
)
def test_forged_notice_is_refused(envelope: str, reason: str) -> None:
    (found,) = read(notice(group("delivered"), envelope=envelope))
    assert reason in (found.reason if isinstance(found, Rejected) else found.refused)


def test_mail_that_a_person_writes_back_is_no_answer() -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "duty@example.com", "Re: Warning\u202e"
    mail.set_content("We received this. Acknowledged.")
    (found,) = read(mail.as_bytes())
    assert isinstance(found, Rejected)
    assert found.reason == "a mail that is no delivery notice; its sender cannot be known"


def test_notice_of_another_kind_or_without_recipient_is_refused() -> None:
    assert "no delivery notice" in read(notice(group("delivered"), kind="disposition-notification"))[0].reason  # type: ignore[union-attr]
    assert "without a recipient" in read(notice())[0].reason  # type: ignore[union-attr]
    assert "expected at most" in read(b"x" * (2 << 20))[0].reason  # type: ignore[union-attr]


@given(st.binary(max_size=500))
def test_no_mail_raises(raw: bytes) -> None:
    assert all(isinstance(found, Rejected) for found in read(raw))
