"""Overdue: the messages by which a party hears that a receipt of a notice did not come in time.

Implements AGREEMENT NOT-02 and SEMANTICS §3.5 (a sender must be told who was not reached): whoever the register names
is told once, in the languages of the first of the agreement's channels that ends at them, and on the next one if that
is given up; where none does, that is recorded. The same for a replay and for the live station. Whether such a message
came is `keeping.py`'s.
"""

from __future__ import annotations

from typing import Any

from tocsin.agreement.notices.held import Fact
from tocsin.agreement.notices.words import FactKind, Receipt
from tocsin.agreement.playbook import Channel, Playbook
from tocsin.ids import stable_id
from tocsin.station.core.entries import NoticeTold
from tocsin.station.core.own_message import own_message
from tocsin.units import format_instant
from tocsin.warn.message import neutral
from tocsin.warn.telling import Message, Outcome
from tocsin.warn.templates import phrases_for

About = tuple[str | None, str]
"""A notice's id, and whose it is."""


def tell_overdue(fact: Fact, playbook: Playbook, *, now_us: int) -> tuple[list[tuple[Message, ...]], list[NoticeTold]]:
    """Return the messages that a fact about a notice calls for, and what the record has of them.

    Parameters
    ----------
    fact : Fact
        Calls for none unless a receipt is overdue.
    playbook : Playbook
        Of the version in force.
    now_us : int

    Returns
    -------
    messages : list of tuple of Message
        For each recipient the one to send, and those to send if the one before it is given up, one a channel.
    records : list of NoticeTold
    """
    messages: list[tuple[Message, ...]] = []
    records: list[NoticeTold] = []
    for party in fact.tell if fact.kind is FactKind.OVERDUE else ():
        channels = channels_to(playbook, party)
        if not channels:
            words = f"{neutral(party)} was not told: no channel of the agreement ends at it."
            records.append(_record(fact.notice, fact.party, party, {"fact": "not_told", "words": words}))
            continue
        ways = tuple(_message(fact, party, channel, playbook, now_us) for channel in channels)
        messages.append(ways)
        records.append(message_record((fact.notice, fact.party), ways[0]))
    return messages, records


def channels_to(playbook: Playbook, party: str) -> tuple[Channel, ...]:
    """Return an agreement's channels that end at a party, in its order, each one's backup right behind it."""
    ending = {name: channel for name, channel in playbook.channels.items() if party in channel.to}
    ordered: dict[str, Channel] = {}
    for name, channel in ending.items():
        ordered.setdefault(name, channel)
        if channel.backup in ending:
            ordered.setdefault(channel.backup, ending[channel.backup])
    return tuple(ordered.values())


def message_record(about: About, message: Message) -> NoticeTold:
    """Return what the record has of a message about a notice that is now sent."""
    told = {"fact": "message", "message": message.message_id, "channel": message.channel}
    return _record(*about, message.recipient, told)


def outcome_record(about: About, message: Message, outcome: Outcome) -> NoticeTold:
    """Return what the record has of how a message about a notice ended."""
    told = {"fact": "told", "message": message.message_id, "outcome": str(outcome.state), "reason": outcome.reason}
    (notice, party), to = about, message.recipient
    return NoticeTold(notice_id=notice, party=party, tell=(to,), payload={**told, "notice": notice, "to": to})


def _message(fact: Fact, party: str, channel: Channel, playbook: Playbook, now_us: int) -> Message:
    parts = (str(fact.detail.get("receipt")), str(fact.detail.get("unit")), party, channel.channel_id)
    tongues = phrases_for(channel.languages, otherwise=playbook.language)
    receipt, unit = Receipt(fact.detail["receipt"]), neutral(str(fact.detail.get("unit") or ""))
    notice, due = neutral(str(fact.notice)), format_instant(fact.at_us)
    heads = [phrases.overdue.format(notice=notice) for phrases in tongues]
    said = [phrases.owed[receipt].format(unit=unit, due=due) for phrases in tongues]
    return own_message(
        stable_id("overdue", fact.notice, *parts, fact.at_us),
        channel=channel.channel_id,
        recipient=party,
        subject=heads[0],
        body="\n\n".join(f"{head}.\n{line}" for head, line in zip(heads, said, strict=True)),
        now_us=now_us,
        languages=tuple(phrases.language for phrases in tongues),
    )


def _record(notice: str | None, of: str, to: str, told: dict[str, Any]) -> NoticeTold:
    return NoticeTold(notice_id=notice, party=of, tell=(to,), payload={**told, "notice": notice, "to": to})
