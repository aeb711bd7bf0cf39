"""The published vectors: the atlas answers every one, and their truth is what an independent library measures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from tocsin.geo.atlas import Atlas
from tocsin.geo.shapes import Edges, Region, circle, corridor, polygon

FOLDER = Path(__file__).parents[2] / "docs" / "conformance"


def vectors(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]


def region(shape: dict[str, Any]) -> Region:
    ((kind, told),) = shape.items()
    if kind == "circle":
        return circle(*told["centre"], told["radius_m"])
    if kind == "corridor":
        lat, lon = zip(*told["line"], strict=True)
        return corridor(lat, lon, told["half_width_m"])
    return polygon(told["rings"], Edges(told["edges"]))


@pytest.mark.parametrize("name", ["circles", "corridors", "polygons"])
def test_every_published_place_is_answered_as_written(name: str) -> None:
    asked = vectors(name)
    shapes = {json.dumps(v["shape"]): v["shape"] for v in asked}
    code = {key: number for number, key in enumerate(shapes)}
    lat, lon = np.array([v["place"] for v in asked]).T
    place, zone = Atlas.build([region(shape) for shape in shapes.values()]).locate(lat, lon)
    held = set(zip(place.tolist(), zone.tolist(), strict=True))
    wrong = [v for i, v in enumerate(asked) if ((i, code[json.dumps(v["shape"])]) in held) != v["inside"]]
    assert not wrong, wrong[:3]
    assert {v["inside"] for v in asked} == {True, False}


def test_distances_of_the_circles_are_those_of_geographiclib() -> None:
    for v in vectors("circles")[::9]:
        told = v["shape"]["circle"]
        measured_m = Geodesic.WGS84.Inverse(*told["centre"], *v["place"])["s12"] - told["radius_m"]
        assert abs(measured_m - v["edge_m"]) < 1e-3 and abs(v["edge_m"]) > 0.1


def test_a_sphere_would_fail_them() -> None:
    wrong = 0
    for v in vectors("circles"):
        lat1, lon1, lat2, lon2 = np.radians([*v["shape"]["circle"]["centre"], *v["place"]])
        half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
        sphere_m = 2 * 6_371_000.0 * np.arcsin(np.sqrt(half))
        wrong += bool(sphere_m <= v["shape"]["circle"]["radius_m"]) != v["inside"]
    assert wrong > 200
