"""Answers from a file: who said what, for which party, about which case; each a claim, none of them leave.

One JSON object a line, or a YAML list (docs/guide/ladder.md). A line that cannot be used is kept with its reason and
its place, and the rest is read: read = accepted + rejected. Nothing here decides what an answer does; `heard.py` does,
and gives double, late and unknown ones their end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from msgspec import Struct
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from tocsin.agreement.playbook import MOVER
from tocsin.agreement.source.document import compose
from tocsin.canon import canonical_bytes, parse_json
from tocsin.errors import AgreementError, Place, SettingError, UnitError
from tocsin.units import parse_instant_us
from tocsin.warn.inputs import Answer, Rejected
from tocsin.warn.message import neutral
from tocsin.warn.states import AnswerKind

MAX_LINE_BYTES = 65_536
"""Bytes of one answer that are still read."""

MAX_FILE_BYTES = 256 << 20
"""Bytes of an answers file that are still read, 256 MiB: some million answers."""

MOVER_WORDS = frozenset({MOVER, "vessel", "aircraft", "vehicle"})
"""Words for the one who moves, as the agreement has them; a test compares them with the agreement's."""

_YAML = frozenset({".yaml", ".yml"})


class Answers(Struct, frozen=True, kw_only=True):
    """What an answers file held.

    Attributes
    ----------
    answers : tuple of Answer
        By time, then by place in the file.
    rejected : tuple of Rejected
    read : int
        `len(answers) + len(rejected)`.
    """

    answers: tuple[Answer, ...]
    rejected: tuple[Rejected, ...]
    read: int


def _instant(value: object) -> int:
    try:
        return parse_instant_us(value)
    except UnitError as error:
        raise ValueError(f"expected {error.expected}") from error


def _party(value: object) -> object:
    return MOVER if value in MOVER_WORDS else value


_Text = Annotated[str, Field(min_length=1, max_length=500)]


class _Line(BaseModel):
    """One answer as people and gateways write it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)  # a start needs none of them

    at: Annotated[int, BeforeValidator(_instant)]
    who: _Text
    party: Annotated[_Text, BeforeValidator(_party)]
    what: Annotated[AnswerKind, Field(strict=False)]
    case: Annotated[str, Field(pattern=r"^[0-9a-f]{8,32}$")] | None = None
    track: _Text | None = None
    message: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    level: Annotated[int, Field(ge=1, le=1_000)] | None = None
    channel: _Text | None = None
    text: Annotated[str, Field(max_length=20_000)] = ""
    to: _Text | None = None
    key: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _about_something(self) -> _Line:
        if self.case is None and self.track is None and self.message is None:
            raise ValueError("expected one of case, track, message")
        return self


def read_answers(path: Path) -> Answers:
    """Return the answers of a file.

    Parameters
    ----------
    path : Path
        YAML if it ends in `.yaml` or `.yml` (a list, or a mapping with the one key `answers`), else JSON Lines.

    Raises
    ------
    SettingError
        If the file as a whole cannot be read. A single bad answer is kept in `rejected` instead.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            found = f"{path.stat().st_size:,} bytes"
            raise SettingError(found, expected=f"at most {MAX_FILE_BYTES:,}", place=Place(path.name))
        raw = path.read_bytes()
    except OSError as error:
        found = error.strerror or str(error)
        raise SettingError(found, expected="a readable file", place=Place(path.name)) from error
    entries = _yaml_entries(raw, path.name) if path.suffix.lower() in _YAML else _json_entries(raw, path.name)
    answers: list[Answer] = []
    rejected: list[Rejected] = []
    for place, value, text in entries:
        try:
            answers.append(_answer(value, place))
        except ValueError as error:
            rejected.append(Rejected(place=place, reason=str(error), text=text))
    answers.sort(key=lambda answer: answer.at_us)
    return Answers(answers=tuple(answers), rejected=tuple(rejected), read=len(answers) + len(rejected))


def _answer(value: object, place: Place) -> Answer:
    if isinstance(value, ValueError):
        raise value
    canonical_bytes(value)  # refuses lone surrogates, which no other party's reader would take
    try:
        line = _Line.model_validate(value)
    except ValidationError as error:
        raise ValueError("; ".join(_refusal(detail) for detail in error.errors())) from error
    return Answer(
        at_us=line.at,
        who=line.who,
        party=line.party,
        kind=line.what,
        case_id=line.case,
        track_id=line.track,
        message_id=line.message,
        level=line.level,
        channel=line.channel,
        text=line.text,
        to=line.to,
        key=line.key,
        source=f"{place.file}:{place.line}",
    )


def _refusal(detail: Any) -> str:
    where = ".".join(map(str, detail["loc"]))
    said = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] in {"missing", "extra_forbidden"}:
        return f"{where}: {said.lower()}"
    found = neutral(repr(detail["input"]), limit=60)
    return f"{where}: found {found}, {said[:1].lower()}{said[1:]}" if where else said


def _json_entries(raw: bytes, file: str) -> Iterator[tuple[Place, object, str]]:
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        text = line.decode("utf-8", errors="replace")
        value: object
        if len(line) > MAX_LINE_BYTES:
            value, text = ValueError(f"{len(line):,} bytes, expected at most {MAX_LINE_BYTES:,}"), text[:500]
        else:
            try:
                value = parse_json(line)
            except ValueError as error:
                value = ValueError(f"no JSON: {error}")
        yield Place(file, number), value, text


def _yaml_entries(raw: bytes, file: str) -> Iterator[tuple[Place, object, str]]:
    try:
        document = compose(raw, file=file)
    except AgreementError as error:
        raise SettingError(error.found, expected=error.expected, place=error.place) from error
    root = document.root
    if isinstance(root.value, dict) and list(root.value) == ["answers"]:
        root = root.value["answers"]
    if not isinstance(root.value, list):
        raise SettingError(
            neutral(repr(root.plain()), limit=60), expected="a list of answers", place=Place(file, root.line)
        )
    for node in root.value:
        place = Place(file, node.line)
        yield place, node.plain(), document.line(node.line)
