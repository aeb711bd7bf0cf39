"""A real PostgreSQL on loopback: its own folder and port, run as the user postgres where we are root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers import free_port, program

from tocsin.store.connect import sqlite_url


@dataclass
class Postgres:
    """A server that a test may stop, start and set otherwise."""

    folder: Path
    port: int
    pg_ctl: str

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def control(self, *arguments: str) -> None:
        data, log = self.folder / "data", self.folder / "log"
        _as_postgres(self.pg_ctl, "-D", str(data), "-l", str(log), "-w", "-t", "120", *arguments)

    def start(self, **settings: str) -> None:
        options = {"port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": ""} | settings
        told = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        self.control("-o", told, "start")

    def restart(self, **settings: str) -> None:
        """Restart as a crash would: no checkpoint, connections cut."""
        self.control("-m", "immediate", "stop")
        self.start(**settings)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server while the context is open."""
    pg_ctl = program("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="tocsin-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    folder.chmod(0o700)
    server = Postgres(folder, free_port(), pg_ctl)
    _as_postgres(
        str(Path(pg_ctl).with_name("initdb")), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-N"
    )
    try:
        server.start()
        yield server
    finally:
        subprocess.run(_command(pg_ctl, "-D", str(folder / "data"), "-m", "immediate", "stop"), check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _as_postgres(*command: str) -> None:
    done = subprocess.run(_command(*command), check=False, capture_output=True, text=True, timeout=180, cwd="/")
    assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"


def _command(*command: str) -> list[str]:
    as_postgres = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
    return [*(as_postgres if os.geteuid() == 0 else ()), *command]


DATABASES = ("sqlite", "postgresql")
"""What a station may keep its store in."""


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of an empty database of a kind: a file in a folder, or a server while the context is open."""
    if kind == "sqlite":
        yield sqlite_url(folder / "a.db")
        return
    with postgres() as server:
        yield server.url
