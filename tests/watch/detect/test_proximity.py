"""Proximity by hand-made stories, each with the fault that other systems have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from tests.common import S, batch, report
from tests.watch.detect.fleets import FIRST_US, near, one_zone, square, watchlist
from tests.watch.strategies import ALWAYS

from tocsin.agreement.watchlist import Watchlist, Zone
from tocsin.tracks.order import canonical
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event, EventKind
from tocsin.watch.replay import replay

M_LAT, M_LON = 1 / 110_900, 1 / 93_450
"""Degrees a metre at 33° N."""


def _found(agreed: Watchlist, *tracks: Iterable[dict[str, Any]]) -> list[Event]:
    told = batch(row for track in tracks for row in track)
    events, _ = replay(Engine(agreed), told.take(canonical(told).keep))
    return [e for e in events if e.kind is EventKind.PROXIMITY]


def _track(name: str, *fixes: tuple[float, float, float], **given: Any) -> list[dict[str, Any]]:
    """Return a track through (seconds, metres north, metres east) of 33° N 38° E."""
    return [
        report(track_id=name, observed=FIRST_US + round(s * S), lat_deg=33 + n * M_LAT, lon_deg=38 + e * M_LON, **given)
        for s, n, e in fixes
    ]


def _still(name: str, north_m: float, east_m: float, for_s: int = 1_800, every_s: int = 60, **given: Any) -> Any:
    return _track(name, *((s, north_m, east_m) for s in range(0, for_s + 1, every_s)), **given)


def _sails(
    name: str, mps: float, *, start_m: float = 0.0, north_m: float = 0.0, for_s: int = 1_200, **given: Any
) -> Any:
    return _track(name, *((s, north_m, start_m + mps * s) for s in range(0, for_s + 1, 30)), **given)


def test_encounter_is_one_event_of_the_pair_with_both_sides_measured() -> None:
    """The fault (tile38#594, #257): one encounter reported by each of the two."""
    here = _still("mmsi:2", 0, 0, accuracy_m=30.0)
    comes = _track("mmsi:1", (0, 0, 3_000), (300, 0, 150), (1_500, 0, 160), (1_800, 0, 3_000), accuracy_m=40.0)
    (event,) = _found(one_zone(near(200, 600)), here, comes)
    assert (event.track_id, event.other_track) == ("mmsi:1", "mmsi:2")
    began_s = (event.visit_us - FIRST_US) / S
    assert began_s == pytest.approx(300 - 50 / 9.5, abs=0.2)
    assert event.at_us == event.visit_us + 600 * S
    assert event.measured["separation_m"] == pytest.approx(155, abs=0.5)
    assert event.measured["closest_m"] == pytest.approx(150, abs=0.5)
    assert event.measured["separation_error_m"] == 50.0
    assert event.measured["together_s"] == event.measured["threshold_s"] == 600
    assert "tcpa_s" not in event.measured, "8 mm/s is no motion"
    assert event.known_us == FIRST_US + 1_500 * S, "the later of the two fixes around that moment"


def test_cpa_and_tcpa_are_those_of_both_ways_at_one_instant() -> None:
    """The fault (avnav#447): closest approach from positions of two different instants."""
    one = _sails("mmsi:1", 5.0, start_m=-3_000)
    other = _sails("mmsi:2", -5.0, start_m=3_000, north_m=80)
    (event,) = _found(one_zone(near(400)), one, other)
    apart_m = np.hypot(400**2 - 80**2, 0) ** 0.5
    assert event.measured["separation_m"] == pytest.approx(400, abs=0.5)
    assert event.measured["cpa_m"] == pytest.approx(80, abs=0.5)
    assert event.measured["tcpa_s"] == pytest.approx(apart_m / 10, abs=0.2)


def test_two_that_pass_between_fixes_are_found_at_the_moment_they_pass() -> None:
    """The fault: positions compared as they come, two fixes minutes apart, say they were never near."""
    one = _track("mmsi:1", (0, 0, -6_000), (600, 0, 6_000))
    other = _track("mmsi:2", (30, 0, 5_400), (630, 0, -6_600))
    (event,) = _found(one_zone(near(100)), one, other)
    assert event.visit_us == pytest.approx(FIRST_US + (300 - 100 / 40) * S, abs=0.1 * S)
    assert not event.unobserved


def test_two_that_were_in_one_place_at_different_times_never_met() -> None:
    """The fault (Traccar): the distance to the partner's last position, however old."""
    early = _track("mmsi:1", (0, 0, 0), (60, 0, 0), (120, 3_000, 0), (1_200, 3_000, 0))
    late = _track("mmsi:2", (0, 0, 3_000), (600, 0, 3_000), (900, 0, 0), (1_200, 0, 0))
    assert not _found(one_zone(near(500)), early, late)


def test_silent_partner_is_nowhere_after_its_last_fix() -> None:
    """The fault (Traccar): a ship that fell silent two hours ago is still met where it was."""
    silent = _track("mmsi:1", (0, 0, 0), (60, 0, 0), (9_000, 0, 0))
    comes = _track("mmsi:2", (0, 0, 5_000), (3_000, 0, 5_000), (3_600, 0, 50), (5_400, 0, 50), (5_460, 0, 9_000))
    assert not _found(one_zone(near(100)), silent, comes)
    assert _found(one_zone(near(100)), _still("mmsi:1", 0, 0, 9_000, 600), comes)


def test_roam_never_measures_a_thing_against_itself() -> None:
    """The fault (Tile38 fence.go): the radius test measures an object's distance to itself and never rejects."""
    corner = 0.75 * 1_000
    assert not _found(one_zone(near(1_000)), _still("mmsi:1", 0, 0), _still("mmsi:2", corner, corner))
    assert not _found(one_zone(near(1_000)), _still("mmsi:1", 0, 0))


def test_roam_46_has_a_begin_and_an_end_and_reports_once() -> None:
    """The fault (tile38#439): every fix while near is another message; nothing says that it is over."""
    visits = [(0, 0, 2_000), (300, 0, 50), (900, 0, 50), (1_200, 0, 2_000)]
    again = [(s + 1_800, n, e) for s, n, e in visits]
    events = _found(one_zone(near(100)), _still("mmsi:1", 0, 0, 3_600, 10), _track("mmsi:2", *visits, *again))
    assert len(events) == 2
    assert len({e.event_id for e in events}) == 2


def test_any_two_devices_47_meet_without_being_linked_first() -> None:
    """The fault (traccar#3505, #3073): proximity for linked devices only."""
    events = _found(one_zone(near(200)), *(_still(f"dev:{k}", 100 * k, 0) for k in range(3)))
    assert [(e.track_id, e.other_track) for e in events] == [("dev:0", "dev:1"), ("dev:1", "dev:2")]


def test_two_ships_1_km_apart_across_180_degrees_meet() -> None:
    """The fault (Traccar, OpenCPN): raw differences of longitude put them a world apart."""
    west = [report(track_id="mmsi:1", observed=FIRST_US + s * S, lat_deg=10.0, lon_deg=179.9954) for s in (0, 600)]
    east = [report(track_id="mmsi:2", observed=FIRST_US + s * S, lat_deg=10.0, lon_deg=-179.9954) for s in (0, 600)]
    agreed = one_zone(near(1_010), region=square(10.0, 179.9, 0.099))
    (event,) = _found(agreed, west, east)
    assert event.measured["separation_m"] == pytest.approx(1_008.7, abs=0.5)
    assert event.track_id == "mmsi:1", "the one inside"


def test_way_across_180_degrees_is_not_the_way_round_the_globe() -> None:
    """The fault (GFW encounter): longitudes mixed linearly, so that the track sweeps the whole parallel."""
    crosses = [
        report(track_id="mmsi:1", observed=FIRST_US + s * S, lat_deg=10.0, lon_deg=lon)
        for s, lon in ((0, 179.99), (600, -179.99))
    ]
    far = [report(track_id="mmsi:2", observed=FIRST_US + s * S, lat_deg=10.0, lon_deg=0.0) for s in (0, 300, 600)]
    assert not _found(one_zone(near(5_000), region=square(10.0, 0.0, 0.5)), crosses, far)


def test_two_on_either_side_of_the_pole_meet() -> None:
    sides = [
        [report(track_id=f"dev:{lon}", observed=FIRST_US + s * S, lat_deg=89.999, lon_deg=float(lon)) for s in (0, 600)]
        for lon in (-90, 90)
    ]
    ring = [(89.9, lon) for lon in (-180.0, -90.0, 0.0, 90.0, 180.0)]
    from tocsin.geo.shapes import polygon

    cap = polygon([[*ring, (90.0, 180.0), (90.0, -180.0), ring[0]]])
    (event,) = _found(one_zone(near(300), region=cap), *sides)
    assert event.measured["separation_m"] == pytest.approx(223.4, abs=0.5)


def test_convoy_on_one_road_is_no_encounter() -> None:
    trucks = [_sails(f"dev:{k}", 12.0, start_m=-80.0 * k) for k in range(4)]
    assert not _found(one_zone(near(200, 300)), *trucks)


def test_convoy_that_halts_together_is_one() -> None:
    trucks = [
        _track(f"dev:{k}", (0, 0, -80.0 * k), (300, 0, 3_600 - 80.0 * k), (1_200, 0, 3_600 - 80.0 * k))
        for k in range(2)
    ]
    (event,) = _found(one_zone(near(200, 600)), *trucks)
    assert event.visit_us == FIRST_US + 300 * S


@pytest.mark.parametrize(
    ("mps", "north_m", "why"),
    [(12.0, 120.0, "abreast is no following"), (18.0, 0.0, "closing in from astern is no following")],
)
def test_following_does_not_hide(mps: float, north_m: float, why: str) -> None:
    leader = _sails("dev:1", 12.0, for_s=600)
    other = _sails("dev:2", mps, start_m=-60.0 if mps == 12.0 else -1_200.0, north_m=north_m, for_s=600)
    assert _found(one_zone(near(200)), leader, other), why


def test_two_names_of_one_ship_are_no_encounter() -> None:
    assert not _found(one_zone(near(200)), _sails("mmsi:1", 6.0), _sails("icao24:a", 6.0))


def test_two_of_one_party_do_not_meet_and_two_nobody_declared_do() -> None:
    def pair(*parties: str | None) -> int:
        return len(
            _found(one_zone(near(200)), *(_still(f"dev:{k}", 0, 100 * k, party=p) for k, p in enumerate(parties)))
        )

    assert pair("a", "a") == 0
    assert pair("a", "b") == pair("a", None) == pair(None, None) == 1


def test_event_is_about_the_one_bound_and_inside() -> None:
    agreed = one_zone(near(300), applies_to=frozenset({"b"}))
    (event,) = _found(agreed, _still("dev:1", 0, 0, party="a"), _still("dev:2", 0, 200, party="b"))
    assert (event.track_id, event.party, event.other_track) == ("dev:2", "b", "dev:1")
    assert not _found(agreed, _still("dev:1", 0, 0, party="a"), _still("dev:2", 0, 200, party="c"))


def test_partner_just_outside_the_zone_counts() -> None:
    agreed = one_zone(near(300), region=square(33.0, 38.0, 0.001))
    (event,) = _found(agreed, _still("dev:2", 0, 0), _still("dev:1", 0, 250))
    assert (event.track_id, event.other_track) == ("dev:2", "dev:1")


def test_encounter_outside_every_zone_is_nobody_s() -> None:
    assert not _found(
        one_zone(near(300), region=square(33.0, 38.0, 0.001)), _still("a:1", 0, 900), _still("a:2", 0, 950)
    )


def test_aircraft_high_above_a_ship_does_not_meet_it() -> None:
    ship, high, unknown = (
        _still("mmsi:1", 0, 0, alt_m=20.0),
        _sails("icao24:1", 60.0, alt_m=3_000.0),
        _sails("icao24:2", 60.0),
    )
    assert not _found(one_zone(near(300)), ship, high)
    assert _found(one_zone(near(300)), ship, unknown), "an altitude nobody knows separates nobody"


def test_noise_at_the_agreed_distance_is_one_contact() -> None:
    """The fault (OpenCPN#4872): a target at the limit alarms again and again."""
    rng = np.random.default_rng(7)
    jumpy = [(s, 0, 200 + rng.normal(0, 15)) for s in range(0, 3_600, 10)]
    events = _found(one_zone(near(200)), _still("mmsi:1", 0, 0, 3_600, 10), _track("mmsi:2", *jumpy, accuracy_m=50.0))
    assert len(events) == 1


def test_exemption_covers_a_pair_only_if_it_covers_both() -> None:
    free = Zone(
        zone_id="free", kind="exempt", clause="z", region=square(33.0, 38.0, 0.2), schedule=ALWAYS,
        applies_to=frozenset({"a", "b"}), is_exemption=True,
    )  # fmt: skip
    zone = Zone(zone_id="z0", kind="protection", clause="z", region=square(33.0, 38.0, 0.1), schedule=ALWAYS)
    agreed = watchlist([zone, free], [near(300)])

    def exemption(party: str | None) -> str | None:
        (event,) = _found(agreed, _still("dev:1", 0, 0, party="a"), _still("dev:2", 0, 100, party=party))
        return event.exemption

    assert exemption("b") == "free"
    assert exemption("c") is exemption(None) is None


def test_event_about_a_pair_has_one_id_whoever_comes_first() -> None:
    agreed = one_zone(near(300), applies_to=frozenset({"x"}))
    (one,) = _found(agreed, _still("dev:1", 0, 0, party="x"), _still("dev:2", 0, 100, party="b"))
    (other,) = _found(agreed, _still("dev:1", 0, 0, party="b"), _still("dev:2", 0, 100, party="x"))
    assert (one.track_id, other.track_id) == ("dev:1", "dev:2")
    assert one.event_id == other.event_id
