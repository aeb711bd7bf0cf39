"""Amending: what a station's late reports change in what it has told, worked out from its reports alone.

A look takes every report of the tracks concerned, watches them again by every agreement version, each in its own time,
and compares the final events with those that were told. Tracks with late reports are looked at again when something
final is told of them, since the live watch goes on without what came late. Pure; `lookback.py` reads and hands over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from msgspec import Struct

from tocsin.clock import US_PER_S
from tocsin.station.core.handover import Seam
from tocsin.station.core.inputs import Corrected
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.order import canonical, content_hash
from tocsin.watch.corrections import amendments, final_events
from tocsin.watch.engine import KINDS_TOGETHER, Engine
from tocsin.watch.event import Event, EventKind, Revision

WITHIN_US = 7 * 86_400 * US_PER_S
"""How late a report may be and still be looked at, microseconds; a later one is kept and counted late for good."""

BEFORE_US = 86_400 * US_PER_S
"""How long before the first thing in doubt reports are watched again, microseconds: longer than the times that
agreements set for loitering, probing and gathering, so that what is remembered of a track is what it was."""


SOON_US = 60 * US_PER_S
"""How soon after a look the next one may be, where nothing was told meanwhile; microseconds."""


class Chapter(Struct, frozen=True, kw_only=True):
    """The watch of one agreement version, and its end.

    Attributes
    ----------
    engine : Engine
        In force for its own time only.
    until_us : int or None
        None for the last one.
    """

    engine: Engine
    until_us: int | None


class Doubt(Struct, frozen=True, kw_only=True):
    """What a look is to settle, as of one durable tick.

    Attributes
    ----------
    late : ReportBatch
        The oldest of those that wait to be looked at.
    since_us : mapping of str to int
        By track, from when on what was told of it is in doubt.
    watermark_us : int
        What was told before it is final.
    """

    late: ReportBatch
    since_us: Mapping[str, int]
    watermark_us: int


class Again:
    """Which tracks in doubt are to be looked at again, and when.

    At once when something final is told of one, since the live watch told it without what came late; and ever less
    often as the watermark goes on, since it may miss a visit altogether. A new one knows of no looks before it.
    """

    def __init__(self) -> None:
        self._next_us: dict[str, int] = {}
        self._soonest_us = -(2**62)

    def hear(self, tracks: Iterable[str], doubted: Collection[str]) -> None:
        """Take tracks of which something final was told by the live watch."""
        for track in tracks:
            if track in doubted:
                self._next_us[track] = self._soonest_us = -(2**62)

    def due(self, doubted: Mapping[str, tuple[int, int]], *, watermark_us: int) -> dict[str, int]:
        """Return the tracks that are due, and since when each is in doubt.

        Parameters
        ----------
        doubted : mapping of str to (int, int)
            As of `State.doubted`.
        watermark_us : int
        """
        if watermark_us < self._soonest_us and len(self._next_us) >= len(doubted):
            return {}
        return {
            track: since_us
            for track, (since_us, _) in doubted.items()
            if watermark_us >= self._next_us.get(track, watermark_us)
        }

    def looked(self, doubt: Doubt, doubted: Collection[str]) -> None:
        """Take it that these tracks are looked at now."""
        at_us = doubt.watermark_us
        self._next_us = {track: next_us for track, next_us in self._next_us.items() if track in doubted}
        for track, since_us in doubt.since_us.items():
            self._next_us[track] = at_us + max(SOON_US, (at_us - since_us) // 2)
        self._soonest_us = min(self._next_us.values(), default=-(2**62))


def doubt_of(late: ReportBatch, doubted: Mapping[str, int], *, watermark_us: int, now_us: int) -> Doubt:
    """Return what is in doubt.

    Parameters
    ----------
    late : ReportBatch
    doubted : mapping of str to int
        Tracks that are to be looked at again, and since when they are in doubt.
    watermark_us, now_us : int
    """
    since = dict(doubted)
    for code, observed_us in zip(late.track.tolist(), late.observed_us.tolist(), strict=True):
        if observed_us >= now_us - WITHIN_US:
            name = late.tracks[code]
            since[name] = min(since.get(name, observed_us), observed_us)
    return Doubt(late=late, since_us=since, watermark_us=watermark_us)


def begins_us(doubt: Doubt, told: Iterable[Event]) -> int:
    """Return from when on reports are needed: before every visit about which something is in doubt.

    Parameters
    ----------
    doubt : Doubt
        Of one track or more.
    told : iterable of Event
        Final ones from `BEFORE_US` before the first thing in doubt on, as each stands.
    """
    first_us = min(doubt.since_us.values())
    visits = [event.visit_us for event in _in_doubt(doubt, told)]
    return max(min([first_us, *visits]), first_us - WITHIN_US) - BEFORE_US


def look(
    doubt: Doubt, chapters: Sequence[Chapter], reports: ReportBatch, told: Sequence[Event], *, from_us: int
) -> Corrected:
    """Return what the station has to tell.

    Parameters
    ----------
    doubt : Doubt
    chapters : sequence of Chapter
        Every version since the reports begin, in order of time.
    reports : ReportBatch
        In any order: everything from `begins_us` on that was received by then and is before the watermark, of the
        tracks in doubt, or of all tracks where a version looks at several together.
    told : sequence of Event
        Final ones of that time, as each stands.
    from_us : int
        When the reports begin, later than `begins_us` where earlier ones are not kept: of a place in which a track was
        before it, nothing is said.
    """
    whole = reports.take(canonical(reports).keep)
    found: list[Event] = []
    for place, chapter in enumerate(chapters):
        events = final_events(chapter.engine, whole, watermark_us=doubt.watermark_us)
        before = chapters[place - 1] if place else None
        if before is None or before.until_us is None:
            found = events
            continue
        versions = (before.engine.watchlist, chapter.engine.watchlist)
        found = Seam(at_us=before.until_us).join(found, events, versions)
    said, found = _in_doubt(doubt, told), _in_doubt(doubt, found)
    older = _begun_before(from_us, told, said)
    if from_us > begins_us(doubt, told):  # earlier reports are not kept: who is first seen may have been there before
        known = {event.event_id for event in told}
        older |= {_place(e) for e in found if e.kind is EventKind.FIRST_SEEN_INSIDE and e.event_id not in known}
    said, found = ([event for event in events if _place(event) not in older] for events in (said, found))
    changed = amendments(said, found)
    late = {doubt.late.tracks[code] for code in np.unique(doubt.late.track).tolist()}
    return Corrected(
        looked_at=len(doubt.late),
        duplicate=_duplicates(doubt.late, reports),
        events=tuple(changed),
        since_us={track: doubt.since_us[track] for track in late if track in doubt.since_us},
    )


def _begun_before(from_us: int, told: Iterable[Event], said: Iterable[Event]) -> set[tuple[str, str]]:
    """Return the places of visits of which a fix that tells of them lies before an instant."""
    cut = {
        (*_place(event), event.visit_us)
        for event in told
        if event.visit_us < from_us or (event.before is not None and event.before.observed_us < from_us)
    }
    return {_place(event) for event in said if event.visit_us < from_us or (*_place(event), event.visit_us) in cut}


def _place(event: Event) -> tuple[str, str]:
    return (event.track_id, event.zone_id)


def _in_doubt(doubt: Doubt, events: Iterable[Event]) -> list[Event]:
    """Return the events that may be other than they are told: known since a track is in doubt, and final by now."""
    first_us = min(doubt.since_us.values())
    found = []
    for event in events:
        since_us = first_us if event.kind in KINDS_TOGETHER else doubt.since_us.get(event.track_id)
        if since_us is not None and event.known_us >= since_us and event.revision is not Revision.WITHDRAWN:
            found.append(event)
    return found


def _duplicates(late: ReportBatch, reports: ReportBatch) -> dict[str, int]:
    """Return, by feed, how many of the late reports said what another had said.

    Every late report is among all reports; of those that say one thing, one is new and the others are not, and if one
    was watched in time, none of the late ones is.
    """
    said = Counter(_keys(reports.take(np.isin(reports.observed_us, late.observed_us))))
    own = Counter(_keys(late))
    counts: Counter[str] = Counter()
    for key, feed in zip(_keys(late), late.feed.tolist(), strict=True):
        if said[key] > own[key] or own[key] > 1:
            counts[late.feeds[feed]] += 1
            said[key] -= 1
            own[key] -= 1
    return dict(counts)


def _keys(batch: ReportBatch) -> list[tuple[str, int, int]]:
    hashes = content_hash(batch).tolist()
    tracks = [batch.tracks[code] for code in batch.track.tolist()]
    return list(zip(tracks, batch.observed_us.tolist(), hashes, strict=True))
