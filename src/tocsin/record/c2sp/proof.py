"""A proof that travels: one entry's place in a log, in a file that anybody can check offline.

Implements C2SP tlog-proof. It carries no entry: what is proved is that the leaf the reader has, byte for byte, stands
in the log of whoever signed the checkpoint, and who had seen that tree.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tocsin.errors import VerificationError
from tocsin.record.c2sp.checkpoint import Checkpoint, parse_checkpoint, parse_size
from tocsin.record.c2sp.cosign import open_note
from tocsin.record.c2sp.merkle import HASH_BYTES, MAX_PROOF_HASHES, leaf_hash, verify_inclusion
from tocsin.record.c2sp.note import MAX_NOTE_BYTES, SignedNote, Vkey, decode_base64, encode_base64, parse_note
from tocsin.record.c2sp.policy import Policy

PROOF_HEAD = "c2sp.org/tlog-proof@v1"
"""First line of the file; its name ends in `.tlog-proof`."""


class TlogProof(Struct, frozen=True, kw_only=True):
    """What such a file holds; nothing is verified yet.

    Attributes
    ----------
    index : int
    hashes : tuple of bytes
        Inclusion proof, the leaf's neighbour first.
    note : SignedNote
        The checkpoint with its signatures.
    extra : bytes or None
        Whatever the writer added; no signature covers it.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: SignedNote
    extra: bytes | None = None

    def __bytes__(self) -> bytes:
        extra = [] if self.extra is None else [f"extra {encode_base64(self.extra)}"]
        hashes = [encode_base64(value) for value in self.hashes]
        return "\n".join([PROOF_HEAD, *extra, f"index {self.index}", *hashes, "", ""]).encode() + bytes(self.note)


def parse_proof(data: bytes) -> TlogProof:
    """Return what a proof file holds.

    Raises
    ------
    VerificationError
        If it is none, byte for byte.
    """
    head, blank, note_bytes = data.partition(b"\n\n")
    if not blank or len(head) > MAX_NOTE_BYTES:
        raise VerificationError("a proof without an empty line after its hashes")
    try:
        first, *lines = head.decode().split("\n")
    except UnicodeDecodeError:
        raise VerificationError("a proof that is no UTF-8") from None
    if first != PROOF_HEAD:
        raise VerificationError(f"a proof that begins with {first[:40]!r}: expected {PROOF_HEAD}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "), "extra data")
    if not lines or not lines[0].startswith("index "):
        raise VerificationError("a proof without an index line")
    index = parse_size(lines.pop(0).removeprefix("index "), "a proof")
    hashes = tuple(decode_base64(line, "a hash") for line in lines)
    if len(hashes) > MAX_PROOF_HASHES or any(len(value) != HASH_BYTES for value in hashes):
        raise VerificationError(f"a proof with hashes that have not {HASH_BYTES} bytes, or over {MAX_PROOF_HASHES}")
    return TlogProof(index=index, hashes=hashes, note=parse_note(note_bytes), extra=extra)


def verify_proof(proof: TlogProof, entry: bytes, *, log: Sequence[Vkey], policy: Policy | None = None) -> Checkpoint:
    """Check that an entry stands in a log, and that enough witnesses had seen its tree; return the checkpoint.

    Parameters
    ----------
    proof : TlogProof
    entry : bytes
        The entry as it stands in the log: an envelope.
    log : sequence of Vkey
        Keys trusted for this log.
    policy : Policy or None
        Whose cosignatures are needed; nobody's if None.

    Raises
    ------
    VerificationError
        If a signature or the proof does not verify, or the quorum is not met.
    """
    witnesses = [witness.vkey for witness in policy.witnesses] if policy else []
    opened = open_note(proof.note, [*log, *witnesses])
    if not set(opened.verified) & set(log):
        raise VerificationError(f"a checkpoint that {log[0].name} did not sign")
    if policy and not policy.is_met(opened.verified):
        raise VerificationError(f"a checkpoint without the cosignatures of {policy.words}")
    checkpoint = parse_checkpoint(proof.note.text)
    verify_inclusion(
        index=proof.index,
        size=checkpoint.size,
        leaf=leaf_hash(entry),
        proof=proof.hashes,
        root=checkpoint.root,
    )
    return checkpoint
