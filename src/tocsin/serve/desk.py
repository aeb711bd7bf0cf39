"""The desk: what every route works with, made once by `app.py` and handed to each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

from msgspec import Struct, field

from tocsin.agreement.visible import Policy, compile_policy
from tocsin.serve.auth import Doorkeeper
from tocsin.station.api import StationApi

READS_AT_A_TIME = 4
"""Questions that read the store at a time (P11); more wait in line, behind the live work (FAULTS 107)."""

_T = TypeVar("_T")


class BoundAnswer(Protocol):
    """What the token of an answer page is bound to."""

    @property
    def case_id(self) -> str:
        """The case."""

    @property
    def message_id(self) -> str:
        """The message that it answers."""

    @property
    def party(self) -> str:
        """For whom it answers."""

    @property
    def channel(self) -> str:
        """By which channel the message went."""


TokenCheck = Callable[[str, int], BoundAnswer | None]
"""Takes a token and the time, returns what it is bound to, or None if it is forged or too old."""


class Desk(Struct, kw_only=True):
    """What routes work with.

    Attributes
    ----------
    station : StationApi
    door : Doorkeeper
    now_us : callable
    check_token : TokenCheck or None
        None where no answer page is served.
    """

    station: StationApi
    door: Doorkeeper
    now_us: Callable[[], int]
    check_token: TokenCheck | None = None
    _policies: dict[bytes, Policy] = field(default_factory=dict)
    _reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(READS_AT_A_TIME))

    @property
    def policy(self) -> Policy:
        """Who may see what, by the agreement version in force now."""
        agreement = self.station.agreement
        policy = self._policies.get(agreement.digest)
        if policy is None:
            policy = compile_policy(agreement)
            self._policies = {agreement.digest: policy}
        return policy

    async def read(self, question: Callable[[], _T]) -> _T:
        """Return the answer to a question that reads the store, asked beside the event loop."""
        async with self._reading:
            return await asyncio.to_thread(question)
