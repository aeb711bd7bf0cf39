"""Tiles and bundles: how a tree and its entries lie in files that any web server or stick can carry.

Implements C2SP tlog-tiles: paths, 256 hashes a tile, entries with 16-bit lengths, partial tiles `.p/W`.
Reads through a function from path to bytes; does not know whether a folder, a URL or a test is behind it.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator

from tocsin.errors import VerificationError
from tocsin.record.c2sp.merkle import EMPTY_ROOT, HASH_BYTES, node_hash, root_of

TILE_WIDTH = 256
"""Hashes in a full tile, entries in a full bundle."""

TILE_HEIGHT = 8
"""Tree levels from one tile level to the next; 2**8 = 256."""

MAX_ENTRY_BYTES = 65_535
"""Bytes of one entry: its length must fit 16 bits."""

MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
"""Bytes of the largest bundle that can be well-formed."""

ENTRIES = "entries"
"""Stands in a path where a tile has its level."""

CACHED_TILES = 64
"""Tiles whose inner nodes a reader keeps; 64 x 16 kB = 1 MB."""

_PATH = re.compile(r"tile/(entries|0|[1-9]\d?)((?:/x\d{3})*/\d{3})(?:\.p/([1-9]\d{0,2}))?")

ReadFile = Callable[[str], bytes | None]
"""Gives the bytes at a path inside a record, or None where there is no such file."""


def tile_path(level: int | str, number: int, width: int = TILE_WIDTH) -> str:
    """Return where a tile lies.

    Parameters
    ----------
    level : int or str
        From 0 up, or `ENTRIES` for a bundle of entries.
    number : int
        Its place in the level, from 0.
    width : int
        1 to 256; below 256 the tile is partial.

    Examples
    --------
    >>> tile_path(0, 1234067)
    'tile/0/x001/x234/067'
    >>> tile_path(ENTRIES, 0, 5)
    'tile/entries/000.p/5'
    """
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{path}" + ("" if width == TILE_WIDTH else f".p/{width}")


def parse_tile_path(path: str) -> tuple[int | str, int, int] | None:
    """Return level, number and width of a tile's path, or None if no tile can lie there.

    Examples
    --------
    >>> parse_tile_path("tile/0/x001/x234/067.p/8")
    (0, 1234067, 8)
    >>> parse_tile_path("tile/00/000") is None
    True
    """
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    level: int | str = ENTRIES if match[1] == ENTRIES else int(match[1])
    number = int(match[2].replace("/", "").replace("x", ""))
    width = int(match[3]) if match[3] else TILE_WIDTH
    return (level, number, width) if tile_path(level, number, width) == path and width <= TILE_WIDTH else None


def tiles_of(size: int) -> Iterator[tuple[int | str, int, int]]:
    """Yield level, number and width of every tile and bundle that a tree of this size consists of."""
    level, width = 0, size
    while width:
        full, rest = divmod(width, TILE_WIDTH)
        for place in (ENTRIES, 0) if level == 0 else (level,):
            yield from ((place, number, TILE_WIDTH) for number in range(full))
            if rest:
                yield place, full, rest
        level, width = level + 1, full


def format_bundle(entries: list[bytes]) -> bytes:
    """Return a bundle's bytes: each entry behind its length, 16 bits, big-endian.

    Raises
    ------
    ValueError
        For an entry over `MAX_ENTRY_BYTES`; it is never cut.
    """
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry of {len(entry):,} bytes; at most {MAX_ENTRY_BYTES:,} fit a bundle")
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def parse_bundle(data: bytes, width: int, path: str) -> list[bytes]:
    """Return the entries of a bundle.

    Raises
    ------
    VerificationError
        If the bundle does not consist of exactly `width` entries.
    """
    entries: list[bytes] = []
    at, end = 0, len(data)
    while at < end:
        start = at + 2
        at = start + (data[at] << 8) + (data[at + 1] if start <= end else 0)
        entries.append(data[start:at])
    if at != end or len(entries) != width:
        raise VerificationError(f"{path}: not {width} whole entries", expected=str(width), calculated=str(len(entries)))
    return entries


def parse_tile(data: bytes, width: int, path: str) -> list[bytes]:
    """Return the hashes of a tile.

    Raises
    ------
    VerificationError
        If it does not hold exactly `width` hashes.
    """
    _check_width(data, width, path)
    return _split(data)


def _check_width(data: bytes, width: int, path: str) -> None:
    if len(data) != width * HASH_BYTES:
        raise VerificationError(
            f"{path}: not {width} hashes", expected=f"{width * HASH_BYTES} bytes", calculated=f"{len(data)} bytes"
        )


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES)]


class TileReader:
    """Gives entries and subtree roots of a tree of one size out of its tiles.

    It believes what the tiles say: check a root against a signature before trusting any other answer.

    Parameters
    ----------
    read : callable
        From a path to its bytes, or None.
    size : int
        Leaves of the tree.
    """

    def __init__(self, read: ReadFile, size: int) -> None:
        self._read = read
        self.size = size
        self._nodes: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()

    def bytes_of(self, level: int | str, number: int) -> tuple[bytes, int, str]:
        """Return a tile's or bundle's bytes, its width in this tree and its path.

        A partial tile may have been replaced by the full one since; its beginning is then used.

        Raises
        ------
        VerificationError
            If neither file is there.
        """
        whole = self.size >> (TILE_HEIGHT * level) if isinstance(level, int) else self.size
        width = min(TILE_WIDTH, whole - number * TILE_WIDTH)
        if width <= 0:
            raise ValueError(f"tile {level}/{number} is outside a tree of {self.size}")
        path = tile_path(level, number, width)
        data = self._read(path)
        if data is None and width < TILE_WIDTH:
            path = tile_path(level, number)
            data = self._read(path)
            if data is not None and isinstance(level, int):
                data = data[: width * HASH_BYTES]
            elif data is not None:
                data = format_bundle(parse_bundle(data, TILE_WIDTH, path)[:width])
        if data is None:
            raise VerificationError(f"{path} is missing: expected {width} of the {self.size} entries' tree")
        return data, width, path

    def hashes(self, level: int, number: int) -> list[bytes]:
        """Return the hashes of a tile, as many as this tree has."""
        return _split(self._levels(level, number)[0])

    def entry(self, index: int) -> bytes:
        """Return one entry's bytes."""
        if not 0 <= index < self.size:
            raise ValueError(f"no entry {index} in a tree of {self.size}")
        data, width, path = self.bytes_of(ENTRIES, index // TILE_WIDTH)
        return parse_bundle(data, width, path)[index % TILE_WIDTH]

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        return self.subtree_root(0, self.size)

    def subtree_root(self, start: int, end: int) -> bytes:
        """Return the root over the leaves [start, end).

        Parameters
        ----------
        start, end : int
            Bounds of a subtree as RFC 6962 splits a tree: start is a multiple of the smallest power of two that
            is not below end - start.

        Notes
        -----
        The range is cut into complete subtrees from the left, each of which one tile knows, and folded from the right.
        """
        if start == end:
            return EMPTY_ROOT
        roots: list[bytes] = []
        while start < end:
            height = (end - start).bit_length() - 1
            roots.append(self._complete(height, start >> height))
            start += 1 << height
        root = roots.pop()
        while roots:
            root = node_hash(roots.pop(), root)
        return root

    def _complete(self, height: int, number: int) -> bytes:
        level, inner = divmod(height, TILE_HEIGHT)
        tile, at = divmod(number << inner, TILE_WIDTH)
        start = (at >> inner) * HASH_BYTES
        return self._levels(level, tile)[inner][start : start + HASH_BYTES]

    def _levels(self, level: int, number: int) -> list[bytes]:
        """Return the tile's hashes and above them the complete nodes they make, side by side, 9 levels at most."""
        key = (level, number)
        if key in self._nodes:
            self._nodes.move_to_end(key)
            return self._nodes[key]
        data, width, path = self.bytes_of(level, number)
        _check_width(data, width, path)
        levels, sha256, pair = [data], hashlib.sha256, 2 * HASH_BYTES
        while (pairs := len(levels[-1]) // pair) > 0:
            below = levels[-1]
            # `node_hash`, written out: two neighbours lie side by side already.
            nodes = [sha256(b"\x01" + below[i : i + pair]).digest() for i in range(0, pairs * pair, pair)]
            levels.append(b"".join(nodes))
        self._nodes[key] = levels
        if len(self._nodes) > CACHED_TILES:
            self._nodes.popitem(last=False)
        return levels


def tile_root(hashes: list[bytes]) -> bytes:
    """Return the hash that stands for a full tile one level up."""
    if len(hashes) != TILE_WIDTH:
        raise ValueError(f"a partial tile of {len(hashes)} has no hash above it")
    return root_of(hashes)
