"""The ladder's machine: one literal table of what may follow what, and the picture drawn from it.

Everything about transitions lives here, and this file knows nothing of levels, channels or people (the shape is that
of h11's `_state.py`). A pair that the table does not list raises `LadderError`, and nothing changes. What a transition
does is in `work.py`, `found.py` and `heard.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tocsin.errors import LadderError
from tocsin.transitions import diagram
from tocsin.warn.states import CaseInput as In
from tocsin.warn.states import CaseState as St

_NOTED: dict[St, dict[In, St]] = {
    state: {
        In.SENT: state,
        In.FAILED_FOR_NOW: state,
        In.FAILED_FOR_GOOD: state,
        In.IN_DOUBT: state,
        In.RETRY_DUE: state,
        In.RECEIPT: state,
        In.ANSWER_RECORDED: state,
        In.REVISED: state,
        In.NOT_PASSED_ON: state,
    }
    for state in St
    if state not in {St.NOTICED, St.CLOSED}
}
"""What outcomes of attempts, receipts, answers without effect, newer revisions and a relay that has not passed its
words on do in every live state: noted."""

_COMMON: dict[In, St] = {
    In.WORSE_CONDUCT: St.AWAITING,
    In.ALL_CLEAR: St.STANDING_DOWN,
    In.NOTHING_SINCE: St.STANDING_DOWN,
    In.FALSE_ALARM: St.STANDING_DOWN,
    In.LEVEL_WITHDRAWN: St.LULL,
    In.WATCH_ENDED: St.CLOSED,
}
"""What is the same in every state in which somebody was told and it is not over."""

TRANSITIONS: Mapping[St, Mapping[In, St]] = {
    St.NOTICED: {
        In.WORSE_CONDUCT: St.AWAITING,
    },
    St.AWAITING: {
        **_COMMON,
        **_NOTED[St.AWAITING],
        In.CONDUCT_BELOW: St.AWAITING,
        In.CONDUCT_NOTED: St.AWAITING,
        In.EVENT_WITHDRAWN: St.AWAITING,
        In.RECEDED: St.LULL,
        In.REPEAT_DUE: St.AWAITING,
        In.NEXT_WAY: St.AWAITING,
        In.ALTERNATE_DUE: St.AWAITING,
        In.MUTED: St.AWAITING,
        In.WITHHELD: St.AWAITING,
        In.ACKNOWLEDGED_IN_PART: St.AWAITING,
        In.ACKNOWLEDGED: St.ACKNOWLEDGED,
        In.UNDELIVERED_NEXT: St.AWAITING,
        In.UNDELIVERED_PERSON: St.CALLING,
        In.UNDELIVERED_END: St.EXHAUSTED,
        In.UNANSWERED_NEXT: St.AWAITING,
        In.UNANSWERED_PERSON: St.CALLING,
        In.UNANSWERED_END: St.EXHAUSTED,
    },
    St.ACKNOWLEDGED: {
        **_COMMON,
        **_NOTED[St.ACKNOWLEDGED],
        In.ACK_EXPIRED: St.AWAITING,
        In.MUTED: St.ACKNOWLEDGED,
        In.WITHHELD: St.ACKNOWLEDGED,
        In.CONDUCT_AGAIN: St.AWAITING,
        In.CONDUCT_BELOW: St.ACKNOWLEDGED,
        In.CONDUCT_NOTED: St.ACKNOWLEDGED,
        In.EVENT_WITHDRAWN: St.ACKNOWLEDGED,
        In.RECEDED: St.LULL,
        In.ACKNOWLEDGED_IN_PART: St.ACKNOWLEDGED,
    },
    St.CALLING: {
        **_COMMON,
        **_NOTED[St.CALLING],
        In.ALTERNATE_DUE: St.CALLING,
        In.UNANSWERED_END: St.EXHAUSTED,
        In.MUTED: St.CALLING,
        In.CONDUCT_AGAIN: St.AWAITING,
        In.CONDUCT_BELOW: St.CALLING,
        In.CONDUCT_NOTED: St.CALLING,
        In.EVENT_WITHDRAWN: St.CALLING,
        In.RECEDED: St.LULL,
        In.ACKNOWLEDGED_IN_PART: St.CALLING,
        In.ACKNOWLEDGED: St.ACKNOWLEDGED,
        In.UNDELIVERED_END: St.EXHAUSTED,
    },
    St.EXHAUSTED: {
        **_COMMON,
        **_NOTED[St.EXHAUSTED],
        In.MUTED: St.EXHAUSTED,
        In.CONDUCT_AGAIN: St.AWAITING,
        In.CONDUCT_BELOW: St.EXHAUSTED,
        In.CONDUCT_NOTED: St.EXHAUSTED,
        In.EVENT_WITHDRAWN: St.EXHAUSTED,
        In.RECEDED: St.LULL,
        In.ACKNOWLEDGED_IN_PART: St.EXHAUSTED,
        In.ACKNOWLEDGED: St.ACKNOWLEDGED,
    },
    St.LULL: {
        **_COMMON,
        **_NOTED[St.LULL],
        In.MUTED: St.LULL,
        In.CONDUCT_AGAIN: St.AWAITING,
        In.CONDUCT_NOTED: St.LULL,
        In.EVENT_WITHDRAWN: St.LULL,
        In.RECEDED: St.LULL,
        In.ACKNOWLEDGED_IN_PART: St.LULL,
        In.ACKNOWLEDGED: St.LULL,
    },
    St.STANDING_DOWN: {
        **_NOTED[St.STANDING_DOWN],
        In.EVENT_WITHDRAWN: St.STANDING_DOWN,
        In.FALSE_ALARM: St.STANDING_DOWN,
        In.SETTLED: St.CLOSED,
        In.WATCH_ENDED: St.CLOSED,
    },
    St.CLOSED: {
        In.SENT: St.CLOSED,
        In.FAILED_FOR_GOOD: St.CLOSED,
        In.IN_DOUBT: St.CLOSED,
        In.RECEIPT: St.CLOSED,
        In.ANSWER_RECORDED: St.CLOSED,
        In.REVISED: St.CLOSED,
        In.EVENT_WITHDRAWN: St.CLOSED,
        In.FALSE_ALARM: St.STANDING_DOWN,
    },
}
"""State, then input, then the next state. A closed case still hears late outcomes and answers, and one correction."""


def next_state(state: St, happened: In) -> St:
    """Return the state that follows.

    Parameters
    ----------
    state : CaseState
    happened : CaseInput

    Returns
    -------
    CaseState

    Raises
    ------
    LadderError
        If the table does not list the pair.

    Examples
    --------
    >>> str(next_state(St.AWAITING, In.ACKNOWLEDGED))
    'acknowledged'
    >>> next_state(St.CLOSED, In.WORSE_CONDUCT)
    Traceback (most recent call last):
    ...
    tocsin.errors.LadderError: a closed case cannot take worse_conduct; it takes ...
    """
    listed = TRANSITIONS[state]
    if happened not in listed:
        raise LadderError(f"a {state} case cannot take {happened}; it takes {', '.join(sorted(listed))}")
    return listed[happened]


def picture() -> str:
    """Return the table as a Mermaid state diagram: one arrow for each pair of states, inputs that stay left out."""
    return diagram(TRANSITIONS, St.NOTICED, St.CLOSED)


def table_markdown() -> str:
    """Return the whole table in Markdown: a row for each input, a column for each state, empty where not listed."""
    head = "| input | " + " | ".join(St) + " |"
    rule = "| --- |" + " --- |" * len(St)
    rows = [
        f"| `{happened}` | " + " | ".join(str(TRANSITIONS[state].get(happened, "")) for state in St) + " |"
        for happened in In
    ]
    return "\n".join([head, rule, *rows])
