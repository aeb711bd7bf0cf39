"""Vigil: when to warn of one track at one zone, and when to be ready to warn again.

A warning is given once it is nearly sure that the track enters within the horizon, or, while half the horizon is still
left, likely enough; how likely depends on how predictable the track is. The moment is worked out at a fix, for the time
after it too: if no further fix has come by then, the warning is given at that moment, however seldom reports come.
After it there is silence until the entry, or until the forecast is clearly false and one horizon is over.
Knows no rules, windows or words.
"""

from __future__ import annotations

from math import inf, isfinite, nan

import numpy as np

from tocsin.kernels.forecast.forecast import Outlook, entry_chance, most_chance, time_to_s
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.chance import logistic
from tocsin.kernels.numbers.trig import log
from tocsin.kernels.tables import NEVER, VIGIL_FIELDS, Row, Rows

US_PER_S = 1_000_000

SURE = 0.9
"""Warn as soon as entry within the horizon is as likely as this; higher gives shorter leads."""

SOON = 0.7
"""Share of the horizon, with its patience, within which a likely entry is warned of: later would be too late to count
as half a horizon before, sooner more would come to nothing."""

LIKELY, LIKELY_STRAY, LIKELY_LEAST = 0.42, 0.75, 0.2
"""Chance from which an entry that soon is warned of, how much less for a track that may stray, and the least. F1 is
best where the chance asked for is about half of the best F1 that such tracks allow."""

LIKELY_SELDOM = 1.0
"""How much less where reports come seldom for the horizon, by the cube of their interval's share in both: there is
hardly a better forecast to wait for. Chosen by the F1 of half 0 at three layouts, one and five minutes ahead."""

PATIENCE = 1.1
"""A forecast is for this many horizons: what the definition of a right warning allows."""

SURE_SHARE = 0.92
"""Share of that within which it must be sure: one horizon."""

CLEARLY_FALSE = 0.15
"""A forecast below this chance is clearly false."""

SOONER_S = 0.001
"""A forecast is taken to replace the one before so much later than it is made, far more than rounding, seconds."""

MISSES = 2
"""Forecasts in a row that must be clearly false before an approach is over; lower ends it too soon."""

REARM, REARM_LEAST, STEADY = 2.0, 1.0, 6
"""After a warning none follows for so many horizons with their patience, unless the track was inside; or for the least
of them, if the last so many forecasts in a row were clearly false: then it has turned away, and what comes is another
approach. Less of either and more warnings of one entry repeat."""

MOST_MISSES = 200
"""As far as forecasts that were clearly false are counted."""

SAID, SAID_STRAY = 0.23, 1.03
"""What log odds gain when they are said: a forecast that reached a threshold has come true a little more often than it
says, more so where the track may stray; fitted like `forecast.SPREAD`."""

SAID_SHORT, SHORTER_S = 0.26, 300.0
"""What they gain besides for each unit, in logarithms, by which the look-ahead is shorter than this, seconds. Fitted to
warnings of half 0 at six layouts of zones, each set and look-ahead by the root of how many there were."""

SAID_KNOWN, SAID_SURER = 0.06, 0.65
"""What they gain besides, and are raised by for each of theirs, where earlier passages count for all: what others did
spreads less than the fan that was fitted to such tracks. Fitted to warnings of half 0, passages of the own track left
out."""

ASK_SHARE, ASK_LEAST_S, ASK_MOST_S = 1.0 / 12.0, 5.0, 60.0
"""A new forecast is made at the first fix this share of the horizon after the last, and in these bounds, seconds."""

IDLE, DUE, WARNED, OVER = range(4)
"""Standing: nothing; a warning is due at `began_us` unless a fix changes it; it was given then; and it proved false."""

VIGIL = np.dtype([("began_us", "i8"), *VIGIL_FIELDS], align=True)
"""One track at one zone for one horizon. Whatever row has these fields will do."""


@kernel
def clear_vigil(row: Row) -> None:
    """Make a row that of a pair of which nothing is known, or that was inside."""
    row.began_us, row.standing, row.misses = NEVER, IDLE, 0
    row.chance = row.time_s = row.time_lo_s = row.time_hi_s = nan


@kernel
def ask_every_s(horizon_s: float) -> float:
    """Return how long a forecast for a horizon is kept while fixes come, seconds."""
    return min(max(ASK_SHARE * horizon_s, ASK_LEAST_S), ASK_MOST_S)


@kernel
def likely_enough(view: Outlook, horizon_s: float) -> float:
    """Return the chance from which an entry soon is warned of, for a horizon with its patience."""
    seldom = view.interval_s / (view.interval_s + horizon_s)
    return max(LIKELY - LIKELY_STRAY * view.stray - LIKELY_SELDOM * seldom * seldom * seldom, LIKELY_LEAST)


@kernel
def least_due(view: Outlook, soonest_s: float) -> float:
    """Return the chance below which no warning is due, for this horizon or one down to the soonest, however late."""
    return min(SURE, likely_enough(view, soonest_s))


@kernel
def _due_s(ways: Rows, n: int, view: Outlook, chance: float, ahead_s: float, carry_s: float, within_s: float) -> float:
    """Return in how many seconds an entry within a time ahead has a chance; infinite if surely not within a time."""
    if entry_chance(ways, n, view, ahead_s + min(carry_s, within_s)) < chance:
        return inf
    return time_to_s(ways, n, view, chance, ahead_s + carry_s) - ahead_s


@kernel
def warning_due_s(ways: Rows, n: int, view: Outlook, carry_s: float, within_s: float) -> float:
    """Return in how many seconds a warning is due if the track goes on unseen: 0 for now, infinite for never.

    Infinite, too, if that is surely not within a time: the same number as without, or one that is no sooner.
    """
    if most_chance(ways, n, view) < least_due(view, view.horizon_s):
        return inf
    sure = _due_s(ways, n, view, SURE, SURE_SHARE * view.horizon_s, carry_s, within_s)
    if sure <= 0.0:
        return 0.0
    likely = _due_s(ways, n, view, likely_enough(view, view.horizon_s), SOON * view.horizon_s, carry_s, within_s)
    return max(min(sure, likely), 0.0)


@kernel
def _tell(row: Row, ways: Rows, n: int, view: Outlook, due_s: float) -> None:
    """Write what the warning will say."""
    latest_s = due_s + view.horizon_s
    chance = entry_chance(ways, n, view, latest_s)
    shorter = max(log(PATIENCE * SHORTER_S / view.horizon_s), 0.0)
    odds = SAID + SAID_STRAY * view.stray + SAID_SHORT * shorter + log(chance / (1.0 - chance))
    row.chance = logistic(odds + view.known * (SAID_KNOWN + SAID_SURER * odds))
    row.time_lo_s = max(time_to_s(ways, n, view, 0.1 * chance, latest_s) - due_s, 0.0)
    row.time_s = max(time_to_s(ways, n, view, 0.5 * chance, latest_s) - due_s, 0.0)
    row.time_hi_s = max(time_to_s(ways, n, view, 0.9 * chance, latest_s) - due_s, 0.0)


@kernel
def is_due(row: Row, now_us: int) -> bool:
    """Return True if a warning fell due before an instant at which no fix is older."""
    return bool((row.standing == DUE) & (row.began_us < now_us))


@kernel
def falls_due(row: Row, now_us: int) -> bool:
    """Return what `is_due` does; the warning is given then."""
    if is_due(row, now_us):
        row.standing, row.misses = WARNED, 0
        return True
    return False


@kernel
def hold_vigil(row: Row) -> bool:
    """Return True if a warning stands or stood, and let one that stands not end: the track may be inside."""
    if row.standing == WARNED:
        row.misses = 0
    return bool(row.standing >= WARNED)


@kernel
def warn_now(row: Row, at_us: int, inside: float, within_s: float) -> None:
    """Warn of a track that may be inside already: so likely now, or, as was forecast, before long."""
    known = inside if row.standing == IDLE else max(inside, row.chance)
    row.standing, row.misses, row.began_us = WARNED, 0, at_us
    row.chance, row.time_s, row.time_lo_s, row.time_hi_s = known, 0.0, 0.0, within_s


@kernel
def _silent_us(row: Row, horizon_s: float) -> int:
    """Return how long after a warning no other follows, as things stand."""
    return np.int64((REARM_LEAST if row.misses >= STEADY else REARM) * horizon_s * US_PER_S)


@kernel
def keep_vigil(
    row: Row, ways: Rows, n: int, view: Outlook, at_us: int, carry_s: float, within_s: float
) -> tuple[bool, bool]:
    """Take a new forecast of a track outside a zone.

    Parameters
    ----------
    row : record of VIGIL
        Changed.
    ways : ndarray, shape (m, 3), float64
        As `forecast.weigh_ways` wrote them.
    n : int
        How many; 0 if no direction meets the zone: then there is no chance, and `ways` and `view` are not looked at.
    view : Outlook
    at_us : int
        Instant of the fix.
    carry_s : float, seconds
        How long the forecast is good for.
    within_s : float, seconds
        When the next one is surely made, infinite if that is not known: a warning that is due no sooner is not noted.

    Returns
    -------
    warned, ended : bool
        Whether a warning is given now, and whether an approach that was warned of has proved false.
    """
    ended = False
    if row.standing >= WARNED:
        false = n == 0 or entry_chance(ways, n, view, view.horizon_s) < CLEARLY_FALSE
        row.misses = min(row.misses + 1, MOST_MISSES) if false else 0
        if row.standing == WARNED and row.misses >= MISSES:
            row.standing, ended = OVER, True
        if row.misses == 0 or at_us - row.began_us < _silent_us(row, view.horizon_s):
            return False, ended
        ended = ended or row.standing == WARNED
    clear_vigil(row)
    due_s = warning_due_s(ways, n, view, carry_s, within_s) if n > 0 else inf
    if isfinite(due_s):
        _tell(row, ways, n, view, due_s)
        row.standing, row.began_us = DUE, at_us + np.int64(due_s * US_PER_S)
        if due_s == 0.0:
            row.standing = WARNED
            return True, ended
    return False, ended
