"""Answers: what a party, or an operator for somebody heard, says about a case; kept, and given its defined end.

Acknowledged means received, never permitted. A party answers in its own name about cases that it sees; about any other
it gets the same 404 as about none. The time of an answer is that of its arrival.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tocsin.serve.bodies import json_body, read_json
from tocsin.serve.desk import Desk
from tocsin.serve.keys import Caller, Scope
from tocsin.serve.problem import ProblemError, not_found, responses
from tocsin.serve.seen import case_view, may_answer_for
from tocsin.warn.inputs import Answer
from tocsin.warn.states import AnswerKind

_Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class Said(BaseModel):
    """An answer: who says what about which case."""

    model_config = ConfigDict(extra="forbid")

    case: _Id
    who: _Name = Field(description="The person, by name.")
    what: AnswerKind
    party: _Name | None = Field(default=None, description="For whom; the key's own party if not given.")
    message: _Id | None = None
    level: Annotated[int, Field(ge=1, le=1_000)] | None = None
    channel: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    text: Annotated[str, StringConstraints(max_length=20_000)] = ""


def make_router(desk: Desk) -> APIRouter:
    """Return the route by which answers are given."""
    router = APIRouter(prefix="/v1", tags=["answers"])

    @router.post(
        "/answers",
        responses=responses(400, 401, 403, 404, 408, 413, 414, 415, 422, 429, 500, 503, 507),
        openapi_extra=json_body(Said),
    )
    async def post_answer(request: Request) -> dict[str, Any]:
        """Record an answer; return it as recorded, with its `disposition`, once that is durable."""
        caller = desk.door.caller(request, Scope.PARTY, Scope.KEEPER)
        said = await read_json(request, Said)
        party = said.party or caller.party
        if party is None:
            raise ProblemError(422, "party: needed with this key")
        if not may_answer_for(desk.policy, caller, party):
            raise ProblemError(403, "this key does not answer for that party")
        row = await desk.read(lambda: desk.station.case(said.case))
        if row is None or case_view(desk.policy, caller, row, now_us=desk.now_us()) is None:
            raise not_found()
        return await desk.station.answer(_answer(said, party, caller, desk.now_us()))

    return router


def _answer(said: Said, party: str, caller: Caller, now_us: int) -> Answer:
    return Answer(
        at_us=now_us,
        who=said.who,
        party=party,
        kind=said.what,
        case_id=said.case,
        message_id=said.message,
        level=said.level,
        channel=said.channel,
        text=said.text,
        source=f"api:{caller.key_id}",
    )
