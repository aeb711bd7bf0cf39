"""Axis: instants on a line on which long silences are cut short, so that minutes stay readable in a day.

Between two instants the axis goes evenly up to `cap`; what is longer is drawn as a break, with its length in words.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from msgspec import Struct

from tocsin.clock import US_PER_S
from tocsin.serve.report.text import clock, date, minute
from tocsin.units import format_duration

BREAK = 34.0
"""Width of a break."""
LEAST = 2.0
"""Least width between two instants that differ."""
TICK_APART = 62.0
LEAST_CAP_S = 120.0
CAP_SPACINGS = 8.0
"""A silence is cut short when longer than this many times the usual distance between two instants."""


class Break(Struct, frozen=True):
    """A silence cut short."""

    left: float
    right: float
    text: str


class AxisTick(Struct, frozen=True):
    """A time written under the axis; the first of a day carries its date."""

    x: float
    text: str
    day: str


class Axis:
    """Instants to places.

    Parameters
    ----------
    instants_us : iterable of int
        All that will be asked for, at least one.
    left, right : float
        Where the first and the last one stand.
    """

    def __init__(self, instants_us: Iterable[int], *, left: float, right: float) -> None:
        self.at_us = np.unique(np.fromiter(instants_us, np.int64))
        gaps_s = np.diff(self.at_us) / US_PER_S
        cap_s = max(LEAST_CAP_S, CAP_SPACINGS * float(np.median(gaps_s))) if len(gaps_s) else LEAST_CAP_S
        cut = gaps_s > cap_s
        room = right - left - BREAK * cut.sum() - LEAST * (~cut).sum()
        even_s = float(gaps_s[~cut].sum())
        per_s = max(room, 0.0) / even_s if even_s else 0.0
        widths = np.where(cut, BREAK, LEAST + gaps_s * per_s)
        if not even_s and len(widths):
            widths = widths * (right - left) / widths.sum()
        self.x = left + np.concatenate([[0.0], np.cumsum(widths)])
        self.breaks = tuple(
            Break(float(self.x[i]), float(self.x[i + 1]), format_duration(float(gaps_s[i])))
            for i in np.flatnonzero(cut)
        )

    def place(self, at_us: int) -> float:
        """Return where an instant stands."""
        return round(float(np.interp(at_us, self.at_us, self.x)), 1)

    def ticks(self) -> tuple[AxisTick, ...]:
        """Return times to write, far enough apart to be read; those beside a break first."""
        edges = {0, len(self.at_us) - 1}
        for cut in self.breaks:
            i = int(np.searchsorted(self.x, cut.left + 1e-6)) - 1
            edges |= {i, i + 1}
        chosen: list[int] = []
        for i in [*sorted(edges), *range(len(self.at_us))]:
            if all(abs(self.x[i] - self.x[j]) >= TICK_APART for j in chosen):
                chosen.append(i)
        found, day = [], ""
        for i in sorted(chosen):
            at = int(self.at_us[i])
            text = minute(at) if at % (60 * US_PER_S) == 0 else clock(at)
            found.append(AxisTick(round(float(self.x[i]), 1), text, date(at) if date(at) != day else ""))
            day = date(at)
        return tuple(found)
