"""How long to wait before the next try: doubling up to a bound, and never all at once.

Full jitter (Brooker, "Exponential Backoff And Jitter", 2015) above a floor, so that a hundred feeds that lost one
broker do not come back in one second (FAULTS 32, 38), and none of them spins.
"""

from __future__ import annotations

import random

RETRY_S = 1.0
MOST_RETRY_S = 60.0
"""Waits between tries to connect to a source: from the first to the last, seconds."""


class Pace:
    """The waits between tries.

    Parameters
    ----------
    least_s, most_s : float
        Bounds of a wait, seconds.
    """

    def __init__(self, *, least_s: float, most_s: float) -> None:
        self._least_s = least_s
        self._most_s = max(most_s, least_s)
        self._tries = 0

    def next_s(self) -> float:
        """Return the next wait in seconds: between half and the whole of a bound that doubles."""
        bound = min(self._most_s, self._least_s * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return bound * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin again with the least: the last try went well."""
        self._tries = 0
