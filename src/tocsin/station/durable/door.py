"""The door of the ticker: what other threads bring for the next tick, taken or refused, and what they are told of it.

Implements P11: what waits is bounded, and what is past the bound is refused, so that its sender keeps it. People are
heard also while no reports are taken. What becomes of what was taken is the ticker's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from tocsin.agreement.notices.held import Fact
from tocsin.errors import RefusedError
from tocsin.station.core.health import Health, HealthNote
from tocsin.station.core.inputs import Corrected, Kept, Saying
from tocsin.station.core.terms import Terms
from tocsin.station.durable.waiting import Waiting
from tocsin.tracks.feeds.feed import Delivery
from tocsin.warn.inputs import Answer, Muting, Reported
from tocsin.warn.steps import Mute
from tocsin.warn.telling import Acknowledgement

MAX_WAITING_REPORTS = 200_000
"""Reports that may wait for a tick; past it deliveries are refused, and their senders keep them (P11)."""

MAX_WAITING_DELIVERIES = 10_000
"""Deliveries, answers and outcomes that may wait for a tick."""


class Door:
    """Takes what comes, from any thread.

    Attributes
    ----------
    failed : str or None
        Why the station has stopped for good.
    blocked : HealthNote or None
        Why it takes no reports at the moment.
    """

    def __init__(self) -> None:
        self.failed: str | None = None
        self.blocked: HealthNote | None = None
        self._waiting = Waiting()
        self._change = threading.Condition()
        self._stopping = False
        self._found_wrong: str | None = None

    def deliver(self, delivery: Delivery) -> Future[None]:
        """Take reports; the future is done once they are durable.

        Raises
        ------
        RefusedError
            If they are not taken now.
        """
        future: Future[None] = Future()
        with self._change:
            self._check(len(delivery.batch))
            self._waiting.deliveries.append((delivery, future))
            self._waiting.report_count += len(delivery.batch)
            self._change.notify()
        return future

    def answer(self, answer: Answer) -> Future[Acknowledgement]:
        """Take an answer; the future gives its end once that is durable.

        Raises
        ------
        RefusedError
            If the station stops, or far too many wait.
        """
        future: Future[Acknowledgement] = Future()
        self._hear(lambda waiting: waiting.answers.append((answer, future)))
        return future

    def mute(self, muting: Muting) -> Future[Mute]:
        """Take a person's mute; the future gives it once it is durable, or a `LadderError` if the case cannot be muted.

        Raises
        ------
        RefusedError
            If the station stops, or far too many wait.
        """
        future: Future[Mute] = Future()
        self._hear(lambda waiting: waiting.mutes.append((muting, future)))
        return future

    def say(self, sayings: Sequence[Saying]) -> Future[list[list[Fact]]]:
        """Take what a party says about notices; the future gives what came of each once that is durable.

        Raises
        ------
        RefusedError
            If the station stops, or far too many wait.
        """
        future: Future[list[list[Fact]]] = Future()
        self._hear(lambda waiting: waiting.sayings.append((sayings, future)))
        return future

    def put_in_force(self, terms: Terms) -> Future[None]:
        """Take a new agreement version; the future is done once it is durably in force.

        Raises
        ------
        RefusedError
            If another is just being taken, or the station stops.
        """
        future: Future[None] = Future()
        with self._change:
            self._check(0)
            if self._waiting.version is not None:
                raise RefusedError("another version is just being put in force")
            self._waiting.version = (terms, future)
            self._change.notify()
        return future

    def report(self, outcome: Reported) -> None:
        """Take what came of an attempt."""
        self._add(lambda waiting: waiting.outcomes.append(outcome))

    def note(self, note: HealthNote) -> None:
        """Take something that befell the station."""
        self._add(lambda waiting: waiting.notes.append(note))

    def correct(self, corrected: Corrected) -> None:
        """Take what late reports turned out to change."""
        self._add(lambda waiting: waiting.corrected.append(corrected))

    def fail(self, why: str) -> None:
        """Stop for good, soon: something was found that makes all that follows doubtful."""
        with self._change:
            self._found_wrong = why
            self._change.notify()

    def keep(self, entry: Kept) -> None:
        """Take an entry of the record's keeper."""
        self._add(lambda waiting: waiting.kept.append(entry))

    def _add(self, add: Callable[[Waiting], None]) -> None:
        with self._change:
            if self.failed is None:
                add(self._waiting)
                self._change.notify()

    def _hear(self, add: Callable[[Waiting], None]) -> None:
        """Take what a person says, also while no reports are taken."""
        with self._change:
            self._check_running()
            if len(self._waiting) >= MAX_WAITING_DELIVERIES:
                raise RefusedError("too much came at once; send it again")
            add(self._waiting)
            self._change.notify()

    def _check(self, report_count: int) -> None:
        self._check_running()
        if self.blocked is not None:
            raise RefusedError(self.blocked.detail, is_full=self.blocked.kind is Health.FULL)
        waiting = self._waiting
        if waiting.report_count and waiting.report_count + report_count > MAX_WAITING_REPORTS:
            raise RefusedError(f"{waiting.report_count} reports wait already; send it again")
        if len(waiting) >= MAX_WAITING_DELIVERIES:
            raise RefusedError(f"{len(waiting)} deliveries wait already; send it again")

    def _check_running(self) -> None:
        if self.failed is not None:
            raise RefusedError(f"the station has stopped: {self.failed}")
        if self._stopping:
            raise RefusedError("the station is stopping")
