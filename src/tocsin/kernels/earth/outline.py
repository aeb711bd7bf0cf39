"""Points along outlines: arcs about a centre, geodesics and loxodromes cut into plane chords, offsets of a line.

All made with the arithmetic of `kernels/numbers/trig.py`, so that a zone has the same vertices on every machine.
Left out: what the outline encloses (`geo/rings.py`).

References
----------
J. P. Snyder, Map projections: a working manual, USGS Professional Paper 1395, 1987, equations 15-9 (isometric
latitude) and 21-2 (stereographic projection).
"""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.earth.geodesic import A_M, E2, direct, inverse_m, short_way
from tocsin.kernels.earth.legs import SHORTEST_CUT, chord_error_m
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import RAD_PER_DEG, atan2d, hypot, log, sincosd


@kernel
def arc(
    lat: float, lon: float, radius_m: float, azi_deg: NDArray[np.float64],
    lat_out: NDArray[np.float64], lon_out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Write the place at one distance from a centre in every direction."""
    for i in range(len(azi_deg)):
        lat_out[i], lon_out[i] = direct(lat, lon, azi_deg[i], radius_m)


@kernel
def distances(
    lat1: NDArray[np.float64], lon1: NDArray[np.float64], lat2: NDArray[np.float64], lon2: NDArray[np.float64],
    s_out: NDArray[np.float64], azi_out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Write length (metres) and first azimuth (degrees) of the geodesic of each pair of places."""
    for i in range(len(lat1)):
        s_out[i], azi_out[i] = inverse_m(lat1[i], lon1[i], lat2[i], lon2[i])


@kernel
def destinations(
    lat: NDArray[np.float64], lon: NDArray[np.float64], azi_deg: NDArray[np.float64], s_m: NDArray[np.float64],
    lat_out: NDArray[np.float64], lon_out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Write the place at each distance along each geodesic."""
    for i in range(len(lat)):
        lat_out[i], lon_out[i] = direct(lat[i], lon[i], azi_deg[i], s_m[i])


@kernel
def _put(
    lat: float, lon: float, edge: int, n: int,
    lat_out: NDArray[np.float64], lon_out: NDArray[np.float64], edge_out: NDArray[np.int64],
) -> int:  # fmt: skip
    """Write a place if there is room; return how many there are."""
    if n < len(lat_out):
        lat_out[n], lon_out[n], edge_out[n] = lat, lon, edge
    return n + 1


@kernel
def cut_geodesics(
    lat: NDArray[np.float64], lon: NDArray[np.float64], tolerance_m: float,
    lat_out: NDArray[np.float64], lon_out: NDArray[np.float64], edge_out: NDArray[np.int64],
) -> int:  # fmt: skip
    """Write a chain of places with more between them, so that plane chords follow the geodesics within a tolerance.

    Parameters
    ----------
    lat, lon : ndarray, shape (n,), float64, degrees
    tolerance_m : float
    lat_out, lon_out : ndarray, shape (m,), float64
        The given places are kept to the bit, but a pole stands twice, with the longitudes it is come to and left by.
    edge_out : ndarray, shape (m,), int64
        The edge of the given chain that each place begins or lies on.

    Returns
    -------
    int
        How many; what does not fit is only counted.
    """
    n = 0
    for e in range(len(lat)):
        if abs(lat[e]) == 90.0:
            if e > 0:
                n = _put(lat[e], lon[e - 1], e, n, lat_out, lon_out, edge_out)
            if e + 1 < len(lat):
                n = _put(lat[e], lon[e + 1], e, n, lat_out, lon_out, edge_out)
        else:
            n = _put(lat[e], lon[e], e, n, lat_out, lon_out, edge_out)
        if e + 1 == len(lat) or chord_error_m(lat[e], lon[e], lat[e + 1], lon[e + 1]) <= tolerance_m:
            continue
        s_m, azi_deg = inverse_m(lat[e], lon[e], lat[e + 1], lon[e + 1])
        f, step, lat_f, lon_f = 0.0, 0.5, lat[e], lon[e]
        while True:
            g, lat_g, lon_g = 1.0, lat[e + 1], lon[e + 1]
            if f + step < 1.0:
                g = f + step
                lat_g, lon_g = direct(lat[e], lon[e], azi_deg, g * s_m)
            if chord_error_m(lat_f, lon_f, lat_g, lon_g) > tolerance_m and step > SHORTEST_CUT:
                step *= 0.5
                continue
            if g == 1.0:
                break
            if abs(lat_g) == 90.0:  # over the pole itself: down the opposite meridian
                n = _put(lat_g, lon_f, e, n, lat_out, lon_out, edge_out)
                lon_g = short_way(lon_f + 180.0)
            n = _put(lat_g, lon_g, e, n, lat_out, lon_out, edge_out)
            f, lat_f, lon_f = g, lat_g, lon_g
            # Wider again where the places so far allow it: pieces are binary fractions of the edge.
            if (f / step) % 2.0 == 0.0:
                step *= 2.0
    return n


@kernel
def isometric(lat: float) -> float:
    """Return the isometric latitude, radians: what makes a loxodrome straight (Snyder, eq. 15-9)."""
    s, c = sincosd(lat)
    e = sqrt(E2)
    return log((1.0 + s) / c) - 0.5 * e * log((1.0 + e * s) / (1.0 - e * s))


@kernel
def cut_loxodromes(
    lat: NDArray[np.float64], lon: NDArray[np.float64], tolerance_m: float,
    lat_out: NDArray[np.float64], lon_out: NDArray[np.float64], edge_out: NDArray[np.int64],
) -> int:  # fmt: skip
    """Write a chain of places with more between them, so that plane chords follow the loxodromes; as `cut_geodesics`.

    A chord over δφ leaves its loxodrome by R δφ² tan φ m / 8 √(1 + m²), with m = Δλ / Δψ. No place may be a pole.
    """
    n = 0
    for e in range(len(lat)):
        if n < len(lat_out):
            lat_out[n], lon_out[n], edge_out[n] = lat[e], lon[e], e
        n += 1
        if e + 1 == len(lat) or lat[e] == lat[e + 1] or lon[e] == lon[e + 1]:
            continue  # along a parallel or a meridian
        dlat, dlon = lat[e + 1] - lat[e], short_way(lon[e + 1] - lon[e])
        psi0, psi1 = isometric(lat[e]), isometric(lat[e + 1])
        m = dlon * RAD_PER_DEG / (psi1 - psi0)
        s, c = sincosd(max(abs(lat[e]), abs(lat[e + 1])))
        radians = abs(dlat) * RAD_PER_DEG
        error_m = 1.01 * A_M * radians * radians * s / c * abs(m) / (8.0 * sqrt(1.0 + m * m))
        pieces = ceil(sqrt(error_m / tolerance_m))
        for k in range(1, pieces):
            if n < len(lat_out):
                lat_out[n] = lat[e] + k / pieces * dlat
                share = (isometric(lat_out[n]) - psi0) / (psi1 - psi0)
                lon_out[n] = short_way(lon[e] + share * dlon)
                edge_out[n] = e
            n += 1
    return n


@kernel
def to_chart(
    lat0: float, lon0: float, lat: NDArray[np.float64], lon: NDArray[np.float64],
    x_out: NDArray[np.float64], y_out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Write places on the stereographic chart of the unit sphere that touches it at (lat0, lon0) (Snyder, eq. 21-2)."""
    s0, c0 = sincosd(lat0)
    for i in range(len(lat)):
        s, c = sincosd(lat[i])
        t, d = sincosd(short_way(lon[i] - lon0))
        k = 2.0 / (1.0 + s0 * s + c0 * c * d)
        x_out[i], y_out[i] = k * c * t, k * (c0 * s - s0 * c * d)


@kernel
def from_chart(
    lat0: float, lon0: float, x: NDArray[np.float64], y: NDArray[np.float64],
    lat_out: NDArray[np.float64], lon_out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Write the latitudes and longitudes of places on the chart of `to_chart`."""
    s0, c0 = sincosd(lat0)
    for i in range(len(x)):
        q = 0.25 * (x[i] * x[i] + y[i] * y[i])
        east, north, up = x[i] / (1.0 + q), y[i] / (1.0 + q), (1.0 - q) / (1.0 + q)
        axis, out = up * s0 + north * c0, up * c0 - north * s0
        lat_out[i] = atan2d(axis, hypot(east, out))
        lon_out[i] = short_way(lon0 + atan2d(east, out))
