"""A real `tocsin run` in a folder of its own, and what it costs: CPU seconds and memory, read from /proc."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Station:
    """The process."""

    def __init__(self, folder: Path, *, feeds: list[str], hook_port: int) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.feeds = feeds
        hook = f"{{transport: webhook, url: 'http://127.0.0.1:{hook_port}/', allow: [127.0.0.1/32], timeout: 5 s}}"
        (folder / "channels.yaml").write_text(f"default: {hook}\n")
        self.process: subprocess.Popen[str] | None = None
        self.ready: dict[str, Any] = {}

    def begin(self) -> float:
        """Begin the process and wait until it is ready; return how long that took, in seconds."""
        began = time.monotonic()
        self.launch()
        self.wait_ready()
        return time.monotonic() - began

    def launch(self) -> None:
        """Begin the process."""
        told = ["run", str(self.folder / "agreement.yaml"), "--data", str(self.data)]
        told += [part for feed in self.feeds for part in ("--feed", feed)]
        told += ["--channels", str(self.folder / "channels.yaml")]
        errors = (self.folder / "stderr.txt").open("ab")
        command = [sys.executable, *os.environ.get("LOAD_UNDER", "").split(), "-m", "tocsin", *told]
        # As installed: what Python compiled is kept beside its source, which some test machines forbid.
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=kept)
        errors.close()

    def wait_ready(self) -> None:
        """Wait until it says that it is ready."""
        assert self.process is not None and self.process.stdout is not None
        said = self.process.stdout.readline()
        if not said:
            raise RuntimeError(f"no ready line: {(self.folder / 'stderr.txt').read_text()[-2_000:]}")
        self.ready = json.loads(said)

    @property
    def http_port(self) -> int:
        return int(self.ready["http"].rpartition(":")[2])

    @property
    def token(self) -> str:
        return Path(self.ready["token_file"]).read_text().strip()

    def ask(self, path: str) -> Any:
        """Return what it answers to a GET."""
        url = f"{self.ready['http']}{path}"
        asked = urllib.request.Request(url, headers={"authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    def cpu_s(self) -> float:
        """Return the CPU seconds that it has used."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mb(self) -> float:
        """Return the memory that it holds, in megabytes."""
        assert self.process is not None
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE / 1e6

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Stop it cleanly; return its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        if self.process is None or self.process.stdout is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(timeout=120)
        self.process.stdout.close()
        self.process = None
        return code


class Sink:
    """The receiver's process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "benchmarks.load.sink"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def end(self) -> list[tuple[float, str, str]]:
        """End it; return when each message came, its id and whom it is about."""
        said, _ = self._process.communicate()
        return [(at, message, track) for at, message, track in json.loads(said)]
