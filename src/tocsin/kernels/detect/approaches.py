"""Approaches: which zones a track is likely to enter within the agreed time, and when that has stopped being so.

The forecast is `forecast.py`'s, and `vigil.py` decides when it is enough to warn: at a fix, or, if none comes, at the
moment that the last fix told, so that the same warning is given whether the next fix or the watermark shows that none
came (DESIGN P2). A fix within its own accuracy of a zone's edge may be inside already: nobody knows, so it is warned of
at once, whatever its course (warn early). An approach is written once; it has ended when it proved false or when the
track is inside. Ended outside, it was a retreat, and as many of those as agreed within the agreed time are probing.
"""

from __future__ import annotations

from math import inf, isnan, nan

import numpy as np

from tocsin.kernels.detect.episodes import close_episode, find_episode, kinds_of, open_episode
from tocsin.kernels.detect.findings import US_PER_S, emit, know_motion
from tocsin.kernels.detect.spans import in_force
from tocsin.kernels.forecast.cast import (
    FAR_SHARE,
    cast_at,
    counts_within_m,
    least_odds,
    may_count,
    weigh_most,
    zones_in_sight,
)
from tocsin.kernels.forecast.forecast import (
    NO_OUTLOOK,
    RAYS,
    SPREAD,
    Outlook,
    course_ahead_deg,
    look_around,
    outlook,
    reach_m,
    speed_ahead_mps,
    weigh_ways,
)
from tocsin.kernels.forecast.motion import SILENCE_S, carry_s, learn_motion, leg_m
from tocsin.kernels.forecast.routes import PASSAGES, Routes, look_along
from tocsin.kernels.forecast.sight import Sight, sees, sight_of
from tocsin.kernels.forecast.trust import TRUST, weigh_routes
from tocsin.kernels.forecast.vigil import (
    CLEARLY_FALSE,
    IDLE,
    PATIENCE,
    SOON,
    SOONER_S,
    SURE,
    SURE_SHARE,
    WARNED,
    falls_due,
    hold_vigil,
    is_due,
    keep_vigil,
    least_due,
    warn_now,
)
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.chance import logistic
from tocsin.kernels.numbers.trig import atan2d, hypot, sincosd
from tocsin.kernels.tables import (
    APPROACH,
    APPROACH_ENDED,
    APPROACHING,
    CYCLE,
    LEAVING,
    MEMORIES,
    NEVER,
    NONE,
    PROBING,
    Book,
    Reports,
    Row,
    Rows,
    State,
    Work,
)
from tocsin.kernels.zones.atlas import AtlasArrays, boundary_distance_m, clearance_m, zones_near

MOST_UNKNOWN_M = 2_000.0
"""A fix that says less than this of where it is says nothing of which zones it may be in, metres; more would let one
receiver without a clear sky warn for every zone around it."""

MOVES_FROM_MPS = 0.257
"""Who lies still beside a zone does not come nearer, however bad the fixes: slower than this, metres a second, opens
no approach (0.5 kn, below which `stopped` counts a ship as stopped); less lets every moored ship alarm."""

SIGMAS_95 = 2.448
"""Standard deviations in the radius that holds 95 % of a circular normal distribution, as DO-260B's NACp is."""

LOGIT_OF_NORMAL = 1.702
"""The normal distribution is the logistic one of this steepness, to a hundredth."""


@kernel
def take_motion(row: Row, learnt: Row) -> None:
    """Make what one row knows of a track's motion what another has learnt."""
    row.asked_us, row.interval_s, row.seen_s, row.leg_s = (
        learnt.asked_us,
        learnt.interval_s,
        learnt.seen_s,
        learnt.leg_s,
    )
    row.east_mps, row.north_mps = learnt.east_mps, learnt.north_mps
    for k in range(MEMORIES):
        row.mean_east_mps[k], row.mean_north_mps[k] = learnt.mean_east_mps[k], learnt.mean_north_mps[k]
        row.mean_speed_mps[k] = learnt.mean_speed_mps[k]


@kernel
def note_motion(last: Row, reports: Reports, i: int, row: Row) -> None:
    """Write into `row` what a report teaches of its track's motion; `last`, its row so far, is not changed."""
    take_motion(row, last)
    east_mps = north_mps = nan
    speed_mps, course_deg = reports.speed_mps[i], reports.course_deg[i]
    if not (isnan(speed_mps) or isnan(course_deg)):
        s, c = sincosd(course_deg)
        east_mps, north_mps = speed_mps * s, speed_mps * c
    leg_east_mps = leg_north_mps = leg_s = 0.0
    if last.observed_us != NEVER:
        leg_s = (reports.observed_us[i] - last.observed_us) / US_PER_S
        east_m, north_m = leg_m(last.lat_deg, last.lon_deg, reports.lat_deg[i], reports.lon_deg[i])
        leg_east_mps, leg_north_mps = east_m / leg_s, north_m / leg_s
    learn_motion(row, leg_s, leg_east_mps, leg_north_mps, east_mps, north_mps)


@kernel
def unknown_m(accuracy_m: float) -> float:
    """Return how near an edge must be for a fix to leave open on which side it lies; 0 if it has no accuracy."""
    return min(accuracy_m, MOST_UNKNOWN_M) if accuracy_m > 0.0 else 0.0


@kernel
def _asks(book: Book, row: Row, at_us: int) -> bool:
    """Return True if a new forecast is due at a fix whose motion has been learnt."""
    return not (isnan(row.east_mps) or (row.asked_us != NEVER and at_us - row.asked_us < book.ask_us))


@kernel
def asks_nothing(book: Book, last: Row, reports: Reports, i: int) -> bool:
    """Return True if no forecast is due at a report, whatever it teaches, and its accuracy leaves nothing open."""
    at_us = reports.observed_us[i]
    soon = (last.asked_us != NEVER) & (at_us - last.asked_us < book.ask_us)
    return soon & (at_us - last.observed_us <= SILENCE_S * US_PER_S) & (not reports.accuracy_m[i] > 0.0)


@kernel
def _within_s(book: Book, reports: Reports, i: int) -> float:
    """Return in how many seconds a forecast made at a report is surely replaced, by reports at hand; else infinity.

    Until then it tells what falls due, and nothing else: where no fix has an accuracy, nobody asks what it said.
    """
    at_us, k = reports.observed_us[i], np.int64(i)
    while len(reports.following) > 0:
        j = np.int64(reports.following[k])
        if j == NONE or reports.accuracy_m[j] > 0.0:
            break
        if reports.observed_us[j] - reports.observed_us[k] > SILENCE_S * US_PER_S:
            break
        if reports.observed_us[j] - at_us >= book.ask_us:
            return SOONER_S + (reports.observed_us[j] - at_us) / US_PER_S
        k = j
    return inf


@kernel
def _reach_m(book: Book, row: Row) -> float:
    """Return how far a forecast must look, metres."""
    return reach_m(row, hypot(row.east_mps, row.north_mps), book.horizon_s, carry_s(row))


@kernel
def nothing_ahead(state: State, atlas: AtlasArrays, book: Book, reports: Reports, i: int, row: Row) -> bool:
    """Return True if a forecast at this fix, if one is due, tells nothing, and the fix's accuracy reaches no zone.

    One that finds no zone still ends a vigil: what was forecast before is not so any more.

    Parameters
    ----------
    row : record of TRACK
        The track's motion, learnt; a forecast that finds nothing counts as made.
    """
    near_m, at_us = unknown_m(reports.accuracy_m[i]), reports.observed_us[i]
    asks = _asks(book, row, at_us)
    if asks or near_m > 0.0:
        clear_m = clearance_m(atlas, reports.lat_deg[i], reports.lon_deg[i])
        if near_m > 0.0 and clear_m <= near_m:
            return False
        if asks:
            if not clear_m > _reach_m(book, row):
                return False
            if (kinds_of(state.episodes, state.tracks[reports.track[i]].episodes) >> APPROACHING) & 1:
                return False
            row.asked_us = at_us
    return True


@kernel
def _look_wide(atlas: AtlasArrays, routes: Routes, book: Book, reports: Reports, i: int, reach: float, work: Work
               ) -> int:  # fmt: skip
    """Write every zone that a fan of ways, or an earlier passage, meets, and return how many; see `look_ahead`."""
    row = work.track[0]
    lat_deg, lon_deg, course_deg = reports.lat_deg[i], reports.lon_deg[i], course_ahead_deg(row)
    n = look_around(
        atlas, lat_deg, lon_deg, course_deg, reach, work.ahead_zone, work.ahead_s, work.fan_of, work.fan_zone,
        work.fan_m,
    )  # fmt: skip
    speed_mps, (s, c) = speed_ahead_mps(row, hypot(row.east_mps, row.north_mps)), sincosd(course_deg)
    return look_along(
        atlas, routes, lat_deg, lon_deg, speed_mps * s, speed_mps * c, row.asked_us, reach, book.horizon_s,
        work.ahead_zone, work.ahead_s, n, work.fan_zone, work.fan_m, work.route_m, work.passages,
    )  # fmt: skip


@kernel
def _cast(atlas: AtlasArrays, work: Work, sight: Sight, zone: int, odds: float, n: int) -> int:
    """Add a zone to those that the fan meets, if its ways may weigh so much together; return how many there are."""
    if n == len(work.fan_zone):
        return n + 1
    met = cast_at(atlas, sight, work.rays, zone, odds, work.ahead_zone, work.ahead_s, work.fan_m[n])
    if met == 1:
        work.fan_zone[n] = zone
        for k in range(PASSAGES):
            work.route_m[n, k] = inf
    return n + met


@kernel
def _nearer(work: Work, sight: Sight, view: Outlook, odds: float, within_s: float) -> tuple[Sight, float]:
    """Return a shorter fan, and odds: a zone whose ways in it weigh less is not warned of before a time has passed."""
    more_s, horizon_s = min(carry_s(work.track[0]), within_s), view.horizon_s
    far_m = counts_within_m(work.rays, view, odds, SOON * horizon_s + more_s, SPREAD, sight.reach_m)
    sure = least_odds(view, SURE)
    sure_m = counts_within_m(work.rays, view, sure, SURE_SHARE * horizon_s + more_s, SPREAD, sight.reach_m)
    far_m = max(far_m, sure_m, 1.0)
    if far_m >= sight.reach_m:
        return sight, odds
    return sight_of(sight.lat_deg, sight.lon_deg, sight.course_deg, far_m), (1.0 - FAR_SHARE) * odds


@kernel
def _look_closely(state: State, atlas: AtlasArrays, book: Book, work: Work, sight: Sight, view: Outlook,
                  within_s: float, track: int, zones: int, binds: Rows) -> int:  # fmt: skip
    """Write the zones whose vigil a fan can change, and how far they are in each direction; see `look_ahead`.

    Of a zone that was warned of it must be known whether the forecast is clearly false, of the others only whether a
    warning is due if no further fix comes, or, where it is known when the next forecast is made, before that. All that
    can be neither is left out, as if the fan did not meet it.
    """
    clear, row, n = clearance_m(atlas, sight.lat_deg, sight.lon_deg), work.track[0], 0
    if not clear <= sight.reach_m:
        return 0
    for k in range(PASSAGES):
        work.passages[k].score = inf
    least_stray = view.stray if book.soonest_s == view.horizon_s else outlook(row, SPREAD, book.soonest_s).stray
    weigh_most(work.rays, view, least_stray, book.soonest_s, SPREAD, clear, sight.reach_m)
    false = least_odds(view, CLEARLY_FALSE)
    e = state.tracks[track].episodes
    while e != NONE and n <= len(work.fan_zone):
        vigil = state.episodes[e]
        if vigil.kind == APPROACHING and (vigil.standing >= WARNED or is_due(vigil, row.asked_us)):
            zone = book.approaches[vigil.key].zone
            known = binds[zone] == 0 or _holds_fix(work, zones, zone)
            for m in range(n):
                known = known or work.fan_zone[m] == zone
            if not known:
                n = _cast(atlas, work, sight, zone, false, n)
        e = vigil.next
    stood, odds = n, least_odds(view, least_due(view, book.soonest_s))
    if n > len(work.fan_zone):
        return n
    near, near_odds = _nearer(work, sight, view, odds, within_s)
    candidates = 0
    if clear <= near.reach_m:
        candidates = zones_in_sight(atlas, near, work.rays, near_odds, work.fan_of, work.left)
    if candidates > len(work.left):
        return candidates
    for k in range(candidates):
        zone = work.left[k]
        known = binds[zone] == 0 or book.zones[zone].approach_from == book.zones[zone].approach_to
        for m in range(stood):
            known = known or work.fan_zone[m] == zone
        known = known or _holds_fix(work, zones, zone)
        if not known and may_count(atlas, near, work.rays, zone, near_odds):
            n = _cast(atlas, work, sight, zone, odds, n)
            if n > len(work.fan_zone):
                return n
    return n


@kernel
def look_ahead(state: State, atlas: AtlasArrays, routes: Routes, book: Book, reports: Reports, i: int, work: Work,
               zones: int, binds: Rows) -> tuple[int, Outlook, float]:  # fmt: skip
    """If a forecast is due at a report, write the zones that a fan of ways, or an earlier passage, meets.

    Zones of which nothing can come may be left out, unless there are earlier passages.

    Parameters
    ----------
    work : Work
        Its `track` has learnt from the report.
    zones : int
        How many of `work.zones` count: they hold the fix.
    binds : ndarray, shape (zones of the book,), uint8
        Whom each zone is about, for this track.

    Returns
    -------
    ahead : int
        How many; `NONE` if no forecast is made at this fix; more than there is room for means that nothing can be said.
    view : Outlook
        That for the longest look-ahead, or `NO_OUTLOOK`.
    within_s : float
        In how many seconds this forecast is surely replaced; infinite if that is not known.
    """
    row = work.track[0]
    if not _asks(book, row, reports.observed_us[i]):
        return NONE, NO_OUTLOOK, inf
    row.asked_us = reports.observed_us[i]
    reach = _reach_m(book, row)
    if not reach > 0.0:
        return 0, NO_OUTLOOK, inf
    within_s = _within_s(book, reports, i)
    sight = sight_of(reports.lat_deg[i], reports.lon_deg[i], course_ahead_deg(row), reach)
    if len(routes.route) or not sees(sight):
        return _look_wide(atlas, routes, book, reports, i, reach, work), NO_OUTLOOK, within_s
    view = outlook(row, SPREAD, book.horizon_s)
    n = _look_closely(state, atlas, book, work, sight, view, within_s, reports.track[i], zones, binds)
    return n, view, within_s


@kernel
def look_about(atlas: AtlasArrays, reports: Reports, i: int, work: Work) -> int:
    """Write the zones whose edge a report's own accuracy reaches into `work.ahead_zone` and return how many."""
    near_m, lat_deg, lon_deg = unknown_m(reports.accuracy_m[i]), reports.lat_deg[i], reports.lon_deg[i]
    if near_m > 0.0 and clearance_m(atlas, lat_deg, lon_deg) <= near_m:
        return zones_near(atlas, lat_deg, lon_deg, near_m, work.ahead_zone)
    return 0


@kernel
def _holds(book: Book, leg: Row, rule: Row, time_s: float) -> bool:
    """Return True if the rule is about this way of moving and its zone will count at the predicted entry."""
    zone = book.zones[rule.zone]
    entry_us = leg.to_us + np.int64(time_s * US_PER_S)
    banded = zone.banded and not (zone.lower_m <= leg.to_alt_m <= zone.upper_m)
    return (
        rule.speed_lo_mps <= leg.speed_mps < rule.speed_hi_mps
        and not banded
        and in_force(book.windows_us, zone.windows_from, zone.windows_to, entry_us)
    )


@kernel
def _tell(row: Row, vigil: Row, distance_m: float) -> None:
    """Write what an approach says beside speed and course."""
    row.value[2], row.value[3] = vigil.time_s, distance_m
    row.value[4], row.value[5], row.value[6] = vigil.time_lo_s, vigil.time_hi_s, vigil.chance


@kernel
def fall_due(state: State, atlas: AtlasArrays, book: Book, track: int, now_us: int, found: Rows, n: int) -> int:
    """Write the approaches of a track that fell due before an instant at which no fix of it is older.

    The same rows whether the next fix or the watermark tells that none came: all is taken from the last fix.
    """
    last = state.tracks[track]
    e = last.episodes
    while e != NONE:
        vigil = state.episodes[e]
        e = vigil.next
        if vigil.kind != APPROACHING or not falls_due(vigil, now_us):
            continue
        rule, row = book.approaches[vigil.key], found[n]
        row.code, row.rule, row.zone, row.track = APPROACH, rule.place, rule.zone, track
        row.feed, row.party, row.category, row.exemption = last.feed, last.party, last.category, last.exemption
        row.at_us = row.known_us = row.visit_us = vigil.began_us
        row.lat_deg, row.lon_deg, row.accuracy_m = last.lat_deg, last.lon_deg, last.accuracy_m
        row.before_us, row.before_lat_deg, row.before_lon_deg = last.observed_us, last.lat_deg, last.lon_deg
        row.after_us, row.after_lat_deg, row.after_lon_deg = NEVER, nan, nan
        row.unobserved, row.value[0] = 0, hypot(last.east_mps, last.north_mps)
        row.value[1] = atan2d(last.east_mps, last.north_mps) % 360.0
        _tell(row, vigil, boundary_distance_m(atlas, rule.zone, last.lat_deg, last.lon_deg))
        n += 1
    return n


@kernel
def _end(atlas: AtlasArrays, leg: Row, rule: Row, began_us: int, found: Rows, n: int) -> int:
    """Write the end of an approach."""
    n = emit(found, n, leg, APPROACH_ENDED, rule.place, rule.zone, leg.to_us, leg.to_lat_deg, leg.to_lon_deg, began_us)
    found[n - 1].value[1] = leg.course_deg
    found[n - 1].value[2] = boundary_distance_m(atlas, rule.zone, leg.to_lat_deg, leg.to_lon_deg)
    return n


@kernel
def _retreat(state: State, book: Book, leg: Row, zone: int, found: Rows, n: int) -> int:
    """Note a retreat for the zone's probing rules; once enough lie within the time, write a probing and start anew."""
    for r in range(book.zones[zone].rules_from, book.zones[zone].rules_to):
        rule, first_us, cycles = book.rules[r], leg.to_us, 1
        if rule.code != PROBING:
            continue
        open_episode(state, leg.track, CYCLE, r, leg.to_us, leg.to_lat_deg, leg.to_lon_deg)
        e = state.episodes[state.tracks[leg.track].episodes].next
        while e != NONE:
            row, following = state.episodes[e], state.episodes[e].next
            if row.kind == CYCLE and row.key == r:
                if leg.to_us - row.began_us > rule.after_us:
                    close_episode(state, leg.track, e)
                else:
                    first_us, cycles = min(first_us, row.began_us), cycles + 1
            e = following
        if cycles >= rule.count:
            n = emit(found, n, leg, PROBING, rule.place, zone, leg.to_us, leg.to_lat_deg, leg.to_lon_deg, first_us)
            found[n - 1].value[1], found[n - 1].value[2] = cycles, rule.after_us / US_PER_S
            e = find_episode(state.episodes, state.tracks[leg.track].episodes, CYCLE, r)
            while e != NONE:
                close_episode(state, leg.track, e)
                e = find_episode(state.episodes, state.tracks[leg.track].episodes, CYCLE, r)
    return n


@kernel
def _view(work: Work, view: Outlook, rule: Row) -> Outlook:
    """Return the outlook for a rule's horizon: the one at hand if it is for the same."""
    horizon_s = PATIENCE * rule.lookahead_s
    return view if view.horizon_s == horizon_s else outlook(work.track[0], SPREAD, horizon_s)


@kernel
def _keep(state: State, atlas: AtlasArrays, book: Book, work: Work, view: Outlook, within_s: float, episode: int,
          met: int, found: Rows, n: int) -> int:  # fmt: skip
    """Take a new forecast of one zone, the fan's zone number `met` or `NONE`, into an approach, and write its news.

    `view` is the outlook for the rule's horizon.
    """
    leg, row, vigil = work.leg[0], work.track[0], state.episodes[episode]
    rule, began_us, ways = book.approaches[vigil.key], vigil.began_us, 0
    if met != NONE:
        nearest_m = inf
        for ray in range(RAYS):
            nearest_m = min(nearest_m, work.fan_m[met, ray])
        for k in range(PASSAGES):
            nearest_m = min(nearest_m, work.route_m[met, k])
        if _holds(book, leg, rule, min(nearest_m / view.speed_mps, rule.lookahead_s)):
            ways = weigh_ways(work.fan_m[met], view, SPREAD, work.ways)
            ways, view = weigh_routes(work.ways, ways, work.route_m[met], work.passages, view, SPREAD, TRUST)
    warned, ended = keep_vigil(vigil, work.ways, ways, view, leg.to_us, carry_s(row), within_s)
    if ended:
        n = _end(atlas, leg, rule, began_us, found, n)
        n = _retreat(state, book, leg, rule.zone, found, n)
    if warned:
        n = emit(found, n, leg, APPROACH, rule.place, rule.zone, leg.to_us, leg.to_lat_deg, leg.to_lon_deg, leg.to_us)
        found[n - 1].value[1] = leg.course_deg
        _tell(found[n - 1], vigil, boundary_distance_m(atlas, rule.zone, leg.to_lat_deg, leg.to_lon_deg))
    return n


@kernel
def _take_unknown(state: State, atlas: AtlasArrays, book: Book, work: Work, zone: int, found: Rows, n: int) -> int:
    """Warn of a zone that the track may be in already, unless it was, and keep what was warned of going."""
    leg = work.leg[0]
    accuracy_m = unknown_m(leg.own_accuracy_m)
    distance_m = boundary_distance_m(atlas, zone, leg.to_lat_deg, leg.to_lon_deg)
    inside = logistic(-LOGIT_OF_NORMAL * SIGMAS_95 * distance_m / accuracy_m)
    for a in range(book.zones[zone].approach_from, book.zones[zone].approach_to):
        rule, e = book.approaches[a], find_episode(state.episodes, state.tracks[leg.track].episodes, APPROACHING, a)
        if e != NONE and hold_vigil(state.episodes[e]):
            continue
        if not (leg.speed_mps >= MOVES_FROM_MPS and _holds(book, leg, rule, 0.0)):
            continue
        if e == NONE:
            e = open_episode(state, leg.track, APPROACHING, a, NEVER, leg.to_lat_deg, leg.to_lon_deg)
        warn_now(state.episodes[e], leg.to_us, inside, rule.lookahead_s)
        n = emit(found, n, leg, APPROACH, rule.place, zone, leg.to_us, leg.to_lat_deg, leg.to_lon_deg, leg.to_us)
        found[n - 1].value[1] = leg.course_deg
        _tell(found[n - 1], state.episodes[e], distance_m)
    return n


@kernel
def _holds_fix(work: Work, zones: int, zone: int) -> bool:
    """Return True if the new fix lies in a zone."""
    inside = False
    for i in range(zones):
        inside = inside or work.zones[i] == zone
    return inside


@kernel
def _leaves(state: State, track: int, zone: int) -> bool:
    """Return True if a track is just leaving a zone, so that it is not approaching."""
    return find_episode(state.episodes, state.tracks[track].episodes, LEAVING, zone) != NONE


@kernel
def _begin(state: State, atlas: AtlasArrays, book: Book, work: Work, view: Outlook, within_s: float, zones: int,
           ahead: int, binds: Rows, leaves: bool, found: Rows, n: int) -> int:  # fmt: skip
    """Begin the vigils of zones that a fan meets and that have none yet, and write what was found.

    `work.what` says of each how many it has; `leaves` if the track is just leaving a zone; the others are
    `approaches`'.
    """
    leg = work.leg[0]
    for m in range(ahead):
        zone = work.fan_zone[m]
        first, last = book.zones[zone].approach_from, book.zones[zone].approach_to
        if not binds[zone] or work.what[m] == last - first or _holds_fix(work, zones, zone):
            continue
        if leaves and _leaves(state, leg.track, zone):
            continue
        for a in range(first, last):
            e = state.tracks[leg.track].episodes if work.what[m] > 0 else NONE
            if find_episode(state.episodes, e, APPROACHING, a) != NONE:
                continue
            e = open_episode(state, leg.track, APPROACHING, a, NEVER, leg.to_lat_deg, leg.to_lon_deg)
            view = _view(work, view, book.approaches[a])
            n = _keep(state, atlas, book, work, view, within_s, e, m, found, n)
            if state.episodes[e].standing == IDLE:
                close_episode(state, leg.track, e)
    return n


@kernel
def approaches(state: State, atlas: AtlasArrays, book: Book, work: Work, zones: int, ahead: int, view: Outlook,
               within_s: float, near: int, binds: Rows, found: Rows, n: int) -> int:  # fmt: skip
    """Open, keep and end the approaches of one track at one fix, and write what was found.

    Parameters
    ----------
    zones : int
        How many of `work.zones` count: they hold the fix.
    ahead : int
        How many of `work.fan_zone` count: a fan of ways meets them; `NONE` if no forecast was made at this fix.
    view : Outlook
    within_s : float
        As of `look_ahead`.
    near : int
        How many of `work.ahead_zone` count: the fix's accuracy reaches their edge.
    binds : ndarray, shape (zones of the book,), uint8
        Whom each zone is about, for this track.
    """
    leg, kept = work.leg[0], 0
    if book.horizon_s == 0.0:
        return n
    know_motion(leg)
    for k in range(near):
        zone = work.ahead_zone[k]
        if binds[zone] and not (_leaves(state, leg.track, zone) or _holds_fix(work, zones, zone)):
            n = _take_unknown(state, atlas, book, work, zone, found, n)
    leaves, e = False, state.tracks[leg.track].episodes
    while e != NONE:
        if state.episodes[e].kind == APPROACHING:
            work.left[kept] = e
            kept += 1
        leaves = leaves or state.episodes[e].kind == LEAVING
        e = state.episodes[e].next
    for m in range(ahead):
        work.fan_of[work.fan_zone[m]], work.what[m] = m, 0
    for k in range(kept):
        e = work.left[k]
        rule = book.approaches[state.episodes[e].key]
        if _holds_fix(work, zones, rule.zone):
            if state.episodes[e].standing == WARNED:
                n = _end(atlas, leg, rule, state.episodes[e].began_us, found, n)
            close_episode(state, leg.track, e)
        elif ahead != NONE:
            met, unknown = work.fan_of[rule.zone], False
            for m in range(near):
                unknown = unknown or work.ahead_zone[m] == rule.zone
            if not (0 <= met < ahead and work.fan_zone[met] == rule.zone):
                met = NONE
            else:
                work.what[met] += 1
            if unknown and state.episodes[e].standing == WARNED:
                continue
            going = leaves and state.episodes[e].standing < WARNED and _leaves(state, leg.track, rule.zone)
            if going or not binds[rule.zone]:
                met = NONE
            view = _view(work, view, rule)
            n = _keep(state, atlas, book, work, view, within_s, e, met, found, n)
            if state.episodes[e].standing == IDLE:
                close_episode(state, leg.track, e)
    return _begin(state, atlas, book, work, view, within_s, zones, ahead, binds, leaves, found, n)
