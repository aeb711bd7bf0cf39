"""Killed with a hundred thousand live tracks, and begun again: from the start of the process to the first bell.

The first report comes over TCP as soon as somebody listens: a vessel that was seen outside a zone before the kill is
inside it. It has been evaluated, and is durable, when the warning is at its receiver; that is what is measured. Beside
it is told how long it takes until the HTTP door is open and has answered a report of another vessel.
"""

from __future__ import annotations

import http.client
import json
import socket
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
    """Fill a station, kill and begin it again so often, and return how long the first warnings and answers took."""
    began_s, answered_s = [], []
    with tempfile.TemporaryDirectory(prefix="tocsin-load-") as folder:
        sea = scene.make(rate=round(TRACKS / scene.EVERY_S), seconds=ROUNDS * scene.EVERY_S, entries=50, seed=seed)
        scene.write_agreement(Path(folder) / "agreement.yaml", sea)
        sink, port = Sink(), free_port()
        feeds = ["push:f?lateness=60s", f"tcp-listen://127.0.0.1:{port}?format=json&name=t&lateness=60s"]
        station = Station(Path(folder), feeds=feeds, hook_port=sink.port)
        try:
            station.begin()
            lines = texts(sea, round((time.time() - ROUNDS * scene.EVERY_S) * 1e6))
            for first in range(0, len(lines), AT_ONCE):
                push(station, b"".join(lines[first : first + AT_ONCE]))
            for number in range(starts):
                time.sleep(LIVES_S)
                push(station, line(sea, number, metres=10.0))
                station.kill()
                began_s.append(time.time())
                station.launch()
                with knock(port) as door:
                    door.sendall(line(sea, number, metres=-10.0))
                    station.wait_ready()
                    push(station, line(sea, starts + number, metres=10.0))
                    answered_s.append(time.time() - began_s[-1])
            time.sleep(LIVES_S)
            counts = station.ask("/counters")["total"]
            rss_mb, code = station.rss_mb(), station.stop()
        finally:
            station.kill()
            got = sink.end()
    sent = len(lines) + 3 * starts
    wrong = [] if counts["received"] == sent else [f"sent {sent}, {counts}"]
    told = {track: at for at, _, track in reversed(got)}
    missing = [n for n in range(starts) if mmsi(n) not in told]
    wrong += [f"nobody was told of vessels {missing}"] if missing else []
    warned_s = [told[mmsi(n)] - at for n, at in enumerate(began_s) if mmsi(n) in told]
    cuts, http_cuts = np.percentile(warned_s or [np.nan], [50, 99]), np.percentile(answered_s, [50, 99])
    return {
        "tracks": TRACKS,
        "reports": len(lines),
        "starts": starts,
        "seed": seed,
        "p50_s": round(float(cuts[0]), 2),
        "p99_s": round(float(cuts[1]), 2),
        "max_s": round(max(warned_s, default=np.nan), 2),
        "http_p50_s": round(float(http_cuts[0]), 2),
        "http_p99_s": round(float(http_cuts[1]), 2),
        "rss_mb": round(rss_mb),
        "exit_code": code,
        "wrong": wrong,
        "machine": environment(),
    }


def mmsi(number: int) -> str:
    """Return the identity of a vessel that is no other's."""
    return str(257_000_000 + number)


def line(sea: scene.Scene, number: int, *, metres: float) -> bytes:
    """Return one report, as of now, of a vessel so far north of the edge of a zone; negative is inside."""
    zone = number % scene.ZONES
    lon, lat, _ = scene.GEOD.fwd(sea.lon_deg[zone], sea.lat_deg[zone], 0.0, sea.radius_m[zone] + metres)
    said = {
        "track_id": f"mmsi:{mmsi(number)}",
        "observed": datetime.now(UTC).isoformat(),
        "lat_deg": lat,
        "lon_deg": lon,
    }
    return json.dumps(said).encode() + b"\n"


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def knock(port: int) -> socket.socket:
    """Return a connection to a station, made as soon as it listens."""
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.005)


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
