"""Marks: which events a notice told of, and which are warned all the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.common import NOON_US
from tests.watch.test_conformance import HOUR_US, ROAD, TRACK, S, plan, square, track, watchlist

from tocsin.agreement.watchlist import Conduct, Rule
from tocsin.watch.engine import Engine
from tocsin.watch.event import EventKind
from tocsin.watch.noted import NotedBatch, mark, marks_of, tells_of
from tocsin.watch.replay import replay

ZONES = watchlist(square(33.4, 37.9, 33.6, 38.1))


def events(zones=ZONES, *, over=(0, 1800, 3600)):
    """Return what is found when the road is driven through the zone."""
    lats = (33.3, 33.5, 33.7)
    return replay(Engine(zones), track(*((t, lat, 38.0) for t, lat in zip(over, lats, strict=True))))[0]


def with_rule(**changed):
    rule = Rule(rule_id="z0/entry", clause="", conduct=Conduct.ENTRY, zone=0)
    return replace(ZONES, rules=(replace(rule, **changed), replace(rule, rule_id="z0/exit", conduct=Conduct.EXIT)))


def test_coming_and_going_on_the_notified_road_carry_the_notice():
    found = events(with_rule())
    assert {e.kind for e in found} == {EventKind.ENTRY, EventKind.EXIT}
    marked = mark(found.events, [plan()], with_rule())
    assert [e.exemption for e in marked] == ["notice:p/1"] * 2
    assert [replace(e, exemption=None) for e in marked] == found.events, "nothing else of an event changes"


@pytest.mark.parametrize(
    "changed",
    [
        {"tracks": frozenset({"mmsi:273000009"})},
        {"covers": False},
        {"place": replace(ROAD, line=((33.0, 38.3), (34.0, 38.3)))},
        {"to_us": NOON_US + 60 * S},
        {"known_us": NOON_US + 2 * HOUR_US},
        {"from_us": NOON_US + HOUR_US},
    ],
)
def test_outside_what_it_told_nothing_is_quieted(changed):
    assert not marks_of(events(with_rule()), [plan(**changed)], with_rule())


def test_what_the_agreement_prohibits_is_warned_all_the_same():
    """A notice informs; it lifts no prohibition, or sending one would be enough to do anything."""
    zones = with_rule(act="enter")
    marks = marks_of(events(zones), [plan()], zones)
    assert {e.kind for e in events(zones) if e.event_id in marks} == {EventKind.EXIT}


def test_lingering_is_warned_all_the_same():
    loiter = Rule(rule_id="z0/loiter", clause="", conduct=Conduct.STOPPED, zone=0, after_s=60.0)
    zones = replace(ZONES, rules=(*with_rule().rules, loiter))
    reports = track((0, 33.3, 38.0), (600, 33.5, 38.0), (1200, 33.5, 38.0), (1800, 33.5, 38.0))
    found, _ = replay(Engine(zones), reports)
    kinds = {e.kind for e in found}
    assert EventKind.STOPPED in kinds
    marks = marks_of(found, [plan()], zones)
    assert {e.kind for e in found if e.event_id in marks} == {EventKind.ENTRY}


def test_a_written_exemption_is_not_overwritten():
    found = [replace(e, exemption="z9") for e in events(with_rule())]
    assert [e.exemption for e in mark(found, [plan()], with_rule())] == ["z9"] * 2


def test_the_window_is_half_open():
    (entry, _) = events(with_rule())
    assert tells_of(plan(from_us=entry.at_us), entry) and not tells_of(plan(to_us=entry.at_us), entry)


def test_of_two_notices_the_first_given_marks():
    first, second = plan(notice_id="p/2", known_us=NOON_US - 2 * HOUR_US), plan(known_us=NOON_US - HOUR_US)
    assert set(marks_of(events(with_rule()), [second, first], with_rule()).values()) == {"notice:p/2"}


def test_a_batch_with_marks_says_them_in_its_events_and_its_table():
    found = events(with_rule())
    noted = NotedBatch(found, marks_of(found, [plan()], with_rule()))
    assert noted.table()["exemption"].to_pylist() == [e.exemption for e in noted] == ["notice:p/1"] * 2
    rest, plain = (batch.table().drop_columns("exemption") for batch in (noted, found))
    assert rest.schema == plain.schema and str(rest.to_pylist()) == str(plain.to_pylist())
    assert [e.as_line() for e in NotedBatch(found, {})] == [e.as_line() for e in found]


@given(st.permutations(range(3)), st.integers(0, 2))
def test_marks_depend_on_nothing_but_event_and_notice(order, cut):
    found = events(with_rule()).events
    plans = [plan(notice_id=f"p/{i}", known_us=NOON_US - (i + 1) * HOUR_US) for i in range(3)]
    whole = marks_of(found, plans, with_rule())
    parts = {**marks_of(found[:cut], plans, with_rule()), **marks_of(found[cut:], plans, with_rule())}
    assert whole == parts == marks_of(found, [plans[i] for i in order], with_rule())
    assert set(whole) <= {e.event_id for e in found} and np.all([e.track_id == TRACK for e in found])
