"""`tocsin verify`: whether a record is what its signature covers, and what nobody has vouched for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify_command(
    record: Annotated[
        str,
        typer.Argument(help="The record's folder or the URL it is served under, a pack, an evidence or proof file."),
    ],
    state: Annotated[
        Path | None, typer.Option(help="A file that remembers the newest checkpoint seen, so that a rollback is found.")
    ] = None,
    vkey: Annotated[str | None, typer.Option(help="The log's key, as the agreement has it.")] = None,
    party: Annotated[
        str | None, typer.Option(help="List what this party is entitled to and has not got; exit 1 if there is any.")
    ] = None,
    agreement: Annotated[
        Path | None, typer.Option(help="The agreement: its log keys, witnesses and quorum must be the record's.")
    ] = None,
) -> None:
    """Check every byte of a record against its signed checkpoint: exit 0 good, 1 bad, 2 usage, 3 rollback or fork.

    4 means that a server did not answer.

    Example: tocsin verify out/at-tanf/record --state seen.json --agreement examples/at-tanf/with-mechanisms.yaml
    """
    from tocsin.record.c2sp.policy import parse_policy
    from tocsin.record.verifier.command import verify_command as verify

    policy = None
    if agreement is not None:
        from tocsin.agreement.custody import compile_custody
        from tocsin.agreement.load import load
        from tocsin.errors import AgreementError
        from tocsin.station.core.agreed_witnesses import policy_text

        try:
            custody = compile_custody(load(agreement))
        except AgreementError as error:
            raise typer.BadParameter(str(error), param_hint="--agreement") from None
        if custody is None:
            raise typer.BadParameter(f"{agreement} names no witnesses", param_hint="--agreement")
        policy = parse_policy(policy_text(custody))
    raise typer.Exit(verify(record, state=state, vkey=vkey, party=party, policy=policy))
