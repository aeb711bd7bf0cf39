"""Another implementation of the same specifications reads what we write, and we read what it writes."""

from __future__ import annotations

from pathlib import Path

from tests.record.conftest import AT_US, ORIGIN, make_signer, write_log
from tlog_scales import signing
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.writer import TilesWriter

from tocsin.record.c2sp.merkle import leaf_hash, verify_consistency, verify_inclusion
from tocsin.record.c2sp.note import SignatureType, SignedNote
from tocsin.record.c2sp.tiles import TileReader
from tocsin.record.verifier.source import FolderSource
from tocsin.record.verifier.verify import CHECKPOINT, LOG_VKEY, verify, verify_folder
from tocsin.record.witness.keeper import WitnessKeeper
from tocsin.record.witness.protocol import format_request

COSIGNERS = [
    make_signer("un.example/w", SignatureType.COSIGNATURE_ED25519, 5),
    make_signer("un.example/w", SignatureType.COSIGNATURE_MLDSA44, 6),
]


def test_its_reader_agrees_with_our_log_on_everything(tmp_path: Path) -> None:
    sizes = (1, 5, 256, 300, 600)
    with write_log(tmp_path, *sizes) as log:
        theirs = TilesReader(LocalBackend(tmp_path / "record"))
        checkpoint = theirs.get_checkpoint()
        checkpoint.verify(signing.Vkey.from_string((tmp_path / "record" / LOG_VKEY).read_text().strip()))
        assert (checkpoint.origin, checkpoint.size) == (ORIGIN, 600)
        assert theirs.calculate_root_hash() == checkpoint.root_hash == log.published.root
        for index in (0, 255, 256, 599):
            entry = log.reader().entry(index)
            assert theirs.get_entry(index) == entry
            assert theirs.get_inclusion_proof(index, 600).node_hashes == log.inclusion_proof(index)
            theirs.get_inclusion_proof(index, 600).check(leaf_hash(entry), log.published.root)
        for old in sizes[:-1]:
            assert theirs.get_consistency_proof(old, 600).node_hashes == log.consistency_proof(old)


def test_it_verifies_our_cosignatures_of_both_kinds(tmp_path: Path) -> None:
    with write_log(tmp_path / "log", 3) as log:
        keeper = WitnessKeeper(tmp_path / "w", COSIGNERS, {ORIGIN: [make_signer().vkey]})
        answer = keeper.add_checkpoint(format_request(0, [], log.note), AT_US)
        body = bytes(log.note) + answer.body
    checkpoint = TilesReader(LocalBackend(tmp_path / "log/record")).get_checkpoint()
    cosigned = type(checkpoint).from_text(body.decode())
    keys = [signing.Vkey.from_string(str(signer.vkey)) for signer in (make_signer(), *COSIGNERS)]
    assert len(signing.VkeySet(*keys).verify(cosigned.signatures, cosigned)) == 3


def test_we_audit_what_it_writes(tmp_path: Path) -> None:
    """Its plain Ed25519 log of lines that are no envelopes; and the signature that it made with the same key."""
    signer = make_signer("theirs.example/log", number=8)
    writer = TilesWriter.create(tmp_path / "log", signer.name)
    for size in (3, 300):
        while writer.size + len(writer.pending) < size:
            writer.add_leaf(b"line %d" % len(writer.pending))
        writer.commit([signing.PlainEd25519Signer(signer.name, signer.seed)])
    (tmp_path / "log" / LOG_VKEY).write_text(f"{signer.vkey}\n")
    found = verify_folder(tmp_path / "log")
    assert (found.size, found.kinds) == (300, {"other": 300})
    text = found.note.text
    assert bytes(SignedNote(text=text, signatures=(signer.sign(text),))) == (tmp_path / "log" / CHECKPOINT).read_bytes()
    reader = TileReader(FolderSource(tmp_path / "log").read, 300)
    theirs = TilesReader(LocalBackend(tmp_path / "log"))
    theirs.set_size(300)
    for index in (0, 299):
        proof = theirs.get_inclusion_proof(index, 300).node_hashes
        verify_inclusion(index=index, size=300, leaf=leaf_hash(reader.entry(index)), proof=proof, root=found.root)
    proof = theirs.get_consistency_proof(3, 300).node_hashes
    verify_consistency(old_size=3, new_size=300, old_root=reader.subtree_root(0, 3), new_root=found.root, proof=proof)
    assert verify(FolderSource(tmp_path / "log")).root == theirs.calculate_root_hash()
