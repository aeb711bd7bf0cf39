"""The witness as a process: ready line, keys made once, clean stop, and its memory after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.record.conftest import ORIGIN, make_entries, make_signer, write_log

from tocsin.errors import RecordError
from tocsin.record.c2sp.note import parse_vkey
from tocsin.record.c2sp.policy import Policy, Witness
from tocsin.record.witness.client import Outcome, ask_witnesses
from tocsin.record.witness.command import read_logs

SCRIPT = """
import sys
from pathlib import Path
from tocsin.record.witness.command import serve_witness
sys.exit(serve_witness(Path(sys.argv[1]), name="un.example/witness", logs=sys.argv[2:], with_mldsa=True))
"""


def start(folder: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    command = [sys.executable, "-c", SCRIPT, str(folder), str(make_signer().vkey)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def policy_of(ready: dict[str, Any]) -> Policy:
    url = f"http://127.0.0.1:{ready['port']}"
    witnesses = [Witness(name=f"w{i}", vkey=parse_vkey(key), url=url) for i, key in enumerate(ready["vkeys"])]
    return Policy(logs=(), witnesses=tuple(witnesses[:1]), groups={}, quorum="none")


def test_killed_after_it_answered_it_still_remembers(tmp_path: Path) -> None:
    with write_log(tmp_path / "log", 3) as log:
        process, ready = start(tmp_path / "w")
        with process:
            assert ready["ready"] is True and ready["logs"] == [ORIGIN]
            (reply,) = ask_witnesses(policy_of(ready), log.note, log.consistency_proof)
            assert reply.outcome is Outcome.COSIGNED
            process.kill()
        log.append(make_entries(2))
        log.publish()
        process, again = start(tmp_path / "w")
        with process:
            assert again["vkeys"] == ready["vkeys"]
            (reply,) = ask_witnesses(policy_of(again), log.note, log.consistency_proof, known_sizes={"w0": 3})
            assert (reply.outcome, reply.known_size, reply.went_back_from) == (Outcome.COSIGNED, 5, None)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
    for name in ("witness.key", "witness-ml-dsa.key"):
        assert os.stat(tmp_path / "w/keys" / name).st_mode & 0o777 == 0o600


def test_logs_are_named_by_their_key_or_by_an_origin() -> None:
    key = make_signer("sum.golang.org").vkey
    assert read_logs([str(key)]) == {"sum.golang.org": [key]}
    assert read_logs([f"go.sum database tree={key}"]) == {"go.sum database tree": [key]}
    assert read_logs([str(key), f"sum.golang.org={make_signer('other').vkey}"])["sum.golang.org"][0] == key
    for bad in ([], ["x"], ["a=b"]):
        with pytest.raises(RecordError):
            read_logs(bad)
