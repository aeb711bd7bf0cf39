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
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from tocsin.clock import US_PER_S, monotonic_us
from tocsin.errors import DeliveryError, Place
from tocsin.warn.channels.broker import Broker, BrokerSetting
from tocsin.warn.channels.dial import dial
from tocsin.warn.channels.setting import Name, Room
from tocsin.warn.channels.transport import Hear, Told, failed
from tocsin.warn.inputs import Answer, Rejected
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome

TOPIC = "tocsin/{channel}/{recipient}"
REPLIES = "tocsin/replies"
_NO_SUBSCRIBERS = 0x10
_PASSING = frozenset({0x88, 0x89, 0x8B, 0x8D, 0x93, 0x97, 0x9F})
"""Reason codes that may pass: unavailable, busy, shutting down, keep-alive, receive maximum, quota, connection rate."""


class Mqtt:
    """Publish each message to a broker.

    Parameters
    ----------
    broker : Broker
    topic : str
        With `{channel}` and `{recipient}`.

    Raises
    ------
    ValueError
        If the topic of replies or of messages is no topic to publish to.
    """

    kind = "mqtt"

    def __init__(self, broker: Broker, *, topic: str = TOPIC) -> None:
        for name in (topic, broker.replies):
            if not name or re.search(r"[+#\x00]", name):
                raise ValueError(f"found topic {name!r}, expected one without +, # or NUL")
        self.timeout_s = broker.timeout_s
        self._broker = broker
        self._topic = topic

    def send(self, message: Message, now_us: int) -> Outcome:
        """Publish once and await the PUBACK; see `Transport.send`."""
        try:
            return self._publish(message)
        except DeliveryError as error:
            return failed(error, self.kind)
        except (OSError, ValueError) as error:
            return failed(self._broker.broken_off(error), self.kind)

    def listen(self, hear: Hear, told: Told) -> Callable[[], None]:
        """Subscribe to the topic of replies; see `Listener.listen`."""
        client = self._client()

        def subscribe(client: Any, *_: Any) -> None:
            client.subscribe(self._broker.replies, qos=1)

        def take(_client: Any, _data: Any, message: Any) -> None:
            hear(self._heard(message))

        client.on_connect = subscribe
        client.on_message = take
        ended = threading.Event()

        def keep() -> None:
            """Connect again until told to end."""
            while not ended.is_set():
                with suppress(DeliveryError, OSError, ValueError):
                    client.connect(self._broker.host, self._broker.port, keepalive=30, clean_start=True)
                    if ended.is_set():  # told to end while it was being made
                        client.disconnect()
                    client.loop_forever(retry_first_connection=False)
                ended.wait(1.0)

        keeper = threading.Thread(target=keep, name=f"mqtt {self._broker.host} replies", daemon=True)
        keeper.start()

        def end() -> None:
            ended.set()
            client.disconnect()
            keeper.join(self.timeout_s)

        return end

    def _heard(self, published: Any) -> Answer | Rejected:
        source = f"mqtt {published.topic}"
        if published.retain:
            return Rejected(place=Place(source), reason="a retained reply: heard before, or long ago", text="")
        given = getattr(published.properties, "CorrelationData", None)
        token = None if given is None else bytes(given).decode("ascii", "replace")
        return self._broker.heard(bytes(published.payload), token=token, source=source)

    def _publish(self, message: Message) -> Outcome:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        end_us = monotonic_us() + round(self.timeout_s * US_PER_S)
        payload = self._broker.form.render(message)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = payload.content_type
        properties.ResponseTopic = self._broker.replies
        properties.CorrelationData = self._broker.desk.token(message).encode()
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
        client.connect(self._broker.host, self._broker.port, clean_start=True)
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
            raise self._broker.silent(f"to {name}")
        if code.is_failure:
            raise DeliveryError(f"{self._broker.host}: {name}: {code}", retryable=code.value in _PASSING)
        return code

    def _client(self) -> Any:
        try:
            from paho.mqtt.client import Client, MQTTv5
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise DeliveryError("paho-mqtt is not installed; pip install 'tocsin[feeds]'", retryable=False) from error
        broker = self._broker

        class Guarded(Client):
            """A client whose every connection, also a later one, goes through the guard."""

            def _create_socket_connection(self) -> socket.socket:
                return dial(
                    self._host,
                    self._port,
                    allow=broker.allow,
                    timeout_s=broker.timeout_s,
                    plain=broker.tls is None,
                )

            def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
                # paho's own leaves the connection open when the handshake fails
                return (broker.tls or ssl.create_default_context()).wrap_socket(tcp_sock, server_hostname=self._host)

        client = Guarded(CallbackAPIVersion.VERSION2, protocol=MQTTv5, reconnect_on_failure=False)
        client.connect_timeout = broker.timeout_s
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        if broker.tls is not None:
            client.tls_set_context(broker.tls)
        return client


class MqttSetting(BrokerSetting, frozen=True, kw_only=True):
    """Publish to a broker of MQTT 5."""

    transport: Literal["mqtt"]
    topic: Name = TOPIC
    replies: Name = REPLIES

    def build(self, room: Room) -> Mqtt:
        """Return the transport."""
        return Mqtt(self.broker(room), topic=self.topic)


def _level(name: str) -> str:
    """Return a name as one level of a topic."""
    return re.sub(r"[/+#\x00\s]", "_", name)
