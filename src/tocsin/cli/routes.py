"""`tocsin routes`: the paths of an archive as a file by which forecasts follow where earlier tracks went."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def routes_command(
    tracks: Annotated[list[Path], typer.Argument(help="CSV, Parquet, GeoJSON, GPX or AIS logs, plain or gzipped.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write, such as routes.parquet.")],
    columns: Annotated[
        str | None, typer.Option(help="Other headers: a YAML file, or lat=LAT,lon=LON,time=WHEN,sog=SOG[kn].")
    ] = None,
) -> None:
    """Learn the routes of recorded tracks: where they went and when, without any name.

    Example: tocsin routes examples/us-coast/tracks.parquet --columns examples/us-coast/columns.yaml
    -o out/routes.parquet
    """
    from tocsin.cli.replay import progress_bars
    from tocsin.tracks.archive import read_tracks
    from tocsin.tracks.formats.columns import load_columns
    from tocsin.watch.routes import learn_routes, write_routes

    with progress_bars() as (reading, _):
        archive = read_tracks(tracks, columns=load_columns(columns) if columns else None, progress=reading)
    table = learn_routes(archive.reports)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_routes(table, out)
    paths = len(table["route"].unique())
    sys.stdout.write(f"routes {paths}, places {table.num_rows}, of {archive.total.accepted} reports\n")
