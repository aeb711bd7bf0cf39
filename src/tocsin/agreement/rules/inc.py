"""INC: incidents. What is reported, asked, kept and said after something happened."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.rules.check import Gap, Severity, View, check
from tocsin.agreement.terms.state import given


@check(
    "INC-01",
    "report deadline and form",
    severity=Severity.ERROR,
    keys=("incidents", "incidents.report_within", "incidents.form"),
    fix="""
incidents: {report_within: PT6H, form: tocsin-incident/1}
""",
)
def report(view: View) -> Iterator[Gap]:
    """Find incidents without a deadline and a form for the report of each side."""
    yield from view.need("incidents.report_within", "Incident handling", "the deadline of each side's report")
    yield from view.need("incidents.form", "Incident handling", "the form of the report")


@check(
    "INC-02",
    "joint inquiry",
    severity=Severity.ERROR,
    keys=(
        "incidents", "incidents.joint_inquiry", "incidents.joint_inquiry.members",
        "incidents.joint_inquiry.convene_within", "incidents.joint_inquiry.finish_within",
    ),
    fix="""
incidents:
  joint_inquiry: {members: [north, south], convene_within: P2D, finish_within: P14D, access: the place and the record}
""",
)  # fmt: skip
def inquiry(view: View) -> Iterator[Gap]:
    """Find incidents without a joint inquiry: members, when it meets, when it is done."""
    for key, what in (
        ("members", "its members"),
        ("convene_within", "when it meets"),
        ("finish_within", "when it is done"),
    ):
        yield from view.need(f"incidents.joint_inquiry.{key}", "The joint inquiry", what)
    incidents = given(view.agreement.incidents)
    told = given(incidents.joint_inquiry) if incidents else None
    for name in (given(told.members) if told else None) or ():
        if not view.knows_party(name):
            yield view.odd("incidents.joint_inquiry.members", f"Joint inquiry: {name} is no party.")


@check(
    "INC-03",
    "evidence",
    severity=Severity.WARNING,
    keys=("incidents.evidence", "incidents.evidence.hold_for"),
    fix="""
incidents:
  evidence: {hold_for: P2Y, hand_over: copies to every member, hash: SHA-256 in the record}
""",
)
def evidence(view: View) -> Iterator[Gap]:
    """Find incidents that do not say how long evidence is kept."""
    yield from view.need("incidents.evidence.hold_for", "Incident handling", "how long evidence is kept")


@check(
    "INC-04",
    "unknown is allowed",
    severity=Severity.WARNING,
    keys=("incidents.unknown_attribution_allowed",),
    fix="""
incidents: {unknown_attribution_allowed: true}
""",
)
def unknown(view: View) -> Iterator[Gap]:
    """Find incidents whose actor may not stay undetermined."""
    path = "incidents.unknown_attribution_allowed"
    yield from view.need(path, "Incident handling", "that it may stay unknown who did it")
    told = given(view.agreement.incidents)
    if told is not None and given(told.unknown_attribution_allowed) is False:
        yield view.odd(path, "Incidents: somebody must be named, even where nobody knows who did it.")


@check(
    "INC-05",
    "channel before reply",
    severity=Severity.ERROR,
    keys=("incidents", "incidents.channel_first"),
    fix="""
incidents: {channel_first: true}
""",
)
def channel_first(view: View) -> Iterator[Gap]:
    """Find incidents in which a reply may come before the channel was tried."""
    yield from view.need("incidents.channel_first", "Incident handling", "that the channel is tried before any reply")
    told = given(view.agreement.incidents)
    if told is not None and given(told.channel_first) is False:
        yield view.odd("incidents.channel_first", "Incidents: a reply may come before the channel was tried.")


@check(
    "INC-06",
    "humanitarian harm",
    severity=Severity.WARNING,
    keys=("incidents.humanitarian_harm",),
    armed_only=True,
    fix="""
incidents:
  humanitarian_harm: {follow_up_within: P1D, data: shared with the aid cell}
""",
)
def harm(view: View) -> Iterator[Gap]:
    """Find incidents without a duty to follow up harm to protected people and sites."""
    yield from view.need(
        "incidents.humanitarian_harm", "Incident handling", "what is owed when protected people are harmed"
    )


@check(
    "INC-07",
    "public statements",
    severity=Severity.INFORMATION,
    keys=("incidents.before_public_blame",),
    fix="""
incidents: {before_public_blame: P3D}
""",
)
def statements(view: View) -> Iterator[Gap]:
    """Find incidents after which blame may be spoken at once."""
    yield from view.need(
        "incidents.before_public_blame", "Incident handling", "how long the sides wait before public blame"
    )
