"""Payloads and salts: the private half of a record, kept beside it and given only to whom it is for.

`payload/` has one text file for every 256 entries, named as the bundle of those entries is; a line is
`index TAB salt TAB envelope TAB payload TAB check`: decimal, hexadecimal, canonical JSON twice (which never holds a
raw tab or newline), and the first 32 hexadecimal digits of the SHA-256 of everything before them. A payload over
65,535 bytes lies in `payload/detached/<its SHA-256>`, and the line says `@<SHA-256>`. A party's copy has only the
lines that are for that party. See docs/format/payload.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tocsin.errors import VerificationError
from tocsin.record.c2sp.tiles import (
    ENTRIES,
    MAX_ENTRY_BYTES,
    TILE_WIDTH,
    ReadFile,
    TileReader,
    parse_bundle,
    parse_tile_path,
    tile_path,
)
from tocsin.record.envelope import SALT_BYTES, Envelope, commitment_of, parse_envelope
from tocsin.record.verifier.source import FolderSource

MAX_INLINE_BYTES = MAX_ENTRY_BYTES
"""Bytes up to which a payload stands in its line."""

DETACHED = "detached"
"""Folder of the payloads that do not."""

CHECK_DIGITS = 32
"""Hexadecimal digits at the end of a line; they find damage, not forgery, which the tree finds."""

_LINE = re.compile(rb"(0|[1-9][0-9]{0,18})\t((?:[0-9a-f]{64})?)\t([^\t]+)\t([^\t]*)\t")
_DETACHED = re.compile(rb"@([0-9a-f]{64})")
_BUNDLE_START = tile_path(ENTRIES, 0).removesuffix("000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One line: an entry and what opens it.

    Attributes
    ----------
    index : int
    envelope : bytes
    salt : bytes
        Empty for an open entry.
    payload : bytes
        Canonical JSON; empty for an open entry and while it lies detached.
    detached : str or None
        SHA-256 of a payload that lies in its own file, hexadecimal.
    """

    index: int
    envelope: bytes
    salt: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    detached: str | None = None

    def check(self) -> Envelope:
        """Check that salt and payload open the envelope; return it.

        Raises
        ------
        VerificationError
            If they do not.
        """
        envelope = parse_envelope(self.envelope)
        if envelope.commitment is not None:
            envelope.check_opens(self.salt, self.payload)
        elif self.salt or self.payload or self.detached:
            raise VerificationError(f"entry {self.index} is open, yet its line has a salt or a payload")
        return envelope

    def check_quickly(self) -> None:
        """Do what `check` does for a line that this keeper wrote, without reading its envelope as JSON.

        The line's check digits have just been compared, so the envelope is the one that was sealed: canonical, and its
        commitment stands in it once, as text.

        Raises
        ------
        VerificationError
            If salt and payload do not open it.
        """
        stated = b'"commitment":"%s"' % commitment_of(self.salt, self.payload).hex().encode() if self.salt else b""
        if not stated or stated not in self.envelope:
            self.check()


def format_opening(index: int, envelope: bytes, salt: bytes, payload: bytes) -> bytes:
    """Return the line of an entry, with its newline; a large payload is named, not included."""
    shown = payload if len(payload) <= MAX_INLINE_BYTES else b"@" + hashlib.sha256(payload).hexdigest().encode()
    fields = b"%d\t%s\t%s\t%s\t" % (index, salt.hex().encode(), envelope, shown)
    return fields + _check_digits(fields) + b"\n"


def parse_opening(line: bytes, where: str) -> Opening:
    """Return what a line (without its newline) says; nothing is checked against a commitment yet.

    Raises
    ------
    VerificationError
        If it is no such line.
    """
    fields = line[:-CHECK_DIGITS]
    match = _LINE.fullmatch(fields)
    if match is None or line[-CHECK_DIGITS:] != _check_digits(fields):
        raise VerificationError(f"{where}: damaged, or no line of index, salt, envelope, payload and check digits")
    index, salt, envelope, payload = match.groups()
    detached = _DETACHED.fullmatch(payload)
    if len(salt) not in {0, 2 * SALT_BYTES} or len(payload) > MAX_INLINE_BYTES:
        raise VerificationError(f"{where}: a salt or payload of a length that is never written")
    return Opening(
        index=int(index),
        envelope=envelope,
        salt=bytes.fromhex(salt.decode()),
        payload=b"" if detached else payload,
        detached=detached[1].decode() if detached else None,
    )


def payload_file(number: int) -> str:
    """Return the name of the file that holds entries 256 n to 256 n + 255.

    Examples
    --------
    >>> payload_file(1234)
    'x001/234'
    """
    return tile_path(ENTRIES, number).removeprefix(_BUNDLE_START)


def payload_number(name: str) -> int | None:
    """Return the number in a payload file's name, or None if it is no such name."""
    parsed = parse_tile_path(_BUNDLE_START + name)
    return parsed[1] if parsed and parsed[2] == TILE_WIDTH else None


def _check_digits(fields: bytes) -> bytes:
    return hashlib.sha256(fields).hexdigest()[:CHECK_DIGITS].encode()


def resolve(folder: Path, opening: Opening) -> Opening:
    """Return an opening with its payload, read from its own file where it is detached.

    Raises
    ------
    VerificationError
        If that file is missing.
    """
    if opening.detached is None:
        return opening
    path = folder / DETACHED / opening.detached
    try:
        payload = path.read_bytes()
    except OSError as error:
        raise VerificationError(f"{path}: payload of entry {opening.index} is missing ({error.strerror})") from None
    return Opening(
        index=opening.index,
        envelope=opening.envelope,
        salt=opening.salt,
        payload=payload,
        detached=opening.detached,
    )


def read_openings(folder: Path, number: int, published: int | None = None) -> Iterator[Opening]:
    """Yield the openings of one file, in its order, detached ones resolved.

    Parameters
    ----------
    folder : Path
    number : int
    published : int or None
        If given, entries that a signed tree holds: what comes after the last of them is not read, since it may be an
        append that is still being written.

    Raises
    ------
    VerificationError
        For a line that is none, a torn last line, indices that fall, repeat or belong to another file, or a
        missing detached payload.
    """
    path = folder / payload_file(number)
    lines = path.read_bytes().split(b"\n")
    is_torn = bool(lines.pop())
    before = number * TILE_WIDTH - 1
    for at, line in enumerate(lines, start=1):
        if published is not None and before >= published - 1:
            return
        opening = parse_opening(line, f"{path}:{at}")
        if not before < opening.index < (number + 1) * TILE_WIDTH:
            raise VerificationError(f"{path}:{at}: entry {opening.index} does not stand here in order")
        before = opening.index
        yield resolve(folder, opening)
    if is_torn and (published is None or before < published - 1):
        raise VerificationError(f"{path}: the last line is torn")


def verify_payloads(read: ReadFile, size: int, folder: Path) -> tuple[frozenset[int], list[str]]:
    """Check every payload in a folder against the entry it claims to open.

    Lines of entries that no signed tree has yet are left to the keeper's next publication.

    Returns
    -------
    frozenset of int
        Entries whose payload is here and opens its commitment.
    list of str
        What is here and belongs to no signed entry, in words.

    Raises
    ------
    VerificationError
        For a line or file that is damaged, opens nothing, or belongs to no entry.
    """
    reader = TileReader(read, size)
    held: set[int] = set()
    detached: set[str] = set()
    names = [name for name in FolderSource(folder).names() if not name.startswith(f"{DETACHED}/")]
    for name in names:
        number = payload_number(name)
        if number is None:
            raise VerificationError(f"{folder / name} does not belong among payloads")
        if number * TILE_WIDTH >= size:
            continue
        data, width, path = reader.bytes_of(ENTRIES, number)
        entries = parse_bundle(data, width, path)
        for opening in read_openings(folder, number, size):
            if opening.index >= size:
                break
            if opening.envelope != entries[opening.index % TILE_WIDTH]:
                raise VerificationError(f"{folder / name}: entry {opening.index} is not the one in the record")
            opening.check()
            held.add(opening.index)
            if opening.detached:
                detached.add(opening.detached)
    uncovered = []
    for file in sorted((folder / DETACHED).glob("*")):
        if file.name in detached:
            continue
        if hashlib.sha256(file.read_bytes()).hexdigest() != file.name:
            raise VerificationError(f"{file} is neither a payload of an entry nor what its name says")
        uncovered.append(f"{file}: a payload of no signed entry (an append that was not finished, or planted)")
    return frozenset(held), uncovered
