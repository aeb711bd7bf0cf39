"""Leaving: an exit that is not certain yet (warn early, clear late).

A track that has left a zone is clear of it once it has been outside, farther from the edge than its own accuracy and
the agreed margin, and for the agreed time. Until then the visit goes on: a track that comes back has not left. The
exit, once certain, is dated to the crossing; the moment it became certain is when it was known. Definitions by
docs/guide/events.md.
"""

from __future__ import annotations

from math import isnan

import numpy as np

from tocsin.kernels.detect.episodes import close_episode, close_rules, find_episode, open_episode
from tocsin.kernels.detect.findings import US_PER_S, instant_on_way, place_on_way, seconds
from tocsin.kernels.detect.silences import is_unobserved
from tocsin.kernels.earth.geodesic import inverse_m
from tocsin.kernels.jit import kernel
from tocsin.kernels.tables import EXIT, LEAVING, LEFT_FROM, LEFT_TO, NEVER, NONE, Book, Row, Rows, State
from tocsin.kernels.zones.atlas import AtlasArrays, boundary_distance_m


@kernel
def leave(state: State, book: Book, leg: Row, zone: int, s: float) -> None:
    """Note that a track has left a zone on its way, at the fraction s."""
    forget_leaving(state, leg.track, zone)
    lat_deg, lon_deg = place_on_way(leg, s)
    open_episode(state, leg.track, LEFT_FROM, zone, leg.from_us, leg.from_lat_deg, leg.from_lon_deg)
    open_episode(state, leg.track, LEFT_TO, zone, leg.to_us, leg.to_lat_deg, leg.to_lon_deg)
    e = open_episode(state, leg.track, LEAVING, zone, instant_on_way(leg, s), lat_deg, lon_deg)
    state.episodes[e].exemption = leg.from_exemption
    state.episodes[e].raised = is_unobserved(state, book, leg, zone)


@kernel
def forget_leaving(state: State, track: int, zone: int) -> None:
    """Forget a leaving: the track came back, or its exit has been written."""
    for kind in (LEAVING, LEFT_FROM, LEFT_TO):
        e = find_episode(state.episodes, state.tracks[track].episodes, kind, zone)
        if e != NONE:
            close_episode(state, track, e)


@kernel
def look_if_clear(
    state: State, atlas: AtlasArrays, book: Book, leg: Row, zone: int, inside: bool, leaving: int
) -> None:
    """Note at a new fix since when the track has been clear of the zone it is leaving."""
    row, margin_m = state.episodes[leaving], book.zones[zone].clear_m
    if leg.accuracy_m > 0.0:  # false for NaN
        margin_m += leg.accuracy_m
    clear = inside or margin_m <= 0.0  # inside the polygon: it left by its altitude
    if not clear:
        clear = boundary_distance_m(atlas, zone, leg.to_lat_deg, leg.to_lon_deg) > margin_m
    if not clear:
        row.clear_us = NEVER
    elif row.clear_us == NEVER:
        row.clear_us = leg.to_us


@kernel
def certain_at(book: Book, leaving: Row) -> int:
    """Return the instant at which an exit becomes certain if the track does not come back, or NEVER."""
    if leaving.clear_us == NEVER:
        return NEVER
    return max(leaving.clear_us, leaving.began_us + book.zones[leaving.key].clear_us)


@kernel
def exit_certain(
    state: State, book: Book, track: int, zone: int, visit_us: int, leaving: int, way_m: float, found: Rows, n: int
) -> int:
    """Write an exit that has become certain and forget the leaving: the same row whoever tells, fix or watermark.

    `way_m` is the length of the way on which it left, or NaN if that must be worked out.
    """
    row, last, left = found[n], state.tracks[track], state.episodes[leaving]
    before = state.episodes[find_episode(state.episodes, last.episodes, LEFT_FROM, zone)]
    after = state.episodes[find_episode(state.episodes, last.episodes, LEFT_TO, zone)]
    row.code, row.rule, row.zone, row.track = EXIT, book.zones[zone].exit, zone, track
    row.feed, row.party, row.category = last.feed, last.party, last.category
    row.at_us, row.known_us, row.visit_us = left.began_us, certain_at(book, left), visit_us
    row.lat_deg, row.lon_deg, row.accuracy_m = left.lat_deg, left.lon_deg, last.accuracy_m
    row.before_us, row.before_lat_deg, row.before_lon_deg = before.began_us, before.lat_deg, before.lon_deg
    row.after_us, row.after_lat_deg, row.after_lon_deg = after.began_us, after.lat_deg, after.lon_deg
    row.exemption, row.unobserved = left.exemption, left.raised
    speed_mps = last.speed_mps
    if np.isnan(speed_mps):  # not reported: that of the way on which it left
        if isnan(way_m):
            way_m = inverse_m(before.lat_deg, before.lon_deg, after.lat_deg, after.lon_deg)[0]
        speed_mps = np.float32(way_m * US_PER_S / (after.began_us - before.began_us))
    row.value[0], row.value[1] = speed_mps, last.alt_m
    row.value[2], row.value[3] = seconds(visit_us, left.began_us), np.nan
    forget_leaving(state, track, zone)
    close_rules(state, book, track, zone)
    return n + 1
