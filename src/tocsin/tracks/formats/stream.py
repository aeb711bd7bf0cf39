"""Files as streams of bytes: gzip undone, sizes bounded, an early end noticed instead of guessed.

A stated limit stands on every size (promise P11), and a clear refusal past it. A stream that is cut is read up
to the cut, and says so; what was read before it is sound. Zip archives are not opened: their members have names,
and names are another matter.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from tocsin.errors import Place, ReportError

MAX_BYTES = 16 * 2**30
"""Bytes of one file once unpacked; above it, split the file."""
MAX_DOCUMENT_BYTES = 128 * 2**20
"""Bytes of a document that must be read whole or by an XML parser (GeoJSON, GPX)."""
MAX_RATIO = 200
"""Times that gzip may expand a file of more than `RATIO_FROM` bytes; position logs reach about 30, a bomb 1,000."""
RATIO_FROM = 64 * 2**20
"""Bytes out before the ratio is looked at."""
BLOCK_BYTES = 8 * 2**20
"""Bytes handed to a reader of lines at a time."""
MAX_LINE_BYTES = BLOCK_BYTES
"""Bytes of one line; a file with a longer one is no log of positions."""
HEAD_BYTES = 65_536
"""Bytes that `head` may look at."""

_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
_GZIP = b"\x1f\x8b"
_PIECE = 2**20


class Stream:
    """One file, read once, from its beginning.

    Attributes
    ----------
    name : str
        The file's name as the user gave it.
    size : int
        Bytes on disk.
    cut : str
        Empty, or how the file ended too early; known once `pieces` is exhausted.
    lines : int
        Lines that `line_blocks` has given so far, blank ones too.
    """

    def __init__(self, file: BinaryIO, *, name: str, progress: Callable[[int, int], None] | None = None) -> None:
        self.name = name
        self.size = os.fstat(file.fileno()).st_size if _has_descriptor(file) else 0
        self.cut = ""
        self.lines = 0
        self._file = file
        self._progress = progress
        self._taken = 0
        self._out = 0
        start = file.read(2)
        file.seek(0)
        self._source = self._gunzip() if start == _GZIP else self._plain()
        self._held = b""

    @property
    def place(self) -> Place:
        """The file as a whole, for messages."""
        return Place(self.name)

    def head(self) -> bytes:
        """Return the first `HEAD_BYTES` bytes, or all there are, without taking them."""
        while len(self._held) < HEAD_BYTES and (piece := next(self._source, b"")):
            self._held += piece
        return self._held[:HEAD_BYTES]

    def pieces(self) -> Iterator[bytes]:
        """Yield the file's bytes, in pieces of no particular size, from where `head` began."""
        held, self._held = self._held, b""
        if held:
            yield held
        yield from self._source

    def blocks(self) -> Iterator[bytes]:
        r"""Yield whole lines, about `BLOCK_BYTES` at a time, every line end written `\n`.

        The last line has an end only if the file gave it one; CR and CR LF are line ends too.

        Raises
        ------
        ReportError
            For a line longer than `MAX_LINE_BYTES`.
        """
        held = bytearray()
        for piece in self.pieces():
            held += piece
            if len(held) < BLOCK_BYTES:
                continue
            # A CR at the very end may be half of a CR LF: it stays for the next block.
            end = 1 + max(held.rfind(b"\n"), held.rfind(b"\r", 0, len(held) - 1))
            if end == 0:
                raise ReportError(
                    f"a line of more than {MAX_LINE_BYTES} bytes", expected="lines of text", place=self.place
                )
            yield _with_newlines(bytes(held[:end]))
            del held[:end]
        if held:
            yield _with_newlines(bytes(held))

    def line_blocks(self, mark: bytes = b"") -> Iterator[list[tuple[int, bytes]]]:
        """Yield what `blocks` does as lines that are not blank, stripped, each with its number from 1.

        Parameters
        ----------
        mark : bytes
            A byte order mark, taken off the first line.
        """
        for block in self.blocks():
            texts = (block.removeprefix(mark) if self.lines == 0 else block).split(b"\n")
            if block.endswith(b"\n"):
                texts.pop()
            first, self.lines = self.lines + 1, self.lines + len(texts)
            yield [(number, text.strip()) for number, text in enumerate(texts, first) if text.strip()]

    def whole(self) -> bytes:
        """Return the whole file.

        Raises
        ------
        ReportError
            If it has more than `MAX_DOCUMENT_BYTES`, or ends too early.
        """
        found = bytearray()
        for piece in self.pieces():
            found += piece
            if len(found) > MAX_DOCUMENT_BYTES:
                raise ReportError(
                    f"more than {MAX_DOCUMENT_BYTES} bytes", expected="a smaller document", place=self.place
                )
        if self.cut:
            raise ReportError(self.cut, expected="a whole document", place=self.place)
        return bytes(found)

    def _plain(self) -> Iterator[bytes]:
        while piece := self._file.read(_PIECE):
            self._account(len(piece), len(piece))
            yield piece

    def _gunzip(self) -> Iterator[bytes]:
        # gzip.GzipFile throws away what it holds when the file is cut; here every sound byte is given first.
        member = zlib.decompressobj(wbits=31)
        begun = False
        while piece := self._file.read(_PIECE):
            self._account(len(piece), 0)
            while piece:
                if member.eof:
                    piece = piece.lstrip(b"\0")
                    if not piece:
                        break
                    member, begun = zlib.decompressobj(wbits=31), False
                try:
                    out = member.decompress(piece, _PIECE)
                except zlib.error as error:
                    self.cut = f"gzip data damaged near byte {self._taken} ({error})"
                    return
                begun = True
                piece = member.unused_data if member.eof else member.unconsumed_tail
                while out:
                    self._account(0, len(out))
                    yield out
                    # With its input used up, zlib may still hold output past the bound of one call.
                    out = b"" if piece or member.eof else member.decompress(b"", _PIECE)
                piece = piece or (member.unused_data if member.eof else b"")
        if begun and not member.eof:
            self.cut = f"gzip data that ends early, after {self._taken} bytes"

    def _account(self, taken: int, out: int) -> None:
        self._taken += taken
        self._out += out
        if self._out > MAX_BYTES:
            raise ReportError(f"more than {MAX_BYTES} bytes", expected="a smaller file", place=self.place)
        if self._out > RATIO_FROM and self._out > MAX_RATIO * max(self._taken, 1):
            raise ReportError(
                f"{self._taken} bytes that unpack to more than {self._out}",
                expected=f"at most {MAX_RATIO} times as many",
                place=self.place,
            )
        if taken and self._progress is not None:
            self._progress(self._taken, self.size)


def check_text(head: bytes, place: Place) -> bytes:
    """Return the UTF-8 byte order mark that the bytes begin with, or none; refuse what is no UTF-8 text.

    Raises
    ------
    ReportError
        For UTF-16, UTF-32 and files that hold NUL bytes.
    """
    if b"\0" in head and not head.startswith(_OTHER_MARKS):
        raise ReportError("NUL bytes", expected="text in UTF-8", place=place)
    return check_mark(head, place)


def check_mark(head: bytes, place: Place) -> bytes:
    """Return the UTF-8 byte order mark that the bytes begin with, or none; refuse that of another coding.

    Raises
    ------
    ReportError
        For the marks of UTF-16 and UTF-32.
    """
    if head.startswith(_OTHER_MARKS):
        raise ReportError("UTF-16 or UTF-32 text", expected="UTF-8: convert the file first", place=place)
    mark = b"\xef\xbb\xbf"
    return mark if head.startswith(mark) else b""


def _with_newlines(block: bytes) -> bytes:
    return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in block else block


def _has_descriptor(file: BinaryIO) -> bool:
    try:
        file.fileno()
    except OSError:
        return False
    return True
