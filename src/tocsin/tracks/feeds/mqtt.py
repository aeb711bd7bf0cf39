"""Reports from an MQTT 5 broker: `mqtt://HOST:PORT/TOPIC`, QoS 1, a persistent session, acknowledged after our commit.

The broker keeps what comes while we are away; if it kept no session, that is said: we may have missed something (FAULTS
34). What is given again after a crash is known by its bytes and doubled nowhere (FAULTS 35). A retained message is
marked as such, and its arrival never stands for its time. Messages larger than `MAX_MESSAGE_BYTES` the broker is asked
not to send. `$SYS` topics are refused. paho-mqtt does the protocol, in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tocsin.clock import US_PER_S, now_us
from tocsin.errors import SettingError
from tocsin.tracks.feeds.address import FeedAddress
from tocsin.tracks.feeds.broker import TRIES, Arrived, Handover, keep_connected, read_credentials, tls_context
from tocsin.tracks.feeds.decoding import OPTIONS, policy_of, reader_of
from tocsin.tracks.feeds.feed import Deliver, FactKind
from tocsin.tracks.feeds.pace import RETRY_S
from tocsin.tracks.feeds.tcp import CONNECT_S
from tocsin.tracks.feeds.udp import SILENCE_S

PORTS = {"mqtt": 1_883, "mqtts": 8_883}

IN_FLIGHT = 100
"""Messages that the broker may have sent and we not acknowledged; also the most that are handed over at a time."""

MAX_MESSAGE_BYTES = 2**20
SESSION_S = 7 * 86_400
"""Seconds that the broker is asked to keep our session while we are away."""

MAX_WAITING = 10_000
"""Messages of QoS 0, which a broker does not hold back, that may wait; more are shed (P11)."""


class Mark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a feed remembers of its session.

    Attributes
    ----------
    recent : list of str
        Digests of the last messages that are durable and may not have been acknowledged.
    """

    recent: list[str]


class MqttFeed:
    """Messages of one topic filter.

    Parameters
    ----------
    address : FeedAddress
        `mqtt://HOST:PORT/TOPIC` or `mqtts://…`, the topic with `+` and `#` as MQTT has them (`%23` in a URL), with
        `client=` (the session's name), `credentials=`, `ca=`, `tries=`.

    Raises
    ------
    SettingError
        For an option or value that is none.
    """

    def __init__(self, address: FeedAddress) -> None:
        address.allow(*OPTIONS, "client", "credentials", "ca", "tries", "timeout", "retry")
        self.topic = address.path.removeprefix("/")
        if not address.host or not self.topic or len(self.topic.encode()) > 1_000:
            raise SettingError("no host and topic", expected="mqtt://HOST:PORT/TOPIC", place=address.place)
        if self.topic.startswith("$SYS"):
            raise SettingError("a $SYS topic", expected="one of reports", place=address.place)
        self.name = address.name(f"mqtt:{address.host}:{self.topic}")
        self.policy = policy_of(address)
        self.host = address.host
        self.port = address.port or PORTS[address.scheme]
        self.client_id = address.options.get("client", f"tocsin-{self.name}")[:64]
        self.credentials = read_credentials(address)
        self.tls = tls_context(address)
        self.timeout_s = address.duration_us("timeout", SILENCE_S) / US_PER_S
        self._tries = address.number("tries", TRIES, least=1, most=100)
        self._retry_s = address.duration_us("retry", RETRY_S) / US_PER_S
        self._reader = reader_of(address, self.name)

    async def run(self, deliver: Deliver, *, resume: str | None) -> None:
        """Subscribe and hand over, until cancelled.

        Parameters
        ----------
        deliver : callable
        resume : str or None
            A `Mark` as JSON, as this feed handed it over.
        """
        over = Handover(feed=self.name, reader=self._reader(), deliver=deliver, tries=self._tries)
        recent = deque(msgspec.json.decode(resume, type=Mark).recent if resume else (), maxlen=2 * IN_FLIGHT)

        def following(before: _Session | None) -> _Session:
            """Return a session that knows whether the broker should have kept what came meanwhile."""
            was_here = resume is not None if before is None else before.was_here or before.is_connected
            return _Session(self, over, recent, was_here=was_here)

        await keep_connected(following, over, retry_s=self._retry_s, ends=(OSError, TimeoutError, ValueError))


class _Session:
    """One connection to a broker, from its beginning to its end."""

    def __init__(self, feed: MqttFeed, over: Handover, recent: deque[str], *, was_here: bool) -> None:
        self._feed = feed
        self._over = over
        self._recent = recent
        self.was_here = was_here
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[paho.MQTTMessage] = deque()
        self._changed = asyncio.Event()
        self._answered: asyncio.Future[bool] = self._loop.create_future()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._ended = ""
        self._shed = 0
        self.is_connected = False
        self._client = self._made()

    @property
    def position(self) -> str:
        """What was taken last, as JSON: a broker that sends it again is answered without taking it again."""
        return _text([*self._recent])

    async def go(self) -> None:
        """Connect, read until the connection ends, and raise why it did."""
        client, feed = self._client, self._feed
        about = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        about.SessionExpiryInterval = SESSION_S
        about.ReceiveMaximum = IN_FLIGHT
        about.MaximumPacketSize = MAX_MESSAGE_BYTES
        keepalive = max(1, int(min(60.0, feed.timeout_s)))
        try:
            await asyncio.to_thread(
                client.connect, feed.host, feed.port, keepalive, clean_start=False, properties=about
            )
            client.loop_start()
            async with asyncio.timeout(CONNECT_S):
                kept = await self._answered
                client.subscribe(feed.topic, qos=1)
                await self._subscribed
            self.is_connected = True
            self._over.note(FactKind.CONNECTED, f"topic {feed.topic}")
            if self.was_here and not kept:
                self._over.note(FactKind.MISSED, "the broker kept no session: what it took while we were away is lost")
            await self._over.say(self.position)
            await self._read()
        finally:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)

    async def _read(self) -> None:
        seen_us, is_silent = now_us(), False
        while True:
            try:
                async with asyncio.timeout(min(1.0, self._feed.timeout_s)):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            while self._waiting:
                seen_us, is_silent = now_us(), False
                count = min(len(self._waiting), IN_FLIGHT)
                await self._settle([self._waiting.popleft() for _ in range(count)])
            if self._ended:
                raise OSError(self._ended)
            if not is_silent and now_us() - seen_us >= self._feed.timeout_s * US_PER_S:
                is_silent = True
                self._over.note(FactKind.SILENT, f"nothing for {self._feed.timeout_s:g} s")
                await self._over.say(self.position)

    async def _settle(self, messages: Iterable[paho.MQTTMessage]) -> None:
        if self._shed:
            self._over.note(FactKind.MISSED, "messages of QoS 0 came faster than they could be taken", count=self._shed)
            self._shed = 0
        fresh, digests = [], []
        known = set(self._recent)
        for message in messages:
            digest = sha256(message.topic.encode() + b"\0" + message.payload).hexdigest()[:32]
            if message.dup and digest in known:
                # Durable before; only the acknowledgement was lost.
                self._client.ack(message.mid, message.qos)
                continue
            digests.append(digest)
            fresh.append(self._arrived(message, digests, len(digests)))
        if fresh:
            await self._over.settle(fresh)
            self._recent.extend(digests)

    def _arrived(self, message: paho.MQTTMessage, digests: list[str], count: int) -> Arrived:
        async def acknowledge() -> None:
            if message.qos:
                self._client.ack(message.mid, message.qos)

        return Arrived(
            data=bytes(message.payload),
            at_us=None if message.retain else int(message.timestamp),
            label=f"topic {message.topic[:200]}",
            acknowledge=acknowledge,
            position=lambda: _text([*self._recent, *digests[:count]]),
            is_retained=message.retain,
        )

    def _made(self) -> paho.Client:
        feed = self._feed
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=feed.client_id,
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_S
        if feed.credentials is not None:
            client.username_pw_set(*feed.credentials)
        if feed.tls is not None:
            client.tls_set_context(feed.tls)
        client.on_connect = lambda _c, _u, flags, code, _p: self._call(self._connected, flags.session_present, code)
        client.on_disconnect = lambda _c, _u, _f, code, _p: self._call(self._disconnected, code)
        client.on_subscribe = lambda _c, _u, _m, codes, _p: self._call(self._granted, codes)
        client.on_message = self._message
        return client

    def _message(self, _client: paho.Client, _user: Any, message: paho.MQTTMessage) -> None:
        # In paho's thread. paho stamps messages with a clock of its own; ours is the wall's.
        message.timestamp = float(now_us())
        self._call(self._came, message)

    def _call(self, what: Any, *arguments: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *arguments)

    def _came(self, message: paho.MQTTMessage) -> None:
        if not message.qos and len(self._waiting) >= MAX_WAITING:
            self._shed += 1
            return
        self._waiting.append(message)
        self._changed.set()

    def _connected(self, session_present: bool, code: Any) -> None:
        if not self._answered.done():
            if code.is_failure:
                self._answered.set_exception(OSError(f"refused by the broker: {code}"))
            else:
                self._answered.set_result(session_present)

    def _granted(self, codes: list[Any]) -> None:
        if any(code.is_failure for code in codes):
            self._disconnected(f"the broker refuses the topic: {codes[0]}")
        elif not self._subscribed.done():
            self._subscribed.set_result(None)

    def _disconnected(self, code: Any) -> None:
        self._ended = f"the connection ended: {code}"
        for waited in (self._answered, self._subscribed):
            if not waited.done():
                waited.set_exception(OSError(self._ended))
                waited.exception()  # whoever awaits it is told; if nobody does, asyncio need not complain
        self._changed.set()


def _text(recent: Sequence[str]) -> str:
    return msgspec.json.encode(Mark(recent=list(recent)[-2 * IN_FLIGHT :])).decode()
