"""GPX: points of tracks, read without a tree, and nothing that an XML bomb could use."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from tocsin.errors import ReportError
from tocsin.tracks.formats.gpx import MAX_DEPTH, MAX_TOKEN_BYTES, read_gpx
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.stream import Stream

DATA = Path(__file__).parent.parent / "data" / "tracks"
HEAD = '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">'


def read(text: str | bytes) -> Part:
    data = text.encode() if isinstance(text, str) else text
    (part,) = read_gpx(Stream(BytesIO(data), name="t.gpx"), feed="t")
    return part


def track(*points: str) -> str:
    return f"{HEAD}<trk><trkseg>{''.join(points)}</trkseg></trk></gpx>"


def point(lat: str = "33.5", lon: str = "38.6", time: str = "2020-01-01T00:00:00Z", more: str = "") -> str:
    return f'<trkpt lat="{lat}" lon="{lon}"><time>{time}</time>{more}</trkpt>'


def test_a_real_track_is_read_whole() -> None:
    part = read((DATA / "evening_run.gpx").read_bytes())
    assert (part.read, part.table.num_rows) == (17, 17)
    row = part.table.slice(0, 1).to_pylist()[0]
    assert (row["track_id"], row["alt_m"], row["lat_deg"]) == ("dev:t/1", 6.0, 51.9020502)
    assert row["observed"].isoformat() == "2025-05-02T15:51:15.692000+00:00"


def test_waypoints_routes_and_points_without_time_are_told_apart() -> None:
    part = read((DATA / "routes_and_waypoints.gpx").read_bytes())
    assert sorted(part.rejects["reason"].to_pylist()) == ["no_time"] * 4 + ["not_a_track"] * 5


def test_tracks_are_numbered_and_segments_are_not() -> None:
    segment = f"<trkseg>{point()}</trkseg>"
    text = f"{HEAD}<trk>{segment}{segment}</trk><trk>{segment}</trk></gpx>"
    assert read(text).table["track_id"].to_pylist() == ["dev:t/1", "dev:t/1", "dev:t/2"]


def test_heights_speeds_and_courses_are_taken_where_they_stand() -> None:
    more = (
        "<ele>100.5</ele><geoidheight>22</geoidheight>"
        '<extensions><x:tpx xmlns:x="urn:x"><x:speed>2.5</x:speed><x:course>90</x:course></x:tpx></extensions>'
    )
    (row,) = read(track(point(more=more))).table.to_pylist()
    assert (row["alt_m"], row["speed_mps"], row["course_deg"]) == (122.5, 2.5, 90.0)


@pytest.mark.parametrize(
    ("given_point", "reason"),
    [
        (point(lat="91", lon="181"), "not_a_position"),
        (point(lat="NaN"), "not_a_position"),
        ('<trkpt lon="38.6"><time>2020-01-01T00:00:00Z</time></trkpt>', "not_a_position"),
        (point(lat="91.5"), "bad_latitude"),
        (point(lon="200"), "bad_longitude"),
        (point(lat="33,5"), "bad_number"),
        (point(lat="inf"), "bad_number"),
        (point(time=""), "no_time"),
        (point(time="2020-01-01T00:00:00"), "naive_time"),
        (point(time="yesterday"), "bad_time"),
        (point(time="1970-01-01T00:00:00Z"), "implausible_time"),
    ],
)
def test_a_bad_point_is_a_reject_and_its_neighbours_are_not(given_point: str, reason: str) -> None:
    part = read(track(point(), given_point, point()))
    assert part.table.num_rows == 2
    assert list(zip(part.rejects["line"].to_pylist(), part.rejects["reason"].to_pylist(), strict=True)) == [(2, reason)]


def test_an_infinite_height_is_missing() -> None:
    (row,) = read(track(point(more="<ele>INF</ele>"))).table.to_pylist()
    assert row["alt_m"] != row["alt_m"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<!DOCTYPE gpx [<!ENTITY a "b">]>' + track(point(time="&a;")), "found a document type"),
        ('<!DOCTYPE gpx SYSTEM "http://example.org/x.dtd">' + track(point()), "found a document type"),
        (HEAD + "<a>" * 200_000, f"found elements {MAX_DEPTH + 1} deep"),
        (track(point(lat="3" * (MAX_TOKEN_BYTES + 10))), "bytes without a < or >"),
        (track(point(more="<!-- " + "x" * (MAX_TOKEN_BYTES * 20) + " -->")), "bytes without a < or >"),
        ("<kml></kml>", "found XML of <kml>"),
        ("<gpx>", "t.gpx:1: found no well-formed XML"),
        ('<?xml version="1.0" encoding="utf-7"?><gpx></gpx>', "an encoding that is not read"),
        ('<?xml version="1.0" encoding="shift_jis"?><gpx></gpx>', "an encoding that is not read"),
        ("<gpx>&undefined;</gpx>", "no well-formed XML"),
    ],
    ids=["entity", "external", "depth", "attribute", "comment", "kml", "cut", "utf7", "multibyte", "undefined"],
)
def test_xml_that_is_none_or_does_harm_is_refused(text: str, message: str) -> None:
    with pytest.raises(ReportError) as caught:
        read(text)
    assert message in str(caught.value)


def test_utf_16_that_says_so_is_read() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?>' + track(point())
    assert read(text.encode("utf-16")).table.num_rows == 1


def test_a_file_cut_at_any_byte_is_refused() -> None:
    data = track(point(), point()).encode()
    for end in range(1, len(data)):
        with pytest.raises(ReportError, match="no well-formed XML"):
            read(data[:end])


def test_many_points_leave_nothing_behind() -> None:
    assert read(track(*[point()] * 20_000)).table.num_rows == 20_000
