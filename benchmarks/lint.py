"""How long it takes to load and lint an agreement of many zones, as a ratio to reading its text alone.

    python benchmarks/lint.py [--zones 10000] [--runs 3]

The peer is libyaml with GeoJSON by the standard library: what any program that reads such files pays. CPU seconds of
this process, median of the runs. The bar is 2 s for 10,000 zones on an unloaded core.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.agreement.test_lint import many_zones, triangles

from tocsin.agreement.lint import lint
from tocsin.agreement.load import load


def cpu_s(work: Callable[[], object], runs: int) -> float:
    """Return the median CPU time of some runs, in seconds."""
    spent = []
    for _ in range(runs):
        begin = time.process_time()
        work()
        spent.append(time.process_time() - begin)
    return statistics.median(spent)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--zones", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        text, drawn = Path(name) / "a.yaml", Path(name) / "z.geojson"
        text.write_text(many_zones(asked.zones))
        drawn.write_text(triangles(asked.zones))
        reading = cpu_s(
            lambda: (yaml.load(text.read_text(), yaml.CSafeLoader), json.loads(drawn.read_text())), asked.runs
        )
        loading = cpu_s(lambda: load(text), asked.runs)
        agreement = load(text)
        linting = cpu_s(lambda: lint(agreement), asked.runs)
    print(f"{asked.zones} zones, median of {asked.runs}: CPU seconds, and times the reading of the text alone")
    for what, spent in (("read the text", reading), ("load", loading), ("lint", linting)):
        print(f"  {what:14} {spent:6.2f} s  {spent / reading:5.1f} x")


if __name__ == "__main__":
    main()
