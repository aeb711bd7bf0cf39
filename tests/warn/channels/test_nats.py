"""NATS against a real nats-server: kept once by a stream, said plainly without one, and replies by token."""

from __future__ import annotations

import asyncio
import queue
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nats
import pytest
from tests.peers import Peer, free_port, nats_server
from tests.warn.channels.conftest import LOOPBACK
from tests.warn.stories import T0

from tocsin.canon import canonical_bytes, parse_json
from tocsin.warn.channels.broker import Broker
from tocsin.warn.channels.config import load_transports
from tocsin.warn.channels.nats import REPLIES, TOKEN, Nats
from tocsin.warn.channels.setting import AnswerDesk
from tocsin.warn.inputs import Answer, Rejected
from tocsin.warn.states import AnswerKind, MessageState
from tocsin.warn.telling import Message

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with nats_server(tmp_path_factory.mktemp("nats")) as peer:
        yield peer


def transport(port: int, **changes: Any) -> Nats:
    own = {name: changes.pop(name) for name in ("subject", "stream") if name in changes}
    fields: dict[str, Any] = {"host": "127.0.0.1", "desk": AnswerDesk(key=KEY, lifetime_s=1e9)}
    fields |= {"replies": REPLIES, "allow": LOOPBACK, "timeout_s": 10.0}
    return Nats(Broker(port=port, **(fields | changes)), **own)


def test_stream_keeps_a_message_once_however_often_it_is_tried(server: Peer, message: Message) -> None:
    async def with_stream() -> tuple[Any, Any, int, dict[str, str], bytes]:
        client = await nats.connect(f"nats://127.0.0.1:{server.port}")
        js = client.jetstream()
        await js.add_stream(name="WARN", subjects=["kept.>"])
        ours = transport(server.port, subject="kept.{channel}.{recipient}", stream=True)
        first = await asyncio.to_thread(ours.send, message, T0)
        second = await asyncio.to_thread(ours.send, message, T0)
        info = await js.stream_info("WARN")
        kept = await js.get_msg("WARN", 1)
        await client.close()
        return first, second, info.state.messages, dict(kept.headers or {}), kept.data or b""

    first, second, count, headers, data = asyncio.run(with_stream())
    assert (first.state, first.transport_id) == (MessageState.HANDED_OVER, "WARN@1")
    assert second.state is MessageState.HANDED_OVER
    assert "which had it already" in second.reason
    assert count == 1
    assert headers["Nats-Msg-Id"] == message.message_id
    assert parse_json(data)["data"]["message_id"] == message.message_id


def test_without_a_stream_it_is_said_plainly_unless_one_is_demanded(server: Peer, message: Message) -> None:
    plain = transport(server.port).send(message, T0)
    assert plain.state is MessageState.HANDED_OVER
    assert "no stream keeps it" in plain.reason
    demanded = transport(server.port, stream=True).send(message, T0)
    assert demanded.state is MessageState.FAILED_FOR_NOW
    assert "no stream keeps" in demanded.reason


def test_send_works_inside_a_running_loop(server: Peer, message: Message) -> None:
    async def inside() -> Any:
        return transport(server.port).send(message, T0)

    assert asyncio.run(inside()).state is MessageState.HANDED_OVER


def test_reply_comes_back_as_an_answer_and_a_forged_one_does_not(server: Peer, message: Message) -> None:
    heard: queue.Queue[Answer | Rejected] = queue.Queue()
    ours = transport(server.port, replies="tocsin.replies-1")
    end = ours.listen(heard.put, lambda _: None)

    async def person() -> tuple[Answer | Rejected, Answer | Rejected]:
        client = await nats.connect(f"nats://127.0.0.1:{server.port}")
        watch = await client.subscribe("tocsin.*.*")
        await client.flush()
        await asyncio.to_thread(ours.send, message, T0)
        got = await watch.next_msg(timeout=20)
        said = canonical_bytes({"who": "A. Mate", "what": "answered", "text": "turning back"})
        headers = dict(got.headers or {})
        for _ in range(200):  # until the listener has subscribed
            await client.publish(headers["Tocsin-Reply-To"], said, headers={TOKEN: headers[TOKEN]})
            await client.flush()
            try:
                answer = await asyncio.to_thread(heard.get, True, 0.2)
                break
            except queue.Empty:
                continue
        while not heard.empty():
            heard.get()
        forged = canonical_bytes({"who": "X", "what": "answered", "token": "Z3Vlc3M.Z3Vlc3M"})
        await client.publish("tocsin.replies-1", forged)
        await client.flush()
        refused = await asyncio.to_thread(heard.get, True, 20)
        await client.close()
        return answer, refused

    try:
        answer, refused = asyncio.run(person())
    finally:
        end()
    assert isinstance(answer, Answer)
    assert (answer.kind, answer.party, answer.text) == (AnswerKind.ANSWERED, message.recipient, "turning back")
    assert isinstance(refused, Answer)
    assert refused.refused == "token forged"


def test_wrong_password_fails_for_good(tmp_path: Path, message: Message) -> None:
    with nats_server(tmp_path, "--user", "watch", "--pass", "secret") as server:
        wrong = transport(server.port, user="watch", password="guess").send(message, T0)
        right = transport(server.port, user="watch", password="secret").send(message, T0)
    assert wrong.state is MessageState.FAILED_FOR_GOOD
    assert "guess" not in wrong.reason
    assert right.state is MessageState.HANDED_OVER


def test_tls_checks_the_name_although_the_connection_goes_to_a_number(
    tmp_path: Path, authority: Path, message: Message
) -> None:
    pem = authority / "server.pem"
    with nats_server(tmp_path, "--tls", "--tlscert", str(pem), "--tlskey", str(pem)) as server:
        trusted = ssl.create_default_context(cafile=str(authority / "ca.pem"))
        good = transport(server.port, host="localhost", tls=trusted).send(message, T0)
        numbered = transport(server.port, tls=trusted).send(message, T0)
    assert good.state is MessageState.HANDED_OVER
    assert numbered.state is MessageState.FAILED_FOR_NOW
    assert "certificate" in numbered.reason.lower()


def test_server_that_is_down_or_hangs_costs_only_the_time_allowed(message: Message) -> None:
    down = transport(free_port()).send(message, T0)
    assert down.state is MessageState.FAILED_FOR_NOW
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        hung = transport(silent.getsockname()[1], timeout_s=0.5).send(message, T0)
    assert hung.state is MessageState.FAILED_FOR_NOW


def test_server_on_loopback_is_refused_as_shipped(server: Peer, message: Message) -> None:
    outcome = transport(server.port, allow=()).send(message, T0)
    assert outcome.state is MessageState.FAILED_FOR_GOOD
    assert "not a public address" in outcome.reason


@pytest.mark.parametrize("subject", ["a.>", "a.*", "", "a..b", ".a", "a b"])
def test_subject_that_cannot_be_published_to_is_refused_when_set(subject: str) -> None:
    with pytest.raises(ValueError, match="expected one without"):
        transport(1, subject=subject)


def test_channels_file_sets_nats_up(server: Peer, tmp_path: Path, message: Message) -> None:
    (tmp_path / "channels.yaml").write_text(
        f"{message.channel}: {{transport: nats, host: 127.0.0.1, port: {server.port}, security: none, "
        "allow: [127.0.0.1], subject: 'x.{recipient}', replies: x.replies}"
    )
    transports = load_transports(tmp_path / "channels.yaml", out=tmp_path)
    assert transports.send(message, T0).state is MessageState.HANDED_OVER
    transports.listen(lambda _: None, lambda _: None)()
