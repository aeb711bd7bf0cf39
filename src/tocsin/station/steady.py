"""The station's time: the wall clock at the start, carried on by a clock that never steps.

Implements FAULTS 19 and 20: a step of the wall clock moves no deadline and no watermark; it is noted and told. Across a
restart time goes on from the last tick at the earliest, so that nothing is taken up twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.clock import US_PER_S, monotonic_us, now_us

STEP_US = 2 * US_PER_S
"""How far the wall clock must part from the steady one to have stepped, microseconds, between two looks."""


@dataclass(slots=True)
class SteadyClock:
    """A clock that does not step.

    Parameters
    ----------
    at_least_us : int
        It begins no earlier: the last tick's time.
    """

    at_least_us: int
    _began_us: int = 0
    _monotonic_us: int = 0
    _offset_us: int = 0

    def __post_init__(self) -> None:
        wall_us = now_us()
        self._began_us = max(wall_us, self.at_least_us)
        self._monotonic_us = monotonic_us()
        self._offset_us = wall_us - self._began_us

    @property
    def behind_us(self) -> int:
        """How far the wall clock was behind the last tick at the start; 0 if it was not."""
        return max(0, -self._offset_us)

    def now_us(self) -> int:
        """Return the time, microseconds UTC."""
        return self._began_us + monotonic_us() - self._monotonic_us

    def step_us(self) -> int:
        """Return how far the wall clock has stepped since this was last asked; 0 if it has not."""
        offset_us = now_us() - self.now_us()
        step_us = offset_us - self._offset_us
        self._offset_us = offset_us  # what is slewed slowly never adds up to a step
        return step_us if abs(step_us) >= STEP_US else 0
