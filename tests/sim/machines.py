"""What is simulated: a core, what it can be begun again from, and the traffic that drives it.

`DeskMachine` is the ladder alone, driven by events that a watch might find, amend, withdraw and repeat; agreements
change under it. `station.py` beside it is a whole station. Both are given a list of things that arrived and a time, and
give back facts, sends and the ends of answers.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.warn.stories import T0, S, cable, event, rich, withdrawn

from tocsin.canon import canonical_line
from tocsin.warn import desk, snapshot
from tocsin.warn.docket import Docket, Playbooks
from tocsin.warn.inputs import Found, Reported, Resumed
from tocsin.warn.telling import Acknowledgement
from tocsin.watch.event import EventKind


class Died(BaseException):
    """The process ends here, between two calls that change the disk."""


@dataclass(slots=True, kw_only=True)
class Step:
    """What one step decided."""

    facts: list[dict[str, Any]]
    sends: list[Any]
    answered: list[Acknowledgement]
    digest: bytes
    changed: list[str]


class Machine(Protocol):
    """What a world drives.

    Attributes
    ----------
    start_us : int
    lost : tuple of type
        Kinds of things that arrive out of the process's own memory: nobody brings them again after a crash.
    """

    start_us: int
    lost: tuple[type, ...]

    @property
    def docket(self) -> Docket: ...
    @property
    def is_delicate(self) -> bool: ...
    def meet(self, seed: int) -> None: ...
    def running(self) -> AbstractContextManager[None]: ...
    def die_after(self, calls: int | None) -> None: ...
    def pack(self, arrived: list[Any], *, is_start: bool) -> Any: ...
    def step(self, packed: Any, now_us: int) -> Step: ...
    def durable(self, packed: Any, step: Step, now_us: int) -> None: ...
    def recover(self) -> None: ...
    def looked_back(self, rng: random.Random) -> list[Any]: ...
    def aside(self, what: str, rng: random.Random) -> None: ...
    def at_the_end(self) -> None: ...
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
    lost: tuple[type, ...] = (Reported,)
    is_delicate: bool = False
    docket: Docket = field(default_factory=Docket)
    in_force: int = 4
    books: dict[int, Any] = field(default_factory=lambda: {4: cable(), 5: rich(version=5), 6: cable(version=6)})
    journal: list[tuple[Any, int, bytes]] = field(default_factory=list)
    kept: bytes | None = None

    def meet(self, seed: int) -> None:
        """It has no randomness of its own."""
        self.kept = self.dump()

    def running(self) -> AbstractContextManager[None]:
        return nullcontext()

    def die_after(self, calls: int | None) -> None:
        """It calls no disk."""

    def aside(self, what: str, rng: random.Random) -> None:
        """Nothing runs beside it."""

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

    def durable(self, packed: Any, step: Step, now_us: int) -> None:
        """Keep what a restart needs."""
        self.journal.append((packed, now_us, step.digest))
        if len(self.journal) >= 200:
            self.kept, self.journal = self.dump(), []

    def recover(self) -> None:
        """Begin again from what is durable."""
        assert self.kept is not None
        self.load(self.kept)
        for packed, now_us, digest in self.journal:
            assert self.step(packed, now_us).digest == digest, "a restart decides otherwise than what is durable"

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
