"""A message that climbs no ladder: what a station has to tell of itself or of a notice, once, and nobody answers."""

from __future__ import annotations

from tocsin.warn.states import Purpose
from tocsin.warn.telling import Message


def own_message(
    message_id: str,
    *,
    channel: str,
    recipient: str,
    subject: str,
    body: str,
    now_us: int,
    languages: tuple[str, ...] = ("en",),
) -> Message:
    """Return such a message, queued now; it is a case of its own.

    Parameters
    ----------
    message_id, channel, recipient, subject, body : str
    now_us : int
        Microseconds UTC.
    languages : tuple of str
        Of the words: English, where they are about the station's own work.
    """
    return Message(
        message_id=message_id,
        case_id=message_id,
        rung=0,
        purpose=Purpose.WARNING,
        level=0,
        channel=channel,
        recipient=recipient,
        saying=0,
        is_repeat=False,
        event_id=None,
        queued_us=now_us,
        text_id=None,
        languages=languages,
        subject=subject,
        body=body,
        state_us=now_us,
    )
