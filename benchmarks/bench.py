"""Every bar of the watch engine: Tocsin and the programs a user would pick instead, on the same data, in one run.

    python3 do.py bench [--rows 5000000] [--runs 3] [--rounds 3] [--cpu 1] [--only locate] [--write]

`do.py bench` makes the peers' environment first. Each measurement is a process of its own on one core; what counts is
its CPU time, median of the runs, so that other work on the machine moves it little. What is compared takes turns, round
by round, and the ratio is the median of the rounds' own: a machine that slows down slows both. Answers are compared as
sets before any time counts. Tile38 is no pip package: its figure is the one measured for it once, per second of server
CPU, and named as such. `--write` puts the tables into docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import starts
from settled import approaches, circles

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "performance.md"
ROWS = 5_000_000
LIVE_ROWS = 200_000
"""Rows of the stream: the slowest peer takes a few seconds for them."""
SMALL_ROWS = 200_000
"""Rows for peers that would take minutes for all; a rate does not depend on it (it is linear)."""
DRAWN_M = 0.1
"""Circles are drawn as exactly as this, metres; an answer so close to the edge is right either way."""
TILE38_PER_S = {"poly_100": 149_000, "counties": 110_000, "poly_10k": 35_000}
"""Reports per second of server CPU, Tile38 1.37.0, pipelined by 500, no append-only file: the best measured."""


@dataclass(frozen=True)
class Bar:
    """One comparison: a job of ours, a peer's, and how many times as fast ours must be."""

    job: str
    case: str
    script: str
    peer: str
    at_least: float
    rows: int | None = ROWS
    peer_rows: int | None = None
    """Fewer rows for a slow peer; its answer is compared with ours on those."""
    settle: Callable[[Path, str, np.ndarray], np.ndarray] | None = None
    """Tells how true an answer is, metres, negative if false: for peers that compute on a sphere or a plane."""
    is_compared: bool = True
    """False for peers that answer another question: their rate alone is told."""


def joins() -> list[Bar]:
    """Return the bars of the join."""
    small = SMALL_ROWS
    return [
        Bar("locate", "counties", "join.py", "sedonadb", 25),
        Bar("locate", "counties", "join.py", "shapely_tree", 30, peer_rows=1_000_000),
        Bar("locate", "counties", "join.py", "polars_h3", 15),
        Bar("locate", "counties", "join.py", "duckdb", 25),
        Bar("locate", "counties", "join.py", "geopandas", 30, peer_rows=1_000_000),
        Bar("locate", "poly_10k", "join.py", "sedonadb", 15, peer_rows=1_000_000),
        Bar("locate", "poly_10k", "join.py", "polars_h3", 5, peer_rows=1_000_000),
        Bar("locate", "poly_100", "join.py", "sedonadb", 20),
        Bar("locate", "poly_1", "join.py", "boxes", 0.9),
        Bar("locate", "countries", "join.py", "boxes", 10, peer_rows=1_000_000),
        Bar("locate", "circle_100", "join.py", "duckdb", 10, settle=circles),
        Bar("locate", "circle_10k", "join.py", "ckdtree", 8, peer_rows=1_000_000, settle=circles),
        Bar("archive", "poly_100", "events.py", "numpy", 20),
        Bar("archive", "poly_100", "events.py", "pandas", 20),
        Bar("archive", "poly_100", "events.py", "movingpandas", 20, is_compared=False),
        Bar("archive", "poly_100", "events.py", "pymeos", 20, is_compared=False),
        Bar("archive", "counties", "events.py", "pandas", 20),
        Bar("archive", "counties", "events.py", "duckdb", 20),
        Bar("archive", "poly_10k", "events.py", "pandas", 10, peer_rows=1_000_000),
        Bar("live", "poly_100", "events.py", "stream", 30, rows=small),
        Bar("live", "counties", "events.py", "stream", 25, rows=small),
        Bar("live", "poly_10k", "events.py", "stream", 8, rows=small),
        Bar("pairs_within", "slow_100k", "pairs.py", "ckdtree_within", 1, rows=None),
        Bar("pairs_cpa", "slow_100k", "pairs.py", "ckdtree_cpa", 15, rows=None, settle=approaches),
        Bar("pairs_cpa", "mixed_100k", "pairs.py", "ckdtree_cpa", 60, rows=None, settle=approaches),
        Bar("pairs_cpa", "slow_10k", "pairs.py", "bluesky", 1_000, rows=None, settle=approaches),
    ]


class Asked(NamedTuple):
    """One measurement: a job of Tocsin's, or a peer's, at a case, on so many rows (None: all that the case has)."""

    script: Path
    name: str
    case: str
    rows: int | None


class NotRun(Exception):
    """A measurement that could not be made; its message says why."""


@dataclass
class Bench:
    """One run: measures, remembers, prints rows."""

    folder: Path
    peer_python: Path
    runs: int
    rounds: int
    cpu: int | None
    rows: int
    live: dict[str, list[float]] = field(default_factory=dict)
    """Reports a second of the live watch, by case and round."""

    def ours(self, job: str, case: str, rows: int | None = ROWS) -> Asked:
        """Return a measurement of Tocsin's."""
        return Asked(HERE / "ours.py", job, case, None if rows is None else min(rows, self.rows))

    def peers(self, bar: Bar) -> Asked:
        """Return the measurement of a bar's peer."""
        rows = None if bar.rows is None else min(bar.peer_rows or bar.rows, self.rows)
        return Asked(HERE / "peers" / bar.script, bar.peer, bar.case, rows)

    def turns(self, *asked: Asked) -> list[list[dict[str, Any]]]:
        """Return the line of each measurement in each round; in a round they take turns."""
        return [[self._measured(one) for one in asked] for _ in range(self.rounds)]

    def _measured(self, asked: Asked) -> dict[str, Any]:
        python = sys.executable if asked.script.name == "ours.py" else self.peer_python
        command = [python, asked.script, self.folder, asked.name, asked.case, "--runs", self.runs]
        command += ["--out", self.answer(asked)]
        command += [] if asked.rows is None else ["--rows", asked.rows]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, preexec_fn=self._pin)
        told = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if not told or done.returncode:
            raise NotRun((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
        line: dict[str, Any] = json.loads(told[-1])
        return line

    def _pin(self) -> None:
        if self.cpu is not None:
            os.sched_setaffinity(0, {self.cpu})

    def answer(self, asked: Asked) -> Path:
        """Return where the numbers of a measurement lie."""
        told = (asked.script.name, *asked[1:])
        return self.folder / ("answer_" + "_".join(map(str, told)) + ".npy")

    def differ(self, bar: Bar, mine: Asked, theirs: Asked) -> tuple[int, int, int]:
        """Return how many answers only one of the two gave, in how many of them ours is wrong, and how many we gave."""
        ours = np.load(self.answer(mine))
        odd = np.load(self.answer(theirs))
        if theirs.rows is not None:
            ours = ours[ours >> (20 if bar.script == "join.py" else 21) < theirs.rows]
        odd = np.setxor1d(ours, odd)
        if bar.settle is None or not len(odd):
            return len(odd), len(odd), len(ours)
        true_m = bar.settle(self.folder, bar.case, odd)
        wrong = ((true_m >= 0.0) != np.isin(odd, ours)) & (np.abs(true_m) > DRAWN_M)
        return len(odd), int(np.sum(wrong)), len(ours)

    def row(self, bar: Bar) -> str:
        """Return one row of the table."""
        mine, theirs = self.ours(bar.job, bar.case, bar.rows), self.peers(bar)
        try:
            rounds = [[rate(line) for line in lines] for lines in self.turns(mine, theirs)]
        except NotRun as why:
            return f"| {bar.job} | {bar.case} | {bar.peer} | not run: {why} | | | {bar.at_least:g} | |"
        off, wrong, among = self.differ(bar, mine, theirs) if bar.is_compared else (0, 0, 0)
        ratios = [fast / slow for fast, slow in rounds]
        told = f"answers wrong: {wrong:,} of {among:,}" if wrong else spread(ratios)
        note = f"; {off:,} of {among:,} answers differ, each settled, ours right in {off - wrong:,}" if off else ""
        verdict = "met" if median(ratios) >= bar.at_least and not wrong else "**missed**"
        fast, slow = (median(side) / 1e6 for side in zip(*rounds, strict=True))
        if bar.job == "live":
            self.live[bar.case] = [fast for fast, _ in rounds]
        return (
            f"| {bar.job} | {bar.case} | {bar.peer} | {slow:.3g} | {fast:.3g} | {told}{note} "
            f"| {bar.at_least:g} | {verdict} |"
        )


def rate(line: dict[str, Any]) -> float:
    """Return rows a second."""
    return float(line["rows"] / line["cpu_s"])


def spread(values: list[float]) -> str:
    """Return the median of some rounds, and between what they lay."""
    least, most = f"{min(values):.3g}", f"{max(values):.3g}"
    return f"{median(values):.3g}" + (f" ({least}–{most})" if least != most else "")


def against_tile38(bench: Bench) -> list[str]:
    """Return the rows against Tile38's figure, from the rounds that the live rows took."""
    made = []
    for case, at_least in (("poly_100", 300), ("counties", 150), ("poly_10k", 30)):
        if case in bench.live:
            ratios = [fast / TILE38_PER_S[case] for fast in bench.live[case]]
            made.append(
                f"| live | {case} | Tile38's figure | {TILE38_PER_S[case] / 1e6:.3g} "
                f"| {median(bench.live[case]) / 1e6:.3g} | {spread(ratios)} "
                f"| {at_least} | {'met' if median(ratios) >= at_least else '**missed**'} |"
            )
    return made


def grown(bench: Bench) -> Bench:
    """Return a run on as many reports as the bars on growth and Parquet name: the same one if it has them."""
    if bench.rows >= ROWS:
        return bench
    made = Bench(bench.folder / "large", bench.peer_python, bench.runs, bench.rounds, bench.cpu, ROWS)
    subprocess.run([sys.executable, HERE / "workloads.py", made.folder, "--places", str(ROWS)], check=True)
    return made


def alone(bench: Bench) -> Iterator[str]:
    """Yield what is measured without a peer: compiling, every kind on, from Parquet, growth, starts."""

    def row(what: str, values: list[float], bar: float, *, unit: str, least: bool = False) -> str:
        verdict = "met" if (median(values) >= bar if least else median(values) <= bar) else "**missed**"
        return f"| {what} | {spread(values)} {unit} | {'≥' if least else '≤'} {bar:g} {unit} | {verdict} |"

    for case, told, bar in (("counties", "3,230 counties", 1), ("poly_10k", "10,000 polygons", 3)):
        seconds = [line["cpu_s"] for (line,) in bench.turns(bench.ours("compiled", case, None))]
        yield row(f"compile {told}", seconds, bar, unit="s")
    kinds = {"archive_conduct": "loiter, stopped and gap on", "archive_all": "every kind on"}
    for case in ("poly_100", "counties", "poly_10k"):
        jobs = [bench.ours(job, case, SMALL_ROWS) for job in ("archive", *kinds)]
        rounds = [[rate(line) for line in lines] for lines in bench.turns(*jobs)]
        for k, told in enumerate(kinds.values(), 1):
            yield row(f"{told}, {case}, times entries alone", [r[0] / r[k] for r in rounds], 2, unit="×")
    large = grown(bench)
    jobs = [large.ours("from_parquet", "counties", None), large.ours("parquet_alone", "counties", None)]
    jobs += [large.ours("archive", "counties"), large.ours("archive", "counties", ROWS // 10)]
    rounds = large.turns(*jobs)
    whole, floor, kernel, tenth = ([line["cpu_s"] for line in side] for side in zip(*rounds, strict=True))
    rates = [rate(lines[0]) / 1e6 for lines in rounds]
    yield row("Parquet to events on disk, counties, 5 M reports", rates, 8, unit="M/s", least=True)
    shares = [w / (f + 2 * k) for w, f, k in zip(whole, floor, kernel, strict=True)]
    yield row("the same, times (pyarrow's reading + 2 × the kernel)", shares, 1, unit="×")
    grows = [k / (10 * t) for k, t in zip(kernel, tenth, strict=True)]
    yield row("0.5 M → 5 M reports, time a report, counties", grows, 1.3, unit="×")
    for told, few, many, bar in (
        ("100 → 3,230 zones", "poly_100", "counties", 6),
        ("100 → 100,000 vertices a zone", "vertices_100", "vertices_100000", 1.5),
    ):
        pairs = bench.turns(bench.ours("locate", few), bench.ours("locate", many))
        yield row(f"{told}, time a place", [rate(one) / rate(other) for one, other in pairs], bar, unit="×")
    yield from starts.rows(bench.folder / "starts", bench.runs)


def main() -> None:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=HERE.parent / "out" / "bench")
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--runs", type=int, default=3, help="calls in each process at least; their median counts")
    parser.add_argument("--rounds", type=int, default=3, help="how often what is compared takes turns")
    parser.add_argument("--cpu", type=int)
    parser.add_argument("--only", help="jobs whose name contains this")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    subprocess.run([sys.executable, HERE / "workloads.py", asked.folder, "--places", str(asked.rows)], check=True)
    bench = Bench(asked.folder, asked.peer_python, asked.runs, asked.rounds, asked.cpu, asked.rows)
    said = [
        f"{asked.rows:,} reports, CPU seconds, one core, {asked.rounds} rounds of {asked.runs} runs: the medians, and "
        f"between what the rounds' ratios lay; {_processor()}, Python {platform.python_version()}, "
        f"{datetime.now(UTC):%Y-%m-%d}.",
        "",
        "| job | zones or movers | peer | peer, M/s | Tocsin, M/s | times as fast | bar | |",
        "|---|---|---|---:|---:|---:|---:|---|",
    ]
    print("\n".join(said), flush=True)
    for bar in joins():
        if not asked.only or asked.only in bar.job:
            said.append(bench.row(bar))
            print(said[-1], flush=True)
    if not asked.only or asked.only in "live":
        said += against_tile38(bench)
    if not asked.only:
        said += ["", "| alone | measured | bar | |", "|---|---:|---:|---|"]
        for told in alone(bench):
            said.append(told)
            print(told, flush=True)
    print("\n".join(said))
    if asked.write:
        text = "\n".join(said)
        page = re.sub(r"(?s)(<!-- bench -->\n).*(\n<!-- /bench -->)", lambda m: m[1] + text + m[2], PAGE.read_text())
        PAGE.write_text(page)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.*)", info.read_text()) if info.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
