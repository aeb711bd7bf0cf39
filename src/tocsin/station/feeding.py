"""Feeding: every feed of a station run, begun again after a fault, each from the position that is durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from tocsin.errors import TocsinError
from tocsin.station.core.health import Health, HealthNote
from tocsin.tracks.feeds.feed import Delivery, Feed

log = logging.getLogger(__name__)

PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before a feed that ended by a fault is begun again; the last is repeated. Seconds."""

PORT_LOOK_S = 0.01
MOST_PORT_LOOKS = 500
"""How long, and how often, a listening feed is waited for until its port is known: five seconds in all."""


class Feeding:
    """The feeds of one station.

    Parameters
    ----------
    feeds : sequence of Feed
    positions : dict of str to str
        By feed, where each goes on.
    deliver : callable
        Takes a delivery; returns once it is durable.
    note : callable
        Takes what befalls a feed.

    Raises
    ------
    TocsinError
        If two feeds have one name.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        positions: dict[str, str],
        *,
        deliver: Callable[[Delivery], Awaitable[None]],
        note: Callable[[HealthNote], None],
    ) -> None:
        self.by_name = {feed.name: feed for feed in feeds}
        if len(self.by_name) < len(feeds):
            names = [feed.name for feed in feeds]
            raise TocsinError(f"found two feeds named {max(names, key=names.count)!r}: give one another name")
        self._positions = positions
        self._deliver = deliver
        self._note = note

    async def run(self) -> None:
        """Run every feed until each has ended, or this is cancelled."""
        async with asyncio.TaskGroup() as group:
            for feed in self.by_name.values():
                group.create_task(self._run_one(feed))

    async def ports(self) -> dict[str, int]:
        """Return the ports of the feeds that listen, once each has its own."""
        listening = {name: feed for name, feed in self.by_name.items() if isinstance(getattr(feed, "port", None), int)}
        for _ in range(MOST_PORT_LOOKS):
            ports = {name: int(feed.port) for name, feed in listening.items()}  # type: ignore[attr-defined]
            if all(ports.values()):
                break
            await asyncio.sleep(PORT_LOOK_S)
        return ports

    async def _run_one(self, feed: Feed) -> None:
        for failures in range(1_000_000_000):
            try:
                await feed.run(self._deliver_and_go_on, resume=self._positions.get(feed.name))
                return
            except Exception as error:  # whatever it is, the other feeds run on, and somebody is told
                log.exception("feed.failed", extra={"feed": feed.name})
                said = str(error) if isinstance(error, TocsinError) else f"{type(error).__name__}: {error}"
                self._note(HealthNote(kind=Health.FEED, about=feed.name, detail=f"failed: {said}"))
                await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])

    async def _deliver_and_go_on(self, delivery: Delivery) -> None:
        await self._deliver(delivery)
        if delivery.position is not None:
            self._positions[delivery.feed] = delivery.position
