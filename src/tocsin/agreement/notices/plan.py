"""Plans: what the watch needs of the notices: which tracks, where, from when to when. Nothing else of them.

Only a movement with a track id, a place and both ends of its time makes a plan. A plan that `covers` quiets approach
warnings about its own tracks inside its place and time (`watch/conformance.py`); a late one does not: it is followed
like any other, and its mover is warned like anybody.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tocsin.agreement.notices.budget import F3548, Budget
from tocsin.agreement.notices.held import Held
from tocsin.agreement.notices.notice import PlaceOf
from tocsin.agreement.notices.register import Register
from tocsin.agreement.notices.words import Act, Flag, NoticeKind

WARNED_ALL_THE_SAME = frozenset({Flag.LATE, Flag.AFTER_START, Flag.NO_REASON, Flag.UNKNOWN_PARTY, Flag.NO_RULE})
"""Flags with which a notice quiets nothing: units cannot have read it in time, or nobody agreed to such notices."""


class Plan(Struct, frozen=True, kw_only=True):
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
        Since when the notice stands: nothing before it is quieted by it.
    covers : bool
        True if approach warnings inside are quieted.
    own_end : bool
        True if it ends when the notice said, and not because the notice was changed or ended.
    budget : Budget
        By how much its movers may leave it.
    """

    notice_id: str
    party: str
    tracks: frozenset[str]
    place: PlaceOf
    from_us: int
    to_us: int
    known_us: int
    covers: bool
    own_end: bool
    budget: Budget = F3548


def plans_of(register: Register) -> tuple[Plan, ...]:
    """Return the plans of all notices of a register, in the order in which they came."""
    found: list[Plan] = []
    for held in register.held.values():
        rule = register.rules.by_name.get(held.notice.rule)
        found += plans_of_notice(held, budget=rule.budget if rule else F3548)
    return tuple(found)


def plans_of_notice(held: Held, *, budget: Budget = F3548) -> Iterator[Plan]:
    """Yield the plans of one notice, one for each time in which it stood; none if the watch could not follow it."""
    notice = held.notice
    tracks = frozenset(mover.track_id for mover in notice.movers if mover.track_id)
    if notice.kind is not NoticeKind.MOVEMENT or notice.act not in (Act.GIVE, Act.CHANGE) or not tracks:
        return
    if notice.place is None or notice.from_us is None or notice.to_us is None:
        return
    spans = [*held.stood, (held.since_us, notice.to_us)] if held.stands else held.stood
    for begin_us, end_us in spans:
        to_us = min(notice.to_us, end_us)
        if to_us > max(notice.from_us, begin_us):
            yield Plan(
                notice_id=notice.notice_id,
                party=notice.party,
                tracks=tracks,
                place=notice.place,
                from_us=notice.from_us,
                to_us=to_us,
                known_us=begin_us,
                covers=not WARNED_ALL_THE_SAME & {flagged.flag for flagged in held.flags},
                own_end=to_us == notice.to_us,
                budget=budget,
            )
