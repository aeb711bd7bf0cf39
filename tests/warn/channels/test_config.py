"""channels.yaml: what it may say, and how it is refused."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from tests.warn.receiver import Receiver, status
from tests.warn.stories import T0, Walk, event

from tocsin.errors import SettingError
from tocsin.warn.channels.config import KEY_FILE, MESSAGES_FILE, default_transports, load_transports, signing_key
from tocsin.warn.channels.console import Console
from tocsin.warn.channels.file import JsonLinesFile
from tocsin.warn.channels.webhook import Webhook
from tocsin.warn.states import MessageState
from tocsin.watch.event import EventKind


def load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "channels.yaml"
    path.write_text(text)
    return load_transports(path, out=tmp_path)


def test_channels_are_mapped_and_the_rest_go_to_the_default_file(tmp_path: Path) -> None:
    with Receiver(status(200)) as receiver:
        path = tmp_path / "channels.yaml"
        path.write_text(
            f"vhf16: {{transport: file, path: vhf16.jsonl}}\n"
            f"ais_msg: {{transport: webhook, url: '{receiver.url}', allow: [127.0.0.1], timeout: 5 s}}\n"
            f"duty_officer: {{transport: console}}\n"
        )
        transports = load_transports(path, out=tmp_path)
        case = Walk().found(event(EventKind.APPROACH))
        outcomes = {m.channel: transports.send(m, T0) for m in case.messages}
    assert {name: (o.state, o.transport) for name, o in outcomes.items()} == {
        "ais_msg": (MessageState.HANDED_OVER, "webhook"),
        "vhf16": (MessageState.HANDED_OVER, "file"),
        "satc": (MessageState.HANDED_OVER, "file"),
    }
    assert (tmp_path / "vhf16.jsonl").exists()
    assert (tmp_path / MESSAGES_FILE).read_bytes().count(b"\n") == 1
    assert isinstance(transports["duty_officer"], Console)
    assert sorted(transports) == ["ais_msg", "duty_officer", "vhf16"]
    assert "satc" not in transports
    assert len(transports) == 3


def test_default_can_be_named(tmp_path: Path) -> None:
    transports = load_transports(_written(tmp_path, "default: {transport: console}"), out=tmp_path)
    assert isinstance(transports["anything"], Console)
    assert isinstance(default_transports(tmp_path)["anything"], JsonLinesFile)


def test_signing_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    text = "x: {transport: webhook, url: 'https://example.org/hook'}"
    first = load_transports(_written(tmp_path, text), out=tmp_path)["x"]
    second = load_transports(_written(tmp_path, text), out=tmp_path)["x"]
    assert isinstance(first, Webhook)
    assert isinstance(second, Webhook)
    key = tmp_path / KEY_FILE
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert b"PUBLIC KEY" in key.with_suffix(".pub.pem").read_bytes()
    assert signing_key(key).sign(b"x") == signing_key(key).sign(b"x")


def _written(folder: Path, text: str) -> Path:
    path = folder / "channels.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "channels.yaml.*expected a mapping"),
        ("vhf16: {transport: pigeon}", r"channels.yaml:1 \(vhf16\): found 'pigeon', expected transport: console"),
        ("a: {transport: console}\nvhf16: file", r"channels.yaml:2 \(vhf16\): found 'file'"),
        ("vhf16: {transport: file}", r"channels.yaml:1 \(vhf16.path\).*expected file with .*transport, path"),
        ("vhf16: {transport: file, path: x, colour: red}", "found key 'colour', expected file with .*transport, path"),
        ("x: {transport: webhook, url: 'ftp://a'}", "found 'ftp://a', expected https://host/path.*expected a usable"),
        ("x: {transport: webhook, url: 'https://a', allow: [127.0.0.1/8]}", "has host bits set"),
        ("x: {transport: webhook, url: 'https://a', timeout: 5}", "timeout"),
        ("x: {transport: webhook, url: 'https://a', timeout: 5 km}", "5 km"),
        ("x: {transport: webhook, url: 'https://a', ca: none.pem}", "No such file"),
        ("x: {transport: console}\nx: {transport: console}", "second time"),
        ("x:\n  transport: file\n  path: x\n  cap: {sender: a, colour: b}", r":4 \(x.cap.colour\): found key 'colour'"),
        ("x:\n  transport: file\n  path: x\n  cap: {}", r":4 \(x.cap.sender\): found {}, .*required field `sender`"),
        ("x: {transport: apprise,\n  to: {a: [{env: A}, 3]}}", r":2 \(x.to\): found {'a': .*, expected apprise"),
        ("x: {transport: mqtt, host: h, port: 1, password: {env: A, file: b}}", r"\(x.password\).*one of env and file"),
        ("x: [", "not YAML"),
    ],
)
def test_bad_settings_are_refused_with_what_was_found_and_where(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=message):
        load(tmp_path, text)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="expected a readable file"):
        load_transports(tmp_path / "none.yaml", out=tmp_path)


def test_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("not a key")
    with pytest.raises(SettingError, match="expected a usable webhook"):
        load(tmp_path, "x: {transport: webhook, url: 'https://a', key: key.pem}")
