"""The real zones and the recorded traffic of examples/us-coast: whole, valid, and each with its source."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
import yaml
from shapely.geometry import shape

FOLDER = Path(__file__).parents[2] / "examples" / "us-coast"


@pytest.fixture(scope="module")
def zones() -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = json.loads((FOLDER / "zones.geojson").read_text(encoding="utf-8"))["features"]
    return features


@pytest.fixture(scope="module")
def tracks() -> pa.Table:
    return pq.read_table(FOLDER / "tracks.parquet")


def test_every_zone_has_a_source_a_licence_and_a_valid_area(zones: list[dict[str, Any]]) -> None:
    # Fault: geometry of unknown origin, or a ring that a loader would have to guess about.
    for zone in zones:
        assert "public domain" in zone["properties"]["source"] and zone["properties"]["licence"]
        area = shape(zone["geometry"])
        assert area.is_valid and area.area > 0, zone["id"]


def test_what_was_edited_says_so(zones: list[dict[str, Any]]) -> None:
    # Fault: a ring repaired or two chart cells joined without a word.
    edited = {zone["id"] for zone in zones if "edited" in zone["properties"]}
    joined = {zone["id"] for zone in zones if len(zone["properties"]["source_features"]) > 1}
    assert edited == joined | {"gulf_i"}


def test_agreement_and_map_have_the_same_zones(zones: list[dict[str, Any]]) -> None:
    # Fault: a zone drawn and not agreed, or agreed under another name than the map's.
    agreement = yaml.safe_load((FOLDER / "agreement.yaml").read_text(encoding="utf-8"))
    drawn = {zone["id"]: zone["properties"]["name"] for zone in zones}
    assert drawn == {zone["id"]: zone["name"] for zone in agreement["zones"]}


def test_the_slice_keeps_the_columns_and_the_disorder_of_its_source(tracks: pa.Table) -> None:
    # Fault: a slice that was cleaned, sorted or converted on the way, so that the example shows less than life.
    assert tracks.column_names == ["source", "track_id", "t", "lon", "lat", "alt_m", "sog_mps", "cog_deg", "kind"]
    assert tracks.schema.field("t").type == pa.timestamp("ms", tz="UTC")
    assert set(tracks["source"].to_pylist()) == {"ais_us_marinecadastre_20220103"}
    instants = tracks["t"].cast(pa.int64()).to_numpy()
    assert (np.diff(instants) < 0).sum() > 1000


def test_every_zone_is_touched_or_nearly(zones: list[dict[str, Any]], tracks: pa.Table) -> None:
    # Fault: a zone kept that nothing comes near, or tracks cut away from one that has them.
    points = shapely.points(tracks["lon"].to_numpy(), tracks["lat"].to_numpy())
    tree = shapely.STRtree(points)
    for zone in zones:
        near = tree.query(shape(zone["geometry"]), predicate="dwithin", distance=0.4)
        assert len(near) >= 15, zone["id"]
