"""A sheet for a radio or telephone operator: the words to read out, three times, and a form to log what came of it.

Follows the voice procedure of the ITU Radio Regulations (art. 33): the signal three times, who is called three times,
who calls, the message; here said three times in all. Numbers are read digit by digit, in the recipient's language. The
form is the station's own answer page, which takes nothing from elsewhere, and lines to fill in by hand.
"""

from __future__ import annotations

import html
import re
from typing import Any

from msgspec import Struct

from tocsin.agreement.playbook import MOVER
from tocsin.warn.message import QUOTE_LENGTH
from tocsin.warn.states import AnswerKind
from tocsin.warn.telling import Message
from tocsin.warn.templates import phrases_for
from tocsin.warn.templates.phrases import Phrases

TIMES = 3
"""How often a signal, a name and a message are said. Origin: ITU Radio Regulations, 33.31 to 33.35."""

_BY_HAND = ("Time, UTC", "Who answered, by name", "Received, passed on, or nobody reached", "Their words")
LOGGED = (AnswerKind.ACKNOWLEDGED, AnswerKind.ANSWERED, AnswerKind.PASSED_ON, AnswerKind.FAILED)
"""What an operator can log: what they themselves heard, or that nobody was reached."""


class Script(Struct, frozen=True, kw_only=True):
    """The words to say in one language.

    Attributes
    ----------
    language : str
    right_to_left : bool
    call : str
        Who is called and who calls.
    lines : tuple of str
        The message, numbers as spoken.
    said_again : str
        Said before each further saying.
    """

    language: str
    right_to_left: bool
    call: str
    lines: tuple[str, ...]
    said_again: str

    def as_json(self) -> dict[str, Any]:
        """Return the words as a JSON object, with how often they are said."""
        return {
            "language": self.language,
            "times": TIMES,
            "call": self.call,
            "lines": list(self.lines),
            "said_again": self.said_again,
        }


def scripts(message: Message, *, station: str, signal: str = "") -> tuple[Script, ...]:
    """Return the words to say, one for each language of the message.

    Parameters
    ----------
    message : Message
    station : str
        Our own name on the air.
    signal : str
        Said three times before everything, such as "Sécurité"; empty on a telephone.
    """
    facts = message.facts
    if facts is None or not facts.versions:
        return (_script(message, phrases_for(())[0], tuple(message.body.split("\n")), station=station, signal=signal),)
    made = []
    for version in facts.versions:
        phrases = phrases_for([version.language])[0]
        agreed = [text for language, text in facts.said if language == version.language]
        preface = [facts.preface] if facts.preface else []
        lines = (*preface, *agreed, *version.facts, version.answer)
        made.append(_script(message, phrases, lines, station=station, signal=signal))
    return tuple(made)


def spoken(text: str, phrases: Phrases) -> str:
    """Return a text with every number read digit by digit.

    Examples
    --------
    >>> spoken("57.1° N, quoting 64ab", phrases_for(["en"])[0])
    'five seven decimal one° N, quoting six four ab'
    """

    def digits(found: re.Match[str]) -> str:
        return " ".join(phrases.decimal if c in ".," else phrases.digits[int(c)] for c in found[0])

    spaced = re.sub(r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)", " ", text)
    return re.sub(r"[0-9]+(?:[.,][0-9]+)*", digits, spaced)


def page(message: Message, *, station: str, signal: str = "", action: str | None = None) -> str:
    """Return the sheet as an HTML page without script, with the form to log what came of it.

    Parameters
    ----------
    message : Message
    station, signal : str
    action : str or None
        The answer page with its token; None where the deployment sets none.
    """
    found = scripts(message, station=station, signal=signal)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">',
            f"<title>{_text(message.subject)}</title>",
            "<style>body{font:1.2rem/1.5 sans-serif;max-width:45rem;margin:1rem auto;padding:0 1rem}"
            "blockquote{border-inline-start:4px solid;margin:1rem 0;padding-inline-start:1rem}"
            "table{width:100%;border-collapse:collapse}th{text-align:start;width:40%}"
            "th,td{border:1px solid;padding:.5rem}</style></head><body>",
            f"<h1>{_text(message.subject)}</h1>",
            f"<p>To {_text(_whom(message))}, on {_text(message.channel)}. Say it {TIMES} times.</p>",
            *(_section(script) for script in found),
            _form(message, action),
            "</body></html>",
            "",
        ]
    )


def sheet(message: Message, *, station: str, signal: str = "", action: str | None = None) -> dict[str, Any]:
    """Return the same as a JSON object; see `page`."""
    found = scripts(message, station=station, signal=signal)
    return {
        "type": "tocsin.script/1",
        "message_id": message.message_id,
        "case": message.case_id,
        "channel": message.channel,
        "recipient": message.recipient,
        "subject": message.subject,
        "scripts": [script.as_json() for script in found],
        "log": {"page": action, "what": [str(kind) for kind in LOGGED], "fields": ["who", "what", "text"]},
    }


def _script(message: Message, phrases: Phrases, lines: tuple[str, ...], *, station: str, signal: str) -> Script:
    signals = [", ".join([signal] * TIMES)] if signal else []
    whom = ", ".join([spoken(_whom(message, phrases), phrases)] * TIMES)
    ours = phrases.this_is.format(station=", ".join([station] * TIMES))
    return Script(
        language=phrases.language,
        right_to_left=phrases.right_to_left,
        call=". ".join([*signals, whom, ours]),
        lines=tuple(spoken(line, phrases) for line in lines if line),
        said_again=phrases.said_again,
    )


def _whom(message: Message, phrases: Phrases | None = None) -> str:
    if message.recipient != MOVER:
        return message.recipient
    if message.facts is not None:
        return message.facts.track_id.rpartition(":")[2]
    return (phrases or phrases_for(())[0]).mover


def _section(script: Script) -> str:
    direction = "rtl" if script.right_to_left else "ltr"
    body = "<br>".join(_text(line) for line in script.lines)
    again = f"<p>({_text(script.said_again)})</p>"
    return (
        f'<section lang="{script.language}" dir="{direction}"><p>{_text(script.call)}.</p>'
        f"<blockquote>{body}</blockquote>{again}</section>"
    )


def _form(message: Message, action: str | None) -> str:
    if action is None:
        return (
            "<p>No answer page is set. Write what was said and answered into the answers file, "
            f"naming case {message.case_id[:QUOTE_LENGTH]} and channel {_text(message.channel)}.</p>"
        )
    rows = "".join(f"<tr><th>{label}</th><td></td></tr>" for label in _BY_HAND)
    return (
        f'<h2>What came of it</h2><p><a href="{_text(action)}">Log what was said and answered</a> on the answer page. '
        "Opening it logs nothing; its buttons do. It means that this was heard, and nothing more.</p>"
        f"<p>Without the page, by hand:</p><table>{rows}</table>"
    )


def _text(text: str) -> str:
    return html.escape(text, quote=True)
