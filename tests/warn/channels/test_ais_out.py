"""AIS texts to a file, a TCP transmitter and a UDP one, each read back and decoded."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from tests.peers import free_port
from tests.warn.channels.conftest import LOOPBACK
from tests.warn.channels.formats.test_ais import sent
from tests.warn.stories import T0, Walk, cable, event

from tocsin.agreement.playbook import MOVER
from tocsin.errors import SettingError
from tocsin.warn.channels.ais import Ais, FileWire, NetWire
from tocsin.warn.channels.config import load_transports
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message
from tocsin.watch.event import EventKind


@pytest.fixture(scope="module")
def message() -> Message:
    case = Walk(cable()).found(event(EventKind.APPROACH))
    return next(m for m in case.messages if m.channel == "ais_msg" and m.recipient == MOVER)


def test_sentences_are_appended_to_a_file_and_only_handed_over(tmp_path: Path, message: Message) -> None:
    ours = Ais(FileWire(tmp_path / "ais.nmea"))
    outcomes = [ours.send(message, T0) for _ in range(5)]
    lines = (tmp_path / "ais.nmea").read_text().splitlines(keepends=True)
    assert {outcome.state for outcome in outcomes} == {MessageState.HANDED_OVER}
    assert [line.split(",")[3] for line in lines[::2]] == ["0", "1", "2", "3", "0"]
    assert {line.split(",")[4] for line in lines[::2]} == {"273000001"}
    text = sent((lines[0], lines[1]))
    assert text == f"CABLE AHEAD, DO NOT ANCHOR OR TRAWL REF {message.case_id[:8].upper()}"
    assert text in outcomes[0].reason


def test_shortened_text_says_so_in_its_outcome(tmp_path: Path) -> None:
    case = Walk(cable(texts={"T1": {"en": "cable " * 60}})).found(event(EventKind.APPROACH))
    outcome = Ais(FileWire(tmp_path / "x")).send(next(m for m in case.messages if m.channel == "ais_msg"), T0)
    assert outcome.state is MessageState.HANDED_OVER
    assert "characters left out: “CABLE" in outcome.reason


def test_recipient_without_an_mmsi_is_reached_by_broadcast_alone(tmp_path: Path) -> None:
    case = Walk().found(event(EventKind.APPROACH, track_id="icao24:abcdef"))
    told = next(m for m in case.messages if m.channel == "ais_msg")
    refused = Ais(FileWire(tmp_path / "x")).send(told, T0)
    assert (refused.state, "has no MMSI" in refused.reason) == (MessageState.FAILED_FOR_GOOD, True)
    to_all = Ais(FileWire(tmp_path / "x"), is_broadcast=True, radio_channel=3).send(told, T0)
    assert to_all.state is MessageState.HANDED_OVER
    assert (tmp_path / "x").read_text().startswith("!AIBBM,2,1,0,3,14,")


def test_tcp_transmitter_gets_every_sentence(message: Message) -> None:
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            connection, _ = listener.accept()
            with connection:
                while chunk := connection.recv(4_096):
                    got.append(chunk)

        taker = threading.Thread(target=take)
        taker.start()
        wire = NetWire("127.0.0.1", listener.getsockname()[1], is_udp=False, allow=LOOPBACK, timeout_s=5.0)
        outcome = Ais(wire).send(message, T0)
        taker.join(20)
    assert outcome.state is MessageState.HANDED_OVER
    assert sent(tuple(b"".join(got).decode().splitlines())).startswith("CABLE AHEAD, DO NOT")


def test_udp_transmitter_gets_a_datagram_a_sentence() -> None:
    long = next(
        m
        for m in Walk(cable(texts={"T1": {"en": "cable ahead " * 10}})).found(event(EventKind.APPROACH)).messages
        if m.channel == "ais_msg"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        wire = NetWire("127.0.0.1", receiver.getsockname()[1], is_udp=True, allow=LOOPBACK, timeout_s=5.0)
        outcome = Ais(wire, is_broadcast=True).send(long, T0)
        got = [receiver.recv(200).decode() for _ in range(3)]
    assert outcome.state is MessageState.HANDED_OVER
    assert [line[:11] for line in got] == ["!AIBBM,3,1,", "!AIBBM,3,2,", "!AIBBM,3,3,"]
    assert sent(tuple(got)).startswith("CABLE AHEAD CABLE")


def test_transmitter_that_is_down_or_not_allowed(message: Message, tmp_path: Path) -> None:
    down = Ais(NetWire("127.0.0.1", free_port(), is_udp=False, allow=LOOPBACK, timeout_s=2.0)).send(message, T0)
    assert down.state is MessageState.FAILED_FOR_NOW
    for is_udp in (True, False):
        refused = Ais(NetWire("127.0.0.1", 1, is_udp=is_udp, allow=(), timeout_s=2.0)).send(message, T0)
        assert refused.state is MessageState.FAILED_FOR_GOOD
    gone = Ais(FileWire(tmp_path / "none" / "x")).send(message, T0)
    assert gone.state is MessageState.FAILED_FOR_NOW


@pytest.mark.parametrize(
    "setting",
    [
        "{transport: ais}",
        "{transport: ais, path: x, host: h, port: 1}",
        "{transport: ais, host: h}",
        "{transport: ais, path: x, radio_channel: 4}",
    ],
)
def test_setting_that_names_no_way_or_two_is_refused(setting: str, tmp_path: Path) -> None:
    (tmp_path / "channels.yaml").write_text(f"x: {setting}")
    with pytest.raises(SettingError, match="expected ais with"):
        load_transports(tmp_path / "channels.yaml", out=tmp_path)
