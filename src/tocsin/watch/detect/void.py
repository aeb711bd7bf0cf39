"""Void: a place that has held as many tracks as agreed holds fewer, and has for the agreed time.

The inverse of a build-up: a picket, a patrol, an observer's post that is no longer kept. Tracks count here whether the
zone is about them or not; the rule says of which party and category. It is about the track whose leaving made the zone
too thin, at the place where it was last inside. Leaves out a zone that never held enough: that nobody came is not in
the reports.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.detect.meetings import FULL
from tocsin.kernels.tables import FOUND, MEASURED, NEVER, NONE, VOID
from tocsin.watch.detect.meetings import THIN
from tocsin.watch.detect.span import Rows, Span


def voids(
    span: Span, turns: Rows, standing: Rows, thin: Rows, *, windows_us: NDArray[np.int64], clear_us: int, until_us: int
) -> tuple[Rows, Rows]:
    """Return the finding of each void that has lasted the agreed time, and the zone that is thin after the span.

    Parameters
    ----------
    span : Span
    turns : ndarray of TURN
        In any order: who came and who has gone.
    standing : ndarray of CONTACT
        The rule's, before the span: who is there.
    thin : ndarray of THIN
        The rule's, before the span: none or one.
    windows_us : ndarray, shape (k, 2)
        When the zone is in force: nothing is missed in it outside of them.
    clear_us : int
        How long after it was last inside a track counts as gone.
    until_us : int
        The end of the span, or of all that is known, if that is before it.

    Returns
    -------
    rows : ndarray of FOUND
    thin : ndarray of THIN
    """
    here, rows = set(standing["a"].tolist()), [np.empty(0, FOUND)]
    count = span.rule.count
    for turn in sorted(turns[turns["at_us"] < until_us], key=span.order):  # one who may come back yet has not gone
        if len(thin) and _due_us(span, thin) <= turn["at_us"] and _due_us(span, thin) < until_us:
            rows.append(_void(span, thin, len(here), windows_us))
            thin = thin[:0]
        if turn["kind"] == FULL:
            here.add(int(turn["a"]))
            thin = thin[:0] if len(here) >= count else thin
            continue
        was_enough = len(here) >= count
        here.discard(int(turn["a"]))
        if was_enough and len(here) < count:
            thin = _thin(span, turn, int(turn["at_us"]) - clear_us)
    if len(thin) and _due_us(span, thin) < until_us:
        rows.append(_void(span, thin, len(here), windows_us))
        thin = thin[:0]
    return np.concatenate(rows), thin


def _due_us(span: Span, thin: Rows) -> int:
    return int(thin["since_us"][0]) + round(span.rule.after_s * 1e6)


def _thin(span: Span, turn: Rows, since_us: int) -> Rows:
    row = np.empty(1, THIN)
    row["rule"], row["track"], row["since_us"] = span.place, turn["a"], since_us
    for name in ("lat_deg", "lon_deg", "accuracy_m", "feed", "party", "category"):
        row[name] = turn[name]
    return row


def _void(span: Span, thin: Rows, here: int, windows_us: NDArray[np.int64]) -> Rows:
    """Return the finding; none if the zone was not in force for all of the time."""
    since_us, due_us = int(thin["since_us"][0]), _due_us(span, thin)
    if not ((windows_us[:, 0] <= since_us) & (due_us <= windows_us[:, 1])).any():
        return np.empty(0, FOUND)
    row = np.zeros(1, FOUND)
    for name in ("track", "lat_deg", "lon_deg", "accuracy_m", "feed", "party", "category"):
        row[name] = thin[name]
    row["code"], row["rule"], row["zone"] = VOID, span.place, span.rule.zone
    row["other"] = row["exemption"] = NONE
    row["at_us"] = row["known_us"] = due_us
    row["visit_us"] = since_us
    row["before_us"] = row["after_us"] = NEVER
    row["value"] = np.nan
    row["value"][0, : len(MEASURED[VOID])] = here, span.rule.after_s
    return row
