"""The power goes (FAULTS 4): nothing acknowledged is lost, whatever the disk kept of the rest, and all goes on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.crash import powercut, scripted, strace
from tests.peers import program

CUTS = 6

Whole = tuple[Path, list[tuple[str, powercut.Call]], dict[str, object]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    program("strace")
    folder = tmp_path_factory.mktemp("cut") / "data"
    folder.mkdir()
    calls = powercut.traced(folder)
    return folder, calls, scripted.outcome_of(folder)


@pytest.mark.parametrize("number", range(CUTS))
def test_nothing_acknowledged_is_lost(number: int, whole: Whole, tmp_path: Path) -> None:
    folder, calls, expected = whole
    rng = random.Random(number)
    disk = powercut.cut(folder, calls, rng.randrange(len(calls) * number // CUTS, len(calls) * (number + 1) // CUTS))
    disk.after_power_cut(tmp_path / "data", rng if number % 2 else None)
    assert scripted.durable_of(tmp_path / "data") >= disk.acknowledged
    strace.go_on(tmp_path / "data")
    assert scripted.outcome_of(tmp_path / "data") == expected


def test_the_model_ends_with_what_the_folder_holds(whole: Whole, tmp_path: Path) -> None:
    folder, calls, _ = whole
    disk = powercut.cut(folder, calls, len(calls))
    assert disk.acknowledged == len(scripted.SCRIPT)
    disk.after_power_cut(tmp_path / "data", None)
    held = {p.relative_to(tmp_path / "data") for p in (tmp_path / "data").rglob("*") if p.is_file()}
    assert {Path("record/checkpoint"), Path("station.db")} <= held
    gone = {path for path in held if not (folder / path).exists()}
    unsynced = {path for path in gone if path.parent.suffix == ".p" or path.suffix == ".request"}
    assert gone == unsynced, "what goes unsynced is a tile in part, or a request that has its end"
    for path in held - gone - {Path("station.db"), Path("station.db-wal"), Path("station.db-shm")}:
        assert (tmp_path / "data" / path).read_bytes() == (folder / path).read_bytes(), path


def test_a_run_that_never_syncs_is_found(whole: Whole, tmp_path: Path) -> None:
    folder, calls, _ = whole
    careless = [(name, call) for name, call in calls if name not in ("fsync", "fdatasync")]
    disk = powercut.cut(folder, careless, len(careless))
    disk.after_power_cut(tmp_path / "data", None)
    assert disk.acknowledged == len(scripted.SCRIPT) and not list((tmp_path / "data").iterdir())
