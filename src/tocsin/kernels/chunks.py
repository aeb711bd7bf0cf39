"""Chunks of consecutive edges with their boxes, so that most of a zone's edge can be passed over at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import kernel
from tocsin.kernels.trig import sincosd

CHUNK_EDGES = 16
GROUP_CHUNKS = 16


@kernel
def chunk_edges(ring_end: NDArray[np.bool_], first: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the chunks, (first edge, number of edges), ring by ring, and each zone's first chunk."""
    zones = len(first) - 1
    chunk, chunk_first, n = np.empty((len(ring_end), 2), np.int64), np.zeros(zones + 1, np.int64), 0
    for zone in range(zones):
        e = first[zone]
        while e < first[zone + 1]:
            m = 0
            while m < CHUNK_EDGES and not ring_end[e + m]:
                m += 1
            if m > 0:
                chunk[n, 0], chunk[n, 1] = e, m
                n += 1
            e += m + (1 if ring_end[e + m] else 0)
        chunk_first[zone + 1] = n
    return chunk[:n].copy(), chunk_first


@kernel
def _least_cos(south: float, north: float) -> float:
    """Return the least cosine of latitude in a band."""
    return max(min(sincosd(south)[1], sincosd(north)[1]), 0.0)


@kernel
def box_chunks(
    xy: NDArray[np.float64], chunk: NDArray[np.int64], chunk_first: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the boxes of chunks, each zone's first group, and the boxes of groups; see `AtlasArrays`."""
    zones = len(chunk_first) - 1
    chunk_box, group_first = np.empty((len(chunk), 5)), np.zeros(zones + 1, np.int64)
    for zone in range(zones):
        chunks = chunk_first[zone + 1] - chunk_first[zone]
        group_first[zone + 1] = group_first[zone] + (chunks + GROUP_CHUNKS - 1) // GROUP_CHUNKS
    group_box = np.empty((group_first[zones], 5))
    for zone in range(zones):
        for c in range(chunk_first[zone], chunk_first[zone + 1]):
            box = chunk_box[c]
            box[0], box[1], box[2], box[3] = np.inf, np.inf, -np.inf, -np.inf
            for v in range(chunk[c, 0], chunk[c, 0] + chunk[c, 1] + 1):
                box[0], box[1] = min(box[0], xy[2 * v]), min(box[1], xy[2 * v + 1])
                box[2], box[3] = max(box[2], xy[2 * v]), max(box[3], xy[2 * v + 1])
            box[4] = _least_cos(box[1], box[3])
            group = group_box[group_first[zone] + (c - chunk_first[zone]) // GROUP_CHUNKS]
            if (c - chunk_first[zone]) % GROUP_CHUNKS == 0:
                group[:] = box
            else:
                group[0], group[1] = min(group[0], box[0]), min(group[1], box[1])
                group[2], group[3] = max(group[2], box[2]), max(group[3], box[3])
                group[4] = min(group[4], box[4])
    return chunk_box, group_first, group_box
