"""The answer link: the line of a message by which its recipient can confirm receipt on the station's own page.

The link carries a token bound to the message, its recipient and its channel (`answers.token`). Opening it changes
nothing, since scanners open links; the button on the page does (FAULTS 50). Stand-downs and corrections need no answer
and get no link.
"""

from __future__ import annotations

from msgspec.structs import replace

from tocsin.warn.channels.setting import AnswerDesk
from tocsin.warn.channels.transport import Transport
from tocsin.warn.states import Purpose
from tocsin.warn.telling import Message, Outcome
from tocsin.warn.templates import phrases_for

_ENDING = frozenset({Purpose.STAND_DOWN, Purpose.CORRECTION})


class Linked:
    """A transport whose messages end with the link by which they are answered.

    Parameters
    ----------
    inner : Transport
    desk : AnswerDesk
        With the address of the answer page.
    """

    def __init__(self, inner: Transport, desk: AnswerDesk) -> None:
        self.kind = inner.kind
        self.timeout_s = inner.timeout_s
        self.inner = inner
        self._desk = desk

    def send(self, message: Message, now_us: int) -> Outcome:
        """Send with the link; see `Transport.send`."""
        return self.inner.send(with_link(message, self._desk), now_us)


def with_link(message: Message, desk: AnswerDesk) -> Message:
    """Return the message with the line that says where to confirm receipt, in each of its languages.

    Parameters
    ----------
    message : Message
    desk : AnswerDesk
    """
    page = desk.page(message)
    if page is None or message.purpose in _ENDING:
        return message
    versions = message.facts.versions if message.facts else ()
    lines = [phrases.link.format(url=page) for phrases in phrases_for([version.language for version in versions])]
    return replace(message, body="\n".join([message.body, "", *lines]))
