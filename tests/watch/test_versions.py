"""A new version changes a zone under a track: said as the zone's doing, never as the track's."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.common import S, batch, report
from tests.watch.detect.fleets import FIRST_US, one_zone, square
from tests.watch.strategies import Windows

from tocsin.agreement.watchlist import Watchlist
from tocsin.geo.shapes import Region
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event
from tocsin.watch.replay import replay
from tocsin.watch.state import WatchState
from tocsin.watch.versions import at_seams

SEAM_US = FIRST_US + 1_000 * S
HERE, ELSEWHERE = square(33.0, 38.0, 0.1), square(34.0, 38.0, 0.1)


def _walk() -> ReportBatch:
    """A track that comes, stays over the change of versions, and goes: in at about 300 s, out at about 1,700 s."""
    ways = [(0, 37.7), (300, 37.95), (700, 37.96), (1_300, 38.04), (1_700, 38.3), (2_200, 38.31), (2_400, 38.32)]
    return batch(
        report(track_id="dev:1", observed=FIRST_US + s * S, lat_deg=33.0, lon_deg=lon, feed="f") for s, lon in ways
    )


def _version(number: int, region: Region, *, zone_id: str = "z0", from_us: int = 0) -> Watchlist:
    made = one_zone(region=region)
    span = (from_us, SEAM_US) if number == 1 else (max(from_us, SEAM_US), 2**61)
    zones = [replace(zone, zone_id=zone_id) for zone in made.zones]
    return replace(made, version=number, digest=bytes([number]) * 32, zones=zones, in_force=Windows((span,)))


def _told(old: Watchlist, new: Watchlist) -> list[Event]:
    found = at_seams([replay(Engine(version), _walk())[0] for version in (old, new)])
    return sorted((event for batch in found for event in batch), key=lambda event: event.order)


def _brief(told: list[Event]) -> list[tuple[str, int]]:
    return [(event.kind.value, event.agreement_version) for event in told]


def test_zone_that_stays_as_it_is_is_not_told_of() -> None:
    """The fault: everybody inside leaves and enters at midnight, because a comma of the text was mended."""
    assert _brief(_told(_version(1, HERE), _version(2, HERE))) == [("entry", 1), ("exit", 2)]
    third = replace(
        _version(2, HERE), version=3, digest=bytes([3]) * 32, in_force=Windows(((SEAM_US + 300 * S, 2**61),))
    )
    second = replace(_version(2, HERE), in_force=Windows(((SEAM_US, SEAM_US + 300 * S),)))
    found = at_seams([replay(Engine(version), _walk())[0] for version in (_version(1, HERE), second, third)])
    assert [_brief(list(batch)) for batch in found] == [[("entry", 1)], [], [("exit", 3)]]


def test_zone_drawn_away_from_a_track_is_the_zone_s_doing() -> None:
    told = _told(_version(1, HERE), _version(2, ELSEWHERE))
    assert _brief(told) == [("entry", 1), ("zone_changed", 1)]
    event = told[1]
    assert event.at_us == SEAM_US
    assert event.leaves_outside
    assert event.measured["dwell_s"] == pytest.approx((SEAM_US - told[0].at_us) / S, abs=0.01)


def test_zone_drawn_over_a_track_is_the_zone_s_doing() -> None:
    told = _told(_version(1, ELSEWHERE), _version(2, HERE))
    assert _brief(told) == [("zone_changed", 2), ("exit", 2)]
    assert told[0].at_us == SEAM_US
    assert not told[0].leaves_outside


def test_zone_of_one_version_only_ends_and_begins() -> None:
    assert _brief(_told(_version(1, HERE), _version(2, ELSEWHERE, zone_id="other"))) == [
        ("entry", 1),
        ("zone_ended", 1),
    ]
    assert _brief(_told(_version(1, ELSEWHERE, zone_id="other"), _version(2, HERE))) == [("zone_began", 2), ("exit", 2)]


def test_time_without_a_version_is_no_change_of_one() -> None:
    late = _version(2, HERE, from_us=SEAM_US + 100 * S)
    assert _brief(_told(_version(1, HERE), late)) == [("entry", 1), ("zone_ended", 1), ("zone_began", 2), ("exit", 2)]


def test_changed_zone_has_an_id_of_its_own_and_a_place_in_the_table() -> None:
    old, new = _version(1, HERE), _version(2, ELSEWHERE)
    plain, _ = replay(Engine(old), _walk())
    changed, _ = at_seams([plain, replay(Engine(new), _walk())[0]])
    assert changed.table()["kind"].to_pylist() == ["entry", "zone_changed"]
    assert plain.table()["kind"].to_pylist() == ["entry", "zone_ended"]
    assert changed.events[0].event_id == plain.events[0].event_id
    assert changed.events[1].event_id != plain.events[1].event_id


def test_state_that_goes_to_another_engine_is_judged_by_its_windows() -> None:
    """The fault: a track at rest, of which the first engine had said that nothing can happen to it."""
    rest = batch(
        report(track_id="dev:1", observed=FIRST_US + s * S, lat_deg=33.0, lon_deg=38.0, feed="f")
        for s in range(0, 3_000, 60)
    )
    endless, ends = _version(2, HERE), _version(1, HERE)
    state, _ = Engine(replace(endless, in_force=Windows(((0, 2**61),)))).step(WatchState(), rest.take(slice(0, 10)))
    state.goes_to_another_engine()
    _, told = Engine(ends).step(state, rest.take(slice(10, 50)))
    assert [(e.kind.value, e.at_us) for e in told] == [("zone_ended", SEAM_US)]
