"""`tocsin replay`: an agreement and recorded tracks in; events, cases, a record and a report out."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tocsin.station.replay.replay import Replay

BAR_AFTER_S = 1.0
"""A progress bar shows only for what takes longer than this; seconds."""


def replay_command(
    agreement: Annotated[Path, typer.Argument(help="The agreement, a YAML file, or a folder of its versions.")],
    tracks: Annotated[list[Path], typer.Argument(help="CSV, Parquet, GeoJSON, GPX or AIS logs, plain or gzipped.")],
    out: Annotated[Path, typer.Option(help="The folder for everything that comes out.")],
    columns: Annotated[
        str | None,
        typer.Option(help="Other headers: a YAML file, or lat=LAT,lon=LON,time=WHEN,sog=SOG[kn]."),
    ] = None,
    answers: Annotated[Path | None, typer.Option(help="Acknowledgements and receipts with their times.")] = None,
    channels: Annotated[Path | None, typer.Option(help="By which transport each channel is reached.")] = None,
    claims: Annotated[Path | None, typer.Option(help="What sources claim about the incident.")] = None,
    notices: Annotated[
        Path | None, typer.Option(help="Notices of movements, with their receipts: a file or folder.")
    ] = None,
    version: Annotated[
        list[Path] | None, typer.Option(help="Another version of the agreement; each is watched in its own time.")
    ] = None,
    signatures: Annotated[
        list[Path] | None,
        typer.Option(help="Signature files or folders: then a version is in force only once its parties have signed."),
    ] = None,
    keys: Annotated[Path | None, typer.Option(help="Whose key is whose: a YAML file of `party: public key`.")] = None,
    beside: Annotated[
        Path | None, typer.Option(help="Another version of the agreement, whose findings the report shows too.")
    ] = None,
    routes: Annotated[
        Path | None, typer.Option(help="A file that tocsin routes wrote: forecasts follow earlier paths, too.")
    ] = None,
) -> None:
    """Replay recorded tracks against an agreement; the report is OUT/report.html.

    Example: tocsin replay examples/us-coast/agreement.yaml examples/us-coast/tracks.parquet
    --columns examples/us-coast/columns.yaml --out out/us-coast
    """
    from tocsin.station.replay.replay import Job
    from tocsin.tracks.formats.columns import load_columns

    job = Job(
        agreement=agreement,
        tracks=tracks,
        out=out,
        columns=load_columns(columns) if columns else None,
        answers=answers,
        channels=channels,
        claims=claims,
        notices=notices,
        versions=version or (),
        signatures=signatures or (),
        keys=keys,
        routes=routes,
    )
    print_summary(run(job, beside))


def run(job: Any, beside: Path | None) -> Replay:
    """Replay with progress bars on stderr, and write the report."""
    from tocsin.serve.replayed import write_replay_report
    from tocsin.station.replay.replay import replay

    with progress_bars() as (reading, watching):
        replayed = replay(job, reading=reading, watching=watching)
    write_replay_report(replayed, job.out / "report.html", beside=beside)
    return replayed


def print_summary(replayed: Replay) -> None:
    """Print what came of a replay: one line a fact, for people."""
    from tocsin.units import format_instant

    total = replayed.archive.total
    say = sys.stdout.write
    say(f"read {total.read}: accepted {total.accepted}, duplicate {total.duplicate}, late {total.late}, ")
    say(f"rejected {sum(total.rejected.values())}\n")
    say(f"events {len(replayed.events)}, cases {len(replayed.warned.cases)}, findings {len(replayed.findings)}\n")
    for chapter in replayed.chapters if len(replayed.chapters) > 1 else ():
        begin = "the beginning" if chapter.from_us is None else format_instant(chapter.from_us)
        say(f"version {chapter.watchlist.version} in force from {begin}\n")
    for rule in replayed.unwatched:
        say(f"not watched: {rule.rule_id} ({rule.clause}); this watch does not look for {rule.conduct}\n")
    for rejected in replayed.answers.rejected:
        say(f"answer not used: {rejected.place}: {rejected.reason}\n")
    if replayed.notified is not None:
        told = replayed.notified
        say(f"notices {len(told.register.held)}, flagged {told.flagged}, refused {len(told.submissions.refused)}, ")
        say(f"tracks that left what was notified {len(told.findings)}\n")
    say(f"record of {replayed.checkpoint.size} entries, root {replayed.checkpoint.root.hex()}\n")
    say(f"report {replayed.job.out / 'report.html'}\n")


@contextmanager
def progress_bars() -> Iterator[tuple[Any, Any]]:
    """Give two callbacks that show progress on stderr, if it is a terminal and it takes long enough."""
    started_s, tasks, bars = time.monotonic(), dict[str, Any](), list[Any]()

    def reading(name: str, done: int, of: int) -> None:
        """Move the bar of a file on."""
        if time.monotonic() - started_s < BAR_AFTER_S or not sys.stderr.isatty():
            return
        if not bars:
            bars.append(_started_bars())
        if name not in tasks:
            tasks[name] = bars[0].add_task(Path(name).name, total=of)
        bars[0].update(tasks[name], completed=done, total=of)

    def watching(done: int) -> None:
        """Move the bar of the watch on."""
        reading("watching", done, done)

    try:
        yield reading, watching
    finally:
        for started in bars:
            started.stop()


def _started_bars() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    started = Progress(*columns, console=Console(stderr=True), transient=True)
    started.start()
    return started
