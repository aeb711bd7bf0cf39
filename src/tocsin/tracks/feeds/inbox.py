"""The inbox of a feed: what its connections decoded while the last delivery was being made durable.

One delivery is under way at a time; meanwhile everything else gathers and goes out as the next one, so that a burst
becomes few large commits and a single report waits for none. If the station refuses, the same delivery is tried again.
A source that can wait without harm is made to (`room`); of one that cannot, or that would only send what is stale, the
oldest positions of each track are given up first, unread and counted (`shed`; FAULTS 37, 106). Reports that are old as
a whole are said to be replayed, once (FAULTS 40).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from tocsin.clock import US_PER_S, now_us
from tocsin.errors import RefusedError
from tocsin.tracks.batch import ReportBatch, concat
from tocsin.tracks.feeds.feed import Deliver, Delivery, FactKind, FeedFact
from tocsin.tracks.feeds.pace import Pace
from tocsin.tracks.formats.live import LiveReader
from tocsin.tracks.quality import Flag, Reject
from tocsin.tracks.shedding import kept_of
from tocsin.units import format_duration

MAX_WAITING = 50_000
"""Records that wait for the station before a feed pauses its source (P11)."""

MAX_UNREAD = 100_000
"""Records of a feed that may wait before some are given up: two seconds of the rated 50,000 a second."""

MOST_AT_ONCE = 10_000
"""Lines of a connection that one delivery takes where the rest can stay unread: some 50 ms of reading, so that others
get their turn."""

REPLAY_AGE_S = 3_600.0
"""Age of the newest report of a delivery above which it is said to be a replay, beyond the feed's lateness."""


class Inbox:
    """Gathers what a feed's readers decode, and hands it over in turn.

    Parameters
    ----------
    feed : str
    lateness_us : int
        Of the feed, for telling a replay.
    position : str or None
        Where the source is at the beginning.
    """

    def __init__(self, *, feed: str, lateness_us: int, position: str | None = None) -> None:
        self.position = position
        self.seen_us = now_us()
        self._feed = feed
        self._replay_us = lateness_us + round(REPLAY_AGE_S * US_PER_S)
        self._said_replay = False
        self._readers: dict[LiveReader, Callable[[], str] | None] = {}
        self._facts: list[FeedFact] = []
        self._batches: list[ReportBatch] = []
        self._rejects: list[Reject] = []
        self._flagged: dict[Flag, int] = {}
        self._read = self._shed = 0
        self._starved: dict[bytes, int] = {}
        self._came = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def waiting(self) -> int:
        """Records that wait for the next delivery."""
        return sum(map(len, self._batches)) + len(self._rejects) + sum(map(len, self._readers))

    def open(self, reader: LiveReader, position: Callable[[], str] | None = None) -> LiveReader:
        """Take a reader's reports from now on.

        Parameters
        ----------
        reader : LiveReader
        position : callable, optional
            Tells where its source is after everything that the reader has read.
        """
        self._readers[reader] = position
        reader.starved = self._starved
        return reader

    def close(self, reader: LiveReader) -> None:
        """Take what a reader still has; its connection has ended."""
        reader.cut()
        self._gather(reader)
        if self._readers.pop(reader) is None:  # a source that keeps no place: it cannot be asked again
            self.shed()
        self._came.set()

    def came(self, *, sheds: bool = False) -> None:
        """Note that a reader was given bytes.

        Parameters
        ----------
        sheds : bool
            True if its source cannot wait: what is too much is given up (`shed`).
        """
        self.seen_us = now_us()
        waiting = self.waiting
        if waiting >= MAX_WAITING:
            self._room.clear()
        if sheds and waiting >= MAX_UNREAD:
            self.shed()
        self._came.set()

    def note(self, kind: FactKind, detail: str, *, count: int = 0) -> None:
        """Hand over a fact with the next delivery.

        Parameters
        ----------
        kind : FactKind
        detail : str
        count : int
        """
        self._facts.append(FeedFact(kind=kind, at_us=now_us(), count=count, detail=detail))
        self._came.set()

    async def room(self) -> None:
        """Return when the station has caught up enough for more to be read."""
        await self._room.wait()

    def shed(self) -> None:
        """Give up the oldest positions of each track if too many wait: every second one of what waits unread.

        What ended connections left is read already; of that too no more than half of what may wait stays.
        """
        if self.waiting < MAX_UNREAD:
            return
        for reader in self._readers:
            reader.shed(len(reader) // 2)
        most, batch, rejects = MAX_UNREAD // 2, concat(self._batches), self._rejects
        kept = kept_of([batch.tracks[track] for track in batch.track.tolist()], most)
        self._shed += len(batch) - len(kept) + max(0, len(rejects) - most)
        self._batches, self._rejects = [batch.take(np.array(kept, np.int64))], rejects[-most:]

    async def run(self, deliver: Deliver) -> None:
        """Hand over until cancelled.

        Parameters
        ----------
        deliver : callable
        """
        while True:
            await self._came.wait()
            self._came.clear()
            delivery = self._take()
            if delivery is None:
                continue
            pace = Pace(least_s=0.05, most_s=2.0)
            while True:
                try:
                    await deliver(delivery)
                    break
                except RefusedError:
                    await asyncio.sleep(pace.next_s())
            if self.waiting < MAX_WAITING // 2:
                self._room.set()

    def _take(self) -> Delivery | None:
        for reader, position in self._readers.items():
            self._gather(reader, most=MOST_AT_ONCE if position is None else None)
            if len(reader):
                self._came.set()
            if position is not None:
                self.position = position()
        batch = concat(self._batches)
        self._judge_age(batch)
        if not (self._read or self._facts):
            return None
        delivery = Delivery(
            feed=self._feed,
            batch=batch,
            rejects=tuple(self._rejects),
            read=self._read,
            position=self.position,
            shed=self._shed,
            flagged=self._flagged,
            facts=tuple(self._facts),
        )
        self._batches, self._rejects, self._flagged, self._facts = [], [], {}, []
        self._read = self._shed = 0
        return delivery

    def _gather(self, reader: LiveReader, *, most: int | None = None) -> None:
        if not len(reader) and not reader.shed_count:
            return
        found = reader.take(most)
        if len(found.batch):
            self._batches.append(found.batch)
        self._rejects += found.rejects
        self._read += found.read
        self._shed += found.shed
        for flag, count in found.flagged.items():
            self._flagged[flag] = self._flagged.get(flag, 0) + count

    def _judge_age(self, batch: ReportBatch) -> None:
        if not len(batch):
            return
        age_us = now_us() - int(batch.observed_us.max())
        if age_us <= self._replay_us:
            self._said_replay = False
        elif not self._said_replay:
            self._said_replay = True
            old = f"the newest report is {format_duration(age_us / US_PER_S)} old"
            self._facts.append(FeedFact(kind=FactKind.REPLAYED, at_us=now_us(), count=len(batch), detail=old))
