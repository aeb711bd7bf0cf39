"""Both examples from end to end: what the demo shows is what the documents say, twice the same, and provable."""

from __future__ import annotations

import json
import random
import re
import shutil
from html import unescape
from pathlib import Path

import pytest

from tocsin.agreement.lint import is_clean, lint
from tocsin.agreement.load import load
from tocsin.cli.demo import DEMOS, Example
from tocsin.cli.replay import run
from tocsin.record.verifier.command import verify_command
from tocsin.station.replay.replay import Job, Replay
from tocsin.tracks.formats.columns import load_columns
from tocsin.units import format_instant

EXAMPLES = Path(__file__).parents[2] / "examples"


def _job(example: Example, out: Path) -> Job:
    folder = EXAMPLES / example.name
    return Job(
        agreement=folder / example.agreement,
        tracks=[folder / example.tracks],
        out=out,
        columns=load_columns(folder / example.columns) if example.columns else None,
        answers=folder / example.answers if example.answers else None,
        claims=folder / example.claims if example.claims else None,
    )


@pytest.fixture(scope="module", params=DEMOS, ids=lambda example: example.name)
def replayed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Replay:
    example: Example = request.param
    beside = EXAMPLES / example.name / example.beside if example.beside else None
    return run(_job(example, tmp_path_factory.mktemp(example.name) / "out"), beside)


@pytest.fixture(scope="module")
def at_tanf(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    return run(_job(DEMOS[0], tmp_path_factory.mktemp("ring") / "out"), EXAMPLES / "at-tanf" / "as-it-was.yaml")


def test_arrangement_as_it_was_fails_its_lint_and_the_one_with_mechanisms_passes() -> None:
    before = lint(load(EXAMPLES / "at-tanf" / "as-it-was.yaml"))
    assert not is_clean(before)
    assert {"PAR-02", "TIM-01", "WRN-02", "WRN-04"} <= {finding.code for finding in before}
    assert is_clean(lint(load(EXAMPLES / "at-tanf" / "with-mechanisms.yaml")))
    assert is_clean(lint(load(EXAMPLES / "us-coast" / "agreement.yaml")))


def test_every_line_read_is_accounted_for(replayed: Replay) -> None:
    total = replayed.archive.total
    assert total.read == total.accepted + total.duplicate + total.late + sum(total.rejected.values())
    rejects = (replayed.job.out / "rejects.jsonl").read_text().splitlines()
    assert len(rejects) == sum(total.rejected.values())
    assert len(replayed.reports) == total.accepted


def test_replay_again_gives_the_same_bytes(replayed: Replay, tmp_path: Path) -> None:
    example = next(e for e in DEMOS if e.agreement == replayed.job.agreement.name)
    again = run(_job(example, tmp_path / "out"), None)
    for name in ("events.jsonl", "cases.jsonl", "rejects.jsonl", "events.parquet"):
        assert (again.job.out / name).read_bytes() == (replayed.job.out / name).read_bytes(), name


def test_record_verifies_and_not_after_any_byte_was_changed(
    replayed: Replay, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify_command(str(replayed.job.out / "record")) == 0
    files = sorted(p for p in (replayed.job.out / "record").rglob("*") if p.is_file())
    assert {"checkpoint", "log.vkey"} < {p.name for p in files}
    chosen = random.Random(1)
    for path in [*files, *chosen.choices(files, k=20)]:
        copy = tmp_path / "out"
        shutil.copytree(replayed.job.out, copy)
        target = copy / path.relative_to(replayed.job.out)
        data = bytearray(target.read_bytes())
        data[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
        target.write_bytes(data)
        assert verify_command(str(copy / "record")) == 1, f"{path} changed and nobody noticed"
        shutil.rmtree(copy)
    capsys.readouterr()


def test_scout_climbs_the_ladder_to_a_person_and_every_attempt_is_kept(at_tanf: Replay) -> None:
    case = next(c for c in at_tanf.warned.cases if c.track_id == "dev:sim-convoy-1")
    assert max(step.level for step in case.steps) == 4
    told = {(message.level, message.recipient) for message in case.messages}
    assert {(1, "mover"), (2, "syria"), (3, "mover"), (4, "russia"), (4, "duty_officers")} <= told
    assert any("no answer" in step.reason for step in case.steps)
    assert {attempt.message_id for attempt in case.attempts} == {message.message_id for message in case.messages}
    kinds = [e.kind.value for e in at_tanf.events if e.track_id == "dev:sim-convoy-1" and e.zone_id == "ring"]
    assert kinds.count("approach") >= 3
    for kind in ("probing", "entry", "stopped", "exit"):
        assert kind in kinds


def test_scout_walks_as_the_story_in_the_readme_tells(at_tanf: Replay) -> None:
    story = (EXAMPLES / "at-tanf" / "README.md").read_text().split("`convoy-1`, the scout, step by step")[1]
    rows = re.findall(r"^\| (\d\d:\d\d:\d\d) \| .* \| (\d) \| (\w+) \|$", story, re.MULTILINE)
    assert len(rows) > 10
    case = next(c for c in at_tanf.warned.cases if c.track_id == "dev:sim-convoy-1")
    for time, level, state in rows:
        taken = [step for step in case.steps if format_instant(step.at_us)[11:19] <= time]
        assert (str(taken[-1].level), taken[-1].to_state.value) == (level, state), time


def test_exempt_trucks_are_seen_and_not_warned(at_tanf: Replay) -> None:
    trucks = [e for e in at_tanf.events if e.track_id.startswith("dev:sim-truck")]
    assert trucks
    assert not [c for c in at_tanf.warned.cases if c.track_id.startswith("dev:sim-truck")]
    assert {m.track_id for m in at_tanf.warned.mutes} >= {e.track_id for e in trucks if e.kind.value == "entry"}


def test_examples_show_what_their_pages_say(replayed: Replay) -> None:
    kinds = {event.kind.value for event in replayed.events}
    assert {"entry", "exit", "approach", "loiter"} <= kinds
    assert ("probing" in kinds) if replayed.job.out.parent.name.startswith("at-tanf") else ("crossing" in kinds)


def test_report_is_one_file_that_asks_nobody_for_anything(replayed: Replay) -> None:
    html = unescape((replayed.job.out / "report.html").read_text())
    assert "default-src 'none'" in html
    assert not re.findall(r"""(?:src|href)=["']https?://""", html)
    assert replayed.checkpoint.root.hex() in html


def test_claims_stand_beside_the_sensors_and_nothing_is_merged(at_tanf: Replay) -> None:
    assert at_tanf.comparisons
    sources = {row.source.source_id for comparison in at_tanf.comparisons for row in comparison.rows}
    assert "system" in sources
    assert any(comparison.contradictions for comparison in at_tanf.comparisons)


def test_record_holds_every_event_and_attempt(at_tanf: Replay) -> None:
    lines = [json.loads(line) for line in (at_tanf.job.out / "events.jsonl").read_text().splitlines()]
    assert len(lines) == len(at_tanf.events)
    assert at_tanf.checkpoint.size >= len(lines) + len(at_tanf.warned.facts)
