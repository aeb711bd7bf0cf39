"""The feed whose source comes to us: reports pushed over HTTP, handed on as they arrive.

`push:NAME`. The routes of `serve` decode a request and call `push`, which returns when the delivery is durable; so
the sender's answer means what it says. It keeps no position: what was not answered, the sender sends again.
"""

from __future__ import annotations

import asyncio

from tocsin.errors import RefusedError, SettingError
from tocsin.tracks.feeds.address import FeedAddress
from tocsin.tracks.feeds.feed import Deliver, Delivery


class PushFeed:
    """Reports that are pushed by their senders.

    Parameters
    ----------
    address : FeedAddress
        `push:NAME`, with the common options.

    Raises
    ------
    SettingError
        For another option, or no name.
    """

    def __init__(self, address: FeedAddress) -> None:
        address.allow()
        self.name = address.name(address.path.strip("/"))
        if not self.name or address.host:
            raise SettingError("no name", expected="push:NAME", place=address.place)
        self.policy = address.policy()
        self.party = address.options.get("party")
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
