"""Reports in: JSON lines and OsmAnd queries, answered only when they are durable (FAULTS §3.2).

A request that is repeated does no harm: a report that says what was said is a duplicate. The answer tells every line's
fate: what was read, taken and refused, the refusals by line, reason and detail. GET takes reports only for a feed whose
URL says `osmand=get`, since some phones can do nothing else; everywhere else it changes nothing.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from tocsin.serve.desk import Desk
from tocsin.serve.keys import Caller, Scope
from tocsin.serve.problem import ProblemError, responses
from tocsin.tracks.feeds.push import PushFeed
from tocsin.tracks.formats.live import LiveFormat

REPORTS_PATH = "/v1/reports"
OSMAND_PATH = "/v1/osmand"

MAX_BODY_BYTES = 8 * 2**20
"""Bytes of a body of reports: some 40,000 of them."""

READ_AT_ONCE_BYTES = 32_768
"""Bytes of a body that are read then and there, a millisecond's work: handing a small one to a thread takes longer."""

MEDIA_TYPES = frozenset({"application/x-ndjson", "application/jsonl", "application/jsonlines", "application/json"})

SHOWN_REJECTS = 100
"""Refused lines that an answer names; all are counted and kept."""

_FeedName = Annotated[str | None, Query(max_length=64, description="The feed, where the key is not for one.")]


class Refused(BaseModel):
    """One line that gave no report."""

    line: int
    reason: str
    detail: str


class Taken(BaseModel):
    """What became of the reports of a request; all of it is durable."""

    feed: str
    read: int
    accepted: int
    rejected: int
    rejects: list[Refused]
    flagged: dict[str, int]


def make_router(desk: Desk) -> APIRouter:
    """Return the routes by which reports are pushed."""
    router = APIRouter(tags=["reports"])

    @router.post(
        REPORTS_PATH,
        response_model=Taken,
        responses=responses(400, 401, 403, 404, 408, 413, 414, 415, 422, 429, 500, 503, 507),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/x-ndjson": {"schema": {"type": "string", "description": "One report a line."}}
                },
            }
        },
    )
    async def post_reports(request: Request, feed: _FeedName = None) -> Response:
        """Push reports as JSON lines; the keys of a line are the columns of docs/format/reports.md."""
        target = _target(desk, desk.door.caller(request, Scope.FEED, Scope.KEEPER), feed)
        _check_media_type(request)
        return await _push(desk, target, await request.body(), LiveFormat.JSON)

    @router.post(
        OSMAND_PATH,
        response_model=Taken,
        responses=responses(400, 401, 403, 404, 408, 413, 414, 415, 422, 429, 500, 503, 507),
    )
    async def post_osmand(request: Request, feed: _FeedName = None) -> Response:
        """Push one report as an OsmAnd query, in the address or as a form (`id`, `lat`, `lon`, `timestamp`, …)."""
        target = _target(desk, desk.door.caller(request, Scope.FEED, Scope.KEEPER), feed)
        body = await request.body()
        return await _push(desk, target, body or _without_ours(request), LiveFormat.OSMAND)

    @router.get(
        OSMAND_PATH,
        response_model=Taken,
        responses=responses(400, 401, 403, 404, 405, 414, 415, 422, 429, 500, 503, 507),
    )
    async def get_osmand(request: Request, feed: _FeedName = None) -> Response:
        """Push one report by GET, where the feed's URL says `osmand=get`; the key may then stand in the address."""
        if not any(isinstance(f, PushFeed) and f.takes_get for f in desk.station.feeds.values()):
            raise _no_get()
        target = _target(desk, desk.door.caller(request, Scope.FEED, query_key=True), feed)
        if not target.takes_get:
            raise _no_get()
        return await _push(desk, target, _without_ours(request), LiveFormat.OSMAND)

    return router


async def _push(desk: Desk, feed: PushFeed, data: bytes, form: LiveFormat) -> Response:
    read = partial(feed.read, data, form, desk.now_us())
    delivery = read() if len(data) <= READ_AT_ONCE_BYTES else await asyncio.to_thread(read)
    if not delivery.read:
        raise ProblemError(400, "no report in it")
    await feed.push(delivery)
    taken = Taken(
        feed=feed.name,
        read=delivery.read,
        accepted=len(delivery.batch),
        rejected=len(delivery.rejects),
        rejects=[Refused(line=r.line, reason=r.reason, detail=r.detail) for r in delivery.rejects[:SHOWN_REJECTS]],
        flagged={str(flag): count for flag, count in delivery.flagged.items()},
    )
    if not taken.accepted:
        extra = taken.model_dump()
        raise ProblemError(422, "none of it is a report", extra=extra)
    return Response(taken.model_dump_json(), media_type="application/json")


def _target(desk: Desk, caller: Caller, named: str | None) -> PushFeed:
    if caller.scope is Scope.FEED and named not in (None, caller.name):
        raise ProblemError(403, "this key is for another feed")
    pushed = {name: feed for name, feed in desk.station.feeds.items() if isinstance(feed, PushFeed)}
    name = caller.name or named or (next(iter(pushed)) if len(pushed) == 1 else "")
    feed = pushed.get(name)
    if feed is None:
        raise ProblemError(404, "no such feed takes pushes here; name one of them as feed=")
    return feed


def _check_media_type(request: Request) -> None:
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    if media.strip().lower() not in MEDIA_TYPES:
        raise ProblemError(415, f"expected Content-Type: {', '.join(sorted(MEDIA_TYPES))}")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in ("utf-8", "utf8"):
            raise ProblemError(415, "expected charset=utf-8")


def _without_ours(request: Request) -> bytes:
    """Return a query without the parameters that are ours; the key least of all is kept with a refused report."""
    query: bytes = request.scope["query_string"]
    return b"&".join(pair for pair in query.split(b"&") if pair.partition(b"=")[0] not in (b"feed", b"key"))


def _no_get() -> ProblemError:
    return ProblemError(405, "GET changes nothing here: send it by POST", headers={"Allow": "POST"})
