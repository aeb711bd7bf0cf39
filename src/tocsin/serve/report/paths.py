"""Paths: positions on a sheet as SVG path data, and a batch of reports as one line for each track.

Where two reports lie further apart in time than `SILENCE_S` the line between them is a guess, and kept apart so that it
can be drawn as one. Where a line leaves the sheet's reach it is cut off.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely
from markupsafe import Markup
from msgspec import Struct

from tocsin.clock import US_PER_S
from tocsin.serve.report.projection import FloatArray, Frame
from tocsin.tracks.batch import ReportBatch

SILENCE_S = 1_800.0
"""Seconds between two reports from which the line between them is drawn as a guess."""
COARSE = 0.04
"""Largest departure of a drawn line from the track, sheet units, while there is room for its vertices."""
MAX_VERTICES = 80_000
"""Vertices of all tracks of one sheet; past it lines are drawn more coarsely, and the page says how coarsely."""


class Course(Struct, frozen=True, kw_only=True):
    """One track's reports in the order of their times.

    Attributes
    ----------
    track_id : str
    party, category : str or None
        As first declared.
    observed_us : ndarray, shape (n,), int64
    lat_deg, lon_deg : ndarray, shape (n,), float64
    """

    track_id: str
    party: str | None
    category: str | None
    observed_us: np.ndarray
    lat_deg: FloatArray
    lon_deg: FloatArray


class Drawn(Struct, frozen=True, kw_only=True):
    """A track as drawn on one sheet."""

    course: Course
    seen: Markup
    guessed: Markup
    first: tuple[float, float]
    last: tuple[float, float]


def courses(reports: ReportBatch) -> list[Course]:
    """Return the tracks of a batch, by id."""
    order = np.lexsort((reports.observed_us, reports.track))
    track = reports.track[order]
    starts = np.flatnonzero(np.diff(track, prepend=-1))
    stops = np.r_[starts[1:], len(track)][: len(starts)]
    found = []
    for start, stop in zip(starts, stops, strict=True):
        rows = order[start:stop]
        found.append(
            Course(
                track_id=reports.tracks[track[start]],
                party=_first(reports.party[rows], reports.parties),
                category=_first(reports.category[rows], reports.categories),
                observed_us=reports.observed_us[rows],
                lat_deg=reports.lat_deg[rows],
                lon_deg=reports.lon_deg[rows],
            )
        )
    return sorted(found, key=lambda c: c.track_id)


def draw_courses(tracks: Iterable[Course], frame: Frame, *, reach: float) -> tuple[list[Drawn], float]:
    """Return the tracks that a sheet can show, and how far (sheet units) a line may lie from its track.

    Parameters
    ----------
    tracks : iterable of Course
    frame : Frame
    reach : float
        How far past the sheet's edges to draw, as a share of its longer side.
    """
    far = reach * max(frame.width, frame.height)
    box = (-far, -far, frame.width + far, frame.height + far)
    world = 2 * np.pi * frame.scale
    lines = []
    for course in tracks:
        x, y = frame.place(course.lat_deg, course.lon_deg)
        if x.max() < box[0] or x.min() > box[2] or y.max() < box[1] or y.min() > box[3]:
            continue
        torn = np.abs(np.diff(x)) > world / 2
        silent = np.diff(course.observed_us) > SILENCE_S * US_PER_S
        seen, guessed = _pieces(x, y, ~silent & ~torn, dots=True), _pieces(x, y, silent & ~torn, dots=False)
        seen, guessed = shapely.clip_by_rect(seen, *box), shapely.clip_by_rect(guessed, *box)
        if not seen.is_empty or not guessed.is_empty:
            lines.append((course, seen, guessed, (x[0], y[0]), (x[-1], y[-1])))
    coarse = COARSE
    while True:
        thin = [(shapely.simplify(s, coarse), shapely.simplify(g, coarse)) for _, s, g, _, _ in lines]
        if sum(int(shapely.get_num_coordinates(g)) for pair in thin for g in pair) <= MAX_VERTICES or coarse > 8:
            break
        coarse *= 2
    drawn = [
        Drawn(course=course, seen=path(s), guessed=path(g), first=first, last=last)
        for (course, _, _, first, last), (s, g) in zip(lines, thin, strict=True)
    ]
    return drawn, coarse


def path(geometry: Any, *, decimals: int = 2) -> Markup:
    """Return SVG path data of a geometry in sheet units: letters and numbers alone; a line without length is a dot."""
    found: list[str] = []
    for part in shapely.get_parts(geometry):
        if part.geom_type == "Polygon":
            found += [
                _run(shapely.get_coordinates(ring)[:-1], decimals) + "z" for ring in (part.exterior, *part.interiors)
            ]
        elif part.geom_type == "MultiLineString":
            found.append(path(part, decimals=decimals))
        elif part.geom_type == "LineString":
            found.append(_run(shapely.get_coordinates(part), decimals))
    return Markup("".join(found))


def _run(xy: FloatArray, decimals: int) -> str:
    steps = np.rint(xy * 10**decimals).astype(np.int64)
    moved = np.diff(steps, axis=0)
    moved = moved[np.any(moved != 0, axis=1)]
    unit = 10**decimals
    head = f"M{_number(steps[0, 0], unit)} {_number(steps[0, 1], unit)}"
    if not len(moved):
        return head + "h0"
    return head + "l" + " ".join(f"{_number(dx, unit)} {_number(dy, unit)}" for dx, dy in moved.tolist())


def _number(steps: int, unit: int) -> str:
    return f"{steps / unit:g}" if abs(steps) < 10_000 else f"{steps / unit:.2f}".rstrip("0").rstrip(".")


def _pieces(x: FloatArray, y: FloatArray, joined: np.ndarray, *, dots: bool) -> Any:
    """Return the runs of positions whose steps are joined, as lines; with `dots`, a lone position as a dot."""
    cuts = np.flatnonzero(~joined) + 1
    runs = np.split(np.arange(len(x)), cuts)
    lines = [np.column_stack([x[r], y[r]]) for r in runs if len(r) > 1]
    if dots:
        lines += [np.column_stack([x[r], y[r]]).repeat(2, axis=0) for r in runs if len(r) == 1]
    return shapely.MultiLineString(lines)


def _first(codes: np.ndarray, names: tuple[str, ...]) -> str | None:
    said = codes[codes >= 0]
    return names[said[0]] if len(said) else None
