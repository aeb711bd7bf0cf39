"""The engine: reports in time order in, events out; no input or output, no clock, no randomness.

`step(state, batch) -> (state, events)`. The same reports, however they are cut into batches, give the same events
(DESIGN P2), because a batch's end means nothing: time passes only by reports and by the watermark that comes with them.
"""

from __future__ import annotations

from operator import attrgetter, is_
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Watchlist
from tocsin.clock import US_PER_S
from tocsin.geo.atlas import Atlas
from tocsin.kernels import tables
from tocsin.kernels.detect import sweep, watermark
from tocsin.kernels.forecast.cast import no_rays
from tocsin.kernels.forecast.forecast import RAYS
from tocsin.kernels.forecast.routes import PASSAGE, PASSAGES, Routes
from tocsin.kernels.held import entry, hold
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.book import Feeds, named_categories, named_parties, unwatched, write_book
from tocsin.watch.detect.meetings import Meetings
from tocsin.watch.detect.watch import PairWatch
from tocsin.watch.event import EventKind
from tocsin.watch.found import NO_ROWS, EventBatch, Words, copied, nothing, together
from tocsin.watch.routes import NO_ROUTES
from tocsin.watch.sequence import Alphabet
from tocsin.watch.state import Classes, Ready, WatchState

FIRST_FOUND = 8_192
"""Rows that a step has room for at first; it doubles as needed."""

FIRST_WORK = 256
"""Zones and edges that one report may meet before the scratch room doubles."""

KINDS_TOGETHER = frozenset({EventKind.PROXIMITY, EventKind.BUILDUP, EventKind.VOID})
"""Kinds that are found in several tracks together, and later than the others."""

COVER_US = 400 * 86_400 * US_PER_S
"""How far beyond a batch the windows of the book are laid out at a time; microseconds."""

DTYPE = attrgetter("dtype")


class Engine:
    """The watch of one agreement version.

    Parameters
    ----------
    watchlist : Watchlist
    routes : Routes
        Paths of earlier tracks, which forecasts then follow too (`watch/routes.py`); none unless given.

    Attributes
    ----------
    watchlist : Watchlist
    unwatched : tuple of Rule
        Rules that it cannot look for; say so to whoever runs it.
    atlas : Atlas
    looks_together : bool
        True if it watches for what shows only in several tracks together.

    Raises
    ------
    ValueError
        If a rule cannot be watched as it stands; see `book.write_book`.
    """

    def __init__(self, watchlist: Watchlist, routes: Routes = NO_ROUTES) -> None:
        self.watchlist = watchlist
        self.routes = routes
        self.unwatched = unwatched(watchlist)
        self.atlas = Atlas.build([zone.region for zone in watchlist.zones])
        self._parties = named_parties(watchlist)
        self._categories = named_categories(watchlist)
        self._feeds = Feeds(watchlist)
        self._work = _work(FIRST_WORK, len(watchlist.zones))
        self._book = write_book(watchlist, from_us=0, to_us=1)
        self._horizon_us = round(self._book.horizon_s * US_PER_S)
        self._covers_us = (0, 1)
        self._found = _new_found(FIRST_FOUND)
        self._together = PairWatch(watchlist, self._book)
        self.looks_together = bool(self._together)
        self._alphabet = Alphabet(watchlist)

    def step(
        self, state: WatchState, batch: ReportBatch, *, watermark_us: int | None = None
    ) -> tuple[WatchState, EventBatch]:
        """Take a batch of reports and return the state after it and what was found.

        Parameters
        ----------
        state : WatchState
            Taken over: use the returned one from now on.
        batch : ReportBatch
            In canonical order (`tracks/order.py`); no report older than its track's last fix.
        watermark_us : int or None
            No report older than this will come; silences are judged by it. None: the batch's newest report.

        Returns
        -------
        state : WatchState
        events : EventBatch

        Raises
        ------
        ValueError
            If a report is older than its track's last fix, or the watermark older than the one before.
        """
        rows, n, meetings = NO_ROWS, len(batch.track), state.meetings if self.looks_together else None
        if n:
            oldest_us, newest_us = batch.observed_us.item(0), batch.observed_us.item(-1)
            state.began_us = oldest_us if state.began_us is None else min(state.began_us, oldest_us)
            watermark_us = newest_us if watermark_us is None else watermark_us
            self._cover(state.began_us, max(newest_us, watermark_us))
        if watermark_us is not None:
            if state.watermark_us is not None and watermark_us < state.watermark_us:
                raise ValueError(f"found watermark {watermark_us}, expected no less than {state.watermark_us}")
            state.watermark_us = watermark_us
        if n:
            reports = _reports(state, batch)
            if self._horizon_us:
                reports = _linked(state, reports)
            if meetings:
                self._together.take(meetings, _readable(reports), self._arrays(state))
            rows = self._sweep(state, batch, reports)
        if state.watermark_us is not None:
            if state.watermark_us > state.due_us.item():
                rows = together([rows, self._pass_time(state, state.watermark_us)])
            if meetings:
                decided = self._decide(state, meetings, before_us=state.watermark_us, newest_us=state.watermark_us)
                rows = together([rows, decided])
        return state, EventBatch(rows, state.ready.words if n and state.ready else self.words(state))

    def finish(self, state: WatchState) -> tuple[WatchState, EventBatch]:
        """Return what only waited for more reports, because none will come: the end of an archive.

        Parameters
        ----------
        state : WatchState
            Taken over.
        """
        if not (self.looks_together and state.meetings) or state.watermark_us is None:
            return state, nothing(self.words(state))
        rows = self._decide(state, state.meetings, before_us=None, newest_us=state.watermark_us)
        return state, EventBatch(rows, self.words(state))

    def early(self, state: WatchState, waiting: ReportBatch) -> EventBatch:
        """Return what several tracks together would be found to do if nothing came but what waits.

        Parameters
        ----------
        state : WatchState
            Learns the words of what waits, and nothing else.
        waiting : ReportBatch
            In canonical order; later than what the state knows.
        """
        if not (self.looks_together and state.meetings):
            return nothing(self.words(state))
        if len(waiting):
            oldest_us, newest_us = int(waiting.observed_us[0]), int(waiting.observed_us[-1])
            self._cover(oldest_us if state.began_us is None else min(state.began_us, oldest_us), newest_us)
        memory = state.meetings.copy()
        self._together.take(memory, _readable(_reports(state, waiting)), self._arrays(state))
        ends_us = memory.legs["to_us"].max(initial=0)  # before the watermark everything is told already
        rows = self._decide(state, memory, before_us=None, newest_us=int(ends_us), early=True)
        return EventBatch(rows, self.words(state))

    def due(self, state: WatchState, *, now_us: int) -> EventBatch:
        """Return the approaches that fell due before an instant if no fix came that is not known yet.

        Parameters
        ----------
        state : WatchState
            Changed: each is told once.
        now_us : int
        """
        n = at = 0
        while self._horizon_us and now_us > state.due_us[0]:
            at, n, why = watermark.due_before(self._desk(state).desk, at, now_us, self._found, n)
            if why == tables.DONE:
                break
            self._more(state, why)
        return EventBatch(copied(self._found[:n]), self.words(state))

    def waits_us(self, kind: EventKind) -> int:
        """Return how far the watermark must be past an event's `known` before it is final or will never be."""
        return self._together.waits_us if kind in KINDS_TOGETHER else 0

    def _decide(
        self, state: WatchState, memory: Meetings, *, before_us: int | None, newest_us: int, early: bool = False
    ) -> NDArray[Any]:
        return self._together.decide(
            memory,
            self._arrays(state),
            self._book,
            self.words(state),
            before_us=before_us,
            newest_us=newest_us,
            early=early,
        )

    def words(self, state: WatchState) -> Words:
        """Return what the codes of a state's findings mean."""
        codes = {
            "tracks": state.track_ids, "feeds": state.feeds, "parties": state.parties, "categories": state.categories,
        }  # fmt: skip
        return Words(self.watchlist, codes, self._alphabet)

    def _cover(self, from_us: int, to_us: int) -> None:
        """Lay the book's windows out over everything asked so far and a year ahead, if they are not yet."""
        to_us += self._horizon_us
        if self._covers_us[0] <= from_us and to_us < self._covers_us[1]:
            return
        self._covers_us = (from_us, to_us + COVER_US)
        self._book = write_book(self.watchlist, from_us=from_us, to_us=to_us + COVER_US)

    def _arrays(self, state: WatchState) -> tables.State:
        known = self._classes(state)
        return state.arrays(known.of_party, known.of_category, known.of_feed)

    def _classes(self, state: WatchState) -> Classes:
        known = state.classes
        many = len(state.parties), len(state.categories), len(state.feeds)
        if known.whose is not self or known.many != many:
            known = state.classes = Classes(
                self,
                many,
                np.array([*map(self._parties.class_of, state.parties), 0], np.int32),
                np.array([*map(self._categories.class_of, state.categories), 0], np.int32),
                np.array([*map(self._feeds.class_of, state.feeds), 0], np.int32),
            )
        return known

    def _desk(self, state: WatchState) -> Ready:
        """Return what a sweep works with, and its code; the same each time until something on it is another."""
        ready, on_it = state.ready, (state.alike, state.tracks, state.episodes, self._book, self._work)
        if ready is None or state.alike is None or not all(map(is_, ready.on_it, on_it)):
            known = self._classes(state)
            if ready is not None and ready.classes is known and all(map(is_, ready.on_it[1:], on_it[1:])):
                desk, code = ready.desk, ready.sweep
            else:
                desk = hold(tables.Desk(self._arrays(state), self.atlas.arrays, self.routes, self._book, self._work))
                code = entry(sweep.sweep, NO_REPORTS, 0, desk, self._found, 0)
            ready = state.ready = Ready(on_it, self.words(state), known, desk, code)
        return ready

    def _sweep(self, state: WatchState, batch: ReportBatch, reports: tables.Reports) -> NDArray[Any]:
        n = at = 0
        while True:
            ready = self._desk(state)
            at, n, why, repeated = ready.sweep(reports, at, ready.desk, self._found, n)
            state.repeated += repeated
            if why == tables.DONE:
                return copied(self._found[:n]) if n else NO_ROWS
            if why == tables.WANTS_ORDER:
                track = batch.tracks[batch.track[at]]
                raise ValueError(f"report {at} of {track} is older than the track's last fix; sort the batch first")
            if why == tables.WANTS_COLUMNS:
                reports = tables.Reports(*map(np.ascontiguousarray, reports))
            self._more(state, why)

    def _pass_time(self, state: WatchState, watermark_us: int) -> NDArray[Any]:
        n = at = 0
        while True:
            at, n, why = watermark.pass_time(self._desk(state).desk, at, watermark_us, self._found, n)
            if why == tables.DONE:
                return copied(self._found[:n])
            self._more(state, why)

    def _more(self, state: WatchState, why: int) -> None:
        """Double what was too small; what was found so far stays."""
        if why == tables.WANTS_EPISODES:
            state.make_room_for_episodes()
        elif why == tables.WANTS_WORK:
            self._work = _work(2 * len(self._work.s), len(self._work.fan_of))
        elif why == tables.WANTS_ROOM:
            self._found = together([self._found, _new_found(len(self._found))])


def _reports(state: WatchState, batch: ReportBatch) -> tables.Reports:
    """Return the batch with the state's codes in the place of its own; new words get new codes."""
    track, feed, party, category = state.words_of(batch)
    columns = (
        track, batch.observed_us, batch.lat_deg, batch.lon_deg, batch.alt_m, batch.speed_mps, batch.course_deg,
        batch.accuracy_m, feed, party, category, NOT_LINKED,
    )  # fmt: skip
    if [*map(DTYPE, columns)] != tables.COLUMNS:
        found = [*map(str, map(DTYPE, columns))]
        raise ValueError(f"found columns of {found}, expected {[*map(str, tables.COLUMNS)]}")
    return tables.Reports._make(columns)


NOT_LINKED = np.empty(0, np.int32)
"""What stands for the reports that follow where nobody asks."""


def _linked(state: WatchState, reports: tables.Reports) -> tables.Reports:
    """Return reports that know which is the same track's next."""
    following = np.empty(len(reports.track), np.int32)
    sweep.link(_readable(reports).track, np.empty(len(state.tracks), np.int32), following)
    return reports._replace(following=following)


def _readable(reports: tables.Reports) -> tables.Reports:
    """Return views that may only be read.

    Whether an array may be written is part of its type, and a kernel called by its name would be compiled anew for each
    mixture of types.
    """
    views = [column.view() for column in reports]
    for view in views:
        view.setflags(write=False)
    return tables.Reports(*views)


NO_REPORTS = _readable(tables.Reports(*(np.empty(0, kind) for kind in tables.COLUMNS)))
"""Columns by whose types a sweep is compiled."""


def _new_found(n: int) -> NDArray[Any]:
    """Return room for n findings, each about one track unless somebody says otherwise."""
    rows = np.zeros(n, tables.FOUND)
    rows["other"] = tables.NONE
    return rows


def _work(room: int, zones: int) -> tables.Work:
    work = tables.Work(
        leg=np.zeros(1, tables.LEG),
        track=np.zeros(1, tables.TRACK),
        zones=np.zeros(room, np.int32),
        flip_zone=np.zeros(room, np.int32),
        flip_s=np.zeros(room),
        left=np.zeros(room, np.int32),
        ahead_zone=np.zeros(room, np.int32),
        ahead_s=np.zeros(room),
        fan_zone=np.zeros(room, np.int32),
        fan_m=np.zeros((room, RAYS)),
        fan_of=np.zeros(zones, np.int32),
        rays=hold(no_rays()),
        route_m=np.zeros((room, PASSAGES)),
        passages=np.zeros(PASSAGES, PASSAGE),
        ways=np.zeros((RAYS + PASSAGES, 3)),
        own_s=np.zeros(room),
        s=np.zeros(room),
        what=np.zeros(room, np.int64),
        span=np.zeros((room, 2)),
        by=np.zeros((room, 2), np.int64),
    )
    return hold(work)
