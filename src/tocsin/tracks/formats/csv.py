"""CSV: rows of cells under a header, by RFC 4180, into reports; every line accounted for.

The header is recognised only if it has exactly the columns of a built-in map; otherwise a map must be stated.
Comma, semicolon, tab and vertical bar separate. Text is UTF-8 (names in another coding are refused, row by row).
A cell never spans lines: a line whose quotes do not pair is refused alone, so that one stray quote cannot swallow
its neighbours. Comments, thousands separators and decimal commas are not read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.errors import Place, ReportError
from tocsin.tracks.formats.cells import Cells, read_cells
from tocsin.tracks.formats.columns import Column, ColumnMap, recognise
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.stream import HEAD_BYTES, Stream, check_text
from tocsin.tracks.quality import Flag, Reject, RejectReason, clip, reject_table

MAX_COLUMNS = 1_000
"""Columns of a header (P11); a table of positions has a few dozen."""

DELIMITERS = (",", ";", "\t", "|")

_NEWLINE = 0x0A
_QUOTE = b'"'
_MARK = b"\xef\xbb\xbf"


class _Layout(Struct, frozen=True, kw_only=True):
    """What the header settles for every row."""

    names: tuple[str, ...]
    delimiter: str
    rules: ColumnMap
    found: dict[str, Column]
    lines: int
    size: int


def read_csv(stream: Stream, columns: ColumnMap | None, *, feed: str) -> Iterator[Part]:
    """Yield a CSV file's parts, in file order.

    Parameters
    ----------
    stream : Stream
    columns : ColumnMap or None
        None recognises the header, see `columns.recognise`.
    feed : str
        The feed of rows that name none.

    Raises
    ------
    ReportError
        For a file that is no UTF-8 text, whose header does not fit, or most of whose rows fail alike.
    """
    layout = _read_header(stream, columns)
    before, skip, ended = layout.lines, layout.size, True
    for block in stream.blocks():
        body = block[skip:]
        skip = max(0, skip - len(block))
        if body:
            yield _read_block(body, before, layout, file=stream.name, feed=feed)
            ended = body.endswith(b"\n")
        before += body.count(b"\n")
    yield from _last_words(stream, before, ended)


def _last_words(stream: Stream, before: int, ended: bool) -> Iterator[Part]:
    if stream.cut:
        cut = Reject(file=stream.name, line=before + 1, reason=RejectReason.TRUNCATED, detail=stream.cut)
        yield Part(read=1, rejects=reject_table([cut]))
    elif not ended:
        yield Part(read=0, flags=_unended(stream.name, before + 1))


def _unended(file: str, line: int) -> pa.Table:
    from tocsin.tracks.quality import FLAG_SCHEMA

    values = [[file], [line], [Flag.UNENDED_LINE.value], [None], [None], [""]]
    return pa.table([pa.array(v, f.type) for v, f in zip(values, FLAG_SCHEMA, strict=True)], schema=FLAG_SCHEMA)


def _read_header(stream: Stream, columns: ColumnMap | None) -> _Layout:
    head = stream.head()
    mark = check_text(head, stream.place)
    if not head[len(mark) :].strip():
        raise ReportError("an empty file", expected="a header and rows", place=stream.place)
    # The offsets below are those of the text once its line ends are written \n, as `blocks` gives it.
    text = head.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    start = len(mark)
    while text[start : start + 1] == b"\n":
        start += 1
    end = text.find(b"\n", start)
    if end < 0 and len(head) == HEAD_BYTES:
        raise ReportError(f"a first line of more than {HEAD_BYTES} bytes", expected="a header", place=stream.place)
    end = len(text) if end < 0 else end
    place = Place(stream.name, 1 + text.count(b"\n", 0, start))
    line = text[start:end].decode("utf-8", "backslashreplace")
    names, delimiter = _split_header(line, columns, place)
    rules = columns or recognise(names, place)
    return _Layout(
        names=names,
        delimiter=delimiter,
        rules=rules,
        found=rules.resolve(names, place),
        lines=place.line,
        size=min(end + 1, len(text)),
    )


def _split_header(line: str, columns: ColumnMap | None, place: Place) -> tuple[tuple[str, ...], str]:
    # The delimiter that cuts the most columns is the header's; wanted names decide between equals.
    wanted = {c.name for c in columns.columns.values()} if columns else set()
    best: tuple[int, int, tuple[str, ...], str] = (-1, -1, (), ",")
    for delimiter in DELIMITERS:
        if line.count(delimiter) >= MAX_COLUMNS:
            raise ReportError(
                f"{line.count(delimiter) + 1} columns", expected=f"at most {MAX_COLUMNS} columns", place=place
            )
        try:
            names = tuple(name.strip() for name in next(csv.reader([line], delimiter=delimiter), []))
        except csv.Error as error:
            raise ReportError(f"a header that is no CSV ({error})", expected="a header", place=place) from error
        best = max(best, (len(wanted.intersection(names)), len(names), names, delimiter), key=lambda b: b[:2])
    return best[2], best[3]


def _read_block(block: bytes, before: int, layout: _Layout, *, file: str, feed: str) -> Part:
    lines = _Lines.of(block, before)
    rejects: list[Reject] = []
    keep = lines.filled()
    if _QUOTE in block and not lines.plainly_quoted(layout.delimiter):
        paired = lines.match(keep, _paired_pattern(layout.delimiter))
        rejects += lines.rejects(keep[~paired], RejectReason.BAD_QUOTES, file)
        keep = keep[paired]
    read = len(keep) + len(rejects)
    cells, wrong = _parse(_utf8(lines.joined(keep)), layout, len(keep), Place(file, before + 1))
    rejects += lines.rejects(keep[wrong], RejectReason.WRONG_COLUMNS, file)
    keep = np.delete(keep, wrong)
    part = read_cells(
        Cells(columns=cells, line=before + 1 + keep, raw=lambda at: [clip(lines[k]) for k in keep[at]]),
        layout.rules,
        layout.found,
        file=file,
        feed=feed,
    )
    return Part(
        read=read,
        table=part.table,
        rejects=pa.concat_tables([part.rejects, reject_table(rejects)]).sort_by("line"),
        flags=part.flags,
    )


def _utf8(body: bytes) -> bytes:
    # Arrow stops at a short row that is no UTF-8. What is none becomes U+FFFD, which no identity may hold.
    # It also takes a byte order mark from the front of any block: this one, and not one that a row begins with.
    try:
        body.decode()
    except UnicodeDecodeError:
        body = body.decode("utf-8", "replace").encode()
    return _MARK + body


def _parse(body: bytes, layout: _Layout, n: int, place: Place) -> tuple[dict[str, pa.Array], NDArray[np.int64]]:
    """Return the mapped columns of n lines, and which lines have another number of cells than the header."""
    wrong: list[int] = []

    def skip(row: pacsv.InvalidRow) -> str:
        wrong.append(row.number - 1)
        return "skip"

    at = {field: f"c{layout.names.index(column.name)}" for field, column in layout.found.items()}
    if not n:
        return {field: pa.array([], pa.binary()) for field in at}, np.array(wrong, np.int64)
    table = pacsv.read_csv(
        BytesIO(body),
        read_options=pacsv.ReadOptions(
            use_threads=False, block_size=len(body) + 1, column_names=[f"c{k}" for k in range(len(layout.names))]
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=layout.delimiter, ignore_empty_lines=False, invalid_row_handler=skip
        ),
        convert_options=pacsv.ConvertOptions(
            include_columns=list(dict.fromkeys(at.values())),
            column_types={name: pa.binary() for name in at.values()},
            strings_can_be_null=False,
        ),
    )
    if table.num_rows + len(wrong) != n:
        raise ReportError(f"{table.num_rows + len(wrong)} rows in {n} lines", expected="one row a line", place=place)
    return {field: table[name].combine_chunks() for field, name in at.items()}, np.array(wrong, np.int64)


def _paired_pattern(delimiter: str) -> str:
    r"""Return the pattern of a line whose quotes pair: cells that begin with a quote end with one (RFC 4180 §2.5-7)."""
    d = "\\" + delimiter
    cell = rf'(?:"(?:[^"]|"")*"|[^"{d}][^{d}]*|)'
    return rf"^{cell}(?:{d}{cell})*$"


class _Lines(Struct, frozen=True):
    """The lines of a block, by their offsets; line k of the block is the file's line `before + 1 + k`."""

    block: bytes
    before: int
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    @classmethod
    def of(cls, block: bytes, before: int) -> _Lines:
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _NEWLINE)
        if not block.endswith(b"\n"):
            ends = np.append(ends, len(block))
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])
        return cls(block, before, starts, ends)

    def __getitem__(self, k: int) -> bytes:
        return self.block[self.start[k] : self.end[k]]

    def filled(self) -> NDArray[np.int64]:
        """Return which lines are not empty."""
        return np.flatnonzero(self.end > self.start)

    def array(self, keep: NDArray[np.int64]) -> pa.Array:
        """Return some lines, with their ends, as one column of bytes."""
        offsets = pa.array(np.append(self.start, len(self.block)), pa.int32())
        whole = pa.Array.from_buffers(
            pa.binary(), len(self.start), [None, offsets.buffers()[1], pa.py_buffer(self.block)]
        )
        return whole.take(pa.array(keep))

    def plainly_quoted(self, delimiter: str) -> bool:
        """Return True if all quotes stand in pairs about whole cells; if not, the pattern must tell, line by line."""
        text = np.frombuffer(self.block, np.uint8)
        quotes = np.flatnonzero(text == ord(_QUOTE))
        opening, closing = quotes[::2], quotes[1::2]
        if len(opening) != len(closing) or (np.searchsorted(quotes, self.end) % 2).any():
            return False
        edges = np.zeros(256, np.bool_)
        edges[[ord(delimiter), _NEWLINE]] = True
        before, after = edges[text[opening - 1]], edges[text[np.minimum(closing + 1, len(text) - 1)]]
        return bool((before | (opening == 0)).all() and (after | (closing == len(text) - 1)).all())

    def match(self, keep: NDArray[np.int64], pattern: str) -> NDArray[np.bool_]:
        """Return which of some lines match a pattern (linear time, RE2)."""
        trimmed = pc.replace_substring(self.array(keep), b"\n", b"")
        matched: NDArray[np.bool_] = pc.match_substring_regex(trimmed, pattern).to_numpy(zero_copy_only=False)
        return matched

    def joined(self, keep: NDArray[np.int64]) -> bytes:
        """Return some lines, each with its end, as one block."""
        if len(keep) == len(self.start):
            return self.block
        kept = self.array(keep)
        first, last = (np.frombuffer(kept.buffers()[1], np.int32)[k] for k in (0, len(kept)))
        return kept.buffers()[2].to_pybytes()[first:last] if len(kept) else b""

    def rejects(self, at: Sequence[int] | NDArray[np.int64], reason: RejectReason, file: str) -> list[Reject]:
        """Return some lines as rejects for one reason."""
        return [Reject(file=file, line=self.before + 1 + int(k), reason=reason, raw=clip(self[k])) for k in at]
