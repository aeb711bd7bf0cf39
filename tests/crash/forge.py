"""Many starts for the price of one: a process that has loaded everything forks a whole `tocsin run` each time.

    python -m tests.crash.forge

Reads a line of JSON for each start, `{"argv": [...], "out": PATH, "errors": PATH, "code": PATH}`, and answers with the
child's process id. The child is a process of its own in everything but the time its imports take: it opens its folder,
restores, listens, prints its ready line to `out`, and writes its exit code to `code` if it lives to have one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

LOADED = (
    "tocsin.cli",
    "tocsin.serve.app",
    "tocsin.serve.server",
    "tocsin.station.live",
    "tocsin.station.noticebook",
    "tocsin.tracks.feeds.file",
    "tocsin.tracks.feeds.push",
    "tocsin.tracks.feeds.tcp",
    "alembic.command",
    "sqlalchemy.dialects.sqlite",
)
"""What a start imports."""


class Forge:
    """The process that forks, from the side of whoever asks it to.

    Parameters
    ----------
    agreement : Path
        Whose kernels are loaded beforehand.
    """

    def __init__(self, agreement: Path) -> None:
        command = [sys.executable, "-m", "tests.crash.forge", str(agreement)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None and self._process.stdin is not None
        self._said, self._asked = self._process.stdout, self._process.stdin
        if self._said.readline() != "loaded\n":
            raise RuntimeError("the forge did not begin")

    def begin(self, argv: list[str], *, origin_s: float, out: Path, errors: Path, code: Path) -> int:
        """Begin a station; return its process id."""
        asked = {"argv": argv, "origin_s": origin_s, "out": str(out), "errors": str(errors), "code": str(code)}
        self._asked.write(json.dumps(asked) + "\n")
        self._asked.flush()
        return int(self._said.readline())

    def close(self) -> None:
        """End the process that forks; what it forked lives on."""
        self._asked.close()
        self._process.wait()
        self._said.close()


def serve(agreement: Path) -> None:
    """Load everything, then fork whatever is asked for."""
    from importlib import import_module

    for name in LOADED:
        import_module(name)
    from tocsin.station.core.terms import compile_terms, read_text
    from tocsin.station.warm import warm_up

    warm_up(compile_terms(read_text(agreement)))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are reaped by the kernel
    print("loaded", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            be(asked)
        print(child, flush=True)


def be(asked: dict[str, Any]) -> None:
    """Be the station that was asked for; never returns."""
    code = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, path in ((1, asked["out"]), (2, asked["errors"])):
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(opened, number)
            os.close(opened)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        sys.argv = ["tocsin", *asked["argv"]]
        from tests.crash.pace import quicken

        from tocsin.cli import main

        quicken(asked["origin_s"])
        code = 0
        with contextlib.suppress(SystemExit):
            try:
                main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
                raise
        sys.stdout.flush()
        sys.stderr.flush()
        Path(asked["code"]).write_text(str(code))
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
