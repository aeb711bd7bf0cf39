"""A feed's address: the URL it is given by, taken apart, and every option in it used or refused.

Scheme, host, port and path by RFC 3986; options as a query. Secrets do not belong in a URL, which is seen in lists of
processes and in logs: a URL with a user or password is refused, and a file is named instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from tocsin.clock import US_PER_S
from tocsin.errors import Place, SettingError, UnitError
from tocsin.tracks.order import FeedPolicy
from tocsin.units import parse_duration_s

MAX_URL_CHARS = 2_000
"""Characters of a feed's URL (P11)."""

COMMON = ("name", "lateness", "hold", "party")
"""Options of every feed."""

LATENESS_S = 60.0
"""How late a report may come and still be in order, unless the URL says otherwise: coastal AIS."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_UNNAMED = re.compile(r"[^A-Za-z0-9._:-]+")
_BARE_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|h|d)")
_T = TypeVar("_T")


class FeedAddress(Struct, frozen=True, kw_only=True):
    """A feed's URL, taken apart.

    Attributes
    ----------
    shown : str
        The URL without its options, for messages.
    scheme, host : str
    port : int or None
    path : str
        Percent escapes undone.
    options : mapping of str to str
    """

    shown: str
    scheme: str
    host: str
    port: int | None
    path: str
    options: Mapping[str, str]

    @property
    def place(self) -> Place:
        """The URL, for messages."""
        return Place(self.shown)

    def allow(self, *names: str) -> None:
        """Refuse every option but `COMMON` and these.

        Raises
        ------
        SettingError
            For an option that this transport does not have.
        """
        known = (*COMMON, *names)
        for name in self.options:
            if name not in known:
                raise SettingError(f"the option {name!r}", expected=f"one of {', '.join(known)}", place=self.place)

    def read(self, option: str, default: _T, reader: Callable[[str], _T], expected: str) -> _T:
        """Return an option's value, or the default if it is not given.

        Parameters
        ----------
        option : str
        default : object
        reader : callable
            Takes the text; raises ValueError if it is none.
        expected : str
            What the text should be, for the message.

        Raises
        ------
        SettingError
            If the reader refuses the text.
        """
        text = self.options.get(option)
        if text is None:
            return default
        try:
            return reader(text)
        except ValueError as error:
            raise SettingError(f"{option}={text!r}", expected=expected, place=self.place) from error

    def duration_us(self, option: str, default_s: float) -> int:
        """Return an option that is a duration (`60s`, `10 min`, `PT1M`), in microseconds.

        Raises
        ------
        SettingError
            For a bare number or no duration.
        """
        seconds = self.read(option, default_s, read_duration_s, "a duration, such as 60s")
        return round(seconds * US_PER_S)

    def number(self, option: str, default: int, *, least: int, most: int) -> int:
        """Return an option that is a whole number within bounds.

        Raises
        ------
        SettingError
            For anything else.
        """

        def reader(text: str) -> int:
            number = int(text) if text.isascii() and text.isdigit() else -1
            if not least <= number <= most:
                raise ValueError(text)
            return number

        return self.read(option, default, reader, f"a whole number from {least} to {most}")

    def word(self, option: str, default: str, words: Collection[str]) -> str:
        """Return an option that is one of some words.

        Raises
        ------
        SettingError
            For another word.
        """

        def reader(text: str) -> str:
            if text not in words:
                raise ValueError(text)
            return text

        return self.read(option, default, reader, f"one of {', '.join(words)}")

    def name(self, default: str) -> str:
        """Return the feed's name: as stated, or as the transport makes it.

        Parameters
        ----------
        default : str
            What the transport would call it; characters that a name cannot have become `-`.

        Raises
        ------
        SettingError
            For a name that is more than letters, digits and `. _ : -`, or longer than 64.
        """

        def reader(text: str) -> str:
            if not _NAME.fullmatch(text):
                raise ValueError(text)
            return text

        return self.read(
            "name", _UNNAMED.sub("-", default).strip("-")[:64], reader, "a name of letters, digits and . _ : -"
        )

    def policy(self, lateness_s: float = LATENESS_S) -> FeedPolicy:
        """Return what is expected of the feed, as stated or by default.

        Raises
        ------
        SettingError
            If `lateness` or `hold` is no duration.
        """
        return FeedPolicy(lateness_us=self.duration_us("lateness", lateness_s), hold_us=self.duration_us("hold", 60.0))


def parse_address(url: str) -> FeedAddress:
    """Return a feed's URL, taken apart.

    Raises
    ------
    SettingError
        For what is no URL, for a secret in it, and for an option twice.

    Examples
    --------
    >>> address = parse_address("udp://127.0.0.1:10110?format=ais&lateness=90s")
    >>> address.host, address.port, address.policy().lateness_us
    ('127.0.0.1', 10110, 90000000)
    >>> parse_address("file:logs/a%20b.nmea").path
    'logs/a b.nmea'
    """
    shown = url.partition("?")[0]
    if len(url) > MAX_URL_CHARS or not url.isprintable():
        raise SettingError(f"{len(url)} characters", expected="a printable URL", place=Place(shown[:80]))
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise SettingError(str(error), expected="a URL, such as tcp://host:port", place=Place(shown)) from error
    if "@" in parts.netloc:
        raise SettingError(
            "a user or password", expected="the option credentials=FILE", place=Place(f"{parts.scheme}://…")
        )
    if not parts.scheme:
        raise SettingError("no scheme", expected="a URL, such as tcp://host:port", place=Place(shown))
    pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=50)
    options = dict(pairs)
    if len(options) < len(pairs) or parts.fragment:
        found = "a fragment (#)" if parts.fragment else "an option twice"
        raise SettingError(found, expected="each option once, and nothing after them", place=Place(shown))
    return FeedAddress(
        shown=shown, scheme=parts.scheme, host=host, port=port, path=unquote(parts.path), options=options
    )


def read_duration_s(text: str) -> float:
    """Return a duration as it is written in a URL, where a space is a nuisance: `60s` is "60 s".

    Raises
    ------
    UnitError
        For a bare number or no duration.
    """
    bare = _BARE_DURATION.fullmatch(text)
    seconds = parse_duration_s(f"{bare[1]} {bare[2]}" if bare else text)
    if seconds < 0:
        raise UnitError(text, expected="a duration that is not negative")
    return seconds
