"""Trust: how much earlier passages count against the fan, and what is known of an entry where they do.

It depends on how many and how likely passages are, and on how far the track can be trusted to go straight on. What was
allowed for the fan, because tracks stray from it, is not allowed for what others did from here. Asks nobody but
`routes.py`, and learns nothing from one archive: the numbers are the same for all.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from tocsin.kernels.forecast.forecast import Outlook, Spread
from tocsin.kernels.forecast.routes import PASSAGES
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.chance import exp, logistic
from tocsin.kernels.numbers.trig import log
from tocsin.kernels.tables import Rows


class Trust(NamedTuple):
    """How much passages count; fitted like `forecast.SPREAD`.

    Attributes
    ----------
    unlike : how fast a passage's weight falls with its unlikeness
    fan : weight of the fan where leaving the course and keeping it are alike
    straight : how that weight grows with the odds that the track keeps its course
    most : the most that passages together may count
    steady : what the spread of the time to entry gains along a passage, in logarithms
    settle : what the log odds of an entry gain where passages count for all: constant, and with the logarithm of the
        horizon against 300 s. The longer it is, the oftener is asked before an entry comes or not, and a warning is
        given at the first forecast that reaches a threshold: among many, one that is too high
    """

    unlike: float
    fan: float
    straight: float
    most: float
    steady: float
    settle: float
    settle_time: float


TRUST = Trust(unlike=0.5, fan=0.3, straight=0.5, most=0.95, steady=-0.5, settle=0.43, settle_time=-0.3)
"""In use; see docs/guide/warning-quality.md."""


@kernel
def weigh_routes(
    ways_out: Rows, n: int, route_m: Rows, passages: Rows, view: Outlook, spread: Spread, trust: Trust
) -> tuple[int, Outlook]:
    """Add to the ways of the fan those along passages, the fan's weight made less by what these count for.

    Parameters
    ----------
    ways_out : ndarray, shape (RAYS + PASSAGES, 3), float64
        The first `n` as `forecast.weigh_ways` wrote them.
    n : int
    route_m : ndarray, shape (PASSAGES,), float64
        Metres along each passage to the zone; infinite where it is not met.
    passages : ndarray of PASSAGE
    view : Outlook
    spread : Spread
    trust : Trust

    Returns
    -------
    n : int
        How many ways. A passage whose path ended before it could meet the zone counts for nothing.
    view : Outlook
        That of the track at this zone: it strays the less, the more the passages count for, which tell where it strays
        to, and is known so well.
    """
    whole = 0.0
    for k in range(PASSAGES):
        row = passages[k]
        if row.score == inf:
            break
        known = row.way_m >= view.speed_mps * view.horizon_s or row.way_s >= view.horizon_s
        if known or row.lost == 0 or route_m[k] < inf:
            whole += exp(-trust.unlike * row.score)
    if whole == 0.0:
        return n, view
    fan = trust.fan * exp(trust.straight * log((1.0 - view.stray) / max(view.stray, 1e-9)))
    part = trust.most * whole / (whole + fan)
    for way in range(n):
        ways_out[way, 0] *= 1.0 - part
    for k in range(PASSAGES):
        if passages[k].score == inf:
            break
        if route_m[k] < inf:
            log_s = log(max(route_m[k] / view.speed_mps, 1.0))
            far = log_s - log(300.0)
            unsteady = min(max(view.log_unsteady + trust.steady + spread.unsteady_time * far, -5.0), 2.0)
            ways_out[n, 0] = part * exp(-trust.unlike * passages[k].score) / whole
            ways_out[n, 0] *= logistic(-view.halt - spread.halt_time * far)
            ways_out[n, 1], ways_out[n, 2] = log_s - view.log_pace, exp(-unsteady)
            n += 1
    return n, _known(view, part, trust)


@kernel
def _known(view: Outlook, part: float, trust: Trust) -> Outlook:
    """Return the outlook of a track of which passages tell so much."""
    settle = view.settle + part * (trust.settle + trust.settle_time * log(view.horizon_s / 300.0))
    return Outlook(
        view.speed_mps,
        view.log_width,
        view.lean_deg,
        view.stray * (1.0 - part),
        view.log_pace,
        view.log_unsteady,
        view.halt,
        settle,
        view.slope,
        part,
        view.horizon_s,
        view.interval_s,
    )
