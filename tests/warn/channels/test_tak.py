"""TAK: a real TLS listener that reads CoT, sends receipts and chats back, and falls silent."""

from __future__ import annotations

import queue
import select
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.peers import free_port
from tests.warn.channels.conftest import LOOPBACK
from tests.warn.stories import T0, Walk, event

from tocsin.agreement.boundary import boundary_words
from tocsin.warn.channels.config import load_transports
from tocsin.warn.channels.formats.cot import Contact, events, read_event, split
from tocsin.warn.channels.tak import Tak
from tocsin.warn.inputs import Answer, Rejected
from tocsin.warn.states import AnswerKind, MessageState, Purpose
from tocsin.warn.telling import Message
from tocsin.watch.event import EventKind

OURS = Contact(uid="tocsin-1", callsign="NORTH WATCH")
DESK = Contact(uid="ANDROID-1", callsign="DESK 1")
TO = {"mover": (DESK,)}


class Server:
    """A TAK server of one connection at a time: keeps every event, sends what it is told."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self.heard: queue.Queue[ET.Element] = queue.Queue()
        self.connected = threading.Semaphore(0)
        self._tls = tls
        self._one_at_a_time = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connection: socket.socket | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            try:
                self.connection = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
            except OSError:
                plain.close()
                continue
            self.connected.release()
            threading.Thread(target=self._read, args=[self.connection], daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        rest = b""
        with connection, suppress(OSError, ValueError):
            while True:
                select.select([connection], [], [])
                with self._one_at_a_time:  # a TLS connection cannot be read and written at once
                    chunk = connection.recv(65_536)
                if not chunk:
                    return
                found, rest = split(rest + chunk)
                for raw in found:
                    self.heard.put(ET.fromstring(raw))

    def say(self, *raw: bytes) -> None:
        assert self.connection is not None
        for part in raw:
            with self._one_at_a_time:
                self.connection.sendall(part)

    def cut(self) -> None:
        assert self.connection is not None
        self.connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        if self.connection is not None:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()


def receipt(message: Message, kind: str = "b-t-f-d", uid: str = DESK.uid) -> bytes:
    """Return a receipt as ATAK writes it."""
    return (
        f'<event version="2.0" uid="{message.message_id}" type="{kind}" how="h-g-i-g-o"><point lat="0" lon="0" hae="0"'
        f' ce="1" le="1"/><detail><__chatreceipt messageId="{message.message_id}" senderCallsign="DESK 1" id="{uid}"/>'
        f'<link uid="{uid}" relation="p-p" type="a-f-G"/></detail></event>\n'
    ).encode()


def chat(text: str, uid: str = DESK.uid, to: str = OURS.uid) -> bytes:
    return (
        f'<event version="2.0" uid="GeoChat.{uid}.{to}.1" type="b-t-f"><point lat="0" lon="0" hae="0" ce="1" le="1"/>'
        f'<detail><__chat id="{to}" senderCallsign="DESK 1"><chatgrp uid0="{uid}" uid1="{to}" id="{to}"/></__chat>'
        f'<link uid="{uid}" relation="p-p"/><remarks>{text}</remarks></detail></event>'
    ).encode()


def read(raw: bytes, message: Message, *, is_trusted: bool = True) -> Answer | Rejected | None:
    return read_event(
        raw,
        now_us=T0,
        source="tak",
        channel=None,
        ours=OURS,
        contacts={DESK.uid: "mover"},
        told=lambda found: message if found == message.message_id else None,
        is_trusted=is_trusted,
    )


@pytest.fixture
def server_tls(authority: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem")
    return context


def client_tls(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority / "ca.pem"))


def tak(port: int, tls: ssl.SSLContext | None, **changes: Any) -> Tak:
    fields: dict[str, Any] = {"ours": OURS, "to": TO, "tls": tls, "allow": LOOPBACK, "timeout_s": 5.0}
    return Tak("localhost", port, **(fields | changes))


def test_chat_and_spot_arrive_over_tls_and_receipts_come_back(
    authority: Path, server_tls: ssl.SSLContext, message: Message
) -> None:
    heard: queue.Queue[Answer | Rejected] = queue.Queue()
    with Server(server_tls) as server:
        ours = tak(server.port, client_tls(authority))
        end = ours.listen(heard.put, lambda found: message if found == message.message_id else None)
        try:
            outcome = ours.send(message, T0)
            got = [server.heard.get(timeout=20) for _ in range(2)]
            server.say(receipt(message), receipt(message, "b-t-f-r")[:40], receipt(message, "b-t-f-r")[40:])
            server.say(chat(f"received, {message.case_id[:8]} turning"), b"<event type='t-x-c-t'/>")
            answers = [heard.get(timeout=20) for _ in range(3)]
        finally:
            end()
    assert (outcome.state, outcome.reason) == (MessageState.HANDED_OVER, "to DESK 1")
    assert [event.get("type") for event in got] == ["b-t-f", "b-m-p-s-m"]
    remarks = got[0].findtext("detail/remarks")
    assert remarks is not None
    assert message.body in remarks
    spoken = got[0].find("detail/__chat")
    assert spoken is not None
    assert (spoken.get("messageId"), spoken.get("id")) == (message.message_id, DESK.uid)
    point = got[1].find("point")
    assert point is not None
    assert (point.get("lat"), point.get("lon")) == ("57.1000000", "5.5000000")
    assert all(isinstance(answer, Answer) for answer in answers)
    assert [(a.kind, a.party, a.who) for a in answers if isinstance(a, Answer)] == [
        (AnswerKind.DELIVERED, "mover", "DESK 1"),
        (AnswerKind.READ, "mover", "DESK 1"),
        (AnswerKind.ANSWERED, "mover", "DESK 1"),
    ]
    last = answers[2]
    assert isinstance(last, Answer)
    assert (last.case_id, last.refused) == (message.case_id[:8], "")


def test_lost_connection_is_made_anew_for_the_next_message(
    authority: Path, server_tls: ssl.SSLContext, message: Message
) -> None:
    with Server(server_tls) as server:
        ours = tak(server.port, client_tls(authority))
        assert ours.send(message, T0).state is MessageState.HANDED_OVER
        server.heard.get(timeout=20)
        server.heard.get(timeout=20)
        (reader,) = (thread for thread in threading.enumerate() if thread.name == "tak localhost reader")
        server.cut()
        reader.join(20)  # it ends once it has seen the cut; what is written before that is lost
        assert ours.send(message, T0).state is MessageState.HANDED_OVER
        assert server.heard.get(timeout=20).get("type") == "b-t-f"
        ours.listen(lambda _: None, lambda _: None)()


def test_strangers_server_gets_no_word(authority: Path, server_tls: ssl.SSLContext, message: Message) -> None:
    with Server(server_tls) as server:
        outcome = tak(server.port, ssl.create_default_context()).send(message, T0)
        assert server.heard.empty()
    assert outcome.state is MessageState.FAILED_FOR_NOW


def test_plain_connection_carries_out_but_nothing_heard_on_it_counts(message: Message) -> None:
    heard: queue.Queue[Answer | Rejected] = queue.Queue()
    with Server(None) as server:
        ours = tak(server.port, None)
        end = ours.listen(heard.put, lambda _: message)
        try:
            assert ours.send(message, T0).state is MessageState.HANDED_OVER
            server.heard.get(timeout=20)
            server.say(receipt(message))
            found = heard.get(timeout=20)
        finally:
            end()
    assert isinstance(found, Answer)
    assert "without TLS" in found.refused


def test_refused_as_shipped_and_failing_for_now_when_down(message: Message) -> None:
    refused = tak(free_port(), None, allow=()).send(message, T0)
    assert refused.state is MessageState.FAILED_FOR_GOOD
    down = tak(free_port(), None).send(message, T0)
    assert down.state is MessageState.FAILED_FOR_NOW
    nobody = tak(1, None, to={}).send(message, T0)
    assert (nobody.state, nobody.reason) == (MessageState.FAILED_FOR_GOOD, "no contact of mover is set")


@pytest.mark.parametrize("name", ["<script>", "a\r\nb", "\u202ex", "]]><event/>", "x" * 10_000, "=cmd"])
def test_hostile_name_stays_text_and_no_event_is_an_atom(name: str) -> None:
    for message in Walk().found(event(EventKind.APPROACH, track_id="dev:" + name, category=name)).messages:
        for purpose in Purpose:
            made = events(replace(message, purpose=purpose), ours=OURS, to=[DESK], now_us=T0)
            assert all(split(raw) == ([raw], b"") for raw in made)
            types = [ET.fromstring(raw).get("type", "") for raw in made]
            assert not [kind for kind in types if kind.startswith("a-")]
            assert not boundary_words(b"".join(made).decode())


def test_end_of_a_case_takes_the_spot_away(message: Message) -> None:
    begun = events(message, ours=OURS, to=[DESK], now_us=T0)
    ended = events(replace(message, purpose=Purpose.STAND_DOWN), ours=OURS, to=[DESK], now_us=T0)
    spot, end = ET.fromstring(begun[-1]), ET.fromstring(ended[-1])
    link = end.find("detail/link")
    assert link is not None
    assert (end.get("type"), link.get("uid")) == ("t-x-d-d", spot.get("uid"))


def test_receipt_of_somebody_else_is_refused_and_of_another_message_is_not_ours(message: Message) -> None:
    strange = read(receipt(message, uid="ANDROID-9"), message)
    assert isinstance(strange, Answer)
    assert "speaks for nobody here" in strange.refused
    assert read(receipt(replace(message, message_id="0" * 32)), message) is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (chat("hello"), "chat that quotes no case"),
        (chat("64483c3d", uid="ANDROID-9"), "speaks for nobody here"),
        (b"<event><point", "no CoT event"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><event type="b-t-f">&a;</event>', "no CoT event"),
        (b"<event>" + b"x" * (2 << 20) + b"</event>", "expected at most"),
    ],
)
def test_what_cannot_be_an_answer_is_rejected_with_its_reason(raw: bytes, reason: str, message: Message) -> None:
    found = read(raw, message)
    assert isinstance(found, Rejected)
    assert reason in found.reason


def test_traffic_that_is_not_for_us_is_none_of_our_business(message: Message) -> None:
    for raw in (
        chat("64483c3d", to="ANDROID-7"),
        chat("64483c3d", uid=OURS.uid),
        b'<event type="a-f-G-U-C"/>',
        b"<x/>",
    ):
        assert read(raw, message) is None


@given(st.binary(max_size=300))
def test_no_bytes_raise(raw: bytes) -> None:
    message = Walk().found(event(EventKind.APPROACH)).messages[0]
    assert not isinstance(read(raw, message), Answer)
    found, rest = split(raw)
    assert len(b"".join(found)) + len(rest) <= len(raw)


def test_stream_without_an_end_is_cut() -> None:
    with pytest.raises(ValueError, match="without the end of an event"):
        split(b"<event>" + b"x" * (2 << 20))


def test_channels_file_sets_tak_up(authority: Path, server_tls: ssl.SSLContext, message: Message) -> None:
    with Server(server_tls) as server:
        (authority / "channels.yaml").write_text(
            f"{message.channel}: {{transport: tak, host: localhost, port: {server.port}, ca: ca.pem, allow: "
            "[127.0.0.1, '::1'], to: {mover: {DESK 1: ANDROID-1}}}"
        )
        transports = load_transports(authority / "channels.yaml", out=authority)
        assert transports.send(message, T0).state is MessageState.HANDED_OVER
        assert server.heard.get(timeout=20).get("type") == "b-t-f"
        transports.listen(lambda _: None, lambda _: None)()
