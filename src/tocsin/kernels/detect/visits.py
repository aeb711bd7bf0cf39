"""Visits: what one way between two fixes did at one zone.

Entry, exit, crossing, first seen inside, and the zone's own beginning and end come from the spans in which the zone
counted; silences, slow spells and the time inside are kept while a visit lasts. Definitions by docs/guide/events.md.
"""

from __future__ import annotations

from math import nan

import numpy as np

from tocsin.kernels.detect.episodes import close_episode, close_rules, find_episode, open_episode
from tocsin.kernels.detect.findings import (
    US_PER_S,
    emit,
    instant_on_way,
    place_on_way,
    seconds,
)
from tocsin.kernels.detect.leaving import certain_at, exit_certain, forget_leaving, leave, look_if_clear
from tocsin.kernels.detect.quiet import widen
from tocsin.kernels.detect.silences import is_unobserved, silences
from tocsin.kernels.detect.spans import (
    BY_KNOWLEDGE,
    BY_TRACK,
    BY_ZONE,
    SINCE_BEFORE,
    STILL,
    even_out,
    in_force,
    next_change_us,
    spans_on_way,
)
from tocsin.kernels.detect.stays import is_any_speed, note_spell, spells
from tocsin.kernels.earth.geodesic import inverse_m
from tocsin.kernels.forecast.vigil import DUE
from tocsin.kernels.jit import kernel
from tocsin.kernels.tables import (
    APPROACHING,
    CROSSING,
    CYCLE,
    DWELL,
    ENTRY,
    FIRST_SEEN_INSIDE,
    FOREVER,
    GAP,
    LEAVING,
    LOITER,
    NEVER,
    NONE,
    SPELL,
    STOPPED,
    VISIT,
    ZONE_BEGAN,
    ZONE_ENDED,
    Book,
    Row,
    Rows,
    State,
    Work,
)
from tocsin.kernels.zones.atlas import AtlasArrays


@kernel
def _spans(book: Book, work: Work, zone: int, inside_from: bool, inside_to: bool, counted: bool) -> int:
    """Write the spans in which a zone counted on this way, taking its flips out of the list; return how many."""
    leg, own = work.leg[0], 0
    for j in range(len(work.flip_zone)):
        if work.flip_s[j] > 1.0:
            break
        if work.flip_zone[j] == zone:
            work.own_s[own] = work.flip_s[j]
            work.flip_zone[j] = NONE
            own += 1
    own = even_out(work.own_s, own, inside_from != inside_to)
    return spans_on_way(
        book.zones[zone], book.windows_us, work.own_s, own, inside_from, inside_to, counted, leg.from_us, leg.to_us,
        leg.from_alt_m, leg.to_alt_m, work.s, work.what, work.span, work.by,
    )  # fmt: skip


@kernel
def _begin(book: Book, work: Work, zone: int, span: int, found: Rows, n: int) -> int:
    """Write how a span began: by entry, by the zone's own window, or by a fix that told it."""
    leg, by, s = work.leg[0], work.by[span, 0], work.span[span, 0]
    code = ZONE_BEGAN if by == BY_ZONE else (FIRST_SEEN_INSIDE if by == BY_KNOWLEDGE else ENTRY)
    if by == BY_KNOWLEDGE:
        s = 1.0
    at_us = instant_on_way(leg, s)
    lat_deg, lon_deg = place_on_way(leg, s)
    return emit(found, n, leg, code, book.zones[zone].entry, zone, at_us, lat_deg, lon_deg, at_us)


@kernel
def _zone_ended(book: Book, work: Work, zone: int, span: int, visit_us: int, found: Rows, n: int) -> int:
    """Write that the zone's own window ended around the track."""
    leg, s = work.leg[0], work.span[span, 1]
    at_us = instant_on_way(leg, s)
    lat_deg, lon_deg = place_on_way(leg, s)
    n = emit(found, n, leg, ZONE_ENDED, book.zones[zone].exit, zone, at_us, lat_deg, lon_deg, visit_us)
    found[n - 1].value[2] = seconds(visit_us, at_us)
    found[n - 1].exemption = leg.from_exemption
    return n


@kernel
def _cross(book: Book, work: Work, zone: int, span: int, found: Rows, n: int) -> int:
    """Write a span with both its ends between the two fixes, both of them the track's doing: a crossing."""
    leg, s_in, s_out = work.leg[0], work.span[span, 0], work.span[span, 1]
    in_us, out_us = instant_on_way(leg, s_in), instant_on_way(leg, s_out)
    lat_deg, lon_deg = place_on_way(leg, s_in)
    out_lat_deg, out_lon_deg = place_on_way(leg, s_out)
    n = emit(found, n, leg, CROSSING, book.zones[zone].crossing, zone, in_us, lat_deg, lon_deg, in_us)
    found[n - 1].value[2] = seconds(in_us, out_us)
    found[n - 1].value[3] = inverse_m(lat_deg, lon_deg, out_lat_deg, out_lon_deg)[0]
    if leg.from_exemption == NONE:
        found[n - 1].exemption = NONE
    return n


@kernel
def _dwells(
    state: State, book: Book, leg: Row, zone: int, visit_us: int, judged_us: int, until_us: int, found: Rows, n: int
) -> int:
    """Write each agreed time inside that a visit filled after `judged_us` and by `until_us`: once, by arithmetic."""
    for r in range(book.zones[zone].rules_from, book.zones[zone].rules_to):
        rule = book.rules[r]
        due_us = visit_us + rule.after_us
        if rule.code != DWELL or not judged_us < due_us <= until_us:
            continue
        s = 1.0 if leg.first else (due_us - leg.from_us) / (leg.to_us - leg.from_us)
        lat_deg, lon_deg = place_on_way(leg, s)
        n = emit(found, n, leg, DWELL, rule.place, zone, due_us, lat_deg, lon_deg, visit_us)
        found[n - 1].value[1] = seconds(visit_us, until_us)
        found[n - 1].value[2] = rule.after_us / US_PER_S
        found[n - 1].unobserved = is_unobserved(state, book, leg, zone)
    return n


@kernel
def _walk(
    state: State, book: Book, work: Work, zone: int, spans: int, visit_us: int, judged_us: int, found: Rows, n: int
) -> tuple[int, int, int]:
    """Write what the spans of one way mean; return the count, the visit's start and until when it has been judged."""
    leg = work.leg[0]
    for span in range(spans):
        ends = work.span[span, 1] != STILL
        crossed = work.span[span, 0] != SINCE_BEFORE and ends and visit_us == NEVER
        if crossed and work.by[span, 0] == BY_TRACK and work.by[span, 1] == BY_TRACK:
            n = _cross(book, work, zone, span, found, n)
            continue
        if work.span[span, 0] != SINCE_BEFORE:
            if visit_us == NEVER:
                n = _begin(book, work, zone, span, found, n)
                visit_us = found[n - 1].at_us
            else:
                forget_leaving(state, leg.track, zone)  # it came back before it was clear
        if ends:
            until_us = instant_on_way(leg, work.span[span, 1])
            n = _dwells(state, book, leg, zone, visit_us, judged_us, until_us, found, n)
            judged_us = until_us
        if ends and work.by[span, 1] == BY_ZONE:
            n = _zone_ended(book, work, zone, span, visit_us, found, n)
            close_rules(state, book, leg.track, zone)
            visit_us = NEVER
        elif ends:
            leave(state, book, leg, zone, work.span[span, 1])
    return n, visit_us, judged_us


@kernel
def _steady(book: Book, work: Work, zone: int) -> bool:
    """Return True if nothing about a zone changed on this way: no edge of it crossed, no band, in force all along."""
    leg, limits, j = work.leg[0], book.zones[zone], 0
    while work.flip_s[j] <= 1.0:
        if work.flip_zone[j] == zone:
            return False
        j += 1
    if limits.banded:
        return False
    for w in range(limits.windows_from, limits.windows_to):
        if book.windows_us[w, 0] <= leg.from_us and leg.to_us < book.windows_us[w, 1]:
            return True
    return False


@kernel
def at_zone(state: State, atlas: AtlasArrays, book: Book, work: Work, zone: int, visit: int, kinds: int,
            inside_to: bool, bound: bool, found: Rows, n: int) -> int:  # fmt: skip
    """Decide what one way did at one zone, keep the visit, and write what was found.

    `kinds` are those of the track's episodes (`kinds_of`) before this way; a zone's own are looked for only if any are.
    """
    leg, limits, track = work.leg[0], book.zones[zone], state.tracks[work.leg[0].track]
    inside_from = visit != NONE and state.episodes[visit].raised != 0
    visit_us = state.episodes[visit].began_us if visit != NONE else NEVER
    judged_us = state.episodes[visit].clear_us if visit != NONE else NEVER
    leaving, leaves = NONE, kinds >> LEAVING & 1 != 0
    if leaves:
        leaving = find_episode(state.episodes, track.episodes, LEAVING, zone)
    if leaving != NONE and NEVER < certain_at(book, state.episodes[leaving]) < leg.to_us:
        n = exit_certain(state, book, leg.track, zone, visit_us, leaving, nan, found, n)
        visit_us, leaving = NEVER, NONE
    counted = visit_us != NEVER and leaving == NONE
    if counted:
        n = silences(state, book, leg, zone, visit_us, found, n)
    if counted and inside_from and inside_to and _steady(book, work, zone):
        state.episodes[visit].clear_us = leg.to_us
        n = spells(state, book, leg, zone, kinds >> SPELL & 1 != 0, found, n)
        return _dwells(state, book, leg, zone, visit_us, judged_us, leg.to_us, found, n)
    watched, first = (bound or visit_us != NEVER) and not limits.exempts, n
    spans = _spans(book, work, zone, inside_from, inside_to, counted) if watched else 0
    if not (spans > 0 and work.span[0, 0] == SINCE_BEFORE and work.span[spans - 1, 1] == STILL):
        n, visit_us, judged_us = _walk(state, book, work, zone, spans, visit_us, judged_us, found, n)
        leaves = leaves or spans > 0
    if is_unobserved(state, book, leg, zone):
        for i in range(first, n):
            found[i].unobserved = 1
    if leaves:
        leaving = find_episode(state.episodes, track.episodes, LEAVING, zone)
    if leaving != NONE:
        look_if_clear(state, atlas, book, leg, zone, inside_to, leaving)
        if NEVER < certain_at(book, state.episodes[leaving]) <= leg.to_us:
            way_m = leg.way_m if state.episodes[leaving].began_us > leg.from_us else nan  # it left on this way
            n = exit_certain(state, book, leg.track, zone, visit_us, leaving, way_m, found, n)
            visit_us, leaving = NEVER, NONE
    if not inside_to and leaving == NONE:
        if visit != NONE:
            close_rules(state, book, leg.track, zone)
            close_episode(state, leg.track, visit)
        return n
    if visit == NONE:
        visit = open_episode(state, leg.track, VISIT, zone, visit_us, leg.to_lat_deg, leg.to_lon_deg)
    state.episodes[visit].began_us, state.episodes[visit].raised = visit_us, inside_to
    if visit_us != NEVER and leaving == NONE:
        n = spells(state, book, leg, zone, kinds >> SPELL & 1 != 0, found, n)
        n = _dwells(state, book, leg, zone, visit_us, judged_us, leg.to_us, found, n)
        judged_us = leg.to_us
    state.episodes[visit].clear_us = judged_us
    return n


@kernel
def first_seen(state: State, book: Book, work: Work, zone: int, bound: bool, found: Rows, n: int) -> int:
    """Open the visit of a track whose first fix lies in a zone."""
    leg, limits = work.leg[0], book.zones[zone]
    known = not limits.banded or limits.lower_m <= leg.to_alt_m <= limits.upper_m
    counts = bound and known and in_force(book.windows_us, limits.windows_from, limits.windows_to, leg.to_us)
    counts = counts and not limits.exempts
    visit_us = leg.to_us if counts else NEVER
    visit = open_episode(state, leg.track, VISIT, zone, visit_us, leg.to_lat_deg, leg.to_lon_deg)
    state.episodes[visit].raised = 1
    if counts:
        n = emit(
            found, n, leg, FIRST_SEEN_INSIDE, limits.entry, zone, leg.to_us, leg.to_lat_deg, leg.to_lon_deg, visit_us
        )
        n = spells(state, book, leg, zone, False, found, n)
    return n


@kernel
def note_quiet(state: State, book: Book, track: int, now_us: int) -> None:
    """Note until when, and while what holds, a track's reports change nothing as long as no edge is near.

    Its box holds its last fix already, and is narrowed anew.
    """
    row = state.tracks[track]
    widen(row)
    row.quiet_until_us, row.quiet_gap_us, row.quiet_speed_mps = FOREVER, book.gap_us, 0.0
    e = row.episodes
    while e != NONE:
        episode = state.episodes[e]
        e = episode.next
        if episode.kind == CYCLE:
            continue
        if episode.kind == SPELL:
            note_spell(book, row, episode)
            continue
        if episode.kind == APPROACHING:
            if episode.standing == DUE:
                row.quiet_until_us = min(row.quiet_until_us, episode.began_us)
            continue
        zone = book.zones[episode.key]
        if episode.kind != VISIT or zone.banded:
            row.quiet_until_us = NEVER
            return
        row.quiet_until_us = min(row.quiet_until_us, next_change_us(book.windows_us, zone, now_us))
        if episode.began_us == NEVER:
            continue
        for r in range(zone.rules_from, zone.rules_to):
            rule = book.rules[r]
            if rule.code == GAP:
                row.quiet_gap_us = min(row.quiet_gap_us, rule.after_us)
            elif rule.code == DWELL and episode.began_us + rule.after_us > now_us:
                row.quiet_until_us = min(row.quiet_until_us, episode.began_us + rule.after_us)
            elif rule.code in (LOITER, STOPPED) and not is_any_speed(rule):
                row.quiet_speed_mps = max(row.quiet_speed_mps, np.float32(rule.speed_hi_mps))
