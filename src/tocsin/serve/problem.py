"""Problems: the one form of every error answer, `application/problem+json` by RFC 9457.

A problem says what was found and what was expected, never anything of the station's inside, and never whether a thing
that the caller may not see is there (P8): what is hidden and what is absent are both `not_found`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from tocsin.errors import AgreementError, AgreementErrors, RefusedError
from tocsin.warn.message import neutral

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2
"""Seconds after which a refused delivery may be sent again."""
SHOWN = 200
"""Characters of what was found that are shown."""


class Problem(BaseModel):
    """An error answer; see RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""


class ProblemError(Exception):
    """Ends a request with a problem.

    Parameters
    ----------
    status : int
    detail : str
    headers : mapping, optional
    extra : mapping, optional
        Further members of the problem.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


def not_found() -> ProblemError:
    """Return the one answer for what is absent and for what is hidden."""
    return ProblemError(404, "there is no such thing, or none that you may see")


def problem_response(
    status: int, detail: str, headers: Mapping[str, str] | None = None, extra: Mapping[str, Any] | None = None
) -> Response:
    """Return a problem as a response.

    Parameters
    ----------
    status : int
    detail : str
    headers, extra : mapping, optional
    """
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **(extra or {})}
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of these statuses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {s: {"description": HTTPStatus(s).phrase, "content": content} for s in statuses}


def add_handlers(app: FastAPI) -> None:
    """Make every error of an app a problem."""

    async def of_problem(_: Request, error: Exception) -> Response:
        """Answer what a route refused."""
        assert isinstance(error, ProblemError)
        return problem_response(error.status, error.detail, error.headers, error.extra)

    async def of_http(_: Request, error: Exception) -> Response:
        """Answer what the router refused."""
        assert isinstance(error, HTTPException)
        detail = {404: str(not_found()), 405: "this address does not take this method"}.get(error.status_code, "")
        return problem_response(error.status_code, detail or str(error.detail), error.headers)

    async def of_validation(_: Request, error: Exception) -> Response:
        """Answer a request whose parts are not what the document says."""
        assert isinstance(error, RequestValidationError)
        found = [
            {"where": ".".join(map(str, e["loc"])), "what": neutral(str(e["msg"]), limit=SHOWN)}
            for e in error.errors()[:20]
        ]
        first = f"{found[0]['where']}: {found[0]['what']}" if found else "the request cannot be used"
        return problem_response(422, first, extra={"errors": found})

    async def of_refusal(_: Request, error: Exception) -> Response:
        """Answer what the station cannot take now."""
        assert isinstance(error, RefusedError)
        status = 507 if error.is_full else 503
        return problem_response(status, error.reason, {"Retry-After": str(RETRY_AFTER_S)})

    async def of_agreement(_: Request, error: Exception) -> Response:
        """Answer an input that the agreement or its notices refuse, each finding with its place."""
        assert isinstance(error, AgreementError)
        errors = error.errors if isinstance(error, AgreementErrors) else (error,)
        found = [
            {
                "where": str(e.place),
                "found": neutral(e.found, limit=SHOWN),
                "expected": neutral(e.expected, limit=SHOWN),
            }
            for e in errors[:100]
        ]
        return problem_response(422, "the agreement cannot be used", extra={"errors": found})

    async def of_failure(_: Request, __: Exception) -> Response:
        return problem_response(500, "the station failed at this request")

    app.add_exception_handler(Exception, of_failure)
    app.add_exception_handler(ProblemError, of_problem)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(RefusedError, of_refusal)
    app.add_exception_handler(AgreementError, of_agreement)
