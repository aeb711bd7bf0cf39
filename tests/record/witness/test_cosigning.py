"""The keeper's side against real witnesses over HTTP: rounds, restarts, a witness gone, one that contradicts."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest
from tests.record.conftest import AT_US, ORIGIN, make_entries, make_signer, write_log

from tocsin.clock import US_PER_S
from tocsin.errors import RecordError
from tocsin.record.c2sp.note import SignatureType
from tocsin.record.c2sp.policy import Witness, format_policy, parse_policy
from tocsin.record.log import Log
from tocsin.record.verifier.verify import verify_folder
from tocsin.record.witness.client import Outcome, Reply
from tocsin.record.witness.cosigning import STATE, Cosigning
from tocsin.record.witness.keeper import WitnessKeeper
from tocsin.record.witness.naming import SEARCHED, name_witnesses, policy_in_force
from tocsin.record.witness.server import WitnessServer

COSIGNERS = [make_signer(f"w{i}.example", SignatureType.COSIGNATURE_ED25519, 40 + i) for i in range(3)]
Serve = Callable[[int, str], str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a witness with the memory in a folder of this name; return its URL."""
    with ExitStack() as stack:

        def start(number: int, memory: str) -> str:
            keeper = WitnessKeeper(tmp_path / memory, [COSIGNERS[number]], {ORIGIN: [make_signer().vkey]})
            server = stack.enter_context(WitnessServer(keeper, clock=lambda: AT_US))
            Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            stack.callback(keeper.close)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_address[1]}"

        yield start


def text_of(urls: list[str], needed: int = 2) -> str:
    witnesses = [Witness(name=f"w{i}", vkey=COSIGNERS[i].vkey, url=url) for i, url in enumerate(urls)]
    return format_policy(make_signer().vkey, witnesses, needed)


def settle(cosigning: Cosigning, now_us: int) -> list[Reply]:
    """Tick until nobody is being asked any more."""
    replies = cosigning.tick(now_us)
    while any(thread.is_alive() for threads in cosigning._threads.values() for thread in threads):
        for threads in cosigning._threads.values():
            for thread in threads:
                thread.join(20)
        replies += cosigning.tick(now_us)
    return replies + cosigning.tick(now_us)


def grow(log: Log, count: int = 3) -> None:
    log.append(make_entries(count, log.size))
    log.publish()


def nobody() -> str:
    """An address at which nobody answers."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}"


def test_every_publication_gets_its_quorum_and_the_record_says_so(tmp_path: Path, serve: Serve) -> None:
    with write_log(tmp_path / "log", 2) as log:
        policy = name_witnesses(log, text_of([serve(i, f"m{i}") for i in range(3)]), at_us=AT_US)
        cosigning = Cosigning(log, policy)
        for step in range(3):
            grow(log)
            assert not cosigning.status().is_witnessed
            replies = settle(cosigning, AT_US + step)
            assert sorted((r.witness, r.outcome) for r in replies) == [(f"w{i}", Outcome.COSIGNED) for i in range(3)]
            assert cosigning.status().is_witnessed and cosigning.status().since_us == AT_US
    found = verify_folder(tmp_path / "log")
    assert found.witnessing is not None and found.witnessing.size == found.size == 12
    assert set(found.witnessing.times_s) == {"w0", "w1", "w2"}


def test_with_two_of_three_gone_it_is_unwitnessed_since_then_and_whole_again_afterwards(
    tmp_path: Path, serve: Serve
) -> None:
    with write_log(tmp_path / "log", 2) as log:
        urls = [serve(0, "m0"), nobody(), nobody()]
        policy = name_witnesses(log, text_of(urls), at_us=AT_US)
        grow(log)
        cosigning = Cosigning(log, policy, timeout_s=1.0)
        settle(cosigning, AT_US)
        status = cosigning.status().as_json()
        assert (status["witnessed"], status["unwitnessed_since"]) == (0, "the log began")
        assert {n: w["outcome"] for n, w in status["witnesses"].items()} == {
            "w0": "cosigned",
            "w1": "unreachable",
            "w2": "unreachable",
        }
        assert cosigning.tick(AT_US) == []  # not asked again before its wait is over
        policy = name_witnesses(log, text_of([urls[0], serve(1, "m1"), urls[2]]), at_us=AT_US)
        log.publish()
        restarted = Cosigning(log, policy, timeout_s=1.0)
        settle(restarted, AT_US + 61 * US_PER_S)
        assert restarted.status().is_witnessed


def test_a_restart_remembers_sizes_and_waits(tmp_path: Path, serve: Serve) -> None:
    with write_log(tmp_path / "log", 2) as log:
        policy = name_witnesses(log, text_of([serve(0, "m0"), nobody()], needed=1), at_us=AT_US)
        grow(log)
        settle(Cosigning(log, policy, timeout_s=1.0), AT_US)
        again = Cosigning(log, policy, timeout_s=1.0)
        standings = again.status().standings
        assert (standings["w0"].size, standings["w1"].failures) == (6, 1)
        grow(log)
        assert [r.witness for r in settle(again, AT_US)] == ["w0"]  # w1's wait of a second goes on
        (tmp_path / "log" / STATE).write_text("{}")
        with pytest.raises(RecordError, match="damaged"):
            Cosigning(log, policy)


def test_an_old_copy_of_the_folder_is_stopped_before_it_appends(tmp_path: Path, serve: Serve) -> None:
    # Fault: yesterday's backup put back, and a second history begun from it.
    with write_log(tmp_path / "log", 2) as log:
        policy = name_witnesses(log, text_of([serve(0, "m0")], needed=1), at_us=AT_US)
        grow(log)
        settle(Cosigning(log, policy), AT_US)
    text = (tmp_path / "log/record/checkpoint").read_text()
    with write_log(tmp_path / "old", 2) as old:
        stale = Cosigning(old, policy)
        with pytest.raises(RecordError, match="remembers another history"):
            stale.require_not_behind(AT_US)
        assert "w0" in stale.contradiction and "6 entries" in stale.contradiction
        # Fault: a live log that goes on although a witness contradicts it, unseen.
        grow(old, 9)
        live = Cosigning(old, policy)
        settle(live, AT_US + 2 * US_PER_S)
        assert live.status().as_json()["contradiction"]
    assert (tmp_path / "log/record/checkpoint").read_text() == text


def test_a_witness_that_never_ends_its_answer_holds_nothing_up(tmp_path: Path, serve: Serve) -> None:
    """A connection that is accepted and says nothing: the tick returns, and the other witness is enough."""
    with socket.socket() as silent, write_log(tmp_path / "log", 2) as log:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        urls = [serve(0, "m0"), f"http://127.0.0.1:{silent.getsockname()[1]}"]
        policy = name_witnesses(log, text_of(urls, needed=1), at_us=AT_US)
        cosigning = Cosigning(log, policy, timeout_s=30.0)
        for step in range(3):
            grow(log)
            now_us = AT_US + 70 * US_PER_S * step
            cosigning.tick(now_us)
            while not cosigning.status().is_witnessed:
                for thread in cosigning._threads["w0"]:
                    thread.join(20)
                cosigning.tick(now_us)
        assert cosigning.status().standings["w1"].detail == "no whole answer within 60 s"
        assert len(cosigning._threads["w1"]) <= 4


def test_the_last_policy_named_is_in_force_and_is_named_once(tmp_path: Path) -> None:
    one, two = text_of(["https://a.example"], needed=1), text_of(["https://b.example"], needed=1)
    with write_log(tmp_path / "log", 300) as log:
        assert policy_in_force(log) is None
        for text in (one, one, two, two, one):
            assert name_witnesses(log, text, at_us=AT_US) == parse_policy(text)
            log.publish()
            assert policy_in_force(log) == parse_policy(text)
        assert log.size == 303
        assert json.loads((log.folder / SEARCHED).read_text()) == {"index": 302, "searched": 303}
        for forgotten in ("", "{}", '{"index":7,"searched":303}', '{"index":900,"searched":901}'):
            (log.folder / SEARCHED).write_text(forgotten)
            assert policy_in_force(log) == parse_policy(one)
        name_witnesses(log, two, at_us=AT_US)
        assert policy_in_force(log) == parse_policy(two)  # before it is published, too
