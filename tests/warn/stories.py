"""The cable agreement's ladder by hand, events for it, and a short way to walk a case."""

from __future__ import annotations

from typing import Any

from tocsin.agreement.playbook import (
    MOVER,
    Alternate,
    Channel,
    ConductTrigger,
    Level,
    Playbook,
    Relay,
    SilenceTrigger,
    StandDown,
)
from tocsin.agreement.watchlist import Conduct
from tocsin.warn.case import Case
from tocsin.warn.inputs import Action, Answer, CallPerson, Due, Found, Happening, Reported, Send
from tocsin.warn.ladder import open_case, step
from tocsin.warn.message import Wording
from tocsin.warn.states import AnswerKind, MessageState
from tocsin.warn.telling import Outcome
from tocsin.watch.event import Event, EventKind, Revision

S = 1_000_000
MIN = 60 * S
T0 = 1_900_000_000 * S

HANDED = Outcome(state=MessageState.HANDED_OVER, transport="test")
NOW_NOT = Outcome(state=MessageState.FAILED_FOR_NOW, reason="busy", transport="test")
NEVER = Outcome(state=MessageState.FAILED_FOR_GOOD, reason="no such number", transport="test")


def cable(**changes: Any) -> Playbook:
    """Return the sea-cable ladder: three levels, the third by silence, then the duty officer."""
    fields: dict[str, Any] = {
        "agreement_id": "northreach-cable",
        "version": 4,
        "levels": (
            Level(
                level=1,
                trigger=ConductTrigger(conduct=Conduct.APPROACH, zone_id="guard"),
                tell=(MOVER,),
                channels=("ais_msg", "vhf16", "satc"),
                text="T1",
                ack_within_s=180.0,
                repeat_times=2,
                repeat_every_s=180.0,
                on_no_ack="next",
                on_ack="watch",
                clause="ladder[0]",
            ),
            Level(
                level=2,
                trigger=ConductTrigger(conduct=Conduct.ENTRY, zone_id="guard", acts=frozenset({"anchor", "trawl"})),
                tell=(MOVER, "fishers"),
                channels=("vhf16", "satc", "nfa_sms"),
                text="T2",
                ack_within_s=120.0,
                repeat_times=3,
                repeat_every_s=120.0,
                on_no_ack="next",
                on_ack="watch",
                clause="ladder[1]",
            ),
            Level(
                level=3,
                trigger=SilenceTrigger(level=2),
                tell=("operator", "authority"),
                channels=("desk_phone", "desk_mail"),
                text="T3",
                ack_within_s=300.0,
                repeat_times=3,
                repeat_every_s=120.0,
                on_no_ack="duty_officer",
                clause="ladder[2]",
            ),
        ),
        "channels": {
            "ais_msg": Channel(channel_id="ais_msg", kind="ais_safety_message", to=frozenset({MOVER})),
            "vhf16": Channel(channel_id="vhf16", kind="vhf", to=frozenset({MOVER}), languages=("en", "es")),
            "satc": Channel(channel_id="satc", kind="satcom", to=frozenset({MOVER}), can_acknowledge=False),
            "nfa_sms": Channel(channel_id="nfa_sms", kind="sms", to=frozenset({"fishers"})),
            "desk_phone": Channel(
                channel_id="desk_phone", kind="phone", to=frozenset({"watch", "operator"}), backup="desk_mail"
            ),
            "desk_mail": Channel(
                channel_id="desk_mail", kind="mail", to=frozenset({"watch", "authority", "operator", "fishers"})
            ),
        },
        "texts": {
            "T1": {
                "en": "Cable ahead, do not anchor or trawl",
                "es": "Cable submarino delante; no fondear ni arrastrar",
            },
            "T2": {"en": "You are over a protected cable, move clear"},
            "T3": {"en": "Vessel over cable, no answer"},
            "T8": {"en": "The vessel has left the outer zone"},
            "T9": {"en": "Earlier warning was an error"},
        },
        "end_of_ladder": "duty officer of the authority",
        "stand_down": StandDown(
            conduct=Conduct.EXIT, zone_id="outer", tell=(MOVER, "operator"), text="T8", false_alarm_text="T9"
        ),
    }
    return Playbook(**(fields | changes))


def rich(**changes: Any) -> Playbook:
    """Return the ladder with everything that a level can have: turns, alternates, a relay, expiring answers, calls."""
    fields: dict[str, Any] = {name: getattr(cable().levels[0], name) for name in Level.__slots__}
    first = fields | {"in_turn": True, "turn_s": 30.0, "ack_expires_s": 400.0}
    first["alternates"] = (Alternate(of=MOVER, who="deputy", after_s=100.0), Alternate(of=MOVER, who="agent"))
    fields = {name: getattr(cable().levels[1], name) for name in Level.__slots__}
    second = fields | {"relays": (Relay(to="fishers", by="operator", within_s=50.0),), "ack_expires_s": 200.0}
    second["channels"] = ("vhf16", "satc", "nfa_sms", "desk_phone")
    ways = cable().channels | {"nfa_sms": Channel(channel_id="nfa_sms", kind="sms", to=frozenset({"agent"}))}
    levels = (Level(**first), Level(**second), cable().levels[2])
    fields = {"levels": levels, "channels": ways, "call_within_s": 90.0, "call_alternates": ("deputy", "chief")}
    return cable(**(fields | changes))


def event(kind: EventKind, at_s: float = 0.0, *, zone: str = "guard", rule: str | None = None, **changes: Any) -> Event:
    """Return an event of the one ship, `at_s` seconds after T0."""
    at_us = T0 + round(at_s * S)
    fields: dict[str, Any] = {
        "event_id": f"{kind}/{zone}/{rule}/{at_s}",
        "kind": kind,
        "agreement_id": "northreach-cable",
        "agreement_version": 4,
        "rule_id": rule or f"{zone}/{kind}",
        "clause": "zones[0]",
        "zone_id": zone,
        "track_id": "mmsi:273000001",
        "party": None,
        "category": "cargo",
        "feed": "test",
        "at_us": at_us,
        "known_us": at_us,
        "lat_deg": 57.1,
        "lon_deg": 5.5,
        "accuracy_m": float("nan"),
        "before": None,
        "after": None,
        "visit_us": at_us,
        "unobserved": False,
        "exemption": None,
        "measured": {"speed_mps": 3.0},
    }
    return Event(**(fields | changes))


def withdrawn(of: Event, at_s: float) -> Event:
    """Return the withdrawal of an event."""
    fields = {name: getattr(of, name) for name in Event.__slots__}
    return Event(**(fields | {"revision": Revision.WITHDRAWN, "known_us": T0 + round(at_s * S)}))


def answer(at_s: float, party: str = MOVER, kind: AnswerKind = AnswerKind.ACKNOWLEDGED, **changes: Any) -> Answer:
    """Return an answer of a named person."""
    fields = {"at_us": T0 + round(at_s * S), "who": "A. Mate", "party": party, "kind": kind, "source": "a.jsonl:1"}
    return Answer(**(fields | {"track_id": "mmsi:273000001"} | changes))


class Walk:
    """A case walked step by step; every send gets an outcome by a function of its channel, at once."""

    def __init__(self, playbook: Playbook | None = None, outcome: Any = lambda channel: HANDED) -> None:
        self.playbook = playbook or cable()
        self.wording = Wording(playbook=self.playbook)
        self.outcome = outcome
        self.case: Case | None = None
        self.actions: list[Action] = []

    def found(self, found: Event) -> Case:
        if self.case is None:
            self.case = open_case(self.playbook, found)
        return self.take(Found(event=found), found.known_us)

    def take(self, happened: Happening, now_us: int) -> Case:
        assert self.case is not None
        self.case, actions = step(self.case, happened, now_us, wording=self.wording)
        self.actions += actions
        for action in actions:
            if isinstance(action, Send | CallPerson) and self.outcome is not None:
                outcome = self.outcome(action.message.channel)
                report = Reported(message_id=action.message.message_id, number=action.number, outcome=outcome)
                self.take(report, now_us)
        return self.case

    def heard(self, heard: Answer) -> Case:
        return self.take(heard, heard.at_us)

    def until(self, at_s: float) -> Case:
        """Let every deadline up to `at_s` pass, in order."""
        assert self.case is not None
        while self.case.deadlines and self.case.deadlines[0].at_us <= T0 + round(at_s * S):
            due = self.case.deadlines[0]
            self.take(Due(deadline=due), due.at_us)
        return self.case

    @property
    def said(self) -> list[tuple[float, int, str, str]]:
        """Every message: seconds after T0, level, channel, recipient."""
        assert self.case is not None
        return [((m.queued_us - T0) / S, m.level, m.channel, m.recipient) for m in self.case.messages]
