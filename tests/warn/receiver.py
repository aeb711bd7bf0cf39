"""A real HTTP receiver on loopback that answers by script: a status, a hang, a close, or a slow drip."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Script = Callable[["Handler"], None]


@dataclass
class Received:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """Reads the whole request, keeps it, then does the next thing of the script."""

    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append(Received(self.path, headers, body))
        script = self.server.script
        (script.pop(0) if len(script) > 1 else script[0])(self)

    do_GET = do_POST
    do_PUT = do_POST

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class Receiver(ThreadingHTTPServer):
    """The server; use as a context manager."""

    script: list[Script]
    received: list[Received] = field(default_factory=list)

    def __init__(self, *script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script, self.received = list(script), []
        self.ended = threading.Event()
        self.daemon_threads = True
        super().__init__(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of the test."""


def status(code: int, **headers: str) -> Script:
    """Answer with a status and a short body."""

    def answer(handler: Handler) -> None:
        handler.send_response_only(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    return answer


def hang(handler: Handler) -> None:
    """Take the request and say nothing until the test ends."""
    handler.server.ended.wait()  # type: ignore[attr-defined]
    handler.close_connection = True


def close(handler: Handler) -> None:
    """Take the request and close before any status."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def accepted_then_close(handler: Handler) -> None:
    """Say 200 with a long body, then close in the middle of it."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nhalf")
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """Send headers one byte at a time until the test ends."""
    try:
        for byte in itertools.chain(b"HTTP/1.1 200 OK\r\n", itertools.cycle(b"x-pad: 1\r\n")):
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            if handler.server.ended.wait(0.05):  # type: ignore[attr-defined]
                return
    except OSError:
        handler.close_connection = True
