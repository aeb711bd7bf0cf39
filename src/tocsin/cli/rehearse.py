"""`tocsin rehearse`: what a draft agreement would have raised over recorded traffic, and what that was worth.

The traffic is files, or what a station that may be running has just watched. Nothing is sent or recorded by either.
"""

from __future__ import annotations

import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from tocsin.cli.follow import follow as follow_station

if TYPE_CHECKING:
    from tocsin.rehearsal.run import Rehearsal


WITHIN = "24 h"
"""How long before its last tick a station's reports are taken, where nobody says."""


class Format(StrEnum):
    """How a rehearsal is printed."""

    TEXT = "text"
    JSON = "json"


def rehearse_command(
    agreement: Annotated[Path, typer.Argument(help="The draft, a YAML file.")],
    tracks: Annotated[
        list[Path] | None, typer.Argument(help="CSV, Parquet, GeoJSON, GPX or AIS logs, plain or gzipped.")
    ] = None,
    station: Annotated[
        Path | None, typer.Option(help="Instead of tracks: the data folder of a station, running or not.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="With --station: go on beside it, a line for all that either tells.")
    ] = False,
    within: Annotated[
        str | None, typer.Option(help="With --station: reports observed so long before its last tick; else 24 h.")
    ] = None,
    store: Annotated[
        str | None, typer.Option(help="With --station: a database URL, where the station was given one.")
    ] = None,
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

    With --station it is rehearsed on what a station has just watched, which goes on undisturbed: no message leaves.
    With --follow it is rehearsed on what the station watches from now on, as if it had come into force.

    Example: tocsin rehearse examples/us-coast/agreement.yaml examples/us-coast/tracks.parquet
    --columns examples/us-coast/columns.yaml --out out/rehearsal
    """
    if follow:
        if station is None or any((tracks, out, within, columns, position_error, gap, clear)):
            raise typer.BadParameter("goes with --station, --store and --routes alone", param_hint="--follow")
        follow_station(agreement, station, store=store, routes=routes)
        return
    if (station is None) == (not tracks):
        raise typer.BadParameter("give tracks, or --station, and not both", param_hint="TRACKS")
    if station is not None:
        with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
            recorded = _recorded(station, within or WITHIN, store, Path(folder))
            _rehearse(agreement, [recorded], out, format, None, position_error, gap, clear, routes)
    _rehearse(agreement, tracks or [], out, format, columns, position_error, gap, clear, routes)


def _recorded(station: Path, within: str, store: str | None, folder: Path) -> Path:
    """Write what a station took lately into a file of a folder, and return it."""
    import pyarrow.parquet as pq

    from tocsin.errors import Place, ReportError
    from tocsin.station.past.recent import recent_reports
    from tocsin.units import parse_duration_s

    reports = recent_reports(station, within_s=parse_duration_s(within), store_url=store)
    if not len(reports):
        found = f"no report that was observed in the {within} before its last tick"
        raise ReportError(found, expected="a station that has watched something", place=Place(str(station)))
    path = folder / f"{station.resolve().name}.parquet"
    pq.write_table(reports.to_table(), path)
    return path


def _rehearse(
    agreement: Path,
    tracks: list[Path],
    out: Path | None,
    format: Format,
    columns: str | None,
    position_error: str | None,
    gap: str | None,
    clear: str | None,
    routes: Path | None,
) -> NoReturn:
    """Rehearse a draft on files, print what came of it, and exit."""
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
