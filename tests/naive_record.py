"""The record's trees as RFC 6962 defines them, typed straight from its text: slow, recursive, and only for tests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def split(n: int) -> int:
    """Return the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(entries: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash, RFC 6962 §2.1."""
    n = len(entries)
    if n == 0:
        return hashlib.sha256(b"").digest()
    if n == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = split(n)
    return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """Return the audit path of entry m, RFC 6962 §2.1.1."""
    n = len(entries)
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """Return the consistency proof from the first m entries, RFC 6962 §2.1.2."""
    return subproof(m, entries, True)


def subproof(m: int, entries: Sequence[bytes], whole: bool) -> list[bytes]:
    n = len(entries)
    if m == n:
        return [] if whole else [mth(entries)]
    k = split(n)
    if m <= k:
        return [*subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


def inclusion_holds(index: int, size: int, leaf: bytes, hashes: Sequence[bytes], root: bytes) -> bool:
    """Return True if the path leads from the leaf to the root, by walking down the split points and back up."""
    turns: list[bool] = []
    at, count = index, size
    while count > 1:
        k = split(count)
        is_left = at < k
        turns.append(is_left)
        at, count = (at, k) if is_left else (at - k, count - k)
    if len(turns) != len(hashes):
        return False
    value = leaf
    for is_left, other in zip(reversed(turns), hashes, strict=True):
        pair = value + other if is_left else other + value
        value = hashlib.sha256(b"\x01" + pair).digest()
    return value == root


def tile_hashes(level: int, number: int, entries: Sequence[bytes]) -> list[bytes]:
    """Return a tile by its definition in C2SP tlog-tiles: tree hashes of aligned ranges of entries."""
    width = 256**level
    first = number * 256
    ranges = (entries[(first + i) * width : (first + i + 1) * width] for i in range(256))
    return [mth(r) for r in ranges if len(r) == width]
