"""Plans: what the watch needs of the notices: which tracks, where, from when to when. Nothing else of them.

Only a movement with a track id, a place and both ends of its time makes a plan. A plan that `covers` quiets approach
warnings about its own tracks inside its place and time (`watch/conformance.py`); a late one does not: it is followed
like any other, and its mover is warned like anybody.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.agreement.notices.held import Held
from tocsin.agreement.notices.notice import PlaceOf
from tocsin.agreement.notices.register import Register
from tocsin.agreement.notices.standing import Standing
from tocsin.agreement.notices.words import Act, Flag, NoticeKind

WARNED_ALL_THE_SAME = frozenset({Flag.LATE, Flag.AFTER_START, Flag.NO_REASON, Flag.UNKNOWN_PARTY, Flag.NO_RULE})
"""Flags with which a notice quiets nothing: units cannot have read it in time, or nobody agreed to such notices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One notified movement, as the watch follows it.

    Attributes
    ----------
    notice_id : str
    party : str
    tracks : frozenset of str
    place : Route, Area or Around
    from_us, to_us : int
        Half-open; ends early where the notice was replaced, cancelled or withdrawn, or expired.
    known_us : int
        When the notice was given: nothing before it is quieted by it.
    covers : bool
        True if approach warnings inside are quieted.
    """

    notice_id: str
    party: str
    tracks: frozenset[str]
    place: PlaceOf
    from_us: int
    to_us: int
    known_us: int
    covers: bool


def plans_of(register: Register) -> tuple[Plan, ...]:
    """Return the plans of all notices of a register, in the order in which they came."""
    return tuple(plan for held in register.held.values() if (plan := plan_of(held)) is not None)


def plan_of(held: Held) -> Plan | None:
    """Return the plan of one notice; None if the watch could not follow it, or nothing of its time is left."""
    notice = held.notice
    tracks = frozenset(mover.track_id for mover in notice.movers if mover.track_id)
    if notice.kind is not NoticeKind.MOVEMENT or notice.act not in (Act.GIVE, Act.CHANGE) or not tracks:
        return None
    if notice.place is None or notice.from_us is None or notice.to_us is None:
        return None
    ended = held.standing not in (Standing.STANDING, Standing.OVER)
    to_us = min(notice.to_us, held.since_us) if ended else notice.to_us
    if to_us <= max(notice.from_us, notice.at_us):
        return None
    return Plan(
        notice_id=notice.notice_id,
        party=notice.party,
        tracks=tracks,
        place=notice.place,
        from_us=notice.from_us,
        to_us=to_us,
        known_us=notice.at_us,
        covers=not WARNED_ALL_THE_SAME & {flagged.flag for flagged in held.flags},
    )
