"""The table: every pair walked, its shape, and the words that must never stand in any list."""

from __future__ import annotations

import enum
import inspect
import re
from itertools import product

import pytest

from tocsin.errors import LadderError
from tocsin.warn import dispatch, states
from tocsin.warn.ladder import TRANSITIONS, next_state
from tocsin.warn.states import CaseInput, CaseState
from tocsin.warn.table import picture, table_markdown

PAIRS = sorted(product(CaseState, CaseInput))


@pytest.mark.parametrize(("state", "happened"), PAIRS, ids=str)
def test_every_pair_is_listed_or_refused_with_what_would_have_been_taken(state: CaseState, happened: CaseInput) -> None:
    if happened in TRANSITIONS[state]:
        assert next_state(state, happened) in CaseState
        return
    with pytest.raises(LadderError, match=f"a {state} case cannot take {happened}; it takes "):
        next_state(state, happened)


def test_every_input_is_taken_somewhere() -> None:
    taken = {happened for listed in TRANSITIONS.values() for happened in listed}
    assert taken == set(CaseInput)


def test_every_state_can_be_reached_and_can_end() -> None:
    def reach(start: CaseState) -> set[CaseState]:
        seen, todo = {start}, [start]
        while todo:
            for target in TRANSITIONS[todo.pop()].values():
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        return seen

    assert reach(CaseState.NOTICED) == set(CaseState)
    assert all(CaseState.CLOSED in reach(state) for state in CaseState)


def test_worse_conduct_is_taken_in_every_state_that_is_not_over_whatever_was_acknowledged() -> None:
    over = {CaseState.STANDING_DOWN, CaseState.CLOSED}
    for state in CaseState:
        assert (TRANSITIONS[state].get(CaseInput.WORSE_CONDUCT) is CaseState.AWAITING) == (state not in over)


def test_only_a_false_alarm_leaves_closed() -> None:
    leaving = {happened for happened, target in TRANSITIONS[CaseState.CLOSED].items() if target is not CaseState.CLOSED}
    assert leaving == {CaseInput.FALSE_ALARM}


def test_no_silence_ever_leads_to_acknowledged() -> None:
    for listed in TRANSITIONS.values():
        to_acknowledged = {happened for happened, target in listed.items() if target is CaseState.ACKNOWLEDGED}
        arriving = to_acknowledged - set(TRANSITIONS[CaseState.ACKNOWLEDGED])
        assert arriving <= {CaseInput.ACKNOWLEDGED}


def test_no_word_of_any_list_means_leave() -> None:
    leave = re.compile(r"permit|clear(ed|ance)|grant|authori[sz]|approv|accept|consent|allow", re.I)
    lists = [
        kind
        for module in (states, dispatch)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, enum.StrEnum)
    ]
    assert len(lists) >= 9, "the lists of words were not found"
    words = [str(word) for kind in lists for word in kind]
    assert not [word for word in words if leave.search(word)]


def test_picture_shows_every_pair_of_states_that_the_table_joins() -> None:
    drawn = set(re.findall(r"^    (\w+) --> (\w+): ", picture(), re.MULTILINE))
    joined = {
        (str(state), str(target))
        for state, listed in TRANSITIONS.items()
        for target in listed.values()
        if target is not state
    }
    assert drawn == joined


def test_table_in_words_has_a_row_for_every_input() -> None:
    assert table_markdown().count("\n") == len(CaseInput) + 1
