"""Entries: what is decided, as entries of the record, each for those whom the agreement lets see it.

Implements `routing` (docs/format: routing) by asking `agreement/visible.py`; what no party may see is the keeper's
alone. The same for a replay and for the live station. It writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tocsin.agreement.model import Agreement
from tocsin.agreement.notices.consent import recipients
from tocsin.agreement.notices.register import Register
from tocsin.agreement.terms.state import given
from tocsin.agreement.visible import Policy, Sort, Thing, seers
from tocsin.agreement.watchlist import Conduct
from tocsin.record.envelope import EVERYBODY
from tocsin.record.leaf import Entry, EntryKind
from tocsin.units import parse_instant_us
from tocsin.warn.facts import FactKind
from tocsin.watch.event import Event, EventKind

KEEPER = frozenset({"keeper"})
"""The audience of what the agreement lets no party see: whoever keeps the record has it, and nobody else."""

CONDUCT = {
    EventKind.FIRST_SEEN_INSIDE: "entry",
    EventKind.ZONE_BEGAN: "entry",
    EventKind.ZONE_ENDED: "exit",
    EventKind.ZONE_CHANGED: "entry",
    EventKind.APPROACH_ENDED: "approach",
    EventKind.GAP_ENDED: "gap",
    EventKind.BUILDUP: "build_up",
}
"""The routing's word for events whose kind it does not name itself."""

FACTS = {
    FactKind.CASE_OPENED: EntryKind.CASE_STEP,
    FactKind.CASE_STEP: EntryKind.CASE_STEP,
    FactKind.MUTE: EntryKind.CASE_STEP,
    FactKind.MESSAGE: EntryKind.MESSAGE,
    FactKind.ATTEMPT: EntryKind.ATTEMPT,
    FactKind.OUTCOME: EntryKind.ATTEMPT,
    FactKind.REFUSED: EntryKind.ATTEMPT,
    FactKind.ACKNOWLEDGEMENT: EntryKind.ACKNOWLEDGEMENT,
}
"""The kind of log entry of each kind of fact."""


NOTICE = "notice"
"""`kind` of the facts that are about notices."""

HEALTH = "health"
"""`kind` of the facts that are about the station itself."""


def kept(entry: Entry) -> Entry:
    """Return the entry, the keeper's alone if nobody else may see it."""
    return entry if entry.audience else replace(entry, audience=KEEPER)


def version_entry(agreement: Agreement, *, at_us: int) -> Entry:
    """Return the entry of an agreement version: for all its parties."""
    parties = frozenset(party.id for party in given(agreement.parties) or ()) or frozenset({EVERYBODY})
    text = agreement.document.root.plain()
    version = {"id": agreement.id, "version": given(agreement.version), "sha256": agreement.digest.hex(), "text": text}
    return Entry(kind=EntryKind.AGREEMENT_VERSION, at_us=at_us, audience=parties, payload=version)


def counts_entry(policy: Policy, counts: Any, *, at_us: int, until_us: int) -> Entry:
    """Return the entry of counters, for those who may see counts up to a time."""
    told = seers(policy, thing=Thing(sort=Sort.COUNT, at_us=until_us), now_us=until_us)
    return Entry(kind=EntryKind.COUNTS, at_us=at_us, audience=told, payload=counts)


def event_entries(policy: Policy, events: Iterable[Event], *, at_us: int | None = None) -> Iterator[Entry]:
    """Yield the entries of events, at a time or at the time each became known."""
    for event in events:
        when_us = event.known_us if at_us is None else at_us
        thing = Thing(
            sort=Sort.EVENT,
            at_us=event.known_us,
            party=event.party,
            conduct=Conduct(CONDUCT.get(event.kind, event.kind)),
        )
        told = seers(policy, thing=thing, now_us=when_us)
        yield Entry(kind=EntryKind.EVENT, at_us=when_us, audience=told or KEEPER, payload=event.as_json())


class NoticeTold(Struct, frozen=True, kw_only=True):
    """One thing that is told of a notice.

    Attributes
    ----------
    notice_id : str or None
    party : str
        Whose it is.
    tell : tuple of str
        Parties that are told, besides those that may see the notice.
    payload : dict
    """

    notice_id: str | None
    party: str
    tell: tuple[str, ...]
    payload: dict[str, Any]


def notice_entry(register: Register, policy: Policy, told: NoticeTold, *, at_us: int) -> Entry:
    """Return the entry of what is told of a notice."""
    audience = notice_audience(register, policy, notice_id=told.notice_id, party=told.party, at_us=at_us)
    return Entry(kind=EntryKind.NOTICE, at_us=at_us, audience=audience | set(told.tell), payload=told.payload)


def notice_audience(
    register: Register, policy: Policy, *, notice_id: str | None, party: str, at_us: int
) -> frozenset[str]:
    """Return who may read what happened to a notice: its giver, and whom giver and routing both let see it."""
    held = register.held.get(notice_id or "")
    if held is None:
        return frozenset({party})
    may = recipients(held, register.rules, now_us=at_us)
    thing = Thing(sort=Sort.NOTICE, at_us=at_us, party=party, notice=str(held.notice.rule), consented=may)
    return seers(policy, thing=thing, now_us=at_us) | {party}


def fact_entries(policy: Policy, parties: frozenset[str], facts: Iterable[dict[str, Any]]) -> Iterator[Entry]:
    """Yield facts, each for those who may see such a thing and for whom it was said to or by."""
    for fact in facts:
        at_us = parse_instant_us(fact["at"])
        if fact["kind"] == HEALTH:
            told = seers(policy, thing=Thing(sort=Sort.ENTRY, at_us=at_us), now_us=at_us)
            yield Entry(kind=EntryKind.HEALTH, at_us=at_us, audience=told or KEEPER, payload=fact)
            continue
        kind = FACTS[FactKind(fact["kind"])]
        sort = Sort.CASE if kind is EntryKind.CASE_STEP else Sort.MESSAGE
        told = seers(policy, thing=Thing(sort=sort, at_us=at_us, level=fact.get("level")), now_us=at_us)
        spoken_to = parties & {fact.get("recipient"), fact.get("party")}
        yield Entry(kind=kind, at_us=at_us, audience=told | spoken_to or KEEPER, payload=fact)
