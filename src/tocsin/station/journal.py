"""The journal: every report that a station took, read back from what its ticks kept.

Reports stand in the tick that took them; those of hours that are in the archive, in its hour file (`archive.py`). What
was too far ahead of the clock when it came was never watched, and is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
from sqlalchemy import select

from tocsin.errors import StoreError
from tocsin.station.inputs import load_reports
from tocsin.store import schema
from tocsin.store.store import Store
from tocsin.tracks.batch import EMPTY, ReportBatch, concat

MOST_REPORTS = 5_000_000
"""Reports that are read back at a time (P11)."""


def reports_of(
    store: Store,
    folder: Path,
    *,
    tracks: Collection[str] | None,
    from_us: int,
    before_us: int,
    last_tick: int,
    ahead_us: Mapping[str, int],
    other_ahead_us: int,
) -> ReportBatch:
    """Return reports that were watched, or came too late to be, in the order of their arrival.

    Parameters
    ----------
    store : Store
    folder : Path
        The station's.
    tracks : collection of str or None
        None for all.
    from_us, before_us : int
        Observed in this half-open time.
    last_tick : int
        Taken by this tick.
    ahead_us : mapping of str to int
        By feed, how far ahead of the clock its reports might be.
    other_ahead_us : int
        Of a feed that is not among them.

    Raises
    ------
    StoreError
        If they are more than `MOST_REPORTS`.
    """
    found, count = [], 0
    most_ahead_us = max([other_ahead_us, *ahead_us.values()])
    for at_us, batch in _ticks(store, folder, since_us=from_us - most_ahead_us, last_tick=last_tick):
        mine = batch if tracks is None else batch.of_tracks(tracks)
        ahead = np.array([ahead_us.get(name, other_ahead_us) for name in mine.feeds] or [0], np.int64)
        watched = (mine.observed_us >= from_us) & (mine.observed_us < before_us)
        mine = mine.take(watched & (mine.observed_us <= at_us + ahead[mine.feed]))
        if len(mine):
            found.append(mine)
            count += len(mine)
        if count > MOST_REPORTS:
            raise StoreError(f"they would need more than {MOST_REPORTS:,} reports to be read again")
    return concat(found) if found else EMPTY


def _ticks(store: Store, folder: Path, *, since_us: int, last_tick: int) -> Iterator[tuple[int, ReportBatch]]:
    """Yield time and reports of every tick that took some since an instant."""
    table = schema.ticks
    query = (
        select(table.c.at_us, table.c.reports)
        .where(table.c.at_us >= since_us, table.c.tick <= last_tick, table.c.reports.is_not(None))
        .order_by(table.c.tick)
    )
    with store.reader() as connection:
        for row in connection.execution_options(yield_per=64).execute(query):
            yield row.at_us, load_reports(row.reports)
