"""Whose position an unread line is, at a glance: enough to give up the oldest positions of a track unread.

A glance costs a twentieth of reading the line, and is no opinion of what it says: a line that is refused later may
have a key, and one whose key cannot be seen has none.
"""

from __future__ import annotations

import re

_JSON = re.compile(rb'"track_id"\s*:\s*"([^"\\]{1,200})"')
_AIS = re.compile(rb"![A-Z-]{2}VD[MO],1,1,\d?,[0-9A-Za-z]?,([1-39BCK])([0-9:;<=>?@A-W`a-w]{6})")
"""Whole messages of the types 1, 2, 3, 9, 18, 19 and 27, and the characters in which the MMSI stands."""

_SBS = re.compile(rb"(?:MSG|MLAT),[23],[^,]*,[^,]*,([0-9A-Fa-f]{6}),")
_OSMAND = re.compile(rb"(?:^|[?&])(?:id|deviceid)=([^&\s]{1,200})")


def track_key(line: bytes) -> bytes | None:
    """Return what tells the track of a line's position from others, or None if the line is no position that is known.

    Examples
    --------
    >>> track_key(b'{"lat_deg": 1, "track_id": "dev:a"}'), track_key(b"MSG,3,1,1,4CA4E5,1,2010/02/19")
    (b'dev:a', b'4ca4e5')
    >>> track_key(b"!AIVDM,2,1,3,B,55P5TL01VIaAL@7W,0*1C") is None
    True
    """
    if line[:1] == b"{":
        found = _JSON.search(line)
        return found[1] if found else None
    if (found := _AIS.search(line)) is not None:
        # Bits 8 to 37 of the message: the first character's last four bits and the last one's first two are others'.
        return bytes([(_six(found[2][0]) & 0x0F) | 0x40, *found[2][1:5], _six(found[2][5]) & 0x30])
    found = _SBS.match(line) or _OSMAND.search(line)
    return found[1].lower() if found else None


def _six(character: int) -> int:
    """Return the six bits that a character of a payload stands for (IEC 61162-1)."""
    value = character - 48
    return value - 8 if value > 40 else value
