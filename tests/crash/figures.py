"""`python3 do.py crash KILLS=200 SEED=1`: many kills at random, judged like the few of the suite, with figures.

`WRITES=10` cuts a scripted run at every tenth call that changes the disk instead (`FROM=5` begins with the sixth);
`WRITES=1 JOBS=2` at every one, two at a time. `CUTS=100` takes the power away at so many moments of it, and with it
what was not synced.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from statistics import quantiles
from typing import Any

from tests.crash import powercut, scripted, strace
from tests.crash.forge import Forge
from tests.crash.judge import judge
from tests.crash.station import AGREEMENT, Station, scatter
from tests.crash.writes import every_write
from tests.reliability import environment, write_page

ROUND = 50
"""Kills between two judgements: a folder of its own each, so that a failure names its seed."""


def main(arguments: list[str]) -> int:
    """Run the rounds, print a line of JSON for each and the sum of them, and return 1 if anything was wrong."""
    told = {key.upper(): int(value) for key, _, value in (argument.partition("=") for argument in arguments)}
    if "WRITES" in told:
        return every_write(told["WRITES"], first=told.get("FROM", 0), jobs=told.get("JOBS", 1))
    if "CUTS" in told:
        return power_cuts(told["CUTS"], told.get("SEED", 1))
    kills, seed = told.get("KILLS", 100), told.get("SEED", 1)
    total: dict[str, int] = {}
    starts_s: list[float] = []
    faults: list[str] = []
    began = time.monotonic()
    forge = Forge(AGREEMENT)
    for number in range(-(-kills // ROUND)):
        few = min(ROUND, kills - number * ROUND)
        verdict, made = one_round(few, seed + number, forge)
        starts_s += made
        faults += [f"seed {seed + number}: {fault}" for fault in verdict["faults"]]
        for key, value in verdict.items():
            if isinstance(value, int):
                total[key] = total.get(key, 0) + value
        print(json.dumps({"seed": seed + number, "kills": few, **verdict}), flush=True)
    forge.close()
    cuts = quantiles(starts_s, n=20) if len(starts_s) > 1 else [0.0] * 19
    figures = {
        "kills": kills,
        "seed": seed,
        **total,
        "faults": faults,
        "start_p50_s": round(cuts[9], 2),
        "start_p95_s": round(cuts[18], 2),
        "took_s": round(time.monotonic() - began),
        "machine": environment(),
    }
    print(json.dumps(figures), flush=True)
    write_page("killed at random", figures)
    wrong = any(total.get(key) for key in ("lost", "missing", "extra", "doubled"))
    return 1 if wrong or faults else 0


def power_cuts(cuts: int, seed: int) -> int:
    """Cut the power of a scripted run at random moments, every second time with some of the unsynced rest kept."""
    began = time.monotonic()
    rng = random.Random(seed)
    lost, wrong = 0, []
    with tempfile.TemporaryDirectory(prefix="tocsin-crash-") as folder:
        whole = Path(folder) / "whole"
        whole.mkdir()
        calls = powercut.traced(whole)
        expected = scripted.outcome_of(whole)
        for number in range(cuts):
            after, data = rng.randrange(len(calls) + 1), Path(folder) / f"cut-{number}"
            disk = powercut.cut(whole, calls, after)
            disk.after_power_cut(data, rng if number % 2 else None)
            lost += max(0, disk.acknowledged - scripted.durable_of(data))
            strace.go_on(data)
            if scripted.outcome_of(data) != expected:
                wrong.append(f"{number}, after {after} calls")
            shutil.rmtree(data)
    took_s = round(time.monotonic() - began)
    told = {"calls": len(calls), "cuts": cuts, "seed": seed, "lost": lost, "wrong": wrong, "took_s": took_s}
    print(json.dumps(told), flush=True)
    write_page("power cut", {**told, "machine": environment()})
    return 1 if lost or wrong else 0


def one_round(kills: int, seed: int, forge: Forge) -> tuple[dict[str, Any], list[float]]:
    """Return the verdict over a fresh folder after so many kills, and how long its starts took."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="tocsin-crash-") as folder:
        station = Station(Path(folder), forge=forge)
        try:
            scatter(station, kills, rng, longest_s=0.45)
            station.begin()
            station.wait_ready()
            station.run_for(2)
            station.drain(300)
            if (code := station.stop()) != 0:
                raise AssertionError(f"seed {seed}: stopped with {code}: {station.errors()}")
            return asdict(judge(station)), station.starts_s
        finally:
            station.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
