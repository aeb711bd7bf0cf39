"""`tocsin notice`: what it prints and how it ends, on the notices of the format's page and on bad ones."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tocsin.cli import app

ROOT = Path(__file__).parents[2]
CABLE = ROOT / "tests" / "data" / "agreements" / "northreach-cable.yaml"
PAGE = (ROOT / "docs" / "format" / "notice.md").read_text()
TRACKS = """track_id,observed,lat_deg,lon_deg,party
mmsi:257000001,2031-06-02T10:00:00Z,57.19,5.4021,fishers
mmsi:257000001,2031-06-02T10:30:00Z,57.10,{lon},fishers
mmsi:257000001,2031-06-02T11:00:00Z,57.01,5.438,fishers
"""


@pytest.fixture(scope="module")
def notices(tmp_path_factory):
    path = tmp_path_factory.mktemp("notices") / "a.yaml"
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example
    path.write_text(example[1])
    return path


@pytest.fixture
def one(tmp_path):
    """One whole notice, in time."""
    row = re.search(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    assert row
    path = tmp_path / "one.csv"
    path.write_text(row[1])
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def objects(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_check_of_a_whole_notice_has_nothing_to_say(one):
    done = run("notice", "check", CABLE, one)
    assert (done.exit_code, done.stdout) == (0, "") and "1 notices, 0 flagged" in done.stderr


def test_check_says_what_to_look_at_and_ends_with_1(notices):
    done = run("notice", "check", CABLE, notices, "--format", "json")
    assert done.exit_code == 1
    assert {(row["notice"], row["flag"]) for row in objects(done)} == {
        ("fishers/F-12b", "short_notice"),
        ("fishers/S-1", "no_rule"),
    }
    told = run("notice", "check", CABLE, notices).stdout
    assert "(a.yaml:14) short_notice: Given 18 h 00 min before its start" in told


def test_a_refused_entry_is_told_with_its_place(tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"notice": {"party": "fishers"}}\n')
    done = run("notice", "check", CABLE, bad)
    assert done.exit_code == 1 and "bad.jsonl:1" in done.stdout and "given_by" in done.stdout


def test_status_says_what_is_overdue_at_an_instant(notices):
    before = run("notice", "status", CABLE, notices, "--at", "2031-06-01T08:41:00Z")
    assert before.exit_code == 0
    (first, _) = objects(before)
    assert first["reached"] == {"": "received", "watch": "read"} and not first["overdue"]
    after = run("notice", "status", CABLE, notices, "--at", "2031-06-01T20:00:00Z")
    assert after.exit_code == 1
    assert [row["overdue"] != [] for row in objects(after)] == [False, False, True]
    assert "dated later" in after.stderr


def test_recipients_say_why_and_why_not(notices):
    done = run("notice", "recipients", CABLE, notices, "--notice", "fishers/S-1", "--at", "2031-06-02T00:00:00Z")
    answers = {row["to"]: row["why"] for row in objects(done)}
    assert answers["watch"] == answers["operator"] == "consent" and answers["authority"] == "no_consent"
    unknown = run("notice", "recipients", CABLE, notices, "--notice", "fishers/S-9")
    assert unknown.exit_code == 2 and "no such notice" in unknown.stderr


@pytest.mark.parametrize(("lon", "code"), [("5.42", 0), ("5.47", 1)])
def test_conformance_ends_with_1_when_a_track_left_its_route(one, tmp_path, lon, code):
    tracks = tmp_path / "tracks.csv"
    tracks.write_text(TRACKS.format(lon=lon))
    done = run("notice", "conformance", CABLE, one, tracks)
    (kept,) = objects(done)
    assert done.exit_code == code and kept["seen"] and bool(kept["over"]) == bool(code)


def test_a_naive_instant_is_a_usage_error_and_an_unreadable_file_is_refused(one, tmp_path):
    assert run("notice", "status", CABLE, one, "--at", "2031-06-01T08:41:00").exit_code == 2
    (tmp_path / "x.csv").write_text("colour\n")
    done = run("notice", "check", CABLE, tmp_path / "x.csv")
    assert done.exit_code != 0 and "colour" in str(done.exception)


@pytest.mark.parametrize("command", ["check", "status", "recipients", "conformance"])
def test_every_command_has_help_with_an_example(command):
    done = run("notice", command, "--help")
    assert done.exit_code == 0 and f"Example: tocsin notice {command}" in " ".join(done.stdout.split())
