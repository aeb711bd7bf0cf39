"""Real peers on loopback: a broker, a message server; each with its own folder and port, ended when the test is.

A missing program skips the test, unless TOCSIN_REQUIRE_PEERS is set: then it is a failure.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ELSEWHERE = "/usr/sbin:/usr/local/sbin:/usr/lib/postgresql/15/bin"
"""Where Debian keeps programs that are in nobody's PATH."""


@dataclass
class Peer:
    """A running program.

    Attributes
    ----------
    port : int
    process : subprocess.Popen
    """

    port: int
    process: subprocess.Popen[bytes]


def program(name: str) -> str:
    """Return the path of a program, or skip the test."""
    found = shutil.which(name) or shutil.which(name, path=ELSEWHERE)
    if found is None:
        if os.environ.get("TOCSIN_REQUIRE_PEERS"):
            pytest.fail(f"no {name} here, and TOCSIN_REQUIRE_PEERS is set")
        pytest.skip(f"no {name} here")
    return found


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int) -> Iterator[Peer]:
    """Yield a program once it listens, and end it afterwards."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(1_000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                pytest.fail(f"{command[0]} ended at once")
            time.sleep(0.02)
        else:
            pytest.fail(f"{command[0]} does not listen")
        yield Peer(port, process)
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def mosquitto(folder: Path, *lines: str) -> Iterator[Peer]:
    """Yield a broker; `lines` are added to its configuration."""
    broker, port = program("mosquitto"), free_port()
    config = folder / "mosquitto.conf"
    listener = [f"listener {port} 127.0.0.1", *lines]
    if not any(line.startswith(("allow_anonymous", "password_file")) for line in lines):
        listener.append("allow_anonymous true")
    config.write_text("\n".join(["per_listener_settings false", *listener, "user root", ""]))
    with running([broker, "-c", str(config)], port) as peer:
        yield peer


@contextmanager
def nats_server(folder: Path, *options: str) -> Iterator[Peer]:
    """Yield a server with JetStream in the folder; `options` are added to its command line."""
    server, port = program("nats-server"), free_port()
    command = [server, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder / "js"), *options]
    with running(command, port) as peer:
        yield peer
