"""JSON lines: one report a line, its keys those of the report schema, into reports; live, pushed, or from a file.

`{"track_id": "dev:truck-7", "observed": "2026-11-27T10:00:00Z", "lat_deg": 33.5, "lon_deg": 38.6}`; every other key of
`KEYS` may be missing or null. Strict (RFC 8259 and FAULTS 77): NaN, infinities, numbers too large, keys twice, unknown
keys, nesting, lone surrogates and bytes that are no UTF-8 are refused, with the place; a bad line costs only itself.
What a line may say, and what each refusal is called, is as for every other format (`cells.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET, UnsetType

from tocsin.canon import parse_json
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.formats.cells import Cells, read_cells
from tocsin.tracks.formats.columns import BUILT_IN, FIELDS
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.quick import MAX_LINE_BYTES, QuickLines
from tocsin.tracks.formats.stream import Stream, check_text
from tocsin.tracks.quality import Reject, RejectReason, clip, reject_table
from tocsin.tracks.report import INSTANT

_OWN = BUILT_IN["tocsin"]
_FIELDS = {word: column for word, column in FIELDS.items() if word != "feed"}

KEYS = tuple(_FIELDS.values())
"""What a line may say; who brought it (`feed`) is not the sender's to say."""

_Float = float | None | UnsetType
_Text = str | None | UnsetType


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One line; the fields in the order of `KEYS`, which a test compares."""

    track_id: _Text = UNSET
    observed: _Text = UNSET
    received: _Text = UNSET
    lat_deg: _Float = UNSET
    lon_deg: _Float = UNSET
    alt_m: _Float = UNSET
    speed_mps: _Float = UNSET
    course_deg: _Float = UNSET
    heading_deg: _Float = UNSET
    accuracy_m: _Float = UNSET
    party: _Text = UNSET
    category: _Text = UNSET


_DECODER = msgspec.json.Decoder(_Line)
_TEXTS = frozenset({"track_id", "observed", "received", "party", "category"})


def read_json_lines(stream: Stream, *, feed: str) -> Iterator[Part]:
    """Yield a file of JSON lines, in file order.

    Parameters
    ----------
    stream : Stream
    feed : str
        The feed of every report.

    Raises
    ------
    ReportError
        For text that is no UTF-8.
    """
    mark = check_text(stream.head(), stream.place)
    lines = JsonLines(file=stream.name, feed=feed)
    for block in stream.line_blocks(mark):
        for number, text in block:
            lines.take(text, number)
        yield lines.drain()
    if stream.cut:
        lines.reject(stream.lines + 1, b"", RejectReason.TRUNCATED, stream.cut)
        yield lines.drain()


class JsonLines:
    """JSON lines, one after the other, into reports.

    Parameters
    ----------
    file, feed : str
    party : str, optional
        Of every report; a line that names another is refused.
    """

    def __init__(self, *, file: str, feed: str, party: str | None = None) -> None:
        self._file = file
        self._feed = feed
        self._party = party
        self._quick = QuickLines(_Line, feed=feed, party=party)
        self._clear()

    def __len__(self) -> int:
        return len(self._put_by) + len(self._rejects)

    def take(self, text: bytes, line: int, arrived_us: int | None = None) -> None:
        """Take one line, to be read with those beside it.

        Parameters
        ----------
        text : bytes
            Without its end.
        line : int
            Its number, from 1.
        arrived_us : int, optional
            Live: when it came; the `received` of a line that does not say.
        """
        self.take_all([(text, line, arrived_us)])

    def take_all(self, texts: Iterable[tuple[bytes, int, int | None]]) -> None:
        """Take several lines, each with its number and its arrival; see `take`."""
        self._put_by += texts

    def quick(self) -> ReportBatch | None:
        """Return what was taken since the last call if every line of it is plain; None leaves it to `drain`."""
        if self._rejects or not self._put_by:
            return None
        raws, _, arrived_us = zip(*self._put_by, strict=True)
        batch = self._quick.read(raws, arrived_us)
        if batch is not None:
            self._clear()
        return batch

    def reject(self, line: int, text: bytes, reason: RejectReason, detail: str) -> None:
        """Add a line that gives no report.

        Parameters
        ----------
        line : int
        text : bytes
        reason : RejectReason
        detail : str
        """
        self._rejects.append(Reject(file=self._file, line=line, reason=reason, raw=clip(text), detail=detail))

    def cut(self) -> None:
        """Note that the connection ended; every line stands alone, so nothing waits."""

    def drain(self) -> Part:
        """Return what was taken since the last call."""
        for text, line, arrived_us in self._put_by:
            self._read(text, line, arrived_us)
        columns = dict(zip(KEYS, zip(*self._rows, strict=True), strict=True)) if self._rows else {}
        arrays = {word: self._column(columns, key) for word, key in _FIELDS.items()}
        raws = self._raws
        cells = Cells(
            columns=arrays, line=np.array(self._lines, np.int64), raw=lambda at: [clip(raws[k]) for k in at.tolist()]
        )
        part = read_cells(cells, _OWN, _OWN.columns, file=self._file, feed=self._feed, judge_map=False)
        if self._rejects:
            rejects = pa.concat_tables([part.rejects, reject_table(self._rejects)]).sort_by("line")
            part = Part(read=part.read + len(self._rejects), table=part.table, rejects=rejects, flags=part.flags)
        self._clear()
        return part

    def _read(self, text: bytes, line: int, arrived_us: int | None) -> None:
        try:
            if len(text) > MAX_LINE_BYTES:
                raise ValueError(f"{len(text)} bytes, expected at most {MAX_LINE_BYTES}")
            found = read_line(text)
        except ValueError as error:
            self.reject(line, text, RejectReason.UNPARSABLE, str(error))
            return
        if self._party is not None and found.party not in (UNSET, None, self._party):
            self.reject(line, text, RejectReason.BAD_TEXT, f"party {found.party!r}, expected {self._party!r}")
            return
        self._rows.append(msgspec.structs.astuple(found))
        self._lines.append(line)
        self._raws.append(text)
        self._arrived.append(arrived_us)

    def _column(self, columns: dict[str, tuple[object, ...]], key: str) -> pa.Array:
        values = [None if v is UNSET else v for v in columns.get(key, ())]
        if key == "received":
            came = pa.array(self._arrived, pa.int64()).cast(INSTANT)
            if not any(values):
                return came
            # A column is all texts or all times: what did not say is written as the sender would have.
            return pc.coalesce(pa.array(values, pa.string()), pc.strftime(came, "%Y-%m-%dT%H:%M:%SZ"))
        if key == "party" and self._party is not None:
            values = [self._party] * len(values)
        return pa.array(values, pa.string() if key in _TEXTS else pa.float64())

    def _clear(self) -> None:
        self._put_by: list[tuple[bytes, int, int | None]] = []
        self._rows: list[tuple[object, ...]] = []
        self._lines: list[int] = []
        self._raws: list[bytes] = []
        self._arrived: list[int | None] = []
        self._rejects: list[Reject] = []


def read_line(text: bytes) -> _Line:
    """Return what a line says.

    Raises
    ------
    ValueError
        For anything but one strict JSON object of `KEYS`; the message says what, and where.

    Notes
    -----
    msgspec lets the last of two equal keys win. Each key has a colon, and outside of keys colons stand only in texts:
    if there are more than that, or an escape could hide one, the strict reader looks again.
    """
    try:
        found = _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    values = msgspec.structs.astuple(found)
    colons = sum(value is not UNSET for value in values)
    colons += sum(value.count(":") for value in values if isinstance(value, str))
    if b"\\" in text or text.count(b":") != colons:
        parse_json(text)
    return found
