"""The only place that knows what time it is.

Everything else is given its time as an argument (house rule 5), so that a replay of last year and
the live watch of tonight run the same code. Instants are int64 microseconds since 1970, UTC.
"""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path

from msgspec import Struct

US_PER_S = 1_000_000
"""Microseconds in a second."""


def now_us() -> int:
    """Return the wall clock, in microseconds UTC."""
    return time.time_ns() // 1_000


def monotonic_us() -> int:
    """Return a clock that never steps back, in microseconds since an unknown origin."""
    return time.monotonic_ns() // 1_000


class Reading(Struct, frozen=True, kw_only=True):
    """Every clock at one moment, and whose they are.

    Attributes
    ----------
    wall_us : int
        The wall clock, microseconds UTC: what it says may be set by anybody.
    monotonic_us : int
        A clock that never steps; it counts from the machine's start, through sleep where the system can.
    boot : str
        Which start of the machine `monotonic_us` counts from; empty where the system does not say.
    process : str
        Which process read them.
    """

    wall_us: int
    monotonic_us: int
    boot: str
    process: str


def reading() -> Reading:
    """Return every clock as it stands now."""
    through_sleep = getattr(time, "CLOCK_BOOTTIME", None)
    monotonic_ns = time.monotonic_ns() if through_sleep is None else time.clock_gettime_ns(through_sleep)
    boot, process = _identity()
    return Reading(wall_us=now_us(), monotonic_us=monotonic_ns // 1_000, boot=boot, process=process)


@cache
def _identity() -> tuple[str, str]:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = ""
    return boot, f"{os.getpid()}/{time.time_ns()}"
