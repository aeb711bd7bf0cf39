"""Notices: sent in by form, JSON, CSV or GeoJSON; followed by their receipts; shown to whom their givers let see them.

Whose a notice is comes from the key (`agreement/notices/submit.py`). A notice that is hidden and one that is absent
answer alike (P8). Nothing here approves anything: what is taken was received, late or not, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from tocsin.agreement.notices.consent import recipients
from tocsin.agreement.notices.held import Fact, Held
from tocsin.agreement.notices.register import Register
from tocsin.agreement.notices.submit import FORM, MEDIA_TYPES, Given, Submission, read_submission
from tocsin.agreement.visible import Sort, Thing, seers
from tocsin.errors import SettingError
from tocsin.serve.desk import Desk
from tocsin.serve.keys import Caller, Scope
from tocsin.serve.problem import ProblemError, not_found, responses
from tocsin.serve.rendered import page
from tocsin.warn.message import neutral

NOTICES_PATH = "/v1/notices"
FORM_PATH = "/notices/form"

SHOWN = 300
"""Characters of a refusal that are shown."""

_HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}, "description": "A page"}}


class Book(Protocol):
    """Where notices are kept and followed, such as `station.noticebook.NoticeBook`."""

    def register(self, now_us: int) -> Register:
        """Return the register as it durably is; a book that has no ticks of its own does what is due by now."""

    async def keep(self, entries: Sequence[Given]) -> list[Fact]:
        """Keep entries durably, then take them; return what came of it."""


def make_router(desk: Desk, book: Book) -> APIRouter:
    """Return the routes of notices."""
    router = APIRouter(tags=["notices"])

    @router.post(
        NOTICES_PATH,
        responses=responses(400, 401, 403, 404, 408, 413, 414, 415, 422, 429, 500, 503),
        openapi_extra={"requestBody": {"required": True, "content": {media: {} for media in MEDIA_TYPES}}},
    )
    async def post_notices(request: Request) -> Response:
        """Take notices, receipts, consents and verifications; answer once they are durable, each refusal by itself."""
        caller = _party(desk, request)
        _check_asked(desk, book)
        came = await _read(desk, book, request, caller)
        answer = await _take(desk, book, caller, came)
        if not came.given:
            raise ProblemError(422, answer["refused"][0]["what"] if came.refused else "nothing was sent", extra=answer)
        return JSONResponse(answer)

    @router.get(NOTICES_PATH, responses=responses(401, 403, 429, 500))
    async def get_notices(request: Request) -> dict[str, Any]:
        """Return the notices that the caller may see, with their receipts and how far each got."""
        caller = desk.door.caller(request, Scope.PARTY, Scope.KEEPER)
        register = book.register(desk.now_us())
        return {"notices": [_shown(held) for held in register.held.values() if _sees(desk, register, held, caller)]}

    @router.get(NOTICES_PATH + "/{party}/{reference}", responses=responses(401, 403, 404, 429, 500))
    async def get_notice(request: Request, party: str, reference: str) -> dict[str, Any]:
        """Return one notice."""
        caller = desk.door.caller(request, Scope.PARTY, Scope.KEEPER)
        register = book.register(desk.now_us())
        held = register.held.get(f"{party}/{reference}")
        if held is None or not _sees(desk, register, held, caller):
            raise not_found()
        return _shown(held)

    @router.get(FORM_PATH, response_class=HTMLResponse, responses={**_HTML, **responses(401, 403, 404, 429, 500)})
    async def get_form(request: Request) -> Response:
        """Show the form by which a person gives a notice; change nothing."""
        caller = _person(desk, request)
        _check_asked(desk, book)
        return page("notice.html", party=caller.party, words=_words(book.register(desk.now_us())), told={}, refused="")

    @router.post(
        FORM_PATH,
        response_class=HTMLResponse,
        responses={**_HTML, **responses(400, 401, 403, 404, 408, 413, 414, 415, 422, 429, 500, 503)},
        openapi_extra={"requestBody": {"required": True, "content": {FORM: {}}}},
    )
    async def post_form(request: Request) -> Response:
        """Take the notice of the form; show what became of it, or the form again with what is wrong."""
        caller = _person(desk, request)
        _check_asked(desk, book)
        _check_own_page(request)
        if _media(request) != FORM:
            raise ProblemError(415, "expected the form of the page")
        came = await _read(desk, book, request, caller)
        if came.refused:
            told = dict(parse_qsl((await request.body()).decode("ascii", "replace")))
            words = _words(book.register(desk.now_us()))
            reason = came.refused[0].reason
            return page("notice.html", 422, party=caller.party, words=words, told=told, refused=reason)
        answer = await _take(desk, book, caller, came)
        held = [one["notice"] for one in answer["accepted"] if one["notice"]]
        return page("noticed.html", notices=held, facts=[one["words"] for one in answer["accepted"]])

    return router


async def _read(desk: Desk, book: Book, request: Request, caller: Caller) -> Submission:
    now_us = desk.now_us()
    try:
        return read_submission(
            await request.body(),
            media=_media(request),
            party=caller.party or "",
            register=book.register(now_us),
            now_us=now_us,
        )
    except SettingError as error:
        status = 415 if error.found.startswith("media type") else 400
        detail = f"found {neutral(error.found, limit=SHOWN)}, expected {neutral(error.expected, limit=SHOWN)}"
        raise ProblemError(status, detail) from error


async def _take(desk: Desk, book: Book, caller: Caller, came: Submission) -> dict[str, Any]:
    """Keep what may be taken; return, entry by entry, what came of it and what was refused."""
    facts = await book.keep(came.given) if came.given else []
    register = book.register(desk.now_us())
    accepted = [
        {"fact": str(fact.kind), "words": fact.words, "notice": _shown(held) if held else None}
        for fact in facts
        if (held := register.held.get(fact.notice or "")) is None or _sees(desk, register, held, caller)
    ]
    refused = [
        {"where": str(one.place), "what": neutral(one.reason, limit=SHOWN), "text": neutral(one.text, limit=SHOWN)}
        for one in came.refused[:100]
    ]
    return {"accepted": accepted, "refused": refused, "more_refused": max(0, len(came.refused) - 100)}


def _check_asked(desk: Desk, book: Book) -> None:
    """Answer as if there were no such route where the agreement in force asks for no notices."""
    if not book.register(desk.now_us()).rules.by_name:
        raise not_found()


def _sees(desk: Desk, register: Register, held: Held, caller: Caller) -> bool:
    """Return True if a caller may see a notice: the keeper, its giver, or whom giver and routing both let see it."""
    if caller.scope is Scope.KEEPER:
        return True
    now_us, party = desk.now_us(), caller.party
    if party is None:
        return False
    if register.rules.may_speak(party, of=held.notice.party):
        return True
    may = recipients(held, register.rules, now_us=now_us)
    name = str(held.notice.rule)
    thing = Thing(sort=Sort.NOTICE, at_us=held.notice.at_us, party=held.notice.party, notice=name, consented=may)
    return party in may and party in seers(desk.policy, thing=thing, now_us=now_us)


def _shown(held: Held) -> dict[str, Any]:
    return {**held.as_json(), "reached": held.reached()}


def _party(desk: Desk, request: Request) -> Caller:
    return desk.door.caller(request, Scope.PARTY)


def _person(desk: Desk, request: Request) -> Caller:
    """Return the party of a browser, which asks its user for the key if it is told to."""
    try:
        return _party(desk, request)
    except ProblemError as error:
        if error.status == 401:
            error.headers["WWW-Authenticate"] = 'Basic realm="tocsin: any name, and the key as password"'
        raise


def _check_own_page(request: Request) -> None:
    """Refuse a form of another site: a browser sends the key along with it unasked (FAULTS 50)."""
    origin = request.headers.get("origin")
    foreign = origin not in (None, "null") and urlsplit(origin or "").netloc != request.headers.get("host")
    if foreign or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ProblemError(403, "a form of another site")


def _media(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _words(register: Register) -> list[str]:
    """Return the words of the agreement's content that have no field of their own in the form."""
    own = {"vessel", "vehicles", "area", "route", "from", "to"}
    return sorted({w for rule in register.rules.by_name.values() for w in rule.content} - own)
