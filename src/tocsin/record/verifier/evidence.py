"""Evidence: two signed checkpoints that cannot both be true, and the proof that they cannot, as one small file.

Anybody can check it with the log's key alone, here or with another tool; see docs/format/evidence.md. It convicts
whoever holds the key, a log or a witness. That a smaller tree was shown after a larger one (rollback) leaves no such
proof: old checkpoints stay true.
"""

from __future__ import annotations

from msgspec import Struct

from tocsin.errors import SplitViewError, VerificationError
from tocsin.record.c2sp.checkpoint import Checkpoint, parse_checkpoint
from tocsin.record.c2sp.cosign import open_note
from tocsin.record.c2sp.merkle import HASH_BYTES, MAX_PROOF_HASHES, consistency_proof, consistency_roots
from tocsin.record.c2sp.note import SignedNote, Vkey, decode_base64, encode_base64, parse_note, parse_vkey
from tocsin.record.c2sp.tiles import TileReader

EVIDENCE_HEAD = "tocsin-evidence/1"
"""First line of the file."""

MAX_EVIDENCE_BYTES = 10_000
"""Bytes the file may have."""

_BLOCKS = 5  # head with proof, text and signatures of the one note, text and signatures of the other


class Evidence(Struct, frozen=True, kw_only=True):
    """Two notes signed with one key, and what connects them.

    Attributes
    ----------
    vkey : Vkey
    older, newer : SignedNote
        In order of size; each with the key's signature.
    proof : tuple of bytes
        Consistency proof from the older size to the newer tree; empty if the sizes are equal.
    contained : bytes
        Root that the newer tree has over its first entries, as many as the older tree has.
    """

    vkey: Vkey
    older: SignedNote
    newer: SignedNote
    proof: tuple[bytes, ...]
    contained: bytes

    def __str__(self) -> str:
        head = [EVIDENCE_HEAD, str(self.vkey), *(encode_base64(value) for value in (self.contained, *self.proof))]
        return "\n".join(head) + "\n\n" + bytes(self.older).decode() + "\n" + bytes(self.newer).decode()


def gather_evidence(vkey: Vkey, note: SignedNote, other: SignedNote, reader: TileReader) -> Evidence:
    """Return the evidence that two notes contradict each other.

    Parameters
    ----------
    vkey : Vkey
        Who signed both.
    note, other : SignedNote
        In any order.
    reader : TileReader
        Reads the tree of the larger one; not asked if the sizes are equal.

    Raises
    ------
    VerificationError
        If they do not contradict each other.
    """
    older, newer = sorted((note, other), key=lambda n: parse_checkpoint(n.text).size)
    old, new = parse_checkpoint(older.text), parse_checkpoint(newer.text)
    proof: list[bytes] = []
    contained = new.root
    if old.size < new.size:
        proof = consistency_proof(old.size, new.size, reader.subtree_root)
        contained = reader.subtree_root(0, old.size)
    evidence = Evidence(
        vkey=vkey, older=_only(vkey, older), newer=_only(vkey, newer), proof=tuple(proof), contained=contained
    )
    check_evidence(evidence)
    return evidence


def check_evidence(evidence: Evidence) -> tuple[Checkpoint, Checkpoint]:
    """Check that evidence proves what it claims; return the two checkpoints.

    Raises
    ------
    VerificationError
        If a signature does not verify, the notes are of two logs, or they do not contradict each other.
    """
    old, new = parse_checkpoint(evidence.older.text), parse_checkpoint(evidence.newer.text)
    for note in (evidence.older, evidence.newer):
        open_note(note, [evidence.vkey])
    if old.origin != new.origin:
        raise VerificationError("origins of the two checkpoints", expected=old.origin, calculated=new.origin)
    if not 0 < old.size <= new.size:
        raise VerificationError(f"checkpoints of sizes {old.size} and {new.size} in this order contradict nothing")
    if old.size == new.size:
        if evidence.proof or evidence.contained != new.root:
            raise VerificationError("two trees of one size need no proof, and none other than theirs fits")
    else:
        # Where the old size is a power of two the proof leaves its root out, so the contained one is put in.
        given = evidence.contained if old.size.bit_count() == 1 else None
        contained, root = consistency_roots(old_size=old.size, new_size=new.size, proof=evidence.proof, old_root=given)
        if root != new.root or contained != evidence.contained:
            raise VerificationError(
                f"proof from {old.size} to {new.size}", expected=new.root.hex(), calculated=root.hex()
            )
    if evidence.contained == old.root:
        raise VerificationError(f"the tree of {new.size} begins with the tree of {old.size}: nothing is contradicted")
    return old, new


def parse_evidence(data: bytes) -> Evidence:
    """Return what an evidence file holds; `check_evidence` says whether it proves anything.

    Raises
    ------
    VerificationError
        If it is no such file.
    """
    if len(data) > MAX_EVIDENCE_BYTES:
        raise VerificationError(f"evidence of {len(data):,} bytes: expected at most {MAX_EVIDENCE_BYTES:,}")
    try:
        blocks = data.decode().split("\n\n")
    except UnicodeDecodeError:
        raise VerificationError("evidence that is no UTF-8") from None
    if len(blocks) != _BLOCKS:
        raise VerificationError("evidence that does not consist of a head and two notes")
    head = blocks[0].split("\n")
    if head[0] != EVIDENCE_HEAD or not 3 <= len(head) <= 3 + MAX_PROOF_HASHES:
        raise VerificationError(f"evidence that does not begin with {EVIDENCE_HEAD}, a key and hashes")
    hashes = [decode_base64(line, "a hash") for line in head[2:]]
    if any(len(value) != HASH_BYTES for value in hashes):
        raise VerificationError(f"evidence with a hash that has not {HASH_BYTES} bytes")
    return Evidence(
        vkey=parse_vkey(head[1]),
        older=parse_note(f"{blocks[1]}\n\n{blocks[2]}\n".encode()),
        newer=parse_note(f"{blocks[3]}\n\n{blocks[4]}".encode()),
        proof=tuple(hashes[1:]),
        contained=hashes[0],
    )


def split_view(evidence: Evidence) -> SplitViewError:
    """Return the error that says two checkpoints cannot both be true."""
    old, new = check_evidence(evidence)
    if old.size == new.size:
        what = f"two different trees of {old.size} entries"
    else:
        what = f"its tree of {new.size} entries does not begin with its tree of {old.size}"
    return SplitViewError(
        f"{evidence.vkey.name} signed two histories of {old.origin}: {what}",
        expected=old.root.hex(),
        calculated=evidence.contained.hex(),
    )


def _only(vkey: Vkey, note: SignedNote) -> SignedNote:
    return SignedNote(text=note.text, signatures=tuple(s for s in note.signatures if s.is_by(vkey)))
