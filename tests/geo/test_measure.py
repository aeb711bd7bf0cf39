"""Measures for arrays: shapes, missing values, and the twins' numbers."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest

from tocsin.geo import measure

WGS84 = pyproj.Geod(ellps="WGS84")


def test_measures_agree_with_pyproj_for_arrays():
    rng = np.random.default_rng(9)
    lat1, lat2 = rng.uniform(-90.0, 90.0, (2, 500))
    lon1, lon2 = rng.uniform(-180.0, 180.0, (2, 500))
    azimuth, _, length = WGS84.inv(lon1, lat1, lon2, lat2)
    assert np.abs(measure.distance_m(lat1, lon1, lat2, lon2) - length).max() < 1e-5
    turned = (measure.azimuth_deg(lat1, lon1, lat2, lon2) - azimuth + 180.0) % 360.0 - 180.0
    assert np.abs(turned)[length < 1.9e7].max() < 1e-9
    lat, lon = measure.destination(lat1, lon1, azimuth, length)
    assert WGS84.inv(lon, lat, lon2, lat2)[2].max() < 1e-5
    lat, lon = measure.interpolate(lat1, lon1, lat2, lon2, 0.5)
    assert np.abs(WGS84.inv(lon, lat, lon1, lat1)[2] - length / 2).max() < 1e-5


def test_measures_broadcast_and_keep_what_is_missing():
    length = measure.distance_m([[0.0], [np.nan]], 0.0, [0.0, 1.0, 2.0], [0.0, np.nan, 2.0])
    assert length.shape == (2, 3)
    assert np.isnan(length).tolist() == [[False, True, False], [True, True, True]]
    lat, lon = measure.destination([10.0, np.nan], 20.0, 90.0, 1_000.0)
    assert np.isnan(lat).tolist() == np.isnan(lon).tolist() == [False, True]
    assert measure.distance_m(np.empty(0), np.empty(0), np.empty(0), np.empty(0)).shape == (0,)


@pytest.mark.parametrize(
    "way", [((50.0, 52.0), (-30.0, 30.0)), ((80.0, 80.0), (10.0, -170.0)), ((0.0, 40.0), (170.0, -150.0))]
)
def test_along_keeps_the_given_places_and_follows_the_geodesic(way: tuple[tuple[float, ...], tuple[float, ...]]):
    lat, lon = measure.along(*way, tolerance_m=0.1)
    assert (lat[0], lon[0], lat[-1], lon[-1]) == (way[0][0], way[1][0], way[0][1], way[1][1])
    whole = measure.distance_m(way[0][0], way[1][0], way[0][1], way[1][1])
    parts = measure.distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
    assert float(parts.sum()) == pytest.approx(float(whole), abs=1e-3)
    assert np.abs(np.diff(lon)[(lat[:-1] == 90.0) & (lat[1:] == 90.0)]).tolist() in ([], [180.0])
    middle_lat, middle_lon = 0.5 * (lat[:-1] + lat[1:]), lon[:-1] + 0.5 * ((np.diff(lon) + 180.0) % 360.0 - 180.0)
    detour = measure.distance_m(lat[:-1], lon[:-1], middle_lat, middle_lon) + measure.distance_m(
        middle_lat, middle_lon, lat[1:], lon[1:]
    )
    # Of a chord of length c with the sagitta h, the detour over its middle is 2 h² / c.
    assert np.sqrt(np.maximum(detour - parts, 0.0) * parts / 2.0)[parts > 1.0].max() < 0.11
