"""Text: what data says, made safe to look at; times and codes as people read them.

HTML is escaped by the template engine. What is done here is against text that lies to the eye: control characters and
marks that turn the direction of writing are shown as their code instead of acting (Unicode UAX #9; CVE-2021-42574), and
text past `MAX_TEXT` is cut, saying so. Letters of every script stay as they are.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from markupsafe import Markup

from tocsin.units import format_instant

MAX_TEXT = 2_000
"""Characters of one text; a name or sentence that is longer is cut."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""General categories of characters that show nothing, or something other than they are."""
_JOINERS = frozenset("\u200c\u200d")
"""Parts of words in Persian, Hindi and others; they stay between two letters past the Latin blocks."""
_LATIN_END = "\u036f"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def visible(text: str) -> str:
    r"""Return text in which nothing is hidden and nothing turns the line round.

    Examples
    --------
    >>> visible("ship\u202egpj.exe")
    'ship⟨U+202E⟩gpj.exe'
    """
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]}… ({len(text) - MAX_TEXT:,} characters cut)"
    if text.isprintable():
        return text
    return "".join(_shown(text, i) for i in range(len(text)))


def _shown(text: str, i: int) -> str:
    c = text[i]
    if c in "\t\n" or unicodedata.category(c) not in _UNSEEN:
        return c
    if c in _JOINERS and 0 < i < len(text) - 1 and _is_part(text[i - 1]) and _is_part(text[i + 1]):
        return c
    return f"⟨U+{ord(c):04X}⟩"


def _is_part(c: str) -> bool:
    return c > _LATIN_END and unicodedata.category(c)[0] in "LM"


def finalize(value: Any) -> Any:
    """Return what the template engine is to print of an expression: text made visible, None as nothing."""
    if value is None:
        return ""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def date(at_us: int) -> str:
    """Return the day of an instant, such as "18 May 2017"; UTC.

    Examples
    --------
    >>> date(1495094400000000)
    '18 May 2017'
    """
    stamp = format_instant(at_us)
    return f"{int(stamp[8:10])} {_MONTHS[int(stamp[5:7]) - 1]} {stamp[:4]}"


def clock(at_us: int) -> str:
    """Return the time of day of an instant to the second, such as "08:00:00"; UTC."""
    return format_instant(at_us)[11:19]


def minute(at_us: int) -> str:
    """Return the time of day of an instant to the minute, such as "08:00"; UTC."""
    return format_instant(at_us)[11:16]


def moment(at_us: int) -> str:
    """Return an instant, such as "18 May 2017 08:00:00 UTC"."""
    return f"{date(at_us)} {clock(at_us)} UTC"


def words(code: str) -> str:
    """Return a code as words: underscores become spaces."""
    return str(code).replace("_", " ")


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count and its noun, such as "1 case" or "1,200 cases"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
