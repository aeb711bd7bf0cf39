"""REC: record. Who keeps the log, what proves it unchanged, who may read what, and who else remembers it."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.custody import custody_faults
from tocsin.agreement.rules.check import Gap, Severity, View, check
from tocsin.agreement.terms.state import State, given
from tocsin.agreement.visible import PUBLIC, grant_of
from tocsin.errors import AgreementError


@check(
    "REC-01",
    "log",
    severity=Severity.WARNING,
    keys=(
        "record", "record.keeper", "record.tamper_evident", "record.clock_source", "record.witnesses",
        "record.witnesses[].key", "record.quorum",
    ),
    fix="""
record: {keeper: one log per signatory, tamper_evident: true, clock_source: UTC by GNSS}
""",
)  # fmt: skip
def log(view: View) -> Iterator[Gap]:
    """Find a record without keeper, proof against changes or clock, and terms of witnesses that cannot be met."""
    yield from view.need("record.keeper", "The record clause", "who keeps the log")
    yield from view.need("record.tamper_evident", "The record clause", "whether a change of the log can be proved")
    yield from view.need("record.clock_source", "The record clause", "the clock it is kept by")
    yield from _witnesses(view)


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


def _witnesses(view: View) -> Iterator[Gap]:
    """Yield what is at odds in the terms of witnesses; one that names none is not asked for them."""
    told = given(view.agreement.record)
    for key, what in (
        ("witnesses", "which parties' nodes witness the log"),
        ("quorum", "how many of them must have seen a tree"),
    ):
        path = f"record.{key}"
        if view.agreement.state("record") is State.SET and view.agreement.state(path) is State.NOT_SET:
            yield from view.need(path, "The record clause", what)
    named = given(told.witnesses) if told else None
    if told is None or named is None:
        return
    if not named:
        yield view.odd("record.witnesses", "Witnesses: found an empty list, expected at least one witness.")
    for one in named:
        yield from view.need_of(one, "key", f"Witness {one.party}", "the key of its node")
    for path, found, expected in custody_faults(view.agreement, told, named):
        yield view.odd(path, f"Witnesses: found {found}, expected {expected}.")
