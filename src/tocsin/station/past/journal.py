"""The journal: every report that a station took, read back from what its ticks kept.

Reports stand in the tick that took them; those of hours that are in the archive, in its hour file (`archive.py`). What
was too far ahead of the clock when it came was never watched, and is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct
from sqlalchemy import select

from tocsin.clock import US_PER_S
from tocsin.errors import StoreError
from tocsin.store import schema
from tocsin.store.reading import StoreReader
from tocsin.tracks.batch import EMPTY, ReportBatch, concat
from tocsin.tracks.order import Reorder
from tocsin.tracks.packed import load_batch

HOUR_US = 3_600 * US_PER_S

MOST_TRIES = 3
"""How often reading begins anew because an hour went into the archive meanwhile."""

MOST_REPORTS = 5_000_000
"""Reports that are read back at a time (P11)."""


DROPPED = "dropped"
"""Key of the instant, among the station's single values, before which hours are not kept any longer."""

FOLDER = "archive"
"""Where hour files lie, inside the data folder."""


class Ahead(Struct, frozen=True, kw_only=True):
    """How far ahead of the clock reports may be.

    Attributes
    ----------
    by_feed : mapping of str to int
        Microseconds.
    other_us : int
        Of a feed that is not among them.
    """

    by_feed: Mapping[str, int]
    other_us: int

    @classmethod
    def of(cls, order: Reorder) -> Ahead:
        """Return what is expected of the feeds of an order."""
        return cls(by_feed={n: policy.ahead_us for n, policy in order.feeds.items()}, other_us=order.other.ahead_us)

    @property
    def most_us(self) -> int:
        """The furthest of any feed."""
        return max([self.other_us, *self.by_feed.values()])

    def watched(self, batch: ReportBatch, at_us: int) -> ReportBatch:
        """Return the reports that were not too far ahead when they came."""
        ahead = np.array([self.by_feed.get(name, self.other_us) for name in batch.feeds] or [0], np.int64)
        return batch.take(batch.observed_us <= at_us + ahead[batch.feed])


def kept_since_us(store: StoreReader, ahead: Ahead) -> int:
    """Return since when every report that was observed is still kept; -2**62 where nothing was ever deleted."""
    dropped = store.value(DROPPED)
    return -(2**62) if dropped is None else int(dropped) + HOUR_US + ahead.most_us


def reports_of(
    store: StoreReader,
    folder: Path,
    *,
    tracks: Collection[str] | None,
    from_us: int,
    before_us: int,
    last_tick: int,
    ahead: Ahead,
) -> ReportBatch:
    """Return reports that were watched, or came too late to be, in the order of their arrival.

    Parameters
    ----------
    store : StoreReader
    folder : Path
        The station's.
    tracks : collection of str or None
        None for all.
    from_us, before_us : int
        Observed in this half-open time.
    last_tick : int
        Taken by this tick.
    ahead : Ahead

    Raises
    ------
    StoreError
        If they are more than `MOST_REPORTS`, or an hour file is not what the store says.
    """
    since_us = from_us - ahead.most_us
    for _ in range(MOST_TRIES):
        hours = store.rows(schema.archive)
        archived = max([0, *(row["last_tick"] for row in hours)])
        found: list[ReportBatch] = []
        parts = (_hour(folder, row) for row in hours if row["hour_us"] + HOUR_US > since_us)
        for batch in chain(parts, _ticks(store, ahead, since_us=since_us, after=archived, last_tick=last_tick)):
            mine = batch if tracks is None else batch.of_tracks(tracks)
            mine = mine.take((mine.observed_us >= from_us) & (mine.observed_us < before_us))
            if len(mine):
                found.append(mine)
            if sum(map(len, found)) > MOST_REPORTS:
                raise StoreError(f"they would need more than {MOST_REPORTS:,} reports to be read again")
        if [row["hour_us"] for row in store.rows(schema.archive)][-1:] == [row["hour_us"] for row in hours][-1:]:
            return concat(found) if found else EMPTY
    raise StoreError("hours went into the archive faster than they could be read")


def _hour(folder: Path, row: Mapping[str, Any]) -> ReportBatch:
    """Return the reports of an hour file."""
    data = (folder / row["file"]).read_bytes()
    if hashlib.sha256(data).hexdigest() != row["sha256"]:
        raise StoreError(f"{row['file']} is not the file that the store names: it was changed, or the disk has")
    return ReportBatch.from_table(pq.read_table(pa.BufferReader(data)))


def _ticks(store: StoreReader, ahead: Ahead, *, since_us: int, after: int, last_tick: int) -> Iterator[ReportBatch]:
    """Yield the reports of every tick that took some since an instant, and is not in the archive."""
    table = schema.ticks
    within = table.c.tick.between(after + 1, last_tick) & (table.c.at_us >= since_us) & table.c.reports.is_not(None)
    query = select(table.c.at_us, table.c.reports).where(within).order_by(table.c.tick)
    with store.reader() as connection, connection.execution_options(yield_per=64).execute(query) as rows:
        for row in rows:
            yield ahead.watched(load_batch(row.reports), row.at_us)
