"""`tocsin demo`: both examples, from agreement to report, with a summary at the end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

EXAMPLES = Path(__file__).parents[3] / "examples"
"""Where a checkout keeps its examples; the wheel has none."""


class Example(Struct, frozen=True, kw_only=True):
    """One example: the files of its folder that a replay takes."""

    name: str
    agreement: str
    tracks: str
    columns: str | None = None
    answers: str | None = None
    claims: str | None = None
    beside: str | None = None


DEMOS = (
    Example(
        name="at-tanf",
        agreement="with-mechanisms.yaml",
        tracks="tracks.csv",
        answers="answers.jsonl",
        claims="claims.yaml",
        beside="as-it-was.yaml",
    ),
    Example(name="us-coast", agreement="agreement.yaml", tracks="tracks.parquet", columns="columns.yaml"),
)


HEADINGS = ("example", "read", "rejected", "events", "cases", "highest level", "findings", "record", "verified")


def demo_command(
    out: Annotated[Path, typer.Option(help="The folder for the examples' folders.")] = Path("out"),
    examples: Annotated[Path, typer.Option(help="The folder of the examples.")] = EXAMPLES,
) -> None:
    """Replay both examples, verify their records, and say where the reports are.

    Example: tocsin demo --out out
    """
    if not examples.is_dir():
        sys.stderr.write(f"tocsin: {examples}: no such folder; give the examples of a checkout with --examples\n")
        raise typer.Exit(2)
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Tocsin: what the two examples found")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == HEADINGS[0] else "right")
    reports = []
    for example in DEMOS:
        table.add_row(*_run(example, examples / example.name, out / example.name))
        reports.append(out / example.name / "report.html")
    Console(width=120).print(table)
    for report in reports:
        sys.stdout.write(f"{report.resolve()}\n")


def _run(example: Example, folder: Path, out: Path) -> tuple[str, ...]:
    """Replay one example, verify its record, and return its row of the summary."""
    from tocsin.agreement.lint import lint
    from tocsin.agreement.load import load
    from tocsin.cli.replay import run
    from tocsin.record.verifier.verify import verify_folder
    from tocsin.station.replay.replay import Job
    from tocsin.tracks.formats.columns import load_columns

    def file(name: str | None) -> Path | None:
        return folder / name if name else None

    sys.stderr.write(f"{example.name}: replaying {folder / example.tracks}\n")
    beside = file(example.beside)
    if beside is not None:
        sys.stderr.write(
            f"{example.name}: {beside.name}, as it was, leaves {len(lint(load(beside)))} mechanisms unset\n"
        )
    columns = file(example.columns)
    job = Job(
        agreement=folder / example.agreement,
        tracks=[folder / example.tracks],
        out=out,
        columns=load_columns(columns) if columns else None,
        answers=file(example.answers),
        claims=file(example.claims),
    )
    replayed = run(job, beside)
    total = replayed.archive.total
    verified = verify_folder(out / "record")
    return (
        example.name,
        f"{total.read:,}",
        f"{sum(total.rejected.values())}",
        f"{len(replayed.events):,}",
        f"{len(replayed.warned.cases)}",
        f"{max((case.level for case in replayed.warned.cases), default=0)}",
        f"{len(replayed.findings)}",
        f"{replayed.checkpoint.size:,} entries",
        "yes" if verified.checkpoint.size == replayed.checkpoint.size else "NO",
    )
