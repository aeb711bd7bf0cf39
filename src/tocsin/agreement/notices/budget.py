"""Budget: by how much a notified mover may leave what its notice told, as agreed, else that of ASTM F3548.

Implements `excursions` of a section of the agreement's `notices`. What is blank there keeps the standard's number: 10 s
at a time, 18 in an hour, 95 % of the time inside, 60 s to come back.

References
----------
ASTM F3548-21, conformance monitoring for situational awareness.
"""

from __future__ import annotations

from msgspec import Struct

from tocsin.agreement.terms.mechanisms import Excursions
from tocsin.agreement.terms.state import given


class Budget(Struct, frozen=True, kw_only=True):
    """What a notified mover may leave its place by.

    Attributes
    ----------
    single_s : float
        The longest excursion.
    per_hour : int
        Excursions that begin within one hour.
    inside_share : float
        The least share of the time inside, 0 to 1, counted over an hour or over the whole time if that is longer.
    recover_s : float
        The longest until it is back; beyond it the excursion counts as not recovered.
    """

    single_s: float = 10.0
    per_hour: int = 18
    inside_share: float = 0.95
    recover_s: float = 60.0


F3548 = Budget()
"""The budget of ASTM F3548: 18 excursions of 10 s are the 5 % of an hour that its 95 % leave."""


def budget_of(told: Excursions | None) -> Budget:
    """Return the agreed budget; what it leaves blank is the standard's.

    Raises
    ------
    ValueError
        For a number that is no budget; `fault_of` says which.
    """
    fault = fault_of(told)
    if fault is not None:
        raise ValueError(fault)
    if told is None:
        return F3548
    agreed = {
        "single_s": given(told.single_s),
        "per_hour": given(told.per_hour),
        "inside_share": None if (percent := given(told.inside_percent)) is None else percent / 100.0,
        "recover_s": given(told.recover_s),
    }
    return Budget(**{name: value for name, value in agreed.items() if value is not None})  # type: ignore[arg-type]


def fault_of(told: Excursions | None) -> str | None:
    """Return what is wrong with an agreed budget in words, or None."""
    if told is None:
        return None
    percent, count = given(told.inside_percent), given(told.per_hour)
    if percent is not None and not 0.0 <= percent <= 100.0:
        return f"inside_percent {percent:g}, which is not 0 to 100"
    if count is not None and count < 0:
        return f"per_hour {count}, which is less than none"
    single, recover = given(told.single_s), given(told.recover_s)
    if single is not None and recover is not None and recover < single:
        return f"recover {recover:g} s, which is shorter than the {single:g} s that one excursion may take"
    return None
