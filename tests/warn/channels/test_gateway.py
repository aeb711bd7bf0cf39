"""Gateways: apprise against a real HTTP server that plays ntfy and Matrix; secrets, egress, time and signs."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.warn.channels.conftest import LOOPBACK
from tests.warn.receiver import Handler, Receiver, Script, hang, status
from tests.warn.stories import T0, Walk, event

from tocsin.canon import parse_json
from tocsin.errors import SettingError
from tocsin.warn.channels.config import load_transports
from tocsin.warn.channels.egress import Egress, guarded
from tocsin.warn.channels.gateway import Gateway, plain
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome
from tocsin.watch.event import EventKind

CANARY = "tk_canary0secret0canary0secret0"


def says(value: str, code: int = 200) -> Script:
    """Answer with JSON."""

    def answer(handler: Handler) -> None:
        body = value.encode()
        handler.send_response_only(code)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def ntfy(receiver: Receiver, message: Message, **changes: Any) -> Outcome:
    url = f"ntfy://{CANARY}@127.0.0.1:{receiver.server_address[1]}/warnings?auth=token"
    fields: dict[str, Any] = {"allow": LOOPBACK, "timeout_s": 10.0}
    return Gateway({message.recipient: [url]}, **(fields | changes)).send(message, T0)


def test_ntfy_gets_subject_and_body_and_it_is_only_handed_over(message: Message) -> None:
    with Receiver(says("{}")) as receiver:
        outcome = ntfy(receiver, message)
    assert (outcome.state, outcome.reason) == (MessageState.HANDED_OVER, "taken by ntfy")
    sent = parse_json(receiver.received[0].body)
    assert (sent["title"], sent["topic"]) == (message.subject, "warnings")
    assert sent["message"] == message.body
    assert CANARY in str(receiver.received[0].headers), "the secret reached the gateway"


def test_matrix_logs_in_joins_and_sends(message: Message) -> None:
    answers = '{"access_token": "abc", "home_server": "127.0.0.1", "room_id": "!room:localhost", "user_id": "@u:x"}'
    with Receiver(says(answers)) as receiver:
        url = f"matrix://user:{CANARY}@127.0.0.1:{receiver.server_address[1]}/!room:localhost?v=3"
        outcome = Gateway({message.recipient: [url]}, allow=LOOPBACK, timeout_s=20.0).send(message, T0)
    assert outcome.state is MessageState.HANDED_OVER
    paths = [request.path for request in receiver.received]
    assert any("login" in path for path in paths)
    assert any(message.case_id[:8].encode() in request.body for request in receiver.received)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (500, MessageState.FAILED_FOR_NOW), (503, MessageState.FAILED_FOR_NOW), (429, MessageState.FAILED_FOR_NOW),
        (401, MessageState.FAILED_FOR_GOOD), (404, MessageState.FAILED_FOR_GOOD),
    ],
)  # fmt: skip
def test_refusal_is_kept_with_its_status_and_without_the_secret(
    code: int,
    state: MessageState,
    message: Message,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG), Receiver(status(code)) as receiver:
        outcome = ntfy(receiver, message)
    assert (outcome.state, outcome.reason) == (state, f"ntfy: status {code}")
    shown = caplog.text + "".join(capfd.readouterr()) + str(outcome)
    assert CANARY not in shown


def test_redirect_is_not_followed(message: Message) -> None:
    with Receiver(says("{}")) as inside, Receiver(status(307, Location=inside.url)) as receiver:
        outcome = ntfy(receiver, message)
    assert outcome.state is MessageState.FAILED_FOR_GOOD
    assert inside.received == []


def test_loopback_is_refused_as_shipped_by_the_address_connected_to(message: Message) -> None:
    with Receiver(says("{}")) as receiver:
        outcome = ntfy(receiver, message, allow=())
    assert outcome.state is MessageState.FAILED_FOR_GOOD
    assert "127.0.0.1 is not a public address" in outcome.reason
    assert receiver.received == []


def test_name_that_answers_with_loopback_is_refused_by_the_number(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver(says("{}")) as receiver:
        port = receiver.server_address[1]
        place = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [place])
        gateway = Gateway({message.recipient: [f"ntfy://ntfy.example.org:{port}/x"]}, timeout_s=5.0)
        outcome = gateway.send(message, T0)
    assert (outcome.state, receiver.received) == (MessageState.FAILED_FOR_GOOD, [])


def test_plain_http_to_a_public_address_is_refused_before_a_byte_leaves(message: Message) -> None:
    outcome = Gateway({message.recipient: ["ntfy://93.184.215.14/x"]}, timeout_s=5.0).send(message, T0)
    assert outcome.state is MessageState.FAILED_FOR_GOOD
    assert "reached without TLS" in outcome.reason


def test_hanging_gateway_costs_only_the_time_allowed(message: Message) -> None:
    with Receiver(hang) as receiver:
        outcome = ntfy(receiver, message, timeout_s=0.5)
    assert outcome.state is MessageState.FAILED_FOR_NOW
    assert "whether it was received is not known" in outcome.reason


def test_one_of_two_gateways_is_enough_and_the_other_is_named(message: Message) -> None:
    with Receiver(says("{}")) as good, Receiver(status(500)) as bad:
        urls = [f"ntfy://127.0.0.1:{server.server_address[1]}/x" for server in (good, bad)]
        outcome = Gateway({message.recipient: urls}, allow=LOOPBACK, timeout_s=20.0).send(message, T0)
    assert outcome.state is MessageState.HANDED_OVER
    assert outcome.reason == "taken by ntfy; not by: ntfy: status 500"


def test_recipient_without_an_address_fails_for_good(message: Message) -> None:
    outcome = Gateway({}).send(message, T0)
    assert (outcome.state, outcome.reason) == (MessageState.FAILED_FOR_GOOD, "no address of mover is set")


@pytest.mark.parametrize("name", ["<!channel>", "@everyone", "*x* _y_ `z`", "[a](https://evil.example)", "a|b"])
def test_name_that_a_chat_would_obey_is_only_shown(name: str) -> None:
    said = Walk().found(event(EventKind.APPROACH, track_id="dev:" + name)).messages[0]
    with Receiver(says("{}")) as receiver:
        ntfy(receiver, said)
    sent = parse_json(receiver.received[0].body)
    assert not set(sent["message"] + sent["title"]) & set("<>@*`[]|")
    assert len(plain(name)) == len(name)


@pytest.mark.parametrize(
    ("url", "message"),
    [("nonsense", "no URL that apprise knows"), ("syslog://", "acts on this machine alone"), (None, "is not set")],
)
def test_bad_address_is_refused_when_set_and_never_shown(
    url: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GATEWAY_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("GATEWAY_URL", url)
    (tmp_path / "channels.yaml").write_text("x: {transport: apprise, to: {operator: [{env: GATEWAY_URL}]}}")
    with pytest.raises(SettingError, match=message) as refusal:
        load_transports(tmp_path / "channels.yaml", out=tmp_path)
    assert url is None or url not in str(refusal.value).replace("syslog", "")


def test_secret_in_the_file_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "channels.yaml").write_text("x: {transport: apprise, to: {operator: ['ntfy://h/x']}}")
    with pytest.raises(SettingError, match="expected apprise with"):
        load_transports(tmp_path / "channels.yaml", out=tmp_path)


def test_guard_holds_for_every_way_of_connecting_and_only_inside() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = listener.getsockname()
        egress = Egress(allow=(), plain=False)
        with guarded(egress), socket.socket() as tried, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thrown:
            for attempt in (
                lambda: tried.connect(place),
                lambda: tried.connect_ex(("localhost", place[1])),
                lambda: thrown.sendto(b"x", place),
                lambda: thrown.sendmsg([b"x"], [], 0, place),
            ):
                with pytest.raises(Exception, match=r"not a public address|no numbered address"):
                    attempt()
        local_guard = guarded(Egress(allow=(), plain=False))
        with local_guard, socket.socket(socket.AF_UNIX) as local, pytest.raises(Exception, match="no numbered"):
            local.connect("/tmp/nothing")
        with socket.create_connection(place):
            pass
