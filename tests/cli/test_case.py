"""`tocsin case` against a real station on loopback: a vessel enters, a person acknowledges and mutes what is told."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.cli.test_bad_input import tocsin

from tocsin.clock import US_PER_S, now_us
from tocsin.serve.app import make_app
from tocsin.serve.keys import Keyring, Scope
from tocsin.serve.server import serving
from tocsin.station.core.terms import read_text
from tocsin.station.live import LiveStation, Settings
from tocsin.tracks.feeds.feed import open_feed
from tocsin.units import format_instant
from tocsin.warn.channels.config import default_transports

AGREEMENT = Path(__file__).parents[1] / "station" / "agreement.yaml"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """Yield the options of a station in whose ring a vessel is."""
    folder = tmp_path / "station"
    settings = Settings(
        folder=folder,
        agreement=read_text(AGREEMENT),
        feeds=[open_feed("push:f")],
        transports=default_transports(folder),
    )
    station = LiveStation(settings)
    keys = Keyring(folder / "keys" / "test.json")
    key = keys.create(Scope.KEEPER, now_us=now_us())
    (tmp_path / "key").write_text(key + "\n")
    stop, ports = asyncio.Event(), []

    async def run() -> None:
        async with serving(make_app(station, keys=keys)) as server:
            ports.append((server.port, asyncio.get_running_loop()))
            await station.run(stop)

    station.start()
    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        while not ports and thread.is_alive():
            time.sleep(0.01)
        port, loop = ports[0]
        url = f"http://127.0.0.1:{port}"
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
        for lon_deg in (10.1, 10.0):
            said = {"track_id": "dev:1", "observed": format_instant(now_us()), "lat_deg": 55.0, "lon_deg": lon_deg}
            pushed = httpx2.post(f"{url}/v1/reports?feed=f", content=json.dumps(said), headers=headers, timeout=60)
            assert pushed.json()["accepted"] == 1
        while not station.cases():
            time.sleep(0.02)
        yield "--station", url, "--token-file", str(tmp_path / "key")
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        station.stop()


def test_an_operator_lists_acknowledges_and_mutes_a_case(door: tuple[str, ...]) -> None:
    listed = tocsin("case", "list", *door)
    assert listed.returncode == 0, listed.stderr
    (line,) = listed.stdout.splitlines()
    case = line.split()[0]
    assert "dev:1" in line and line.endswith("ring")
    by = ("--who", "C. Officer", "--party", "watch")
    acknowledged = tocsin("case", "ack", case, *door, *by, "--text", "seen")
    assert acknowledged.returncode == 0, acknowledged.stderr
    assert json.loads(acknowledged.stdout)["disposition"] in {"counted", "late"}
    until = format_instant(now_us() + 1_800 * US_PER_S)
    muted = tocsin("case", "mute", case, *door, *by, "--reason", "in_contact", "--until", until)
    assert muted.returncode == 0, muted.stderr
    ended = tocsin("case", "mute", case, *door, *by, "--reason", "in_contact", "--until", "now")
    assert ended.returncode == 0, ended.stderr
    shown = json.loads(tocsin("case", "show", case, *door).stdout)
    mine = [mute for mute in shown["mutes"] if mute["reason"] == "in_contact"]
    assert mine == [json.loads(muted.stdout), json.loads(ended.stdout)]
    assert (mine[0]["until"], mine[0]["detail"]) == (until, "C. Officer for watch, in contact")
    assert mine[1]["until"] == mine[1]["at"]
    assert [step["input"] for step in shown["steps"]].count("muted") == 2
    assert [a["who"] for a in shown["acknowledgements"]] == ["C. Officer"]
    for until, said in (("2001-01-01T00:00:00Z", "until"), ("soon", "soon")):
        refused = tocsin("case", "mute", case, *door, *by, "--reason", "drill", "--until", until)
        assert refused.returncode == 1 and said in refused.stderr
    assert tocsin("case", "show", "00000000", *door).returncode == 1
    assert tocsin("case", "show", "0" * 32, *door).returncode == 1
    assert tocsin("case", "show", "six", *door).returncode == 2


def test_exit_4_when_the_station_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("tocsin_0_0")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        done = tocsin(
            "case", "list", "--station", f"http://127.0.0.1:{free.getsockname()[1]}", "--token-file", tmp_path / "key"
        )
    assert done.returncode == 4, done.stderr
    assert "does not answer" in done.stderr
