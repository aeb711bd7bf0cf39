"""The fitting of the forecast's coefficients: it finds what made the answers, and the same twice."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tests.kernels.test_forecast import moving

from tocsin.kernels.forecast.forecast import FAN_DEG, RAYS, SPREAD
from tocsin.kernels.forecast.motion import MOTION
from tocsin.kernels.forecast.vigil import PATIENCE

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from approach_fit import Questions, fitted, logits, loss


def test_fit_finds_the_coefficient_that_made_the_answers_and_the_same_twice() -> None:
    # Fault: a fit that drifts, does not learn, or depends on anything but its questions.
    random, n, made_by = np.random.default_rng(5), 800, SPREAD._replace(settle=SPREAD.settle - 1.0)
    motion, way_m = np.zeros(n, MOTION), np.full((n, RAYS), np.inf, np.float32)
    for q in range(n):
        legs = [(30.0, *random.normal((10.0, 0.0), 1.0)) for _ in range(20)]
        motion[q] = moving(legs)[0]
        way_m[q, np.abs(FAN_DEG) < random.uniform(3.0, 60.0)] = random.uniform(1_000.0, 9_000.0)
    asked = Questions(motion, way_m, np.full(n, PATIENCE * 600.0), np.full(n, 600.0), np.zeros(n), np.ones(n))
    out = np.zeros(n)
    logits(asked, made_by, out)
    asked = asked._replace(came=(random.random(n) < 1.0 / (1.0 + np.exp(-out))).astype(np.float64))
    found = fitted(asked, steps=2)
    assert loss(asked, found) < loss(asked, SPREAD)
    assert abs(loss(asked, found) - loss(asked, made_by)) < 0.05
    assert found == fitted(asked, steps=2)
