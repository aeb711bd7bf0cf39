"""Findings as text for a terminal and as JSON for programs.

In the text the findings of one check stand together: each with its sentence, its place and the line of the file, then
once what happened elsewhere and how to set it. Sorted as `lint` sorted them: silence before declared blanks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import indent, wrap

from tocsin.agreement.findings.history import HISTORY
from tocsin.agreement.findings.readiness import Readiness, counts_by_group
from tocsin.agreement.rules import CHECKS, GROUPS
from tocsin.agreement.rules.check import Finding, Severity, listed
from tocsin.agreement.terms.state import State

QUOTED = 110
"""Characters of a source line shown under a finding."""

WIDTH = 100
"""Characters of a line of prose."""

_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFORMATION: "note"}


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


def format_text(
    findings: tuple[Finding, ...], *, declared_ok: bool = False, readiness: Sequence[Readiness] = ()
) -> str:
    """Return findings for people: by check, each with its place and the line of the file it stands in.

    Parameters
    ----------
    findings : tuple of Finding
    declared_ok : bool
        Put errors that are declared not set under a heading of their own, last.
    readiness : sequence of Readiness
        What the agreement can be used for, said at the end; nothing is said if there is none.
    """
    told: set[str] = set()
    open_ones = [f for f in findings if not (declared_ok and _is_declared(f))]
    declared = [f for f in findings if declared_ok and _is_declared(f)]
    blocks = list(_blocks(open_ones, told))
    if declared:
        blocks += ["Mechanisms not set yet", *_blocks(declared, told)]
    if readiness:
        blocks.append("\n".join([*_groups(findings), *_uses(readiness)]))
    return "\n\n".join([*blocks, _counts(findings)])


def _is_declared(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR and finding.state is State.NOT_SET


def _blocks(findings: Sequence[Finding], told: set[str]) -> Iterator[str]:
    """Yield the findings of each check that follow each other; the history and the fix of a code only once."""
    for code, of_one in groupby(findings, key=lambda f: f.code):
        found = list(of_one)
        check = CHECKS[code]
        lines = [f"{_WORDS[check.severity]} {code}: {check.title}"]
        for finding in found:
            lines += _finding(finding)
        if code not in told:
            told.add(code)
            lines += _prose("from history: ", HISTORY[code])
            lines += ["  how to set it:", indent(check.fix, "    ")]
        yield "\n".join(lines)


def _finding(finding: Finding) -> list[str]:
    where = finding.where
    lines = [
        *_prose(f"{finding.state}: ", finding.message),
        f"    {where.file}:{where.line}: {finding.path}",
    ]
    quoted = excerpt(finding.quoted, where.column)
    return [*lines, f"    | {quoted}"] if quoted else lines


def _prose(head: str, text: str) -> list[str]:
    """Return a paragraph that begins with a word of its own, wrapped and indented."""
    return wrap(
        f"{head}{text}",
        WIDTH,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def excerpt(line: str, column: int, width: int = QUOTED) -> str:
    """Return the part of a line that holds a column, cut to a width, with an ellipsis where it was cut."""
    start = max(0, min(column - 1, len(line) - width)) if len(line) > width else 0
    part = line[start : start + width].strip()
    return f"{'…' if start else ''}{part}{'…' if start + width < len(line) else ''}"


def _groups(findings: tuple[Finding, ...]) -> list[str]:
    """Return a table of how many findings of each severity each group has."""
    counts = {GROUPS[group]: by for group, by in counts_by_group(findings).items() if any(by.values())}
    width = max((len(name) for name in counts), default=0)
    rows = [f"  {name:{width}}" + "".join(f" {by[s] or '–':>8}" for s in Severity) for name, by in counts.items()]
    return [f"  {'':{width}}" + "".join(f" {_WORDS[s] + 's':>8}" for s in Severity), *rows, ""] if rows else []


def _uses(readiness: Sequence[Readiness]) -> list[str]:
    """Return a line for every use: ready, or what stands in the way."""
    lines = []
    for of_use in readiness:
        in_the_way = f"no, for {listed(of_use.blockers)}" if of_use.blockers else "no, it cannot be compiled"
        lines += _prose(f"ready to {of_use.use}: ", "yes" if of_use.is_ready else in_the_way)
        lines += [f"    {refusal}" for refusal in (() if of_use.blockers else of_use.refusals)]
    return lines


def _counts(findings: tuple[Finding, ...]) -> str:
    counts = [(sum(f.severity is s for f in findings), word) for s, word in _WORDS.items()]
    told = listed([f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts])
    silent = sum(f.state is State.SILENT for f in findings)
    return f"{told}; {silent} of them about things the agreement does not mention." if findings else "Nothing found."
