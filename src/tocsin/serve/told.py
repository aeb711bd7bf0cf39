"""Told: notices as lines of the report: how far each got, and how its movers kept to it, in words."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.serve.report.model import NoticeLine
from tocsin.units import format_duration, format_instant
from tocsin.watch.excursion import Conformance
from tocsin.watch.notified import Notified


def notice_lines(notified: Notified) -> Iterator[NoticeLine]:
    """Yield a line for each notice of a replay, in the order in which they came."""
    for name, held in notified.register.held.items():
        yield NoticeLine(
            notice_id=name,
            standing=str(held.standing),
            given_us=held.notice.at_us,
            flags=tuple(flagged.words for flagged in held.flags),
            receipts=tuple(
                (_owed(str(line.receipt), line.unit), _became(str(line.state), line.at_us, line.deadline_us))
                for line in held.lines.values()
            ),
            kept=tuple((c.track_id, kept_words(c)) for c in notified.conformance if c.notice_id == name),
        )


def kept_words(conformance: Conformance) -> str:
    """Return how a track kept to its notice, in words."""
    if not conformance.seen:
        return "not seen in its time"
    outside = format_duration(conformance.outside_s)
    over = ", ".join(str(part).replace("_", " ") for part in conformance.over)
    if over:
        return f"{len(conformance.excursions)} excursions, {outside} outside; beyond the budget: {over}"
    return f"kept to it, {outside} outside" if conformance.excursions else "kept to it"


def _owed(receipt: str, unit: str | None) -> str:
    words = receipt.replace("_", " ")
    return f"{words} {'to' if receipt == 'passed_on' else 'by'} {unit}" if unit else words


def _became(state: str, at_us: int | None, deadline_us: int | None) -> str:
    words = state.replace("_", " ")
    if at_us is not None:
        return f"{words}, {format_instant(at_us)[:19]}Z"
    return words if deadline_us is None else f"{words}, due {format_instant(deadline_us)[:19]}Z"
