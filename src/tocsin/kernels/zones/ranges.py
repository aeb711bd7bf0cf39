"""Ranges: how far each of many places is from the edge of one zone, negative inside.

The signed distance of docs/guide/warning-quality.md. Says nothing of altitude or time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.earth.geodesic import direct, inverse_m
from tocsin.kernels.jit import kernel
from tocsin.kernels.zones.cells import AtlasArrays
from tocsin.kernels.zones.distance import boundary_distance_m
from tocsin.kernels.zones.places import zones_at


@kernel
def signed_distances_m(
    a: AtlasArrays, zone: int, lat: NDArray[np.float64], lon: NDArray[np.float64], room: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Write the distance of each place to the edge of a zone, metres, negative inside.

    Parameters
    ----------
    a : AtlasArrays
    zone : int
    lat, lon : ndarray, shape (n,), float64, degrees
    room : ndarray, int64
        Scratch room for all zones that hold one place.
    out : ndarray, shape (n,), float64
    """
    for i in range(len(lat)):
        distance_m = boundary_distance_m(a, zone, lat[i], lon[i])
        held = zones_at(a, lat[i], lon[i], room)
        for j in range(min(held, len(room))):
            if room[j] == zone:
                distance_m = -distance_m
                break
        out[i] = distance_m


@kernel
def lengths_m(lat: NDArray[np.float64], lon: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write the length of the geodesic from each place to the next, metres; `out` is one shorter."""
    for i in range(len(lat) - 1):
        out[i] = inverse_m(lat[i], lon[i], lat[i + 1], lon[i + 1])[0]


@kernel
def places_between(
    lat: NDArray[np.float64], lon: NDArray[np.float64], step: NDArray[np.int64], share: NDArray[np.float64],
    lat_out: NDArray[np.float64], lon_out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Write the place at a share, 0 to 1, of the geodesic from place `step` to the one after it."""
    for i in range(len(step)):
        k = step[i]
        way_m, azi_deg = inverse_m(lat[k], lon[k], lat[k + 1], lon[k + 1])
        lat_out[i], lon_out[i] = direct(lat[k], lon[k], azi_deg, share[i] * way_m)
