"""EXT: exit. How a party leaves or suspends, what outlives that, and who is told when the term runs out."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.rules.check import Gap, Severity, View, check


@check(
    "EXT-01",
    "exit and suspension",
    severity=Severity.ERROR,
    keys=("exit", "exit.notice", "exit.partial"),
    fix="""
exit: {notice: P60D, partial: false}
""",
)
def leaving(view: View) -> Iterator[Gap]:
    """Find an agreement without the notice of exit, or whether it can be left in part."""
    yield from view.need("exit.notice", "The exit clause", "how long before it is announced")
    yield from view.need("exit.partial", "The exit clause", "whether it may be suspended in part")


@check(
    "EXT-02",
    "what survives",
    severity=Severity.WARNING,
    keys=("exit.channels_survive", "exit.data_survives"),
    fix="""
exit: {channels_survive: P90D, data_survives: P5Y}
""",
)
def survives(view: View) -> Iterator[Gap]:
    """Find an agreement that does not say which channels and data outlive it."""
    yield from view.need("exit.channels_survive", "The exit clause", "how long the channels outlive the agreement")
    yield from view.need("exit.data_survives", "The exit clause", "how long the data outlive the agreement")


@check(
    "EXT-03",
    "lapse is an event",
    severity=Severity.WARNING,
    keys=("exit.on_lapse",),
    fix="""
exit: {on_lapse: told to all on all_call}
""",
)
def lapse(view: View) -> Iterator[Gap]:
    """Find an agreement whose end nobody is told."""
    yield from view.need("exit.on_lapse", "The exit clause", "who is told, and what holds, when the term runs out")
