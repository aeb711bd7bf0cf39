"""Quiet: which reports tell nothing, found out without looking at zones.

A track's row holds until when, and while what holds, nothing can come of a report that crosses no edge, and a box about
its last fix that no edge touches. `sweep.py` asks; what this leaves out is what the others mean.
"""

from __future__ import annotations

from math import inf, isnan

from tocsin.kernels.detect.findings import NEARLY_LESS, US_PER_S
from tocsin.kernels.forecast.motion import about_m
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import RAD_PER_DEG
from tocsin.kernels.tables import NONE, Reports, Row, Work
from tocsin.kernels.zones.atlas import AtlasArrays, no_edge_between, way_crossings
from tocsin.kernels.zones.crossings import DEGREE_M as MOST_DEGREE_M
from tocsin.kernels.zones.near import DEGREE_M

FAR_DEG, BULGE = 1.0, 1.2e-3
"""A geodesic over d ≤ `FAR_DEG` degrees of longitude reaches less than `BULGE` · d² degrees beyond the latitudes of its
ends: tan φ' = tan φ / cos (d / 2), which is at most d² · π / 180 / 16, and a tenth for the ellipsoid."""

NARROWER_DEG = 1e-5
"""More than what a degree of 180 loses in four bytes."""

STRAIGHT_DEG = 0.028
"""Degrees of longitude within which a geodesic leaves the straight way by less than the 0.1 m of P1, at any latitude:
d² · (111.3 km)² · sin φ cos φ / 8R. A longer one may pass an edge in a cell that neither of its ends lies in."""


@kernel
def flips_on(atlas: AtlasArrays, work: Work, lat0: float, lon0: float, lat1: float, lon1: float) -> int:
    """Write the zone edges that a way crosses, along the geodesic, and return how many (past the room: more)."""
    room = len(work.flip_s) - 1
    n = way_crossings(atlas, lat0, lon0, lat1, lon1, work.flip_zone[:room], work.flip_s)
    if n <= room:
        work.flip_s[n] = 2.0  # the end of the list
    return n


@kernel
def nothing_due(last: Row, to_us: int, party: int, category: int) -> bool:
    """Return True if a report tells only of its track's spells unless it crosses an edge: nothing due, nobody else."""
    soon = (to_us < last.quiet_until_us) & (to_us - last.observed_us <= last.quiet_gap_us)
    known = ((party == NONE) | (party == last.party)) & ((category == NONE) | (category == last.category))
    return soon & known


@kernel
def least_m2(lat0_deg: float, lon0_deg: float, lat1_deg: float, lon1_deg: float) -> float:
    """Return the square of a length that two places are surely apart, m²: nearly their distance if that is short.

    No degree of latitude is shorter than `DEGREE_M`, nor one of longitude than its cosine of latitude times that, and
    no cosine is below 1 - φ² / 2; a hundredth is left for the bulge of the way towards the pole (`BULGE`).
    """
    north_deg, east_deg = lat1_deg - lat0_deg, abs(lon1_deg - lon0_deg)
    far = max(abs(lat0_deg), abs(lat1_deg)) * RAD_PER_DEG
    cosine = max(0.99 - 0.5 * far * far, 0.0) if east_deg <= FAR_DEG else 0.0
    return DEGREE_M * DEGREE_M * (north_deg * north_deg + cosine * cosine * east_deg * east_deg)


@kernel
def most_m2(lat0_deg: float, lon0_deg: float, lat1_deg: float, lon1_deg: float) -> float:
    """Return the square of a length that two places are at most apart, m²: that of the way straight on a map, or more.

    No degree is longer than `MOST_DEGREE_M`, nor one of longitude than its cosine of latitude times that, and no cosine
    on the way is above 1 - φ² / 2 + φ⁴ / 24 of the latitude nearest to the equator.
    """
    north_deg, east_deg = lat1_deg - lat0_deg, lon1_deg - lon0_deg
    near = min(abs(lat0_deg), abs(lat1_deg)) * RAD_PER_DEG if lat0_deg * lat1_deg > 0.0 else 0.0
    cosine = 1.0 - near * near * (0.5 - near * near / 24.0)
    return MOST_DEGREE_M * MOST_DEGREE_M * (north_deg * north_deg + cosine * cosine * east_deg * east_deg)


@kernel
def is_fast(last: Row, to_us: int, lat_deg: float, lon_deg: float, speed_mps: float) -> bool:
    """Return True if a report is too fast to begin a slow spell, if one can, and there is none that it could end."""
    if isnan(speed_mps) and last.quiet_speed_mps < inf:
        way_m = last.quiet_speed_mps * ((to_us - last.observed_us) / US_PER_S)
        if least_m2(last.lat_deg, last.lon_deg, lat_deg, lon_deg) >= way_m * way_m:
            return True
        speed_mps = NEARLY_LESS * about_m(last.lat_deg, last.lon_deg, lat_deg, lon_deg) * US_PER_S
        speed_mps /= to_us - last.observed_us
    return bool(speed_mps >= last.quiet_speed_mps)


@kernel
def is_free(last: Row, lat_deg: float, lon_deg: float) -> bool:
    """Return True if the way from a track's last fix stays in the box about it that no edge touches."""
    free = (last.free_south_deg <= lat_deg) & (lat_deg <= last.free_north_deg)
    free &= (last.free_west_deg <= lon_deg) & (lon_deg <= last.free_east_deg)
    return free & (abs(lon_deg - last.lon_deg) <= STRAIGHT_DEG)


@kernel
def is_astray(last: Row, lat_deg: float, lon_deg: float) -> bool:
    """Return True if a way that leaves the box narrowed by spells touches no edge yet."""
    wide = (last.wide_south_deg <= lat_deg) & (lat_deg <= last.wide_north_deg)
    wide &= (last.wide_west_deg <= lon_deg) & (lon_deg <= last.wide_east_deg)
    return wide & (abs(lon_deg - last.lon_deg) <= STRAIGHT_DEG)


@kernel
def note_free(row: Row, box: tuple[float, float, float, float]) -> None:
    """Note the box about a track's new fix that no edge touches."""
    row.free_south_deg, row.free_north_deg, row.free_west_deg, row.free_east_deg = box
    row.wide_south_deg = inf


@kernel
def is_confined(row: Row) -> bool:
    """Return True if a spell of a track would end by straying."""
    return bool(row.wide_south_deg != inf)


@kernel
def confine(row: Row) -> None:
    """Keep a track's box, or a little less than its rounding could add, before the first spell narrows it."""
    if not is_confined(row):
        row.wide_south_deg, row.wide_north_deg = row.free_south_deg + NARROWER_DEG, row.free_north_deg - NARROWER_DEG
        row.wide_west_deg, row.wide_east_deg = row.free_west_deg + NARROWER_DEG, row.free_east_deg - NARROWER_DEG


@kernel
def widen(row: Row) -> None:
    """Give a track's box back what spells took of it."""
    if is_confined(row):
        row.free_south_deg, row.free_north_deg = row.wide_south_deg, row.wide_north_deg
        row.free_west_deg, row.free_east_deg = row.wide_west_deg, row.wide_east_deg
        row.wide_south_deg = inf


@kernel
def edges_crossed(atlas: AtlasArrays, work: Work, last: Row, lat_deg: float, lon_deg: float,
             box: tuple[float, float, float, float]) -> int:  # fmt: skip
    """Write the edges on the way from a track's last fix to a new one with this box about it, as `flips_on` does.

    Three looks, each dearer than the one before: does the box about the new fix hold the way; is every edge of the
    cells about the way surely beside it; and the way itself.
    """
    apart_deg = abs(lon_deg - last.lon_deg)
    south_deg, north_deg = min(lat_deg, last.lat_deg), max(lat_deg, last.lat_deg)
    bulge_deg = BULGE * apart_deg * apart_deg
    held = (box[0] <= south_deg - bulge_deg) & (north_deg + bulge_deg <= box[1]) & (apart_deg <= FAR_DEG)
    if held & (box[2] <= last.lon_deg) & (last.lon_deg <= box[3]):
        return 0
    if apart_deg <= STRAIGHT_DEG and no_edge_between(atlas, last.lat_deg, last.lon_deg, lat_deg, lon_deg):
        return 0
    return flips_on(atlas, work, last.lat_deg, last.lon_deg, lat_deg, lon_deg)


@kernel
def note_fix(last: Row, reports: Reports, i: int) -> None:
    """Make a report that changed nothing else its track's last fix."""
    last.observed_us, last.lat_deg, last.lon_deg = reports.observed_us[i], reports.lat_deg[i], reports.lon_deg[i]
    last.speed_mps, last.alt_m, last.course_deg = reports.speed_mps[i], reports.alt_m[i], reports.course_deg[i]
    last.accuracy_m, last.feed = reports.accuracy_m[i], reports.feed[i]


@kernel
def are_columns(reports: Reports) -> bool:
    """Return True if the values of every column lie one after the other, which the code of `sweep` relies on."""
    words = (reports.track.strides[0] == 4) & (reports.feed.strides[0] == 4)
    words &= (reports.party.strides[0] == 4) & (reports.category.strides[0] == 4)
    places = (reports.lat_deg.strides[0] == 8) & (reports.lon_deg.strides[0] == 8)
    motion = (reports.alt_m.strides[0] == 4) & (reports.speed_mps.strides[0] == 4)
    motion &= (reports.course_deg.strides[0] == 4) & (reports.accuracy_m.strides[0] == 4)
    return (len(reports.track) < 2) | (words & places & motion & (reports.observed_us.strides[0] == 8))
