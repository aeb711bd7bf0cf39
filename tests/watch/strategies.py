"""Random agreements and reports for the watch's tests: small zones with holes, windows and bands; jumpy tracks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.geo.shapes import polygon
from tocsin.tracks.batch import ReportBatch

SECOND = 1_000_000
START = 1_500_000_000 * SECOND
FEEDS = ("f", "radar", "sat")


@dataclass(frozen=True)
class Windows:
    """A schedule given as intervals; none of them means always."""

    intervals: tuple[tuple[int, int], ...] = ()

    @property
    def is_always(self) -> bool:
        return not self.intervals

    def intervals_us(self, from_us: int, to_us: int) -> NDArray[np.int64]:
        whole = ((from_us, to_us),) if self.is_always else self.intervals
        return np.array([w for w in whole if w[0] < to_us and w[1] > from_us], np.int64).reshape(-1, 2)


ALWAYS = Windows()


def star(rng: np.random.Generator, lat_deg: float, lon_deg: float, size_deg: float) -> list[list[tuple[float, float]]]:
    """Return the rings of a star polygon, sometimes with a hole, latitude first."""
    n = int(rng.integers(3, 12))
    turn = np.sort(rng.uniform(0, 2 * np.pi, n)) if n > 4 else np.linspace(0, 2 * np.pi, n, endpoint=False)
    if n > 4 and np.max(np.diff([*turn, turn[0] + 2 * np.pi])) > 2.5:
        turn = np.linspace(0, 2 * np.pi, n, endpoint=False)
    reach = size_deg * rng.uniform(0.5, 1.0, n)

    def ring(scale: float) -> list[tuple[float, float]]:
        points = [
            (lat_deg + scale * r * np.sin(a), lon_deg + scale * r * np.cos(a)) for a, r in zip(turn, reach, strict=True)
        ]
        return [*points, points[0]]

    return [ring(1.0), ring(0.3)] if rng.random() < 0.4 else [ring(1.0)]


def random_watchlist(rng: np.random.Generator, zones: int = 5, *, plain: bool = False) -> Watchlist:
    """Return an agreement over a few kilometres around 33° N 38° E."""
    made, rules = [], []
    for i in range(zones):
        region = polygon(
            star(rng, 33 + rng.uniform(-0.03, 0.03), 38 + rng.uniform(-0.03, 0.03), rng.uniform(0.01, 0.05))
        )
        windows, lower, upper, applies, exempt, sorts = ALWAYS, -np.inf, np.inf, None, frozenset[str](), None
        if not plain:
            if rng.random() < 0.4:
                cuts = START + np.sort(rng.choice(7_200, 4, replace=False)) * SECOND
                windows = Windows(((int(cuts[0]), int(cuts[1])), (int(cuts[2]), int(cuts[3]))))
            if rng.random() < 0.4:
                lower, upper = 100.0, float(rng.choice([500.0, np.inf]))
            if rng.random() < 0.3:
                applies = frozenset({"a"})
            if rng.random() < 0.3:
                exempt = frozenset({"b"})
            if rng.random() < 0.3:
                sorts = frozenset({"fishing"})
        made.append(
            Zone(
                zone_id=f"z{i}",
                kind="protection",
                clause=f"zones[{i}]",
                region=region,
                schedule=windows,
                lower_m=lower,
                upper_m=upper,
                applies_to=applies,
                exempt=exempt,
                categories=sorts,
                clear_m=float(rng.choice([0.0, 300.0])),
                clear_s=float(rng.choice([0.0, 60.0])),
            )
        )
        visit = (Conduct.ENTRY, Conduct.EXIT, Conduct.CROSSING)
        rules += [Rule(rule_id=f"z{i}/{c}", clause=f"zones[{i}]", conduct=c, zone=i) for c in visit]
        rules.append(
            Rule(rule_id=f"z{i}/loiter", clause="t", conduct=Conduct.LOITER, zone=i, after_s=300, speed_hi_mps=3)
        )
        rules.append(Rule(rule_id=f"z{i}/dwell", clause="t", conduct=Conduct.DWELL, zone=i, after_s=200))
        if rng.random() < 0.5:
            rules.append(Rule(rule_id=f"z{i}/gap", clause="t", conduct=Conduct.GAP, zone=i, after_s=500))
    by_feed, others = rng.spawn(1)[0], [r for r in rules if r.conduct is not Conduct.GAP]
    rules = [*others, *(replace(r, by_feed=_times(by_feed)) for r in rules if r.conduct is Conduct.GAP)]
    whole = Windows(((START + 60 * SECOND, START + 9_000 * SECOND),))
    return Watchlist(agreement_id="random", version=1, digest=bytes(32), in_force=whole, zones=made, rules=rules)


def _times(rng: np.random.Generator) -> tuple[tuple[str, float], ...]:
    """Return times of silence of some of the feeds of `random_reports`, shorter and longer than the rule's own."""
    return tuple((feed, float(rng.choice([45.0, 200.0, 2_000.0]))) for feed in FEEDS[1:] if rng.random() < 0.5)


def random_reports(rng: np.random.Generator, n: int = 300, tracks: int = 6) -> ReportBatch:
    """Return reports of walkers around 33° N 38° E in canonical order, with gaps, repeats and missing words."""
    track = rng.integers(0, tracks, n).astype(np.int32)
    steps = rng.choice([0, 1, 10, 60, 900], n, p=[0.02, 0.08, 0.5, 0.38, 0.02])
    observed = START + np.cumsum(steps) * SECOND // 2
    lat, lon = np.empty(n), np.empty(n)
    for t in range(tracks):
        mine = track == t
        k = int(mine.sum())
        lat[mine] = 33 + np.cumsum(rng.normal(0, 0.006, k))
        lon[mine] = 38 + np.cumsum(rng.normal(0, 0.006, k))
    order = np.lexsort((track, observed))

    def floats(low: float, high: float, missing: float) -> NDArray[np.float32]:
        values = rng.uniform(low, high, n).astype(np.float32)
        values[rng.random(n) < missing] = np.nan
        return values

    batch = ReportBatch(
        track=track,
        observed_us=observed.astype(np.int64),
        received_us=observed.astype(np.int64),
        lat_deg=lat,
        lon_deg=lon,
        alt_m=floats(0, 700, 0.2),
        speed_mps=floats(0, 6, 0.0),
        course_deg=floats(0, 360, 0.1),
        heading_deg=floats(0, 360, 0.5),
        accuracy_m=floats(5, 50, 0.3),
        feed=rng.spawn(1)[0].integers(0, len(FEEDS), n).astype(np.int32),
        party=rng.integers(-1, 3, tracks).astype(np.int32)[track],
        category=rng.integers(-1, 2, tracks).astype(np.int32)[track],
        tracks=tuple(f"dev:{t}" for t in range(tracks)),
        feeds=FEEDS,
        parties=("a", "b", "c"),
        categories=("fishing", "cargo"),
    )
    return batch.take(order)
