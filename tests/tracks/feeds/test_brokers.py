"""Brokers as feeds, real ones: restarts, wiped streams, redelivery, poison, retained messages (FAULTS 32 to 36)."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import nats
import paho.mqtt.publish
import pytest
from paho.mqtt.client import MQTTv5
from pyais.encode import encode_dict
from tests.peers import free_port, mosquitto, nats_server, program, running
from tests.tracks.feeds.test_lines import Taken, line
from tests.tracks.feeds.test_lines import running as running_feed

from tocsin.errors import SettingError
from tocsin.tracks.feeds.feed import Delivery, FactKind, open_feed
from tocsin.tracks.quality import Flag

SHIP = encode_dict(
    {"msg_type": 1, "mmsi": 273000001, "lat": 33.5, "lon": 38.6, "speed": 10.0, "course": 90.0, "second": 28},
    talker_id="AI",
)[0].encode()


def url(port: int, scheme: str, **options: object) -> str:
    path = "REPORTS" if scheme == "nats" else "fleet/+"
    return f"{scheme}://127.0.0.1:{port}/{path}?retry=20ms&" + "&".join(f"{k}={v}" for k, v in options.items())


class Poisoned(Taken):
    """Fails at one report, as a station would at one that it cannot digest."""

    async def deliver(self, delivery: Delivery) -> None:
        if 13 in [round(lat * 1_000) for lat in delivery.batch.lat_deg]:
            raise RuntimeError("no plugin for thirteen")
        await super().deliver(delivery)


# NATS


async def publish(port: int, numbers: range, *, make: bool = False, raw: bytes | None = None) -> None:
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    js = client.jetstream()
    if make:
        await js.add_stream(name="REPORTS", subjects=["reports.>"])
    for n in numbers:
        await js.publish("reports.a", raw or line(n))
    await client.close()


async def waiting_for_ack(port: int) -> int:
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    info = await client.jetstream().consumer_info("REPORTS", "tocsin-REPORTS")
    await client.close()
    return info.num_ack_pending


def test_stream_is_acknowledged_after_the_commit_and_nothing_comes_twice(tmp_path: Path) -> None:
    async def play(port: int) -> None:
        await publish(port, range(0), make=True)
        held = Taken()
        async with running_feed(url(port, "nats"), held):
            await held.until(lambda: FactKind.CONNECTED in held.facts)
            held.open.clear()
            await publish(port, range(5))
            async with asyncio.timeout(20):
                while not await waiting_for_ack(port):
                    await asyncio.sleep(0.02)
        assert not held.numbers
        # The station died before it had committed: all come again, and this time they are taken.
        taken = Taken()
        async with running_feed(url(port, "nats"), taken):
            await taken.until(lambda: len(taken.numbers) == 5)
        # It died after the commit and before the acknowledgement: a consumer without memory gives them all again.
        client = await nats.connect(f"nats://127.0.0.1:{port}")
        await client.jetstream().delete_consumer("REPORTS", "tocsin-REPORTS")
        await client.close()
        async with running_feed(url(port, "nats"), taken, resume=taken.deliveries[-1].position):
            await publish(port, range(5, 7))
            await taken.until(lambda: 6 in taken.numbers)
        assert taken.numbers == list(range(7))
        assert FactKind.MISSED not in taken.facts

    with nats_server(tmp_path) as server:
        asyncio.run(play(server.port))


def test_arrival_in_the_stream_is_the_time_of_what_tells_none(tmp_path: Path) -> None:
    async def play(port: int) -> None:
        await publish(port, range(1), make=True, raw=SHIP)
        times = []
        for _ in range(2):
            taken = Taken()
            async with running_feed(url(port, "nats", durable="again"), taken):
                await taken.until(lambda taken=taken: any(d.read for d in taken.deliveries))
            times += [d.batch.observed_us.tolist() for d in taken.deliveries if d.read]
        assert times[0] == times[1]
        assert times[0][0]

    with nats_server(tmp_path) as server:
        asyncio.run(play(server.port))


def test_server_restarts_and_the_feed_goes_on_where_it_was(tmp_path: Path) -> None:
    port = free_port()
    command = [program("nats-server"), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(tmp_path / "js")]

    async def play() -> None:
        taken = Taken()
        with running(command, port):
            await publish(port, range(3), make=True)
            feed = running_feed(url(port, "nats"), taken)
            await feed.__aenter__()
            await taken.until(lambda: len(taken.numbers) == 3)
        await taken.until(lambda: FactKind.LOST in taken.facts)
        with running(command, port):
            await publish(port, range(3, 6))
            await taken.until(lambda: len(taken.numbers) == 6)
            await feed.__aexit__(None, None, None)
        assert taken.numbers == list(range(6))
        assert FactKind.MISSED not in taken.facts

    asyncio.run(play())


@pytest.mark.parametrize("how", ["wiped", "expired"])
def test_what_is_gone_from_the_stream_is_said_and_never_caught_up(tmp_path: Path, how: str) -> None:
    async def play(port: int) -> None:
        await publish(port, range(4), make=True)
        taken = Taken()
        async with running_feed(url(port, "nats"), taken):
            await taken.until(lambda: len(taken.numbers) == 4)
        await publish(port, range(4, 6))
        client = await nats.connect(f"nats://127.0.0.1:{port}")
        if how == "wiped":
            await client.jetstream().delete_stream("REPORTS")
            await publish(port, range(6, 7), make=True)
        else:
            await client.jetstream().purge_stream("REPORTS")
            await publish(port, range(6, 7))
        await client.close()
        async with running_feed(url(port, "nats"), taken, resume=taken.deliveries[-1].position):
            await taken.until(lambda: 6 in taken.numbers)
        assert taken.numbers == [0, 1, 2, 3, 6]
        missed = [f for d in taken.deliveries for f in d.facts if f.kind is FactKind.MISSED]
        assert missed
        assert sum(f.count for f in missed) == (0 if how == "wiped" else 2)

    with nats_server(tmp_path) as server:
        asyncio.run(play(server.port))


@pytest.mark.parametrize("scheme", ["nats", "mqtt"])
def test_poison_is_parked_with_its_reason_and_the_others_go_on(tmp_path: Path, scheme: str) -> None:
    async def play(port: int, publish_all: Callable) -> None:
        taken = Poisoned()
        async with running_feed(url(port, scheme, tries=2), taken):
            if scheme == "mqtt":
                await taken.until(lambda: FactKind.CONNECTED in taken.facts)
            await publish_all(port, range(12, 15))
            await taken.until(lambda: 14 in taken.numbers)
        assert taken.numbers == [12, 14]
        assert taken.reasons == ["parked"]
        (parked,) = [r for d in taken.deliveries for r in d.rejects]
        assert "no plugin for thirteen" in parked.detail
        assert FactKind.PARKED in taken.facts

    if scheme == "nats":

        async def make_and_publish(port: int, numbers: range) -> None:
            await publish(port, numbers)

        with nats_server(tmp_path) as server:
            asyncio.run(publish(server.port, range(0), make=True))
            asyncio.run(play(server.port, make_and_publish))
    else:
        with mosquitto(tmp_path) as broker:
            asyncio.run(play(broker.port, send))


# MQTT


async def send(port: int, numbers: range, *, retain: bool = False, raw: bytes | None = None, qos: int = 1) -> None:
    messages = [{"topic": "fleet/a", "payload": raw or line(n), "qos": qos, "retain": retain} for n in numbers]
    await asyncio.to_thread(paho.mqtt.publish.multiple, messages, hostname="127.0.0.1", port=port, protocol=MQTTv5)


def test_broker_keeps_what_comes_while_the_station_is_away_and_nothing_comes_twice(tmp_path: Path) -> None:
    async def play(port: int) -> None:
        held = Taken()
        async with running_feed(url(port, "mqtt", client="one"), held):
            await held.until(lambda: FactKind.CONNECTED in held.facts)
            held.open.clear()
            await send(port, range(3))
            await asyncio.sleep(0.2)
        assert not held.numbers
        await send(port, range(3, 5))
        taken = Taken()
        async with running_feed(url(port, "mqtt", client="one"), taken, resume=held.deliveries[-1].position):
            await taken.until(lambda: len(taken.numbers) == 5)
        assert sorted(taken.numbers) == list(range(5))
        assert FactKind.MISSED not in taken.facts
        # Durable, but the acknowledgements were lost: the broker gives them again, and they are known.
        again = Dying()
        async with running_feed(url(port, "mqtt", client="one"), again, resume=taken.deliveries[-1].position):
            await again.until(lambda: FactKind.CONNECTED in again.facts)
            await send(port, range(5, 8))
            await again.until(lambda: 5 in again.numbers)
        last = Taken()
        async with running_feed(url(port, "mqtt", client="one"), last, resume=again.deliveries[-1].position):
            await send(port, range(8, 9))
            await last.until(lambda: 8 in last.numbers)
        assert sorted(again.numbers + last.numbers) == [5, 6, 7, 8]

    with mosquitto(tmp_path) as broker:
        asyncio.run(play(broker.port))


class Dying(Taken):
    """Commits, and never lives to say so."""

    async def deliver(self, delivery: Delivery) -> None:
        await super().deliver(delivery)
        if delivery.read:
            await asyncio.Event().wait()


def test_broker_restarts_and_a_lost_session_is_said(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    command = [program("mosquitto"), "-c", str(config)]

    async def play() -> None:
        taken = Taken()
        with running(command, port):
            feed = running_feed(url(port, "mqtt"), taken)
            await feed.__aenter__()
            await taken.until(lambda: FactKind.CONNECTED in taken.facts)
            await send(port, range(2))
            await taken.until(lambda: len(taken.numbers) == 2)
        await taken.until(lambda: FactKind.LOST in taken.facts)
        with running(command, port):
            await taken.until(lambda: taken.facts.count(FactKind.CONNECTED) == 2)
            await send(port, range(2, 4))
            await taken.until(lambda: len(taken.numbers) == 4)
            await feed.__aexit__(None, None, None)
        assert taken.numbers == list(range(4))
        assert FactKind.MISSED in taken.facts

    asyncio.run(play())


def test_retained_message_is_marked_and_its_arrival_is_not_its_time(tmp_path: Path) -> None:
    async def play(port: int) -> None:
        await send(port, range(1), retain=True)
        taken = Taken()
        async with running_feed(url(port, "mqtt"), taken):
            await taken.until(lambda: taken.numbers == [0])
        assert {flag: n for d in taken.deliveries for flag, n in d.flagged.items()} == {Flag.RETAINED: 1}
        await send(port, range(1), retain=True, raw=SHIP)
        timeless = Taken()
        async with running_feed(url(port, "mqtt", client="other"), timeless):
            await timeless.until(lambda: timeless.reasons == ["no_time"])

    with mosquitto(tmp_path) as broker:
        asyncio.run(play(broker.port))


def test_station_that_refuses_gets_the_same_again(tmp_path: Path) -> None:
    async def play(port: int) -> None:
        taken = Taken()
        async with running_feed(url(port, "mqtt"), taken):
            await taken.until(lambda: FactKind.CONNECTED in taken.facts)
            taken.refuse = 3
            await send(port, range(2))
            await taken.until(lambda: len(taken.numbers) == 2)
        assert taken.numbers == [0, 1]

    with mosquitto(tmp_path) as broker:
        asyncio.run(play(broker.port))


def test_broker_that_wants_a_password_gets_it_from_a_file_of_its_owner(tmp_path: Path) -> None:
    passwords, secret = tmp_path / "passwords", tmp_path / "secret"
    passwords.write_text("watch:secret\n")
    subprocess.run([program("mosquitto_passwd"), "-U", str(passwords)], check=True, capture_output=True)
    secret.write_text("watch:secret\n")
    secret.chmod(0o600)

    async def play(port: int) -> None:
        taken, refused = Taken(), Taken()
        async with running_feed(url(port, "mqtt"), refused):
            await refused.until(lambda: FactKind.LOST in refused.facts)
        async with running_feed(url(port, "mqtt", credentials=secret), taken):
            await taken.until(lambda: FactKind.CONNECTED in taken.facts)

    with mosquitto(tmp_path, f"password_file {passwords}") as broker:
        asyncio.run(play(broker.port))
    with pytest.raises(SettingError, match="credentials without TLS"):
        open_feed(f"mqtt://broker.example/fleet?credentials={secret}")
    secret.chmod(0o644)
    with pytest.raises(SettingError, match="0644"):
        open_feed(f"mqtt://127.0.0.1/fleet?credentials={secret}")


@pytest.mark.parametrize(
    "address",
    ["mqtt://h/", "mqtt://h/$SYS/x", "nats://h", "nats://h/a/b", "nats://h/S?subject=a..b", "nats://h/S?tries=0"],
)
def test_addresses_of_no_topic_or_stream_are_refused(address: str) -> None:
    with pytest.raises(SettingError):
        open_feed(address)
