"""A draft follows a running station: it tells what it would tell in force, and the station hears nothing of it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from tests.station.test_asked import begun
from tests.station.walks import SECOND, WRITTEN, walk
from typer.testing import CliRunner

from tocsin import clock
from tocsin.cli import app
from tocsin.errors import RefusedError, StoreError
from tocsin.station.core.terms import AgreementText, Terms, compile_terms
from tocsin.station.live import LiveStation
from tocsin.station.shadow import BOTH, DRAFT, IN_FORCE, Compared, Shadow
from tocsin.tracks.feeds.feed import Delivery
from tocsin.warn.channels.config import default_transports


def draft(*changes: tuple[bytes, bytes], version: int = 2) -> Terms:
    """Return the agreement of the tests as a draft with other words."""
    text = WRITTEN.text.replace(b"version: 1", f"version: {version}".encode())
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return compile_terms(AgreementText(file="draft.yaml", text=text))


WIDER = (b"radius: 2 km", b"radius: 3 km")


def deliver(station: LiveStation, first: int, last: int, *, from_us: int, who: str = "dev:f") -> None:
    """Give a station some of a walk's reports, fifteen milliseconds apart: none is ahead of the clock."""
    batch = walk(np.random.default_rng(4), 400).take(slice(first, last))
    at_us = from_us + np.arange(len(batch)) * SECOND * 15 // 1000
    batch = replace(batch, observed_us=at_us, received_us=at_us, tracks=tuple(f"{who}{i}" for i in range(3)))
    delivery = Delivery(feed="f", batch=batch, rejects=(), read=len(batch), position=None)
    station.ticker.deliver(delivery).result(timeout=60)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[LiveStation]:
    station = begun(tmp_path / "data", default_transports(tmp_path / "data"))
    deliver(station, 0, 150, from_us=clock.now_us() - 3 * SECOND)
    yield station
    station.stop()


def settled(shadow: Shadow, station: LiveStation) -> list[Compared]:
    """Return what comes of tracks that are first seen while the draft is as if in force."""
    deliver(station, 150, 400, from_us=shadow.begun_us, who="dev:new")
    return list(shadow.step())


def seen(told: list[Compared], by: str) -> Counter[tuple[str, str, str]]:
    """Return kind, track and standing of the events that somebody told."""
    return Counter(
        (c.told["kind"], c.told["track"], c.told["standing"]) for c in told if c.by == by and c.sort == "event"
    )


def test_draft_that_changes_nothing_tells_what_the_version_in_force_tells(station: LiveStation, tmp_path: Path) -> None:
    shadow = Shadow(tmp_path / "data", draft())
    told = settled(shadow, station)
    shadow.close()
    assert seen(told, DRAFT) == seen(told, IN_FORCE) and len(seen(told, DRAFT)) > 2
    assert {c.told["agreement"]["version"] for c in told if c.by == DRAFT and c.sort == "event"} == {2}


def test_wider_draft_warns_of_more_and_no_message_of_it_leaves(station: LiveStation, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shadow = Shadow(folder, draft(WIDER, (b"You are in the ring.", b"You are in the wider ring.")))
    told = settled(shadow, station)
    shadow.close()
    words = [c.told["body"] for c in told if c.by == DRAFT and c.sort == "message"]
    assert any("wider ring" in body for body in words)
    assert sum(seen(told, DRAFT).values()) > 0
    station.stop()
    assert "wider ring" not in (folder / "messages.jsonl").read_text()
    assert all(fact.get("agreement", {}).get("version") != 2 for fact in station.facts(limit=10_000).rows)
    assert station.ticker.failed is None


def test_open_cases_go_on_for_both_and_are_said_once(station: LiveStation, tmp_path: Path) -> None:
    shadow = Shadow(tmp_path / "data", draft())
    deadline = time.monotonic() + 20
    told: list[Compared] = []
    while not any(c.sort == "message" and c.by == BOTH for c in told) and time.monotonic() < deadline:
        time.sleep(0.2)
        told += shadow.step()
    shadow.close()
    assert any(c.sort == "message" and c.by == BOTH for c in told), "the ladder of an open case climbs alike"
    assert not any(c.sort == "message" and c.by == DRAFT for c in told)


def test_what_cannot_follow_is_refused(station: LiveStation, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="expected one after 1"):
        Shadow(tmp_path / "data", draft(version=1))
    with pytest.raises(RefusedError, match="expected 'harbour'"):
        Shadow(tmp_path / "data", draft((b"id: harbour", b"id: other")))
    with pytest.raises(StoreError, match="expected the data folder of a station"):
        Shadow(tmp_path, draft())


def test_command_prints_a_line_for_each_until_it_is_interrupted(
    station: LiveStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "draft.yaml"
    path.write_bytes(draft(WIDER).written.text)

    def pause() -> None:
        if station.ticker.state and station.ticker.state.event_count > before:
            raise KeyboardInterrupt
        deliver(station, 150, 400, from_us=clock.now_us(), who="dev:new")

    before = station.ticker.state.event_count if station.ticker.state else 0
    monkeypatch.setattr("tocsin.cli.follow.pause", pause)
    came = CliRunner().invoke(app, ["rehearse", str(path), "--station", str(tmp_path / "data"), "--follow"])
    assert came.exit_code == 0, came.output
    lines = [json.loads(line) for line in came.stdout.splitlines() if line.startswith("{")]
    assert {line["by"] for line in lines} >= {DRAFT, IN_FORCE}
    assert "no message leaves" in came.stderr and "draft: " in came.stderr
    refused = CliRunner().invoke(app, ["rehearse", str(path), "--follow"])
    assert refused.exit_code == 2 and "--follow" in refused.output
