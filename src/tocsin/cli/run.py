"""`tocsin run`: a station on one data folder; one ready line of JSON on stdout when it takes reports."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tocsin.station.live import LiveStation


def run_command(
    agreement: Annotated[Path, typer.Argument(help="The agreement, a YAML file.")],
    data: Annotated[Path, typer.Option(help="The folder for everything that the station keeps.")],
    feed: Annotated[list[str], typer.Option(help="Where reports come from, such as udp://127.0.0.1:10110; repeat it.")],
    store: Annotated[
        str | None, typer.Option(help="The database, postgresql://…; a SQLite file in the folder if not given.")
    ] = None,
    channels: Annotated[Path | None, typer.Option(help="By which transport each channel is reached.")] = None,
    allow_unsafe: Annotated[
        bool, typer.Option("--allow-unsafe", help="Go on with a database that can lose what was acknowledged.")
    ] = False,
) -> None:
    """Run a station: feeds in, warnings out, everything recorded, until SIGTERM; SIGHUP reads the agreement anew.

    Example: tocsin run examples/us-coast/agreement.yaml --data out/station --feed udp://127.0.0.1:10110
    """
    from tocsin.record.files import Lock, make_folder

    make_folder(data)
    Lock(data / "station.lock").close()  # a second process is told before anything heavy is loaded
    from tocsin.station.live import LiveStation, Settings
    from tocsin.station.terms import read_text
    from tocsin.tracks.feeds.feed import open_feed
    from tocsin.warn.channels.config import default_transports, load_transports

    def transports(folder: Path) -> Any:
        return load_transports(channels, out=folder) if channels else default_transports(folder)

    settings = Settings(
        folder=data,
        agreement=read_text(agreement),
        feeds=[open_feed(url) for url in feed],
        transports=transports,
        store_url=store,
        allow_unsafe=allow_unsafe,
    )
    station = LiveStation(settings)
    try:
        station.start()
        asyncio.run(_run(station, data))
    finally:
        station.stop()


async def _run(station: LiveStation, data: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    ready = {"ready": True, "pid": os.getpid(), "data": str(data), "record": station.publisher.origin}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    await station.run(stop)
