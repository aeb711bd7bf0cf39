"""VER: verification. Who looks, where they may go, how often, and against what."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.rules.check import Gap, Severity, View, check
from tocsin.agreement.terms.state import given


@check(
    "VER-01",
    "an observer",
    severity=Severity.ERROR,
    keys=("verification", "verification.body"),
    fix="""
verification: {body: joint desk with one observer of each party, mandate: to see, count and report}
""",
)
def observer(view: View) -> Iterator[Gap]:
    """Find an agreement without a named body that observes."""
    yield from view.need("verification.body", "Verification", "the body that observes")


@check(
    "VER-02",
    "access",
    severity=Severity.ERROR,
    keys=("verification", "verification.access", "verification.access.refusal_is_incident"),
    fix="""
verification:
  access: {on_request: true, freedom_of_movement: true, refusal_is_incident: true}
""",
)
def access(view: View) -> Iterator[Gap]:
    """Find observers without freedom of movement, or whose refusal counts for nothing."""
    yield from view.need("verification.access", "Verification", "where the observers may go")
    verification = given(view.agreement.verification)
    told = given(verification.access) if verification else None
    if told is None:
        return
    path = f"{told.path}.refusal_is_incident"
    yield from view.need_of(
        told, "refusal_is_incident", "Verification", "that a refusal of access counts as an incident"
    )
    if given(told.refusal_is_incident) is False:
        yield view.odd(path, "Verification: a refusal of access counts for nothing.")
    if given(told.freedom_of_movement) is False:
        yield view.odd(f"{told.path}.freedom_of_movement", "Verification: the observers have no freedom of movement.")


@check(
    "VER-03",
    "rhythm and on request",
    severity=Severity.WARNING,
    keys=("verification.inspection_every", "verification.access.on_request"),
    fix="""
verification: {inspection_every: P15D, access: {on_request: true, refusal_is_incident: true}}
""",
)
def rhythm(view: View) -> Iterator[Gap]:
    """Find inspections without an interval or without a path for a request."""
    yield from view.need("verification.inspection_every", "Verification", "how often there is an inspection")
    yield from view.need("verification.access.on_request", "Verification", "whether a party may ask for an inspection")


@check(
    "VER-04",
    "baseline",
    severity=Severity.WARNING,
    keys=("verification.baseline",),
    fix="""
verification: {baseline: positions of 2 April 2031, annex B}
""",
)
def baseline(view: View) -> Iterator[Gap]:
    """Find verification that has nothing to compare with."""
    yield from view.need("verification.baseline", "Verification", "the inventory or survey it compares with")


@check(
    "VER-05",
    "sensors and data",
    severity=Severity.WARNING,
    keys=("verification.sources", "verification.data_owner"),
    fix="""
verification: {sources: [ais, radar], data_owner: joint_desk, gaps: reported daily, contradictions: side by side}
""",
)
def sensors(view: View) -> Iterator[Gap]:
    """Find verification without its feeds or the owner of their data."""
    yield from view.need("verification.sources", "Verification", "the feeds it uses")
    yield from view.need("verification.data_owner", "Verification", "the owner of the data")


@check(
    "VER-06",
    "reports",
    severity=Severity.WARNING,
    keys=("verification.reports", "verification.reports.to", "verification.reports.every"),
    fix="""
verification:
  reports: {to: [north, south], every: P7D, public: false}
""",
)
def reports(view: View) -> Iterator[Gap]:
    """Find observers who report to nobody, or at no interval."""
    yield from view.need("verification.reports.to", "Verification", "to whom it reports")
    yield from view.need("verification.reports.every", "Verification", "how often it reports")
    verification = given(view.agreement.verification)
    told = given(verification.reports) if verification else None
    for name in (given(told.to) if told else None) or ():
        if not view.knows_party(name):
            yield view.odd("verification.reports.to", f"Verification: it reports to {name}, which is no party.")


@check(
    "VER-07",
    "unannounced visits",
    severity=Severity.INFORMATION,
    keys=("verification.unannounced_visits",),
    fix="""
verification: {unannounced_visits: true}
""",
)
def unannounced(view: View) -> Iterator[Gap]:
    """Find verification that does not say whether a visit may come unannounced."""
    yield from view.need("verification.unannounced_visits", "Verification", "whether a visit may come unannounced")
