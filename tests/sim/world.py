"""The world around a core: virtual time, one seed, one heap; and a disk, clocks, channels and people that fail.

FAULTS appendix A. One thread and no real time: an event of the heap happens at its virtual time, ties broken by the
seed, so that a seed replays exactly. A commit is durable or gone; nothing is acted on before it is durable. What was in
flight when the process died is lost to it and may have arrived all the same. Feeds and people send again what was not
acknowledged. At the end everything heals, and every obligation must be met or recorded as failed.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from msgspec.structs import replace
from tests.sim.checks import Checks
from tests.sim.machines import Died, Machine, Step

from tocsin.clock import Reading
from tocsin.warn.guard import Told, tell
from tocsin.warn.inputs import Answer, Muting, Reported
from tocsin.warn.states import PERSONS_REASONS, AnswerKind, MessageState, Purpose
from tocsin.warn.telling import Message, Outcome

S = 1_000_000

T = TypeVar("T")

FAULTS = (
    "crash",
    "power",
    "reboot",
    "disk_crash",
    "clock_step",
    "clock_drift",
    "channel_error",
    "channel_hang",
    "channel_lost",
    "channel_lies",
    "channel_double",
    "channel_dead",
    "people_silent",
    "people_double",
    "people_late",
    "people_forged",
    "people_lost_reply",
    "people_mute",
    "agreement",
    "keeper",
    "duplicate",
    "withdraw",
    "late",
    "gaps",
    "clocks",
    "flood",
)
"""Kinds of fault; each seed switches on a few, since all at once hide one another."""

BEAT_S = 20.0
"""Seconds after which a tick comes though nothing happened; three times that once everything has healed."""


def swarm(rng: random.Random) -> frozenset[str]:
    """Return the faults that a seed switches on: from none to about half."""
    return frozenset(rng.sample(FAULTS, rng.randrange(0, len(FAULTS) // 2)))


@dataclass
class World:
    """One run."""

    machine: Machine
    seed: int
    hours: float
    only: frozenset[str] | None = None
    heap: list[tuple[int, float, int, str, Any]] = field(default_factory=list)
    waiting: list[Any] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    told: Told | None = None
    true_us: int = 0
    life: int = 0
    boot: int = 0
    boot_us: int = 0
    wall_offset_us: int = 0
    unresumed: bool = True
    calm: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.faults = swarm(self.rng) if self.only is None else self.only
        self.true_us = self.start_us = self.machine.start_us - 60 * S
        self.boot_us = self.true_us - 3_600 * S
        self.end_us = self.start_us + round(self.hours * 3_600) * S
        self.dead_until_us: dict[str, int] = {}
        self.checks = Checks()
        self.seq = 0
        self.machine.meet(self.seed)
        for at_us, item in self.machine.traffic(self.rng, self.hours, self.faults):
            self.put(at_us, "arrive", item)
        self.put(self.true_us, "beat", None)
        self.put(self.true_us + S, "aside", "publish")
        for kind, every_s in (("crash", 1_500), ("clock_step", 2_500), ("people_mute", 2_000), ("keeper", 300)):
            if kind in self.faults:
                self.put(self.true_us + round(self.rng.expovariate(1 / every_s) * S), kind, every_s)

    # --- the heap --------------------------------------------------------------------------------------------------

    def put(self, at_us: int, kind: str, what: Any) -> None:
        self.seq += 1
        heapq.heappush(self.heap, (at_us, self.rng.random(), self.seq, kind, what))

    def later(self, seconds: float, kind: str, what: Any) -> None:
        self.put(self.true_us + round(seconds * S), kind, what)

    def has(self, fault: str, chance: float) -> bool:
        """Return True if a fault is switched on, has not healed, and strikes now."""
        return fault in self.faults and not self.calm and self.rng.random() < chance

    def run(self) -> World:
        """Run to the end, heal, and run on until every obligation has had its time."""
        with self.machine.running():
            self._until(self.end_us)
            self.calm = True
            self.dead_until_us.clear()
            self._until(self.end_us + 6 * 3_600 * S)
            self.checks.at_the_end(self.machine.docket, self.machine.docket.now_us)
            self.machine.at_the_end()
        return self

    def _until(self, end_us: int) -> None:
        while self.heap and self.heap[0][0] <= end_us:
            at_us, _, _, kind, what = heapq.heappop(self.heap)
            self.true_us = max(self.true_us, at_us)
            self.counts[kind] += 1
            getattr(self, f"_on_{kind}")(what)

    # --- what happens ----------------------------------------------------------------------------------------------

    def _on_beat(self, _: Any) -> None:
        self.tick()
        due = self.machine.docket.due.next()
        wait_s = beat_s = BEAT_S * (3 if self.calm else 1)
        if due is not None and self.told is not None:
            wait_s = min(beat_s, max(0.5, (due.at_us - self.told.now_us) / S))
        self.later(wait_s, "beat", None)

    def _on_arrive(self, item: Any) -> None:
        self.waiting.append(item)
        if self.rng.random() < 0.7:
            self.tick()

    def _on_outcome(self, what: tuple[int, Reported]) -> None:
        life, report = what
        if life == self.life:
            self.waiting.append(report)

    def _on_reach(self, message: Message) -> None:
        """Take a copy of a message to whoever it is for, and think of an answer."""
        self.checks.received[message.message_id] += 1
        if message.purpose not in {Purpose.WARNING, Purpose.CALL} or self.has("people_silent", 0.7):
            return
        wait_s = self.rng.expovariate(1 / (2_000 if self.has("people_late", 0.5) else 60))
        kind = self.rng.choice([AnswerKind.ACKNOWLEDGED, AnswerKind.ACKNOWLEDGED, AnswerKind.ANSWERED, AnswerKind.READ])
        if message.relay_for:
            kind = self.rng.choice([AnswerKind.PASSED_ON, kind])
        answer = Answer(
            at_us=0,
            who="A. Mate",
            party=message.recipient,
            kind=kind,
            message_id=message.message_id,
            key=f"{message.message_id}/{self.rng.randrange(3)}",
        )
        self.later(wait_s, "post", answer)
        if self.has("people_double", 0.5):
            self.later(wait_s, "post", replace(answer, who="B. Bosun", key=answer.key + "b"))
        if self.has("people_forged", 0.5):
            forged = replace(answer, key="guess", refused="token of another message")
            self.later(self.rng.uniform(0, 60), "post", forged)

    def _on_post(self, answer: Answer) -> None:
        at_us = (self.told.now_us if self.told else 0) + self.rng.randrange(S)
        self.waiting.append(replace(answer, at_us=at_us))
        self.tick()
        if self.has("people_lost_reply", 0.5):
            self.later(self.rng.uniform(1, 120), "post", answer)

    def _on_people_mute(self, every_s: int) -> None:
        cases = sorted(self.machine.docket.cases)
        if cases and not self.calm:
            now_us = self.told.now_us if self.told else 0
            asked = Muting(
                at_us=now_us,
                who="W. Officer",
                party="operator",
                case_id=self.rng.choice(cases),
                reason=self.rng.choice(sorted(PERSONS_REASONS)),
                until_us=now_us + self.rng.randrange(3_600) * S,
            )
            self.waiting.append(asked)
        self.later(self.rng.expovariate(1 / every_s), "people_mute", every_s)

    def _on_clock_step(self, every_s: int) -> None:
        if not self.calm:
            self.wall_offset_us += self.rng.choice([-86_400, -3_600, -5, 5, 3_600, 86_400]) * S
            self.later(self.rng.expovariate(1 / every_s), "clock_step", every_s)

    def _on_crash(self, every_s: int) -> None:
        if not self.calm:
            self.crash()
            self.later(self.rng.expovariate(1 / every_s), "crash", every_s)

    def _on_keeper(self, every_s: int) -> None:
        if not self.calm:
            self.machine.aside("ask", self.rng)
            self.later(self.rng.expovariate(1 / every_s), "keeper", every_s)

    def _on_aside(self, what: str) -> None:
        """Let what runs beside the ticks do its work."""
        if not self._dying(lambda: self.machine.aside(what, self.rng) or True):
            self.crash()
        self.later(self.rng.expovariate(1 / (120 if self.calm else 8)), "aside", what)

    # --- the process -----------------------------------------------------------------------------------------------

    def now(self) -> Told:
        drift = 500e-6 * (self.true_us - self.start_us) if "clock_drift" in self.faults else 0.0
        reading = Reading(
            wall_us=self.true_us + self.wall_offset_us + round(drift),
            monotonic_us=self.true_us - self.boot_us,
            boot=f"b{self.boot}",
            process=f"p{self.life}",
        )
        told, jump = tell(self.told, reading)
        if jump is not None:
            self.counts[f"jump_{jump.kind}"] += 1
        return told

    def tick(self) -> None:
        """Take what waits, make it durable or die, and only then act."""
        told = self.now()
        arrived, self.waiting = self.waiting + self.machine.looked_back(self.rng), []
        is_start, self.unresumed = self.unresumed, False
        packed = self.machine.pack(arrived, is_start=is_start)
        self.counts["ticks"] += 1
        step = self._dying(lambda: self.machine.step(packed, told.now_us))
        if step is None or self.has("power", 0.2 if self.machine.is_delicate else 0.01):
            self.waiting = [item for item in arrived if not isinstance(item, self.machine.lost)]
            self.crash()
            return
        survived = self._dying(lambda: self.machine.durable(packed, step, told.now_us) or True)
        self.digests.append(step.digest)
        self.told = told
        self.checks.after(step, self.machine.docket, told.now_us)
        self.counts["facts"] += len(step.facts)
        if not survived or self.has("crash", 0.01):
            self.crash()
            return
        self._act(step)

    def _dying(self, act: Callable[[], T]) -> T | None:
        """Act, and return what came of it; None if the process died at one of the calls to its disk."""
        self.machine.die_after(self.rng.randrange(40) if self.has("disk_crash", 0.12) else None)
        try:
            return act()
        except Died:
            self.counts["died at a write"] += 1
            return None
        finally:
            self.machine.die_after(None)

    def crash(self) -> None:
        """Lose everything that is not durable, and begin again from what is."""
        self.counts["crashes"] += 1
        self.life += 1
        self.unresumed = True
        self.waiting = [item for item in self.waiting if not isinstance(item, self.machine.lost)]
        while not self._dying(lambda: self.machine.recover() or True):
            pass
        if self.has("reboot", 0.5):
            self.boot, self.boot_us = self.boot + 1, self.true_us
            self.true_us += self.rng.randrange(1_200) * S

    def _act(self, step: Step) -> None:
        for send in step.sends:
            self.checks.sent(send)
            self._send(send)

    def _send(self, send: Any) -> None:
        message, channel = send.message, send.message.channel
        delay_s = self.rng.expovariate(1 / 2)
        arrives, state = True, MessageState.HANDED_OVER
        if self.has("channel_dead", 0.02):
            self.dead_until_us[channel] = self.true_us + self.rng.randrange(3_600) * S
        if self.dead_until_us.get(channel, 0) > self.true_us or self.has("channel_error", 0.3):
            arrives = False
            state = self.rng.choice([MessageState.FAILED_FOR_NOW, MessageState.FAILED_FOR_GOOD])
        elif self.has("channel_hang", 0.2):
            delay_s, state = self.rng.uniform(15, 600), MessageState.UNKNOWN
            arrives = self.rng.random() < 0.5
        elif self.has("channel_lost", 0.2):
            state = MessageState.UNKNOWN
        elif self.has("channel_lies", 0.3):
            arrives = False
        elif self.rng.random() < 0.2:
            state = MessageState.DELIVERED
        outcome = Outcome(state=state, reason="", transport="sim")
        report = Reported(message_id=message.message_id, number=send.number, outcome=outcome)
        self.later(delay_s, "outcome", (self.life, report))
        if self.has("channel_double", 0.2):
            self.later(delay_s + 1, "outcome", (self.life, report))
        if arrives:
            self.later(self.rng.uniform(0, 5), "reach", message)
