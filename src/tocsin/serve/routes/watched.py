"""What was watched and warned of: events and cases, each caller's own view of them (P8).

Events come in the order in which they became durable, page by page; a page's `next` is good for the caller alone and
tells nobody how much lies before it that is not theirs. A hidden thing and an absent one are the same 404.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel

from tocsin.serve.desk import Desk
from tocsin.serve.keys import Caller, Scope
from tocsin.serve.problem import ProblemError, not_found, responses
from tocsin.serve.seen import case_view, event_view

MAX_EVENTS = 1_000
MAX_CASES = 200
"""Rows of one answer (P11)."""

PAGES_A_REQUEST = 20
"""Pages of the store that one request looks through for what the caller may see."""

_STATUSES = (400, 401, 403, 408, 413, 414, 415, 422, 429, 500)


class Events(BaseModel):
    """Some events.

    `next` is where to go on; `is_end` is true if there was nothing more at the time.
    """

    events: list[dict[str, Any]]
    next: str
    is_end: bool


class Cases(BaseModel):
    """Some cases, the newest first; `is_end` is false if there are more than were looked at."""

    cases: list[dict[str, Any]]
    is_end: bool


def make_router(desk: Desk) -> APIRouter:
    """Return the routes that show events and cases."""
    router = APIRouter(prefix="/v1", tags=["watched"])

    @router.get("/events", responses=responses(*_STATUSES))
    async def get_events(
        request: Request,
        after: Annotated[str | None, Query(max_length=64, description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = 100,
    ) -> Events:
        """Return events that the caller may see, in the order of their commit."""
        caller = desk.door.caller(request, Scope.PARTY, Scope.KEEPER)
        begin = 0 if after is None else desk.door.keys.open_cursor(caller, after)
        if begin is None:
            raise ProblemError(422, "after: no place that this key was given")
        shown, place, is_end = await desk.read(lambda: _look_through(desk, caller, begin, limit))
        return Events(events=shown, next=desk.door.keys.seal_cursor(caller, place), is_end=is_end)

    @router.get("/cases", responses=responses(*_STATUSES))
    async def get_cases(
        request: Request,
        open: Annotated[bool | None, Query(description="Only open, or only closed ones.")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_CASES)] = 50,
    ) -> Cases:
        """Return cases that the caller may see, the newest first."""
        caller = desk.door.caller(request, Scope.PARTY, Scope.KEEPER)

        def look() -> tuple[list[dict[str, Any]], bool]:
            """Read in a thread of the store."""
            looked = MAX_CASES * 5
            rows = desk.station.cases(is_open=open, limit=looked)
            now_us = desk.now_us()
            views = (case_view(desk.policy, caller, row, now_us=now_us) for row in rows)
            seen = [view for view in views if view is not None]
            return seen[:limit], len(seen) <= limit and len(rows) < looked

        shown, is_end = await desk.read(look)
        return Cases(cases=shown, is_end=is_end)

    @router.get("/cases/{case_id}", responses=responses(404, *_STATUSES))
    async def get_case(request: Request, case_id: Annotated[str, Path(max_length=64)]) -> dict[str, Any]:
        """Return one case with its timeline, as far as the caller may see it."""
        caller = desk.door.caller(request, Scope.PARTY, Scope.KEEPER)
        row = await desk.read(lambda: desk.station.case(case_id))
        view = None if row is None else case_view(desk.policy, caller, row, now_us=desk.now_us())
        if view is None:
            raise not_found()
        return view

    return router


def _look_through(desk: Desk, caller: Caller, place: int, limit: int) -> tuple[list[dict[str, Any]], int, bool]:
    shown: list[dict[str, Any]] = []
    now_us, policy = desk.now_us(), desk.policy
    for _ in range(PAGES_A_REQUEST):
        # One row at a time is looked at no further than the limit, so that the place is that of the last one looked at.
        page = desk.station.events(after=place, limit=limit - len(shown))
        shown += filter(None, (event_view(policy, caller, row, now_us=now_us) for row in page.rows))
        is_end = not page.rows
        place = page.after
        if is_end or len(shown) >= limit:
            return shown, place, is_end
    return shown, place, False
