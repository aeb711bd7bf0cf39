"""`tocsin verify`: checks a record without trusting whoever kept it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify_command(
    record: Annotated[Path, typer.Argument(help="The record's folder.")],
    state: Annotated[
        Path | None, typer.Option(help="A file that remembers the newest checkpoint seen, so that a rollback is found.")
    ] = None,
) -> None:
    """Check every byte of a record against its signed checkpoint: exit 0 good, 1 bad, 3 rollback or fork.

    Example: tocsin verify out/at-tanf/record
    """
    from tocsin.record.verify import verify_command as verify

    raise typer.Exit(verify(record, state))
