"""`tocsin case`: cases of a running station, over its HTTP door: list and show them, acknowledge, mute for a while."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    help="Cases of a running station: list, show, acknowledge, mute.",
    no_args_is_help=True,
)

ID_LENGTH = 32
SHORT_LENGTH = 8
"""Digits of a case's id that its messages quote; as many, or more, name it here too."""

LOOKED_AT = 200
"""Cases, the newest, among which a short id is looked for."""

TIMEOUT_S = 20.0
"""How long the station may take to answer, seconds."""

UNREACHED = 4
"""Exit code where the station does not answer, or cannot take anything at the moment."""

Station = Annotated[
    str, typer.Option(envvar="TOCSIN_STATION", help="The address of its HTTP door, `http` of its ready line.")
]
TokenFile = Annotated[
    Path, typer.Option(envvar="TOCSIN_TOKEN_FILE", help="The file with your key, such as DIR/keys/keeper.token.")
]
CaseId = Annotated[str, typer.Argument(metavar="CASE", help="The case's id, or its first eight or more digits.")]
Who = Annotated[str, typer.Option(help="The person who says so, by name.")]
Party = Annotated[
    str | None, typer.Option(help="For whom; the key's own party if not given. Needed with a keeper's key.")
]
Text = Annotated[str, typer.Option(help="Their words.")]


class Format(StrEnum):
    """How cases are printed."""

    TEXT = "text"
    JSON = "json"


class Reason(StrEnum):
    """Why a person mutes a case; `warn.states.PERSONS_REASONS`."""

    IN_CONTACT = "in_contact"
    ANNOUNCED = "announced"
    DOUBTFUL_POSITION = "doubtful_position"
    DRILL = "drill"


@app.command("list")
def list_command(
    station: Station,
    token_file: TokenFile,
    all: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    format: Annotated[Format, typer.Option(help="A line a case for people, or one JSON object a line.")] = Format.TEXT,
) -> None:
    """Print the open cases that the key's party may see, the newest first.

    Example: tocsin case list --station http://127.0.0.1:8080 --token-file DIR/keys/keeper.token
    """
    with _door(station, token_file) as door:
        found = door.cases(only_open=not all)
    for case in found["cases"]:
        _say(json.dumps(case, ensure_ascii=False) if format is Format.JSON else _line(case))
    if not found["is_end"]:
        print("tocsin: there are more than these", file=sys.stderr)


@app.command("show")
def show_command(case: CaseId, station: Station, token_file: TokenFile) -> None:
    """Print one case with its timeline, as far as the key's party may see it, as JSON.

    Example: tocsin case show 64483c3d --station http://127.0.0.1:8080 --token-file DIR/keys/keeper.token
    """
    with _door(station, token_file) as door:
        _say(json.dumps(door.ask("GET", f"/v1/cases/{door.whole_id(case)}"), ensure_ascii=False, indent=2))


@app.command("ack")
def ack_command(
    case: CaseId,
    station: Station,
    token_file: TokenFile,
    who: Who,
    party: Party = None,
    level: Annotated[int | None, typer.Option(help="The level that it is about; the present one if not given.")] = None,
    text: Text = "",
) -> None:
    """Acknowledge a case: that it was received, never that anything is permitted; exit 1 unless it is kept as one.

    Example: tocsin case ack 64483c3d --who "C. Officer" --party duty_officer --text "on it"
    """
    from tocsin.warn.states import Disposition

    with _door(station, token_file) as door:
        said = {"case": door.whole_id(case), "who": who, "what": "acknowledged", "text": text}
        kept = door.ask("POST", "/v1/answers", {**said, **_given(party=party, level=level)})
    _say(json.dumps(kept, ensure_ascii=False))
    taken = {Disposition.COUNTED, Disposition.DOUBLE, Disposition.LATE}
    raise typer.Exit(0 if kept["disposition"] in taken else 1)


@app.command("mute")
def mute_command(
    case: CaseId,
    station: Station,
    token_file: TokenFile,
    reason: Annotated[Reason, typer.Option(help="Why.")],
    until: Annotated[str, typer.Option(help="When it ends, with its offset, a day on at most; `now` ends one early.")],
    who: Who,
    party: Party = None,
    text: Text = "",
) -> None:
    """Have what was told not said again until then; what is new is said all the same. Exit 1 if it is refused.

    Example: tocsin case mute 64483c3d --reason in_contact --until 2031-06-01T12:00:00Z --who "C. Officer"
    """
    with _door(station, token_file) as door:
        asked = {"who": who, "reason": reason, "until": None if until == "now" else until, "text": text}
        kept = door.ask("POST", f"/v1/cases/{door.whole_id(case)}/mutes", {**asked, **_given(party=party)})
    _say(json.dumps(kept, ensure_ascii=False))


class _Door:
    """A station's HTTP door, opened with a key; what it refuses is said, and ends the command."""

    def __init__(self, station: str, key: str) -> None:
        import httpx2

        self._unreached = httpx2.TransportError
        self._client = httpx2.Client(
            base_url=station, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_S, trust_env=False
        )

    def __enter__(self) -> _Door:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return what the station answers."""
        try:
            response = self._client.request(method, path, json=body)
        except self._unreached as error:
            raise _ended(f"the station does not answer: {error}", UNREACHED) from None
        try:
            answer = response.json()
        except ValueError:
            raise _ended(f"found HTTP {response.status_code} and no JSON, expected a station", UNREACHED) from None
        if response.is_success:
            return answer
        raise _ended(str(answer.get("detail") or answer), UNREACHED if response.status_code >= 500 else 1)

    def cases(self, *, only_open: bool) -> Any:
        """Return the newest cases that the key shows."""
        return self.ask("GET", f"/v1/cases?limit={LOOKED_AT}{'&open=true' if only_open else ''}")

    def whole_id(self, name: str) -> str:
        """Return the id of the one case whose id begins so."""
        name = name.lower()
        if not set(name) <= set("0123456789abcdef") or not SHORT_LENGTH <= len(name) <= ID_LENGTH:
            raise typer.BadParameter(f"found {name!r}, expected {SHORT_LENGTH} to {ID_LENGTH} hexadecimal digits")
        if len(name) == ID_LENGTH:
            return name
        for only_open in (True, False):
            found = [c["case_id"] for c in self.cases(only_open=only_open)["cases"] if c["case_id"].startswith(name)]
            if len(found) == 1:
                return str(found[0])
        raise _ended(f"found {len(found)} cases that begin with {name} among the newest {LOOKED_AT}, expected one", 1)


def _door(station: str, token_file: Path) -> _Door:
    return _Door(station, token_file.read_text("utf-8").strip())


def _ended(why: str, code: int) -> typer.Exit:
    print(f"tocsin: {why}", file=sys.stderr)
    return typer.Exit(code)


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _line(case: dict[str, Any]) -> str:
    level = f"level {case['level']}" if "level" in case else ""
    opened = f"{case['opened'][:19]}Z"
    return "  ".join([case["case_id"][:SHORT_LENGTH], opened, case["state"], level, case["track"], *case["zones"]])


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
