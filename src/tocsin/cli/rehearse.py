"""`tocsin rehearse`: what a draft agreement would have raised over recorded traffic, and what that was worth."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tocsin.rehearsal.run import Rehearsal


class Format(StrEnum):
    """How a rehearsal is printed."""

    TEXT = "text"
    JSON = "json"


def rehearse_command(
    agreement: Annotated[Path, typer.Argument(help="The draft, a YAML file.")],
    tracks: Annotated[list[Path], typer.Argument(help="CSV, Parquet, GeoJSON, GPX or AIS logs, plain or gzipped.")],
    out: Annotated[Path | None, typer.Option(help="A folder for the page, the figures, warnings and events.")] = None,
    format: Annotated[Format, typer.Option(help="For people or for programs.")] = Format.TEXT,
    columns: Annotated[
        str | None, typer.Option(help="Other headers: a YAML file, or lat=LAT,lon=LON,time=WHEN,sog=SOG[kn].")
    ] = None,
    position_error: Annotated[
        str | None, typer.Option(help='Position error, such as "40 m"; else what the reports state, or 40 m.')
    ] = None,
    gap: Annotated[
        str | None, typer.Option(help="Silence that cuts a track; else the agreement's gap rule, or 15 min.")
    ] = None,
    clear: Annotated[
        str | None, typer.Option(help="Time outside after which an entry is a new one; else the agreement's.")
    ] = None,
    routes: Annotated[
        Path | None, typer.Option(help="A file that tocsin routes wrote: forecasts follow earlier paths, too.")
    ] = None,
) -> None:
    """Rehearse a draft on recorded tracks; exit 1 unless people could be warned by it, its alarm budget kept.

    Example: tocsin rehearse examples/us-coast/agreement.yaml examples/us-coast/tracks.parquet
    --columns examples/us-coast/columns.yaml --out out/rehearsal
    """
    from tocsin.cli.replay import progress_bars
    from tocsin.rehearsal.run import Draft, rehearse
    from tocsin.rehearsal.words import format_json, format_text
    from tocsin.tracks.formats.columns import load_columns
    from tocsin.units import parse_duration_s, parse_length_m

    draft = Draft(
        agreement=agreement,
        tracks=tracks,
        columns=load_columns(columns) if columns else None,
        position_error_m=parse_length_m(position_error) if position_error else None,
        gap_s=parse_duration_s(gap) if gap else None,
        clear_s=parse_duration_s(clear) if clear else None,
        routes=routes,
    )
    with progress_bars() as (reading, watching):
        rehearsal = rehearse(draft, reading=reading, watching=watching)
    if out is not None:
        _write(rehearsal, out)
    print(format_json(rehearsal) if format is Format.JSON else format_text(rehearsal))
    if out is not None:
        print(f"page {out / 'rehearsal.html'}", file=sys.stderr)
    raise typer.Exit(0 if rehearsal.is_ready else 1)


def _write(rehearsal: Rehearsal, out: Path) -> None:
    import pyarrow.parquet as pq

    from tocsin.rehearsal.words import format_json, warnings_table
    from tocsin.serve.rehearsed import write_rehearsal_page

    out.mkdir(parents=True, exist_ok=True)
    write_rehearsal_page(rehearsal, out / "rehearsal.html")
    (out / "rehearsal.json").write_text(format_json(rehearsal) + "\n", encoding="utf-8")
    pq.write_table(warnings_table(rehearsal), out / "warnings.parquet", compression="zstd")
    with (out / "events.jsonl").open("wb") as file:
        file.writelines(event.as_line() for event in rehearsal.events)
