"""Answers files: what is read, what is refused, and that nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin.agreement.compile import MOVER_WORDS as AGREED_MOVER_WORDS
from tocsin.agreement.playbook import MOVER
from tocsin.errors import SettingError
from tocsin.units import parse_instant_us
from tocsin.warn.ack import MOVER_WORDS, read_answers
from tocsin.warn.states import AnswerKind

GOOD = (
    '{"at": "2031-06-01T10:02:00Z", "who": "A. Mate", "party": "vessel", "what": "acknowledged",'
    ' "track": "mmsi:273000001", "level": 1, "channel": "vhf16", "text": "heard you"}'
)


def write(folder: Path, text: str | bytes, name: str = "answers.jsonl") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_line_is_read_with_its_place(tmp_path: Path) -> None:
    found = read_answers(write(tmp_path, GOOD + "\n"))
    (answer,) = found.answers
    assert (answer.who, answer.party, answer.kind) == ("A. Mate", MOVER, AnswerKind.ACKNOWLEDGED)
    assert (answer.at_us, answer.source) == (parse_instant_us("2031-06-01T10:02:00Z"), "answers.jsonl:1")


def test_yaml_list_reads_like_lines(tmp_path: Path) -> None:
    text = (
        "answers:\n"
        "  - {at: '2031-06-01T12:02:00+02:00', who: A. Mate, party: vessel, what: acknowledged,\n"
        "     track: 'mmsi:273000001', level: 1, channel: vhf16, text: heard you}\n"
    )
    yaml = read_answers(write(tmp_path, text, "answers.yaml")).answers[0]
    lines = read_answers(write(tmp_path, GOOD)).answers[0]
    assert (yaml.at_us, yaml.party, yaml.text, yaml.level) == (lines.at_us, lines.party, lines.text, lines.level)
    assert yaml.source == "answers.yaml:2"


def test_answers_come_in_order_of_time_whatever_the_order_of_lines(tmp_path: Path) -> None:
    late = GOOD.replace("10:02", "10:09")
    found = read_answers(write(tmp_path, f"{late}\n\n{GOOD}\n"))
    assert [a.source for a in found.answers] == ["answers.jsonl:3", "answers.jsonl:1"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "no JSON"),
        ("[]", "should be a valid dictionary"),
        (GOOD.replace("Z", ""), "an instant with its offset"),
        (GOOD.replace("acknowledged", "permitted"), "what: found 'permitted'"),
        (GOOD.replace('"who": "A. Mate", ', ""), "who: field required"),
        (GOOD.replace('"A. Mate"', '""'), "who: found ''"),
        (GOOD.replace('"track": "mmsi:273000001", ', ""), "expected one of case, track, message"),
        (GOOD.replace('"level": 1', '"level": "1"'), "level: found '1'"),
        (GOOD.replace('"level": 1', '"level": 0'), "level: found 0"),
        (GOOD.replace("}", ', "colour": "red"}'), "colour: extra inputs"),
        (GOOD.replace("}", ', "case": "ZZ"}'), "case: found 'ZZ'"),
        (GOOD.replace("heard you", "\\ud800"), "no canonical JSON"),
        (GOOD.replace('"who"', '"at": "2031-06-01T10:02:00Z", "who"'), "stands twice"),
        (GOOD.replace("heard you", "x" * 70_000), "bytes, expected at most"),
        ('{"at": NaN}', "NaN is not a JSON number"),
    ],
)
def test_bad_line_is_kept_with_its_reason_and_costs_no_other(line: str, reason: str, tmp_path: Path) -> None:
    found = read_answers(write(tmp_path, f"{GOOD}\n{line}\n{GOOD}\n"))
    assert (len(found.answers), found.read) == (2, 3)
    (rejected,) = found.rejected
    assert reason in rejected.reason
    assert rejected.place.line == 2


def test_bytes_that_are_no_text_cost_one_line(tmp_path: Path) -> None:
    found = read_answers(write(tmp_path, b"\xff\xfe\x00\n" + GOOD.encode()))
    assert (len(found.answers), len(found.rejected)) == (1, 1)


@pytest.mark.parametrize("text", ["answers: 7", "a: [", "other: []"])
def test_yaml_that_is_no_list_is_refused_as_a_whole(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"answers\.yaml"):
        read_answers(write(tmp_path, text, "answers.yaml"))


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="expected a readable file"):
        read_answers(tmp_path / "none.jsonl")


def test_words_for_the_mover_are_the_agreements() -> None:
    assert MOVER_WORDS == AGREED_MOVER_WORDS
