"""Proving one entry to somebody who will not read the whole record, from the public files alone.

Writes C2SP tlog-proof (`c2sp/proof.py`) with the entry as its extra data, which needs no signature: the proof covers
it. Checks the log's signature and the tree's root before it proves anything from them.
"""

from __future__ import annotations

from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.checkpoint import parse_checkpoint
from tocsin.record.c2sp.cosign import open_note
from tocsin.record.c2sp.merkle import inclusion_proof, leaf_hash, verify_inclusion
from tocsin.record.c2sp.note import SignedNote, parse_note
from tocsin.record.c2sp.proof import TlogProof
from tocsin.record.c2sp.tiles import TileReader
from tocsin.record.verifier.source import Source
from tocsin.record.verifier.verify import CHECKPOINT, WITNESSED, read_vkey


def prove(source: Source, index: int) -> TlogProof:
    """Return the proof of an entry, with the entry in it.

    Parameters
    ----------
    source : Source
        The record's files.
    index : int

    Raises
    ------
    RecordError
        If the log has no such entry.
    VerificationError
        If the record does not hold together where the proof touches it.
    """
    note = _covering_note(source, index)
    checkpoint = parse_checkpoint(note.text)
    reader = TileReader(source.read, checkpoint.size)
    entry, proof = reader.entry(index), inclusion_proof(index, checkpoint.size, reader.subtree_root)
    if reader.root() != checkpoint.root:
        raise VerificationError("root", expected=checkpoint.root.hex(), calculated=reader.root().hex())
    verify_inclusion(index=index, size=checkpoint.size, leaf=leaf_hash(entry), proof=proof, root=checkpoint.root)
    return TlogProof(index=index, hashes=tuple(proof), note=note, extra=entry)


def _covering_note(source: Source, index: int) -> SignedNote:
    """Return the newest checkpoint with a quorum, if it covers the entry and today's key signed it; else the newest."""
    vkey = read_vkey(source.read)
    witnessed, newest = source.read(WITNESSED), source.read(CHECKPOINT)
    if witnessed is not None:
        note = parse_note(witnessed)
        is_by_log = any(line.is_by(vkey) for line in note.signatures)  # an older key's may be there, after a rotation
        if is_by_log and index < parse_checkpoint(note.text).size:
            open_note(note, [vkey])
            return note
    if newest is None:
        raise VerificationError(f"{CHECKPOINT} is missing")
    note = parse_note(newest)
    open_note(note, [vkey])
    size = parse_checkpoint(note.text).size
    if index >= size:
        raise RecordError(f"found no entry {index}, expected one of the {size:,} in the signed tree")
    return note
