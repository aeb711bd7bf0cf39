"""Killed with a hundred thousand live tracks, and begun again: from the start of the process to the first answer.

The first evaluated report is one pushed over HTTP as soon as the station says that it is ready: its answer comes when
it has been watched and is durable.
"""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.load import scene
from benchmarks.load.driver import texts
from benchmarks.load.process import Sink, Station
from tests.reliability import environment

TRACKS = 100_000
ROUNDS = 3
"""How often each track reports before the first kill."""

LIVES_S = 3.0
"""How long a station lives before it is killed again: long enough for a snapshot to be durable and named."""

AT_ONCE = 5_000
"""Lines of one request."""


def run(*, seed: int, starts: int) -> dict[str, Any]:
    """Fill a station, kill and begin it again so often, and return how long the first answers took."""
    answered_s, ready_s = [], []
    with tempfile.TemporaryDirectory(prefix="tocsin-load-") as folder:
        sea = scene.make(rate=round(TRACKS / scene.EVERY_S), seconds=ROUNDS * scene.EVERY_S, entries=50, seed=seed)
        scene.write_agreement(Path(folder) / "agreement.yaml", sea)
        sink = Sink()
        station = Station(Path(folder), feeds=["push:f?lateness=60s"], hook_port=sink.port)
        try:
            station.begin()
            lines = texts(sea, round((time.time() - ROUNDS * scene.EVERY_S) * 1e6))
            for first in range(0, len(lines), AT_ONCE):
                push(station, b"".join(lines[first : first + AT_ONCE]))
            for number in range(starts):
                time.sleep(LIVES_S)
                push(station, line(number - starts))
                station.kill()
                began = time.monotonic()
                ready_s.append(station.begin())
                push(station, line(number))
                answered_s.append(time.monotonic() - began)
            counts = station.ask("/counters")["total"]
            rss_mb, code = station.rss_mb(), station.stop()
        finally:
            station.kill()
            sink.end()
    sent = len(lines) + 2 * starts
    wrong = [] if counts["received"] == sent else [f"sent {sent}, {counts}"]
    cuts = np.percentile(answered_s, [50, 99])
    return {
        "tracks": TRACKS,
        "reports": len(lines),
        "starts": starts,
        "seed": seed,
        "p50_s": round(float(cuts[0]), 2),
        "p99_s": round(float(cuts[1]), 2),
        "max_s": round(max(answered_s), 2),
        "ready_p50_s": round(float(np.median(ready_s)), 2),
        "rss_mb": round(rss_mb),
        "exit_code": code,
        "wrong": wrong,
        "machine": environment(),
    }


def line(number: int) -> bytes:
    """Return one report of a vessel, as of now."""
    said = {"track_id": "mmsi:257000001", "observed": datetime.now(UTC).isoformat(), "lat_deg": 47.0, "lon_deg": -11.0}
    return json.dumps(said | {"lat_deg": 47.0 + number * 1e-4}).encode() + b"\n"


def push(station: Station, data: bytes) -> None:
    """Post reports, again for as long as the station takes none; return when they are durable."""
    door = http.client.HTTPConnection("127.0.0.1", station.http_port)
    headers = {"content-type": "application/x-ndjson", "authorization": f"Bearer {station.token}"}
    while True:
        door.request("POST", "/v1/reports", data, headers)
        answer = door.getresponse()
        said = answer.read()
        if answer.status == 200:
            break
        if answer.status not in (429, 503):
            raise RuntimeError(f"{answer.status}: {said[:300]!r}")
        time.sleep(0.05)
    door.close()
