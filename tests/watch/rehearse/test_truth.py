"""What really happened: entries, re-entries, grazes, gaps, at risk; against hand-made ways and a naive twin."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from tests.naive_rehearse import Walk, distances, story
from tests.watch.rehearse.stage import SQUARE, Path, area, reports, seconds

from tocsin.geo.shapes import Region, circle
from tocsin.watch.rehearse.truth import Terms, Truth, find_truth, half_width_m

TERMS = Terms(eps_m=40.0, clear_s=300.0, gap_s=600.0)


def told(path: Path, region: Region = SQUARE, terms: Terms = TERMS) -> Truth:
    return find_truth(reports({"t": path}), [region], terms)


def entries_s(truth: Truth) -> list[float]:
    return seconds(truth.entries["at_us"]).round().tolist()


def east(*stops: tuple[float, float], y: float = 0.0) -> Path:
    """Fixes every 20 s along stops of (second, metres east)."""
    t = np.arange(stops[0][0], stops[-1][0] + 1, 20.0)
    return [(float(a), float(b), y) for a, b in zip(t, np.interp(t, *zip(*stops, strict=True)), strict=True)]


def test_straight_way_in_is_an_entry_when_the_edge_is_passed() -> None:
    truth = told(east((0, -11_000), (1_200, 1_000)))
    assert entries_s(truth) == [1_000]
    assert seconds(truth.entries["risk_us"]).tolist() == [0]


def test_way_out_and_in_again_within_the_clear_time_is_no_second_entry() -> None:
    soon = east((0, -3_000), (300, 0), (500, -2_000), (700, 0))
    late = east((0, -3_000), (300, 0), (500, -2_000), (800, -2_000), (1_000, 0))
    assert entries_s(told(soon)) == [200]
    assert entries_s(told(late)) == [200, 900]


def test_track_that_starts_inside_is_at_risk_only_after_it_left_and_was_clear() -> None:
    truth = told(east((0, 0), (200, -2_000), (1_000, -2_000)))
    assert len(truth.entries) == 0
    assert seconds(truth.risks["from_us"]).round().tolist() == [400]


def test_track_that_starts_in_the_band_enters_nothing() -> None:
    assert len(told(east((0, -1_020), (100, 0))).entries) == 0


def test_touching_the_band_is_a_graze_and_reaching_through_it_is_not() -> None:
    outside, shallow, deep = (told(east((0, -3_000), (600, 3_000), y=y)) for y in (1_020, 970, 950))
    assert [len(t.grazes) for t in (outside, shallow, deep)] == [1, 1, 0]
    assert [len(t.entries) for t in (outside, shallow, deep)] == [0, 0, 1]


def test_way_through_between_two_fixes_is_an_entry() -> None:
    assert entries_s(told([(0, -10_000, 0), (500, 10_000, 0)])) == [225]


def test_silence_longer_than_the_gap_hides_what_happened_in_it() -> None:
    truth = told([(0, -10_000, 0), (601, 0, 0), (700, 0, 0)])
    assert len(truth.entries) == 0
    assert len(truth.fixes.segment_us) == 2


def test_band_is_no_more_than_a_fifth_of_the_half_width() -> None:
    assert half_width_m(SQUARE) == pytest.approx(1_000, rel=0.01)
    assert half_width_m(circle(89.0, 10.0, 5_000)) == pytest.approx(5_000, rel=0.01)
    assert half_width_m(circle(10.0, 180.0, 5_000)) == pytest.approx(5_000, rel=0.01)
    assert told(east((0, -3_000), (300, 0)), circle(0.0, 0.0, 100.0)).eps_m[0] == pytest.approx(20, rel=0.02)


def test_hours_in_motion_leave_out_the_moored_and_the_silent() -> None:
    moving = east((0, -11_000), (1_200, 1_000))
    moored = [(t, 5_000 + (t / 20) % 2, 5_000.0) for t in range(0, 1_201, 20)]
    fixes = find_truth(reports({"a": moving, "b": moored}), [SQUARE], TERMS).fixes
    assert fixes.moving_s.tolist() == [1_200, 0]
    assert fixes.interval_s == 20


def test_same_instant_twice_counts_once() -> None:
    path = east((0, -11_000), (1_200, 1_000))
    assert entries_s(told([*path, (600, 0, 0)])) == [1_000]


@pytest.mark.parametrize("seed", range(6))
def test_random_walks_have_the_story_of_the_naive_twin(seed: int) -> None:
    random = np.random.default_rng(seed)
    turn, reach = np.linspace(0, 2 * np.pi, 7, endpoint=False), random.uniform(400, 1_000, 7)
    corners = [(float(r * np.cos(a)), float(r * np.sin(a))) for a, r in zip(turn, reach, strict=True)]
    walks = [_walk(random) for _ in range(6)]
    truth = find_truth(
        reports({str(i): list(zip(w.t, w.x, w.y, strict=True)) for i, w in enumerate(walks)}),
        [area(*corners)],
        Terms(eps_m=30.0, clear_s=60.0, gap_s=1e9),
    )
    for i, walk in enumerate(walks):
        t, d = distances(walk, shapely.Polygon(corners))
        naive = story(t, d, float(truth.eps_m[0]), 60.0)
        mine = truth.entries[truth.entries["segment"] == i]
        assert seconds(mine["at_us"]) == pytest.approx([tau for tau, _ in naive["entries"]], abs=0.5)
        assert seconds(mine["risk_us"]) == pytest.approx([since for _, since in naive["entries"]], abs=0.5)
        grazes = truth.grazes[truth.grazes["segment"] == i]
        assert seconds(grazes["from_us"]) == pytest.approx([a for a, _ in naive["grazes"]], abs=0.5)
        at_risk = sum(r["to_us"] - r["from_us"] for r in truth.risks[truth.risks["segment"] == i]) / 1e6
        if (i, 0) in truth.touched:
            assert at_risk == pytest.approx(naive["risk"].sum() / 10, abs=1 + len(mine))


def _walk(random: np.random.Generator) -> Walk:
    t, x, y = [0.0], [float(random.uniform(-2_000, 2_000))], [float(random.uniform(-2_000, 2_000))]
    for _ in range(60):
        t.append(t[-1] + float(random.choice([5, 20, 60])))
        x.append(float(x[-1] * 0.9 + random.normal(0, 300)))
        y.append(float(y[-1] * 0.9 + random.normal(0, 300)))
    return Walk(t, x, y)
