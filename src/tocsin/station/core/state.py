"""What the station remembers, and what one of its ticks decides: the two sides of the core.

Implements DESIGN P4: a `Commit` is what one transaction makes durable; the `State` is what a restart builds anew from a
snapshot and the inputs of later ticks.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from itertools import chain
from typing import Any

from msgspec import Struct, field

from tocsin.agreement.notices.held import Fact
from tocsin.agreement.notices.register import Register
from tocsin.agreement.notices.rules import Rules
from tocsin.canon import canonical_line
from tocsin.ids import stable_id
from tocsin.record.leaf import Entry
from tocsin.station.core.counters import FeedCounts
from tocsin.station.core.handover import Outgoing
from tocsin.station.core.inputs import Saying
from tocsin.station.core.keeping import Keeping
from tocsin.station.core.noticing import Judged, Noticing
from tocsin.station.core.terms import AgreementText, Terms
from tocsin.tracks.batch import EMPTY, ReportBatch
from tocsin.tracks.order import FeedPolicy, Reorder
from tocsin.warn.case import Case
from tocsin.warn.docket import Docket, Playbooks
from tocsin.warn.inputs import CallPerson, Send
from tocsin.warn.steps import Mute
from tocsin.warn.telling import Acknowledgement
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event
from tocsin.watch.live import LiveState

OTHER_FEED = FeedPolicy(lateness_us=60 * 1_000_000)
"""What is expected of a feed that was not named at the start."""


class State(Struct, kw_only=True):
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
    _playbooks: tuple[tuple[Terms, ...], Playbooks] | None = None

    def playbooks(self) -> Playbooks:
        """Return the playbooks of `versions`; made anew only when those are others than the last time."""
        of = (self.terms, *self.versions.values())
        if self._playbooks is None or list(map(id, of)) != list(map(id, self._playbooks[0])):
            made = Playbooks([terms.playbook for terms in self.versions.values()], in_force=self.terms.version)
            self._playbooks = of, made
        return self._playbooks[1]


class Commit(Struct, kw_only=True, dict=True):
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

    @cached_property
    def lines(self) -> tuple[list[bytes], list[bytes]]:
        """The events and the facts, each as its canonical line; asked for when all is decided."""
        return list(map(Event.as_line, self.events)), list(map(canonical_line, self.facts))

    def digest(self) -> bytes:
        """Return the SHA-256 of everything decided: two commits of one digest decide the same."""
        hashed = hashlib.sha256(f"{self.tick} {self.at_us} {self.first_event} {self.first_fact}".encode())
        for line in chain(*self.lines):
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
