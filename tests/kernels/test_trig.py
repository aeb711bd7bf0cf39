"""Sines and angles: right to the last bits, and the same bits everywhere."""

from __future__ import annotations

import hashlib
import math
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tocsin.kernels.numbers.trig import atan2_rad, atan2d, log, sincos_rad, sincosd

RNG = np.random.default_rng(1)
ULPS = 4.0
ROOT = Path(__file__).parents[2]


def _ulps(found: float, true: float) -> float:
    return abs(found - true) / math.ulp(true)


def test_sines_and_arc_tangent_agree_with_the_c_library_to_four_units():
    for x in RNG.uniform(-7.0, 7.0, 5_000).tolist():
        s, c = sincos_rad(x)
        assert _ulps(s, math.sin(x)) <= ULPS and _ulps(c, math.cos(x)) <= ULPS
    for x, y in RNG.normal(size=(5_000, 2)).tolist():
        assert _ulps(atan2_rad(y, x), math.atan2(y, x)) <= ULPS
        assert _ulps(atan2d(y, x), math.degrees(math.atan2(y, x))) <= ULPS + 1  # `degrees` rounds once more
    for x in np.exp(RNG.uniform(-30.0, 30.0, 5_000)).tolist():
        assert _ulps(log(x), math.log(x)) <= ULPS


@pytest.mark.parametrize("turns", [-720.0, -360.0, 0.0, 360.0, 1080.0])
def test_sincosd_at_right_angles_is_exact(turns: float):
    assert [sincosd(turns + q) for q in (0.0, 90.0, 180.0, 270.0)] == [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)]


def test_atan2d_on_the_axes_is_exact():
    found = [atan2d(y, x) for y, x in ((0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0), (0.0, 0.0))]
    assert found == [0.0, 90.0, 180.0, -90.0, 0.0]


def digest() -> str:
    """Return a digest of the bits of many values, from whichever arithmetic runs this."""
    found = hashlib.sha256()
    for i in range(2_000):
        x = -400.0 + 0.3987 * i
        values = (*sincosd(x), *sincos_rad(x / 60.0), atan2d(x, 17.3 - i), atan2_rad(1.0, x), log(1.0 + i * 0.37))
        found.update(struct.pack("<7d", *values))
    return found.hexdigest()[:16]


def test_bits_are_the_same_on_every_machine_and_without_compilation():
    """Would catch the C library coming back, or a multiplication fused with an addition, which not all machines have.

    Python's own floats never fuse, so the same functions are run without the compiler too.
    """
    assert digest() == "68efe60f4396c9a5"
    plain = subprocess.run(
        [sys.executable, "-c", "from tests.kernels.test_trig import digest; print(digest())"],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert plain.stdout.strip() == "68efe60f4396c9a5"
