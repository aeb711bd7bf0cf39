"""A draft is rehearsed on what a running station has just watched: no message leaves, and the station goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.station.test_asked import begun, deliver
from tests.station.walks import WRITTEN
from typer.testing import CliRunner

from tocsin.cli import app
from tocsin.errors import ReportError, StoreError
from tocsin.station.past.recent import recent_reports
from tocsin.warn.channels.config import default_transports


def rehearsed(draft: Path, *more: str) -> tuple[int, dict]:
    came = CliRunner().invoke(app, ["rehearse", str(draft), *more, "--format", "json"])
    if came.exception is not None and not isinstance(came.exception, SystemExit):
        raise came.exception
    return came.exit_code, json.loads(came.stdout) if came.stdout.startswith("{") else {"said": came.output}


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.yaml"
    path.write_bytes(WRITTEN.text.replace(b"version: 1", b"version: 2").replace(b"radius: 2 km", b"radius: 3 km"))
    return path


def test_draft_is_rehearsed_on_a_running_station_and_nobody_is_told(tmp_path: Path, draft: Path) -> None:
    folder = tmp_path / "data"
    station = begun(folder, default_transports(folder))
    try:
        deliver(station, 0, 400)
        before = len(station.facts(limit=10_000).rows)
        code, told = rehearsed(draft, "--station", str(folder), "--within", "3650 d")
        assert code in {0, 1}, told
        assert told["agreement"]["version"] == 2 and told["reports"]["count"] == 400
        assert sum(one["at_conduct"] for one in told["told"]) > 0, "it says whom it would have told"
        after = station.facts(limit=10_000).rows[before:]
        assert not [fact for fact in after if fact["kind"] in {"case_opened", "message"} and "v2" in str(fact)]
        assert not any("REHEARSAL" in line for line in (folder / "messages.jsonl").read_text().splitlines())
        assert station.ticker.is_running and station.agreement.digest != b"" and station.health()["ok"]
    finally:
        station.stop()
    assert rehearsed(draft, "--station", str(folder), "--within", "3650 d")[1] == told, "as well when it has stopped"


def test_station_of_which_nothing_is_recent_is_said_to_have_no_report(tmp_path: Path, draft: Path) -> None:
    folder = tmp_path / "data"
    station = begun(folder)
    station.stop()
    assert not len(recent_reports(folder, within_s=60.0))
    with pytest.raises(ReportError, match="no report that was observed in the 24 h before its last tick"):
        rehearsed(draft, "--station", str(folder))


def test_folder_without_a_station_and_both_kinds_of_tracks_are_refused(tmp_path: Path, draft: Path) -> None:
    with pytest.raises(StoreError, match="expected the data folder of a station"):
        rehearsed(draft, "--station", str(tmp_path))
    code, told = rehearsed(draft, str(draft), "--station", str(tmp_path))
    assert code == 2 and "not both" in told["said"]
    assert rehearsed(draft)[0] == 2
