"""The simulated traffic of examples/at-tanf: marked as simulated, reproducible, and with the faults it promises."""

import csv
import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from tocsin.errors import UnitError
from tocsin.units import parse_instant_us

FOLDER = Path(__file__).parents[2] / "examples" / "at-tanf"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (FOLDER / "tracks.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_tracks", FOLDER / "make_tracks.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_every_row_says_that_it_is_simulated(rows: list[dict[str, str]]) -> None:
    # Fault: an invented row that could be taken for an observed one.
    assert {row["feed"] for row in rows} == {"simulated"}
    assert all(row["track_id"].startswith("dev:sim-") for row in rows)


def test_the_committed_file_is_what_the_script_makes(
    rows: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fault: data edited by hand, or a script that no longer makes them. The last digit may differ between machines.
    made = maker()
    monkeypatch.setattr(made, "HERE", tmp_path)
    made.main()
    with (tmp_path / "tracks.csv").open(encoding="utf-8", newline="") as file:
        again = list(csv.DictReader(file))
    assert [row["track_id"] for row in again] == [row["track_id"] for row in rows]
    for here, there in zip(rows, again, strict=True):
        for key in ("lat_deg", "lon_deg", "speed_kmh"):
            assert float(here[key]) == pytest.approx(float(there[key]), abs=2e-6 if key != "speed_kmh" else 0.11)


def test_it_has_the_faults_that_it_promises_and_no_others(rows: list[dict[str, str]]) -> None:
    # Fault: a replay whose reject, duplicate and late counters have nothing to count.
    def readable(row: dict[str, str]) -> bool:
        try:
            parse_instant_us(row["observed"])
        except UnitError:
            return False
        return abs(float(row["lat_deg"])) <= 90

    bad = [row for row in rows if not readable(row)]
    assert [row["lat_deg"] for row in bad].count("91.250000") == 1
    assert sum(not row["observed"].endswith("Z") for row in bad) == 1
    assert len(bad) == 2
    good = [row for row in rows if readable(row)]
    doubles = Counter(tuple(row.values()) for row in good)
    assert 10 < sum(n - 1 for n in doubles.values()) < 60
    last: dict[str, str] = {}
    backwards = 0
    for row in good:
        backwards += row["observed"] < last.get(row["track_id"], "")
        last[row["track_id"]] = max(row["observed"], last.get(row["track_id"], ""))
    assert 20 < backwards < 200


def test_nobody_declares_a_party_for_the_convoy_and_the_strangers(rows: list[dict[str, str]]) -> None:
    # Fault: a story in which the feed already knows whose the vehicles are.
    unnamed = {row["track_id"] for row in rows if not row["party"]}
    assert {name.removeprefix("dev:sim-").split("-")[0] for name in unnamed} == {"convoy", "pickup", "drone"}
