"""Owed: the receipts that are awaited for one notice, and what one that comes does to them.

One for `received`, and one for `passed_on` and for `read` of every unit on the agreement's list. What may become of
each is the table in `receipts.py`; here it is decided which input a receipt is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from tocsin.agreement.notices.notice import Notice, ReceiptOf
from tocsin.agreement.notices.receipts import HERE, OPEN, LineInput, LineState, next_line
from tocsin.agreement.notices.rules import Rule
from tocsin.agreement.notices.words import Disposition, Receipt
from tocsin.clock import US_PER_S
from tocsin.units import format_instant_if

ORDER = tuple(Receipt)
"""The three receipts in order."""

Key: TypeAlias = tuple[Receipt, str | None]
"""Which receipt, of which unit."""


class Line(Struct, kw_only=True):
    """One receipt that is owed.

    Attributes
    ----------
    receipt : Receipt
    unit : str or None
        Whose; None for `received`.
    deadline_us : int or None
    state : LineState
    at_us : int or None
        When it came, as its giver says.
    of : str or None
        The party that gave it.
    """

    receipt: Receipt
    unit: str | None
    deadline_us: int | None
    state: LineState = LineState.AWAITED
    at_us: int | None = None
    of: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the line as a JSON object."""
        return {
            "receipt": str(self.receipt),
            "unit": self.unit,
            "deadline": format_instant_if(self.deadline_us),
            "state": str(self.state),
            "at": format_instant_if(self.at_us),
        }


def lines_owed(notice: Notice, rule: Rule | None) -> dict[Key, Line]:
    """Return the receipts that are owed for a notice, in order: none where the agreement sets no such notices.

    Notes
    -----
    Every deadline is counted from when the notice was given, or reached this system if that was later.
    """
    if rule is None:
        return {}

    def deadline_us(receipt: Receipt) -> int | None:
        within_s = rule.within_s.get(receipt)
        return None if within_s is None else notice.at_us + round(within_s * US_PER_S)

    owed: list[Key] = [(Receipt.RECEIVED, None)]
    owed += [(receipt, unit) for receipt in (Receipt.PASSED_ON, Receipt.READ) for unit in rule.passed_to]
    return {key: Line(receipt=key[0], unit=key[1], deadline_us=deadline_us(key[0])) for key in owed}


def upstream(lines: Mapping[Key, Line], receipt: Receipt, unit: str | None) -> Iterator[Line]:
    """Yield the lines that come before a receipt on the way to its unit."""
    for earlier in ORDER[: ORDER.index(receipt)]:
        line = lines.get((earlier, unit)) or lines.get((earlier, None))
        if line is not None:
            yield line


def hear(lines: Mapping[Key, Line], receipt: ReceiptOf, *, given_us: int, ended_us: int | None) -> Disposition:
    """Count a receipt on its line, and return what it did.

    Parameters
    ----------
    lines : mapping of Key to Line
        Changed in place.
    receipt : ReceiptOf
    given_us : int
        When the notice was given.
    ended_us : int or None
        When it ended; None while it stands.
    """
    line = lines.get((receipt.receipt, receipt.unit))
    if line is None:
        return Disposition.NOT_LISTED
    if receipt.at_us < given_us:
        return Disposition.BEFORE_NOTICE
    was_here = line.state in HERE
    if ended_us is not None and receipt.at_us >= ended_us and not was_here:
        return Disposition.AFTER_END
    in_time = line.deadline_us is None or receipt.at_us <= line.deadline_us
    line.state = next_line(line.state, LineInput.CAME if in_time else LineInput.CAME_LATE)
    if was_here:
        return Disposition.DOUBLE
    line.at_us, line.of = receipt.at_us, receipt.of
    for behind in upstream(lines, receipt.receipt, receipt.unit):
        if behind.state in OPEN:
            behind.state = next_line(behind.state, LineInput.FURTHER)
    return Disposition.COUNTED if in_time else Disposition.LATE
