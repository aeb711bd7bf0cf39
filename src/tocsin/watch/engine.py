"""The engine: reports in time order in, events out; no input or output, no clock, no randomness.

`step(state, batch) -> (state, events)`. The same reports, however they are cut into batches, give the same events
(DESIGN P2), because a batch's end means nothing: time passes only by reports and by the watermark that comes with them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Watchlist
from tocsin.clock import US_PER_S
from tocsin.geo.atlas import Atlas
from tocsin.kernels import sweep, tables
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.book import named_categories, named_parties, unwatched, write_book
from tocsin.watch.found import EventBatch, Words
from tocsin.watch.state import WatchState

FIRST_FOUND = 8_192
"""Rows that a step has room for at first; it doubles as needed."""

FIRST_WORK = 256
"""Zones and edges that one report may meet before the scratch room doubles."""

COVER_US = 400 * 86_400 * US_PER_S
"""How far beyond a batch the windows of the book are laid out at a time; microseconds."""


class Engine:
    """The watch of one agreement version.

    Parameters
    ----------
    watchlist : Watchlist

    Attributes
    ----------
    watchlist : Watchlist
    unwatched : tuple of Rule
        Rules that it cannot look for; say so to whoever runs it.
    atlas : Atlas

    Raises
    ------
    ValueError
        If a rule cannot be watched as it stands; see `book.write_book`.
    """

    def __init__(self, watchlist: Watchlist) -> None:
        self.watchlist = watchlist
        self.unwatched = unwatched(watchlist)
        self.atlas = Atlas.build([zone.region for zone in watchlist.zones])
        self._parties = named_parties(watchlist)
        self._categories = named_categories(watchlist)
        self._work = _work(FIRST_WORK)
        self._book = write_book(watchlist, from_us=0, to_us=1)
        self._covers_us = (0, 1)
        self._found = np.zeros(FIRST_FOUND, tables.FOUND)

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
        if len(batch):
            newest_us = int(batch.observed_us.max())
            oldest_us = int(batch.observed_us.min())
            state.began_us = oldest_us if state.began_us is None else min(state.began_us, oldest_us)
            watermark_us = newest_us if watermark_us is None else watermark_us
            self._cover(state.began_us, max(newest_us, watermark_us))
        if watermark_us is not None:
            if state.watermark_us is not None and watermark_us < state.watermark_us:
                raise ValueError(f"found watermark {watermark_us}, expected no less than {state.watermark_us}")
            state.watermark_us = watermark_us
        rows = self._sweep(state, batch)
        if state.watermark_us is not None:
            rows = np.concatenate([rows, self._pass_time(state, state.watermark_us)])
        return state, EventBatch(rows, self.words(state))

    def words(self, state: WatchState) -> Words:
        """Return what the codes of a state's findings mean."""
        return Words(
            self.watchlist, list(state.track_ids), list(state.feeds), list(state.parties), list(state.categories)
        )

    def _cover(self, from_us: int, to_us: int) -> None:
        """Lay the book's windows out over everything asked so far and a year ahead, if they are not yet."""
        to_us += round(self._book.horizon_s * US_PER_S)
        if self._covers_us[0] <= from_us and to_us < self._covers_us[1]:
            return
        self._covers_us = (from_us, to_us + COVER_US)
        self._book = write_book(self.watchlist, from_us=from_us, to_us=to_us + COVER_US)

    def _arrays(self, state: WatchState) -> tables.State:
        party_class = np.array([*map(self._parties.class_of, state.parties), 0], np.int32)
        category_class = np.array([*map(self._categories.class_of, state.categories), 0], np.int32)
        return state.arrays(party_class, category_class)

    def _sweep(self, state: WatchState, batch: ReportBatch) -> NDArray[Any]:
        reports = _reports(state, batch)
        n = at = 0
        while True:
            at, n, why, repeated = sweep.sweep(
                reports, at, self._arrays(state), self.atlas.arrays, self._book, self._work, self._found, n
            )
            state.repeated += repeated
            if why == sweep.DONE:
                return self._found[:n].copy()
            if why == sweep.WANTS_ORDER:
                track = batch.tracks[batch.track[at]]
                raise ValueError(f"report {at} of {track} is older than the track's last fix; sort the batch first")
            self._more(state, why)

    def _pass_time(self, state: WatchState, watermark_us: int) -> NDArray[Any]:
        n = at = 0
        while True:
            at, n, why = sweep.pass_time(self._arrays(state), self._book, self._work, at, watermark_us, self._found, n)
            if why == sweep.DONE:
                return self._found[:n].copy()
            self._more(state, why)

    def _more(self, state: WatchState, why: int) -> None:
        """Double what was too small; what was found so far stays."""
        if why == sweep.WANTS_EPISODES:
            state.make_room_for_episodes()
        elif why == sweep.WANTS_WORK:
            self._work = _work(2 * len(self._work.s))
        elif why == sweep.WANTS_ROOM:
            self._found = np.concatenate([self._found, np.zeros_like(self._found)])


def _reports(state: WatchState, batch: ReportBatch) -> tables.Reports:
    """Return the batch with the state's codes in the place of its own; new words get new codes."""
    track = state.codes(batch.tracks, state.track_ids)[batch.track]
    state.make_room_for_tracks()
    return tables.Reports(
        track=track,
        observed_us=batch.observed_us,
        lat_deg=batch.lat_deg,
        lon_deg=batch.lon_deg,
        alt_m=batch.alt_m,
        speed_mps=batch.speed_mps,
        course_deg=batch.course_deg,
        accuracy_m=batch.accuracy_m,
        feed=state.codes(batch.feeds, state.feeds)[batch.feed],
        party=state.codes(batch.parties, state.parties)[batch.party],
        category=state.codes(batch.categories, state.categories)[batch.category],
    )


def _work(room: int) -> tables.Work:
    return tables.Work(
        leg=np.zeros(1, tables.LEG),
        zones=np.zeros(room, np.int32),
        flip_zone=np.zeros(room, np.int32),
        flip_s=np.zeros(room),
        left=np.zeros(room, np.int32),
        ahead_zone=np.zeros(room, np.int32),
        ahead_s=np.zeros(room),
        own_s=np.zeros(room),
        s=np.zeros(room),
        what=np.zeros(room, np.int64),
        span=np.zeros((room, 2)),
        by=np.zeros((room, 2), np.int64),
    )
