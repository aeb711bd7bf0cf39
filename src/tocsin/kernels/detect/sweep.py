"""Sweep: one pass over reports in time order; what each track did at each zone comes out as rows of `tables.FOUND`.

For every report the pass asks the atlas which zones hold the new fix and which edges the way from the last fix
crossed, and hands both to `visits.py`; the predicted way goes to `approaches.py`; what time alone tells is
`watermark.py`'s. It knows no words, no clock and no order but the one it is given, and allocates nothing per report.
"""

from __future__ import annotations

from math import inf, nan

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
from tocsin.kernels.detect.quiet import (
    are_columns,
    edges_crossed,
    flips_on,
    is_astray,
    is_confined,
    is_fast,
    is_free,
    note_fix,
    note_free,
    nothing_due,
)
from tocsin.kernels.detect.silences import was_reachable
from tocsin.kernels.detect.spans import in_force
from tocsin.kernels.detect.stays import stay, wander
from tocsin.kernels.detect.visits import at_zone, first_seen, note_quiet
from tocsin.kernels.detect.watermark import due_us, length
from tocsin.kernels.forecast.forecast import NO_OUTLOOK
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
from tocsin.kernels.zones.atlas import AtlasArrays, free_box, zones_at

MARGIN = 8
"""Rows of `found`, and free episodes, that one report may need for each place of scratch room; dimensionless."""


AHEAD = 8
"""Reports by which a track's row is asked for before its turn; dimensionless."""


@kernel
def link(track: Rows, seen: Rows, following: Rows) -> None:
    """Write which report is the same track's next, or `NONE`.

    Parameters
    ----------
    track : ndarray, shape (n,), int32
    seen : ndarray, shape (tracks,), int32
        Scratch room; what stands in it does not matter: after a track's last report there is none of it.
    following : ndarray, shape (n,), int32
        Written.
    """
    n = len(track)
    for i in range(n - 1, -1, -1):
        later = seen[track[i]]
        following[i] = later if i < later < n and track[later] == track[i] else NONE
        seen[track[i]] = i


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
    leg, left, kinds = work.leg[0], 0, 0
    e = state.tracks[leg.track].episodes
    while e != NONE:
        kinds |= 1 << np.int64(state.episodes[e].kind)
        if state.episodes[e].kind == VISIT:
            work.left[left] = e
            left += 1
        e = state.episodes[e].next
    for j in range(zones):
        zone, visit = work.zones[j], NONE
        for i in range(left):
            if work.left[i] != NONE and state.episodes[work.left[i]].key == zone:
                visit, work.left[i] = work.left[i], NONE
                break
        if leg.first:
            n = first_seen(state, book, work, zone, binds[zone] != 0, found, n)
        else:
            n = at_zone(state, atlas, book, work, zone, visit, kinds, True, binds[zone] != 0, found, n)
            _take_flips(work, zone, 0, flips)
    for i in range(left):
        visit = work.left[i]
        if visit != NONE:
            zone = state.episodes[visit].key
            n = at_zone(state, atlas, book, work, zone, visit, kinds, False, binds[zone] != 0, found, n)
            _take_flips(work, zone, 0, flips)
    for j in range(flips):
        zone = work.flip_zone[j]
        if zone != NONE:
            n = at_zone(state, atlas, book, work, zone, NONE, kinds, False, binds[zone] != 0, found, n)
            _take_flips(work, zone, j, flips)
    return n


@kernel
def _take_flips(work: Work, zone: int, first: int, flips: int) -> None:
    """Take a zone's flips out of the list: it has been looked at, or is not about this track."""
    for i in range(first, flips):
        if work.flip_zone[i] == zone:
            work.flip_zone[i] = NONE


@kernel
def _begins_outside(reports: Reports, i: int, desk: Desk, last: Row) -> bool:
    """Take a track's first report if no zone holds it; return False, and do nothing, if one does."""
    lat_deg, lon_deg = reports.lat_deg[i], reports.lon_deg[i]
    if zones_at(desk.atlas, lat_deg, lon_deg, desk.work.zones) > 0:
        return False
    note_fix(last, reports, i)
    last.party, last.category, last.exemption = reports.party[i], reports.category[i], NONE
    note_free(last, free_box(desk.atlas, lat_deg, lon_deg))
    note_quiet(desk.state, desk.book, reports.track[i], reports.observed_us[i])
    return True


@kernel
def _take_report(reports: Reports, i: int, desk: Desk, goes_on: bool, flips: int, found: Rows, n: int
                 ) -> tuple[int, int]:  # fmt: skip
    """Take one report that may tell something; return how many rows are found then, and `DONE` or what is too small.

    `goes_on` says that no forecast is due, so that its motion is not in `work` yet; `flips`, how many edges its way
    crosses, if they have been written already, or is `NONE`.
    """
    state, atlas, book, work = desk.state, desk.atlas, desk.book, desk.work
    leg, last, room = work.leg[0], state.tracks[reports.track[i]], MARGIN * len(work.s)
    if (last.observed_us == NEVER) & (book.horizon_s == 0.0) and _begins_outside(reports, i, desk, last):
        return n, DONE
    if goes_on:
        note_motion(last, reports, i, work.track[0])
    _fill_leg(state, reports, i, leg)
    ahead, near, view, within_s = NONE, 0, NO_OUTLOOK, inf
    zones = zones_at(atlas, leg.to_lat_deg, leg.to_lon_deg, work.zones)
    binds = book.binds[state.party_class[leg.party], state.category_class[leg.category]]
    if book.horizon_s > 0.0 and zones <= len(work.zones):
        ahead, view, within_s = look_ahead(state, atlas, desk.routes, book, reports, i, work, zones, binds)
        near = look_about(atlas, reports, i, work)
    if leg.first:
        flips = 0
    elif flips == NONE:
        flips = flips_on(atlas, work, leg.from_lat_deg, leg.from_lon_deg, leg.to_lat_deg, leg.to_lon_deg)
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
    n = approaches(state, atlas, book, work, zones, ahead, view, within_s, near, binds, found, n)
    last.observed_us, last.lat_deg, last.lon_deg = leg.to_us, leg.to_lat_deg, leg.to_lon_deg
    last.alt_m, last.speed_mps, last.course_deg = leg.to_alt_m, reports.speed_mps[i], reports.course_deg[i]
    last.accuracy_m = reports.accuracy_m[i]  # all as reported: what is worked out depends on who asked
    last.feed, last.party, last.category, last.exemption = leg.feed, leg.party, leg.category, leg.to_exemption
    if book.horizon_s > 0.0:
        take_motion(last, work.track[0])
    note_free(last, free_box(atlas, leg.to_lat_deg, leg.to_lon_deg))
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
def sweep(reports: Reports, start: int, desk: Desk, found: Rows, n: int) -> tuple[int, int, int, int]:
    """Take reports from `start` on until all are taken or something is too small.

    Linear in the reports; one in its track's box without edges costs four comparisons, another a look at its cells.

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
    """
    if not are_columns(reports):
        return start, n, WANTS_COLUMNS, 0
    state, atlas, book, work = desk.state, desk.atlas, desk.book, desk.work
    repeated, looks, by_feed, end = 0, book.horizon_s > 0.0, len(book.silent_us) > 1, len(reports.track)
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
        flips, quiet = NONE, nothing_due(last, to_us, reports.party[i], reports.category[i])
        goes_on = quiet and looks and asks_nothing(book, last, reports, i)
        if looks and not goes_on:
            note_motion(last, reports, i, work.track[0])
            quiet = quiet and nothing_ahead(state, atlas, book, reports, i, work.track[0])
        free, box = quiet and is_free(last, lat_deg, lon_deg), (nan, nan, nan, nan)
        astray = quiet and not free and is_astray(last, lat_deg, lon_deg)
        if quiet and not free and not astray:
            box = free_box(atlas, lat_deg, lon_deg)
            flips = edges_crossed(atlas, work, last, lat_deg, lon_deg, box)
            quiet = flips == 0
        fast, why = True, DONE
        if not quiet:
            n, why = _take_report(reports, i, desk, goes_on, flips, found, n)
        elif last.quiet_speed_mps > 0.0 and not is_fast(last, to_us, lat_deg, lon_deg, reports.speed_mps[i]):
            fast = False
            n, why = _take_spells(reports, i, desk, found, n)
        if why != DONE:
            return k, n, why, repeated
        if not quiet:
            continue
        if goes_on:
            note_motion(last, reports, i, last)
        elif looks:
            take_motion(last, work.track[0])
        if by_feed and reports.feed[i] != last.feed:
            state.due_us[0] = min(state.due_us[0], to_us + last.quiet_gap_us)  # the other feed's silence may be shorter
        note_fix(last, reports, i)
        confined = is_confined(last)
        if not free and not astray:
            note_free(last, box)
        if not fast:
            note_quiet(state, book, reports.track[i], to_us)
        elif not free and confined:
            wander(state, book, last)
    return end, n, DONE, repeated
