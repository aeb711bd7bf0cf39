"""Commands as a person runs them: what they print, and that each has help with an example."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.test_bad_input import EXAMPLES, tocsin

from tocsin.record.keys import create_key

COMMANDS = ("lint", "replay", "verify", "witness", "demo")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = tocsin(command, "--help")
    assert done.returncode == 0
    assert "Example:" in done.stdout


def test_lint_as_sarif_and_as_a_page_name_the_same_codes() -> None:
    sarif = json.loads(tocsin("lint", EXAMPLES / "as-it-was.yaml", "--format", "sarif").stdout)
    codes = {result["ruleId"] for result in sarif["runs"][0]["results"]}
    page = tocsin("lint", EXAMPLES / "as-it-was.yaml", "--format", "html").stdout
    assert {"PAR-02", "WRN-02"} <= codes
    assert page.lower().startswith("<!doctype html>")
    assert "WRN-02" in page


def test_declared_blanks_can_be_accepted_and_silent_ones_cannot() -> None:
    done = tocsin("lint", EXAMPLES / "as-it-was.yaml", "--declared-ok")
    assert done.returncode == 1
    assert "not set yet" in done.stdout.lower()


def test_witness_says_that_it_is_ready_and_stops_when_told(tmp_path: Path) -> None:
    vkey = str(create_key(tmp_path / "log.key", "example.org/log").vkey)
    command = [sys.executable, "-m", "tocsin", "witness", str(tmp_path / "w"), "--name", "w.example/1", "--log", vkey]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as witness:
        assert witness.stdout is not None
        ready = json.loads(witness.stdout.readline())
        assert ready["ready"] is True
        assert ready["logs"] == ["example.org/log"]
        witness.send_signal(signal.SIGTERM)
        assert witness.wait(timeout=20) == 0
