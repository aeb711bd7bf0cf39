"""PostgreSQL restarted as by a crash while a station works on it (FAULTS 11): a stall, no loss, nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.crash.judge import judge
from tests.crash.station import Station
from tests.store.postgres import postgres


@pytest.mark.timeout(600)
def test_restarts_of_the_database_lose_and_double_nothing(tmp_path: Path) -> None:
    with postgres() as server:
        station = Station(tmp_path, store=server.url)
        try:
            station.begin()
            station.wait_ready()
            for _ in range(2):
                station.run_for(3)
                server.restart()
            station.run_for(3)
            station.run_until_answered()  # what was said unrecorded, while the database was away, is recorded by then
            station.kill()
            station.begin()
            station.wait_ready()
            station.run_for(1)
            station.drain()
            assert station.stop() == 0, station.errors()
            verdict = judge(station)
            assert not verdict.faults
            assert (verdict.lost, verdict.missing, verdict.extra, verdict.doubled) == (0, 0, 0, 0)
            assert verdict.events >= 4
        finally:
            station.close()
