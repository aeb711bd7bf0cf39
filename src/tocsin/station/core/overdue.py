"""Overdue: the messages by which a party hears that a receipt of a notice did not come in time.

Implements AGREEMENT NOT-02 and SEMANTICS §3.5 (a sender must be told who was not reached): whoever the register names
is told once, on the first of the agreement's channels that ends at them; where none does, that is recorded. The same
for a replay and for the live station. Whether such a message came is `keeping.py`'s.
"""

from __future__ import annotations

from typing import Any

from tocsin.agreement.notices.held import Fact
from tocsin.agreement.notices.words import FactKind
from tocsin.agreement.playbook import Channel, Playbook
from tocsin.ids import stable_id
from tocsin.station.core.entries import NoticeTold
from tocsin.station.core.own_message import own_message
from tocsin.units import format_instant
from tocsin.warn.message import neutral
from tocsin.warn.telling import Message, Outcome

About = tuple[str | None, str]
"""A notice's id, and whose it is."""


def tell_overdue(fact: Fact, playbook: Playbook, *, now_us: int) -> tuple[list[Message], list[NoticeTold]]:
    """Return the messages that a fact about a notice calls for, and what the record has of them.

    Parameters
    ----------
    fact : Fact
        Calls for none unless a receipt is overdue.
    playbook : Playbook
        Of the version in force.
    now_us : int
    """
    messages: list[Message] = []
    records: list[NoticeTold] = []
    for party in fact.tell if fact.kind is FactKind.OVERDUE else ():
        channel = channel_to(playbook, party)
        if channel is None:
            words = f"{neutral(party)} was not told: no channel of the agreement ends at it."
            records.append(_record(fact, party, {"fact": "not_told", "words": words}))
            continue
        message = _message(fact, party, channel, now_us)
        told = {"fact": "message", "message": message.message_id, "channel": channel.channel_id}
        messages.append(message)
        records.append(_record(fact, party, told))
    return messages, records


def channel_to(playbook: Playbook, party: str) -> Channel | None:
    """Return the first of an agreement's channels that ends at a party; None if none does."""
    return next((channel for channel in playbook.channels.values() if party in channel.to), None)


def outcome_record(about: About, message: Message, outcome: Outcome) -> NoticeTold:
    """Return what the record has of how a message about a notice ended."""
    told = {"fact": "told", "message": message.message_id, "outcome": str(outcome.state), "reason": outcome.reason}
    (notice, party), to = about, message.recipient
    return NoticeTold(notice_id=notice, party=party, tell=(to,), payload={**told, "notice": notice, "to": to})


def _message(fact: Fact, party: str, channel: Channel, now_us: int) -> Message:
    parts = (str(fact.detail.get("receipt")), str(fact.detail.get("unit")), party)
    message_id = stable_id("overdue", fact.notice, *parts, fact.at_us)
    return own_message(
        message_id,
        channel=channel.channel_id,
        recipient=party,
        subject=f"Notice {neutral(str(fact.notice))}: a receipt is overdue",
        body=f"{neutral(fact.words, limit=500)}\nIt was due at {format_instant(fact.at_us)}.",
        now_us=now_us,
    )


def _record(fact: Fact, party: str, told: dict[str, Any]) -> NoticeTold:
    return NoticeTold(
        notice_id=fact.notice, party=fact.party, tell=(party,), payload={**told, "notice": fact.notice, "to": party}
    )
