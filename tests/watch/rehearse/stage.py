"""A plane stage at the equator for the tests of rehearsal: seconds and metres in, reports and regions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tocsin.geo.shapes import Region, polygon
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.rehearse.judge import Warnings

EAST_M, NORTH_M = 111_319.4908, 110_574.2758
"""Metres of a degree at 0° N."""

START_US = 1_500_000_000_000_000
Path = Sequence[tuple[float, float, float]]
"""Fixes: second, metres east, metres north."""


def reports(paths: Mapping[str, Path]) -> ReportBatch:
    """Return the fixes of some tracks as reports."""
    rows = [(i, *fix) for i, path in enumerate(paths.values()) for fix in path]
    track, t, x, y = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    n, missing = len(rows), np.full(len(rows), np.nan, np.float32)
    at_us = START_US + np.round(t * 1e6).astype(np.int64)
    nobody = np.full(n, -1, np.int32)
    return ReportBatch(
        track=track.astype(np.int32), observed_us=at_us, received_us=at_us,
        lat_deg=y / NORTH_M, lon_deg=x / EAST_M,
        alt_m=missing, speed_mps=missing, course_deg=missing, heading_deg=missing, accuracy_m=missing,
        feed=np.zeros(n, np.int32), party=nobody, category=nobody,
        tracks=tuple(paths), feeds=("test",), parties=(), categories=(),
    )  # fmt: skip


def area(*corners: tuple[float, float]) -> Region:
    """Return the polygon with these corners, metres east and north."""
    ring = [(y / NORTH_M, x / EAST_M) for x, y in (*corners, corners[0])]
    return polygon([ring])


SQUARE = area((-1_000, -1_000), (1_000, -1_000), (1_000, 1_000), (-1_000, 1_000))
"""Two kilometres wide, its centre at 0, 0."""


def warnings(*rows: tuple[int, int, float, float], probability: Sequence[float] | None = None) -> Warnings:
    """Return warnings of (track, zone, second, horizon)."""
    track, zone, t, h = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    unsaid = np.full(len(rows), np.iinfo(np.int64).min)
    return Warnings(
        track=track.astype(np.int64), zone=zone.astype(np.int64),
        at_us=START_US + np.round(t * 1e6).astype(np.int64), horizon_s=h,
        probability=np.full(len(rows), np.nan) if probability is None else np.array(probability, np.float64),
        lo_us=unsaid, hi_us=unsaid,
    )  # fmt: skip


def seconds(at_us: np.ndarray) -> np.ndarray:
    """Return instants as seconds of the stage."""
    return (at_us - START_US) / 1e6
