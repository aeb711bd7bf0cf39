"""MQTT 5: each message published with QoS 1 to a topic of its channel and recipient; replies by the response topic.

Implements the request and response of MQTT 5 (§4.10): the publication names the response topic and carries the answer
token as its correlation data, and a reply brings it back. A PUBACK is *handed over* to the broker, never delivered to a
person. One connection for each attempt, so that one that hangs holds up nothing. The library is paho-mqtt.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Literal

from pydantic import Field

from tocsin.canon import canonical_bytes, parse_json
from tocsin.clock import US_PER_S, monotonic_us
from tocsin.clock import now_us as wall_us
from tocsin.errors import DeliveryError, Place
from tocsin.warn.ack import Rejected
from tocsin.warn.answers.reply import read_reply
from tocsin.warn.channels.dial import dial
from tocsin.warn.channels.formats.form import Form, JsonForm
from tocsin.warn.channels.guard import Network
from tocsin.warn.channels.setting import (
    AnswerDesk,
    CapSetting,
    ChannelSetting,
    Name,
    Port,
    Room,
    Secret,
    form_of,
    networks,
    seconds,
)
from tocsin.warn.channels.transport import Hear, Told, failed
from tocsin.warn.message import neutral
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome

TIMEOUT_S = 15.0
"""Seconds for a whole attempt, from the name to the PUBACK."""
TOPIC = "tocsin/{channel}/{recipient}"
REPLIES = "tocsin/replies"
_NO_SUBSCRIBERS = 0x10
_PASSING = frozenset({0x88, 0x89, 0x8B, 0x8D, 0x93, 0x97, 0x9F})
"""Reason codes that may pass: unavailable, busy, shutting down, keep-alive, receive maximum, quota, connection rate."""


class Mqtt:
    """Publish each message to a broker.

    Parameters
    ----------
    host : str
    port : int
    desk : AnswerDesk
    topic : str
        With `{channel}` and `{recipient}`.
    replies : str
        The topic on which replies are heard.
    user, password : str or None
    tls : ssl.SSLContext or None
        None: plain TCP, to addresses of the allow list alone.
    allow : sequence of network
    form : Form or None
    timeout_s : float

    Raises
    ------
    ValueError
        If the topic of replies or of messages is no topic to publish to.
    """

    kind = "mqtt"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        desk: AnswerDesk,
        topic: str = TOPIC,
        replies: str = REPLIES,
        user: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        allow: Sequence[Network] = (),
        form: Form | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        for name in (topic, replies):
            if not name or re.search(r"[+#\x00]", name):
                raise ValueError(f"found topic {name!r}, expected one without +, # or NUL")
        self.timeout_s = timeout_s
        self._where = (host, port)
        self._desk = desk
        self._topic = topic
        self._replies = replies
        self._login = (user, password)
        self._tls = tls
        self._allow = tuple(allow)
        self._form = form or JsonForm()

    def send(self, message: Message, now_us: int) -> Outcome:
        """Publish once and await the PUBACK; see `Transport.send`."""
        try:
            return self._publish(message)
        except DeliveryError as error:
            return failed(error, self.kind)
        except (OSError, ValueError) as error:
            said = neutral(str(error)) or type(error).__name__
            reason = f"{self._where[0]}: {said}; whether it was received is not known"
            return failed(DeliveryError(reason, retryable=True), self.kind)

    def listen(self, hear: Hear, told: Told) -> Callable[[], None]:
        """Subscribe to the topic of replies; see `Listener.listen`."""
        client = self._client()

        def subscribe(client: Any, *_: Any) -> None:
            client.subscribe(self._replies, qos=1)

        def take(_client: Any, _data: Any, message: Any) -> None:
            hear(self._heard(message))

        client.on_connect = subscribe
        client.on_message = take
        ended = threading.Event()

        def keep() -> None:
            while not ended.is_set():
                with suppress(DeliveryError, OSError, ValueError):
                    client.connect(*self._where, keepalive=30, clean_start=True)
                    if ended.is_set():  # told to end while it was being made
                        client.disconnect()
                    client.loop_forever(retry_first_connection=False)
                ended.wait(1.0)

        keeper = threading.Thread(target=keep, name=f"mqtt {self._where[0]} replies", daemon=True)
        keeper.start()

        def end() -> None:
            ended.set()
            client.disconnect()
            keeper.join(self.timeout_s)

        return end

    def _heard(self, published: Any) -> Any:
        source = f"mqtt {published.topic}"
        if published.retain:
            return Rejected(place=Place(source), reason="a retained reply: heard before, or long ago", text="")
        raw = bytes(published.payload)
        given = getattr(published.properties, "CorrelationData", None)
        if given is not None:
            with suppress(ValueError):
                found = parse_json(raw)
                if isinstance(found, dict) and "token" not in found:
                    raw = canonical_bytes({**found, "token": bytes(given).decode("ascii", "replace")})
        return read_reply(raw, key=self._desk.key, now_us=wall_us(), channel=None, source=source)

    def _publish(self, message: Message) -> Outcome:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        end_us = monotonic_us() + round(self.timeout_s * US_PER_S)
        payload = self._form.render(message)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = payload.content_type
        properties.ResponseTopic = self._replies
        properties.CorrelationData = self._desk.token(message).encode()
        properties.UserProperty = ("message-id", message.message_id)
        topic = self._topic.format(channel=_level(message.channel), recipient=_level(message.recipient))
        client = self._client()
        opened, done = threading.Event(), threading.Event()
        codes: dict[str, Any] = {}

        def on_connect(_client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
            codes["connect"] = code
            opened.set()

        def on_publish(_client: Any, _data: Any, _mid: Any, code: Any, _properties: Any) -> None:
            codes["publish"] = code
            done.set()

        def on_disconnect(*_: Any) -> None:
            opened.set()
            done.set()

        client.on_connect, client.on_publish, client.on_disconnect = on_connect, on_publish, on_disconnect
        client.connect(*self._where, clean_start=True)
        client.loop_start()
        try:
            self._await(opened, codes, "connect", end_us)
            client.publish(topic, payload.body, qos=1, properties=properties)
            code = self._await(done, codes, "publish", end_us)
        finally:
            client.on_disconnect = None
            client.disconnect()
            client.loop_stop()
        nobody = "; nobody is subscribed to it" if code.value == _NO_SUBSCRIBERS else ""
        return Outcome(
            state=MessageState.HANDED_OVER, reason=f"the broker has it, on {topic}{nobody}", transport=self.kind
        )

    def _await(self, event: threading.Event, codes: dict[str, Any], name: str, end_us: int) -> Any:
        event.wait(max(0.0, (end_us - monotonic_us()) / US_PER_S))
        code = codes.get(name)
        if code is None:
            reason = f"{self._where[0]} gave no answer to {name}; whether it was received is not known"
            raise DeliveryError(reason, retryable=True)
        if code.is_failure:
            raise DeliveryError(f"{self._where[0]}: {name}: {code}", retryable=code.value in _PASSING)
        return code

    def _client(self) -> Any:
        try:
            from paho.mqtt.client import Client, MQTTv5
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise DeliveryError("paho-mqtt is not installed; pip install 'tocsin[feeds]'", retryable=False) from error
        allow, tls, timeout_s = self._allow, self._tls, self.timeout_s

        class Guarded(Client):
            """A client whose every connection, also a later one, goes through the guard."""

            def _create_socket_connection(self) -> socket.socket:
                return dial(self._host, self._port, allow=allow, timeout_s=timeout_s, plain=tls is None)

            def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
                # paho's own leaves the connection open when the handshake fails
                return (tls or ssl.create_default_context()).wrap_socket(tcp_sock, server_hostname=self._host)

        client = Guarded(CallbackAPIVersion.VERSION2, protocol=MQTTv5, reconnect_on_failure=False)
        client.connect_timeout = timeout_s
        if self._login[0] is not None:
            client.username_pw_set(*self._login)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        return client


class MqttSetting(ChannelSetting):
    """Publish to a broker; `user` and `password` log in, `replies` is where answers come back."""

    transport: Literal["mqtt"]
    host: Name
    port: Port
    topic: str = Field(default=TOPIC, min_length=1)
    replies: str = Field(default=REPLIES, min_length=1)
    user: str | None = None
    password: Secret | None = None
    security: Literal["tls", "none"] = "tls"
    allow: tuple[str, ...] = ()
    ca: str | None = None
    certificate: str | None = None
    timeout: str | None = None
    cap: CapSetting | None = None

    def build(self, room: Room) -> Mqtt:
        """Return the transport."""
        return Mqtt(
            self.host,
            self.port,
            desk=room.desk(),
            topic=self.topic,
            replies=self.replies,
            user=self.user,
            password=room.secret(self.password) if self.password else None,
            tls=room.tls(self.ca, self.certificate) if self.security == "tls" else None,
            allow=networks(self.allow),
            form=form_of(self.cap),
            timeout_s=seconds(self.timeout, TIMEOUT_S),
        )


def _level(name: str) -> str:
    """Return a name as one level of a topic."""
    return re.sub(r"[/+#\x00\s]", "_", name)
