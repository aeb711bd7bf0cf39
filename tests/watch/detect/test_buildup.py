"""Build-up by hand-made stories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from tests.common import S, batch
from tests.watch.detect.fleets import FIRST_US, crowd, one_zone, square, watchlist
from tests.watch.detect.test_proximity import _sails, _still, _track
from tests.watch.strategies import ALWAYS

from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.tracks.order import canonical
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event, EventKind
from tocsin.watch.replay import replay


def _found(agreed: Watchlist, *tracks: Iterable[dict[str, Any]], kind: EventKind = EventKind.BUILDUP) -> list[Event]:
    told = batch(row for track in tracks for row in track)
    events, _ = replay(Engine(agreed), told.take(canonical(told).keep))
    return [e for e in events if e.kind is kind]


def test_four_that_stay_within_the_distance_are_told_once_when_the_time_is_full() -> None:
    ships = [_still(f"mmsi:{k}", 0, 300 * k, 7_200) for k in range(3)]
    fourth = _track("mmsi:9", (0, 9_000, 0), (600, 0, 450), (4_000, 0, 450), (7_200, 0, 450))
    (event,) = _found(one_zone(crowd(4, 3_600, 2_000)), *ships, fourth)
    assert event.measured == {"count": 4, "threshold_s": 3_600}
    assert event.other_track is None
    assert event.visit_us == pytest.approx(FIRST_US + (600 - 2_000 / 15) * S, abs=5 * S), (
        "the last came near, not to rest"
    )
    assert event.at_us == event.visit_us + 3_600 * S


def test_as_many_that_pass_one_after_the_other_are_no_build_up() -> None:
    """The fault: tracks counted over a window, so that a strait with traffic is always a build-up."""
    moored = _still("mmsi:0", 0, 0, 7_200)
    passing = [_sails(f"mmsi:{k}", 6.0, start_m=-6_000 - 1_500.0 * k, north_m=200, for_s=7_200) for k in range(1, 20)]
    assert not _found(one_zone(crowd(3, 1_800, 1_000)), moored, *passing)


def test_three_are_not_four_and_far_apart_is_not_together() -> None:
    three = [_still(f"mmsi:{k}", 0, 300 * k, 7_200) for k in range(3)]
    assert not _found(one_zone(crowd(4, 3_600, 2_000)), *three)
    assert not _found(one_zone(crowd(4, 3_600, 2_000)), *three, _still("mmsi:9", 0, 4_000, 7_200))


def test_one_just_outside_the_zone_does_not_count() -> None:
    agreed = one_zone(crowd(3, 600, 2_000), region=square(33.0, 38.0, 0.01))
    inside = [_still(f"mmsi:{k}", 0, 300 * k) for k in range(2)]
    assert not _found(agreed, *inside, _still("mmsi:9", 0, 1_200))
    assert _found(agreed, *inside, _still("mmsi:9", 0, 800))


def test_place_that_thinned_out_is_told_again_after_the_time() -> None:
    pair = [_still(f"mmsi:{k}", 0, 100 * k, 9_000) for k in range(2)]
    comes_twice = _track(
        "mmsi:9",
        (0, 0, 50),
        (2_000, 0, 50),
        (2_600, 9_000, 0),
        (4_000, 9_000, 0),
        (4_600, 0, 50),
        (6_800, 0, 50),
        (9_000, 0, 50),
    )
    events = _found(one_zone(crowd(3, 1_200, 500)), *pair, comes_twice)
    assert [round((e.at_us - FIRST_US) / S, -2) for e in events] == [1_200, 5_800]


def test_growing_build_up_is_not_told_again() -> None:
    ships = [
        _track(f"mmsi:{k}", (0, 9_000, 0), (600 * k, 9_000, 0), (600 * k + 300, 0, 20 * k), (9_000, 0, 20 * k))
        for k in range(1, 8)
    ]
    assert len(_found(one_zone(crowd(3, 1_200, 500)), *ships)) == 1


def test_two_places_are_two_build_ups() -> None:
    west, east = ([_still(f"mmsi:{side}{k}", 0, side * 5_000 + 50 * k) for k in range(3)] for side in (0, 1))
    assert len(_found(one_zone(crowd(3, 600, 300)), *west, *east)) == 2


def test_zone_without_a_distance_counts_all_inside() -> None:
    far_apart = [_still(f"mmsi:{k}", 0, 4_000 * k - 6_000) for k in range(3)]
    late = _track("mmsi:9", (0, 30_000, 0), (900, 30_000, 0), (1_000, 2_000, 0), (2_400, 2_000, 0))
    (event,) = _found(one_zone(crowd(4, 900)), *far_apart, late)
    assert (event.track_id, event.measured["count"]) == ("mmsi:9", 4)


def test_build_up_is_exempt_only_if_all_of_it_is() -> None:
    free = Zone(
        zone_id="free", kind="exempt", clause="z", region=square(33.0, 38.0, 0.2), schedule=ALWAYS,
        applies_to=frozenset({"a"}), is_exemption=True,
    )  # fmt: skip
    zone = Zone(zone_id="z0", kind="protection", clause="z", region=square(33.0, 38.0, 0.1), schedule=ALWAYS)
    agreed = watchlist([zone, free], [crowd(3, 600, 500)])

    def exemption(last: str | None) -> str | None:
        parties = ("a", "a", last)
        (event,) = _found(agreed, *(_still(f"mmsi:{k}", 0, 50 * k, party=p) for k, p in enumerate(parties)))
        return event.exemption

    assert exemption("a") == "free"
    assert exemption("b") is exemption(None) is None


def test_dwell_is_a_loiter_rule_without_numbers_told_once_a_visit() -> None:
    """The fault (Tile38's default): one message for each fix inside."""
    stay = Rule(rule_id="stay", clause="t", conduct=Conduct.LOITER, zone=0, after_s=600)
    agreed = one_zone(stay, region=square(33.0, 38.0, 0.02))
    visit = [(s, 0, -9_000 + 6.0 * s) for s in range(0, 3_000, 60)]
    again = [(s + 3_600, n, e) for s, n, e in visit]
    (one, other) = _found(agreed, _track("mmsi:1", *visit, *again), kind=EventKind.LOITER)
    assert other.at_us - one.at_us == 3_600 * S
