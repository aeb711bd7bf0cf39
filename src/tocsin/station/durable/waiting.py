"""What waits for the next tick, and everybody who waits for what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import Any

from msgspec import Struct, field

from tocsin.agreement.notices.held import Fact
from tocsin.errors import LadderError, RefusedError, TocsinError
from tocsin.station.core.health import HealthNote
from tocsin.station.core.inputs import Corrected, Inputs, Kept, Saying, of_deliveries
from tocsin.station.core.state import Commit
from tocsin.station.core.terms import Terms
from tocsin.tracks.feeds.feed import Delivery
from tocsin.warn.inputs import Answer, Muting, Reported
from tocsin.warn.steps import Mute
from tocsin.warn.telling import Acknowledgement


class Waiting(Struct, kw_only=True):
    """What came since the last tick; not locked.

    Attributes
    ----------
    deliveries, answers, mutes, sayings : list of (thing, Future)
        With what is told to whoever brought it.
    outcomes : list of Reported
    kept : list of Kept
    notes : list of HealthNote
    corrected : list of Corrected
    version : (Terms, Future) or None
        Is to come into force.
    report_count : int
        In all deliveries.
    """

    deliveries: list[tuple[Delivery, Future[None]]] = field(default_factory=list)
    answers: list[tuple[Answer, Future[Acknowledgement]]] = field(default_factory=list)
    mutes: list[tuple[Muting, Future[Mute]]] = field(default_factory=list)
    sayings: list[tuple[Sequence[Saying], Future[list[list[Fact]]]]] = field(default_factory=list)
    outcomes: list[Reported] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    notes: list[HealthNote] = field(default_factory=list)
    corrected: list[Corrected] = field(default_factory=list)
    version: tuple[Terms, Future[None]] | None = None
    report_count: int = 0

    def __bool__(self) -> bool:
        parts = (self.deliveries, self.answers, self.mutes, self.sayings, self.outcomes, self.notes, self.corrected)
        return any(parts) or bool(self.kept) or self.version is not None

    def __len__(self) -> int:
        return len(self.deliveries) + len(self.answers) + len(self.mutes) + len(self.sayings)

    def beyond(self, report_count: int) -> Waiting:
        """Take out the deliveries past a count of reports, but the first always stays, and return them."""
        count = kept = 0
        for delivery, _ in self.deliveries:
            if kept and count + len(delivery.batch) > report_count:
                break
            count += len(delivery.batch)
            kept += 1
        rest = Waiting(deliveries=self.deliveries[kept:], report_count=self.report_count - count)
        self.deliveries, self.report_count = self.deliveries[:kept], count
        return rest

    def inputs(self) -> tuple[Inputs, Terms | None]:
        """Return what a tick takes, and the terms of the version that comes into force with it."""
        batch, delivered = of_deliveries([delivery for delivery, _ in self.deliveries])
        version = self.version[0] if self.version else None
        inputs = Inputs(
            batch=batch,
            delivered=delivered,
            answers=tuple(answer for answer, _ in self.answers),
            mutes=tuple(muting for muting, _ in self.mutes),
            outcomes=tuple(self.outcomes),
            notes=tuple(self.notes),
            corrected=tuple(self.corrected),
            kept=tuple(self.kept),
            sayings=tuple(saying for sayings, _ in self.sayings for saying in sayings),
            agreement=version.written if version else None,
        )
        return inputs, version

    def tell(self, commit: Commit) -> None:
        """Tell everybody what a commit made of what they brought."""
        for _, future in self.deliveries:
            _resolve(future, None)
        if len(commit.answered) == len(self.answers):
            for (_, answered), end in zip(self.answers, commit.answered, strict=True):
                _resolve(answered, end)
        else:
            for _, answered in self.answers:
                _resolve(answered, RefusedError("the ladder refused one of the answers of that moment; send it again"))
        for (_, muted), became in zip(self.mutes, commit.muted, strict=True):
            _resolve(muted, LadderError(became) if isinstance(became, str) else became)
        noticed = iter(commit.noticed)
        for sayings, said in self.sayings:
            _resolve(said, list(islice(noticed, len(sayings))))
        if self.version is not None:
            _resolve(self.version[1], None)

    def refuse(self, reason: str) -> None:
        """Tell everybody that nothing becomes of what they brought."""
        for future in self._futures():
            if not future.done():
                future.set_exception(RefusedError(reason))

    def _futures(self) -> Iterator[Future[Any]]:
        for taken in (self.deliveries, self.answers, self.mutes, self.sayings):
            yield from (future for _, future in taken)
        if self.version is not None:
            yield self.version[1]


def _resolve(future: Future, value: object) -> None:  # type: ignore[type-arg]
    if future.cancelled():
        return
    if isinstance(value, TocsinError):
        future.set_exception(value)
    else:
        future.set_result(value)
