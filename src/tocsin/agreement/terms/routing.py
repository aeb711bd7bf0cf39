"""Routing: which party sees what, from when, how exactly. Same rules as `model.py`."""

from __future__ import annotations

from tocsin.agreement.terms.state import Maybe
from tocsin.agreement.terms.types import InstantUs, LengthM, Record, Seconds, Words


class RoutingGrant(Record, frozen=True, kw_only=True):
    """What one party sees: words, and the time, delay and blur that bound them."""

    sees: Maybe[Words] = None
    blur_m: Maybe[LengthM] = None
    from_us: Maybe[InstantUs] = None
    until_us: Maybe[InstantUs] = None
    delay_s: Maybe[Seconds] = None
