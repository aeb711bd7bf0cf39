"""Compiling: what the watch and the ladder get, and what is refused instead of guessed."""

from math import inf, isnan
from pathlib import Path

import numpy as np
import pytest
from pyproj import Geod

from tocsin.agreement.compile import compile_playbook, compile_watchlist
from tocsin.agreement.geometry import GEOID_HIGH_M, GEOID_LOW_M
from tocsin.agreement.lint import lint
from tocsin.agreement.load import load, parse
from tocsin.agreement.playbook import MOVER, ConductTrigger, SilenceTrigger
from tocsin.agreement.watchlist import Conduct
from tocsin.errors import AgreementErrors

DATA = Path(__file__).parent.parent / "data" / "agreements"
BOX = "{type: Polygon, coordinates: [[[5, 57], [6, 57], [6, 58], [5, 58], [5, 57]]]}"
BOW = "{type: Polygon, coordinates: [[[5, 57], [6, 58], [6, 57], [5, 58], [5, 57]]]}"
HEAD = f"""format: tocsin-agreement/1
id: a
version: 1
features:
  - {{type: Feature, id: box, properties: {{}}, geometry: {BOX}}}
  - {{type: Feature, id: bow, properties: {{}}, geometry: {BOW}}}
  - {{type: Feature, id: dot, properties: {{}}, geometry: {{type: Point, coordinates: [5, 57]}}}}
"""


def rules(text: str) -> dict[str, tuple]:
    watchlist = compile_watchlist(parse(HEAD + text))
    return {r.rule_id: (r.conduct, r.act, r.clause) for r in watchlist.rules}


def test_ring_is_compiled_as_said_and_guesses_no_threshold():
    watchlist = compile_watchlist(load(DATA / "at-tanf-2017.yaml"))
    (ring,) = watchlist.zones
    assert ring.applies_to == {"pro_gov", "syria"} and ring.exempt == {"coalition", "partner_forces"}
    assert [r.rule_id for r in watchlist.rules] == ["ring/entry", "ring/exit", "ring/crossing"]
    assert watchlist.rules[0].act == "entry" and watchlist.in_force.is_always
    lat, lon = ring.region.lat_deg, ring.region.lon_deg
    distance = Geod(ellps="WGS84").inv(np.full(len(lon), 38.618), np.full(len(lon), 33.506), lon, lat)[2]
    assert np.abs(distance - 55_000).max() < 0.1


def test_cable_has_its_acts_and_thresholds_as_rules():
    watchlist = compile_watchlist(load(DATA / "northreach-cable.yaml"))
    by_id = {r.rule_id: r for r in watchlist.rules}
    assert set(by_id) == {
        *(f"{zone}/{conduct}" for zone in ("guard", "outer") for conduct in ("entry", "exit", "crossing", "build_up")),
        "guard/anchor", "guard/trawl", "guard/approach", "guard/proximity", "outer/dark",
    }  # fmt: skip
    trawl = by_id["guard/trawl"]
    assert (trawl.conduct, trawl.after_s, trawl.act) == (Conduct.LOITER, 1200.0, "trawl")
    assert (trawl.speed_lo_mps, trawl.speed_hi_mps) == pytest.approx((1.5 * 1852 / 3600, 5 * 1852 / 3600))
    assert by_id["guard/approach"].lookahead_s == 1800 and isnan(by_id["guard/approach"].after_s)
    assert by_id["guard/build_up"].count == 4 and by_id["guard/proximity"].radius_m == 500
    exemption = watchlist.zones[2]
    assert exemption.is_exemption and exemption.categories == {"fishing"} and not exemption.schedule.is_always


def test_playbook_of_the_cable():
    playbook = compile_playbook(load(DATA / "northreach-cable.yaml"))
    first, second, third = playbook.levels
    assert first.trigger == ConductTrigger(conduct=Conduct.APPROACH, zone_id="guard")
    assert second.trigger == ConductTrigger(conduct=Conduct.ENTRY, zone_id="guard", acts=frozenset({"anchor", "trawl"}))
    assert third.trigger == SilenceTrigger(level=2) and third.on_no_ack == "duty_officer"
    assert (first.tell, first.ack_within_s, first.repeat_times, first.repeat_every_s) == ((MOVER,), 180.0, 2, 180.0)
    assert playbook.channels["vhf16"].to == {MOVER} and not playbook.channels["satc"].can_acknowledge
    assert playbook.texts["T1"] == {"en": "Cable ahead, do not anchor or trawl"}
    assert playbook.stand_down is not None and playbook.stand_down.false_alarm_text == "T9"


def test_what_is_not_set_has_no_deadline():
    playbook = compile_playbook(load(DATA / "at-tanf-2017.yaml"))
    assert [(v.ack_within_s, v.on_no_ack, v.text) for v in playbook.levels] == [(None, None, None)] * 2
    assert playbook.end_of_ladder is None and playbook.stand_down is None


def test_act_that_says_what_a_threshold_says_is_one_rule():
    told = rules(
        "zones: [{id: z, geometry: {polygon: box}}]\n"
        "conduct: {prohibited: [{id: stay, test: {event: stopped, zone: z, for: 20 min}}, "
        "{id: exit, test: {event: loiter, zone: z, for: 1 h}}, {id: guess, test: {event: loiter, zone: z}}],"
        " thresholds: {stopped: {for: 20 min}, gap: not_set}}\n"
    )
    assert set(told) == {"z/entry", "z/exit", "z/crossing", "z/stay", "z/exit/loiter"}
    assert told["z/stay"] == (Conduct.STOPPED, "stay", "conduct.prohibited[0]")


def test_gap_has_a_time_for_each_feed_that_is_settled_and_its_own_for_the_rest():
    entries = (
        "{feed: sat, every: 2 h, missed: 3}, {feed: radar, after: 30 s, every: 5 s}, "
        "{feed: coast, after: not_set}, {feed: buoy, every: 1 h}"
    )
    zone = "zones: [{id: z, geometry: {polygon: box}}]\n"
    silent = f"{zone}conduct: {{thresholds: {{gap: {{after: 20 min, by_source: [{entries}]}}}}}}\n"
    act = (
        f"{zone}conduct: {{prohibited: [{{id: dark, test: {{event: gap, after: 20 min, by_source: [{entries}]}}}}]}}\n"
    )
    for text in (silent, act):
        (gap,) = (rule for rule in compile_watchlist(parse(HEAD + text)).rules if rule.conduct is Conduct.GAP)
        assert (gap.after_s, gap.by_feed) == (1_200.0, (("radar", 30.0), ("sat", 21_600.0)))
    alone = f"{zone}conduct: {{thresholds: {{gap: {{by_source: [{entries}]}}}}}}\n"
    assert not [rule for rule in compile_watchlist(parse(HEAD + alone)).rules if rule.conduct is Conduct.GAP]


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ("{feed: sat, after: 1 h}, {feed: sat, every: 1 h, missed: 2}", "feed sat a second time"),
        ("{feed: sat, after: 1 h, missed: 2}", "feed sat with after and missed"),
        ("{feed: sat, every: 1 h, missed: 0}", "missed: 0"),
        ("{feed: sat, after: 0 s}", "feed sat silent after no time at all"),
    ],
)
def test_feed_of_which_a_gap_says_two_things_is_refused_and_found(entries: str, found: str):
    told = f"conduct: {{thresholds: {{gap: {{after: 20 min, by_source: [{entries}]}}}}}}\n"
    with pytest.raises(AgreementErrors) as caught:
        compile_watchlist(parse(HEAD + told))
    assert found in str(caught.value)
    assert any(found in f.message for f in lint(parse(HEAD + told)) if f.code == "CON-03")


def test_dwell_and_void_carry_their_numbers_and_whose_tracks_count():
    watchlist = compile_watchlist(
        parse(
            HEAD + "zones: [{id: z, geometry: {polygon: box}}]\n"
            "conduct: {thresholds: {dwell: {for: 20 min},"
            " void: {vessels: 2, for: 1 h, party: guard, category: vessel}}}\n"
        )
    )
    told = {rule.rule_id: rule for rule in watchlist.rules}
    assert (told["z/dwell"].conduct, told["z/dwell"].after_s) == (Conduct.DWELL, 1_200.0)
    void = told["z/void"]
    assert (void.conduct, void.count, void.after_s, void.party, void.category) == (
        Conduct.VOID, 2, 3_600.0, "guard", "vessel",
    )  # fmt: skip
    half = "zones: [{id: z, geometry: {polygon: box}}]\nconduct: {thresholds: {void: {for: 1 h, party: guard}}}\n"
    assert "z/void" not in rules(half), "a number that nobody agreed is not guessed"


def test_approach_goes_to_the_zones_of_the_ladder():
    two = "zones: [{id: y, geometry: {polygon: box}}, {id: z, geometry: {polygon: box}}]\n"
    ahead = "conduct: {thresholds: {approach: {predicted_entry_within: 20 min}}}\n"
    ladder = "ladder: [{level: 1, trigger: {event: approach, zone: z}}]\n"
    assert {"y/approach", "z/approach"} <= set(rules(two + ahead))
    assert "y/approach" not in rules(two + ahead + ladder) and "z/approach" in rules(two + ahead + ladder)


def test_own_thresholds_zone_wins_over_the_ladder():
    two = "zones: [{id: y, geometry: {polygon: box}}, {id: z, geometry: {polygon: box}}]\n"
    ahead = "conduct: {thresholds: {approach: {predicted_entry_within: 20 min, zone: [y]}}}\n"
    assert "z/approach" not in rules(two + ahead) and "y/approach" in rules(two + ahead)


@pytest.mark.parametrize(
    ("altitude", "band"),
    [
        ("{floor: 0 m, ceiling: 3000 m, datum: hae}", (0.0, 3000.0)),
        ("{ceiling: 10000 ft, datum: hae}", (-inf, 3048.0)),
        ("{floor: 0 m, ceiling: 3000 m, datum: msl}", (GEOID_LOW_M, 3000 + GEOID_HIGH_M)),
        ("{floor: 0 m, ceiling: 120 m, datum: agl}", (-inf, inf)),
        ("not_set", (-inf, inf)),
    ],
)
def test_altitude_band_is_exact_or_wider_never_narrower(altitude: str, band: tuple[float, float]):
    (zone,) = compile_watchlist(
        parse(HEAD + f"zones: [{{id: z, geometry: {{polygon: box}}, altitude: {altitude}}}]\n")
    ).zones
    assert (zone.lower_m, zone.upper_m) == pytest.approx(band)


def test_exemption_by_mean_sea_level_is_narrowed():
    band = "{floor: 0 m, ceiling: 3000 m, datum: msl}"
    text = f"zones: [{{id: z, kind: exempt, geometry: {{polygon: box}}, altitude: {band}}}]\n"
    (zone,) = compile_watchlist(parse(HEAD + text)).zones
    assert (zone.lower_m, zone.upper_m) == (GEOID_HIGH_M, 3000 + GEOID_LOW_M)


def test_sector_holds_its_slice():
    text = "zones: [{id: z, geometry: {sector: {centre: dot, radius: 10 km, from_deg: 350, to_deg: 80}}}]\n"
    (zone,) = compile_watchlist(parse(HEAD + text)).zones
    assert zone.region.area_m2 == pytest.approx(np.pi * 10_000**2 / 4, rel=1e-4)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zones: [{id: z}]", "geometry silent"),
        ("zones: [{id: z, geometry: not_set}]", "geometry not_set"),
        ("zones: [{id: z, geometry: {polygon: nowhere}}]", "'nowhere', which is drawn nowhere"),
        ("zones: [{id: z, geometry: {polygon: dot}}]", "'dot', which is a Point"),
        ("zones: [{id: z, geometry: {polygon: bow}}]", "no area"),
        ("zones: [{id: z, geometry: {circle: {centre: dot, radius: about 5 km}}}]", "'about 5 km'"),
        ("zones: [{id: z, geometry: {circle: {centre: dot, radius: 0 m}}}]", "0 m"),
        ("zones: [{id: z, geometry: {circle: {centre: dot, radius: 1 m}, polygon: box}}]", "circle and polygon"),
        ("zones: [{id: z, geometry: {polygon: box}, applies_to: [nobody]}]", "'nobody'"),
        ("zones: [{id: z, geometry: {polygon: box}}, {id: z, geometry: {polygon: box}}]", "zone z a second time"),
        ("conduct: {thresholds: {gap: {after: 5 min, zone: nowhere}}}", "zone 'nowhere'"),
        (
            "zones: [{id: z, kind: exempt, geometry: {polygon: box}, altitude: {floor: 0 m, datum: agl}}]",
            "exemption by altitude",
        ),
    ],
)
def test_what_cannot_be_watched_refused_with_its_line(text: str, found: str):
    with pytest.raises(AgreementErrors) as caught:
        compile_watchlist(parse(HEAD + text + "\n"))
    assert found in str(caught.value)
    assert str(caught.value).startswith(("agreement.yaml:8", "agreement.yaml:6"))


@pytest.mark.parametrize(
    ("level", "found"),
    [
        ("{level: 1}", "trigger silent"),
        ("{level: 1, trigger: {no_ack: 7}}", "no_ack: 7"),
        ("{level: 1, trigger: {no_ack: 1, event: entry, zone: z}}", "both or neither"),
        ("{level: 1, trigger: {event: entry, zone: y}}", "zone 'y'"),
        ("{level: 1, trigger: {event: entry, zone: z, with: [dance]}}", "act 'dance'"),
        ("{level: 1, trigger: {event: entry, zone: z}, channels: [drum]}", "'drum'"),
        ("{level: 1, trigger: {event: entry, zone: z}, text: T1}", "text 'T1'"),
        ("{level: 1, trigger: {event: entry, zone: z}, tell: [nobody]}", "'nobody'"),
    ],
)
def test_level_that_cannot_be_climbed_refused(level: str, found: str):
    with pytest.raises(AgreementErrors) as caught:
        compile_playbook(parse(HEAD + f"zones: [{{id: z, geometry: {{polygon: box}}}}]\nladder: [{level}]\n"))
    assert found in str(caught.value)


RUNGS = """
parties: [{id: north, name: North}, {id: south, name: South}, {id: traffic, name: Traffic}]
zones: [{id: ring, name: ring, kind: protection, geometry: {feature: box}, applies_to: all, windows: [always]}]
channels:
  - {id: line, kind: phone, to: [south], group_within: 2 min}
  - {id: vhf16, kind: vhf, to: vessel}
ladder:
  - level: 1
    trigger: {event: entry, zone: ring}
    tell: [vessel, north]
    channels: [vhf16, line]
    order: in_turn
    turn: 30 s
    relay: [{to: north, by: south, within: 5 min}]
    alternates: [{for: north, who: desk_of_north, after: 90 s}]
    ack_within: 3 min
    ack_expires: 1 h
end_of_ladder: {who: officer, ack_within: 10 min, alternates: [deputy, chief]}
"""


def test_further_words_of_a_rung_reach_the_playbook():
    playbook = compile_playbook(parse(HEAD + RUNGS))
    (level,) = playbook.levels
    assert (level.in_turn, level.turn_s, level.ack_expires_s) == (True, 30.0, 3600.0)
    assert [(r.to, r.by, r.within_s) for r in level.relays] == [("north", "south", 300.0)]
    assert [(a.of, a.who, a.after_s) for a in level.alternates] == [("north", "desk_of_north", 90.0)]
    assert (playbook.call_within_s, playbook.call_alternates) == (600.0, ("deputy", "chief"))
    assert playbook.channels["line"].group_within_s == 120.0


@pytest.mark.parametrize(
    ("was", "now", "place"),
    [
        ("to: north, by: south", "to: south, by: south", "ladder[0].relay[0]"),
        ("to: north, by: south", "to: north", "ladder[0].relay[0]"),
        ("by: south", "by: nobody", "ladder[0].relay[0].by"),
        ("for: north, who", "for: south, who", "ladder[0].alternates[0]"),
        ("who: desk_of_north", "who: vessel", "ladder[0].alternates[0]"),
    ],
)
def test_relay_or_alternate_for_nobody_told_is_refused_with_its_place(was, now, place):
    with pytest.raises(AgreementErrors) as refused:
        compile_playbook(parse(HEAD + RUNGS.replace(was, now)))
    assert refused.value.place.path == place
