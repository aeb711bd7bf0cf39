"""What a running station answers to whoever asks from outside: the seam between `station` and `serve`.

Implements FAULTS §3: deliveries and answers return once they are durable, events come in one order, counters obey
their identities. It shows everything: who may see what is `agreement/visible.py`'s, and asking it is the asker's duty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from tocsin.agreement.model import Agreement
from tocsin.tracks.feeds.feed import Delivery, Feed
from tocsin.warn.inputs import Answer, Muting


class Page(Struct, frozen=True, kw_only=True):
    """Some rows of what the station keeps, in the order in which they were committed.

    Attributes
    ----------
    rows : tuple of dict
        JSON objects.
    after : int
        The number to ask for the next page with: the last row's, or what was asked with if there are none.
    """

    rows: tuple[dict[str, Any], ...]
    after: int


class StationApi(Protocol):
    """A running station. Every method may be called from any thread; the coroutines from any event loop."""

    @property
    def agreement(self) -> Agreement:
        """The agreement version in force."""

    @property
    def feeds(self) -> Mapping[str, Feed]:
        """The feeds that run, by name."""

    async def deliver(self, delivery: Delivery) -> None:
        """Take reports; return when they are durable.

        Raises
        ------
        RefusedError
            If the station does not take them now.
        """

    async def answer(self, answer: Answer) -> dict[str, Any]:
        """Take an answer; return it as it was recorded, with its `disposition`, once that is durable.

        Raises
        ------
        RefusedError
            If the station does not take it now.
        """

    async def mute(self, muting: Muting) -> dict[str, Any]:
        """Mute a case for a person; return the mute as it was recorded, once that is durable.

        Raises
        ------
        LadderError
            If the case cannot be muted, or not so.
        RefusedError
            If the station does not take it now.
        """

    async def reload(self, text: bytes) -> dict[str, Any]:
        """Put a new version of the agreement in force; return its id, version and sha256 once that is durable.

        Raises
        ------
        AgreementErrors
            If it cannot be watched; the old version stays in force.
        """

    def events(self, *, after: int = 0, limit: int = 1_000) -> Page:
        """Return events, final and provisional, opened, amended and withdrawn, in the order of their commit."""

    def facts(self, *, after: int = 0, limit: int = 1_000, case_id: str | None = None) -> Page:
        """Return what the ladder decided and heard, in the order of its commit."""

    def cases(self, *, is_open: bool | None = None, limit: int = 1_000) -> Sequence[dict[str, Any]]:
        """Return cases, the newest first; only open or only closed ones if asked."""

    def case(self, case_id: str) -> dict[str, Any] | None:
        """Return one case with its whole timeline, or None if there is none of this id."""

    def counters(self) -> dict[str, Any]:
        """Return the counters of every feed and of all together.

        For each: received = accepted + rejected by reason + shed + duplicate, accepted = applied + late + pending.
        """

    def health(self) -> dict[str, Any]:
        """Return whether the station takes reports, what is wrong if anything, and since when; `ok` is the sum."""
