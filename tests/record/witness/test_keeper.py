"""The witness's memory: durable before it answers, never started afresh by damage, never contradicting itself."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.record.conftest import AT_US, ORIGIN, make_entries, make_signer, write_log

from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.checkpoint import Checkpoint
from tocsin.record.c2sp.cosign import open_note, verify_signature
from tocsin.record.c2sp.note import SignatureType, SignedNote, parse_note, parse_signature
from tocsin.record.files import replace_file
from tocsin.record.log import Log
from tocsin.record.verifier.evidence import check_evidence, parse_evidence
from tocsin.record.witness import keeper as keeper_module
from tocsin.record.witness.keeper import WitnessKeeper
from tocsin.record.witness.protocol import format_request

ED = make_signer("un.example/witness", SignatureType.COSIGNATURE_ED25519, 5)
PQ = make_signer("un.example/witness", SignatureType.COSIGNATURE_MLDSA44, 6)
LOGS = {ORIGIN: [make_signer().vkey]}
PLACE = hashlib.sha256(ORIGIN.encode()).hexdigest()


def ask(keeper: WitnessKeeper, log: Log, old_size: int, at_us: int = AT_US) -> int:
    proof = log.consistency_proof(old_size) if old_size else []
    return keeper.add_checkpoint(format_request(old_size, proof, log.note), at_us).status


def signed(size: int, root: bytes) -> SignedNote:
    text = str(Checkpoint(origin=ORIGIN, size=size, root=root))
    return SignedNote(text=text, signatures=(make_signer().sign(text),))


def test_memory_outlives_the_process_and_a_lost_answer(tmp_path: Path) -> None:
    with write_log(tmp_path / "log", 3) as log:
        keeper = WitnessKeeper(tmp_path / "w", [ED], LOGS)
        assert ask(keeper, log, 0) == 200  # imagine the answer lost
        keeper.close()
        log.append(make_entries(2))
        log.publish()
        again = WitnessKeeper(tmp_path / "w", [ED], LOGS)
        assert again.size(ORIGIN) == 3
        assert ask(again, log, 0) == 409
        assert ask(again, log, 3) == 200
        assert ask(again, log, 5) == 200  # the same checkpoint once more


def test_nothing_is_answered_that_the_disk_did_not_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Persist before responding: with the order swapped, a crash would leave a cosignature the witness forgot."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with write_log(tmp_path / "log", 3) as log:
        keeper = WitnessKeeper(tmp_path / "w", [ED], LOGS)
        monkeypatch.setattr(keeper_module, "replace_file", full)
        with pytest.raises(RecordError, match="could not be made durable"):
            ask(keeper, log, 0)
        assert keeper.size(ORIGIN) == 0


@pytest.mark.parametrize("at", [0, 40, -40, -2])
def test_a_damaged_memory_is_no_fresh_start(tmp_path: Path, at: int) -> None:
    with write_log(tmp_path / "log", 3) as log:
        keeper = WitnessKeeper(tmp_path / "w", [ED], LOGS)
        assert ask(keeper, log, 0) == 200
        path = tmp_path / "w" / PLACE / "checkpoint"
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(bytes(data))
        with pytest.raises(RecordError, match="memory is damaged"):
            ask(keeper, log, 0)


@pytest.mark.parametrize("time_s", [0, 2**63])
def test_a_cosignature_at_no_time_is_refused(time_s: int) -> None:
    """Time 0 makes no statement of being the newest (C2SP tlog-cosignature), so it cannot stand for a witness here."""
    note = signed(3, bytes(32))
    line = ED.sign(note.text, time_s=time_s)
    with pytest.raises(VerificationError, match="at time"):
        verify_signature(ED.vkey, note.text, line.signature)


def test_both_kinds_of_cosignature_verify(tmp_path: Path) -> None:
    with write_log(tmp_path / "log", 3) as log:
        keeper = WitnessKeeper(tmp_path / "w", [ED, PQ], LOGS)
        answer = keeper.add_checkpoint(format_request(0, [], log.note), AT_US)
        lines = [parse_signature(line) for line in answer.body.decode().splitlines()]
        assert [len(line.signature) for line in lines] == [8 + 64, 8 + 2_420]
        for line, signer in zip(lines, (ED, PQ), strict=True):
            assert verify_signature(signer.vkey, log.note.text, line.signature) == AT_US // 1_000_000
        served = keeper.checkpoint(PLACE)
        opened = open_note(parse_note(served or b""), [make_signer().vkey, ED.vkey, PQ.vkey])
        assert len(opened.verified) == 3
        assert keeper.checkpoint("0" * 64) is None


def test_a_clock_that_steps_back_does_not_make_the_witness_contradict_itself(tmp_path: Path) -> None:
    """A cosignature says: newest seen at T. A larger tree at an earlier T would make the first a lie."""
    with write_log(tmp_path / "log", 3) as log:
        keeper = WitnessKeeper(tmp_path / "w", [ED], LOGS)
        ask(keeper, log, 0, AT_US)
        log.append(make_entries(1))
        log.publish()
        answer = keeper.add_checkpoint(format_request(3, log.consistency_proof(3), log.note), AT_US - 3_600_000_000)
        line = parse_signature(answer.body.decode().removesuffix("\n"))
        assert verify_signature(ED.vkey, log.note.text, line.signature) == AT_US // 1_000_000


def test_two_trees_of_one_size_leave_evidence(tmp_path: Path) -> None:
    with write_log(tmp_path / "log", 3) as log:
        keeper = WitnessKeeper(tmp_path / "w", [ED], LOGS)
        ask(keeper, log, 0)
        assert keeper.add_checkpoint(format_request(3, [], signed(3, bytes(32))), AT_US).status == 422
        (path,) = (tmp_path / "w" / PLACE / "refused").glob("*.evidence")
        check_evidence(parse_evidence(path.read_bytes()))


def test_racing_requests_never_roll_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race that C2SP tlog-witness spells out: check and store must be one step."""

    def slow(*arguments: Any) -> None:
        time.sleep(0.01)  # the moment in which another request could pass its check
        replace_file(*arguments)

    monkeypatch.setattr(keeper_module, "replace_file", slow)
    sizes = [2, 3, 4, 5, 6, 7, 8]
    requests = []
    with write_log(tmp_path / "log", 1) as log:
        keeper = WitnessKeeper(tmp_path / "w", [ED], LOGS)
        ask(keeper, log, 0)
        for size in sizes:
            log.append(make_entries(1, size))
            log.publish()
            requests.append(format_request(1, log.consistency_proof(1), log.note))
    statuses: list[int] = []
    threads = [
        Thread(target=lambda r=request: statuses.append(keeper.add_checkpoint(r, AT_US).status)) for request in requests
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [409] * (len(threads) - 1)
    assert keeper.size(ORIGIN) in sizes


def test_a_second_process_and_a_log_key_are_refused(tmp_path: Path) -> None:
    keeper = WitnessKeeper(tmp_path, [ED], LOGS)
    with pytest.raises(RecordError, match="another process"):
        WitnessKeeper(tmp_path, [ED], LOGS)
    keeper.close()
    with pytest.raises(RecordError, match="cosigner keys"):
        WitnessKeeper(tmp_path, [make_signer()], LOGS)
