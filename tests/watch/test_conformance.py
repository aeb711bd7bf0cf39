"""Conformance: did a notified mover keep to its notice? Stories along one road, and a twin that looks every second."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.common import NOON_US, batch, report
from tests.naive_notices import distance_m, seconds_outside

from tocsin.agreement.notices.budget import Budget
from tocsin.agreement.notices.notice import Area, Around, Route
from tocsin.agreement.notices.plan import Plan
from tocsin.agreement.schedule import ALWAYS_ON, Windows
from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.geo.shapes import polygon
from tocsin.watch.conformance import conformance_of
from tocsin.watch.excursion import ExcursionKind, Over

S = 1_000_000
TRACK = "mmsi:273000001"
ROAD = Route(line=((33.0, 38.0), (34.0, 38.0)), half_width_m=500.0)
"""Due north along the meridian of 38°; half a kilometre is 0.00535° of longitude at 33.5°."""
DEG_500M = 0.005383
"""Degrees of longitude of 500 m at 33.5°."""
HOUR_US = 3_600 * S


def square(south, west, north, east):
    return polygon([[(south, west), (south, east), (north, east), (north, west), (south, west)]])


def watchlist(*zones, **changed):
    told = [
        Zone(zone_id=f"z{i}", kind="zone", clause=f"zones[{i}]", region=region, schedule=ALWAYS_ON)
        for i, region in enumerate(zones)
    ]
    rules = [Rule(rule_id=f"z{i}/entry", clause="", conduct=Conduct.ENTRY, zone=i) for i in range(len(told))]
    whole = Watchlist(
        agreement_id="a", version=1, digest=bytes(32), in_force=ALWAYS_ON, zones=tuple(told), rules=tuple(rules)
    )
    return replace(whole, **changed)


NOWHERE = watchlist()
AROUND = watchlist(square(33.4, 37.9, 33.6, 38.1))
"""One zone, across the road."""


def plan(place=ROAD, **changed):
    told = {
        "notice_id": "p/1",
        "party": "p",
        "tracks": frozenset({TRACK}),
        "place": place,
        "from_us": NOON_US,
        "to_us": NOON_US + 2 * HOUR_US,
        "known_us": NOON_US - 24 * HOUR_US,
        "covers": True,
        "own_end": True,
    }
    return Plan(**(told | changed))


def track(*fixes, **given):
    """Return one track's reports: (seconds after noon, lat, lon)."""
    return batch(report(observed=NOON_US + round(t * S), lat_deg=lat, lon_deg=lon, **given) for t, lat, lon in fixes)


def judged(reports, *, the=None, zones=NOWHERE, until=None):
    until_us = NOON_US + 4 * HOUR_US if until is None else until
    (found,) = conformance_of([the or plan()], reports, zones, until_us=until_us)
    return found


def test_a_mover_that_keeps_to_its_road_has_no_finding():
    found = judged(track((0, 33.1, 38.0), (1200, 33.4, 38.001), (2400, 33.8, 37.999)))
    assert found.seen and not found.is_finding and not found.excursions
    assert (found.inside_s, found.outside_s) == (2400.0, 0.0)


@pytest.mark.parametrize(
    ("outside_s", "expected"),
    [(9.0, ()), (11.0, (Over.SINGLE,)), (59.0, (Over.SINGLE,)), (61.0, (Over.SINGLE, Over.NOT_RECOVERED))],
)
def test_one_excursion_is_measured_between_the_fixes(outside_s, expected):
    """Out to twice the half width and back at even speed: half of the time is spent beyond the edge."""
    t = outside_s
    found = judged(
        track((0, 33.49, 38.0), (600, 33.5, 38.0), (600 + t, 33.5, 38 + 2 * DEG_500M), (600 + 2 * t, 33.5, 38.0))
    )
    (one,) = found.excursions
    assert one.outside_s == pytest.approx(t, abs=0.05) and one.over == found.over == expected
    assert one.worst_m == pytest.approx(500.0, abs=1.0) and one.worst_us == NOON_US + round((600 + t) * S)
    assert one.kind is ExcursionKind.PLACE and not one.is_open


def test_what_lies_within_the_reports_own_accuracy_is_no_excursion():
    fixes = ((0, 33.49, 38.0), (600, 33.5, 38 + 1.5 * DEG_500M), (1200, 33.51, 38.0))
    assert judged(track(*fixes)).excursions
    assert not judged(track(*fixes, accuracy_m=260.0)).excursions


def test_a_corner_cut_between_two_fixes_on_the_road_is_seen():
    """Both fixes lie on the route, and the way between them does not."""
    bent = Route(line=((33.0, 38.0), (33.5, 38.0), (33.5, 38.5)), half_width_m=500.0)
    found = judged(track((0, 33.4, 38.0), (60, 33.45, 38.0), (1000, 33.5, 38.05), (1100, 33.5, 38.1)), the=plan(bent))
    (one,) = found.excursions
    assert one.worst_m > 1_500 and Over.NOT_RECOVERED in one.over


def test_silence_is_not_judged():
    found = judged(track((0, 33.1, 38.0), (60, 33.11, 38.0), (3_700, 33.3, 38.3), (3_760, 33.31, 38.0)))
    assert found.inside_s + found.outside_s == pytest.approx(120.0)
    assert len(found.excursions) == 1 and found.excursions[0].from_us == NOON_US + 3_700 * S


def test_an_excursion_that_ends_in_silence_is_open():
    found = judged(track((0, 33.1, 38.0), (60, 33.11, 38.0), (120, 33.12, 38.02)))
    (one,) = found.excursions
    assert one.is_open and one.to_us == NOON_US + 120 * S


def test_before_it_sets_out_and_past_the_end_of_the_road_nothing_is_outside():
    found = judged(
        track(
            (0, 33.2, 38.1),
            (300, 33.2, 38.05),
            (600, 33.2, 38.0),
            (1200, 33.99, 38.0),
            (1500, 34.02, 38.0),
            (1800, 34.1, 38.2),
        )
    )
    assert not found.excursions and found.outside_s == 0.0


def test_in_a_zone_of_the_agreement_outside_counts_from_the_start():
    found = judged(track((0, 33.5, 38.08), (300, 33.5, 38.05), (600, 33.5, 38.0)), zones=AROUND)
    (one,) = found.excursions
    assert one.from_us == NOON_US and Over.NOT_RECOVERED in one.over


def test_leaving_an_area_matters_in_a_zone_only():
    fixes = ((0, 33.5, 38.0), (600, 33.5, 38.06), (1200, 33.5, 38.2), (1800, 33.5, 38.0))
    place = Around(at=(33.5, 38.0), radius_m=2_000.0)
    assert not judged(track(*fixes), the=plan(place)).excursions
    found = judged(track(*fixes), the=plan(place), zones=AROUND)
    assert len(found.excursions) == 2, "out through the zone, and back through it"
    assert sum(e.outside_s for e in found.excursions) < 1_200


@pytest.mark.parametrize(
    "changed",
    [
        {"party": "other", "zone": {"applies_to": frozenset({"p"})}},
        {"party": "p", "zone": {"exempt": frozenset({"p"})}},
        {"category": "cargo", "zone": {"categories": frozenset({"fishing"})}},
        {"zone": {"schedule": Windows(spans=((None, NOON_US),))}},
        {"alt_m": 5_000.0, "zone": {"upper_m": 1_000.0}},
        {"zone": {"is_exemption": True}},
    ],
)
def test_a_zone_that_does_not_bind_such_a_mover_is_none(changed):
    zones = watchlist(square(33.4, 37.9, 33.6, 38.1))
    zones = replace(zones, zones=(replace(zones.zones[0], **changed.pop("zone")),))
    place = Around(at=(33.5, 38.0), radius_m=2_000.0)
    found = judged(
        track((0, 33.5, 38.0), (600, 33.5, 38.06), (1200, 33.5, 38.0), **changed), the=plan(place), zones=zones
    )
    assert found.seen and not found.excursions


def test_still_in_a_zone_at_the_end_of_the_window():
    fixes = ((6_600, 33.3, 38.0), (7_000, 33.5, 38.0), (7_500, 33.52, 38.0), (8_000, 33.7, 38.0))
    found = judged(track(*fixes), zones=AROUND)
    (one,) = found.excursions
    assert (one.kind, one.from_us) == (ExcursionKind.AFTER_WINDOW, NOON_US + 2 * HOUR_US)
    assert one.worst_m < 0 and Over.NOT_RECOVERED in one.over
    early = replace(plan(), own_end=False)
    assert not judged(track(*fixes), the=early, zones=AROUND).excursions


def test_in_a_zone_before_the_window_begins():
    fixes = ((-900, 33.3, 38.0), (-300, 33.45, 38.0), (600, 33.55, 38.0), (1_200, 33.7, 38.0))
    (one,) = judged(track(*fixes), zones=AROUND).excursions
    assert (one.kind, one.to_us) == (ExcursionKind.BEFORE_WINDOW, NOON_US)
    assert not judged(track(*fixes), the=plan(known_us=NOON_US), zones=AROUND).excursions


def test_many_short_excursions_pass_the_budget_together():
    """18 of 10 s are the five per cent of an hour; 19 short ones are too many."""
    fixes, t = [(0, 33.5, 38.0)], 0.0
    for _ in range(19):
        fixes += [(t + 60, 33.5, 38.0), (t + 65, 33.5, 38 + 2 * DEG_500M), (t + 70, 33.5, 38.0)]
        t += 70
    found = judged(track(*fixes))
    assert len(found.excursions) == 19 and found.over == (Over.TOO_MANY,)
    assert not judged(track(*fixes), the=plan(budget=Budget(per_hour=19))).is_finding


def test_five_per_cent_of_an_hour_outside_is_the_most():
    def out(seconds):
        return track(
            (0, 33.5, 38.0), (60, 33.5, 38.0), (60 + seconds, 33.5, 38 + 2 * DEG_500M), (60 + 2 * seconds, 33.5, 38.0)
        )

    assert Over.SHARE not in judged(out(178)).over and Over.SHARE in judged(out(182)).over


def test_a_track_that_never_came_is_said_not_to_be_seen():
    assert not judged(track((0, 33.5, 38.0), (60, 33.5, 38.0), track_id="mmsi:273000002")).seen
    assert not judged(track((0, 33.5, 38.0))).seen, "one report says nothing of a way"


def test_a_window_that_has_not_begun_is_not_judged():
    assert not conformance_of([plan()], track((0, 33.5, 38.0)), NOWHERE, until_us=NOON_US)


def test_a_route_across_180_degrees():
    place = Route(line=((-17.0, 179.5), (-17.0, -179.5)), half_width_m=1_000.0)
    found = judged(track((0, -17.0, 179.6), (1200, -17.0, 179.95), (2400, -17.0, -179.9)), the=plan(place))
    assert found.inside_s == 2_400.0 and not found.excursions
    off = judged(track((0, -17.0, 179.9), (600, -17.03, 180.0), (1200, -17.0, -179.9)), the=plan(place))
    (one,) = off.excursions
    assert one.worst_m == pytest.approx(distance_m(place.line, -17.03, 180.0) - 1_000, abs=1.0)


def test_an_area_across_180_degrees_has_no_edge_there():
    place = Area(ring=((-18.0, 179.0), (-18.0, -179.0), (-16.0, -179.0), (-16.0, 179.0), (-18.0, 179.0)))
    zones = watchlist(square(-20.0, 170.0, -10.0, -170.0))
    found = judged(track((0, -17.0, 179.9), (600, -17.0, -179.9)), the=plan(place), zones=zones)
    assert found.inside_s == 600.0 and not found.excursions


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(20, 300), st.floats(-3, 3), st.floats(0.0005, 0.02)), min_size=1, max_size=6),
    st.integers(0, 300),
    st.integers(400, 900),
)
def test_time_outside_is_that_of_the_twin_that_looks_every_second(steps, begin, end):
    fixes = [(0, 33.3, 38.0)]
    for seconds, across, north in steps:
        t, lat, _ = fixes[-1]
        fixes.append((t + seconds, lat + north, 38 + across * DEG_500M))
    fixes.append((fixes[-1][0] + 60, fixes[-1][1] + 0.005, 38.0))
    fixes = [(t + begin, lat, lon) for t, lat, lon in fixes]
    the = plan(from_us=NOON_US + begin * S, to_us=NOON_US + end * S)
    found = judged(track(*fixes), the=the)
    expected = seconds_outside(ROAD.line, ROAD.half_width_m, fixes, (begin, end))
    crossings = 2 * len(fixes)
    assert found.outside_s == pytest.approx(expected, abs=crossings)
