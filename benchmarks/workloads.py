"""The data of every benchmark, made from fixed seeds: places of tracks, zones, latest states.

    python benchmarks/workloads.py FOLDER [--places 5000000]

Writes Parquet:

* points: track_id int32, t int64 (ms), lon, lat float64, ordered by time, then track: random walks about two hundred
  hubs in a box over the contiguous USA, a place every 10 s; half on land, a quarter vessels, a quarter aircraft;
* reports: the same in Tocsin's report schema, as an ordinary archive has it (pyarrow's defaults);
* zones_NAME: id int32, wkb binary: poly_1, poly_100, poly_10k (30 vertices, 1 to 60 km), counties, countries;
* zones_circle_N: id int32, lon, lat, radius_m float64;
* states_KIND_N: lon, lat, speed, course: the latest state of 10,000 and 100,000 tracks; in `mixed` a quarter fly.

Counties (3,230) and countries (254) come from the npm packages us-atlas 3.0.1 and world-atlas 2.0.2 (ISC); without npm
they are left out, and the benchmark says so.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

WEST, SOUTH, EAST, NORTH = -124.0, 25.0, -67.0, 49.0
DEGREE_M = 111_194.93
SEED = 20170518
BEGIN_MS = 1_495_090_800_000
STEP_MS = 10_000
STEPS = 1_000
"""Places of each track: the number of tracks follows from the number of places."""
VERTICES = 30
ATLASES = {
    "counties": ("us-atlas@3.0.1", "package/counties-10m.json", "counties"),
    "countries": ("world-atlas@2.0.2", "package/countries-10m.json", "countries"),
}


def hubs(count: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return towns, and how often each is chosen."""
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(WEST + 2, EAST - 2, count), rng.uniform(SOUTH + 1, NORTH - 1, count)
    weight = 1.0 / np.arange(1, count + 1) ** 0.8
    return lon, lat, weight / weight.sum()


def places(tracks: int) -> pa.Table:
    """Return tracks that walk at random, in order of time."""
    rng = np.random.default_rng(SEED)
    hub_lon, hub_lat, weight = hubs()
    hub = rng.choice(len(weight), tracks, p=weight)
    lon, lat = hub_lon[hub] + rng.normal(0, 0.25, tracks), hub_lat[hub] + rng.normal(0, 0.20, tracks)
    sort = rng.choice(3, tracks, p=[0.5, 0.25, 0.25])
    speed = np.choose(sort, [rng.uniform(2, 30, tracks), rng.uniform(2, 12, tracks), rng.uniform(60, 250, tracks)])
    turn = np.choose(sort, [0.25, 0.05, 0.03])
    course, start = rng.uniform(0, 2 * np.pi, tracks), rng.integers(0, STEP_MS, tracks)
    order = np.argsort(start, kind="stable")  # every track reports once a step, at its own moment of it
    rows: list[tuple[np.ndarray, ...]] = []
    for step in range(STEPS):
        rows.append((order, BEGIN_MS + step * STEP_MS + start[order], lon[order], lat[order]))
        course += rng.normal(0, 1, tracks) * turn
        way = speed * (STEP_MS / 1_000) / DEGREE_M
        lat = lat + way * np.cos(course)
        lon = lon + way * np.sin(course) / np.cos(np.radians(lat))
        out = (lon < WEST) | (lon > EAST) | (lat < SOUTH) | (lat > NORTH)
        course = np.where(out, course + np.pi, course)
        lon, lat = np.clip(lon, WEST, EAST), np.clip(lat, SOUTH, NORTH)
    track, t, x, y = (np.concatenate(column) for column in zip(*rows, strict=True))
    return pa.table({"track_id": track.astype(np.int32), "t": t, "lon": np.round(x, 7), "lat": np.round(y, 7)})


def as_reports(points: pa.Table) -> pa.Table:
    """Return places as an archive of reports."""
    from tocsin.tracks.report import SCHEMA

    rows = points.num_rows
    names = pa.array([f"dev:{n}" for n in range(1 + max(points["track_id"].to_pylist(), default=0))])
    empty = {
        "alt_m": np.nan, "speed_mps": np.nan, "course_deg": np.nan, "heading_deg": np.nan, "accuracy_m": np.nan,
    }  # fmt: skip
    columns: dict[str, Any] = {
        "track_id": names.take(points["track_id"].combine_chunks()),
        "observed": pa.array(points["t"].to_numpy() * 1_000).cast(SCHEMA.field("observed").type),
        "lat_deg": points["lat"],
        "lon_deg": points["lon"],
        "feed": pa.array(["walk"]).take(pa.array(np.zeros(rows, np.int32))),
        **{name: pa.array(np.full(rows, value, np.float32)) for name, value in empty.items()},
    }
    return pa.table([columns.get(f.name, pa.nulls(rows, f.type)) for f in SCHEMA], schema=SCHEMA)


def centres(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return longitude, latitude and radius of zones: three in ten near hubs, the first on the largest hub."""
    rng = np.random.default_rng(SEED + count)
    hub_lon, hub_lat, weight = hubs()
    hub, near = rng.choice(len(weight), count, p=weight), rng.random(count) < 0.3
    lon = np.where(near, hub_lon[hub] + rng.normal(0, 0.6, count), rng.uniform(WEST, EAST, count))
    lat = np.where(near, hub_lat[hub] + rng.normal(0, 0.5, count), rng.uniform(SOUTH, NORTH, count))
    radius_m = np.exp(rng.uniform(np.log(1_000), np.log(60_000), count))
    lon[0], lat[0], radius_m[0] = hub_lon[0], hub_lat[0], 30_000.0
    return lon, lat, radius_m


def stars(count: int, vertices: int = VERTICES) -> np.ndarray:
    """Return polygons about those centres; one that crosses itself becomes its hull."""
    lon, lat, radius_m = centres(count)
    rng = np.random.default_rng(SEED + count + vertices)
    angle = np.sort(rng.uniform(0, 2 * np.pi, (count, vertices)), axis=1)
    reach = radius_m[:, None] * rng.uniform(0.6, 1.4, (count, vertices)) / DEGREE_M
    if vertices > VERTICES:  # smooth, or hardly one in a hundred thousand would be a polygon
        reach = radius_m[:, None] / DEGREE_M * (1.0 + 0.3 * np.sin(7 * angle) + 0.05 * np.sin(41 * angle))
    y = lat[:, None] + reach * np.sin(angle)
    x = lon[:, None] + reach * np.cos(angle) / np.cos(np.radians(lat))[:, None]
    shapes = shapely.polygons(np.stack([x, y], axis=2))
    crossed = ~shapely.is_valid(shapes)
    shapes[crossed] = shapely.convex_hull(shapes[crossed])
    return shapes


def states(count: int, mixed: bool) -> pa.Table:
    """Return the latest state of tracks that have had time to leave their hub."""
    rng = np.random.default_rng(count + mixed)
    hub_lon, hub_lat, weight = hubs()
    hub, spread = rng.choice(len(weight), count, p=weight), rng.uniform(0.3, 3.0, count)
    speed = rng.uniform(2, 30, count)
    lon = np.clip(hub_lon[hub] + rng.normal(0, 1, count) * spread, WEST, EAST)
    lat = np.clip(hub_lat[hub] + rng.normal(0, 1, count) * spread * 0.8, SOUTH, NORTH)
    if mixed:
        speed = np.where(rng.random(count) < 0.25, rng.uniform(60, 250, count), speed)
    return pa.table({"lon": lon, "lat": lat, "speed": speed, "course": rng.uniform(0, 360, count)})


# --- atlases of npm -------------------------------------------------------------------------------------------------


def atlas(package: str, member: str, name: str) -> np.ndarray:
    """Return the areas of a TopoJSON file inside an npm package."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True)
        (packed,) = Path(folder).glob("*.tgz")
        with tarfile.open(packed) as tar:
            file = tar.extractfile(member)
            assert file is not None, member
            return untangled(json.load(io.TextIOWrapper(file, "utf-8")), name)


def untangled(topology: dict[str, Any], name: str) -> np.ndarray:
    """Return the areas of a TopoJSON object, its arcs joined to rings."""
    scale, shift = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    arcs = [np.cumsum(np.array(arc, float), axis=0) * scale + shift for arc in topology["arcs"]]

    def ring(indices: list[int]) -> np.ndarray:
        parts = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in indices]
        whole = np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
        whole[:, 0] = np.unwrap(whole[:, 0], period=360.0)  # the atlas leaves its cuts at 180° out
        if whole[0, 0] != whole[-1, 0]:  # it goes round the pole
            pole = np.copysign(90.0, whole[0, 1])
            whole = np.concatenate([whole, [[whole[-1, 0], pole], [whole[0, 0], pole], whole[0]]])
        return whole

    shapes = []
    for given in topology["objects"][name]["geometries"]:
        parts = {"Polygon": [given.get("arcs")], "MultiPolygon": given.get("arcs")}.get(given.get("type"), [])
        rings = [[r for r in map(ring, part) if len(r) > 3] for part in parts]
        shape = within_bounds(shapely.make_valid(shapely.MultiPolygon([(r[0], r[1:]) for r in rings if r])))
        if not shape.is_empty:
            shapes.append(shape)
    return np.array(shapes, object)


def within_bounds(shape: Any) -> Any:
    """Return the areas of a shape whose longitudes may go beyond ±180°, cut there and turned back."""
    cut = []
    for turn in (-360.0, 0.0, 360.0):
        turned = shapely.transform(shape, lambda xy, turn=turn: xy + np.array([turn, 0.0]))
        inside = turned if turned.bounds[0] >= -180.0 and turned.bounds[2] <= 180.0 else None
        cut.append(inside or shapely.intersection(turned, shapely.box(-180.0, -90.0, 180.0, 90.0)))
    parts = shapely.get_parts(shapely.get_parts(cut))
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])


# --- files ----------------------------------------------------------------------------------------------------------


def write_zones(path: Path, shapes: np.ndarray) -> None:
    """Write areas as well-known binary."""
    pq.write_table(pa.table({"id": np.arange(len(shapes), dtype=np.int32), "wkb": shapely.to_wkb(shapes)}), path)


def make(folder: Path, count: int) -> None:
    """Write every file that is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)

    def missing(name: str) -> bool:
        return not (folder / f"{name}.parquet").exists()

    if missing("points") or missing("reports"):
        points = places(max(1, count // STEPS))
        pq.write_table(points, folder / "points.parquet")
        pq.write_table(as_reports(points), folder / "reports.parquet")
    for name, zones in (("1", 1), ("100", 100), ("10k", 10_000)):
        write_zones(folder / f"zones_poly_{name}.parquet", stars(zones))
        lon, lat, radius_m = centres(zones)
        circles = {"id": np.arange(zones, dtype=np.int32), "lon": lon, "lat": lat, "radius_m": radius_m}
        pq.write_table(pa.table(circles), folder / f"zones_circle_{name}.parquet")
    for vertices in (100, 100_000):
        write_zones(folder / f"zones_vertices_{vertices}.parquet", stars(20, vertices))
    for name, (package, member, key) in ATLASES.items():
        if missing(f"zones_{name}") and shutil.which("npm"):
            write_zones(folder / f"zones_{name}.parquet", atlas(package, member, key))
    for label, movers in (("10k", 10_000), ("100k", 100_000)):
        for kind, mixed in (("slow", False), ("mixed", True)):
            pq.write_table(states(movers, mixed), folder / f"states_{kind}_{label}.parquet")


def main() -> None:
    """Make the data."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--places", type=int, default=5_000_000)
    asked = parser.parse_args()
    make(asked.folder, asked.places)


if __name__ == "__main__":
    main()
