"""The guide to the ladder against the code: its picture, its table and every word.

`python -m tests.warn.test_guide` writes the generated parts.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest

from tocsin.canon import parse_json
from tocsin.warn.ack import read_answers
from tocsin.warn.heard import RETRY_AFTER_S
from tocsin.warn.states import AnswerKind, CaseInput, CaseOutcome, CaseState, Disposition, MessageState
from tocsin.warn.table import picture, table_markdown

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "ladder.md"
BLOCKS = {"picture": f"```mermaid\n{picture()}\n```", "table": table_markdown()}


def _block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)", re.DOTALL)


@pytest.mark.parametrize("name", BLOCKS)
def test_generated_part_is_what_the_table_gives(name: str) -> None:
    found = _block(name).search(GUIDE.read_text())
    assert found, f"{GUIDE.name} has no part {name}"
    wanted = f"<!-- generated: {name} -->\n{BLOCKS[name]}\n<!-- end -->"
    assert found[0] == wanted, "run: python -m tests.warn.test_guide"


@pytest.mark.parametrize("kind", [CaseState, CaseInput, CaseOutcome, MessageState, AnswerKind, Disposition])
def test_guide_names_every_word(kind: type[StrEnum]) -> None:
    text = GUIDE.read_text()
    assert not [str(word) for word in kind if f"`{word}`" not in text]


def test_guide_says_the_pauses_between_attempts() -> None:
    *first, last = (f"{pause:.0f}" for pause in RETRY_AFTER_S)
    assert f"{', '.join(first)} and {last} s" in GUIDE.read_text()


def test_answer_of_the_guide_is_read(tmp_path: Path) -> None:
    answer = re.search(r"```json\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert answer
    assert parse_json(answer[1])
    (tmp_path / "answers.jsonl").write_text(answer[1])
    assert len(read_answers(tmp_path / "answers.jsonl").answers) == 1


if __name__ == "__main__":
    page = GUIDE.read_text()
    for part, body in BLOCKS.items():
        page = _block(part).sub(lambda found, body=body: f"{found[1]}{body}\n{found[2]}", page)  # type: ignore[misc]
    GUIDE.write_text(page)
