"""`tocsin access`: keys for a station's HTTP door, made, ended and listed; a running station knows at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tocsin.serve.keys import Keyring

app = typer.Typer(help="Keys for a station's HTTP door: who may push, see and answer.", no_args_is_help=True)

Data = Annotated[Path, typer.Argument(help="The station's data folder.")]


@app.command("create")
def create_command(
    data: Data,
    party: Annotated[str | None, typer.Option(help="For what a party may see, and answers in its name.")] = None,
    feed: Annotated[str | None, typer.Option(help="For pushes into one feed, and nothing else.")] = None,
    expires: Annotated[str | None, typer.Option(help="When it ends, with its offset; never if not given.")] = None,
) -> None:
    """Make a key and print it, the only time; without --party or --feed it is a keeper's, and opens everything.

    Example: tocsin access create out/station --party north --expires 2027-06-30T00:00:00Z
    """
    from tocsin.clock import now_us
    from tocsin.serve.keys import Scope
    from tocsin.units import parse_instant_us

    if party is not None and feed is not None:
        raise typer.BadParameter("one of --party and --feed")
    scope = Scope.PARTY if party is not None else Scope.FEED if feed is not None else Scope.KEEPER
    expires_us = None if expires is None else parse_instant_us(expires)
    sys.stdout.write(_keyring(data).create(scope, party or feed or "", now_us=now_us(), expires_us=expires_us) + "\n")


@app.command("revoke")
def revoke_command(data: Data, key: Annotated[str, typer.Argument(help="The key's id, as `list` shows it.")]) -> None:
    """End a key; it opens nothing from the next request on. Exit code 1 if there is no such key.

    Example: tocsin access revoke out/station 1f00ac92
    """
    from tocsin.clock import now_us

    if not _keyring(data).revoke(key, now_us=now_us()):
        print(f"tocsin: found no key {key} that is not ended", file=sys.stderr)
        raise typer.Exit(1)


@app.command("list")
def list_command(data: Data) -> None:
    """Print what is known of every key, one JSON object a line; no key can be read from it.

    Example: tocsin access list out/station
    """
    for row in _keyring(data).listed():
        sys.stdout.write(json.dumps(row) + "\n")


def _keyring(data: Path) -> Keyring:
    from tocsin.record.files import make_folder
    from tocsin.serve.keys import Keyring

    make_folder(data / "keys")
    return Keyring(data / "keys" / "http.json")
