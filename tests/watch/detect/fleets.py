"""Small random fleets for the detectors of many tracks, and agreements about them."""

from __future__ import annotations

import numpy as np
from tests.watch.strategies import ALWAYS, FEEDS, SECOND, START, Windows, star

from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.geo.shapes import Region, polygon
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.order import canonical

FIRST_US = -(-START // (60 * SECOND)) * 60 * SECOND
"""A full minute after the start of everything."""


BY_FEED = ((FEEDS[1], 45.0), (FEEDS[2], 600.0))
"""Times of silence of their own, shorter and longer than the rule's."""


def square(lat_deg: float, lon_deg: float, half_deg: float) -> Region:
    """Return a square zone."""
    s, n, w, e = lat_deg - half_deg, lat_deg + half_deg, lon_deg - half_deg, lon_deg + half_deg
    return polygon([[(s, w), (s, e), (n, e), (n, w), (s, w)]])


def watchlist(zones: list[Zone], rules: list[Rule]) -> Watchlist:
    """Return an agreement with the rules of every zone and these."""
    visit = (Conduct.ENTRY, Conduct.EXIT, Conduct.CROSSING)
    base = [
        Rule(rule_id=f"{zone.zone_id}/{c}", clause="z", conduct=c, zone=i)
        for i, zone in enumerate(zones)
        if not zone.is_exemption
        for c in visit
    ]
    return Watchlist(
        agreement_id="fleet", version=1, digest=bytes(32), in_force=ALWAYS, zones=zones, rules=[*base, *rules]
    )


def one_zone(*rules: Rule, region: Region | None = None, **given: object) -> Watchlist:
    """Return an agreement about one square around 33° N 38° E, and these rules."""
    region = square(33.0, 38.0, 0.1) if region is None else region
    zone = Zone(zone_id="z0", kind="protection", clause="z", region=region, schedule=ALWAYS, **given)  # type: ignore[arg-type]
    return watchlist([zone], list(rules))


def near(within_m: float, for_s: float = float("nan"), zone: int = 0) -> Rule:
    """Return a proximity rule."""
    return Rule(
        rule_id=f"near{zone}", clause="t", conduct=Conduct.PROXIMITY, zone=zone, radius_m=within_m, after_s=for_s
    )


def crowd(count: int, for_s: float, within_m: float = float("nan"), zone: int = 0) -> Rule:
    """Return a build-up rule."""
    name = f"crowd{zone}" if not np.isnan(within_m) else f"all{zone}"
    return Rule(
        rule_id=name, clause="t", conduct=Conduct.BUILD_UP, zone=zone, radius_m=within_m, after_s=for_s, count=count
    )


def picket(count: int, for_s: float, zone: int = 0, **who: str | None) -> Rule:
    """Return a void rule."""
    return Rule(rule_id=f"void{zone}", clause="t", conduct=Conduct.VOID, zone=zone, after_s=for_s, count=count, **who)


def random_watchlist(rng: np.random.Generator) -> Watchlist:
    """Return an agreement over a few kilometres around 33° N 38° E with rules about several tracks."""
    zones, rules = [], []
    for i in range(2):
        middle = 33 + rng.uniform(-0.01, 0.01), 38 + rng.uniform(-0.01, 0.01)
        windows, lower, applies, exempt, sorts = ALWAYS, -np.inf, None, frozenset[str](), None
        if rng.random() < 0.3:
            cuts = FIRST_US + np.sort(rng.choice(60, 2, replace=False)) * 60 * SECOND
            windows = Windows(((int(cuts[0]), int(cuts[1])),))
        if rng.random() < 0.2:
            lower = 200.0
        if rng.random() < 0.3:
            applies = frozenset({"a"})
        if rng.random() < 0.3:
            exempt = frozenset({"b"})
        if rng.random() < 0.2:
            sorts = frozenset({"fishing"})
        zone = Zone(
            zone_id=f"z{i}",
            kind="protection",
            clause=f"zones[{i}]",
            region=polygon(star(rng, *middle, rng.uniform(0.01, 0.03))),
            schedule=windows,
            lower_m=lower,
            applies_to=applies,
            exempt=exempt,
            categories=sorts,
            clear_s=float(rng.choice([0.0, 60.0])),
        )
        zones.append(zone)
        rules.append(near(float(rng.choice([80.0, 250.0])), float(rng.choice([np.nan, 45.0, 180.0])), i))
        rules.append(crowd(3, 120.0, float(rng.choice([200.0, 500.0])), i))
        rules.append(crowd(3, 120.0, zone=i))
        party, category = rng.choice([None, "a"]), rng.choice([None, "fishing"])
        rules.append(
            picket(int(rng.integers(1, 4)), float(rng.choice([40.0, 300.0])), i, party=party, category=category)
        )
        if rng.random() < 0.5:
            rules.append(
                Rule(rule_id=f"z{i}/gap", clause="t", conduct=Conduct.GAP, zone=i, after_s=240, by_feed=BY_FEED)
            )
    return watchlist(zones, rules)


def random_fleet(rng: np.random.Generator, tracks: int = 6, fixes: int = 60) -> ReportBatch:
    """Return drifting, circling and following tracks around 33° N 38° E, in canonical order, with gaps and repeats."""
    rows: list[tuple[int, int, float, float]] = []
    for t in range(tracks):
        steps = rng.choice([1, 10, 30, 60, 400], fixes, p=[0.05, 0.35, 0.3, 0.27, 0.03])
        at_s = np.cumsum(steps) + rng.integers(0, 120)
        speed = rng.choice([0.0, 0.5, 3.0, 12.0])
        if t and rng.random() < 0.25:  # behind the one before, on the same way
            before = np.array([r[1:] for r in rows if r[0] == t - 1])
            lat = np.interp(at_s - 8, (before[:, 0] - FIRST_US) / SECOND, before[:, 1])
            lon = np.interp(at_s - 8, (before[:, 0] - FIRST_US) / SECOND, before[:, 2])
        else:
            turn = np.cumsum(rng.normal(0, 0.3, fixes)) + rng.uniform(0, 6.28)
            lat = 33 + rng.normal(0, 0.004) + np.cumsum(speed * steps * np.cos(turn)) / 111_000
            lon = 38 + rng.normal(0, 0.004) + np.cumsum(speed * steps * np.sin(turn)) / 93_000
            lat, lon = lat + rng.normal(0, 3e-5, fixes), lon + rng.normal(0, 3e-5, fixes)
        rows += [(t, FIRST_US + int(s) * SECOND, float(a), float(o)) for s, a, o in zip(at_s, lat, lon, strict=True)]
    n = len(rows)
    track = np.array([r[0] for r in rows], np.int32)
    alt = rng.uniform(0, 500, tracks)[track].astype(np.float32)
    alt[rng.random(n) < 0.3] = np.nan
    accuracy = rng.uniform(2, 60, n).astype(np.float32)
    accuracy[rng.random(n) < 0.4] = np.nan
    blank = np.full(n, np.nan, np.float32)
    observed = np.array([r[1] for r in rows], np.int64)
    batch = ReportBatch(
        track=track,
        observed_us=observed,
        received_us=observed,
        lat_deg=np.array([r[2] for r in rows]),
        lon_deg=np.array([r[3] for r in rows]),
        alt_m=alt,
        speed_mps=blank,
        course_deg=blank,
        heading_deg=blank,
        accuracy_m=accuracy,
        feed=rng.spawn(1)[0].integers(0, len(FEEDS), n).astype(np.int32),
        party=rng.integers(-1, 3, tracks).astype(np.int32)[track],
        category=rng.integers(-1, 2, tracks).astype(np.int32)[track],
        tracks=tuple(f"dev:{(7 * t) % tracks}" for t in range(tracks)),
        feeds=FEEDS,
        parties=("a", "b", "c"),
        categories=("fishing", "cargo"),
    )
    return batch.take(canonical(batch).keep)
