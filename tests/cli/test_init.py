"""`tocsin init` and `tocsin agreement set`: a draft is asked for, never overwritten, and mended value by value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tocsin.agreement.draft.questions import QUESTIONS
from tocsin.agreement.load import load
from tocsin.cli import app
from tocsin.errors import AgreementError

ANSWERS = """
title: Stand-off zone around the North Valley dam
parties: [north, south]
parties[north].name: Northern Command
zones: ring
zones[ring].geometry: {circle: {centre: {lat_deg: 33.5, lon_deg: 38.6}, radius: 5 km}}
exit.notice: P30D
exit.partial: n/a
"""


def run(*arguments, told=""):
    return CliRunner().invoke(app, [str(a) for a in arguments], input=told)


def codes_of(path: Path) -> set[tuple[str, str]]:
    done = run("lint", path, "--format", "json")
    return {(f["code"], f["state"]) for f in json.loads(done.stdout)["findings"]}


def test_a_draft_from_answers_loads_and_says_what_is_open(tmp_path):
    (tmp_path / "answers.yaml").write_text(ANSWERS)
    done = run("init", tmp_path / "North Valley.yaml", "--answers", tmp_path / "answers.yaml")
    assert done.exit_code == 0, done.output
    agreement = load(tmp_path / "North Valley.yaml")
    assert (agreement.id, agreement.zones[0].geometry.circle.radius_m) == ("North-Valley", 5000.0)
    found = codes_of(tmp_path / "North Valley.yaml")
    assert {state for _, state in found} == {"not_set"}
    assert ("PAR-02", "not_set") in found and "GEO-01" not in {code for code, _ in found}
    assert "EXT-01" not in {code for code, _ in found}


def test_a_draft_never_overwrites(tmp_path):
    (tmp_path / "a.yaml").write_text("mine")
    done = run("init", tmp_path / "a.yaml")
    assert done.exit_code == 2 and (tmp_path / "a.yaml").read_text() == "mine"


def test_a_pipe_answers_in_order_and_ends_where_it_ends(tmp_path):
    done = run("init", tmp_path / "a.yaml", "--id", "dam", told="A dam\n\n?\nfalse\nq\n")
    assert done.exit_code == 0
    agreement = load(tmp_path / "a.yaml")
    assert (agreement.id, agreement.title, agreement.armed) == ("dam", "A dam", False)
    assert agreement.state("author") == "not_set"


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("exit.notice: five days", "expected a duration"),
        ("exit.notise: P5D", "nearest: exit.notice"),
        ("parties[east].name: East", "question that arises here"),
    ],
)
def test_an_answer_that_cannot_be_used_ends_it_and_writes_nothing(tmp_path, line, refusal):
    (tmp_path / "answers.yaml").write_text(ANSWERS.replace("exit.notice: P30D", line))
    with pytest.raises(AgreementError, match=refusal):
        raise run("init", tmp_path / "a.yaml", "--answers", tmp_path / "answers.yaml").exception
    assert not (tmp_path / "a.yaml").exists()


def test_the_questions_are_printed_with_their_why():
    done = run("init", "unused.yaml", "--questions")
    assert done.exit_code == 0
    assert all(f"{q.path}: " in done.stdout for q in QUESTIONS)


def test_set_shows_old_and_new_and_keeps_the_rest(tmp_path):
    path = tmp_path / "a.yaml"
    text = "# mine\nformat: tocsin-agreement/1\nid: x   # an id\nexit: {notice: P30D}\n"
    path.write_text(text)
    path.chmod(0o640)
    done = run("agreement", "set", "--dry-run", path, "exit.notice", "P60D")
    assert done.stdout == "exit.notice: P30D → P60D\n" and path.read_text() == text
    assert run("agreement", "set", path, "exit.notice", "P60D").exit_code == 0
    assert path.read_text() == text.replace("P30D", "P60D") and path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(AgreementError, match="duration"):
        raise run("agreement", "set", path, "exit.notice", "soon").exception
    assert [p.name for p in tmp_path.iterdir()] == ["a.yaml"]
