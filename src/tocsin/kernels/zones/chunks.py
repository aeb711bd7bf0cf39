"""Chunks of consecutive edges with their boxes, so that most of a zone's edge can be passed over at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import sincosd

CHUNK_EDGES = 16
GROUP_CHUNKS = 16


@kernel
def chunk_edges(ring_end: NDArray[np.bool_], zone: NDArray[np.int64], chunk: NDArray[np.int64]) -> int:
    """Write the chunks, (first edge, number of edges), ring by ring, and each zone's first chunk and group.

    Parameters
    ----------
    ring_end : ndarray, shape (vertices,), bool
        Where a ring ends: no edge begins there.
    zone : ndarray, shape (zones + 1, 3), int64
        See `AtlasArrays`; the first column is given, the others are written.
    chunk : ndarray, shape (edges, 2), int64
        Written.

    Returns
    -------
    int
        How many chunks there are.
    """
    n = 0
    zone[0, 1] = zone[0, 2] = 0
    for z in range(len(zone) - 1):
        e = zone[z, 0]
        while e < zone[z + 1, 0]:
            m = 0
            while m < CHUNK_EDGES and not ring_end[e + m]:
                m += 1
            if m > 0:
                chunk[n, 0], chunk[n, 1] = e, m
                n += 1
            e += m + (1 if ring_end[e + m] else 0)
        zone[z + 1, 1] = n
        zone[z + 1, 2] = zone[z, 2] + (n - zone[z, 1] + GROUP_CHUNKS - 1) // GROUP_CHUNKS
    return n


@kernel
def _widen(box: NDArray[np.float64], west: float, south: float, east: float, north: float) -> None:
    """Make a box hold another; its fifth value is the least cosine of latitude in it."""
    box[0], box[1] = min(box[0], west), min(box[1], south)
    box[2], box[3] = max(box[2], east), max(box[3], north)
    box[4] = max(min(sincosd(box[1])[1], sincosd(box[3])[1]), 0.0)


@kernel
def box_chunks(
    xy: NDArray[np.float64], zone: NDArray[np.int64], chunk: NDArray[np.int64], box: NDArray[np.float64]
) -> None:
    """Write the boxes of chunks and then of groups; see `AtlasArrays`."""
    for b in range(len(box)):
        box[b, 0], box[b, 1], box[b, 2], box[b, 3] = np.inf, np.inf, -np.inf, -np.inf
    for z in range(len(zone) - 1):
        for c in range(zone[z, 1], zone[z + 1, 1]):
            west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
            for v in range(chunk[c, 0], chunk[c, 0] + chunk[c, 1] + 1):
                west, south = min(west, xy[2 * v]), min(south, xy[2 * v + 1])
                east, north = max(east, xy[2 * v]), max(north, xy[2 * v + 1])
            _widen(box[c], west, south, east, north)
            group = len(chunk) + zone[z, 2] + (c - zone[z, 1]) // GROUP_CHUNKS
            _widen(box[group], west, south, east, north)
