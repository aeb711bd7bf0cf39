"""Every bar of the watch engine: Tocsin and the programs a user would pick instead, on the same data, in one run.

    python3 do.py bench [--rows 5000000] [--runs 5] [--cpu 1] [--only locate] [--write]

`do.py bench` makes the peers' environment first. Each measurement is a process of its own on one core; what counts is
its CPU time, median of the runs, so that other work on the machine moves it little. Answers are compared as sets before
any time counts. Tile38 is no pip package: its figure is the one measured for it once, per second of server CPU, and
named as such. `--write` puts the tables into docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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


@dataclass
class Bench:
    """One run: measures each thing once, remembers, prints rows."""

    folder: Path
    peer_python: Path
    runs: int
    cpu: int | None
    rows: int
    lines: dict[tuple[Any, ...], dict[str, Any] | str] = field(default_factory=dict)

    def measured(self, script: Path, name: str, case: str, rows: int | None) -> dict[str, Any] | str:
        """Return the line of one measurement, or why there is none."""
        rows = None if rows is None else min(rows, self.rows)
        key = (script.name, name, case, rows)
        if key not in self.lines:
            python = sys.executable if script.name == "ours.py" else self.peer_python
            out = self.answer(*key)
            command = [
                str(python),
                str(script),
                str(self.folder),
                name,
                case,
                "--runs",
                str(self.runs),
                "--out",
                str(out),
            ]
            command += [] if rows is None else ["--rows", str(rows)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=self._pin)
            told = [line for line in done.stdout.splitlines() if line.startswith("{")]
            why = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            self.lines[key] = json.loads(told[-1]) if told and not done.returncode else why
        return self.lines[key]

    def _pin(self) -> None:
        if self.cpu is not None:
            os.sched_setaffinity(0, {self.cpu})

    def answer(self, *key: Any) -> Path:
        """Return where the numbers of a measurement lie."""
        return self.folder / ("answer_" + "_".join(map(str, key)) + ".npy")

    def ours(self, job: str, case: str, rows: int | None) -> dict[str, Any] | str:
        """Return Tocsin's line."""
        return self.measured(HERE / "ours.py", job, case, rows)

    def differ(self, bar: Bar) -> tuple[int, int, int]:
        """Return how many answers only one of the two gave, in how many of them ours is wrong, and how many we gave."""
        rows = None if bar.rows is None else min(bar.peer_rows or bar.rows, self.rows)
        mine = np.load(
            self.answer("ours.py", bar.job, bar.case, None if bar.rows is None else min(bar.rows, self.rows))
        )
        theirs = np.load(self.answer(bar.script, bar.peer, bar.case, rows))
        if bar.rows is not None and rows is not None:
            mine = mine[mine >> (20 if bar.script == "join.py" else 21) < rows]
        odd = np.setxor1d(mine, theirs)
        if bar.settle is None or not len(odd):
            return len(odd), len(odd), len(mine)
        true_m = bar.settle(self.folder, bar.case, odd)
        wrong = ((true_m >= 0.0) != np.isin(odd, mine)) & (np.abs(true_m) > DRAWN_M)
        return len(odd), int(np.sum(wrong)), len(mine)

    def row(self, bar: Bar) -> str:
        """Return one row of the table."""
        mine = self.ours(bar.job, bar.case, bar.rows)
        theirs = self.measured(HERE / "peers" / bar.script, bar.peer, bar.case, bar.peer_rows or bar.rows)
        if isinstance(mine, str) or isinstance(theirs, str):
            why = mine if isinstance(mine, str) else theirs
            return f"| {bar.job} | {bar.case} | {bar.peer} | not run: {why} | | | {bar.at_least:g} | |"
        fast, slow = (line["rows"] / line["cpu_s"] for line in (mine, theirs))
        off, wrong, among = self.differ(bar) if bar.is_compared else (0, 0, 0)
        told = f"answers wrong: {wrong:,} of {among:,}" if wrong else f"{fast / slow:.3g}"
        note = f"; {off:,} of {among:,} answers differ, each settled, ours right in {off - wrong:,}" if off else ""
        verdict = "met" if fast / slow >= bar.at_least and not wrong else "**missed**"
        return (
            f"| {bar.job} | {bar.case} | {bar.peer} | {slow / 1e6:.3g} | {fast / 1e6:.3g} | {told}{note} "
            f"| {bar.at_least:g} | {verdict} |"
        )


def against_tile38(bench: Bench) -> list[str]:
    """Return the rows against Tile38's figure."""
    made = []
    for case, at_least in (("poly_100", 300), ("counties", 150), ("poly_10k", 30)):
        mine = bench.ours("live", case, SMALL_ROWS)
        if not isinstance(mine, str):
            fast = mine["rows"] / mine["cpu_s"]
            ratio = fast / TILE38_PER_S[case]
            made.append(
                f"| live | {case} | Tile38's figure | {TILE38_PER_S[case] / 1e6:.3g} | {fast / 1e6:.3g} | {ratio:.3g} "
                f"| {at_least} | {'met' if ratio >= at_least else '**missed**'} |"
            )
    return made


def grown(bench: Bench) -> Bench:
    """Return a run on as many reports as the bars on growth and Parquet name: the same one if it has them."""
    if bench.rows >= ROWS:
        return bench
    made = Bench(bench.folder / "large", bench.peer_python, bench.runs, bench.cpu, ROWS)
    subprocess.run([sys.executable, HERE / "workloads.py", made.folder, "--places", str(ROWS)], check=True)
    return made


def alone(bench: Bench) -> list[str]:
    """Return what is measured without a peer: compiling, every kind on, from Parquet, growth, starts."""

    large = grown(bench)

    def cpu_s(job: str, case: str, rows: int | None = ROWS, of: Bench = bench) -> float:
        line = of.ours(job, case, rows)
        return float("nan") if isinstance(line, str) else line["cpu_s"] / max(line["rows"], 1) * (line["rows"] or 1)

    def rate(job: str, case: str, rows: int | None = ROWS, of: Bench = bench) -> float:
        line = of.ours(job, case, rows)
        return float("nan") if isinstance(line, str) else line["rows"] / line["cpu_s"]

    rows = min(bench.rows, SMALL_ROWS)

    def row(what: str, value: float, bar: float, *, unit: str, least: bool = False) -> str:
        verdict = "met" if (value >= bar if least else value <= bar) else "**missed**"
        return f"| {what} | {value:.3g} {unit} | {'≥' if least else '≤'} {bar:g} {unit} | {verdict} |"

    return [
        row("compile 3,230 counties", cpu_s("compiled", "counties", None), 1, unit="s"),
        row("compile 10,000 polygons", cpu_s("compiled", "poly_10k", None), 3, unit="s"),
        *(
            row(
                f"{told}, {case}, times entries alone",
                rate("archive", case, rows) / rate(job, case, rows),
                2,
                unit="×",
            )
            for job, told in (("archive_conduct", "loiter, stopped and gap on"), ("archive_all", "every kind on"))
            for case in ("poly_100", "counties", "poly_10k")
        ),
        row(
            "Parquet to events on disk, counties, 5 M reports",
            rate("from_parquet", "counties", None, of=large) / 1e6,
            8,
            unit="M/s",
            least=True,
        ),
        row(
            "the same, times (pyarrow's reading + 2 × the kernel)",
            cpu_s("from_parquet", "counties", None, of=large)
            / (cpu_s("parquet_alone", "counties", None, of=large) + 2 * cpu_s("archive", "counties", of=large)),
            1,
            unit="×",
        ),
        row(
            "0.5 M → 5 M reports, time a report, counties",
            rate("archive", "counties", ROWS // 10, of=large) / rate("archive", "counties", ROWS, of=large),
            1.3,
            unit="×",
        ),
        row("100 → 3,230 zones, time a place", rate("locate", "poly_100") / rate("locate", "counties"), 6, unit="×"),
        row(
            "100 → 100,000 vertices a zone, time a place",
            rate("locate", "vertices_100") / rate("locate", "vertices_100000"),
            1.5,
            unit="×",
        ),
        *starts.rows(bench.folder / "starts", bench.runs),
    ]


def main() -> None:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=HERE.parent / "out" / "bench")
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cpu", type=int)
    parser.add_argument("--only", help="jobs whose name contains this")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    subprocess.run([sys.executable, HERE / "workloads.py", asked.folder, "--places", str(asked.rows)], check=True)
    bench = Bench(asked.folder, asked.peer_python, asked.runs, asked.cpu, asked.rows)
    said = [
        f"{asked.rows:,} reports, median of {asked.runs}, CPU seconds, one core; {_processor()}, Python "
        f"{platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}.",
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
        said += ["", "| alone | measured | bar | |", "|---|---:|---:|---|", *alone(bench)]
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
