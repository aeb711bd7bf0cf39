"""Sheets: into how many maps a report's places are cut, and what each shows.

Zones that lie close together share a sheet. If all do, there is one; otherwise an overview comes first and then a sheet
for each group in which something happened, the busiest first, at most `MAX_SHEETS`. What has no sheet is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import shapely
from msgspec import Struct

from tocsin.serve.report.model import Report
from tocsin.serve.report.projection import Frame, fit, middle_lon_deg, unroll
from tocsin.serve.report.text import plural

MAX_SHEETS = 6
NEAR = 2.0
"""Two zones share a sheet if they lie within this many times the larger one's diagonal."""
NEAR_DEG = 0.05
"""Or within this, whatever their size."""
TOGETHER = 12.0
"""One sheet does for all if it is at most this many times as long as the smallest group."""
WIDTH = 960.0
MARGIN = 0.09
LEAST_M = 3_000.0
SHAPES = (0.5, 0.64)


class Sheet(Struct, frozen=True, kw_only=True):
    """One map: its frame, and the zones it is about.

    Attributes
    ----------
    title : str
    frame : Frame
    zones : tuple of int
        Indices into the report's zones.
    is_overview : bool
    groups : tuple of (str, tuple of int)
        On an overview, the other sheets' titles and zones.
    """

    title: str
    frame: Frame
    zones: tuple[int, ...]
    is_overview: bool = False
    groups: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Layout(Struct, frozen=True):
    """All sheets, and a sentence on what has none."""

    sheets: tuple[Sheet, ...]
    note: str = ""


def lay_out(report: Report, *, busy: Counter[str] | None = None) -> Layout:
    """Return the sheets of a report: none if it has no place at all.

    Parameters
    ----------
    report : Report
    busy : Counter or None
        How much there is to see at each zone, by id; None counts the events.
    """
    if not report.zones:
        lat, lon = report.reports.lat_deg, report.reports.lon_deg
        return Layout((Sheet(title="All tracks", frame=_frame(lat, lon), zones=()),) if len(lat) else ())
    boxes = _boxes(report)
    groups = _groups(boxes)
    everything = tuple(range(len(report.zones)))
    whole = Sheet(title="All zones", frame=_frame_of(boxes, everything), zones=everything)
    length = max(np.ptp(boxes[:, [0, 2]]), np.ptp(boxes[:, [1, 3]]))
    smallest = min(max(np.ptp(boxes[list(g)][:, [0, 2]]), np.ptp(boxes[list(g)][:, [1, 3]])) for g in groups)
    if len(groups) == 1 or length <= TOGETHER * smallest:
        return Layout((whole,))
    busy = Counter(event.zone_id for event in report.events) if busy is None else busy
    weight = {g: sum(busy[report.zones[i].zone_id] for i in g) for g in groups}
    ranked = sorted((g for g in groups if weight[g]), key=lambda g: (-weight[g], g))
    shown = ranked[:MAX_SHEETS]
    titled = tuple((_title(report, g, busy), g) for g in shown)
    overview = Sheet(title="Overview", frame=whole.frame, zones=everything, is_overview=True, groups=titled)
    sheets = tuple(Sheet(title=title, frame=_frame_of(boxes, g), zones=g) for title, g in titled)
    left = len(ranked) - len(shown)
    note = (
        f"{plural(left, 'further group')} of zones with events: no sheet of their own, see the overview. "
        if left
        else ""
    )
    still = len(groups) - len(ranked)
    note += f"{plural(still, 'group')} of zones without an event: on the overview alone." if still else ""
    return Layout((overview, *sheets), note)


def _boxes(report: Report) -> np.ndarray:
    """Return each zone's west, south, east, north, unrolled about their common middle; shape (zones, 4), degrees."""
    coordinates = [shapely.get_coordinates(zone.geometry) for zone in report.zones]
    about = middle_lon_deg(np.concatenate([xy[:, 0] for xy in coordinates]))
    found = []
    for xy in coordinates:
        lon = unroll(xy[:, 0], about)
        found.append((lon.min(), xy[:, 1].min(), lon.max(), xy[:, 1].max()))
    return np.array(found)


def _groups(boxes: np.ndarray) -> list[tuple[int, ...]]:
    """Return the zones in groups: joined by whatever lies near, however long the chain."""
    size = np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    group = np.arange(len(boxes))
    for i in range(len(boxes)):
        apart = np.hypot(
            np.maximum(0, np.maximum(boxes[:, 0] - boxes[i, 2], boxes[i, 0] - boxes[:, 2])),
            np.maximum(0, np.maximum(boxes[:, 1] - boxes[i, 3], boxes[i, 1] - boxes[:, 3])),
        )
        close = apart <= np.maximum(NEAR_DEG, NEAR * np.maximum(size, size[i]))
        joined = np.isin(group, group[close])
        group[joined] = group[joined].min()
    return [tuple(np.flatnonzero(group == g).tolist()) for g in np.unique(group)]


def _title(report: Report, group: Sequence[int], busy: Counter[str]) -> str:
    first = max(group, key=lambda i: (busy[report.zones[i].zone_id], -i))
    name = report.zones[first].name
    return name if len(group) == 1 else f"{name} and {plural(len(group) - 1, 'zone')} near it"


def _frame_of(boxes: np.ndarray, group: Sequence[int]) -> Frame:
    ours = boxes[list(group)]
    return _frame(ours[:, [1, 1, 3, 3]].ravel(), ours[:, [0, 2, 0, 2]].ravel())


def _frame(lat: np.ndarray, lon: np.ndarray) -> Frame:
    return fit(lat, lon, width=WIDTH, shapes=SHAPES, margin=MARGIN, least_m=LEAST_M)
