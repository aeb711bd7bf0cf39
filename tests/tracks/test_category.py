"""Kinds of mover: the standard's table, and nobody slips out of a rule for want of a word."""

from __future__ import annotations

import pytest

from tocsin.tracks.category import WIDER, Category, may_be, of_ship_type, of_station, of_word


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (range(10), None),
        (range(20, 30), "wing_in_ground"),
        ([30], "fishing"),
        ([31, 32], "towing"),
        ([35], "military"),
        ([38, 39], None),
        (range(40, 50), "high_speed_craft"),
        ([52], "tug"),
        ([56, 57], None),
        ([58], "medical"),
        ([59], "not_party_to_conflict"),
        (range(60, 70), "passenger"),
        (range(70, 80), "cargo"),
        (range(80, 90), "tanker"),
        (range(90, 100), "other_vessel"),
        (range(100, 256), None),
    ],
)
def test_ship_types_are_those_of_the_standard(codes: range, kind: str | None) -> None:
    assert {of_ship_type(code) for code in codes} == {kind}


@pytest.mark.parametrize(
    ("mmsi", "kind"),
    [
        (2311200, None),
        (111224001, "sar_aircraft"),
        (970123456, "distress_beacon"),
        (972000001, "distress_beacon"),
        (992471234, None),
        (273000001, None),
    ],
)
def test_stations_are_told_by_their_mmsi(mmsi: int, kind: str | None) -> None:
    assert of_station(mmsi) == kind


def test_words_of_the_danish_archive_are_known() -> None:
    words = ["Fishing", "HSC", "Towing long/wide", "Anti-pollution", "Not party to conflict", "Law enforcement", "SAR"]
    assert None not in {of_word(word) for word in words}


def test_may_be_never_lets_the_undescribed_go() -> None:
    assert may_be(None, {"fishing"})
    assert may_be("vessel", {"fishing"})
    assert may_be("a word of their own", {"fishing"})


def test_may_be_of_every_narrow_kind_is_its_wider_kind_and_no_sibling() -> None:
    for wide, kinds in WIDER.items():
        for kind in kinds:
            assert may_be(kind, {wide})
            assert not any(may_be(kind, {other}) for other in Category if other not in (kind, wide))
