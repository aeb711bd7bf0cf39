"""Pairs of movers, for arrays of them: who is within a distance of whom now, and who comes within it soon.

Every two are considered and none is looked at that is nowhere near: `kernels/pairs/pairs.py`. Distances are geodesic on
WGS84; 180° and the poles are places like any other. Leaves out altitude and intent: two courses are prolonged, that
is all.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.kernels.pairs import courses, neighbours, pairs

PIECE_M = 20_000.0
"""Longest straight piece of a predicted way, metres: at most 8 m below the ground."""
SLACK_M = 9.0
"""How much nearer than asked two pieces need not come to be looked at exactly, metres: more than both may be off."""
MOST_WITHIN_M = 500_000.0
"""Largest distance that may be asked for, metres."""
MOST_WAY_M = 300_000.0
"""Longest way that is predicted, metres: how far `courses.py` can be off grows with its cube."""
CELL_M = 8_000.0
"""Cell of the search for ways of some kilometres, metres: the fastest of 2 to 15 km for 100,000 ships over the USA."""
FIRST_BITS, MOST_BITS = 10, 24


class Near(NamedTuple):
    """Pairs of movers, each once, ordered by (i, j).

    Attributes
    ----------
    i, j : ndarray, shape (k,), int32
        Indices into the input, i < j.
    distance_m : ndarray, shape (k,), float64
        Geodesic distance: now, or at the closest approach.
    after_s : ndarray, shape (k,), float64
        When that is, counted from now: 0 to the horizon.
    """

    i: NDArray[np.int32]
    j: NDArray[np.int32]
    distance_m: NDArray[np.float64]
    after_s: NDArray[np.float64]


def within(lat_deg: ArrayLike, lon_deg: ArrayLike, *, within_m: float) -> Near:
    """Return every two places at most a distance apart.

    Parameters
    ----------
    lat_deg, lon_deg : array_like, shape (n,), float64, degrees
        A place with NaN is nowhere, and near nothing.
    within_m : float, metres
        More than 0 and at most 500 km.

    Returns
    -------
    Near
        `after_s` is 0.

    Raises
    ------
    ValueError
        If the shapes differ or the distance is out of range.

    Examples
    --------
    >>> near = within([0.0, 0.0, 5.0], [179.995, -179.996, 0.0], within_m=1_100.0)
    >>> near.i.tolist(), near.j.tolist(), near.distance_m.round(3).tolist()
    ([0], [1], [1001.875])
    """
    columns, known = _columns(within_m, lat_deg, lon_deg)
    lat, lon = columns
    spots, filled = np.empty(len(lat), neighbours.SPOT), np.empty(len(lat), neighbours.SPOT)
    cell_m = max(within_m, pairs.MIN_CELL_M)
    starts, columns_of = _buckets(len(lat)), _rows(cell_m)
    neighbours.stand(lat, lon, cell_m, columns_of, spots, starts)
    neighbours.order_spots(spots, starts, filled)
    i, j, away_m = np.empty(len(lat) + 64, np.int32), np.empty(len(lat) + 64, np.int32), np.empty(len(lat) + 64)
    at = n = 0
    while True:
        at, n = neighbours.neighbours(lat, lon, filled, starts, within_m, cell_m, columns_of, at, i, j, away_m, n)
        if at == len(lat):
            return _once(known[i[:n]], known[j[:n]], away_m[:n], np.zeros(n))
        i, j, away_m = (np.concatenate([a, np.empty_like(a)]) for a in (i, j, away_m))


def closest_approach(
    lat_deg: ArrayLike,
    lon_deg: ArrayLike,
    speed_mps: ArrayLike,
    course_deg: ArrayLike,
    *,
    within_m: float,
    horizon_s: float,
) -> Near:
    """Return every two movers whose closest approach lies within a distance and a time, if both go on as they go.

    Parameters
    ----------
    lat_deg, lon_deg : array_like, shape (n,), float64, degrees
    speed_mps, course_deg : array_like, shape (n,), float64
        Over ground, from true north; a mover with NaN in either stays where it is.
    within_m : float, metres
        More than 0 and at most 500 km.
    horizon_s : float, seconds
        0 or more; nobody may go farther in it than `MOST_WAY_M`.

    Returns
    -------
    Near
        `distance_m` is right to 0.1 mm now and to 0.6 m after a way of 150 km; who is in the list is exact.

    Raises
    ------
    ValueError
        If the shapes differ, or the distance, the horizon or a way is out of range.

    Notes
    -----
    Both move along geodesics at even speed; the distance is the geodesic one. Releases the GIL.
    """
    columns, known = _columns(within_m, lat_deg, lon_deg, speed_mps, course_deg)
    if horizon_s == 0.0:
        return within(lat_deg, lon_deg, within_m=within_m)
    farthest_m = float(np.nanmax(columns[2], initial=0.0)) * horizon_s
    if not 0.0 <= horizon_s < np.inf or farthest_m > MOST_WAY_M:
        raise ValueError(f"found {horizon_s} s and a way of {farthest_m:.0f} m, expected at most {MOST_WAY_M:.0f} m")
    order = np.argsort(
        np.floor(columns[0] * 8.0) * 4_096.0 + columns[1]
    )  # neighbours on the ground, neighbours in memory
    columns, known = [c[order] for c in columns], known[order]
    movers = np.empty(len(known), courses.COURSE)
    lat, lon, speed, course = columns
    courses.set_courses(lat, lon, speed, course, movers)
    pieces = _pieces(movers, horizon_s)
    hits = meet(pieces, within_m=within_m + SLACK_M, cell_m=_cell_m(movers, within_m, horizon_s))
    i, j = np.empty(len(hits), np.int32), np.empty(len(hits), np.int32)
    distance_m, after_s = np.empty(len(hits)), np.empty(len(hits))
    n = courses.settle(lat, lon, speed, course, movers, hits, within_m, horizon_s, i, j, distance_m, after_s)
    return _once(known[i[:n]], known[j[:n]], distance_m[:n], after_s[:n])


def meet(pieces: NDArray[Any], *, within_m: float, cell_m: float) -> NDArray[Any]:
    """Return every two pieces that come within a distance of each other.

    Parameters
    ----------
    pieces : ndarray of `kernels.pairs.PIECE`
    within_m : float
        In a straight line; both pieces' `reach_m` are added.
    cell_m : float
        Height of a cell of the search; what is right does not depend on it, how long it takes does.

    Returns
    -------
    ndarray of `kernels.pairs.HIT`
        In no order that means anything.
    """
    cell_m = max(cell_m, pairs.MIN_CELL_M)
    starts, ways = _buckets(len(pieces)), np.empty(len(pieces), pairs.WAY)
    entries = np.empty(4 * len(pieces) + 64, pairs.ENTRY)
    columns_of = _rows(cell_m)
    at = n = 0
    while True:
        at, n = pairs.enter(pieces, at, 0.5 * within_m, cell_m, columns_of, ways, entries, n, starts)
        if at == len(pieces):
            break
        entries = np.concatenate([entries, np.empty_like(entries)])
    filled = np.empty(n, pairs.ENTRY)
    pairs.fill_buckets(entries[:n], starts, filled)
    hits = np.empty(len(pieces) + 64, pairs.HIT)
    at = n = 0
    while True:
        at, n = pairs.meet(pieces, ways, filled, starts, at, within_m, cell_m, columns_of, hits, n)
        if at == len(starts) - 1:
            return hits[:n]
        hits = np.concatenate([hits, np.empty_like(hits)])


def _columns(within_m: float, *given: ArrayLike) -> tuple[list[NDArray[np.float64]], NDArray[np.int32]]:
    """Return columns as contiguous arrays without the rows that are nowhere, and which rows are left."""
    columns = [np.ascontiguousarray(v, np.float64) for v in given]
    if columns[0].ndim != 1 or any(c.shape != columns[0].shape for c in columns):
        raise ValueError(f"found shapes {[c.shape for c in columns]}, expected all of one shape (n,)")
    if not 0.0 < within_m <= MOST_WITHIN_M:
        raise ValueError(f"found a distance of {within_m} m, expected more than 0 and at most {MOST_WITHIN_M:.0f} m")
    known = np.flatnonzero(np.isfinite(columns[0] + columns[1])).astype(np.int32)
    return (columns if len(known) == len(columns[0]) else [c[known] for c in columns]), known


def _buckets(n: int) -> NDArray[np.int32]:
    bits = min(max(int(np.ceil(np.log2(max(4 * n, 1)))), FIRST_BITS), MOST_BITS)
    return np.zeros((1 << bits) + 1, np.int32)


def _rows(cell_m: float) -> NDArray[np.int32]:
    return np.zeros(int(np.pi * pairs.LEAST_RADIUS_M / cell_m) + 2, np.int32)


def _pieces(movers: NDArray[Any], horizon_s: float) -> NDArray[Any]:
    counts = np.maximum(np.ceil(movers["speed_mps"] * (horizon_s / PIECE_M)), 1.0)
    pieces = np.empty(int(counts.sum()) + len(movers), pairs.PIECE)
    _, n = courses.cut_courses(movers, horizon_s, PIECE_M, 0, pieces, 0)
    return pieces[:n]


def _cell_m(movers: NDArray[Any], within_m: float, horizon_s: float) -> float:
    """Return a cell twice as large as the distance, or as large as a usual way."""
    usual_m = float(np.median(movers["speed_mps"])) * horizon_s if len(movers) else 0.0
    return max(2.0 * within_m, min(usual_m, CELL_M))


def _once(
    i: NDArray[np.int32], j: NDArray[np.int32], distance_m: NDArray[np.float64], after_s: NDArray[np.float64]
) -> Near:
    i, j = np.minimum(i, j), np.maximum(i, j)
    key = (i.astype(np.int64) << 32) | j
    order = np.argsort(key)
    key = key[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]][: len(key)])
    if not len(first):
        return Near(i, j, distance_m, after_s)
    # found at a seam of pieces, a pair stands twice with the same numbers but for rounding
    least_m, first_s = np.minimum.reduceat(distance_m[order], first), np.minimum.reduceat(after_s[order], first)
    return Near(i[order[first]], j[order[first]], least_m, first_s)
