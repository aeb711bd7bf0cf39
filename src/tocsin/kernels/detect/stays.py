"""Stays: the slow and confined spells of a track that counts as inside a zone: loitering and stopping.

A spell lasts while the track has the speed of the rule and, if the rule says so, stays near where the spell began; it
ends with a silence. Definitions by docs/guide/events.md. What a visit is, is decided in `visits.py`.
"""

from __future__ import annotations

from math import inf, isnan, nan

import numpy as np

from tocsin.kernels.detect.episodes import close_episode, find_episode, open_episode
from tocsin.kernels.detect.findings import US_PER_S, emit, is_between, is_farther, seconds
from tocsin.kernels.detect.quiet import confine, least_m2, most_m2, widen
from tocsin.kernels.detect.silences import is_unobserved
from tocsin.kernels.forecast.motion import POLAR_DEG
from tocsin.kernels.jit import kernel
from tocsin.kernels.numbers.trig import RAD_PER_DEG
from tocsin.kernels.tables import LOITER, NEVER, NONE, SPELL, STOPPED, VISIT, Book, Row, Rows, State, Work
from tocsin.kernels.zones.crossings import DEGREE_M

MANY = 62
"""Rules of a zone that a word has a bit for; dimensionless."""

SQUARE, FLAT_M = 0.68, 20_000.0
"""A box reaching this share of a distance each way lies within it: at a corner it is 0.96 of it on a plane, and as far
as this, metres, and not nearer to a pole than `POLAR_DEG`, the ellipsoid leaves the plane by less than the rest."""


@kernel
def is_any_speed(rule: Row) -> bool:
    """Return True if a spell may have any speed, even one that nobody knows."""
    return rule.speed_lo_mps <= 0.0 and rule.speed_hi_mps == inf


@kernel
def _is_slow(leg: Row, rule: Row) -> bool:
    """Return True if a track has the speed of a rule's spells."""
    return is_any_speed(rule) or is_between(leg, rule.speed_lo_mps, rule.speed_hi_mps)


@kernel
def _has_strayed(leg: Row, rule: Row, spell: Row) -> bool:
    """Return True if a track has left the surroundings, if the rule has any, of where its spell began."""
    return not isnan(rule.radius_m) and _is_beyond(spell, rule.radius_m, leg.to_lat_deg, leg.to_lon_deg)


@kernel
def _is_beyond(spell: Row, radius_m: float, lat_deg: float, lon_deg: float) -> bool:
    """Return True if a place lies farther than a distance from where a spell began."""
    if least_m2(spell.lat_deg, spell.lon_deg, lat_deg, lon_deg) > radius_m * radius_m:
        return True
    if most_m2(spell.lat_deg, spell.lon_deg, lat_deg, lon_deg) < radius_m * radius_m:
        return False
    return is_farther(spell.lat_deg, spell.lon_deg, lat_deg, lon_deg, radius_m)


@kernel
def _tell_if_long(leg: Row, rule: Row, spell: Row, found: Rows, n: int) -> int:
    """Write a spell that has lasted long enough, once."""
    if spell.raised == 0 and leg.to_us - spell.began_us >= rule.after_us:
        spell.raised = 1
        at_us = spell.began_us + rule.after_us
        lat_deg, lon_deg = leg.to_lat_deg, leg.to_lon_deg
        n = emit(found, n, leg, rule.code, rule.place, rule.zone, at_us, lat_deg, lon_deg, spell.began_us)
        found[n - 1].value[1] = seconds(spell.began_us, leg.to_us)
        found[n - 1].value[2] = rule.after_us / US_PER_S
    return n


@kernel
def spells(state: State, book: Book, leg: Row, zone: int, has_any: bool, found: Rows, n: int) -> int:
    """Keep the slow or confined spells of a track that counts as inside, and write each that has lasted long enough.

    `has_any` may be False if the track had no spell at all before this way.
    """
    first, last, seen, e = book.zones[zone].rules_from, book.zones[zone].rules_to, np.int64(0), NONE
    if has_any:
        e = state.tracks[leg.track].episodes
    while e != NONE:
        row, following = state.episodes[e], state.episodes[e].next
        if row.kind == SPELL and first <= row.key < last:
            rule = book.rules[row.key]
            if not _is_slow(leg, rule):
                close_episode(state, leg.track, e)
            elif is_unobserved(state, book, leg, zone) or _has_strayed(leg, rule, row):
                row.began_us, row.lat_deg, row.lon_deg, row.raised = leg.to_us, leg.to_lat_deg, leg.to_lon_deg, 0
            else:
                n = _tell_if_long(leg, rule, row, found, n)
            seen |= np.int64(1) << min(row.key - first, MANY)
        e = following
    for r in range(first, last):
        rule = book.rules[r]
        if rule.code not in (LOITER, STOPPED) or (r - first < MANY and seen >> (r - first) & 1 != 0):
            continue
        if r - first >= MANY and find_episode(state.episodes, state.tracks[leg.track].episodes, SPELL, r) != NONE:
            continue
        if _is_slow(leg, rule):
            open_episode(state, leg.track, SPELL, r, leg.to_us, leg.to_lat_deg, leg.to_lon_deg)
    return n


@kernel
def stay(state: State, book: Book, work: Work, found: Rows, n: int) -> int:
    """Keep the spells of a track of which nothing else can have changed: what `spells` does for each of its visits.

    In one walk along its list: no visit of it is without the spells that any speed makes.
    """
    leg, visits, e = work.leg[0], 0, state.tracks[work.leg[0].track].episodes
    while e != NONE:
        row, following = state.episodes[e], state.episodes[e].next
        if row.kind == VISIT and row.began_us != NEVER:
            work.left[visits] = row.key
            visits += 1
        elif row.kind == SPELL:
            rule = book.rules[row.key]
            if not _is_slow(leg, rule):
                close_episode(state, leg.track, e)
            elif _has_strayed(leg, rule, row):
                row.began_us, row.lat_deg, row.lon_deg, row.raised = leg.to_us, leg.to_lat_deg, leg.to_lon_deg, 0
            else:
                n = _tell_if_long(leg, rule, row, found, n)
        e = following
    for v in range(visits):
        zone = book.zones[work.left[v]]
        for r in range(zone.rules_from, zone.rules_to):
            rule = book.rules[r]
            if rule.code not in (LOITER, STOPPED) or is_any_speed(rule) or not _is_slow(leg, rule):
                continue
            if find_episode(state.episodes, state.tracks[leg.track].episodes, SPELL, r) == NONE:
                open_episode(state, leg.track, SPELL, r, leg.to_us, leg.to_lat_deg, leg.to_lon_deg)
    return n


@kernel
def _confine(row: Row, spell: Row, radius_m: float) -> None:
    """Narrow a track's box to one that lies within a distance of where a spell began; see `SQUARE`."""
    confine(row)
    if isnan(row.free_south_deg):
        return
    if abs(spell.lat_deg) > POLAR_DEG:
        row.free_south_deg = nan
        return
    north_deg = SQUARE * min(radius_m, FLAT_M) / DEGREE_M
    square = (spell.lat_deg * RAD_PER_DEG) * (spell.lat_deg * RAD_PER_DEG)
    cosine = 1.0 - square * (0.5 - square / 24.0)  # no cosine is above this
    east_deg = north_deg / (cosine + north_deg * RAD_PER_DEG)  # the cosine nearest to the equator
    row.free_south_deg = max(row.free_south_deg, spell.lat_deg - north_deg)
    row.free_north_deg = min(row.free_north_deg, spell.lat_deg + north_deg)
    row.free_west_deg = max(row.free_west_deg, spell.lon_deg - east_deg)
    row.free_east_deg = min(row.free_east_deg, spell.lon_deg + east_deg)


@kernel
def wander(state: State, book: Book, row: Row) -> None:
    """Do what `stay` and `note_quiet` do for a track that can only have strayed: too fast for every spell with a speed.

    Its box holds the new fix already, and is narrowed anew. Until when it is quiet stays as it was unless that would be
    too long.
    """
    widen(row)
    e = row.episodes
    while e != NONE:
        spell = state.episodes[e]
        e = spell.next
        if spell.kind != SPELL:
            continue
        rule = book.rules[spell.key]
        if isnan(rule.radius_m):
            continue
        if _is_beyond(spell, rule.radius_m, row.lat_deg, row.lon_deg):
            spell.began_us, spell.lat_deg, spell.lon_deg, spell.raised = row.observed_us, row.lat_deg, row.lon_deg, 0
            row.quiet_until_us = min(row.quiet_until_us, row.observed_us + rule.after_us)
        _confine(row, spell, rule.radius_m)


@kernel
def note_spell(book: Book, row: Row, spell: Row) -> None:
    """Note while what holds a spell neither ends nor has lasted long enough."""
    rule = book.rules[spell.key]
    for feed in range(len(book.unobserved_us)):
        row.quiet_gap_us = min(row.quiet_gap_us, book.unobserved_us[feed, rule.zone])
    if spell.raised == 0:
        row.quiet_until_us = min(row.quiet_until_us, spell.began_us + rule.after_us)
    if not is_any_speed(rule):
        row.quiet_speed_mps = inf
    elif rule.radius_m == rule.radius_m:
        _confine(row, spell, rule.radius_m)
