"""DIS: disputes. Who decides, what happens in a deadlock, and what follows a breach."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.rules.check import Gap, Severity, View, check
from tocsin.agreement.terms.state import given


@check(
    "DIS-01",
    "deciding body",
    severity=Severity.ERROR,
    keys=("disputes", "disputes.body", "disputes.decision", "disputes.quorum"),
    fix="""
disputes: {body: joint commission, members: [north, south], quorum: 2, decision: consensus}
""",
)
def body(view: View) -> Iterator[Gap]:
    """Find an agreement without a body that decides, its quorum and its rule."""
    yield from view.need("disputes.body", "Dispute handling", "the body that decides")
    yield from view.need("disputes.quorum", "Dispute handling", "how many must be there to decide")
    yield from view.need("disputes.decision", "Dispute handling", "how it decides")
    told = given(view.agreement.disputes)
    members = given(told.members) if told else None
    for name in members or ():
        if not view.knows_party(name):
            yield view.odd("disputes.members", f"Disputes: member {name} is no party.")
    quorum = given(told.quorum) if told else None
    if members is not None and quorum is not None and quorum > len(members):
        yield view.odd("disputes.quorum", f"Disputes: a quorum of {quorum} cannot be met by {len(members)} members.")


@check(
    "DIS-02",
    "deadlock rule",
    severity=Severity.WARNING,
    keys=("disputes.tie", "disputes.chair"),
    fix="""
disputes: {tie: chair, chair: joint_desk}
""",
)
def deadlock(view: View) -> Iterator[Gap]:
    """Find a deciding body without a rule for a tie, or a chair."""
    yield from view.need("disputes.tie", "Dispute handling", "what happens in a tie")
    yield from view.need("disputes.chair", "Dispute handling", "who is in the chair")


@check(
    "DIS-03",
    "consequences",
    severity=Severity.WARNING,
    keys=("disputes.consequences",),
    fix="""
disputes: {consequences: [question, written warning, loss of an exemption, referral]}
""",
)
def consequences(view: View) -> Iterator[Gap]:
    """Find an agreement without a graded list of what follows a breach."""
    yield from view.need("disputes.consequences", "Dispute handling", "the graded list of consequences")


@check(
    "DIS-04",
    "side documents",
    severity=Severity.WARNING,
    keys=("disputes.side_documents",),
    fix="""
disputes: {side_documents: none}
""",
)
def side_documents(view: View) -> Iterator[Gap]:
    """Find an agreement that does not say whether there are side letters."""
    yield from view.need("disputes.side_documents", "Dispute handling", "whether there are side documents, or none")
