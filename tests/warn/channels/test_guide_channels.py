"""The guide to the channels against the code: every example loads, every kind, key and refusal is named."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tocsin.warn.answers.token import LIFETIME_S, TokenRefusal
from tocsin.warn.channels.config import KINDS, LINKED, load_transports
from tocsin.warn.channels.link import Linked
from tocsin.warn.channels.setting import AnswerSetting
from tocsin.warn.templates import PHRASES

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "channels.md"
TEXT = GUIDE.read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def prepared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder with the certificates and secrets that the examples name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / "tak-ca.pem").write_bytes(pem)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "tocsin.pem").write_bytes(pem + secret)
    (folder / "broker-password.txt").write_text("secret\n")
    (folder / "matrix-url.txt").write_text("matrixs://user:secret@matrix.example.org/!room:example.org\n")
    monkeypatch.setenv("RELAY_PASSWORD", "secret")
    monkeypatch.setenv("SMS_URL", "twilio://AC" + "a" * 32 + ":" + "b" * 32 + "@15550000001/15550000002")
    return folder


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example_of_the_guide_loads(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = prepared(tmp_path, monkeypatch)
    (folder / "channels.yaml").write_text(EXAMPLES[number])
    transports = load_transports(folder / "channels.yaml", out=folder)
    wanted = {key: value["transport"] for key, value in yaml.safe_load(EXAMPLES[number]).items() if key != "answers"}
    wanted.pop("default", None)
    assert {channel: transports[channel].kind for channel in transports} == wanted


def test_guide_shows_an_example_of_every_kind_and_names_every_key() -> None:
    shown = {value.get("transport") for text in EXAMPLES for value in yaml.safe_load(text).values()}
    assert shown >= set(KINDS)
    keys = {key for model in (*KINDS.values(), AnswerSetting) for key in model.__struct_fields__}
    assert not sorted(key for key in keys if f"`{key}`" not in TEXT and f"`{key}:" not in TEXT)


def test_guide_names_every_refusal_and_every_language() -> None:
    assert not [str(why) for why in TokenRefusal if f"`{why}`" not in TEXT]
    assert not [language for language in PHRASES if f"(`{language}`)" not in TEXT]
    assert f"({LIFETIME_S / 3600:.0f} h)" in TEXT


def test_link_is_added_to_what_people_read_and_to_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = prepared(tmp_path, monkeypatch)
    (folder / "channels.yaml").write_text(EXAMPLES[0])
    transports = load_transports(folder / "channels.yaml", out=folder)
    linked = {channel for channel in transports if isinstance(getattr(transports[channel], "inner", None), Linked)}
    linked |= {channel for channel in transports if isinstance(transports[channel], Linked)}
    assert linked == {channel for channel in transports if transports[channel].kind in LINKED} == {"desk_mail"}
