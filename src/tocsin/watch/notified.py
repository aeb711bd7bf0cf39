"""Notified: notices beside a watch: their register, their marks on its events, and how their tracks kept to them.

A pure step after the engine, which knows no notices. What is written, recorded and shown is for `station`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tocsin.agreement.notices.formats.read import Submissions
from tocsin.agreement.notices.plan import plans_of
from tocsin.agreement.notices.register import Register, follow
from tocsin.agreement.notices.rules import Rules
from tocsin.agreement.watchlist import Watchlist
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.conformance import conformance_of
from tocsin.watch.excursion import Conformance
from tocsin.watch.found import EventBatch
from tocsin.watch.noted import NotedBatch, marks_of


class Notified(Struct, frozen=True, kw_only=True):
    """What came of the notices of a watch.

    Attributes
    ----------
    submissions : Submissions
        What the files held, with what was refused.
    register : Register
        Up to the end of the watch.
    conformance : tuple of Conformance
        One for every notified track.
    """

    submissions: Submissions
    register: Register
    conformance: tuple[Conformance, ...]

    @property
    def flagged(self) -> int:
        """How many accepted notices have a flag."""
        return sum(bool(held.flags) for held in self.register.held.values())

    @property
    def findings(self) -> tuple[Conformance, ...]:
        """The tracks that passed the budget."""
        return tuple(c for c in self.conformance if c.is_finding)


def with_notices(
    submissions: Submissions,
    *,
    rules: Rules,
    watched: Sequence[tuple[Watchlist, EventBatch]],
    reports: ReportBatch,
    until_us: int,
) -> tuple[list[EventBatch], Notified]:
    """Return the events of a watch with the marks of its notices, and what came of those.

    Parameters
    ----------
    submissions : Submissions
    rules : Rules
        Of the last version watched.
    watched : sequence of (Watchlist, EventBatch)
        Each version's watch and what it found, in order of time.
    reports : ReportBatch
        In canonical order.
    until_us : int
        The end of the watch: deadlines are judged up to here, or to the last submission if that is later.

    Returns
    -------
    marked : list of EventBatch
        One for each version.
    notified : Notified
    """
    register = follow(rules, submissions.items, until_us=until_us)
    plans = plans_of(register)
    conformance = conformance_of(plans, reports, watched[-1][0], until_us=until_us)
    marked: list[EventBatch] = [NotedBatch(events, marks_of(events, plans, watchlist)) for watchlist, events in watched]
    return marked, Notified(submissions=submissions, register=register, conformance=conformance)
