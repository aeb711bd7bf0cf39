"""REC: record. Who keeps the log, what proves it unchanged, and who may read what."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.rules.check import Gap, Severity, View, check
from tocsin.agreement.terms.state import given
from tocsin.agreement.visible import PUBLIC, grant_of
from tocsin.errors import AgreementError


@check(
    "REC-01",
    "log",
    severity=Severity.WARNING,
    keys=("record", "record.keeper", "record.tamper_evident", "record.clock_source"),
    fix="""
record: {keeper: one log per signatory, tamper_evident: true, clock_source: UTC by GNSS}
""",
)
def log(view: View) -> Iterator[Gap]:
    """Find a record without keeper, proof against changes, or clock."""
    yield from view.need("record.keeper", "The record clause", "who keeps the log")
    yield from view.need("record.tamper_evident", "The record clause", "whether a change of the log can be proved")
    yield from view.need("record.clock_source", "The record clause", "the clock it is kept by")


@check(
    "REC-02",
    "who sees what",
    severity=Severity.WARNING,
    keys=("routing", "record", "record.visible_to"),
    fix="""
routing: {joint_desk: all, north: [entry, approach], public: monthly_counts}
record: {visible_to: routing}
""",
)
def sees(view: View) -> Iterator[Gap]:
    """Find an agreement that does not say which party sees what."""
    yield from view.need("routing", "The agreement", "which party sees what")
    yield from view.need("record.visible_to", "The record clause", "who may read it")
    for name in sorted(given(view.agreement.routing) or {}):
        if not view.knows_party(name) and name != PUBLIC:
            yield view.odd(f"routing.{name}", f"Routing: {name} is no party.")
    for name, told in sorted((given(view.agreement.routing) or {}).items()):
        path = f"routing.{name}"
        try:
            grant_of(told, begin_us=None, place=view.agreement.where(path))
        except AgreementError as error:
            yield view.odd(path, f"Routing of {name}: found {error.found}, expected {error.expected}.")
