"""The command line: data on stdout, people on stderr; one file a command.

Exit codes: 0 done, 1 the answer is no (findings, a failed proof), 2 usage, 3 unreadable input (for `verify`: a
rollback or fork), 4 a peer that cannot be reached. Heavy modules are imported inside the command that needs them.
"""

from __future__ import annotations

import sys

import typer

from tocsin import __version__
from tocsin.cli import (
    access,
    agreement,
    case,
    compile,
    demo,
    export_events,
    init,
    lint,
    notice,
    record,
    rehearse,
    replay,
    routes,
    run,
    verify,
    witness,
)
from tocsin.errors import SplitViewError, TocsinError, VerificationError

app = typer.Typer(
    name="tocsin",
    help="Rings the bell before people are hurt by a misunderstanding.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("init")(init.init_command)
app.command("lint")(lint.lint_command)
app.command("replay")(replay.replay_command)
app.command("rehearse")(rehearse.rehearse_command)
app.command("routes")(routes.routes_command)
app.command("run")(run.run_command)
app.command("export-events")(export_events.export_events_command)
app.command("verify")(verify.verify_command)
app.command("witness")(witness.witness_command)
app.command("demo")(demo.demo_command)
app.command("compile")(compile.compile_command)
app.add_typer(record.app, name="record")
app.add_typer(agreement.app, name="agreement")
app.add_typer(notice.app, name="notice")
app.add_typer(access.app, name="access")
app.add_typer(case.app, name="case")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"tocsin {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Agreements, zones, warnings, and a record that every party can verify."""


def main() -> None:
    """Run the command line; an error of ours is one sentence on stderr and exit code 3, 1 for what does not verify."""
    try:
        app()
    except TocsinError as error:
        print(f"tocsin: {error}", file=sys.stderr)
        sys.exit(1 if isinstance(error, VerificationError) and not isinstance(error, SplitViewError) else 3)
    except OSError as error:
        print(f"tocsin: {error.filename or ''}: {error.strerror or error}".replace(": :", ":"), file=sys.stderr)
        sys.exit(3)
