"""`tocsin lint`: says which mechanisms of an agreement are not set."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    """For code review tools (OASIS SARIF 2.1.0)."""
    HTML = "html"
    """A page that tells a stranger what the agreement can be used for, and what stands in the way."""


def lint_command(
    agreement: Annotated[Path, typer.Argument(help="The agreement, a YAML file.")],
    format: Annotated[Format, typer.Option(help="For people or for programs.")] = Format.TEXT,
    declared_ok: Annotated[
        bool, typer.Option("--declared-ok", help="Accept errors that the agreement declares to be not set.")
    ] = False,
) -> None:
    """Say which mechanisms of an agreement are not set; exit 1 if any of the findings is an error.

    Example: tocsin lint examples/at-tanf/as-it-was.yaml
    """
    from tocsin import __version__
    from tocsin.agreement.lint import format_json, format_text, is_clean, lint
    from tocsin.agreement.load import load

    loaded = load(agreement)
    findings = lint(loaded)
    if format is Format.HTML:
        from tocsin.agreement.page import readiness_page

        print(readiness_page(loaded, findings))
    elif format is Format.SARIF:
        from tocsin.agreement.sarif import format_sarif

        print(format_sarif(findings, version=__version__))
    else:
        print(format_json(findings) if format is Format.JSON else format_text(findings, declared_ok=declared_ok))
    raise typer.Exit(0 if is_clean(findings, declared_ok=declared_ok) else 1)
