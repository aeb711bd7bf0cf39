"""REC: record. Who keeps the log, what proves it unchanged, who may read what, and who else remembers it."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.custody import custody_faults
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


@check(
    "REC-03",
    "witnesses",
    severity=Severity.WARNING,
    keys=("record", "record.witnesses", "record.witnesses[].key", "record.quorum"),
    fix="""
record:
  witnesses:
    - party: north
      key: north.example/witness+cc51c384+BGNhpNgLFhcypsHdkNVJfnB9aZrltq5FEgLuqic29Ais
      url: https://north.example/witness
    - party: south
      key: south.example/witness+582edbb2+BPY+JIbt2fP6W0cO7LeugdJUGQfOD5jtO0LdV8fcqjDC
      url: https://south.example/witness
  quorum: 2
""",
)
def witnesses(view: View) -> Iterator[Gap]:
    """Find a log that nobody but its keeper remembers, a witness without a key, and a quorum that cannot be met."""
    yield from view.need("record.witnesses", "The record clause", "which parties' nodes witness the log")
    told = given(view.agreement.record)
    named = given(told.witnesses) if told else None
    if told is None or named is None:
        return
    if not named:
        yield view.odd("record.witnesses", "Witnesses: found an empty list, expected at least one witness.")
    yield from view.need("record.quorum", "The record clause", "how many witnesses must have seen a tree")
    for one in named:
        yield from view.need_of(one, "key", f"Witness {one.party}", "the key of its node")
    for path, found, expected in custody_faults(view.agreement, told, named):
        yield view.odd(path, f"Witnesses: found {found}, expected {expected}.")
