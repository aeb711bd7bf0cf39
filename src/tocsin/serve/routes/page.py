"""The answer page: a message read and answered by whoever holds its link.

GET shows the message and a form and changes nothing, since scanners of mail and chat open links; only a POST from the
page, with the token bound to message, party and channel, is an answer (FAULTS 49, 50). It is recorded as said by the
person named, and means received, never permitted. No script, no cookie, nothing foreign.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from tocsin.serve.desk import BoundAnswer, Desk
from tocsin.serve.problem import ProblemError, responses
from tocsin.serve.rendered import STYLE_PATH, page
from tocsin.warn.answers.token import answer_digest
from tocsin.warn.inputs import Answer
from tocsin.warn.states import AnswerKind, Disposition

PAGE_PATH = "/answer/{token}"

MAX_NAME_CHARS = 200
MAX_TEXT_CHARS = 2_000

WHAT = frozenset({AnswerKind.ACKNOWLEDGED, AnswerKind.ANSWERED, AnswerKind.PASSED_ON, AnswerKind.FAILED})
"""What the page's buttons can say; without one, the words decide."""

TOLD: dict[AnswerKind, str] = {AnswerKind.PASSED_ON: "was passed on", AnswerKind.FAILED: "did not get through"}
"""What the page repeats of an answer; of any other, that the message was received."""

_STATUSES = (400, 403, 404, 408, 413, 414, 415, 422, 429, 500)
_HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}, "description": "A page"}}

SAID: dict[str, str] = {
    Disposition.COUNTED: "It is recorded as the first confirmation of your party for this message.",
    Disposition.RECEIPT: "It is recorded with the message.",
    Disposition.DOUBLE: "Your party had confirmed this message before; this answer is recorded beside the first.",
    Disposition.LATE: "It came after the time to answer, or after a later step, and is recorded as such.",
}
"""What the page says of each end of an answer; of any other, only that it is recorded."""


_FORM = {
    "required": True,
    "content": {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "required": ["who"],
                "properties": {
                    "who": {"type": "string"},
                    "text": {"type": "string"},
                    "what": {"type": "string", "enum": sorted(WHAT)},
                },
            }
        }
    },
}
"""The form of the answer page, for the API's document."""


def make_router(desk: Desk) -> APIRouter:
    """Return the routes of the answer page."""
    router = APIRouter(tags=["answer page"])
    style = files("tocsin.serve").joinpath("pages/style.css").read_text("utf-8")

    @router.get(STYLE_PATH, include_in_schema=False)
    async def get_style() -> Response:
        return Response(style, media_type="text/css")

    @router.get(PAGE_PATH, response_class=HTMLResponse, responses={**_HTML, **responses(*_STATUSES)})
    async def get_page(request: Request, token: str) -> Response:
        """Show the message and the form; change nothing."""
        try:
            _, message = await _found(desk, request, token)
        except ProblemError as error:
            return _refusal(request, error)
        return page("answer.html", message=message, name_chars=MAX_NAME_CHARS, text_chars=MAX_TEXT_CHARS)

    @router.post(
        PAGE_PATH,
        response_class=HTMLResponse,
        responses={**_HTML, **responses(503, 507, *_STATUSES)},
        openapi_extra={"requestBody": _FORM},
    )
    async def post_page(request: Request, token: str) -> Response:
        """Record that the message was received, by whom, and in what words they answered."""
        try:
            bound, message = await _found(desk, request, token)
            who, text, kind = await _form(request)
        except ProblemError as error:
            return _refusal(request, error)
        recorded = await desk.station.answer(
            Answer(
                at_us=desk.now_us(),
                who=who,
                party=bound.party,
                kind=kind,
                case_id=bound.case_id,
                message_id=bound.message_id,
                channel=bound.channel,
                text=text,
                source="answer page",
                key=f"page/{bound.message_id}/{answer_digest(who, kind, text)}",
            )
        )
        said = SAID.get(str(recorded.get("disposition")), "It is recorded.")
        what = TOLD.get(kind, "was received")
        return page("answered.html", message=message, who=who, party=bound.party, text=text, said=said, what=what)

    return router


async def _found(desk: Desk, request: Request, token: str) -> tuple[BoundAnswer, dict[str, Any]]:
    bound = desk.check_token(token, desk.now_us()) if desk.check_token is not None else None
    if bound is None:
        raise desk.door.refused_token(request)
    case = await desk.read(lambda: desk.station.case(bound.case_id))
    told = [m for m in (case or {}).get("messages", ()) if m["message_id"] == bound.message_id]
    if not told or told[0]["recipient"] != bound.party:
        raise desk.door.refused_token(request)
    return bound, told[0]


async def _form(request: Request) -> tuple[str, str, AnswerKind]:
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ProblemError(403, "a form of another site")
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        raise ProblemError(415, "expected the form of the page")
    try:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True, errors="strict", max_num_fields=10)
    except ValueError as error:
        raise ProblemError(400, "the form cannot be read") from error
    form = dict(pairs)
    who, text = form.get("who", "").strip(), form.get("text", "").strip()
    if len(form) < len(pairs) or not 0 < len(who) <= MAX_NAME_CHARS or len(text) > MAX_TEXT_CHARS:
        raise ProblemError(422, f"expected a name of 1 to {MAX_NAME_CHARS} characters, a text of {MAX_TEXT_CHARS:,}")
    what = form.get("what", "")
    if what and what not in WHAT:
        raise ProblemError(422, f"expected what as one of {', '.join(sorted(WHAT))}")
    return who, text, AnswerKind(what) if what else AnswerKind.ANSWERED if text else AnswerKind.ACKNOWLEDGED


def _refusal(request: Request, error: ProblemError) -> Response:
    """Return a page for people; a problem goes to whoever asks for anything else."""
    if "text/html" not in request.headers.get("accept", ""):
        raise error
    response = page("refused.html", error.status, detail=error.detail)
    response.headers.update(error.headers)
    return response
