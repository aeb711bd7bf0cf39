"""Who is told of an overdue receipt: in the languages of the channel, and on the next one when one is given up."""

from __future__ import annotations

import pytest
from tests.station.walks import START, WRITTEN
from tests.warn.stories import S

from tocsin.agreement.compile import compile_playbook
from tocsin.agreement.load import parse
from tocsin.agreement.notices.held import Fact
from tocsin.agreement.notices.words import FactKind, Receipt
from tocsin.agreement.playbook import Playbook
from tocsin.station.core.keeping import FEW_ATTEMPTS, RETRY_US, Keeping
from tocsin.station.core.overdue import channels_to, tell_overdue
from tocsin.warn.inputs import Reported
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Outcome
from tocsin.warn.templates import PHRASES

CHANNELS = """
  - {id: mail, kind: mail, to: [watch, authority], languages: [fr, en], backup: phone}
  - {id: radio, kind: vhf, to: [vessel]}
  - {id: desk, kind: web, to: [watch]}
  - {id: phone, kind: phone, between: [watch, authority], languages: [ar]}
"""
ABOUT = ("F-1", "authority")


def playbook() -> Playbook:
    """Return the ladder of the tests with these channels."""
    text = WRITTEN.text.decode()
    begin, end = text.index("channels:"), text.index("ladder:")
    return compile_playbook(parse(f"{text[:begin]}channels:{CHANNELS}{text[end:]}"))


def overdue(receipt: Receipt = Receipt.READ, *tell: str) -> Fact:
    """Return the fact that a receipt did not come."""
    detail = {"receipt": str(receipt), "unit": None if receipt is Receipt.RECEIVED else "unit_12"}
    return Fact(
        kind=FactKind.OVERDUE, at_us=START, notice="F-1", party="authority", words="late", tell=tell or ("watch",),
        detail=detail,
    )  # fmt: skip


def ended(state: MessageState) -> Outcome:
    return Outcome(state=state, reason="test", transport="test")


def test_channels_to_a_party_are_the_agreements_own_in_order_each_backup_behind_its_channel() -> None:
    assert [channel.channel_id for channel in channels_to(playbook(), "watch")] == ["mail", "phone", "desk"]
    assert [channel.channel_id for channel in channels_to(playbook(), "nobody")] == []


@pytest.mark.parametrize("receipt", list(Receipt))
def test_words_are_in_the_languages_of_each_channel(receipt: Receipt) -> None:
    ((mail, phone, desk),), records = tell_overdue(overdue(receipt), playbook(), now_us=START)
    assert [mail.languages, phone.languages, desk.languages] == [("fr", "en"), ("ar",), ("en",)]
    french, english = mail.body.split("\n\n")
    assert french.startswith("Notification F-1 :") and english.startswith("Notice F-1:")
    assert all("2026-" in part for part in (french, english, phone.body, desk.body))
    assert ("unit_12" in desk.body) is (receipt is not Receipt.RECEIVED)
    assert len({mail.message_id, phone.message_id, desk.message_id}) == 3
    assert [record.payload["channel"] for record in records] == ["mail"]


def test_every_language_says_each_receipt_with_what_is_put_in() -> None:
    for phrases in PHRASES.values():
        assert "{notice}" in phrases.overdue and phrases.owed.keys() == set(Receipt)
        assert all("{due}" in said for said in phrases.owed.values())
        assert all(("{unit}" in said) is (receipt is not Receipt.RECEIVED) for receipt, said in phrases.owed.items())


def test_message_that_is_given_up_goes_out_on_the_next_channel_and_the_record_says_so() -> None:
    (ways,), _ = tell_overdue(overdue(), playbook(), now_us=START)
    keeping, now_us, sent, told = Keeping(), START, [], []
    _, sends, _ = keeping.step((), (), (), now_us, overdue=[(ABOUT, ways)])
    for state in (
        *[MessageState.FAILED_FOR_NOW] * FEW_ATTEMPTS,
        MessageState.FAILED_FOR_GOOD,
        MessageState.HANDED_OVER,
    ):
        (send,) = sends
        sent.append((send.message.channel, send.number))
        report = Reported(message_id=send.message.message_id, number=send.number, outcome=ended(state))
        assert keeping.takes(report)
        _, sends, records = keeping.step((), (), (report,), now_us)
        told += [(r.payload["fact"], r.payload.get("channel") or r.payload["outcome"]) for r in records]
        if not sends:
            now_us += max(RETRY_US)
            _, sends, _ = keeping.step((), (), (), now_us)
    assert sent == [*(("mail", number) for number in range(1, FEW_ATTEMPTS + 1)), ("phone", 1), ("desk", 1)]
    assert told == [
        ("told", "failed_for_now"), ("message", "phone"), ("told", "failed_for_good"), ("message", "desk"),
        ("told", "handed_over"),
    ]  # fmt: skip
    assert not keeping.tellings and not sends and now_us > START + S


def test_message_that_is_out_goes_no_further() -> None:
    (ways,), _ = tell_overdue(overdue(), playbook(), now_us=START)
    keeping = Keeping()
    _, (send,), _ = keeping.step((), (), (), START, overdue=[(ABOUT, ways)])
    report = Reported(message_id=send.message.message_id, number=1, outcome=ended(MessageState.DELIVERED))
    _, sends, _ = keeping.step((), (), (report,), START)
    assert not sends and not keeping.tellings
