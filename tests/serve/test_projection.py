"""Where things stand on a sheet: scale, 180°, poles."""

import numpy as np
import pyproj
import pytest

from tocsin.serve.report.graticule import format_degrees, graticule, scale_bar
from tocsin.serve.report.projection import Mercator, Polar, fit, middle_lon_deg

GEOD = pyproj.Geod(ellps="WGS84")


def frame(lat, lon, **more):
    options = {"width": 960.0, "shapes": (0.5, 0.7), "margin": 0.1, "least_m": 1_000.0}
    return fit(np.array(lat, float), np.array(lon, float), **(options | more))


@pytest.mark.parametrize(("lat", "lon"), [(33.5, 38.6), (-41.0, 174.0), (0.0, 180.0), (64.0, -20.0)])
def test_frame_circle_stays_round_and_of_its_size(lat, lon):
    f = frame([lat - 0.6, lat + 0.6], [lon - 0.8, lon + 0.8])
    azimuth = np.linspace(0, 360, 73)
    east, north, _ = GEOD.fwd(np.full(73, lon), np.full(73, lat), azimuth, np.full(73, 20_000.0))
    x, y = f.place(north, east)
    x0, y0 = f.place(lat, lon)
    radius_m = np.hypot(x - x0, y - y0) * f.metres_per_unit
    assert np.abs(radius_m / 20_000 - 1).max() < 0.004


def test_frame_shows_all_of_it_within_its_margin():
    f = frame([24.5, 25.9, 25.0], [-81.9, -80.1, -80.5])
    x, y = f.place([24.5, 25.9, 25.0], [-81.9, -80.1, -80.5])
    assert x.min() > 40 and x.max() < f.width - 40 and y.min() > 20 and y.max() < f.height - 20
    assert y[1] < y[0] and x[1] > x[0]  # north is up, east is right


def test_frame_across_180_is_not_the_whole_world():
    f = frame([-17.0, -16.0], [179.5, -179.5])
    x, _ = f.place([-17.0, -17.0], [179.9, -179.9])
    assert 0 < x[1] - x[0] < f.width / 3
    assert f.metres_per_unit * f.width < 400_000


def test_frame_of_one_point_is_not_narrower_than_agreed():
    f = frame([33.5], [38.6], least_m=3_000.0)
    assert f.metres_per_unit * f.width == pytest.approx(3_000 / 0.8, rel=0.01)


@pytest.mark.parametrize("sign", [1, -1])
def test_frame_at_a_pole_is_drawn_about_it(sign):
    f = frame([sign * 89.0] * 4, [0.0, 90.0, 180.0, -90.0])
    assert isinstance(f.projection, Polar)
    x, y = f.place([sign * 89.0] * 4, [0.0, 90.0, 180.0, -90.0])
    assert np.ptp(np.hypot(x - x.mean(), y - y.mean())) < 1e-6 * f.width
    assert np.isfinite(graticule(f, reach=0.5).ticks[0].x)


def test_mercator_agrees_with_proj():
    merc = pyproj.Proj(proj="merc", ellps="WGS84", lon_0=10)
    lat, lon = np.array([-70.0, -33.3, 0.0, 45.0, 79.0]), np.array([-100.0, 9.0, 10.0, 11.0, 150.0])
    x, y = Mercator(10.0).forward(lat, lon)
    want_x, want_y = merc(lon, lat)
    assert np.allclose(x * 6_378_137.0, want_x, atol=1e-3)
    assert np.allclose(y * 6_378_137.0, want_y, atol=1e-3)


@pytest.mark.parametrize(
    ("lon", "middle"), [([170.0, -170.0], 180.0), ([10.0, 20.0], 15.0), ([-158.0, -63.0], -110.5), ([5.0], 5.0)]
)
def test_middle_meridian_is_among_what_is_there(lon, middle):
    assert abs((middle_lon_deg(np.array(lon)) - middle + 180) % 360 - 180) < 1e-9


def test_scale_bar_is_round_and_true():
    f = frame([33.0, 34.0], [38.0, 39.2])
    bar = scale_bar(f)
    x, y = f.width / 2, f.height / 2
    assert bar.text == "20 km"
    lat, lon = 33.5, 38.6
    east = GEOD.fwd(lon, lat, 90, 20_000)[0]
    got = float(f.place(lat, east)[0] - f.place(lat, lon)[0])
    assert got == pytest.approx(bar.length, rel=0.003), (x, y)


def test_graticule_names_stand_where_the_lines_are():
    f = frame([33.0, 34.0], [38.0, 39.2])
    ticks = {t.text: t for t in graticule(f, reach=0.5).ticks}
    assert ticks["33.5° N"].y == pytest.approx(float(f.place(33.5, 38.6)[1]))
    assert ticks["38.5° E"].x == pytest.approx(float(f.place(33.5, 38.5)[0]))
    assert format_degrees(-0.0, 0.5, "NS") == "0.0°"
