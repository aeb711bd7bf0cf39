"""Counts that do not add up cannot be made; what is refused is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tocsin.tracks.quality import (
    EXPECTED_REASONS,
    FLAG_MEANING,
    MEANING,
    RAW_LIMIT,
    Counts,
    Flag,
    Reject,
    RejectReason,
    clip,
    iter_rejects,
    reject_table,
    write_rejects,
)


def test_counts_that_lose_a_record_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="read 3 records but accounted for 2"):
        Counts(read=3, accepted=1, rejected={RejectReason.NO_TIME: 1})


def test_counts_add_up_by_reason() -> None:
    one = Counts(read=2, accepted=1, rejected={RejectReason.NO_TIME: 1}, flagged={Flag.CONFLICT: 1}, joined=2)
    two = Counts(read=3, duplicate=1, late=1, rejected={RejectReason.NO_POSITION: 1})
    both = one + two
    assert both.rejected == {RejectReason.NO_TIME: 1, RejectReason.NO_POSITION: 1}
    assert (both.read, both.faults, both.joined) == (5, 1, 2)
    assert both.as_json()["rejected"] == {"no_position": 1, "no_time": 1}


def test_every_reason_and_flag_is_explained() -> None:
    assert list(MEANING) == list(RejectReason)
    assert list(FLAG_MEANING) == list(Flag)
    assert set(RejectReason) > EXPECTED_REASONS


def test_rejects_are_written_with_their_text_even_if_it_is_no_text(tmp_path: Path) -> None:
    reject = Reject(file="a.csv", line=7, reason=RejectReason.BAD_TEXT, raw=clip(b"\xff\x00" + b"x" * 10_000))
    table = reject_table([reject])
    write_rejects(table, tmp_path / "rejects.jsonl")
    (line,) = (tmp_path / "rejects.jsonl").read_text().splitlines()
    assert json.loads(line)["raw"].startswith("\\xff\x00xxx")
    assert len(json.loads(line)["raw"]) == RAW_LIMIT
    assert list(iter_rejects(table)) == [reject]


def test_clip_of_a_lone_surrogate_can_be_written() -> None:
    assert clip("a\ud800").encode() == b"a\\ud800"
