"""Routes: which earlier passages are found, against a slow twin; where they lead; and only what was past."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import naive_forecast as naive
from tests.kernels.test_forecast import steady

from tocsin.errors import ReportError
from tocsin.geo.atlas import Atlas
from tocsin.geo.shapes import circle
from tocsin.kernels.forecast.forecast import (
    FAN_EDGE_DEG,
    RAYS,
    SPREAD,
    Outlook,
    entry_chance,
    outlook,
    weigh_ways,
)
from tocsin.kernels.forecast.routes import PASSAGE, PASSAGES, Routes, find_passages, look_along
from tocsin.kernels.forecast.trust import TRUST, weigh_routes
from tocsin.kernels.forecast.vigil import (
    LIKELY_LEAST,
    PATIENCE,
    SAID,
    SAID_KNOWN,
    SAID_SHORT,
    SAID_STRAY,
    SAID_SURER,
    SHORTER_S,
    VIGIL,
    clear_vigil,
    keep_vigil,
    likely_enough,
)
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.report import INSTANT, SCHEMA
from tocsin.watch.routes import NO_ROUTES, PATH_GAP_US, as_routes, learn_routes, read_routes, write_routes

S = 1_000_000
DEGREE_M = 111_195.0

Place = tuple[int, int, float, float]


def routes_of(places: list[Place]) -> Routes:
    """Return the routes of (route, seconds, east metres, north metres) about 0° N, 0° E."""
    columns = list(zip(*places, strict=True)) or [(), (), (), ()]
    return as_routes(
        pa.table(
            {
                "route": pa.array(columns[0], pa.int32()),
                "observed": pa.array([s * S for s in columns[1]], INSTANT),
                "lat_deg": pa.array([m / DEGREE_M for m in columns[3]], pa.float64()),
                "lon_deg": pa.array([m / DEGREE_M for m in columns[2]], pa.float64()),
            }
        )
    )


def found(routes: Routes, east_mps: float, north_mps: float, now_us: int) -> list[tuple[float, int, int]]:
    rows = np.zeros(PASSAGES, PASSAGE)
    n = find_passages(routes, 0.0, 0.0, east_mps, north_mps, now_us, rows)
    return sorted((float(r["score"]), int(r["route"]), int(r["step"])) for r in rows[:n])


PATHS = st.lists(
    st.lists(st.tuples(st.integers(1, 120), st.integers(-900, 900), st.integers(-900, 900)), min_size=2, max_size=6),
    max_size=24,
)


@settings(deadline=None, max_examples=150)
@given(PATHS, st.floats(1.0, 15.0), st.floats(0.0, 6.28), st.integers(0, 400))
def test_passages_are_those_of_the_slow_twin(paths, speed_mps, azimuth, now_s) -> None:
    places: list[Place] = []
    for route, path in enumerate(paths):
        at_s, east, north = 0, 0, 0
        for dt_s, dx, dy in path:
            at_s, east, north = at_s + dt_s, east + dx, north + dy
            places.append((route, at_s, 1.0137 * east + 0.37, 1.0171 * north + 0.19))  # no distance is a round one
    velocity = speed_mps * math.sin(azimuth), speed_mps * math.cos(azimuth)
    steps = [(r, s * S, north / DEGREE_M, east / DEGREE_M) for r, s, east, north in places]
    expected = naive.passages(steps, 0.0, 0.0, *velocity, now_s * S, PASSAGES)
    got = found(routes_of(places), *velocity, now_s * S)
    assert [row[1:] for row in got] == [row[1:] for row in expected]
    assert [row[0] for row in got] == pytest.approx([row[0] for row in expected], abs=1e-6)


def bend(route: int, began_s: int = 0) -> list[Place]:
    """Return a path that comes from the west, passes the origin and turns north after three kilometres."""
    way = [(-2_000.0, 0.0), (-1_000.0, 0.0), (1_000.0, 0.0), (3_000.0, 0.0), (3_000.0, 2_000.0), (3_000.0, 6_000.0)]
    at_s, out = began_s, []
    for i, (east, north) in enumerate(way):
        at_s += int(math.dist(way[i - 1], way[i]) / 10.0) if i else 0
        out.append((route, at_s, east, north))
    return out


def chance_with(routes: Routes, now_us: int, horizon_s: float = 1_800.0) -> float:
    """Return the chance that a track going east from the origin enters a zone north of the bend."""
    atlas, rows = Atlas.build([circle(4_000.0 / DEGREE_M, 3_000.0 / DEGREE_M, 500.0)]), steady(10.0)
    room = 8
    zones, way_m, route_m = np.zeros(room, np.int32), np.full((room, RAYS), np.inf), np.zeros((room, PASSAGES))
    edge_zone, edge_s, passages = np.zeros(room, np.int32), np.zeros(room), np.zeros(PASSAGES, PASSAGE)
    n = look_along(
        atlas.arrays, routes, 0.0, 0.0, 10.0, 0.0, now_us, 30_000.0, horizon_s, edge_zone, edge_s, 0, zones, way_m,
        route_m, passages,
    )  # fmt: skip
    if n == 0:
        return 0.0
    view, ways = outlook(rows[0], SPREAD, PATIENCE * horizon_s), np.zeros((RAYS + PASSAGES, 3))
    met, view = weigh_routes(ways, weigh_ways(way_m[0], view, SPREAD, ways), route_m[0], passages, view, SPREAD, TRUST)
    return entry_chance(ways, met, view, horizon_s)


PASSED = st.tuples(
    st.floats(0.0, 12.0), st.one_of(st.just(math.inf), st.floats(1.0, 30_000.0)), st.floats(0.0, 40_000.0),
    st.floats(0.0, 7_200.0), st.booleans(),
)  # fmt: skip


def weighed(passed: list[naive.Passage], way_m: list[float], view: Outlook) -> tuple[np.ndarray, int, Outlook]:
    rows, route_m, ways = np.zeros(PASSAGES, PASSAGE), np.full(PASSAGES, np.inf), np.zeros((RAYS + PASSAGES, 3))
    rows["score"] = np.inf
    for row, (unlike, _, way, time_s, ended) in zip(rows, passed, strict=False):
        row["score"], row["way_m"], row["way_s"], row["lost"] = unlike, way, time_s, ended
    route_m[: len(passed)] = [to_m for _, to_m, *_ in passed]
    n = weigh_ways(np.array(way_m), view, SPREAD, ways)
    return ways, *weigh_routes(ways, n, route_m, rows, view, SPREAD, TRUST)


@settings(deadline=None, max_examples=200)
@given(st.lists(PASSED, max_size=PASSAGES), st.lists(st.one_of(st.just(math.inf), st.floats(1.0, 50_000.0)),
       min_size=RAYS, max_size=RAYS), st.floats(1.0, 20.0), st.sampled_from([60.0, 900.0, 1_800.0]),
       st.floats(0.1, 1.2), st.randoms())  # fmt: skip
def test_what_passages_count_for_is_that_of_the_slow_twin_in_any_order(passed, way_m, mps, horizon_s, share, random):
    before = outlook(steady(mps)[0], SPREAD, PATIENCE * horizon_s)
    within_s = share * horizon_s
    ways, n, view = weighed(passed, way_m, before)
    expected, part = naive.chance_with(way_m, FAN_EDGE_DEG, passed, before, SPREAD, TRUST, within_s)
    assert entry_chance(ways, n, view, within_s) == pytest.approx(expected, rel=1e-9)
    assert (view.known, view.stray) == pytest.approx((part, before.stray * (1.0 - part)))
    if part == 0.0:
        assert view == before
    random.shuffle(passed)
    again, m, other = weighed(passed, way_m, before)
    assert (m, other) == (n, pytest.approx(view))
    assert entry_chance(again, m, other, within_s) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("lookahead_s", [60.0, 300.0, 1_800.0])
def test_what_passages_tell_is_said_with_less_allowance_for_straying(lookahead_s: float) -> None:
    straying = outlook(steady(10.0)[0], SPREAD, PATIENCE * lookahead_s)._replace(stray=0.7)
    told = [(0.1, 3.0 * lookahead_s, 3.5 * lookahead_s, 0.35 * lookahead_s, True)] * PASSAGES
    ways, n, view = weighed(told, [math.inf] * RAYS, straying)
    h_s = view.horizon_s
    assert likely_enough(view, h_s) > likely_enough(straying, h_s) == LIKELY_LEAST
    vigil = np.zeros(1, VIGIL)
    clear_vigil(vigil[0])
    assert keep_vigil(vigil[0], ways, n, view, 0, 600.0, math.inf)[0]
    chance, part = naive.chance_with([math.inf] * RAYS, FAN_EDGE_DEG, told, straying, SPREAD, TRUST, view.horizon_s)
    odds = math.log(chance / (1.0 - chance)) + SAID + SAID_STRAY * (1.0 - part) * straying.stray
    odds += SAID_SHORT * math.log(max(SHORTER_S / lookahead_s, 1.0))  # the shorter, the more
    assert vigil[0]["chance"] == pytest.approx(naive.logistic(odds + part * (SAID_KNOWN + SAID_SURER * odds)))


def test_zone_behind_the_bend_of_a_lane_is_likely_once_others_went_there() -> None:
    several = routes_of([place for route in range(8) for place in bend(route)])
    assert chance_with(NO_ROUTES, 10_000 * S) == 0.0
    assert chance_with(routes_of(bend(0)), 10_000 * S) < chance_with(several, 10_000 * S)
    assert chance_with(several, 10_000 * S) > 0.5


def test_nothing_is_known_of_what_had_not_happened_yet() -> None:
    later = routes_of([place for route in range(8) for place in bend(route, began_s=20_000)])
    assert chance_with(later, 19_000 * S) == 0.0
    half = routes_of([place for route in range(8) for place in bend(route)])
    seen_until_the_bend_s = 501
    assert chance_with(half, seen_until_the_bend_s * S) == 0.0
    assert chance_with(half, 10_000 * S) > 0.5


def test_passage_is_found_across_the_antimeridian() -> None:
    table = pa.table(
        {
            "route": pa.array([0, 0], pa.int32()), "observed": pa.array([0, 60 * S], INSTANT),
            "lat_deg": [10.0, 10.0], "lon_deg": [179.997, -179.997],
        }
    )  # fmt: skip
    rows = np.zeros(PASSAGES, PASSAGE)
    for lon_deg in (179.999, -179.999):
        assert find_passages(as_routes(table), 10.0, lon_deg, 10.0, 0.0, 100 * S, rows) == 1


def reports(rows: list[tuple[str, int, float, float]]) -> ReportBatch:
    blank = {"alt_m": math.nan, "speed_mps": math.nan, "course_deg": math.nan, "heading_deg": math.nan,
             "accuracy_m": math.nan, "feed": "f"}  # fmt: skip
    table = [{"track_id": t, "observed": at, "lat_deg": lat, "lon_deg": lon, **blank} for t, at, lat, lon in rows]
    return ReportBatch.from_table(pa.Table.from_pylist(table, schema=SCHEMA))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 1_200), st.integers(-400, 400), st.integers(-400, 400)),
                max_size=40), st.randoms())  # fmt: skip
def test_learnt_routes_are_those_of_the_slow_twin_in_any_order(moves, random) -> None:
    where: dict[str, tuple[int, float, float]] = {}
    rows = []
    for track, dt_s, east, north in moves:
        at_us, lat, lon = where.get(track, (0, 0.0, 0.0))
        where[track] = at_us + dt_s * S, lat + 1.0171 * north / DEGREE_M, lon + 1.0137 * east / DEGREE_M
        rows.append((track, *where[track]))
    kept = naive.thinned(ordered := sorted(rows), PATH_GAP_US)
    paths = [[(r[1], r[2], r[3]) for r, k in zip(ordered, kept, strict=True) if k == p] for p in {*kept} - {None}]
    expected = sorted(path for path in paths if len(path) > 1)
    random.shuffle(rows)
    table = learn_routes(reports(rows)) if rows else NO_ROUTES
    if not rows:
        return
    columns = [table[name].to_numpy() for name in ("route", "lat_deg", "lon_deg")]
    at_us = table["observed"].cast(pa.int64()).to_numpy()
    got = [
        [(int(at_us[i]), columns[1][i], columns[2][i]) for i in np.flatnonzero(columns[0] == p)] for p in {*columns[0]}
    ]
    assert sorted(got) == expected
    assert table.column_names == ["route", "observed", "lat_deg", "lon_deg"]


def test_file_comes_back_as_it_was_and_another_file_is_refused(tmp_path: Path) -> None:
    table = learn_routes(reports([("a", i * 60 * S, 0.0, i * 0.01) for i in range(9)]))
    write_routes(table, tmp_path / "routes.parquet")
    assert (read_routes(tmp_path / "routes.parquet").lon_deg == as_routes(table).lon_deg).all()
    write_routes(table.drop_columns(["route"]), tmp_path / "other.parquet")
    with pytest.raises(ReportError, match="no column route"):
        read_routes(tmp_path / "other.parquet")
    backwards = table.take(pa.array(range(len(table) - 1, -1, -1)))
    with pytest.raises(ValueError, match="out of order"):
        as_routes(backwards)
