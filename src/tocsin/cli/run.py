"""`tocsin run`: a station on one data folder; one ready line of JSON on stdout when it takes reports."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tocsin.errors import TocsinError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from tocsin.serve.keys import Keyring
    from tocsin.station.live import LiveStation

SWITCH_S = 0.0005
"""How long a thread may go on while another waits; Python's own 5 ms, several times on the way of a report from its
socket to a channel, would be most of the time it takes."""

DOOR = "127.0.0.1:0"
"""Where the HTTP door is unless told otherwise: on this machine alone."""


def run_command(
    agreement: Annotated[Path, typer.Argument(help="The agreement, a YAML file.")],
    data: Annotated[Path, typer.Option(help="The folder for everything that the station keeps.")],
    feed: Annotated[list[str], typer.Option(help="Where reports come from, such as udp://127.0.0.1:10110; repeat it.")],
    store: Annotated[
        str | None, typer.Option(help="The database, postgresql://…; a SQLite file in the folder if not given.")
    ] = None,
    routes: Annotated[
        Path | None, typer.Option(help="A file that tocsin routes wrote: forecasts follow earlier paths, too.")
    ] = None,
    channels: Annotated[Path | None, typer.Option(help="By which transport each channel is reached.")] = None,
    bind: Annotated[str, typer.Option(help="Address and port of the HTTP door; port 0 takes a free one.")] = DOOR,
    proxy: Annotated[str | None, typer.Option(help="The reverse proxy whose X-Forwarded-For is believed.")] = None,
    allow_unsafe: Annotated[
        bool, typer.Option("--allow-unsafe", help="Go on with a database that can lose what was acknowledged.")
    ] = False,
) -> None:
    """Run a station: feeds in, warnings out, everything recorded, until SIGTERM; SIGHUP reads the agreement anew.

    Example: tocsin run examples/us-coast/agreement.yaml --data out/station --feed udp://127.0.0.1:10110
    """
    import asyncio

    from tocsin.record.files import Lock, make_folder

    sys.setswitchinterval(SWITCH_S)
    gc.disable()  # a start makes hundreds of thousands of objects that stay: looking for others costs a quarter of it
    host, port = _address(bind)
    make_folder(data)
    Lock(data / "station.lock").close()  # a second process is told before anything heavy is loaded
    from tocsin.station.core.terms import read_text
    from tocsin.station.live import LiveStation, Settings
    from tocsin.tracks.feeds.feed import open_feed
    from tocsin.warn.channels.config import default_transports, load_transports

    transports = load_transports(channels, out=data) if channels else default_transports(data)
    settings = Settings(
        folder=data,
        agreement=read_text(agreement, routes=routes),
        feeds=[open_feed(url) for url in feed],
        transports=transports,
        store_url=store,
        allow_unsafe=allow_unsafe,
    )
    station = LiveStation(settings)
    try:
        station.start()
        asyncio.run(_run(station, agreement, host=host, port=port, proxy=proxy))
    finally:
        station.stop()


def _address(bind: str) -> tuple[str, int]:
    host, _, port = bind.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise typer.BadParameter(f"found {bind!r}, expected ADDRESS:PORT, such as {DOOR}")
    return host.strip("[]"), int(port)


async def _run(station: LiveStation, agreement: Path, *, host: str, port: int, proxy: str | None) -> None:
    import asyncio

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: asyncio.ensure_future(_reload(station, agreement)))
    # The bell first: feeds are watched while the HTTP door, a quarter of a start, is still being loaded.
    running = asyncio.create_task(station.run(stop))
    try:
        app, token = await asyncio.to_thread(_door, station, proxy)
        from tocsin.serve.server import serving

        async with serving(app, host=host, port=port) as server:
            ports = await station.ports()
            gc.freeze()  # what is there now stays: no report waits for it to be looked through
            gc.enable()
            ready = {
                "ready": True,
                "pid": os.getpid(),
                "data": str(station.folder),
                "http": f"http://{f'[{host}]' if ':' in host else host}:{server.port}",
                "token_file": str(token),
                "feeds": ports,
                "record": station.publisher.origin,
            }
            sys.stdout.write(json.dumps(ready) + "\n")
            sys.stdout.flush()
            await running
    finally:
        stop.set()
        await running


def _door(station: LiveStation, proxy: str | None) -> tuple[ASGIApp, Path]:
    """Return the station's app and the file that holds the keeper's key."""
    from tocsin.serve import server  # noqa: F401 - loaded here, in a thread, and not in the loop of the feeds
    from tocsin.serve.app import make_app
    from tocsin.serve.keys import Keyring

    folder = station.folder
    keys = Keyring(folder / "keys" / "http.json")
    token = _token(keys, folder / "keys" / "keeper.token", station.now_us())
    app = make_app(
        station,
        keys=keys,
        check_token=station.check_token,
        proxy=proxy,
        clock=station.now_us,
        book=station.notices,
    )
    return app, token


def _token(keys: Keyring, path: Path, now_us: int) -> Path:
    """Return the file that holds the keeper's key; made at the first start, and never printed."""
    from tocsin.record.files import replace_file
    from tocsin.serve.keys import Scope

    if not path.exists():
        replace_file(path, keys.create(Scope.KEEPER, now_us=now_us).encode() + b"\n", mode=0o600)
    return path


async def _reload(station: LiveStation, agreement: Path) -> None:
    from tocsin.station.core.terms import read_text

    try:
        said = await station.put_in_force(read_text(agreement))
    except (TocsinError, OSError) as error:
        print(f"tocsin: the agreement was not taken: {error}", file=sys.stderr)
    else:
        print(f"tocsin: {json.dumps(said)}", file=sys.stderr)
