"""channels.yaml: by which transport each channel of the agreement is reached in this deployment.

A mapping of channel id to transport, such as `vhf16: {transport: file, path: vhf16.jsonl}` (docs/guide/channels.md).
The person at the end of the ladder is a channel too, under their id; `default` names what every other channel uses, a
file if it is missing; `answers` says how answers come back. It belongs to whoever runs the watch, not to the agreement,
and holds no secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tocsin.agreement.playbook import Playbook
from tocsin.agreement.source.document import Document, compose
from tocsin.errors import AgreementError, DeliveryError, Place, SettingError
from tocsin.units import format_duration
from tocsin.warn.channels.file import JsonLinesFile
from tocsin.warn.channels.link import Linked
from tocsin.warn.channels.pace import Paced
from tocsin.warn.channels.setting import KEY_FILE, AnswerSetting, ChannelSetting, Room, Strict, signing_key
from tocsin.warn.channels.transport import Hear, Listener, Told, Transport, failed
from tocsin.warn.message import neutral
from tocsin.warn.telling import Message, Outcome

__all__ = ["KEY_FILE", "KINDS", "MESSAGES_FILE", "Transports", "default_transports", "load_transports", "signing_key"]

DEFAULT = "default"
ANSWERS = "answers"
MESSAGES_FILE = "messages.jsonl"
"""Where messages go whose channel the deployment does not name."""

_WHERE = {
    "console": "console:ConsoleSetting",
    "file": "file:FileSetting",
    "webhook": "webhook:WebhookSetting",
    "smtp": "mail:MailSetting",
    "tak": "tak:TakSetting",
    "mqtt": "mqtt:MqttSetting",
    "nats": "nats:NatsSetting",
    "ais": "ais:AisSetting",
    "apprise": "gateway:GatewaySetting",
    "operator": "operator:OperatorSetting",
}
"""Every kind of transport, and the file of this folder that has it; a new one is one file and one line here."""


class _Kinds(Mapping[str, type[ChannelSetting]]):
    """The kinds of transport: what a deployment does not use is not loaded."""

    def __getitem__(self, kind: str) -> type[ChannelSetting]:
        module, _, name = _WHERE[kind].partition(":")
        found: type[ChannelSetting] = getattr(import_module(f"tocsin.warn.channels.{module}"), name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_WHERE)

    def __len__(self) -> int:
        return len(_WHERE)


KINDS: Mapping[str, type[ChannelSetting]] = _Kinds()

_T = TypeVar("_T", bound=Strict)

_REFUSAL = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?", re.DOTALL)
"""What msgspec says is wrong, and where."""

_KEY = re.compile(r"Object (missing required|contains unknown) field `(.*)`")

LINKED = frozenset({"smtp", "apprise", "tak"})
"""Kinds whose text a person reads where a link can be opened; they get the answer link where `answers.url` is set."""


class Transports(Mapping[str, Transport]):
    """The transports of a deployment: what a channel is reached by, and the default for every channel not named.

    Parameters
    ----------
    named : mapping of str to Transport
    default : Transport
    answer_key : bytes or None
        The secret of the tokens of the answer page; None where none is named.
    """

    def __init__(self, named: Mapping[str, Transport], default: Transport, *, answer_key: bytes | None = None) -> None:
        self.answer_key = answer_key
        self._named = dict(named)
        self._default = default

    def __getitem__(self, channel: str) -> Transport:
        return self._named.get(channel, self._default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    def __contains__(self, channel: object) -> bool:
        return channel in self._named

    def send(self, message: Message, now_us: int) -> Outcome:
        """Make one attempt of a message by the transport of its channel; an error of our own is an outcome too."""
        transport = self[message.channel]
        try:
            return transport.send(message, now_us)
        except Exception as error:  # one channel's fault must not stop the others
            reason = f"error in this station: {type(error).__name__}; whether it was received is not known"
            return failed(DeliveryError(reason, retryable=True), transport.kind)

    def listen(self, hear: Hear, told: Told) -> Callable[[], None]:
        """Begin to listen on every channel by which answers come back, and return what ends it; see `Listener`."""
        ends = [transport.listen(hear, told) for transport in self._listeners()]

        def end() -> None:
            for stop in ends:
                stop()

        return end

    def too_slow(self, playbook: Playbook) -> tuple[str, ...]:
        """Return where an attempt may outlast the deadline of a level, as sentences for people; FAULTS 44.

        Parameters
        ----------
        playbook : Playbook
        """
        found = []
        for level in playbook.levels:
            for channel in level.channels:
                longest_s = self[channel].timeout_s
                if level.ack_within_s is not None and longest_s >= level.ack_within_s:
                    found.append(
                        f"{channel}: an attempt may take {format_duration(longest_s)}, "
                        f"level {level.level} waits {format_duration(level.ack_within_s)} for its answer"
                    )
        return tuple(found)

    def _listeners(self) -> list[Listener]:
        bare = [_bare(transport) for transport in (*self._named.values(), self._default)]
        return [transport for transport in bare if isinstance(transport, Listener)]


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
    answers = AnswerSetting()
    if ANSWERS in root:
        answers = _validated(AnswerSetting, root.pop(ANSWERS), document, ANSWERS, kind=ANSWERS)
    room = Room(folder=path.parent, out=out, answers=answers)
    named = {channel: _transport(value, document, channel, room) for channel, value in root.items()}
    default = named.pop(DEFAULT, None) or JsonLinesFile(out / MESSAGES_FILE)
    key = room.desk().key if answers.url is not None else None
    return Transports(named, default, answer_key=key)


def _transport(value: Any, document: Document, channel: str, room: Room) -> Transport:
    kind = value.get("transport") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        found = _shown(value if kind is None else kind)
        expected = f"transport: {' | '.join(KINDS)}"
        raise SettingError(found, expected=expected, place=document.where(channel))
    setting = _validated(KINDS[kind], value, document, channel, kind=kind)
    try:
        built = setting.build(room)
        if kind in LINKED and room.answers.url is not None:
            built = Linked(built, room.desk())
    except (ValueError, OSError) as error:
        raise SettingError(str(error), expected=f"a usable {kind}", place=document.where(channel)) from error
    if setting.repeats_per_minute is None:
        return built
    return Paced(built, repeats_per_minute=setting.repeats_per_minute)


def _validated(model: type[_T], value: Any, document: Document, key: str, *, kind: str) -> _T:
    try:
        return msgspec.convert(value, model)
    except msgspec.ValidationError as error:
        refusal = _REFUSAL.fullmatch(str(error))
        said, where = refusal.groups(default="") if refusal else (str(error), "")
        # msgspec does not say under which key of a mapping: what is shown and placed is then the mapping.
        steps = [step for step in re.split(r"[.\[\]]+", where.partition("[...]")[0]) if step]
        found = value
        for step in steps:
            found = found[int(step)] if isinstance(found, list) else found[step]
        named = _KEY.fullmatch(said)
        shown = f"key {named[2]!r}" if named and named[1] == "contains unknown" else _shown(found)
        at = document.where(".".join([key, *steps, *([named[2]] if named else [])]))
        keys = ", ".join(model.__struct_encode_fields__)
        raise SettingError(shown, expected=f"{kind} with {keys} ({said[:1].lower()}{said[1:]})", place=at) from error


def _bare(transport: Transport) -> Transport:
    while isinstance(transport, Paced | Linked):
        transport = transport.inner
    return transport


def _shown(value: object) -> str:
    return neutral(repr(value), limit=80)
