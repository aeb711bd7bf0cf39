"""Killed at a write, an fsync, a rename (FAULTS 2, 3), or refused there (5, 6): a restart ends as if nothing had been.

A few of some thousand places here; all of them by `python3 do.py crash WRITES=1`.
"""

from __future__ import annotations

import mmap
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.crash import scripted, strace, writes
from tests.peers import program

PLACES = 4


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> writes.Cuts:
    program("strace")
    return writes.prepared(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("place", range(PLACES))
def test_killed_at_a_write_and_again_while_it_recovers(place: int, whole: writes.Cuts, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    at = whole.places[(2 * place + 1) * len(whole.places) // (2 * PLACES)]
    assert strace.cut(folder, at, writes.KILLED) == "killed"
    status, again = strace.forked(folder, "-e", f"inject=write,pwrite64:signal=SIGKILL:when={2 + 3 * place}")
    assert os.WTERMSIG(status) == signal.SIGKILL
    strace.go_on(folder)
    assert scripted.outcome_of(folder) == whole.expected, f"{at}, and again after {again}"


@pytest.mark.parametrize(("calls", "error"), [("fsync,fdatasync", "EIO"), ("write,pwrite64", "ENOSPC")])
def test_refused_from_a_write_on_it_stops_and_nothing_is_lost(
    calls: str, error: str, whole: writes.Cuts, tmp_path: Path
) -> None:
    half = max(place.number for place in whole.places if place.name in calls.split(",")) // 2
    folder = tmp_path / "data"
    folder.mkdir()
    status, done = strace.forked(folder, "-e", f"inject={calls}:error={error}:when={half}+")
    assert os.waitstatus_to_exitcode(status) == scripted.REFUSED
    assert done < len(scripted.SCRIPT)
    strace.go_on(folder)
    assert scripted.outcome_of(folder) == whole.expected


@pytest.mark.parametrize("fault", writes.REFUSED)
def test_refused_at_one_call_nothing_is_lost(fault: str, whole: writes.Cuts) -> None:
    number = len(whole.places) * 2 // 3
    assert whole.made((number, fault))[2:] == ("stopped", "")


def test_refused_while_it_archives_it_goes_on_and_reads_what_is_newest(whole: writes.Cuts) -> None:
    made = max(number for number, place in enumerate(whole.places) if place.told == 'mkdir("/archive", 0777)')
    assert whole.places[made + 1].told == "fsync(<>)"
    assert whole.made((made + 1, "error=EIO"))[2:] == ("went on", "")


def test_a_cut_that_changes_what_is_decided_is_told(whole: writes.Cuts) -> None:
    other = writes.Cuts(
        folder=whole.folder, places=whole.places, expected=whole.expected | {"at": "nowhere", "events": []}
    )
    assert other.made((1, writes.KILLED))[3] == "events, at"


def test_what_the_tests_before_left_unclosed_moves_no_call(
    whole: writes.Cuts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ring_of_a_file() -> list[Any]:
        ring: list[Any] = [(tmp_path / "left").open("w")]
        ring.append(ring)
        return ring

    def leaving(folder: Path, shared: mmap.mmap) -> int:
        unclosed.clear()
        kept = [[number] for number in range(10_000)]  # more than a collection waits for
        return run(folder, shared) if kept else scripted.FAILED

    run = scripted.child
    monkeypatch.setattr(scripted, "child", leaving)
    unclosed = [ring_of_a_file()]
    cut = whole.made((1, writes.KILLED))
    unclosed[0][0].close()
    assert cut[2:] == ("killed", "")


def test_a_cut_elsewhere_is_told(whole: writes.Cuts, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    renamed = [place for place in whole.places if place.name == "rename"]
    with pytest.raises(AssertionError, match="it was at rename"):
        strace.cut(folder, strace.Place("rename", 1, renamed[1].told), writes.KILLED)
