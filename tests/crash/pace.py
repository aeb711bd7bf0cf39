"""A machine whose clocks go `PACE` times as fast, so that a station lives through hours in minutes.

    python -m tests.crash.pace ORIGIN run AGREEMENT --data DIR ...

Wall clock and steady clock go alike, as on one machine, from one instant for a whole run: a restart finds them gone on.
Nothing of the station is changed but what its two clocks say (FAULTS §2, CLOCK).
"""

from __future__ import annotations

import sys
import time

from tocsin import clock

PACE = 120
"""Seconds of the machine in a second of ours."""

BEGAN_S = 1_790_000_000
"""What the machine's wall clock said at the instant at which it began."""


def machine_s(origin_s: float) -> float:
    """Return what the machine's wall clock says.

    Parameters
    ----------
    origin_s : float
        When our steady clock stood at the machine's beginning, seconds.
    """
    return BEGAN_S + (time.monotonic() - origin_s) * PACE


def quicken(origin_s: float) -> None:
    """Let this process be on such a machine."""

    def reading() -> clock.Reading:
        now_s = machine_s(origin_s)
        boot, process = clock._identity()
        monotonic_us = round((now_s - BEGAN_S) * clock.US_PER_S)
        return clock.Reading(
            wall_us=round(now_s * clock.US_PER_S), monotonic_us=monotonic_us, boot=boot, process=process
        )

    from tocsin.station.durable import timing

    timing.reading = reading


if __name__ == "__main__":
    from tocsin.cli import main

    quicken(float(sys.argv.pop(1)))
    sys.argv[0] = "tocsin"
    main()
