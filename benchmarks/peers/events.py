"""Entries and exits per track and zone, by the programs a user would pick instead.

An event is a change of the sampled state: inside now and not at the track's place before, or the reverse. Every answer
is (row of the new state) × 2**21 + zone × 2 + (1 for an exit): rows are those of `points`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import measure
import numpy as np
from measure import Asked


def keys(row: Any, zone: Any, leaves: Any) -> np.ndarray:
    """Return events as numbers."""
    return np.asarray(row, np.int64) << 21 | np.asarray(zone, np.int64) << 1 | np.asarray(leaves, np.int64)


def connection() -> Any:
    """Return a DuckDB of one thread with its spatial extension."""
    import duckdb
    from duckdb_extensions import import_extension

    import_extension("spatial")
    con = duckdb.connect(config={"threads": 1})
    con.execute("LOAD spatial")
    return con


def next_rows(track: np.ndarray) -> np.ndarray:
    """Return the row of each track's next place, or -1."""
    order = np.argsort(track, kind="stable")
    after = np.full(len(track), -1)
    follows = track[order][1:] == track[order][:-1]
    after[order[:-1][follows]] = order[1:][follows]
    return after


def pandas(asked: Asked) -> Any:
    """Ask an STRtree for the whole archive, then sort and compare neighbours: what a careful analyst writes."""
    import pandas as pd
    import shapely

    points, zones = measure.table(asked.folder, "points", asked.rows), measure.shapes(asked.folder, asked.case)
    track = points["track_id"]

    def call() -> Any:
        tree = shapely.STRtree(zones)
        row, zone = tree.query(shapely.points(points["lon"], points["lat"]), predicate="intersects")
        step = pd.Series(track).groupby(track).cumcount().to_numpy()
        last = np.bincount(track) - 1
        frame = pd.DataFrame({"track": track[row], "zone": zone, "step": step[row], "row": row})
        frame = frame.sort_values(["track", "zone", "step"], ignore_index=True)
        group = frame.groupby(["track", "zone"])["step"]
        enters = frame[group.diff().fillna(2) != 1]
        leaves = frame[(group.diff(-1).fillna(-2) != -1) & (frame["step"] < last[frame["track"]])]
        return enters, leaves

    def numbers(found: Any) -> np.ndarray:
        enters, leaves = found
        after = next_rows(track)[leaves["row"].to_numpy()]
        return np.concatenate([keys(enters["row"], enters["zone"], 0), keys(after, leaves["zone"], 1)])

    return len(track), call, numbers


def numpy(asked: Asked) -> Any:
    """Loop over the zones: box, `contains_xy`, differences: the fast careful script for few zones."""
    import shapely

    points, zones = measure.table(asked.folder, "points", asked.rows), measure.shapes(asked.folder, asked.case)

    def call() -> Any:
        order = np.argsort(points["track_id"], kind="stable")
        lon, lat, track = (points[name][order] for name in ("lon", "lat", "track_id"))
        first = np.r_[True, track[1:] != track[:-1], True]
        shapely.prepare(zones)
        found = []
        for z, (west, south, east, north) in enumerate(shapely.bounds(zones)):
            near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
            near = near[shapely.contains_xy(zones[z], lon[near], lat[near])]
            if len(near):
                jump = np.diff(near) != 1
                enters = near[np.r_[True, jump | first[near[1:]]]]
                leaves = near[np.r_[jump | first[near[1:]], True]] + 1
                leaves = leaves[~first[leaves]]
                found.append((z, order[enters], order[leaves]))
        return found

    def numbers(found: Any) -> np.ndarray:
        return np.concatenate([np.r_[keys(enters, z, 0), keys(leaves, z, 1)] for z, enters, leaves in found])

    return len(points["lon"]), call, numbers


def duckdb(asked: Asked) -> Any:
    """Join in DuckDB, then LAG and LEAD over track and zone."""
    rows = len(measure.table(asked.folder, "points", asked.rows)["lon"])
    con = connection()
    con.execute(
        f"CREATE TABLE p AS SELECT row_number() OVER () - 1 AS i, * FROM "
        f"(SELECT * FROM '{asked.folder}/points.parquet' LIMIT {rows})"
    )
    con.execute(
        f"CREATE TABLE z AS SELECT id, ST_GeomFromWKB(wkb) AS geom FROM '{asked.folder}/zones_{asked.case}.parquet'"
    )

    def call() -> Any:
        con.execute(
            """CREATE OR REPLACE TABLE ev AS
            WITH s AS (SELECT i, track_id, lon, lat, row_number() OVER w AS step, lead(i) OVER w AS after
                       FROM p WINDOW w AS (PARTITION BY track_id ORDER BY t)),
                 h AS (SELECT s.*, z.id FROM s JOIN z ON ST_Contains(z.geom, ST_Point(s.lon, s.lat))),
                 r AS (SELECT *, step - coalesce(lag(step) OVER w, -9) AS b, coalesce(lead(step) OVER w, -9) - step AS f
                       FROM h WINDOW w AS (PARTITION BY track_id, id ORDER BY step))
            SELECT i, id, 0 AS leaves FROM r WHERE b <> 1
            UNION ALL SELECT after, id, 1 FROM r WHERE f <> 1 AND after IS NOT NULL"""
        )

    def numbers(_: Any) -> np.ndarray:
        found = con.execute("SELECT i, id, leaves FROM ev").fetchnumpy()
        return keys(found["i"], found["id"], found["leaves"])

    return rows, call, numbers


def stream(asked: Asked) -> Any:
    """Answer after every thousand places: one STRtree query, then a dict of sets."""
    import shapely

    points, zones = measure.table(asked.folder, "points", asked.rows), measure.shapes(asked.folder, asked.case)
    rows, batch = len(points["lon"]), 1_000

    def call() -> Any:
        tree, inside, found = shapely.STRtree(zones), {}, []
        for begin in range(0, rows, batch):
            cut = slice(begin, begin + batch)
            row, zone = tree.query(shapely.points(points["lon"][cut], points["lat"][cut]), predicate="intersects")
            ends, zone = np.searchsorted(row, np.arange(batch + 1)).tolist(), zone.tolist()
            for k, track in enumerate(points["track_id"][cut].tolist()):
                now, before = set(zone[ends[k] : ends[k + 1]]), inside.get(track, set())
                if now != before:
                    found += [(begin + k, z, 0) for z in now - before] + [(begin + k, z, 1) for z in before - now]
                    inside[track] = now
        return found

    return rows, call, lambda found: keys(*np.array(found, np.int64).T)


def movingpandas(asked: Asked) -> Any:
    """Clip 50 trajectories to each zone; its pieces end at interpolated crossings, so only their number is told."""
    import warnings

    import movingpandas as mpd
    import pandas as pd

    warnings.filterwarnings("ignore")
    points, zones = measure.table(asked.folder, "points"), measure.shapes(asked.folder, asked.case)
    keep = points["track_id"] < 50
    frame = pd.DataFrame({name: column[keep] for name, column in points.items()})
    frame["time"] = pd.to_datetime(frame.pop("t"), unit="ms")

    def call() -> Any:
        tracks = mpd.TrajectoryCollection(frame, traj_id_col="track_id", t="time", x="lon", y="lat", crs=4326)
        return sum(2 * len(tracks.clip(zone)) for zone in zones)

    return int(keep.sum()), call, np.arange


def pymeos(asked: Asked) -> Any:
    """Restrict 50 temporal points to each zone whose box they touch; only the number of crossings is told."""
    import shapely
    from pymeos import TGeomPointInst, TGeomPointSeq, pymeos_initialize

    pymeos_initialize()
    points, zones = measure.table(asked.folder, "points"), measure.shapes(asked.folder, asked.case)
    tree, tracks = shapely.STRtree(zones), []
    for number in range(50):
        mine = points["track_id"] == number
        times = [datetime.fromtimestamp(ms / 1_000, UTC) for ms in points["t"][mine].tolist()]
        tracks.append((points["lon"][mine], points["lat"][mine], times))

    def call() -> Any:
        count = 0
        for lon, lat, times in tracks:
            fixes = zip(lon.tolist(), lat.tolist(), times, strict=True)
            way = TGeomPointSeq(
                instant_list=[TGeomPointInst(point=shapely.Point(x, y), timestamp=t) for x, y, t in fixes]
            )
            for z in tree.query(shapely.box(lon.min(), lat.min(), lon.max(), lat.max())):
                part = way.at(zones[z])
                if part is not None:
                    count += 2 * part.num_sequences() if hasattr(part, "num_sequences") else 2
        return count

    return sum(len(lon) for lon, _, _ in tracks), call, np.arange


PEERS = {f.__name__: f for f in (pandas, numpy, duckdb, stream, movingpandas, pymeos)}

if __name__ == "__main__":
    measure.run(PEERS, __doc__ or "")
