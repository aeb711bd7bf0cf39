"""The agreements and answers of the examples: what is marked as what, and what linter and loaders say of them."""

import json
from pathlib import Path

import pytest

from tocsin.agreement.compile import compile_playbook, compile_watchlist
from tocsin.agreement.lint import lint
from tocsin.agreement.load import load
from tocsin.agreement.playbook import MOVER
from tocsin.agreement.terms.state import given
from tocsin.tracks.archive import read_tracks
from tocsin.tracks.formats.columns import load_columns
from tocsin.tracks.quality import RejectReason
from tocsin.warn.ack import read_answers

EXAMPLES = Path(__file__).parents[2] / "examples"
COMPLETE = ("at-tanf/with-mechanisms.yaml", "us-coast/agreement.yaml")


@pytest.mark.parametrize("name", COMPLETE)
def test_a_complete_example_has_no_finding_and_compiles(name: str) -> None:
    # Fault: an example of how it is done that is itself missing something.
    agreement = load(EXAMPLES / name)
    assert [str(finding) for finding in lint(agreement)] == []
    assert compile_watchlist(agreement).rules
    assert compile_playbook(agreement).levels


@pytest.mark.parametrize(
    ("name", "mark"), [(COMPLETE[0], "TEACHING EXAMPLE. INVENTED."), (COMPLETE[1], "ILLUSTRATION.")]
)
def test_an_invented_agreement_says_so_in_its_first_line(name: str, mark: str) -> None:
    # Fault: an invented agreement between real parties that could be taken for a real one.
    assert (EXAMPLES / name).read_text(encoding="utf-8").startswith(f"# {mark}")


def test_the_ring_as_it_was_leaves_open_what_the_story_turns_on() -> None:
    # Fault: the agreement of 2017 completed by hand, or a linter that no longer sees what was missing.
    codes = {finding.code for finding in lint(load(EXAMPLES / "at-tanf/as-it-was.yaml"))}
    assert {"PAR-02", "PAR-03", "TIM-01", "TIM-03", "CON-03", "WRN-02", "WRN-04", "COM-01"} <= codes
    assert not {"PAR-01", "GEO-01", "WRN-08"} & codes


def test_every_answer_is_marked_invented_and_names_what_exists() -> None:
    # Fault: an answer that could be taken for a real one, or that a typing error makes meaningless.
    path = EXAMPLES / "at-tanf/answers.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert all(line["who"].endswith("(invented)") for line in lines)
    answers = read_answers(path)
    assert not answers.rejected and answers.read == len(lines)
    agreement = load(EXAMPLES / COMPLETE[0])
    playbook = compile_playbook(agreement)
    parties = {MOVER} | {party.id for party in given(agreement.parties) or ()}
    parties |= {level.on_no_ack for level in playbook.levels if level.on_no_ack}
    tracks = set(read_tracks([EXAMPLES / "at-tanf/tracks.csv"]).table["track_id"].to_pylist())
    for answer in answers.answers:
        assert answer.party in parties
        assert answer.track_id in tracks
        assert answer.channel is None or answer.channel in playbook.channels


def test_the_tracks_read_as_their_readme_says() -> None:
    # Fault: a column map that no longer fits, or rows refused or doubled that nobody speaks of.
    simulated = read_tracks([EXAMPLES / "at-tanf/tracks.csv"]).total
    assert simulated.rejected == {RejectReason.BAD_LATITUDE: 1, RejectReason.NAIVE_TIME: 1}
    told = (EXAMPLES / "at-tanf/README.md").read_text(encoding="utf-8")
    assert f"{simulated.duplicate} of its {simulated.read:,} rows" in told
    assert f"{simulated.accepted:,} reports remain" in told
    columns = load_columns(EXAMPLES / "us-coast/columns.yaml")
    recorded = read_tracks([EXAMPLES / "us-coast/tracks.parquet"], columns=columns)
    assert recorded.total.accepted == recorded.total.read
    names = set(recorded.table["track_id"].to_pylist())
    assert all(name.startswith("mmsi:") for name in names)
    told = (EXAMPLES / "us-coast/README.md").read_text(encoding="utf-8")
    assert f"**{recorded.total.read:,} of 99,999 rows, {len(names):,} of 10,631 tracks**" in told
