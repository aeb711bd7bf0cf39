"""Archives: files of reports in, one table in canonical order out, with what became of every record.

The format is told by the content (Parquet's magic, XML, JSON, AIS or SBS-1 lines, else CSV), and the name decides
nothing; gzip is undone wherever it is met. Exact duplicates are counted and dropped; conflicts are kept and flagged
(see `order.py`). Nothing is late in an archive: all of it is there. Folders, zip files and addresses are not opened.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import reduce
from operator import add
from os import PathLike, fspath
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from tocsin.errors import Place, ReportError
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.formats.columns import ColumnMap
from tocsin.tracks.formats.csv import read_csv
from tocsin.tracks.formats.geojson import read_geojson
from tocsin.tracks.formats.gpx import read_gpx
from tocsin.tracks.formats.jsonlines import read_json_lines
from tocsin.tracks.formats.parquet import MAGIC, read_parquet, write_parquet
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.sbs import LINE as SBS_LINE
from tocsin.tracks.formats.sbs import read_sbs
from tocsin.tracks.formats.stream import Stream
from tocsin.tracks.order import Ordering, by_instant, canonical
from tocsin.tracks.pile import Pile
from tocsin.tracks.quality import FLAG_SCHEMA, REJECT_SCHEMA, Counts, Flag, RejectReason

__all__ = ["Archive", "Format", "Progress", "read_tracks", "sniff", "write_parquet"]

MAX_REPORTS = 500_000_000
"""Reports of one archive (P11): about 50 GB in memory."""

Progress = Callable[[str, int, int], None]
"""Called with a file's name, how much of it is done and how much there is, in bytes or rows."""

_SUFFIXES = (
    ".gz",
    ".csv",
    ".sbs",
    ".jsonl",
    ".tsv",
    ".txt",
    ".parquet",
    ".geojson",
    ".json",
    ".gpx",
    ".nmea",
    ".ais",
    ".aivdm",
    ".log",
)
_AIS = re.compile(rb"![A-Z-]{2}VD[MO],")
_JSON_LINE = re.compile(rb'\{[^\n{}]*"track_id"\s*:[^\n{}]*\}\s*(?:\n|\Z)')


class Format(StrEnum):
    """What a file of reports may be."""

    CSV = "csv"
    PARQUET = "parquet"
    GEOJSON = "geojson"
    GPX = "gpx"
    AIS = "ais"
    SBS = "sbs"
    JSONL = "jsonl"


class Archive(Struct, frozen=True, kw_only=True):
    """All reports of some files.

    Attributes
    ----------
    reports : ReportBatch
        In canonical order, without duplicates.
    counts : mapping of str to Counts
        By file, named as it was given. A duplicate is counted at the file whose report was dropped.
    rejects : Table
        `quality.REJECT_SCHEMA`, by file as given and then by line.
    flags : Table
        `quality.FLAG_SCHEMA`, likewise; conflicts last, with line 0.
    """

    reports: ReportBatch
    counts: Mapping[str, Counts]
    rejects: pa.Table
    flags: pa.Table

    @property
    def table(self) -> pa.Table:
        """The reports as a table of `report.SCHEMA`, made anew each time."""
        return self.reports.to_table()

    @property
    def total(self) -> Counts:
        """The counts of all files together."""
        return reduce(add, self.counts.values(), Counts())


def read_tracks(
    paths: Sequence[str | PathLike[str]], *, columns: ColumnMap | None = None, progress: Progress | None = None
) -> Archive:
    """Return the reports of some files.

    Parameters
    ----------
    paths : sequence of path
        CSV, Parquet, GeoJSON, GPX, JSON lines, AIS or SBS-1 logs; the order does not change the table.
    columns : ColumnMap, optional
        For the CSV, Parquet and GeoJSON files among them, and for the zone of SBS-1; None recognises known headers.
    progress : callable, optional

    Returns
    -------
    Archive

    Raises
    ------
    ReportError
        For a file that cannot be opened or read as a whole; then nothing is returned of any.
    """
    names = [fspath(path) for path in paths]
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ReportError("the file twice", expected="each file once", place=Place(twice[0]))
    return _settle(names, [_read_file(name, columns, progress) for name in names])


def sniff(head: bytes) -> Format:
    """Return the format that a file's first bytes are of; what is nothing else is taken for CSV.

    Examples
    --------
    >>> str(sniff(b"# my log !AIVDM,1,1,,A,15M...")), str(sniff(b'  {"type": "Feature"')), str(sniff(b"a;b"))
    ('ais', 'geojson', 'csv')
    """
    if head.startswith(MAGIC):
        return Format.PARQUET
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\0<")):
        return Format.GPX
    if text.startswith((b"{", b"[")):
        return Format.JSONL if _JSON_LINE.match(text) else Format.GEOJSON
    if _AIS.search(head):
        return Format.AIS
    return Format.SBS if SBS_LINE.match(text) else Format.CSV


def feed_name(name: str) -> str:
    """Return the feed that a file is: its name without folders and known endings.

    Examples
    --------
    >>> feed_name("logs/harbour.nmea.gz")
    'harbour'
    """
    path = Path(name)
    while path.suffix.lower() in _SUFFIXES:
        path = path.with_suffix("")
    return path.name


def _read_file(name: str, columns: ColumnMap | None, progress: Progress | None) -> Iterator[Part]:
    def tell(done: int, of: int) -> None:
        if progress is not None:
            progress(name, done, of)

    feed = feed_name(name)
    try:
        with open(name, "rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                yield from read_parquet(file, columns, name=name, feed=feed, progress=tell)
                return
            file.seek(0)
            yield from _read_stream(Stream(file, name=name, progress=tell), columns, feed)
    except OSError as error:
        raise ReportError(error.strerror or str(error), expected="a file to read", place=Place(name)) from error


def _read_stream(stream: Stream, columns: ColumnMap | None, feed: str) -> Iterator[Part]:
    head = stream.head()
    if not head.strip():
        raise ReportError(stream.cut or "an empty file", expected="a file of reports", place=stream.place)
    match sniff(head):
        case Format.AIS:
            from tocsin.tracks.formats.ais import read_ais  # pyais, which a file of another format need not load

            yield from read_ais(stream, feed=feed)
        case Format.GEOJSON:
            yield from read_geojson(stream, columns, feed=feed)
        case Format.GPX:
            yield from read_gpx(stream, feed=feed)
        case Format.SBS:
            yield from read_sbs(stream, columns, feed=feed)
        case Format.JSONL:
            yield from read_json_lines(stream, feed=feed)
        case Format.CSV:
            yield from read_csv(stream, columns, feed=feed)
        case Format.PARQUET:
            raise ReportError("Parquet within gzip", expected="the Parquet file itself", place=stream.place)


def _settle(names: list[str], parts: Sequence[Iterable[Part]]) -> Archive:
    pile, ends = Pile(), np.zeros(len(names), np.int64)
    counts, rejects, flags = {}, [REJECT_SCHEMA.empty_table()], [FLAG_SCHEMA.empty_table()]
    for code, (name, file) in enumerate(zip(names, parts, strict=True)):
        counted, began = Counts(), len(pile)
        for part in file:
            pile.add(part.table, room=began + part.of)
            counted += _count(part)
            rejects.append(part.rejects)
            flags.append(part.flags)
            if len(pile) > MAX_REPORTS:
                raise ReportError(f"{len(pile)} reports", expected=f"at most {MAX_REPORTS}", place=Place(names[0]))
        counts[name], ends[code] = counted, len(pile)
    reports, ordering, doubtful = _in_order(pile)
    duplicate, conflict = (np.searchsorted(ends, rows, "right") for rows in (ordering.duplicate, ordering.conflict))
    for code, (name, counted) in enumerate(counts.items()):
        twice, unsure = int((duplicate == code).sum()), int((conflict == code).sum())
        flagged = {**counted.flagged, **({Flag.CONFLICT: unsure} if unsure else {})}
        counts[name] = replace(counted, accepted=counted.accepted - twice, duplicate=twice, flagged=flagged)
    flags.append(_conflicts(names, doubtful, conflict))
    return Archive(reports=reports, counts=counts, rejects=pa.concat_tables(rejects), flags=pa.concat_tables(flags))


def _in_order(pile: Pile) -> tuple[ReportBatch, Ordering, ReportBatch]:
    """Return a pile's reports in canonical order, what that made of its rows, and those of them in conflict."""
    reports = pile.batch()
    ordering = by_instant(reports) or canonical(reports)
    doubtful, kept = reports.take(ordering.conflict), len(reports) - len(ordering.duplicate)
    pile.move(slice(kept) if ordering.to is None else ordering.to, ordering.keep)
    return reports.take(slice(kept)), ordering, doubtful


def _count(part: Part) -> Counts:
    return Counts(
        read=part.read,
        accepted=part.table.num_rows,
        rejected={RejectReason(word): n for word, n in _tally(part.rejects["reason"]).items()},
        flagged={Flag(word): n for word, n in _tally(part.flags["flag"]).items()},
        joined=part.joined,
    )


def _tally(column: pa.ChunkedArray) -> dict[str, int]:
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(column).to_pylist()} if len(column) else {}


def _conflicts(names: list[str], reports: ReportBatch, file_of: NDArray[np.int64]) -> pa.Table:
    n = len(reports)
    word, detail = (pa.repeat(pa.scalar(text), n) for text in (Flag.CONFLICT.value, ""))
    file = pa.array(names, pa.string()).take(pa.array(file_of))
    of = reports.to_table()
    arrays = [file, pa.array(np.zeros(n, np.int64)), word, of["track_id"], of["observed"], detail]
    return pa.table(arrays, schema=FLAG_SCHEMA)
