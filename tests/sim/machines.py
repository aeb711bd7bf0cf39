"""What is simulated: a pure core, the bytes it can be read back from, and the traffic that drives it.

`DeskMachine` is the ladder alone, driven by events that a watch might find, amend, withdraw and repeat; agreements
change under it. `StationMachine` is the whole core of a station, driven by reports as feeds bring them. Both are given
a list of things that arrived and a time, and give back facts, sends and the ends of answers.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from tests.station.noted import TERMS, movement, said
from tests.station.walks import FEEDS, arrivals, walk
from tests.station.walks import START as STATION_START
from tests.warn.stories import T0, S, cable, event, rich, withdrawn

from tocsin.canon import canonical_line
from tocsin.station.core.inputs import Corrected, Inputs, Saying, dump_rest, load_inputs, of_deliveries
from tocsin.station.core.state import begin
from tocsin.station.core.step import tick
from tocsin.station.durable.snapshot import dump_state, load_state
from tocsin.station.past.amending import Again, Chapter, doubt_of, look
from tocsin.tracks.batch import ReportBatch, concat
from tocsin.tracks.feeds.feed import Delivery
from tocsin.tracks.order import canonical
from tocsin.tracks.packed import dump_batch
from tocsin.tracks.shedding import kept_of
from tocsin.warn import desk, snapshot
from tocsin.warn.docket import Docket, Playbooks
from tocsin.warn.inputs import Answer, Found, Muting, Reported, Resumed
from tocsin.warn.telling import Acknowledgement
from tocsin.watch.corrections import amendments, final_events
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event, EventKind, Revision, Standing


@dataclass(slots=True, kw_only=True)
class Step:
    """What one step decided."""

    facts: list[dict[str, Any]]
    sends: list[Any]
    answered: list[Acknowledgement]
    digest: bytes
    changed: list[str]


@dataclass(slots=True)
class Kept:
    """A step's inputs as a store keeps them, with what they led to."""

    inputs: Any
    now_us: int
    digest: bytes = b""


class Machine(Protocol):
    """A pure core behind one face."""

    start_us: int

    @property
    def docket(self) -> Docket: ...
    def pack(self, arrived: list[Any], *, is_start: bool) -> Any: ...
    def step(self, packed: Any, now_us: int) -> Step: ...
    def durable(self, packed: Any, now_us: int) -> None: ...
    def looked_back(self, rng: random.Random) -> list[Any]: ...
    def at_the_end(self) -> None: ...
    def dump(self) -> bytes: ...
    def load(self, raw: bytes) -> None: ...
    def traffic(self, rng: random.Random, hours: float, faults: frozenset[str]) -> Iterator[tuple[int, Any]]: ...


@dataclass(frozen=True)
class NewVersion:
    """The agreement of this number comes into force."""

    version: int


def _digest(lines: list[Any]) -> bytes:
    hashed = hashlib.sha256()
    for line in lines:
        hashed.update(canonical_line(line))
    return hashed.digest()


@dataclass
class DeskMachine:
    """The ladder alone."""

    start_us: int = T0
    docket: Docket = field(default_factory=Docket)
    in_force: int = 4
    books: dict[int, Any] = field(default_factory=lambda: {4: cable(), 5: rich(version=5), 6: cable(version=6)})

    def pack(self, arrived: list[Any], *, is_start: bool) -> Any:
        return ([Resumed()] if is_start else []) + arrived

    def step(self, packed: Any, now_us: int) -> Step:
        for item in packed:
            if isinstance(item, NewVersion):
                self.in_force = item.version
        playbooks = Playbooks(self.books.values(), in_force=self.in_force)
        inputs = [item for item in packed if not isinstance(item, NewVersion)]
        self.docket, decided = desk.step(self.docket, inputs, now_us, playbooks=playbooks)
        sent = [[send.message.message_id, send.number, send.message.body] for send in decided.sends]
        return Step(
            facts=decided.facts,
            sends=decided.sends,
            answered=decided.answered,
            digest=_digest([*decided.facts, sent]),
            changed=list(decided.changed),
        )

    def durable(self, packed: Any, now_us: int) -> None:
        """Nothing is looked at again."""

    def looked_back(self, rng: random.Random) -> list[Any]:
        return []

    def at_the_end(self) -> None:
        """What holds at the end is in `Checks`."""

    def dump(self) -> bytes:
        return self.in_force.to_bytes(4, "big") + snapshot.dump(self.docket)

    def load(self, raw: bytes) -> None:
        self.in_force = int.from_bytes(raw[:4], "big")
        self.docket = snapshot.load(raw[4:])

    def traffic(self, rng: random.Random, hours: float, faults: frozenset[str]) -> Iterator[tuple[int, Any]]:
        """Yield events of tracks that come and go, with what a watch does to them afterwards."""
        if "agreement" in faults:
            for version in (5, 6):
                yield T0 + rng.randrange(round(hours * 3_600)) * S, NewVersion(version)
        for track in range(max(1, round(3 * hours))):
            at_s, name = rng.uniform(0, hours * 3_600), f"mmsi:{track}"
            for number, (kind, zone, rule, wait_s) in enumerate(_visit(rng)):
                at_s += wait_s
                found = event(kind, at_s, zone=zone, rule=rule, track_id=name, event_id=f"{track}/{number}")
                late_s = rng.uniform(0, 30) if "late" in faults else 0.0
                at_us = T0 + round((at_s + late_s) * S)
                yield at_us, Found(event=found)
                if "duplicate" in faults and rng.random() < 0.3:
                    yield at_us + rng.randrange(60 * S), Found(event=found)
                if "withdraw" in faults and rng.random() < 0.2:
                    after_s = rng.uniform(1, 900)
                    yield at_us + round(after_s * S), Found(event=withdrawn(found, at_s + after_s))


def _visit(rng: random.Random) -> Iterator[tuple[EventKind, str, str | None, float]]:
    """Yield what one track does: kind, zone, rule, and seconds since what came before."""
    yield EventKind.ENTRY, "outer", None, 0.0
    for _ in range(rng.randrange(1, 4)):
        yield EventKind.APPROACH, "guard", None, rng.expovariate(1 / 300)
        if rng.random() < 0.5:
            yield EventKind.APPROACH_ENDED, "guard", None, rng.expovariate(1 / 400)
            continue
        yield EventKind.ENTRY, "guard", None, rng.expovariate(1 / 400)
        if rng.random() < 0.6:
            yield EventKind.LOITER, "guard", "guard/anchor", rng.expovariate(1 / 600)
        yield EventKind.EXIT, "guard", None, rng.expovariate(1 / 900)
    if rng.random() < 0.8:
        yield EventKind.EXIT, "outer", None, rng.expovariate(1 / 600)


def _sayings(rng: random.Random, hours: float) -> Iterator[tuple[int, Saying]]:
    for number in range(8):
        at_s = rng.randrange(-60, round(hours * 3_600))
        name, track = f"F-{rng.randrange(4)}", f"dev:{rng.choice('fg')}{rng.randrange(3)}"
        from_s = at_s + rng.choice([0, 90])
        told = rng.choice(
            [
                movement(name, track, at_s, from_s, from_s + rng.randrange(30, 300)),
                movement(name, track, at_s, from_s, from_s + 200, act="change", replaces=name),
                said("notice", at_s, reference=f"C-{number}", act=rng.choice(["cancel", "withdraw"]), replaces=name),
                said("receipt", at_s, notice=name, receipt="read", unit="watch", by="officer", of="watch"),
            ]
        )
        yield STATION_START + at_s * S, told


def _flooded(rng: random.Random, come: list[tuple[int, Delivery]]) -> Iterator[tuple[int, Delivery]]:
    """Yield deliveries of a feed that cannot take all of it at times: what waited then is shed, and goes out as one."""
    while come:
        n = rng.choice([1, 1, 5, 20])
        waited, come = come[:n], come[n:]
        whole = concat([delivery.batch for _, delivery in waited])
        kept = kept_of([whole.tracks[track] for track in whole.track.tolist()], rng.randrange(1, len(whole) + 1))
        at_us, last = waited[-1]
        few = whole.take(np.array(kept, np.int64))
        yield at_us, replace(last, batch=few, read=len(whole), shed=len(whole) - len(few))


class StationMachine:
    """The core of a station: reports in order, the watch, the ladder, counters and entries."""

    start_us = STATION_START

    def __init__(self) -> None:
        self.terms = TERMS
        self.state = begin(self.terms)
        self.is_new = True
        self.journal: list[ReportBatch] = []
        self.finals: dict[str, Event] = {}
        self.commit: Any = None
        self.again = Again()
        self.looking = False

    @property
    def docket(self) -> Docket:
        return self.state.docket

    def pack(self, arrived: list[Any], *, is_start: bool) -> Any:
        batch, rest = of_deliveries([item for item in arrived if isinstance(item, Delivery)])
        inputs = Inputs(
            batch=batch,
            delivered=rest,
            answers=tuple(item for item in arrived if isinstance(item, Answer)),
            mutes=tuple(item for item in arrived if isinstance(item, Muting)),
            outcomes=tuple(item for item in arrived if isinstance(item, Reported)),
            sayings=tuple(item for item in arrived if isinstance(item, Saying)),
            corrected=tuple(item for item in arrived if isinstance(item, Corrected)),
            agreement=self.terms.written if self.state.tick == 0 else None,
            started=FEEDS if is_start else None,
        )
        return dump_rest(inputs), dump_batch(batch) if len(batch) else None

    def step(self, packed: Any, now_us: int) -> Step:
        inputs = load_inputs(*packed)
        self.state, commit = tick(self.state, inputs, now_us, terms=self.terms if inputs.agreement else None)
        self.commit = commit
        return Step(
            facts=commit.facts,
            sends=commit.sends,
            answered=commit.answered,
            digest=commit.digest(),
            changed=[case.case_id for case in commit.cases],
        )

    def durable(self, packed: Any, now_us: int) -> None:
        """Keep what a store would: the reports that were not ahead of the clock, and what was told as final."""
        batch, commit = load_inputs(*packed).batch, self.commit
        self.journal.append(batch.take(batch.observed_us <= now_us + FEEDS["f"].ahead_us))
        final = [event for event in commit.events if event.standing is Standing.FINAL]
        self.finals |= {event.event_id: event for event in final}
        self.looking = self.looking and not commit.looked
        self.again.hear((event.track_id for event in final), self.state.doubted)

    def looked_back(self, rng: random.Random) -> list[Any]:
        """Return what late reports change, if it is time to look, as of the last durable step."""
        state, watermark_us = self.state, self.state.live.order.watermark_us
        due = self.again.due(state.doubted, watermark_us=watermark_us)
        if self.looking or not (len(state.late) or due) or rng.random() < 0.5:
            return []
        doubt = doubt_of(state.late, due, watermark_us=watermark_us, now_us=state.now_us)
        self.again.looked(doubt, state.doubted)
        self.looking = True
        if not doubt.since_us:
            return [Corrected(looked_at=len(doubt.late), duplicate={}, events=())]
        tracks = None if self.terms.engine.looks_together else doubt.since_us.keys()
        told = [event for event in self.stands() if tracks is None or event.track_id in tracks]
        reports = concat(self.journal)
        reports = reports.take(reports.observed_us < watermark_us)
        reports = reports if tracks is None else reports.of_tracks(tracks)
        engine = Engine(self.terms.engine.watchlist)
        return [look(doubt, [Chapter(engine=engine, until_us=None)], reports, told, from_us=STATION_START - 86_400 * S)]

    def stands(self) -> list[Event]:
        return [event for event in self.finals.values() if event.revision is not Revision.WITHDRAWN]

    def at_the_end(self) -> None:
        """What is final is what all reports tell, whenever they came (P2)."""
        watermark_us = self.state.live.order.watermark_us
        reports = concat(self.journal)
        reports = reports.take(reports.observed_us < watermark_us)
        expected = final_events(
            Engine(self.terms.engine.watchlist), reports.take(canonical(reports).keep), watermark_us=watermark_us
        )
        assert not len(self.state.late), "every late report was looked at"
        assert amendments(self.stands(), expected) == [], "what is final is what all reports tell"

    def dump(self) -> bytes:
        return dump_state(self.state)

    def load(self, raw: bytes) -> None:
        self.state = load_state(raw)
        self.looking, self.again = False, Again()

    def traffic(self, rng: random.Random, hours: float, faults: frozenset[str]) -> Iterator[tuple[int, Any]]:
        """Yield deliveries of vessels crossing a ring: out of order, twice, late beyond lateness, with gaps.

        Parties tell of movements, change and cancel them, and say that they have read them.
        """
        yield from _sayings(rng, hours)
        draw = np.random.default_rng(rng.randrange(2**32))
        for feed in FEEDS:
            reports = walk(draw, min(600, round(hours * 3_600)), feed=feed)
            if "gaps" in faults:
                reports = reports.take(np.flatnonzero(draw.random(len(reports)) > 0.3))
            if "clocks" in faults and feed == "g":
                reports.observed_us[len(reports) // 2 :] += 3_600 * S
            come = arrivals(draw, reports, late_s=90 if "late" in faults else 15)
            yield from _flooded(rng, come) if "flood" in faults else come
