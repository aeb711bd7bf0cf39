"""How the station is: health, counters, metrics, and a new version of the agreement put in force.

Health says to anybody whether the station works, and to its keeper what is wrong. Counters and metrics say how much of
everything there is, which is the keeper's to see, and a party's where the agreement grants it counts (P8).
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from tocsin.errors import RefusedError
from tocsin.serve.desk import Desk
from tocsin.serve.keys import Scope
from tocsin.serve.problem import ProblemError, responses
from tocsin.serve.seen import sees_counts

HEALTH_PATH = "/healthz"
AGREEMENT_PATH = "/v1/agreement"
MAX_AGREEMENT_BYTES = 8 * 2**20

_STATUSES = (400, 401, 403, 408, 413, 414, 415, 429, 500)


def make_router(desk: Desk) -> APIRouter:
    """Return the routes that tell how the station is."""
    router = APIRouter(tags=["state"])

    @router.get(HEALTH_PATH, responses={503: {"description": "it does not work"}, **responses(400, 401, 403, 429, 500)})
    async def get_health(request: Request) -> Response:
        """Say whether the station works; what is wrong, only to its keeper."""
        is_keeper = "authorization" in request.headers
        if is_keeper:
            desk.door.caller(request, Scope.KEEPER)
        health = await desk.read(desk.station.health)
        shown = health if is_keeper else {"ok": bool(health["ok"])}
        return JSONResponse(shown, status_code=200 if health["ok"] else 503)

    @router.get("/counters", responses=responses(*_STATUSES))
    async def get_counters(request: Request) -> dict[str, Any]:
        """Return what became of every record, by feed and in all."""
        caller = desk.door.caller(request, Scope.KEEPER, Scope.PARTY)
        if not sees_counts(desk.policy, caller, now_us=desk.now_us()):
            raise ProblemError(403, "the agreement grants this party no counts")
        return await desk.read(desk.station.counters)

    @router.get(
        "/metrics",
        response_class=PlainTextResponse,
        responses={200: {"description": "Prometheus text"}, **responses(*_STATUSES)},
    )
    async def get_metrics(request: Request) -> Response:
        """Return the counters and the health for Prometheus; see docs/grafana.json."""
        from tocsin.serve.metrics import CONTENT_TYPE, metrics_text  # Prometheus is loaded where it is asked for

        desk.door.caller(request, Scope.KEEPER)
        counters, health = await desk.read(lambda: (desk.station.counters(), desk.station.health()))
        return Response(metrics_text(counters, health), media_type=CONTENT_TYPE)

    @router.post(
        AGREEMENT_PATH,
        responses=responses(404, 409, 422, *_STATUSES),
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/yaml": {"schema": {"type": "string"}}}}
        },
    )
    async def post_agreement(request: Request) -> dict[str, Any]:
        """Put a later version of the agreement in force; the old one stays if it cannot be used."""
        desk.door.caller(request, Scope.KEEPER)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/yaml":
            raise ProblemError(415, "expected Content-Type: application/yaml")
        try:
            return await desk.station.reload(await request.body())
        except RefusedError as error:
            raise ProblemError(409, error.reason) from error

    return router
