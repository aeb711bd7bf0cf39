"""Proximity: two tracks of different parties closer than agreed, for the agreed time (docs/guide/events.md).

One event a contact and pair, never one for each of the two. Both tracks are taken at the same instant; both accuracies
are in `separation_error_m`. Leaves out who came close to whom: that is not in the positions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tocsin.kernels.detect.meetings import BEAT_US, courses_at, where_at
from tocsin.kernels.earth.geodesic import inverse_m
from tocsin.kernels.tables import FOUND, MEASURED, PROXIMITY
from tocsin.watch.detect.span import Rows, Span


def proximities(span: Span, turns: Rows) -> Rows:
    """Return the finding of each contact that has lasted the agreed time.

    Parameters
    ----------
    span : Span
    turns : ndarray of TURN
        Those that are full.

    Returns
    -------
    ndarray of FOUND
    """
    return np.concatenate([np.empty(0, FOUND), *(_proximity(span, turn) for turn in turns)])


def _proximity(span: Span, turn: Any) -> Rows:
    mine, its = _whose(span, int(turn["p"]), int(turn["q"]))
    at_us = int(turn["at_us"])
    leg, other = span.leg_of(mine), span.leg_of(its)
    at_s = (at_us - int(turn["beat"]) * BEAT_US) / 1e6
    cpa_m, tcpa_s = courses_at(span.pieces[mine], span.pieces[its], at_s)
    measured = {
        "separation_m": inverse_m(*where_at(leg, at_us), *where_at(other, at_us))[0],
        "separation_error_m": float(np.hypot(leg["accuracy_m"], other["accuracy_m"])),
        "closest_m": float(turn["closest_m"]),
        "cpa_m": cpa_m,
        "tcpa_s": tcpa_s,
        "together_s": (at_us - int(turn["began_us"])) / 1e6,
        "threshold_s": span.rule.after_s,
    }
    row = span.finding(turn, mine, PROXIMITY)
    row["other"] = other["track"]
    row["value"][0, : len(measured)] = [measured[name] for name in MEASURED[PROXIMITY]]
    return row


def _whose(span: Span, p: int, q: int) -> tuple[int, int]:
    """Return the piece of the track that the event is about, and its partner's.

    It is about the one inside; if both are, about the one that nothing exempts; if that does not decide, about the one
    whose id comes first.
    """

    def rank(piece: int) -> tuple[bool, bool, str]:
        exempt = bool(span.parts[piece]["exemption"] >= 0)
        return not span.is_inside(piece), exempt, span.names[span.pieces[piece]["track"]]

    return (p, q) if rank(p) <= rank(q) else (q, p)
