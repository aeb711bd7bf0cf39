"""The sensors' own account: one source among others, never above them, and no acknowledgement becomes leave."""

from math import nan

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
from tocsin.units import parse_instant_us
from tocsin.warn.case import Acknowledgement, Attempt, Case, CaseEvent, Message
from tocsin.warn.states import AnswerKind, Disposition, MessageState, Purpose
from tocsin.watch.event import Event, EventKind, Revision

NOON = parse_instant_us("2017-05-18T12:00:00Z")
COUNT = SensorCount(act=Act.ENTRY, of="vehicles that entered", unit="vehicles")
INCIDENT = Incident(
    incident_id="i", title="T",
    sensors=SensorScope(zones=frozenset({"ring"}), categories=frozenset({"vehicle"}), counts=(COUNT,)),
)  # fmt: skip


def event(track, kind=EventKind.ENTRY, **more):
    values = {
        "event_id": f"{track}-{kind}", "kind": kind, "agreement_id": "x", "agreement_version": 1, "rule_id": "r",
        "clause": "c", "zone_id": "ring", "track_id": track, "party": None, "category": "vehicle", "feed": "f",
        "at_us": NOON, "known_us": NOON, "lat_deg": 33.0, "lon_deg": 38.0, "accuracy_m": nan,
        "before": None, "after": None,
        "visit_us": NOON, "unobserved": False, "exemption": None, "measured": {},
    }  # fmt: skip
    return Event(**(values | more))


def case(*states, of="t1", answers=()):
    messages = tuple(
        Message(
            message_id=f"m{n}", case_id="k", rung=0, purpose=Purpose.WARNING, level=1, channel="vhf", recipient="mover",
            saying=n, event_id=None, queued_us=NOON, text_id=None, languages=(), subject="", body="", state=state,
        )
        for n, state in enumerate(states)
    )  # fmt: skip
    attempts = tuple(
        Attempt(attempt_id=f"a{m.message_id}", message_id=m.message_id, number=1, begun_us=NOON) for m in messages
    )
    acks = tuple(
        Acknowledgement(
            answer_id=f"q{n}", case_id="k", at_us=NOON, who="W", party="p", kind=AnswerKind.ACKNOWLEDGED, disposition=d,
            level=1, channel="vhf", text="", source="answers.jsonl:1",
        )
        for n, d in enumerate(answers)
    )  # fmt: skip
    return Case(
        case_id="k", agreement_id="x", agreement_version=1, zones=("ring",), track_id="t1", party=None, category=None,
        opened_us=NOON, events=(CaseEvent.of(event(of)),), messages=messages, attempts=attempts, acknowledgements=acks,
    )  # fmt: skip


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
    silent = account([event("t1")], [case(MessageState.DELIVERED, answers=[Disposition.LATE])])
    assert [c.act for c in silent] == [Act.ENTRY, Act.WARNING, Act.NON_RESPONSE]
    assert "1 came that were late" in silent[-1].words
    heard = account([event("t1")], [case(MessageState.ACKNOWLEDGED, answers=[Disposition.COUNTED])])
    assert heard[-1].act is Act.RESPONSE
    assert "nothing more" in heard[-1].words


def test_cases_of_other_events_say_nothing_here():
    assert [c.act for c in account([event("t1")], [case(MessageState.DELIVERED, of="t9")])] == [Act.ENTRY]
