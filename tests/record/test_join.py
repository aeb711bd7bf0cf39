"""Two logs that are one history."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.record.conftest import AT_US, make_entries, make_signer, write_log

from tocsin.errors import RecordError, VerificationError
from tocsin.record.join import check_joined, continue_log, end_log
from tocsin.record.leaf import Entry, EntryKind
from tocsin.record.log import Log
from tocsin.record.verifier.verify import Verified, verify_folder

NEXT = make_signer("log.example/tanf-2", number=7)


def joined(folder: Path) -> tuple[Verified, Verified]:
    with write_log(folder / "a", 5) as log:
        end_log(log, next_key=NEXT.vkey, at_us=AT_US)
    earlier = verify_folder(folder / "a")
    with continue_log(folder / "b", key=NEXT, previous=earlier, at_us=AT_US) as log:
        log.append(make_entries(3))
        log.publish()
    return earlier, verify_folder(folder / "b")


def test_the_last_entry_and_the_first_name_each_other(tmp_path: Path) -> None:
    earlier, later = joined(tmp_path)
    check_joined(earlier, later)
    with pytest.raises(VerificationError):
        check_joined(later, earlier)


def test_nothing_is_added_to_a_log_that_ended(tmp_path: Path) -> None:
    joined(tmp_path)
    with Log.open(tmp_path / "a", make_signer()) as log, pytest.raises(RecordError, match="has ended"):
        log.append(make_entries(1))


def test_a_log_that_named_another_successor_is_not_continued_by_this_one(tmp_path: Path) -> None:
    with write_log(tmp_path / "a", 5) as log:
        end_log(log, next_key=make_signer("elsewhere.example", number=8).vkey, at_us=AT_US)
    earlier = verify_folder(tmp_path / "a")
    continue_log(tmp_path / "b", key=NEXT, previous=earlier, at_us=AT_US).close()
    with pytest.raises(VerificationError, match="does not name"):
        check_joined(earlier, verify_folder(tmp_path / "b"))


def test_only_a_first_entry_continues_another_log(tmp_path: Path) -> None:
    entry = Entry(kind=EntryKind.CONTINUES, at_us=AT_US, audience=frozenset("*"), payload={"origin": "x"})
    with write_log(tmp_path, 5) as log, pytest.raises(RecordError, match="first entry"):
        log.append([entry])


def test_another_continuation_is_refused(tmp_path: Path) -> None:
    """Whoever begins a second "next" log cannot put it in the place of the first, nor hang it on another end."""
    earlier, later = joined(tmp_path)
    shutil.rmtree(tmp_path / "a")
    other, _ = joined(tmp_path / "elsewhere")
    with pytest.raises(VerificationError, match="as it ended"):
        check_joined(other, later)
    with write_log(tmp_path / "c", 5):
        not_ended = verify_folder(tmp_path / "c")
    with pytest.raises(VerificationError, match="does not name"):
        check_joined(not_ended, later)
    assert earlier.size == 6
