"""Score: the figures of a warning method, for one horizon, over all zones or one, with intervals.

Implements "The figures" of docs/guide/warning-quality.md. Intervals come from resampling whole tracks, never single
warnings.
"""

from __future__ import annotations

from math import nan

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.clock import US_PER_S
from tocsin.watch.rehearse.judge import CLASSES, EARLY_HORIZONS, NONE, Class, Judged

LATEST_HORIZONS = 0.5
"""A warning later than this many horizons before the entry does not count as one in time."""

BINS = 10
"""Bins of the expected calibration error."""

FLOOD_US = 600 * US_PER_S
"""Length of the window in which alarms are counted (EEMUA 191: more than 10 in 10 minutes is a flood)."""

RESAMPLES = 500
"""Resamples behind an interval; 500 settle its ends to about a tenth of its width."""

COUNTED = (Class.RIGHT, Class.EARLY, Class.NEAR, Class.FALSE)
"""What precision is a share of."""


class Figures(Struct, frozen=True, kw_only=True):
    """What one method was worth at one horizon; shares are 0 to 1, NaN where there is nothing to divide by.

    Attributes
    ----------
    horizon_s : float, seconds
    eligible : int
        Entries observed at risk for a horizon before.
    counts : dict of str to int
        Warnings of each class.
    recall, precision, f1, wanted : float
    lead_median_s, lead_p10_s : float, seconds
    false_per_1000_h : float
        Early, near and false warnings in 1,000 hours of tracks in motion.
    flapping : float
        Warnings before one entry, less one.
    brier, calibration_error : float
    alarms_per_hour : float
    most_in_10_min : int
    interval_share : float
        Of the right warnings that gave an interval of the entry, how many entries it held.
    """

    horizon_s: float
    eligible: int
    counts: dict[str, int]
    recall: float
    precision: float
    f1: float
    wanted: float
    lead_median_s: float
    lead_p10_s: float
    false_per_1000_h: float
    flapping: float
    brier: float
    calibration_error: float
    alarms_per_hour: float
    most_in_10_min: int
    interval_share: float


def figures(judged: Judged, *, zone: int | None = None, times: NDArray[np.int64] | None = None) -> Figures:
    """Return the figures of judged warnings.

    Parameters
    ----------
    judged : Judged
    zone : int or None
        Only warnings and entries of this zone; None takes all.
    times : ndarray, shape (tracks,), int64, or None
        How often each track counts; None counts each once.
    """
    truth, h_s = judged.truth, judged.horizon_s
    times = np.ones(len(truth.fixes.tracks), np.int64) if times is None else times
    of_zone = np.ones(len(judged.warnings), np.bool_) if zone is None else judged.warnings.zone == zone
    weight = times[judged.warnings.track] * of_zone
    counts = {name.value: int(weight[judged.of(name)].sum()) for name in CLASSES}
    counted = sum(counts[name.value] for name in COUNTED)
    wrong = counted - counts[Class.RIGHT]
    entries = _entries(judged, zone, times)
    timely = entries.lead_s >= LATEST_HORIZONS * h_s
    recall = _share(entries.weight[timely & entries.eligible].sum(), entries.weight[entries.eligible].sum())
    precision = _share(counts[Class.RIGHT], counted)
    median_s, p10_s = _quantiles(np.minimum(entries.lead_s, h_s)[entries.eligible], entries.weight[entries.eligible])
    brier, error = _calibration(judged, weight)
    warned = entries.warnings > 0
    hours = float((truth.fixes.moving_s * times).sum()) / 3_600
    return Figures(
        horizon_s=h_s,
        eligible=int(entries.weight[entries.eligible].sum()),
        counts=counts,
        recall=recall,
        precision=precision,
        f1=2.0 * recall * precision / (recall + precision) if recall + precision > 0.0 else 0.0,
        wanted=1.0 - _share(counts[Class.FALSE], counted),
        lead_median_s=median_s,
        lead_p10_s=p10_s,
        false_per_1000_h=1_000.0 * wrong / hours if hours > 0.0 else nan,
        flapping=_share((entries.weight * entries.warnings)[warned].sum(), entries.weight[warned].sum()) - 1.0,
        brier=brier,
        calibration_error=error,
        alarms_per_hour=_share(int(weight.sum()), _span_h(judged)),
        most_in_10_min=most_in_ten_min(np.repeat(judged.warnings.at_us, weight)),
        interval_share=_interval_share(judged, weight),
    )


def resampled(
    judged: Judged,
    *,
    zone: int | None = None,
    among: NDArray[np.int64] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 1,
) -> dict[str, tuple[float, float]]:
    """Return a 95 % interval of every figure that is a number, by resampling whole tracks.

    Parameters
    ----------
    judged : Judged
    zone : int or None
    among : ndarray, shape (k,), int64, or None
        Tracks to draw from; None takes all.
    resamples : int
    seed : int
        The same seed gives the same intervals.
    """
    random = np.random.default_rng(seed)
    tracks = len(judged.truth.fixes.tracks)
    among = np.arange(tracks) if among is None else among
    names = [n for n in Figures.__struct_fields__ if n not in ("horizon_s", "counts")]
    drawn = [
        figures(judged, zone=zone, times=np.bincount(random.choice(among, len(among)), minlength=tracks))
        for _ in range(resamples)
    ]
    table = np.array([[getattr(one, name) for name in names] for one in drawn], np.float64)
    known = np.isfinite(table).any(axis=0)
    ends = np.full((2, len(names)), nan)
    ends[:, known] = np.nanpercentile(table[:, known], [2.5, 97.5], axis=0)
    return {name: (float(ends[0, i]), float(ends[1, i])) for i, name in enumerate(names)}


def missed(judged: Judged) -> NDArray[np.bool_]:
    """Return which entries could have been warned of in time and were not, shape (entries,)."""
    entries = _entries(judged, None, np.ones(len(judged.truth.fixes.tracks), np.int64))
    return entries.eligible & (entries.lead_s < LATEST_HORIZONS * judged.horizon_s)


class _Entries(Struct, frozen=True, kw_only=True, eq=False):
    """Entries that count: how often, the lead of the first warning within 3 horizons, and how many there were."""

    weight: NDArray[np.int64]
    eligible: NDArray[np.bool_]
    lead_s: NDArray[np.float64]
    warnings: NDArray[np.int64]


def _entries(judged: Judged, zone: int | None, times: NDArray[np.int64]) -> _Entries:
    truth = judged.truth
    rows = truth.entries
    weight = times[truth.fixes.segment_track[rows["segment"]]] if len(rows) else np.zeros(0, np.int64)
    weight = weight * (True if zone is None else rows["zone"] == zone)
    eligible = rows["at_us"] - rows["risk_us"] >= round(judged.horizon_s * US_PER_S)
    lead_s, warnings = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    about = np.flatnonzero(judged.entry != NONE)
    ahead_s = (rows["at_us"][judged.entry[about]] - judged.warnings.at_us[about]) / US_PER_S
    soon = ahead_s <= EARLY_HORIZONS * judged.horizon_s
    about, ahead_s = about[soon], ahead_s[soon]
    np.maximum.at(lead_s, judged.entry[about], ahead_s)
    np.add.at(warnings, judged.entry[about], 1)
    return _Entries(weight=weight, eligible=eligible, lead_s=lead_s, warnings=warnings)


def _calibration(judged: Judged, weight: NDArray[np.int64]) -> tuple[float, float]:
    """Return the Brier score and the expected calibration error of the warnings that said a probability."""
    said, came = judged.said(weight)
    weight = np.ones(len(said), np.int64)
    if not len(said):
        return nan, nan
    place = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    promised = np.bincount(place, weight * said, BINS)
    kept = np.bincount(place, weight * came, BINS)
    return float(np.average((said - came) ** 2, weights=weight)), float(np.abs(promised - kept).sum() / weight.sum())


def _interval_share(judged: Judged, weight: NDArray[np.int64]) -> float:
    """Return how many of the intervals of right warnings held the entry."""
    use = judged.of(Class.RIGHT) & (judged.warnings.lo_us != judged.warnings.hi_us)
    at_us = judged.truth.entries["at_us"][judged.entry[use]]
    held = (judged.warnings.lo_us[use] <= at_us) & (at_us <= judged.warnings.hi_us[use])
    return _share(weight[use][held].sum(), weight[use].sum())


def _span_h(judged: Judged) -> float:
    """Return the hours from the first fix to the last."""
    at_us = judged.truth.fixes.at_us
    return float(at_us.max() - at_us.min()) / US_PER_S / 3_600 if len(at_us) else 0.0


def most_in_ten_min(at_us: NDArray[np.int64]) -> int:
    """Return the largest number of warnings in any ten minutes."""
    at_us = np.sort(at_us)
    return int((np.searchsorted(at_us, at_us + FLOOD_US) - np.arange(len(at_us))).max(initial=0))


def _quantiles(values: NDArray[np.float64], weight: NDArray[np.int64]) -> tuple[float, float]:
    """Return the median and the 10th percentile of weighted values."""
    repeated = np.repeat(values, weight)
    if not len(repeated):
        return nan, nan
    return float(np.percentile(repeated, 50)), float(np.percentile(repeated, 10))


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else nan
