"""Live bytes, cut anywhere, into reports: lines told apart, each read by the format it is of.

Incremental and pure: bytes and the time of their arrival in, what they say out. Lines are put by as they come and read
when they are taken, so that too many can be given up unread (`shedding.py`). A line of no format, or of another than
was stated, costs only itself (FAULTS 39). An unfinished line at the end of a connection is discarded and counted, as
are messages whose other parts never came (FAULTS 32). Work and memory per byte are bounded: a line that is too long is
skipped as it comes, and never held.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from itertools import count, repeat
from typing import Protocol

from msgspec import Struct

from tocsin.tracks.batch import ReportBatch, concat
from tocsin.tracks.formats.jsonlines import JsonLines
from tocsin.tracks.formats.osmand import OsmAndQueries
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.peek import track_key
from tocsin.tracks.formats.quick import MAX_LINE_BYTES
from tocsin.tracks.formats.sbs import LINE as SBS_LINE
from tocsin.tracks.formats.sbs import SbsLines
from tocsin.tracks.quality import Flag, Reject, RejectReason, clip, iter_rejects
from tocsin.tracks.shedding import kept_of

_AIS_LINE = re.compile(rb"[^{]{0,200}?[!$][A-Z-]{3,6}|\\|#")


MAX_STARVED = 1_000_000
"""Tracks that are remembered because positions of theirs were given up (P11)."""


class LiveFormat(StrEnum):
    """What a live feed may send; `auto` tells it line by line."""

    AUTO = "auto"
    AIS = "ais"
    SBS = "sbs"
    JSON = "json"
    OSMAND = "osmand"


LATENESS_S: dict[LiveFormat, float] = {
    LiveFormat.AUTO: 60.0,
    LiveFormat.AIS: 60.0,
    LiveFormat.SBS: 10.0,
    LiveFormat.JSON: 60.0,
    LiveFormat.OSMAND: 60.0,
}
"""How late a report of each format may come, in seconds, unless stated otherwise: coastal AIS, ADS-B (FAULTS C)."""


class _Lines(Protocol):
    def __len__(self) -> int: ...
    def take(self, text: bytes, line: int, arrived_us: int | None) -> None: ...
    def cut(self) -> None: ...
    def drain(self) -> Part: ...


class Decoded(Struct, frozen=True, kw_only=True):
    """What some bytes said; read = reports + rejects + shed.

    Attributes
    ----------
    batch : ReportBatch
    rejects : tuple of Reject
    read : int
    flagged : dict of Flag to int
    shed : int
        Lines given up unread.
    """

    batch: ReportBatch
    rejects: tuple[Reject, ...]
    read: int
    flagged: dict[Flag, int]
    shed: int = 0


class LiveReader:
    """One connection's bytes into reports.

    Attributes
    ----------
    starved : dict of bytes to int
        How often positions of a track were given up since one was taken; readers of one feed share it.

    Parameters
    ----------
    feed : str
    form : LiveFormat
    party : str, optional
        Of every report.
    zone : str, optional
        Of the times of SBS-1; None uses the arrival.
    speed : str
        Unit of OsmAnd's speeds.
    """

    def __init__(
        self,
        *,
        feed: str,
        form: LiveFormat = LiveFormat.AUTO,
        party: str | None = None,
        zone: str | None = None,
        speed: str = "kn",
    ) -> None:
        self._feed = feed
        self._form = form
        self._held = bytearray()
        self._skipping = False
        self._line = 0
        self._own: list[Reject] = []
        self._put_by: list[tuple[bytes, int, int | None]] = []
        self._shed = 0
        self.starved: dict[bytes, int] = {}
        made: dict[LiveFormat, Callable[[], _Lines]] = {
            LiveFormat.AIS: lambda: _ais_lines(feed, party),
            LiveFormat.SBS: lambda: SbsLines(file=feed, feed=feed, party=party, zone=zone),
            LiveFormat.JSON: lambda: JsonLines(file=feed, feed=feed, party=party),
            LiveFormat.OSMAND: lambda: OsmAndQueries(file=feed, feed=feed, party=party, speed=speed),
        }
        several = (LiveFormat.AIS, LiveFormat.SBS, LiveFormat.JSON)
        self._formats = {one: made[one]() for one in (several if form is LiveFormat.AUTO else (form,))}

    def __len__(self) -> int:
        """Return how many records wait to be taken, read or unread."""
        return len(self._put_by) + len(self._own) + sum(len(lines) for lines in self._formats.values())

    @property
    def shed_count(self) -> int:
        """Lines given up unread since the last `take`."""
        return self._shed

    @property
    def held_bytes(self) -> int:
        """Bytes of the line that has not ended yet."""
        return len(self._held)

    def push(self, data: bytes, at_us: int | None) -> None:
        """Read bytes that came.

        Parameters
        ----------
        data : bytes
            Cut anywhere.
        at_us : int or None
            When they came, microseconds UTC; None if that says nothing of when they were sent.
        """
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = data.split(b"\n")
        if len(lines) > 1 and all(map(_is_plain_json, lines[1:])):
            self._end(lines[0], at_us)
            self._put_by += zip(lines[1:], count(self._line + 1), repeat(at_us))
            self._line += len(lines) - 1
        else:
            for text in lines:
                self._end(text, at_us)
        if not self._skipping:
            self._held += rest
            if len(self._held) > MAX_LINE_BYTES:
                self._too_long()

    def push_message(self, data: bytes, at_us: int | None) -> None:
        """Read bytes that are whole by themselves: a datagram, a broker's message, a request.

        Parameters
        ----------
        data : bytes
            One or more lines, the last with or without its end.
        at_us : int or None
            When they came, microseconds UTC; None if that says nothing of when they were sent.
        """
        self.push(data if data.endswith(b"\n") else data + b"\n", at_us)

    def cut(self) -> None:
        """Discard what is not finished: the connection has ended."""
        if self._held.strip():
            self._line += 1
            self._reject(bytes(self._held), RejectReason.TRUNCATED, "the connection ended within the line")
        self._held.clear()
        self._skipping = False
        self._read(len(self._put_by))
        for lines in self._formats.values():
            lines.cut()

    def shed(self, most: int) -> None:
        """Give lines up unread, the oldest positions of each track first, until no more than `most` are put by.

        Parameters
        ----------
        most : int
        """
        keys = [track_key(text) for text, _, _ in self._put_by]
        kept = kept_of(keys, most, starved=self.starved)
        self._shed += len(keys) - len(kept)
        if len(self.starved) > MAX_STARVED:
            self.starved.clear()
        for key in {key for key in keys if key is not None} - {keys[place] for place in kept}:
            self.starved[key] = self.starved.get(key, 0) + 1
        self._put_by = [self._put_by[place] for place in kept]

    def take(self, most: int | None = None) -> Decoded:
        """Return what was read since the last call.

        Parameters
        ----------
        most : int, optional
            Lines to read of those put by; all if not given.
        """
        self._read(len(self._put_by) if most is None else most)
        json = self._formats.get(LiveFormat.JSON)
        plain = json.quick() if isinstance(json, JsonLines) else None
        parts = [lines.drain() for lines in self._formats.values() if len(lines)]
        rejects = [*self._own, *(r for part in parts for r in iter_rejects(part.rejects))]
        flagged: dict[Flag, int] = {}
        for part in parts:
            for word in part.flags["flag"].to_pylist():
                flagged[Flag(word)] = flagged.get(Flag(word), 0) + 1
        batches = [ReportBatch.from_table(part.table) for part in parts]
        read = sum(part.read for part in parts) + len(self._own)
        if plain is not None:
            batches, read = [*batches, plain], read + len(plain)
        shed, self._own, self._shed = self._shed, [], 0
        return Decoded(
            batch=concat(batches),
            rejects=tuple(sorted(rejects, key=lambda r: r.line)),
            read=read + shed,
            flagged=flagged,
            shed=shed,
        )

    def _read(self, most: int) -> None:
        """Read the first lines of those put by, each by its format."""
        taken, self._put_by = self._put_by[:most], self._put_by[most:]
        if self.starved:
            for text, _, _ in taken:
                self.starved.pop(track_key(text) or b"", None)
        json = self._formats.get(LiveFormat.JSON)
        if isinstance(json, JsonLines) and all(text[:1] == b"{" for text, _, _ in taken):
            json.take_all(taken)
            return
        for text, line, at_us in taken:
            lines = self._formats.get(self._form if self._form is not LiveFormat.AUTO else _tell(text))
            if lines is None:
                self._reject(text, RejectReason.UNPARSABLE, "a line of no format known here", line)
            else:
                lines.take(text, line, at_us)

    def _end(self, text: bytes, at_us: int | None) -> None:
        if self._skipping:
            self._skipping = False
            return
        if self._held:
            text = bytes(self._held) + text
            self._held.clear()
        if len(text) > MAX_LINE_BYTES:
            self._held[:] = text
            self._too_long()
            self._skipping = False
            return
        text = text.strip(b" \t\0\x0b\x0c")
        if not text:
            return
        self._line += 1
        self._put_by.append((text, self._line, at_us))

    def _too_long(self) -> None:
        self._line += 1
        self._reject(bytes(self._held[:1_000]), RejectReason.TRUNCATED, f"a line of more than {MAX_LINE_BYTES} bytes")
        self._held.clear()
        self._skipping = True

    def _reject(self, text: bytes, reason: RejectReason, detail: str, line: int | None = None) -> None:
        at = self._line if line is None else line
        self._own.append(Reject(file=self._feed, line=at, reason=reason, raw=clip(text), detail=detail))


def _ais_lines(feed: str, party: str | None) -> _Lines:
    from tocsin.tracks.formats.ais import AisLines  # pyais, which a feed of another format need not load

    return AisLines(file=feed, feed=feed, party=party, is_live=True)


def _is_plain_json(text: bytes) -> bool:
    return text[:1] == b"{" and text[-1:] == b"}" and len(text) <= MAX_LINE_BYTES


def _tell(text: bytes) -> LiveFormat:
    """Return the format of one line, by how it begins; `auto` if by none."""
    if text.startswith(b"{"):
        return LiveFormat.JSON
    if SBS_LINE.match(text):
        return LiveFormat.SBS
    return LiveFormat.AIS if _AIS_LINE.match(text) else LiveFormat.AUTO
