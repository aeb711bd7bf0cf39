"""Pairs and build-ups live: provisional before the watermark, final at it under the same id, whatever the arrival."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.common import S, batch
from tests.watch.arrivals import arrive, assert_each_is_confirmed_or_withdrawn, final, new_state
from tests.watch.detect.fleets import FIRST_US, crowd, near, one_zone, random_fleet, random_watchlist
from tests.watch.detect.test_proximity import _still, _track

from tocsin.agreement.watchlist import Watchlist
from tocsin.watch.engine import KINDS_TOGETHER, Engine
from tocsin.watch.event import Event, Revision, Standing
from tocsin.watch.live import step
from tocsin.watch.replay import replay


@example(seed=6_160, cuts=[], restarts=[])  # a void that falls due after the last way near the zone
@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    cuts=st.lists(st.integers(1, 380), max_size=5),
    restarts=st.lists(st.integers(0, 4), max_size=2),
)
def test_final_events_are_those_of_the_replay(seed: int, cuts: list[int], restarts: list[int]) -> None:
    """Shuffled within the lateness, cut anywhere, some twice, restarted from snapshots: the replay's bytes."""
    rng = np.random.default_rng(seed)
    agreed, fleet = random_watchlist(rng), random_fleet(rng)
    at = frozenset(sorted(cuts)[k] for k in restarts if k < len(cuts))
    told = arrive(Engine(agreed), fleet, rng, cuts, at)
    assert_each_is_confirmed_or_withdrawn(told)
    until_us = int(fleet.observed_us.max())
    expected = [e for e in replay(Engine(agreed), fleet)[0] if e.known_us < until_us]
    assert [e.as_line() for e in final(told) if e.known_us < until_us] == [e.as_line() for e in expected]


def _live(agreed: Watchlist, *arrivals: tuple[int, list[dict[str, Any]]]) -> list[Event]:
    """Return what is told of several tracks when rows arrive at these seconds after `FIRST_US`."""
    engine, state, told = Engine(agreed), new_state(), []
    end = (max(at_s for at_s, _ in arrivals) + 86_400, [])
    for at_s, rows in [*arrivals, end]:
        state, events, _ = step(engine, state, batch({**row, "feed": "f"} for row in rows), now_us=FIRST_US + at_s * S)
        told += events
    return [e for e in told if e.kind in KINDS_TOGETHER]


def _by_arrival(*tracks: Any) -> list[tuple[int, list[dict[str, Any]]]]:
    rows = sorted((row for track in tracks for row in track), key=lambda row: row["observed"])
    by_time: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_time.setdefault((row["observed"] - FIRST_US) // S, []).append(row)
    return list(by_time.items())


def test_pair_is_told_at_arrival_and_confirmed_under_the_same_id() -> None:
    arrivals = _by_arrival(_still("mmsi:1", 0, 0), _still("mmsi:2", 0, 150))
    early, settled = _live(one_zone(near(200, 600)), *arrivals)
    assert (early.standing, settled.standing) == (Standing.PROVISIONAL, Standing.FINAL)
    assert early.event_id == settled.event_id
    assert early.measured == settled.measured


def test_build_up_that_later_reports_undo_is_withdrawn() -> None:
    """A fix that arrives within the lateness shows that one of three had gone away in between."""
    stay = [_still(f"mmsi:{k}", 0, 50 * k, 1_200, 60) for k in range(2)]
    third = _track("mmsi:9", *((s, 0, 100) for s in range(0, 601, 60)))
    away = _track("mmsi:9", (570, 30_000, 0))  # between two fixes of the third, which arrived before it
    arrivals = _by_arrival(*stay, third)
    arrivals = sorted([*arrivals, (630, away)], key=lambda pair: pair[0])
    told = _live(one_zone(crowd(3, 595, 500)), *arrivals)
    assert [(e.standing, e.revision) for e in told] == [
        (Standing.PROVISIONAL, Revision.OPENED),
        (Standing.PROVISIONAL, Revision.WITHDRAWN),
    ]
    assert told[0].event_id == told[1].event_id


def test_provisional_pair_is_not_withdrawn_before_its_minute_is_decided() -> None:
    """The fault: withdrawn at the watermark, hours before the final event could come, then raised again."""
    arrivals = _by_arrival(_still("mmsi:1", 0, 0, 9_000, 300), _still("mmsi:2", 0, 150, 9_000, 300))
    told = _live(one_zone(near(200, 600)), *arrivals)
    assert [e.standing for e in told] == [Standing.PROVISIONAL, Standing.FINAL]
    assert Revision.WITHDRAWN not in {e.revision for e in told}
