"""Replies by token: what counts, and every refusal with its reason; end to end through the ladder."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.warn.stories import T0, S, Walk, cable, event

from tocsin.canon import canonical_bytes
from tocsin.warn.answers.reply import REPLY_LIMIT, read_reply
from tocsin.warn.answers.token import Bound, answer_digest, make_token
from tocsin.warn.desk import step
from tocsin.warn.docket import Docket, Playbooks
from tocsin.warn.inputs import Answer, Found, Rejected
from tocsin.warn.states import AnswerKind, Disposition
from tocsin.warn.telling import Message
from tocsin.watch.event import EventKind

KEY = bytes(range(32))


def message() -> Message:
    return Walk().found(event(EventKind.APPROACH)).messages[1]


def reply(about: Message, **changes: Any) -> bytes:
    fields = {"token": make_token(KEY, Bound.to(about)), "who": "A. Mate", "what": "acknowledged", "text": "heard"}
    return canonical_bytes(fields | changes)


def read(raw: bytes, now_us: int = T0 + S, **more: Any) -> Answer | Rejected:
    return read_reply(raw, key=KEY, now_us=now_us, channel=None, source="mqtt replies", **more)


def why(found: Answer | Rejected) -> str:
    """Return why a reply counts for nothing; empty if it may count."""
    return found.reason if isinstance(found, Rejected) else found.refused


def test_reply_is_an_answer_of_the_party_the_token_was_given_to() -> None:
    about = message()
    found = read(reply(about))
    assert isinstance(found, Answer)
    assert (found.party, found.channel, found.message_id) == (about.recipient, about.channel, about.message_id)
    assert (found.who, found.kind, found.text, found.at_us) == ("A. Mate", AnswerKind.ACKNOWLEDGED, "heard", T0 + S)


def test_desk_counts_a_reply_once_answers_it_again_the_same_and_refuses_another_by_the_same_token() -> None:
    playbooks = Playbooks([cable()])
    docket, decided = step(Docket(), [Found(event=event(EventKind.APPROACH))], T0, playbooks=playbooks)
    about = decided.sends[1].message
    ends = []
    for at_s, changes in ((30, {}), (40, {}), (50, {"text": "other"}), (60, {"token": "Z3Vlc3M.Z3Vlc3M"})):
        found = read(reply(about, **changes), T0 + at_s * S)
        assert isinstance(found, Answer)
        docket, decided = step(docket, [found], T0 + at_s * S, playbooks=playbooks)
        ends.append(decided.answered[0].disposition)
    assert ends == [Disposition.COUNTED, Disposition.COUNTED, Disposition.REFUSED, Disposition.REFUSED]
    (case,) = docket.cases.values()
    assert len(case.acknowledgements) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token": "guess.ed"}, "token malformed"),
        ({"token": "Z3Vlc3M.Z3Vlc3M"}, "token forged"),
        ({"who": ""}, "expected a name"),
        ({"who": "\u202e\r\n"}, "expected a name"),
        ({"who": "x" * 201}, "expected a name"),
        ({"who": 7}, "expected text"),
        ({"what": "permitted"}, "what: found 'permitted', expected delivered, read"),
        ({"party": "authority"}, "expected an object with"),
        ({"text": "x" * 20_001}, "words of 20,000"),
    ],
)
def test_wrong_reply_is_refused_with_its_reason_and_without_its_token(changes: dict[str, Any], reason: str) -> None:
    found = read(reply(message(), **changes))
    assert reason in why(found)
    assert make_token(KEY, Bound.to(message())) not in str(found)


def test_reply_by_another_channel_late_or_with_other_words_is_refused() -> None:
    about = message()
    other = read_reply(reply(about), key=KEY, now_us=T0, channel="desk_mail", source="nats")
    assert why(other) == "token other_channel"
    late = read(reply(about), Bound.to(about).expires_us)
    assert why(late) == "token expired"
    spent = {about.message_id: answer_digest("A. Mate", "acknowledged", "heard")}
    assert why(read(reply(about), spent=spent)) == ""
    replayed = read(reply(about, text="something else"), spent=spent)
    assert why(replayed) == "token replayed"


@given(st.binary(max_size=400))
def test_no_bytes_raise_or_answer(raw: bytes) -> None:
    assert isinstance(read(raw), Rejected)


def test_reply_that_is_too_long_is_not_read() -> None:
    found = read(b" " * (REPLY_LIMIT + 1))
    assert isinstance(found, Rejected)
    assert "expected at most" in found.reason
