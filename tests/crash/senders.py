"""Who feeds a station that is killed: a file that grows, pushes that are answered, a TCP connection that is not.

Each has tracks of its own, all in order, and reports the time of the machine it is on. A push is sent again until it is
answered, and the next only then, so that in the end the station has every report of it. What a broken TCP connection
took with it, nobody acknowledged. While no station runs nobody reports.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.crash.pace import BEGAN_S, machine_s

TRACKS = 6
"""Of each sender."""

EVERY_S = 20
"""Seconds of their time between two reports of one track."""

AT_ONCE = 60
AT_ONCE_S = 200.0
"""Lines of one push, and how much of the reports' time: less than its feed's lateness, so that sent again it is never
late."""

FIRST_TRACK = {"f": 0, "h": 100, "t": 200}
"""By the feed's name."""


def line(track: int, at_s: float) -> bytes:
    """Return one report: vessels cross the ring to and fro, each in its own time."""
    phase = 2 * math.pi * at_s / 1_200 + track
    said = {
        "track_id": f"dev:{track}",
        "observed": datetime.fromtimestamp(BEGAN_S + at_s, UTC).isoformat(),
        "lat_deg": 55 + 0.001 * (track % 100),
        "lon_deg": 10 + 0.08 * math.sin(phase),
    }
    return json.dumps(said).encode() + b"\n"


@dataclass
class Clock:
    """The machine's time since it began, and whether anybody reports."""

    origin_s: float = field(default_factory=time.monotonic)
    is_running: bool = False

    def now_s(self) -> float:
        return machine_s(self.origin_s) - BEGAN_S


@dataclass
class Reports:
    """The reports of one sender, as they fall due."""

    feed: str
    clock: Clock
    count: int = 0
    place: int = 0
    was_running: bool = False

    def due(self) -> list[tuple[float, bytes]]:
        """Return what has fallen due since the last call, each with its time; nothing from a pause."""
        until = int(self.clock.now_s() / EVERY_S * TRACKS)
        if not self.was_running:
            self.place = until
        self.was_running = self.clock.is_running
        if not self.clock.is_running:
            return []
        made = []
        for place in range(self.place, until):
            at_s = place / TRACKS * EVERY_S
            made.append((at_s, line(FIRST_TRACK[self.feed] + place % TRACKS, at_s)))
        self.place, self.count = until, self.count + len(made)
        return made


@dataclass
class Source:
    """A program that appends reports to a file, and never waits for the station."""

    path: Path
    clock: Clock
    reports: Reports = field(init=False)

    def __post_init__(self) -> None:
        self.reports = Reports("f", self.clock)
        self.path.touch()

    @property
    def count(self) -> int:
        return self.reports.count

    def write(self) -> None:
        """Append what is due by now, each line whole."""
        with self.path.open("ab") as file:
            file.writelines(made for _, made in self.reports.due())


class Pusher:
    """A program that pushes reports over HTTP until each is answered; keeps what was answered.

    Attributes
    ----------
    answered : bytearray
        Every line for which the station answered that it is durable.
    again : int
        Requests that had to be made again.
    """

    def __init__(self, clock: Clock) -> None:
        self.reports = Reports("h", clock)
        self.answered = bytearray()
        self.again = 0
        self._door: tuple[int, str] | None = None
        self._queue: list[tuple[float, bytes]] = []
        self._busy = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def meet(self, port: int, token: str) -> None:
        """Push to this station from now on."""
        self._door = (port, token)

    def lose(self) -> None:
        """Take the station to be gone."""
        self._door = None

    @property
    def is_done(self) -> bool:
        """True if everything that was made is answered."""
        with self._busy:
            self._queue += self.reports.due()
            return not self._queue

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.02):
            with self._busy:
                self._queue += self.reports.due()
                if not self._queue or self._door is None:
                    continue
                few = [one for at_s, one in self._queue[:AT_ONCE] if at_s < self._queue[0][0] + AT_ONCE_S]
                batch = b"".join(few)
                if self._post(batch, *self._door):
                    self.answered += batch
                    del self._queue[: len(few)]
                else:
                    self.again += 1

    def _post(self, batch: bytes, port: int, token: str) -> bool:
        headers = {"content-type": "application/x-ndjson", "authorization": f"Bearer {token}"}
        with contextlib.suppress(OSError, http.client.HTTPException):
            door = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                door.request("POST", "/v1/reports", batch, headers)
                answer = door.getresponse()
                answer.read()
                return answer.status == 200
            finally:
                door.close()
        return False


class Caller:
    """A program that sends reports over TCP and hears nothing back."""

    def __init__(self, clock: Clock) -> None:
        self.reports = Reports("t", clock)
        self._door: socket.socket | None = None

    def meet(self, port: int) -> None:
        """Send to this station from now on."""
        self.lose()
        with contextlib.suppress(OSError):
            self._door = socket.create_connection(("127.0.0.1", port), timeout=5)

    def lose(self) -> None:
        """Close the connection."""
        if self._door is not None:
            self._door.close()
            self._door = None

    def write(self) -> None:
        """Send what is due by now; without a station it is lost."""
        due = b"".join(made for _, made in self.reports.due())
        if due and self._door is not None:
            try:
                self._door.sendall(due)
            except OSError:
                self.lose()
