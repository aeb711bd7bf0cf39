"""Sensors: what the watch saw and what the ladder did, as claims of one more source.

A sensor's account stands beside the others; it does not outrank them. Its source is of kind `system` and of reliability
F until a person grades the feeds. A count is "at least": who sends no report is not counted. An acknowledgement becomes
a claim that receipt was confirmed, never that anything was allowed, agreed or admitted. Whose the movers are it takes
from the reports; where nobody declared it, the actor is undetermined.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tocsin.incident.act import Act
from tocsin.incident.book import Incident, SensorScope
from tocsin.incident.claim import (
    Attribution,
    Certainty,
    Claim,
    ClaimedPlace,
    ClaimedTime,
    Mention,
    Quantity,
    Role,
    Source,
    SourceKind,
    TimeBasis,
)
from tocsin.units import format_instant
from tocsin.warn.case import Case
from tocsin.warn.states import REACH, AnswerKind, Disposition, MessageState, Purpose
from tocsin.watch.event import Event, EventKind, Revision

SYSTEM = Source(source_id="system", name="The watch's own sensors and ladder", kind=SourceKind.SYSTEM)
"""The one source of what Tocsin itself saw and did."""

_ACTS = {
    EventKind.APPROACH: Act.APPROACH,
    EventKind.FIRST_SEEN_INSIDE: Act.ENTRY,
    EventKind.ENTRY: Act.ENTRY,
    EventKind.CROSSING: Act.ENTRY,
    EventKind.LOITER: Act.LOITER,
    EventKind.STOPPED: Act.LOITER,
    EventKind.DWELL: Act.LOITER,
    EventKind.GAP: Act.SIGNAL_LOSS,
    EventKind.BUILDUP: Act.BUILD_UP,
    EventKind.EXIT: Act.WITHDRAWAL,
}
_ARRIVED = frozenset(state for state in MessageState if REACH[state] >= REACH[MessageState.DELIVERED])


def claims_of_sensors(incident: Incident, *, events: Sequence[Event], cases: Sequence[Case]) -> tuple[Claim, ...]:
    """Return the sensors' and the ladder's own account of an incident.

    Parameters
    ----------
    incident : Incident
        Its `sensors` say which events belong to it; without them the account is empty.
    events : sequence of Event
        Those in scope and not withdrawn are gathered by act and party: one claim for each.
    cases : sequence of Case
        Those that an event in scope belongs to: a claim on what was said, and one on what was answered.
    """
    scope = incident.sensors
    if scope is None:
        return ()
    ours = [e for e in events if _in_scope(e, scope) and e.revision is not Revision.WITHDRAWN]
    known = {e.event_id for e in ours}
    told = [c for c in cases if known.intersection(e.event_id for e in c.events)]
    found = [*_movements(incident, scope, ours), *_sayings(incident, told), *_answers(incident, told)]
    return tuple(found)


def _in_scope(event: Event, scope: SensorScope) -> bool:
    return (
        event.kind in _ACTS
        and event.zone_id in scope.zones
        and (scope.parties is None or event.party in scope.parties)
        and (scope.categories is None or event.category in scope.categories)
        and (scope.from_us is None or event.at_us >= scope.from_us)
        and (scope.to_us is None or event.at_us < scope.to_us)
    )


def _movements(incident: Incident, scope: SensorScope, events: Sequence[Event]) -> Iterable[Claim]:
    groups: dict[tuple[Act, str, str | None], list[Event]] = {}
    for event in events:
        groups.setdefault((_ACTS[event.kind], event.zone_id, event.party), []).append(event)
    for (act, zone_id, party), group in sorted(groups.items(), key=lambda g: (g[0][0], g[0][1], g[0][2] or "")):
        tracks = {e.track_id for e in group}
        first, last = min(e.at_us for e in group), max(e.at_us for e in group)
        who = (
            Mention(as_worded=party, actor_id=party) if party else Mention(as_worded="not declared", role=Role.UNKNOWN)
        )
        count = f"at least {len(tracks)} {'track' if len(tracks) == 1 else 'tracks'}"
        yield _claim(
            incident, act, zone_id, party or "-",
            words=f"{len(group)} events of {act.replace('_', ' ')} at {zone_id} by {count}, {_span(first, last)}",
            actors=(who,),
            place=ClaimedPlace(as_worded=f"zone {zone_id}", refers_to=zone_id),
            time=ClaimedTime(
                as_worded=_span(first, last), edtf=f"{_edtf(first)}/{_edtf(last)}",
                basis=TimeBasis.EXPLICIT,
            ),
            quantities=tuple(
                Quantity(as_worded=count, low=len(tracks), high=None, unit=c.unit, of=c.of)
                for c in scope.counts if c.act is act
            ),
            about=next((c.about for c in scope.counts if c.act is act), None),
        )  # fmt: skip


def _sayings(incident: Incident, cases: Sequence[Case]) -> Iterable[Claim]:
    attempts = [(case, attempt) for case in cases for attempt in case.attempts]
    if not attempts:
        return
    messages = {m.message_id: m for case in cases for m in case.messages if m.purpose is Purpose.WARNING}
    warned = [attempt for _, attempt in attempts if attempt.message_id in messages]
    if not warned:
        return
    arrived = sum(m.state in _ARRIVED for m in messages.values())
    taken = sum(m.state is MessageState.HANDED_OVER for m in messages.values())
    yield _claim(
        incident, Act.WARNING,
        words=f"{len(warned)} attempts of {len(messages)} warnings; {arrived} proved to have arrived, {taken} "
              f"handed over without proof of arrival",
        certainty=Certainty.CERTAIN if arrived else Certainty.PROBABLE if taken else Certainty.UNKNOWN,
    )  # fmt: skip


def _answers(incident: Incident, cases: Sequence[Case]) -> Iterable[Claim]:
    said = {AnswerKind.ACKNOWLEDGED, AnswerKind.ANSWERED}
    answers = [a for case in cases for a in case.acknowledgements if a.kind in said]
    counted = [a for a in answers if a.disposition is Disposition.COUNTED]
    if counted:
        who = ", ".join(sorted({a.party for a in counted}))
        words = f"receipt acknowledged {len(counted)} times, by {who}; it means received and nothing more"
        yield _claim(incident, Act.RESPONSE, words=words)
    elif any(case.messages for case in cases):
        late = f"; {len(answers)} came that were late or from others" if answers else ""
        yield _claim(incident, Act.NON_RESPONSE, words=f"no acknowledgement came in time{late}")


def _claim(
    incident: Incident,
    act: Act,
    *parts: str,
    words: str,
    actors: tuple[Mention, ...] = (),
    place: ClaimedPlace | None = None,
    time: ClaimedTime | None = None,
    quantities: tuple[Quantity, ...] = (),
    certainty: Certainty = Certainty.CERTAIN,
    about: str | None = None,
) -> Claim:
    return Claim(
        claim_id="/".join((SYSTEM.source_id, str(act), *parts)),
        incident_id=incident.incident_id,
        source_id=SYSTEM.source_id,
        words=words,
        is_verbatim=True,
        attribution=Attribution.DIRECT,
        act=act,
        about=about,
        actors=actors,
        place=place,
        time=time,
        quantities=quantities,
        certainty=certainty,
    )


def _span(first_us: int, last_us: int) -> str:
    """Return from when to when, to the minute, the day once."""
    first, last = (format_instant(at)[:16].replace("T", " ") for at in (first_us, last_us))
    until = last[11:] if last[:10] == first[:10] else last
    return f"{first} UTC" if first == last else f"{first} to {until} UTC"


def _edtf(at_us: int) -> str:
    return f"{format_instant(at_us)[:19]}Z"
