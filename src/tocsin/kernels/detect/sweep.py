"""Sweep: one pass over reports in time order; what each track did at each zone comes out as rows of `tables.FOUND`.

For every report the pass asks the atlas which zones hold the new fix and which edges the way from the last fix
crossed, and hands both to `visits.py`; the predicted way goes to `approaches.py`; what time alone tells is
`watermark.py`'s. It knows no words, no clock and no order but the one it is given, and allocates nothing per report.
"""

from __future__ import annotations

from math import inf, isnan, nan

import numpy as np

from tocsin.kernels.detect.approaches import (
    approaches,
    asks_nothing,
    fall_due,
    look_about,
    look_ahead,
    note_motion,
    nothing_ahead,
    take_motion,
)
from tocsin.kernels.detect.episodes import find_episode
from tocsin.kernels.detect.findings import NEARLY_LESS, US_PER_S
from tocsin.kernels.detect.silences import was_reachable
from tocsin.kernels.detect.spans import in_force
from tocsin.kernels.detect.stays import stay
from tocsin.kernels.detect.visits import at_zone, first_seen, note_quiet
from tocsin.kernels.detect.watermark import due_us, length
from tocsin.kernels.forecast.forecast import NO_OUTLOOK
from tocsin.kernels.forecast.motion import about_m
from tocsin.kernels.jit import kernel
from tocsin.kernels.prefetch import prefetch_row
from tocsin.kernels.tables import (
    DONE,
    NEVER,
    NONE,
    VISIT,
    WANTS_COLUMNS,
    WANTS_EPISODES,
    WANTS_ORDER,
    WANTS_ROOM,
    WANTS_WORK,
    Book,
    Desk,
    Reports,
    Row,
    Rows,
    State,
    Work,
)
from tocsin.kernels.zones.atlas import AtlasArrays, free_box, no_edge_between, way_crossings, zones_at

MARGIN = 8
"""Rows of `found`, and free episodes, that one report may need for each place of scratch room; dimensionless."""


AHEAD = 8
"""Reports by which a track's row is asked for before its turn; dimensionless."""

FAR_DEG, BULGE = 1.0, 1.2e-3
"""A geodesic over d ≤ `FAR_DEG` degrees of longitude reaches less than `BULGE` · d² degrees beyond the latitudes of its
ends: tan φ' = tan φ / cos (d / 2), which is at most d² · π / 180 / 16, and a tenth for the ellipsoid."""

STRAIGHT_DEG = 0.028
"""Degrees of longitude within which a geodesic leaves the straight way by less than the 0.1 m of P1, at any latitude:
d² · (111.3 km)² · sin φ cos φ / 8R. A longer one may pass an edge in a cell that neither of its ends lies in."""


@kernel
def _fill_leg(state: State, reports: Reports, i: int, leg: Row) -> None:
    """Write what a report means together with the track's last fix; a word that nobody said again stays as it was."""
    last = state.tracks[reports.track[i]]
    leg.track, leg.feed, leg.from_feed = reports.track[i], reports.feed[i], last.feed
    leg.party = reports.party[i] if reports.party[i] != NONE else last.party
    leg.category = reports.category[i] if reports.category[i] != NONE else last.category
    leg.to_us, leg.to_lat_deg, leg.to_lon_deg = reports.observed_us[i], reports.lat_deg[i], reports.lon_deg[i]
    leg.to_alt_m, leg.speed_mps, leg.course_deg = reports.alt_m[i], reports.speed_mps[i], reports.course_deg[i]
    leg.accuracy_m, leg.first, leg.knows_motion = reports.accuracy_m[i], last.observed_us == NEVER, 0
    leg.own_accuracy_m, leg.about_mps = leg.accuracy_m, nan
    leg.way_m = leg.azimuth_deg = nan
    leg.from_exemption = leg.to_exemption = NONE
    if leg.first:
        leg.from_us, leg.from_lat_deg, leg.from_lon_deg, leg.from_alt_m = leg.to_us, leg.to_lat_deg, leg.to_lon_deg, nan
        return
    leg.from_us, leg.from_lat_deg, leg.from_lon_deg = last.observed_us, last.lat_deg, last.lon_deg
    leg.from_alt_m, leg.from_exemption = last.alt_m, last.exemption
    if not leg.accuracy_m >= last.accuracy_m:  # also when it is NaN: the worse of the two that are known
        leg.accuracy_m = last.accuracy_m if last.accuracy_m == last.accuracy_m else leg.accuracy_m


@kernel
def _flips(atlas: AtlasArrays, work: Work, lat0: float, lon0: float, lat1: float, lon1: float) -> int:
    """Write the zone edges that a way crosses, along the geodesic, and return how many (past the room: more)."""
    room = len(work.flip_s) - 1
    n = way_crossings(atlas, lat0, lon0, lat1, lon1, work.flip_zone[:room], work.flip_s)
    if n <= room:
        work.flip_s[n] = 2.0  # the end of the list
    return n


@kernel
def _nothing_due(last: Row, to_us: int, party: int, category: int) -> bool:
    """Return True if a report tells only of its track's spells unless it crosses an edge: nothing due, nobody else."""
    soon = (to_us < last.quiet_until_us) & (to_us - last.observed_us <= last.quiet_gap_us)
    known = ((party == NONE) | (party == last.party)) & ((category == NONE) | (category == last.category))
    return soon & known


@kernel
def _is_fast(last: Row, to_us: int, lat_deg: float, lon_deg: float, speed_mps: float) -> bool:
    """Return True if a report is too fast to begin a slow spell, if one can, and there is none that it could end."""
    if not last.quiet_speed_mps > 0.0:
        return True
    if isnan(speed_mps) and last.quiet_speed_mps < inf:
        speed_mps = NEARLY_LESS * about_m(last.lat_deg, last.lon_deg, lat_deg, lon_deg) * US_PER_S
        speed_mps /= to_us - last.observed_us
    return bool(speed_mps >= last.quiet_speed_mps)


@kernel
def _is_free(last: Row, lat_deg: float, lon_deg: float) -> bool:
    """Return True if the way from a track's last fix stays in the box about it that no edge touches."""
    free = (last.free_south_deg <= lat_deg) & (lat_deg <= last.free_north_deg)
    free &= (last.free_west_deg <= lon_deg) & (lon_deg <= last.free_east_deg)
    return free & (abs(lon_deg - last.lon_deg) <= STRAIGHT_DEG)


@kernel
def _note_free(row: Row, box: tuple[float, float, float, float]) -> None:
    """Note the box about a track's new fix that no edge touches."""
    row.free_south_deg, row.free_north_deg, row.free_west_deg, row.free_east_deg = box


@kernel
def _crossed(atlas: AtlasArrays, work: Work, last: Row, lat_deg: float, lon_deg: float,
             box: tuple[float, float, float, float]) -> int:  # fmt: skip
    """Write the edges on the way from a track's last fix to a new one with this box about it, as `_flips` does.

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
    return _flips(atlas, work, last.lat_deg, last.lon_deg, lat_deg, lon_deg)


@kernel
def _exemption(book: Book, work: Work, zones: int, binds: Rows) -> int:
    """Return the first zone that holds the new fix and exempts this track now, or NONE."""
    leg = work.leg[0]
    for j in range(zones):
        zone = book.zones[work.zones[j]]
        if zone.exempts and binds[work.zones[j]]:
            forced = in_force(book.windows_us, zone.windows_from, zone.windows_to, leg.to_us)
            if forced and (not zone.banded or zone.lower_m <= leg.to_alt_m <= zone.upper_m):
                return int(work.zones[j])
    return NONE


@kernel
def _visits(state: State, atlas: AtlasArrays, book: Book, work: Work, zones: int, flips: int, binds: Rows, found: Rows,
            n: int) -> int:  # fmt: skip
    """Bring every visit of one track up to its new fix: zones that hold it, zones left, edges crossed on the way."""
    leg, left = work.leg[0], 0
    e = state.tracks[leg.track].episodes
    while e != NONE:
        if state.episodes[e].kind == VISIT:
            work.left[left] = state.episodes[e].key
            left += 1
        e = state.episodes[e].next
    for j in range(zones):
        zone = work.zones[j]
        for i in range(left):
            if work.left[i] == zone:
                work.left[i] = NONE
        if leg.first:
            n = first_seen(state, book, work, zone, binds[zone] != 0, found, n)
        else:
            visit = find_episode(state.episodes, state.tracks[leg.track].episodes, VISIT, zone)
            n = at_zone(state, atlas, book, work, zone, visit, True, binds[zone] != 0, found, n)
            _take_flips(work, zone, 0, flips)
    for i in range(left):
        zone = work.left[i]
        if zone != NONE:
            visit = find_episode(state.episodes, state.tracks[leg.track].episodes, VISIT, zone)
            n = at_zone(state, atlas, book, work, zone, visit, False, binds[zone] != 0, found, n)
            _take_flips(work, zone, 0, flips)
    for j in range(flips):
        zone = work.flip_zone[j]
        if zone != NONE:
            n = at_zone(state, atlas, book, work, zone, NONE, False, binds[zone] != 0, found, n)
            _take_flips(work, zone, j, flips)
    return n


@kernel
def _take_flips(work: Work, zone: int, first: int, flips: int) -> None:
    """Take a zone's flips out of the list: it has been looked at, or is not about this track."""
    for i in range(first, flips):
        if work.flip_zone[i] == zone:
            work.flip_zone[i] = NONE


@kernel
def _take_report(reports: Reports, i: int, desk: Desk, flips: int, found: Rows, n: int) -> tuple[int, int]:
    """Take one report that may tell something; return how many rows are found then, and `DONE` or what is too small.

    `flips` says how many edges its way crosses, if they have been written already, or is `NONE`.
    """
    state, atlas, book, work = desk.state, desk.atlas, desk.book, desk.work
    leg, last, room = work.leg[0], state.tracks[reports.track[i]], MARGIN * len(work.s)
    _fill_leg(state, reports, i, leg)
    ahead, near, view = NONE, 0, NO_OUTLOOK
    zones = zones_at(atlas, leg.to_lat_deg, leg.to_lon_deg, work.zones)
    binds = book.binds[state.party_class[leg.party], state.category_class[leg.category]]
    if book.horizon_s > 0.0 and zones <= len(work.zones):
        ahead, view = look_ahead(state, atlas, desk.routes, book, reports, i, work, zones, binds)
        near = look_about(atlas, reports, i, work)
    if leg.first:
        flips = 0
    elif flips == NONE:
        flips = _flips(atlas, work, leg.from_lat_deg, leg.from_lon_deg, leg.to_lat_deg, leg.to_lon_deg)
    if max(zones, ahead, near, flips + 1, length(state, last.episodes)) > len(work.s):
        return n, WANTS_WORK
    is_silence = not leg.first and leg.to_us - leg.from_us > book.gap_us
    if len(found) - n < room + is_silence * len(book.rules):
        return n, WANTS_ROOM
    if state.free[1] < room:
        return n, WANTS_EPISODES
    if leg.first:
        work.flip_s[0] = 2.0
    leg.to_exemption = _exemption(book, work, zones, binds)
    n = fall_due(state, atlas, book, leg.track, leg.to_us, found, n)
    before = n
    n = _visits(state, atlas, book, work, zones, flips, binds, found, n)
    if is_silence:
        n = was_reachable(state, atlas, book, leg, binds, before, found, n)
    n = approaches(state, atlas, book, work, zones, ahead, view, near, binds, found, n)
    last.observed_us, last.lat_deg, last.lon_deg = leg.to_us, leg.to_lat_deg, leg.to_lon_deg
    last.alt_m, last.speed_mps, last.course_deg = leg.to_alt_m, reports.speed_mps[i], reports.course_deg[i]
    last.accuracy_m = reports.accuracy_m[i]  # all as reported: what is worked out depends on who asked
    last.feed, last.party, last.category, last.exemption = leg.feed, leg.party, leg.category, leg.to_exemption
    if book.horizon_s > 0.0:
        take_motion(last, work.track[0])
    _note_free(last, free_box(atlas, leg.to_lat_deg, leg.to_lon_deg))
    note_quiet(state, book, leg.track, leg.to_us)
    state.due_us[0] = min(state.due_us[0], due_us(state, book, leg.track))
    return n, DONE


@kernel
def _take_spells(reports: Reports, i: int, desk: Desk, found: Rows, n: int) -> tuple[int, int]:
    """Take one report that can tell of its track's spells only; return what `_take_report` does."""
    state, book, work = desk.state, desk.book, desk.work
    leg, last, room = work.leg[0], state.tracks[reports.track[i]], MARGIN * len(work.s)
    if length(state, last.episodes) > len(work.left):
        return n, WANTS_WORK
    if len(found) - n < room:
        return n, WANTS_ROOM
    if state.free[1] < room:
        return n, WANTS_EPISODES
    _fill_leg(state, reports, i, leg)
    leg.to_exemption = last.exemption
    return stay(state, book, work, found, n), DONE


@kernel
def _note_fix(last: Row, reports: Reports, i: int) -> None:
    """Make a report that changed nothing else its track's last fix."""
    last.observed_us, last.lat_deg, last.lon_deg = reports.observed_us[i], reports.lat_deg[i], reports.lon_deg[i]
    last.speed_mps, last.alt_m, last.course_deg = reports.speed_mps[i], reports.alt_m[i], reports.course_deg[i]
    last.accuracy_m, last.feed = reports.accuracy_m[i], reports.feed[i]


@kernel
def _begins_outside(reports: Reports, i: int, desk: Desk, last: Row) -> bool:
    """Take a track's first report if no zone holds it; return False, and do nothing, if one does."""
    lat_deg, lon_deg = reports.lat_deg[i], reports.lon_deg[i]
    if zones_at(desk.atlas, lat_deg, lon_deg, desk.work.zones) > 0:
        return False
    _note_fix(last, reports, i)
    last.party, last.category, last.exemption = reports.party[i], reports.category[i], NONE
    _note_free(last, free_box(desk.atlas, lat_deg, lon_deg))
    note_quiet(desk.state, desk.book, reports.track[i], reports.observed_us[i])
    return True


@kernel
def _are_columns(reports: Reports) -> bool:
    """Return True if the values of every column lie one after the other, which the code of `sweep` relies on."""
    words = (reports.track.strides[0] == 4) & (reports.feed.strides[0] == 4)
    words &= (reports.party.strides[0] == 4) & (reports.category.strides[0] == 4)
    places = (reports.lat_deg.strides[0] == 8) & (reports.lon_deg.strides[0] == 8)
    motion = (reports.alt_m.strides[0] == 4) & (reports.speed_mps.strides[0] == 4)
    motion &= (reports.course_deg.strides[0] == 4) & (reports.accuracy_m.strides[0] == 4)
    return (len(reports.track) < 2) | (words & places & motion & (reports.observed_us.strides[0] == 8))


@kernel
def sweep(reports: Reports, start: int, desk: Desk, found: Rows, n: int) -> tuple[int, int, int, int]:
    """Take reports from `start` on until all are taken or something is too small.

    Parameters
    ----------
    reports : Reports
        In order of time for each track.
    start : int
        The first report to take.
    desk : Desk
        Its state and its scratch room are changed.
    found : ndarray of FOUND
        Written from row `n` on.

    Returns
    -------
    next, n, why, repeated : int
        The report to go on with, rows found so far, one of `DONE`, `WANTS_…`, and how many reports had exactly the time
        of their track's last fix and were not used. Nothing of report `next` has been done.

    Notes
    -----
    Linear in the reports; one that stays in a box without edges costs four comparisons, one that crosses no edge a look
    at the edges of its cells.
    """
    if not _are_columns(reports):
        return start, n, WANTS_COLUMNS, 0
    state, atlas, book, work = desk.state, desk.atlas, desk.book, desk.work
    repeated, looks, by_feed = 0, book.horizon_s > 0.0, len(book.silent_us) > 1
    end = len(reports.track)
    for k in range(start, end):
        i = np.uint64(k)  # an index that may be negative would be looked at each time
        prefetch_row(state.tracks, reports.track[np.uint64(min(k + AHEAD, end - 1))])
        last, to_us = state.tracks[np.uint32(reports.track[i])], reports.observed_us[i]
        if to_us <= last.observed_us:
            if to_us < last.observed_us:
                return k, n, WANTS_ORDER, repeated
            repeated += 1
            continue
        lat_deg, lon_deg = reports.lat_deg[i], reports.lon_deg[i]
        flips, quiet = NONE, _nothing_due(last, to_us, reports.party[i], reports.category[i])
        goes_on = quiet and looks and asks_nothing(book, last, reports, i)
        if looks and not goes_on:
            note_motion(last, reports, i, work.track[0])
            quiet = quiet and nothing_ahead(atlas, book, reports, i, work.track[0])
        free = quiet and _is_free(last, lat_deg, lon_deg)
        box = (nan, nan, nan, nan)
        if quiet and not free:
            box = free_box(atlas, lat_deg, lon_deg)
            flips = _crossed(atlas, work, last, lat_deg, lon_deg, box)
            quiet = flips == 0
        if not quiet:
            if (last.observed_us == NEVER) & (not looks) and _begins_outside(reports, i, desk, last):
                continue
            if goes_on:
                note_motion(last, reports, i, work.track[0])
            n, why = _take_report(reports, i, desk, flips, found, n)
            if why != DONE:
                return k, n, why, repeated
            continue
        idle = (free or last.confined == 0) and _is_fast(last, to_us, lat_deg, lon_deg, reports.speed_mps[i])
        if not idle:
            n, why = _take_spells(reports, i, desk, found, n)
            if why != DONE:
                return k, n, why, repeated
        if goes_on:
            note_motion(last, reports, i, last)
        elif looks:
            take_motion(last, work.track[0])
        if by_feed and reports.feed[i] != last.feed:
            state.due_us[0] = min(state.due_us[0], to_us + last.quiet_gap_us)  # the other feed's silence may be shorter
        _note_fix(last, reports, i)
        if not free:
            _note_free(last, box)
        if not idle:
            note_quiet(state, book, reports.track[i], to_us)
    return end, n, DONE, repeated
