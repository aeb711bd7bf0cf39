"""Looking back: the thread that works out what late reports change, beside the live watch, and hands that to the core.

What it finds enters as an input (DESIGN §2: what comes back enters by the front door), so a restart replays it and
works nothing out again. One look at a time, as of a tick at which everything decided was durable; after each it rests
for `REST` times as long as that took, so that a feed that is always late costs a tenth of a core.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from tocsin.errors import StoreAwayError, TocsinError
from tocsin.station.core.handover import engine_of
from tocsin.station.core.health import Health, HealthNote
from tocsin.station.core.inputs import Corrected
from tocsin.station.core.state import Commit, State
from tocsin.station.core.terms import AgreementText, compile_terms
from tocsin.station.past.amending import BEFORE_US, Again, Chapter, Doubt, begins_us, doubt_of, look
from tocsin.station.past.journal import Ahead, kept_since_us, reports_of
from tocsin.store import schema
from tocsin.store.connect import as_store_error
from tocsin.store.store import Store
from tocsin.watch.event import Event, Revision, Standing

log = logging.getLogger(__name__)

REST = 9.0
"""How long it rests after a look, in times of what that took."""

RETRY_S = 2.0
"""Between two tries at a database that does not answer, seconds."""

STOP_S = 10.0
"""How long a stop waits for the look that is under way, seconds; what it would have found is found after the start."""


class _Job(Struct, frozen=True, kw_only=True):
    """One look.

    Attributes
    ----------
    doubt : Doubt
    ahead : Ahead
    tick : int
        As of which everything is taken.
    """

    doubt: Doubt
    ahead: Ahead
    tick: int


class Lookback:
    """The thread of one station.

    Parameters
    ----------
    store : Store
    folder : Path
        Where hour files lie.
    correct : callable
        Takes what was found.
    note : callable
        Takes what befell it.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        *,
        correct: Callable[[Corrected], None],
        note: Callable[[HealthNote], None],
    ) -> None:
        self._store = store
        self._folder = folder
        self._correct = correct
        self._note = note
        self._chapters: tuple[list[int], list[Chapter]] = ([], [])
        self._job: _Job | None = None
        self._again = Again()
        self._busy = False
        self._stopping = False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="lookback", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the look that is under way if that does not take long."""
        with self._change:
            self._stopping = True
            self._change.notify()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def committed(self, commit: Commit, state: State) -> None:
        """Take a durable tick; called from the ticker's thread, whose state this is."""
        self._busy = self._busy and not commit.looked
        order = state.live.order
        if state.doubted:
            self._again.hear((e.track_id for e in commit.events if e.standing is Standing.FINAL), state.doubted)
        if self._busy or commit.tick != state.tick or not (len(state.late) or state.doubted):
            return
        due = self._again.due(state.doubted, watermark_us=order.watermark_us)
        if not (len(state.late) or due):
            return
        doubt = doubt_of(state.late, due, watermark_us=order.watermark_us, now_us=commit.at_us)
        self._again.looked(doubt, state.doubted)
        self._busy = True
        with self._change:
            self._job = _Job(
                doubt=doubt,
                ahead=Ahead.of(order),
                tick=commit.tick,
            )
            self._change.notify()

    # --- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._change:
                while self._job is None and not self._stopping:
                    self._change.wait()
                if self._stopping or self._job is None:
                    return
                job, self._job = self._job, None
            began = time.monotonic()
            found = self._found(job)
            if found is None:
                return
            self._correct(found)
            with self._change:
                if not self._stopping:
                    self._change.wait(REST * (time.monotonic() - began))

    def _found(self, job: _Job) -> Corrected | None:
        """Return what was found, or that nothing could be; None if it is to stop."""
        nothing = Corrected(looked_at=len(job.doubt.late), duplicate={}, events=())
        while not self._stopping:
            try:
                return self._look(job) if job.doubt.since_us else nothing
            except StoreAwayError:
                with self._change:
                    self._change.wait(RETRY_S)
            except Exception as error:  # one look that fails costs that look, and is said
                log.exception("station.lookback")
                said = str(error) if isinstance(error, TocsinError) else f"{type(error).__name__}: {error}"
                detail = f"{len(job.doubt.late)} late reports could not be looked at: {said}"
                self._note(HealthNote(kind=Health.LATE, about="reports", detail=detail))
                return nothing
        return None

    def _look(self, job: _Job) -> Corrected:
        doubt = job.doubt
        first_us = min(doubt.since_us.values())
        try:
            chapters = self._chapters_at(job.tick)
            with_all = any(chapter.engine.looks_together for chapter in chapters)
            tracks = None if with_all else doubt.since_us.keys()
            told = self._told(first_us - BEFORE_US, tracks, job.tick)
            from_us = max(begins_us(doubt, told), kept_since_us(self._store, job.ahead))
            reports = reports_of(
                self._store,
                self._folder,
                tracks=tracks,
                from_us=from_us,
                before_us=doubt.watermark_us,
                last_tick=job.tick,
                ahead=job.ahead,
            )
        except DBAPIError as error:
            raise as_store_error(error) from error
        return look(doubt, chapters, reports, told, from_us=from_us)

    def _told(self, from_us: int, tracks: Collection[str] | None, tick: int) -> list[Event]:
        """Return the final events since an instant, each as it stood at a tick."""
        table = schema.events
        mine = table.c.is_final & (table.c.at_us >= from_us) & (table.c.tick <= tick)
        newest: dict[str, Any] = {}
        columns = (table.c.event_id, table.c.track_id, table.c.revision, table.c.line)
        with self._store.reader() as connection:
            for row in connection.execute(select(*columns).where(mine).order_by(table.c.seq)):
                if tracks is None or row.track_id in tracks:
                    newest[row.event_id] = row
        stands = (row for row in newest.values() if row.revision != str(Revision.WITHDRAWN))
        return [Event.from_json(json.loads(row.line)) for row in stands]

    def _chapters_at(self, tick: int) -> list[Chapter]:
        """Return the watch of every version so far, each in its own time; made anew when there is another."""
        agreements, ticks = schema.agreements, schema.ticks
        query = (
            select(agreements.c.tick, agreements.c.text, ticks.c.at_us)
            .join(ticks, ticks.c.tick == agreements.c.tick)
            .where(agreements.c.tick <= tick)
            .order_by(agreements.c.tick)
        )
        with self._store.reader() as connection:
            rows = list(connection.execute(query))
        known, chapters = self._chapters
        if known != [row.tick for row in rows]:
            terms = [compile_terms(msgspec.msgpack.decode(row.text, type=AgreementText)) for row in rows]
            bounds = [None, *(row.at_us for row in rows[1:]), None]
            chapters = [
                Chapter(engine=engine_of(one, from_us=begin, until_us=end), until_us=end)
                for one, begin, end in zip(terms, bounds, bounds[1:], strict=False)
            ]
            self._chapters = ([row.tick for row in rows], chapters)
        return chapters
