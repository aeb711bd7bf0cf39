"""How good approach warnings are: Tocsin's against two baselines, by the definitions of docs/guide/warning-quality.md.

`python benchmarks/approach.py FOLDER` reads the sets of `approach_data.py` from a folder of Parquet files of tracks,
lays zones, and prints the tables of that page. Tracks are halved by a hash of their names, and buses by day too. On
half 0 the filtered baseline's setting was chosen here, for each look-ahead the one of the best mean F1, and the
forecast's coefficients were once fitted, with other zones; every row is of half 1. Takes some minutes.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from approach_data import SETS, Set, half_of, lay_zones, read_set
from approach_methods import FILTERS, PLAIN, Feed, feed_of, straight, tocsin
from numpy.typing import NDArray

from tocsin.geo.shapes import Region
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.rehearse.judge import Judged, judge
from tocsin.watch.rehearse.score import BINS, Figures, figures, resampled
from tocsin.watch.rehearse.truth import Truth, find_truth

SEED = 20_261_124
HEAD = (
    "| set | ahead | method | entries | recall | precision | F1 | lead median, p10 | repeats | false per 1,000 h "
    "| stated/true error | in interval | alarms an hour |\n"
    "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)


class Stage(NamedTuple):
    """One set, ready to be warned about."""

    name: str
    one: Set
    batch: ReportBatch
    regions: list[Region]
    truth: Truth
    feed: Feed
    tuned: NDArray[np.int64]
    counted: NDArray[np.int64]


def stages(folder: Path, names: list[str], seed: int, cache: Path | None) -> Iterator[Stage]:
    """Yield the sets, each with what really happened; that is kept in `cache` if there is one."""
    for name in names:
        one, began = SETS[name], time.perf_counter()
        batch = read_set(folder, one)
        regions = lay_zones(batch, one, seed)
        kept = cache / f"{name} {seed}.pickle" if cache else None
        if kept and kept.exists():
            truth = pickle.loads(kept.read_bytes())
        else:
            truth = find_truth(batch, regions, one.terms)
            if kept:
                kept.write_bytes(pickle.dumps(truth))
        half = half_of(batch.tracks)
        print(
            f"{name}: {len(truth.fixes.at_us):,} fixes, {len(truth.eps_m)} zones, {len(truth.entries):,} entries, "
            f"a fix every {truth.interval_s:g} s, {truth.fixes.moving_s.sum() / 3_600:,.0f} h in motion "
            f"({time.perf_counter() - began:.0f} s)",
            file=sys.stderr,
        )
        yield Stage(name, one, batch, regions, truth, feed_of(batch, truth.fixes), 1 - half, half)


def compared(stage: Stage, horizon_s: int, setting: tuple[float, int, int, float]) -> dict[str, Judged]:
    """Return what each method's warnings were worth on one set."""
    truth = stage.truth
    began = time.process_time()
    found = tocsin(stage.batch, stage.regions, horizon_s)
    spent_us = (time.process_time() - began) * 1e6 / len(stage.batch)
    print(f"  {stage.name}, {horizon_s} s: Tocsin {spent_us:.1f} us a fix, its first use compiles", file=sys.stderr)
    warned = {
        "plain": straight(truth, stage.feed, horizon_s, PLAIN),
        "filtered": straight(truth, stage.feed, horizon_s, setting),
        "Tocsin": found,
    }
    return {name: judge(truth, own, horizon_s) for name, own in warned.items()}


def best_filter(ready: list[Stage], horizon_s: int) -> tuple[float, int, int, float]:
    """Return the setting of the filtered baseline with the best mean F1 on the tracks to tune on."""

    def mean(setting: tuple[float, int, int, float]) -> float:
        return float(
            np.mean(
                [
                    figures(judge(s.truth, straight(s.truth, s.feed, horizon_s, setting), horizon_s), times=s.tuned).f1
                    for s in ready
                ]
            )
        )

    return max(FILTERS, key=mean)


def line(name: str, horizon_s: int, method: str, got: Figures, f1: tuple[float, float]) -> str:
    """Return one row of the table."""
    interval = "–" if np.isnan(got.interval_share) else f"{got.interval_share:.2f}"
    error = "–" if np.isnan(got.calibration_error) else f"{got.calibration_error:.3f}"
    return (
        f"| {name} | {horizon_s // 60} min | {method} | {got.eligible:,} | {got.recall:.3f} | {got.precision:.3f} "
        f"| {got.f1:.3f} ({f1[0]:.2f}–{f1[1]:.2f}) | {got.lead_median_s:.0f}, {got.lead_p10_s:.0f} s "
        f"| {got.flapping:.3f} | {got.false_per_1000_h:,.0f} | {error} | {interval} | {got.alarms_per_hour:.1f} |"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of Parquet files of tracks")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seed", type=int, default=SEED, help="of the zones")
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--cache", type=Path, help="folder to keep what really happened in")
    asked = parser.parse_args()
    ready = list(stages(asked.folder, asked.sets, asked.seed, asked.cache))
    print(HEAD)
    means = []
    for horizon_s in sorted({h for stage in ready for h in stage.one.horizons_s}):
        mine = [stage for stage in ready if horizon_s in stage.one.horizons_s]
        setting = best_filter(mine, horizon_s)
        rows: dict[str, list[Figures]] = {}
        said, came = [], []
        for stage in mine:
            for method, judged in compared(stage, horizon_s, setting).items():
                got = figures(judged, times=stage.counted)
                ends = resampled(judged, resamples=asked.resamples, among=np.flatnonzero(stage.counted))["f1"]
                print(line(stage.name, horizon_s, method, got, ends), flush=True)
                rows.setdefault(method, []).append(got)
            one, other = judged.said(stage.counted)
            said.append(one)
            came.append(other)
        means.append((horizon_s, setting, rows, _error(np.concatenate(said), np.concatenate(came))))
    print("\nMean over the sets:\n")
    print("| ahead | plain: F1, repeats | filtered: F1, repeats (s, k, n, hold) | Tocsin: F1, repeats | stated/true |")
    print("|---:|---:|---:|---:|---:|")
    for horizon_s, setting, rows, error in means:
        told = {
            m: f"{np.mean([f.f1 for f in got]):.3f}, {np.nanmean([f.flapping for f in got]):.3f}"
            for m, got in rows.items()
        }
        chosen = ", ".join(f"{v:g}" for v in setting)
        print(
            f"| {horizon_s // 60} min | {told['plain']} | {told['filtered']} ({chosen}) | {told['Tocsin']} "
            f"| {error:.3f} |"
        )


def _error(said: NDArray[np.float64], came: NDArray[np.bool_]) -> float:
    """Return the expected calibration error of all sets together."""
    place = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    return float(np.abs(np.bincount(place, said, BINS) - np.bincount(place, came, BINS)).sum() / len(said))


if __name__ == "__main__":
    main()
