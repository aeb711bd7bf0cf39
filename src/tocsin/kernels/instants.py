"""Instants: reports in order of time, each instant's put in order of their tracks; one look at each report.

An archive is in order of time as it comes, and what shares an instant is few rows, as a rule of different tracks.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from tocsin.kernels.jit import kernel

NOT_SO = -1
"""The reports are not in order of time, or a track has two of them at one instant."""

SHRINK = 1.3
"""By how much each pass's distance is less than the last one's (Box and Lacey, 1991)."""


@kernel
def order_instants(observed_us: NDArray[Any], track: NDArray[Any], rank: NDArray[Any], at: NDArray[Any],
                   of: NDArray[Any]) -> int:  # fmt: skip
    """Find which reports change places, so that those of one instant are in order of their tracks.

    Parameters
    ----------
    observed_us : ndarray, shape (n,), int64
    track : ndarray, shape (n,), int32
    rank : ndarray, int64
        The place of each track in the order of tracks.
    at, of : ndarray, shape (n,), int64
        Written: the places, ascending, and which report comes to each.

    Returns
    -------
    int
        How many places were written, or `NOT_SO`.
    """
    n, written, k = len(observed_us), 0, 1
    while k < n:
        at_us = observed_us[k]
        if at_us > observed_us[k - 1]:
            k += 1
        elif at_us < observed_us[k - 1]:
            return NOT_SO
        elif rank[track[k]] > rank[track[k - 1]]:
            k += 1
        else:  # the rare instant that is not in order yet
            begin, end = k - 1, k + 1
            while begin > 0 and observed_us[begin - 1] == at_us:
                begin -= 1
            while end < n and observed_us[end] == at_us:
                end += 1
            for row in range(begin, end):
                at[written + row - begin] = of[written + row - begin] = row
            if not _sort(track, rank, of[written : written + end - begin]):
                return NOT_SO
            written += end - begin
            k = end
    return written


@kernel
def _sort(track: NDArray[Any], rank: NDArray[Any], of: NDArray[Any]) -> bool:
    """Sort some rows by the rank of their track; return False if two are of one track."""
    gap, swapped = len(of), True
    while gap > 1 or swapped:
        gap, swapped = max(int(gap / SHRINK), 1), False
        for k in range(len(of) - gap):
            one, other = rank[track[of[k]]], rank[track[of[k + gap]]]
            if one == other:
                return False
            if one > other:
                of[k], of[k + gap] = of[k + gap], of[k]
                swapped = True
    return True
