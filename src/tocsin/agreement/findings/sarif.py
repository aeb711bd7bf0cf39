"""SARIF: findings for code hosts and editors, by OASIS SARIF 2.1.0.

A place in a file is a region (§3.30), the path with ids a logical location (§3.33). A finding of something that is
missing points to the section that it is missing from. Ranking, suppression and code flows are left out.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from tocsin.agreement.findings.history import HISTORY
from tocsin.agreement.findings.why import WHY
from tocsin.agreement.rules import CHECKS
from tocsin.agreement.rules.check import Check, Finding, Severity

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
"""The schema that the output names."""

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFORMATION: "note"}


def format_sarif(findings: tuple[Finding, ...], *, version: str) -> str:
    """Return findings as one SARIF 2.1.0 log.

    Parameters
    ----------
    findings : tuple of Finding
    version : str
        Of Tocsin, for the driver's entry.
    """
    codes = sorted({f.code for f in findings}, key=list(CHECKS).index)
    driver = {"name": "tocsin lint", "version": version, "rules": [_rule(CHECKS[code]) for code in codes]}
    results = [_result(f, codes.index(f.code)) for f in findings]
    log = {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(log, ensure_ascii=False, indent=2)


def _rule(check: Check) -> dict[str, Any]:
    why, history = WHY[check.code], HISTORY[check.code]
    return {
        "id": check.code,
        "name": check.title,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": (check.test.__doc__ or "").strip().split("\n")[0]},
        "help": {
            "text": f"{why}\n\nFrom history: {history}\n\nHow to set it:\n{check.fix}",
            "markdown": f"{why}\n\n**From history**: {history}\n\n**How to set it**:\n```yaml\n{check.fix}\n```",
        },
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {"page": f"docs/findings/{check.code}.md"},
    }


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    where = finding.where
    physical: dict[str, Any] = {"artifactLocation": {"uri": PurePath(where.file).as_posix()}}
    if where.line:
        physical["region"] = {"startLine": where.line, "startColumn": max(1, where.column)}
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [
            {"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": finding.path, "kind": "member"}]}
        ],
        "properties": {"state": finding.state},
        "partialFingerprints": {"tocsinFinding/v1": f"{finding.code}:{finding.path}"},
    }
