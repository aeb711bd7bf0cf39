"""Compiling: every kernel of the watch, once, before anybody waits for one.

Kernels are compiled at their first call and kept (`kernels/kept.py`). This calls each of them on two zones and a few
reports: `tocsin compile`, and the building of a wheel (`hatch_build.py`), so that the first start after an install is
like every other. It finds nothing out.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tocsin.agreement.schedule import ALWAYS_ON
from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.clock import US_PER_S
from tocsin.geo.pairs import closest_approach, within
from tocsin.geo.shapes import Edges, circle, corridor, polygon
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.order import FeedPolicy, Reorder, by_instant
from tocsin.tracks.report import CODED_SCHEMA
from tocsin.watch import live
from tocsin.watch.engine import Engine
from tocsin.watch.event_ids import hash_many
from tocsin.watch.rehearse.fixes import cut
from tocsin.watch.rehearse.truth import halve, signed_distances_m
from tocsin.watch.routes import learn_routes

REPORTS = 60
"""Reports of each of two tracks, ten seconds and some 100 m apart: long enough to enter, stay and leave."""

_NUMBERS = {
    Conduct.APPROACH: {"lookahead_s": 600.0},
    Conduct.LOITER: {"after_s": 60.0, "radius_m": 500.0},
    Conduct.STOPPED: {"after_s": 60.0},
    Conduct.DWELL: {"after_s": 60.0},
    Conduct.GAP: {"after_s": 300.0},
    Conduct.PROBING: {"after_s": 3_600.0, "count": 2},
    Conduct.PROXIMITY: {"after_s": 60.0, "radius_m": 1_000.0},
    Conduct.BUILD_UP: {"after_s": 60.0, "count": 2},
    Conduct.VOID: {"after_s": 60.0, "count": 2},
}


def compile_kernels() -> None:
    """Call every kernel that a replay or a station calls: minutes of one core, or a second if they are kept."""
    engine, reports = Engine(_watchlist()), _reports()
    state = live.LiveState(order=Reorder(feeds={}, other=FeedPolicy(lateness_us=30 * US_PER_S)))
    for row in range(0, len(reports), 40):
        batch = reports.take(slice(row, row + 40))
        state, *_ = live.step(engine, state, batch, now_us=int(batch.observed_us.max()))
        if row == 0:  # both are on their way in: an approach is due
            engine.due(state.arrived.copy(), now_us=int(state.arrived.due_us[0]) + 1)
    live.corrections(engine, reports.take(slice(0, 40)), reports.take(slice(40, 50)))
    lat, lon = reports.lat_deg, reports.lon_deg
    engine.atlas.locate(lat, lon)
    within(lat, lon, within_m=1_000.0)
    closest_approach(lat, lon, reports.speed_mps, reports.course_deg, within_m=500.0, horizon_s=60.0)
    learn_routes(reports)
    by_instant(reports)
    hash_many(np.zeros(1, "V4"))
    fixes = cut(reports, gap_s=600.0)
    d_m = signed_distances_m(engine.atlas, 0, fixes.lat_deg, fixes.lon_deg)
    halve(fixes, engine.atlas, 0, np.arange(len(d_m)), d_m, low_m=-50.0, high_m=50.0)


def _watchlist() -> Watchlist:
    ring = [(0.02, -0.02), (0.02, 0.02), (0.05, 0.02), (0.05, -0.02), (0.02, -0.02)]
    shapes = [
        circle(0.03, 0.0, 2_000.0),
        corridor([0.0, 0.02, 0.04], [0.1, 0.1, 0.15], 500.0),
        *(polygon([ring], edges) for edges in Edges),
    ]
    zones = [
        Zone(zone_id=f"z{i}", kind="area", clause="-", region=shape, schedule=ALWAYS_ON)
        for i, shape in enumerate(shapes)
    ]
    rules = [
        Rule(rule_id=str(conduct), clause="-", conduct=conduct, zone=0, **_NUMBERS.get(conduct, {}))  # type: ignore[arg-type]
        for conduct in Conduct
    ]
    return Watchlist(
        agreement_id="compiling", version=1, digest=bytes(32), in_force=ALWAYS_ON, zones=zones, rules=rules
    )


def _reports() -> ReportBatch:
    step = np.arange(REPORTS)
    rows = [
        {
            "track_id": track,
            "observed": int(at) * 10 * US_PER_S,
            "lat_deg": 0.001 * float(at),
            "lon_deg": east,
            "alt_m": float("nan"),
            "speed_mps": 11.0,
            "course_deg": 0.0,
            "heading_deg": 0.0,
            "accuracy_m": 10.0,
            "feed": "compiling",
        }
        for at in step
        for track, east in (("a", 0.0), ("b", 0.001))
    ]
    return ReportBatch.from_table(pa.Table.from_pylist(rows, schema=CODED_SCHEMA))
