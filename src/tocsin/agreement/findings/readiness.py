"""Readiness: whether an agreement can be watched, warned by, and recorded; and what stands in the way.

A share of mechanisms would mislead, so there is none: each use has its own blockers. An agreement may be watchable and
not warnable, which was the case at At Tanf.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from msgspec import Struct

from tocsin.agreement.compile import compile_playbook, compile_watchlist
from tocsin.agreement.model import Agreement
from tocsin.agreement.rules import GROUPS
from tocsin.agreement.rules.check import Finding, Severity
from tocsin.errors import AgreementErrors


class Use(StrEnum):
    """What an agreement can be used for."""

    WATCH = "watch"
    """Zones and acts are clear enough that a machine can say what happened."""
    WARN = "warn"
    """Whoever is about to act can be told so in time, and silence leads somewhere."""
    RECORD = "record"
    """Afterwards the parties can rely on what was written down, and know who may read it."""


BLOCKERS: dict[Use, tuple[str, ...]] = {
    Use.WATCH: ("GEO-01", "GEO-03", "CON-01"),
    Use.WARN: (
        "GEO-01", "GEO-03", "CON-01", "CON-03", "TIM-01", "WRN-01", "WRN-02", "WRN-03", "WRN-04", "WRN-06", "WRN-08",
    ),
    Use.RECORD: ("PAR-01", "INC-01", "AMD-01", "REC-01", "REC-02"),
}  # fmt: skip
"""The findings that stand in the way of each use."""


class Readiness(Struct, frozen=True, kw_only=True):
    """Whether an agreement can be put to one use.

    Attributes
    ----------
    use : Use
    is_ready : bool
    blockers : tuple of str
        Codes of the findings in the way, in the order of the list, each once.
    refusals : tuple of str
        Why it cannot be compiled for this use, if it cannot.
    """

    use: Use
    is_ready: bool
    blockers: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


def readiness(agreement: Agreement, findings: tuple[Finding, ...]) -> tuple[Readiness, ...]:
    """Return the readiness of an agreement for each use.

    Parameters
    ----------
    agreement : Agreement
    findings : tuple of Finding
        As `lint` returned them.
    """
    found = {f.code for f in findings}
    refused = {Use.WATCH: _refusals(agreement, watch=True), Use.WARN: _refusals(agreement, watch=False), Use.RECORD: ()}
    return tuple(
        Readiness(
            use=use,
            is_ready=not refused[use] and not found & set(codes),
            blockers=tuple(code for code in codes if code in found),
            refusals=refused[use],
        )
        for use, codes in BLOCKERS.items()
    )


def counts_by_group(findings: tuple[Finding, ...]) -> dict[str, dict[Severity, int]]:
    """Return the number of findings of each severity by group, groups without any included."""
    counted = Counter((f.code[:3], f.severity) for f in findings)
    return {group: {severity: counted[group, severity] for severity in Severity} for group in GROUPS}


def _refusals(agreement: Agreement, *, watch: bool) -> tuple[str, ...]:
    try:
        compile_watchlist(agreement)
        if not watch:
            compile_playbook(agreement)
    except AgreementErrors as error:
        return tuple(str(e) for e in error.errors)
    return ()
