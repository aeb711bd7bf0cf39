"""Projection: from degrees to the map's own units, north up.

Mercator on the ellipsoid (Snyder 1987, §7): conformal, so a ring drawn round stays round, and longitude is straight, so
the page can redraw its own ticks and scale when it is zoomed. Near a pole, where Mercator has no end, the azimuthal
equidistant map about that pole. Longitudes are unrolled about the middle, so nothing tears at 180°. Not for measuring.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

SEMI_MAJOR_M = 6_378_137.0
ECCENTRICITY = 0.0818191908426215
"""WGS84."""

MERCATOR_LIMIT_DEG = 80.0
"""A map that reaches past this latitude is drawn about the pole instead."""


class Projection(Protocol):
    """Degrees to plane radians, before the frame scales them."""

    @property
    def name(self) -> str:
        """What the page's script calls it."""
        ...

    @property
    def lon0_deg(self) -> float:
        """The middle meridian."""
        ...

    def forward(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return x (east) and y (north), dimensionless."""
        ...

    def metres_per_radian(self, lat_deg: float) -> float:
        """Return the ground distance of one unit at a latitude, east to west."""
        ...


class Mercator(Struct, frozen=True):
    """Mercator about a meridian."""

    lon0_deg: float
    name: str = "mercator"

    def forward(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return x and y; see `Projection`. Latitudes past 89.5° are drawn at 89.5°."""
        lat = np.radians(np.clip(np.asarray(lat_deg, np.float64), -89.5, 89.5))
        x = np.radians(unroll(lon_deg, self.lon0_deg) - self.lon0_deg)
        y = np.arcsinh(np.tan(lat)) - ECCENTRICITY * np.arctanh(ECCENTRICITY * np.sin(lat))
        return x, y

    def metres_per_radian(self, lat_deg: float) -> float:
        """Return the length of one radian of longitude."""
        lat = np.radians(lat_deg)
        return float(SEMI_MAJOR_M * np.cos(lat) / np.sqrt(1 - (ECCENTRICITY * np.sin(lat)) ** 2))


class Polar(Struct, frozen=True):
    """Azimuthal equidistant about a pole, the middle meridian pointing up (north pole: down to the reader)."""

    lon0_deg: float
    is_north: bool
    name: str = "polar"

    def forward(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return x and y; see `Projection`."""
        lat = np.asarray(lat_deg, np.float64)
        turn = np.radians(np.asarray(lon_deg, np.float64) - self.lon0_deg)
        away = np.radians(90.0 - lat if self.is_north else 90.0 + lat)
        return away * np.sin(turn), away * np.cos(turn) * (-1.0 if self.is_north else 1.0)

    def metres_per_radian(self, lat_deg: float) -> float:
        """Return the distance of one radian from the pole; the same everywhere, to a third of a percent."""
        return SEMI_MAJOR_M


def unroll(lon_deg: ArrayLike, about_deg: float) -> FloatArray:
    """Return longitudes within 180° of a meridian.

    Examples
    --------
    >>> unroll([179.0, -179.0], 180.0).tolist()
    [179.0, 181.0]
    """
    lon = np.asarray(lon_deg, np.float64)
    return about_deg + (lon - about_deg + 180.0) % 360.0 - 180.0


class Frame(Struct, frozen=True):
    """A map's sheet: where the projected world lies on it.

    Attributes
    ----------
    projection : Projection
    lat0_deg, x0, y0 : float
        The middle.
    scale : float
        Sheet units in a projected radian.
    width, height : float
        Sheet units.
    """

    projection: Projection
    lat0_deg: float
    x0: float
    y0: float
    scale: float
    width: float
    height: float

    def place(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return positions on the sheet, x to the right and y down, shape as given."""
        x, y = self.projection.forward(lat_deg, lon_deg)
        return self.width / 2 + self.scale * (x - self.x0), self.height / 2 - self.scale * (y - self.y0)

    @property
    def metres_per_unit(self) -> float:
        """Ground distance of a sheet unit in the middle of the map."""
        return self.projection.metres_per_radian(self.lat0_deg) / self.scale


def middle_lon_deg(lon_deg: FloatArray) -> float:
    """Return the meridian opposite the widest gap between longitudes: the middle of what is there."""
    around = np.unique(np.mod(lon_deg, 360.0))
    gaps = np.diff(np.append(around, around[0] + 360.0))
    k = int(np.argmax(gaps))
    middle = around[(k + 1) % len(around)] + (360.0 - gaps[k]) / 2
    return float((middle + 180.0) % 360.0 - 180.0)


def fit(
    lat_deg: FloatArray,
    lon_deg: FloatArray,
    *,
    width: float,
    shapes: tuple[float, float],
    margin: float,
    least_m: float,
) -> Frame:
    """Return the sheet that shows all of these positions.

    Parameters
    ----------
    lat_deg, lon_deg : ndarray, shape (n,), float64, degrees, at least one
    width : float
        Of the sheet, in its units.
    shapes : tuple of float
        Least and greatest height over width.
    margin : float
        Free share at each side.
    least_m : float
        The sheet is never less than this wide on the ground.
    """
    lon0 = middle_lon_deg(lon_deg)
    projection: Projection = Mercator(lon0)
    if np.abs(lat_deg).max() > MERCATOR_LIMIT_DEG:
        projection = Polar(lon0, bool(lat_deg.mean() > 0))
    x, y = projection.forward(lat_deg, lon_deg)
    lat0 = float((lat_deg.min() + lat_deg.max()) / 2)
    least = least_m / projection.metres_per_radian(lat0)
    across, up = max(float(np.ptp(x)), least), max(float(np.ptp(y)), least * shapes[0])
    height = width * float(np.clip(up / across, *shapes))
    scale = min(width / across, height / up) * (1 - 2 * margin)
    return Frame(
        projection=projection,
        lat0_deg=lat0,
        x0=float(x.min() + x.max()) / 2,
        y0=float(y.min() + y.max()) / 2,
        scale=scale,
        width=width,
        height=round(height),
    )
