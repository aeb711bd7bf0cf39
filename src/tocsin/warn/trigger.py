"""What an event means to a ladder: what stands after it, which levels it begins, whether it stands the ladder down.

Implements the `trigger` of a level and the `when` of `stand_down` (docs/format: ladder). Pure reading of one event
beside what already stands. It measures nothing itself, and it decides nothing about telling.
"""

from __future__ import annotations

from collections.abc import Sequence

from tocsin.agreement.playbook import ConductTrigger, Level, Playbook, StandDown
from tocsin.agreement.watchlist import Conduct
from tocsin.watch.event import Event, EventKind, Revision

FOUND_BY: dict[Conduct, frozenset[EventKind]] = {
    Conduct.APPROACH: frozenset({EventKind.APPROACH}),
    Conduct.ENTRY: frozenset(
        {EventKind.ENTRY, EventKind.FIRST_SEEN_INSIDE, EventKind.CROSSING, EventKind.ZONE_BEGAN},
    ),
    Conduct.EXIT: frozenset({EventKind.EXIT, EventKind.ZONE_ENDED}),
    Conduct.CROSSING: frozenset({EventKind.CROSSING}),
    Conduct.LOITER: frozenset({EventKind.LOITER}),
    Conduct.STOPPED: frozenset({EventKind.STOPPED}),
    Conduct.GAP: frozenset({EventKind.GAP}),
    Conduct.PROXIMITY: frozenset({EventKind.PROXIMITY}),
    Conduct.BUILD_UP: frozenset({EventKind.BUILDUP}),
    Conduct.PROBING: frozenset({EventKind.PROBING}),
    Conduct.DWELL: frozenset({EventKind.DWELL}),
    Conduct.VOID: frozenset({EventKind.VOID}),
}
"""The kinds of event that show each conduct. Somebody around whom a zone begins must be told as if they had entered; a
zone that is drawn anew shows what `shows` says."""

ENDINGS = frozenset({EventKind.EXIT, EventKind.ZONE_ENDED, EventKind.APPROACH_ENDED, EventKind.GAP_ENDED})
"""Kinds that end something; at one instant they are taken after those that begin something."""

_BEGIN_INSIDE = frozenset({EventKind.ENTRY, EventKind.FIRST_SEEN_INSIDE, EventKind.ZONE_BEGAN, EventKind.ZONE_CHANGED})
"""Kinds after which a track is inside, unless the event says that it leaves it outside."""
_INSIDE = _BEGIN_INSIDE | {EventKind.LOITER, EventKind.STOPPED, EventKind.DWELL}
_ACTS = frozenset(EventKind) - ENDINGS - _BEGIN_INSIDE - {EventKind.CROSSING, EventKind.APPROACH}
"""Kinds that can test a prohibited act other than entry."""


def shows(conduct: Conduct, event: Event) -> bool:
    """Return True if an event shows a conduct."""
    if event.kind is EventKind.ZONE_CHANGED:
        return conduct is (Conduct.EXIT if event.leaves_outside else Conduct.ENTRY)
    return event.kind in FOUND_BY[conduct]


def ladder_zones(playbook: Playbook) -> tuple[str, ...]:
    """Return the zones that a playbook's ladder is about, sorted.

    One ladder leads through all of them (approach to the inner zone, exit from the outer one), so one case is about all
    of them: a level of the guard zone continues what a level of the outer zone began.
    """
    zones = {level.trigger.zone_id for level in playbook.levels if isinstance(level.trigger, ConductTrigger)}
    if playbook.stand_down:
        zones.add(playbook.stand_down.zone_id)
    return tuple(sorted(zones))


def stands_after(standing: Sequence[str], event: Event) -> tuple[str, ...]:
    """Return what stands after an event.

    Parameters
    ----------
    standing : sequence of str
        What stood before: `inside:ZONE`, `approach:ZONE`, `act:RULE`.
    event : Event
        A withdrawn one undoes what it had done.

    Returns
    -------
    tuple of str
        Sorted. A gap changes nothing: a track that falls silent inside still stands inside.
    """
    now = set(standing)
    inside, approach, act = f"inside:{event.zone_id}", f"approach:{event.zone_id}", f"act:{event.rule_id}"
    if event.revision is Revision.WITHDRAWN:
        if event.leaves_outside:
            now.add(inside)
        elif event.kind in _BEGIN_INSIDE:
            now.discard(inside)
        elif event.kind is EventKind.APPROACH:
            now.discard(approach)
        now.discard(act)
        return tuple(sorted(now))
    if event.kind in _ACTS:
        now.add(act)
    if event.leaves_outside:
        now = {what for what in now if what not in {inside, approach} and not _is_act_in(what, event.zone_id)}
    elif event.kind in _INSIDE:
        now.add(inside)
        now.discard(approach)
    elif event.kind is EventKind.APPROACH:
        now.add(approach)
    elif event.kind in {EventKind.APPROACH_ENDED, EventKind.CROSSING}:
        now.discard(approach)
    return tuple(sorted(now))


def anything_stands(standing: Sequence[str]) -> bool:
    """Return True if the track is inside a zone or approaching one."""
    return any(not what.startswith("act:") for what in standing)


def levels_begun(playbook: Playbook, event: Event, standing: Sequence[str]) -> tuple[Level, ...]:
    """Return the levels whose own conduct this event shows, in order of number.

    Parameters
    ----------
    playbook : Playbook
    event : Event
    standing : sequence of str
        What stands after the event (`stands_after`).
    """
    if event.revision is Revision.WITHDRAWN:
        return ()
    zone = event.zone_id
    return tuple(
        level
        for level in playbook.levels
        if isinstance(trigger := level.trigger, ConductTrigger)
        and trigger.zone_id == zone
        and _begins(trigger, event, standing)
    )


def level_stands(level: Level, standing: Sequence[str]) -> bool:
    """Return True if what a level tells of still stands: the track is in its zone, or still on its way into it."""
    trigger = level.trigger
    if not isinstance(trigger, ConductTrigger):
        return False
    approaching = trigger.conduct is Conduct.APPROACH and f"approach:{trigger.zone_id}" in standing
    return approaching or f"inside:{trigger.zone_id}" in standing


def stands_down(stand_down: StandDown | None, event: Event) -> bool:
    """Return True if the event is the conduct that ends a case, or its zone ended around the track."""
    return (
        stand_down is not None
        and event.revision is not Revision.WITHDRAWN
        and event.zone_id == stand_down.zone_id
        and shows(stand_down.conduct, event)
    )


def _begins(trigger: ConductTrigger, event: Event, standing: Sequence[str]) -> bool:
    """Return True if an event in a trigger's zone shows its conduct."""
    shown = shows(trigger.conduct, event)
    if not trigger.acts:
        return shown
    acts = {f"act:{trigger.zone_id}/{act}" for act in trigger.acts}
    if acts.isdisjoint(standing):
        return False
    lasting = {Conduct.ENTRY: "inside", Conduct.APPROACH: "approach"}.get(trigger.conduct)
    is_act = f"act:{event.rule_id}" in acts
    return shown or (is_act and lasting is not None and f"{lasting}:{trigger.zone_id}" in standing)


def _is_act_in(what: str, zone_id: str) -> bool:
    return what.startswith(f"act:{zone_id}/")
