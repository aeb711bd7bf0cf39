"""Due: what is to be looked at in the notices when its time has come, in one order, as plain data.

Deadlines of receipts, the end of the time a notice told of, a reminder before it expires, and its expiry. What each
does is `register.py`'s to say. No clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from msgspec import Struct

from tocsin.agreement.notices.words import Receipt


class DueKind(StrEnum):
    """What falls due for a notice."""

    RECEIPT = "receipt"
    PASSED = "passed"
    EXPIRES_SOON = "expires_soon"
    EXPIRES = "expires"


class Due(Struct, frozen=True, kw_only=True):
    """Something that falls due.

    Attributes
    ----------
    at_us, number : int
        When, and of several at one instant in which order.
    kind : DueKind
    notice : str
        Its id.
    receipt, unit : Receipt or None, str or None
        Which receipt.
    expires_us : int
        When the notice was to expire as that stood when this was set.
    """

    at_us: int
    number: int
    kind: DueKind
    notice: str
    receipt: Receipt | None = None
    unit: str | None = None
    expires_us: int = 0

    def __lt__(self, other: Due) -> bool:
        """Return True if this one comes first."""
        return (self.at_us, self.number) < (other.at_us, other.number)


class Calendar:
    """What falls due, the earliest first.

    Parameters
    ----------
    held : iterable of Due
        As another calendar had them.
    count : int
        How many it had ever been given.
    """

    def __init__(self, held: Iterable[Due] = (), count: int = 0) -> None:
        self._heap = sorted(held)
        self.count = count

    def add(self, at_us: int, kind: DueKind, notice: str, **more: Any) -> None:
        """Take something in; of two at one instant the first given comes first."""
        self.count += 1
        heapq.heappush(self._heap, Due(at_us=at_us, number=self.count, kind=kind, notice=notice, **more))

    def take(self, *, by_us: int) -> Due | None:
        """Take out the first that is due by an instant, or return None."""
        return heapq.heappop(self._heap) if self._heap and self._heap[0].at_us <= by_us else None

    def drop(self, notices: Iterable[str]) -> None:
        """Leave out what is due for some notices."""
        gone = frozenset(notices)
        self._heap = sorted(due for due in self._heap if due.notice not in gone)

    @property
    def held(self) -> list[Due]:
        """Everything that falls due, in order."""
        return sorted(self._heap)
