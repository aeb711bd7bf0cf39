"""Backdrop: land, borders and disputed lines behind a map, clipped to its sheet.

From Natural Earth (public domain) by `assets/make_backdrop.py`; drawn without names, disputed lines apart. It is for
orientation at 1:50 million, takes no side and measures nothing: a coast may be off by kilometres.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import shapely
from msgspec import Struct

from tocsin.serve.report.projection import Frame, Polar, unroll

CREDIT = "Backdrop: Natural Earth, 1:50 million, public domain; for orientation only. Disputed lines are dashed."

LEAST_WIDTH_M = 60_000.0
"""A sheet narrower than this has no backdrop, whose coast may be off by a tenth of it; the page's script has it too."""
TOO_CLOSE = "No land or coast is drawn: the backdrop is too coarse for a map of this scale."


class Backdrop(Struct, frozen=True):
    """Land as rings and the rest as lines, in degrees, longitude first."""

    land: Any
    coast: Any
    borders: Any
    disputed: Any


@cache
def load_backdrop() -> Backdrop:
    """Return the whole world's backdrop; read once."""
    raw = gzip.decompress(files("tocsin.serve.report").joinpath("assets/backdrop.json.gz").read_bytes())
    stored = json.loads(raw)
    steps = stored["steps_per_deg"]

    def lines(name: str) -> list[Any]:
        return [shapely.LineString(np.cumsum(np.reshape(d, (-1, 2)), axis=0) / steps) for d in stored[name]]

    rings = lines("land")
    polygons = [shapely.Polygon(r) for r in rings]
    order = np.argsort([-p.area for p in polygons])
    return Backdrop(
        land=[polygons[i] for i in order],
        coast=rings,
        borders=lines("borders"),
        disputed=lines("disputed"),
    )


def clip(shapes: list[Any], frame: Frame, *, reach: float) -> list[Any]:
    """Return the parts of shapes that a sheet can show, unrolled about its middle.

    Parameters
    ----------
    shapes : list of shapely geometries
    frame : Frame
    reach : float
        How far past the sheet's edges, as a share of its longer side, to keep them.
    """
    if isinstance(frame.projection, Polar):
        box = (-180.0, 50.0, 180.0, 90.0) if frame.projection.is_north else (-180.0, -90.0, 180.0, -50.0)
        return _inside(shapes, box)
    lon0 = frame.projection.lon0_deg + np.degrees(frame.x0)
    half = (0.5 + reach) * max(frame.width, frame.height) / frame.scale
    west, east = max(lon0 - np.degrees(half), lon0 - 180.0), min(lon0 + np.degrees(half), lon0 + 180.0)
    south, north = (float(np.degrees(np.arctan(np.sinh(frame.y0 + s * half)))) for s in (-1, 1))
    found = []
    for turn in (-360.0, 0.0, 360.0):
        for part in _inside(shapes, (west - turn, south, east - turn, north)):
            found.append(shapely.transform(part, lambda xy, t=turn: xy + np.array((t, 0.0))))
    return found


def _inside(shapes: list[Any], box: tuple[float, float, float, float]) -> list[Any]:
    cut = shapely.clip_by_rect(np.array(shapes, object), *box)
    return [
        part for part in shapely.get_parts(cut) if not part.is_empty and part.geom_type in ("Polygon", "LineString")
    ]


def without_seam(line: Any) -> list[Any]:
    """Return a ring as the lines of it that are coast: without the source's cuts at 180° and the south pole."""
    xy = shapely.get_coordinates(line)
    cut = (np.abs(np.abs(xy) - (180.0, 90.0)) < 0.01).any(axis=1)
    kept = ~(cut[:-1] & cut[1:])
    runs = np.split(np.arange(len(kept)), np.flatnonzero(np.diff(kept.astype(int))) + 1)
    return [shapely.LineString(xy[r[0] : r[-1] + 2]) for r in runs if kept[r[0]]]


def unrolled(geometry: Any, frame: Frame) -> Any:
    """Return a geometry with its longitudes within 180° of the sheet's middle; parts cut at 180° are joined."""
    about = frame.projection.lon0_deg
    rolled = shapely.transform(geometry, lambda xy: np.column_stack([unroll(xy[:, 0], about), xy[:, 1]]))
    return (
        shapely.union_all(shapely.get_parts(shapely.make_valid(rolled)))
        if geometry.geom_type.startswith("Multi")
        else rolled
    )
