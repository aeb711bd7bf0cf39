"""The feed whose source comes to us: reports pushed over HTTP, handed on as they arrive.

`push:NAME`. The routes of `serve` decode a request and call `push`, which returns when the delivery is durable; so
the sender's answer means what it says. It keeps no position: what was not answered, the sender sends again. Phones
whose app can only GET, with its key in the address, are let in only if the URL says `osmand=get`.
"""

from __future__ import annotations

import asyncio

from tocsin.errors import RefusedError, SettingError
from tocsin.tracks.feeds.address import FeedAddress
from tocsin.tracks.feeds.feed import Deliver, Delivery
from tocsin.tracks.formats.live import LiveFormat, LiveReader
from tocsin.tracks.formats.osmand import SPEED_UNITS


class PushFeed:
    """Reports that are pushed by their senders.

    Parameters
    ----------
    address : FeedAddress
        `push:NAME`, with the common options, `speed=` (the unit of OsmAnd's speeds) and `osmand=post` or `get`.

    Raises
    ------
    SettingError
        For another option, or no name.
    """

    def __init__(self, address: FeedAddress) -> None:
        address.allow("speed", "osmand")
        self.name = address.name(address.path.strip("/"))
        if not self.name or address.host:
            raise SettingError("no name", expected="push:NAME", place=address.place)
        self.policy = address.policy()
        self.takes_get = address.word("osmand", "post", ("post", "get")) == "get"
        self._speed = address.word("speed", "kn", SPEED_UNITS)
        self._party = address.options.get("party")
        self._deliver: Deliver | None = None

    async def run(self, deliver: Deliver, *, resume: str | None) -> None:
        """Hand over what is pushed, until cancelled.

        Parameters
        ----------
        deliver : callable
        resume : str or None
            Not used: senders keep their own place.
        """
        self._deliver = deliver
        try:
            await asyncio.Event().wait()
        finally:
            self._deliver = None

    def read(self, data: bytes, form: LiveFormat, at_us: int) -> Delivery:
        """Return what a request says, ready to be pushed.

        Parameters
        ----------
        data : bytes
        form : LiveFormat
        at_us : int
            When it came, microseconds UTC.
        """
        reader = LiveReader(feed=self.name, form=form, party=self._party, speed=self._speed)
        reader.push_message(data, at_us)
        found = reader.take()
        return Delivery(
            feed=self.name,
            batch=found.batch,
            rejects=found.rejects,
            read=found.read,
            position=None,
            flagged=found.flagged,
        )

    async def push(self, delivery: Delivery) -> None:
        """Hand over one delivery; return when it is durable.

        Parameters
        ----------
        delivery : Delivery

        Raises
        ------
        RefusedError
            If the station does not take it now, or the feed does not run.
        """
        if self._deliver is None:
            raise RefusedError(f"the feed {self.name} does not run")
        await self._deliver(delivery)
