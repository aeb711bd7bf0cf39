"""Messages on the disk: whole lines, one a message, whatever went wrong before."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

import pytest
from tests.warn.stories import T0, Walk, event

from tocsin.canon import canonical_line, parse_json
from tocsin.warn.channels.console import Console
from tocsin.warn.channels.file import JsonLinesFile
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message
from tocsin.watch.event import EventKind


@pytest.fixture(scope="module")
def messages() -> tuple[Message, ...]:
    return Walk().found(event(EventKind.APPROACH)).messages


def test_each_message_is_one_canonical_line_only_its_owner_can_read(
    tmp_path: Path, messages: tuple[Message, ...]
) -> None:
    out = JsonLinesFile(tmp_path / "out.jsonl")
    for message in messages:
        assert out.send(message, T0).state is MessageState.HANDED_OVER
    raw = out.path.read_bytes()
    lines = raw.splitlines(keepends=True)
    assert [parse_json(line)["message_id"] for line in lines] == [m.message_id for m in messages]
    assert raw == b"".join(canonical_line(parse_json(line)) for line in lines)
    assert stat.S_IMODE(out.path.stat().st_mode) == 0o600


def test_line_torn_by_a_power_cut_does_not_swallow_the_next(tmp_path: Path, messages: tuple[Message, ...]) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b'{"torn":')
    outcome = JsonLinesFile(path).send(messages[0], T0)
    torn, whole = path.read_bytes().splitlines()
    assert torn == b'{"torn":'
    assert parse_json(whole)["message_id"] == messages[0].message_id
    assert outcome.transport_id == "out.jsonl@9"


@pytest.mark.parametrize(
    ("code", "state"),
    [(errno.ENOSPC, MessageState.FAILED_FOR_NOW), (errno.EIO, MessageState.FAILED_FOR_GOOD)],
)
def test_failed_sync_is_never_handed_over(
    code: int, state: MessageState, tmp_path: Path, messages: tuple[Message, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    outcome = JsonLinesFile(tmp_path / "out.jsonl").send(messages[0], T0)
    assert outcome.state is state
    assert os.strerror(code) in outcome.reason


def test_full_disk_that_takes_half_a_line_is_a_failure(
    tmp_path: Path, messages: tuple[Message, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, line: write(handle, line[: len(line) // 2]))
    out = JsonLinesFile(tmp_path / "out.jsonl")
    assert out.send(messages[0], T0).state is MessageState.FAILED_FOR_NOW
    monkeypatch.undo()
    assert out.send(messages[0], T0).state is MessageState.HANDED_OVER
    assert parse_json(out.path.read_bytes().splitlines()[-1])["message_id"] == messages[0].message_id


def test_missing_folder_fails_for_now_and_says_so(tmp_path: Path, messages: tuple[Message, ...]) -> None:
    outcome = JsonLinesFile(tmp_path / "not" / "there.jsonl").send(messages[0], T0)
    assert outcome.state is MessageState.FAILED_FOR_NOW
    assert "No such file" in outcome.reason


def test_console_prints_the_words_and_hands_over(messages: tuple[Message, ...]) -> None:
    stream = io.StringIO()
    assert Console(stream).send(messages[0], T0).state is MessageState.HANDED_OVER
    assert messages[0].body in stream.getvalue()
    stream.close()
    assert Console(stream).send(messages[0], T0).state is MessageState.FAILED_FOR_NOW
