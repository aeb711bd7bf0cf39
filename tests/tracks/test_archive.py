"""Archives: the same table from the same files in any order, and every record of them accounted for."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from tests.common import ZOO, table
from tests.common import report as row

from tocsin.errors import ReportError
from tocsin.tracks.archive import Archive, Format, feed_name, read_tracks, sniff, write_parquet
from tocsin.tracks.formats.columns import load_columns
from tocsin.tracks.quality import Counts

DATA = Path(__file__).parent.parent / "data" / "tracks"
TIMED = [DATA / name for name in ("danish_stream.txt", "uscg_types.nmea", "evening_run.gpx", "boston_2014.parquet")]


def lines(archive: Archive) -> list[str]:
    return [str(r) for r in archive.table.to_pylist()]


def own_csv(path: Path, rows: list[str]) -> Path:
    path.write_text("track_id,observed,lat_deg,lon_deg,speed_kn\n" + "".join(f"{r}\n" for r in rows))
    return path


def test_files_of_every_format_are_one_table_whatever_their_order() -> None:
    one, other = read_tracks(TIMED), read_tracks(TIMED[::-1])
    assert lines(one) == lines(other)
    assert {name: c.as_json() for name, c in one.counts.items()} == {
        name: c.as_json() for name, c in other.counts.items()
    }
    total = one.total
    assert total.accepted == one.table.num_rows > 1_200
    assert sum(total.rejected.values()) == one.rejects.num_rows
    assert sum(total.flagged.values()) == one.flags.num_rows


def test_packed_and_plain_are_the_same(tmp_path: Path) -> None:
    for source in (DATA / "danish_stream.txt", DATA / "evening_run.gpx"):
        packed = tmp_path / (source.name + ".gz")
        packed.write_bytes(gzip.compress(source.read_bytes(), mtime=0))
        assert lines(read_tracks([packed])) == lines(read_tracks([source]))


def test_an_archive_written_and_read_is_itself(tmp_path: Path) -> None:
    first = read_tracks(TIMED)
    write_parquet(first.table, str(tmp_path / "all.parquet"))
    again = read_tracks([tmp_path / "all.parquet"])
    assert lines(again) == lines(first)
    assert again.total.duplicate == 0


def test_a_name_says_nothing_about_the_format(tmp_path: Path) -> None:
    disguised = tmp_path / "tracks.csv"
    disguised.write_bytes((DATA / "boston_2014.parquet").read_bytes())
    assert read_tracks([disguised]).total.accepted == 972


def test_duplicates_are_counted_once_and_conflicts_are_kept_and_flagged(tmp_path: Path) -> None:
    same = "dev:a,2020-01-01T00:00:00Z,1,2,10"
    one = own_csv(tmp_path / "a.csv", [same, same, "dev:a,2020-01-01T00:00:00Z,1,3,10"])
    two = own_csv(tmp_path / "b.csv", [same])
    archive = read_tracks([one, two])
    assert archive.total.as_json() == {
        "read": 4,
        "accepted": 2,
        "duplicate": 2,
        "late": 0,
        "rejected": {},
        "flagged": {"conflict": 2},
        "joined": 0,
    }
    assert archive.flags["flag"].to_pylist() == ["conflict", "conflict"]
    assert archive.table["feed"].to_pylist() == ["a", "a"]


def test_a_column_map_holds_for_the_tables_and_not_for_the_logs(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("who,when,y,x\n7,2020-01-01 00:00:00,1,2\n")
    rules = load_columns("id=who,time=when,lat=y,lon=x,zone=UTC")
    archive = read_tracks([path, DATA / "evening_run.gpx"], columns=rules)
    assert {name.rpartition("/")[2]: c.accepted for name, c in archive.counts.items()} == {
        "own.csv": 1,
        "evening_run.gpx": 17,
    }


def test_progress_ends_at_the_end(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    read_tracks(TIMED, progress=lambda *given: told.append(given))
    last = {name: (done, of) for name, done, of in told}
    assert last.keys() == {str(path) for path in TIMED}
    assert all(done == of for done, of in last.values())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.csv", None, "No such file or directory"),
        ("empty.csv", b"", "found an empty file"),
        ("empty.nmea.gz", gzip.compress(b"", mtime=0), "found an empty file"),
        ("cut.gz", gzip.compress(b"x" * 100, mtime=0)[:10], "found gzip data that ends early"),
        ("in.gz", gzip.compress(b"PAR1....", mtime=0), "found Parquet within gzip"),
        ("a.parquet", b"PAR1 and no more", "found no readable Parquet"),
        ("a.zip", b"PK\x03\x04\x00\x00", "found NUL bytes"),
        ("a.kml", b"<kml/>", "found XML of <kml>"),
        ("a.txt", b"some words", "expected a stated column map"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ReportError) as caught:
        read_tracks([DATA / "evening_run.gpx", tmp_path / name])
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / name))


def test_a_folder_and_a_file_given_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="Is a directory"):
        read_tracks([tmp_path])
    with pytest.raises(ReportError, match="found the file twice"):
        read_tracks([TIMED[0], str(TIMED[0])])


def test_a_packed_log_that_was_cut_is_read_to_the_cut_and_says_so(tmp_path: Path) -> None:
    rows = [f"dev:a,2020-01-01T00:{k // 60:02d}:{k % 60:02d}Z,1,{k / 1000},10" for k in range(3_000)]
    packed = gzip.compress(own_csv(tmp_path / "whole.csv", rows).read_bytes())
    (tmp_path / "cut.csv.gz").write_bytes(packed[: len(packed) * 2 // 3])
    archive = read_tracks([tmp_path / "cut.csv.gz"])
    assert archive.table.num_rows > 500
    assert archive.rejects["reason"].to_pylist()[-1] == "truncated"
    assert "ends early" in archive.rejects["detail"].to_pylist()[-1]


def test_no_files_are_no_reports() -> None:
    archive = read_tracks([])
    assert (archive.table.num_rows, archive.total) == (0, Counts())


@pytest.mark.parametrize("name", sorted(set(ZOO) - {"stale", "before_1970"}))
def test_the_zoo_survives_an_archive(tmp_path: Path, name: str) -> None:
    write_parquet(ZOO[name].to_table(), str(tmp_path / "zoo.parquet"))
    total = read_tracks([tmp_path / "zoo.parquet"]).total
    assert total.read == len(ZOO[name])
    assert not total.rejected


def test_what_no_reader_would_give_is_refused_on_the_way_back(tmp_path: Path) -> None:
    wild = table(
        [row(), row(lat_deg=float("nan")), row(lat_deg=90.0000001), row(lon_deg=-180.0000001), row(observed=0)]
    )
    write_parquet(wild, str(tmp_path / "wild.parquet"))
    reasons = read_tracks([tmp_path / "wild.parquet"]).rejects["reason"].to_pylist()
    assert reasons == ["not_a_position", "bad_latitude", "bad_longitude", "implausible_time"]


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"PAR1", Format.PARQUET),
        (b"\xef\xbb\xbf <?xml", Format.GPX),
        ("<gpx".encode("utf-16"), Format.GPX),
        (b'\n{"type"', Format.GEOJSON),
        (b"\\s:x*00\\!BSVDM,1", Format.AIS),
        (b"$GPRMC,1\n!AIVDO,", Format.AIS),
        (b"lat,lon", Format.CSV),
    ],
)
def test_the_format_is_told_by_the_content(head: bytes, found: Format) -> None:
    assert sniff(head) is found


def test_feeds_are_named_by_their_files() -> None:
    assert [feed_name(n) for n in ("a/b/coast.parquet", "radar.v2.csv.gz", "x")] == ["coast", "radar.v2", "x"]


def test_the_written_table_must_be_of_the_schema(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected the report schema"):
        write_parquet(pa.table({"a": [1]}), str(tmp_path / "x.parquet"))


def test_rejects_can_be_written_as_they_are(tmp_path: Path) -> None:
    from tocsin.tracks.quality import write_rejects

    archive = read_tracks([DATA / "mixed.txt"])
    write_rejects(archive.rejects, tmp_path / "rejects.jsonl")
    records = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert len(records) == archive.rejects.num_rows
    assert {"file", "line", "reason", "raw", "detail"} == records[0].keys()
