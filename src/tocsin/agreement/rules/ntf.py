"""NOT: notification. A notice informs; it is received, passed on and read; it never asks leave."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.compile import ALL
from tocsin.agreement.notices.budget import fault_of
from tocsin.agreement.rules.check import Gap, Severity, View, check
from tocsin.agreement.rules.wrn import channel_ends
from tocsin.agreement.terms.mechanisms import Notice
from tocsin.agreement.terms.state import State, given


@check(
    "NOT-01",
    "movement notice",
    severity=Severity.ERROR,
    keys=(
        "notices",
        "notices.movement",
        "notices.movement.required_for",
        "notices.movement.content",
        "notices.movement.lead",
    ),
    fix="""
notices:
  movement: {required_for: [north, south], content: [vehicles, route, from, to], lead: PT24H}
""",
)
def movement(view: View) -> Iterator[Gap]:
    """Find a movement notice without who gives it, what stands in it, and how long before."""
    for key, what in (
        ("required_for", "who gives it"),
        ("content", "what stands in it"),
        ("lead", "how long before it is given"),
    ):
        yield from view.need(f"notices.movement.{key}", "The movement notice", what)
    for kind, notice in _notices(view):
        for name in given(notice.required_for) or ():
            if not view.knows_party(name) and name != ALL:
                path = f"{notice.path}.required_for"
                yield view.odd(path, f"{kind} notice: required_for names {name}, which is no party.")
        fault = fault_of(given(notice.excursions))
        if fault is not None:
            yield view.odd(f"{notice.path}.excursions", f"{kind} notice: its excursions have {fault}.")


@check(
    "NOT-02",
    "three receipts",
    severity=Severity.ERROR,
    keys=(
        "notices", "notices.movement", "notices.movement.receipt_within", "notices.movement.passed_to",
        "notices.movement.passed_within", "notices.movement.read_within",
    ),
    fix="""
notices:
  movement: {receipt_within: PT15M, passed_to: [watch], passed_within: PT30M, read_within: PT60M}
""",
)  # fmt: skip
def receipts(view: View) -> Iterator[Gap]:
    """Find a movement notice without its three receipts: received, passed on, read by the unit; each by when."""
    for key, what in (
        ("receipt_within", "the deadline to confirm receipt"),
        ("passed_to", "the unit it is passed on to"),
        ("passed_within", "the deadline to pass it on"),
        ("read_within", "the deadline by which the unit has read it"),
    ):
        yield from view.need(f"notices.movement.{key}", "The movement notice", what)


@check(
    "NOT-03",
    "notice is not leave",
    severity=Severity.ERROR,
    keys=("notices", "notices.movement", "notices.movement.ack_is_permission"),
    fix="""
notices:
  movement: {ack_is_permission: false}
""",
)
def not_leave(view: View) -> Iterator[Gap]:
    """Find notices that do not say that an acknowledgement is no permission, or say that it is."""
    path = "notices.movement.ack_is_permission"
    yield from view.need(path, "The movement notice", "that an acknowledgement is not permission")
    for kind, notice in _notices(view):
        if given(notice.ack_is_permission) is True:
            message = f"{kind} notice: it takes an acknowledgement for permission; a notice informs and asks no leave."
            yield view.odd(f"{notice.path}.ack_is_permission", message)


@check(
    "NOT-04",
    "changes and short notice",
    severity=Severity.WARNING,
    keys=("notices.movement.change_or_cancel", "notices.movement.short_notice"),
    fix="""
notices:
  movement: {change_or_cancel: same_form, short_notice: {allowed: true, min: PT1H, reason_required: true}}
""",
)
def changes(view: View) -> Iterator[Gap]:
    """Find a movement notice without the way to change or cancel it, or to give it late."""
    yield from view.need("notices.movement.change_or_cancel", "The movement notice", "how it is changed or cancelled")
    yield from view.need("notices.movement.short_notice", "The movement notice", "the path for an emergency")


@check(
    "NOT-05",
    "recipients closed",
    severity=Severity.WARNING,
    keys=("notices.movement.passed_to", "channels"),
    fix="""
notices:
  movement: {passed_to: [watch, unit_12]}
""",
)
def recipients(view: View) -> Iterator[Gap]:
    """Find a movement notice without a closed list of the units that must hold it, or one that no channel ends at."""
    yield from view.need("notices.movement.passed_to", "The movement notice", "the closed list of units that hold it")
    ends = [channel_ends(channel) for channel in view.channels]
    all_known = bool(ends) and all(ends)  # a channel whose ends are left open may be the one
    for kind, notice in _notices(view):
        for name in given(notice.passed_to) or ():
            path = f"{notice.path}.passed_to"
            if name == ALL:
                yield view.odd(path, f"{kind} notice: it is passed to all, which is no closed list.")
            elif not view.knows_party(name):
                yield view.odd(path, f"{kind} notice: passed_to names {name}, which is no party.")
            elif all_known and not any(name in ended for ended in ends):
                why = "no channel ends at it, so it cannot be told when a receipt is overdue"
                yield view.odd(path, f"{kind} notice: passed_to names {name}; {why}.")


@check(
    "NOT-06",
    "secrecy of notices",
    severity=Severity.INFORMATION,
    keys=("notices.movement.visible_to", "notices.movement.keep_for"),
    fix="""
notices:
  movement: {visible_to: [watch], keep_for: P1Y}
""",
)
def secrecy(view: View) -> Iterator[Gap]:
    """Find a movement notice that does not say who may see it and how long it is kept."""
    if view.agreement.state("notices.movement") in (State.SILENT, State.NOT_SET):
        yield from view.need("notices.movement", "The movement notice", "who may see it, and how long it is kept")
        return
    yield from view.need("notices.movement.visible_to", "The movement notice", "who may see it")
    yield from view.need("notices.movement.keep_for", "The movement notice", "how long it is kept")


def _notices(view: View) -> Iterator[tuple[str, Notice]]:
    told = given(view.agreement.notices)
    for kind, notice in (("Movement", told.movement), ("Humanitarian", told.humanitarian)) if told else ():
        found = given(notice)
        if found is not None:
            yield kind, found
