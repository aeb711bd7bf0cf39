"""Truth: what every track really did at every zone: entries, grazes, and when it was at risk.

Implements "What really happened" of docs/guide/warning-quality.md: signed distance on WGS84, straight between fixes,
with a band of the position error on both sides of the edge. Judges nobody's warnings; `score.py` does. Altitudes,
windows and whom a zone binds are left out: a zone is its outline here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil

import numpy as np
import shapely
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.clock import US_PER_S
from tocsin.geo.atlas import Atlas
from tocsin.geo.plane import plane_about
from tocsin.geo.shapes import Region
from tocsin.kernels.zones import ranges
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.rehearse.fixes import Fixes, cut

NEVER = np.iinfo(np.int64).min

BAND_SHARE = 0.2
"""The band is at most this share of a zone's half-width (docs/guide/warning-quality.md)."""

FINENESS = 8
"""Ways that may touch the band are looked at in pieces of the band's width over this."""

LEAST_DEGREE_M = 110_500.0
"""No degree of latitude is shorter, metres."""

ARC_TO_CHORD = 0.63
"""Along a parallel the way is at most π / 2 times as long as straight across."""

OUTSIDE, BAND, INSIDE = 1, 0, -1
"""Where a place certainly is: d at +eps or more, between, d at -eps or less."""

ENTRY = np.dtype([("segment", "i8"), ("zone", "i8"), ("at_us", "i8"), ("risk_us", "i8")])
"""One entry: when d fell through 0, and since when the track had been at risk."""

SPELL = np.dtype([("segment", "i8"), ("zone", "i8"), ("from_us", "i8"), ("to_us", "i8")])
"""A time at risk, or in the band without reaching the inside (a graze)."""


class Terms(Struct, frozen=True, kw_only=True):
    """The numbers that the definitions leave open.

    Attributes
    ----------
    eps_m : float, metres
        Position error.
    clear_s : float, seconds
        A track that came out is at risk again after this.
    gap_s : float, seconds
        A longer silence cuts a track.
    interval_s : float or None, seconds
        The feed's reporting interval; None takes the median of what was found.
    """

    eps_m: float
    clear_s: float
    gap_s: float
    interval_s: float | None = None


class Truth(Struct, frozen=True, kw_only=True, eq=False):
    """What happened.

    Attributes
    ----------
    fixes : Fixes
    terms : Terms
    interval_s : float
        The feed's reporting interval that counts.
    eps_m : ndarray, shape (zones,), float64, metres
        The band of each zone.
    entries : ndarray of ENTRY
        By segment, zone and time.
    risks, grazes : ndarray of SPELL
        By segment, zone and time. A pair of `risks` and `touched` alike names the segment was near the zone.
    touched : frozenset of (segment, zone)
        The pairs that came to the band. In all others the track was outside, and at risk, all the time.
    atlas : Atlas
    """

    fixes: Fixes
    terms: Terms
    interval_s: float
    eps_m: NDArray[np.float64]
    entries: NDArray[np.void]
    risks: NDArray[np.void]
    grazes: NDArray[np.void]
    touched: frozenset[tuple[int, int]]
    atlas: Atlas


def find_truth(batch: ReportBatch, regions: Sequence[Region], terms: Terms) -> Truth:
    """Return what the tracks did at the zones.

    Parameters
    ----------
    batch : ReportBatch
    regions : sequence of Region
    terms : Terms

    Returns
    -------
    Truth

    Notes
    -----
    Linear in fixes × zones (0.2 µs for a pair that is far apart); ways near an edge are halved until their pieces are
    an eighth of the band.
    """
    fixes, atlas = cut(batch, gap_s=terms.gap_s), Atlas.build(regions)
    eps_m = np.array([min(terms.eps_m, BAND_SHARE * half_width_m(region)) for region in regions])
    entries: list[tuple[int, int, int, int]] = []
    risks: list[tuple[int, int, int, int]] = []
    grazes: list[tuple[int, int, int, int]] = []
    touched = set()
    for zone in range(len(regions)):
        for segment, at_us, d_m in _near(fixes, atlas, zone, regions[zone], float(eps_m[zone])):
            touched.add((segment, zone))
            story = _Story(at_us, d_m, float(eps_m[zone]), round(terms.clear_s * US_PER_S))
            entries += [(segment, zone, *row) for row in story.entries]
            risks += [(segment, zone, *row) for row in story.risks]
            grazes += [(segment, zone, *row) for row in story.grazes]
    return Truth(
        fixes=fixes,
        terms=terms,
        interval_s=fixes.interval_s if terms.interval_s is None else terms.interval_s,
        eps_m=eps_m,
        entries=np.array(sorted(entries), ENTRY),
        risks=np.array(sorted(risks), SPELL),
        grazes=np.array(sorted(grazes), SPELL),
        touched=frozenset(touched),
        atlas=atlas,
    )


def half_width_m(region: Region) -> float:
    """Return the radius of the largest circle inside a region, metres, to about 1 %."""
    lat_deg, lon_deg = region.centre
    plane = plane_about(lat_deg, lon_deg).transform
    parts = [shapely.transform(part, plane, interleaved=False) for part in shapely.get_parts(region.geometry)]
    # What was cut at the antimeridian or a pole is one area: half a metre closes the seam.
    whole = shapely.buffer(shapely.union_all([shapely.buffer(part, 0.5) for part in parts]), -0.5)
    reach_m = max(1.0, *(abs(v) for v in whole.bounds))
    return float(shapely.length(shapely.maximum_inscribed_circle(whole, tolerance=0.001 * reach_m)))


def _near(
    fixes: Fixes, atlas: Atlas, zone: int, region: Region, eps_m: float
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.float64]]]:
    """Yield each segment that comes to the band of a zone: its number, instants and signed distances."""
    close = _least_m(fixes, region) < eps_m + fixes.step_m
    chosen = np.zeros(len(fixes.segment_first) - 1, np.bool_)
    chosen[fixes.segment[close]] = True
    index = np.flatnonzero(chosen[fixes.segment])
    d_m = signed_distances_m(atlas, zone, fixes.lat_deg[index], fixes.lon_deg[index])
    step, share, at_us, mid_m = halve(fixes, atlas, zone, index, d_m, low_m=-eps_m, high_m=eps_m)
    at_us = np.concatenate([fixes.at_us[index], at_us])
    d_m = np.concatenate([d_m, mid_m])
    step = np.concatenate([index, step])
    order = np.lexsort((np.concatenate([np.zeros(len(index)), share]), step))
    segment = fixes.segment[step][order]
    at_us, d_m = at_us[order], d_m[order]
    bounds = np.flatnonzero(np.diff(segment, prepend=-1, append=-1))
    for first, last in pairwise(bounds):
        if (d_m[first:last] < eps_m).any():
            yield int(segment[first]), at_us[first:last], d_m[first:last]


def _least_m(fixes: Fixes, region: Region) -> NDArray[np.float64]:
    """Return a lower bound on each fix's distance to a region, metres, by the region's box."""
    west, south, east, north = region.bounds
    lat, lon = fixes.lat_deg, fixes.lon_deg
    high = np.maximum(np.abs(lat), max(abs(south), abs(north)))
    off = np.minimum((west - lon) % 360.0, (lon - east) % 360.0)
    inside = (west <= lon) & (lon <= east)
    aside_m = np.where(inside, 0.0, LEAST_DEGREE_M * ARC_TO_CHORD * np.cos(np.radians(high)) * off)
    return np.maximum(LEAST_DEGREE_M * np.maximum(np.maximum(south - lat, lat - north), 0.0), aside_m)


def signed_distances_m(
    atlas: Atlas, zone: int, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the distance of each place to a zone's edge, metres, negative inside."""
    out = np.empty(len(lat_deg))
    room = np.empty(max(atlas.arrays.zones, 1) + 1, np.int64)
    ranges.signed_distances_m(atlas.arrays, zone, lat_deg, lon_deg, room, out)
    return out


def halve(
    fixes: Fixes, atlas: Atlas, zone: int, index: NDArray[np.int64], d_m: NDArray[np.float64], *,
    low_m: float, high_m: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:  # fmt: skip
    """Halve the ways on which the distance may lie between two bounds until their pieces are short.

    Parameters
    ----------
    fixes : Fixes
    atlas : Atlas
    zone : int
    index : ndarray, shape (k,), int64
        Fixes, ascending; the way from each to the next is looked at if both are there and of one segment.
    d_m : ndarray, shape (k,), float64, metres
        Their signed distances.
    low_m, high_m : float, metres

    Returns
    -------
    step, share, at_us, d_m : ndarray, shape (m,)
        The fix before each new place, how far on the way it is, when, and its signed distance.
    """
    joined = (np.diff(index) == 1) & (fixes.segment[index[1:]] == fixes.segment[index[:-1]])
    step, length_m = index[:-1][joined], fixes.step_m[index[:-1][joined]]
    from_s, to_s = np.zeros(len(step)), np.ones(len(step))
    from_m, to_m = d_m[:-1][joined], d_m[1:][joined]
    found = []
    for _ in range(ceil(np.log2(1.0 + length_m.max(initial=1.0) * FINENESS / (high_m - low_m))) + 1):
        # A distance changes by no more than the way made.
        maybe = (from_m + to_m - length_m < 2.0 * high_m) & (from_m + to_m + length_m > 2.0 * low_m)
        maybe &= length_m > 0.5 * (high_m - low_m) / FINENESS
        step, from_s, to_s, from_m, to_m = (v[maybe] for v in (step, from_s, to_s, from_m, to_m))
        if not len(step):
            break
        length_m = 0.5 * length_m[maybe]
        mid_s = 0.5 * (from_s + to_s)
        lat_deg, lon_deg = np.empty(len(step)), np.empty(len(step))
        ranges.places_between(fixes.lat_deg, fixes.lon_deg, step, mid_s, lat_deg, lon_deg)
        mid_m = signed_distances_m(atlas, zone, lat_deg, lon_deg)
        found.append((step, mid_s, mid_m))
        step, length_m = np.tile(step, 2), np.tile(length_m, 2)
        from_s, to_s = np.concatenate([from_s, mid_s]), np.concatenate([mid_s, to_s])
        from_m, to_m = np.concatenate([from_m, mid_m]), np.concatenate([mid_m, to_m])
    if not found:
        return np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0)
    step, share, mid_m = (np.concatenate(part) for part in zip(*found, strict=True))
    at_us = fixes.at_us[step] + np.round(share * (fixes.at_us[step + 1] - fixes.at_us[step])).astype(np.int64)
    return step, share, at_us, mid_m


class _Story:
    """One segment at one zone, told from its distances."""

    def __init__(self, at_us: NDArray[np.int64], d_m: NDArray[np.float64], eps_m: float, clear_us: int) -> None:
        self.entries: list[tuple[int, int]] = []
        self.risks: list[tuple[int, int]] = []
        self.grazes: list[tuple[int, int]] = []
        where = np.where(d_m >= eps_m, OUTSIDE, np.where(d_m <= -eps_m, INSIDE, BAND))
        fell = _passed(at_us, d_m, (d_m[:-1] > 0.0) & (d_m[1:] <= 0.0))
        rose = _passed(at_us, d_m, (d_m[:-1] <= 0.0) & (d_m[1:] > 0.0))
        last, exit_us, risk_us, band_us = BAND, NEVER, NEVER, NEVER
        for i in np.flatnonzero(np.diff(where, prepend=2)):
            now_us = _level(at_us, d_m, int(i), eps_m * (1 if OUTSIDE in (where[i], where[i - 1]) else -1))
            if where[i] == OUTSIDE:
                if last == OUTSIDE:
                    self.grazes.append((band_us, now_us))
                else:
                    exit_us = int(rose[i]) if last == INSIDE else NEVER
                    risk_us = now_us if exit_us == NEVER else max(now_us, exit_us + clear_us)
                last = OUTSIDE
            elif where[i] == INSIDE:
                if last == OUTSIDE and risk_us <= fell[i]:
                    self.entries.append((int(fell[i]), risk_us))
                    self.risks.append((risk_us, int(fell[i])))
                last = INSIDE
            elif last == OUTSIDE:
                band_us = now_us
        if last == OUTSIDE:
            if where[-1] == BAND:
                self.grazes.append((band_us, int(at_us[-1])))
            if risk_us <= at_us[-1]:
                self.risks.append((risk_us, int(at_us[-1])))


def _passed(at_us: NDArray[np.int64], d_m: NDArray[np.float64], steps: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return, for each place, when the distance last passed through 0 in one of the chosen steps."""
    out = np.full(len(at_us), NEVER)
    i = np.flatnonzero(steps)
    part = d_m[i] / (d_m[i] - d_m[i + 1])
    out[i + 1] = at_us[i] + np.round(part * (at_us[i + 1] - at_us[i])).astype(np.int64)
    return np.maximum.accumulate(out)


def _level(at_us: NDArray[np.int64], d_m: NDArray[np.float64], i: int, level_m: float) -> int:
    """Return when the distance passed a level between place i - 1 and i; the instant of place 0 for i = 0."""
    if i == 0:
        return int(at_us[0])
    part = (level_m - d_m[i - 1]) / (d_m[i] - d_m[i - 1])
    return int(at_us[i - 1] + round(float(part) * int(at_us[i] - at_us[i - 1])))
