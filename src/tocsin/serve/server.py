"""The server: an app on a socket, by uvicorn, with limits on what comes before the app is asked.

Heads of at most `shield.MAX_HEAD_BYTES`, come within `HEAD_S`, so that half a request holds nothing up (FAULTS 101); a
bound on connections; no `Server` header; no forwarded headers believed; addresses, which may hold the token of an
answer page, in no log (FAULTS 91). Loopback unless told otherwise. TLS is a reverse proxy's, or two files given.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from tocsin.serve.shield import MAX_HEAD_BYTES

HEAD_S = 10.0
"""Seconds within which they must have come."""

MAX_CONNECTIONS = 2_000
"""Connections at a time; one more is answered 503."""

IDLE_S = 30
"""Seconds that a connection may wait for its next request."""

STOP_S = 5
"""Seconds that requests under way get when the station stops."""

HOST = "127.0.0.1"


class Server:
    """A served app.

    Attributes
    ----------
    host : str
    port : int
        The one taken, also where 0 was asked for.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port


class _PatientProtocol(H11Protocol):
    """HTTP/1.1 that does not wait for ever for the head of a request."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            if self._head_timer is None and self.conn.trailing_data[0]:
                self._await_head()
        else:
            self._forget_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if (self.cycle is None or self.cycle.response_complete) and self.conn.trailing_data[0]:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._forget_head()
        self._head_timer = self.loop.call_later(HEAD_S, self._head_is_late)

    def _forget_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()


@asynccontextmanager
async def serving(
    app: ASGIApp, *, host: str = HOST, port: int = 0, certificate: str | None = None, key: str | None = None
) -> AsyncIterator[Server]:
    """Serve an app while the context is open.

    Parameters
    ----------
    app : ASGIApp
    host : str
    port : int
        0 takes a free one.
    certificate, key : str, optional
        PEM files; both or none.

    Raises
    ------
    OSError
        If the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.create_server((host, port), family=family, backlog=MAX_CONNECTIONS)
    config = uvicorn.Config(
        app,
        http=_PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=STOP_S,
        limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # Not `serve`: it takes the process's signals, which are the station's.
    await server.startup(sockets=[bound])
    main = asyncio.create_task(server.main_loop())
    try:
        yield Server(host, bound.getsockname()[1])
    finally:
        server.should_exit = True
        await main
        await server.shutdown(sockets=[bound])
