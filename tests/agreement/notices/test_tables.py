"""The two tables: every pair is listed or raises, nothing goes beyond *in*, and the words hold nothing of leave."""

import re
from enum import StrEnum
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.agreement.notices import receipts, standing, words
from tocsin.agreement.notices.receipts import HERE, OPEN, LineInput, LineState, next_line
from tocsin.agreement.notices.standing import Standing, Turn, next_standing
from tocsin.agreement.notices.words import NoticeError

ROOT = Path(__file__).parents[3]
LEAVE = re.compile(r"approv|\bclear(ed|ance)\b|grant|permit(?!_)|authori[sz]", re.IGNORECASE)
"""Words that would make a notice a request: `permit` too, which no text about notices needs."""


@pytest.mark.parametrize(("state", "happened"), list(product(LineState, LineInput)))
def test_every_pair_of_the_receipt_table_is_listed_or_raises(state, happened):
    if happened in receipts.TRANSITIONS[state]:
        assert next_line(state, happened) in LineState
    else:
        with pytest.raises(NoticeError, match=f"{state} cannot take {happened}"):
            next_line(state, happened)


@pytest.mark.parametrize(("state", "turn"), list(product(Standing, Turn)))
def test_every_pair_of_the_standing_table_is_listed_or_raises(state, turn):
    if turn in standing.TRANSITIONS[state]:
        assert next_standing(state, turn) in Standing
    else:
        with pytest.raises(NoticeError, match=f"{state} cannot be {turn}"):
            next_standing(state, turn)


@given(st.lists(st.sampled_from(LineInput), max_size=30))
def test_a_receipt_that_came_stays_and_one_that_did_not_come_is_never_here(inputs):
    state, came = LineState.AWAITED, False
    for happened in inputs:
        if happened not in receipts.TRANSITIONS[state]:
            continue
        before, state = state, next_line(state, happened)
        came = came or happened in (LineInput.CAME, LineInput.CAME_LATE)
        assert (state in HERE) == came
        assert not (before in HERE and state not in HERE)
        assert not (before not in OPEN and state in OPEN), "what is settled is never awaited again"


@given(st.lists(st.sampled_from(Turn), max_size=20))
def test_only_an_expired_notice_stands_again_and_a_withdrawn_one_takes_no_turn(turns):
    state = Standing.STANDING
    for turn in turns:
        before = state
        state = standing.TRANSITIONS[state].get(turn, state)
        if state is Standing.STANDING:
            assert before in (Standing.STANDING, Standing.EXPIRED)
        if before is Standing.WITHDRAWN:
            assert state is Standing.WITHDRAWN


def test_pictures_name_every_state():
    for module, states in ((receipts, LineState), (standing, Standing)):
        assert all(state in module.picture() for state in states)


def test_no_word_of_any_list_means_leave():
    lists = [v for m in (words, receipts, standing) for v in vars(m).values() if isinstance(v, type)]
    for kind in lists:
        if issubclass(kind, StrEnum):
            assert not [word for word in kind if LEAVE.search(word)]


def test_no_source_or_page_about_notices_says_leave():
    """`ack_is_permission` is the agreement's key, and must be false; every other such word is a fault."""
    sources = [
        *(ROOT / "src/tocsin/agreement/notices").rglob("*.py"),
        *(ROOT / "src/tocsin/watch" / name for name in ("conformance.py", "excursion.py", "noted.py", "notified.py")),
        ROOT / "src/tocsin/cli/notice.py",
        ROOT / "docs/format/notice.md",
        ROOT / "docs/guide/notices.md",
    ]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in sources
        for match in LEAVE.finditer(path.read_text().replace("ack_is_permission", ""))
    ]
    assert not found
