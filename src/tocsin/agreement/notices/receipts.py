"""Receipts: one literal table of what may become of one receipt that is owed (the shape is h11's `_state.py`).

There is one such line for `received`, and one for `passed_on` and `read` for every unit on the agreement's list. A
pair that the table does not list raises `NoticeError`, and nothing changes. Deadlines are counted from when the
notice was given (`notices.*.receipt_within`, `passed_within`, `read_within`). No state goes beyond *in*.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from tocsin.agreement.notices.words import NoticeError
from tocsin.transitions import diagram


class LineState(StrEnum):
    """Where one receipt that is owed stands."""

    AWAITED = "awaited"
    OVERDUE = "overdue"
    """Its deadline passed in silence, and somebody was told."""
    IN_TIME = "in_time"
    IN_LATE = "in_late"
    OVERTAKEN = "overtaken"
    """It never came, but one further along the same way did: the unit has read what nobody says was passed on."""
    LAPSED = "lapsed"
    """The notice ended before it came; nobody waits for it."""


class LineInput(StrEnum):
    """What happens to it."""

    CAME = "came"
    """In time, or with no deadline set."""
    CAME_LATE = "came_late"
    DEADLINE = "deadline"
    FURTHER = "further"
    """A receipt further along the same way came."""
    ENDED = "ended"
    """The notice was replaced, cancelled or withdrawn, expired, or its time has passed."""


_St, _In = LineState, LineInput

TRANSITIONS: Mapping[LineState, Mapping[LineInput, LineState]] = {
    _St.AWAITED: {
        _In.CAME: _St.IN_TIME,
        _In.DEADLINE: _St.OVERDUE,
        _In.FURTHER: _St.OVERTAKEN,
        _In.ENDED: _St.LAPSED,
    },
    _St.OVERDUE: {
        _In.CAME: _St.IN_TIME,
        _In.CAME_LATE: _St.IN_LATE,
        _In.FURTHER: _St.OVERTAKEN,
        _In.ENDED: _St.LAPSED,
    },
    _St.OVERTAKEN: {
        _In.CAME: _St.IN_TIME,
        _In.CAME_LATE: _St.IN_LATE,
        _In.FURTHER: _St.OVERTAKEN,
        _In.ENDED: _St.OVERTAKEN,
    },
    _St.IN_TIME: {
        _In.CAME: _St.IN_TIME,
        _In.CAME_LATE: _St.IN_TIME,
        _In.FURTHER: _St.IN_TIME,
        _In.ENDED: _St.IN_TIME,
    },
    _St.IN_LATE: {
        _In.CAME: _St.IN_LATE,
        _In.CAME_LATE: _St.IN_LATE,
        _In.FURTHER: _St.IN_LATE,
        _In.ENDED: _St.IN_LATE,
    },
    _St.LAPSED: {
        _In.CAME: _St.IN_TIME,
        _In.CAME_LATE: _St.IN_LATE,
        _In.FURTHER: _St.LAPSED,
        _In.ENDED: _St.LAPSED,
    },
}
"""State, then input, then the next state. A receipt may be entered after its deadline was told, or after the
notice ended, and be dated before: it counts as dated, and what was told stays told."""

HERE = frozenset({LineState.IN_TIME, LineState.IN_LATE})
"""The states in which the receipt is there."""

OPEN = frozenset({LineState.AWAITED, LineState.OVERDUE})
"""The states in which somebody still waits for it."""


def next_line(state: LineState, happened: LineInput) -> LineState:
    """Return the state that follows.

    Raises
    ------
    NoticeError
        If the table does not list the pair.

    Examples
    --------
    >>> str(next_line(LineState.AWAITED, LineInput.DEADLINE))
    'overdue'
    >>> next_line(LineState.IN_TIME, LineInput.DEADLINE)
    Traceback (most recent call last):
    ...
    tocsin.agreement.notices.words.NoticeError: a receipt that is in_time cannot take deadline; it takes ...
    """
    listed = TRANSITIONS[state]
    if happened not in listed:
        raise NoticeError(f"a receipt that is {state} cannot take {happened}; it takes {', '.join(sorted(listed))}")
    return listed[happened]


def picture() -> str:
    """Return the table as a Mermaid state diagram; inputs that change nothing are left out."""
    return diagram(TRANSITIONS, LineState.AWAITED)
