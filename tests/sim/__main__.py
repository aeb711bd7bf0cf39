"""Run seeds: `python -m tests.sim [SEEDS=n] [FROM=n] [HOURS=h] [STATION=1] [WRITE=0]`.

A failure prints its seed and stops. What held is written into docs/reliability.md, unless `WRITE=0`.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections import Counter

from tests.reliability import environment, write_page
from tests.sim.machines import DeskMachine
from tests.sim.station import StationMachine
from tests.sim.world import World


def main(arguments: list[str]) -> int:
    """Run the seeds asked for; return 1 at the first that fails."""
    asked = dict(part.split("=", 1) for part in arguments)
    first, many = int(asked.get("FROM", 0)), int(asked.get("SEEDS", 300))
    hours = float(asked.get("HOURS", 12))
    is_station = asked.get("STATION") == "1"
    counts: Counter[str] = Counter()
    simulated_h, begun_s = 0.0, time.process_time()
    for seed in range(first, first + many):
        world = World(StationMachine() if is_station else DeskMachine(), seed, 1.6 if is_station else hours)
        try:
            world.run()
        except Exception:
            traceback.print_exc()
            again = f"python3 do.py sim FROM={seed} SEEDS=1 HOURS={hours:g} WRITE=0" + (
                " STATION=1" if is_station else ""
            )
            print(f"seed {seed} fails, with {', '.join(sorted(world.faults)) or 'no faults'}; again: {again}")
            return 1
        counts.update(world.counts)
        counts.update({f"step {name}": n for name, n in world.checks.steps.items()})
        simulated_h += (world.true_us - world.start_us) / 3.6e9
    spent_s = time.process_time() - begun_s
    for name, n in sorted(counts.items()):
        print(f"{n:>9,}  {name}")
    figures = {
        "seeds": f"{first} to {first + many - 1}",
        "days_simulated": round(simulated_h / 24, 1),
        "failed": 0,
        "cpu_s": round(spent_s, 1),
        "years_a_cpu_hour": round(simulated_h / 8_766 / (spent_s / 3_600), 2),
        "machine": environment(),
    }
    print(json.dumps(figures))
    if asked.get("WRITE") != "0":
        write_page("simulated station" if is_station else "simulated ladder", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
