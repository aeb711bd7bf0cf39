"""Handover: one agreement version follows another while tracks are where they are.

Each version has a watch of its own, in force for its own time (`agreement/versions/in_force.py`), and for a while both
are given all reports: the old one settles what happened under it, the new one begins with every track's last fix. At
the instant between them the old watch tells `zone_ended` of whoever is inside and the new one `zone_began`: the zone
caused it, not the track. Where both tell so of one zone nothing has changed, and nothing is said; where one of them
does and the zone is in both versions, it is `zone_changed` (docs/format/version.md, 14). Which cases follow is the
ladder's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from tocsin.agreement.terms.state import given
from tocsin.agreement.versions.in_force import InForce, watchlist_in_force
from tocsin.agreement.watchlist import Watchlist
from tocsin.clock import US_PER_S
from tocsin.ids import text_key
from tocsin.kernels.tables import NEVER
from tocsin.station.core.terms import Terms
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.order import Release, canonical
from tocsin.watch import live as live_watch
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event, EventKind, Revision, Standing, event_id
from tocsin.watch.live import LiveState
from tocsin.watch.state import WatchState

SETTLED_US = 3_600 * US_PER_S
"""How far the watermark must be past a version's end before its watch takes no more than it must, microseconds: longer
than an exit or a meeting takes to become certain."""

AWAITED_US = 7 * 86_400 * US_PER_S
"""How long a track that was not seen since a version's end is awaited by its watch, microseconds."""

Place = tuple[str, str]
"""A track and a zone, by id."""


class Seam(Struct, kw_only=True):
    """What two watches tell of the instant between them, and what was said of it.

    Attributes
    ----------
    at_us : int
    ended, began : dict of (str, str) to Event
        By track and zone, as each watch tells it now.
    said : dict of (str, str) to Event
        What was told of it last, and not withdrawn.
    """

    at_us: int
    ended: dict[Place, Event] = field(default_factory=dict)
    began: dict[Place, Event] = field(default_factory=dict)
    said: dict[Place, Event] = field(default_factory=dict)

    def join(self, old: Sequence[Event], new: Sequence[Event], versions: tuple[Watchlist, Watchlist]) -> list[Event]:
        """Return what two watches told now, what they told of the instant between them put together.

        Parameters
        ----------
        old, new : sequence of Event
            What the watch of the version that ended told, and that of the one that followed.
        versions : (Watchlist, Watchlist)
            The two.
        """
        told: list[Event] = []
        places: dict[Place, None] = {}
        for events, kind, held in ((old, EventKind.ZONE_ENDED, self.ended), (new, EventKind.ZONE_BEGAN, self.began)):
            for event in events:
                if event.kind is not kind or event.at_us != self.at_us:
                    told.append(event)
                    continue
                place = (event.track_id, event.zone_id)
                places[place] = None
                if event.revision is not Revision.WITHDRAWN:
                    held[place] = replace(event, revision=Revision.OPENED)
                elif place in held and held[place].event_id == event.event_id:
                    del held[place]
        for place in places:
            told += self._say(place, versions)
        return told

    def _say(self, place: Place, versions: tuple[Watchlist, Watchlist]) -> list[Event]:
        """Return what is to be told of a place, given what was."""
        wanted, said = self._wanted(place, versions), self.said.pop(place, None)
        if wanted is not None:
            self.said[place] = wanted
        if said is not None and (wanted is None or wanted.event_id != said.event_id):
            gone = [replace(said, revision=Revision.WITHDRAWN)]
            return gone if wanted is None else [*gone, wanted]
        if wanted is None or (said is not None and wanted.as_line() == said.as_line()):
            return []
        is_amended = said is not None and wanted.standing is Standing.PROVISIONAL
        return [replace(wanted, revision=Revision.AMENDED) if is_amended else wanted]

    def _wanted(self, place: Place, versions: tuple[Watchlist, Watchlist]) -> Event | None:
        ended, began = self.ended.get(place), self.began.get(place)
        event = None if ended and began else ended or began
        if event is None or not all(any(zone.zone_id == place[1] for zone in v.zones) for v in versions):
            return event
        changed = event_id(
            agreement=versions[0 if ended else 1].digest,
            rule=text_key(event.rule_id),
            zone=text_key(event.zone_id),
            track=text_key(event.track_id),
            kind=EventKind.ZONE_CHANGED,
            visit_us=event.visit_us,
        )
        return replace(event, kind=EventKind.ZONE_CHANGED, event_id=changed)


class Outgoing(Struct, kw_only=True):
    """The watch of a version that another has followed.

    Attributes
    ----------
    terms : Terms
    from_us : int or None
    until_us : int
        Its time, half-open.
    engine : Engine
    live : LiveState
        Its order is that of the watch in force.
    seam : Seam
        With the version that followed.
    awaited : set of str or None
        Once it is settled, the tracks that it knew and that were not seen since its end: where they were then is known
        only when they are seen again. It is given no others from then on.
    """

    terms: Terms
    from_us: int | None
    until_us: int
    engine: Engine
    live: LiveState
    seam: Seam
    awaited: set[str] | None = None

    @property
    def is_over(self) -> bool:
        """True if nothing of its time can change any more."""
        is_late = self.live.order.watermark_us > self.until_us + AWAITED_US
        return self.awaited is not None and not self.live.open and (is_late or not self.awaited)

    def step(self, release: Release, now_us: int) -> list[Event]:
        """Take what one push of the watch in force set free; return what it tells."""
        if self.awaited is not None:
            release = replace(
                release, ready=release.ready.of_tracks(self.awaited), came=release.came.of_tracks(self.awaited)
            )
            if not (len(release.ready) or len(release.came) or self.live.open):
                return []
        self.live, told = live_watch.watch(self.engine, self.live, release, now_us=now_us)
        if self.awaited is not None and len(release.ready):
            self.awaited &= self._unseen()
        elif self.awaited is None and self.live.order.watermark_us > self.until_us + SETTLED_US and not self.live.open:
            self.awaited = self._unseen()
        return told

    def _unseen(self) -> set[str]:
        rows = self.live.settled.tracks[: len(self.live.settled.track_ids)]["observed_us"]
        names = list(self.live.settled.track_ids)
        return {names[row] for row in np.flatnonzero((rows != NEVER) & (rows < self.until_us)).tolist()}


def engine_of(terms: Terms, *, from_us: int | None, until_us: int | None) -> Engine:
    """Return the watch of a version, in force within these bounds and its own `effective`."""
    agreement = terms.agreement
    effective = given(agreement.effective)
    begins = [at for at in (from_us, given(effective.from_us) if effective else None) if at is not None]
    ends = [at for at in (until_us, given(effective.to_us) if effective else None) if at is not None]
    return Engine(
        watchlist_in_force(InForce(agreement, max(begins, default=None), min(ends, default=None))), terms.engine.routes
    )


def taken_over(engine: Engine, before: LiveState) -> LiveState:
    """Return the live watch of a new version, which knows where every track was last."""
    settled = WatchState()
    fixes = _last_fixes(before.settled)
    settled, _ = engine.step(settled, fixes, watermark_us=before.settled.watermark_us)
    state = LiveState(order=before.order, settled=settled, looked_us=before.looked_us)
    waiting = before.order.waiting.whole().tracks
    state.again = {settled.track_ids.setdefault(name, len(settled.track_ids)) for name in waiting}
    return state


def _last_fixes(state: WatchState) -> ReportBatch:
    rows = state.tracks[: len(state.track_ids)]
    known = np.flatnonzero(rows["observed_us"] != NEVER)
    rows = rows[known]
    batch = ReportBatch(
        track=known.astype(np.int32),
        observed_us=rows["observed_us"].copy(),
        received_us=rows["observed_us"].copy(),
        lat_deg=rows["lat_deg"].copy(),
        lon_deg=rows["lon_deg"].copy(),
        alt_m=rows["alt_m"].copy(),
        speed_mps=rows["speed_mps"].copy(),
        course_deg=rows["course_deg"].copy(),
        heading_deg=np.full(len(rows), np.nan, np.float32),
        accuracy_m=rows["accuracy_m"].copy(),
        feed=rows["feed"].copy(),
        party=rows["party"].copy(),
        category=rows["category"].copy(),
        tracks=tuple(state.track_ids),
        feeds=tuple(state.feeds),
        parties=tuple(state.parties),
        categories=tuple(state.categories),
    )
    return batch.take(canonical(batch).keep)
