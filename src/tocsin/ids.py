"""Identities: the same thing has the same name on every machine and at every replay.

An id is the first half of a SHA-256 of what the thing *is*, never a counter (FAULTS §3.4), so a thing
found twice, by two machines or after a restart, is found once.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from tocsin.canon import digest

ID_BYTES = 16
"""Bytes of a SHA-256 kept in an id: 2**64 ids before an accidental collision is likely."""


def stable_id(*parts: str | int | None) -> str:
    """Return the id of the thing that these parts identify, as 32 hexadecimal digits.

    Examples
    --------
    >>> stable_id("case", "ring", "mmsi:273000001", 1495094400000000) == stable_id(
    ...     "case", "ring", "mmsi:273000001", 1495094400000000)
    True
    >>> stable_id("a", "bc") == stable_id("ab", "c")
    False
    """
    return digest(list(parts))[:ID_BYTES].hex()


KEYS_KEPT = 65_536
"""Keys that are remembered, some 10 MB at most: the same zones, rules and tracks raise event after event."""


@lru_cache(maxsize=KEYS_KEPT)
def text_key(text: str) -> bytes:
    """Return the 16-byte key of a text: the fixed-size stand-in for a name inside an event's id."""
    return hashlib.sha256(text.encode()).digest()[:ID_BYTES]
