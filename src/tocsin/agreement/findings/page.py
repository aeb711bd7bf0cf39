"""Readiness as a page: verdicts first, then the ladder as written, then every open mechanism by group.

One HTML file without scripts or anything fetched. All text of the agreement is escaped: it is somebody else's.
"""

from __future__ import annotations

import jinja2

from tocsin.agreement.findings.history import HISTORY
from tocsin.agreement.findings.readiness import Use, counts_by_group, readiness
from tocsin.agreement.findings.text import QUOTED, excerpt
from tocsin.agreement.findings.why import WHY
from tocsin.agreement.findings.words import acts_in_words, ladder_row, party_in_words, zone_in_words
from tocsin.agreement.model import Agreement
from tocsin.agreement.rules import CHECKS, FILE_GROUP, GROUPS
from tocsin.agreement.rules.check import Finding, Severity, listed
from tocsin.agreement.terms.state import State, given

VERDICTS: dict[Use, tuple[str, str]] = {
    Use.WATCH: ("It can be watched", "It cannot be watched"),
    Use.WARN: ("People can be warned by it", "People cannot be warned by it"),
    Use.RECORD: ("Its record can be relied on", "Its record cannot be relied on"),
}
"""What is said of each use: ready, and not ready."""

MEANS: dict[Use, str] = {
    Use.WATCH: "A machine can tell from positions alone whether a prohibited act happened in a zone.",
    Use.WARN: "Whoever is about to act can be told so in time, by two ways, and silence leads to a person.",
    Use.RECORD: "Afterwards the parties can rely on what was written down, and each knows who may read it.",
}
"""What each use means."""

BECAUSE: dict[str, str] = {
    "PAR-01": "a name in the record could be read as more than one party",
    "GEO-01": "a zone is only a name; nobody can say who is inside",
    "GEO-03": "a width is left vague; two honest observers stand on different sides of the line",
    "TIM-01": "nobody can say from which instant it holds",
    "CON-01": "an act is prohibited that nothing can tell from what is allowed",
    "CON-03": "no number says from when on a movement counts, so a warning would come from somebody's feeling",
    "WRN-01": "there are no steps of words before the end",
    "WRN-02": "a step that begins on somebody's movement never reaches that somebody",
    "WRN-03": "a step has one way of being said; if that fails, its silence looks like defiance",
    "WRN-04": "no step says how long it waits for an answer, or what silence leads to",
    "WRN-06": "nobody has reckoned whether the words fit into the time there is",
    "WRN-08": "software is given something to do beyond words, or words of force stand in a warning",
    "INC-01": "no hour and no form make the sides write down what they saw",
    "AMD-01": "nobody can say which text, by whom, and how the next one comes about",
    "REC-01": "no keeper, no proof against changes, or no clock is named for the log",
    "REC-02": "nothing says which party may see what",
}
"""What a finding does to a use, for a stranger."""

_STATES = {
    State.SILENT: "not mentioned",
    State.NOT_SET: "declared not set",
    State.DISPUTED: "disputed",
    State.INCONSISTENT: "at odds",
    State.SET: "written so",
}
_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFORMATION: "note"}


def readiness_page(agreement: Agreement, findings: tuple[Finding, ...]) -> str:
    """Return the readiness page of an agreement: one HTML document.

    Parameters
    ----------
    agreement : Agreement
    findings : tuple of Finding
        As `lint` returned them.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tocsin.agreement.findings", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    uses = readiness(agreement, findings)
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    groups = {
        group: [(check, by_code[code]) for code, check in CHECKS.items() if code in by_code and code[:3] == group]
        for group in GROUPS
    }
    mechanisms = {code: check for code, check in CHECKS.items() if code[:3] != FILE_GROUP}
    return environment.get_template("page.html").render(
        agreement=agreement,
        title=given(agreement.title) or agreement.id,
        version=given(agreement.version),
        digest=agreement.digest.hex(),
        uses=[
            {
                "ready": r.is_ready,
                "verdict": VERDICTS[r.use][0 if r.is_ready else 1],
                "means": MEANS[r.use],
                "blockers": [(code, CHECKS[code].title, BECAUSE[code]) for code in r.blockers],
                "refusals": r.refusals if not r.blockers else (),
            }
            for r in uses
        ],
        summary=summary(agreement, findings),
        parties=[party_in_words(party) for party in given(agreement.parties) or ()],
        zones=[zone_in_words(zone) for zone in given(agreement.zones) or ()],
        acts=acts_in_words(agreement),
        ladder=[ladder_row(agreement, level) for level in given(agreement.ladder) or ()],
        counts=counts_by_group(findings),
        groups={group: found for group, found in groups.items() if found},
        names=GROUPS,
        why=WHY,
        history=HISTORY,
        severities=_SEVERITIES,
        states=_STATES,
        open_checks={s: len({f.code for f in findings if f.severity is s and f.code in mechanisms}) for s in Severity},
        all_checks={s: sum(c.severity is s for c in mechanisms.values()) for s in Severity},
        total={severity: sum(f.severity is severity for f in findings) for severity in Severity},
        silent=sum(f.state is State.SILENT for f in findings),
        excerpt=lambda f: excerpt(f.quoted, f.where.column, QUOTED),
    )


def summary(agreement: Agreement, findings: tuple[Finding, ...]) -> str:
    """Return two or three sentences that say what the verdicts come to."""
    told = {r.use: r for r in readiness(agreement, findings)}
    ready = [use for use in Use if told[use].is_ready]
    if len(ready) == len(Use):
        return "This agreement can be watched, people can be warned by it, and its record can be relied on."
    if told[Use.WATCH].is_ready and not told[Use.WARN].is_ready:
        return (
            "One could see what happens in these zones, and could not properly warn anybody of it: the agreement draws"
            " the lines and leaves open how people are told."
            f" {len(told[Use.WARN].blockers)} mechanisms that a warning needs are missing."
        )
    blocked = listed([str(use) for use in Use if use not in ready])
    return f"Before it is used to {blocked}, the mechanisms named below have to be set."
