"""Reports from a NATS JetStream: `nats://HOST:PORT/STREAM`, by a durable pull consumer, acknowledged after our commit.

The position is the stream's own number of the last durable message and when the stream was made, so that a restart, a
redelivery or a lost consumer doubles nothing, and a wiped stream is said to have been one and not taken for "caught up"
(FAULTS 34, 35). A hole in the numbers is said too: we may have missed what stood there. The time of a message is that
of its storage in the stream. Plain NATS, which keeps nothing, is not read; nats-py does the protocol.
"""

from __future__ import annotations

import re
from datetime import UTC
from functools import partial
from typing import Any

import msgspec
import nats
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError, NotFoundError

from tocsin.clock import US_PER_S, now_us
from tocsin.errors import SettingError
from tocsin.tracks.feeds.address import FeedAddress
from tocsin.tracks.feeds.broker import TRIES, Arrived, Handover, keep_connected, read_credentials, tls_context
from tocsin.tracks.feeds.decoding import OPTIONS, policy_of, reader_of
from tocsin.tracks.feeds.feed import Deliver, FactKind
from tocsin.tracks.feeds.pace import RETRY_S
from tocsin.tracks.feeds.tcp import CONNECT_S
from tocsin.tracks.feeds.udp import SILENCE_S

PORT = 4_222
BATCH = 500
"""Messages asked for, and so handed over, at a time."""

ACK_WAIT_S = 60
"""Seconds after which the server gives a message again that was not acknowledged."""

_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SUBJECT = re.compile(r"[^\s$.]+(?:\.[^\s.]+)*")


class Mark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a feed is in its stream.

    Attributes
    ----------
    made : str
        When the stream was made, RFC 3339: another stream of the same name has another time.
    seq : int
        The stream's number of the last message that is durable.
    """

    made: str
    seq: int


class NatsFeed:
    """Messages of a stream.

    Parameters
    ----------
    address : FeedAddress
        `nats://HOST:PORT/STREAM` or `nats+tls://…`, with `subject=`, `durable=`, `credentials=`, `ca=`, `tries=`.

    Raises
    ------
    SettingError
        For an option or value that is none.
    """

    def __init__(self, address: FeedAddress) -> None:
        address.allow(*OPTIONS, "subject", "durable", "credentials", "ca", "tries", "timeout", "retry")
        self._stream = address.path.strip("/")
        if not address.host or not _WORD.fullmatch(self._stream):
            raise SettingError("no host and stream", expected="nats://HOST:PORT/STREAM", place=address.place)
        self.name = address.name(f"nats:{address.host}:{self._stream}")
        self.policy = policy_of(address)
        self._server = f"nats://{address.host}:{address.port or PORT}"
        self._subject = address.read("subject", "", _matching(_SUBJECT), "a subject")
        self._durable = address.read("durable", f"tocsin-{self._stream}", _matching(_WORD), "a name")
        self._credentials = read_credentials(address)
        self._tls = tls_context(address)
        self._tries = address.number("tries", TRIES, least=1, most=100)
        self._timeout_s = address.duration_us("timeout", SILENCE_S) / US_PER_S
        self._retry_s = address.duration_us("retry", RETRY_S) / US_PER_S
        self._reader = reader_of(address, self.name)

    async def run(self, deliver: Deliver, *, resume: str | None) -> None:
        """Read the stream and hand over, until cancelled.

        Parameters
        ----------
        deliver : callable
        resume : str or None
            A `Mark` as JSON, as this feed handed it over.
        """
        mark = None if resume is None else msgspec.json.decode(resume, type=Mark)
        over = Handover(feed=self.name, reader=self._reader(), deliver=deliver, tries=self._tries)

        def following(before: _Reading | None) -> _Reading:
            """Return a reading that goes on where the one before ended."""
            return _Reading(self, over, mark if before is None else before.mark)

        ends = (OSError, TimeoutError, NatsError, APIError)
        await keep_connected(following, over, retry_s=self._retry_s, ends=ends)

    async def connect(self) -> Any:
        """Return a connection to the server, which is not made again by itself."""
        user, password = self._credentials or (None, None)
        return await nats.connect(
            self._server,
            allow_reconnect=False,
            connect_timeout=int(CONNECT_S),
            ping_interval=max(1, int(min(20.0, self._timeout_s / 3))),
            max_outstanding_pings=2,
            user=user,
            password=password,
            tls=self._tls,
            error_cb=_ignore,
        )


class _Reading:
    """One connection to a server, from its beginning to its end."""

    def __init__(self, feed: NatsFeed, over: Handover, mark: Mark | None) -> None:
        self._feed = feed
        self._over = over
        self.mark = mark
        self.is_connected = False

    @property
    def position(self) -> str | None:
        """The last number taken, as JSON."""
        return _text(self.mark)

    async def go(self) -> None:
        """Connect, read until the connection ends, and raise why it did."""
        feed = self._feed
        client = await feed.connect()
        try:
            js = client.jetstream()
            info = await js.stream_info(feed._stream)
            self.is_connected = True
            self._over.note(FactKind.CONNECTED, f"stream {feed._stream}, messages {info.state.messages}")
            self._judge(info)
            await self._over.say(self.position)
            await self._consume(client, await self._subscription(js))
        finally:
            if not client.is_closed:
                await client.close()

    def _judge(self, info: Any) -> None:
        made = str(info.created.astimezone(UTC).isoformat() if hasattr(info.created, "astimezone") else info.created)
        state, before = info.state, self.mark
        if before is None:
            self.mark = Mark(made=made, seq=0)
            return
        if before.made != made or state.last_seq < before.seq:
            detail = f"the stream was made anew: what it held after number {before.seq} may be lost"
            self._over.note(FactKind.MISSED, detail)
            self.mark = Mark(made=made, seq=0)
        elif state.first_seq > before.seq + 1:
            gone = state.first_seq - before.seq - 1
            self._over.note(FactKind.MISSED, f"numbers {before.seq + 1} to {state.first_seq - 1} are gone", count=gone)
            self.mark = Mark(made=made, seq=state.first_seq - 1)

    async def _subscription(self, js: Any) -> Any:
        """Return a consumer that stands exactly at our own position: the server's idea of it may be older or newer."""
        feed, mark = self._feed, self.mark
        assert mark is not None
        try:
            known = await js.consumer_info(feed._stream, feed._durable)
            stands = {known.ack_floor.stream_seq, known.delivered.stream_seq}
            is_ours = stands == {mark.seq} and (known.config.filter_subject or "") == feed._subject
            if not is_ours:
                await js.delete_consumer(feed._stream, feed._durable)
        except NotFoundError:
            is_ours = False
        if not is_ours:
            await js.add_consumer(
                feed._stream,
                ConsumerConfig(
                    durable_name=feed._durable,
                    ack_policy=AckPolicy.EXPLICIT,
                    ack_wait=ACK_WAIT_S,
                    max_ack_pending=2 * BATCH,
                    deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                    opt_start_seq=mark.seq + 1,
                    filter_subject=feed._subject or None,
                ),
            )
        return await js.pull_subscribe_bind(durable=feed._durable, stream=feed._stream)

    async def _consume(self, client: Any, subscription: Any) -> None:
        seen_us, is_silent = now_us(), False
        wait_s = min(1.0, self._feed._timeout_s)
        while True:
            try:
                messages = await subscription.fetch(BATCH, timeout=wait_s)
            except TimeoutError:
                messages = []
            if client.is_closed:
                raise NatsError("the connection ended")
            if messages:
                seen_us, is_silent = now_us(), False
                await self._settle(messages)
            elif not is_silent and now_us() - seen_us >= self._feed._timeout_s * US_PER_S:
                is_silent = True
                self._over.note(FactKind.SILENT, f"nothing for {self._feed._timeout_s:g} s")
                await self._over.say(self.position)

    async def _settle(self, messages: list[Any]) -> None:
        assert self.mark is not None
        fresh = []
        seq = self.mark.seq
        for message in messages:
            number = message.metadata.sequence.stream
            if number <= self.mark.seq:
                # Durable before; only the acknowledgement was lost.
                await message.ack()
                continue
            if number > seq + 1 and not self._feed._subject:
                detail = f"numbers {seq + 1} to {number - 1} are gone"
                self._over.note(FactKind.MISSED, detail, count=number - seq - 1)
            seq = max(seq, number)
            fresh.append(_arrived(message, number, Mark(made=self.mark.made, seq=seq)))
        if fresh:
            await self._over.settle(fresh)
            self.mark = Mark(made=self.mark.made, seq=seq)


def _arrived(message: Any, number: int, after: Mark) -> Arrived:
    told = message.metadata
    return Arrived(
        data=message.data,
        at_us=int(told.timestamp.timestamp() * US_PER_S),
        label=f"message {number}",
        acknowledge=message.ack,
        position=partial(_json, after),
        tries=told.num_delivered - 1,
    )


def _json(mark: Mark) -> str:
    return msgspec.json.encode(mark).decode()


def _text(mark: Mark | None) -> str | None:
    return None if mark is None else _json(mark)


def _matching(pattern: re.Pattern[str]) -> Any:
    def reader(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return reader


async def _ignore(_: Exception) -> None:
    """Every error reaches us by what it makes fail."""
