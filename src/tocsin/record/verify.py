"""Verification: whether a record is what its signature covers, every byte of it.

Rebuilds the tree of C2SP tlog-tiles from the entries, compares every tile, and the root with the signed
checkpoint. Everything in the folder is either covered by that, or named. Without a memory (`memory.py`) it cannot
know whether the signed tree is the newest, nor whether others were shown another: it says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tocsin.errors import VerificationError
from tocsin.record.checkpoint import Checkpoint, parse_checkpoint
from tocsin.record.cosign import Opened, open_note
from tocsin.record.merkle import EMPTY_ROOT, HASH_BYTES, leaf_hash, node_hash
from tocsin.record.note import SignatureType, SignedNote, Vkey, parse_note, parse_vkey
from tocsin.record.payload import DETACHED, payload_number, read_openings
from tocsin.record.source import FolderSource, Source
from tocsin.record.tiles import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    ReadFile,
    TileReader,
    parse_bundle,
    parse_tile_path,
    tile_path,
    tile_root,
    tiles_of,
)

CHECKPOINT = "checkpoint"
"""File with the newest signed checkpoint."""

LOG_VKEY = "log.vkey"
"""File with the log's verifier key."""

MAX_UNCOVERED_SHOWN = 100
"""Uncovered files that are listed one by one; more are counted."""

_KIND_FIELD = re.compile(rb'"kind":"([a-z0-9_]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Payloads:
    """What of the private half lies beside a record, and opens.

    Attributes
    ----------
    held : int
        Entries whose payload is here and opens its commitment.
    indices : frozenset of int
        Which.
    """

    held: int
    indices: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A record that is what its signature covers.

    Attributes
    ----------
    vkey : Vkey
        The key it was verified with.
    note : SignedNote
    checkpoint : Checkpoint
    opened : Opened
    kinds : Counter
        Entries by kind; "other" for what is no envelope.
    file_count : int
        Files in the folder that are covered; 0 where files cannot be listed.
    uncovered : tuple of str
        What no signature covers, in words.
    payloads : Payloads or None
        None if no payloads lie beside it.
    """

    vkey: Vkey
    note: SignedNote
    checkpoint: Checkpoint
    opened: Opened
    kinds: Counter[str]
    file_count: int
    uncovered: tuple[str, ...]
    payloads: Payloads | None

    @property
    def origin(self) -> str:
        """The log's identity."""
        return self.checkpoint.origin

    @property
    def size(self) -> int:
        """Entries in the signed tree."""
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        """The signed root."""
        return self.checkpoint.root


def verify(source: Source, *, vkey: Vkey | None = None, payload: Path | None = None) -> Verified:
    """Check a whole record.

    Parameters
    ----------
    source : Source
        The record's files.
    vkey : Vkey or None
        The log's key as the agreement or an earlier visit has it; the folder's own `log.vkey` if None, which
        proves nothing about whose log it is.
    payload : Path or None
        The folder of payloads, if they are here.

    Raises
    ------
    VerificationError
        At the first thing that does not fit, naming it.
    """
    key = read_vkey(source.read)
    if vkey is not None and vkey != key:
        raise VerificationError("log.vkey is not the key expected", expected=str(vkey), calculated=str(key))
    note, checkpoint, opened = read_checkpoint(source.read, key)
    root, kinds = audit(source.read, checkpoint.size)
    if root != checkpoint.root:
        raise VerificationError(
            f"root of {checkpoint.size} entries", expected=checkpoint.root.hex(), calculated=root.hex()
        )
    uncovered = [f"signature line of a key not known here: {s.name}" for s in opened.unknown]
    file_count = 0
    names = source.names()
    if names is None:
        uncovered.append("files nobody asked for: a web server does not list its files")
    else:
        file_count, strays = account_for(source.read, names, checkpoint.size)
        uncovered += strays
    payloads = verify_payloads(source.read, checkpoint.size, payload) if payload is not None else None
    return Verified(
        vkey=key,
        note=note,
        checkpoint=checkpoint,
        opened=opened,
        kinds=kinds,
        file_count=file_count,
        uncovered=tuple(uncovered),
        payloads=payloads,
    )


def verify_folder(folder: Path, *, vkey: Vkey | None = None) -> Verified:
    """Check a record in a folder, and the payloads if they lie beside it.

    Parameters
    ----------
    folder : Path
        `DIR/record`, or the keeper's `DIR` that holds it.
    vkey : Vkey or None
        See `verify`.
    """
    record = find_record(folder)
    payload = record.parent / "payload"
    return verify(FolderSource(record), vkey=vkey, payload=payload if payload.is_dir() else None)


def find_record(folder: Path) -> Path:
    """Return the record in a folder: itself, or its `record/`."""
    inner = folder / "record"
    return inner if inner.is_dir() and not (folder / CHECKPOINT).exists() else folder


def read_vkey(read: ReadFile) -> Vkey:
    """Return the key in `log.vkey`: one line, a log's Ed25519 key."""
    data = read(LOG_VKEY)
    if data is None:
        raise VerificationError(f"{LOG_VKEY} is missing")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise VerificationError(f"{LOG_VKEY} is no UTF-8") from None
    key = parse_vkey(text.removesuffix("\n"))
    if text != f"{key}\n" or key.type is not SignatureType.ED25519:
        raise VerificationError(f"{LOG_VKEY} is not one line with an Ed25519 log key")
    return key


def read_checkpoint(read: ReadFile, key: Vkey) -> tuple[SignedNote, Checkpoint, Opened]:
    """Return the checkpoint, its signature by the log's key verified."""
    data = read(CHECKPOINT)
    if data is None:
        raise VerificationError(f"{CHECKPOINT} is missing")
    note = parse_note(data)
    opened = open_note(note, [key])
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != key.name:
        raise VerificationError("origin of the checkpoint", expected=key.name, calculated=checkpoint.origin)
    return note, checkpoint, opened


def audit(read: ReadFile, size: int) -> tuple[bytes, Counter[str]]:
    """Return the root rebuilt from the entries, with every tile compared on the way, and the entries' kinds.

    Parameters
    ----------
    read : callable
    size : int
        Entries of the tree.

    Raises
    ------
    VerificationError
        For a missing, malformed or differing file, naming it.
    """
    kinds: Counter[str] = Counter()
    levels: list[list[bytes]] = [[]]
    reader = TileReader(read, size)
    for number in range(-(-size // TILE_WIDTH)):
        data, width, path = reader.bytes_of(ENTRIES, number)
        entries = parse_bundle(data, width, path)
        _count_kinds(kinds, entries)
        levels[0] = [leaf_hash(entry) for entry in entries]
        _close_tiles(reader, levels, number)
    for level, hashes in enumerate(levels):
        if level and hashes:
            _compare(reader, level, (size >> (TILE_HEIGHT * level)) // TILE_WIDTH, hashes)
    return _fold(levels, size), kinds


def _close_tiles(reader: TileReader, levels: list[list[bytes]], number: int) -> None:
    """Compare the tile of level 0 that was just hashed; while tiles are full, hash them into the level above."""
    level = 0
    _compare(reader, 0, number, levels[0])
    while len(levels[level]) == TILE_WIDTH:
        if level:
            _compare(reader, level, number, levels[level])
        if level + 1 == len(levels):
            levels.append([])
        levels[level + 1].append(tile_root(levels[level]))
        levels[level] = []
        level, number = level + 1, number // TILE_WIDTH


def _compare(reader: TileReader, level: int, number: int, hashes: list[bytes]) -> None:
    data, _, path = reader.bytes_of(level, number)
    calculated = b"".join(hashes)
    if data != calculated:
        at = next((i for i in range(len(hashes)) if data[HASH_BYTES * i :][:HASH_BYTES] != hashes[i]), len(hashes))
        first = (number * TILE_WIDTH + at) << (TILE_HEIGHT * level)
        raise VerificationError(f"{path} is not the hash of what it stands for, at entry {first}")


def _fold(levels: list[list[bytes]], size: int) -> bytes:
    """Return the root over what is left open at each level, the highest level leftmost."""
    roots: list[bytes] = []
    for hashes in reversed(levels):
        rest = list(hashes)
        while rest:
            width = 1 << (len(rest).bit_length() - 1)
            roots.append(_complete_root(rest[:width]))
            rest = rest[width:]
    if not roots:
        return EMPTY_ROOT
    root = roots.pop()
    while roots:
        root = node_hash(roots.pop(), root)
    return root


def _complete_root(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def _count_kinds(kinds: Counter[str], entries: list[bytes]) -> None:
    for entry in entries:
        found = _KIND_FIELD.search(entry)
        kinds[found[1].decode() if found else "other"] += 1


def account_for(read: ReadFile, names: Iterator[str], size: int) -> tuple[int, list[str]]:
    """Return how many of a folder's files the checkpoint covers, and what it does not cover.

    Call it after `audit`: the tiles of this size are then known to be right.

    Raises
    ------
    VerificationError
        For a file that has no business in a record, or contradicts the signed tree.
    """
    expected = {tile_path(*tile) for tile in tiles_of(size)} | {CHECKPOINT, LOG_VKEY}
    covered, strays = 0, []
    for name in names:
        if name in expected:
            covered += 1
            continue
        tile = parse_tile_path(name)
        if tile is None:
            raise VerificationError(f"{name} does not belong in a record, and no signature covers it")
        if _is_earlier(read, tile, size, name):
            covered += 1
        else:
            strays.append(f"{name}: beyond the {size} signed entries (a publication that was not finished, or planted)")
    if len(strays) > MAX_UNCOVERED_SHOWN:
        strays = [*strays[:MAX_UNCOVERED_SHOWN], f"and {len(strays) - MAX_UNCOVERED_SHOWN} files more like these"]
    return covered, strays


def _is_earlier(read: ReadFile, tile: tuple[int | str, int, int], size: int, name: str) -> bool:
    """Return True for a partial file of an earlier tree; False for one of a later tree.

    Either way, what both trees have of it must be the same.
    """
    level, number, width = tile
    whole = size >> (TILE_HEIGHT * level) if isinstance(level, int) else size
    common = min(width, max(0, whole - number * TILE_WIDTH))
    data = read(name) or b""
    signed = TileReader(read, size).bytes_of(level, number)[0] if common else b""
    if level == ENTRIES:
        same = parse_bundle(data, width, name)[:common] == _first_entries(signed, common, name)
    else:
        same = len(data) == width * HASH_BYTES and data[: common * HASH_BYTES] == signed[: common * HASH_BYTES]
    if not same:
        raise VerificationError(f"{name} contradicts the signed tree of {size} entries")
    return common == width


def _first_entries(bundle: bytes, count: int, name: str) -> list[bytes]:
    entries: list[bytes] = []
    at = 0
    for _ in range(count):
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        entries.append(bundle[start:at])
    return entries


def verify_payloads(read: ReadFile, size: int, folder: Path) -> Payloads:
    """Check every payload in a folder against the entry it claims to open.

    Lines of entries that no signed tree has yet are left to the keeper's next publication.

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
        for opening in read_openings(folder, number):
            if opening.index >= size:
                break
            if opening.envelope != entries[opening.index % TILE_WIDTH]:
                raise VerificationError(f"{folder / name}: entry {opening.index} is not the one in the record")
            opening.check()
            held.add(opening.index)
            if opening.detached:
                detached.add(opening.detached)
    for path_ in sorted((folder / DETACHED).glob("*")):
        if path_.name not in detached:
            raise VerificationError(f"{path_} belongs to no entry")
    return Payloads(held=len(held), indices=frozenset(held))
