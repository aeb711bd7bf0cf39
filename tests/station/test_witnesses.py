"""Three parties' nodes, a station's log and the public: k = 2 of n = 3, one stopped, then two, then back again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.record.conftest import make_entries, make_signer

from tocsin.agreement.custody import AgreedWitness, Custody
from tocsin.clock import US_PER_S, now_us
from tocsin.errors import RecordError
from tocsin.record.log import Log
from tocsin.record.verifier.command import GOOD, verify_command
from tocsin.record.witness.cosigning import Cosigning
from tocsin.station.publish.witnesses import open_cosigning

PARTIES = ("coalition", "syria", "un")
PATIENCE_S = 60


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Node:
    """`tocsin witness` of one party, as a process."""

    def __init__(self, party: str, folder: Path, record_url: str) -> None:
        self.party, self.folder, self.record_url = party, folder, record_url
        self.start()

    def start(self, port: int = 0) -> None:
        command = [sys.executable, "-m", "tocsin", "witness", str(self.folder), "--name", f"{self.party}.example/w"]
        command += ["--log", str(make_signer().vkey), "--port", str(port)]
        if self.party == "un":
            command += ["--follow", self.record_url, "--every", "1 s"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.ready = self.line()

    def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_S) == 0
        self.process.communicate()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    @property
    def agreed(self) -> AgreedWitness:
        url = f"http://127.0.0.1:{self.ready['port']}"
        return AgreedWitness(party=self.party, key=self.ready["vkeys"][0], url=url)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Serve the record's folder with any web server there is: the standard library's."""
    (tmp_path / "keeper/record").mkdir(parents=True)
    handler = partial(_Quiet, directory=str(tmp_path / "keeper/record"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def tick_until(cosigning: Cosigning, at_us: int, done: Callable[[], bool]) -> None:
    """Tick at one instant of the station's clock until the processes have answered."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, cosigning.status()
        cosigning.tick(at_us)
        time.sleep(0.01)


def test_a_quorum_of_parties_stands_behind_a_served_record(
    tmp_path: Path, served: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        nodes = [Node(party, tmp_path / party, served) for party in PARTIES]
        for node in nodes:
            stack.callback(node.kill)
        custody = Custody(witnesses=tuple(n.agreed for n in nodes), quorum=2, log_keys=(str(make_signer().vkey),))
        log = stack.enter_context(Log.create(tmp_path / "keeper", key=make_signer()))
        at_us = now_us()
        cosigning = open_cosigning(log, custody, at_us)

        def publish() -> None:
            log.append(make_entries(4, log.size))
            log.publish()

        def failed(party: str) -> bool:
            return cosigning.status().standings[party].failures > 0

        def verified() -> str:
            capfd.readouterr()
            assert verify_command(served) == GOOD
            return capfd.readouterr().out

        publish()
        tick_until(cosigning, at_us, lambda: len({s.size for s in cosigning.status().standings.values()} | {5}) == 1)
        told = verified()
        assert "5 entries seen by 2 of coalition, syria, un" in told and "UNWITNESSED" not in told

        nodes[0].stop()
        publish()
        tick_until(cosigning, at_us, lambda: failed("coalition") and cosigning.status().is_witnessed)
        assert "UNWITNESSED" not in verified()

        nodes[1].stop()
        publish()
        tick_until(cosigning, at_us, lambda: failed("syria"))
        status = cosigning.status()
        assert (status.witnessed, status.published) == (9, 13) and not status.contradiction
        told = verified()
        assert "UNWITNESSED since 20" in told and "4 entries" in told and "not all of it is witnessed" in told
        assert status.as_json()["unwitnessed_since"] == status.as_json()["last_quorum"]

        nodes[1].start(port=nodes[1].ready["port"])
        tick_until(cosigning, at_us + 61 * US_PER_S, lambda: cosigning.status().is_witnessed)
        assert "UNWITNESSED" not in verified()

        saw = nodes[2].line()  # the one that follows looked at the public folder for itself
        while saw["saw"] == "unreachable":  # before there was a checkpoint
            saw = nodes[2].line()
        assert (saw["saw"], saw["log"]) == ("cosigned", log.origin) or saw["saw"] == "same"


def test_a_log_whose_key_the_agreement_does_not_name_is_refused(tmp_path: Path) -> None:
    # Fault: a station that signs with a key nobody agreed on.
    other = str(make_signer(number=2).vkey)
    custody = Custody(witnesses=(), quorum=0, log_keys=(other,))
    with (
        Log.create(tmp_path, key=make_signer()) as log,
        pytest.raises(RecordError, match="expected one of the agreement's"),
    ):
        open_cosigning(log, custody, now_us())
