"""What three attackers can do and who notices: T1 has the storage, T2 the log's key too, T3 some witnesses as well."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.record.conftest import AT_US, ORIGIN, make_entries, make_signer, write_log
from tests.record.test_standalone import run_alone

from tocsin.errors import ForkError, RollbackError, SplitViewError, VerificationError
from tocsin.record.c2sp.checkpoint import Checkpoint
from tocsin.record.c2sp.cosign import Signer
from tocsin.record.c2sp.note import SignatureType, SignedNote, parse_note
from tocsin.record.c2sp.policy import Witness, format_policy, parse_policy
from tocsin.record.c2sp.tiles import TileReader
from tocsin.record.growth import grow as grow_tree
from tocsin.record.leaf import Entry, EntryKind
from tocsin.record.log import Log
from tocsin.record.verifier.command import BAD, FORK, GOOD, USAGE, verify_command
from tocsin.record.verifier.evidence import (
    MAX_EVIDENCE_BYTES,
    Evidence,
    check_evidence,
    gather_evidence,
    parse_evidence,
)
from tocsin.record.verifier.memory import load_memory
from tocsin.record.verifier.source import FolderSource
from tocsin.record.verifier.standalone import write_standalone
from tocsin.record.verifier.verify import verify, verify_folder
from tocsin.record.witness.keeper import WitnessKeeper
from tocsin.record.witness.protocol import format_request


def seen(folder: Path, state: Path) -> int:
    return verify_command(str(folder), state=state)


def grow(folder: Path, count: int) -> None:
    with Log.open(folder, make_signer()) as log:
        log.append(make_entries(count, log.size))
        log.publish()


def test_memory_goes_on_with_a_log_that_only_grows(kept: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    for _ in range(3):
        assert seen(kept, state) == GOOD
        grow(kept, 5)
    assert load_memory(state)[ORIGIN].checkpoint.size == 17


def test_t1_old_checkpoint_put_back(kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a memory it is a rollback; without one nobody can know, and the verifier says so."""
    shutil.copytree(kept, tmp_path / "old")
    grow(kept, 5)
    state = tmp_path / "state"
    assert seen(kept, state) == GOOD
    assert seen(tmp_path / "old", state) == FORK
    assert "rollback" in capsys.readouterr().err
    assert verify_command(str(tmp_path / "old")) == GOOD
    assert "only --state can tell" in capsys.readouterr().out
    with pytest.raises(RollbackError):
        verify_folder(tmp_path / "old", remembered=load_memory(state)[ORIGIN])
    assert load_memory(state)[ORIGIN].checkpoint.size == 12  # what it was shown last did not overwrite what it knows


@pytest.mark.parametrize("sizes", [(7,), (8,), (300,)])
def test_t2_past_rewritten_and_signed_again(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    """Everybody who remembers the old root holds evidence that convicts the key, under 10 kB."""
    write_log(tmp_path / "true", 7).close()
    write_log(tmp_path / "rewritten", *sizes).close()
    state = tmp_path / "state"
    assert seen(tmp_path / "true", state) == GOOD
    assert seen(tmp_path / "rewritten", state) == FORK
    evidence = tmp_path / "state.fork"
    assert evidence.stat().st_size < MAX_EVIDENCE_BYTES
    old, new = check_evidence(parse_evidence(evidence.read_bytes()))
    assert (old.size, new.size) == (7, *sizes)
    write_standalone(tmp_path / "verify.py")
    proven = run_alone(tmp_path / "verify.py", evidence)
    assert proven.returncode == FORK
    assert "PROVEN" in proven.stderr
    assert seen(tmp_path / "true", state) == GOOD


def test_t2_split_view_is_found_when_two_parties_compare(tmp_path: Path) -> None:
    """Two parties, two trees, one key; each was content until it verified what the other was shown."""
    for party in "ab":
        write_log(tmp_path / party, 4).close()
        with Log.open(tmp_path / party, make_signer()) as log:
            log.append(make_entries(ord(party) - 90))
            log.publish()
        assert seen(tmp_path / party, tmp_path / f"state-{party}") == GOOD
    assert seen(tmp_path / "b", tmp_path / "state-a") == FORK
    assert seen(tmp_path / "a", tmp_path / "state-b") == FORK


def test_t2_before_a_witness(tmp_path: Path) -> None:
    """A witness that cosigned the truth cosigns no other history, whatever proof comes with it."""
    with write_log(tmp_path / "true", 7) as log:
        cosigner = make_signer("un.example/w", SignatureType.COSIGNATURE_ED25519, 5)
        witness = WitnessKeeper(tmp_path / "w", [cosigner], {ORIGIN: [make_signer().vkey]})
        assert witness.add_checkpoint(format_request(0, [], log.note), AT_US).status == 200
    with write_log(tmp_path / "rewritten", 9) as log:
        for proof in ([], log.consistency_proof(7)):
            assert witness.add_checkpoint(format_request(7, proof, log.note), AT_US).status == 422
        assert witness.add_checkpoint(format_request(0, [], log.note), AT_US).status == 409


@pytest.mark.parametrize(("colluding", "is_met"), [(0, False), (1, False), (2, True)])
def test_t3_needs_as_many_witnesses_as_the_quorum(tmp_path: Path, colluding: int, is_met: bool) -> None:
    """n = 3, k = 2: one bad witness cannot lend a rewritten history its quorum; two can, and each is convicted."""
    cosigners = [make_signer(f"w{i}.example", SignatureType.COSIGNATURE_ED25519, 30 + i) for i in range(3)]
    witnesses = [Witness(name=f"w{i}", vkey=signer.vkey) for i, signer in enumerate(cosigners)]
    text = format_policy(make_signer().vkey, witnesses, 2)
    policy = parse_policy(text)
    for name, signers in (("true", cosigners), ("rewritten", cosigners[:colluding])):
        with write_log(tmp_path / name, 2) as log:
            entry = Entry(kind=EntryKind.WITNESSES, at_us=AT_US, audience=frozenset("*"), payload={"policy": text})
            log.append([entry])
            log.publish()
            lines = [signer.sign(log.note.text, time_s=AT_US // 1_000_000) for signer in signers]
            assert log.add_cosignatures(log.note, lines, policy) is (is_met if name == "rewritten" else True)
    found = verify_folder(tmp_path / "rewritten").witnessing
    assert found is not None and found.size == (3 if is_met else 0)
    with pytest.raises(ForkError) as caught:
        verify_folder(tmp_path / "rewritten", remembered=verify_folder(tmp_path / "true").remembered)
    convicted = [make_signer().vkey, *(signer.vkey for signer in cosigners[:colluding])]
    assert [evidence.vkey for evidence in caught.value.evidence] == convicted


def test_evidence_that_proves_nothing_is_refused(kept: Path, tmp_path: Path) -> None:
    """Whoever can make "evidence" against an honest log could destroy trust in it at will."""
    old = parse_note((kept / "record/checkpoint").read_bytes())
    grow(kept, 5)
    new = parse_note((kept / "record/checkpoint").read_bytes())
    reader = TileReader(FolderSource(kept / "record").read, 12)
    for pair in ((old, new), (new, old), (old, old)):
        with pytest.raises(VerificationError):
            gather_evidence(make_signer().vkey, *pair, reader)


def test_evidence_from_two_logs_is_refused(tmp_path: Path) -> None:
    """One key may sign for two origins; two trees of two logs contradict nothing."""
    signer = make_signer()
    notes = []
    for origin, root in ((ORIGIN, bytes(32)), ("log.example/other", b"\x01" * 32)):
        text = str(Checkpoint(origin=origin, size=3, root=root))
        notes.append(SignedNote(text=text, signatures=(signer.sign(text),)))
    evidence = Evidence(vkey=signer.vkey, older=notes[0], newer=notes[1], proof=(), contained=b"\x01" * 32)
    with pytest.raises(VerificationError, match="origins"):
        check_evidence(evidence)


def test_a_checkpoint_of_another_origin_is_not_this_logs(kept: Path) -> None:
    text = parse_note((kept / "record/checkpoint").read_bytes()).text.replace(ORIGIN, "log.example/other")
    note = SignedNote(text=text, signatures=(make_signer().sign(text),))
    (kept / "record/checkpoint").write_bytes(bytes(note))
    with pytest.raises(VerificationError, match="origin of the checkpoint"):
        verify_folder(kept)


def test_every_changed_byte_of_evidence_is_refused_or_proves_the_same(tmp_path: Path) -> None:
    write_log(tmp_path / "true", 7).close()
    write_log(tmp_path / "rewritten", 12).close()
    seen(tmp_path / "true", tmp_path / "state")
    seen(tmp_path / "rewritten", tmp_path / "state")
    good = (tmp_path / "state.fork").read_bytes()
    for at in range(len(good)):
        for flip in (1, 0x80):
            with pytest.raises(VerificationError):
                check_evidence(parse_evidence(good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :]))


def test_another_key_is_not_the_remembered_one(kept: Path, tmp_path: Path) -> None:
    assert seen(kept, tmp_path / "state") == GOOD
    log = Log.create(tmp_path / "other", key=make_signer(number=2))
    log.append(make_entries(9))
    log.publish()
    log.close()
    assert seen(tmp_path / "other", tmp_path / "state") == BAD


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b'{"format":"tocsin-memory/1","logs":{"x":{}}}', b"\xff"])
def test_a_damaged_memory_is_no_fresh_start(kept: Path, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "state").write_bytes(damage)
    assert seen(kept, tmp_path / "state") == USAGE
    assert (tmp_path / "state").read_bytes() == damage


def test_a_memory_that_was_edited_is_refused(kept: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    seen(kept, state)
    state.write_bytes(state.read_bytes().replace(b"\\n7\\n", b"\\n6\\n"))
    assert seen(kept, state) == USAGE


def test_fork_error_carries_its_evidence(tmp_path: Path) -> None:
    write_log(tmp_path / "true", 7).close()
    write_log(tmp_path / "rewritten", 9).close()
    with pytest.raises(ForkError) as caught:
        verify_folder(tmp_path / "rewritten", remembered=verify_folder(tmp_path / "true").remembered)
    assert isinstance(caught.value, SplitViewError)
    assert [e.vkey for e in caught.value.evidence] == [make_signer().vkey]


def rewrite(source: Path, into: Path, entries: list[bytes], signers: Sequence[Signer]) -> None:
    """Write a record of these entries with every tile recomputed, signed with the log's key and by these witnesses."""
    files = grow_tree(lambda _: None, 0, entries)
    shutil.rmtree(into, ignore_errors=True)
    for path, data in files.items():
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        (into / path).write_bytes(data)
    root = TileReader(FolderSource(into).read, len(entries)).root()
    text = str(Checkpoint(origin=ORIGIN, size=len(entries), root=root))
    lines = [make_signer().sign(text), *(signer.sign(text, time_s=AT_US // 1_000_000) for signer in signers)]
    (into / "checkpoint").write_bytes(bytes(SignedNote(text=text, signatures=tuple(lines))))
    shutil.copy(source / "log.vkey", into / "log.vkey")


@pytest.mark.parametrize(
    ("attacker", "colluding", "stride"), [("T1", 0, 1), ("T2", 0, 3), ("T3", 1, 11), ("T3", 2, 11)]
)
def test_every_single_changed_byte_of_an_entry_by_attacker(
    tmp_path: Path, attacker: str, colluding: int, stride: int
) -> None:
    """T1 cannot sign: anybody refuses. T2 signs anew: whoever remembers convicts the key. T3: its witnesses, too."""
    cosigners = [make_signer(f"w{i}.example", SignatureType.COSIGNATURE_ED25519, 30 + i) for i in range(3)]
    witnesses = [Witness(name=f"w{i}", vkey=signer.vkey) for i, signer in enumerate(cosigners)]
    text = format_policy(make_signer().vkey, witnesses, 2)
    with write_log(tmp_path / "true", 2) as log:
        log.append([Entry(kind=EntryKind.WITNESSES, at_us=AT_US, audience=frozenset("*"), payload={"policy": text})])
        log.publish()
        lines = [signer.sign(log.note.text, time_s=AT_US // 1_000_000) for signer in cosigners]
        assert log.add_cosignatures(log.note, lines, parse_policy(text))
        entries = [log.reader().entry(index) for index in range(3)]
    true, forged = tmp_path / "true/record", tmp_path / "forged"
    remembered = verify(FolderSource(true)).remembered
    bundle = true / "tile/entries/000.p/3"
    for at in range(0, len(entries[0]), stride):
        changed = entries[0][:at] + bytes([entries[0][at] ^ 1]) + entries[0][at + 1 :]
        if attacker == "T1":
            good = bundle.read_bytes()
            bundle.write_bytes(good.replace(entries[0], changed))
            with pytest.raises(VerificationError, match="entry 0"):
                verify(FolderSource(true))
            bundle.write_bytes(good)
            continue
        rewrite(true, forged, [changed, *entries[1:]], cosigners[:colluding])
        newcomer = verify(FolderSource(forged)).witnessing
        assert newcomer is not None and newcomer.size == (3 if colluding >= 2 else 0)
        with pytest.raises(ForkError) as caught:
            verify(FolderSource(forged), remembered=remembered)
        convicted = [make_signer().vkey, *(signer.vkey for signer in cosigners[:colluding])]
        assert [evidence.vkey for evidence in caught.value.evidence] == convicted
