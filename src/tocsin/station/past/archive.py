"""The archive: hour files of every report that was taken, so that the store holds what a restart needs and not a month.

One Parquet file an hour of arrival, `archive/2031-06-01T08Z.parquet`, in the columns of `tracks/report.py`, to be read
by `tocsin replay`. Written and fsynced first; then its name and SHA-256 go into the store; then, a few at a time, the
hour's ticks leave it (FAULTS 109): what they decided stands in events, facts and the record. Only hours that both kept
snapshots lie behind are touched, so that a restart never needs what was removed. What was too far ahead of the clock
when it came was a reject, and is not in here. Hours older than the agreement's `record.keep_for` are deleted; the
record's tree is never touched.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from msgspec import Struct
from sqlalchemy import func, select

from tocsin.clock import US_PER_S
from tocsin.record.files import make_folder, sync_folder
from tocsin.station.past.journal import FOLDER, HOUR_US, Ahead
from tocsin.store import schema
from tocsin.store.store import Store
from tocsin.tracks.batch import ReportBatch, concat
from tocsin.tracks.packed import load_batch
from tocsin.tracks.report import SCHEMA

log = logging.getLogger(__name__)

SETTLE_US = 300 * US_PER_S
"""How long after an hour's end it is looked at, microseconds: a snapshot or two later."""

LOOK_EVERY_US = 60 * US_PER_S
"""How often it is looked whether there is something to do, microseconds."""

TICKS_AT_A_TIME = 20
"""Ticks that leave the store with one commit: few, so that no warning waits for it."""

GROUP = 100_000
"""Reports of one row group, at least."""


class Task(Struct, frozen=True, kw_only=True):
    """What the next transaction is to do for the archive.

    Attributes
    ----------
    archived : mapping or None
        A row of `schema.archive` whose file is durable.
    ticks : (int, int) or None
        First and last tick that leave the store.
    dropped_us : int or None
        Hours that begin before this leave the archive.
    """

    archived: Mapping[str, Any] | None = None
    ticks: tuple[int, int] | None = None
    dropped_us: int | None = None


NOTHING = Task()


class Archivist:
    """The hour files of a data folder.

    Parameters
    ----------
    folder : Path
    store : Store
    """

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder
        self._store = store
        rows = store.rows(schema.archive)
        self._hours = {row["hour_us"]: row["file"] for row in rows}
        self._done_tick = max([0, *(row["last_tick"] for row in rows)])
        self._next_tick = self._oldest_tick()
        self._looked_us: int | None = None
        self._under_way: Future[Mapping[str, Any] | None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="archive")
        self._tidy()

    def step(self, now_us: int, *, ahead: Ahead, keep_for_s: float | None) -> Task:
        """Take note of a tick; return what its transaction is to do. Called from the ticker's thread.

        Parameters
        ----------
        now_us : int
        ahead : Ahead
        keep_for_s : float or None
            How long hours are kept; None for ever.
        """
        if self._next_tick <= self._done_tick:
            first = self._next_tick
            last = min(first + TICKS_AT_A_TIME - 1, self._done_tick)
            self._next_tick = last + 1
            return Task(ticks=(first, last))
        if self._under_way is not None:
            return self._taken() if self._under_way.done() else NOTHING
        if self._looked_us is not None and now_us < self._looked_us + LOOK_EVERY_US:
            return NOTHING
        self._looked_us = now_us
        task = self._dropped(now_us, keep_for_s)
        self._under_way = self._thread.submit(self._write_next, now_us, ahead)
        return task

    def close(self) -> None:
        """Wait for what is under way; it is a file that nobody names, and made again."""
        self._thread.shutdown(wait=True)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _taken(self) -> Task:
        assert self._under_way is not None
        found, self._under_way = self._under_way, None
        try:
            row = found.result()
        except Exception:  # the hour stays in the store, and is tried again
            log.exception("station.archive")
            return NOTHING
        if row is None:
            return NOTHING
        self._hours[row["hour_us"]] = row["file"]
        self._done_tick, self._looked_us = row["last_tick"], None
        return Task(archived=row)

    def _dropped(self, now_us: int, keep_for_s: float | None) -> Task:
        """Drop the hours that are older than they are kept; a file goes at a later look, once its row has."""
        if keep_for_s is None:
            return NOTHING
        before_us = now_us - round(keep_for_s * US_PER_S) - HOUR_US
        old = [hour_us for hour_us in self._hours if hour_us < before_us]
        if not old:
            return NOTHING
        self._hours = {hour_us: name for hour_us, name in self._hours.items() if hour_us >= before_us}
        return Task(dropped_us=before_us)

    def _tidy(self) -> None:
        """Delete the hour files that no row names any more, or not yet."""
        named = {row["file"] for row in self._store.rows(schema.archive)} | set(self._hours.values())
        for path in (self._folder / FOLDER).glob("*.parquet*"):
            if f"{FOLDER}/{path.name}" not in named:
                path.unlink(missing_ok=True)

    def _oldest_tick(self) -> int:
        """Return the first tick whose inputs are still there, or the one after the last hour in the archive."""
        ticks = schema.ticks
        held = select(func.min(ticks.c.tick)).where(ticks.c.tick <= self._done_tick, ticks.c.inputs.is_not(None))
        with self._store.reader() as connection:
            found = connection.execute(held).scalar()
        return self._done_tick + 1 if found is None else int(found)

    def _write_next(self, now_us: int, ahead: Ahead) -> Mapping[str, Any] | None:
        """Delete what is not kept, write the file of the oldest hour that is ready; return its row, or None for none.

        In a thread of its own: a database that does not answer holds up neither ticks nor warnings.
        """
        self._tidy()
        ticks, snapshots = schema.ticks, schema.snapshots
        with self._store.reader() as connection:
            begin_us = connection.execute(select(ticks.c.at_us).where(ticks.c.tick == self._done_tick + 1)).scalar()
            if begin_us is None:
                return None
            hour_us = begin_us - begin_us % HOUR_US
            before = (ticks.c.tick > self._done_tick) & (ticks.c.at_us < hour_us + HOUR_US)
            last_tick = connection.execute(select(func.max(ticks.c.tick)).where(before)).scalar()
            oldest = connection.execute(select(func.min(snapshots.c.tick))).scalar()
            count = connection.execute(select(func.count()).select_from(snapshots)).scalar() or 0
            is_ready = now_us >= hour_us + HOUR_US + SETTLE_US and count > 1
            if not is_ready or last_tick is None or oldest is None or oldest < last_tick:
                return None
            query = select(ticks.c.at_us, ticks.c.reports).where(before, ticks.c.reports.is_not(None))
            name = f"{FOLDER}/{datetime.fromtimestamp(hour_us / US_PER_S, UTC):%Y-%m-%dT%HZ}.parquet"
            # Closed whatever comes: rows half read would hold the reader to what the store was then.
            with connection.execution_options(yield_per=64).execute(query.order_by(ticks.c.tick)) as rows:
                written = self._write(self._folder / name, rows, ahead)
        return {"hour_us": hour_us, "file": name, "last_tick": int(last_tick), **written}

    def _write(self, path: Path, rows: Any, ahead: Ahead) -> dict[str, Any]:
        make_folder(path.parent)
        part, count = path.with_suffix(".parquet.part"), 0
        held: list[ReportBatch] = []
        with pq.ParquetWriter(part, SCHEMA, compression="zstd") as writer:
            for row in rows:
                held.append(ahead.watched(load_batch(row.reports), row.at_us))
                if sum(map(len, held)) >= GROUP:
                    count += _group(writer, held)
            count += _group(writer, held)
        with part.open("rb") as file:
            os.fsync(file.fileno())
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        os.replace(part, path)
        sync_folder(path.parent)
        return {"sha256": sha256, "report_count": count}


def _group(writer: pq.ParquetWriter, held: list[ReportBatch]) -> int:
    """Write what is held as one row group, and hold nothing."""
    batch = concat(held) if held else None
    held.clear()
    if batch is None or not len(batch):
        return 0
    writer.write_table(batch.to_table())
    return len(batch)
