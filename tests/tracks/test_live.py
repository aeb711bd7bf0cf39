"""Live bytes: the same reports however they are cut, every line accounted for, work and memory bounded."""

from __future__ import annotations

import json
import math
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyais.encode import encode_dict

from tocsin.errors import ReportError
from tocsin.tracks.archive import read_tracks
from tocsin.tracks.batch import ReportBatch, concat
from tocsin.tracks.formats.columns import load_columns
from tocsin.tracks.formats.jsonlines import KEYS, MAX_LINE_BYTES, _Line
from tocsin.tracks.formats.live import Decoded, LiveFormat, LiveReader
from tocsin.tracks.formats.osmand import TO_95
from tocsin.tracks.quality import Flag
from tocsin.units import parse_instant_us

AT_US = parse_instant_us("2026-11-27T10:00:30Z")
SHIP = encode_dict(
    {"msg_type": 1, "mmsi": 273000001, "lat": 33.5, "lon": 38.6, "speed": 10.0, "course": 90.0, "second": 28},
    talker_id="AI",
)[0].encode()
TYPED = encode_dict(
    {"msg_type": 19, "mmsi": 273000002, "lat": 33.6, "lon": 38.7, "speed": 1.0, "course": 9.0, "ship_type": 30},
    talker_id="AI",
)[0].encode()
PLANE = b"MSG,3,1,1,4CA4E5,1,2010/02/19,18:06:07.710,2010/02/19,18:06:07.710,,36000,,,47.5,8.5,,,0,0,0,-1"
TRUCK = b'{"track_id":"dev:truck-7","observed":"2026-11-27T10:00:00Z","lat_deg":33.5,"lon_deg":38.6,"speed_mps":12.5}'


def read(*lines: bytes, form: LiveFormat = LiveFormat.AUTO, **options: str) -> Decoded:
    reader = LiveReader(feed="f", form=form, **options)
    for line in lines:
        reader.push_message(line, AT_US)
    return reader.take()


def said(decoded: Decoded) -> list[tuple[int, str]]:
    return [(r.line, str(r.reason)) for r in decoded.rejects]


def same(one: ReportBatch, other: ReportBatch) -> bool:
    return one.to_table().equals(other.to_table())


STREAM = (
    b"\r\n".join([SHIP, b"", PLANE, b"hello", TRUCK, SHIP[:-1] + b"0", b"x" * 60, TYPED, b"{}", PLANE, TRUCK]) + b"\n"
)


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_reports_are_the_same_however_the_bytes_are_cut(cuts: list[int]) -> None:
    whole = LiveReader(feed="f")
    whole.push(STREAM, AT_US)
    expected = whole.take()
    reader, parts = LiveReader(feed="f"), []
    places = [0, *sorted(cuts), len(STREAM)]
    for start, end in pairwise(places):
        reader.push(STREAM[start:end], AT_US)
        parts.append(reader.take())
    together = concat([p.batch for p in parts])
    # The kinds of lines are read apart, so that within one take the reports stand by kind.
    assert sorted(map(str, together.to_table().to_pylist())) == sorted(map(str, expected.batch.to_table().to_pylist()))
    assert sorted(r for p in parts for r in said(p)) == said(expected)
    assert sum(p.read for p in parts) == expected.read == 10


def test_lines_of_several_formats_are_each_read_by_their_own() -> None:
    decoded = read(SHIP, PLANE, TRUCK, b"<event uid='x'/>")
    assert set(decoded.batch.tracks) == {"mmsi:273000001", "icao24:4ca4e5", "dev:truck-7"}
    assert said(decoded) == [(4, "unparsable")]
    only_ais = read(SHIP, PLANE, TRUCK, form=LiveFormat.AIS)
    assert only_ais.batch.tracks == ("mmsi:273000001",)
    assert only_ais.read == 3


def test_arrival_completes_what_tells_no_time_and_is_flagged() -> None:
    decoded = read(SHIP, PLANE, TRUCK)
    observed = dict(zip(decoded.batch.tracks, decoded.batch.observed_us[np.argsort(decoded.batch.track)], strict=True))
    assert observed["mmsi:273000001"] == AT_US - 2_000_000
    assert observed["icao24:4ca4e5"] == AT_US
    assert set(decoded.batch.received_us.tolist()) == {AT_US}
    assert decoded.flagged == {Flag.ARRIVAL_TIME: 2}
    stamped = read(b"1764237600 " + SHIP)
    assert stamped.flagged == {}
    assert stamped.batch.received_us[0] == 1_764_237_600_000_000
    zoned = read(PLANE, zone="Europe/Zurich")
    assert zoned.batch.observed_us[0] == parse_instant_us("2010-02-19T18:06:07.71+01:00")


def test_parts_of_a_message_meet_across_datagrams_and_a_cut_discards_them() -> None:
    first, second = _halves()
    reader = LiveReader(feed="f")
    reader.push_message(first, AT_US)
    assert reader.take().read == 0
    reader.push_message(second, AT_US)
    assert reader.take().batch.tracks == ("mmsi:273000002",)
    reader.push_message(first, AT_US)
    reader.push(SHIP[:20], AT_US)
    reader.cut()
    assert sorted(reason for _, reason in said(reader.take())) == ["incomplete", "truncated"]
    reader.push_message(second, AT_US)
    reader.push_message(SHIP, AT_US)
    assert reader.take().batch.tracks == ("mmsi:273000001",)


def test_kind_of_ship_is_remembered_from_one_delivery_to_the_next() -> None:
    reader = LiveReader(feed="f")
    position = encode_dict(
        {"msg_type": 1, "mmsi": 273000002, "lat": 33.5, "lon": 38.6, "speed": 1.0, "course": 9.0}, talker_id="AI"
    )[0].encode()
    kinds = []
    for line in (position, TYPED, position):
        reader.push_message(line, AT_US)
        batch = reader.take().batch
        kinds.append(batch.categories[batch.category[0]] if batch.category[0] >= 0 else None)
    assert kinds == [None, "fishing", "fishing"]


def test_every_message_by_the_million_that_never_completes_is_given_up_within_bounds() -> None:
    first, _ = _halves()
    reader = LiveReader(feed="f")
    for n in range(3_000):
        body = first[1:-3].replace(b",3,A,", f",{n % 10},{'AB'[n % 2]},".encode())
        sum_ = 0
        for byte in body:
            sum_ ^= byte
        reader.push_message(b"!%s*%02X" % (body, sum_), AT_US)
    decoded = reader.take()
    assert 2_700 < decoded.read <= 3_000
    assert {reason for _, reason in said(decoded)} == {"incomplete"}


@pytest.mark.parametrize(
    "junk",
    [
        b",",
        b"!",
        b"\\",
        b"*",
        b"{",
        b"[",
        b"!AIVDM,",
        b"MSG,",
        b"$GPRMC,",
        b"\0",
        b"\xff",
        b'{"a":',
        b"a=",
        b"1 ",
        b"!A",
    ],
)
@pytest.mark.timeout(60)
def test_work_per_byte_is_bounded_for_every_kind_of_junk(junk: bytes) -> None:
    # Each line as long as one may be. Work that grew with the square of it would take minutes.
    line = (junk * MAX_LINE_BYTES)[: MAX_LINE_BYTES - 1] + b"\n"
    for form in LiveFormat:
        reader = LiveReader(feed="f", form=form)
        for _ in range(4):
            reader.push(line, AT_US)
        reader.push(TRUCK + b"\n", AT_US)
        assert "dev:truck-7" in reader.take().batch.tracks or form not in (LiveFormat.AUTO, LiveFormat.JSON)


def test_a_line_without_end_is_never_held() -> None:
    reader = LiveReader(feed="f")
    for _ in range(100):
        reader.push(b"x" * 50_000, AT_US)
        assert reader.held_bytes <= MAX_LINE_BYTES
    reader.push(b"x\n" + TRUCK + b"\n", AT_US)
    decoded = reader.take()
    assert said(decoded) == [(1, "truncated")]
    assert decoded.batch.tracks == ("dev:truck-7",)


def test_random_bytes_cost_only_their_own_lines() -> None:
    rng = random.Random(5)
    for line, track in ((SHIP, "mmsi:273000001"), (PLANE, "icao24:4ca4e5"), (TRUCK, "dev:truck-7")):
        reader = LiveReader(feed="f")
        for cut in range(len(line)):
            reader.push(line[:cut] + bytes(rng.randrange(256) for _ in range(8)) + b"\n" + line + b"\n", AT_US)
        decoded = reader.take()
        assert decoded.read == len(decoded.batch) + len(decoded.rejects)
        assert int((decoded.batch.track == decoded.batch.tracks.index(track)).sum()) >= len(line)


def _halves() -> tuple[bytes, bytes]:
    payload = TYPED.split(b",")[5]
    halves = []
    for number, piece in ((1, payload[:30]), (2, payload[30:])):
        body = b"AIVDM,2,%d,3,A,%s,0" % (number, piece)
        total = 0
        for byte in body:
            total ^= byte
        halves.append(b"!%s*%02X" % (body, total))
    return halves[0], halves[1]


# JSON lines


BAD_JSON = [
    '{"track_id":"dev:a","observed":"2026-11-27T10:00:00Z","lat_deg":NaN,"lon_deg":1}',
    '{"track_id":"dev:a","observed":"2026-11-27T10:00:00Z","lat_deg":Infinity,"lon_deg":1}',
    '{"track_id":"dev:a","observed":"2026-11-27T10:00:00Z","lat_deg":1e400,"lon_deg":1}',
    '{"track_id":"dev:a","observed":"2026-11-27T10:00:00Z","lat_deg":-Infinity,"lon_deg":1}',
    '{"track_id":"dev:a","observed":"2026-11-27T10:00:00Z","lat_deg":1,"lat_deg":2,"lon_deg":1}',
    '{"track_id":"dev:a","observed":"2026-11-27T10:00:00Z","lat_deg":1,"lat_deg" :2,"lon_deg":1}',
    '{"track_id":"dev\\u003aa","observed":"2026-11-27T10:00:00Z","lat_deg":1,"lat_deg":2,"lon_deg":1}',
    '{"track_id":"dev:a","observed":"2026-11-27T10:00:00Z","lat_deg":1,"lat\\u005fdeg":2,"lon_deg":1}',
    '{"track_id":"\\ud800","observed":"2026-11-27T10:00:00Z","lat_deg":1,"lon_deg":1}',
    '{"track_id":"dev:a","observed":"2026-11-27T10:00:00Z","lat_deg":"1","lon_deg":1}',
    '{"track_id":"dev:a","observed":"2026-11-27T10:00:00Z","lat_deg":true,"lon_deg":1}',
    '{"track_id":"dev:a","observed":"2026-11-27T10:00:00Z","lat_deg":1,"lon_deg":1,"colour":"red"}',
    '{"track_id":"dev:a","observed":1764237600,"lat_deg":1,"lon_deg":1}',
    '{"track_id":"dev:a","observed":"2026-11-27T10:00:00Z","lat_deg":' + "9" * 5_000 + ',"lon_deg":1}',
    '{"track_id":"dev:a","observed":"2026-11-27T10:00:00Z","lat_deg":[[1]],"lon_deg":1}',
    '{"a":' * 2_000 + "1" + "}" * 2_000,
    "[" * 10_000,
    "{",
    "{} {}",
    "'x'",
]


@pytest.mark.parametrize("line", BAD_JSON, ids=lambda line: line[60:90])
def test_json_that_two_readers_could_read_as_two_reports_is_refused(line: str) -> None:
    decoded = read(line.encode(), TRUCK, form=LiveFormat.JSON)
    assert said(decoded) == [(1, "unparsable")]
    assert decoded.rejects[0].detail
    assert len(decoded.batch) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lat_deg": None}, "not_a_position"),
        ({"lat_deg": 91}, "not_a_position"),
        ({"lat_deg": 90.0000001}, "bad_latitude"),
        ({"lon_deg": 180.5}, "bad_longitude"),
        ({"track_id": None}, "no_identity"),
        ({"track_id": "mmsi:12345678901"}, "bad_identity"),
        ({"track_id": "x" * 10_000}, "bad_identity"),
        ({"observed": None}, "no_time"),
        ({"observed": "2026-11-27T10:00:00"}, "naive_time"),
        ({"observed": "1970-01-01T00:00:00Z"}, "implausible_time"),
        ({"observed": "2026-02-30T00:00:00Z"}, "bad_time"),
        ({"party": "south"}, "bad_text"),
    ],
)
def test_json_lines_are_refused_as_in_every_other_format(change: dict, reason: str) -> None:
    line = {**json.loads(TRUCK), **change}
    assert said(read(json.dumps(line).encode(), form=LiveFormat.JSON, party="north")) == [(1, reason)]


def test_json_line_says_what_it_says() -> None:
    line = {
        "track_id": "mmsi:3669702", "observed": "2026-11-27T11:00:00.25+01:00", "received": "2026-11-27T10:00:01Z",
        "lat_deg": -0.0, "lon_deg": 180, "speed_mps": 5, "course_deg": 360.0, "heading_deg": 511, "accuracy_m": None,
        "category": "fishing",
    }  # fmt: skip
    decoded = read(json.dumps(line).encode(), TRUCK, party="north")
    (one, other) = decoded.batch.to_table().to_pylist()
    assert (one["track_id"], one["party"], one["category"]) == ("mmsi:003669702", "north", "fishing")
    assert one["observed"].isoformat() == "2026-11-27T10:00:00.250000+00:00"
    assert one["received"].isoformat() == "2026-11-27T10:00:01+00:00"
    assert other["received"].timestamp() * 1e6 == AT_US
    assert (math.copysign(1, one["lat_deg"]), one["lon_deg"], one["course_deg"]) == (1, 180, 0)
    assert math.isnan(one["heading_deg"])
    assert decoded.flagged == {Flag.BAD_OPTIONAL: 1}


def test_keys_of_json_lines_are_those_of_the_schema() -> None:
    assert _Line.__struct_fields__ == KEYS


# SBS-1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (PLANE.rpartition(b",")[0], "wrong_columns"),
        (PLANE + b",1", "wrong_columns"),
        (PLANE.replace(b"4CA4E5", b""), "no_identity"),
        (PLANE.replace(b"4CA4E5", b"4CA4E5E"), "bad_identity"),
        (PLANE.replace(b"47.5", b"nan"), "bad_number"),
        (PLANE.replace(b"47.5", b""), "not_a_position"),
        (PLANE.replace(b"47.5", b"147.5"), "bad_latitude"),
        (PLANE.replace(b"2010/02/19", b"2010/19/02"), "bad_time"),
        (PLANE.replace(b"2010/02/19", b"").replace(b"18:06:07.710", b""), None),
        (PLANE.replace(b"2010/02/19", b"2026/10/25").replace(b"18:06", b"02:30"), "ambiguous_time"),
        (PLANE.replace(b",-1", b",true"), None),
        (PLANE.replace(b"MSG,3", b"MSG,9"), "unknown_type"),
        (b"SEL,,496,2286,4CA4E5,27215,2010/02/19,18:06:07.710,2010/02/19,18:06:07.710,RYR1427", "other_sentence"),
        (b"MSG,1,,,AD18DA,,,,,,258     ,,,,,,,,0,0,0,0", "no_position"),
    ],
)
def test_sbs_lines_are_refused_by_reason_and_alone(line: bytes, reason: str | None) -> None:
    decoded = read(line, PLANE, form=LiveFormat.SBS, zone="Europe/Berlin")
    assert said(decoded) == ([] if reason is None else [(1, reason)])
    assert len(decoded.batch) == (2 if reason is None else 1)


def test_sbs_motion_completes_only_the_next_seconds_of_the_same_aircraft() -> None:
    motion = b"MSG,4,,,4CA4E5,,,,,,,,100,83,,,-1600,,0,0,0,0"
    reader = LiveReader(feed="f", form=LiveFormat.SBS)
    speeds = []
    for line, later_s in ((motion, 0), (PLANE, 5), (PLANE, 6), (PLANE.replace(b"4CA4E5", b"4CA4E6"), 0)):
        reader.push_message(line, AT_US + later_s * 1_000_000)
        speeds += reader.take().batch.speed_mps.tolist()
    assert speeds[0] == pytest.approx(51.4444, abs=1e-3)
    assert all(map(math.isnan, speeds[1:]))
    assert np.isnan(read(PLANE).batch.alt_m).all()


# OsmAnd


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"/?id=1&lat=33.5&lon=38.6&timestamp=1795773600&speed=10&bearing=90&accuracy=10&batt=50", AT_US - 30_000_000),
        (b"deviceid=1&location=33.5,38.6&timestamp=1795773600000", AT_US - 30_000_000),
        (b"id=1&lat=33.5&lon=38.6&timestamp=2026-11-27T10%3A00%3A00Z", AT_US - 30_000_000),
        (b"id=1&lat=33.5&lon=38.6&timestamp=2026-11-27%2010:00:00", AT_US - 30_000_000),
        (b"id=1&lat=33.5&lon=38.6", AT_US),
        (b"lat=33.5&lon=38.6", "no_identity"),
        (b"id=1&lat=33.5&lon=1e2", "bad_number"),
        (b"id=1&lat=133.5&lon=38", "bad_latitude"),
        (b"id=1&lat=33.5", "not_a_position"),
        (b"id=1&lat=33.5&lon=38.6&valid=false", "not_a_position"),
        (b"id=1&lat=33.5&lon=38.6&timestamp=yesterday", "bad_time"),
        (b"id=1&id=2&lat=33.5&lon=38.6", "unparsable"),
        (b"id=%ff&lat=33.5&lon=38.6", "unparsable"),
        (b"&".join(b"k%d=1" % k for k in range(100)), "unparsable"),
    ],
)
def test_osmand_queries(query: bytes, found: int | str) -> None:
    decoded = read(query, form=LiveFormat.OSMAND)
    if isinstance(found, str):
        assert said(decoded) == [(1, found)]
    else:
        assert decoded.batch.observed_us.tolist() == [found]
        assert decoded.batch.tracks == ("dev:1",)


def test_osmand_units_are_as_stated() -> None:
    query = b"id=1&lat=1&lon=1&speed=10&accuracy=10"
    for unit, mps in (("kn", 5.14444), ("mps", 10.0), ("km/h", 2.77778)):
        batch = read(query, form=LiveFormat.OSMAND, speed=unit).batch
        assert batch.speed_mps[0] == pytest.approx(mps, abs=1e-4)
        assert batch.accuracy_m[0] == pytest.approx(10 * TO_95, abs=1e-4)


# The same lines from files


def test_archives_of_live_lines_are_told_by_their_content(tmp_path: Path) -> None:
    planes, trucks = tmp_path / "planes.txt", tmp_path / "trucks.txt"
    planes.write_bytes(b"\r\n".join([PLANE, PLANE[:40], b"STA,,5,1,4CA4E5,1,,,,,RM", PLANE.replace(b"07.710", b"08")]))
    trucks.write_bytes(TRUCK + b"\n{}\n")
    archive = read_tracks([planes, trucks], columns=load_columns("sbs"))
    assert archive.table["track_id"].to_pylist() == ["icao24:4ca4e5"] * 2 + ["dev:truck-7"]
    assert {row["reason"] for row in archive.rejects.to_pylist()} == {
        "wrong_columns",
        "other_sentence",
        "not_a_position",
    }
    assert archive.table["observed"][0].as_py().isoformat() == "2010-02-19T18:06:07.710000+00:00"
    with pytest.raises(ReportError, match="local times without a zone"):
        read_tracks([planes])
