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

COMMANDS = ("init", "lint", "replay", "rehearse", "routes", "run", "export-events", "verify", "witness", "demo")


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


def test_rehearsal_that_cries_wolf_exits_with_no_and_leaves_its_page_and_tables(tmp_path: Path) -> None:
    coast = EXAMPLES.parent / "us-coast"
    told = ("rehearse", coast / "agreement.yaml", coast / "tracks.parquet", "--columns", coast / "columns.yaml")
    done = tocsin(*told, "--format", "json", "--out", tmp_path)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "rehearsal.json").read_text())
    assert {"rehearsal.html", "warnings.parquet", "events.jsonl"} <= {path.name for path in tmp_path.iterdir()}
    bare = tocsin(*told, "--position-error", "40")
    assert bare.returncode == 3 and "40" in bare.stderr


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


def test_pack_of_a_replay_opens_offline_and_its_handing_over_is_recorded(tmp_path: Path) -> None:
    tracks = tmp_path / "tracks.csv"
    tracks.write_text("track_id,observed,lat_deg,lon_deg\ndev:a,2017-05-18T05:00:00Z,33.5,38.6\n")
    out, pack = tmp_path / "out", tmp_path / "pack"
    assert tocsin("replay", EXAMPLES / "with-mechanisms.yaml", tracks, "--out", out).returncode == 0
    options = ["--to", "russia", "--keeper", "joint_desk", "--reason", "asked", "--out", pack]
    done = tocsin("record", "disclose", out, "--entries", "0", *options)
    assert done.returncode == 0, done.stderr
    verifier = subprocess.run(
        [sys.executable, "-I", str(pack / "verify.py"), str(pack)], capture_output=True, text=True, check=False
    )
    assert verifier.returncode == 0, verifier.stderr
    assert tocsin("verify", out / "record").returncode == 0
    seen = tocsin("record", "visible", out, "--party", "russia", "--until", "2030-01-01T00:00:00Z")
    kinds = [json.loads(line)["kind"] for line in seen.stdout.splitlines()]
    assert {"agreement_version", "disclosure"} <= set(kinds)
    refused = tocsin("record", "disclose", out, "--entries", "x", *options)
    assert refused.returncode == 2
