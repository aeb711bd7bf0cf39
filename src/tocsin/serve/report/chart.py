"""Chart: one sheet's map as the lines, marks and names to draw.

Everything is in sheet units; the page's script zooms the sheet and keeps marks and names at their size. What is left
out for lack of room is said in `notes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace

from tocsin.serve.report import backdrop
from tocsin.serve.report.fate import Fate
from tocsin.serve.report.graticule import Graticule, Scale, graticule, scale_bar
from tocsin.serve.report.labels import EM, LINE_EM, Box, Placed, Wanted, place_labels, text_width
from tocsin.serve.report.model import Report
from tocsin.serve.report.paths import SILENCE_S, Course, draw_courses, path
from tocsin.serve.report.projection import Frame
from tocsin.serve.report.sheets import Sheet
from tocsin.serve.report.symbols import EVENT_SYMBOLS, Symbol
from tocsin.serve.report.text import clock, date, minute, plural, visible, words
from tocsin.units import format_duration, format_length
from tocsin.watch.event import Event, EventKind

REACH = 0.75
"""How far past its edges a sheet is drawn, as a share of its longer side: a narrow window shows some of it."""
MAX_MARKS = 400
"""Event marks of one sheet."""
MAX_TRACKS = 1_500
"""Tracks of one sheet that can be pointed at; of the quiet ones the rest are drawn as one."""
CELL = 7.0
"""Events of one kind within this of each other share a mark."""
MAX_NAMES = 9
"""Zones of one sheet that are named on it; more are numbered, with a key."""


class ZoneLine(Struct, frozen=True, kw_only=True):
    """A zone as drawn; `index` is its place in the report's list, `number` its number on this sheet or 0."""

    index: int
    number: int
    name: str
    kind: str
    path: Markup
    is_exemption: bool
    label: Placed | None
    mark: str = ""


class TrackLine(Struct, frozen=True, kw_only=True):
    """A track as drawn; `index` is its place in the report's list of tracks, -1 for many drawn as one."""

    index: int
    fate: Fate
    seen: Markup
    guessed: Markup
    title: str
    ends: tuple[tuple[float, float], ...]


class EventMark(Struct, frozen=True, kw_only=True):
    """One or several events of one kind at one spot."""

    x: float
    y: float
    symbol: Symbol
    events: tuple[int, ...]
    tracks: tuple[int, ...]
    title: str


class SiteMark(Struct, frozen=True, kw_only=True):
    """A named place."""

    x: float
    y: float
    label: Placed | None
    name: str


class Chart(Struct, frozen=True, kw_only=True):
    """One map."""

    id: str
    title: str
    description: str
    frame: Frame
    has_backdrop: bool
    land: Markup
    coast: Markup
    borders: Markup
    disputed: Markup
    zones: tuple[ZoneLine, ...]
    tracks: tuple[TrackLine, ...]
    marks: tuple[EventMark, ...]
    sites: tuple[SiteMark, ...]
    boxes: tuple[tuple[str, str, Box], ...]
    graticule: Graticule
    scale: Scale
    fates: tuple[tuple[Fate, int], ...]
    kinds: tuple[tuple[EventKind, Symbol, int], ...]
    has_guesses: bool
    notes: tuple[str, ...]


def draw_chart(
    report: Report, sheet: Sheet, *, chart_id: str, tracks: Sequence[Course], fates: Mapping[str, Fate],
    called: Mapping[Fate, str] = MappingProxyType({}),
) -> Chart:  # fmt: skip
    """Return a sheet's map.

    Parameters
    ----------
    report : Report
    sheet : Sheet
    chart_id : str
        Unique in the page.
    tracks : sequence of Course
        All tracks of the report.
    fates : mapping of str to Fate
        By track id; others are QUIET.
    called : mapping of Fate to str
        What the fates mean on this page, where it is not what they mean in a replay.
    """
    frame = sheet.frame
    world = backdrop.load_backdrop()
    lines, counted, track_notes = _tracks(tracks, fates, frame)
    numbers = {course.track_id: index for index, course in enumerate(tracks)}
    marks, kinds, mark_notes = _marks(report.events, frame, numbers) if not sheet.is_overview else ((), (), ())
    furniture: list[Box] = [(0, frame.height - 42, 250, frame.height), (frame.width - 60, 0, frame.width, 60)]
    sites = _sites(report, frame, furniture) if not sheet.is_overview else ()
    taken = [*furniture, *(_around(s.x, s.y, s.label) for s in sites), *(_spot(m.x, m.y) for m in marks[:60])]
    zones = _zones(report, sheet, taken)
    boxes = _group_boxes(report, sheet)
    has_backdrop = frame.metres_per_unit * frame.width >= backdrop.LEAST_WIDTH_M
    far_off = () if has_backdrop else (backdrop.TOO_CLOSE,)
    return Chart(
        id=chart_id,
        title=sheet.title,
        description=_describe(sheet, lines, [(called.get(f, str(f)), n) for f, n in counted], report),
        frame=frame,
        has_backdrop=has_backdrop,
        land=_backdrop(world.land, frame),
        coast=_backdrop([part for ring in world.coast for part in backdrop.without_seam(ring)], frame),
        borders=_backdrop(world.borders, frame),
        disputed=_backdrop(world.disputed, frame),
        zones=zones,
        tracks=lines,
        marks=marks,
        sites=sites,
        boxes=boxes,
        graticule=graticule(frame, reach=REACH),
        scale=scale_bar(frame),
        fates=counted,
        kinds=kinds,
        has_guesses=any(line.guessed for line in lines),
        notes=(*far_off, *track_notes, *mark_notes),
    )


def _backdrop(shapes: list[Any], frame: Frame) -> Markup:
    parts = backdrop.clip(shapes, frame, reach=REACH)
    return Markup("").join(path(_placed(part, frame), decimals=1) for part in parts)


def _placed(geometry: Any, frame: Frame) -> Any:
    return shapely.transform(geometry, lambda xy: np.column_stack(frame.place(xy[:, 1], xy[:, 0])))


def _zones(report: Report, sheet: Sheet, taken: Sequence[Box]) -> tuple[ZoneLine, ...]:
    frame = sheet.frame
    shown = range(len(report.zones)) if not sheet.is_overview else sheet.zones
    placed = {i: _placed(backdrop.unrolled(report.zones[i].geometry, frame), frame) for i in shown}
    far = REACH * max(frame.width, frame.height)
    within = [
        i for i, g in placed.items() if shapely.box(-far, -far, frame.width + far, frame.height + far).intersects(g)
    ]
    labels: dict[int, Placed | None] = dict.fromkeys(within)
    numbers: dict[int, int] = dict.fromkeys(within, 0)
    if not sheet.is_overview:
        names = [visible(report.zones[i].name) for i in within]
        found = _place(names, [placed[i] for i in within], frame, taken) if len(within) <= MAX_NAMES else []
        if len(found) != len(within) or None in found:
            numbers = {i: n for n, i in enumerate(within, start=1)}
            found = _place([str(numbers[i]) for i in within], [placed[i] for i in within], frame, taken)
        labels = dict(zip(within, found, strict=True))
    return tuple(
        ZoneLine(
            index=i,
            number=numbers[i],
            name=report.zones[i].name,
            kind=report.zones[i].kind,
            path=path(shapely.simplify(placed[i], 0.05)),
            is_exemption=report.zones[i].is_exemption,
            mark=report.zones[i].mark,
            label=labels[i],
        )
        for i in sorted(within, key=lambda i: -placed[i].area)
    )


def _place(names: list[str], shapes: list[Any], frame: Frame, taken: Sequence[Box]) -> list[Placed | None]:
    sheet = (4.0, 4.0, frame.width - 4.0, frame.height - 4.0)
    wanted = []
    for name, shape in zip(names, shapes, strict=True):
        inside = shapely.clip_by_rect(shape, *sheet)
        seen = inside if not inside.is_empty else shape
        point = shapely.point_on_surface(seen)
        wanted.append(Wanted(name, tuple(seen.bounds), (point.x, point.y)))
    found = place_labels(wanted, sheet=sheet, taken=taken)
    return [_led(label, shape) if label else None for label, shape in zip(found, shapes, strict=True)]


def _led(label: Placed, shape: Any) -> Placed:
    """Return a label with a leader to the nearest point of what it names, or none if that is under the label."""
    x, y = label.anchor[0] + label.offset[0], label.anchor[1] + label.offset[1]
    near_x, near_y = shapely.get_coordinates(shapely.shortest_line(shapely.Point(x, y), shape))[1].tolist()
    if abs(near_x - x) < text_width(label.text) / 2 + 4 and abs(near_y - y) < EM * LINE_EM / 2 + 4:
        return replace(label, anchor=(x, y), offset=(0.0, 0.0), has_leader=False)
    return replace(label, anchor=(near_x, near_y), offset=(x - near_x, y - near_y), has_leader=True)


def _tracks(
    tracks: Sequence[Course], fates: Mapping[str, Fate], frame: Frame
) -> tuple[tuple[TrackLine, ...], tuple[tuple[Fate, int], ...], tuple[str, ...]]:
    drawn, coarse = draw_courses(tracks, frame, reach=REACH)
    index = {course.track_id: i for i, course in enumerate(tracks)}
    order = {fate: rank for rank, fate in enumerate(Fate)}
    drawn.sort(key=lambda d: (-order[fates.get(d.course.track_id, Fate.QUIET)], d.course.track_id))
    quiet = [d for d in drawn if fates.get(d.course.track_id, Fate.QUIET) is Fate.QUIET]
    many = quiet[: max(0, len(drawn) - MAX_TRACKS)]
    lines = []
    if many:
        lines.append(
            TrackLine(
                index=-1,
                fate=Fate.QUIET,
                seen=Markup("").join(d.seen for d in many),
                guessed=Markup("").join(d.guessed for d in many),
                title=f"{plural(len(many), 'track')} without an event",
                ends=(),
            )
        )
    for d in drawn[len(many) :]:
        fate = fates.get(d.course.track_id, Fate.QUIET)
        lines.append(
            TrackLine(
                index=index[d.course.track_id],
                fate=fate,
                seen=d.seen,
                guessed=d.guessed,
                title=describe_course(d.course),
                ends=(d.first, d.last) if fate is not Fate.QUIET else (),
            )
        )
    counted = tuple((f, n) for f in Fate if (n := sum(fates.get(d.course.track_id, Fate.QUIET) is f for d in drawn)))
    notes = []
    if coarse * frame.metres_per_unit > 50:
        notes.append(f"Tracks are drawn to within {format_length(coarse * frame.metres_per_unit)}.")
    if many:
        notes.append(
            f"Of {plural(len(quiet), 'quiet track')}, {len(many):,} are drawn as one and cannot be pointed at."
        )
    return tuple(lines), counted, tuple(notes)


def describe_course(course: Course) -> str:
    """Return a track in a line: who, what, when and how many reports."""
    whose = f", party {course.party}" if course.party else ", party not declared"
    kind = f", {words(course.category)}" if course.category else ""
    first, last = int(course.observed_us[0]), int(course.observed_us[-1])
    until = clock(last) if date(first) == date(last) else f"{date(last)} {clock(last)}"
    reports = plural(len(course.observed_us), "report")
    when = f"{date(first)} {clock(first)} to {until} UTC"
    return f"{visible(course.track_id)}{visible(kind)}{visible(whose)}: {reports}, {when}"


def _marks(
    events: Sequence[Event], frame: Frame, numbers: Mapping[str, int]
) -> tuple[tuple[EventMark, ...], tuple[tuple[EventKind, Symbol, int], ...], tuple[str, ...]]:
    if not events:
        return (), (), ()
    x, y = frame.place([e.lat_deg for e in events], [e.lon_deg for e in events])
    cells: dict[tuple[EventKind, int, int], list[int]] = {}
    for i in np.flatnonzero((x > 0) & (x < frame.width) & (y > 0) & (y < frame.height)).tolist():
        cells.setdefault((events[i].kind, int(x[i] // CELL), int(y[i] // CELL)), []).append(i)
    counted = {kind: sum(len(v) for k, v in cells.items() if k[0] is kind) for kind in EventKind}
    kept = sorted(cells.values(), key=lambda rows: events[rows[0]].order)[:MAX_MARKS]
    marks = tuple(
        EventMark(
            x=round(float(x[rows].mean()), 1),
            y=round(float(y[rows].mean()), 1),
            symbol=EVENT_SYMBOLS[events[rows[0]].kind],
            events=tuple(rows),
            tracks=tuple(sorted({numbers[events[i].track_id] for i in rows if events[i].track_id in numbers})),
            title=_event_title(events, rows),
        )
        for rows in kept
    )
    left = len(cells) - len(kept)
    notes = (f"{plural(left, 'further event mark')} not drawn; the table has every event it names.",) if left else ()
    return marks, tuple((k, EVENT_SYMBOLS[k], n) for k, n in counted.items() if n), notes


def _event_title(events: Sequence[Event], rows: Sequence[int]) -> str:
    first = events[rows[0]]
    if len(rows) == 1:
        return f"{words(first.kind)}: {visible(first.track_id)} at {visible(first.zone_id)}, {minute(first.at_us)} UTC"
    return f"{len(rows)} times {words(first.kind)} here, first at {minute(first.at_us)} UTC"


def _sites(report: Report, frame: Frame, taken: Sequence[Box]) -> tuple[SiteMark, ...]:
    found, used = [], list(taken)
    for mark in report.marks:
        x, y = (float(v) for v in frame.place(mark.lat_deg, mark.lon_deg))
        if not (0 < x < frame.width and 0 < y < frame.height):
            continue
        spot = _spot(x, y)
        name = visible(mark.name)
        (label,) = place_labels(
            [Wanted(name, spot, (x, y))], sheet=(4, 4, frame.width - 4, frame.height - 4), taken=used
        )
        found.append(SiteMark(x=round(x, 1), y=round(y, 1), label=label, name=mark.name))
        used += [spot, _around(x, y, label)]
    return tuple(found)


def _spot(x: float, y: float, size: float = 8.0) -> Box:
    return (x - size, y - size, x + size, y + size)


def _around(x: float, y: float, label: Placed | None) -> Box:
    if label is None:
        return _spot(x, y)
    cx, cy = label.anchor[0] + label.offset[0], label.anchor[1] + label.offset[1]
    half = text_width(label.text) / 2
    return (cx - half, cy - EM * LINE_EM / 2, cx + half, cy + EM * LINE_EM / 2)


def _group_boxes(report: Report, sheet: Sheet) -> tuple[tuple[str, str, Box], ...]:
    """Return, on an overview, each other sheet's letter, title and place."""
    found = []
    for n, (title, group) in enumerate(sheet.groups):
        shapes = [_placed(backdrop.unrolled(report.zones[i].geometry, sheet.frame), sheet.frame) for i in group]
        left, top, right, bottom = shapely.total_bounds(shapes)
        pad_x, pad_y = max(0.0, 10 - (right - left) / 2), max(0.0, 10 - (bottom - top) / 2)
        found.append((chr(ord("A") + n), title, (left - pad_x, top - pad_y, right + pad_x, bottom + pad_y)))
    return tuple(found)


def _describe(sheet: Sheet, lines: Sequence[TrackLine], counted: Sequence[tuple[str, int]], report: Report) -> str:
    fates = ", ".join(f"{n:,} {fate}" for fate, n in counted) or "none"
    names = [visible(report.zones[i].name) for i in sheet.zones]
    zones = f"{plural(len(names), 'zone')}: {', '.join(names[:12])}{' and others' if len(names) > 12 else ''}"
    return f"Map, north up. {zones}. Tracks by what happened: {fates}."


def guess_note() -> str:
    """Return the sentence on dashed tracks."""
    return f"Dashed: more than {format_duration(SILENCE_S)} between two reports; the line between them is a guess."
