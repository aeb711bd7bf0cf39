"""Routing: which party sees what, from when, how exactly. Same rules as `model.py`."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.agreement.terms.state import Maybe
from tocsin.agreement.terms.types import InstantUs, LengthM, Record, Seconds, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingGrant(Record):
    """What one party sees: words, and the time, delay and blur that bound them."""

    sees: Maybe[Words] = None
    blur_m: Maybe[LengthM] = None
    from_us: Maybe[InstantUs] = None
    until_us: Maybe[InstantUs] = None
    delay_s: Maybe[Seconds] = None
