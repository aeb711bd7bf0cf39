"""The core: one tick of the station as a pure step, (state, inputs, now) -> (state, what was decided).

Implements DESIGN P2 and P4. Everything that a tick decides is in its `Commit`, to be made durable in one transaction
before any of it is sent, shown or recorded; what comes of that enters again as input. The same state, inputs and times
give the same commits, so that a restart is a snapshot and a replay, checked by each commit's digest. No clock, no
randomness, no input or output, no thread is in here. Salts are the shell's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from tocsin.record.c2sp.note import parse_vkey
from tocsin.record.leaf import EntryKind
from tocsin.station.core.agreed_witnesses import witnesses_entry
from tocsin.station.core.counters import AHEAD, FeedCounts
from tocsin.station.core.entries import (
    NOTICE,
    NoticeTold,
    counts_entry,
    event_entries,
    fact_entries,
    kept,
    notice_entry,
    version_entry,
)
from tocsin.station.core.handover import Outgoing, Seam, engine_of, taken_over
from tocsin.station.core.health import Health, HealthNote
from tocsin.station.core.inputs import Corrected, Delivered, Inputs, Kept
from tocsin.station.core.noticing import notice_records
from tocsin.station.core.overdue import About, tell_overdue
from tocsin.station.core.state import Commit, State, attempt_id
from tocsin.station.core.terms import Terms
from tocsin.tracks.batch import ReportBatch, concat
from tocsin.tracks.order import Release
from tocsin.tracks.waiting import by_feed
from tocsin.units import format_instant
from tocsin.warn import desk
from tocsin.warn.inputs import Found, Resumed
from tocsin.warn.telling import Message
from tocsin.watch import live
from tocsin.watch.event import Event

MAX_LATE = 100_000
"""Late reports that wait to be looked at for what they change; more are counted late and not looked at."""

DOUBTED_US = 86_400 * 1_000_000
"""How long a track with late reports is looked at again, microseconds: longer than most visits last."""

MAX_DOUBTED = 10_000
"""Tracks with late reports that are remembered; of more the ones that came first are let go (P11)."""

COUNTS_EVERY_US = 3_600 * 1_000_000
"""How often the counters go into the record; microseconds."""


def tick(state: State, inputs: Inputs, now_us: int, *, terms: Terms | None = None) -> tuple[State, Commit]:
    """Take everything that came since the last tick.

    Parameters
    ----------
    state : State
        Taken over: use the returned one from now on.
    inputs : Inputs
    now_us : int
        Microseconds UTC by the station's steady clock; not before the last tick.
    terms : Terms or None
        What `inputs.agreement` compiles to, where there is one.

    Returns
    -------
    State, Commit

    Raises
    ------
    ValueError
        If time runs backwards. Nothing was changed.
    """
    if now_us < state.now_us:
        raise ValueError(f"found a tick at {now_us}, expected none before {state.now_us}")
    turn = _Turn(state, now_us)
    turn.begin(inputs, terms)
    turn.notice(inputs, terms)
    turn.watch(inputs)
    turn.warn(inputs)
    turn.tell(inputs)
    turn.record()
    return state, turn.commit


class _Turn:
    """A state on its way through one tick."""

    def __init__(self, state: State, now_us: int) -> None:
        self.state = state
        self.now_us = now_us
        self.told: list[NoticeTold] = []
        state.tick += 1
        state.now_us = now_us
        self.commit = Commit(
            tick=state.tick,
            at_us=now_us,
            first_event=state.event_count,
            first_fact=state.fact_count,
            first_entry=state.entry_count,
        )

    def begin(self, inputs: Inputs, terms: Terms | None) -> None:
        """Put a version in force, and take up the feeds that run."""
        state = self.state
        if inputs.log_key and not state.log_key:  # a new key that was decided may not be the log's yet
            state.log_key = inputs.log_key
        for own in inputs.kept:
            self._keep(own)
        if inputs.agreement is not None:
            if terms is None:
                raise ValueError("an agreement without its terms")
            self.commit.version = inputs.agreement
            self.commit.entries.append(version_entry(terms.agreement, at_us=self.now_us))
            if terms.custody is not None and state.log_key:
                log_key = parse_vkey(state.log_key)
                self.commit.entries.append(witnesses_entry(terms.custody, log_key, at_us=self.now_us))
            if terms.agreement.digest != state.terms.agreement.digest:
                self._hand_over(terms)
            state.terms = terms
            state.versions[terms.version] = terms
        if inputs.started is not None:
            for watch in (state.live, *(old.live for old in state.outgoing)):
                newest = {name: at for name, at in watch.order.newest_us.items() if name in inputs.started}
                watch.order = replace(watch.order, feeds=dict(inputs.started), newest_us=newest)
            state.keeping.expect(inputs.started, self.now_us)

    def notice(self, inputs: Inputs, terms: Terms | None) -> None:
        """Take what parties say of their movements and sites, and what is due for what they said."""
        commit = self.commit
        commit.sayings, commit.rules = inputs.sayings, terms.rules if terms is not None else None
        items = [saying.item() for saying in inputs.sayings]
        commit.noticed, commit.notice_facts = self.state.noticing.step(items, self.now_us, rules=commit.rules)

    def watch(self, inputs: Inputs) -> None:
        """Take the reports: in order, through the watch, into the counters."""
        state = self.state
        for delivered in inputs.delivered:
            self._count(delivered)
        before = state.live.order.waiting.counts
        state.live, events, release = live.step(state.engine, state.live, inputs.batch, now_us=self.now_us)
        if state.outgoing:
            events = self._with_outgoing(events, release)
        self._settle(before, inputs.batch, release)
        if len(release.late):
            state.late = concat([state.late, release.late]).take(slice(0, MAX_LATE))
        for corrected in inputs.corrected:
            events += self._corrected(corrected)
        self.commit.events = state.noticing.marked(events, lambda number: state.versions[number].engine.watchlist)
        self.commit.judged = state.noticing.follow(
            (release.ready, release.late), state.engine.watchlist, state.live.order.watermark_us
        )
        for name, counts in state.counts.items():
            counts.check(name)
        self.commit.counters = {name: counts.as_json() for name, counts in sorted(state.counts.items())}

    def warn(self, inputs: Inputs) -> None:
        """Take events, answers, outcomes and time to the desk."""
        state, commit = self.state, self.commit
        outcomes = [report for report in inputs.outcomes if not state.keeping.takes(report)]
        arrived: list[desk.Input] = [*map(_found, commit.events), *inputs.answers, *inputs.mutes, *outcomes]
        if inputs.started is not None:
            arrived.append(Resumed())
            commit.settled += sorted(state.in_flight)
            state.in_flight.clear()
        state.docket, decided = desk.step(state.docket, arrived, self.now_us, playbooks=state.playbooks())
        commit.facts += decided.facts
        commit.sends += decided.sends
        commit.answered, commit.muted = decided.answered, decided.muted
        commit.cases = [state.docket.cases[case_id] for case_id in decided.changed if case_id in state.docket.cases]

    def tell(self, inputs: Inputs) -> None:
        """Say what befell the station itself, and keep the outbox."""
        state, commit = self.state, self.commit
        heard = [*inputs.notes, *_feed_notes(inputs.delivered)]
        spoken = [delivered.feed for delivered in inputs.delivered if delivered.read]
        overdue: list[tuple[About, tuple[Message, ...]]] = []
        for fact in commit.notice_facts:
            messages, records = tell_overdue(fact, state.terms.playbook, now_us=self.now_us)
            overdue += [((fact.notice, fact.party), message) for message in messages]
            self.told += records
        facts, sends, told = state.keeping.step(
            heard,
            spoken,
            [r for r in inputs.outcomes if state.keeping.takes(r)],
            self.now_us,
            overdue=overdue,
            is_start=inputs.started is not None,
        )
        self.told += told
        commit.facts += facts
        commit.sends += sends
        commit.silent = sorted(state.keeping.silent)
        for report in inputs.outcomes:
            key = attempt_id(report.message_id, report.number)
            if state.in_flight.pop(key, None) is not None:
                commit.settled.append(key)
        for send in commit.sends:
            key = attempt_id(send.message.message_id, send.number)
            state.in_flight[key] = (send.message.message_id, send.number)

    def record(self) -> None:
        """Make entries of everything decided, and number it all."""
        state, commit = self.state, self.commit
        policy, parties = state.terms.policy, state.terms.parties
        commit.entries += event_entries(policy, commit.events, at_us=self.now_us)
        commit.entries += fact_entries(policy, parties, commit.facts)
        for told in (*notice_records(commit.notice_facts, commit.judged), *self.told):
            commit.entries.append(notice_entry(state.noticing.register, policy, told, at_us=self.now_us))
            commit.facts.append({"kind": NOTICE, "at": format_instant(self.now_us), "told": told.payload})
        if self.now_us - state.counted_us >= COUNTS_EVERY_US and commit.counters:
            commit.entries.append(counts_entry(policy, commit.counters, at_us=self.now_us, until_us=self.now_us))
            state.counted_us = self.now_us
        commit.entries = [kept(entry) for entry in commit.entries]
        state.positions |= commit.positions
        state.event_count += len(commit.events)
        state.fact_count += len(commit.facts)
        state.entry_count += len(commit.entries)

    def _keep(self, own: Kept) -> None:
        """Take an entry of the record's keeper; one that hands over from a key that is not the log's is too late."""
        state, entry = self.state, own.entry(self.now_us)
        if entry.kind is EntryKind.KEY:
            if entry.payload["old"] != state.log_key:
                return
            state.log_key = entry.payload["new"]
        self.commit.entries.append(entry)

    def _hand_over(self, terms: Terms) -> None:
        """Let the watch of the version in force end now, and that of the new one begin."""
        state, now_us = self.state, self.now_us
        ended = engine_of(state.terms, from_us=state.from_us, until_us=now_us)
        for watch in (state.live.settled, state.live.arrived):
            watch.goes_to_another_engine()
        old = Outgoing(
            terms=state.terms,
            from_us=state.from_us,
            until_us=now_us,
            engine=ended,
            live=state.live,
            seam=Seam(at_us=now_us),
        )
        state.engine, state.from_us = engine_of(terms, from_us=now_us, until_us=None), now_us
        state.live = taken_over(state.engine, old.live)
        state.outgoing.append(old)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _with_outgoing(self, events: list[Event], release: Release) -> list[Event]:
        """Return what the watches of all versions told, given what that of the one in force did."""
        state = self.state
        found: list[list[Event]] = []
        for old in state.outgoing:
            old.live.order = state.live.order
            found.append(old.step(release, self.now_us))
        engines = [old.engine for old in state.outgoing] + [state.engine]
        told = [*found, events]
        whole = told[0]
        for n, old in enumerate(state.outgoing):
            whole = old.seam.join(whole, told[n + 1], (engines[n].watchlist, engines[n + 1].watchlist))
        state.outgoing = [old for old in state.outgoing if not old.is_over]
        return whole

    def _counts(self, feed: str) -> FeedCounts:
        return self.state.counts.setdefault(feed, FeedCounts())

    def _count(self, delivered: Delivered) -> None:
        counts = self._counts(delivered.feed)
        counts.received += delivered.read
        counts.shed += delivered.shed
        for reject in delivered.rejects:
            counts.reject(str(reject.reason))
        for flag, count in delivered.flagged.items():
            counts.flagged[str(flag)] = counts.flagged.get(str(flag), 0) + count
        if delivered.position is not None:
            self.commit.positions[delivered.feed] = delivered.position

    def _settle(self, before: Mapping[str, int], batch: ReportBatch, release: Release) -> None:
        """Count what became of reports; of those that were settled, all that were not applied said what one did."""
        waiting, applied = self.state.live.order.waiting.counts, by_feed(release.ready)
        late, ahead, came = by_feed(release.late), by_feed(release.ahead), by_feed(batch)
        for feed in sorted({*before, *came, *waiting}):
            counts = self._counts(feed)
            counts.pending = waiting.get(feed, 0)
            counts.applied += applied.get(feed, 0)
            counts.late += late.get(feed, 0)
            if ahead.get(feed):
                counts.reject(AHEAD, ahead[feed])
            held = before.get(feed, 0) + came.get(feed, 0) - late.get(feed, 0) - ahead.get(feed, 0)
            counts.duplicate += held - applied.get(feed, 0) - waiting.get(feed, 0)

    def _corrected(self, corrected: Corrected) -> Iterable[Event]:
        state, self.commit.looked = self.state, True
        state.late = state.late.take(slice(corrected.looked_at, None))
        for track, since_us in corrected.since_us.items():
            state.doubted[track] = (min(since_us, state.doubted.get(track, (since_us, 0))[0]), self.now_us)
        recent = [(t, held) for t, held in state.doubted.items() if held[1] >= self.now_us - DOUBTED_US]
        state.doubted = dict(recent[-MAX_DOUBTED:])
        for feed, count in corrected.duplicate.items():
            counts = self._counts(feed)
            counts.late -= count
            counts.duplicate += count
        return corrected.events


def _found(event: Event) -> Found:
    return Found(event=event)


def _feed_notes(delivered: Iterable[Delivered]) -> list[HealthNote]:
    """Return what feeds have to say of themselves, as notes."""
    notes = []
    for one in delivered:
        for fact in one.facts:
            count = f", {fact.count} messages" if fact.count else ""
            detail = f"{fact.kind} at {format_instant(fact.at_us)}{count}{': ' if fact.detail else ''}{fact.detail}"
            notes.append(HealthNote(kind=Health.FEED, about=one.feed, detail=detail))
        if one.shed:
            notes.append(
                HealthNote(kind=Health.SHED, about=one.feed, detail=f"{one.shed} records were given up unread")
            )
    return notes
