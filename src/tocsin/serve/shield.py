"""The shield: what every request and every answer passes, whatever the route: limits in, headers out.

In: sizes and times of bodies, lengths of addresses, no Content-Encoding, no two ways of telling a body's length
(FAULTS 101, 102). Out: the headers that keep an answer out of caches, frames, sniffers and referrers (FAULTS 96, 99).
An exception that nobody caught is logged here. Sizes and times of heads are `server.py`'s, below ASGI.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from msgspec import Struct, field
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tocsin.serve.problem import ProblemError, problem_response

log = logging.getLogger(__name__)

SAFE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}
"""On every answer, errors included; nothing inline, nothing foreign, nothing framed, nothing kept."""

MAX_HEAD_BYTES = 16_384
"""Bytes of all names and values of headers."""

CLOSE = {"Connection": "close"}
MAX_TARGET_BYTES = 4_096
"""Bytes of a path with its query."""


class Limits(Struct, frozen=True, kw_only=True):
    """What a request may cost.

    Attributes
    ----------
    body_bytes : int
        Of any body.
    body_s : float
        Seconds within which a body must have come.
    by_path : mapping of str to int
        Bytes of the bodies of some paths, where they may be larger.
    """

    body_bytes: int = 65_536
    body_s: float = 20.0
    by_path: Mapping[str, int] = field(default_factory=dict)


class Shield:
    """ASGI middleware around the whole app.

    Parameters
    ----------
    app : ASGIApp
    limits : Limits
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded_send(message: Message) -> None:
            """Send on, with the headers that every answer has."""
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = _refusal(scope, self._limit(scope))
        if refusal is not None:
            await problem_response(*refusal, CLOSE)(scope, receive, guarded_send)
            return
        bounded = _BoundedBody(receive, self._limit(scope), self._limits.body_s)
        try:
            await self._app(scope, bounded, guarded_send)
        except Exception:
            # The app has answered already, with a bare 500.
            log.exception("request.failed", extra={"route": getattr(scope.get("route"), "path", "")})

    def _limit(self, scope: Scope) -> int:
        return self._limits.by_path.get(scope["path"], self._limits.body_bytes)


def _refusal(scope: Scope, limit: int) -> tuple[int, str] | None:
    headers = Headers(scope=scope)
    lengths = headers.getlist("content-length")
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET_BYTES:
        return 414, f"an address of more than {MAX_TARGET_BYTES} bytes"
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEAD_BYTES:
        return 431, f"headers of more than {MAX_HEAD_BYTES} bytes"
    if lengths and ("transfer-encoding" in headers or len(lengths) > 1):
        return 400, "two ways of telling the length of the body"
    if headers.get("content-encoding", "identity").lower() != "identity":
        return 415, "a Content-Encoding; send the body as it is"
    if lengths and int(lengths[0]) > limit:
        return 413, f"a body of {lengths[0]} bytes, expected at most {limit}"
    return None


class _BoundedBody:
    """Receives a body within a size and a time."""

    def __init__(self, receive: Receive, limit: int, within_s: float) -> None:
        self._receive = receive
        self._limit = limit
        self._within_s = self._left_s = within_s
        self._taken = 0
        self._is_whole = False

    async def __call__(self) -> Message:
        if self._is_whole:
            return await self._receive()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._left_s):
                message = await self._receive()
        except TimeoutError:
            detail = f"the body did not come within {self._within_s:g} s"
            raise ProblemError(408, detail, headers=CLOSE) from None
        self._left_s = max(0.0, self._left_s - (loop.time() - began))
        self._taken += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._taken > self._limit:
            raise ProblemError(413, f"a body of more than {self._limit} bytes", headers=CLOSE)
        return message
