"""The only place that knows what time it is.

Everything else is given its time as an argument (house rule 5), so that a replay of last year and
the live watch of tonight run the same code. Instants are int64 microseconds since 1970, UTC.
"""

from __future__ import annotations

import time

US_PER_S = 1_000_000
"""Microseconds in a second."""


def now_us() -> int:
    """Return the wall clock, in microseconds UTC."""
    return time.time_ns() // 1_000


def monotonic_us() -> int:
    """Return a clock that never steps back, in microseconds since an unknown origin."""
    return time.monotonic_ns() // 1_000
