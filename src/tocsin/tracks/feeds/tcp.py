"""Reports over TCP: `tcp://HOST:PORT` connects there, again and again; `tcp-listen://ADDRESS:PORT` is connected to.

A connection that ends takes its unfinished line and messages with it (FAULTS 32). One that is silent for longer than
`timeout` is taken for half-open, reported and made anew (FAULTS 33). Waits between tries double, with jitter. When the
station falls behind, the oldest positions of each track are given up: a sender that is made to wait would send what is
stale. TLS is not spoken here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tocsin.clock import US_PER_S, now_us
from tocsin.errors import SettingError
from tocsin.tracks.feeds.address import FeedAddress
from tocsin.tracks.feeds.decoding import OPTIONS, policy_of, reader_of
from tocsin.tracks.feeds.feed import Deliver, FactKind
from tocsin.tracks.feeds.inbox import Inbox
from tocsin.tracks.feeds.pace import MOST_RETRY_S, RETRY_S, Pace

TIMEOUT_S = 60.0
"""Seconds of silence after which a connection is taken for dead, unless the URL says otherwise."""

CONNECT_S = 10.0
"""Seconds that a try may take."""

PIECE_BYTES = 16_384
"""Bytes read at a time: some 200 lines, so that other feeds get their turn."""

MAX_CONNECTIONS = 64
"""Senders connected to a `tcp-listen` feed at a time (P11); one more is closed at once."""


class TcpFeed:
    """Lines over TCP, by a connection that this feed makes or that is made to it.

    Parameters
    ----------
    address : FeedAddress
        `tcp://HOST:PORT` or `tcp-listen://ADDRESS:PORT`; to listen, port 0 takes a free one, which `port` then tells.

    Raises
    ------
    SettingError
        For an option or value that is none.
    """

    def __init__(self, address: FeedAddress) -> None:
        self._listens = address.scheme == "tcp-listen"
        address.allow(*OPTIONS, "timeout", *(() if self._listens else ("retry",)))
        if address.port is None or not address.host or address.path:
            raise SettingError("no host and port", expected=f"{address.scheme}://HOST:PORT", place=address.place)
        self.name = address.name(f"{address.scheme}:{address.host}:{address.port}")
        self.policy = policy_of(address)
        self.port = address.port
        self._host = address.host
        self._timeout_s = address.duration_us("timeout", TIMEOUT_S) / US_PER_S
        self._retry_s = address.duration_us("retry", RETRY_S) / US_PER_S
        self._reader = reader_of(address, self.name)

    async def run(self, deliver: Deliver, *, resume: str | None) -> None:
        """Read and hand over, until cancelled.

        Parameters
        ----------
        deliver : callable
        resume : str or None
            Not used: what was sent while nobody was connected is the sender's to keep.
        """
        inbox = Inbox(feed=self.name, lateness_us=self.policy.lateness_us)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(inbox.run(deliver))
            await (self._listen(inbox) if self._listens else self._connect(inbox))

    async def _connect(self, inbox: Inbox) -> None:
        pace = Pace(least_s=self._retry_s, most_s=MOST_RETRY_S)
        failed = ""
        while True:
            try:
                async with asyncio.timeout(CONNECT_S):
                    reader, writer = await asyncio.open_connection(self._host, self.port, limit=PIECE_BYTES)
            except (OSError, TimeoutError) as error:
                # A source that stays away is said once, not at every try.
                if (reason := str(error) or "no answer") != failed:
                    inbox.note(FactKind.LOST, f"cannot connect: {reason}")
                    failed = reason
            else:
                failed = ""
                inbox.note(FactKind.CONNECTED, f"to {self._host}:{self.port}")
                async with _closing(writer):
                    if await self._read(reader, inbox):
                        pace.reset()
            await asyncio.sleep(pace.next_s())

    async def _listen(self, inbox: Inbox) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Read one sender to its end."""
            task = asyncio.current_task()
            async with _closing(writer):
                if task is not None and len(serving) < MAX_CONNECTIONS:
                    serving.add(task)
                    try:
                        await self._read(reader, inbox)
                    except asyncio.CancelledError:
                        # Only the end of the feed cancels it, below; asyncio's server would log it as a fault.
                        writer.transport.abort()
                    finally:
                        serving.discard(task)

        serving: set[asyncio.Task[object]] = set()
        server = await asyncio.start_server(serve, self._host, self.port, limit=PIECE_BYTES)
        self.port = server.sockets[0].getsockname()[1]
        inbox.note(FactKind.CONNECTED, f"listening on port {self.port}")
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            tasks = list(serving)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, source: asyncio.StreamReader, inbox: Inbox) -> bool:
        """Read one connection to its end; return whether anything came."""
        lines = inbox.open(self._reader())
        anything = False
        try:
            while True:
                try:
                    async with asyncio.timeout(self._timeout_s):
                        data = await source.read(PIECE_BYTES)
                except TimeoutError:
                    inbox.note(FactKind.SILENT, f"nothing for {self._timeout_s:g} s: the connection is given up")
                    break
                except OSError as error:
                    inbox.note(FactKind.LOST, error.strerror or str(error))
                    break
                if not data:
                    inbox.note(FactKind.LOST, "the source closed the connection")
                    break
                anything = True
                lines.push(data, now_us())
                inbox.came(sheds=True)
        finally:
            inbox.close(lines)
        return anything


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await writer.wait_closed()
