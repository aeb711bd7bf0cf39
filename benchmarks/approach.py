"""How good approach warnings are: Tocsin against three baselines, by the definitions of docs/guide/warning-quality.md.

`python benchmarks/approach.py FOLDER` reads the sets of `approach_data.py` from a folder of Parquet files of tracks,
lays zones, and prints the tables of that page; `--page docs/guide/warning-quality.md` writes them into it. Tracks are
halved by a hash of their names. On half 0 the baselines are tuned or trained, for each look-ahead over all sets
together, the forecast's coefficients were fitted, and routes are learnt; every row is of half 1. Buses are split by day
too: of a later day all routes of the days before are known. Gradient boosting needs scikit-learn, and is left out
where it is missing. Takes half an hour. `--layouts 1 2 3` prints instead what the chances that are said are worth at
zones of these seeds.
"""

from __future__ import annotations

import argparse
import importlib.util
import pickle
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from approach_boosting import Boosting, Looks, look
from approach_data import SETS, Set, half_of, lay_zones, past_of, read_set
from approach_methods import FILTERS, PLAIN, Feed, feed_of, straight, tocsin
from numpy.typing import NDArray

from tocsin.geo.shapes import Region
from tocsin.kernels.forecast.routes import Routes
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.rehearse.judge import Judged, judge
from tocsin.watch.rehearse.score import BINS, Figures, figures, resampled
from tocsin.watch.rehearse.truth import Truth, find_truth
from tocsin.watch.routes import NO_ROUTES, as_routes, learn_routes

SEED = 20_261_124
HEAD = (
    "| ahead | set | method | entries | recall | precision | F1 (95 %) | lead: median, p10 | repeats "
    "| wrong in 1,000 h | calibration error | entry in interval |\n"
    "|---:|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)
FILTERED, BOOSTED, OURS, WITH_ROUTES = "filtered", "boosting, routes", "Tocsin", "Tocsin, routes"
BEGIN, END = "<!-- printed by benchmarks/approach.py -->", "<!-- until here -->"


Said = tuple[NDArray[np.float64], NDArray[np.bool_]]
"""Chances that were said, and whether they came true."""


class Stage(NamedTuple):
    """One set, ready to be warned about."""

    name: str
    one: Set
    batch: ReportBatch
    regions: list[Region]
    truth: Truth
    feed: Feed
    routes: Routes
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
        routes = as_routes(learn_routes(past_of(folder, one, batch)))
        print(
            f"{name}: {len(truth.fixes.at_us):,} fixes, {len(truth.eps_m)} zones, {len(truth.entries):,} entries, "
            f"a fix every {truth.interval_s:g} s, {truth.fixes.moving_s.sum() / 3_600:,.0f} h in motion "
            f"({time.perf_counter() - began:.0f} s)",
            file=sys.stderr,
        )
        yield Stage(name, one, batch, regions, truth, feed_of(batch, truth.fixes), routes, 1 - half, half)


def compared(stage: Stage, horizon_s: int, setting: tuple[float, int, int, float], boosting: Boosting | None
             ) -> dict[str, Judged]:  # fmt: skip
    """Return what each method's warnings were worth on one set."""
    truth = stage.truth
    warned = {
        "plain": straight(truth, stage.feed, horizon_s, PLAIN),
        FILTERED: straight(truth, stage.feed, horizon_s, setting),
    }
    if boosting:
        warned[BOOSTED] = boosting.warn(truth, stage.feed, looked(stage, horizon_s))
    for name, routes in ((OURS, NO_ROUTES), (WITH_ROUTES, stage.routes)):
        began = time.process_time()
        warned[name] = tocsin(stage.batch, stage.regions, horizon_s, routes)
        spent_us = (time.process_time() - began) * 1e6 / len(stage.batch)
        print(f"  {stage.name}, {horizon_s} s: {name} {spent_us:.1f} us a fix", file=sys.stderr, flush=True)
    return {name: judge(truth, own, horizon_s) for name, own in warned.items()}


def looked(stage: Stage, horizon_s: int) -> Looks:
    """Return what gradient boosting knows at each fix."""
    return Looks(*look(stage.truth.atlas.arrays, stage.routes, stage.feed, horizon_s))


def boosted(ready: list[Stage], horizon_s: int) -> Boosting | None:
    """Return gradient boosting, trained on the tracks to tune on; None where scikit-learn is missing."""
    if importlib.util.find_spec("sklearn") is None:
        print("scikit-learn is missing: no gradient boosting", file=sys.stderr)
        return None
    boosting = Boosting(horizon_s)
    boosting.learn([(s.truth, s.feed, looked(s, horizon_s), s.tuned.astype(np.bool_)) for s in ready])
    print(f"  boosting, {horizon_s} s: threshold, k, n {boosting.setting}", file=sys.stderr, flush=True)
    return boosting


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
        f"| {horizon_s // 60} min | {name} | {method} | {got.eligible:,} | {got.recall:.3f} | {got.precision:.3f} "
        f"| {got.f1:.3f} ({f1[0]:.2f}–{f1[1]:.2f}) | {got.lead_median_s:.0f}, {got.lead_p10_s:.0f} s "
        f"| {got.flapping:.3f} | {got.false_per_1000_h:,.0f} | {error} | {interval} |"
    )


def tables(ready: list[Stage], resamples: int) -> Iterator[str]:
    """Yield the lines of both tables."""
    yield HEAD
    means = []
    for horizon_s in sorted({h for stage in ready for h in stage.one.horizons_s}):
        mine = [stage for stage in ready if horizon_s in stage.one.horizons_s]
        tuned = [stage for stage in mine if not stage.one.by_day]
        setting, boosting = best_filter(tuned, horizon_s), boosted(tuned, horizon_s)
        rows: dict[str, list[Figures]] = {}
        said: dict[str, list[Said]] = {}
        for stage in mine:
            for method, judged in compared(stage, horizon_s, setting, boosting).items():
                got = figures(judged, times=stage.counted)
                ends = resampled(judged, resamples=resamples, among=np.flatnonzero(stage.counted))["f1"]
                yield line(stage.name, horizon_s, method, got, ends)
                rows.setdefault(method, []).append(got)
                said.setdefault(method, []).append(judged.said(stage.counted))
        means.append((horizon_s, setting, rows, said))
    yield "\nMean over the sets: F1, repeats; and the calibration error of all warnings together:\n"
    methods = list(means[0][2])
    yield "| ahead | " + " | ".join(methods) + " | filtered by: s, k, n, hold |"
    yield "|---:|" + "---:|" * (len(methods) + 1)
    for horizon_s, setting, rows, said in means:
        told = []
        for m in methods:
            f1, repeats = (np.nanmean([getattr(f, name) for f in rows[m]]) for name in ("f1", "flapping"))
            error = _error(said[m])
            told.append(f"{f1:.3f}, {repeats:.3f}" + ("" if np.isnan(error) else f"; {error:.3f}"))
        yield f"| {horizon_s // 60} min | " + " | ".join(told) + " | " + ", ".join(f"{v:g}" for v in setting) + " |"


def said_at(folder: Path, names: list[str], seeds: list[int]) -> Iterator[str]:
    """Yield the lines of a table of what said chances are worth, without routes, at zones of some seeds."""
    told: dict[int, dict[int, list[Said]]] = {}
    for seed in seeds:
        for name in names:
            one = SETS[name]
            batch = read_set(folder, one)
            regions, counted = lay_zones(batch, one, seed), half_of(batch.tracks)
            truth = find_truth(batch, regions, one.terms)
            for horizon_s in one.horizons_s:
                judged = judge(truth, tocsin(batch, regions, horizon_s), horizon_s)
                told.setdefault(horizon_s, {}).setdefault(seed, []).append(judged.said(counted))
    yield "| ahead | " + " | ".join(f"zones {seed}" for seed in seeds) + " | all together |"
    yield "|---:|" + "---:|" * (len(seeds) + 1)
    for horizon_s, by_seed in sorted(told.items()):
        errors = [*map(_error, by_seed.values()), _error([*chain.from_iterable(by_seed.values())])]
        yield f"| {horizon_s // 60} min | " + " | ".join(f"{error:.3f}" for error in errors) + " |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of Parquet files of tracks")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seed", type=int, default=SEED, help="of the zones")
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--cache", type=Path, help="folder to keep what really happened in")
    parser.add_argument("--page", type=Path, help="page to write the tables into")
    parser.add_argument(
        "--layouts", type=int, nargs="+", help="print what said chances are worth at zones of these seeds instead"
    )
    asked = parser.parse_args()
    if asked.layouts:
        for told in said_at(asked.folder, [name for name in asked.sets if not SETS[name].by_day], asked.layouts):
            print(told, flush=True)
        return
    if asked.cache:
        asked.cache.mkdir(parents=True, exist_ok=True)
    ready = list(stages(asked.folder, asked.sets, asked.seed, asked.cache))
    lines = []
    for told in tables(ready, asked.resamples):
        print(told, flush=True)
        lines.append(told)
    if asked.page:
        before, _, rest = asked.page.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        asked.page.write_text("\n".join([before + BEGIN, *lines, END + after]), encoding="utf-8")


def _error(said: list[Said]) -> float:
    """Return the expected calibration error of all sets together; NaN if no chance was said."""
    chance, came = (np.concatenate(part) for part in zip(*said, strict=True))
    if not len(chance):
        return float("nan")
    place = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
    off = np.bincount(place, chance, BINS) - np.bincount(place, came, BINS)
    return float(np.abs(off).sum() / len(chance))


if __name__ == "__main__":
    main()
