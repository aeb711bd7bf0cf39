"""`tocsin notice`: check notices against an agreement, follow their receipts, and compare them with tracks."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tocsin.agreement.notices.formats.read import Submissions
    from tocsin.agreement.notices.register import Register
    from tocsin.agreement.watchlist import Watchlist

app = typer.Typer(
    help="Notices of movements and sites: what is missing, who has read them, and whether their movers kept to them.",
    no_args_is_help=True,
)

AgreementFile = Annotated[Path, typer.Argument(help="The agreement, a YAML file.")]
NoticesFile = Annotated[
    Path, typer.Argument(help="A file of notices (YAML, JSON, JSON Lines, CSV, GeoJSON), or a folder.")
]
At = Annotated[str | None, typer.Option(help="The instant, with its offset; now if not given.")]


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"


@app.command("check")
def check_command(
    agreement: AgreementFile,
    notices: NoticesFile,
    format: Annotated[Format, typer.Option(help="For people, or one JSON object a line.")] = Format.TEXT,
) -> None:
    """Say what is missing, late, doubled or far away in notices; exit 1 if anything is flagged or refused.

    Example: tocsin notice check examples/at-tanf/with-mechanisms.yaml notices.csv
    """
    submissions, register, _ = _followed(agreement, notices)
    rows: list[dict[str, Any]] = [
        {"refused": str(refused.place), "words": refused.reason, "text": refused.text}
        for refused in submissions.refused
    ]
    rows += [
        {"refused": fact.detail.get("source", ""), "words": fact.words, "text": ""}
        for fact in register.facts
        if fact.kind == "refused"
    ]
    rows += [
        {"notice": name, "flag": str(flagged.flag), "words": flagged.words, "source": held.notice.source}
        for name, held in register.held.items()
        for flagged in held.flags
    ]
    for row in rows:
        _say(json.dumps(row, ensure_ascii=False) if format is Format.JSON else _line(row))
    flagged = sum(bool(held.flags) for held in register.held.values())
    _tell(f"read {submissions.read}: {len(register.held)} notices, {flagged} flagged; {_refused(rows)} entries refused")
    raise typer.Exit(1 if rows else 0)


@app.command("status")
def status_command(agreement: AgreementFile, notices: NoticesFile, at: At = None) -> None:
    """Print where every notice stands and which receipts are owed, one JSON object a line; exit 1 if any is overdue.

    Example: tocsin notice status agreement.yaml notices.jsonl --at 2031-06-01T12:00:00Z
    """
    _, register, _ = _followed(agreement, notices, _at(at))
    overdue = 0
    for held in register.held.values():
        late = [line.as_json() for line in held.lines.values() if line.state == "overdue"]
        overdue += len(late)
        _say(json.dumps(held.as_json() | {"reached": held.reached(), "overdue": late}, ensure_ascii=False))
    _tell(f"{len(register.held)} notices, {overdue} receipts overdue")
    raise typer.Exit(1 if overdue else 0)


@app.command("recipients")
def recipients_command(
    agreement: AgreementFile,
    notices: NoticesFile,
    notice: Annotated[str, typer.Option(help="The notice's id, such as fishers/F-12.")],
    at: At = None,
) -> None:
    """Print to whom one notice may be shown, and why or why not: one JSON object a party; exit 1 if to nobody else.

    Example: tocsin notice recipients agreement.yaml notices.jsonl --notice fishers/F-12
    """
    from tocsin.agreement.notices.consent import may_show
    from tocsin.agreement.notices.words import SHOWN, Answer

    _, register, _ = _followed(agreement, notices, _at(at))
    if notice not in register.held:
        _tell(f"tocsin: {notice}: no such notice; there are {', '.join(register.held) or 'none'}")
        raise typer.Exit(2)
    answers = {party: may_show(register, notice, to=party, now_us=_at(at)) for party in sorted(register.rules.parties)}
    for party, answer in answers.items():
        _say(json.dumps({"notice": notice, "to": party, "shown": answer in SHOWN, "why": str(answer)}))
    raise typer.Exit(0 if set(answers.values()) & (SHOWN - {Answer.OWN}) else 1)


@app.command("conformance")
def conformance_command(
    agreement: AgreementFile,
    notices: NoticesFile,
    tracks: Annotated[list[Path], typer.Argument(help="Recorded tracks.")],
    columns: Annotated[str | None, typer.Option(help="Other headers; as for `tocsin replay`.")] = None,
) -> None:
    """Print how notified tracks kept to their notices, one JSON object a track; exit 1 if any passed its budget.

    Example: tocsin notice conformance agreement.yaml notices.jsonl tracks.csv
    """
    from tocsin.agreement.notices.plan import plans_of
    from tocsin.tracks.archive import read_tracks
    from tocsin.tracks.formats.columns import load_columns
    from tocsin.watch.conformance import conformance_of

    _, register, watchlist = _followed(agreement, notices)
    reports = read_tracks(tracks, columns=load_columns(columns) if columns else None).reports
    until_us = int(reports.observed_us[-1]) if len(reports) else 0
    found = conformance_of(plans_of(register), reports, watchlist, until_us=until_us)
    for kept in found:
        sys.stdout.buffer.write(kept.as_line())
    passed = sum(kept.is_finding for kept in found)
    unseen = sum(not kept.seen for kept in found)
    _tell(f"{len(found)} notified tracks, {unseen} not seen, {passed} passed their budget")
    raise typer.Exit(1 if passed else 0)


def _followed(agreement: Path, notices: Path, until_us: int | None = None) -> tuple[Submissions, Register, Watchlist]:
    """Return what was submitted, its register up to an instant (None: after the last entry), and the compiled zones."""
    from tocsin.agreement.compile import compile_watchlist
    from tocsin.agreement.load import load
    from tocsin.agreement.notices.formats.read import read_notices
    from tocsin.agreement.notices.register import follow
    from tocsin.agreement.notices.rules import compile_rules

    loaded = load(agreement)
    watchlist = compile_watchlist(loaded)
    rules = compile_rules(loaded, watchlist)
    submissions = read_notices(notices)
    told = [item for item in submissions.items if until_us is None or item.at_us <= until_us]
    if len(told) < len(submissions.items):
        _tell(f"{len(submissions.items) - len(told)} entries are dated later and not taken")
    last_us = max((item.at_us for item in told), default=0)
    return submissions, follow(rules, told, until_us=last_us if until_us is None else until_us), watchlist


def _at(at: str | None) -> int:
    from tocsin.clock import now_us
    from tocsin.errors import UnitError
    from tocsin.units import parse_instant_us

    try:
        return now_us() if at is None else parse_instant_us(at)
    except UnitError as error:
        raise typer.BadParameter(f"found {error.found!r}, expected {error.expected}", param_hint="--at") from None


def _line(row: dict[str, Any]) -> str:
    if "refused" in row:
        return f"refused {row['refused']}: {row['words']}"
    return f"{row['notice']} ({row['source']}) {row['flag']}: {row['words']}"


def _refused(rows: list[dict[str, Any]]) -> int:
    return sum("refused" in row for row in rows)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
