"""A witness over HTTP: `POST /add-checkpoint` and `GET /<origin hash>/checkpoint`.

C2SP tlog-witness with one prefix for both. Needs no authentication beyond the log's signature, so it bounds what a
stranger can cost: bytes of a body, time for it, connections at once. TLS belongs in front of it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore

from tocsin.clock import now_us
from tocsin.errors import RecordError
from tocsin.record.witness.keeper import WitnessKeeper
from tocsin.record.witness.protocol import MAX_REQUEST_BYTES, TEXT_TYPE, Answer, Status

MAX_CONNECTIONS = 64
"""Connections served at once; further ones are closed with 503."""

SOCKET_TIMEOUT_S = 15.0
"""Seconds a client may keep a connection waiting for its next byte."""

_LOGGER = logging.getLogger(__name__)
_CHECKPOINT_PATH = re.compile(r"/([0-9a-f]{64})/checkpoint")


class WitnessServer(ThreadingHTTPServer):
    """The server; `serve_forever` runs it, `server_address` says where.

    Parameters
    ----------
    keeper : WitnessKeeper
    host : str
    port : int
        0 for any free one.
    clock : callable
        Gives microseconds UTC.
    """

    daemon_threads = True
    request_queue_size = MAX_CONNECTIONS

    def __init__(
        self, keeper: WitnessKeeper, host: str = "127.0.0.1", port: int = 0, clock: Callable[[], int] = now_us
    ) -> None:
        self.keeper = keeper
        self.clock = clock
        self.slots = BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__((host, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"
    server_version = "tocsin-witness"
    sys_version = ""
    timeout = SOCKET_TIMEOUT_S

    def handle(self) -> None:
        """Serve one connection, or refuse it at once where all places are taken."""
        if not self.server.slots.acquire(blocking=False):
            self.request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        try:
            super().handle()
        except ConnectionError:
            pass  # the client went away; it asks again if it wants its answer
        finally:
            self.server.slots.release()

    def do_POST(self) -> None:
        """Answer one request to cosign; refuse what is no such request before its body is read."""
        length = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint":
            self._send(Answer(status=Status.NOT_FOUND, body=b"only /add-checkpoint is here\n"), close=True)
        elif not length.isascii() or not length.isdigit() or "Transfer-Encoding" in self.headers:
            self._send(Answer(status=411, body=b"a Content-Length is needed\n"), close=True)
        elif int(length[:10]) > MAX_REQUEST_BYTES:
            self._send(Answer(status=413, body=f"at most {MAX_REQUEST_BYTES} bytes\n".encode()), close=True)
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                self._send(self._guarded(lambda: self.server.keeper.add_checkpoint(body, self.server.clock())))

    def do_GET(self) -> None:
        match = _CHECKPOINT_PATH.fullmatch(self.path)
        self._send(self._guarded(lambda: self._checkpoint(match[1] if match else "")))

    def _checkpoint(self, origin_hash: str) -> Answer:
        data = self.server.keeper.checkpoint(origin_hash)
        if data is None:
            return Answer(status=Status.NOT_FOUND, body=b"no checkpoint of such a log\n")
        return Answer(status=Status.OK, body=data)

    def _guarded(self, answer: Callable[[], Answer]) -> Answer:
        try:
            return answer()
        except RecordError as error:
            _LOGGER.error("witness.failed", extra={"reason": str(error)})
            return Answer(status=500, body=b"this witness cannot keep its memory and cosigns nothing\n")

    def _send(self, answer: Answer, *, close: bool = False) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type or TEXT_TYPE)
        self.send_header("Content-Length", str(len(answer.body)))
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)
        _LOGGER.info("witness.answer", extra={"status": int(answer.status), "method": self.command})

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr; `_send` logs one line for each answer."""
