"""Measures on WGS84 for arrays: distances, azimuths, points along geodesics.

Uses the kernels of `kernels/earth/geodesic.py` (Karney's series, errors below a micrometre up to 10,000 km), not the
C library behind pyproj, so that every machine gets the same bits; a test holds them to pyproj and GeographicLib.

References
----------
C. F. F. Karney, Algorithms for geodesics, Journal of Geodesy 87:43–55, 2013.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.kernels.earth import outline

Floats = NDArray[np.float64]


def _arrays(*values: ArrayLike) -> tuple[tuple[int, ...], list[Floats]]:
    """Return the common shape of some values and each as a flat contiguous array."""
    alike = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in values))
    return alike[0].shape, [np.ascontiguousarray(v).ravel() for v in alike]


def inverse(
    lat1_deg: ArrayLike, lon1_deg: ArrayLike, lat2_deg: ArrayLike, lon2_deg: ArrayLike
) -> tuple[Floats, Floats]:
    """Return length and first azimuth of the shortest geodesic between each pair of places.

    Parameters
    ----------
    lat1_deg, lon1_deg, lat2_deg, lon2_deg : array_like, float64, degrees
        Shapes that broadcast; any longitude; latitudes -90…90; NaN gives NaN.

    Returns
    -------
    length_m : ndarray, float64, metres
    azimuth_deg : ndarray, float64
        -180…180 from true north; 0 where the two places are one.

    Examples
    --------
    >>> length_m, azimuth_deg = inverse(0.0, 179.5, 0.0, -179.5)
    >>> round(float(length_m), 3), float(azimuth_deg)
    (111319.491, 90.0)
    """
    shape, (lat1, lon1, lat2, lon2) = _arrays(lat1_deg, lon1_deg, lat2_deg, lon2_deg)
    length_m, azimuth_deg = np.empty(len(lat1)), np.empty(len(lat1))
    outline.distances(lat1, lon1, lat2, lon2, length_m, azimuth_deg)
    unknown = np.isnan(lat1) | np.isnan(lon1) | np.isnan(lat2) | np.isnan(lon2)
    length_m[unknown] = azimuth_deg[unknown] = np.nan
    return length_m.reshape(shape), azimuth_deg.reshape(shape)


def distance_m(lat1_deg: ArrayLike, lon1_deg: ArrayLike, lat2_deg: ArrayLike, lon2_deg: ArrayLike) -> Floats:
    """Return the length of the shortest geodesic between each pair of places, metres; see `inverse`."""
    return inverse(lat1_deg, lon1_deg, lat2_deg, lon2_deg)[0]


def azimuth_deg(lat1_deg: ArrayLike, lon1_deg: ArrayLike, lat2_deg: ArrayLike, lon2_deg: ArrayLike) -> Floats:
    """Return the azimuth at the first place of each pair, -180…180 degrees from true north; see `inverse`."""
    return inverse(lat1_deg, lon1_deg, lat2_deg, lon2_deg)[1]


def destination(
    lat_deg: ArrayLike, lon_deg: ArrayLike, azimuth_deg: ArrayLike, distance_m: ArrayLike
) -> tuple[Floats, Floats]:
    """Return the place at a distance along each geodesic.

    Parameters
    ----------
    lat_deg, lon_deg : array_like, float64, degrees
        Where it starts.
    azimuth_deg : array_like, float64, degrees from true north
    distance_m : array_like, float64, metres
        Negative goes backwards.

    Returns
    -------
    lat_deg, lon_deg : ndarray, float64, degrees
        Longitude -180…180.
    """
    shape, (lat, lon, azimuth, distance) = _arrays(lat_deg, lon_deg, azimuth_deg, distance_m)
    lat_out, lon_out = np.full(len(lat), np.nan), np.full(len(lat), np.nan)
    known = np.isfinite(lat + lon + azimuth + distance)
    found = np.empty(int(known.sum())), np.empty(int(known.sum()))
    outline.destinations(lat[known], lon[known], azimuth[known], distance[known], *found)
    lat_out[known], lon_out[known] = found
    return lat_out.reshape(shape), lon_out.reshape(shape)


def interpolate(
    lat1_deg: ArrayLike, lon1_deg: ArrayLike, lat2_deg: ArrayLike, lon2_deg: ArrayLike, fraction: ArrayLike
) -> tuple[Floats, Floats]:
    """Return the place at a fraction, 0 to 1, of the shortest geodesic between each pair of places."""
    length_m, azimuth = inverse(lat1_deg, lon1_deg, lat2_deg, lon2_deg)
    return destination(lat1_deg, lon1_deg, azimuth, length_m * np.asarray(fraction, np.float64))


def along(lat_deg: ArrayLike, lon_deg: ArrayLike, *, tolerance_m: float = 0.1) -> tuple[Floats, Floats]:
    """Return a chain of places with more between them, so that plane chords follow its geodesics.

    Parameters
    ----------
    lat_deg, lon_deg : array_like, shape (n,), float64, degrees
    tolerance_m : float, metres
        How far a straight line in longitude and latitude may leave the geodesic.

    Returns
    -------
    lat_deg, lon_deg : ndarray, shape (m,), float64
        The given places are among them, unchanged.
    """
    lat, lon, _ = cut(outline.cut_geodesics, lat_deg, lon_deg, tolerance_m=tolerance_m)
    return lat, lon


def cut(
    kernel: object, lat_deg: ArrayLike, lon_deg: ArrayLike, *, tolerance_m: float
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return latitudes, longitudes and edge numbers that a kernel of `kernels/earth/outline.py` makes of a chain."""
    _, (lat, lon) = _arrays(lat_deg, lon_deg)
    room = 2 * len(lat) + 64
    while True:
        lat_out, lon_out, edge = np.empty(room), np.empty(room), np.empty(room, np.int64)
        n = kernel(lat, lon, tolerance_m, lat_out, lon_out, edge)  # type: ignore[operator]
        if n <= room:
            return lat_out[:n].copy(), lon_out[:n].copy(), edge[:n].copy()
        room = n
