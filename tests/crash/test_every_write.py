"""Killed at a write, an fsync, a rename (FAULTS 2, 3), or refused there (5, 6): a restart ends as if nothing had been.

A few of some hundred places here; all of them by `python3 do.py crash WRITES=1`.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.crash import scripted, strace
from tests.peers import program

PLACES = 4

Whole = tuple[list[tuple[str, int]], dict[str, object]]
"""Every call of an uninterrupted run, and what it came to."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    program("strace")
    folder = tmp_path_factory.mktemp("whole") / "data"
    folder.mkdir()
    places = strace.places(folder)
    return places, scripted.outcome_of(folder)


@pytest.mark.parametrize("place", range(PLACES))
def test_killed_at_a_write_and_again_while_it_recovers(place: int, whole: Whole, tmp_path: Path) -> None:
    places, expected = whole
    folder = tmp_path / "data"
    folder.mkdir()
    call, number = places[(2 * place + 1) * len(places) // (2 * PLACES)]
    status, done = strace.forked(folder, "-e", f"inject={call}:signal=SIGKILL:when={number}")
    assert os.WTERMSIG(status) == signal.SIGKILL
    _, again = strace.forked(folder, "-e", f"inject=write,pwrite64:signal=SIGKILL:when={2 + 3 * place}")
    strace.go_on(folder)
    found = scripted.outcome_of(folder)
    assert found == expected, f"{call} {number}, after {done} and {again}"


@pytest.mark.parametrize(("calls", "error"), [("fsync,fdatasync", "EIO"), ("write,pwrite64", "ENOSPC")])
def test_refused_at_a_write_it_stops_and_nothing_is_lost(calls: str, error: str, whole: Whole, tmp_path: Path) -> None:
    places, expected = whole
    half = max(number for call, number in places if call in calls.split(",")) // 2
    folder = tmp_path / "data"
    folder.mkdir()
    status, done = strace.forked(folder, "-e", f"inject={calls}:error={error}:when={half}+")
    assert os.waitstatus_to_exitcode(status) == scripted.REFUSED
    assert done < len(scripted.SCRIPT)
    strace.go_on(folder)
    assert scripted.outcome_of(folder) == expected
