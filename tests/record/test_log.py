"""Appending and publishing: what is durable, what is signed, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.record.conftest import AT_US, make_entries, make_signer, write_log

from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.cosign import Signer
from tocsin.record.c2sp.merkle import leaf_hash, verify_consistency, verify_inclusion
from tocsin.record.c2sp.note import SignatureType, SignedNote
from tocsin.record.c2sp.policy import Witness, format_policy, parse_policy
from tocsin.record.c2sp.proof import TlogProof, parse_proof, verify_proof
from tocsin.record.leaf import Entry, EntryKind, new_salt, seal
from tocsin.record.log import Log
from tocsin.record.verifier.verify import verify_folder


def test_append_gives_indices_that_survive_a_crash_before_publishing(tmp_path: Path) -> None:
    log = write_log(tmp_path, 3)
    assert log.append(make_entries(4, 3)) == range(3, 7)
    log.close()  # no publication: what a kill leaves
    with Log.open(tmp_path, make_signer()) as again:
        assert (again.size, again.published.size, again.torn) == (7, 3, None)
        assert again.publish().size == 7
    assert verify_folder(tmp_path).size == 7


def test_publish_without_new_entries_signs_nothing(kept: Path) -> None:
    with Log.open(kept, make_signer()) as log:
        before = (kept / "record/checkpoint").read_bytes()
        log.publish()
    assert (kept / "record/checkpoint").read_bytes() == before


def test_proofs_of_every_entry_and_earlier_tree_verify(tmp_path: Path) -> None:
    with write_log(tmp_path, 5, 260, 600) as log:
        reader = log.reader()
        for index in (0, 4, 5, 255, 256, 511, 512, 599):
            proof = log.inclusion_proof(index)
            leaf = leaf_hash(reader.entry(index))
            verify_inclusion(index=index, size=600, leaf=leaf, proof=proof, root=log.published.root)
        for old in (1, 5, 256, 260, 512, 600):
            verify_consistency(
                old_size=old,
                new_size=600,
                old_root=reader.subtree_root(0, old) if old in {1, 256, 512} else type(reader)(log.read, old).root(),
                new_root=log.published.root,
                proof=log.consistency_proof(old),
            )


def cosigned_only(proof: TlogProof, cosigner: Signer) -> TlogProof:
    text = proof.note.text
    return replace(proof, note=SignedNote(text=text, signatures=(cosigner.sign(text, time_s=1),)))


def test_a_proof_travels_without_the_log(tmp_path: Path) -> None:
    """With the entry and the log's key alone; with any other entry, key or quorum it proves nothing."""
    with write_log(tmp_path, 5, 300) as log:
        proof, entry = parse_proof(bytes(log.proof(7))), log.reader().entry(7)
        other = log.reader().entry(8)
    assert verify_proof(proof, entry, log=[make_signer().vkey]).size == 300
    cosigner_key = make_signer("un.example", SignatureType.COSIGNATURE_ED25519, 5)
    policy = parse_policy(format_policy(make_signer().vkey, [Witness(name="un", vkey=cosigner_key.vkey)], 1))
    lent = cosigned_only(proof, cosigner_key)
    with pytest.raises(VerificationError, match="did not sign"):
        verify_proof(lent, entry, log=[make_signer().vkey], policy=policy)
    for bad in (
        {"entry": other, "log": [make_signer().vkey]},
        {"entry": entry, "log": [make_signer(number=2).vkey]},
        {"entry": entry, "log": [make_signer().vkey], "policy": policy},
    ):
        with pytest.raises(VerificationError):
            verify_proof(proof, **bad)


def test_a_damaged_journal_stops_the_signature(tmp_path: Path) -> None:
    """The Yeti fault: what was signed must be what the disk holds, not what memory held."""
    with write_log(tmp_path, 3) as log:
        log.append(make_entries(2, 3))
        path = tmp_path / "payload/000"
        path.write_bytes(path.read_bytes().replace(b'"kind":"event","v":1', b'"kind":"evemt","v":1'))
        before = (tmp_path / "record/checkpoint").read_bytes()
        with pytest.raises(VerificationError):
            log.publish()
        with pytest.raises(RecordError, match="open it again"):
            log.append(make_entries(1, 5))
    assert (tmp_path / "record/checkpoint").read_bytes() == before


def test_a_damaged_tile_stops_the_signature(tmp_path: Path) -> None:
    with write_log(tmp_path, 3) as log:
        log.append(make_entries(1, 3))
        (tmp_path / "record/tile/0/000.p/3").write_bytes(b"\x00" * 96)
        with pytest.raises(VerificationError):
            log.publish()


def test_a_second_process_is_refused_and_the_lock_dies_with_the_first(kept: Path) -> None:
    first = Log.open(kept, make_signer())
    with pytest.raises(RecordError, match="another process"):
        Log.open(kept, make_signer())
    first.close()
    Log.open(kept, make_signer()).close()


def test_open_with_another_key_is_refused(kept: Path) -> None:
    with pytest.raises(VerificationError, match="no signature by"):
        Log.open(kept, make_signer(number=2))


def test_create_over_a_record_is_refused(kept: Path) -> None:
    with pytest.raises(RecordError, match="already"):
        Log.create(kept, key=make_signer())


@pytest.mark.parametrize("byte_count", [65_535, 65_536, 10_000_000])
def test_a_large_payload_is_kept_whole(tmp_path: Path, byte_count: int) -> None:
    text = "x" * (byte_count - 2)
    large = Entry(kind=EntryKind.CLAIM, at_us=AT_US, audience=frozenset({"un"}), payload=text)
    with write_log(tmp_path, 1) as log:
        log.append([large, large, *make_entries(1)])
        log.publish()
    found = verify_folder(tmp_path)
    assert len(found.payload_indices or ()) == 4
    detached = list((tmp_path / "payload/detached").iterdir())
    assert [f.stat().st_size for f in detached] == ([] if byte_count <= 65_535 else [byte_count])
    for file in detached:
        file.write_bytes(file.read_bytes()[:-1] + b"y")
        with pytest.raises(VerificationError, match="does not open"):
            verify_folder(tmp_path)


def test_append_sealed_twice_after_a_crash_doubles_nothing(tmp_path: Path) -> None:
    """A station that wrote its database but does not know whether the log took the entries asks by size."""
    sealed = [seal(entry, new_salt()) for entry in make_entries(2)]
    with write_log(tmp_path, 3) as log:
        log.append_sealed(sealed, at_size=3)
        with pytest.raises(RecordError, match="expected 3"):
            log.append_sealed(sealed, at_size=3)
        assert log.size == 5


def test_a_torn_append_is_cut_and_kept_aside(tmp_path: Path) -> None:
    write_log(tmp_path, 3).close()
    path = tmp_path / "payload/000"
    whole = path.read_bytes()
    path.write_bytes(whole + b"3\tabcd")
    with Log.open(tmp_path, make_signer()) as log:
        assert log.size == 3 and log.torn is not None
        assert log.torn.path.read_bytes() == b"3\tabcd"
        assert path.read_bytes() == whole
        log.append(make_entries(1, 3))
        log.publish()
    assert verify_folder(tmp_path).size == 4


def test_a_damaged_published_entry_keeps_the_log_shut(kept: Path) -> None:
    path = kept / "payload/000"
    path.write_bytes(path.read_bytes().replace(b"tanf", b"tanc", 1))
    with pytest.raises(RecordError, match="entry 0 was published and is damaged"):
        Log.open(kept, make_signer())


def test_is_due_after_a_second_or_256_entries(tmp_path: Path) -> None:
    with write_log(tmp_path, 1) as log:
        assert not log.is_due(AT_US)
        log.append(make_entries(1))
        assert not log.is_due(AT_US)
        assert log.is_due(AT_US + 1_000_000)
        log.publish()
        assert not log.is_due(AT_US + 2_000_000)
        log.append(make_entries(256))
        assert log.is_due(AT_US + 2_000_000)


def test_keys_and_payloads_are_the_owners_alone(kept: Path) -> None:
    assert os.stat(kept / "payload/000").st_mode & 0o077 == 0
