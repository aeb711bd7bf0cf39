"""A real `tocsin run` to be killed: its folder, the file that feeds it, the receiver it warns, and what it kept."""

from __future__ import annotations

import json
import math
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.warn.receiver import Receiver, status

from tocsin.store.connect import connect, sqlite_url

AGREEMENT = Path(__file__).parents[1] / "station" / "agreement.yaml"
BEGAN_S = 1_790_000_000
PACE = 60
"""Seconds of the reports' time in a second of ours."""

TRACKS = 6
EVERY_S = 10
"""Seconds of their time between two reports of one track."""

READY_S = 240
"""How long a start may take on a machine that has to compile everything first."""


def line(track: int, at_s: float) -> bytes:
    """Return one report: vessels cross the ring to and fro, each in its own time."""
    phase = 2 * math.pi * at_s / 1_200 + track
    said = {
        "track_id": f"dev:{track}",
        "observed": datetime.fromtimestamp(BEGAN_S + at_s, UTC).isoformat(),
        "lat_deg": 55 + 0.001 * track,
        "lon_deg": 10 + 0.08 * math.sin(phase),
    }
    return json.dumps(said).encode() + b"\n"


@dataclass
class Source:
    """A program that writes reports to a file, at its own pace, and never waits for the station."""

    path: Path
    count: int = 0
    began: float = field(default_factory=time.monotonic)

    def write(self) -> None:
        """Append what is due by now, each line whole."""
        due = int((time.monotonic() - self.began) * PACE / EVERY_S * TRACKS)
        with self.path.open("ab") as file:
            while self.count < due:
                at_s = self.count / TRACKS * EVERY_S
                file.write(line(self.count % TRACKS, at_s))
                self.count += 1


class Station:
    """The process, begun again after every kill."""

    def __init__(self, folder: Path, *, store: str | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.store = store
        self.source = Source(folder / "reports.jsonl")
        self.source.path.touch()
        self.receiver = Receiver(status(200))
        self.process: subprocess.Popen[str] | None = None
        self.kills = 0
        self.starts_s: list[float] = []
        self.receiver.__enter__()
        url = self.receiver.url
        hook = f"{{transport: webhook, url: '{url}', allow: [127.0.0.1/32], timeout: 5 s}}"
        (folder / "channels.yaml").write_text(f"default: {hook}\n")

    def command(self) -> list[str]:
        feed = f"file:{self.source.path}?format=json&lateness=1s&hold=3650d&name=f"
        told = ["run", str(AGREEMENT), "--data", str(self.data), "--feed", feed]
        told += ["--channels", str(self.folder / "channels.yaml")]
        return [sys.executable, "-m", "tocsin", *told, *(["--store", self.store] if self.store else [])]

    def begin(self, *before: str) -> None:
        """Begin the process, under another command if given; it is not waited for."""
        errors = (self.folder / "stderr.txt").open("ab")
        self.process = subprocess.Popen([*before, *self.command()], stdout=subprocess.PIPE, stderr=errors, text=True)
        errors.close()

    def wait_ready(self) -> dict[str, Any]:
        """Wait for the ready line."""
        assert self.process is not None and self.process.stdout is not None
        began = time.monotonic()
        said = self.process.stdout.readline()
        assert said, f"no ready line; {self.errors()}"
        self.starts_s.append(time.monotonic() - began)
        return json.loads(said)

    def run_for(self, seconds: float) -> None:
        """Let it work while reports are written."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.source.write()
            time.sleep(min(0.02, max(0.0, until - time.monotonic())))

    def kill(self) -> None:
        """Kill it as a power cut would, and reap it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.close_pipes()
        self.kills += 1

    def stop(self) -> int:
        """Stop it cleanly and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=120)
        self.close_pipes()
        return code

    def close_pipes(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.receiver.__exit__()

    def errors(self) -> str:
        return (self.folder / "stderr.txt").read_text()[-2_000:]

    def drain(self, seconds: float = 120) -> None:
        """Wait until everything that was written is decided, and every attempt has its outcome."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process is not None and self.process.poll() is None, self.errors()
            if self.received() == self.source.count and not self.query("SELECT count(*) FROM outbox")[0][0]:
                return
            time.sleep(0.2)
        raise AssertionError(f"{self.received()} of {self.source.count} reports after {seconds} s; {self.errors()}")

    def query(self, sql: str) -> list[Any]:
        """Ask the store, as a reader beside the station."""
        engine = connect(self.store_url, read_only=True)
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.exec_driver_sql(sql)]
        finally:
            engine.dispose()

    @property
    def store_url(self) -> str:
        return self.store or sqlite_url(self.data / "station.db")

    def counters(self) -> dict[str, Any]:
        return json.loads(self.query("SELECT value FROM station WHERE key='counters'")[0][0])

    def received(self) -> int:
        return self.counters().get("f", {}).get("received", 0)

    def facts(self) -> list[dict[str, Any]]:
        return [json.loads(row[0]) for row in self.query("SELECT line FROM fact ORDER BY seq")]

    def delivered(self) -> Counter[str]:
        """How often the receiver was given each message."""
        return Counter(request.headers["webhook-id"] for request in self.receiver.received)


def scatter(station: Station, kills: int, rng: random.Random, *, longest_s: float = 3.0) -> None:
    """Kill it so often, at random moments of its start and its work."""
    for _ in range(kills):
        station.begin()
        if rng.random() < 0.3:
            station.run_for(rng.random() * (station.starts_s[-1] if station.starts_s else 2.0))
        else:
            station.wait_ready()
            station.run_for(rng.random() * longest_s)
        station.kill()
