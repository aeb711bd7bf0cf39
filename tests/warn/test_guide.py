"""The guide to the ladder against the code: its picture, its table, every word and every setting.

`python -m tests.warn.test_guide` writes the generated parts.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest
import yaml

from tocsin.canon import parse_json
from tocsin.warn.ack import read_answers
from tocsin.warn.channels.config import ConsoleConfig, FileConfig, MailConfig, WebhookConfig, load_transports
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


def test_guide_names_every_setting() -> None:
    text = GUIDE.read_text()
    keys = {key for model in (ConsoleConfig, FileConfig, MailConfig, WebhookConfig) for key in model.model_fields}
    assert not [key for key in keys - {"transport"} if f"`{key}`" not in text]


def test_guide_says_the_pauses_between_attempts() -> None:
    *first, last = (f"{pause:.0f}" for pause in RETRY_AFTER_S)
    assert f"{', '.join(first)} and {last} s" in GUIDE.read_text()


def test_examples_of_the_guide_run(tmp_path: Path) -> None:
    text = GUIDE.read_text()
    answer = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    channels = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert answer
    assert channels
    assert parse_json(answer[1])
    (tmp_path / "answers.jsonl").write_text(answer[1])
    assert len(read_answers(tmp_path / "answers.jsonl").answers) == 1
    (tmp_path / "channels.yaml").write_text(channels[1])
    assert set(load_transports(tmp_path / "channels.yaml", out=tmp_path)) == set(yaml.safe_load(channels[1])) - {
        "default"
    }


if __name__ == "__main__":
    page = GUIDE.read_text()
    for part, body in BLOCKS.items():
        page = _block(part).sub(lambda found, body=body: f"{found[1]}{body}\n{found[2]}", page)  # type: ignore[misc]
    GUIDE.write_text(page)
