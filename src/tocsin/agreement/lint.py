"""Lint: what an agreement leaves open, as findings in a fixed order.

The list of mechanisms is docs/findings, one page a code. A finding says that a mechanism is not set, never whether an
agreement is good or who broke it; nothing is decided by reading free text.
"""

from __future__ import annotations

from tocsin.agreement.model import Agreement
from tocsin.agreement.rules import CHECKS
from tocsin.agreement.rules.check import Check, Finding, Gap, Severity, View
from tocsin.agreement.source.collector import collector_held
from tocsin.agreement.terms.state import State, given
from tocsin.errors import Place

_SEVERITIES = tuple(Severity)
_STATES = (State.SILENT, State.NOT_SET, State.DISPUTED, State.INCONSISTENT, State.SET)
"""Silent first: of these nobody knows that they are missing."""

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
