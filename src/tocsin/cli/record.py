"""`tocsin record`: hand entries of a record to a party with their proofs, and say what a party could see when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Disclose a record's entries, and say who could see what.", no_args_is_help=True)


def indices_of(text: str) -> list[int]:
    """Return the entries that a text such as "0-3,7" names.

    Raises
    ------
    ValueError
        For a text that names none.
    """
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


@app.command("disclose")
def disclose_command(
    folder: Annotated[Path, typer.Argument(help="The keeper's folder: it holds record/, payload/ and keys/.")],
    to: Annotated[str, typer.Option(help="The party that gets the pack.")],
    entries: Annotated[str, typer.Option(help="Which entries, such as 0-3,7.")],
    keeper: Annotated[str, typer.Option(help="The party that hands over.")],
    reason: Annotated[str, typer.Option(help="Why, in a sentence; it becomes part of the record.")],
    out: Annotated[Path, typer.Option(help="The pack's folder; must not exist.")],
    grant: Annotated[
        str | None, typer.Option(help="The clause or decision by which the party may have what is not for it.")
    ] = None,
) -> None:
    """Write an evidence pack that opens and verifies offline; the handing over is itself an entry.

    Example: tocsin record disclose out/at-tanf --to russia --entries 0-3 --keeper joint_desk --reason "asked on 19 May"
    --out out/pack
    """
    from tocsin.clock import now_us
    from tocsin.record.disclose import record_disclosure, write_pack
    from tocsin.record.keys import load_key
    from tocsin.record.log import Log

    try:
        indices = indices_of(entries)
    except ValueError:
        raise typer.BadParameter(f"found {entries!r}, expected numbers such as 0-3,7", param_hint="--entries") from None
    with Log.open(folder, load_key(folder / "keys" / "log.key")) as log:
        disclosure = record_disclosure(
            log, to=to, indices=indices, keeper=keeper, reason=reason, at_us=now_us(), grant=grant
        )
        write_pack(log, disclosure, out)
    print(json.dumps({"pack": str(out), "entries": len(indices), "recorded_as": disclosure.index}))


@app.command("visible")
def visible_command(
    folder: Annotated[Path, typer.Argument(help="The record's folder, or the keeper's that holds it.")],
    party: Annotated[str, typer.Option(help="The party.")],
    until: Annotated[str, typer.Option(help="The instant, with its offset, such as 2017-05-18T12:00:00Z.")],
) -> None:
    """Print what a party could see at a time, one JSON line an entry, from the record alone.

    Example: tocsin record visible out/at-tanf --party russia --until 2017-05-18T12:00:00Z
    """
    from dataclasses import asdict

    from tocsin.record.verifier.entitled import could_see
    from tocsin.record.verifier.source import FolderSource
    from tocsin.record.verifier.verify import find_record, verify_folder
    from tocsin.units import format_instant, parse_instant_us

    at = format_instant(parse_instant_us(until))
    size = verify_folder(folder).checkpoint.size
    for sight in could_see(FolderSource(find_record(folder)).read, size, party, at):
        print(json.dumps(asdict(sight), sort_keys=True))
