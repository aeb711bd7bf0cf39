"""The chronicle of a replay: everything decided, as entries of the record, in the order in which it became known.

Who may is read from the routing of the version in force when it became known; where that is silent nobody may, and the
entry is the keeper's alone. What one entry is, `core/entries.py` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tocsin.agreement.versions.signatures import Signed
from tocsin.agreement.visible import Sort, Thing, seers
from tocsin.incident.book import ClaimBook
from tocsin.record.leaf import Entry, EntryKind
from tocsin.station.core.entries import (
    NoticeTold,
    counts_entry,
    event_entries,
    fact_entries,
    kept,
    notice_audience,
    notice_entry,
    version_entry,
)
from tocsin.station.replay.chapters import Chapter, chapter_at
from tocsin.tracks.archive import Archive
from tocsin.units import parse_instant_us
from tocsin.warn.dispatch import WarnResult
from tocsin.watch.event import Event
from tocsin.watch.notified import Notified


def entries_of(
    chapters: Sequence[Chapter],
    *,
    archive: Archive,
    events: Sequence[Event],
    warned: WarnResult,
    notified: Notified | None,
    overdue: Sequence[tuple[int, NoticeTold]],
    signatures: Iterable[Signed],
    book: ClaimBook | None,
) -> list[Entry]:
    """Return the entries of a replay, in the order in which things became known.

    Parameters
    ----------
    chapters : sequence of Chapter
        The versions in force, in order of time, one or more.
    archive : Archive
    events : sequence of Event
    warned : WarnResult
    notified : Notified or None
    overdue : sequence of (int, NoticeTold)
        What parties were told of receipts that did not come in time, and when.
    signatures : iterable of Signed
        Verified, each about one of the versions.
    book : ClaimBook or None
    """
    end_us = max([0, *(event.known_us for event in events)])
    known = [
        *_version_entries(chapters),
        *_signature_entries(chapters, signatures),
        *_event_entries(chapters, events),
        *_fact_entries(chapters, warned),
        *(_notice_entries(chapters, notified) if notified else ()),
        *(_overdue_entries(chapters, notified, overdue) if notified else ()),
    ]
    # sorted() keeps the order of equals: a version and its signatures stand before what they gave rise to
    known.sort(key=lambda entry: entry.at_us)
    counts = {Path(name).name: counted.as_json() for name, counted in archive.counts.items()}
    told = counts_entry(chapters[-1].policy, counts, at_us=0, until_us=end_us)
    first = sum(entry.at_us <= 0 for entry in known)
    entries = [*known[:first], told, *known[first:], *_claim_entries(chapters, book, end_us)]
    return [kept(entry) for entry in entries]


def _version_entries(chapters: Sequence[Chapter]) -> Iterator[Entry]:
    for number, chapter in enumerate(chapters):
        yield version_entry(chapter.agreement, at_us=(chapter.from_us or 0) if number else 0)


def _signature_entries(chapters: Sequence[Chapter], signatures: Iterable[Signed]) -> Iterator[Entry]:
    """Yield what parties said, signed, about a version: for all of its parties, who signed one text together."""
    by_digest = {chapter.agreement.digest.hex(): chapter for chapter in chapters}
    for signed in signatures:
        chapter = by_digest.get(signed.statement.digest, chapters[-1])
        at_us = signed.statement.at_us
        yield Entry(kind=EntryKind.SIGNATURE, at_us=at_us, audience=chapter.everybody, payload=signed.as_json())


def _event_entries(chapters: Sequence[Chapter], events: Iterable[Event]) -> Iterator[Entry]:
    by_version = {chapter.watchlist.version: chapter.policy for chapter in chapters}
    for event in events:
        yield from event_entries(by_version[event.agreement_version], [event])


def _fact_entries(chapters: Sequence[Chapter], warned: WarnResult) -> Iterator[Entry]:
    for fact in warned.facts:
        chapter = chapter_at(chapters, parse_instant_us(fact["at"]))
        yield from fact_entries(chapter.policy, chapter.parties, [fact])


def _notice_entries(chapters: Sequence[Chapter], notified: Notified) -> Iterator[Entry]:
    """Yield what happened to notices and how their tracks kept to them, each for those who may be shown the notice."""
    register = notified.register

    def told(notice_id: str | None, at_us: int, party: str) -> frozenset[str]:
        policy = chapter_at(chapters, at_us).policy
        return notice_audience(register, policy, notice_id=notice_id, party=party, at_us=at_us)

    for fact in register.facts:
        audience = told(fact.notice, fact.at_us, fact.party) | set(fact.tell)
        yield Entry(kind=EntryKind.NOTICE, at_us=fact.at_us, audience=audience, payload=fact.as_json())
    for flown in notified.conformance:
        payload = {"fact": "conformance", **flown.as_json()}
        audience = told(flown.notice_id, flown.until_us, flown.party)
        yield Entry(kind=EntryKind.NOTICE, at_us=flown.until_us, audience=audience, payload=payload)


def _overdue_entries(
    chapters: Sequence[Chapter], notified: Notified, overdue: Iterable[tuple[int, NoticeTold]]
) -> Iterator[Entry]:
    for at_us, told in overdue:
        yield notice_entry(notified.register, chapter_at(chapters, at_us).policy, told, at_us=at_us)


def _claim_entries(chapters: Sequence[Chapter], book: ClaimBook | None, at_us: int) -> Iterator[Entry]:
    told = seers(chapters[-1].policy, thing=Thing(sort=Sort.CLAIM, at_us=at_us), now_us=at_us)
    for claim in book.claims if book else ():
        yield Entry(kind=EntryKind.CLAIM, at_us=at_us, audience=told, payload=claim.as_json())
