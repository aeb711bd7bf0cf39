"""AMD: amendment. Which version this is, who may change it, and which text counts."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.rules.check import Gap, Severity, View, check


@check(
    "AMD-01",
    "versions",
    severity=Severity.ERROR,
    keys=("version", "author", "amendment", "amendment.procedure"),
    fix="""
version: 1
author: joint panel secretariat
amendment: {procedure: "written, all signatories"}
""",
)
def versions(view: View) -> Iterator[Gap]:
    """Find an agreement without a version, an author, or the procedure that approves the next one."""
    yield from view.need("version", "The agreement", "the number of this version")
    yield from view.need("author", "The agreement", "who wrote it")
    yield from view.need("amendment.procedure", "The agreement", "who approves a change, and how")


@check(
    "AMD-02",
    "technical annexes",
    severity=Severity.WARNING,
    keys=("amendment.annexes", "amendment.annexes.who", "amendment.annexes.notice"),
    fix="""
amendment:
  annexes: {who: joint panel, notice: P14D, open: [{what: map of the line, by: "2031-04-20"}]}
""",
)
def annexes(view: View) -> Iterator[Gap]:
    """Find an agreement that does not say who changes its technical annexes, with what notice."""
    yield from view.need("amendment.annexes.who", "The agreement", "who changes its technical annexes")
    yield from view.need("amendment.annexes.notice", "The agreement", "the notice of a change of its annexes")


@check(
    "AMD-03",
    "review",
    severity=Severity.WARNING,
    keys=("amendment.review_every",),
    fix="""
amendment: {review_every: P1Y}
""",
)
def review(view: View) -> Iterator[Gap]:
    """Find an agreement that nobody looks at again."""
    yield from view.need("amendment.review_every", "The amendment clause", "how often the agreement is reviewed")


@check(
    "AMD-04",
    "authentic languages",
    severity=Severity.WARNING,
    keys=("languages", "languages.authentic", "amendment.prevailing_language"),
    fix="""
languages: {authentic: [en, ar]}
amendment: {prevailing_language: all equal}
""",
)
def languages(view: View) -> Iterator[Gap]:
    """Find an agreement without its authentic languages and which prevails."""
    yield from view.need("languages.authentic", "The agreement", "the authentic languages of the text")
    yield from view.need("amendment.prevailing_language", "The agreement", "which language prevails")
