"""Silences: a track that was inside and reports no more, and one that was outside and may have been inside meanwhile.

For the first, `gap` when the agreed time has passed and `gap_ended` with the next report. For the second only
`gap_ended`, with the next report, if its own speed would have taken it into the zone and back: a fact beside the
others, by which nobody is warned. Never called deliberate. Definitions by docs/guide/events.md.
"""

from __future__ import annotations

from math import nan

from tocsin.kernels.detect.episodes import close_episode, find_episode
from tocsin.kernels.detect.findings import US_PER_S, emit, know_motion, seconds, way_of
from tocsin.kernels.jit import kernel
from tocsin.kernels.tables import GAP, GAP_ENDED, NEVER, NONE, SILENCE, VISIT, Book, Row, Rows, State
from tocsin.kernels.zones.atlas import AtlasArrays, boundary_distance_m, clearance_m


@kernel
def agreed_us(state: State, book: Book, feed: int, r: int) -> int:
    """Return after how long a gap rule calls a track silent whose last fix a feed brought: the next is due from it."""
    silent_us: int = book.silent_us[state.feed_class[feed], r]
    return silent_us


@kernel
def is_unobserved(state: State, book: Book, leg: Row, zone: int) -> bool:
    """Return True if the two fixes of a way lie so far apart that what lies between is unobserved, for a zone."""
    longest_us: int = book.unobserved_us[state.feed_class[leg.from_feed], zone]
    return leg.to_us - leg.from_us > longest_us


@kernel
def silences(state: State, book: Book, leg: Row, zone: int, visit_us: int, found: Rows, n: int) -> int:
    """Write the end of a silence inside this zone, and its begin if nobody has said it yet."""
    for r in range(book.zones[zone].rules_from, book.zones[zone].rules_to):
        rule = book.rules[r]
        if rule.code != GAP or leg.to_us - leg.from_us <= rule.after_us:
            continue
        after_us = agreed_us(state, book, leg.from_feed, r)
        if leg.to_us - leg.from_us <= after_us:
            continue
        e = find_episode(state.episodes, state.tracks[leg.track].episodes, SILENCE, r)
        if e == NONE:
            n = silence(state.tracks[leg.track], leg.track, rule, after_us, found, n)
        else:
            close_episode(state, leg.track, e)
        n = emit(found, n, leg, GAP_ENDED, rule.place, zone, leg.to_us, leg.to_lat_deg, leg.to_lon_deg, leg.from_us)
        found[n - 1].value[0] = seconds(leg.from_us, leg.to_us)
        found[n - 1].value[1] = after_us / US_PER_S
        found[n - 1].value[2] = way_of(leg)[0]
        found[n - 1].value[3] = 0.0  # it was inside
        found[n - 1].unobserved = 1
    return n


@kernel
def silence(last: Row, track: int, rule: Row, after_us: int, found: Rows, n: int) -> int:
    """Write the begin of a silence: the same row whether the watermark or the next report tells it."""
    row = found[n]
    row.code, row.rule, row.zone, row.track = GAP, rule.place, rule.zone, track
    row.feed, row.party, row.category = last.feed, last.party, last.category
    row.at_us = row.known_us = last.observed_us + after_us
    row.visit_us = row.before_us = last.observed_us
    row.lat_deg, row.lon_deg, row.accuracy_m = last.lat_deg, last.lon_deg, last.accuracy_m
    row.before_lat_deg, row.before_lon_deg = last.lat_deg, last.lon_deg
    row.after_us, row.after_lat_deg, row.after_lon_deg = NEVER, nan, nan
    row.exemption, row.unobserved = last.exemption, 1
    row.value[0], row.value[1], row.value[2], row.value[3] = after_us / US_PER_S, nan, nan, nan
    return n + 1


@kernel
def _could_count(book: Book, leg: Row, zone: int) -> bool:
    """Return True if a zone was in force at some time of a silence, and no known altitude tells that it was not meant.

    The altitude tells if both fixes have one and both lie above the band, or both below.
    """
    limits = book.zones[zone]
    above = leg.from_alt_m > limits.upper_m and leg.to_alt_m > limits.upper_m
    below = leg.from_alt_m < limits.lower_m and leg.to_alt_m < limits.lower_m
    if limits.exempts or above or below:
        return False
    for w in range(limits.windows_from, limits.windows_to):
        if book.windows_us[w, 0] < leg.to_us and leg.from_us < book.windows_us[w, 1]:
            return True
    return False


@kernel
def was_reachable(state: State, atlas: AtlasArrays, book: Book, leg: Row, binds: Rows, first: int, found: Rows,
                  n: int) -> int:  # fmt: skip
    """Write the end of a silence outside of each zone into which the track could have gone, and back, meanwhile.

    Parameters
    ----------
    binds : ndarray, shape (zones of the book,), uint8
        Whom each zone is about, for this track.
    first : int
        Where this fix's findings begin: a zone of which one tells of this very way has been told already. An exit from
        an earlier way does not count: the watermark may have told it before (DESIGN P2).

    Notes
    -----
    Called for ways longer than the shortest agreed gap only. The track's own speed is the highest it is known to have
    had: at either fix, or on the way between them.
    """
    know_motion(leg)
    gap_s, last = seconds(leg.from_us, leg.to_us), state.tracks[leg.track]
    way_m = way_of(leg)[0]
    speed_mps = way_m / gap_s
    for known_mps in (last.speed_mps, leg.speed_mps):
        if known_mps > speed_mps:  # noqa: PLR1730 - false for NaN, which max would hand on
            speed_mps = known_mps
    reach_m = speed_mps * gap_s
    near_m = clearance_m(atlas, leg.from_lat_deg, leg.from_lon_deg) + clearance_m(atlas, leg.to_lat_deg, leg.to_lon_deg)
    if near_m > reach_m:
        return n
    for r in range(len(book.rules)):
        rule = book.rules[r]
        if rule.code != GAP or leg.to_us - leg.from_us <= rule.after_us or not binds[rule.zone]:
            continue
        after_us = agreed_us(state, book, leg.from_feed, r)
        if leg.to_us - leg.from_us <= after_us:
            continue
        if find_episode(state.episodes, last.episodes, VISIT, rule.zone) != NONE or not _could_count(
            book, leg, rule.zone
        ):
            continue
        told = False
        for i in range(first, n):
            told = told or (found[i].zone == rule.zone and found[i].after_us == leg.to_us)
        if told:
            continue
        detour_m = boundary_distance_m(atlas, rule.zone, leg.from_lat_deg, leg.from_lon_deg)
        if detour_m <= reach_m:
            detour_m += boundary_distance_m(atlas, rule.zone, leg.to_lat_deg, leg.to_lon_deg)
        if detour_m > reach_m:
            continue
        n = emit(
            found, n, leg, GAP_ENDED, rule.place, rule.zone, leg.to_us, leg.to_lat_deg, leg.to_lon_deg, leg.from_us
        )
        found[n - 1].value[0] = gap_s
        found[n - 1].value[1] = after_us / US_PER_S
        found[n - 1].value[2] = way_m
        found[n - 1].value[3] = detour_m / gap_s
        found[n - 1].unobserved = 1
    return n
