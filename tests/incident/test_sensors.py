"""The sensors' own account: one source among others, never above them, and no acknowledgement becomes leave."""

from msgspec.structs import replace
from tests.warn import stories

from tocsin.agreement.playbook import ConductTrigger
from tocsin.agreement.watchlist import Conduct
from tocsin.incident.act import Act
from tocsin.incident.book import Incident, SensorCount, SensorScope
from tocsin.incident.claim import (
    Attribution,
    Certainty,
    Claim,
    Polarity,
    Quantity,
    Reliability,
    Role,
    Source,
    SourceKind,
)
from tocsin.incident.compare import compare
from tocsin.incident.contradict import ConflictType
from tocsin.incident.names import Names
from tocsin.incident.sensors import SYSTEM, claims_of_sensors
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Outcome
from tocsin.watch.event import EventKind, Revision

COUNT = SensorCount(act=Act.ENTRY, of="vehicles that entered", unit="vehicles")
INCIDENT = Incident(
    incident_id="i",
    title="T",
    sensors=SensorScope(zones=frozenset({"ring"}), categories=frozenset({"vehicle"}), counts=(COUNT,)),
)


def event(track, kind=EventKind.ENTRY, **more):
    return stories.event(
        kind, **({"zone": "ring", "event_id": f"{track}-{kind}", "track_id": track, "category": "vehicle"} | more)
    )


def case(state, *, of="t1", answers=()):
    """Return a case whose every attempt came to `state`, about an entry of the track `of`."""
    playbook = stories.cable()
    first = replace(playbook.levels[0], trigger=ConductTrigger(conduct=Conduct.ENTRY, zone_id="ring"))
    walk = stories.Walk(replace(playbook, levels=(first, *playbook.levels[1:])), lambda _: Outcome(state=state))
    walk.found(event(of))
    for at_s in answers:
        walk.until(at_s)
        walk.heard(stories.answer(at_s, track_id=of))
    return walk.case


def account(events=(), cases=()):
    return claims_of_sensors(INCIDENT, events=events, cases=cases)


def test_system_is_graded_by_nobody():
    assert (SYSTEM.kind, SYSTEM.reliability) == (SourceKind.SYSTEM, Reliability.F)


def test_entries_become_one_claim_whose_count_is_a_lower_bound():
    (got,) = account([event("t1"), event("t2"), event("t1", EventKind.CROSSING)])
    assert (got.act, got.quantities[0].low, got.quantities[0].high) == (Act.ENTRY, 2.0, None)
    assert got.actors[0].role is Role.UNKNOWN


def test_events_of_other_zones_kinds_of_mover_and_withdrawn_ones_are_left_out():
    assert account(
        [event("t1", zone_id="other"), event("t2", category="truck"), event("t3", revision=Revision.WITHDRAWN)]
    ) == ()  # fmt: skip


def test_incident_without_a_scope_has_no_sensors():
    assert claims_of_sensors(Incident(incident_id="i", title="T"), events=[event("t1")], cases=[]) == ()


def test_sensors_contradict_a_lower_count_and_a_denial_but_not_a_higher_count():
    source = Source(source_id="s", name="S", kind=SourceKind.PERSON)
    said = {
        "claim_id": "c", "incident_id": "i", "source_id": "s", "words": "w", "is_verbatim": True,
        "attribution": Attribution.DIRECT, "act": Act.ENTRY,
    }  # fmt: skip
    ours = account([event("t1"), event("t2"), event("t3")])

    def types(claim):
        return [
            c.type for c in compare(INCIDENT, [claim, *ours], sources=[source, SYSTEM], names=Names()).contradictions
        ]

    def counted(n):
        return (Quantity(as_worded=str(n), low=n, high=n, unit="vehicles", of="vehicles that entered"),)

    assert types(Claim(**said, quantities=counted(2))) == [ConflictType.QUANTITY]
    assert types(Claim(**said, quantities=counted(9))) == []
    assert types(Claim(**said, polarity=Polarity.NEGATIVE)) == [ConflictType.OCCURRENCE]


def test_warning_is_certain_only_on_proof_of_arrival():
    for state, certainty in (
        (MessageState.DELIVERED, Certainty.CERTAIN),
        (MessageState.HANDED_OVER, Certainty.PROBABLE),
        (MessageState.FAILED_FOR_GOOD, Certainty.UNKNOWN),
    ):
        got = account([event("t1")], [case(state)])
        assert [c.certainty for c in got if c.act is Act.WARNING] == [certainty]


def test_silence_and_late_answers_are_no_reply_and_a_counted_one_means_received():
    silent = account([event("t1")], [case(MessageState.DELIVERED, answers=[5_000])])
    assert [c.act for c in silent] == [Act.ENTRY, Act.WARNING, Act.NON_RESPONSE]
    assert "1 came that were late" in silent[-1].words
    heard = account([event("t1")], [case(MessageState.DELIVERED, answers=[60])])
    assert heard[-1].act is Act.RESPONSE
    assert "nothing more" in heard[-1].words


def test_cases_of_other_events_say_nothing_here():
    assert [c.act for c in account([event("t1")], [case(MessageState.DELIVERED, of="t9")])] == [Act.ENTRY]
