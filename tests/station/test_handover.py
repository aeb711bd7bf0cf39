"""A new agreement version in a running station: open cases go on, and what the zone caused is said to be its doing."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from tests.station.walks import FEEDS, SECOND, START, WRITTEN

from tocsin.station.core.inputs import Inputs, of_deliveries
from tocsin.station.core.state import Commit, State, begin
from tocsin.station.core.step import tick
from tocsin.station.core.terms import Terms, compile_terms
from tocsin.station.durable.snapshot import dump_state, load_state
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.feeds.feed import Delivery
from tocsin.tracks.report import FLOAT32_COLUMNS
from tocsin.watch.event import EventKind, Revision, Standing

CHANGE_S = 300
"""When the second version comes into force."""


def version(number: int, old: str = "", new: str = "") -> Terms:
    """Return the tests' agreement with another number and, if told, other words."""
    text = WRITTEN.text.decode().replace("version: 1", f"version: {number}")
    assert old in text
    return compile_terms(replace(WRITTEN, text=text.replace(old, new).encode()))


def fixes(at_s: int, **lon_deg: float) -> ReportBatch:
    """Return one report of each track, by its longitude; the ring is 0.031° to either side of 10°."""
    n = len(lon_deg)
    at_us = np.full(n, START + at_s * SECOND)
    return ReportBatch(
        track=np.arange(n, dtype=np.int32),
        observed_us=at_us,
        received_us=at_us,
        lat_deg=np.full(n, 55.0),
        lon_deg=np.array(list(lon_deg.values())),
        **{name: np.full(n, np.nan, np.float32) for name in FLOAT32_COLUMNS},
        feed=np.zeros(n, np.int32),
        party=np.full(n, -1, np.int32),
        category=np.full(n, -1, np.int32),
        tracks=tuple(f"dev:{name}" for name in lon_deg),
        feeds=("f",),
        parties=(),
        categories=(),
    )


def story(second: Terms, *, restart: bool) -> tuple[State, list[Commit]]:
    """Drive a station: `near` is inside from 100 s to 500 s, `far` lies 3 km from the centre all the time."""
    first = version(1)
    state, commit = tick(
        begin(first), Inputs(agreement=first.written, started={"f": FEEDS["f"]}), START - SECOND, terms=first
    )
    made = [commit]
    for at_s in range(0, 5_400, 20):
        if at_s == CHANGE_S:
            state, commit = tick(state, Inputs(agreement=second.written), START + at_s * SECOND, terms=second)
            made.append(commit)
        if restart:
            state = load_state(dump_state(state))
        batch, rest = of_deliveries(
            [
                Delivery(
                    feed="f",
                    batch=fixes(at_s, near=10.0 if 100 <= at_s < 500 else 10.06, far=10.047),
                    rejects=(),
                    read=2,
                    position=None,
                )
            ]
        )
        state, commit = tick(state, Inputs(batch=batch, delivered=rest), START + at_s * SECOND)
        made.append(commit)
    return state, made


def told(made: list[Commit]) -> list[tuple[str, str, int, int]]:
    """Return every final event: track, kind, version, seconds from the start."""
    return [
        (e.track_id, str(e.kind), e.agreement_version, round((e.at_us - START) / SECOND))
        for commit in made
        for e in commit.events
        if e.standing is Standing.FINAL and e.revision is Revision.OPENED
    ]


@pytest.mark.parametrize("restart", [False, True])
def test_a_case_goes_on_when_its_zone_stays(restart: bool) -> None:
    state, made = story(version(2), restart=restart)
    found = told(made)
    assert [(who, kind, number) for who, kind, number, _ in found] == [
        ("dev:near", EventKind.ENTRY, 1),
        ("dev:near", EventKind.EXIT, 2),
    ]
    facts = [fact for commit in made for fact in commit.facts]
    assert sum(fact["kind"] == "case_opened" for fact in facts) == 1
    assert any(fact["kind"] == "case_step" and fact["input"] == "all_clear" for fact in facts)
    assert not state.outgoing, "the first version is settled long since"


def test_a_zone_that_grows_over_a_track_is_changed_around_it() -> None:
    _, made = story(version(2, "radius: 2 km", "radius: 4 km"), restart=False)
    found = told(made)
    assert ("dev:far", EventKind.ZONE_CHANGED, 2, CHANGE_S) in found
    assert not any(who == "dev:near" and kind == EventKind.ZONE_ENDED for who, kind, *_ in found)


def test_a_zone_that_is_gone_ended_around_whoever_was_inside() -> None:
    _, made = story(version(2, "ring", "other_ring"), restart=False)
    found = told(made)
    assert ("dev:near", EventKind.ZONE_ENDED, 1, CHANGE_S) in found
    assert ("dev:near", EventKind.ZONE_BEGAN, 2, CHANGE_S) in found


@pytest.mark.parametrize("restart", [False, True])
def test_a_zone_that_is_moved_away_is_changed_around_whoever_was_inside(restart: bool) -> None:
    _, made = story(version(2, "lat_deg: 55.0", "lat_deg: 56.0"), restart=restart)
    found = told(made)
    assert ("dev:near", EventKind.ZONE_CHANGED, 1, CHANGE_S) in found
    assert not any(kind == EventKind.EXIT for _, kind, *_ in found)
