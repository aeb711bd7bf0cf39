r"""NMEA 0183 lines: the sentence, its checksum, and every way in which loggers write down when it came.

Sentences by IEC 61162-1, tag blocks by IEC 61162-450 (`\c:1428451253*20\`), the Gatehouse wrapper `$PGHP`, a time
before the sentence (`2017-05-18T14:02:00Z !AIVDM…`, `1495116120 !AIVDM…`), a time among the fields after it (US
Coast Guard: `…*30,d-080,S2118,r003669946,1325394060`), and the clock of a receiver that writes its own `$GPRMC`
between what it hears. What the sentences carry, `ais.py` reads. Local times are not taken as UTC; a time of day
without its date is not used.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise
from operator import xor

from msgspec import Struct

from tocsin.clock import US_PER_S
from tocsin.errors import UnitError
from tocsin.tracks.quality import RejectReason
from tocsin.units import parse_instant_us

MAX_TAG_BLOCKS = 4
"""Tag blocks before one sentence (P11)."""

CLOCK_LINES = 1_000
"""Lines after which a receiver's last `$--RMC` no longer tells the time: its GPS may have lost its fix."""

_SENTENCE = re.compile(rb"[!$][A-Z-][A-Z0-9-]{3,5}[^*!$\\\r\n]*(?:\*([0-9A-Fa-f]{2}))?")
_TAG_BLOCK = re.compile(rb"\\([^\\]*)\\")
_EPOCH = re.compile(rb"(?:\d{10}(?:\.\d{1,9})?|\d{13})")
_BEGIN = re.compile(rb"[!$\\]")
_START = re.compile(rb"[!$][A-Z-][A-Z0-9-]{3,5},")
_CHECKSUM = re.compile(rb"\*[0-9A-Fa-f]{2}")
_DAMAGED = re.compile(rb"!\S{0,80}VD[MO]")
_SEPARATORS = b",;|\t "
_LOCAL = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?")
_PGHP = re.compile(
    rb"\$PGHP,1,(\d{4}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,3}),.*,([0-9A-Fa-f]{2})\*.."
)


class Sentence(Struct, frozen=True, kw_only=True):
    """One line taken apart.

    Attributes
    ----------
    body : bytes
        From the `!` or `$` to the checksum, inclusive.
    checksum : int
    source : bytes
        The group of sentences, or else the station, that a tag block names; or nothing.
    stamp_us : int or None
        When it was received, if the line itself says so.
    stamp_is_naive : bool
        True if the line says a time without a zone.
    """

    body: bytes
    checksum: int
    source: bytes = b""
    stamp_us: int | None = None
    stamp_is_naive: bool = False


def parse_line(line: bytes) -> Sentence | RejectReason:
    r"""Return a line's sentence, or why there is none.

    Parameters
    ----------
    line : bytes
        Without its end.

    Returns
    -------
    Sentence or RejectReason
        BAD_CHECKSUM for a sentence or tag block whose checksum is wrong; TRUNCATED for one without a checksum;
        UNPARSABLE for what looks like a damaged sentence; OTHER_SENTENCE for a line that holds none.

    Examples
    --------
    >>> parse_line(rb"\s:FooBar,c:1428451253*20\!BSVDM,1,1,,A,13nN34?000QFpgRWnQLLSPpF00SO,0*06").stamp_us
    1428451253000000
    >>> str(parse_line(b"!AIVDM,1,1,,A,13nN34?000QFpgRWnQLLSPpF00SO,0*07"))
    'bad_checksum'
    """
    stamp, naive, source, at = None, False, b"", 0
    begin = None if line.startswith(b"#") else _BEGIN.search(line)
    if begin is not None:
        at = begin.start()
        stamp, naive = _stamp(line[:at].rstrip(_SEPARATORS + b":").strip())
    for _ in range(MAX_TAG_BLOCKS):
        block = _TAG_BLOCK.match(line, at)
        if block is None:
            break
        body, star, digits = block[1].rpartition(b"*")
        if not star or not re.fullmatch(rb"[0-9A-Fa-f]{2}", digits) or int(digits, 16) != checksum(body):
            return RejectReason.BAD_CHECKSUM
        for word in body.split(b","):
            key, _, value = word.partition(b":")
            if key == b"c" and stamp is None and _EPOCH.fullmatch(value):
                stamp = _epoch_us(value)
            elif key == b"g":
                source = b"g" + value.rpartition(b"-")[2]
            elif key == b"s":
                source = source or value
        at = block.end()
    sentence = _SENTENCE.match(line, at)
    if sentence is None:
        return _no_sentence(line, at)
    if sentence[1] is None:
        return RejectReason.TRUNCATED
    body, found = sentence[0], int(sentence[1], 16)
    if found != checksum(body[1:-3]):
        return RejectReason.BAD_CHECKSUM
    if stamp is None and not naive:
        stamp, naive = _stamp_after(line[sentence.end() :])
    return Sentence(body=body, checksum=found, source=source, stamp_us=stamp, stamp_is_naive=naive)


def _no_sentence(line: bytes, at: int) -> RejectReason:
    if line[at : at + 1] == b"\\":
        return RejectReason.TRUNCATED
    if line.startswith(b"#"):
        return RejectReason.OTHER_SENTENCE
    damaged = line[at : at + 1] in (b"!", b"$") or _DAMAGED.search(line)
    return RejectReason.UNPARSABLE if damaged else RejectReason.OTHER_SENTENCE


def checksum(text: bytes) -> int:
    """Return the exclusive or of all bytes: the checksum of what stands between `!` or `$` and `*`."""
    return reduce(xor, text, 0)


def split_line(line: bytes) -> list[bytes]:
    """Return the records of a line: one, or more where line ends were lost between them.

    What stands between two sentences belongs to the first if a separator comes before it, as the fields of the
    US Coast Guard do, and else to the second, as a time or a tag block does.

    Examples
    --------
    >>> split_line(b"!AIVDM,1*00,r003,1325394060!AIVDM,2*001495116120 $GPGLL,3*00")
    [b'!AIVDM,1*00,r003,1325394060', b'!AIVDM,2*00', b'1495116120 $GPGLL,3*00']
    """
    starts = [match.start() for match in _START.finditer(line)]
    cuts = [0]
    for before, start in pairwise(starts):
        end = _CHECKSUM.search(line, before, start)
        if end is None:
            cuts.append(start)
        elif line[end.end() : end.end() + 1] in (b"", *(bytes((c,)) for c in _SEPARATORS)):
            block = line.find(b"\\", end.end(), start)
            cuts.append(start if block < 0 else block)
        else:
            cuts.append(end.end())
    return [line[a:b] for a, b in pairwise([*cuts, len(line)])]


class Clock:
    """The times that other sentences tell for those that carry none.

    A `$PGHP` is about the sentence whose checksum it names, and about none after it. A `$--RMC` is the time of
    the receiver, until `CLOCK_LINES` later.
    """

    def __init__(self) -> None:
        self._wrapped: tuple[int, int] | None = None
        self._clock_us: int | None = None
        self._clock_line = 0

    def learn(self, sentence: Sentence) -> None:
        """Take the time from a sentence that tells it."""
        wrapper = _PGHP.fullmatch(sentence.body)
        if wrapper is not None:
            at = _date_us(*(int(g) for g in wrapper.groups()[:7]))
            self._wrapped = None if at is None else (int(wrapper[8], 16), at)

    def set_us(self, at_us: int, line: int) -> None:
        """Set the receiver's clock, as read at a line."""
        self._clock_us, self._clock_line = at_us, line

    def tell_us(self, sentence: Sentence, line: int, arrived_us: int | None = None) -> int | None:
        """Return when a sentence was received, or None.

        Parameters
        ----------
        sentence : Sentence
        line : int
        arrived_us : int, optional
            Live: when it came to us, which stands for the time of a sentence that tells none.
        """
        wrapped, self._wrapped = self._wrapped, None
        if sentence.stamp_us is not None or (sentence.stamp_is_naive and arrived_us is None):
            return sentence.stamp_us
        if wrapped is not None and wrapped[0] == sentence.checksum:
            return wrapped[1]
        if arrived_us is not None:
            return arrived_us
        return self._clock_us if line - self._clock_line <= CLOCK_LINES else None


class Rmc(Struct, frozen=True, kw_only=True):
    """A receiver's own position, by `$--RMC`.

    Attributes
    ----------
    at_us : int or None
        None if the date or time is missing or wrong.
    lat_deg, lon_deg : float
        NaN where missing.
    speed_kn, course_deg : float
    valid : bool
        False if the receiver says that it has no fix.
    """

    at_us: int | None
    lat_deg: float
    lon_deg: float
    speed_kn: float
    course_deg: float
    valid: bool


def parse_rmc(body: bytes) -> Rmc | None:
    """Return what an RMC sentence says, or None if it is not one; two-digit years are 2000 to 2099.

    Examples
    --------
    >>> parse_rmc(b"$GPRMC,035258,A,5013.4693,N,00346.6503,W,4.0,183.2,260711,3.8,W,A*18").lat_deg
    50.22448833333333
    """
    fields = body.split(b"*")[0].split(b",")
    if fields[0][3:] != b"RMC" or len(fields) < 10:
        return None
    when, status, lat, north, lon, east, speed, course, date = (f.decode("ascii", "replace") for f in fields[1:10])
    return Rmc(
        at_us=_rmc_us(date, when),
        lat_deg=_angle(lat, 2, north, "NS"),
        lon_deg=_angle(lon, 3, east, "EW"),
        speed_kn=_float(speed),
        course_deg=_float(course),
        valid=status == "A",
    )


def _stamp(text: bytes) -> tuple[int | None, bool]:
    if _EPOCH.fullmatch(text):
        return _epoch_us(text), False
    if _LOCAL.fullmatch(text):
        return None, True
    try:
        return parse_instant_us(text.decode("ascii", "replace")), False
    except UnitError:
        return None, False


def _stamp_after(rest: bytes) -> tuple[int | None, bool]:
    # Of several, the first is the station's; later ones were added on the way.
    for word in re.split(rb"[,;|\t]+", rest[:200]) if rest else ():
        stamp, naive = _stamp(word.strip())
        if stamp is not None or naive:
            return stamp, naive
    return None, False


def _epoch_us(text: bytes) -> int:
    if len(text) == 13 and b"." not in text:
        return int(text) * 1_000
    whole, _, fraction = text.partition(b".")
    return int(whole) * US_PER_S + int(fraction.ljust(6, b"0")[:6])


def _date_us(year: int, month: int, day: int, hour: int, minute: int, second: int, milli: int) -> int | None:
    try:
        at = datetime(year, month, day, hour, minute, min(second, 59), milli * 1_000, UTC)
    except ValueError:
        return None
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _rmc_us(date: str, when: str) -> int | None:
    match = re.fullmatch(r"(\d\d)(\d\d)(\d\d) (\d\d)(\d\d)(\d\d)(?:\.(\d{1,6}))?", f"{date} {when}", re.ASCII)
    if match is None:
        return None
    day, month, year, hour, minute, second = (int(g) for g in match.groups()[:6])
    milli = int((match[7] or "0").ljust(3, "0")[:3])
    return _date_us(2000 + year, month, day, hour, minute, second, milli)


def _angle(text: str, degrees: int, hemisphere: str, letters: str) -> float:
    if hemisphere not in (*letters,) or not re.fullmatch(rf"\d{{{degrees}}}[0-5]\d(?:\.\d*)?", text, re.ASCII):
        return float("nan")
    angle = int(text[:degrees]) + float(text[degrees:]) / 60.0
    return -angle if hemisphere == letters[1] else angle


def _float(text: str) -> float:
    return float(text) if re.fullmatch(r"\d{1,6}(?:\.\d*)?", text, re.ASCII) else float("nan")
