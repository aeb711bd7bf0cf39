"""The app: every route of a station over HTTP, behind one shield, with one desk.

By the contract of FAULTS §3. Without a key nothing is shown but whether the station works, and the page of an answer to
whoever holds its link. A caller sees what the agreement lets its party see (P8). How it is served, `server.py` says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from tocsin import __version__
from tocsin.agreement.notices.submit import MAX_BYTES
from tocsin.clock import now_us
from tocsin.serve.auth import SCHEMES, Doorkeeper
from tocsin.serve.desk import Desk, TokenCheck
from tocsin.serve.guesses import Guesses
from tocsin.serve.keys import Keyring
from tocsin.serve.problem import Problem, add_handlers
from tocsin.serve.routes import answers, mutes, notices, page, reports, state, watched
from tocsin.serve.shield import Limits, Shield
from tocsin.station.api import StationApi

_KEYLESS = frozenset({page.PAGE_PATH, state.HEALTH_PATH})
LIMITS = Limits(
    by_path={
        reports.REPORTS_PATH: reports.MAX_BODY_BYTES,
        state.AGREEMENT_PATH: state.MAX_AGREEMENT_BYTES,
        notices.NOTICES_PATH: MAX_BYTES,
    }
)
"""Limits of bodies; all but three paths take small ones."""


def make_app(
    station: StationApi,
    *,
    keys: Keyring,
    check_token: TokenCheck | None = None,
    proxy: str | None = None,
    clock: Callable[[], int] = now_us,
    limits: Limits = LIMITS,
    book: notices.Book | None = None,
) -> ASGIApp:
    """Return the ASGI app of a station.

    Parameters
    ----------
    station : StationApi
    keys : Keyring
        Who may call.
    check_token : callable, optional
        Judges the tokens of answer pages; without it there are none.
    proxy : str, optional
        Address of the reverse proxy whose `X-Forwarded-For` is believed.
    clock : callable
        Returns the time, microseconds UTC.
    limits : Limits
    book : Book, optional
        Where notices are kept; without it none are taken.
    """
    api = make_api(station, keys=keys, check_token=check_token, proxy=proxy, clock=clock, book=book)
    return Shield(api, limits)


def make_api(
    station: StationApi,
    *,
    keys: Keyring,
    check_token: TokenCheck | None = None,
    proxy: str | None = None,
    clock: Callable[[], int] = now_us,
    book: notices.Book | None = None,
) -> FastAPI:
    """Return the app without its shield: for its OpenAPI document, and for tests of single routes.

    Parameters
    ----------
    station : StationApi
    keys : Keyring
    check_token : callable, optional
    proxy : str, optional
    clock : callable
    book : Book, optional
    """
    door = Doorkeeper(keys=keys, now_us=clock, proxy=proxy, guesses=Guesses())
    desk = Desk(station=station, door=door, now_us=clock, check_token=check_token)
    # The pages that FastAPI makes of its document load scripts from elsewhere.
    app = FastAPI(
        title="Tocsin station",
        version=__version__,
        summary="Reports in; events, cases and answers, as far as the agreement lets the caller see them.",
        docs_url=None,
        redoc_url=None,
    )
    add_handlers(app)
    for subject in (reports, watched, answers, mutes, state, page):
        app.include_router(subject.make_router(desk))
    if book is not None:
        app.include_router(notices.make_router(desk, book))
    made = app.openapi

    def openapi() -> dict[str, Any]:
        """Return FastAPI's document with our problems and our two ways of showing a key."""
        document = made()
        document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        document["components"]["securitySchemes"] = SCHEMES
        for path, operations in document["paths"].items():
            for operation in operations.values():
                if path not in _KEYLESS:
                    operation["security"] = [{name: []} for name in SCHEMES]
        return document

    app.openapi = openapi  # type: ignore[method-assign]
    return app
