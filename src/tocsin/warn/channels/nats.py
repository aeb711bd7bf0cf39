"""NATS: each message published to a subject; kept by JetStream where a stream listens there, once, by its message id.

`Nats-Msg-Id` is the message's id, so that a stream drops a second copy within its window. A stream's acknowledgement,
or a server's without one, is *handed over*, never delivered. A reply goes to the subject that the message's headers
name, with the token that they carry. One connection for each attempt; no other server is followed. By nats-py.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Literal

from tocsin.errors import DeliveryError
from tocsin.warn.channels.broker import Broker, BrokerSetting
from tocsin.warn.channels.guard import checked_addresses
from tocsin.warn.channels.setting import Name, Room
from tocsin.warn.channels.transport import Hear, Told, failed
from tocsin.warn.message import neutral
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome

SUBJECT = "tocsin.{channel}.{recipient}"
REPLIES = "tocsin.replies"
REPLY_TO, TOKEN = "Tocsin-Reply-To", "Tocsin-Token"
_GOODBYE_S = 0.5
"""Seconds to close a connection in good order; a server that failed the handshake never answers."""
_NO_SUBJECT = re.compile(r"[*>\s\x00]|^$|^\.|\.$|\.\.")


class Nats:
    """Publish each message to a server.

    Parameters
    ----------
    broker : Broker
    subject : str
        With `{channel}` and `{recipient}`.
    stream : bool
        True: only a stream's acknowledgement counts; a message that no stream keeps has failed for now.

    Raises
    ------
    ValueError
        If a subject is none to publish to.
    """

    kind = "nats"

    def __init__(self, broker: Broker, *, subject: str = SUBJECT, stream: bool = False) -> None:
        for name in (subject, broker.replies):
            if _NO_SUBJECT.search(name):
                raise ValueError(f"found subject {name!r}, expected one without *, >, space or an empty part")
        self.timeout_s = broker.timeout_s
        self._broker = broker
        self._subject = subject
        self._stream = stream

    def send(self, message: Message, now_us: int) -> Outcome:
        """Publish once and await the acknowledgement; see `Transport.send`."""
        try:
            return _run_apart(self._publish(message), self.timeout_s)
        except DeliveryError as error:
            return failed(error, self.kind)
        except TimeoutError:
            return failed(self._broker.silent("in time"), self.kind)

    def listen(self, hear: Hear, told: Told) -> Callable[[], None]:
        """Subscribe to the subject of replies; see `Listener.listen`."""
        loop = asyncio.new_event_loop()
        ended = asyncio.Event()

        async def keep() -> None:
            """Connect again until told to end."""
            while not ended.is_set():
                with suppress(DeliveryError, TimeoutError):
                    await self._hear(hear, ended)
                with suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), 1.0)

        keeper = threading.Thread(
            target=loop.run_until_complete, args=[keep()], name=f"nats {self._broker.host} replies", daemon=True
        )
        keeper.start()

        def end() -> None:
            loop.call_soon_threadsafe(ended.set)
            keeper.join(self.timeout_s)
            if not keeper.is_alive():
                loop.close()

        return end

    async def _hear(self, hear: Hear, ended: asyncio.Event) -> None:
        lost = asyncio.Event()

        async def on_lost() -> None:
            lost.set()

        async def take(found: Any) -> None:
            """Hear one reply."""
            token = (found.headers or {}).get(TOKEN)
            hear(self._broker.heard(bytes(found.data), token=token, source=f"nats {found.subject}"))

        client = await self._connected(disconnected_cb=on_lost)
        try:
            await client.subscribe(self._broker.replies, cb=take)
            await client.flush()
            waits = [asyncio.ensure_future(event.wait()) for event in (ended, lost)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        finally:
            await _closed(client)

    async def _publish(self, message: Message) -> Outcome:
        from nats.errors import Error, NoRespondersError
        from nats.js.errors import APIError, NoStreamResponseError

        subject = self._subject.format(channel=_part(message.channel), recipient=_part(message.recipient))
        payload = self._broker.form.render(message)
        headers = {
            "Nats-Msg-Id": message.message_id,
            "Content-Type": payload.content_type,
            REPLY_TO: self._broker.replies,
            TOKEN: self._broker.desk.token(message),
        }
        client = await self._connected()
        try:
            try:
                kept = await client.jetstream().publish(subject, payload.body, headers=headers, timeout=self.timeout_s)
            except (NoStreamResponseError, NoRespondersError):
                return await self._plainly(client, subject, payload.body, headers)
            again = ", which had it already" if kept.duplicate else ""
            return Outcome(
                state=MessageState.HANDED_OVER,
                reason=f"kept by stream {kept.stream}{again}, on {subject}",
                transport=self.kind,
                transport_id=f"{kept.stream}@{kept.seq}",
            )
        except APIError as error:
            raise DeliveryError(f"JetStream: {neutral(str(error))}", retryable=True) from error
        except (Error, OSError) as error:
            raise self._broker.broken_off(error) from error
        finally:
            await _closed(client)

    async def _plainly(self, client: Any, subject: str, body: bytes, headers: dict[str, str]) -> Outcome:
        if self._stream:
            raise DeliveryError(f"no stream keeps {subject}", retryable=True)
        # A stream would have answered: this copy is for whoever is subscribed now, and nothing keeps it.
        await client.publish(subject, body, headers=headers)
        await client.flush()
        reason = f"the server has it, on {subject}; no stream keeps it"
        return Outcome(state=MessageState.HANDED_OVER, reason=reason, transport=self.kind)

    async def _connected(self, **more: Any) -> Any:
        try:
            from nats.aio.client import Client
            from nats.errors import Error
        except ImportError as error:
            raise DeliveryError("nats-py is not installed; pip install 'tocsin[feeds]'", retryable=False) from error
        broker = self._broker
        addresses = await asyncio.to_thread(
            checked_addresses,
            broker.host,
            broker.port,
            allow=tuple(broker.allow),
            timeout_s=broker.timeout_s,
            plain=broker.tls is None,
        )
        trouble: Exception = OSError("no address answers")
        for address in addresses:
            literal = f"[{address}]" if address.version == 6 else str(address)
            tls: dict[str, Any] = {} if broker.tls is None else {"tls": broker.tls, "tls_hostname": broker.host}
            client = Client()
            try:
                await client.connect(
                    f"nats://{literal}:{broker.port}",
                    user=broker.user,
                    password=broker.password,
                    allow_reconnect=False,
                    connect_timeout=max(1, round(self.timeout_s)),
                    error_cb=_ignore,
                    **tls,
                    **more,
                )
            except (Error, OSError, TimeoutError) as error:
                trouble = error
                await _closed(client)
            except asyncio.CancelledError:
                await _closed(client)
                raise
            else:
                return client
        said = neutral(str(trouble)) or type(trouble).__name__
        refused = "authorization" in said.lower()
        raise DeliveryError(f"{broker.host} not reached: {said}", retryable=not refused)


class NatsSetting(BrokerSetting, frozen=True, kw_only=True):
    """Publish to a server of NATS; `stream: true` counts only what a JetStream stream keeps."""

    transport: Literal["nats"]
    subject: Name = SUBJECT
    replies: Name = REPLIES
    stream: bool = False

    def build(self, room: Room) -> Nats:
        """Return the transport."""
        return Nats(self.broker(room), subject=self.subject, stream=self.stream)


async def _closed(client: Any) -> None:
    with suppress(Exception):  # it is gone, or goes now; how it says goodbye changes nothing
        await asyncio.wait_for(client.close(), _GOODBYE_S)
    for _ in range(3):  # the loop lets go of a connection some turns after it is closed
        await asyncio.sleep(0)


async def _ignore(_error: Exception) -> None:
    """Say nothing: what went wrong is the attempt's outcome."""


def _part(name: str) -> str:
    """Return a name as one part of a subject."""
    return re.sub(r"[.*>\s\x00]", "_", name)


def _run_apart(work: Coroutine[Any, Any, Outcome], timeout_s: float) -> Outcome:
    """Run a coroutine in a loop of its own, whether or not this thread has one."""
    done: list[Outcome] = []
    trouble: list[BaseException] = []

    def run() -> None:
        """Run it here and keep how it ended."""
        try:
            done.append(asyncio.run(asyncio.wait_for(work, timeout_s)))
        except (DeliveryError, TimeoutError) as error:
            trouble.append(error)

    worker = threading.Thread(target=run, name="nats attempt", daemon=True)
    worker.start()
    worker.join()
    if done:
        return done[0]
    raise trouble[0] if trouble else DeliveryError("the attempt ended without an answer", retryable=True)
