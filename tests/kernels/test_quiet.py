"""What the quick looks of a sweep promise: a length that is never too long, and one that is never too short."""

from __future__ import annotations

from math import sqrt

from geographiclib.geodesic import Geodesic
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tocsin.kernels.detect.quiet import least_m2, most_m2


@example(lat=0.0, lon=10.0, north=0.0, east=1.0)
@example(lat=89.0, lon=179.9, north=0.9999, east=0.5)
@example(lat=55.0, lon=0.0, north=0.0, east=1.0)
@example(lat=45.0, lon=20.0, north=0.001, east=0.001)
@example(lat=0.0, lon=0.0, north=5.53e-18, east=0.0)  # which GeographicLib rounds up
@settings(max_examples=500)
@given(
    lat=st.floats(-90.0, 90.0),
    lon=st.floats(-180.0, 180.0),
    north=st.floats(-2.0, 2.0),
    east=st.floats(-2.0, 2.0) | st.floats(-0.01, 0.01),
)
def test_places_are_never_nearer_nor_farther_than_said(lat: float, lon: float, north: float, east: float) -> None:
    to_lat, to_lon = min(max(lat + north, -90.0), 90.0), min(max(lon + east, -180.0), 180.0)
    least_m, most_m = sqrt(least_m2(lat, lon, to_lat, to_lon)), sqrt(most_m2(lat, lon, to_lat, to_lon))
    true_m = Geodesic.WGS84.Inverse(lat, lon, to_lat, to_lon)["s12"]
    assert least_m <= true_m + 1e-6
    assert most_m >= true_m - 1e-6
    # GeographicLib rounds angles to 2⁻⁵⁷ degrees: a length of less than a micrometre is no measure of another.
    if abs(lat) < 45.0 and abs(to_lat) < 45.0 and abs(to_lon - lon) < 1.0 and true_m > 1e-6:
        assert least_m >= 0.93 * true_m and most_m <= 1.07 * true_m  # or they would seldom be of use
