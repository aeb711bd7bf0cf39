"""`tocsin export-events`: the events of a data folder as canonical JSON lines, in the one order of events."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def export_events_command(
    data: Annotated[Path, typer.Option(help="The data folder of a station, running or not.")],
    store: Annotated[str | None, typer.Option(help="The database, if it is not the folder's own.")] = None,
    final: Annotated[bool, typer.Option("--final", help="Only what is final: later reports do not change it.")] = False,
) -> None:
    """Print events by time, track, rule, kind and id; the final ones are the same bytes on every machine.

    Example: tocsin export-events --data out/station --final
    """
    from tocsin.station.export import export_events
    from tocsin.store.connect import connect, sqlite_url

    engine = connect(store or sqlite_url(data / "station.db"), read_only=True)
    try:
        with engine.connect() as connection:
            sys.stdout.buffer.writelines(export_events(connection, is_final=final))
    finally:
        engine.dispose()
