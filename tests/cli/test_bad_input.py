"""Bad input at the command line: a clear sentence and its exit code, or a counted reject; never a traceback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "at-tanf"
GOOD = "track_id,observed,lat_deg,lon_deg\n"
NMEA = Path(__file__).parents[1] / "data" / "tracks" / "uscg_types.nmea"


def tocsin(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person would."""
    command = [sys.executable, "-m", "tocsin", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


def _edited(tmp_path: Path, old: str, new: str) -> Path:
    text = (EXAMPLES / "with-mechanisms.yaml").read_text()
    assert old in text
    (tmp_path / "with-mechanisms.geojson").write_bytes((EXAMPLES / "with-mechanisms.geojson").read_bytes())
    changed = tmp_path / "agreement.yaml"
    changed.write_text(text.replace(old, new, 1))
    return changed


def test_lint_of_the_arrangement_as_it_was_ends_with_1_and_names_codes() -> None:
    done = tocsin("lint", EXAMPLES / "as-it-was.yaml", "--format", "json")
    assert done.returncode == 1
    codes = {finding["code"] for finding in json.loads(done.stdout)["findings"]}
    assert {"PAR-02", "TIM-01", "TIM-03", "CON-03", "WRN-02", "WRN-04"} <= codes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("radius: 55 km", "radius: 55000", ("55000", "length with its unit", "agreement.yaml:")),
        ('from: "2017-05-12T00:00:00+03:00"', 'from: "2017-05-12T00:00:00"', ("offset", "agreement.yaml:")),
        ("windows: [always]", "windows: [{days: [sat], from: 25:00, to: 18:00, zone: UTC}]", ("agreement.yaml:",)),
    ],
    ids=["bare-number", "naive-time", "no-such-hour"],
)
def test_agreement_with_a_bad_value_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, said: tuple[str, ...]
) -> None:
    done = tocsin("lint", _edited(tmp_path, old, new))
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    for words in said:
        assert words in done.stderr


def test_agreement_with_an_unknown_key_is_told_and_kept(tmp_path: Path) -> None:
    done = tocsin("lint", _edited(tmp_path, "    kind: stand_off\n", "    kind: stand_off\n    excempt: [coalition]\n"))
    assert "FMT-01" in done.stdout
    assert "excempt" in done.stdout


def test_zone_that_crosses_itself_is_named_with_its_ring(tmp_path: Path) -> None:
    features = json.loads((EXAMPLES / "with-mechanisms.geojson").read_text())
    polygon = next(f for f in features["features"] if f["geometry"]["type"] == "Polygon")
    ring = polygon["geometry"]["coordinates"][0]
    ring[1], ring[2] = ring[2], ring[1]
    (tmp_path / "with-mechanisms.yaml").write_bytes((EXAMPLES / "with-mechanisms.yaml").read_bytes())
    (tmp_path / "with-mechanisms.geojson").write_text(json.dumps(features))
    linted = tocsin("lint", tmp_path / "with-mechanisms.yaml")
    assert linted.returncode == 1
    assert "GEO-01" in linted.stdout
    replayed = tocsin("replay", tmp_path / "with-mechanisms.yaml", EXAMPLES / "tracks.csv", "--out", tmp_path / "out")
    assert replayed.returncode == 3
    assert "ring" in replayed.stderr
    assert "Traceback" not in replayed.stderr


def _replay(tmp_path: Path, name: str, content: bytes) -> subprocess.CompletedProcess[str]:
    tracks = tmp_path / name
    tracks.write_bytes(content)
    return tocsin("replay", EXAMPLES / "with-mechanisms.yaml", tracks, "--out", tmp_path / "out")


def test_rows_with_nan_91_degrees_or_no_zone_are_counted_and_kept(tmp_path: Path) -> None:
    rows = "".join(f"dev:a,2017-05-18T05:0{i}:00Z,33.9,38.2\n" for i in range(5))
    bad = (
        "dev:a,2017-05-18T05:06:00Z,nan,38.2\ndev:a,2017-05-18T05:07:00Z,91,38.2\ndev:a,2017-05-18T05:08:00,33.9,38.2\n"
    )
    done = _replay(tmp_path, "tracks.csv", (GOOD + rows + bad).encode())
    assert done.returncode == 0, done.stderr
    assert "read 8: accepted 5, duplicate 0, late 0, rejected 3" in done.stdout
    kept = [json.loads(line) for line in (tmp_path / "out" / "rejects.jsonl").read_text().splitlines()]
    assert sorted(reject["line"] for reject in kept) == [7, 8, 9]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("swapped.csv", GOOD + "".join(f"dev:a,2017-05-18T05:0{i}:00Z,138.2,33.9\n" for i in range(5)), "swap"),
        ("naive.csv", GOOD + "".join(f"dev:a,2017-05-18T05:0{i}:00,33.9,38.2\n" for i in range(5)), "zone"),
    ],
)
def test_file_whose_rows_are_all_wrong_alike_is_refused_with_a_hint(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    done = _replay(tmp_path, name, content.encode())
    assert done.returncode == 3
    assert said in done.stderr
    assert name in done.stderr
    assert not (tmp_path / "out").exists()


def test_parquet_cut_short_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.table({"track_id": ["dev:a"], "lat_deg": [1.0]}), whole)
    done = _replay(tmp_path, "cut.parquet", whole.read_bytes()[:-20])
    assert done.returncode == 3
    assert "cut.parquet" in done.stderr
    assert "Traceback" not in done.stderr


def test_nmea_log_cut_short_loses_its_last_line_only(tmp_path: Path) -> None:
    lines = NMEA.read_bytes().splitlines(keepends=True)[:6]
    whole = _replay(tmp_path, "log.nmea", b"".join(lines))
    cut = _replay(tmp_path, "log.nmea", b"".join(lines) + lines[1][:30])
    assert whole.returncode == cut.returncode == 0, cut.stderr
    counts = [list(map(int, re.findall(r"\d+", done.stdout.splitlines()[0]))) for done in (whole, cut)]
    assert counts[1] == [counts[0][0] + 1, *counts[0][1:4], counts[0][4] + 1]
    assert counts[0][1] > 0


def test_channels_that_cannot_be_built_leave_an_older_replay_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "tracks.csv").write_text(GOOD)
    (tmp_path / "channels.yaml").write_text("uhf_guard: {transport: pigeon}\n")
    replay = ("replay", EXAMPLES / "with-mechanisms.yaml", tmp_path / "tracks.csv", "--out", tmp_path / "out")
    assert tocsin(*replay).returncode == 0
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    done = tocsin(*replay, "--channels", tmp_path / "channels.yaml")
    assert done.returncode == 3 and "pigeon" in done.stderr
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}


def test_folder_with_other_files_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep me")
    done = _replay(tmp_path, "tracks.csv", (GOOD + "dev:a,2017-05-18T05:00:00Z,33.9,38.2\n").encode())
    assert done.returncode == 3
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep me"
