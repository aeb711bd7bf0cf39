"""A station follows remembered routes: kept with its version, gone on with after a restart, changed by a new one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from tests.station.walks import WRITTEN, walk

from tocsin.errors import RefusedError, ReportError
from tocsin.station.core.terms import AgreementText, compile_terms, read_text
from tocsin.station.live import LiveStation, Settings
from tocsin.tracks.feeds.feed import Delivery, open_feed
from tocsin.warn.channels.config import default_transports
from tocsin.watch.routes import NO_ROUTES, learn_routes, write_routes

AGREEMENT = Path(__file__).parent / "agreement.yaml"


def begun(folder: Path, written: AgreementText) -> LiveStation:
    settings = Settings(
        folder=folder, agreement=written, feeds=[open_feed("push:f")], transports=default_transports(folder)
    )
    station = LiveStation(settings)
    station.start()
    return station


def places(station: LiveStation) -> int:
    state = station.ticker.state
    assert state is not None
    return len(state.engine.routes.lat_deg)


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    path = tmp_path / "routes.parquet"
    write_routes(learn_routes(walk(np.random.default_rng(7), 2_000)), path)
    return path


def test_routes_outlast_restarts_and_change_with_a_version_only(tmp_path: Path, routes: Path) -> None:
    folder, written = tmp_path / "data", read_text(AGREEMENT, routes=routes)
    station = begun(folder, written)
    followed = places(station)
    batch = walk(np.random.default_rng(4), 400)
    station.ticker.deliver(Delivery(feed="f", batch=batch, rejects=(), read=400, position=None)).result(timeout=60)
    station.stop()
    assert followed > len(NO_ROUTES.lat_deg)

    station = begun(folder, WRITTEN)  # replays the ticks, and would stop if they decided anything else
    assert places(station) == followed
    later = written.text.replace(b"version: 1", b"version: 2")
    asyncio.run(station.reload(later))
    assert places(station) == followed
    station.stop()

    write_routes(learn_routes(walk(np.random.default_rng(8), 1_000)), routes)
    other = replace(read_text(AGREEMENT, routes=routes), text=later)
    with pytest.raises(RefusedError, match="other routes than the station follows"):
        begun(folder, other)
    station = begun(folder, replace(other, text=later.replace(b"version: 2", b"version: 3")))
    assert 0 < places(station) != followed
    station.stop()


def test_what_is_no_file_of_routes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="expected a file that tocsin routes wrote"):
        compile_terms(replace(WRITTEN, routes=b"PAR1 or not"))
