"""Sweep: one pass over reports in time order; what each track did at each zone comes out as rows of `tables.FOUND`.

For every report the pass asks the atlas which zones hold the new fix and which edges the way from the last fix
crossed, and hands both to `visits.py`; the predicted way goes to `approaches.py`. It knows no words, no clock and
no order but the one it is given, and allocates nothing per report.
"""

from __future__ import annotations

from math import nan

from tocsin.kernels.detect.approaches import (
    approaches,
    fall_due,
    look_about,
    look_ahead,
    note_motion,
    nothing_ahead,
    take_motion,
)
from tocsin.kernels.detect.episodes import close_episode, find_episode, open_episode
from tocsin.kernels.detect.leaving import certain_at, exit_certain
from tocsin.kernels.detect.silences import silence, was_reachable
from tocsin.kernels.detect.spans import in_force
from tocsin.kernels.detect.visits import at_zone, first_seen, note_quiet
from tocsin.kernels.forecast.routes import Routes
from tocsin.kernels.jit import kernel
from tocsin.kernels.tables import GAP, LEAVING, NEVER, NONE, SILENCE, VISIT, Book, Reports, Row, Rows, State, Work
from tocsin.kernels.zones.atlas import AtlasArrays, same_empty_cell, way_crossings, zones_at

DONE, WANTS_ROOM, WANTS_EPISODES, WANTS_WORK, WANTS_ORDER = range(5)
"""Why `sweep` stopped: all taken; `found` too small; no free episodes; scratch room too small; a report older than its
track's last fix."""

MARGIN = 8
"""Rows of `found`, and free episodes, that one report may need for each place of scratch room; dimensionless."""


STRAIGHT_DEG = 0.028
"""Degrees of longitude within which a geodesic leaves the straight way by less than the 0.1 m of P1, at any latitude:
d² · (111.3 km)² · sin φ cos φ / 8R. A longer one may pass an edge in a cell that neither of its ends lies in."""


@kernel
def _fill_leg(state: State, reports: Reports, i: int, leg: Row) -> None:
    """Write what a report means together with the track's last fix; a word that nobody said again stays as it was."""
    last = state.tracks[reports.track[i]]
    leg.track, leg.feed = reports.track[i], reports.feed[i]
    leg.party = reports.party[i] if reports.party[i] != NONE else last.party
    leg.category = reports.category[i] if reports.category[i] != NONE else last.category
    leg.to_us, leg.to_lat_deg, leg.to_lon_deg = reports.observed_us[i], reports.lat_deg[i], reports.lon_deg[i]
    leg.to_alt_m, leg.speed_mps, leg.course_deg = reports.alt_m[i], reports.speed_mps[i], reports.course_deg[i]
    leg.accuracy_m, leg.first, leg.knows_motion = reports.accuracy_m[i], last.observed_us == NEVER, 0
    leg.own_accuracy_m = leg.accuracy_m
    leg.from_exemption = leg.to_exemption = NONE
    if leg.first:
        leg.from_us, leg.from_lat_deg, leg.from_lon_deg, leg.from_alt_m = leg.to_us, leg.to_lat_deg, leg.to_lon_deg, nan
        return
    leg.from_us, leg.from_lat_deg, leg.from_lon_deg = last.observed_us, last.lat_deg, last.lon_deg
    leg.from_alt_m, leg.from_exemption = last.alt_m, last.exemption
    if not leg.accuracy_m >= last.accuracy_m:  # also when it is NaN: the worse of the two that are known
        leg.accuracy_m = last.accuracy_m if last.accuracy_m == last.accuracy_m else leg.accuracy_m


@kernel
def _length(state: State, head: int) -> int:
    """Return how many episodes a track has."""
    n = 0
    while head != NONE:
        n, head = n + 1, state.episodes[head].next
    return n


@kernel
def _flips(atlas: AtlasArrays, work: Work) -> int:
    """Write the zone edges that the way crosses, along the geodesic, and return how many (past the room: more)."""
    leg, room = work.leg[0], len(work.flip_s) - 1
    n = way_crossings(
        atlas, leg.from_lat_deg, leg.from_lon_deg, leg.to_lat_deg, leg.to_lon_deg, work.flip_zone[:room], work.flip_s
    )
    if n <= room:
        work.flip_s[n] = 2.0  # the end of the list
    return n


@kernel
def _nothing_due(atlas: AtlasArrays, book: Book, reports: Reports, i: int, last: Row, learnt: Row) -> bool:
    """Return True if a report only moves its track's last fix unless it crosses an edge: nothing due, nobody else."""
    speed_mps, to_us = reports.speed_mps[i], reports.observed_us[i]
    if not (to_us < last.quiet_until_us and to_us - last.observed_us <= last.quiet_gap_us):
        return False
    if last.quiet_speed_mps > 0.0 and not speed_mps >= last.quiet_speed_mps:
        return False
    party, category = reports.party[i], reports.category[i]
    if (party != NONE and party != last.party) or (category != NONE and category != last.category):  # noqa: PLR1714
        return False
    return book.horizon_s == 0.0 or nothing_ahead(atlas, book, reports, i, learnt)


@kernel
def _crosses_nothing(atlas: AtlasArrays, reports: Reports, i: int, last: Row, work: Work) -> bool:
    """Return True if no edge lies on the way from a track's last fix: three look-ups for most, else exactly."""
    lat_deg, lon_deg = reports.lat_deg[i], reports.lon_deg[i]
    if abs(lon_deg - last.lon_deg) <= STRAIGHT_DEG and same_empty_cell(
        atlas, last.lat_deg, last.lon_deg, lat_deg, lon_deg
    ):
        return True
    return way_crossings(atlas, last.lat_deg, last.lon_deg, lat_deg, lon_deg, work.flip_zone, work.flip_s) == 0


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
def sweep(
    reports: Reports, start: int, state: State, atlas: AtlasArrays, routes: Routes, book: Book, work: Work, found: Rows,
    n: int,
) -> tuple[int, int, int, int]:  # fmt: skip
    """Take reports from `start` on until all are taken or something is too small.

    Parameters
    ----------
    reports : Reports
        In order of time for each track.
    start : int
        The first report to take.
    state, atlas, routes, book, work : see their classes
    found : ndarray of FOUND
        Written from row `n` on.

    Returns
    -------
    next, n, why, repeated : int
        The report to go on with, rows found so far, one of `DONE`, `WANTS_…`, and how many reports had exactly the time
        of their track's last fix and were not used. Nothing of report `next` has been done.

    Notes
    -----
    Linear in the reports; one that stays in a cell without edges costs three look-ups, one that crosses no edge a look
    at the edges of its cells.
    """
    repeated = 0
    leg = work.leg[0]
    room = MARGIN * len(work.s)
    for i in range(start, len(reports.track)):
        last = state.tracks[reports.track[i]]
        if reports.observed_us[i] <= last.observed_us:
            if reports.observed_us[i] < last.observed_us:
                return i, n, WANTS_ORDER, repeated
            repeated += 1
            continue
        if book.horizon_s > 0.0:
            note_motion(last, reports, i, work.track[0])
        if _nothing_due(atlas, book, reports, i, last, work.track[0]) and _crosses_nothing(
            atlas, reports, i, last, work
        ):
            if book.horizon_s > 0.0:
                take_motion(last, work.track[0])
            last.observed_us, last.lat_deg, last.lon_deg = (
                reports.observed_us[i],
                reports.lat_deg[i],
                reports.lon_deg[i],
            )
            last.alt_m, last.speed_mps, last.course_deg = reports.alt_m[i], reports.speed_mps[i], reports.course_deg[i]
            last.accuracy_m, last.feed = reports.accuracy_m[i], reports.feed[i]
            continue
        _fill_leg(state, reports, i, leg)
        ahead, near = NONE, 0
        if book.horizon_s > 0.0:
            ahead, near = look_ahead(atlas, routes, book, reports, i, work), look_about(atlas, reports, i, work)
        zones = zones_at(atlas, leg.to_lat_deg, leg.to_lon_deg, work.zones)
        flips = 0 if leg.first else _flips(atlas, work)
        if max(zones, ahead, near, flips + 1, _length(state, last.episodes)) > len(work.s):
            return i, n, WANTS_WORK, repeated
        is_silence = not leg.first and leg.to_us - leg.from_us > book.gap_us
        if len(found) - n < room + is_silence * len(book.rules):
            return i, n, WANTS_ROOM, repeated
        if state.free[1] < room:
            return i, n, WANTS_EPISODES, repeated
        if leg.first:
            work.flip_s[0] = 2.0
        binds = book.binds[state.party_class[leg.party], state.category_class[leg.category]]
        leg.to_exemption = _exemption(book, work, zones, binds)
        n = fall_due(state, atlas, book, leg.track, leg.to_us, found, n)
        before = n
        n = _visits(state, atlas, book, work, zones, flips, binds, found, n)
        if is_silence:
            n = was_reachable(state, atlas, book, leg, binds, before, found, n)
        n = approaches(state, atlas, book, work, zones, ahead, near, binds, found, n)
        last.observed_us, last.lat_deg, last.lon_deg = leg.to_us, leg.to_lat_deg, leg.to_lon_deg
        last.alt_m, last.speed_mps, last.course_deg = leg.to_alt_m, leg.speed_mps, leg.course_deg
        last.accuracy_m = reports.accuracy_m[i]
        last.feed, last.party, last.category, last.exemption = leg.feed, leg.party, leg.category, leg.to_exemption
        if book.horizon_s > 0.0:
            take_motion(last, work.track[0])
        note_quiet(state, book, leg.track, leg.to_us)
    return len(reports.track), n, DONE, repeated


@kernel
def _time_passes(state: State, book: Book, track: int, visit: int, watermark_us: int, found: Rows, n: int) -> int:
    """Write what the watermark tells of one visit: an exit that has become certain, or silences grown too long."""
    zone, visit_us, last = state.episodes[visit].key, state.episodes[visit].began_us, state.tracks[track]
    leaving = find_episode(state.episodes, last.episodes, LEAVING, zone)
    if leaving != NONE:
        if NEVER < certain_at(book, state.episodes[leaving]) < watermark_us:
            n = exit_certain(state, book, track, zone, visit_us, leaving, found, n)
            state.episodes[visit].began_us = NEVER
            if not state.episodes[visit].raised:
                close_episode(state, track, visit)
        return n
    for r in range(book.zones[zone].rules_from, book.zones[zone].rules_to):
        rule = book.rules[r]
        if rule.code != GAP or watermark_us - last.observed_us <= rule.after_us:
            continue
        if find_episode(state.episodes, last.episodes, SILENCE, r) == NONE:
            open_episode(state, track, SILENCE, r, last.observed_us, last.lat_deg, last.lon_deg)
            n = silence(last, track, rule, found, n)
    return n


@kernel
def pass_time(
    state: State, atlas: AtlasArrays, book: Book, work: Work, start: int, watermark_us: int, found: Rows, n: int
) -> tuple[int, int, int]:
    """Write what the watermark alone tells, from track `start` on.

    Exits that are certain now, silences grown too long, and approaches that fell due while no fix came.

    Returns
    -------
    next, n, why : int
        As of `sweep`, with a track in the place of a report.
    """
    for k in range(start, len(state.tracks)):
        if state.tracks[k].episodes == NONE:
            continue
        room = _length(state, state.tracks[k].episodes) + len(book.rules) + 1
        if room > len(work.left):
            return k, n, WANTS_WORK
        if len(found) - n < room:
            return k, n, WANTS_ROOM
        if state.free[1] < room:
            return k, n, WANTS_EPISODES
        visits, e = 0, state.tracks[k].episodes
        while e != NONE:
            if state.episodes[e].kind == VISIT and state.episodes[e].began_us != NEVER:
                work.left[visits] = e
                visits += 1
            e = state.episodes[e].next
        for v in range(visits):
            n = _time_passes(state, book, k, work.left[v], watermark_us, found, n)
        n = fall_due(state, atlas, book, k, watermark_us, found, n)
    return len(state.tracks), n, DONE


@kernel
def due_before(state: State, atlas: AtlasArrays, book: Book, start: int, now_us: int, found: Rows, n: int
               ) -> tuple[int, int, int]:  # fmt: skip
    """Write the approaches that fell due before an instant, as far as is known, from track `start` on.

    Returns
    -------
    next, n, why : int
        As of `pass_time`.
    """
    for k in range(start, len(state.tracks)):
        head = state.tracks[k].episodes
        if head == NONE:
            continue
        if len(found) - n < _length(state, head):
            return k, n, WANTS_ROOM
        n = fall_due(state, atlas, book, k, now_us, found, n)
    return len(state.tracks), n, DONE
