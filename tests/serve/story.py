"""A small replay made by hand: a ship that anchors over a cable and does not answer, and some that pass.

`story()` is a whole `Report`; `spoilt()` is the same with a hostile tail on every text of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np
import shapely
from msgspec import Struct
from msgspec.structs import replace
from tests.common import batch, report
from tests.warn.stories import MIN, T0, S, Walk, answer, cable, event

from tocsin.agreement.findings.readiness import Readiness, Use
from tocsin.agreement.rules.check import Finding, Severity
from tocsin.agreement.terms.state import State
from tocsin.errors import Place
from tocsin.incident.act import Act
from tocsin.incident.book import Incident
from tocsin.incident.claim import Attribution, Certainty, Claim, Mention, Polarity, Quantity, Role, Source, SourceKind
from tocsin.incident.compare import compare
from tocsin.incident.names import Names
from tocsin.serve.report import Checked, CheckpointLine, Mark, PartyLine, Provenance, Report, Terms, ZoneShape
from tocsin.tracks.quality import Counts, RejectReason
from tocsin.warn.inputs import Answer
from tocsin.warn.states import AnswerKind, MessageState
from tocsin.warn.telling import Outcome
from tocsin.watch.event import EventKind

SHIP = "mmsi:273000001"
CABLE = [(5.10, 57.02), (5.42, 57.10), (5.88, 57.16), (6.31, 57.11)]


def walked() -> Walk:
    """Return a case that climbs to the person called: a failure, a late answer, one in time, and the all clear."""

    def outcome(channel: str) -> Outcome:
        if channel == "satc":
            return Outcome(state=MessageState.FAILED_FOR_NOW, reason="no carrier", transport="test")
        return Outcome(state=MessageState.HANDED_OVER, transport="test")

    walk = Walk(cable(), outcome)
    late = answer(2_600, "fishers", AnswerKind.ACKNOWLEDGED, who="B. Skipper", channel="nfa_sms", level=2)
    heard = answer(3_700, "duty_officer", AnswerKind.ACKNOWLEDGED, who="C. Officer", text="On it.")
    for at_s, happened in (
        (0, event(EventKind.APPROACH, 0)),
        (700, event(EventKind.ENTRY, 700)),
        (1_600, event(EventKind.LOITER, 1_600, rule="guard/anchor")),
        (2_600, late),
        (3_700, heard),
        (30_000, event(EventKind.EXIT, 30_000)),
        (31_000, event(EventKind.EXIT, 31_000, zone="outer")),
    ):
        if walk.case is not None:
            walk.until(at_s)
        if isinstance(happened, Answer):
            walk.heard(happened)
        else:
            walk.found(happened)
    walk.until(40_000)
    return walk


def story(**changes: Any) -> Report:
    """Return the report of the ship over the cable."""
    line = shapely.LineString(CABLE)
    walk = walked()
    assert walk.case is not None
    events = (
        event(
            EventKind.APPROACH, 0, lat_deg=57.20, lon_deg=5.50, measured={"time_to_entry_s": 1_100.0, "speed_mps": 3.0}
        ),
        event(EventKind.ENTRY, 700, lat_deg=57.14, lon_deg=5.55),
        event(EventKind.LOITER, 1_600, rule="guard/anchor", lat_deg=57.118, lon_deg=5.56, measured={"dwell_s": 900.0}),
        event(EventKind.EXIT, 30_000, lat_deg=57.13, lon_deg=5.60),
        event(EventKind.EXIT, 31_000, zone="outer", lat_deg=57.20, lon_deg=5.66),
        event(EventKind.CROSSING, 5_000, track_id="mmsi:219000002", lat_deg=57.05, lon_deg=5.22, party="fishers"),
        event(EventKind.GAP, 6_000, track_id="mmsi:219000003", lat_deg=57.02, lon_deg=6.0, measured={"gap_s": 2_400.0}),
    )
    fields = {
        "terms": Terms(
            agreement_id="northreach-cable",
            version=4,
            title="Guard zone of the Northreach-Alden data cable (invented)",
            digest=bytes(range(32)),
            from_us=T0 - 86_400 * S,
            parties=(PartyLine(party_id="fishers", name="Fishers' Union", kind="organisation", consent="signed"),),
        ),
        "provenance": Provenance.SIMULATED,
        "provenance_note": "Made by hand for a test.",
        "zones": (
            ZoneShape(zone_id="outer", name="outer zone", kind="warning", clause="zones[1]", geometry=line.buffer(0.1)),
            ZoneShape(zone_id="guard", name="guard zone", kind="guard", clause="zones[0]", geometry=line.buffer(0.03)),
            ZoneShape(
                zone_id="box", name="landing box", kind="exempt", clause="zones[2]",
                geometry=shapely.box(5.02, 56.98, 5.16, 57.06), is_exemption=True,
            ),
        ),
        "marks": (Mark(name="landing", lat_deg=57.02, lon_deg=5.09),),
        "reports": reports(),
        "events": events,
        "cases": (walk.case,),
        "playbook": walk.playbook,
        "checked": (
            Checked(
                title="Guard zone", agreement_id="northreach-cable", version=4,
                findings=(
                    Finding(
                        code="WRN-09", severity=Severity.WARNING, state=State.SILENT, where=Place("a.yaml", 3),
                        path="channels[nfa_sms]", message="Channel nfa_sms: no test interval.", fix="tested: P30D",
                    ),
                ),
                readiness=(
                    Readiness(use=Use.WATCH, is_ready=True),
                    Readiness(use=Use.WARN, is_ready=False, blockers=("WRN-09",), refusals=("ladder: none",)),
                ),
            ),
        ),
        "unwatched": ("guard/buildup: this watch does not look for it.",),
        "comparisons": (comparison(),),
        "counts": {
            "tracks.csv": Counts(
                read=400, accepted=390, duplicate=6, rejected={RejectReason.BAD_LATITUDE: 3, RejectReason.NO_TIME: 1}
            )
        },
        "checkpoint": CheckpointLine(
            origin="tocsin.replay/northreach-cable/4", size=128, root="ab" * 32, vkey="log+1+key",
            commands=("tocsin verify record",),
        ),
        "files": {"events.jsonl": "every event"},
    }  # fmt: skip
    return Report(**(fields | changes))


def reports() -> Any:
    """Return four ships: over the cable, across it, one with a silence, and one that nothing happens to."""
    rows = []
    for n, t in enumerate(range(-900, 33_000, 300)):
        way = min(max(t, 0), 1_600) / 1_600 if t < 20_000 else 1.0 - (t - 20_000) / 13_000
        rows.append(ship(SHIP, t, 57.20 - 0.082 * way, 5.50 + 0.002 * n, "cargo"))
    rows += [
        ship("mmsi:219000002", t, 56.9 + t / 40_000, 5.1 + t / 50_000, "fishing", "fishers")
        for t in range(0, 9_000, 600)
    ]
    rows += [ship("mmsi:219000003", t, 57.02, 6.3 - t / 30_000, "tanker") for t in (0, 3_000, 6_000, 12_000, 12_600)]
    rows += [ship("mmsi:219000004", t, 56.95, 5.2 + t / 20_000, "cargo") for t in range(0, 12_000, 600)]
    return batch(rows)


def ship(track: str, t: float, lat: float, lon: float, category: str, party: str | None = None) -> dict[str, Any]:
    """Return one report, `t` seconds after T0."""
    return report(
        track_id=track,
        observed=T0 + round(t * S),
        lat_deg=lat,
        lon_deg=lon,
        category=category,
        party=party,
        feed="test",
    )


def comparison(**changes: Any) -> Any:
    """Return an incident with a contradiction, a hedge, a copy and an answer that it is not known."""
    incident = Incident(incident_id="i", title="The anchoring", is_simulated=True, note="Invented.")
    sources = tuple(
        Source(source_id=s, name=name, kind=kind)
        for s, name, kind in (("m", "the master", SourceKind.PERSON), ("o", "the operator", SourceKind.COMPANY))
    )

    def claim(n: int, source: str, **more: Any) -> Claim:
        values = {
            "claim_id": f"c{n}", "incident_id": "i", "source_id": source, "words": f"Words {n}.",
            "is_verbatim": n % 2 == 1, "attribution": Attribution.DIRECT, "act": Act.ANCHORING,
        }  # fmt: skip
        return Claim(**(values | more))

    claims = [
        claim(1, "m", polarity=Polarity.NEGATIVE),
        claim(2, "o", actors=(Mention(as_worded="a grey ship", role=Role.SUSPECTED),), certainty=Certainty.PROBABLE),
        claim(3, "o", actors=(Mention(as_worded="not known", role=Role.UNKNOWN),)),
        claim(4, "m", act=Act.WARNING, about="the hail", polarity=Polarity.NEGATIVE),
        claim(5, "o", act=Act.WARNING, about="the hail", quantities=(
            Quantity(as_worded="three times", low=3, high=3, unit="calls", of="calls"),)),
        claim(6, "m", supersedes="c1", polarity=Polarity.POSITIVE),
    ]  # fmt: skip
    return compare(incident, claims, sources=sources, names=Names())


def crowded() -> Report:
    """Return the story with two dozen long-named zones side by side and twice as many events: nothing may collide."""
    places = [(5.1 + 0.05 * (n % 6), 57.0 + 0.03 * (n // 6)) for n in range(24)]
    zones = tuple(
        ZoneShape(
            zone_id=f"z{n}", name=f"cable and pipeline area number {n} north of the harbour", kind="protection",
            clause=f"zones[{n}]", geometry=shapely.box(lon, lat, lon + 0.03, lat + 0.015),
        )
        for n, (lon, lat) in enumerate(places)
    )  # fmt: skip
    events = tuple(
        event(kind, 60 * n, zone=f"z{n}", track_id=SHIP, lat_deg=lat + 0.01, lon_deg=lon + 0.01)
        for n, (lon, lat) in enumerate(places)
        for kind in (EventKind.ENTRY, EventKind.EXIT)
    )
    return story(zones=zones, events=events)


TAIL = (
    "\"'><script>window.pwned=1</script><img src=x onerror=window.pwned=1></style>{{7*7}}\u202e\u2066\u0007\U000e0041"
)
"""What is put behind every text: breaks out of attributes and elements, runs, loads, turns the line, hides."""


def spoilt() -> Report:
    """Return the story with a hostile tail on every text, the same for the same text."""
    return spoil(story())


def spoil(value: Any) -> Any:
    """Return a value with `TAIL` behind every text in it; enumerated words, numbers and shapes stay."""
    if isinstance(value, Enum | shapely.Geometry | np.ndarray | bytes) or value is None:
        return value
    if isinstance(value, str):
        return value + TAIL
    if isinstance(value, tuple | list | frozenset):
        return type(value)(spoil(v) for v in value)
    if isinstance(value, Mapping):
        return {spoil(k): spoil(v) for k, v in value.items()}
    if isinstance(value, Struct):
        return replace(value, **{name: spoil(getattr(value, name)) for name in value.__struct_fields__})
    return value


__all__ = ["MIN", "TAIL", "comparison", "crowded", "reports", "spoil", "spoilt", "story", "walked"]
