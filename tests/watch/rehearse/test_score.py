"""The figures, from a stage small enough to count by hand."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest
from tests.watch.rehearse.stage import SQUARE, area, reports, warnings

from tocsin.watch.rehearse.judge import Judged, judge
from tocsin.watch.rehearse.score import figures, resampled
from tocsin.watch.rehearse.truth import Terms, find_truth

TERMS = Terms(eps_m=40.0, clear_s=300.0, gap_s=600.0, interval_s=20.0)
FAR = area((50_000, -1_000), (52_000, -1_000), (52_000, 1_000), (50_000, 1_000))
H = 300.0


def into(start_s: float, *, y: float = 0.0) -> list[tuple[float, float, float]]:
    """Fixes every 20 s from 21 km west, 10 m/s; enters the square 2,000 s after the start unless `y` leads past it."""
    return [(start_s + t, -21_000 + 10.0 * t, y) for t in range(0, 3_001, 20)]


PATHS = {"in": into(0), "later": into(10_000), "short": into(20_000)[90:], "past": into(30_000, y=5_000)}
"""Three entries, at 2,000, 12,000 and 22,000; the last was seen for 200 s before, less than the horizon."""

WARNED = [
    (0, 0, 1_400.0, H),  # early, timely
    (0, 0, 1_800.0, H),  # right
    (0, 0, 1_900.0, H),  # repeat
    (1, 0, 11_900.0, H),  # right, but later than half a horizon before
    (2, 0, 21_900.0, H),  # right; the entry is not eligible
    (3, 0, 31_000.0, H),  # false
    (3, 1, 31_100.0, H),  # false, at the far zone
]


def stage(rows=WARNED, probability=None) -> Judged:
    truth = find_truth(reports(PATHS), [SQUARE, FAR], TERMS)
    return judge(truth, warnings(*rows, probability=probability), H)


def test_figures_are_those_counted_by_hand() -> None:
    got = figures(stage())
    assert got.counts == {
        "right": 3, "repeat": 1, "early": 1, "near": 0, "false": 2, "censored": 0, "graze": 0, "idle": 0
    }  # fmt: skip
    assert got.eligible == 2
    assert got.recall == 1 / 2
    assert got.precision == 3 / 6
    assert got.wanted == pytest.approx(4 / 6)
    assert got.f1 == 1 / 2
    assert got.flapping == pytest.approx(5 / 3 - 1)
    assert got.lead_median_s == pytest.approx((300 + 100) / 2, abs=0.1)  # a lead counts at most one horizon
    assert got.lead_p10_s == pytest.approx(100 + 0.1 * 200, abs=0.1)
    assert got.false_per_1000_h == pytest.approx(1_000 * 3 / (10_200 / 3_600))
    assert got.alarms_per_hour == pytest.approx(7 / (33_000 / 3_600))
    assert got.most_in_10_min == 3
    assert isnan(got.brier)


def test_missed_entry_has_no_lead() -> None:
    got = figures(stage([(0, 0, 1_800.0, H)]))
    assert (got.recall, got.precision, got.flapping) == (0.5, 1.0, 0.0)
    assert got.lead_p10_s == pytest.approx(20.0, abs=0.1)


def test_zone_is_reported_by_itself() -> None:
    judged = stage()
    near, far = figures(judged, zone=0), figures(judged, zone=1)
    assert (near.precision, far.precision) == (3 / 5, 0.0)
    assert (near.eligible, far.eligible) == (2, 0)
    assert isnan(far.recall)


def test_probabilities_are_compared_with_what_came_true() -> None:
    got = figures(stage(WARNED[1:2] + WARNED[3:6], probability=[0.8, 0.8, 0.9, 0.3]))
    assert got.brier == pytest.approx((0.2**2 + 0.2**2 + 0.1**2 + 0.3**2) / 4)
    assert got.calibration_error == pytest.approx((0.4 + 0.1 + 0.3) / 4)
    unsaid = figures(stage(WARNED[1:2] + WARNED[3:6], probability=[0.8, nan, nan, nan]))
    assert unsaid.brier == pytest.approx(0.04)


def test_tracks_are_resampled_whole() -> None:
    judged = stage()
    twice = figures(judged, times=np.array([2, 0, 0, 1]))
    assert twice.counts["right"] == 2
    assert twice.counts["false"] == 2
    assert twice.recall == 1.0
    low, high = resampled(judged, resamples=200)["precision"]
    assert low < 0.5 < high
    assert resampled(judged, resamples=200)["precision"] == (low, high)


def test_warnings_of_other_horizons_are_not_judged() -> None:
    assert sum(figures(stage([(0, 0, 1_800.0, 60.0), (0, 0, 1_800.0, H)])).counts.values()) == 1


def test_nothing_warned_gives_no_precision_and_no_recall() -> None:
    got = figures(stage([(3, 1, 31_100.0, 60.0)]))
    assert isnan(got.precision)
    assert got.recall == 0.0
    assert got.f1 == 0.0
