"""Standing: one literal table of how a notice ends, and how it lives on.

Same shape as `receipts.py`. A notice is never edited: a change makes a successor and leaves this one replaced. Ending
changes nothing about what a notice was about: a site whose notice expired is as protected as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from tocsin.agreement.notices.words import NoticeError
from tocsin.transitions import diagram


class Standing(StrEnum):
    """Where a notice stands."""

    STANDING = "standing"
    REPLACED = "replaced"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    """Nobody confirmed it in time. It may still be confirmed."""
    OVER = "over"
    """The time it told of has passed."""


class Turn(StrEnum):
    """What happens to a notice."""

    CHANGED = "changed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    PASSED = "passed"
    """The end of its time was reached."""


TRANSITIONS: Mapping[Standing, Mapping[Turn, Standing]] = {
    Standing.STANDING: {
        Turn.CHANGED: Standing.REPLACED,
        Turn.CANCELLED: Standing.CANCELLED,
        Turn.WITHDRAWN: Standing.WITHDRAWN,
        Turn.CONFIRMED: Standing.STANDING,
        Turn.EXPIRED: Standing.EXPIRED,
        Turn.PASSED: Standing.OVER,
    },
    Standing.EXPIRED: {
        Turn.CHANGED: Standing.REPLACED,
        Turn.CANCELLED: Standing.CANCELLED,
        Turn.WITHDRAWN: Standing.WITHDRAWN,
        Turn.CONFIRMED: Standing.STANDING,
        Turn.PASSED: Standing.OVER,
    },
    Standing.REPLACED: {Turn.WITHDRAWN: Standing.WITHDRAWN},
    Standing.CANCELLED: {Turn.WITHDRAWN: Standing.WITHDRAWN},
    Standing.OVER: {Turn.WITHDRAWN: Standing.WITHDRAWN},
    Standing.WITHDRAWN: {},
}
"""Standing, then turn, then the next standing."""


def next_standing(standing: Standing, turn: Turn) -> Standing:
    """Return the standing that follows.

    Raises
    ------
    NoticeError
        If the table does not list the pair.

    Examples
    --------
    >>> str(next_standing(Standing.EXPIRED, Turn.CONFIRMED))
    'standing'
    >>> next_standing(Standing.WITHDRAWN, Turn.CONFIRMED)
    Traceback (most recent call last):
    ...
    tocsin.agreement.notices.words.NoticeError: a notice that is withdrawn cannot be confirmed
    """
    listed = TRANSITIONS[standing]
    if turn not in listed:
        raise NoticeError(f"a notice that is {standing} cannot be {turn}")
    return listed[turn]


def picture() -> str:
    """Return the table as a Mermaid state diagram; turns that change nothing are left out."""
    return diagram(TRANSITIONS, Standing.STANDING)
