"""Mutes: a named person has what was told in a case not said again for a while, with a reason and an end.

By `docs/guide/ladder.md`, 16: nothing new is held back by it. A party mutes in its own name, and a case that it sees;
about any other it gets the same 404 as about none. Who is warned about does not decide how often others hear of it: a
party mutes no case of its own movers.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tocsin.clock import US_PER_S
from tocsin.errors import LadderError, UnitError
from tocsin.serve.bodies import json_body, read_json
from tocsin.serve.desk import Desk
from tocsin.serve.keys import Scope
from tocsin.serve.problem import ProblemError, not_found, responses
from tocsin.serve.seen import case_view, may_answer_for, may_mute
from tocsin.units import format_duration, parse_instant_us
from tocsin.warn.inputs import Muting
from tocsin.warn.ladder import MUTE_MAX_S
from tocsin.warn.states import MuteReason

_Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]

Reason = Literal[MuteReason.IN_CONTACT, MuteReason.ANNOUNCED, MuteReason.DOUBTFUL_POSITION, MuteReason.DRILL]
"""Why a person may mute; a test compares them with `states.PERSONS_REASONS`."""


class Asked(BaseModel):
    """A mute: who has a case muted, why, and until when."""

    model_config = ConfigDict(extra="forbid")

    who: _Name = Field(description="The person, by name.")
    reason: Reason
    until: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        description="When it ends, with its offset, a day from now at most; null ends an earlier mute now."
    )
    party: _Name | None = Field(default=None, description="For whom; the key's own party if not given.")
    text: Annotated[str, StringConstraints(max_length=2_000)] = ""


def make_router(desk: Desk) -> APIRouter:
    """Return the route by which cases are muted."""
    router = APIRouter(prefix="/v1", tags=["mutes"])

    @router.post(
        "/cases/{case_id}/mutes",
        responses=responses(400, 401, 403, 404, 408, 409, 413, 414, 415, 422, 429, 500, 503, 507),
        openapi_extra=json_body(Asked),
    )
    async def post_mute(request: Request, case_id: Annotated[str, Path(max_length=64)]) -> dict[str, Any]:
        """Mute a case until an instant, or end an earlier mute; return it as recorded, once that is durable."""
        caller = desk.door.caller(request, Scope.PARTY, Scope.KEEPER)
        asked = await read_json(request, Asked)
        party = asked.party or caller.party
        if party is None:
            raise ProblemError(422, "party: needed with this key")
        if not may_answer_for(desk.policy, caller, party):
            raise ProblemError(403, "this key does not speak for that party")
        now_us = desk.now_us()
        until_us = _until_us(asked.until, now_us)
        row = await desk.read(lambda: desk.station.case(case_id))
        if row is None or case_view(desk.policy, caller, row, now_us=now_us) is None:
            raise not_found()
        if not may_mute(desk.policy, caller, row):
            raise ProblemError(403, "a party does not mute what others are told of its own movers")
        muting = Muting(
            at_us=now_us,
            who=asked.who,
            party=party,
            case_id=row["case_id"],
            reason=asked.reason,
            until_us=until_us,
            text=asked.text,
        )
        try:
            return await desk.station.mute(muting)
        except LadderError as error:
            raise ProblemError(409, f"the case cannot be muted: {error}") from error

    return router


def _until_us(until: str | None, now_us: int) -> int:
    if until is None:
        return now_us
    try:
        until_us = parse_instant_us(until)
    except UnitError as error:
        raise ProblemError(422, f"until: found {error.found!r}, expected {error.expected}") from error
    if not 0 < until_us - now_us <= MUTE_MAX_S * US_PER_S:
        longest = format_duration(MUTE_MAX_S)
        raise ProblemError(422, f"until: found {until}, expected an instant after now, {longest} on at most")
    return until_us
