"""The webhook against a real receiver on loopback, with every way that one can misbehave."""

from __future__ import annotations

import base64
import ipaddress
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.warn.receiver import Receiver, accepted_then_close, close, drip, hang, status
from tests.warn.stories import T0, S

from tocsin.canon import parse_json
from tocsin.warn.channels.webhook import Webhook
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOOPBACK = (ipaddress.ip_network("127.0.0.1/32"),)


def post(receiver: Receiver, message: Message, *, timeout_s: float = 5.0, now_us: int = T0) -> Outcome:
    return Webhook(receiver.url, key=KEY, allow=LOOPBACK, timeout_s=timeout_s).send(message, now_us)


def test_message_is_posted_signed_and_only_handed_over(message: Message) -> None:
    with Receiver(status(204)) as receiver:
        outcome = post(receiver, message)
    assert (outcome.state, outcome.reason) == (MessageState.HANDED_OVER, "status 204")
    got = receiver.received[0]
    signed = b".".join([got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body])
    version, _, signature = got.headers["webhook-signature"].partition(",")
    assert version == "v1a"
    KEY.public_key().verify(base64.b64decode(signature, validate=True), signed)
    with pytest.raises(InvalidSignature):
        KEY.public_key().verify(base64.b64decode(signature), signed.replace(b"guard", b"gUard"))
    body = parse_json(got.body)
    assert (body["type"], body["data"]["message_id"]) == ("tocsin.message", message.message_id)


def test_id_stays_the_same_over_retries_and_the_timestamp_does_not(message: Message) -> None:
    with Receiver(status(503), status(200)) as receiver:
        hook = Webhook(receiver.url, key=KEY, allow=LOOPBACK)
        assert hook.send(message, T0).state is MessageState.FAILED_FOR_NOW
        assert hook.send(message, T0 + 10 * S).state is MessageState.HANDED_OVER
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == message.message_id
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 10


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (200, MessageState.HANDED_OVER),
        (299, MessageState.HANDED_OVER),
        (301, MessageState.FAILED_FOR_GOOD),
        (400, MessageState.FAILED_FOR_GOOD),
        (401, MessageState.FAILED_FOR_GOOD),
        (404, MessageState.FAILED_FOR_GOOD),
        (408, MessageState.FAILED_FOR_NOW),
        (429, MessageState.FAILED_FOR_NOW),
        (500, MessageState.FAILED_FOR_NOW),
        (503, MessageState.FAILED_FOR_NOW),
    ],
)
def test_only_2xx_is_success(code: int, state: MessageState, message: Message) -> None:
    with Receiver(status(code)) as receiver:
        outcome = post(receiver, message)
    assert outcome.state is state
    assert str(code) in outcome.reason


def test_redirect_is_not_followed(message: Message) -> None:
    with Receiver(status(200)) as other, Receiver(status(302, location=other.url)) as receiver:
        outcome = post(receiver, message)
    assert outcome.state is MessageState.FAILED_FOR_GOOD
    assert "not followed" in outcome.reason
    assert other.received == []


def test_gone_parks_the_endpoint(message: Message) -> None:
    with Receiver(status(410)) as receiver:
        hook = Webhook(receiver.url, key=KEY, allow=LOOPBACK)
        for _ in range(3):
            outcome = hook.send(message, T0)
            assert outcome.state is MessageState.FAILED_FOR_GOOD
            assert "parked" in outcome.reason
    assert len(receiver.received) == 1


def test_retry_after_is_passed_on(message: Message) -> None:
    with Receiver(status(429, retry_after="90")) as receiver:
        assert post(receiver, message).retry_after_s == 90.0
    with Receiver(status(503, retry_after="99999999")) as receiver:
        assert post(receiver, message).retry_after_s == 3_600.0, "no receiver can ask for a day"


@pytest.mark.parametrize("script", [hang, drip])
def test_hanging_or_dripping_receiver_costs_only_the_time_allowed(script: object, message: Message) -> None:
    """The receiver goes on until the test ends, so a `send` without a limit would never return."""
    with Receiver(script) as receiver:  # type: ignore[arg-type]
        outcome = post(receiver, message, timeout_s=0.4)
    assert outcome.state is MessageState.FAILED_FOR_NOW
    assert "whether it was received is not known" in outcome.reason


def test_close_before_the_status_is_not_known_and_after_it_is_handed_over(message: Message) -> None:
    with Receiver(close) as receiver:
        outcome = post(receiver, message)
    assert outcome.state is MessageState.FAILED_FOR_NOW
    assert "not known" in outcome.reason
    with Receiver(accepted_then_close) as receiver:
        assert post(receiver, message).state is MessageState.HANDED_OVER


def test_nobody_listening_is_not_reached(message: Message) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        hook = Webhook(f"http://127.0.0.1:{taken.getsockname()[1]}/", key=KEY, allow=LOOPBACK)
        outcome = hook.send(message, T0)
    assert outcome.state is MessageState.FAILED_FOR_NOW
    assert "not reached" in outcome.reason


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "[::1]"])
def test_loopback_in_any_spelling_is_refused_as_shipped(host: str, message: Message) -> None:
    with Receiver(status(200)) as receiver:
        port = receiver.server_address[1]
        outcome = Webhook(f"http://{host}:{port}/", key=KEY).send(message, T0)
    assert outcome.state in {MessageState.FAILED_FOR_GOOD, MessageState.FAILED_FOR_NOW}
    assert receiver.received == [], "nothing may arrive"
    if outcome.state is MessageState.FAILED_FOR_GOOD:
        assert "not a public address" in outcome.reason


def test_name_that_answers_public_then_loopback_never_reaches_loopback(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver(status(200)) as receiver:
        port = receiver.server_address[1]
        answers = iter(["127.0.0.1", "93.184.215.14"])

        def lookup(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        hook = Webhook(f"https://rebind.example:{port}/", key=KEY, timeout_s=1.0)
        assert "127.0.0.1, which is not a public address" in hook.send(message, T0).reason
        asked: list[str] = []

        def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
            asked.append(address[0])
            raise ConnectionRefusedError("not in a test")

        monkeypatch.setattr(socket, "create_connection", connect)
        hook.send(message, T0)
        assert asked == ["93.184.215.14"], "the address that was checked is the one connected to, by its number"
    assert receiver.received == []


def test_name_with_one_bad_address_among_good_ones_is_refused_whole(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lookup(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, 1, 6, "", (a, 443)) for a in ("93.184.215.14", "169.254.169.254")]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    outcome = Webhook("https://two.example/", key=KEY).send(message, T0)
    assert outcome.state is MessageState.FAILED_FOR_GOOD
    assert "169.254.169.254" in outcome.reason


def test_plain_http_to_a_public_address_is_refused(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, 1, 6, "", ("93.184.215.14", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    outcome = Webhook("http://plain.example/", key=KEY).send(message, T0)
    assert "reached without TLS" in outcome.reason


def test_resolver_that_hangs_costs_only_the_time_allowed(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()

    def never(*_: object, **__: object) -> list[tuple[object, ...]]:
        let_go.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    outcome = Webhook("https://slow.example/", key=KEY, timeout_s=0.2).send(message, T0)
    let_go.set()
    assert outcome.state is MessageState.FAILED_FOR_NOW


@pytest.mark.parametrize(
    "url", ["ftp://x/", "https://", "https://user:secret@x/", "https://x/#part", "file:///etc/passwd", "gopher://x"]
)
def test_url_of_another_kind_is_refused_when_set(url: str) -> None:
    with pytest.raises(ValueError, match="expected https://host/path"):
        Webhook(url, key=KEY)


def test_tls_checks_the_name_asked_for_although_the_connection_goes_to_a_number(
    message: Message, authority: Path
) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority / "server.pem")
    client = ssl.create_default_context(cafile=str(authority / "ca.pem"))
    with Receiver(status(200), tls=server) as receiver:
        port = receiver.server_address[1]
        allow = [*LOOPBACK, ipaddress.ip_network("::1/128")]
        good = Webhook(f"https://localhost:{port}/", key=KEY, allow=allow, tls=client)
        assert good.send(message, T0).state is MessageState.HANDED_OVER
        wrong_name = Webhook(f"https://127.0.0.1:{port}/", key=KEY, allow=allow, tls=client)
        assert wrong_name.send(message, T0).state is MessageState.FAILED_FOR_NOW
        unknown = Webhook(f"https://localhost:{port}/", key=KEY, allow=allow)
        assert "not reached" in unknown.send(message, T0).reason
    assert len(receiver.received) == 1
