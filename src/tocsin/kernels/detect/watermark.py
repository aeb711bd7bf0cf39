"""Watermark: what time alone tells of each track, when no report of it is older than some instant.

Exits that have become certain, silences grown too long, and approaches that fell due while no fix came: the same rows
that the next fix would have told (DESIGN P2).
"""

from __future__ import annotations

from math import nan

from tocsin.kernels.detect.approaches import fall_due
from tocsin.kernels.detect.episodes import close_episode, find_episode, kinds_of, open_episode
from tocsin.kernels.detect.leaving import certain_at, exit_certain
from tocsin.kernels.detect.silences import agreed_us, silence
from tocsin.kernels.forecast.vigil import DUE
from tocsin.kernels.jit import kernel
from tocsin.kernels.tables import (
    APPROACHING,
    DONE,
    FOREVER,
    GAP,
    LEAVING,
    NEVER,
    NONE,
    SILENCE,
    VISIT,
    WANTS_EPISODES,
    WANTS_ROOM,
    WANTS_WORK,
    Book,
    Desk,
    Rows,
    State,
)


@kernel
def length(state: State, head: int) -> int:
    """Return how many episodes a track has."""
    n = 0
    while head != NONE:
        n, head = n + 1, state.episodes[head].next
    return n


@kernel
def _most(state: State, book: Book, head: int) -> int:
    """Return how many rows, and episodes, the watermark can need for a track at most."""
    n = 0
    while head != NONE:
        row = state.episodes[head]
        n, head = n + 1, row.next
        if row.kind == VISIT and row.began_us != NEVER:
            n += book.zones[row.key].rules_to - book.zones[row.key].rules_from
    return n


@kernel
def due_us(state: State, book: Book, track: int) -> int:
    """Return the instant that the watermark must pass to tell something of a track by itself, or FOREVER.

    What `_time_passes` and `fall_due` look for; a later fix may put it off, and bring it forward only if another feed
    brought it, of which less silence was agreed.
    """
    soonest_us, last = FOREVER, state.tracks[track]
    is_silent, e = kinds_of(state.episodes, last.episodes) >> SILENCE & 1 != 0, last.episodes
    while e != NONE:
        row = state.episodes[e]
        e = row.next
        if row.kind == LEAVING and row.clear_us != NEVER:
            soonest_us = min(soonest_us, certain_at(book, row))
        elif row.kind == APPROACHING and row.standing == DUE:
            soonest_us = min(soonest_us, row.began_us)
        elif row.kind == VISIT and row.began_us != NEVER:
            for r in range(book.zones[row.key].rules_from, book.zones[row.key].rules_to):
                rule = book.rules[r]
                if rule.code != GAP:
                    continue
                if not is_silent or find_episode(state.episodes, last.episodes, SILENCE, r) == NONE:
                    soonest_us = min(soonest_us, last.observed_us + agreed_us(state, book, last.feed, r))
    return soonest_us


@kernel
def _time_passes(state: State, book: Book, track: int, visit: int, watermark_us: int, found: Rows, n: int) -> int:
    """Write what the watermark tells of one visit: an exit that has become certain, or silences grown too long."""
    zone, visit_us, last = state.episodes[visit].key, state.episodes[visit].began_us, state.tracks[track]
    leaving = find_episode(state.episodes, last.episodes, LEAVING, zone)
    if leaving != NONE:
        if NEVER < certain_at(book, state.episodes[leaving]) < watermark_us:
            n = exit_certain(state, book, track, zone, visit_us, leaving, nan, found, n)
            state.episodes[visit].began_us = NEVER
            if not state.episodes[visit].raised:
                close_episode(state, track, visit)
        return n
    for r in range(book.zones[zone].rules_from, book.zones[zone].rules_to):
        rule = book.rules[r]
        if rule.code != GAP or watermark_us - last.observed_us <= rule.after_us:
            continue
        after_us = agreed_us(state, book, last.feed, r)
        if watermark_us - last.observed_us <= after_us:
            continue
        if find_episode(state.episodes, last.episodes, SILENCE, r) == NONE:
            open_episode(state, track, SILENCE, r, last.observed_us, last.lat_deg, last.lon_deg)
            n = silence(last, track, rule, after_us, found, n)
    return n


@kernel
def pass_time(desk: Desk, start: int, watermark_us: int, found: Rows, n: int) -> tuple[int, int, int]:
    """Write what the watermark alone tells, from track `start` on.

    Exits that are certain now, silences grown too long, and approaches that fell due while no fix came.

    Returns
    -------
    next, n, why : int
        As of `sweep`, with a track in the place of a report.
    """
    state, atlas, book, work = desk.state, desk.atlas, desk.book, desk.work
    soonest_us = FOREVER if start == 0 else NEVER  # begun in the middle, it does not know of all
    state.due_us[0] = NEVER
    for k in range(start, len(state.tracks)):
        if state.tracks[k].episodes == NONE:
            continue
        if length(state, state.tracks[k].episodes) > len(work.left):
            return k, n, WANTS_WORK
        room = _most(state, book, state.tracks[k].episodes)
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
        soonest_us = min(soonest_us, due_us(state, book, k))
    state.due_us[0] = soonest_us
    return len(state.tracks), n, DONE


@kernel
def due_before(desk: Desk, start: int, now_us: int, found: Rows, n: int) -> tuple[int, int, int]:
    """Write the approaches that fell due before an instant, as far as is known, from track `start` on.

    Returns
    -------
    next, n, why : int
        As of `pass_time`.
    """
    state = desk.state
    for k in range(start, len(state.tracks)):
        head = state.tracks[k].episodes
        if head == NONE:
            continue
        if len(found) - n < length(state, head):
            return k, n, WANTS_ROOM
        n = fall_due(state, desk.atlas, desk.book, k, now_us, found, n)
    return len(state.tracks), n, DONE
