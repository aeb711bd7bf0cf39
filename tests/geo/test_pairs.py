"""Pairs against every two looked at one by one, with another's geodesics; 180° and the poles among them."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.geo.pairs import closest_approach, within

GEOD = pyproj.Geod(ellps="WGS84")
SOMEWHERE = [(33.0, 38.0), (0.0, 180.0), (-17.0, -180.0), (89.97, 20.0), (90.0, 0.0), (-89.99, -45.0), (70.0, 179.99)]


def _crowd(rng: np.random.Generator, lat_deg: float, lon_deg: float, n: int, spread_m: float) -> tuple[np.ndarray, ...]:
    """Return n places around one, wherever that is."""
    away = spread_m * np.sqrt(rng.random(n))
    lon, lat, _ = GEOD.fwd(np.full(n, lon_deg), np.full(n, lat_deg), rng.uniform(0, 360, n), away)
    return lat, lon


def _every_two(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(n, 1)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1), where=st.sampled_from(SOMEWHERE), within_m=st.sampled_from([30.0, 700.0, 40_000.0])
)
def test_within_finds_every_pair_wherever_it_is(seed: int, where: tuple[float, float], within_m: float) -> None:
    rng = np.random.default_rng(seed)
    lat, lon = _crowd(rng, *where, 60, 5.0 * within_m)
    near = within(lat, lon, within_m=within_m)
    i, j = _every_two(len(lat))
    apart = GEOD.inv(lon[i], lat[i], lon[j], lat[j])[2]
    sure = np.abs(apart - within_m) > 1e-5
    found = set(zip(near.i.tolist(), near.j.tolist(), strict=True))
    wanted = set(zip(i[sure & (apart < within_m)].tolist(), j[sure & (apart < within_m)].tolist(), strict=True))
    assert wanted <= found
    assert found - wanted <= set(zip(i[~sure].tolist(), j[~sure].tolist(), strict=True))
    exact = GEOD.inv(lon[near.i], lat[near.i], lon[near.j], lat[near.j])[2]
    assert np.allclose(near.distance_m, exact, atol=2e-3, rtol=1e-7)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), where=st.sampled_from(SOMEWHERE), fastest=st.sampled_from([0.0, 15.0, 250.0]))
def test_closest_approach_finds_what_walking_both_geodesics_finds(
    seed: int, where: tuple[float, float], fastest: float
) -> None:
    rng = np.random.default_rng(seed)
    within_m, horizon_s, n = 1_000.0, 600.0, 30
    lat, lon = _crowd(rng, *where, n, 3_000.0 + 0.7 * fastest * horizon_s)
    speed, course = rng.uniform(0, fastest, n), rng.uniform(0, 360, n)
    course[rng.random(n) < 0.1] = np.nan
    near = closest_approach(lat, lon, speed, course, within_m=within_m, horizon_s=horizon_s)
    found = dict(zip(zip(near.i.tolist(), near.j.tolist(), strict=True), range(len(near.i)), strict=True))
    i, j = _every_two(n)
    least, when = _walk(lat, lon, np.where(np.isnan(course), 0.0, speed), np.nan_to_num(course), i, j, horizon_s)
    for k in range(len(i)):
        pair = (int(i[k]), int(j[k]))
        if pair in found:
            assert least[k] <= within_m + 0.01
            assert abs(near.distance_m[found[pair]] - least[k]) < 0.7
        else:
            assert least[k] >= within_m - 0.01, (pair, least[k], when[k])


def _walk(lat: np.ndarray, lon: np.ndarray, speed: np.ndarray, course: np.ndarray, i: np.ndarray, j: np.ndarray,
          horizon_s: float) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the least distance of each pair and its time, by ever finer steps along both geodesics."""

    def apart(at: np.ndarray) -> np.ndarray:
        lon1, lat1, _ = GEOD.fwd(lon[i], lat[i], course[i], speed[i] * at)
        lon2, lat2, _ = GEOD.fwd(lon[j], lat[j], course[j], speed[j] * at)
        return GEOD.inv(lon1, lat1, lon2, lat2)[2]

    best, step = np.zeros(len(i)), horizon_s / 60
    times = np.linspace(0, horizon_s, 61)
    best = times[np.argmin([apart(np.full(len(i), t)) for t in times], axis=0)]
    while step > 1e-4:
        tries = [np.clip(best + f * step, 0, horizon_s) for f in np.linspace(-1, 1, 9)]
        best = np.choose(np.argmin([apart(t) for t in tries], axis=0), tries)
        step *= 0.3
    return apart(best), best


def test_within_of_two_ships_1_km_apart_across_180_degrees() -> None:
    """The fault: raw differences of longitude call them 40,000 km apart."""
    near = within([10.0, 10.0], [179.9954, -179.9954], within_m=1_010.0)
    assert near.distance_m.round(0).tolist() == [1_009.0]


def test_within_is_a_circle_and_not_the_box_around_it() -> None:
    """The fault: a test that is never made leaves the bounding box, up to √2 times the distance."""
    lat, lon = GEOD.fwd([0.0] * 2, [50.0] * 2, [45.0, 225.0], [690.0] * 2)[1::-1]
    assert len(within(lat, lon, within_m=1_000.0).i) == 0
    assert len(within(lat, lon, within_m=1_381.0).i) == 1


def test_within_never_pairs_a_place_with_itself() -> None:
    near = within([50.0] * 5, [8.0] * 5, within_m=1.0)
    assert len(near.i) == 10
    assert (near.i < near.j).all()


def test_closest_approach_of_two_abreast_is_now() -> None:
    near = closest_approach([0.0, 0.001], [0.0, 0.0], [5.0, 5.0], [90.0, 90.0], within_m=200.0, horizon_s=600.0)
    assert near.distance_m.round(1).tolist() == [110.6]


def test_pairs_of_nowhere_are_none() -> None:
    near = within([np.nan, 1.0, 1.0], [2.0, 2.0, 2.0], within_m=5.0)
    assert (near.i.tolist(), near.j.tolist()) == ([1], [2])
    assert len(within([], [], within_m=5.0).i) == 0


def test_pairs_refuse_what_they_cannot_answer() -> None:
    with pytest.raises(ValueError, match="expected all of one shape"):
        within([1.0], [1.0, 2.0], within_m=5.0)
    with pytest.raises(ValueError, match="found a distance of"):
        within([1.0], [1.0], within_m=0.0)
    with pytest.raises(ValueError, match="a way of 600000 m"):
        closest_approach([1.0], [1.0], [1_000.0], [0.0], within_m=5.0, horizon_s=600.0)
