"""SBS-1 text, as Mode S receivers write it on port 30003 (BaseStation format), into reports.

22 comma-separated fields a line; `MSG,2` and `MSG,3` (and `MLAT`) carry positions, `MSG,4` the speed and track angle,
which complete the aircraft's positions of the next `MOTION_S`. The times are the receiver's local ones: they are read
only in a stated zone; live, without one, the moment of arrival stands for them and is flagged so. Altitudes are left
out: they are pressure altitudes, and `alt_m` is a height above the ellipsoid.

References
----------
The socket format of Kinetic's BaseStation, as documented by its users; field numbers in `_FIELDS` count from 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from math import isnan
from zoneinfo import ZoneInfo

from tocsin.clock import US_PER_S
from tocsin.errors import ReportError
from tocsin.tracks.formats.columns import BUILT_IN, ColumnMap
from tocsin.tracks.formats.fixes import NAN, Fixes
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.stream import Stream, check_text
from tocsin.tracks.identity import IdPrefix, normal_id
from tocsin.tracks.quality import Flag, RejectReason
from tocsin.units import METRES_PER_SECOND

FIELD_COUNT = 22
"""Fields of a line."""

MOTION_S = 5.0
"""Seconds for which a `MSG,4` tells how an aircraft moves; both are sent about twice a second."""

MAX_MOTIONS = 20_000
"""Aircraft whose last motion is remembered (P11)."""

CATEGORY = "aircraft"

LINE = re.compile(rb"(?:MSG|MLAT|SEL|ID|AIR|STA|CLK),")
"""How a line begins."""

_POSITIONS = frozenset({b"2", b"3"})
_MOTION = b"4"
_NUMBER = re.compile(rb"[+-]?\d{1,12}(?:\.\d{0,18})?")
_DATE = re.compile(rb"(\d{4})/(\d\d)/(\d\d)")
_TIME = re.compile(rb"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_sbs(stream: Stream, columns: ColumnMap | None, *, feed: str) -> Iterator[Part]:
    """Yield an SBS-1 log's parts, in file order.

    Parameters
    ----------
    stream : Stream
    columns : ColumnMap or None
        Only its `zone` is used: that of the receiver's clock.
    feed : str

    Raises
    ------
    ReportError
        If no zone is stated: the times are local, and nothing in the file says where.
    """
    check_text(stream.head(), stream.place)
    if columns is None or columns.zone is None:
        raise ReportError(
            "local times without a zone",
            expected=f"columns=sbs if the receiver's clock shows UTC, or a map with another zone ({_map()})",
            place=stream.place,
        )
    lines = SbsLines(file=stream.name, feed=feed, zone=columns.zone)
    for block in stream.line_blocks():
        for number, text in block:
            lines.take(text, number)
        yield lines.drain()
    if stream.cut:
        lines.fixes.reject(stream.lines + 1, RejectReason.TRUNCATED, b"", stream.cut)
        yield lines.drain()


class SbsLines:
    """Lines of SBS-1, one after the other, into reports: a log, or a live feed.

    Parameters
    ----------
    file, feed : str
    party : str, optional
        Of every report.
    zone : str, optional
        IANA zone of the receiver's clock; None if it is not known.
    """

    def __init__(self, *, file: str, feed: str, party: str | None = None, zone: str | None = None) -> None:
        self._fresh = partial(Fixes, file=file, feed=feed, party=party)
        self._zone = None if zone is None else ZoneInfo(zone)
        self._motions: dict[str, tuple[int, float, float]] = {}
        self.fixes = self._fresh()

    def __len__(self) -> int:
        return len(self.fixes)

    def take(self, text: bytes, line: int, arrived_us: int | None = None) -> None:
        """Read one line.

        Parameters
        ----------
        text : bytes
            Without its end.
        line : int
            Its number, from 1.
        arrived_us : int, optional
            Live: when it came.
        """
        fields = text.split(b",")
        kind = fields[0]
        if kind not in (b"MSG", b"MLAT"):
            known = LINE.match(text) is not None
            self.fixes.reject(line, RejectReason.OTHER_SENTENCE if known else RejectReason.UNPARSABLE, text)
        elif len(fields) != FIELD_COUNT:
            found = f"{len(fields)} fields, expected {FIELD_COUNT}"
            self.fixes.reject(line, RejectReason.WRONG_COLUMNS, text, found)
        elif fields[1] == _MOTION:
            self._learn(fields, text, line, arrived_us)
        elif fields[1] not in _POSITIONS or not (fields[14].strip() or fields[15].strip()):
            known = fields[1] in (b"1", b"2", b"3", b"5", b"6", b"7", b"8")
            self.fixes.reject(line, RejectReason.NO_POSITION if known else RejectReason.UNKNOWN_TYPE, text)
        else:
            self._position(fields, text, line, arrived_us)

    def cut(self) -> None:
        """Note that the connection ended; every line of SBS-1 stands alone, so nothing waits."""
        self._motions.clear()

    def drain(self) -> Part:
        """Return what was read since the last call."""
        part = self.fixes.part()
        self.fixes = self._fresh()
        return part

    def _learn(self, fields: list[bytes], text: bytes, line: int, arrived_us: int | None) -> None:
        at, _ = self._when(fields, arrived_us)
        track = _track(fields[4])
        sog, cog = _float(fields[12]), _float(fields[13])
        if track is not None and not isinstance(at, RejectReason) and sog is not None and cog is not None:
            self._motions.pop(track, None)
            self._motions[track] = (at, sog * METRES_PER_SECOND["kn"], cog)
            if len(self._motions) > MAX_MOTIONS:
                del self._motions[next(iter(self._motions))]
        self.fixes.reject(line, RejectReason.NO_POSITION, text, "speed and track angle, for the next position")

    def _position(self, fields: list[bytes], text: bytes, line: int, arrived_us: int | None) -> None:
        track = _track(fields[4])
        at, doubt = self._when(fields, arrived_us)
        lat, lon = _float(fields[14]), _float(fields[15])
        if track is None:
            reason = RejectReason.BAD_IDENTITY if fields[4].strip() else RejectReason.NO_IDENTITY
            self.fixes.reject(line, reason, text)
        elif lat is None or lon is None:
            self.fixes.reject(line, RejectReason.BAD_NUMBER, text)
        elif isinstance(at, RejectReason):
            self.fixes.reject(line, at, text)
        else:
            sog, cog = _float(fields[12]), _float(fields[13])
            speed = NAN if sog is None else sog * METRES_PER_SECOND["kn"]
            course = NAN if cog is None else cog
            motion = self._motions.get(track)
            if motion is not None and 0 <= at - motion[0] <= MOTION_S * US_PER_S and isnan(speed):
                _, speed, course = motion
            self.fixes.accept(
                line, text, track=track, observed_us=at, received_us=arrived_us, lat=lat, lon=lon, sog=speed,
                cog=course, category=CATEGORY, doubt=doubt,
            )  # fmt: skip

    def _when(self, fields: list[bytes], arrived_us: int | None) -> tuple[int | RejectReason, tuple[Flag, str] | None]:
        generated = fields[6].strip(), fields[7].strip()
        date, time = generated if all(generated) else (fields[8].strip(), fields[9].strip())
        if self._zone is not None and (date or time):
            return _local_us(date, time, self._zone), None
        if arrived_us is not None:
            return arrived_us, (Flag.ARRIVAL_TIME, "")
        return RejectReason.NAIVE_TIME if self._zone is None else RejectReason.NO_TIME, None


def _map() -> str:
    columns = BUILT_IN["sbs"].columns
    return ",".join(f"{word}={c.name}" + (f"[{c.unit}]" if c.unit else "") for word, c in columns.items()) + ",zone=…"


def _track(ident: bytes) -> str | None:
    return normal_id(ident.decode("ascii", "replace"), IdPrefix.ICAO24)


def _float(text: bytes) -> float | None:
    text = text.strip()
    if not text:
        return NAN
    return float(text) if _NUMBER.fullmatch(text) else None


def _local_us(date: bytes, time: bytes, zone: ZoneInfo) -> int | RejectReason:
    day, clock = _DATE.fullmatch(date), _TIME.fullmatch(time)
    if day is None or clock is None:
        return RejectReason.BAD_TIME
    micros = int((clock[4] or b"0").ljust(6, b"0")[:6])
    second = int(clock[3])
    if second == 60:
        second, micros = 59, US_PER_S - 1
    year, month, day_of_month = map(int, day.groups())
    try:
        early = datetime(year, month, day_of_month, int(clock[1]), int(clock[2]), second, micros, zone)
    except ValueError:
        return RejectReason.BAD_TIME
    late = early.replace(fold=1)
    if early.utcoffset() != late.utcoffset():
        return RejectReason.AMBIGUOUS_TIME
    return (early - _EPOCH) // timedelta(microseconds=1)
