"""Rings: positions checked, and followed round the globe without jumps.

All refusals are `ValueError`s that name ring and vertex, counted from 0. Left out: what an edge means (`shapes.py`)
and whether the rings make an area (`cuts.py`).
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

MAX_LON_DEG = 540.0
"""Longitudes beyond this are no notation of anything."""
CLEAR_SEAM_DEG = 270.0
"""An edge crosses the antimeridian if its longitudes differ by this or more; between 180 and this it is not clear."""
LEAST_POSITIONS = 4
"""Of a closed ring: a triangle and its first position again (RFC 7946 §3.1.6)."""


class Ring(Struct, frozen=True, kw_only=True):
    """One closed ring: vertices in degrees, and for each the edge of the given ring that it begins or lies on."""

    name: str
    lat_deg: Floats
    lon_deg: Floats
    edge: NDArray[np.int64]


class Unrolled(Struct, frozen=True):
    """A ring in the plane: `x` passes ±180 without a jump; `turn` is 360, 0 or -360, how far round it goes."""

    ring: Ring
    x: Floats
    y: Floats
    turn: float


def checked(positions: ArrayLike, name: str, *, poles: bool = True) -> tuple[Floats, Floats]:
    """Return latitudes and longitudes of a ring, without repeated positions.

    Parameters
    ----------
    positions : array_like, shape (n, 2), float64, degrees
        Latitude then longitude.
    name : str
        How a refusal calls the ring.
    poles : bool
        Whether a position may be a pole.

    Raises
    ------
    ValueError
    """
    try:
        array = np.array(positions, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: found no table of numbers, expected rows of latitude and longitude") from error
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name}: found an array of shape {array.shape}, expected rows of latitude and longitude")
    if len(array) < LEAST_POSITIONS:
        raise ValueError(
            f"{name}: found {len(array)} positions, expected at least {LEAST_POSITIONS}, the first repeated as the last"
        )
    lat, lon = _in_range(array[:, 0], array[:, 1], name, MAX_LON_DEG)
    if lat[0] != lat[-1] or (lon[0] - lon[-1]) % 360.0 != 0.0:
        raise ValueError(
            f"{name}, vertex {len(lat) - 1}: found {lat[-1]}, {lon[-1]}, expected the first position again "
            f"({lat[0]}, {lon[0]}): the ring is not closed"
        )
    if not poles and (np.abs(lat) == 90.0).any():
        vertex = int(np.argmax(np.abs(lat) == 90.0))
        raise ValueError(
            f"{name}, vertex {vertex}: found a pole, expected none: no rhumb line but a meridian ends there"
        )
    keep = np.append(True, (np.diff(lat) != 0.0) | (np.diff(lon) != 0.0))
    if keep.sum() < LEAST_POSITIONS:
        raise ValueError(f"{name}: found {keep.sum() - 1} different positions, expected at least 3 around some area")
    return lat[keep], lon[keep]


def check_ways(lat: Floats, lon: Floats, name: str) -> None:
    """Refuse an edge of more than 180 degrees of longitude that could be meant either way round."""
    ring = Ring(name=name, lat_deg=lat, lon_deg=lon, edge=np.arange(len(lat)))
    wide = np.abs(np.diff(lon))
    unclear = (wide > 180.0) & (wide < CLEAR_SEAM_DEG) & ~whole_parallels(ring)
    if unclear.any():
        edge = int(np.argmax(unclear))
        raise ValueError(
            f"{name}, vertex {edge}: found an edge from longitude {lon[edge]} to {lon[edge + 1]}, expected a position "
            "between, since it could be meant either way round"
        )


def checked_line(lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[Floats, Floats]:
    """Return the positions of a line, without repeated ones; refusals as in `checked`."""
    lat, lon = np.array(lat_deg, np.float64), np.array(lon_deg, np.float64)
    if lat.ndim != 1 or lat.shape != lon.shape or len(lat) == 0:
        raise ValueError(f"line: found shapes {lat.shape} and {lon.shape}, expected two of one shape (n,), n > 0")
    lat, lon = _in_range(lat, lon, "line", MAX_LON_DEG)
    keep = np.append(True, (np.diff(lat) != 0.0) | (np.diff(lon) != 0.0))
    return lat[keep], (lon[keep] + 180.0) % 360.0 - 180.0 if (np.abs(lon) > 180.0).any() else lon[keep]


def _in_range(lat: Floats, lon: Floats, name: str, most: float) -> tuple[Floats, Floats]:
    good = (np.abs(lat) <= 90.0) & (np.abs(lon) <= most)  # false for NaN
    if not good.all():
        vertex = int(np.argmin(good))
        raise ValueError(
            f"{name}, vertex {vertex}: found {lat[vertex]}, {lon[vertex]}, "
            f"expected latitude -90…90 and longitude -180…180"
        )
    lat, lon = lat + 0.0, lon + 0.0  # -0.0 becomes 0.0
    return np.ascontiguousarray(lat), np.ascontiguousarray(lon)


def begun_off_poles(lat: Floats, lon: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return a closed ring with no pole twice in a row and none at its ends, and each vertex's number before."""
    number = np.arange(len(lat) - 1)
    pole = np.abs(lat[:-1]) == 90.0
    if not pole.any():
        number = np.append(number, 0)
        return lat[number], lon[number], number
    keep = ~(pole & np.roll(pole, 1) & (lat[:-1] == np.roll(lat[:-1], 1)))
    number = number[keep]
    start = int(np.argmin(pole[keep]))
    number = np.append(np.roll(number, -start), number[start])
    return lat[number], lon[number], number


def whole_parallels(ring: Ring) -> NDArray[np.bool_]:
    """Return which edges follow a parallel from one side of the antimeridian to the other, all round the globe."""
    lon, lat = ring.lon_deg, ring.lat_deg
    return np.asarray((np.abs(lon[:-1]) == 180.0) & (lon[:-1] == -lon[1:]) & (lat[:-1] == lat[1:]))


def unroll(ring: Ring) -> Unrolled:
    """Return the ring followed without jumps, each edge the short way.

    Only an edge along a parallel from -180 to 180, or back, goes all the way; one between two latitudes of the
    antimeridian runs along it.
    """
    lon = ring.lon_deg
    step = np.diff(lon)
    turns = np.where((np.abs(step) > 180.0) & ~whole_parallels(ring), -np.round(step / 360.0), 0.0)
    x = lon + 360.0 * np.append(0.0, np.cumsum(turns))
    turn = float(x[-1] - x[0])
    along_pole = np.flatnonzero((np.abs(ring.lat_deg[:-1]) == 90.0) & (np.diff(ring.lat_deg) == 0.0) & (step != 0.0))
    if turn and len(along_pole):  # which way a pole is passed is free: so that the ring comes back to where it began
        x[along_pole[0] + 1 :] -= turn
        turn = 0.0
    if turn not in (0.0, 360.0, -360.0):
        raise ValueError(
            f"{ring.name}: found a ring that goes {abs(turn) / 360.0:g} times round the globe, expected once at most"
        )
    # Back to where most of it lies between ±180.
    shift = -360.0 * np.round(0.5 * (x.min() + x.max()) / 360.0)
    return Unrolled(ring, x + shift, ring.lat_deg, turn)
