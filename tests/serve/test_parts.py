"""The pieces of maps and timelines, each against the fault it could have."""

import itertools
import re

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.common import NOON_US, S, batch, line, report
from tests.serve.story import story, walked
from tests.warn.stories import HANDED, NOW_NOT, Walk, answer, cable, event

from tocsin.serve.report import backdrop, paths
from tocsin.serve.report.axis import BREAK, Axis
from tocsin.serve.report.chart import draw_chart
from tocsin.serve.report.fate import MEANING, Fate, case_fate, track_fates
from tocsin.serve.report.labels import EM, LINE_EM, Wanted, place_labels, text_width
from tocsin.serve.report.projection import fit
from tocsin.serve.report.sheets import MAX_SHEETS, lay_out
from tocsin.serve.report.symbols import EVENT_SYMBOLS, OUTCOME_SYMBOLS, OUTCOME_WORDS
from tocsin.serve.report.tables import coverage, measured_words, silences
from tocsin.serve.report.timeline import PERSON, RIGHT, draw_timeline
from tocsin.warn.states import MessageState
from tocsin.watch.event import EventKind, Revision

# --- labels -----------------------------------------------------------------------------------------------------------

BOX = st.tuples(st.floats(0, 900), st.floats(0, 500), st.floats(1, 300), st.floats(1, 300))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text(min_size=1, max_size=30), BOX), max_size=14))
def test_labels_never_overlap_and_never_leave_the_sheet(wanted):
    asked = [Wanted(text, (x, y, x + w, y + h), (x + w / 2, y + h / 2)) for text, (x, y, w, h) in wanted]
    boxes = []
    for label in place_labels(asked, sheet=(0, 0, 960, 560), taken=[(0, 500, 250, 560)]):
        if label is not None:
            x, y = label.anchor[0] + label.offset[0], label.anchor[1] + label.offset[1]
            half = text_width(label.text) / 2
            boxes.append(shapely.box(x - half, y - EM * LINE_EM / 2, x + half, y + EM * LINE_EM / 2))
    for i, a in enumerate(boxes):
        assert shapely.box(0, 0, 960, 560).contains(a)
        assert not a.intersects(shapely.box(0, 500, 250, 560))
        assert not any(a.intersects(b) for b in boxes[i + 1 :])


# --- paths ------------------------------------------------------------------------------------------------------------


def points(data):
    """Return the positions of the path data that `paths.path` writes, run by run."""
    found = []
    for run in re.findall(r"M([^M]*)", data):
        head, _, rest = run.rstrip("z").partition("l")
        steps = [float(n) for n in re.findall(r"-?[\d.]+", rest)]
        x, y = (float(n) for n in head.removesuffix("h0").split())
        at = [(x, y)]
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            at.append((x, y))
        found.append(at)
    return found


@given(st.lists(st.tuples(st.floats(-3e4, 3e4), st.floats(-3e4, 3e4)), min_size=2, max_size=40))
def test_path_is_the_line_to_a_hundredth_without_drift(xy):
    (got,) = points(paths.path(shapely.LineString(xy)))
    assert got[0] == pytest.approx(xy[0], abs=0.0051)
    assert got[-1] == pytest.approx(xy[-1], abs=0.02)


FRAME = fit(np.array([33.0, 34.0]), np.array([38.0, 39.0]), width=960.0, shapes=(0.5, 0.7), margin=0.1, least_m=1e3)


def test_course_line_over_a_long_silence_is_kept_apart_as_a_guess():
    rows = [report(observed=NOON_US + t * S, lon_deg=38.2 + t / 30_000) for t in (0, 600, 1_200, 9_000, 9_600)]
    ((drawn,), _) = paths.draw_courses(paths.courses(batch(rows)), FRAME, reach=0.5)
    assert [len(run) for run in points(drawn.seen)] == [2, 2]
    assert [len(run) for run in points(drawn.guessed)] == [2]


def test_course_reports_out_of_order_are_drawn_in_the_order_of_their_times():
    rows = [report(observed=NOON_US + k * 60 * S, lon_deg=38.2 + k / 10) for k in (0, 3, 1, 4, 2)]
    (course,) = paths.courses(batch(rows))
    assert np.all(np.diff(course.lon_deg) > 0)


def test_course_across_180_does_not_sweep_the_map():
    world = fit(
        np.array([-60.0, 60.0]), np.array([-150.0, 150.0]), width=960.0, shapes=(0.4, 0.7), margin=0.05, least_m=1e3
    )
    track = line((10.0, -1.0), (10.0, 1.0), (10.0, 3.0))  # the far side of a map about 180°
    drawn, _ = paths.draw_courses(paths.courses(track), world, reach=0.5)
    assert all(abs(b[0] - a[0]) < 20 for d in drawn for run in points(d.seen) for a, b in itertools.pairwise(run))


def test_courses_beyond_the_budget_are_coarser_and_say_how_much(monkeypatch):
    monkeypatch.setattr(paths, "MAX_VERTICES", 40)
    rng = np.random.default_rng(5)
    track = line(*[(33.5 + y / 500, 38.2 + k / 1_000) for k, y in enumerate(rng.normal(size=300).cumsum())])
    drawn, coarse = paths.draw_courses(paths.courses(track), FRAME, reach=0.5)
    assert sum(len(run) for d in drawn for run in points(d.seen)) <= 40
    assert coarse > paths.COARSE


# --- backdrop ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "on_land"),
    [((38.6, 33.5), True), ((-100.0, 40.0), True), ((0.0, -85.0), True), ((-30.0, 30.0), False), ((178.0, -17.8), True),
     ((51.0, 42.0), False)],
)  # fmt: skip
def test_backdrop_land_is_where_land_is(place, on_land):
    inside = sum(ring.contains(shapely.Point(place)) for ring in backdrop.load_backdrop().land)
    assert bool(inside % 2) is on_land  # odd and even: the Caspian is a hole


def test_backdrop_disputed_lines_are_apart_from_borders():
    world = backdrop.load_backdrop()
    golan, alps = shapely.Point(35.83, 33.1), shapely.Point(7.0, 45.9)

    def nearest(lines, point):
        return min(part.distance(point) for part in lines)

    assert nearest(world.disputed, golan) < 0.15 < nearest(world.disputed, alps)
    assert nearest(world.borders, alps) < 0.15


def test_backdrop_across_180_is_drawn_on_both_sides():
    frame = fit(
        np.array([-20.0, -15.0]), np.array([176.0, -176.0]), width=960.0, shapes=(0.5, 0.7), margin=0.1, least_m=1e3
    )
    parts = backdrop.clip(backdrop.load_backdrop().land, frame, reach=0.1)
    x = np.concatenate(
        [frame.place(shapely.get_coordinates(p)[:, 1], shapely.get_coordinates(p)[:, 0])[0] for p in parts]
    )
    assert (x < 480).any() and (x > 480).any()


def test_chart_too_close_for_the_backdrop_has_none_and_says_so():
    tiny = story().zones[2]
    told = story(zones=(replace(tiny, geometry=shapely.box(5.02, 56.98, 5.03, 56.99)),))
    (sheet,) = lay_out(told).sheets
    chart = draw_chart(told, sheet, chart_id="m", tracks=(), fates={})
    assert not chart.has_backdrop
    assert backdrop.TOO_CLOSE in chart.notes


# --- sheets -----------------------------------------------------------------------------------------------------------


def spread(places, busy):
    zone = story().zones[0]
    zones = tuple(
        replace(zone, zone_id=f"z{i}", name=f"Z{i}", geometry=shapely.Point(p).buffer(0.05))
        for i, p in enumerate(places)
    )
    events = tuple(event(EventKind.ENTRY, n, zone=f"z{i}") for i, count in enumerate(busy) for n in range(count))
    return lay_out(story(zones=zones, events=events, cases=(), marks=()))


def test_sheets_near_zones_share_one_and_far_ones_get_an_overview_first():
    assert [len(s.zones) for s in spread([(5, 50), (5.2, 50), (5.4, 50)], [1, 0, 0]).sheets] == [3]
    got = spread([(5, 50), (5.1, 50), (40, 10), (-70, 40)], [1, 1, 5, 0])
    assert [(s.is_overview, s.zones) for s in got.sheets] == [(True, (0, 1, 2, 3)), (False, (2,)), (False, (0, 1))]
    assert "1 group of zones without an event" in got.note


def test_sheets_beyond_the_limit_are_said():
    got = spread([(10 * k, 3 * k) for k in range(10)], [1] * 10)
    assert len(got.sheets) == 1 + MAX_SHEETS
    assert got.note.startswith("4 further groups of zones with events")


# --- fates, tables ----------------------------------------------------------------------------------------------------


def test_fate_is_the_gravest_and_an_exemption_covers():
    events = [
        event(EventKind.APPROACH, 0, track_id="a"), event(EventKind.ENTRY, 1, track_id="a"),
        event(EventKind.ENTRY, 1, track_id="b", exemption="x"), event(EventKind.APPROACH, 1, track_id="c"),
        event(EventKind.ENTRY, 1, track_id="d", revision=Revision.WITHDRAWN),
    ]  # fmt: skip
    assert track_fates(events, ()) == {"a": Fate.INSIDE, "b": Fate.EXEMPT, "c": Fate.NEAR}
    assert set(MEANING) == set(Fate)


def test_fate_of_a_case_is_unanswered_only_after_silence_or_failure():
    walk = Walk(cable())
    assert case_fate(walk.found(event(EventKind.APPROACH, 0))) is Fate.TOLD
    assert case_fate(walk.heard(answer(60))) is Fate.ACKNOWLEDGED
    assert case_fate(walked().case) is Fate.UNANSWERED


def test_symbols_of_every_kind_and_outcome_differ():
    assert set(EVENT_SYMBOLS) == set(EventKind)
    assert set(OUTCOME_SYMBOLS) == set(OUTCOME_WORDS) == {None, *MessageState}
    for symbols in (EVENT_SYMBOLS, OUTCOME_SYMBOLS):
        assert len({(s.path, s.is_filled) for s in symbols.values()}) == len(symbols)


def test_coverage_hole_is_shown_and_measured():
    rows = [report(observed=NOON_US + t * S) for t in (*range(0, 3_600, 60), *range(10_800, 14_400, 60))]
    (strip,) = coverage(story(reports=batch(rows)))
    empty = [(left, width) for left, width, share in strip.runs if share == 0]
    assert len(empty) == 1 and 49 < empty[0][1] < 52
    assert strip.longest == "2 h 01 min"
    assert sum(width for _, width, _ in strip.runs) == pytest.approx(100, abs=0.1)


def test_silences_counts_tracks_once():
    gaps = [event(EventKind.GAP, n, track_id=t, measured={"gap_s": 900.0 * (n + 1)}) for n, t in enumerate("aab")]
    assert silences(story(events=tuple(gaps))) == (3, 2, "45 min")


def test_measured_words_say_the_unit():
    got = measured_words(
        event(EventKind.APPROACH, measured={"time_to_entry_s": 300.0, "distance_m": 1_500.0, "speed_mps": 5.0})
    )
    assert got == "entry predicted in 5 min, 1.5 km from its edge, 5.0 m/s"


# --- axis and timeline ------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 10**11), min_size=1, max_size=60))
def test_axis_keeps_order_and_bounds_and_ticks_apart(instants):
    axis = Axis(instants, left=200.0, right=900.0)
    x = [axis.place(at) for at in sorted(set(instants))]
    assert all(b > a for a, b in itertools.pairwise(x)) or len(x) > 20
    assert x[0] >= 200 and (x[-1] <= 901 or len(axis.breaks) * BREAK > 600)
    ticks = [t.x for t in axis.ticks()]
    assert all(b - a > 60 for a, b in itertools.pairwise(ticks))


def test_axis_long_silence_is_cut_and_named():
    axis = Axis([0, 60 * S, 120 * S, 4 * 3_600 * S, 4 * 3_600 * S + 60 * S], left=0.0, right=500.0)
    assert [b.text for b in axis.breaks] == ["3 h 58 min"]
    assert axis.breaks[0].right - axis.breaks[0].left == BREAK


def test_timeline_has_a_mark_for_every_attempt_answer_and_event_in_its_row():
    walk = walked()
    drawn = draw_timeline(walk.case, walk.playbook)
    assert [lane.name for lane in drawn.lanes] == [
        "Person called",
        "Level 3",
        "Level 2",
        "Level 1",
        "All clear",
        "Seen",
    ]
    marks = {lane.level: lane.marks for lane in drawn.lanes}
    assert len(marks[PERSON]) == 2  # the call, and its acknowledgement
    assert len(marks[-1]) == len(walk.case.events)
    assert sum(map(len, marks.values())) == len(walk.case.attempts) + len(walk.case.acknowledgements) + len(
        walk.case.events
    )
    assert all(m.x <= RIGHT + 8 for lane in drawn.lanes for m in lane.marks)


def test_timeline_marks_of_one_row_do_not_cover_each_other():
    walk = walked()
    for lane in draw_timeline(walk.case, walk.playbook).lanes[:-1]:
        for y in {m.y for m in lane.marks}:
            x = sorted(m.x for m in lane.marks if m.y == y)
            assert all(b - a > 10 for a, b in itertools.pairwise(x)), (lane.name, y)


def test_timeline_silence_is_marked_only_where_the_deadline_passed():
    walk = Walk(cable())
    walk.found(event(EventKind.APPROACH, 0))
    walk.heard(answer(20))
    assert [b.is_silent for b in draw_timeline(walk.case, walk.playbook).bands] == [False]
    silent = draw_timeline(walked().case, cable()).bands
    assert any(b.is_silent and "nobody answered in time" in b.title for b in silent)


def test_timeline_failure_and_success_have_their_own_shapes():
    walk = Walk(cable(), lambda channel: NOW_NOT if channel == "satc" else HANDED)
    walk.found(event(EventKind.APPROACH, 0))
    lane = next(lane for lane in draw_timeline(walk.case, walk.playbook).lanes if lane.level == 1)
    by_row = dict(zip(lane.rows, (lane.row_y(i) for i in range(len(lane.rows))), strict=True))
    got = {m.y: m.symbol for m in lane.marks}
    assert got[by_row["satc → mover"]] is OUTCOME_SYMBOLS[MessageState.FAILED_FOR_NOW]
    assert got[by_row["vhf16 → mover"]] is OUTCOME_SYMBOLS[MessageState.HANDED_OVER]


def test_timeline_level_not_reached_is_shown_as_such():
    walk = Walk(cable())
    walk.found(event(EventKind.APPROACH, 0))
    lanes = draw_timeline(walk.case, walk.playbook).lanes
    assert [(lane.name, lane.rows) for lane in lanes if not lane.is_reached] == [
        ("Person called", ["not called"]), ("Level 3", ["not reached"]), ("Level 2", ["not reached"]),
    ]  # fmt: skip
