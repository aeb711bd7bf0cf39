"""The audit: rebuilds a tree from its entries, compares every tile on the way, and accounts for every file.

Implements what C2SP tlog-tiles lets a monitor do, over all entries. Believes nothing but hashes; whether the root is
the signed one is the caller's question (`verify.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set

from msgspec import Struct

from tocsin.errors import VerificationError
from tocsin.record.c2sp.merkle import EMPTY_ROOT, HASH_BYTES, leaf_hash, node_hash
from tocsin.record.c2sp.tiles import (
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
from tocsin.record.envelope import Envelope, parse_envelope

MAX_UNCOVERED_SHOWN = 100
"""Uncovered files that are listed one by one; more are counted."""

OTHER = "other"
"""Kind of an entry that is no envelope: another log's, or a later format's."""

_KIND_FIELD = re.compile(rb'"kind":"([a-z0-9_]+)"')
_OPEN_FIELD = b'"open":'


class Audit(Struct, frozen=True, kw_only=True):
    """What the entries of a tree add up to.

    Attributes
    ----------
    root : bytes
        Rebuilt from the entries.
    kinds : Counter
        Entries by kind.
    opens : tuple of (int, Envelope)
        Index and envelope of every entry that everybody can read: keys, witnesses, joined logs.
    """

    root: bytes
    kinds: Counter[str]
    opens: tuple[tuple[int, Envelope], ...]


def audit(read: ReadFile, size: int) -> Audit:
    """Rebuild a tree from its entries and compare every tile on the way.

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
    opens: list[tuple[int, Envelope]] = []
    levels: list[list[bytes]] = [[]]
    reader = TileReader(read, size)
    for number in range(-(-size // TILE_WIDTH)):
        data, width, path = reader.bytes_of(ENTRIES, number)
        entries = parse_bundle(data, width, path)
        _read_kinds(entries, number * TILE_WIDTH, kinds, opens)
        levels[0] = [leaf_hash(entry) for entry in entries]
        _close_tiles(reader, levels, number)
    for level, hashes in enumerate(levels):
        if level and hashes:
            _compare(reader, level, (size >> (TILE_HEIGHT * level)) // TILE_WIDTH, hashes)
    return Audit(root=_fold(levels), kinds=kinds, opens=tuple(opens))


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


def _fold(levels: list[list[bytes]]) -> bytes:
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


def open_entries(reader: TileReader) -> Iterator[tuple[int, Envelope]]:
    """Yield index and envelope of every entry of a tree that everybody can read."""
    for number in range(-(-reader.size // TILE_WIDTH)):
        data, width, path = reader.bytes_of(ENTRIES, number)
        if _OPEN_FIELD in data:
            opens: list[tuple[int, Envelope]] = []
            _read_kinds(parse_bundle(data, width, path), number * TILE_WIDTH, Counter(), opens)
            yield from opens


def _read_kinds(entries: list[bytes], first: int, kinds: Counter[str], opens: list[tuple[int, Envelope]]) -> None:
    for index, entry in enumerate(entries, start=first):
        if _OPEN_FIELD in entry:
            try:
                envelope = parse_envelope(entry)
            except VerificationError:
                kinds[OTHER] += 1
                continue
            opens.append((index, envelope))
            kinds[envelope.kind] += 1
        else:
            found = _KIND_FIELD.search(entry)
            kinds[found[1].decode() if found else OTHER] += 1


def account_for(read: ReadFile, names: Iterator[str], size: int, checked: Set[str]) -> tuple[int, list[str]]:
    """Return how many of a folder's files a tree of this size covers, and what it does not cover.

    Call it after `audit`: the tiles of this size are then known to be right.

    Parameters
    ----------
    read : callable
    names : iterator of str
        Every file in the folder.
    size : int
    checked : set of str
        Files that are no tiles and were checked already.

    Raises
    ------
    VerificationError
        For a file that has no business in a record, or contradicts the signed tree.
    """
    expected = {tile_path(*tile) for tile in tiles_of(size)} | checked
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
