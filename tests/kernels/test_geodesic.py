"""Geodesics of the kernels against GeographicLib, its test sets, and pyproj."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyproj
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.kernels.earth.geodesic import direct, inverse_m, short_way

VECTORS = Path(__file__).parents[1] / "data" / "geo" / "geodesic"
WGS84 = Geodesic.WGS84
NEAR_M, FAR_M = 1e-6, 1e-5
"""A micrometre up to 2,000 km, ten anywhere."""

lats = st.floats(-90.0, 90.0)
lons = st.floats(-180.0, 180.0)


def _rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (VECTORS / f"{name}.jsonl").read_text().splitlines()]


def _apart_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    return WGS84.Inverse(lat1, lon1, lat2, lon2)["s12"]


@pytest.mark.parametrize(
    "row", _rows("geodtest_first50") + _rows("geographiclib_cases"), ids=lambda r: f"{r['lat1']:g}"
)
def test_geodesics_of_the_test_sets_both_ways(row: dict):
    s_m, azi_deg = inverse_m(row["lat1"], row["lon1"], row["lat2"], row["lon2"])
    assert s_m == pytest.approx(row["s12"], abs=FAR_M)
    assert abs(short_way(azi_deg - row["azi1"])) < 1e-7 or row["s12"] > 1.98e7  # the azimuth is loose near the antipode
    lat, lon = direct(row["lat1"], row["lon1"], row["azi1"], row["s12"])
    assert _apart_m(lat, lon, row["lat2"], row["lon2"]) < FAR_M


@pytest.mark.parametrize("row", _rows("geodsolve_edge_cases"), ids=lambda r: r["case"])
def test_edge_cases_of_geographiclib(row: dict):
    kind, *given_ = row["call"]
    if kind == "Inverse":
        s_m, azi_deg = inverse_m(*map(float, given_))
        found = {"inv['s12']": s_m, "inv['azi1']": azi_deg}
    else:
        lat, lon = direct(*map(float, given_))
        found = {"direct['lat2']": lat}
        # At a pole the longitude means nothing, and the set allows either.
        if abs(lat) < 89.99999:
            found["direct['lon2']"] = lon
    for key, value, tolerance in row["asserts"]:
        if key in found:
            least = 1e-6 if "azi" in key else 0.0  # bisection finds the azimuth between antipodes no closer
            assert found[key] == pytest.approx(value, abs=max(tolerance["delta"], least))


@settings(max_examples=300)
@given(lats, lons, lats, lons)
def test_inverse_agrees_with_geographiclib_anywhere(lat1: float, lon1: float, lat2: float, lon2: float):
    s_m, azi_deg = inverse_m(lat1, lon1, lat2, lon2)
    assert s_m == pytest.approx(_apart_m(lat1, lon1, lat2, lon2), abs=FAR_M)
    assert _apart_m(*direct(lat1, lon1, azi_deg, s_m), lat2, lon2) < 10 * FAR_M


@settings(max_examples=300)
@given(lats, lons, st.floats(-360.0, 360.0), st.floats(0.0, 2e6))
def test_direct_and_back_within_2000_km(lat1: float, lon1: float, azi_deg: float, s_m: float):
    lat2, lon2 = direct(lat1, lon1, azi_deg, s_m)
    assert -180.0 <= lon2 <= 180.0
    true = WGS84.Direct(lat1, lon1, azi_deg, s_m)
    assert _apart_m(lat2, lon2, true["lat2"], true["lon2"]) < NEAR_M
    assert inverse_m(lat1, lon1, lat2, lon2)[0] == pytest.approx(s_m, abs=NEAR_M)


def test_inverse_agrees_with_pyproj_near_poles_seam_and_antipodes():
    rng = np.random.default_rng(2)
    n = 4_000
    lat1 = np.concatenate([rng.uniform(89.9, 90.0, n), rng.uniform(-90.0, 90.0, 2 * n)])
    lon1 = np.concatenate([rng.uniform(-180.0, 180.0, n), rng.uniform(179.9, 180.0, n), rng.uniform(-180.0, 180.0, n)])
    off = 10.0 ** rng.uniform(-9.0, 0.0, 2 * n)
    lat2 = np.concatenate([rng.uniform(89.9, 90.0, n), np.clip(lat1[n : 2 * n] + off[:n], -90, 90), -lat1[2 * n :]])
    lon2 = np.concatenate([rng.uniform(-180.0, 180.0, n), lon1[n : 2 * n] + off[:n], lon1[2 * n :] + 180.0 - off[n:]])
    true = pyproj.Geod(ellps="WGS84").inv(lon1, lat1, lon2, lat2)[2]
    found = [inverse_m(*p)[0] for p in zip(lat1.tolist(), lon1.tolist(), lat2.tolist(), lon2.tolist(), strict=True)]
    assert np.abs(true - found).max() < FAR_M


@pytest.mark.parametrize("lat", [90.0, -90.0])
def test_inverse_between_two_longitudes_of_a_pole_is_nothing(lat: float):
    assert inverse_m(lat, 10.0, lat, -170.0) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("given_", "short"), [(180.0, 180.0), (-180.0, -180.0), (190.0, -170.0), (-540.5, 179.5), (360.0, 0.0)]
)
def test_short_way_turns_back(given_: float, short: float):
    assert short_way(given_) == short
