"""Routes: the paths of an archive, thinned and kept in a file, for forecasts that follow where earlier tracks went.

One Parquet file (docs/format/routes.md): where paths went and when, and nothing of who went them. A watch that is given
such a file asks, at each forecast, what those did that went by here this way before (`kernels/forecast/routes.py`).
Zones, labels and outcomes are not kept: a zone drawn today is answered from the same file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tocsin.clock import US_PER_S
from tocsin.errors import Place, ReportError
from tocsin.kernels.forecast import routes as kernels
from tocsin.kernels.forecast.routes import CELLS, Routes
from tocsin.kernels.held import hold
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.report import INSTANT

PATH_GAP_US = 900 * US_PER_S
"""A longer silence ends a path: where it went meanwhile is not known; microseconds."""

FORMAT = "tocsin-routes/1"

ROUTES_SCHEMA = pa.schema(
    [
        pa.field("route", pa.int32(), nullable=False),
        pa.field("observed", INSTANT, nullable=False),
        pa.field("lat_deg", pa.float64(), nullable=False),
        pa.field("lon_deg", pa.float64(), nullable=False),
    ],
    metadata={"format": FORMAT},
)
"""The columns of a file of routes: places of one route together, in order of time."""


def as_routes(table: pa.Table) -> Routes:
    """Return the routes of a table, ready to be asked.

    Parameters
    ----------
    table : Table
        Columns of `ROUTES_SCHEMA`.

    Raises
    ------
    ValueError
        If columns are missing, a value is null or out of range, or places of a route do not follow one another in time.
    """
    missing = [name for name in ROUTES_SCHEMA.names if name not in table.column_names]
    if missing:
        raise ValueError(f"found no column {', '.join(missing)}, expected {', '.join(ROUTES_SCHEMA.names)}")
    table = table.select(ROUTES_SCHEMA.names).cast(ROUTES_SCHEMA)
    if any(column.null_count for column in table.columns):
        raise ValueError("found nulls, expected none")
    route = _column(table, "route", np.int32)
    at_us = np.array(table["observed"].cast(pa.int64()).to_numpy())
    lat_deg, lon_deg = _column(table, "lat_deg", np.float64), _column(table, "lon_deg", np.float64)
    if not ((np.abs(lat_deg) <= 90.0) & (np.abs(lon_deg) <= 180.0)).all():
        raise ValueError("found a place out of range, expected latitudes -90…90 and longitudes -180…180")
    step = np.diff(route)
    if (step < 0).any() or (np.diff(at_us)[step == 0] <= 0).any():
        raise ValueError("found places out of order, expected those of a route together, each later than the last")
    return _ready(route, at_us, lat_deg, lon_deg)


def _ready(
    route: NDArray[np.int32], at_us: NDArray[np.int64], lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]
) -> Routes:
    row = np.minimum(np.floor((lat_deg + 90.0) * CELLS), 180 * CELLS - 1).astype(np.int64)
    column = np.minimum(np.floor((lon_deg + 180.0) * CELLS), 360 * CELLS - 1).astype(np.int64)
    of_place = row * 360 * CELLS + column
    place = np.argsort(of_place, kind="stable")
    cell, first = np.unique(of_place[place], return_index=True)
    routes = Routes(
        route=route,
        at_us=at_us,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        cell=cell,
        first=np.append(first, len(place)).astype(np.int64),
        place=place.astype(np.int32),
    )
    return hold(routes)


def learn_routes(reports: ReportBatch) -> pa.Table:
    """Return the paths of an archive, with the columns of `ROUTES_SCHEMA`.

    Parameters
    ----------
    reports : ReportBatch
        In any order; of reports with one track and instant the first counts.

    Returns
    -------
    Table
        Routes are numbered in the order in which they began; no name of a track is in it.
    """
    order = np.lexsort((reports.observed_us, reports.track))
    track, at_us = reports.track[order], reports.observed_us[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (track[1:] != track[:-1]) | (at_us[1:] != at_us[:-1])
    order, track, at_us = order[new], track[new], at_us[new]
    lat_deg, lon_deg = reports.lat_deg[order], reports.lon_deg[order]
    route = np.empty(len(order), np.int32)
    paths = kernels.thin_paths(track, at_us, lat_deg, lon_deg, PATH_GAP_US, route)
    kept = np.flatnonzero(route >= 0)
    kept = kept[np.bincount(route[kept], minlength=paths)[route[kept]] > 1]  # one place is no path
    began_us = np.full(paths, np.iinfo(np.int64).max)
    np.minimum.at(began_us, route[kept], at_us[kept])
    number = np.empty(paths, np.int32)
    number[np.lexsort((lon_deg[_firsts(route[kept], kept, paths)], began_us))] = np.arange(paths)
    kept = kept[np.lexsort((at_us[kept], number[route[kept]]))]
    numbers = np.unique(number[route[kept]], return_inverse=True)[1].astype(np.int32)
    columns = [numbers, pa.array(at_us[kept]).view(INSTANT), lat_deg[kept], lon_deg[kept]]
    return pa.table(columns, schema=ROUTES_SCHEMA)


def write_routes(table: pa.Table, path: Path) -> None:
    """Write a table of routes to a file."""
    pq.write_table(table, path, compression="zstd")


def read_routes(path: Path) -> Routes:
    """Return the routes of a file.

    Raises
    ------
    ReportError
        If it is not a file of routes; says what was found.
    OSError
        If it cannot be read.
    """
    return load_routes(path.read_bytes(), Place(str(path)))


def load_routes(raw: bytes, place: Place) -> Routes:
    """Return the routes of a file's bytes.

    Raises
    ------
    ReportError
        If they are not those of a file of routes; says what was found, and the place.
    """
    try:
        return as_routes(pq.read_table(pa.BufferReader(raw)))
    except (pa.ArrowInvalid, ValueError) as error:
        raise ReportError(str(error), expected="a file that tocsin routes wrote", place=place) from error


def _column(table: pa.Table, name: str, kind: type[np.generic]) -> np.ndarray:
    """Return a column as an array of one's own: kernels are compiled anew for one that may not be written to."""
    return np.array(table[name].to_numpy(), kind)


def _firsts(route: np.ndarray, kept: np.ndarray, paths: int) -> np.ndarray:
    """Return the first kept fix of each path; the very first for one that has none."""
    first = np.zeros(paths, np.int64)
    first[route[::-1]] = kept[::-1]
    return first


NO_ROUTES = _ready(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), np.empty(0))
"""The routes of a watch that was given none."""
