"""AIS logs: NMEA lines with times, through pyais, into reports; the types of ships from their static messages.

Position messages 1, 2, 3, 4, 9, 11, 18, 19, 21 and 27 of ITU-R M.1371-5 (Annex 8) give reports; 5, 19 and 24 say
what kind of ship it is; all others carry no position and are counted as such. A message names only the second in
which its position was true; the receiver's time completes it. Between them, the receiver's own
`$--RMC` gives reports of the ship that carries it. Binary messages, targets relayed inside them, and `!AIABM` are
not read. Live, the moment of a message's arrival stands for the receiver's time where the line tells none, and the
report is flagged so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from pyais import decode
from pyais.exceptions import AISBaseException

from tocsin.clock import US_PER_S
from tocsin.tracks.category import Category, of_ship_type, of_station
from tocsin.tracks.formats.assemble import Assembler, Fragment
from tocsin.tracks.formats.fixes import Declared, Fixes
from tocsin.tracks.formats.nmea import Clock, Rmc, Sentence, parse_line, parse_rmc, split_line
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.stream import Stream, check_mark
from tocsin.tracks.quality import Flag, RejectReason
from tocsin.units import METRES_PER_SECOND

KNOT_MPS = METRES_PER_SECOND["kn"]

LATE_S = 5
"""Seconds by which a message may seem to come before its own second: the receiver's clock against GPS time.

A message whose second lies up to this much after the receiver's belongs to the same minute; all others to the last
minute before. Reports delayed by a minute or more before they were stamped are dated up to a minute late."""

ACCURACY_M = 10.0
"""What position accuracy "high" promises (ITU-R M.1371: DGNSS, 10 m or better); "low" promises nothing."""

BITS: dict[int, range] = {
    **dict.fromkeys((1, 2, 3, 4, 9, 11, 18), range(168, 169)),
    5: range(420, 427),
    19: range(312, 313),
    21: range(272, 369),
    24: range(158, 175),
    27: range(96, 169),
}
"""Lengths that a message of each type may have; a few bits short, and 21, 24 and 27 padded, are met in practice."""

LAST_TYPE = 27
STATIC_TYPES = frozenset({5, 24})

_VDM = re.compile(
    rb"![A-Z-]{2}VD[MO],(?P<count>\d),(?P<number>\d),(?P<sequence>\d?),[0-9A-Za-z]?,"
    rb"(?P<payload>[0-9:;<=>?@A-W`a-w]{0,200}),(?P<fill>[0-5])\*..",
)
_IS_VDM = re.compile(rb"![A-Z-]{2}VD[MO],")
_STATION = {4: Category.BASE_STATION, 9: Category.SAR_AIRCRAFT, 21: Category.ATON}


def read_ais(stream: Stream, *, feed: str) -> Iterator[Part]:
    """Yield an AIS log as one part: a ship's type may stand anywhere in it.

    Parameters
    ----------
    stream : Stream
    feed : str
        The feed of every report; also the identity of the receiver itself, `dev:<feed>`.

    Raises
    ------
    ReportError
        For UTF-16 text, and for a line that is too long.
    """
    mark = check_mark(stream.head(), stream.place)
    log = AisLines(file=stream.name, feed=feed)
    for block in stream.line_blocks(mark):
        for line, text in block:
            log.take(text, line)
    log.cut()
    if stream.cut:
        log.fixes.reject(stream.lines + 1, RejectReason.TRUNCATED, b"", stream.cut)
    yield log.drain()


class AisLines:
    """Lines of AIS, one after the other, into reports: a log, or a live feed.

    Parameters
    ----------
    file, feed : str
    party : str, optional
        Of every report.
    is_live : bool
        True if it goes on over many parts.
    """

    def __init__(self, *, file: str, feed: str, party: str | None = None, is_live: bool = False) -> None:
        declared = Declared() if is_live else None
        self._fresh = partial(Fixes, file=file, feed=feed, party=party, declared=declared)
        self.fixes = self._fresh()
        self._joined = 0
        self._clock = Clock()
        self._assembler = Assembler()
        self._receiver = f"dev:{feed}"

    def __len__(self) -> int:
        return len(self.fixes)

    def take(self, line_text: bytes, line: int, arrived_us: int | None = None) -> None:
        """Read one line; two sentences that lost the line end between them are two records.

        Parameters
        ----------
        line_text : bytes
            Without its end.
        line : int
            Its number, from 1.
        arrived_us : int, optional
            Live: when it came.
        """
        several = line_text.count(b"*") > 1 and not line_text.startswith(b"#")
        for text in split_line(line_text) if several else (line_text,):
            sentence = parse_line(text)
            if isinstance(sentence, RejectReason):
                self.fixes.reject(line, sentence, text)
            elif _IS_VDM.match(sentence.body):
                self._vdm(sentence, text, line, arrived_us)
            else:
                self._other(sentence, text, line)

    def cut(self) -> None:
        """Give up the parts that still wait: the log or the connection has ended."""
        self._incomplete(self._assembler.flush())

    def drain(self) -> Part:
        """Return what was read since the last call."""
        part = self.fixes.part(joined=self._joined)
        self.fixes, self._joined = self._fresh(), 0
        return part

    def _other(self, sentence: Sentence, text: bytes, line: int) -> None:
        self._clock.learn(sentence)
        rmc = parse_rmc(sentence.body)
        if rmc is None:
            self.fixes.reject(line, RejectReason.OTHER_SENTENCE, text)
            return
        if rmc.at_us is not None and rmc.valid:
            self._clock.set_us(rmc.at_us, line)
        self._own_ship(rmc, text, line)

    def _own_ship(self, rmc: Rmc, text: bytes, line: int) -> None:
        if not rmc.valid:
            self.fixes.reject(line, RejectReason.NOT_A_POSITION, text, "the receiver has no fix")
        elif rmc.at_us is None:
            self.fixes.reject(line, RejectReason.NO_TIME, text)
        else:
            self.fixes.accept(
                line, text, track=self._receiver, observed_us=rmc.at_us, received_us=None, lat=rmc.lat_deg,
                lon=rmc.lon_deg, sog=rmc.speed_kn * KNOT_MPS, cog=rmc.course_deg,
            )  # fmt: skip

    def _vdm(self, sentence: Sentence, text: bytes, line: int, arrived_us: int | None) -> None:
        match = _VDM.fullmatch(sentence.body)
        at_us = self._clock.tell_us(sentence, line, arrived_us)
        if match is None:
            self.fixes.reject(line, RejectReason.UNPARSABLE, text)
            return
        fragment = Fragment(
            line=line, text=text, body=sentence.body, payload=match["payload"], fill=int(match["fill"]),
            count=int(match["count"]), number=int(match["number"]), sequence=match["sequence"],
            source=sentence.source, at_us=at_us, naive=sentence.stamp_is_naive, arrived=at_us == arrived_us,
        )  # fmt: skip
        whole, evicted = self._assembler.push(fragment)
        self._incomplete(evicted)
        if whole:
            self._message(whole)

    def _incomplete(self, fragments: list[Fragment]) -> None:
        for f in fragments:
            reason = RejectReason.INCOMPLETE if 1 <= f.number <= f.count else RejectReason.UNPARSABLE
            self.fixes.reject(f.line, reason, f.text, f"part {f.number} of {f.count}")

    def _message(self, parts: list[Fragment]) -> None:
        first = parts[0]
        self._joined += len(parts) - 1
        bits = sum(len(p.payload) for p in parts) * 6 - parts[-1].fill
        kind = _armour(first.payload[0]) if first.payload else 0
        problem = _problem(kind, bits)
        if problem is not None:
            self.fixes.reject(first.line, problem, first.text, f"type {kind}, {bits} bits")
            return
        try:
            message = decode(*(p.body for p in parts))
        except (AISBaseException, ValueError) as error:
            self.fixes.reject(first.line, RejectReason.UNPARSABLE, first.text, f"type {kind}: {error}")
            return
        ship_type = getattr(message, "ship_type", None)
        if ship_type is not None:
            self.fixes.declare(f"mmsi:{message.mmsi:09d}", of_ship_type(int(ship_type)))
        if kind in STATIC_TYPES:
            self.fixes.reject(first.line, RejectReason.NO_POSITION, first.text, f"type {kind}")
        else:
            self._position(kind, message, parts)

    def _position(self, kind: int, message: Any, parts: list[Fragment]) -> None:
        first = parts[0]
        stamps = [p.at_us for p in parts if p.at_us is not None]
        if not 0 < message.mmsi <= 999_999_999:
            self.fixes.reject(first.line, RejectReason.BAD_IDENTITY, first.text, f"MMSI {message.mmsi}")
        elif not stamps:
            naive = any(p.naive for p in parts)
            self.fixes.reject(first.line, RejectReason.NAIVE_TIME if naive else RejectReason.NO_TIME, first.text)
        else:
            station = _STATION.get(kind) or of_station(message.mmsi)
            self.fixes.accept(
                first.line,
                first.text,
                track=f"mmsi:{message.mmsi:09d}",
                observed_us=complete_us(stamps[0], getattr(message, "second", None)),
                received_us=stamps[0],
                lat=message.lat,
                lon=message.lon,
                category=station.value if station else None,
                doubt=(Flag.ARRIVAL_TIME, "") if first.arrived and first.at_us is not None else None,
                **_motion(kind, message),
            )


def complete_us(received_us: int, second: int | None) -> int:
    """Return when a position was true: the receiver's time, moved to the second that the message names.

    Parameters
    ----------
    received_us : int
    second : int or None
        UTC second of the position, 0 to 59; 60 to 63 and None mean that the sender did not say.

    Returns
    -------
    int
        Microseconds UTC, at most 54 s before and `LATE_S` after `received_us`.

    Examples
    --------
    >>> complete_us(61_400_000, 58) == 58_000_000, complete_us(61_400_000, 3) == 63_000_000, complete_us(61_400_000, 60)
    (True, True, 61400000)
    """
    if second is None or second >= 60:
        return received_us
    whole = received_us // US_PER_S
    back = (whole - second) % 60
    return (whole - back + (60 if back >= 60 - LATE_S else 0)) * US_PER_S


def _motion(kind: int, message: Any) -> dict[str, float]:
    """Return a message's optional numbers in SI; what M.1371 sends for not available becomes NaN."""
    nan = float("nan")
    speed, course, heading = (getattr(message, word, None) for word in ("speed", "course", "heading"))
    absent = {9: 1_023, 27: 63}.get(kind, 102.3)
    no_course = {27: 511}.get(kind, 360.0)
    altitude = getattr(message, "alt", None)
    return {
        "sog": nan if speed is None or speed == absent else speed * KNOT_MPS,
        "cog": nan if course is None or course == no_course else course,
        "heading": nan if heading is None or heading == 511 else heading,
        "alt": nan if altitude is None or altitude == 4_095 else altitude,
        "accuracy": ACCURACY_M if message.accuracy and kind != 27 else nan,
    }


def _problem(kind: int, bits: int) -> RejectReason | None:
    if not 1 <= kind <= LAST_TYPE:
        return RejectReason.UNKNOWN_TYPE
    lengths = BITS.get(kind)
    if lengths is None:
        return RejectReason.NO_POSITION
    return None if bits in lengths else RejectReason.WRONG_LENGTH


def _armour(letter: int) -> int:
    value = letter - 48
    return value - 8 if value > 40 else value
