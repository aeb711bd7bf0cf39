"""How a tree's files change when entries are added, and the check that what lies on the disk is that tree.

Pure but for the reading it is handed. `grow` says which tiles and bundles a larger tree needs; `check_growth` reads
them all back and rebuilds the root from those bytes alone, which is what a log signs.
"""

from __future__ import annotations

from collections.abc import Sequence

from tocsin.errors import VerificationError
from tocsin.record.c2sp.merkle import leaf_hash
from tocsin.record.c2sp.tiles import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    ReadFile,
    TileReader,
    format_bundle,
    parse_bundle,
    tile_path,
    tile_root,
)


def grow(read: ReadFile, size: int, entries: Sequence[bytes]) -> dict[str, bytes]:
    """Return path and bytes of every file that a tree has after these entries and had not before.

    Parameters
    ----------
    read : callable
        Reads the tree of `size` entries.
    size : int
        Entries so far.
    entries : sequence of bytes
        The new ones, at least one.
    """
    old = TileReader(read, size)
    files: dict[str, bytes] = {}
    number, inside = divmod(size, TILE_WIDTH)
    bundle: list[bytes] = []
    if inside:
        data, width, path = old.bytes_of(ENTRIES, number)
        bundle = parse_bundle(data, width, path)
    for group in _groups(bundle, list(entries)):
        files[tile_path(ENTRIES, number, len(group))] = format_bundle(group)
        number += 1
    level, hashes = 0, [leaf_hash(entry) for entry in entries]
    while hashes:
        number, inside = divmod(size >> (TILE_HEIGHT * level), TILE_WIDTH)
        before = old.hashes(level, number) if inside else []
        above: list[bytes] = []
        for group in _groups(before, hashes):
            files[tile_path(level, number, len(group))] = b"".join(group)
            if len(group) == TILE_WIDTH:
                above.append(tile_root(group))
            number += 1
        level, hashes = level + 1, above
    return files


def check_growth(read: ReadFile, *, old_size: int, old_root: bytes, new_size: int) -> bytes:
    """Return the root of the new tree, rebuilt from the bytes that `read` gives.

    Every entry from the old size on is hashed and compared with its tile, every tile that became full with the
    hash above it, and the old tree's right edge with its root.

    Raises
    ------
    VerificationError
        If any of this does not fit: then the root must not be signed.
    """
    if (found := TileReader(read, old_size).root()) != old_root:
        raise VerificationError(
            f"the tree of {old_size} on the disk is not the one signed",
            expected=old_root.hex(),
            calculated=found.hex(),
        )
    new = TileReader(read, new_size)
    for number in range(old_size // TILE_WIDTH, -(-new_size // TILE_WIDTH)):
        data, width, path = new.bytes_of(ENTRIES, number)
        for at, (entry, stored) in enumerate(zip(parse_bundle(data, width, path), new.hashes(0, number), strict=True)):
            if leaf_hash(entry) != stored:
                raise VerificationError(f"{path}: entry {number * TILE_WIDTH + at} is not the one in its tile")
    level = 0
    while full := new_size >> (TILE_HEIGHT * (level + 1)):
        for number in range(old_size >> (TILE_HEIGHT * (level + 1)), full):
            stored = new.hashes(level + 1, number // TILE_WIDTH)[number % TILE_WIDTH]
            if tile_root(new.hashes(level, number)) != stored:
                raise VerificationError(f"{tile_path(level, number)} is not the tile hashed at the level above")
        level += 1
    return new.root()


def _groups(before: list[bytes], more: list[bytes]) -> list[list[bytes]]:
    """Return `before` and `more` as groups that fill tiles; the first starts with what the tile has already."""
    whole = [*before, *more]
    return [whole[i : i + TILE_WIDTH] for i in range(0, len(whole), TILE_WIDTH)]
