"""Parquet: whole or refused; every kind of timestamp read as what it is, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from math import nan
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.common import NOON_US, ZOO, report, table

from tocsin.errors import ReportError
from tocsin.tracks.formats import parquet as module
from tocsin.tracks.formats.columns import ColumnMap, load_columns
from tocsin.tracks.formats.parquet import read_parquet, write_parquet
from tocsin.tracks.formats.part import Part

DATA = Path(__file__).parent.parent / "data" / "tracks"
PLAIN = load_columns("id=id,time=time,lat=lat,lon=lon")


def read(data: bytes, columns: ColumnMap | None = None) -> list[Part]:
    return list(read_parquet(BytesIO(data), columns, name="t.parquet", feed="t"))


def written(columns: dict[str, pa.Array], **options: object) -> bytes:
    out = BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


def plain(time: pa.Array, n: int = 1) -> dict[str, pa.Array]:
    return {"id": pa.array(["a"] * n), "time": time, "lat": pa.array([33.5] * n), "lon": pa.array([38.6] * n)}


def archived(reports: pa.Table) -> bytes:
    out = BytesIO()
    write_parquet(reports, out)
    return out.getvalue()


@pytest.mark.parametrize("name", sorted(set(ZOO) - {"stale", "before_1970"}))
def test_what_was_written_is_read(name: str) -> None:
    given_table = ZOO[name].to_table()
    found = pa.concat_tables([p.table for p in read(archived(given_table))] or [given_table])
    # Written as text, NaN equals NaN and -0.0, which an archive may not tell from 0.0, is one with it.
    assert str(found.to_pylist()).replace("-0.0", "0.0") == str(given_table.to_pylist()).replace("-0.0", "0.0")


def test_the_archive_has_the_fast_encodings_and_the_same_bytes_again() -> None:
    data = archived(ZOO["many_tracks_one_instant"].to_table())
    group = pq.ParquetFile(BytesIO(data)).metadata.row_group(0)
    encodings = {group.column(k).path_in_schema: group.column(k).encodings for k in range(group.num_columns)}
    assert "DELTA_BINARY_PACKED" in encodings["observed"]
    assert "BYTE_STREAM_SPLIT" in encodings["lat_deg"]
    assert group.column(0).compression == "LZ4"
    assert archived(ZOO["many_tracks_one_instant"].to_table()) == data


def test_real_tracks_of_the_sample_layout_are_read_whole() -> None:
    (boston,) = read((DATA / "boston_2014.parquet").read_bytes())
    assert (boston.read, boston.table.num_rows) == (972, 972)
    assert sorted(set(boston.table["track_id"].to_pylist()))[0].startswith("mmsi:")
    (drone,) = read((DATA / "drone_2019.parquet").read_bytes())
    assert (drone.table["track_id"][0].as_py(), drone.table["category"][0].as_py()) == ("dev:uav_rot", "drone")
    assert drone.table["alt_m"][0].as_py() == 708.0


def test_columns_by_a_stated_map_may_be_of_any_plain_type() -> None:
    columns = {
        "id": pa.array([366941123, None]),
        "time": pa.array(["2020-01-01T00:00:00Z"] * 2).dictionary_encode(),
        "lat": pa.array([33, 34], pa.int16()),
        "lon": pa.array([38.5, 38.6], pa.float32()),
    }
    (part,) = read(written(columns), load_columns("id=id,time=time,lat=lat,lon=lon,prefix=mmsi"))
    assert part.table["track_id"].to_pylist() == ["mmsi:366941123"]
    assert part.rejects["reason"].to_pylist() == ["no_identity"]
    assert part.rejects["line"].to_pylist() == [2]


NUMBERS = st.one_of(st.just([None, nan]), st.just([nan]), st.just([None]), st.just([nan, 3.0]), st.just([0.0]))
"""What the rows of one group say in a column of numbers."""


@settings(max_examples=60)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from([["n"], [None], ["n", None]])), min_size=1, max_size=3))
def test_what_the_index_says_of_a_column_that_says_nothing_changes_no_report(groups: list[Any]) -> None:
    speed, accuracy, party = ([(4 * group[k])[row] for group in groups for row in range(4)] for k in range(3))
    n = len(speed)
    columns = {
        **plain(pa.array([datetime(2020, 1, 1, tzinfo=UTC)] * n), n),
        "lat": pa.array([33.5] * (n - 1) + [91.0]),
        "speed": pa.array(speed, pa.float64()),
        "accuracy": pa.array(accuracy, pa.float32()),
        "party": pa.array(party, pa.string()),
    }
    rules = load_columns("id=id,time=time,lat=lat,lon=lon,sog=speed[kn],accuracy=accuracy[m],party=party")
    told, untold = (
        read(written(columns, row_group_size=4, write_statistics=is_told), rules) for is_told in (True, False)
    )
    for name in ("table", "rejects", "flags"):
        one, other = ([row for part in parts for row in getattr(part, name).to_pylist()] for parts in (told, untold))
        assert str(one) == str(other)


@pytest.mark.parametrize(
    ("writer", "columns"),
    [(b"parquet-cpp-arrow", ["id", "time", "lat", "lon"]), (b"some-other-writer", ["id", "time", "lat", "lon", "alt"])],
)
def test_only_arrows_own_index_is_believed_to_say_that_all_are_nan(
    writer: bytes, columns: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    whole = pq.ParquetFile.iter_batches

    def seen(self: pq.ParquetFile, *args: Any, columns: list[str], **more: Any) -> Any:
        asked.append(columns)
        return whole(self, *args, columns=columns, **more)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", seen)
    told = {
        **plain(pa.array([datetime(2020, 1, 1, tzinfo=UTC)] * 3), 3),
        "alt": pa.array([nan] * 3),
        "party": pa.nulls(3, pa.string()),
    }
    rules = load_columns("id=id,time=time,lat=lat,lon=lon,alt=alt[m],party=party")
    (part,) = read(written(told).replace(b"parquet-cpp-arrow", writer), rules)
    assert asked == [columns]
    assert str(part.table["alt_m"].to_pylist()) == "[nan, nan, nan]" and part.table["party"].null_count == 3


def test_rows_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE_ROWS", 7)
    lat = [33.5] * 19 + [91.0]
    columns = {**plain(pa.array([datetime(2020, 1, 1, tzinfo=UTC)] * 20), 20), "lat": pa.array(lat)}
    parts = read(written(columns, row_group_size=5), PLAIN)
    assert [p.read for p in parts] == [7, 7, 6] or sum(p.read for p in parts) == 20
    assert parts[-1].rejects["line"].to_pylist() == [20]


def test_nanoseconds_are_cut_to_microseconds() -> None:
    (part,) = read(written(plain(pa.array([NOON_US * 1_000 + 999], pa.timestamp("ns", tz="UTC")))), PLAIN)
    assert part.table["observed"].cast(pa.int64())[0].as_py() == NOON_US


@pytest.mark.parametrize("options", [{}, {"use_deprecated_int96_timestamps": True}], ids=["naive", "int96"])
def test_timestamps_without_zone_are_refused_unless_stated(options: dict[str, object]) -> None:
    data = written(plain(pa.array([NOON_US], pa.timestamp("us"))), **options)
    with pytest.raises(ReportError, match="without a zone, expected an offset or Z, or a map that states the zone"):
        read(data, PLAIN)
    (part,) = read(data, load_columns("id=id,time=time,lat=lat,lon=lon,zone=UTC"))
    assert part.table["observed"].cast(pa.int64())[0].as_py() == NOON_US


def test_a_time_past_what_microseconds_hold_is_refused_and_wraps_nowhere() -> None:
    with pytest.raises(ReportError, match="damaged data after row 0"):
        read(written(plain(pa.array([2**60], pa.timestamp("ms", tz="UTC")))), PLAIN)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([[1.0]]), "expected a plain column"),
        (pa.array([{"x": 1.0}]), "expected a plain column"),
    ],
    ids=["list", "struct"],
)
def test_nested_columns_are_refused(column: pa.Array, message: str) -> None:
    with pytest.raises(ReportError, match=message):
        read(written({**plain(pa.array(["2020-01-01T00:00:00Z"])), "lat": column}), PLAIN)


def test_dates_are_no_instants() -> None:
    with pytest.raises(ReportError, match="found column 'time' of dates, expected instants"):
        read(written(plain(pa.array([18_000], pa.date32()))), PLAIN)


def test_a_file_that_declares_more_rows_than_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 10)
    with pytest.raises(ReportError, match="found 11 rows of 4 columns, expected at most 10 rows"):
        read(written(plain(pa.array([datetime(2020, 1, 1, tzinfo=UTC)] * 11), 11)), PLAIN)


SMALL = archived(table(report(observed=NOON_US + k * 1_000_000) for k in range(50)))


def test_a_file_cut_at_any_byte_is_refused() -> None:
    for end in range(4, len(SMALL)):
        with pytest.raises(ReportError, match="expected a whole Parquet file"):
            read(SMALL[:end])


@settings(max_examples=200)
@given(st.integers(4, len(SMALL) - 1), st.integers(1, 255))
def test_a_changed_byte_gives_other_values_or_a_clear_error(at: int, by: int) -> None:
    damaged = bytearray(SMALL)
    damaged[at] ^= by
    try:
        parts = read(bytes(damaged))
    except ReportError:
        return
    assert sum(p.read for p in parts) == sum(p.table.num_rows + p.rejects.num_rows for p in parts)
