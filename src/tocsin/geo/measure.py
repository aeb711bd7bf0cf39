"""Measures on WGS84: distances, azimuths and points along geodesics, for arrays.

Implements Karney's geodesics through pyproj (PROJ); kernels have their own in `kernels/geodesic.py`.

References
----------
C. F. F. Karney, Algorithms for geodesics, Journal of Geodesy 87:43–55, 2013.
"""

from __future__ import annotations

import numpy as np
import pyproj
from numpy.typing import ArrayLike, NDArray

WGS84 = pyproj.Geod(ellps="WGS84")


def distance_m(
    lat1_deg: ArrayLike, lon1_deg: ArrayLike, lat2_deg: ArrayLike, lon2_deg: ArrayLike
) -> NDArray[np.float64]:
    """Return the length of the geodesic between each pair of points, metres."""
    lat1, lon1, lat2, lon2 = np.broadcast_arrays(lat1_deg, lon1_deg, lat2_deg, lon2_deg)
    return np.asarray(WGS84.inv(lon1, lat1, lon2, lat2)[2], np.float64)
