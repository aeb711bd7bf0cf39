"""The shared zoo of awkward reports: small batches, each with the one thing that goes wrong in practice.

Every room that takes reports runs its laws over `ZOO`. Builders beside it make batches by hand:
`report(...)` is one row, `batch(rows)` the arrays. Zones that are awkward stand in `AWKWARD_RINGS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from tocsin.tracks.batch import EMPTY, ReportBatch
from tocsin.tracks.report import SCHEMA
from tocsin.units import parse_instant_us

NAN = float("nan")
NOON_US = parse_instant_us("2026-03-01T12:00:00Z")
"""The zoo's usual instant."""
S = 1_000_000
"""Microseconds in a second."""


def report(**given: Any) -> dict[str, Any]:
    """Return one row of `report.SCHEMA`: what is not given is usual (`track_id`, time, place, feed) or missing.

    `observed` and `received` may be text with an offset or microseconds UTC.
    """
    row: dict[str, Any] = {
        "track_id": "mmsi:273000001",
        "observed": NOON_US,
        "received": None,
        "lat_deg": 33.5,
        "lon_deg": 38.6,
        "alt_m": NAN,
        "speed_mps": NAN,
        "course_deg": NAN,
        "heading_deg": NAN,
        "accuracy_m": NAN,
        "feed": "zoo",
        "party": None,
        "category": None,
    }
    if unknown := given.keys() - row.keys():
        raise TypeError(f"no such column: {sorted(unknown)}")
    row.update(given)
    for name in ("observed", "received"):
        if isinstance(row[name], str):
            row[name] = parse_instant_us(row[name])
    return row


def table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Return rows as made by `report` as a report table, in their order."""
    listed = list(rows)
    return pa.table([pa.array([r[f.name] for r in listed], f.type) for f in SCHEMA], schema=SCHEMA)


def batch(rows: Iterable[Mapping[str, Any]]) -> ReportBatch:
    """Return rows as made by `report` as a batch, in their order."""
    return ReportBatch.from_table(table(rows))


def line(*places: tuple[float, float], step_s: float = 60.0, start_us: int = NOON_US, **given: Any) -> ReportBatch:
    """Return one track through (lat, lon) places, one report every `step_s` seconds."""
    return batch(
        report(lat_deg=lat, lon_deg=lon, observed=start_us + round(i * step_s * S), **given)
        for i, (lat, lon) in enumerate(places)
    )


ZOO: dict[str, ReportBatch] = {
    "empty": EMPTY,
    "single_fix": line((33.5, 38.6)),
    "antimeridian_eastward": line((10.0, 179.9), (10.0, 179.99), (10.0, -179.95), (10.0, -179.8)),
    "antimeridian_exact": line((10.0, 179.5), (10.0, 180.0), (10.0, -180.0), (10.0, -179.5)),
    "antimeridian_to_and_fro": line((-17.0, 179.9), (-17.0, -179.9), (-17.0, 179.9), (-17.0, -179.9)),
    "over_north_pole": line((89.5, 20.0), (89.9, 20.0), (89.9, -160.0), (89.5, -160.0)),
    "at_the_pole_two_longitudes": line((90.0, 0.0), (90.0, 135.0)),
    "south_pole": line((-89.99, -45.0), (-90.0, 77.0), (-89.99, 135.0)),
    "duplicate": batch([report(), report(), report(feed="other", received=NOON_US + S)]),
    "same_time_two_places": batch([report(lat_deg=33.5), report(lat_deg=33.6)]),
    "out_of_order": batch(report(observed=NOON_US + k * 60 * S, lon_deg=38.0 + k / 10) for k in (0, 3, 1, 4, 2)),
    "one_microsecond_apart": batch([report(), report(observed=NOON_US + 1, lon_deg=38.7)]),
    "nan_everything_optional": batch([report(), report(observed=NOON_US + 60 * S)]),
    "full_row": batch(
        [
            report(
                received=NOON_US + 2 * S,
                alt_m=812.5,
                speed_mps=8.0,
                course_deg=359.9,
                heading_deg=0.0,
                accuracy_m=10.0,
                party="north",
                category="fishing",
            )
        ]
    ),
    "stopped": line(*[(33.5, 38.6)] * 5),
    "stale": line((33.5, 38.6), (33.5, 38.7), start_us=parse_instant_us("1999-12-31T23:59:59Z")),
    "long_silence": batch([report(), report(observed=NOON_US + 30 * 86_400 * S, lon_deg=40.0)]),
    "null_island": line((0.0, 0.0), (0.0, -0.0), (-0.0, 0.0)),
    "leap_second": batch(
        [report(observed="2016-12-31T23:59:60Z"), report(observed="2017-01-01T00:00:00Z", lon_deg=38.7)]
    ),
    "daylight_saving_hour": batch(
        # 02:30 in Kyiv on 2025-10-26 happens twice: first at UTC+3, then at UTC+2.
        [
            report(observed="2025-10-26T02:30:00+03:00"),
            report(observed="2025-10-26T02:30:00+02:00", lon_deg=38.7),
        ]
    ),
    "before_1970": batch([report(observed=-1), report(observed=0, lon_deg=38.7)]),
    "two_ships_one_identity": batch(
        report(observed=NOON_US + k * 10 * S, lat_deg=33.5 + 5 * (k % 2), lon_deg=38.6 + k / 1000) for k in range(6)
    ),
    "many_tracks_one_instant": batch(report(track_id=f"dev:{k}", lon_deg=38 + k / 100) for k in range(20)),
    "names_that_sort_badly": batch(
        report(track_id=name) for name in ("dev:b", "dev:a", "dev:é", "dev:\U0001f6a2", "dev:A", "dev:a b")
    ),
}
"""Awkward batches by name; rows are in the order of arrival, which is not always the order of time."""

AWKWARD_RINGS: dict[str, list[tuple[float, float]]] = {
    "across_antimeridian": [(5.0, 179.0), (5.0, -179.0), (15.0, -179.0), (15.0, 179.0), (5.0, 179.0)],
    "around_north_pole": [(88.0, -180.0), (88.0, -90.0), (88.0, 0.0), (88.0, 90.0), (88.0, -180.0)],
    "zero_size": [(33.5, 38.6), (33.5, 38.6), (33.5, 38.6), (33.5, 38.6)],
    "one_metre": [(33.5, 38.6), (33.5, 38.60001), (33.50001, 38.60001), (33.50001, 38.6), (33.5, 38.6)],
    "sliver": [(33.0, 38.0), (33.0, 39.0), (33.0000001, 38.5), (33.0, 38.0)],
}
"""Closed rings of (lat, lon) that zones must settle or refuse."""


WORDY = st.builds(
    report,
    track_id=st.sampled_from(["dev:a", "dev:b", "dev:c"]),
    party=st.sampled_from([None, "north", "south"]),
    category=st.sampled_from([None, "cargo"]),
    received=st.sampled_from([None, NOON_US + S]),
    speed_mps=st.sampled_from([float("nan"), 5.0]),
)
"""Reports with words and numbers, some of them missing."""
