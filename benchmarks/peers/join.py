"""Which zones hold each place, by the programs a user would pick instead; every answer is place × 2**20 + zone."""

from __future__ import annotations

from typing import Any

import measure
import numpy as np
from measure import Asked

EARTH_M = 6_371_008.8


def keys(place: Any, zone: Any) -> np.ndarray:
    """Return pairs as numbers."""
    return np.asarray(place, np.int64) << 20 | np.asarray(zone, np.int64)


def shapely_tree(asked: Asked) -> Any:
    """Ask an STRtree of the zones for all points at once: what geopandas does inside."""
    import shapely

    points, zones = measure.table(asked.folder, "points", asked.rows), measure.shapes(asked.folder, asked.case)

    def call() -> Any:
        return shapely.STRtree(zones).query(shapely.points(points["lon"], points["lat"]), predicate="intersects")

    return len(points["lon"]), call, lambda pairs: keys(*pairs)


def boxes(asked: Asked) -> Any:
    """Loop over the zones: a box in NumPy, then `contains_xy` on the prepared zone. The careful script."""
    import shapely

    points, zones = measure.table(asked.folder, "points", asked.rows), measure.shapes(asked.folder, asked.case)
    lon, lat = points["lon"], points["lat"]

    def call() -> Any:
        shapely.prepare(zones)
        found = []
        for zone, (west, south, east, north) in zip(zones, shapely.bounds(zones), strict=True):
            near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
            found.append(near[shapely.contains_xy(zone, lon[near], lat[near])])
        return found

    return len(lon), call, lambda found: np.concatenate([keys(near, z) for z, near in enumerate(found)])


def geopandas(asked: Asked) -> Any:
    """Join two GeoDataFrames."""
    import geopandas as gpd

    points = measure.table(asked.folder, "points", asked.rows)
    zones = gpd.GeoDataFrame(geometry=measure.shapes(asked.folder, asked.case), crs=4326)

    def call() -> Any:
        places = gpd.GeoDataFrame(geometry=gpd.points_from_xy(points["lon"], points["lat"], crs=4326))
        return gpd.sjoin(places, zones, how="inner", predicate="within")

    return len(points["lon"]), call, lambda frame: keys(frame.index, frame["index_right"])


def sedonadb(asked: Asked) -> Any:
    """Join by SQL in SedonaDB, the fastest general engine on small polygons."""
    import pyarrow as pa
    import sedonadb as sedona

    points = measure.table(asked.folder, "points", asked.rows)
    rows = len(points["lon"])
    context = sedona.connect()
    context.sql("SET datafusion.execution.target_partitions = 1").execute()
    places = pa.table({"i": np.arange(rows), "lon": points["lon"], "lat": points["lat"]})
    context.create_data_frame(places).to_memtable().to_view("p", overwrite=True)
    context.read_parquet(f"{asked.folder}/zones_{asked.case}.parquet").to_view("w", overwrite=True)
    context.sql("SELECT id, ST_GeomFromWKB(wkb) AS geom FROM w").to_memtable().to_view("z", overwrite=True)
    query = "SELECT p.i, z.id FROM p JOIN z ON ST_Contains(z.geom, ST_Point(p.lon, p.lat))"
    return (
        rows,
        lambda: context.sql(query).to_arrow_table(),
        lambda pairs: keys(pairs["i"].to_numpy(), pairs["id"].to_numpy()),
    )


def duckdb(asked: Asked) -> Any:
    """Join by SQL in DuckDB; circles by boxes and the haversine on a sphere."""
    from events import connection

    points = measure.table(asked.folder, "points", asked.rows)
    rows = len(points["lon"])
    con = connection()
    con.execute(
        f"CREATE TABLE p AS SELECT row_number() OVER () - 1 AS i, lon, lat FROM (SELECT * FROM "
        f"'{asked.folder}/points.parquet' LIMIT {rows})"
    )
    if asked.case.startswith("circle"):
        con.execute(
            f"""CREATE TABLE z AS SELECT *, ST_MakeEnvelope(lon - dx, lat - dy, lon + dx, lat + dy) AS geom FROM
            (SELECT *, degrees(radius_m / {EARTH_M}) * 1.0001 AS dy,
             degrees(radius_m / {EARTH_M}) * 1.0001 / cos(radians(abs(lat) + 1)) AS dx
             FROM '{asked.folder}/zones_{asked.case}.parquet')"""
        )
        where = f"""ST_Intersects(z.geom, ST_Point(p.lon, p.lat)) AND 2 * {EARTH_M} * asin(sqrt(
            pow(sin(radians(z.lat - p.lat) / 2), 2) + cos(radians(z.lat)) * cos(radians(p.lat))
            * pow(sin(radians(z.lon - p.lon) / 2), 2))) <= z.radius_m"""
    else:
        con.execute(
            f"CREATE TABLE z AS SELECT id, ST_GeomFromWKB(wkb) AS geom FROM '{asked.folder}/zones_{asked.case}.parquet'"
        )
        where = "ST_Contains(z.geom, ST_Point(p.lon, p.lat))"

    def call() -> Any:
        con.execute(f"CREATE OR REPLACE TABLE o AS SELECT p.i, z.id FROM p JOIN z ON {where}")

    def pairs(_: Any) -> np.ndarray:
        found = con.execute("SELECT i, id FROM o").fetchnumpy()
        return keys(found["i"], found["id"])

    return rows, call, pairs


def polars_h3(asked: Asked) -> Any:
    """Join on H3 cells, made beforehand and not timed; cells that an edge passes are tested by shapely."""
    import h3
    import polars as pl
    import polars_h3 as ph3
    import shapely

    points, zones = measure.table(asked.folder, "points", asked.rows), measure.shapes(asked.folder, asked.case)
    resolution = {"poly_1": 5, "poly_100": 5, "counties": 7, "poly_10k": 6}[asked.case]
    frame = pl.DataFrame({"i": np.arange(len(points["lon"])), "lon": points["lon"], "lat": points["lat"]})
    cells, ids, whole = [], [], []
    for number, zone in enumerate(zones):
        area = h3.geo_to_h3shape(zone)
        over = set(h3.h3shape_to_cells_experimental(area, resolution, contain="overlap"))
        inside = set(h3.h3shape_to_cells_experimental(area, resolution, contain="full"))
        cells += [h3.str_to_int(cell) for cell in over]
        whole += [cell in inside for cell in over]
        ids += [number] * len(over)
    grid = pl.DataFrame({"cell": np.array(cells, np.uint64), "id": np.array(ids, np.int32), "whole": whole})
    shapely.prepare(zones)

    def call() -> Any:
        cell = ph3.latlng_to_cell("lat", "lon", resolution, return_dtype=pl.UInt64)
        both = frame.lazy().with_columns(cell=cell).join(grid.lazy(), on="cell").collect()
        part = both.filter(~pl.col("whole")).sort("id")
        id_, lon, lat = (part[name].to_numpy() for name in ("id", "lon", "lat"))
        ends = np.searchsorted(id_, np.arange(len(zones) + 1))
        keep = np.zeros(len(part), bool)
        for z in np.flatnonzero(np.diff(ends)):
            cut = slice(ends[z], ends[z + 1])
            keep[cut] = shapely.contains_xy(zones[z], lon[cut], lat[cut])
        sure = both.filter(pl.col("whole"))
        return (
            np.concatenate([sure["i"].to_numpy(), part["i"].to_numpy()[keep]]),
            np.concatenate([sure["id"].to_numpy(), id_[keep]]),
        )

    return len(frame), call, lambda pairs: keys(*pairs)


def ckdtree(asked: Asked) -> Any:
    """Ask a tree of the points on the unit sphere for one ball a circle."""
    from scipy.spatial import cKDTree

    points, circles = (
        measure.table(asked.folder, "points", asked.rows),
        measure.table(asked.folder, f"zones_{asked.case}"),
    )

    def call() -> Any:
        tree = cKDTree(unit(points["lon"], points["lat"]), balanced_tree=False, compact_nodes=False)
        reach = 2.0 * np.sin(circles["radius_m"] / (2.0 * EARTH_M))
        return tree.query_ball_point(unit(circles["lon"], circles["lat"]), reach)

    return (
        len(points["lon"]),
        call,
        lambda hits: np.concatenate([keys(np.array(hit, np.int64), z) for z, hit in enumerate(hits)]),
    )


def unit(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Return places on the unit sphere, shape (n, 3)."""
    x, y = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], axis=1)


PEERS = {f.__name__: f for f in (shapely_tree, boxes, geopandas, sedonadb, duckdb, polars_h3, ckdtree)}

if __name__ == "__main__":
    measure.run(PEERS, __doc__ or "")
