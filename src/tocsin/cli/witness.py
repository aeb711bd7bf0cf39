"""`tocsin witness`: remembers the largest tree of a log that it has seen, and says so under its own signature."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def witness_command(
    folder: Annotated[Path, typer.Argument(help="The witness's own folder: its memory and its keys.")],
    name: Annotated[str, typer.Option(help="The witness's name, such as un.example/witness.")],
    log: Annotated[list[str], typer.Option(help="The vkey of a log to witness, or ORIGIN=VKEY; may be repeated.")],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 for any free one, which the first line names.")] = 0,
    ml_dsa: Annotated[bool, typer.Option("--ml-dsa", help="Cosign with ML-DSA-44 too.")] = False,
    follow: Annotated[
        list[str] | None,
        typer.Option(help="A record's folder or URL to look at too, and to cosign what it shows; may be repeated."),
    ] = None,
    every: Annotated[str, typer.Option(help="Time between two looks at what is followed.")] = "10 s",
) -> None:
    """Serve as a witness (C2SP tlog-witness) until stopped; the first line on stdout says when it is ready.

    Example: tocsin witness var/witness --name un.example/witness --log "$(cat out/at-tanf/record/log.vkey)"
    """
    from tocsin.record.witness.command import serve_witness
    from tocsin.units import parse_duration_s

    every_s = parse_duration_s(every)
    served = serve_witness(
        folder, name=name, logs=log, host=host, port=port, with_mldsa=ml_dsa, follow=follow or (), every_s=every_s
    )
    raise typer.Exit(served)
