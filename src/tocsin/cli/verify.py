"""`tocsin verify`: checks a record without trusting whoever kept it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify_command(
    record: Annotated[str, typer.Argument(help="The record's folder, or the URL it is served under.")],
    state: Annotated[
        Path | None, typer.Option(help="A file that remembers the newest checkpoint seen, so that a rollback is found.")
    ] = None,
    vkey: Annotated[str | None, typer.Option(help="The log's key, as the agreement has it.")] = None,
) -> None:
    """Check every byte of a record against its signed checkpoint: exit 0 good, 1 bad, 3 rollback or fork.

    Example: tocsin verify out/at-tanf/record
    """
    from tocsin.record.verifier.command import verify_command as verify

    raise typer.Exit(verify(record, state=state, vkey=vkey))
