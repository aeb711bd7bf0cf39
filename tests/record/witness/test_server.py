"""The witness over HTTP, asked by our client and by raw bytes; and what the log does with the answers."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from tests.record.conftest import AT_US, ORIGIN, make_entries, make_signer, write_log

from tocsin.errors import RecordError
from tocsin.record.c2sp.checkpoint import Checkpoint
from tocsin.record.c2sp.note import SignatureType, SignedNote
from tocsin.record.c2sp.policy import Policy, Witness, format_policy, parse_policy
from tocsin.record.leaf import Entry, EntryKind
from tocsin.record.log import Log
from tocsin.record.verifier.verify import verify_folder
from tocsin.record.witness.client import Outcome, ask_witnesses, require_not_behind
from tocsin.record.witness.keeper import WitnessKeeper
from tocsin.record.witness.protocol import MAX_REQUEST_BYTES, format_request
from tocsin.record.witness.server import WitnessServer

NAMES = ("coalition", "syria", "un")


@contextmanager
def serving(folder: Path, number: int) -> Iterator[WitnessServer]:
    signer = make_signer(f"w{number}.example", SignatureType.COSIGNATURE_ED25519, 20 + number)
    keeper = WitnessKeeper(folder / f"witness{number}", [signer], {ORIGIN: [make_signer().vkey]})
    with WitnessServer(keeper, clock=lambda: AT_US) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()
    keeper.close()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[WitnessServer]]:
    with serving(tmp_path, 0) as a, serving(tmp_path, 1) as b, serving(tmp_path, 2) as c:
        yield [a, b, c]


def policy_of(servers: list[WitnessServer], needed: int = 2) -> tuple[str, Policy]:
    witnesses = [
        Witness(name=name, vkey=server.keeper.vkeys[0], url=f"http://127.0.0.1:{server.server_address[1]}")
        for name, server in zip(NAMES, servers, strict=True)
    ]
    text = format_policy(make_signer().vkey, witnesses, needed)
    return text, parse_policy(text)


def record_policy(log: Log, text: str) -> None:
    log.append([Entry(kind=EntryKind.WITNESSES, at_us=AT_US, audience=frozenset("*"), payload={"policy": text})])
    log.publish()


def outcomes(log: Log, policy: Policy, timeout_s: float = 5.0) -> list[Outcome]:
    replies = ask_witnesses(policy, log.note, log.consistency_proof, timeout_s=timeout_s)
    log.add_cosignatures(log.note, [line for reply in replies for line in reply.lines], policy)
    return [reply.outcome for reply in replies]


def test_a_quorum_of_parties_cosigns_and_the_audit_shows_it(tmp_path: Path, servers: list[WitnessServer]) -> None:
    text, policy = policy_of(servers)
    with write_log(tmp_path / "log", 3) as log:
        record_policy(log, text)
        assert outcomes(log, policy) == [Outcome.COSIGNED] * 3
        found = verify_folder(tmp_path / "log").witnessing
        assert found is not None and found.size == 4
        assert found.times_s == dict.fromkeys(NAMES, AT_US // 1_000_000)
        servers[0].shutdown()
        servers[0].server_close()
        log.append(make_entries(2))
        log.publish()
        assert outcomes(log, policy) == [Outcome.UNREACHABLE, Outcome.COSIGNED, Outcome.COSIGNED]
        assert getattr(verify_folder(tmp_path / "log").witnessing, "size", 0) == 6
        servers[1].shutdown()
        servers[1].server_close()
        log.append(make_entries(2))
        log.publish()
        outcomes(log, policy)
        found = verify_folder(tmp_path / "log").witnessing
        assert found is not None and found.size == 6  # unwitnessed since then, and said so; nothing waited for it


def test_a_new_policy_does_not_undo_what_was_witnessed_under_the_old(
    tmp_path: Path, servers: list[WitnessServer]
) -> None:
    """The agreement's parties change; the newest witnessed tree is still judged by the policy of its day."""
    text, policy = policy_of(servers)
    with write_log(tmp_path / "log", 3) as log:
        record_policy(log, text)
        outcomes(log, policy)
        other = make_signer("new.example", SignatureType.COSIGNATURE_ED25519, 90)
        record_policy(log, format_policy(make_signer().vkey, [Witness(name="new", vkey=other.vkey)], 1))
        found = verify_folder(tmp_path / "log").witnessing
        assert found is not None and (found.size, found.policy.words) == (4, "1 of new")
        with pytest.raises(RecordError, match="names witnesses without a policy"):
            log.append([Entry(kind=EntryKind.WITNESSES, at_us=AT_US, audience=frozenset("*"), payload={})])


def test_a_witnessed_file_that_is_none_is_refused(tmp_path: Path, servers: list[WitnessServer]) -> None:
    """Without its quorum; and of another tree, with a quorum that colludes."""
    text, policy = policy_of(servers)
    with write_log(tmp_path / "log", 3) as log:
        record_policy(log, text)
        outcomes(log, policy)
        note = log.note
    path = tmp_path / "log/record/witnessed"
    path.write_bytes(bytes(SignedNote(text=note.text, signatures=note.signatures[:2])))
    with pytest.raises(RecordError, match="cosignatures that the policy"):
        verify_folder(tmp_path / "log")
    forged = str(Checkpoint(origin=ORIGIN, size=4, root=bytes(32)))
    cosigners = [make_signer(f"w{n}.example", SignatureType.COSIGNATURE_ED25519, 20 + n) for n in range(3)]
    lines = [make_signer().sign(forged), *(signer.sign(forged, time_s=1) for signer in cosigners)]
    path.write_bytes(bytes(SignedNote(text=forged, signatures=tuple(lines))))
    with pytest.raises(RecordError, match="not of this tree"):
        verify_folder(tmp_path / "log")


def test_a_late_cosignature_does_not_take_back_what_was_witnessed(tmp_path: Path, servers: list[WitnessServer]) -> None:
    text, policy = policy_of(servers)
    cosigners = [make_signer(f"w{n}.example", SignatureType.COSIGNATURE_ED25519, 20 + n) for n in range(3)]
    with write_log(tmp_path / "log", 3) as log:
        record_policy(log, text)
        early = log.note
        log.append(make_entries(1))
        log.publish()
        for note in (log.note, early):
            assert log.add_cosignatures(note, [signer.sign(note.text, time_s=1) for signer in cosigners], policy)
    assert getattr(verify_folder(tmp_path / "log").witnessing, "size", 0) == 5
    assert b"\n5\n" in (tmp_path / "log/record/witnessed").read_bytes()


def test_t1_every_changed_byte_of_a_witnessed_record_is_found(tmp_path: Path, servers: list[WitnessServer]) -> None:
    text, policy = policy_of(servers)
    with write_log(tmp_path / "log", 1) as log:
        record_policy(log, text)
        outcomes(log, policy)
        log.append(make_entries(1))
        log.publish()
    for name in ("checkpoint", "witnessed"):
        path = tmp_path / "log/record" / name
        good = path.read_bytes()
        for at in range(len(good)):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            with pytest.raises(RecordError):
                verify_folder(tmp_path / "log/record")
        path.write_bytes(good)


def test_a_log_restored_from_yesterday_is_told_so(tmp_path: Path, servers: list[WitnessServer]) -> None:
    """An old copy of the folder must not go on as if nothing had happened since."""
    text, policy = policy_of(servers)
    with write_log(tmp_path / "log", 3) as log:
        record_policy(log, text)
    shutil.copytree(tmp_path / "log", tmp_path / "yesterday")
    with Log.open(tmp_path / "log", make_signer()) as log:
        log.append(make_entries(3))
        log.publish()
        outcomes(log, policy)
    with Log.open(tmp_path / "yesterday", make_signer()) as log:
        replies = ask_witnesses(policy, log.note, log.consistency_proof)
        assert [reply.outcome for reply in replies] == [Outcome.AHEAD] * 3
        with pytest.raises(RecordError, match="a person must decide"):
            require_not_behind(replies)
        log.append(make_entries(5))  # whoever goes on regardless
        log.publish()
        replies = ask_witnesses(policy, log.note, log.consistency_proof)
        assert [reply.outcome for reply in replies] == [Outcome.CONTRADICTS] * 3


def test_a_witness_whose_memory_was_restored_is_named_and_loses_nothing(
    tmp_path: Path, servers: list[WitnessServer]
) -> None:
    """It says an old size, gets a proof from there, and the log knows that it forgot."""
    _, policy = policy_of(servers)
    with write_log(tmp_path / "log", 3) as log:
        outcomes(log, policy)
        place = tmp_path / "witness0" / hashlib.sha256(ORIGIN.encode()).hexdigest()
        shutil.copytree(place, tmp_path / "backup")
        for size in (5, 6):
            log.append(make_entries(size - log.size))
            log.publish()
            outcomes(log, policy)
        shutil.rmtree(place)
        shutil.copytree(tmp_path / "backup", place)
        replies = ask_witnesses(policy, log.note, log.consistency_proof, known_sizes=dict.fromkeys(NAMES, 6))
        assert [reply.went_back_from for reply in replies] == [6, None, None]
        assert [reply.outcome for reply in replies] == [Outcome.COSIGNED] * 3


def test_a_silent_witness_holds_nobody_up(tmp_path: Path, servers: list[WitnessServer]) -> None:
    """One that accepts and never answers costs the stated time and no more: without a limit this would never end."""
    text, _ = policy_of(servers)
    with socket.create_server(("127.0.0.1", 0)) as silent, write_log(tmp_path / "log", 3) as log:
        other = text.replace(f":{servers[0].server_address[1]}", f":{silent.getsockname()[1]}")
        assert outcomes(log, parse_policy(other), timeout_s=0.3) == [
            Outcome.UNREACHABLE,
            Outcome.COSIGNED,
            Outcome.COSIGNED,
        ]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n", 411),
        ("POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: -1\r\n\r\n", 411),
        ("POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (f"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {MAX_REQUEST_BYTES + 1}\r\n\r\n", 413),
        ("POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 4\r\n\r\nold ", 400),
        ("POST /elsewhere HTTP/1.1\r\nHost: w\r\nContent-Length: 0\r\n\r\n", 404),
        (f"GET /{'0' * 64}/checkpoint HTTP/1.1\r\nHost: w\r\n\r\n", 404),
        ("GET /../lock HTTP/1.1\r\nHost: w\r\n\r\n", 404),
        ("DELETE /add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n", 501),
    ],
)
def test_requests_that_are_none(tmp_path: Path, head: str, status: int) -> None:
    with (
        serving(tmp_path, 0) as server,
        socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=5) as client,
    ):
        client.sendall(head.encode())
        assert client.recv(12).split()[1] == str(status).encode()


def test_one_connection_serves_several_requests_and_the_checkpoint(tmp_path: Path) -> None:
    with serving(tmp_path, 0) as server, write_log(tmp_path / "log", 3) as log:
        client = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
        for _ in range(2):
            client.request("POST", "/add-checkpoint", body=format_request(0, [], log.note))
            answer = client.getresponse()
            answer.read()
        assert (answer.status, answer.getheader("Content-Type")) == (409, "text/x.tlog.size")
        client.request("GET", f"/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint")
        assert client.getresponse().read().startswith(log.note.text.encode())
        client.close()
