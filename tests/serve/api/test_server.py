"""The app on a real socket: half requests, two lengths, heads without end; and every operation of its own document."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.serve.api.stage import NOW_US, TOKEN, Hall, check_token

from tocsin.serve import server as server_module
from tocsin.serve.app import make_api
from tocsin.serve.server import serving
from tocsin.serve.shield import MAX_HEAD_BYTES


async def raw(port: int, *pieces: bytes) -> bytes:
    """Return what a server answers to some bytes until it closes, or to the first answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    try:
        return await asyncio.wait_for(reader.read(65_536), 10)
    except ConnectionError:
        return b""
    finally:
        await close(writer)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", b"200"),
        (
            b"POST /v1/answers HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"400",
        ),
        (b"POST /v1/answers HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", b"400"),
        (b"POST /v1/answers HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /v1/answers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"GET /healthz HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n", b"400"),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\nY: b\x00\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * (MAX_HEAD_BYTES + 8), b"431"),
        (b"GARBAGE\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01", b""),
    ],
    ids=range(12),
)
def test_what_is_no_clear_request_is_refused(tmp_path: Path, request_bytes: bytes, status: bytes) -> None:
    async def play() -> bytes:
        async with serving(Hall(tmp_path).app) as served:
            return await raw(served.port, request_bytes, b"\r\n\r\n")

    answer = asyncio.run(play())
    assert answer.split(b" ")[1:2] == ([status] if status else answer.split(b" ")[1:2])
    assert b"server:" not in answer.lower()


def test_half_requests_are_closed_and_others_are_answered_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "HEAD_S", 0.5)

    async def play() -> None:
        async with serving(Hall(tmp_path).app) as served:
            halves = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(100)]
            for n, (_, writer) in enumerate(halves):
                whole_first = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" if n % 2 else b""
                writer.write(whole_first + b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
            async with httpx2.AsyncClient() as client:
                assert (await client.get(f"http://127.0.0.1:{served.port}/healthz")).status_code == 200
            for reader, writer in halves:
                await asyncio.wait_for(reader.read(), 20)
                await close(writer)

    asyncio.run(play())


# Its own document


@schemathesis.serializer("application/x-ndjson")
def as_text(ctx: schemathesis.SerializationContext, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


STATUSES = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_every_operation_does_what_the_document_says(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    app = make_api(hall.stage, keys=hall.keys, check_token=check_token, clock=lambda: NOW_US)
    for feed in hall.stage.feeds.values():
        feed._deliver = hall.stage.deliver
    seen = set()
    for found in schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations():
        operation = found.ok()
        seen.add(operation.label)

        @settings(max_examples=10, database=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy())
        def check(case: schemathesis.Case) -> None:
            who = {"/v1/reports": "trucks", "/v1/osmand": "phones"}.get(case.operation.path, "keeper")
            if case.operation.path.startswith("/answer"):
                case.path_parameters["token"] = TOKEN
            case.call_and_validate(headers={"Authorization": f"Bearer {hall.texts[who]}"}, checks=STATUSES)

        check()
    assert len(seen) == 14
