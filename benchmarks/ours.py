"""Tocsin's side of every benchmark: the same data, the same numbers out, one measurement a process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))

import events
import join
import measure
import pairs
import pyarrow as pa
import pyarrow.parquet as pq
from measure import Asked

from tocsin.agreement.schedule import ALWAYS_ON
from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.geo.atlas import Atlas
from tocsin.geo.pairs import closest_approach, within
from tocsin.geo.shapes import Region, circle, multipolygon
from tocsin.tracks.archive import read_tracks
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.engine import Engine
from tocsin.watch.event import EventKind, write_events
from tocsin.watch.replay import replay
from tocsin.watch.state import WatchState

LEAVES = {EventKind.EXIT}
CHANGES = {EventKind.FIRST_SEEN_INSIDE, EventKind.ENTRY} | LEAVES
"""Kinds that change the sampled state; crossings between two fixes are more than the peers look for."""


def regions(folder: Path, case: str) -> list[Region]:
    """Return the zones of a case."""
    if case.startswith("circle"):
        told = measure.table(folder, f"zones_{case}")
        return [circle(*map(float, row)) for row in zip(told["lat"], told["lon"], told["radius_m"], strict=True)]
    made = []
    for shape in measure.shapes(folder, case):
        parts = [[r for r in (p.exterior, *p.interiors)] for p in shapely.get_parts(shape)]
        made.append(multipolygon([[shapely.get_coordinates(r)[:, ::-1] for r in part] for part in parts]))
    return made


EDGES, CONDUCT, EVERY = range(3)
"""What is agreed at each zone: its edges; what tracks do inside or while silent, too; approaches and probing, too."""


def watch(shapes: list[Region], agreed: int) -> Engine:
    """Return the engine of an agreement over these zones."""
    zones, rules = [], []
    for z, region in enumerate(shapes):
        zones.append(
            Zone(zone_id=f"z{z}", kind="area", clause=f"zones[{z}]", region=region, schedule=ALWAYS_ON, clear_s=0.0)
        )
        common: dict[str, Any] = {"clause": f"zones[{z}]", "zone": z}
        rules += [
            Rule(rule_id=f"z{z}/{conduct}", conduct=conduct, **common)
            for conduct in (Conduct.ENTRY, Conduct.EXIT, Conduct.CROSSING)
        ]
        if agreed >= CONDUCT:
            rules += [
                Rule(rule_id=f"z{z}/loiter", conduct=Conduct.LOITER, after_s=600.0, radius_m=500.0, **common),
                Rule(rule_id=f"z{z}/stopped", conduct=Conduct.STOPPED, after_s=600.0, **common),
                Rule(rule_id=f"z{z}/gap", conduct=Conduct.GAP, after_s=1_800.0, **common),
            ]
        if agreed == EVERY:
            rules += [
                Rule(rule_id=f"z{z}/approach", conduct=Conduct.APPROACH, lookahead_s=600.0, **common),
                Rule(rule_id=f"z{z}/probing", conduct=Conduct.PROBING, after_s=7_200.0, count=3, **common),
            ]
    return Engine(
        Watchlist(agreement_id="bench", version=1, digest=bytes(32), in_force=ALWAYS_ON, zones=zones, rules=rules)
    )


def reports(asked: Asked) -> ReportBatch:
    """Return the places as reports, row by row."""
    points = measure.table(asked.folder, "points", asked.rows)
    rows, none = len(points["lon"]), np.full(len(points["lon"]), np.nan, np.float32)
    unsaid = np.full(rows, -1, np.int32)
    return ReportBatch(
        track=points["track_id"].astype(np.int32),
        observed_us=points["t"] * 1_000,
        received_us=points["t"] * 1_000,
        lat_deg=points["lat"],
        lon_deg=points["lon"],
        alt_m=none,
        speed_mps=none,
        course_deg=none,
        heading_deg=none,
        accuracy_m=none,
        feed=np.zeros(rows, np.int32),
        party=unsaid,
        category=unsaid,
        tracks=tuple(f"dev:{n}" for n in range(int(points["track_id"].max()) + 1)),
        feeds=("walk",),
        parties=(),
        categories=(),
    )


def locate(asked: Asked) -> Any:
    """Which zones hold each place, zones compiled beforehand."""
    points, atlas = measure.table(asked.folder, "points", asked.rows), Atlas.build(regions(asked.folder, asked.case))
    atlas.locate(points["lat"][:9], points["lon"][:9])  # compiled before any time counts
    return len(points["lon"]), lambda: atlas.locate(points["lat"], points["lon"]), lambda found: join.keys(*found)


def compiled(asked: Asked) -> Any:
    """The zones of a case into an atlas."""
    shapes = regions(asked.folder, asked.case)
    Atlas.build(regions(asked.folder, "poly_1"))
    return len(shapes), lambda: Atlas.build(shapes), lambda atlas: np.arange(len(shapes))


def _archive(asked: Asked, agreed: int) -> Any:
    batch, shapes = reports(asked), regions(asked.folder, asked.case)
    engine = watch(shapes, agreed)
    replay(watch(shapes[:1], agreed), batch.take(slice(0, 2_000)))

    def call() -> Any:
        found, _ = replay(engine, batch)
        return found.rows, found  # ids and order are made when asked for

    return len(batch), call, lambda found: _changes(batch, found[1])


def _changes(batch: ReportBatch, found: Any) -> np.ndarray:
    """Return the events that change the sampled state, by the row of the fix that showed it."""
    rows = found.rows
    kind = np.array([k.value for k in _kinds()])[rows["code"]]
    of = {key: n for n, key in enumerate(zip(batch.track.tolist(), batch.observed_us.tolist(), strict=True))}
    keep = np.isin(kind, [k.value for k in CHANGES])
    rows, kind = rows[keep], kind[keep]
    after = [of[key] for key in zip(rows["track"].tolist(), rows["known_us"].tolist(), strict=True)]
    return events.keys(after, rows["zone"], np.isin(kind, [k.value for k in LEAVES]))


def _kinds() -> Any:
    from tocsin.watch.found import KINDS

    return KINDS


def archive(asked: Asked) -> Any:
    """The whole archive to entries, exits and crossings."""
    return _archive(asked, EDGES)


def archive_conduct(asked: Asked) -> Any:
    """The same with loiter, stopped and gap agreed at every zone."""
    return _archive(asked, CONDUCT)


def archive_all(asked: Asked) -> Any:
    """The same with approach, loiter, stopped, gap and probing agreed at every zone."""
    return _archive(asked, EVERY)


def live(asked: Asked) -> Any:
    """The stream in batches of 1,000."""
    batch, engine = reports(asked), watch(regions(asked.folder, asked.case), EDGES)
    cuts = [batch.take(slice(begin, begin + 1_000)) for begin in range(0, len(batch), 1_000)]
    engine.step(WatchState(), cuts[0])

    def call() -> Any:
        state, found = WatchState(), []
        for cut in cuts:
            state, events_ = engine.step(state, cut)
            found.append(events_)
        whole = type(found[0]).concat(found)
        return whole.rows, whole

    return len(batch), call, lambda found: _changes(batch, found[1])


def from_parquet(asked: Asked) -> Any:
    """An ordinary Parquet archive to events on disk."""
    path, out = asked.folder / "reports.parquet", asked.folder / "events.parquet"
    engine = watch(regions(asked.folder, asked.case), EDGES)
    replay(watch(regions(asked.folder, "poly_1"), EDGES), reports(Asked(folder=asked.folder, rows=2_000)))
    rows = pq.read_metadata(path).num_rows

    def call() -> int:
        found, _ = replay(engine, read_tracks([path]).reports)
        write_events(found.coded(), out)
        return len(found)

    return rows, call, np.arange


def parquet_alone(asked: Asked) -> Any:
    """The floor of that: pyarrow reads the four columns that matter, on one thread."""
    pa.set_cpu_count(1)
    path, columns = asked.folder / "reports.parquet", ["track_id", "observed", "lat_deg", "lon_deg"]
    rows = pq.read_metadata(path).num_rows
    return rows, lambda: pq.read_table(path, columns=columns, use_threads=False), lambda _: np.arange(1)


def pairs_within(asked: Asked) -> Any:
    """Who is within 5 km of whom now."""
    movers = measure.table(asked.folder, f"states_{asked.case}")
    within(movers["lat"][:50], movers["lon"][:50], within_m=pairs.WITHIN_M)
    return (
        len(movers["lon"]),
        lambda: within(movers["lat"], movers["lon"], within_m=pairs.WITHIN_M),
        lambda near: pairs.keys(near.i, near.j),
    )


def pairs_cpa(asked: Asked) -> Any:
    """Who comes within 1 km in 10 minutes."""
    movers = measure.table(asked.folder, f"states_{asked.case}")
    columns = [movers[name] for name in ("lat", "lon", "speed", "course")]

    def call(rows: slice = slice(None)) -> Any:
        return closest_approach(*(column[rows] for column in columns), within_m=pairs.CPA_M, horizon_s=pairs.HORIZON_S)

    call(slice(0, 50))
    return len(movers["lon"]), call, lambda near: pairs.keys(near.i, near.j)


JOBS = {
    f.__name__: f
    for f in (
        locate,
        compiled,
        archive,
        archive_conduct,
        archive_all,
        live,
        from_parquet,
        parquet_alone,
        pairs_within,
        pairs_cpa,
    )
}

if __name__ == "__main__":
    measure.run(JOBS, __doc__ or "")
