"""The position report: the one list of its columns.

Every reader in `formats/` produces this table and every room above consumes it; a test fails when a
column is added anywhere else. Missing numbers are NaN, missing words are null. Terms by ITU-R M.1371
(course, heading, speed over ground) and ISO 19156 (observed is phenomenon time, received is result time).
"""

from __future__ import annotations

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")
"""Every instant in Tocsin's tables: microseconds since 1970, UTC."""

SCHEMA = pa.schema(
    [
        pa.field("track_id", pa.string(), nullable=False),
        pa.field("observed", INSTANT, nullable=False),
        pa.field("received", INSTANT, nullable=True),
        pa.field("lat_deg", pa.float64(), nullable=False),
        pa.field("lon_deg", pa.float64(), nullable=False),
        pa.field("alt_m", pa.float32(), nullable=True),
        pa.field("speed_mps", pa.float32(), nullable=True),
        pa.field("course_deg", pa.float32(), nullable=True),
        pa.field("heading_deg", pa.float32(), nullable=True),
        pa.field("accuracy_m", pa.float32(), nullable=True),
        pa.field("feed", pa.string(), nullable=False),
        pa.field("party", pa.string(), nullable=True),
        pa.field("category", pa.string(), nullable=True),
    ]
)
"""The columns of a report table, in order.

track_id    prefixed identity: `mmsi:273000001`, `icao24:4b1a2c`, `cot:…`, `dev:…`
observed    when the position was true, by the sender's clock
received    when it reached the first receiver; null if not known
lat_deg     -90…90, north positive, WGS84
lon_deg     -180…180, east positive, WGS84
alt_m       metres above the ellipsoid
speed_mps   over ground, 0 or more
course_deg  over ground, from true north, 0 ≤ course < 360
heading_deg the bow's direction, from true north, 0 ≤ heading < 360
accuracy_m  radius that holds the true position 95 times in 100
feed        the feed or file that brought the report
party       the agreement's party id, as declared by the source; null when nobody said
category    the kind of mover (`fishing`, `cargo`, `aircraft`, `vehicle`, …); null when nobody said
"""

CODED_SCHEMA = pa.schema(
    [f.with_type(pa.dictionary(pa.int32(), f.type)) if pa.types.is_string(f.type) else f for f in SCHEMA]
)
"""The same as readers give it: every word once, and its number in each row."""

COLUMNS: tuple[str, ...] = tuple(SCHEMA.names)
"""The names alone, in order."""

FLOAT32_COLUMNS = ("alt_m", "speed_mps", "course_deg", "heading_deg", "accuracy_m")
"""The columns that may be NaN."""
