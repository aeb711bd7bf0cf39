"""Lint: what an agreement leaves open, as findings in a fixed order.

The list of mechanisms is docs/findings, one page a code. A finding says that a mechanism is not set, never whether an
agreement is good or who broke it; nothing is decided by reading free text.
"""

from __future__ import annotations

import json

from tocsin.agreement.model import Agreement
from tocsin.agreement.rules import CHECKS
from tocsin.agreement.rules.check import Check, Finding, Gap, Severity, View, listed
from tocsin.agreement.source.collector import collector_held
from tocsin.agreement.terms.state import State, given
from tocsin.errors import Place

_SEVERITIES = tuple(Severity)
_STATES = (State.SILENT, State.NOT_SET, State.DISPUTED, State.INCONSISTENT, State.SET)
"""Silent first: of these nobody knows that they are missing."""

QUOTED = 110
"""Characters of a source line shown under a finding."""

_CODES = {code: place for place, code in enumerate(CHECKS)}


def lint(agreement: Agreement) -> tuple[Finding, ...]:
    """Return the findings of an agreement: errors first, silence before declared blanks, then by code and path.

    Parameters
    ----------
    agreement : Agreement
        As loaded; it need not be complete, and it need not compile.

    Notes
    -----
    Under `armed: false` the checks about arms do not apply; an agreement that does not say is taken as armed.
    """
    view = View(agreement)
    unarmed = given(agreement.armed) is False
    with collector_held():
        found = {
            finding_of(agreement, check, gap)
            for check in CHECKS.values()
            if not (check.armed_only and unarmed)
            for gap in check.test(view)
            if gap.state is not State.NOT_APPLICABLE  # an answer, not a gap
        }
    return tuple(sorted(found, key=_order))


def is_clean(findings: tuple[Finding, ...], *, declared_ok: bool = False) -> bool:
    """Return True if no finding is an error; with `declared_ok`, errors that are declared not set do not count."""
    return not any(f.severity is Severity.ERROR and not (declared_ok and f.state is State.NOT_SET) for f in findings)


def finding_of(agreement: Agreement, check: Check, gap: Gap) -> Finding:
    """Return the finding of what a check yielded."""
    document = agreement.document
    node, stands_in, whole = document.find(gap.path)
    return Finding(
        code=check.code,
        severity=check.severity,
        state=gap.state,
        where=Place(document.file, node.line, node.column, stands_in if whole else gap.path),
        path=document.label(gap.path),
        message=gap.message,
        fix=check.fix,
        quoted=document.line(node.line) if stands_in else "",
    )


def _order(finding: Finding) -> tuple[int, int, int, str, str]:
    return (
        _SEVERITIES.index(finding.severity),
        _STATES.index(finding.state),
        _CODES[finding.code],
        finding.path,
        finding.message,
    )


def format_json(findings: tuple[Finding, ...], *, names_file: bool = False) -> str:
    """Return findings as JSON: the same bytes however the keys and lists of the agreement are shuffled.

    `where` is the path with ids instead of positions, after the file's name if there are several (`names_file`); lines,
    which a shuffle moves, are in the text and in SARIF.
    """
    told = [
        {
            "code": f.code,
            "severity": f.severity,
            "state": f.state,
            "where": f"{f.where.file}: {f.path}" if names_file else f.path,
            "message": f.message,
        }
        for f in findings
    ]
    return json.dumps({"findings": told}, ensure_ascii=False, indent=2)


def format_text(findings: tuple[Finding, ...], *, declared_ok: bool = False) -> str:
    """Return findings for people: each with its place and the line of the file it stands in.

    Parameters
    ----------
    findings : tuple of Finding
    declared_ok : bool
        Put errors that are declared not set under a heading of their own, last.
    """
    open_ones = [f for f in findings if not (declared_ok and _is_declared(f))]
    declared = [f for f in findings if declared_ok and _is_declared(f)]
    blocks = [_block(f) for f in open_ones]
    if declared:
        blocks += ["Mechanisms not set yet", *(_block(f) for f in declared)]
    return "\n".join([*blocks, _counts(findings)])


def _is_declared(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR and finding.state is State.NOT_SET


def _block(finding: Finding) -> str:
    where = finding.where
    lines = [
        f"{finding.severity} {finding.code} {finding.state}: {finding.message}",
        f"  {where.file}:{where.line}: {finding.path}",
    ]
    quoted = excerpt(finding.quoted, where.column)
    return "\n".join([*lines, f"  | {quoted}"] if quoted else lines)


def excerpt(line: str, column: int, width: int = QUOTED) -> str:
    """Return the part of a line that holds a column, cut to a width, with an ellipsis where it was cut."""
    start = max(0, min(column - 1, len(line) - width)) if len(line) > width else 0
    part = line[start : start + width].strip()
    return f"{'…' if start else ''}{part}{'…' if start + width < len(line) else ''}"


def _counts(findings: tuple[Finding, ...]) -> str:
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFORMATION: "note"}
    counts = [(sum(f.severity is s for f in findings), word) for s, word in words.items()]
    told = listed([f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts])
    silent = sum(f.state is State.SILENT for f in findings)
    return f"{told}; {silent} of them about things the agreement does not mention." if findings else "Nothing found."
