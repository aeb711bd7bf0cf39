"""The zone atlas for Python: built from regions once, asked for whole arrays of places (DESIGN §6).

The cells are described in `kernels/zones/cells.py`. The atlas knows where zones are, not what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from tocsin.geo.shapes import Region
from tocsin.kernels.held import hold
from tocsin.kernels.zones import atlas_build, chunks, clearance
from tocsin.kernels.zones.atlas import AtlasArrays, locate
from tocsin.kernels.zones.cells import COLUMNS, FAR, LEVEL_BITS, ROWS, TILE

CELLS = COLUMNS * ROWS
MAX_VERTICES = 2**30
"""Limit of all regions together: vertices are numbered in 32 bits."""


class Atlas(Struct, frozen=True, eq=False):
    """Which zones hold a place.

    Attributes
    ----------
    arrays : AtlasArrays
        What kernels take.
    """

    arrays: AtlasArrays

    @classmethod
    def build(cls, regions: Sequence[Region]) -> Atlas:
        """Return the atlas of some regions; zone i is region i.

        Parameters
        ----------
        regions : sequence of Region

        Returns
        -------
        Atlas

        Raises
        ------
        ValueError
            If a region's arrays are not rings of finite degrees in range, or there are more than 2³⁰ vertices.

        Notes
        -----
        Linear in the vertices and in the cells that edges pass; 10,000 polygons of 30 vertices take about a second.
        """
        xy, ring_end, zone = _joined(regions)
        count, reach = np.zeros(CELLS, np.int64), np.zeros(CELLS)
        atlas_build.survey(xy, ring_end, count, reach)
        edge_start = np.concatenate([[0], np.cumsum(count)])
        edges = np.empty(edge_start[-1], np.int32)
        atlas_build.list_edges(xy, ring_end, edge_start, edges)
        cell, word, n = atlas_build.list_zones(xy, ring_end, zone)
        words = word[:n][np.argsort(cell[:n], kind="stable")]
        word_start = np.concatenate([[0], np.cumsum(np.bincount(cell[:n], minlength=CELLS))])
        coarse, codes = _levels(count, reach, np.diff(word_start) > 0)
        cells, used, most = atlas_build.fill(xy, zone, coarse, codes, edge_start, edges, word_start, words)
        edged = words & 1 == 1
        poles = _at_poles(xy, zone)
        clear_at, clear = _clearances(xy, edge_start, edges, count > 0)
        clear_sine, clear_m = clearance.clear_lengths()
        chunk = np.empty((len(ring_end), 2), np.int64)
        chunk = chunk[: chunks.chunk_edges(ring_end, zone, chunk)].copy()
        box = np.empty((len(chunk) + zone[-1, 2], 5))
        chunks.box_chunks(xy, zone, chunk, box)
        lon, lat = xy[::2], xy[1::2]
        arrays = AtlasArrays(
            zones=len(regions),
            most=max(most, *(len(p) for p in poles)),
            west=lon.min(initial=np.inf),
            south=lat.min(initial=np.inf),
            east=lon.max(initial=-np.inf),
            north=lat.max(initial=-np.inf),
            south_pole=used,
            north_pole=used + 1 + len(poles[0]),
            coarse=coarse,
            cells=np.concatenate([cells[:used], *([len(p), *p] for p in poles)], dtype=np.int32),
            xy=xy,
            zone=zone,
            chunk=chunk,
            box=box,
            edged_at=np.concatenate([[0], np.cumsum(edged)])[word_start].astype(np.int32),
            edged=(words[edged] >> 2).astype(np.int32),
            clear_at=clear_at,
            clear=clear,
            clear_sine=clear_sine,
            clear_m=clear_m,
        )
        return cls(hold(arrays))

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, bytes."""
        return sum(a.nbytes for a in self.arrays if isinstance(a, np.ndarray))

    def locate(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return every (place, zone) pair in which the zone holds the place.

        Parameters
        ----------
        lat_deg, lon_deg : array_like, shape (n,), float64, degrees
            -90…90 and -180…180; NaN and anything else is in no zone.

        Returns
        -------
        place : ndarray, shape (k,), int64
            Index into the input, ascending.
        zone : ndarray, shape (k,), int32
            Ascending within a place.

        Raises
        ------
        ValueError
            If the two are not of one shape (n,).

        Notes
        -----
        Releases the GIL. A place takes constant time, whatever the number of zones and of their vertices.
        """
        lat, lon = np.ascontiguousarray(lat_deg, np.float64), np.ascontiguousarray(lon_deg, np.float64)
        if lat.ndim != 1 or lat.shape != lon.shape:
            raise ValueError(f"found shapes {lat.shape} and {lon.shape}, expected two of one shape (n,)")
        # Memory is asked for generously and only what was written is ever touched.
        room = len(lat) + len(lat) // 4 + 2 * self.arrays.most + 1024
        place, zone, start, n = np.empty(room, np.int64), np.empty(room, np.int32), 0, 0
        while True:
            start, n = locate(self.arrays, lat, lon, start, n, place, zone)
            if start == len(lat):
                break
            room = n + int(1.2 * n / start * (len(lat) - start)) + 2 * self.arrays.most + 1024 if start else 2 * room
            place.resize(room, refcheck=False)
            zone.resize(room, refcheck=False)
        place.resize(n, refcheck=False)
        zone.resize(n, refcheck=False)
        return place, zone


def _joined(regions: Sequence[Region]) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Return all vertices in one array, which of them end a ring, and `zone` with its first column."""
    zone = np.zeros((len(regions) + 1, 3), np.int64)
    zone[1:, 0] = np.cumsum([len(r.lon_deg) for r in regions])
    vertices = int(zone[-1, 0])
    if vertices > MAX_VERTICES:
        raise ValueError(f"found {vertices} vertices, expected at most {MAX_VERTICES}")
    xy, ring_end = np.empty(2 * vertices), np.zeros(vertices, np.bool_)
    if regions:
        np.concatenate([r.lon_deg for r in regions], out=xy[::2])
        np.concatenate([r.lat_deg for r in regions], out=xy[1::2])
        ring_end[np.concatenate([at + r.ring_start[1:] - 1 for at, r in zip(zone[:-1, 0], regions, strict=True)])] = (
            True
        )
    in_range = (np.abs(xy[::2]) <= 180.0) & (np.abs(xy[1::2]) <= 90.0)
    if not in_range.all():
        v = int(np.argmin(in_range))
        i = int(np.searchsorted(zone[:, 0], v, side="right")) - 1
        raise ValueError(
            f"region {i}, vertex {v - zone[i, 0]}: found longitude {xy[2 * v]} and latitude {xy[2 * v + 1]}, "
            "expected -180…180 and -90…90"
        )
    return xy, ring_end, zone


def _levels(
    count: NDArray[np.int64], reach: NDArray[np.float64], known: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], int]:
    """Return each coarse cell's word and how many fine cells there are; cells without zones share the first."""
    wanted = atlas_build.EDGES_PER_PLACE
    while True:
        level = np.zeros(CELLS, np.int64)
        for c in np.flatnonzero(count):
            level[c] = atlas_build.level_for(count[c], reach[c], wanted)
        sizes = np.where(known, 1 << 2 * level, 0)
        if sizes.sum() <= atlas_build.MAX_CELLS or level.max() == 0:
            break
        wanted *= 1.5
    start = np.where(known, 1 + np.cumsum(sizes) - sizes, 0)
    return start << LEVEL_BITS | level, int(1 + sizes.sum())


def _clearances(
    xy: NDArray[np.float64], edge_start: NDArray[np.int64], edges: NDArray[np.int32], busy: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return `clear_at` and `clear` of the atlas."""
    steps = clearance.coarse_steps(busy)
    near = steps <= 1
    tile = TILE * TILE
    at = np.where(near, (np.cumsum(near) - 1) * tile, ~steps).astype(np.int32)
    clear = np.full(int(near.sum()) * tile, FAR, np.uint8)
    clearance.mark_tiles(xy, edge_start, edges, at, clear)
    clearance.spread_tiles(at, clear)
    return at, clear


def _at_poles(xy: NDArray[np.float64], zone: NDArray[np.int64]) -> list[list[int]]:
    """Return the zones that hold the south pole and those that hold the north pole: they have a vertex on it."""
    of_vertex = np.repeat(np.arange(len(zone) - 1), np.diff(zone[:, 0]))
    return [np.unique(of_vertex[xy[1::2] == pole]).tolist() for pole in (-90.0, 90.0)]
