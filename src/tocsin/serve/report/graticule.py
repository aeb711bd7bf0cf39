"""Graticule and scale bar: round lines of latitude and longitude, and a round distance.

The page's script draws both anew when the map is zoomed; these are what is printed, and what is seen without script.
"""

from __future__ import annotations

import numpy as np
import shapely
from markupsafe import Markup
from msgspec import Struct

from tocsin.serve.report.paths import path
from tocsin.serve.report.projection import Frame, Polar
from tocsin.units import format_length

STEPS_DEG = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Distances between lines, degrees; the page's script has the same list."""
LINES = 6
"""At most this many lines across the sheet, and up it."""
BAR = 160.0
"""Longest scale bar, sheet units."""


class Tick(Struct, frozen=True):
    """A line's name and where the sheet's edge carries it."""

    text: str
    x: float
    y: float


class Graticule(Struct, frozen=True):
    """Lines as path data, and their names."""

    lines: Markup
    ticks: tuple[Tick, ...]


class Scale(Struct, frozen=True):
    """A bar's length in sheet units and what it stands for."""

    length: float
    text: str


def graticule(frame: Frame, *, reach: float) -> Graticule:
    """Return the round lines of a sheet, drawn past its edges by `reach` times its longer side."""
    if isinstance(frame.projection, Polar):
        return _polar(frame)
    lon0 = frame.projection.lon0_deg
    half_x, half_y = frame.width / 2 / frame.scale, frame.height / 2 / frame.scale
    west, east = (lon0 + np.degrees(frame.x0 + s * half_x) for s in (-1, 1))
    south, north = (_latitude(frame, frame.y0 + s * half_y) for s in (-1, 1))
    step_lon, step_lat = _step((east - west) / LINES), _step((north - south) / LINES)
    far = reach * max(frame.width, frame.height)
    lines, ticks = [], []
    for lon in np.arange(np.ceil(west / step_lon), np.floor(east / step_lon) + 1) * step_lon:
        x = float(frame.place(frame.lat0_deg, lon)[0]) if abs(lon - lon0) < 180 else np.nan
        if np.isfinite(x):
            lines.append([(x, -far), (x, frame.height + far)])
            ticks.append(Tick(format_degrees(lon, step_lon, "EW"), x, frame.height))
    for lat in np.arange(np.ceil(south / step_lat), np.floor(north / step_lat) + 1) * step_lat:
        y = float(frame.place(lat, lon0)[1])
        lines.append([(-far, y), (frame.width + far, y)])
        ticks.append(Tick(format_degrees(lat, step_lat, "NS"), 0.0, y))
    return Graticule(path(shapely.MultiLineString(lines), decimals=1), tuple(ticks))


def scale_bar(frame: Frame) -> Scale:
    """Return the longest bar of a round length that fits; true in the middle of the map."""
    longest_m = BAR * frame.metres_per_unit
    power = 10.0 ** np.floor(np.log10(longest_m))
    length_m = max(m * power for m in (1, 2, 5) if m * power <= longest_m)
    return Scale(round(length_m / frame.metres_per_unit, 1), format_length(length_m).replace(".0 km", " km"))


def format_degrees(value_deg: float, step_deg: float, letters: str) -> str:
    """Return a latitude or longitude to the digits that a step needs, such as "33.5° N".

    Examples
    --------
    >>> format_degrees(-80.15, 0.05, "EW"), format_degrees(181.0, 1.0, "EW")
    ('80.15° W', '179° W')
    """
    if letters == "EW":
        value_deg = (value_deg + 180.0) % 360.0 - 180.0
    digits = max(0, int(np.ceil(-np.log10(step_deg) - 1e-9)))
    text = f"{abs(value_deg):.{digits}f}°"
    return text if round(abs(value_deg), digits) == 0 else f"{text} {letters[0 if value_deg > 0 else 1]}"


def _step(least_deg: float) -> float:
    return next((s for s in STEPS_DEG if s >= least_deg), STEPS_DEG[-1])


def _latitude(frame: Frame, y: float) -> float:
    """Return the latitude of a projected y, by bisection."""
    low, high = -89.0, 89.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if float(frame.projection.forward(middle, 0.0)[1]) < y else (low, middle)
    return low


def _polar(frame: Frame) -> Graticule:
    sign = 1.0 if frame.lat0_deg > 0 else -1.0
    around, up = np.linspace(-180, 180, 181), np.linspace(60, 90, 16)
    lines, ticks = [], []
    for lat in (60, 65, 70, 75, 80, 85):
        x, y = frame.place(np.full(len(around), sign * lat), around)
        lines.append(np.column_stack([x, y]))
    for lon in range(-180, 180, 30):
        x, y = frame.place(sign * up, np.full(len(up), float(lon)))
        lines.append(np.column_stack([x, y]))
        at = np.flatnonzero((x > 20) & (x < frame.width - 20) & (y > 10) & (y < frame.height - 10))
        if len(at):
            ticks.append(Tick(format_degrees(lon, 1.0, "EW"), float(x[at[0]]), float(y[at[0]])))
    return Graticule(path(shapely.MultiLineString(lines), decimals=1), tuple(ticks))
