"""Spans: when a track counted as inside one zone on its way between two fixes.

A zone counts while three things hold at once: the position lies in the polygon, the zone is in force, and the altitude
lies in its band. Each may change several times on one way; this module orders the changes and returns the spans in
which
all three hold. Positions and altitudes are taken as linear between two fixes (along the geodesic). An unknown altitude
opens no span and closes none (house rule 11). What a span means is decided in `sweep.py`.
"""

from __future__ import annotations

import numpy as np

from tocsin.kernels.jit import kernel
from tocsin.kernels.tables import FOREVER, Row, Rows

POLYGON, OTHER = 0, 1
"""What a change is: the position crossed the polygon's edge, or the zone's window or the altitude's band began or
ended."""

BY_TRACK, BY_ZONE, BY_KNOWLEDGE = 0, 1, 2
"""Who caused a change: the mover, the zone (a window), or a fix that told what was not known before."""

SINCE_BEFORE = -1.0
"""Begin of a span that was open at the first fix."""

STILL = 2.0
"""End of a span that is open at the second fix."""


@kernel
def in_force(windows_us: Rows, first: int, last: int, at_us: int) -> bool:
    """Return True if an instant lies in one of the half-open windows `windows_us[first:last]` (sorted, disjoint)."""
    lo, hi = first, last
    while lo < hi:
        middle = (lo + hi) // 2
        if windows_us[middle, 0] <= at_us:
            lo = middle + 1
        else:
            hi = middle
    return lo > first and at_us < windows_us[lo - 1, 1]


@kernel
def next_change_us(windows_us: Rows, zone: Row, at_us: int) -> int:
    """Return the first instant after `at_us` at which a zone's force begins or ends, or FOREVER."""
    for w in range(zone.windows_from, zone.windows_to):
        for edge in range(2):
            if windows_us[w, edge] > at_us:
                return windows_us[w, edge]
    return FOREVER


@kernel
def even_out(flip_s: Rows, n: int, changed: bool) -> int:
    """Make the number of boundary crossings agree with the two ends, which are exact, and return it.

    A way that only touches a vertex, or that starts or ends on the edge, can be counted once too often or too seldom.
    The crossing nearest to an end is then dropped; if there is none to drop, the change is put at the second fix.
    """
    if (n % 2 == 1) == changed:
        return n
    if n == 0:
        flip_s[0] = 1.0
        return 1
    if flip_s[0] < 1.0 - flip_s[n - 1]:
        for i in range(n - 1):
            flip_s[i] = flip_s[i + 1]
    return n - 1


@kernel
def _insert(s_out: Rows, what_out: Rows, n: int, s: float, what: int) -> int:
    """Insert one change into the sorted lists and return their new length."""
    i = n
    while i > 0 and s_out[i - 1] > s:
        s_out[i] = s_out[i - 1]
        what_out[i] = what_out[i - 1]
        i -= 1
    s_out[i] = s
    what_out[i] = what
    return n + 1


@kernel
def _changes(
    zone: Row,
    windows_us: Rows,
    flip_s: Rows,
    flips: int,
    from_us: int,
    to_us: int,
    from_alt_m: float,
    to_alt_m: float,
    s_out: Rows,
    what_out: Rows,
) -> int:
    """Write every place on the way where something may change, sorted, and return how many."""
    n = 0
    for i in range(flips):
        n = _insert(s_out, what_out, n, flip_s[i], POLYGON)
    for w in range(zone.windows_from, zone.windows_to):
        if windows_us[w, 0] > to_us or n + 4 > len(s_out):
            break
        for edge in range(2):
            if from_us < windows_us[w, edge] < to_us:
                n = _insert(s_out, what_out, n, (windows_us[w, edge] - from_us) / float(to_us - from_us), OTHER)
    if zone.banded and to_alt_m - from_alt_m != 0.0:  # also true for NaN, which the comparison below then refuses
        for limit_m in (zone.lower_m, zone.upper_m):
            s = (limit_m - from_alt_m) / (to_alt_m - from_alt_m)
            if 0.0 < s < 1.0:
                n = _insert(s_out, what_out, n, s, OTHER)
    return n


@kernel
def _banded(zone: Row, s: float, from_alt_m: float, to_alt_m: float, counted: bool) -> bool:
    """Return True if the altitude lies in the zone's closed band at a place on the way; `counted` while unknown."""
    if not zone.banded:
        return True
    if np.isnan(to_alt_m) or (np.isnan(from_alt_m) and s < 1.0):
        return counted
    alt_m = to_alt_m if s >= 1.0 else from_alt_m + s * (to_alt_m - from_alt_m)
    return zone.lower_m <= alt_m <= zone.upper_m


@kernel
def spans_on_way(
    zone: Row, windows_us: Rows, flip_s: Rows, flips: int, inside_from: bool, inside_to: bool, counted: bool,
    from_us: int, to_us: int, from_alt_m: float, to_alt_m: float, s_work: Rows, what_work: Rows,
    span_out: Rows, by_out: Rows,
) -> int:  # fmt: skip
    """Write the spans in which a zone counted between two fixes, in order, and return how many.

    Parameters
    ----------
    zone : record of `tables.ZONE`
    windows_us : ndarray, shape (k, 2), int64
        Half-open; the zone's own rows are sorted and disjoint.
    flip_s : ndarray, float64, 0 to 1, sorted
        Crossings of the polygon's edge; the first `flips` count, made even with `even_out`.
    inside_from, inside_to : bool
        Whether the two fixes lie in the polygon.
    counted : bool
        Whether the zone counted at the first fix.
    from_us, to_us : int64, from < to
    from_alt_m, to_alt_m : float64, NaN where unknown
    s_work, what_work : ndarray, float64 and int64
        Room for every change on the way.
    span_out, by_out : ndarray, shape (m, 2), float64 and int64
        Begin and end of each span as fractions of the way (`SINCE_BEFORE`, `STILL`), and who caused each.

    Notes
    -----
    Linear in the changes. Between two changes everything is constant, so the middle of each piece is asked.
    """
    changes = _changes(zone, windows_us, flip_s, flips, from_us, to_us, from_alt_m, to_alt_m, s_work, what_work)
    inside, forced = inside_from, in_force(windows_us, zone.windows_from, zone.windows_to, from_us)
    was_inside = inside_from
    live, n = counted, 0
    if live:
        span_out[0, 0], by_out[0, 0] = SINCE_BEFORE, BY_TRACK
    piece_from = 0.0
    for c in range(changes + 2):
        piece_to = s_work[c] if c < changes else 1.0
        if c == changes + 1:  # the second fix itself
            middle, at_us, inside_now = 1.0, to_us, inside_to
        else:
            middle = 0.5 * (piece_from + piece_to)
            at_us, inside_now = from_us + np.int64(middle * (to_us - from_us)), inside
        if piece_to > piece_from or c == changes + 1:
            force_now = in_force(windows_us, zone.windows_from, zone.windows_to, at_us)
            now = inside_now and force_now and _banded(zone, middle, from_alt_m, to_alt_m, counted)
            if now != live:
                told = now and was_inside and forced and (piece_from == 0.0 or np.isnan(from_alt_m))
                by = BY_ZONE if force_now != forced else (BY_KNOWLEDGE if told else BY_TRACK)
                if now:
                    span_out[n, 0], by_out[n, 0] = piece_from, by
                else:
                    span_out[n, 1], by_out[n, 1] = piece_from, by
                    if span_out[n, 1] > span_out[n, 0] and n + 1 < len(span_out):
                        n += 1
                live = now
            forced, was_inside = force_now, inside_now
        if c < changes and what_work[c] == POLYGON:
            inside = not inside
        piece_from = piece_to
    if live:
        span_out[n, 1], by_out[n, 1] = STILL, BY_TRACK
        n += 1
    return n
