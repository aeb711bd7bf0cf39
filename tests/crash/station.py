"""A real `tocsin run` to be killed: its folder, the programs that feed it, the receiver it warns, and what it kept."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError
from tests.crash.forge import Forge
from tests.crash.senders import Caller, Clock, Pusher, Source
from tests.keeper import Keeper
from tests.warn.receiver import Handler, Receiver, status

from tocsin.record.c2sp.checkpoint import parse_checkpoint
from tocsin.record.c2sp.note import parse_note
from tocsin.record.files import replace_file
from tocsin.record.verifier.source import FolderSource
from tocsin.record.verifier.verify import CHECKPOINT, read_vkey
from tocsin.store.connect import connect, sqlite_url
from tocsin.store.store import KeptTick

AGREEMENT = Path(__file__).parents[1] / "station" / "agreement.yaml"

LATENESS_S = {"f": 1, "h": 300, "t": 1}
"""Of each feed, in the reports' time: a push that is sent again is as old as its answer took."""

CHANGES = ("radius: 3 km", "radius: 2 km", "lat_deg: 55.0, lon_deg: 10.01", "title: harbour of the kills")
"""What a later version says instead of the words of the same key: the size of the ring, its place, nothing watched."""

READY_S = 240
"""How long a start may take on a machine that has to compile everything first."""


ANSWER_S = 0.05
"""How long the receiver thinks before it answers: long enough for a kill to come between."""


def slowly(handler: Handler) -> None:
    """Take a message, and say so a little later."""
    time.sleep(ANSWER_S)
    status(200)(handler)


class Station:
    """The process, begun again after every kill.

    Parameters
    ----------
    folder : Path
    store : str, optional
        Another database than the folder's own file.
    forge : Forge, optional
        Forks the process instead of loading everything for it.
    """

    def __init__(self, folder: Path, *, store: str | None = None, forge: Forge | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.store = store
        self.clock = Clock()
        self.source = Source(folder / "reports.jsonl", self.clock)
        self.pusher = Pusher(self.clock)
        self.caller = Caller(self.clock)
        self.receiver = Receiver(slowly)
        self.kills = 0
        self.starts_s: list[float] = []
        self._forge = forge
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._out = self._code = folder / "out-0"
        self._began = 0.0
        self.receiver.__enter__()
        url = self.receiver.url
        hook = f"{{transport: webhook, url: '{url}', allow: [127.0.0.1/32], timeout: 5 s}}"
        (folder / "channels.yaml").write_text(f"default: {hook}\n")
        self.agreement = folder / "agreement.yaml"
        self.agreement.write_text(slowed(AGREEMENT.read_text()))
        self.keeper = Keeper(self.data)
        self.ticks: list[KeptTick] = []
        self._remembered = 0.0

    def arguments(self) -> list[str]:
        """Return what `tocsin` is told."""
        waits = {name: f"lateness={late}s&hold=3650d" for name, late in LATENESS_S.items()}
        feeds = [
            f"file:{self.source.path}?format=json&name=f&{waits['f']}",
            f"push:h?{waits['h']}",
            f"tcp-listen://127.0.0.1:0?format=json&name=t&{waits['t']}",
        ]
        told = [
            "run",
            str(self.agreement),
            "--data",
            str(self.data),
            *(part for url in feeds for part in ("--feed", url)),
        ]
        told += ["--channels", str(self.folder / "channels.yaml")]
        return [*told, *(["--store", self.store] if self.store else [])]

    def begin(self) -> None:
        """Begin the process; it is not waited for."""
        number = len(list(self.folder.glob("out-*")))
        self._out, self._code = self.folder / f"out-{number}", self.folder / f"code-{number}"
        self._out.touch()
        errors = self.folder / "stderr.txt"
        self._began = time.monotonic()
        if self._forge is not None:
            self._pid = self._forge.begin(
                self.arguments(), origin_s=self.clock.origin_s, out=self._out, errors=errors, code=self._code
            )
            return
        with self._out.open("ab") as out, errors.open("ab") as told:
            command = [sys.executable, "-m", "tests.crash.pace", str(self.clock.origin_s), *self.arguments()]
            self._process = subprocess.Popen(command, stdout=out, stderr=told)
        self._pid = self._process.pid

    def wait_ready(self) -> dict[str, Any]:
        """Wait for the ready line, and let everybody know the station's doors."""
        while time.monotonic() - self._began < READY_S:
            if (said := self._out.read_bytes()).endswith(b"\n"):
                break
            assert self.is_alive(), f"no ready line; {self.errors()}"
            time.sleep(0.005)
        else:
            raise AssertionError(f"no ready line after {READY_S} s; {self.errors()}")
        self.starts_s.append(time.monotonic() - self._began)
        ready: dict[str, Any] = json.loads(said)
        self.keeper.begin((self.data / "record" / "log.vkey").read_text().strip())
        token = Path(ready["token_file"]).read_text().strip()
        self.pusher.meet(int(ready["http"].rpartition(":")[2]), token)
        self.caller.meet(int(ready["feeds"]["t"]))
        return ready

    def is_alive(self) -> bool:
        """Return True while the process lives."""
        if self._process is not None:
            return self._process.poll() is None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, 0)
            return self._pid > 0
        return False

    def run_for(self, seconds: float) -> None:
        """Let it work while reports are written."""
        self.clock.is_running = True
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.source.write()
            self.caller.write()
            self._remember_in_time()
            time.sleep(min(0.02, max(0.0, until - time.monotonic())))
        self.clock.is_running = False

    def run_until_answered(self, seconds: float = 60) -> None:
        """Let it work until it has answered for something new: all that was decided before is durable then."""
        until, answered = time.monotonic() + seconds, len(self.pusher.answered)
        while len(self.pusher.answered) == answered:
            assert time.monotonic() < until, f"nothing is answered for; {self.errors()}"
            self.run_for(0.1)

    def kill(self) -> None:
        """Kill it as a power cut would, and reap it."""
        self._end(signal.SIGKILL)
        self.kills += 1
        self.remember()

    def remember(self) -> None:
        """Keep the inputs of every tick so far: the station's own leave with their hour."""
        if not self.has_store():
            return
        after = self.ticks[-1].tick if self.ticks else 0
        columns = "tick, at_us, reports, inputs, digest"
        for row in self.query(f"SELECT {columns} FROM tick WHERE tick > {after} ORDER BY tick"):
            self.ticks.append(KeptTick(**dict(zip(columns.split(", "), row, strict=True))))

    def _remember_in_time(self) -> None:
        """Remember now and then while it lives: on a busy machine a life is long enough for an hour to be archived."""
        if time.monotonic() - self._remembered > REMEMBER_EVERY_S:
            self.remember()
            self._remembered = time.monotonic()

    def has_store(self) -> bool:
        """Return True once its tables are made."""
        try:
            return bool(self.query("SELECT count(*) FROM tick"))
        except DBAPIError:
            return False

    def change(self, rng: random.Random) -> None:
        """Write the next version of its agreement; it is read at SIGHUP, or at the next start."""
        text = self.agreement.read_text()
        number = int(re.search(r"^version: (\d+)$", text, re.M)[1])  # type: ignore[index]
        new = rng.choice(CHANGES)
        text = re.sub(
            rf"{new.partition(' ')[0]} [^,}}\n]*" + (", lon_deg: [^}]*" if "lon" in new else ""), new, text, count=1
        )
        replace_file(self.agreement, text.replace(f"version: {number}", f"version: {number + 1}").encode())

    def reload(self) -> None:
        """Let the running process read its agreement anew."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGHUP)

    def stop(self) -> int:
        """Stop it cleanly and return its exit code."""
        self._end(signal.SIGTERM)
        if self._process is not None:
            return self._process.returncode
        return int(self._code.read_text()) if self._code.exists() else -1

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=120)
        else:
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(self._pid)
                try:
                    signal.pidfd_send_signal(handle, number)
                    assert select.select([handle], [], [], 120)[0], "it does not end"
                finally:
                    os.close(handle)
        self.pusher.lose()
        self.caller.lose()

    def close(self) -> None:
        """End everything."""
        if self._pid and self.is_alive():
            self.kill()
        self.pusher.close()
        self.receiver.__exit__()

    def errors(self) -> str:
        return (self.folder / "stderr.txt").read_text()[-2_000:]

    def drain(self, seconds: float = 120) -> None:
        """Wait until everything that was made is decided, and every attempt has its outcome."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.is_alive(), self.errors()
            if self.pusher.is_done and self.received() == self.source.count and not self._outbox():
                return
            self._remember_in_time()
            time.sleep(0.1)
        raise AssertionError(f"{self.received()} of {self.source.count} reports after {seconds} s; {self.errors()}")

    def _outbox(self) -> int:
        return int(self.query("SELECT count(*) FROM outbox")[0][0])

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


REMEMBER_EVERY_S = 1.0
"""How often the ticks of a living station are read, seconds."""

LONG_S = 3.0
"""How long some lives last: long enough for a snapshot and an hour of the archive."""


def scatter(station: Station, kills: int, rng: random.Random, *, longest_s: float = 3.0) -> None:
    """Kill it so often, at random moments of its start and its work, whatever it is asked meanwhile."""
    for _ in range(kills):
        station.begin()
        if rng.random() < 0.45:
            station.run_for(rng.random() * (station.starts_s[-1] if station.starts_s else 2.0))
        else:
            station.wait_ready()
            station.run_for(rng.random() * 0.1)
            ask(station, rng)
            station.run_for(LONG_S if rng.random() < 0.06 else rng.random() * longest_s)
        station.kill()
        station.keeper.collect(rng)


def ask(station: Station, rng: random.Random) -> None:
    """Ask a running station for what its keeper may want: a new version, a new key, entries for a party."""
    if rng.random() < 0.15:
        station.change(rng)
        station.reload()
    if rng.random() < 0.6:
        read = FolderSource(station.data / "record").read
        size = parse_checkpoint(parse_note(read(CHECKPOINT) or b"").text).size
        station.keeper.ask(rng, vkey=str(read_vkey(read)), size=size)


def slowed(text: str) -> str:
    """Return an agreement whose ladder waits minutes, which are as short as seconds on a fast machine."""
    return re.sub(r"PT(\d+)S", r"PT\1M", text).replace("\nladder:", "\nrecord: {keep_for: P1D}\nladder:")
