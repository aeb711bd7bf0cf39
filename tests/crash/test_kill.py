"""kill -9 at random (FAULTS 1 and 3): nothing that was taken is lost, nothing decided is missing, extra or doubled."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.crash.judge import judge
from tests.crash.station import Station, scatter


@pytest.mark.timeout(600)
def test_kills_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    station = Station(tmp_path)
    try:
        station.begin()
        station.wait_ready()
        station.run_for(4)
        station.kill()
        scatter(station, 2, random.Random(1))
        station.begin()
        station.wait_ready()
        station.run_for(2)
        station.drain()
        assert station.stop() == 0, station.errors()
        verdict = judge(station)
        assert not verdict.faults
        assert (verdict.lost, verdict.missing, verdict.extra, verdict.doubled) == (0, 0, 0, 0)
        assert verdict.events >= 4 and verdict.messages >= 4
    finally:
        station.close()
