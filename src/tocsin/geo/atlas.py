"""The zone atlas for Python: built from regions once, asked for whole arrays of points (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.geo.shapes import Region
from tocsin.kernels import atlas as kernels
from tocsin.kernels.atlas import AtlasArrays


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """Which zones hold a point.

    Attributes
    ----------
    arrays : AtlasArrays
        What kernels take.
    """

    arrays: AtlasArrays

    @classmethod
    def build(cls, regions: Sequence[Region]) -> Atlas:
        """Return the atlas of some regions; zone i is region i."""
        x = np.concatenate([r.lon_deg for r in regions] or [np.empty(0)])
        y = np.concatenate([r.lat_deg for r in regions] or [np.empty(0)])
        first = np.concatenate([[0], np.cumsum([len(r.lon_deg) for r in regions])]).astype(np.int64)
        ring_end = np.zeros(len(x), np.bool_)
        for i, r in enumerate(regions):
            ring_end[first[i] + r.ring_start[1:] - 1] = True
        box = np.array([r.bounds for r in regions], np.float64).reshape(-1, 4)
        return cls(AtlasArrays(x, y, ring_end, first, box))

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, bytes."""
        return sum(a.nbytes for a in self.arrays)

    def locate(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return every (point, zone) pair in which the zone holds the point.

        Parameters
        ----------
        lat_deg, lon_deg : array_like, shape (n,), float64, degrees
            NaN is in no zone.

        Returns
        -------
        point : ndarray, shape (k,), int64
        zone : ndarray, shape (k,), int32
            In the order of points, then of zones.
        """
        lat = np.ascontiguousarray(lat_deg, np.float64)
        lon = np.ascontiguousarray(lon_deg, np.float64)
        if lat.ndim != 1 or lat.shape != lon.shape:
            raise ValueError(f"found shapes {lat.shape} and {lon.shape}, expected two of shape (n,)")
        points, zones, start, room = [], [], 0, len(lat) + 1024
        while True:
            point, zone = np.empty(room, np.int64), np.empty(room, np.int32)
            start, n = kernels.locate(self.arrays, lat, lon, start, point, zone)
            points.append(point[:n])
            zones.append(zone[:n])
            if start == len(lat):
                return np.concatenate(points), np.concatenate(zones)
            room *= 2
