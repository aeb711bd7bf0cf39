"""Reports in datagrams: `udp://ADDRESS:PORT`, listening there; the parts of a message may come in several.

Each datagram holds whole lines. A sender is not told anything and cannot be made to wait: if the station falls behind,
the oldest positions of each track are given up, counted; what the kernel drops before that, nobody can count.
Multicast groups are not joined.
"""

from __future__ import annotations

import asyncio
import socket

from tocsin.clock import US_PER_S, now_us
from tocsin.errors import SettingError
from tocsin.tracks.feeds.address import FeedAddress
from tocsin.tracks.feeds.decoding import OPTIONS, policy_of, reader_of
from tocsin.tracks.feeds.feed import Deliver, FactKind
from tocsin.tracks.feeds.inbox import Inbox
from tocsin.tracks.formats.live import LiveReader

RECEIVE_BYTES = 4 * 2**20
"""Receive buffer asked of the kernel: about ten seconds of a national AIS feed."""

SILENCE_S = 300.0
"""Seconds without a datagram after which the feed is said to be silent, unless the URL says otherwise."""


class UdpFeed:
    """Datagrams of lines.

    Parameters
    ----------
    address : FeedAddress
        `udp://ADDRESS:PORT`; port 0 takes a free one, which `port` tells once the feed runs.

    Raises
    ------
    SettingError
        For an option or value that is none.
    """

    def __init__(self, address: FeedAddress) -> None:
        address.allow(*OPTIONS, "timeout")
        if address.port is None or not address.host or address.path:
            raise SettingError("no address and port", expected="udp://ADDRESS:PORT", place=address.place)
        self.name = address.name(f"udp:{address.host}:{address.port}")
        self.policy = policy_of(address)
        self.port = address.port
        self._host = address.host
        self._timeout_us = address.duration_us("timeout", SILENCE_S)
        self._reader = reader_of(address, self.name)

    async def run(self, deliver: Deliver, *, resume: str | None) -> None:
        """Listen and hand over, until cancelled.

        Parameters
        ----------
        deliver : callable
        resume : str or None
            Not used: datagrams that nobody took are gone.
        """
        inbox = Inbox(feed=self.name, lateness_us=self.policy.lateness_us)
        receiver = _Receiver(inbox, inbox.open(self._reader()))
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: receiver, sock=await loop.run_in_executor(None, _bound, self._host, self.port)
        )
        self.port = transport.get_extra_info("sockname")[1]
        inbox.note(FactKind.CONNECTED, f"listening on port {self.port}")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(inbox.run(deliver))
                tasks.create_task(watch_silence(inbox, self._timeout_us))
        finally:
            transport.close()


class _Receiver(asyncio.DatagramProtocol):
    """Gives datagrams to a reader."""

    def __init__(self, inbox: Inbox, reader: LiveReader) -> None:
        self._inbox = inbox
        self._reader = reader

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        self._reader.push_message(data, now_us())
        self._inbox.came(sheds=True)


async def watch_silence(inbox: Inbox, timeout_us: int) -> None:
    """Say once that a feed is silent, each time it falls silent, until cancelled.

    Parameters
    ----------
    inbox : Inbox
    timeout_us : int
        Silence longer than this is said.
    """
    while True:
        silent_us = now_us() - inbox.seen_us
        if silent_us >= timeout_us:
            inbox.note(FactKind.SILENT, f"nothing for {silent_us / US_PER_S:.0f} s")
            since = inbox.seen_us
            while inbox.seen_us == since:
                await asyncio.sleep(min(1.0, timeout_us / US_PER_S))
            inbox.note(FactKind.CONNECTED, "reports come again")
        await asyncio.sleep(max(0.01, (timeout_us - (now_us() - inbox.seen_us)) / US_PER_S))


def _bound(host: str, port: int) -> socket.socket:
    family, kind, proto, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    bound = socket.socket(family, kind, proto)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        bound.bind(where)
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound
