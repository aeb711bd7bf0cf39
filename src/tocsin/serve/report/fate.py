"""Fate: what happened to a track, as one word for its colour on the map.

Read from its events and cases, the gravest first. It says how far the encounter went and whether anybody answered,
never whether anybody was wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from tocsin.warn.case import Case
from tocsin.warn.states import CaseInput, Disposition
from tocsin.watch.event import Event, EventKind, Revision


class Fate(StrEnum):
    """What happened to a track, the gravest first."""

    UNANSWERED = "unanswered"
    ACKNOWLEDGED = "acknowledged"
    TOLD = "told"
    INSIDE = "inside"
    NEAR = "near"
    EXEMPT = "exempt"
    QUIET = "quiet"


MEANING: dict[Fate, str] = {
    Fate.UNANSWERED: "told, and a message stayed unanswered or undelivered",
    Fate.ACKNOWLEDGED: "told, and receipt was acknowledged each time it was due",
    Fate.TOLD: "told; no answer fell due",
    Fate.INSIDE: "inside a zone; nobody was told",
    Fate.NEAR: "came near or behaved as watched for; nobody was told",
    Fate.EXEMPT: "told of by a notice, or under a written exemption, all the time",
    Fate.QUIET: "no event",
}
"""What each means, for the legend."""

_SILENCE = frozenset(
    {
        CaseInput.UNANSWERED_NEXT,
        CaseInput.UNANSWERED_PERSON,
        CaseInput.UNANSWERED_END,
        CaseInput.UNDELIVERED_NEXT,
        CaseInput.UNDELIVERED_PERSON,
        CaseInput.UNDELIVERED_END,
    }
)
_INSIDE = frozenset(
    {
        EventKind.FIRST_SEEN_INSIDE,
        EventKind.ENTRY,
        EventKind.EXIT,
        EventKind.CROSSING,
        EventKind.STOPPED,
        EventKind.LOITER,
        EventKind.DWELL,
    }
)


def case_fate(case: Case) -> Fate:
    """Return how far a case's telling went."""
    if any(step.input in _SILENCE for step in case.steps):
        return Fate.UNANSWERED
    if any(answer.disposition is Disposition.COUNTED for answer in case.acknowledgements):
        return Fate.ACKNOWLEDGED
    return Fate.TOLD if case.messages else Fate.NEAR


def track_fates(events: Sequence[Event], cases: Sequence[Case]) -> dict[str, Fate]:
    """Return the fate of every track that has an event or a case; all others are QUIET."""
    order = {fate: rank for rank, fate in enumerate(Fate)}
    found: dict[str, Fate] = {}

    def note(track_id: str, fate: Fate) -> None:
        found[track_id] = min(found.get(track_id, Fate.QUIET), fate, key=order.__getitem__)

    for event in events:
        if event.revision is Revision.WITHDRAWN:
            continue
        if event.exemption is not None:
            note(event.track_id, Fate.EXEMPT)
        else:
            note(event.track_id, Fate.INSIDE if event.kind in _INSIDE else Fate.NEAR)
    for case in cases:
        note(case.track_id, case_fate(case))
    return found
