"""GeoJSON: longitude first, strict JSON, and a time for every place."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import ReportError
from tocsin.tracks.formats.columns import ColumnMap, load_columns
from tocsin.tracks.formats.geojson import read_geojson
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.stream import Stream

DATA = Path(__file__).parent.parent / "data" / "tracks"
AT = "2020-01-01T00:00:0{}Z"


def read(document: Any, columns: ColumnMap | None = None) -> Part:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    (part,) = read_geojson(Stream(BytesIO(data), name="t.geojson"), columns, feed="t")
    return part


def feature(kind: str, coordinates: Any, **given: Any) -> dict[str, Any]:
    properties = given.pop("properties", {})
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": {"track_id": "dev:a", **properties},
        **given,
    }


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def test_a_point_is_longitude_first_and_takes_its_words_from_its_properties() -> None:
    words = {"observed": AT.format(1), "speed_mps": 8.5, "party": "north", "category": "truck"}
    (row,) = read(collection(feature("Point", [38.6, 33.5, 812.5], properties=words))).table.to_pylist()
    assert (row["lat_deg"], row["lon_deg"], row["alt_m"]) == (33.5, 38.6, 812.5)
    assert (row["speed_mps"], row["party"], row["category"], row["track_id"]) == (8.5, "north", "truck", "dev:a")


def test_points_by_a_stated_map() -> None:
    point = feature("Point", [38.6, 33.5], properties={"mmsi": 366941123, "when": 1495116120250, "v": 10})
    rules = load_columns("id=mmsi,time=when,lat=-,lon=-,sog=v[kn],prefix=mmsi,format=epoch_ms")
    (row,) = read(collection(point), rules).table.to_pylist()
    assert (row["track_id"], row["observed"].isoformat()) == ("mmsi:366941123", "2017-05-18T14:02:00.250000+00:00")
    assert row["speed_mps"] == pytest.approx(5.1444, abs=1e-4)


@pytest.mark.parametrize(
    "given_feature",
    [
        feature("LineString", [[1, 2], [3, 4]], properties={"coordTimes": [AT.format(1), AT.format(2)]}),
        feature("LineString", [[1, 2], [3, 4]], properties={"datetimes": [1577836801000, 1577836802000]}),
        feature("MultiLineString", [[[1, 2]], [[3, 4]]], properties={"coordTimes": [[AT.format(1)], [AT.format(2)]]}),
        feature(
            "Polygon",
            [],
            temporalGeometry={
                "type": "MovingPoint",
                "coordinates": [[1, 2], [3, 4]],
                "datetimes": [AT.format(1), AT.format(2)],
            },
        ),
    ],
    ids=["coordTimes", "milliseconds", "multi", "moving_point"],
)
def test_a_line_with_times_is_a_track(given_feature: dict[str, Any]) -> None:
    rows = read(given_feature).table.to_pylist()
    assert [(r["lat_deg"], r["lon_deg"], r["observed"].second) for r in rows] == [(2, 1, 1), (4, 3, 2)]


def test_places_without_times_and_times_without_places_are_told_apart() -> None:
    line = feature("LineString", [[1, 2], [3, 4], [5, 6]], properties={"coordTimes": [AT.format(1), AT.format(2)]})
    part = read(collection(line))
    assert (part.read, part.table.num_rows, part.rejects["reason"].to_pylist()) == (3, 2, ["no_time"])


def test_the_identity_may_be_the_feature_s() -> None:
    point = feature("Point", [1, 2], id=7, properties={"track_id": None, "observed": AT.format(1)})
    assert read(collection(point)).table["track_id"].to_pylist() == ["dev:7"]


def test_every_feature_is_accounted_for_by_number() -> None:
    part = read(
        collection(
            feature("Polygon", [[[0, 0], [1, 0], [1, 1], [0, 0]]]),
            {"type": "Feature", "geometry": None, "properties": None},
            "no feature",
            feature("Point", ["1", "2"], properties={"observed": AT.format(1)}),
            feature("Point", [1], properties={"observed": AT.format(1)}),
            feature("Point", [181, 91], properties={"observed": AT.format(1)}),
            feature("Point", [1, 2]),
            feature("Point", [1, 2], properties={"observed": AT.format(1), "track_id": None}),
            feature("Point", [1, 2], properties={"observed": AT.format(1)}),
            feature("Point", [3, 4], properties={"observed": AT.format(2)}),
            feature("Point", [190, 4], properties={"observed": AT.format(2)}),
        )
    )
    assert list(zip(part.rejects["line"].to_pylist(), part.rejects["reason"].to_pylist(), strict=True)) == [
        (1, "not_a_track"),
        (2, "not_a_track"),
        (3, "unparsable"),
        (4, "not_a_position"),
        (5, "not_a_position"),
        (6, "not_a_position"),
        (7, "no_time"),
        (8, "no_identity"),
        (11, "bad_longitude"),
    ]
    assert part.table.num_rows == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{"type": "FeatureCollection", "features": [NaN]}', "NaN is not a JSON number"),
        (b'{"type": "Feature", "type": "Feature"}', "key 'type' stands twice"),
        (b'{"a": 1e400}', "number 1e400 is too large"),
        (b'{"a": ' + b"1" * 5_000 + b"}", "no strict JSON"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"type": "FeatureCollection", "features": [', "no strict JSON"),
        (b'{"a": "\xff"}', "no strict JSON"),
        (b"[]", "a JSON list"),
        (b'{"type": "Point", "coordinates": [1, 2]}', "an object of type 'Point'"),
        (b'{"type": "FeatureCollection", "features": {}}', "an object of type 'FeatureCollection'"),
        (
            b'{"type": "FeatureCollection", "features": [], "crs": {"properties": {"name": "EPSG:3857"}}}',
            "coordinate system EPSG:3857",
        ),
    ],
)
def test_what_is_no_strict_geojson_is_refused(text: bytes, found: str) -> None:
    with pytest.raises(ReportError) as caught:
        read(text)
    assert found in str(caught.value)


def test_depth_that_the_parser_bears_costs_its_feature_only() -> None:
    deep = json.loads("[" * 300 + "]" * 300)
    part = read(collection(feature("Point", deep), feature("Point", [1, 2], properties={"observed": AT.format(1)})))
    assert (part.read, part.table.num_rows) == (2, 1)


def test_a_real_track_of_togeojson_is_read_whole() -> None:
    rules = load_columns("id=name,time=time,lat=-,lon=-")
    part = read((DATA / "evening_run.geojson").read_bytes(), rules)
    assert (part.read, part.table.num_rows) == (17, 17)


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.text(max_size=5)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "features",
                    "geometry",
                    "properties",
                    "coordinates",
                    "coordTimes",
                    "datetimes",
                    "temporalGeometry",
                ]
            ),
            inner,
            max_size=4,
        ),
        st.sampled_from(["Feature", "Point", "LineString", "MovingPoint", "FeatureCollection"]),
    ),
    max_leaves=25,
)


@given(JSON)
def test_any_json_in_place_of_a_feature_is_a_reject_or_reports(value: Any) -> None:
    part = read(collection(value, feature("Point", [1, 2], properties={"observed": AT.format(1)})))
    assert part.read == part.table.num_rows + part.rejects.num_rows
    assert part.table.num_rows >= 1
