"""A few seeds in every run of the suite; that a seed replays exactly; and that a planted fault is found."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sim.machines import DeskMachine
from tests.sim.station import StationMachine
from tests.sim.world import FAULTS, World

DESK_SEEDS = range(12)


@pytest.mark.parametrize("seed", DESK_SEEDS)
def test_every_promise_holds_whatever_fails(seed: int) -> None:
    World(DeskMachine(), seed, 2.0).run()


def test_every_promise_holds_for_the_whole_station() -> None:
    world = World(StationMachine(), 1, 0.1, only=frozenset({"crash", "power", "late", "channel_hang", "people_double"}))
    world.run()
    assert world.counts["crashes"] and world.checks.steps["case_opened"] and world.checks.steps["notice"]


def test_every_promise_holds_while_agreement_and_keys_change_and_hours_are_archived() -> None:
    faults = frozenset({"crash", "power", "disk_crash", "agreement", "keeper"})
    machine = StationMachine()
    world = World(machine, 2, 0.8, only=faults).run()
    assert world.counts["died at a write"] and machine.ledger.hours and len(machine.ledger.versions) > 1
    assert machine.keeper.counts["Rotate"] and machine.keeper.counts["Disclose"]


def test_every_promise_holds_while_reports_are_shed() -> None:
    world = World(StationMachine(), 2, 0.2, only=frozenset({"crash", "flood", "channel_error"}))
    world.run()
    counts = world.machine.state.counts.values()
    assert sum(one.shed for one in counts) > 0 and world.checks.steps["case_opened"]
    assert all(one.received == one.accepted + one.shed + one.duplicate for one in counts)


def test_seed_replays_exactly() -> None:
    faults = frozenset(FAULTS) - {"people_silent"}
    runs = [World(DeskMachine(), 7, 1.0, only=faults).run() for _ in range(2)]
    assert runs[0].counts == runs[1].counts and runs[0].digests == runs[1].digests
    assert runs[0].machine.dump() == runs[1].machine.dump()


def test_seed_of_a_whole_station_replays_exactly_to_the_last_byte_of_its_record() -> None:
    faults = frozenset({"crash", "power", "disk_crash", "agreement", "keeper", "late"})
    runs = [World(StationMachine(), 3, 0.1, only=faults).run() for _ in range(2)]
    assert runs[0].counts == runs[1].counts and runs[0].digests == runs[1].digests
    assert runs[0].machine.root == runs[1].machine.root


class Forgetful(DeskMachine):
    """A desk that is not told that it begins again: what was in flight stays so for ever."""

    def pack(self, arrived: list[Any], *, is_start: bool) -> Any:
        return super().pack(arrived, is_start=False)


class Hasty(DeskMachine):
    """A desk whose process forgets its last case over a restart."""

    def load(self, raw: bytes) -> None:
        super().load(raw)
        if self.docket.cases:
            del self.docket.cases[next(reversed(self.docket.cases))]


@pytest.mark.parametrize("broken", [Forgetful, Hasty])
def test_planted_fault_is_found(broken: type[DeskMachine]) -> None:
    with pytest.raises((AssertionError, KeyError)):
        for seed in range(5):
            World(broken(), seed, 2.0, only=frozenset({"crash", "power", "channel_hang"})).run()
