"""Merkle trees: hashes, roots, and the proofs that an entry is in and that a log only grew.

Implements RFC 6962 §2.1 with SHA-256 (the proofs' verification as RFC 9162 §2.1.3.2 and §2.1.4.2 write it).
Pure functions of numbers and hashes: where the hashes are kept is `tiles.py`'s matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from tocsin.errors import VerificationError

HASH_BYTES = 32
"""Bytes of a SHA-256."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962 §2.1)."""

MAX_PROOF_HASHES = 63
"""Hashes a proof may have; no tree of up to 2**63 leaves needs more (C2SP tlog-witness)."""

SubtreeRoot = Callable[[int, int], bytes]
"""Gives the root over the leaves [start, end) of a tree."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry as a leaf: SHA-256 of 0x00 and its bytes."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 of 0x01 and its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root over hashes that stand side by side at one level.

    Parameters
    ----------
    hashes : sequence of bytes
        Leaf hashes, or roots of complete subtrees of one size, from the left.

    Notes
    -----
    Pairs level by level; an odd last one moves up unhashed, which gives RFC 6962's split at the largest
    power of two. n - 1 hashes.
    """
    if not hashes:
        return EMPTY_ROOT
    sha256 = hashlib.sha256
    level = list(hashes)
    while len(level) > 1:
        paired = [sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]


def largest_power_below(size: int) -> int:
    """Return the largest power of two smaller than a size of at least 2: where RFC 6962 splits a tree."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, subtree_root: SubtreeRoot) -> list[bytes]:
    """Return the hashes that lead from one leaf to the root, the leaf's neighbour first.

    Parameters
    ----------
    index, size : int
        Leaf and tree, 0 <= index < size.
    subtree_root : callable
        Gives the root over leaves [start, end).

    References
    ----------
    RFC 6962 §2.1.1.
    """
    if not 0 <= index < size:
        raise ValueError(f"no entry {index} in a tree of {size}")
    start, end = 0, size
    proof: list[bytes] = []
    while end - start > 1:
        middle = start + largest_power_below(end - start)
        if index < middle:
            proof.append(subtree_root(middle, end))
            end = middle
        else:
            proof.append(subtree_root(start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(old_size: int, new_size: int, subtree_root: SubtreeRoot) -> list[bytes]:
    """Return the hashes that show the tree of the old size to be the beginning of the new one.

    Parameters
    ----------
    old_size, new_size : int
        0 <= old_size <= new_size; empty if they are equal or the old tree is.
    subtree_root : callable
        Gives the root over leaves [start, end).

    References
    ----------
    RFC 6962 §2.1.2.
    """
    if not 0 <= old_size <= new_size:
        raise ValueError(f"no consistency proof from size {old_size} to {new_size}")
    if old_size in {0, new_size}:
        return []
    start, end, whole = 0, new_size, True  # whole: the old tree's root is the root over [start, old_size)
    proof: list[bytes] = []
    while end != old_size:
        middle = start + largest_power_below(end - start)
        if old_size <= middle:
            proof.append(subtree_root(middle, end))
            end = middle
        else:
            proof.append(subtree_root(start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(subtree_root(start, end))
    return proof[::-1]


def verify_inclusion(*, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf hash stands at an index of the tree with this size and root.

    Raises
    ------
    VerificationError
        If the proof leads to another root, or is too short, too long or out of range.

    References
    ----------
    RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < size:
        raise VerificationError(f"inclusion proof for entry {index} of a tree of {size}")
    _require_hashes([leaf, *proof, root])
    node, last, calculated = index, size - 1, leaf
    for neighbour in proof:
        if last == 0:
            raise VerificationError(f"inclusion proof of entry {index} is longer than its path")
        if node % 2 or node == last:
            calculated = node_hash(neighbour, calculated)
            while node % 2 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            calculated = node_hash(calculated, neighbour)
        node, last = node >> 1, last >> 1
    if last:
        raise VerificationError(f"inclusion proof of entry {index} is shorter than its path")
    if calculated != root:
        raise VerificationError(
            f"inclusion proof of entry {index} in {size}", expected=root.hex(), calculated=calculated.hex()
        )


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree with the old size and root is the beginning of the new one.

    The empty tree begins every tree but proves nothing; whoever wants to accept it says so before asking.

    Raises
    ------
    VerificationError
        If the proof leads to other roots, has a wrong length, or the sizes are not 0 < old <= new.

    References
    ----------
    RFC 9162 §2.1.4.2.
    """
    if not 0 < old_size <= new_size:
        raise VerificationError(f"no consistency can be proved from size {old_size} to {new_size}")
    if old_size == new_size:
        if proof or old_root != new_root:
            raise VerificationError(f"two roots of size {old_size}", expected=old_root.hex(), calculated=new_root.hex())
        return
    _require_hashes([old_root, new_root, *proof])
    from_old, from_new = consistency_roots(
        old_size=old_size, new_size=new_size, proof=proof, old_root=old_root if old_size.bit_count() == 1 else None
    )
    for size, signed, calculated in ((old_size, old_root, from_old), (new_size, new_root, from_new)):
        if calculated != signed:
            raise VerificationError(
                f"consistency proof from {old_size} to {new_size}, root of size {size}",
                expected=signed.hex(),
                calculated=calculated.hex(),
            )


def consistency_roots(
    *, old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes | None = None
) -> tuple[bytes, bytes]:
    """Return the two roots that a consistency proof leads to, for 0 < old_size < new_size.

    Parameters
    ----------
    old_size, new_size : int
    proof : sequence of bytes
    old_root : bytes or None
        Wanted only where the old size is a power of two: the proof then leaves the old root out.

    Raises
    ------
    VerificationError
        If the proof has a wrong length.
    """
    path = list(proof) if old_root is None else [old_root, *proof]
    if not path:
        raise VerificationError(f"consistency proof from {old_size} to {new_size} is empty")
    node, last = old_size - 1, new_size - 1
    while node % 2:
        node, last = node >> 1, last >> 1
    from_old = from_new = path[0]
    for neighbour in path[1:]:
        if last == 0:
            raise VerificationError(f"consistency proof from {old_size} to {new_size} is too long")
        if node % 2 or node == last:
            from_old = node_hash(neighbour, from_old)
            from_new = node_hash(neighbour, from_new)
            while node % 2 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            from_new = node_hash(from_new, neighbour)
        node, last = node >> 1, last >> 1
    if last:
        raise VerificationError(f"consistency proof from {old_size} to {new_size} is too short")
    return from_old, from_new


def _require_hashes(hashes: Sequence[bytes]) -> None:
    for value in hashes:
        if len(value) != HASH_BYTES:
            raise VerificationError(f"a hash of {len(value)} bytes: expected {HASH_BYTES}")
