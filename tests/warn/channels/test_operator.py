"""The operator's desk: a page and JSON, whole or not at all; the form's fields give an answer."""

from __future__ import annotations

import re
from pathlib import Path

from tests.warn.stories import T0

from tocsin.canon import parse_json
from tocsin.warn.answers.reply import answer_of
from tocsin.warn.channels.config import load_transports
from tocsin.warn.channels.operator import Operator
from tocsin.warn.channels.setting import AnswerDesk
from tocsin.warn.inputs import Answer
from tocsin.warn.states import AnswerKind, MessageState
from tocsin.warn.telling import Message

KEY = bytes(range(32))
DESK = AnswerDesk(key=KEY, url="https://watch.example.org/answer/")


def test_sheet_is_written_and_what_its_page_posts_is_an_answer(tmp_path: Path, message: Message) -> None:
    ours = Operator(tmp_path / "radio", station="North Watch", signal="Sécurité", desk=DESK)
    outcome = ours.send(message, T0)
    assert outcome.state is MessageState.HANDED_OVER
    html = (tmp_path / "radio" / f"{message.message_id}.html").read_text()
    found = re.search(r'href="https://watch\.example\.org/answer/([^"]+)"', html)
    assert found
    form = {"token": found[1], "who": "A. Mate", "what": "acknowledged", "text": "roger, turning"}
    answer = answer_of(form, key=KEY, now_us=message.queued_us, channel=message.channel, source="form")
    assert isinstance(answer, Answer)
    assert (answer.kind, answer.party, answer.refused) == (AnswerKind.ACKNOWLEDGED, message.recipient, "")
    sheet = parse_json((tmp_path / "radio" / f"{message.message_id}.json").read_bytes())
    assert sheet["scripts"][0]["call"].startswith("Sécurité, Sécurité, Sécurité")
    assert sheet["log"]["page"] == f"https://watch.example.org/answer/{found[1]}"


def test_second_attempt_writes_the_same_and_leaves_nothing_beside_it(tmp_path: Path, message: Message) -> None:
    ours = Operator(tmp_path, station="W", signal="", desk=DESK)
    ours.send(message, T0)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    ours.send(message, T0 + 1)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    assert len(first) == 2


def test_folder_that_cannot_be_made_fails_for_now(tmp_path: Path, message: Message) -> None:
    (tmp_path / "radio").write_text("a file stands in the way")
    outcome = Operator(tmp_path / "radio", station="W", signal="", desk=DESK).send(message, T0)
    assert outcome.state is MessageState.FAILED_FOR_NOW
    assert "cannot write the sheet" in outcome.reason


def test_channels_file_sets_the_operator_up(tmp_path: Path, message: Message) -> None:
    (tmp_path / "channels.yaml").write_text(f"{message.channel}: {{transport: operator, path: radio, station: W}}")
    assert load_transports(tmp_path / "channels.yaml", out=tmp_path).send(message, T0).state == "handed_over"
    assert "No answer page is set" in (tmp_path / "radio" / f"{message.message_id}.html").read_text()
