"""The core: one tick of the station as a pure step, (state, inputs, now) -> (state, what was decided).

Implements DESIGN P2 and P4. Everything that a tick decides is in its `Commit`, to be made durable in one transaction
before any of it is sent, shown or recorded; what comes of that enters again as input. The same state, inputs and times
give the same commits, so that a restart is a snapshot and a replay, checked by each commit's digest. No clock, no
randomness, no input or output, no thread is in here. Salts are the shell's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tocsin.agreement.notices.held import Fact
from tocsin.agreement.notices.register import Register
from tocsin.agreement.notices.rules import Rules
from tocsin.canon import canonical_line
from tocsin.ids import stable_id
from tocsin.record.c2sp.note import parse_vkey
from tocsin.record.leaf import Entry, EntryKind
from tocsin.station.counters import AHEAD, FeedCounts
from tocsin.station.entries import NOTICE, counts_entry, event_entries, fact_entries, kept, notice_entry, version_entry
from tocsin.station.handover import Outgoing, at_seam, engine_of, taken_over
from tocsin.station.inputs import Corrected, Delivered, Health, HealthNote, Inputs, Kept, Saying
from tocsin.station.keeping import Keeping
from tocsin.station.noticing import Judged, Noticing, notice_records
from tocsin.station.terms import AgreementText, Terms
from tocsin.station.witnesses import witnesses_entry
from tocsin.tracks.batch import EMPTY, ReportBatch, concat
from tocsin.tracks.order import FeedPolicy, Release, Reorder
from tocsin.tracks.waiting import by_feed
from tocsin.units import format_instant
from tocsin.warn import desk
from tocsin.warn.case import Case
from tocsin.warn.docket import Docket, Playbooks
from tocsin.warn.inputs import CallPerson, Found, Resumed, Send
from tocsin.warn.steps import Mute
from tocsin.warn.telling import Acknowledgement
from tocsin.watch import live
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event
from tocsin.watch.live import LiveState

MAX_LATE = 100_000
"""Late reports that wait to be looked at for what they change; more are counted late and not looked at."""

DOUBTED_US = 86_400 * 1_000_000
"""How long a track with late reports is looked at again, microseconds: longer than most visits last."""

MAX_DOUBTED = 10_000
"""Tracks with late reports that are remembered; of more the ones that came first are let go (P11)."""

COUNTS_EVERY_US = 3_600 * 1_000_000
"""How often the counters go into the record; microseconds."""

OTHER_FEED = FeedPolicy(lateness_us=60 * 1_000_000)
"""What is expected of a feed that was not named at the start."""


@dataclass(slots=True, kw_only=True)
class State:
    """What the station remembers; taken over by `tick`, which gives it back.

    Attributes
    ----------
    tick : int
        The last one.
    now_us : int
        Its time.
    terms : Terms
        In force.
    versions : dict of int to Terms
        By number: in force, and those that open cases began under.
    engine : Engine
        Its watch, in force from `from_us`.
    from_us : int or None
        Since when it follows another version, if it does.
    live : LiveState
    outgoing : list of Outgoing
        Versions before it whose time is not settled yet.
    docket : Docket
    noticing : Noticing
        The notices, and how their tracks keep to them.
    keeping : Keeping
        What the station has to tell of itself.
    counts : dict of str to FeedCounts
    positions : dict of str to str
    late : ReportBatch
        Late reports that nobody has looked at yet, the oldest first.
    doubted : dict of str to (int, int)
        Tracks with late reports: since when they are in doubt, and when they were last looked at. The live watch goes
        on without what came late, so they are looked at again while this is remembered.
    in_flight : dict of str to (str, int)
        Attempts without an outcome: message and number, by attempt.
    event_count, fact_count, entry_count : int
        How many there have ever been: the numbers of the next ones.
    counted_us : int
        When the counters last went into the record.
    log_key : str
        The vkey of the record's log.
    """

    tick: int = 0
    now_us: int = 0
    terms: Terms
    versions: dict[int, Terms] = field(default_factory=dict)
    engine: Engine
    from_us: int | None = None
    live: LiveState
    outgoing: list[Outgoing] = field(default_factory=list)
    docket: Docket = field(default_factory=Docket)
    noticing: Noticing
    keeping: Keeping = field(default_factory=Keeping)
    counts: dict[str, FeedCounts] = field(default_factory=dict)
    positions: dict[str, str] = field(default_factory=dict)
    late: ReportBatch = field(default_factory=lambda: EMPTY)
    doubted: dict[str, tuple[int, int]] = field(default_factory=dict)
    in_flight: dict[str, tuple[str, int]] = field(default_factory=dict)
    event_count: int = 0
    fact_count: int = 0
    entry_count: int = 0
    counted_us: int = 0
    log_key: str = ""


@dataclass(slots=True, kw_only=True)
class Commit:
    """What one tick decided; nothing of it has been done yet.

    Attributes
    ----------
    tick, at_us : int
    first_event, first_fact, first_entry : int
        Numbers of the first of each, if there is one.
    events : list of Event
        Final ones, withdrawals, then provisional ones.
    facts : list of dict
        What the ladder and the station have to say, in the order of the record.
    sends : list of Send or CallPerson
    settled : list of str
        Attempts that have an outcome now, and leave the outbox.
    entries : list of Entry
    cases : list of Case
        Those that changed.
    positions : dict of str to str
        Of the feeds that moved.
    counters : dict
        Of every feed.
    answered : list of Acknowledgement
        The end of each answer, in the order of the inputs.
    muted : list of Mute or str
        What each person's mute became, or why it was refused, in the order of the inputs.
    sayings : tuple of Saying
    rules : Rules or None
        What parties said of notices, and the rules that came into force with this tick.
    noticed : list of list of Fact
        What came of each saying about notices, in the order of the inputs.
    notice_facts : list of Fact
        What came of them, and of time, in the order of the record.
    judged : list of Judged
        How notified tracks keep to their notices.
    looked : bool
        True if late reports were looked at: what they change is among the events.
    version : AgreementText or None
        Which came into force.
    silent : list of str
        Feeds that are silent.
    """

    tick: int
    at_us: int
    first_event: int
    first_fact: int
    first_entry: int
    events: list[Event] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)
    sends: list[Send | CallPerson] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    positions: dict[str, str] = field(default_factory=dict)
    counters: dict[str, Any] = field(default_factory=dict)
    answered: list[Acknowledgement] = field(default_factory=list)
    muted: list[Mute | str] = field(default_factory=list)
    sayings: tuple[Saying, ...] = ()
    rules: Rules | None = None
    noticed: list[list[Fact]] = field(default_factory=list)
    notice_facts: list[Fact] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    looked: bool = False
    version: AgreementText | None = None
    silent: list[str] = field(default_factory=list)

    def digest(self) -> bytes:
        """Return the SHA-256 of everything decided: two commits of one digest decide the same."""
        hashed = hashlib.sha256(f"{self.tick} {self.at_us} {self.first_event} {self.first_fact}".encode())
        for line in (*map(Event.as_line, self.events), *map(canonical_line, self.facts)):
            hashed.update(line)
        sends = [[attempt_id(send.message.message_id, send.number), send.message.channel] for send in self.sends]
        rest = [sends, self.settled, self.positions, self.counters, len(self.entries)]
        hashed.update(canonical_line([*rest, [case.case_id for case in self.cases]]))
        return hashed.digest()


def attempt_id(message_id: str, number: int) -> str:
    """Return the id of an attempt: what the ladder gave it."""
    return stable_id("attempt", message_id, number)


def begin(terms: Terms) -> State:
    """Return the state of a station that has not seen anything yet."""
    order = Reorder(feeds={}, other=OTHER_FEED)
    return State(
        terms=terms,
        versions={terms.version: terms},
        engine=terms.engine,
        live=LiveState(order=order),
        noticing=Noticing(register=Register(terms.rules)),
    )


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
        if inputs.log_key:
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
        for old in state.outgoing:
            old.live, told, _ = live.step(old.engine, old.live, inputs.batch, now_us=self.now_us)
            events = at_seam(told, events, old.until_us)
        state.outgoing = [old for old in state.outgoing if not old.is_settled]
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
        playbooks = Playbooks([terms.playbook for terms in state.versions.values()], in_force=state.terms.version)
        state.docket, decided = desk.step(state.docket, arrived, self.now_us, playbooks=playbooks)
        commit.facts += decided.facts
        commit.sends += decided.sends
        commit.answered, commit.muted = decided.answered, decided.muted
        commit.cases = [state.docket.cases[case_id] for case_id in decided.changed if case_id in state.docket.cases]

    def tell(self, inputs: Inputs) -> None:
        """Say what befell the station itself, and keep the outbox."""
        state, commit = self.state, self.commit
        heard = [*inputs.notes, *_feed_notes(inputs.delivered)]
        spoken = [delivered.feed for delivered in inputs.delivered if delivered.read]
        facts, sends = state.keeping.step(
            heard,
            spoken,
            [r for r in inputs.outcomes if state.keeping.takes(r)],
            self.now_us,
            is_start=inputs.started is not None,
        )
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
        for told in notice_records(commit.notice_facts, commit.judged):
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
        ended = engine_of(state.terms.agreement, from_us=state.from_us, until_us=now_us)
        for watch in (state.live.settled, state.live.arrived):
            watch.goes_to_another_engine()
        old = Outgoing(terms=state.terms, from_us=state.from_us, until_us=now_us, engine=ended, live=state.live)
        state.engine, state.from_us = engine_of(terms.agreement, from_us=now_us, until_us=None), now_us
        state.live = taken_over(state.engine, old.live)
        state.outgoing.append(old)

    # --- inside ----------------------------------------------------------------------------------------------------

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
