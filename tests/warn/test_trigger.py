"""What stands after an event, and what begins or ends by it."""

from __future__ import annotations

import pytest
from tests.warn.stories import cable, event, withdrawn

from tocsin.agreement.watchlist import Conduct
from tocsin.warn.message import WHAT
from tocsin.warn.trigger import FOUND_BY, anything_stands, ladder_zones, levels_begun, stands_after, stands_down
from tocsin.watch.event import EventKind


def test_every_conduct_and_every_kind_has_its_entry() -> None:
    assert set(FOUND_BY) == set(Conduct)
    assert set(WHAT) == set(EventKind)


def test_ladder_is_about_the_zones_of_its_triggers_and_its_stand_down() -> None:
    assert ladder_zones(cable()) == ("guard", "outer")


def test_standing_follows_a_whole_encounter() -> None:
    standing: tuple[str, ...] = ()
    story = [
        (event(EventKind.ENTRY, zone="outer"), ("inside:outer",)),
        (event(EventKind.APPROACH), ("approach:guard", "inside:outer")),
        (event(EventKind.ENTRY), ("inside:guard", "inside:outer")),
        (event(EventKind.APPROACH_ENDED), ("inside:guard", "inside:outer")),
        (event(EventKind.LOITER, rule="guard/anchor"), ("act:guard/anchor", "inside:guard", "inside:outer")),
        (event(EventKind.GAP), ("act:guard/anchor", "act:guard/gap", "inside:guard", "inside:outer")),
        (event(EventKind.EXIT), ("inside:outer",)),
        (event(EventKind.EXIT, zone="outer"), ()),
    ]
    for found, expected in story:
        standing = stands_after(standing, found)
        assert standing == expected, found.kind


def test_track_silent_inside_still_stands_and_an_act_alone_does_not() -> None:
    assert anything_stands(stands_after(("inside:guard",), event(EventKind.GAP)))
    assert not anything_stands(stands_after((), event(EventKind.PROBING)))


@pytest.mark.parametrize("kind", [EventKind.ENTRY, EventKind.APPROACH, EventKind.ZONE_BEGAN, EventKind.PROBING])
def test_withdrawal_undoes_what_the_event_had_done(kind: EventKind) -> None:
    found = event(kind)
    assert stands_after(stands_after((), found), withdrawn(found, 1)) == ()


def test_withdrawn_exit_leaves_the_track_inside() -> None:
    found = event(EventKind.EXIT)
    assert stands_after(stands_after(("inside:guard",), found), withdrawn(found, 1)) == ("inside:guard",)


def test_event_of_another_zone_begins_nothing() -> None:
    assert levels_begun(cable(), event(EventKind.APPROACH, zone="outer"), ()) == ()
    assert [level.level for level in levels_begun(cable(), event(EventKind.APPROACH), ())] == [1]


def test_act_that_came_before_the_conduct_counts_when_the_conduct_comes() -> None:
    standing = ("act:guard/anchor",)
    begun = levels_begun(cable(), event(EventKind.ENTRY), stands_after(standing, event(EventKind.ENTRY)))
    assert [level.level for level in begun] == [2]


def test_stand_down_is_its_own_zone_and_conduct_only() -> None:
    over = cable().stand_down
    assert stands_down(over, event(EventKind.EXIT, zone="outer"))
    assert not stands_down(over, event(EventKind.EXIT, zone="guard"))
    assert not stands_down(over, event(EventKind.ENTRY, zone="outer"))
    assert not stands_down(None, event(EventKind.EXIT, zone="outer"))
    exit_outer = event(EventKind.EXIT, zone="outer")
    assert not stands_down(over, withdrawn(exit_outer, 1))
