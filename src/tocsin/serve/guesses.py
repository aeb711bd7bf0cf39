"""Wrong keys and tokens, counted by where they come from: a few are mistakes, more are guesses (FAULTS 92).

A right key is never made to wait by wrong ones from the same address, since many may sit behind one. What is bounded
is what a guesser gets out of the station: a refusal that costs it nothing. The memory of sources is bounded too. Pure;
the time is an argument.
"""

from __future__ import annotations

from tocsin.clock import US_PER_S

FREE_GUESSES = 10
"""Wrong keys or tokens of one source before it is told to wait."""

REFILL_US = 6 * US_PER_S
"""Microseconds after which one more guess is free: ten a minute."""

MAX_SOURCES = 10_000
"""Sources remembered (P11); the one that guessed longest ago is forgotten first."""


class Guesses:
    """Wrong guesses of each source: a bucket that leaks."""

    def __init__(self) -> None:
        self._full_until_us: dict[str, int] = {}

    def wrong(self, source: str, now_us: int) -> float:
        """Note a wrong guess; return the seconds that its source must wait, 0 if it need not.

        Parameters
        ----------
        source : str
        now_us : int
        """
        level = max(self._full_until_us.pop(source, 0), now_us) + REFILL_US
        over_us = level - now_us - FREE_GUESSES * REFILL_US
        # A source that goes on guessing does not make its wait longer without end.
        self._full_until_us[source] = min(level, now_us + 2 * FREE_GUESSES * REFILL_US)
        if len(self._full_until_us) > MAX_SOURCES:
            del self._full_until_us[next(iter(self._full_until_us))]
        return max(0.0, over_us / US_PER_S)
