"""`tocsin lint`: says which mechanisms of an agreement are not set, and what agreements have against each other."""

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
    agreements: Annotated[
        list[Path], typer.Argument(metavar="AGREEMENT...", help="One agreement, or several that hold side by side.")
    ],
    format: Annotated[Format, typer.Option(help="For people or for programs.")] = Format.TEXT,
    declared_ok: Annotated[
        bool, typer.Option("--declared-ok", help="Accept errors that the agreement declares to be not set.")
    ] = False,
) -> None:
    """Say which mechanisms of an agreement are not set, and what several have against each other; exit 1 on an error.

    Example: tocsin lint examples/at-tanf/as-it-was.yaml
    """
    from tocsin import __version__
    from tocsin.agreement.findings.readiness import readiness
    from tocsin.agreement.findings.text import format_json, format_text
    from tocsin.agreement.lint import is_clean, lint
    from tocsin.agreement.load import load
    from tocsin.agreement.together import lint_together

    loaded = [load(path) for path in agreements]
    several = len(loaded) > 1
    between = lint_together(loaded)
    each = [lint(agreement) for agreement in loaded]
    findings = (*between, *(finding for found in each for finding in found))
    if format is Format.HTML:
        from tocsin.agreement.findings.page import readiness_page

        if several:
            raise typer.BadParameter(f"a page is of one agreement; found {len(loaded)}", param_hint="--format")
        print(readiness_page(loaded[0], findings))
    elif format is Format.SARIF:
        from tocsin.agreement.findings.sarif import format_sarif

        print(format_sarif(findings, version=__version__))
    elif format is Format.JSON:
        print(format_json(findings, names_file=several))
    else:
        parts = [
            format_text(found, declared_ok=declared_ok, readiness=readiness(agreement, found))
            for agreement, found in zip(loaded, each, strict=True)
        ]
        if several:
            parts = [format_text(between, declared_ok=declared_ok), *parts]
            heads = ("between these agreements", *map(str, agreements))
            parts = [f"# {head}\n\n{part}" for head, part in zip(heads, parts, strict=True)]
        print("\n\n".join(parts))
    raise typer.Exit(0 if is_clean(findings, declared_ok=declared_ok) else 1)
