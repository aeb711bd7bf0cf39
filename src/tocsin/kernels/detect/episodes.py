"""Episodes: a track's list of what lasts (visits, slow spells, silences, approaches), in rows of one shared array.

A list costs nothing while a track is nowhere, has no upper length, and is copied with the array it lives in.
"""

from __future__ import annotations

from math import nan

import numpy as np

from tocsin.kernels.jit import kernel
from tocsin.kernels.tables import NEVER, NONE, SILENCE, SPELL, Book, Rows, State


@kernel
def find_episode(episodes: Rows, head: int, kind: int, key: int) -> int:
    """Return the track's episode of this kind and key, or NONE."""
    e = head
    while e != NONE and (episodes[e].kind != kind or episodes[e].key != key):
        e = episodes[e].next
    return e


@kernel
def open_episode(state: State, track: int, kind: int, key: int, began_us: int, lat_deg: float, lon_deg: float) -> int:
    """Open an episode at the head of the track's list and return it; the caller made sure one is free."""
    e = state.free[0]
    row = state.episodes[e]
    state.free[0] = row.next
    state.free[1] -= 1
    row.kind, row.key, row.began_us = kind, key, began_us
    row.lat_deg, row.lon_deg, row.raised, row.misses = lat_deg, lon_deg, 0, 0
    row.clear_us, row.exemption, row.standing = NEVER, NONE, 0
    row.chance = row.time_s = row.time_lo_s = row.time_hi_s = nan
    row.next = state.tracks[track].episodes
    state.tracks[track].episodes = e
    return e


@kernel
def close_episode(state: State, track: int, episode: int) -> None:
    """Take an episode out of the track's list and give it back."""
    e = state.tracks[track].episodes
    if e == episode:
        state.tracks[track].episodes = state.episodes[e].next
    else:
        while state.episodes[e].next != episode:
            e = state.episodes[e].next
        state.episodes[e].next = state.episodes[episode].next
    state.episodes[episode].next = state.free[0]
    state.episodes[episode].kind = 0
    state.free[0] = episode
    state.free[1] += 1


@kernel
def close_rules(state: State, book: Book, track: int, zone: int) -> None:
    """Close every spell and silence that belongs to a visit of this zone."""
    first, last = book.zones[zone].rules_from, book.zones[zone].rules_to
    e = state.tracks[track].episodes
    while e != NONE:
        row, following = state.episodes[e], state.episodes[e].next
        if row.kind in (SPELL, SILENCE) and first <= row.key < last:
            close_episode(state, track, e)
        e = following


@kernel
def kinds_of(episodes: Rows, head: int) -> int:
    """Return which kinds a list of episodes has: bit k for kind k."""
    kinds, e = 0, head
    while e != NONE:
        kinds |= 1 << np.int64(episodes[e].kind)
        e = episodes[e].next
    return kinds


@kernel
def copy_track(source: State, target: State, track: int) -> None:
    """Make a track in one state what it is in another; the caller made sure that enough episodes are free."""
    while target.tracks[track].episodes != NONE:
        close_episode(target, track, target.tracks[track].episodes)
    target.tracks[track] = source.tracks[track]
    target.tracks[track].episodes = NONE
    e = source.tracks[track].episodes
    while e != NONE:
        row = source.episodes[e]
        copy = open_episode(target, track, row.kind, row.key, row.began_us, row.lat_deg, row.lon_deg)
        following = target.episodes[copy].next
        target.episodes[copy] = row
        target.episodes[copy].next = following
        e = row.next
    target.due_us[0] = min(target.due_us[0], source.due_us[0])
