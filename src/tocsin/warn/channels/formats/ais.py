"""AIS safety-related text: messages 12 (addressed) and 14 (broadcast) as sentences for a transmitter to send.

Implements ITU-R M.1371 tables 47 (six-bit characters), 59 and 61, and the sentences ABM and BBM of IEC 61162-1: the
transponder adds the header and picks the slots. At most 156 characters addressed, 161 to all. What has to be left out
or written otherwise is said, never silent. The six-bit coding is pyais's; only Latin capitals can be sent.
"""

from __future__ import annotations

import unicodedata
from functools import reduce

from msgspec import Struct
from pyais.messages import MessageType12

from tocsin.warn.message import QUOTE_LENGTH
from tocsin.warn.telling import Message

ADDRESSED_LIMIT = 156
"""Characters of message 12: 936 bits."""
BROADCAST_LIMIT = 161
"""Characters of message 14: 968 bits, 161 whole characters."""
FIRST_LIMIT, NEXT_LIMIT = 47, 59
"""Six-bit characters in the first and in each further sentence of an ABM; a sentence may hold 82 bytes."""
SENTENCE_LIMIT = 82
_CHANNELS = 4
_SIXBIT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_ !\"#$%&'()*+,-./0123456789:;<=>?")
"""All six-bit characters but `@`, which ends a text."""
_LETTERS = str.maketrans({
    "@": " AT ", "“": '"', "”": '"', "’": "'", "‘": "'", "–": "-", "—": "-", "…": "...", "°": " DEG ", "ß": "SS",
    "Æ": "AE", "Ø": "O", "Œ": "OE", "Ł": "L", "Đ": "D", "Þ": "TH", "Ð": "D", "¡": "", "¿": "", "{": "(", "}": ")",
    "|": "/", "`": "'", "~": "-",
})  # fmt: skip
_HEADER_CHARS = 12
"""Six-bit characters before the text of message 12: 72 bits."""


class SafetyText(Struct, frozen=True, kw_only=True):
    """A text as it can be sent.

    Attributes
    ----------
    text : str
        Six-bit characters only.
    notes : tuple of str
        What was changed, for people; empty if nothing but the case of letters.
    """

    text: str
    notes: tuple[str, ...] = ()


def safety_text(message: Message, *, limit: int) -> SafetyText:
    """Return the text of a message for AIS: the agreed words in the first language that fits, and what to quote.

    Parameters
    ----------
    message : Message
    limit : int
        Characters.

    Raises
    ------
    ValueError
        If none of its languages can be written in six-bit characters.
    """
    facts = message.facts
    said = [text for _, text in facts.said] if facts else []
    told = [version.subject for version in facts.versions] if facts else []
    candidates = [*(said or told), *told, message.subject]
    preface = f"{facts.preface} " if facts and facts.preface else ""
    tail = f" REF {message.case_id[:QUOTE_LENGTH]}".upper()
    for text in candidates:
        whole, lost = sixbit(preface + text)
        if lost == 0:
            cut, left_out = _fitted(whole, limit - len(tail))
            notes = [f"{len(left_out)} characters left out: “{left_out}”"] if left_out else []
            if text is not candidates[0]:
                notes.insert(0, "the agreed words cannot be written in AIS characters; others are sent")
            return SafetyText(text=cut + tail, notes=tuple(notes))
    raise ValueError("none of its words can be written in AIS characters, which are Latin capitals, digits and signs")


def sixbit(text: str) -> tuple[str, int]:
    """Return a text in six-bit characters, and how many of its characters could not be written.

    Examples
    --------
    >>> sixbit("Câble à 3 M, señor")
    ('CABLE A 3 M, SENOR', 0)
    >>> sixbit("кабель")[1]
    6
    """
    capitals = text.upper().translate(_LETTERS)
    plain = "".join(c for c in unicodedata.normalize("NFKD", capitals) if not unicodedata.combining(c))
    kept = "".join(c for c in plain if c in _SIXBIT)
    return " ".join(kept.split()), len(plain) - len(kept)


def addressed(text: str, *, mmsi: int, sequence: int, channel: int = 0) -> tuple[str, ...]:
    """Return the ABM sentences of message 12.

    Parameters
    ----------
    text : str
        At most `ADDRESSED_LIMIT` six-bit characters.
    mmsi : int
        The ship addressed.
    sequence : int
        0 to 3: tells one message from the next until the transponder reports on it.
    channel : int
        0: the transponder chooses; 1: A; 2: B; 3: both.

    Raises
    ------
    ValueError
        If the text or a number is outside its range.
    """
    if not 0 < mmsi < 1_000_000_000:
        raise ValueError(f"found MMSI {mmsi}, expected nine digits")
    return _sentences("ABM", f"{mmsi:09d},", 12, _payload(text, ADDRESSED_LIMIT), sequence, channel)


def broadcast(text: str, *, sequence: int, channel: int = 0) -> tuple[str, ...]:
    """Return the BBM sentences of message 14; see `addressed`."""
    return _sentences("BBM", "", 14, _payload(text, BROADCAST_LIMIT), sequence, channel)


def _payload(text: str, limit: int) -> str:
    if not text or len(text) > limit or not set(text) <= _SIXBIT:
        raise ValueError(f"found {text!r}, expected 1 to {limit} six-bit characters")
    head, tail = text[:ADDRESSED_LIMIT], text[ADDRESSED_LIMIT:]
    return _armoured(head) + (_armoured(tail) if tail else "")


def _armoured(text: str) -> str:
    armoured, _ = MessageType12.create(msg_type=12, mmsi=0, dest_mmsi=0, text=text).encode()
    return str(armoured)[_HEADER_CHARS:]


def _sentences(kind: str, address: str, number: int, payload: str, sequence: int, channel: int) -> tuple[str, ...]:
    if not (0 <= sequence < 4 and 0 <= channel < _CHANNELS):
        raise ValueError(f"found sequence {sequence} and channel {channel}, expected 0 to 3 of each")
    parts = [payload[:FIRST_LIMIT]]
    parts += [payload[n : n + NEXT_LIMIT] for n in range(FIRST_LIMIT, len(payload), NEXT_LIMIT)]
    made = []
    for index, part in enumerate(parts):
        head = f"{address}{channel},{number}" if index == 0 else f"{',' if address else ''},"
        fields = f"AI{kind},{len(parts)},{index + 1},{sequence},{head},{part},0"
        made.append(f"!{fields}*{reduce(lambda x, c: x ^ ord(c), fields, 0):02X}\r\n")
    return tuple(made)


def _fitted(text: str, room: int) -> tuple[str, str]:
    if len(text) <= room:
        return text, ""
    cut = text[:room]
    end = cut.rfind(" ") if text[room] != " " else room
    end = end if end > room // 2 else room
    return text[:end].rstrip(), text[end:].strip()
