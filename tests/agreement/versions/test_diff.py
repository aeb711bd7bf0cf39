"""Two versions: exactly what changed, in words and measures, and what that did to the mechanisms."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyproj import Geod

from tocsin.agreement.load import load, parse
from tocsin.agreement.versions.diff import Diff, diff, format_diff

DATA = Path(__file__).parents[2] / "data" / "agreements"
RING = yaml.safe_load((DATA / "at-tanf-2017.yaml").read_text().replace(" on: ", " 'on': "))
CABLE = yaml.safe_load((DATA / "northreach-cable.yaml").read_text().replace(" on: ", " 'on': "))


def inline(told: Any, name: str) -> Any:
    """The agreement with its zones drawn inside it, so that a test can move them."""
    drawn = json.loads((DATA / f"{name}.geojson").read_text())["features"]
    return {k: v for k, v in told.items() if k != "geojson"} | {"features": drawn}


def changes(before: Any, after: Any) -> list[str]:
    return [str(c) for c in told(before, after).changes]


def told(before: Any, after: Any) -> Diff:
    return diff(parse(json.dumps(before)), parse(json.dumps(after)))


def test_nothing_changed_in_other_units_order_or_words_for_people():
    after = dict(reversed(list(copy.deepcopy(RING).items())))
    after["zones"][0]["geometry"]["circle"] = {"radius": "55 km", "centre": "garrison"}
    after["zones"][0]["note"] = "for people"
    assert changes(RING, after) == []
    assert format_diff(told(RING, RING)) == "No term changed."


def test_radius_changed_by_one_metre_is_shown_and_nothing_else():
    after = copy.deepcopy(RING)
    after["zones"][0]["geometry"]["circle"]["radius_m"] = 55001
    assert changes(RING, after) == ["zones[ring].geometry.circle.radius: 55000 m → 55001 m (1 m more)"]


def test_zone_moved_by_a_kilometre_is_one_change_in_metres():
    before = inline(RING, "at-tanf-2017")
    after = copy.deepcopy(before)
    lon, lat, _ = Geod(ellps="WGS84").fwd(38.618, 33.506, 90, 1000)
    after["features"][0]["geometry"]["coordinates"] = [lon, lat]
    (change,) = told(before, after).changes
    assert change.path == "features[garrison]"
    assert change.by == "moved 1,000.0 m to the east; zone ring with it"


def test_window_shifted_by_an_hour_is_one_change():
    after = copy.deepcopy(CABLE)
    after["zones"][2]["windows"][0] |= {"from": "07:00", "to": "19:00"}
    assert changes(CABLE, after) == [
        "zones[approach_box].windows[0]: 06:00 to 18:00 → 07:00 to 19:00 (shifted by 1 h 00 min, later)"
    ]


def test_window_made_longer_is_a_change_of_its_end():
    after = copy.deepcopy(CABLE)
    after["zones"][2]["windows"][0]["to"] = "19:30"
    assert changes(CABLE, after) == ["zones[approach_box].windows[0].to: 18:00 → 19:30 (1 h 30 min later)"]


@pytest.mark.parametrize(
    ("section", "key", "value", "line"),
    [
        ("exit", "partial", True, "exit.partial: false → true"),
        ("exit", "notice", "not_set", "exit.notice: 60 days → not_set"),
        ("exit", "on_lapse", "told to all", "+ exit.on_lapse: told to all"),
        ("exit", "on_lapse", "not_set", "exit.on_lapse: not mentioned → not_set"),
        ("time_budget", "max_speed_kn", 18, "time_budget.max_speed: 7.202222222 m/s → 9.26 m/s (2.057777778 m/s more)"),
        ("time_budget", "outer_to_guard_m", 7000, "time_budget.outer_to_guard: 7408 m → 7000 m (408 m less)"),
        ("time_budget", "level1_total", "PT8M", "time_budget.level1_total: 9 min → 8 min (60 s shorter)"),
        ("texts", "T1", "Other words", "texts.T1: Cable ahead, do not anchor or trawl → Other words"),
    ],
)
def test_single_change_is_one_line(section: str, key: str, value: Any, line: str):
    after = copy.deepcopy(CABLE)
    after[section][key] = value
    assert changes(CABLE, after) == [line]


def test_instant_moved_is_told_with_how_far():
    after = copy.deepcopy(CABLE)
    after["effective"]["to"] = "2032-05-02T00:00:00Z"
    (change,) = told(CABLE, after).changes
    assert (change.path, change.by) == ("effective.to", "24 h 00 min later")


def test_members_are_matched_by_name():
    after = copy.deepcopy(CABLE)
    after["channels"] = [*after["channels"][1:], {"id": "horn", "kind": "siren", "to": "vessel"}]
    after["ladder"][0]["channels"] = ["vhf16", "satc", "horn"]
    after["routing"]["public"] = "all"
    after["parties"].reverse()
    assert set(changes(CABLE, after)) == {
        "- channels[vhf16]: vhf16",
        "+ channels[horn]: horn",
        "- ladder[level 1].channels: ais_msg",
        "+ ladder[level 1].channels: horn",
        "- routing.public: monthly_counts",
        "+ routing.public: all",
    }


def test_what_was_opened_and_closed_is_said():
    after = copy.deepcopy(CABLE)
    after["exit"]["notice"] = "not_set"
    after["exit"]["on_lapse"] = "told to all"
    found = told(CABLE, after)
    assert [(f.code, f.state) for f in found.opened] == [("EXT-01", "not_set")]
    assert [f.code for f in found.closed] == ["EXT-03"]
    assert "Opened by this\nE EXT-01 not_set" in format_diff(found)


def test_examples_of_one_place_differ_in_hundreds_of_terms_without_failing():
    found = diff(load(DATA / "at-tanf-2017.yaml"), load(DATA / "northreach-cable.yaml"))
    assert len(found.changes) > 50 and found.opened and found.closed
