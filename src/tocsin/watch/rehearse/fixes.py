"""The observed part of every track: fixes in order, cut into segments at silences.

A silence longer than the terms' gap cuts a track; nothing is known or claimed across it
(docs/guide/warning-quality.md).
Impossible jumps are not looked for here: what the archive accepted counts.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.clock import US_PER_S
from tocsin.kernels.zones import ranges
from tocsin.tracks.batch import ReportBatch

MOVING_MPS = 0.5
"""Slower than this from fix to fix, a track is not in motion; m/s, about a knot: a moored ship's position wanders
less; higher hides the hours of walkers, lower counts the hours of anchored ships as traffic."""


class Fixes(Struct, frozen=True, kw_only=True, eq=False, dict=True):
    """n fixes of all tracks, by track and time, each instant of a track once.

    Attributes
    ----------
    tracks : tuple of str
    track, segment : ndarray, shape (n,), int64
        Index into `tracks`; number of the segment.
    at_us : ndarray, shape (n,), int64, microseconds UTC
    lat_deg, lon_deg : ndarray, shape (n,), float64, degrees
    step_m : ndarray, shape (n,), float64, metres
        Length of the geodesic to the next fix of the segment; 0 at its last.
    segment_first : ndarray, shape (segments + 1,), int64
        First fix of each segment.
    interval_s : float
        Median time from one fix to the next while in motion: the feed's reporting interval.
    moving_s : ndarray, shape (tracks,), float64
        Observed time in motion of each track.
    """

    tracks: tuple[str, ...]
    track: NDArray[np.int64]
    segment: NDArray[np.int64]
    at_us: NDArray[np.int64]
    lat_deg: NDArray[np.float64]
    lon_deg: NDArray[np.float64]
    step_m: NDArray[np.float64]
    segment_first: NDArray[np.int64]
    interval_s: float
    moving_s: NDArray[np.float64]

    @cached_property
    def segment_track(self) -> NDArray[np.int64]:
        """Track of each segment."""
        return self.track[self.segment_first[:-1]]

    @cached_property
    def segment_us(self) -> NDArray[np.int64]:
        """First and last instant of each segment, shape (segments, 2)."""
        return np.column_stack([self.at_us[self.segment_first[:-1]], self.at_us[self.segment_first[1:] - 1]])

    def segment_at(self, track: int, at_us: int) -> int:
        """Return the segment that observes a track at an instant, -1 if none does."""
        own = self.segment_track
        low, high = np.searchsorted(own, [track, track + 1])
        segment = int(low + np.searchsorted(self.segment_us[low:high, 0], at_us, side="right") - 1)
        return segment if segment >= low and at_us <= self.segment_us[segment, 1] else -1


def cut(batch: ReportBatch, *, gap_s: float) -> Fixes:
    """Return the fixes of some reports.

    Parameters
    ----------
    batch : ReportBatch
        In any order; of reports with one track and instant the first counts.
    gap_s : float, seconds
        A longer silence cuts the track.
    """
    order = np.lexsort((batch.observed_us, batch.track))
    track, at_us = batch.track[order].astype(np.int64), batch.observed_us[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (track[1:] != track[:-1]) | (at_us[1:] != at_us[:-1])
    order, track, at_us = order[first], track[first], at_us[first]
    lat_deg, lon_deg = batch.lat_deg[order], batch.lon_deg[order]
    step_us = np.diff(at_us)
    joined = (track[1:] == track[:-1]) & (step_us <= round(gap_s * US_PER_S))
    segment = np.concatenate([np.zeros(min(1, len(track)), np.int64), np.cumsum(~joined)])
    step_m = np.zeros(len(track))
    ranges.lengths_m(lat_deg, lon_deg, step_m[:-1] if len(step_m) else step_m)
    step_m[:-1][~joined] = 0.0
    moving = joined & (step_m[:-1] * US_PER_S >= MOVING_MPS * step_us)
    return Fixes(
        tracks=batch.tracks,
        track=track,
        segment=segment,
        at_us=at_us,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        step_m=step_m,
        segment_first=np.searchsorted(segment, np.arange(segment[-1] + 2 if len(segment) else 1)),
        interval_s=float(np.median(step_us[moving])) / US_PER_S if moving.any() else 0.0,
        moving_s=np.asarray(np.bincount(track[:-1][moving], step_us[moving] / US_PER_S, len(batch.tracks)), np.float64),
    )
