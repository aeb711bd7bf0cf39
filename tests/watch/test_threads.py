"""Faults that users of other systems reported, one test each, named for the thread; those of pairs stand in `detect/`.

Each test tells the story of its thread by hand and fails if the watch does what was complained about.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from tests.common import NAN, S, batch, report
from tests.watch.arrivals import LATENESS_S, final, new_state
from tests.watch.detect.fleets import FIRST_US, one_zone, picket, square, watchlist
from tests.watch.detect.test_proximity import M_LAT, M_LON, _still, _track
from tests.watch.strategies import ALWAYS, Windows

from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.geo.shapes import polygon
from tocsin.tracks.batch import EMPTY
from tocsin.tracks.category import Category
from tocsin.tracks.order import canonical
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event, EventKind, Revision, Standing
from tocsin.watch.live import corrections, step
from tocsin.watch.replay import replay

BOX = square(33.0, 38.0, 0.01)
"""1,110 m to the north and south of the middle, 930 m to the east and west."""
EAST_M = 0.01 / M_LON


def _rule(conduct: Conduct, **numbers: Any) -> Rule:
    return Rule(rule_id=f"z0/{conduct}", clause="t", conduct=conduct, zone=0, **numbers)


def _told(agreed: Watchlist, *tracks: list[dict[str, Any]]) -> list[Event]:
    told = batch(row for track in tracks for row in track)
    return list(replay(Engine(agreed), told.take(canonical(told).keep))[0])


def _kinds(events: list[Event]) -> Counter[str]:
    return Counter(event.kind.value for event in events)


def _live(agreed: Watchlist, *arrivals: tuple[float, list[dict[str, Any]]]) -> tuple[list[Event], Any]:
    """Return what is told of rows that arrive at these seconds, a day later at the end, and the last state."""
    engine, state, told = Engine(agreed), new_state(), []
    for at_s, arrived in [*arrivals, (max(a for a, _ in arrivals) + 86_400, [])]:
        rows = [{**row, "feed": "f"} for row in arrived]
        state, events, _ = step(engine, state, batch(rows) if rows else EMPTY, now_us=FIRST_US + round(at_s * S))
        told += events
    return told, state


def test_tile38_816_noise_at_the_edge_is_one_entry_and_one_exit() -> None:
    """1 Hz positions with 5 to 15 m of noise flap in and out."""
    rng = np.random.default_rng(816)
    east = [*np.linspace(-60, 0, 30), *np.zeros(600), *np.linspace(0, 300, 150), *np.full(120, 300.0)]
    fixes = [(float(s), 0.0, EAST_M - 0.0 + e + rng.normal(0, 10)) for s, e in enumerate(east)]
    start = [(-60.0, 0.0, EAST_M + 500)]
    events = _told(one_zone(region=BOX), _track("dev:1", *start, *fixes, accuracy_m=25.0))
    assert _kinds(events) == {"entry": 1, "exit": 1}


def test_traccar_6019_passer_by_raises_no_dwell() -> None:
    """A zone beside a busy road: only who stays is told of, and once (traccar#2189, w3c/geofencing-api#14)."""
    agreed = one_zone(_rule(Conduct.DWELL, after_s=600), region=BOX)
    passes = _track("dev:1", *((s, 0, -3_000 + 15 * s) for s in range(0, 400, 10)))
    stays = _track("dev:2", *((s, 0, -1_500 + 15 * min(s, 100)) for s in range(0, 3_000, 10)))
    events = [e for e in _told(agreed, passes, stays) if e.kind is EventKind.DWELL]
    assert [e.track_id for e in events] == ["dev:2"]
    assert events[0].at_us == events[0].visit_us + 600 * S


def test_traccar_3609_jumps_of_fifty_metres_after_leaving_do_not_enter_again() -> None:
    away = [(s, 0, EAST_M - 200 + 10 * s) for s in range(0, 40, 5)]
    jumps = [(40 + 5 * k, 0, EAST_M + (-20 if k % 3 == 0 else 30)) for k in range(12)]
    gone = [(100 + 5 * k, 0, EAST_M + 300) for k in range(40)]
    events = _told(one_zone(region=BOX), _track("dev:1", *away, *jumps, *gone))
    assert _kinds(events) == {"first_seen_inside": 1, "exit": 1}


def test_tracelet_274_exit_waits_for_the_accuracy_and_entry_does_not() -> None:
    rough = {"accuracy_m": 100.0}
    comes = _track("dev:1", (0, 0, EAST_M + 500), (60, 0, EAST_M - 10), **rough)
    at_edge = _track("dev:1", *((120 + 60 * k, 0, EAST_M + 60) for k in range(10)), **rough)
    clear = _track("dev:1", *((720 + 60 * k, 0, EAST_M + 160) for k in range(3)), **rough)
    assert _kinds(_told(one_zone(region=BOX), comes, at_edge)) == {"entry": 1}
    assert _kinds(_told(one_zone(region=BOX), comes, at_edge, clear)) == {"entry": 1, "exit": 1}


def test_monitorfish_4714_ship_at_the_quay_raises_no_approach() -> None:
    """Moored 20 m beside the zone, by a receiver good to 50 m: nobody comes. One that moves there may be inside."""
    agreed = one_zone(_rule(Conduct.APPROACH, lookahead_s=600), region=BOX)
    assert not _told(agreed, _still("dev:1", 0, EAST_M + 20, accuracy_m=50.0, speed_mps=0.1, course_deg=270.0))
    along = _track("dev:1", *((s, -500 + s, EAST_M + 20) for s in range(0, 600, 10)), accuracy_m=50.0)
    (event, *_) = _told(agreed, along)
    assert (event.kind, event.measured["time_to_entry_s"]) == (EventKind.APPROACH, 0.0)
    assert event.measured["distance_m"] == pytest.approx(20, abs=0.5)
    assert 0.0 < event.measured["probability"] < 0.5
    sure = [{**row, "accuracy_m": 10.0} for row in along]
    assert all(
        event.measured["time_to_entry_s"] > 0.0 for event in _told(agreed, sure) if event.kind == event.kind.APPROACH
    )


def test_fix_within_its_accuracy_warns_once_whether_or_not_a_forecast_is_due() -> None:
    """Along the edge, near, away and near again: one warning while it may be inside; a zone abeam counts, too."""
    agreed = one_zone(_rule(Conduct.APPROACH, lookahead_s=600), region=BOX)
    near = [(s, -500 + s, EAST_M + 40) for s in range(0, 60, 2)]
    told = _told(agreed, _track("dev:1", *near, accuracy_m=60.0))
    assert _kinds(told) == {"approach": 1}
    nobody_knows_how_well = _track("dev:1", *near[:1])
    assert not _told(agreed, nobody_knows_how_well)


def test_traccar_3779_box_of_120_metres_is_not_passed_unseen() -> None:
    box = square(33.0, 38.0, 60 * M_LAT)
    (event,) = _told(one_zone(region=box), _track("dev:1", (0, 0, -700), (60, 0, 700)))
    assert (event.kind, event.unobserved) == (EventKind.CROSSING, False)
    assert event.measured["chord_m"] == pytest.approx(2 * 60 * M_LAT / M_LON, abs=1.0)


def test_traccar_3897_who_is_inside_when_the_schedule_begins_is_told() -> None:
    begins = Windows(((FIRST_US + 300 * S, FIRST_US + 900 * S),))
    zone = Zone(zone_id="z0", kind="k", clause="z", region=BOX, schedule=begins)
    events = _told(watchlist([zone], []), _still("dev:1", 0, 0))
    assert [(e.kind.value, (e.at_us - FIRST_US) // S) for e in events] == [("zone_began", 300), ("zone_ended", 900)]


def test_traccar_2282_phone_that_died_inside_and_woke_outside_has_left() -> None:
    died = _still("dev:1", 0, 0, for_s=600)
    woke = _track("dev:1", (30_000, 0, 5_000), (30_100, 0, 5_000))
    events = _told(one_zone(region=BOX), died, woke)
    assert _kinds(events) == {"first_seen_inside": 1, "exit": 1}
    assert events[1].unobserved


def test_tile38_635_zone_that_expires_around_a_track_ends_for_it() -> None:
    ends = Windows(((0, FIRST_US + 900 * S),))
    zone = Zone(zone_id="z0", kind="k", clause="z", region=BOX, schedule=ends)
    assert _kinds(_told(watchlist([zone], []), _still("dev:1", 0, 0))) == {"first_seen_inside": 1, "zone_ended": 1}


def test_tile38_522_six_fixes_at_once_do_not_hide_the_entry() -> None:
    fixes = _track("dev:1", *((10 * k, 0, EAST_M + 250 - 100 * k) for k in range(6)))
    told, _ = _live(one_zone(region=BOX), (60, fixes))
    assert _kinds(final(told)) == {"entry": 1}


def test_atak_civ_200_every_sort_of_mover_and_none_is_watched() -> None:
    sorts = [None, *(str(category) for category in Category)]
    way = ((0, 0, EAST_M + 100), (60, 0, EAST_M - 100))
    tracks = [_track(f"dev:{k}", *way, category=sort) for k, sort in enumerate(sorts)]
    assert _kinds(_told(one_zone(region=BOX), *tracks)) == {"entry": len(sorts)}


def test_mobilitydb_1348_way_is_the_geodesic_not_the_parallel() -> None:
    """From 60° N 0° E to 60° N 10° E the way passes north of the parallel: through a zone that no fix is near."""
    north = polygon([[(60.08, 4.9), (60.08, 5.1), (60.11, 5.1), (60.11, 4.9), (60.08, 4.9)]])
    ends = [report(observed=FIRST_US + s * S, lat_deg=60.0, lon_deg=lon) for s, lon in ((0, 0.0), (3_000, 10.0))]
    assert _kinds(_told(one_zone(region=north), ends)) == {"crossing": 1}


def test_traccar_4223_exit_is_no_later_than_the_entry_next_door() -> None:
    west, east = square(33.0, 38.0, 0.01), square(33.0, 38.03, 0.01)
    zones = [
        Zone(zone_id=name, kind="k", clause="z", region=region, schedule=ALWAYS)
        for name, region in (("z", west), ("a", east))
    ]
    way = [(0, 0, 0), (60, 0, 0.03 / M_LON), (180, 0, 0.03 / M_LON)]
    events = [(e.kind.value, e.zone_id) for e in _told(watchlist(zones, []), _track("dev:1", *way))]
    assert events == [("first_seen_inside", "z"), ("exit", "z"), ("entry", "a")]


def test_traccar_4417_newest_first_gives_the_events_of_oldest_first() -> None:
    fixes = _track("dev:1", *((10 * k, 0, EAST_M + 250 - 100 * k) for k in range(10)))
    oldest, _ = _live(one_zone(region=BOX), *((100, [row]) for row in fixes))
    newest, _ = _live(one_zone(region=BOX), *((100, [row]) for row in fixes[::-1]))
    assert [e.as_line() for e in final(newest)] == [e.as_line() for e in final(oldest)]
    assert _kinds(final(newest)) == {"entry": 1}


def test_traccar_6015_what_a_newer_report_said_is_not_put_on_an_older_one() -> None:
    old = _track("dev:1", (0, 0, EAST_M + 100), (60, 0, EAST_M - 100))
    new = _track("dev:1", (90, 0, 0), party="later")
    told, _ = _live(one_zone(region=BOX), (95, new), (100, old))
    (entry,) = (e for e in final(told) if e.kind is EventKind.ENTRY)
    assert entry.party is None


def test_traccar_web_1090_backlog_after_no_coverage_is_no_burst() -> None:
    inside = _still("dev:1", 0, 0, for_s=LATENESS_S // 2, every_s=1)
    told, _ = _live(one_zone(region=BOX), (LATENESS_S // 2, inside))
    assert _kinds(final(told)) == {"first_seen_inside": 1}
    assert len(told) == 2, "provisional, then final"


def test_tile38_661_archive_gives_its_events_in_the_order_of_time() -> None:
    rng = np.random.default_rng(661)
    tracks = [
        _track(f"dev:{k}", *((60 * s, 0, EAST_M * e) for s, e in enumerate(rng.uniform(-2, 2, 200)))) for k in range(9)
    ]
    events = _told(one_zone(region=BOX), *tracks)
    assert len(events) > 100
    assert [e.at_us for e in events] == sorted(e.at_us for e in events)


def test_signalk_78_one_fix_from_the_future_stops_nothing() -> None:
    """Also AisTrack#4: one wrong clock blocks a track for hours."""
    wrong = _track("dev:1", (50_000, 0, 0))
    way = _track("dev:1", *((10 * k, 0, EAST_M + 250 - 100 * k) for k in range(6)))
    engine, state = Engine(one_zone(region=BOX)), new_state()
    told: list[Event] = []
    for k, row in enumerate([way[0], *wrong, *way[1:]]):
        rows = batch([{**row, "feed": "f"}])
        state, events, release = step(engine, state, rows, now_us=FIRST_US + 10 * k * S)
        assert (len(release.ahead), len(release.late)) == (row is wrong[0], 0)
        assert state.order.watermark_us <= FIRST_US + 10 * k * S - LATENESS_S * S
        told += events
    assert [(e.kind, e.standing) for e in told] == [(EventKind.ENTRY, Standing.PROVISIONAL)]


def test_traccar_5000_one_entry_is_told_once_however_often_it_is_reported() -> None:
    fixes = _track("dev:1", (0, 0, EAST_M + 100), (60, 0, EAST_M - 100), (70, 0, 0))
    told, _ = _live(one_zone(region=BOX), *((70, fixes) for _ in range(3)))
    assert len({e.event_id for e in told}) == 1
    assert [e.standing for e in told] == [Standing.PROVISIONAL, Standing.FINAL]


def test_tile38_374_silence_outside_every_zone_raises_nothing() -> None:
    told, _ = _live(one_zone(_rule(Conduct.GAP, after_s=60), region=BOX), (0, _track("dev:1", (0, 0, 5_000))))
    assert not told


@pytest.mark.parametrize("start", [179.0, -179.0])
def test_tile38_650_zone_over_180_degrees_is_not_the_rest_of_the_world(start: float) -> None:
    over = polygon([[(-1.0, 179.5), (-1.0, -179.5), (1.0, -179.5), (1.0, 179.5), (-1.0, 179.5)]])
    ways = [(0, start), (3_000, np.copysign(180.0, start)), (6_000, -start)]
    come = [report(observed=FIRST_US + s * S, lat_deg=0.1, lon_deg=lon) for s, lon in ways]
    gone = [report(observed=FIRST_US + s * S, lat_deg=0.1, lon_deg=-start) for s in (6_060, 6_120, 6_180)]
    assert _kinds(_told(one_zone(region=over), [*come, *gone])) == {"entry": 1, "exit": 1}
    far = [report(observed=FIRST_US + s * S, lat_deg=0.0, lon_deg=lon) for s, lon in ((0, -10.0), (3_000, 10.0))]
    assert not _told(one_zone(region=over), far)


def test_cloudtak_480_zone_that_lacks_who_should_be_there_is_told() -> None:
    """A picket of two, of party `guard`, leaves one by one; others who come instead do not make up for it."""
    agreed = one_zone(picket(2, 600, party="guard"), region=BOX, applies_to=frozenset({"other"}))
    keeps = _still("dev:1", 0, 0, 9_000, party="guard")
    leaves = _track("dev:2", (0, 0, 0), (1_770, 0, 0), (1_830, 0, 5_000), (9_000, 0, 5_000), party="guard")
    comes = _still("dev:3", 0, 100, 9_000, party="other")
    (event,) = (e for e in _told(agreed, keeps, leaves, comes) if e.kind is EventKind.VOID)
    assert (event.track_id, event.party) == ("dev:2", "guard")
    assert event.measured == {"count": 1.0, "threshold_s": 600.0}
    assert event.at_us == event.visit_us + 600 * S
    assert not [e for e in _told(agreed, keeps, comes) if e.kind is EventKind.VOID], "it never held two"


def test_traccar_altitude_that_nobody_gave_is_not_zero() -> None:
    """Read in source: a floor of 0 means none, and a missing altitude is compared as 0 m."""
    agreed = one_zone(region=BOX, lower_m=0.0, upper_m=300.0)
    unknown = _still("dev:1", 0, 0)
    assert not _told(agreed, unknown)
    events = _told(agreed, unknown, _track("dev:1", (1_860, 0, 0), alt_m=100.0))
    assert _kinds(events) == {"first_seen_inside": 1}
    lost = _told(agreed, _still("dev:1", 0, 0, 600, alt_m=100.0), _track("dev:1", (660, 0, 0), (720, 0, 0), alt_m=NAN))
    assert _kinds(lost) == {"first_seen_inside": 1}, "unknown closes nothing either"


def test_traccar_report_older_than_the_last_one_is_not_lost() -> None:
    """Read in source: no event at all comes of a fix older than the last one. Here it is handed back, and amends."""
    agreed = one_zone(region=BOX)
    straight = _track("dev:1", (0, 0, EAST_M + 500), (600, 0, EAST_M + 500), (900, 0, EAST_M + 500))
    late = batch(_track("dev:1", (300, 0, 0)))
    changed = corrections(Engine(agreed), batch(straight), late)
    assert [(e.kind, e.revision) for e in changed] == [
        (EventKind.ENTRY, Revision.OPENED),
        (EventKind.EXIT, Revision.OPENED),
    ]


def test_gfw_first_position_inside_a_port_is_no_entry_and_no_silence_of_the_watch() -> None:
    """Read in source: a first position inside raises nothing, and the visit is then missing from reports."""
    events = _told(one_zone(region=BOX), _still("dev:1", 0, 0, 600), _track("dev:1", (660, 0, 5_000), (900, 0, 5_000)))
    assert [e.kind.value for e in events] == ["first_seen_inside", "exit"]


def test_traccar_way_over_180_degrees_does_not_sweep_the_globe() -> None:
    """Read in source: a straight line in longitude from 179° to -179° crosses every zone of that latitude."""
    step_over = [report(observed=FIRST_US + s * S, lat_deg=33.0, lon_deg=lon) for s, lon in ((0, 179.9), (600, -179.9))]
    assert not _told(one_zone(region=BOX), step_over)


def test_skylight_silence_outside_tells_whether_the_zone_could_be_reached_in_it() -> None:
    """The worked example of a potential dark rendezvous: not who it was nor why, but whether there was time for it."""
    agreed = one_zone(_rule(Conduct.GAP, after_s=1_800), region=BOX)
    outside = EAST_M + 5_000

    def silence(gap_s: float, mps: float) -> list[Event]:
        return _told(agreed, _track("dev:1", (0, 0, outside), (gap_s, 0, outside + 100), speed_mps=mps))

    (event,) = silence(3_600, 5.0)
    assert event.kind is EventKind.GAP_ENDED
    assert event.unobserved
    assert event.measured["needed_mps"] == pytest.approx((5_000 + 5_100) / 3_600, rel=0.01)
    assert not silence(3_600, 2.0), "too slow to have been there and back"
    assert not silence(1_700, 9.0), "no longer than agreed"
    inside = _told(agreed, _track("dev:1", (0, 0, 0), (3_600, 0, 100)))
    assert [e.measured["needed_mps"] for e in inside if e.kind is EventKind.GAP_ENDED] == [0.0]
