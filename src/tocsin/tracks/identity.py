"""Who sent it: an identity with the prefix of the register it belongs to.

`mmsi:` by ITU-R M.585 (nine digits), `icao24:` by ICAO Annex 10 (six hexadecimal digits), `cot:` for the
uid of a Cursor-on-Target event, `dev:` for any device known only to its owner. The prefix keeps an aircraft's
address and a ship's number apart. Whether the sender is who it says it is, nobody can tell from here.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

MAX_ID_CHARS = 100
"""Characters of an identity (P11); a longer one is refused, never cut, since two could then become one."""


class IdPrefix(StrEnum):
    """Registers of identities."""

    MMSI = "mmsi"
    ICAO24 = "icao24"
    COT = "cot"
    DEV = "dev"


IDS_KEPT = 65_536
"""Identities whose spelling is remembered, some 20 MB at most: a track's stands in every piece of a file."""

_BY_NAME = {prefix.value: prefix for prefix in IdPrefix}
_DIGITS = re.compile(r"\d{1,9}(?:\.0)?", re.ASCII)
_HEX = re.compile(r"~?[0-9a-f]{6}", re.ASCII)


@lru_cache(maxsize=IDS_KEPT)
def normal_id(text: str, prefix: IdPrefix | None = None) -> str | None:
    """Return an identity in its one spelling, or None if it is not one.

    Parameters
    ----------
    text : str
        As the source wrote it, with or without the prefix.
    prefix : IdPrefix, optional
        The register of identities without a prefix; `dev` if not given.

    Returns
    -------
    str or None
        Nine digits for `mmsi:` (a coast station's leading zeros restored), lower case for `icao24:`, otherwise
        the text itself. None for an MMSI of 0 or ten digits, for text that is too long, and for unprintable text.

    Examples
    --------
    >>> normal_id("3669702", IdPrefix.MMSI), normal_id("4B1A2C", IdPrefix.ICAO24), normal_id("truck 7")
    ('mmsi:003669702', 'icao24:4b1a2c', 'dev:truck 7')
    >>> normal_id("mmsi:273000001"), normal_id("1193046000", IdPrefix.MMSI)
    ('mmsi:273000001', None)
    """
    own = text.strip()
    head, colon, tail = own.partition(":")
    if colon and head in _BY_NAME:
        prefix, own = _BY_NAME[head], tail
    if not own or len(own) > MAX_ID_CHARS or not own.isprintable():
        return None
    if prefix is IdPrefix.MMSI:
        number = int(own.removesuffix(".0")) if _DIGITS.fullmatch(own) else 0
        return f"mmsi:{number:09d}" if number else None
    if prefix is IdPrefix.ICAO24:
        return f"icao24:{own.lower()}" if _HEX.fullmatch(own.lower()) else None
    return f"{prefix or IdPrefix.DEV}:{own}"
