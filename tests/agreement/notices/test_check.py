"""Flags: completeness, lead time, position, likeness; each test is a way in which a real list went wrong."""

import pytest
from msgspec.structs import replace
from tests.agreement.notices.given import CABLE, form, notice, rules

from tocsin.agreement.compile import compile_watchlist
from tocsin.agreement.load import parse
from tocsin.agreement.notices.alike import Alike
from tocsin.agreement.notices.check import flags_of, lead_s, missing_content
from tocsin.agreement.notices.places import Ground, flags_of_place
from tocsin.agreement.notices.rules import compile_rules
from tocsin.agreement.notices.words import Flag, RuleName
from tocsin.errors import AgreementErrors


def flags(told, under=None):
    return {flagged.flag for flagged in flags_of(told, under or rules())}


def place_flags(**place):
    told = notice(route=None, **place)
    found, zones = flags_of_place(told.place, Ground(rules().zones))
    return {flagged.flag: flagged.words for flagged in found}, zones


def test_a_whole_notice_in_time_has_no_flag():
    assert not flags(notice())


def test_missing_content_is_listed_by_the_agreements_own_words():
    told = notice(movers=None, content=None, to=None)
    assert missing_content(told, rules().by_name[RuleName.MOVEMENT]) == ("vessel", "to", "gear")
    assert {Flag.INCOMPLETE, Flag.NO_TRACK, Flag.NO_WINDOW} <= flags(told)


def test_a_blank_answer_is_no_answer():
    assert missing_content(notice(content={"gear": "  "}), rules().by_name[RuleName.MOVEMENT]) == ("gear",)


@pytest.mark.parametrize(
    ("given_at", "reason", "expected"),
    [
        ("2031-06-01T10:00:00Z", "", set()),
        ("2031-06-01T10:00:00.000001Z", "engine", {Flag.SHORT_NOTICE}),
        ("2031-06-02T09:00:00Z", "engine", {Flag.SHORT_NOTICE}),
        ("2031-06-02T09:00:00Z", " ", {Flag.SHORT_NOTICE, Flag.NO_REASON}),
        ("2031-06-02T09:00:00.000001Z", "engine", {Flag.LATE}),
        ("2031-06-02T10:00:00.000001Z", "engine", {Flag.LATE, Flag.AFTER_START}),
    ],
)
def test_lead_time_to_the_microsecond(given_at, reason, expected):
    assert flags(notice(given_at=given_at, reason=reason)) == expected


def test_no_earlier_time_counts_than_when_it_reached_the_system():
    """A form dated yesterday and handed in today must not pass for notice given in time."""
    late = replace(notice(), entered_us=notice().from_us - 1)
    assert lead_s(late) < 1 and Flag.LATE in flags(late)


def test_without_a_path_for_short_notice_short_is_late():
    rule = replace(rules().by_name[RuleName.MOVEMENT], short_allowed=False)
    under = replace(rules(), by_name={RuleName.MOVEMENT: rule})
    assert Flag.LATE in flags(notice(given_at="2031-06-02T05:00:00Z", reason="x"), under)


def test_what_the_agreement_does_not_set_is_said_and_the_notice_is_still_taken():
    told = notice(kind="site", movers=None, site={"name": "H"}, party="nobody")
    assert flags(told) == {Flag.NO_RULE, Flag.UNKNOWN_PARTY, Flag.UNVERIFIED}


@pytest.mark.parametrize("said", ["true", "not_set", "null"])
def test_a_section_that_takes_acknowledgement_for_leave_cannot_be_used(said):
    text = CABLE.read_text().replace("ack_is_permission: false", f"ack_is_permission: {said}")
    agreement = parse(text, folder=CABLE.parent)
    with pytest.raises(AgreementErrors, match="ack_is_permission"):
        compile_rules(agreement, compile_watchlist(agreement))


def test_a_route_names_the_zones_that_it_meets():
    _, zones = flags_of_place(notice().place, Ground(rules().zones))
    assert zones == ("guard", "outer")


def test_a_place_near_the_zones_in_none_of_them():
    found, zones = place_flags(around={"lat_deg": 57.4, "lon_deg": 5.4, "radius": "1 km"})
    assert set(found) == {Flag.TOUCHES_NO_ZONE} and not zones and "outer" in found[Flag.TOUCHES_NO_ZONE]


def test_swapped_coordinates_are_found_and_kept():
    """Some sites on a real list were wrong, which discredited all of it."""
    found, _ = place_flags(around={"lat_deg": 5.4, "lon_deg": 57.1, "radius": "1 km"})
    assert set(found) == {Flag.FAR_FROM_ZONES, Flag.SWAPPED_COORDINATES} and "guard" in found[Flag.SWAPPED_COORDINATES]


def test_a_place_far_away_that_no_exchange_brings_near():
    found, _ = place_flags(around={"lat_deg": -20.0, "lon_deg": 100.0, "radius": "1 km"})
    assert set(found) == {Flag.FAR_FROM_ZONES}


def alike(first, second):
    known = Alike()
    known.add(first)
    return [flagged.flag for flagged in known.flags(second)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"to": "2031-06-02T17:00:00Z"}, [Flag.NEAR_DUPLICATE]),
        ({"party": "operator", "movers": [{"name": "HAVORN"}]}, [Flag.NEAR_DUPLICATE]),
        ({"from": "2031-06-02T16:00:00Z", "to": "2031-06-02T18:00:00Z"}, []),
        ({"from": None, "to": None}, [Flag.NEAR_DUPLICATE]),
        ({"movers": [{"track": "mmsi:257000002"}]}, []),
        ({"movers": [{"track": "mmsi:257000002", "name": "Havorn"}]}, []),
        ({"route": None, "around": {"lat_deg": 57.1, "lon_deg": 5.45, "radius": "500 m"}}, [Flag.NEAR_DUPLICATE]),
        ({"route": None, "around": {"lat_deg": 57.1, "lon_deg": 5.50, "radius": "500 m"}}, []),
        ({"route": None}, []),
    ],
)
def test_near_duplicates_share_mover_time_and_place(changed, expected):
    assert alike(notice(), notice(reference="F-2", **changed)) == expected


def site(lat=57.10, lon=5.40, **changed):
    around = {"lat_deg": lat, "lon_deg": lon, "radius": "100 m"}
    told = {"kind": "site", "movers": None, "route": None, "around": around, "site": {"name": "St Olav clinic"}}
    return notice(**(told | changed))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (site(lat=57.14, reference="F-2", site={"name": "st olav  CLINIC"}), [Flag.SITE_ELSEWHERE]),
        (site(lat=57.1026, reference="F-2"), [Flag.NEAR_DUPLICATE]),
        (site(lat=57.1026, reference="F-2", site={"name": "Harbour hospital"}), [Flag.NEAR_DUPLICATE]),
        (site(lat=57.1028, reference="F-2", site={"name": "Harbour hospital"}), []),
    ],
)
def test_the_same_site_elsewhere_and_another_site_here(other, expected):
    assert alike(site(), other) == expected


@pytest.mark.parametrize(
    ("lat", "lon", "other"), [(60.0, 179.9999, -179.9999), (89.9, 0.0, 100.0), (-89.9995, -5.0, 170.0)]
)
def test_sites_are_compared_across_180_degrees_and_at_the_poles(lat, lon, other):
    found = alike(site(lat=lat, lon=lon), site(lat=lat, lon=other, reference="F-2", site={"name": "Other"}))
    apart_is_small = lat != 89.9
    assert found == ([Flag.NEAR_DUPLICATE] if apart_is_small else [])


def test_a_notice_that_stands_no_longer_is_nobodys_duplicate():
    known = Alike()
    known.add(notice())
    assert known.same(notice(reference="F-2")) == "fishers/F-1"
    known.drop(notice())
    assert known.same(notice(reference="F-2")) is None and not known.flags(notice(reference="F-2", to=None))


def test_many_alike_are_counted_not_listed():
    known = Alike()
    for n in range(30):
        known.add(notice(reference=f"N-{n}", content={"gear": str(n)}))
    found = known.flags(notice(reference="F-2"))
    assert len(found) == 21 and "10 more" in found[-1].words
    for n in range(30, 501):
        known.add(notice(reference=f"N-{n}", content={"gear": str(n)}))
    assert "501 standing notices" in known.flags(notice(reference="F-2"))[-1].words


def test_the_form_of_the_tests_is_whole():
    assert set(form()) >= {"reference", "party", "given_by", "given_at", "movers", "route", "from", "to", "content"}
