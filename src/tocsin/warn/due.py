"""What falls due, in one order: a queue of deadlines over all cases, by time and then by case, kind and subject.

The cases hold their own deadlines; the queue is only an index over them and can be rebuilt from the cases at any time,
so nothing is lost with it. Two queues that were given the same deadlines in any order give them back in the same order.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from tocsin.warn.case import Case
from tocsin.warn.steps import Deadline


class DueQueue:
    """A queue of deadlines.

    Parameters
    ----------
    cases : iterable of Case
        Cases whose deadlines it starts with, such as those read back after a restart.
    """

    def __init__(self, cases: Iterable[Case] = ()) -> None:
        self._held: set[Deadline] = {deadline for case in cases for deadline in case.deadlines}
        self._heap = sorted(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def add(self, deadline: Deadline) -> None:
        """Add a deadline; one that is held already is held once."""
        if deadline not in self._held:
            self._held.add(deadline)
            heapq.heappush(self._heap, deadline)

    def drop(self, deadline: Deadline) -> None:
        """Drop a deadline; one that is not held is no error, since it may just have been taken."""
        self._held.discard(deadline)

    def next(self) -> Deadline | None:
        """Return the next deadline without taking it; None if there is none."""
        while self._heap and self._heap[0] not in self._held:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def take(self) -> Deadline:
        """Take the next deadline.

        Raises
        ------
        IndexError
            If there is none.
        """
        deadline = self.next()
        if deadline is None:
            raise IndexError("no deadline is held")
        self._held.discard(deadline)
        heapq.heappop(self._heap)
        return deadline
