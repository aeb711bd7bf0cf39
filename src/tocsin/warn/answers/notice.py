"""Delivery notices of mail (RFC 3464) as answers: delivered or failed, by what a relay says of one recipient.

A notice counts only if it carries the envelope id that we gave the relay, whose code nobody else has seen; anything
else, and every mail that a person writes back, is kept as rejected, since the sender of a mail can be forged (FAULTS
51). A notice of delay or of relaying onward proves nothing and says so. Reading receipts (RFC 8098) are not asked for.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.message import Message as Mail
from email.policy import default

from tocsin.errors import Place
from tocsin.warn.answers.token import receipt_code
from tocsin.warn.inputs import Answer, Rejected
from tocsin.warn.message import neutral
from tocsin.warn.states import AnswerKind
from tocsin.warn.telling import Message

NOTICE_LIMIT = 1 << 20
"""Bytes of a notice that are still read."""
_ACTIONS = {"delivered": AnswerKind.DELIVERED, "failed": AnswerKind.FAILED}


def envelope_id(key: bytes, message: Message) -> str:
    """Return the ENVID of a message: its id and a code (RFC 3461 §4.4); at most 100 characters of plain ASCII."""
    return f"{message.message_id}.{receipt_code(key, message)}"


def read_notice(
    raw: bytes, *, key: bytes, now_us: int, source: str, told: Callable[[str], Message | None]
) -> tuple[Answer | Rejected, ...]:
    """Return what a mail says of our messages: one answer or refusal for each recipient it names.

    Parameters
    ----------
    raw : bytes
        A whole mail.
    key : bytes
        The station's secret.
    now_us : int
        When it was read, microseconds UTC.
    source : str
        Where it was read.
    told : callable
        The message of an id, or None.
    """
    if len(raw) > NOTICE_LIMIT:
        return (_rejected(source, f"{len(raw):,} bytes, expected at most {NOTICE_LIMIT:,}"),)
    mail = message_from_bytes(raw, policy=default)
    groups = _groups(mail)
    if not groups:
        subject = neutral(str(mail.get("subject", "")))
        return (_rejected(source, "a mail that is no delivery notice; its sender cannot be known", subject),)
    given = _field(groups[0], "original-envelope-id").lower()
    message_id, _, code = given.partition(".")
    message = told(message_id)
    if message is None:
        return (_rejected(source, f"notice about no message of ours: envelope id {neutral(given, limit=80)!r}"),)
    is_ours = hmac.compare_digest(code.encode(), receipt_code(key, message).encode())
    refused = "" if is_ours else "forged: the envelope id has a wrong code"
    return tuple(_judged(group, message, now_us, source, refused) for group in groups[1:]) or (
        _rejected(source, "notice without a recipient"),
    )


def _groups(mail: Mail) -> list[Mail]:
    if mail.get_content_type() != "multipart/report":
        return []
    if str(mail.get_param("report-type", "")).lower() != "delivery-status":
        return []
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            payload = part.get_payload()
            return [group for group in payload if isinstance(group, Mail)] if isinstance(payload, list) else []
    return []


def _judged(group: Mail, message: Message, now_us: int, source: str, refused: str) -> Answer | Rejected:
    action = _field(group, "action").lower()
    mailbox = _field(group, "final-recipient").rpartition(";")[2].strip()
    detail = " ".join(part for part in (_field(group, "status"), _field(group, "diagnostic-code")) if part)
    if action not in _ACTIONS:
        return _rejected(source, f"notice of {action or 'nothing'} for {mailbox}: no proof of arrival", detail)
    return Answer(
        at_us=now_us,
        who=_field(group, "reporting-mta") or mailbox or "relay",
        party=message.recipient,
        kind=_ACTIONS[action],
        case_id=message.case_id,
        message_id=message.message_id,
        channel=message.channel,
        text=neutral(f"{mailbox}: {action} {detail}".strip()),
        source=source,
        key=f"notice/{message.message_id}/{mailbox}/{action}",
        refused=refused,
    )


def _field(group: Mail | EmailMessage, name: str) -> str:
    return neutral(str(group.get(name, "")))


def _rejected(source: str, reason: str, text: str = "") -> Rejected:
    return Rejected(place=Place(source), reason=reason, text=text)
