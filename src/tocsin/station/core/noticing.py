"""Noticing: notices as part of a live core: their register, their plans, and how their tracks keep to them.

Implements SEMANTICS §4.3 live, as `watch/notified.py` does for a replay: an event that a notice told of carries its
mark and climbs no ladder, and its track is followed by the budget of excursions. A finding is told as soon as the
budget is passed, and once more, for good, when the window is over. Pure: no clock, no input or output. Nothing in here
approves anything: what is prohibited is warned as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from msgspec import Struct, field

from tocsin.agreement.notices.budget import F3548
from tocsin.agreement.notices.held import Fact
from tocsin.agreement.notices.notice import Item
from tocsin.agreement.notices.plan import Plan, plans_of_notice
from tocsin.agreement.notices.register import Register
from tocsin.agreement.notices.rules import Rules
from tocsin.agreement.watchlist import Watchlist
from tocsin.clock import US_PER_S
from tocsin.station.core.entries import NoticeTold
from tocsin.tracks.batch import EMPTY, ReportBatch, concat
from tocsin.tracks.order import canonical
from tocsin.watch.conformance import BESIDE_S, conformance_of
from tocsin.watch.event import Event
from tocsin.watch.excursion import Conformance, ExcursionKind
from tocsin.watch.noted import mark

JUDGE_EVERY_US = 60 * US_PER_S
"""How often a notified track is looked at while its window lasts, microseconds of its own time: as long as a mover
has to be back inside (F3548); oftener costs more and tells sooner."""

JUDGED_A_TICK = 4
"""Plans that one tick looks at (P6): of several the one that waited longest comes first."""

MOST_FOLLOWED = 200_000
"""Reports of notified tracks that are kept (P11); past it the oldest go, and their way is judged from there on."""

DAY_US = 86_400 * US_PER_S

OVER_US = 10 * DAY_US
"""How long after its window a plan is remembered, microseconds: longer than reports may be late and still corrected."""

_BESIDE_US = round(BESIDE_S * US_PER_S)


class Judged(Struct, frozen=True, kw_only=True):
    """How a track kept to its notice, as far as was known then.

    Attributes
    ----------
    conformance : Conformance
    is_final : bool
        False while its window lasts.
    """

    conformance: Conformance
    is_final: bool


class Noticing(Struct, kw_only=True):
    """What a station remembers of its notices; changed in place by the core alone.

    Attributes
    ----------
    register : Register
    day : int
        The day, since 1970, on which it last forgot what ended long ago.
    followed : list of ReportBatch
        Reports of notified tracks that were watched, while their plans last.
    looked_us : dict of str to int
        By plan, the watermark at which it was last looked at.
    over : dict of str to list of str
        By plan and track, what of the budget has been told to be passed.
    settled : dict of str to int
        Plans that are judged for good, and until when that is remembered.
    """

    register: Register
    day: int = 0
    followed: list[ReportBatch] = field(default_factory=list)
    looked_us: dict[str, int] = field(default_factory=dict)
    over: dict[str, list[str]] = field(default_factory=dict)
    settled: dict[str, int] = field(default_factory=dict)
    _plans: tuple[Plan, ...] | None = None

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans of notices that are not long over, in the order in which they came."""
        if self._plans is None:
            self._plans = tuple(self._make_plans())
        return self._plans

    def step(
        self, items: Sequence[Item], now_us: int, *, rules: Rules | None = None
    ) -> tuple[list[list[Fact]], list[Fact]]:
        """Take what parties said, then let time pass.

        Parameters
        ----------
        items : sequence of Notice, ReceiptOf, Consent or Verification
        now_us : int
        rules : Rules or None
            Of a version that comes into force with this.

        Returns
        -------
        answers : list of list of Fact
            What came of each item.
        facts : list of Fact
            Everything that came of items and of time, in order.
        """
        register, is_new_day = self.register, now_us // DAY_US != self.day
        if is_new_day:
            self.day = now_us // DAY_US
            register.forget(self.day * DAY_US)
        if rules is not None:
            register.adopt(rules)
        answers = [register.take(item) for item in items]
        register.pass_time(now_us)
        facts, register.facts = register.facts, []
        if items or facts or rules is not None or is_new_day:
            self._plans = None
        return answers, facts

    def marked(self, events: Sequence[Event], watchlist_of: Callable[[int], Watchlist]) -> list[Event]:
        """Return events in their order, those that a notice told of carrying its mark.

        Parameters
        ----------
        events : sequence of Event
        watchlist_of : callable
            Returns the watch of a version, by its number.
        """
        tracks = {event.track_id for event in events}
        plans = [plan for plan in self.plans if plan.covers and not tracks.isdisjoint(plan.tracks)]
        if not plans:
            return list(events)
        found = list(events)
        for version in {event.agreement_version for event in events}:
            rows = [row for row, event in enumerate(events) if event.agreement_version == version]
            told = mark([events[row] for row in rows], plans, watchlist_of(version))
            for row, event in zip(rows, told, strict=True):
                found[row] = event
        return found

    def follow(self, reports: Sequence[ReportBatch], watchlist: Watchlist, watermark_us: int) -> list[Judged]:
        """Take reports that were watched; return what is to be told of notified tracks.

        Parameters
        ----------
        reports : sequence of ReportBatch
            In any order, late ones too.
        watchlist : Watchlist
            Of the version in force.
        watermark_us : int
        """
        if not self.plans:
            self.followed.clear()
            return []
        awaited = [plan for plan in self.plans if _key(plan) not in self.settled]
        tracks = {track for plan in awaited for track in plan.tracks}
        mine = [batch.of_tracks(tracks) for batch in reports if not tracks.isdisjoint(batch.tracks)]
        self.followed += [batch for batch in mine if len(batch)]
        due = [plan for plan in awaited if self._is_due(plan, watermark_us)]
        due.sort(key=lambda plan: self.looked_us.get(_key(plan), plan.from_us))
        found = [judged for plan in due[:JUDGED_A_TICK] for judged in self._judge(plan, watchlist, watermark_us)]
        if due:
            self._tidy(watermark_us)
        return found

    # --- inside ----------------------------------------------------------------------------------------------------

    def _make_plans(self) -> Iterator[Plan]:
        by_name, since_us = self.register.rules.by_name, self.day * DAY_US - OVER_US
        for held in self.register.held.values():
            if held.notice.to_us is not None and held.notice.to_us > since_us:
                rule = by_name.get(held.notice.rule)
                yield from plans_of_notice(held, budget=rule.budget if rule else F3548)

    def _is_due(self, plan: Plan, watermark_us: int) -> bool:
        looked_us = self.looked_us.get(_key(plan), max(plan.from_us, plan.known_us))
        if watermark_us < looked_us + JUDGE_EVERY_US:
            return False
        over_us = plan.to_us + round(plan.budget.recover_s * US_PER_S)
        return watermark_us >= over_us or any(not plan.tracks.isdisjoint(batch.tracks) for batch in self.followed)

    def _judge(self, plan: Plan, watchlist: Watchlist, watermark_us: int) -> Iterable[Judged]:
        key = _key(plan)
        self.looked_us[key] = watermark_us
        reports = concat(self.followed) if self.followed else EMPTY
        reports = reports.take(reports.observed_us < watermark_us)
        found = conformance_of([plan], reports.take(canonical(reports).keep), watchlist, until_us=watermark_us)
        is_over = watermark_us >= plan.to_us + round(plan.budget.recover_s * US_PER_S)
        lingers = any(e.kind is ExcursionKind.AFTER_WINDOW and e.is_open for c in found for e in c.excursions)
        is_final = is_over and (not lingers or watermark_us >= plan.to_us + _BESIDE_US)
        for conformance in found:
            name = f"{key} {conformance.track_id}"
            over = [str(part) for part in conformance.over]
            if is_final or set(over) - set(self.over.get(name, ())):
                self.over[name] = over
                yield Judged(conformance=conformance, is_final=is_final)
        if is_final:
            self.settled[key] = plan.to_us + _BESIDE_US

    def _tidy(self, watermark_us: int) -> None:
        """Forget reports that no plan needs any more, and plans that are gone."""
        keys = {_key(plan) for plan in self.plans}
        self.settled = {key: at for key, at in self.settled.items() if key in keys or at > watermark_us}
        self.looked_us = {key: at for key, at in self.looked_us.items() if key in keys - self.settled.keys()}
        self.over = {name: over for name, over in self.over.items() if name.rpartition(" ")[0] in self.looked_us}
        awaited = [plan for plan in self.plans if _key(plan) not in self.settled]
        from_us = {
            track: min(max(p.known_us, p.from_us - _BESIDE_US) for p in awaited if track in p.tracks)
            for track in {track for plan in awaited for track in plan.tracks}
        }
        held = concat(self.followed) if self.followed else EMPTY
        starts_us = np.array([from_us.get(name, 2**62) for name in held.tracks] or [0], np.int64)
        held = held.take(np.flatnonzero(held.observed_us >= starts_us[held.track])[-MOST_FOLLOWED:])
        self.followed = [held] if len(held) else []


def notice_records(facts: Iterable[Fact], judged: Iterable[Judged]) -> Iterator[NoticeTold]:
    """Yield what happened to notices, then how tracks keep to them, each as the record has it."""
    for fact in facts:
        yield NoticeTold(notice_id=fact.notice, party=fact.party, tell=fact.tell, payload=fact.as_json())
    for one in judged:
        kept = one.conformance
        payload = {"fact": "conformance", "final": one.is_final, **kept.as_json()}
        yield NoticeTold(notice_id=kept.notice_id, party=kept.party, tell=(), payload=payload)


def _key(plan: Plan) -> str:
    return f"{plan.notice_id} {plan.known_us}"
