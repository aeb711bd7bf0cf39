"""Approaches: which zones a track enters if it goes on as it goes, and when that has stopped being so.

Constant course and speed along the geodesic: the predicted way is walked through the atlas like any other way. A fix
within its own accuracy of a zone's edge may be inside already: nobody knows, so it counts as an entry predicted for
now, whatever its course (warn early). An approach is written once; it has ended when the prediction has failed
`APPROACH_MISSES` times in a row, or when the track is inside. Ended outside, it was a retreat, and as many of those as
agreed within the agreed time are probing.
"""

from __future__ import annotations

import numpy as np

from tocsin.kernels.atlas import AtlasArrays, boundary_distance_m, clearance_m, crossings_on, zones_near
from tocsin.kernels.episodes import close_episode, find_episode, open_episode
from tocsin.kernels.findings import US_PER_S, emit, know_motion
from tocsin.kernels.geodesic import direct
from tocsin.kernels.jit import kernel
from tocsin.kernels.legs import geodesic_point
from tocsin.kernels.spans import in_force
from tocsin.kernels.tables import (
    APPROACH,
    APPROACH_ENDED,
    APPROACHING,
    CYCLE,
    LEAVING,
    NONE,
    PROBING,
    Book,
    Row,
    Rows,
    State,
    Work,
)

APPROACH_MISSES = 2
"""Fixes in a row at which the prediction must fail before an approach has ended; dimensionless; lower means more
flapping."""

CLEAR = 1.5
"""An approach goes on while entry lies within this many look-aheads (warn early, clear late); dimensionless."""

MOST_UNKNOWN_M = 2_000.0
"""A fix that says less than this of where it is says nothing of which zones it may be in, metres; more would let one
receiver without a clear sky warn for every zone around it."""

MOVES_FROM_MPS = 0.257
"""Who lies still beside a zone does not come nearer, however bad the fixes: slower than this, metres a second, opens
no approach (0.5 kn, below which `stopped` counts a ship as stopped); less lets every moored ship alarm."""

PREDICTED_PIECE_M = 50_000.0
"""A predicted way is straight in pieces of this length, metres: 50 m off at most at 45° N, below its own
uncertainty."""


@kernel
def unknown_m(accuracy_m: float) -> float:
    """Return how near an edge must be for a fix to leave open on which side it lies; 0 if it has no accuracy."""
    return min(accuracy_m, MOST_UNKNOWN_M) if accuracy_m > 0.0 else 0.0


@kernel
def look_ahead(atlas: AtlasArrays, book: Book, work: Work, accuracy_m: float) -> int:
    """Write the edges within the fix's accuracy, with 0, and those that the predicted way crosses; return how many.

    With each crossing comes its fraction of `book.horizon_s`. More than the scratch room holds is returned as its
    length plus one, and means that nothing can be said.
    """
    leg, n, room = work.leg[0], 0, len(work.ahead_s)
    know_motion(leg)
    reach_m, near_m = leg.speed_mps * book.horizon_s, unknown_m(accuracy_m)
    clear_m = clearance_m(atlas, leg.to_lat_deg, leg.to_lon_deg)
    if near_m > 0.0 and clear_m <= near_m:
        n = zones_near(atlas, leg.to_lat_deg, leg.to_lon_deg, near_m, work.ahead_zone)
        if n > room:
            return room + 1
        for j in range(n):
            work.ahead_s[j] = 0.0
    if not (reach_m > 0.0 and leg.course_deg == leg.course_deg) or clear_m > reach_m:  # not … : true for NaN
        return n
    end_lat_deg, end_lon_deg = direct(leg.to_lat_deg, leg.to_lon_deg, leg.course_deg, reach_m)
    pieces = int(np.ceil(reach_m / PREDICTED_PIECE_M))
    lat_deg, lon_deg = leg.to_lat_deg, leg.to_lon_deg
    for piece in range(1, pieces + 1):
        next_lat_deg, next_lon_deg = end_lat_deg, end_lon_deg
        if piece < pieces:
            next_lat_deg, next_lon_deg = geodesic_point(
                leg.to_lat_deg, leg.to_lon_deg, end_lat_deg, end_lon_deg, piece / pieces
            )
        more = crossings_on(atlas, lat_deg, lon_deg, next_lat_deg, next_lon_deg, work.ahead_zone[n:], work.ahead_s[n:])
        if n + more > room:
            return room + 1
        for j in range(n, n + more):
            work.ahead_s[j] = (piece - 1 + work.ahead_s[j]) / pieces
        n += more
        lat_deg, lon_deg = next_lat_deg, next_lon_deg
    return n


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
def _is_leaving(state: State, leg: Row, zone: int, time_s: float) -> bool:
    """Return True if a fix at a zone's edge belongs to a visit that goes on until the track is clear of it."""
    return time_s == 0.0 and find_episode(state.episodes, state.tracks[leg.track].episodes, LEAVING, zone) != NONE


@kernel
def _end(state: State, atlas: AtlasArrays, book: Book, leg: Row, episode: int, found: Rows, n: int) -> int:
    """Write the end of an approach and close it."""
    row = state.episodes[episode]
    rule, began_us = book.approaches[row.key], row.began_us
    n = emit(found, n, leg, APPROACH_ENDED, rule.place, rule.zone, leg.to_us, leg.to_lat_deg, leg.to_lon_deg, began_us)
    found[n - 1].value[1] = leg.course_deg
    found[n - 1].value[2] = boundary_distance_m(atlas, rule.zone, leg.to_lat_deg, leg.to_lon_deg)
    close_episode(state, leg.track, episode)
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
def approaches(state: State, atlas: AtlasArrays, book: Book, work: Work, zones: int, ahead: int, binds: Rows,
               found: Rows, n: int) -> int:  # fmt: skip
    """Open, keep and end the approaches of one track at one fix, and write what was found.

    Parameters
    ----------
    zones, ahead : int
        How many of `work.zones` (they hold the fix) and of `work.ahead_zone` (the predicted way crosses them) count.
    binds : ndarray, shape (zones of the book,), uint8
        Whom each zone is about, for this track.
    """
    leg = work.leg[0]
    e = state.tracks[leg.track].episodes
    while e != NONE:
        if state.episodes[e].kind == APPROACHING:
            state.episodes[e].misses += 1
        e = state.episodes[e].next
    for j in range(ahead):
        zone, time_s = work.ahead_zone[j], work.ahead_s[j] * book.horizon_s
        inside = False
        for i in range(zones):
            inside = inside or work.zones[i] == zone
        if inside or not binds[zone] or _is_leaving(state, leg, zone, time_s):
            continue
        for a in range(book.zones[zone].approach_from, book.zones[zone].approach_to):
            rule = book.approaches[a]
            e = find_episode(state.episodes, state.tracks[leg.track].episodes, APPROACHING, a)
            if e != NONE:
                if state.episodes[e].misses and time_s <= CLEAR * rule.lookahead_s and _holds(book, leg, rule, time_s):
                    state.episodes[e].misses = 0
            elif (
                time_s <= rule.lookahead_s
                and (time_s > 0.0 or leg.speed_mps >= MOVES_FROM_MPS)
                and _holds(book, leg, rule, time_s)
            ):
                open_episode(state, leg.track, APPROACHING, a, leg.to_us, leg.to_lat_deg, leg.to_lon_deg)
                n = emit(
                    found, n, leg, APPROACH, rule.place, zone, leg.to_us, leg.to_lat_deg, leg.to_lon_deg, leg.to_us
                )
                found[n - 1].value[1] = leg.course_deg
                found[n - 1].value[2] = time_s
                found[n - 1].value[3] = boundary_distance_m(atlas, zone, leg.to_lat_deg, leg.to_lon_deg)
    e = state.tracks[leg.track].episodes
    while e != NONE:
        row, following = state.episodes[e], state.episodes[e].next
        if row.kind == APPROACHING:
            zone, entered = book.approaches[row.key].zone, False
            for i in range(zones):
                entered = entered or work.zones[i] == zone
            if entered or row.misses >= APPROACH_MISSES:
                n = _end(state, atlas, book, leg, e, found, n)
                if not entered:
                    n = _retreat(state, book, leg, zone, found, n)
        e = following
    return n
