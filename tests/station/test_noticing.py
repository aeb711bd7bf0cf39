"""Notices in the live core: they quiet and judge what a replay would, whatever the order, restarted at any tick."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from tests.station.noted import ACROSS, NOTED, TERMS, movement, said
from tests.station.walks import SECOND, START, arrivals, script, walk

from tocsin.agreement.notices.formats.read import Submissions
from tocsin.record.leaf import EntryKind
from tocsin.station.core.inputs import Inputs, dump_rest, load_inputs
from tocsin.station.core.state import Commit, State, begin
from tocsin.station.core.step import tick
from tocsin.station.core.terms import Terms
from tocsin.station.durable.snapshot import dump_state, load_state
from tocsin.tracks.packed import dump_batch
from tocsin.warn.inputs import Reported
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Outcome
from tocsin.watch.event import Standing
from tocsin.watch.notified import with_notices
from tocsin.watch.replay import replay

SAYINGS = [
    (-150, movement("F-0", "dev:f0", -150, 0, 400)),
    (-149, said("receipt", -149, notice="F-0", receipt="received", by="officer", of="watch")),
    (-148, movement("F-1", "dev:f1", -148, 20, 260)),
    # late: followed, and warned all the same
    (10, movement("F-2", "dev:f2", 10, 30, 400, route=ACROSS | {"half_width": "300 m"})),
    (80, said("notice", 80, reference="C-1", act="cancel", replaces="F-1")),
]


def steps(deliveries, made: list[Commit]):
    """Yield a station's ticks with what is said in its time."""
    waiting = list(SAYINGS)
    for number, (inputs, now_us, _) in enumerate(script(deliveries, until_s=900, made=made)):
        if number == 0:
            yield replace(inputs, agreement=NOTED), START - 200 * SECOND, TERMS
            continue
        while waiting and START + waiting[0][0] * SECOND <= now_us:
            at_s, saying = waiting.pop(0)
            yield Inputs(sayings=(saying,)), START + at_s * SECOND, None
        yield inputs, now_us, None


def live(deliveries) -> tuple[list[Commit], list[tuple[Any, int]], dict[int, bytes]]:
    made: list[Commit] = []
    kept, snapshots = [], {}
    state: State | None = None
    terms: Terms | None
    for inputs, now_us, terms in steps(deliveries, made):
        state, commit = tick(state or begin(TERMS), inputs, max(now_us, state.now_us if state else 0), terms=terms)
        made.append(commit)
        kept.append(((dump_rest(inputs), dump_batch(inputs.batch) if len(inputs.batch) else None), commit.at_us))
        if len(made) % 29 == 0:
            snapshots[len(made)] = dump_state(state)
    return made, kept, snapshots


@pytest.fixture(scope="module")
def reports():
    return walk(np.random.default_rng(3), 400)


@pytest.fixture(scope="module")
def expected(reports):
    """Return what a replay with the same notices makes of the same reports."""
    until_us = int(reports.observed_us.max())
    items = tuple(saying.item() for _, saying in SAYINGS)
    found, _ = replay(TERMS.engine, reports)
    watched = [(TERMS.engine.watchlist, found)]
    told = Submissions(items=items, refused=(), read=len(items))
    (events,), notified = with_notices(told, rules=TERMS.rules, watched=watched, reports=reports, until_us=until_us)
    return {e.as_line() for e in events if e.known_us < until_us}, notified, until_us


def test_final_events_and_conformance_are_those_of_a_replay_whatever_the_order_of_arrival(reports, expected) -> None:
    lines, notified, until_us = expected
    marks = {
        event.exemption for commit in live(arrivals(np.random.default_rng(0), reports))[0] for event in commit.events
    }
    assert marks == {None, "notice:traffic/F-0", "notice:traffic/F-1"}
    for seed in range(3):
        made, _, _ = live(arrivals(np.random.default_rng(seed), reports))
        final = [e for commit in made for e in commit.events if e.standing is Standing.FINAL and e.known_us < until_us]
        assert {event.as_line() for event in final} == lines
        judged = {(j.conformance.notice_id): j.conformance for c in made for j in c.judged if j.is_final}
        for flown in notified.conformance:
            assert judged[flown.notice_id].as_json() | {"until": ""} == flown.as_json() | {"until": ""}


def test_a_notified_passage_opens_no_case_and_a_late_or_cancelled_one_does(reports) -> None:
    made, _, _ = live(arrivals(np.random.default_rng(1), reports))
    opened = {fact["track"] for commit in made for fact in commit.facts if fact["kind"] == "case_opened"}
    assert "dev:f0" not in opened and {"dev:f1", "dev:f2"} <= opened
    assert not any("permi" in str(f) or "approv" in str(f) for c in made for f in c.facts if f["kind"] == "notice")


def test_a_finding_is_told_while_its_window_lasts_and_again_for_good(reports) -> None:
    made, _, _ = live(arrivals(np.random.default_rng(1), reports))
    told = [(j.conformance.notice_id, j.is_final, bool(j.conformance.over)) for c in made for j in c.judged]
    assert ("traffic/F-2", False, True) in told and told[-1][1]
    assert sorted(name for name, is_final, _ in told if is_final) == ["traffic/F-0", "traffic/F-1", "traffic/F-2"]
    entries = [e for c in made for e in c.entries if e.kind is EntryKind.NOTICE]
    assert sum(e.payload["fact"] == "conformance" for e in entries) == len(told)
    assert all("traffic" in e.audience for e in entries)


def test_receipts_deadlines_and_endings_are_facts_of_the_tick_in_which_they_fall(reports) -> None:
    made, _, _ = live(arrivals(np.random.default_rng(1), reports))
    told = [(f["told"]["fact"], f["told"]["notice"]) for c in made for f in c.facts if f["kind"] == "notice"]
    assert ("receipt", "traffic/F-0") in told and ("standing", "traffic/F-1") in told
    assert told.count(("overdue", "traffic/F-0")) == 2, "passing on and reading; receipt was in time"


def test_who_is_named_by_an_overdue_receipt_is_told_once_by_the_agreements_own_channel(reports) -> None:
    made, _, _ = live(arrivals(np.random.default_rng(1), reports))
    sent = [send for c in made for send in c.sends if send.message.subject.startswith("Notice ")]
    facts = [f["told"] for c in made for f in c.facts if f["kind"] == "notice"]
    named = [(f["notice"], party) for f in facts if f["fact"] == "overdue" for party in f["tell"]]
    assert {send.message.recipient for send in sent} == {"watch"}, "the watch gave the receipt and has a mailbox"
    assert {(send.message.channel, send.number) for send in sent} == {("mail", 1)}
    assert len({send.message.message_id for send in sent}) == len(sent) == sum(who == "watch" for _, who in named)
    not_told = [(f["notice"], f["to"]) for f in facts if f["fact"] == "not_told"]
    assert sorted(not_told) == sorted((n, who) for n, who in named if who == "traffic"), (
        "no channel ends at the traffic"
    )
    ended = [f for f in facts if f["fact"] == "told"]
    assert len(ended) == len(sent) and all(f["outcome"] == "handed_over" and f["to"] == "watch" for f in ended)
    entries = [e for c in made for e in c.entries if e.kind is EntryKind.NOTICE and e.payload["fact"] == "message"]
    assert len(entries) == len(sent) and all({"watch", "traffic"} <= e.audience for e in entries)


def test_message_about_an_overdue_receipt_that_failed_is_tried_again_after_a_restart_too(reports) -> None:
    state, _ = tick(begin(TERMS), Inputs(agreement=NOTED, started={}), START - 200 * SECOND, terms=TERMS)
    said_so = (SAYINGS[0][1], SAYINGS[1][1])
    state, commit = tick(state, Inputs(sayings=said_so), START - 149 * SECOND)
    state, commit = tick(state, Inputs(), START)
    (first,) = {send.message.message_id: send for send in commit.sends if send.message.recipient == "watch"}.values()
    failed = Outcome(state=MessageState.FAILED_FOR_NOW, reason="busy", transport="test")
    report = Reported(message_id=first.message.message_id, number=1, outcome=failed)
    state, commit = tick(load_state(dump_state(state)), Inputs(outcomes=(report,)), START + SECOND)
    assert not commit.sends
    state, commit = tick(load_state(dump_state(state)), Inputs(), START + 12 * SECOND)
    again = [send for send in commit.sends if send.message.message_id == first.message.message_id]
    assert [send.number for send in again] == [2]


def test_a_restart_at_any_tick_decides_the_same(reports) -> None:
    made, kept, snapshots = live(arrivals(np.random.default_rng(2), reports))
    assert len(snapshots) > 3
    for number, dump in snapshots.items():
        state = load_state(dump)
        for (packed, now_us), commit in zip(kept[number:], made[number:], strict=True):
            state, twin = tick(state, load_inputs(*packed), now_us)
            assert twin.digest() == commit.digest(), f"tick {commit.tick} after a restart at {number}"
