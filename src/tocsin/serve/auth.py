"""Who asks: the key of a request, judged before the route begins.

A key comes as `Authorization: Bearer`, or as the password of `Basic` for apps that know nothing else (RFC 6750, 7617);
never in an address, except for pushes into a feed whose URL allows it. Refusals are logged with who, what and from
where, without what was tried (FAULTS 104). `X-Forwarded-For` is believed only from the configured proxy (FAULTS 100).
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable

from fastapi import Request
from msgspec import Struct

from tocsin.serve.guesses import Guesses
from tocsin.serve.keys import Caller, Keyring, Scope
from tocsin.serve.problem import ProblemError

log = logging.getLogger(__name__)

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key of the station; see docs/guide/api.md."},
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The key as password, for apps that know no other way.",
    },
}
"""What OpenAPI says of the two ways."""

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="tocsin"'}


class Doorkeeper(Struct, frozen=True, kw_only=True):
    """Judges keys and tokens.

    Attributes
    ----------
    keys : Keyring
    now_us : callable
    proxy : str or None
        Address of the one proxy whose `X-Forwarded-For` is believed.
    guesses : Guesses
    """

    keys: Keyring
    now_us: Callable[[], int]
    proxy: str | None
    guesses: Guesses

    def source(self, request: Request) -> str:
        """Return where a request comes from."""
        peer = request.client.host if request.client else "unknown"
        if peer != self.proxy:
            return peer
        return request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()[:64] or peer

    def caller(self, request: Request, *scopes: Scope, query_key: bool = False) -> Caller:
        """Return who makes a request, of one of these scopes.

        Parameters
        ----------
        request : Request
        *scopes : Scope
        query_key : bool
            True where the address may carry the key, as `key=`.

        Raises
        ------
        ProblemError
            401 without a key or with a wrong one, 429 after many, 403 with a key for something else.
        """
        text = _key(request) or (request.query_params.get("key", "") if query_key else "")
        caller = self.keys.check(text, now_us=self.now_us())
        if caller is None:
            raise self.refused(request, "key", 401 if not text else self._wrong_status(request))
        if caller.scope not in scopes:
            self._log(request, "scope", caller)
            raise ProblemError(403, f"this key is for something else ({caller.scope})")
        return caller

    def refused(self, request: Request, what: str, status: int) -> ProblemError:
        """Return the refusal of a key or token; the same whatever was wrong with it."""
        self._log(request, what, None)
        if status == 429:
            return ProblemError(429, f"too many wrong {what}s", headers={"Retry-After": "60"})
        detail = {
            401: "a key is needed: Authorization: Bearer KEY",
            404: f"this {what} is not valid, or not any longer",
        }
        return ProblemError(status, detail[status], headers=_CHALLENGE if status == 401 else None)

    def refused_token(self, request: Request) -> ProblemError:
        """Return the refusal of an answer page's token, counted as a guess."""
        return self.refused(request, "link", 429 if self._wrong_status(request) == 429 else 404)

    def _wrong_status(self, request: Request) -> int:
        return 429 if self.guesses.wrong(self.source(request), self.now_us()) > 0 else 401

    def _log(self, request: Request, what: str, caller: Caller | None) -> None:
        extra = {
            "what": what,
            "method": request.method,
            "route": getattr(request.scope.get("route"), "path", ""),
            "source": self.source(request),
            "key_id": caller.key_id if caller else None,
        }
        log.warning("access.refused", extra=extra)


def _key(request: Request) -> str:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except ValueError:
            return ""
    return ""
