"""`python3 do.py crash KILLS=200 SEED=1`: many kills at random, judged like the few of the suite, with figures."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from statistics import quantiles

from tests.crash.judge import judge
from tests.crash.station import Station, environment, scatter

ROUND = 25
"""Kills between two judgements: a folder of its own each, so that a failure names its seed."""


def main(arguments: list[str]) -> int:
    """Run the rounds, print a line of JSON for each and the sum of them, and return 1 if anything was wrong."""
    told = {key.upper(): int(value) for key, _, value in (argument.partition("=") for argument in arguments)}
    kills, seed = told.get("KILLS", 100), told.get("SEED", 1)
    total: dict[str, int] = {}
    starts_s: list[float] = []
    faults: list[str] = []
    began = time.monotonic()
    for number in range(-(-kills // ROUND)):
        few = min(ROUND, kills - number * ROUND)
        verdict, made = one_round(few, seed + number)
        starts_s += made
        faults += [f"seed {seed + number}: {fault}" for fault in verdict["faults"]]
        for key, value in verdict.items():
            if isinstance(value, int):
                total[key] = total.get(key, 0) + value
        print(json.dumps({"seed": seed + number, "kills": few, **verdict}), flush=True)
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
    wrong = any(total.get(key) for key in ("lost", "missing", "extra", "doubled"))
    return 1 if wrong or faults else 0


def one_round(kills: int, seed: int) -> tuple[dict, list[float]]:
    """Return the verdict over a fresh folder after so many kills, and how long its starts took."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="tocsin-crash-") as folder:
        station = Station(Path(folder))
        try:
            scatter(station, kills, rng)
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
