"""What happens to a simulated station: vessels, notices, and versions of its agreement, all drawn from the seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from msgspec.structs import replace
from tests.sim.machines import NewVersion
from tests.station.noted import NOTED, movement, said
from tests.station.walks import FEEDS, START, arrivals, walk
from tests.warn.stories import S

from tocsin.station.core.inputs import Saying
from tocsin.station.core.terms import Terms, compile_terms
from tocsin.tracks.batch import concat
from tocsin.tracks.feeds.feed import Delivery
from tocsin.tracks.shedding import kept_of

VERSIONS = (
    ("", ""),
    ("radius: 2 km", "radius: 3 km"),
    ("lat_deg: 55.0, lon_deg: 10.0", "lat_deg: 55.01, lon_deg: 10.02"),
    ("ring", "harbour_ring"),
    ("stand_down:", "record: {keep_for: PT1H}\nstand_down:"),
)
"""What the second and later versions change: nothing, the zone's size, its place, the zone itself; how long reports are
kept."""

BURST_EVERY_S = 2_700
"""Between two bursts of traffic: they lie in different hours of the archive."""

BURST = 240
"""Reports of each burst, of each feed."""


@cache
def terms_of(version: int, change: int) -> Terms:
    """Return the tests' agreement with a number, and one of the changes."""
    old, new = VERSIONS[change]
    text = NOTED.text.decode().replace("version: 1", f"version: {version}")
    return compile_terms(replace(NOTED, text=text.replace(old, new).encode() if old else text.encode()))


def traffic(rng: random.Random, hours: float, faults: frozenset[str]) -> Iterator[tuple[int, Any]]:
    """Yield deliveries of vessels crossing a ring: out of order, twice, late beyond lateness, with gaps.

    They come in bursts, hours apart. Parties tell of movements, change and cancel them, and say that they have read
    them; the agreement changes under it all.
    """
    yield from _sayings(rng, hours)
    if "agreement" in faults:
        at_s = 0.0
        for number, change in enumerate(rng.sample(range(len(VERSIONS)), rng.randrange(1, 4)), start=2):
            at_s += rng.uniform(30, 1_000 * hours)
            yield START + round(at_s * S), NewVersion(10 * number + change)
    draw = np.random.default_rng(rng.randrange(2**32))
    for burst in range(int(hours * 3_600 / BURST_EVERY_S) + 1):
        for feed in FEEDS:
            yield from _burst(rng, draw, burst * BURST_EVERY_S, feed, hours, faults)


def _burst(
    rng: random.Random, draw: np.random.Generator, at_s: int, feed: str, hours: float, faults: frozenset[str]
) -> Iterator[tuple[int, Delivery]]:
    """Yield the deliveries of one burst of a feed."""
    reports = walk(draw, min(BURST, round(hours * 3_600)), feed=feed)
    reports.observed_us[:] += at_s * S
    reports.received_us[:] += at_s * S
    if "gaps" in faults:
        reports = reports.take(np.flatnonzero(draw.random(len(reports)) > 0.3))
    if "clocks" in faults and feed == "g":
        reports.observed_us[len(reports) // 2 :] += 3_600 * S
    come = arrivals(draw, reports, late_s=90 if "late" in faults else 15)
    yield from _flooded(rng, come) if "flood" in faults else come


def _sayings(rng: random.Random, hours: float) -> Iterator[tuple[int, Saying]]:
    for number in range(8):
        at_s = rng.randrange(-60, round(hours * 3_600))
        name, track = f"F-{rng.randrange(4)}", f"dev:{rng.choice('fg')}{rng.randrange(3)}"
        from_s = at_s + rng.choice([0, 90])
        told = rng.choice(
            [
                movement(name, track, at_s, from_s, from_s + rng.randrange(30, 300)),
                movement(name, track, at_s, from_s, from_s + 200, act="change", replaces=name),
                said("notice", at_s, reference=f"C-{number}", act=rng.choice(["cancel", "withdraw"]), replaces=name),
                said("receipt", at_s, notice=name, receipt="read", unit="watch", by="officer", of="watch"),
            ]
        )
        yield START + at_s * S, told


def _flooded(rng: random.Random, come: list[tuple[int, Delivery]]) -> Iterator[tuple[int, Delivery]]:
    """Yield deliveries of a feed that cannot take all of it at times: what waited then is shed, and goes out as one."""
    while come:
        n = rng.choice([1, 1, 5, 20])
        waited, come = come[:n], come[n:]
        whole = concat([delivery.batch for _, delivery in waited])
        kept = kept_of([whole.tracks[track] for track in whole.track.tolist()], rng.randrange(1, len(whole) + 1))
        at_us, last = waited[-1]
        few = whole.take(np.array(kept, np.int64))
        yield at_us, replace(last, batch=few, read=len(whole), shed=len(whole) - len(few))
