"""MQTT against a real mosquitto: QoS 1, the PUBACK, the reply that comes back, and everything in between that fails."""

from __future__ import annotations

import queue
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from tests.peers import Peer, free_port, mosquitto, program
from tests.warn.cap_rules import faults
from tests.warn.channels.conftest import LOOPBACK
from tests.warn.stories import T0

from tocsin.canon import canonical_bytes, parse_json
from tocsin.clock import now_us
from tocsin.warn.channels.broker import Broker
from tocsin.warn.channels.config import load_transports
from tocsin.warn.channels.formats.cap import CapForm
from tocsin.warn.channels.mqtt import REPLIES, Mqtt
from tocsin.warn.channels.setting import AnswerDesk
from tocsin.warn.inputs import Answer, Rejected
from tocsin.warn.states import AnswerKind, MessageState
from tocsin.warn.telling import Message

KEY = bytes(range(32))
FOREVER_S = 1e9
"""A lifetime of tokens that holds today, as the message is of 2030 or of the past."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with mosquitto(tmp_path_factory.mktemp("mqtt")) as peer:
        yield peer


def transport(port: int, **changes: Any) -> Mqtt:
    own = {name: changes.pop(name) for name in ("topic",) if name in changes}
    fields: dict[str, Any] = {"host": "127.0.0.1", "desk": AnswerDesk(key=KEY, lifetime_s=FOREVER_S)}
    fields |= {"replies": REPLIES, "allow": LOOPBACK, "timeout_s": 10.0}
    return Mqtt(Broker(port=port, **(fields | changes)), **own)


class Person:
    """A subscriber of our own, at the other end."""

    def __init__(self, port: int, topic: str = "tocsin/#") -> None:
        self.heard: queue.Queue[paho.MQTTMessage] = queue.Queue()
        ready: queue.Queue[int] = queue.Queue()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.client.on_message = lambda _c, _d, message: self.heard.put(message)
        self.client.on_subscribe = lambda *_: ready.put(1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe(topic, qos=1)
        ready.get(timeout=20)

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_message_reaches_a_subscriber_with_its_id_and_is_only_handed_over(broker: Peer, message: Message) -> None:
    with Person(broker.port) as person:
        outcome = transport(broker.port).send(message, T0)
        got = person.heard.get(timeout=20)
    assert (outcome.state, outcome.transport) == (MessageState.HANDED_OVER, "mqtt")
    assert "the broker has it" in outcome.reason
    assert got.topic == f"tocsin/{message.channel}/{message.recipient}"
    assert got.qos == 1
    assert not got.retain
    assert parse_json(got.payload)["data"]["message_id"] == message.message_id
    assert ("message-id", message.message_id) in got.properties.UserProperty  # type: ignore[union-attr]
    assert got.properties.ResponseTopic == "tocsin/replies"  # type: ignore[union-attr]


def test_nobody_subscribed_is_said(broker: Peer, message: Message) -> None:
    outcome = transport(broker.port, topic="empty/{channel}").send(message, T0)
    assert outcome.state is MessageState.HANDED_OVER
    assert "nobody is subscribed to it" in outcome.reason


def test_cap_is_carried(broker: Peer, message: Message) -> None:
    with Person(broker.port, "cap/#") as person:
        transport(broker.port, topic="cap/{channel}", form=CapForm(sender="w@x")).send(message, T0)
        got = person.heard.get(timeout=20)
    assert got.properties.ContentType == "application/cap+xml"  # type: ignore[union-attr]
    assert faults(got.payload) == []


def test_reply_comes_back_as_an_answer_and_a_forged_or_retained_one_does_not(broker: Peer, message: Message) -> None:
    ours = transport(broker.port, replies="tocsin/replies-1")
    heard: queue.Queue[Answer | Rejected] = queue.Queue()
    with Person(broker.port) as person:
        forged = canonical_bytes({"who": "X", "what": "acknowledged", "token": "Z3Vlc3M.Z3Vlc3M"})
        person.client.publish("tocsin/replies-1", forged, qos=1, retain=True).wait_for_publish(20)
        person.heard.get(timeout=20)
        end = ours.listen(heard.put, lambda _: None)
        try:
            retained = heard.get(timeout=20)
            assert isinstance(retained, Rejected)
            assert "a retained reply" in retained.reason
            ours.send(message, T0)
            got = person.heard.get(timeout=20)
            properties = Properties(PacketTypes.PUBLISH)
            properties.CorrelationData = got.properties.CorrelationData  # type: ignore[union-attr]
            said = canonical_bytes({"who": "A. Mate", "what": "acknowledged", "text": "heard"})
            person.client.publish(got.properties.ResponseTopic, said, qos=1, properties=properties)  # type: ignore[union-attr]
            answer = heard.get(timeout=20)
            person.client.publish("tocsin/replies-1", forged, qos=1)
            refused = heard.get(timeout=20)
        finally:
            end()
    assert isinstance(answer, Answer)
    assert (answer.kind, answer.party, answer.message_id) == (
        AnswerKind.ACKNOWLEDGED,
        message.recipient,
        message.message_id,
    )
    assert abs(answer.at_us - now_us()) < 600_000_000
    assert isinstance(refused, Answer)
    assert refused.refused == "token forged"


def test_wrong_password_fails_for_good_and_the_right_one_does_not(tmp_path: Path, message: Message) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run([program("mosquitto_passwd"), "-b", "-c", str(passwords), "watch", "secret"], check=True)
    with mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}") as broker:
        wrong = transport(broker.port, user="watch", password="guess").send(message, T0)
        right = transport(broker.port, user="watch", password="secret").send(message, T0)
    assert wrong.state is MessageState.FAILED_FOR_GOOD
    assert "Not authorized" in wrong.reason
    assert "guess" not in wrong.reason
    assert right.state is MessageState.HANDED_OVER


def test_tls_is_used_and_a_strangers_broker_is_refused(tmp_path: Path, authority: Path, message: Message) -> None:
    pem = authority / "server.pem"
    with mosquitto(tmp_path, f"certfile {pem}", f"keyfile {pem}") as broker:
        trusted = ssl.create_default_context(cafile=str(authority / "ca.pem"))
        good = transport(broker.port, host="localhost", tls=trusted).send(message, T0)
        strange = transport(broker.port, host="localhost", tls=ssl.create_default_context()).send(message, T0)
    assert good.state is MessageState.HANDED_OVER
    assert strange.state is MessageState.FAILED_FOR_NOW
    assert "certificate verify failed" in strange.reason


def test_broker_that_is_down_is_tried_again(message: Message) -> None:
    outcome = transport(free_port()).send(message, T0)
    assert outcome.state is MessageState.FAILED_FOR_NOW
    assert "not reached" in outcome.reason


def test_broker_on_loopback_or_without_tls_is_refused_as_shipped(broker: Peer, message: Message) -> None:
    outcome = transport(broker.port, allow=()).send(message, T0)
    assert outcome.state is MessageState.FAILED_FOR_GOOD
    assert "not a public address" in outcome.reason


@pytest.mark.parametrize("topic", ["a/#", "a/+/b", "", "a\x00"])
def test_topic_that_cannot_be_published_to_is_refused_when_set(topic: str) -> None:
    with pytest.raises(ValueError, match="expected one without"):
        transport(1, topic=topic)


def test_channels_file_sets_mqtt_up(broker: Peer, tmp_path: Path, message: Message) -> None:
    (tmp_path / "channels.yaml").write_text(
        f"{message.channel}: {{transport: mqtt, host: 127.0.0.1, port: {broker.port}, security: none, "
        "allow: [127.0.0.1], topic: 'x/{recipient}', replies: x/replies, cap: {sender: w@x}}"
    )
    transports = load_transports(tmp_path / "channels.yaml", out=tmp_path)
    assert transports.send(message, T0).state is MessageState.HANDED_OVER
    transports.listen(lambda _: None, lambda _: None)()
