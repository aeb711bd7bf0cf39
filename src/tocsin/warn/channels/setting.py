"""What every transport's setting shares, and the room in which it is built: folders, keys, secrets, addresses.

A transport is one file: a record of its keys whose `build` makes it. Secrets are never in channels.yaml: they
are named by environment variable or file (`{env: NAME}`, `{file: PATH}`) and never shown in an error or a log.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import ssl
from abc import ABCMeta, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from msgspec import Meta, Struct, StructMeta

from tocsin.units import parse_duration_s
from tocsin.warn.answers.token import KEY_BYTES, LIFETIME_S, Bound, make_token
from tocsin.warn.channels.formats.cap import CapForm
from tocsin.warn.channels.formats.form import Form, JsonForm
from tocsin.warn.channels.guard import Network
from tocsin.warn.channels.transport import Transport
from tocsin.warn.telling import Message

KEY_FILE = "webhook-key.pem"
ANSWER_KEY_FILE = "answer-key.hex"
"""The station's secret for answer tokens, made in the output folder if the deployment names none."""

Port = Annotated[int, Meta(ge=1, le=65_535)]
Name = Annotated[str, Meta(min_length=1)]

Page = Annotated[str, Meta(pattern=r"^https://[^\s?#]+/\Z|^http://127\.0\.0\.1(:\d+)?/[^\s?#]*\Z")]


class Strict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the file whose keys are all known."""


class Secret(Strict, frozen=True, kw_only=True):
    """Where a secret stands: an environment variable or a file; exactly one."""

    env: str | None = None
    file: str | None = None

    def __post_init__(self) -> None:
        if (self.env is None) == (self.file is None):
            raise ValueError("expected one of env and file")


class CapSetting(Strict, frozen=True, kw_only=True):
    """Carry CAP 1.2 documents in place of JSON; see `formats.cap.CapForm`."""

    sender: Name
    category: str = "Safety"


class AnswerSetting(Strict, frozen=True, kw_only=True):
    """How answers come back: the address of the answer page, how long a token lives, and the file of the secret."""

    url: Page | None = None
    expires: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDesk:
    """Where answers come back to.

    Attributes
    ----------
    key : bytes
        The secret of the tokens.
    url : str or None
        The answer page, to which a token is appended.
    lifetime_s : float
    """

    key: bytes = field(repr=False)
    url: str | None = None
    lifetime_s: float = LIFETIME_S

    def token(self, message: Message) -> str:
        """Return the token by which this message is answered; the same at every attempt."""
        return make_token(self.key, Bound.to(message, lifetime_s=self.lifetime_s))

    def page(self, message: Message) -> str | None:
        """Return the address of the page by which this message is answered, or None."""
        return None if self.url is None else self.url + self.token(message)


class Room(Struct, frozen=True, kw_only=True):
    """Where transports are built.

    Attributes
    ----------
    folder : Path
        Of channels.yaml: keys, certificates and secrets are named from here.
    out : Path
        The output folder: what is written lies in it.
    answers : AnswerSetting
    """

    folder: Path
    out: Path
    answers: AnswerSetting = AnswerSetting()

    def desk(self) -> AnswerDesk:
        """Return where answers come back to; its secret is made if it is missing."""
        named = self.answers.key
        lifetime_s = LIFETIME_S if self.answers.expires is None else parse_duration_s(self.answers.expires)
        key = answer_key(self.folder / named if named else self.out / ANSWER_KEY_FILE)
        return AnswerDesk(key=key, url=self.answers.url, lifetime_s=lifetime_s)

    def signer(self, key: str | None) -> Ed25519PrivateKey:
        """Return the key that signs webhooks; made if none is named."""
        return signing_key(self.folder / key if key else self.out / KEY_FILE)

    def secret(self, where: Secret) -> str:
        """Return a secret.

        Raises
        ------
        ValueError
            If the variable is not set, or what was found is empty. The secret itself is never shown.
        """
        if where.env is not None:
            found = os.environ.get(where.env, "").strip()
            if not found:
                raise ValueError(f"environment variable {where.env} is not set")
            return found
        found = (self.folder / str(where.file)).read_text(encoding="utf-8").strip()
        if not found:
            raise ValueError(f"{where.file} is empty")
        return found

    def tls(self, ca: str | None, certificate: str | None = None) -> ssl.SSLContext:
        """Return the context for TLS: the system's authorities or one of our own, a client certificate if named."""
        context = ssl.create_default_context(cafile=str(self.folder / ca) if ca else None)
        if certificate:
            context.load_cert_chain(self.folder / certificate)
        return context

    def own_tls(self, ca: str | None) -> ssl.SSLContext | None:
        """Return the context of a private authority, or None for the system's."""
        return self.tls(ca) if ca else None


class _AbstractStruct(StructMeta, ABCMeta):
    """The type of records of which only those can be made that have every abstract method."""


class ChannelSetting(Strict, frozen=True, kw_only=True, metaclass=_AbstractStruct):
    """What every transport can be told: how many repeats a minute one recipient gets by it; the first always passes."""

    repeats_per_minute: Annotated[int, Meta(ge=1)] | None = None

    @abstractmethod
    def build(self, room: Room) -> Transport:
        """Return the transport.

        Raises
        ------
        ValueError, OSError
            If a key, file or address cannot be used.
        """


def form_of(cap: CapSetting | None) -> Form:
    """Return how messages are written down."""
    return JsonForm() if cap is None else CapForm(sender=cap.sender, category=cap.category)


def networks(allow: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks of an allow list."""
    return tuple(ipaddress.ip_network(text, strict=True) for text in allow)


def seconds(text: str | None, otherwise_s: float) -> float:
    """Return a time-out in seconds; `otherwise_s` if none is set."""
    return otherwise_s if text is None else parse_duration_s(text)


def signing_key(path: Path) -> Ed25519PrivateKey:
    """Return the Ed25519 key of a PEM file, made there (mode 0600, with its public half beside it) if it is missing.

    Raises
    ------
    ValueError
        If the file holds no such key.
    """
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        _write_secret(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        path.with_suffix(".pub.pem").write_bytes(public)
        return key
    key_found: Any = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key_found, Ed25519PrivateKey):
        raise ValueError(f"{path.name} holds a {type(key_found).__name__}, expected an Ed25519 key")
    return key_found


def answer_key(path: Path) -> bytes:
    """Return the secret of answer tokens from a file of hexadecimal digits, made there (mode 0600) if it is missing.

    Raises
    ------
    ValueError
        If the file holds fewer than `KEY_BYTES`, or no hexadecimal digits.
    """
    if not path.exists():
        _write_secret(path, secrets.token_hex(KEY_BYTES).encode() + b"\n")
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        raise ValueError(f"{path.name} holds no hexadecimal digits") from None
    if len(key) < KEY_BYTES:
        raise ValueError(f"{path.name} holds {len(key)} bytes, expected at least {KEY_BYTES}")
    return key


def _write_secret(path: Path, secret: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secret)
