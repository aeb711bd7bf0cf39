"""Tokens: ten thousand ways of being wrong, each with its name, and the one that is right (FAULTS 48, 49)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.warn.stories import T0, S, Walk, event

from tocsin.warn.answers.token import (
    LIFETIME_S,
    TOKEN_LIMIT,
    Bound,
    Good,
    Refused,
    TokenRefusal,
    answer_digest,
    check_token,
    make_token,
    receipt_code,
)
from tocsin.watch.event import EventKind

KEY = bytes(range(32))
MESSAGE = Walk().found(event(EventKind.APPROACH)).messages[1]
BOUND = Bound.to(MESSAGE)
TOKEN = make_token(KEY, BOUND)
SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


def why(token: str, now_us: int = T0, key: bytes = KEY, **claimed: str) -> TokenRefusal | None:
    judged = check_token(token, key, now_us, **claimed)
    return judged.why if isinstance(judged, Refused) else None


def test_token_is_good_for_what_it_is_bound_to_and_the_same_at_every_attempt() -> None:
    assert check_token(TOKEN, KEY, T0) == Good(bound=BOUND)
    assert (BOUND.case_id, BOUND.message_id) == (MESSAGE.case_id, MESSAGE.message_id)
    assert (BOUND.party, BOUND.channel) == (MESSAGE.recipient, MESSAGE.channel)
    assert make_token(KEY, Bound.to(MESSAGE)) == TOKEN
    assert set(TOKEN) <= set(SAFE)


def test_ten_thousand_changes_of_one_valid_token_are_refused() -> None:
    dice = random.Random(49)
    seen = set()
    for _ in range(10_000):
        at = dice.randrange(len(TOKEN))
        change = dice.choice(("swap", "drop", "add", "cut", "case"))
        if change == "swap":
            wrong = TOKEN[:at] + dice.choice(SAFE) + TOKEN[at + 1 :]
        elif change == "drop":
            wrong = TOKEN[:at] + TOKEN[at + 1 :]
        elif change == "add":
            wrong = TOKEN[:at] + dice.choice(SAFE + "= \n") + TOKEN[at:]
        elif change == "cut":
            wrong = TOKEN[:at]
        else:
            wrong = TOKEN[:at] + TOKEN[at:].swapcase()
        if wrong != TOKEN:
            seen.add(why(wrong))
    assert seen == {TokenRefusal.FORGED, TokenRefusal.MALFORMED}


@given(st.text(max_size=300))
def test_no_guess_is_good_or_raises(text: str) -> None:
    assert why(text) in {TokenRefusal.MALFORMED, TokenRefusal.FORGED}


def test_each_way_of_being_wrong_has_its_name() -> None:
    late = BOUND.expires_us
    assert why(TOKEN, late - 1) is None
    assert why(TOKEN, late) is TokenRefusal.EXPIRED
    assert late == MESSAGE.queued_us + LIFETIME_S * S
    assert why(TOKEN, key=bytes(32)) is TokenRefusal.FORGED
    assert why(TOKEN, message_id="0" * 32) is TokenRefusal.OTHER_MESSAGE
    assert why(TOKEN, party="authority") is TokenRefusal.OTHER_PARTY
    assert why(TOKEN, channel="desk_mail") is TokenRefusal.OTHER_CHANNEL
    assert why("x" * (TOKEN_LIMIT + 1)) is TokenRefusal.MALFORMED
    assert why("") is TokenRefusal.MALFORMED


def test_token_of_another_party_channel_or_message_does_not_pass_for_this_one() -> None:
    for other in (replace(BOUND, party="authority"), replace(BOUND, channel="x"), replace(BOUND, message_id="y")):
        head, _, _ = make_token(KEY, other).partition(".")
        assert why(f"{head}.{TOKEN.partition('.')[2]}") is TokenRefusal.FORGED


def test_same_answer_again_is_answered_the_same_and_another_is_a_replay() -> None:
    first = answer_digest("A. Mate", "acknowledged", "heard you")
    again = check_token(TOKEN, KEY, T0, answer=first, spent=first)
    assert again == Good(bound=BOUND, is_same_again=True)
    assert check_token(TOKEN, KEY, BOUND.expires_us, answer=first, spent=first) == again, "a retry may come late"
    other = answer_digest("A. Mate", "acknowledged", "heard you not")
    assert why(TOKEN, answer=other, spent=first) is TokenRefusal.REPLAYED


def test_receipt_code_is_another_thing_than_a_token() -> None:
    assert receipt_code(KEY, MESSAGE) not in TOKEN
    assert receipt_code(KEY, MESSAGE) != receipt_code(KEY, replace(MESSAGE, recipient="authority"))
    assert len(receipt_code(KEY, MESSAGE)) == 32


def test_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least 32"):
        make_token(b"short", BOUND)
