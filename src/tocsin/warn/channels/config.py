"""channels.yaml: by which transport each channel of the agreement is reached in this deployment.

A mapping of channel id to transport, such as `vhf16: {transport: file, path: vhf16.jsonl}` (docs/guide/ladder.md). The
person at the end of the ladder is a channel too, under their id; `default` names what every other channel uses, a file
if it is missing. It belongs to whoever runs the watch, not to the agreement, and holds no secret: keys are files.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tocsin.agreement.source.document import Document, compose
from tocsin.errors import AgreementError, Place, SettingError
from tocsin.units import parse_duration_s
from tocsin.warn.case import Message, Outcome
from tocsin.warn.channels import mail
from tocsin.warn.channels.console import Console
from tocsin.warn.channels.file import JsonLinesFile
from tocsin.warn.channels.guard import Network
from tocsin.warn.channels.mail import Mail, Relay, Security
from tocsin.warn.channels.pace import Paced
from tocsin.warn.channels.transport import Transport
from tocsin.warn.channels.webhook import TIMEOUT_S, Webhook
from tocsin.warn.message import neutral

DEFAULT = "default"
MAILBOX = r"^[!-?A-~]+@[A-Za-z0-9.-]+$"
"""An address of printable ASCII without spaces; what it names is the relay's affair."""
MESSAGES_FILE = "messages.jsonl"
"""Where messages go whose channel the deployment does not name."""
KEY_FILE = "webhook-key.pem"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Config(_Strict):
    """What every transport can be told: how many repeats a minute one recipient gets by it; the first always passes."""

    repeats_per_minute: int | None = Field(default=None, ge=1)


class ConsoleConfig(_Config):
    """Print to standard error."""

    transport: Literal["console"]


class FileConfig(_Config):
    """Append to a JSON Lines file; a relative path is inside the output folder."""

    transport: Literal["file"]
    path: str = Field(min_length=1)


class WebhookConfig(_Config):
    """Post to a URL; `allow` names addresses that are not public, `key` and `ca` are PEM files."""

    transport: Literal["webhook"]
    url: str = Field(min_length=1)
    allow: tuple[str, ...] = ()
    key: str | None = None
    ca: str | None = None
    timeout: str | None = None


class MailConfig(_Config):
    """Submit mail to a relay; `to` names the mailboxes of each party told, `password` is a file that holds it."""

    transport: Literal["smtp"]
    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65_535)
    sender: str = Field(pattern=MAILBOX)
    to: dict[str, tuple[Annotated[str, Field(pattern=MAILBOX)], ...]] = Field(min_length=1)
    security: Security = Security.STARTTLS
    user: str | None = None
    password: str | None = None
    allow: tuple[str, ...] = ()
    ca: str | None = None
    timeout: str | None = None


_KINDS: dict[str, type[_Config]] = {
    "console": ConsoleConfig,
    "file": FileConfig,
    "webhook": WebhookConfig,
    "smtp": MailConfig,
}


class Transports(Mapping[str, Transport]):
    """The transports of a deployment: what a channel is reached by, and the default for every channel not named.

    Parameters
    ----------
    named : mapping of str to Transport
    default : Transport
    """

    def __init__(self, named: Mapping[str, Transport], default: Transport) -> None:
        self._named = dict(named)
        self._default = default

    def __getitem__(self, channel: str) -> Transport:
        return self._named.get(channel, self._default)

    def __iter__(self) -> Any:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    def __contains__(self, channel: object) -> bool:
        return channel in self._named

    def send(self, message: Message, now_us: int) -> Outcome:
        """Make one attempt of a message by the transport of its channel."""
        return self[message.channel].send(message, now_us)


def default_transports(out: Path) -> Transports:
    """Return the transports of a deployment that names none: every message to `messages.jsonl` in the output folder."""
    return Transports({}, JsonLinesFile(out / MESSAGES_FILE))


def load_transports(path: Path, *, out: Path) -> Transports:
    """Return the transports that a channels.yaml names.

    Parameters
    ----------
    path : Path
        The file.
    out : Path
        The output folder: relative paths of files lie in it, and the signing key is made there if none is named.

    Raises
    ------
    SettingError
        The first refusal, in file order: what was found, what was expected, and where.
    """
    try:
        document = compose(path.read_bytes(), file=path.name)
    except AgreementError as error:
        raise SettingError(error.found, expected=error.expected, place=error.place) from error
    except OSError as error:
        found = error.strerror or str(error)
        raise SettingError(found, expected="a readable file", place=Place(path.name)) from error
    root = document.root.plain()
    if not isinstance(root, dict):
        expected = "a mapping of channel to transport"
        raise SettingError(_shown(root), expected=expected, place=document.where(""))
    named = {
        channel: _transport(value, document, channel, folder=path.parent, out=out) for channel, value in root.items()
    }
    default = named.pop(DEFAULT, None) or JsonLinesFile(out / MESSAGES_FILE)
    return Transports(named, default)


def signing_key(path: Path) -> Ed25519PrivateKey:
    """Return the Ed25519 key of a PEM file, made there (mode 0600, with its public half beside it) if it is missing.

    Raises
    ------
    ValueError
        If the file holds no such key.
    """
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        path.with_suffix(".pub.pem").write_bytes(public)
        return key
    key_found = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key_found, Ed25519PrivateKey):
        raise ValueError(f"{path.name} holds a {type(key_found).__name__}, expected an Ed25519 key")
    return key_found


def _transport(value: Any, document: Document, channel: str, *, folder: Path, out: Path) -> Transport:
    kind = value.get("transport") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        found = _shown(value if kind is None else kind)
        expected = f"transport: {' | '.join(_KINDS)}"
        raise SettingError(found, expected=expected, place=document.where(channel))
    try:
        config = _KINDS[kind].model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        at = document.where(".".join([channel, *map(str, first["loc"])]))
        found = f"key {first['loc'][-1]!r}" if first["type"] == "extra_forbidden" else _shown(first["input"])
        keys = ", ".join(_KINDS[kind].model_fields)
        raise SettingError(found, expected=f"{kind} with {keys} ({first['msg'].lower()})", place=at) from error
    try:
        built = _build(config, folder=folder, out=out)
    except (ValueError, OSError) as error:
        raise SettingError(str(error), expected=f"a usable {kind}", place=document.where(channel)) from error
    if config.repeats_per_minute is None:
        return built
    return Paced(built, repeats_per_minute=config.repeats_per_minute)


def _shown(value: object) -> str:
    return neutral(repr(value), limit=80)


def _build(config: _Config, *, folder: Path, out: Path) -> Transport:
    if isinstance(config, FileConfig):
        return JsonLinesFile(out / config.path)
    if isinstance(config, WebhookConfig):
        return Webhook(
            config.url,
            key=signing_key(folder / config.key if config.key else out / KEY_FILE),
            allow=[_network(text) for text in config.allow],
            tls=_tls(config.ca, folder),
            timeout_s=TIMEOUT_S if config.timeout is None else parse_duration_s(config.timeout),
        )
    if isinstance(config, MailConfig):
        if (config.user is None) != (config.password is None):
            raise ValueError("found one of user and password, expected both or neither")
        password = (folder / config.password).read_text().strip() if config.password else None
        relay = Relay(
            host=config.host,
            port=config.port,
            security=config.security,
            user=config.user,
            password=password,
            allow=tuple(_network(text) for text in config.allow),
            tls=_tls(config.ca, folder),
            timeout_s=mail.TIMEOUT_S if config.timeout is None else parse_duration_s(config.timeout),
        )
        return Mail(relay, sender=config.sender, mailboxes=config.to)
    return Console()


def _tls(ca: str | None, folder: Path) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=str(folder / ca)) if ca else None


def _network(text: str) -> Network:
    return ipaddress.ip_network(text, strict=True)
