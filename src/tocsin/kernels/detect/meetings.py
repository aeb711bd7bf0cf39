"""Meetings: recorded ways cut at beats, and what lasts between two tracks, kept from one span of time to the next.

A *beat* is a minute of event time, from one multiple of `BEAT_US` to the next; beats are where ways are cut, so that
spans of time decided one by one give what one long span gives. `watch/detect` says what a meeting means and decides
which.
"""

from __future__ import annotations

from math import ceil, floor, isnan, nan, sqrt

import numpy as np

from tocsin.kernels.detect.silences import is_unobserved
from tocsin.kernels.detect.spans import in_force
from tocsin.kernels.earth.geodesic import direct, inverse_m, short_way
from tocsin.kernels.jit import kernel
from tocsin.kernels.pairs.pairs import earth_centred, together
from tocsin.kernels.tables import NEVER, NONE, Book, Reports, Row, Rows, State
from tocsin.kernels.zones.atlas import AtlasArrays, clearance_m, zones_at

BEAT_US = 60_000_000
"""Length of a beat, microseconds. A place is inside or outside a zone once a beat and at every fix; a shorter beat
costs more and changes nothing else."""

PIECE_M = 20_000.0
"""Longest piece of way, metres: straight, it lies at most 8 m below the ground."""
FASTEST_MPS = 1_000.0
"""A faster way between two fixes is not followed: the fastest aircraft in service reach this, a wrong fix exceeds
it."""
METRES_PER_DEGREE = 111_700.0
"""No degree of the globe is longer, metres."""

FOLLOWS_FROM_MPS = 1.0
"""Below this nobody follows anybody, metres a second: two ships adrift beside each other meet (Global Fishing Watch
calls an encounter what stays below 2 kn)."""
FOLLOWS_LIKE = 0.25
"""A follower's velocity differs from the leader's by at most this share of it: 14° of course, or a quarter of the
speed; dimensionless; more would hide one who closes in from astern."""
FOLLOWS_BEHIND = 0.866
"""The leader bears within 30° of the course of both (its cosine); dimensionless; more would hide two who go abreast."""
ONE_PLACE_M = 1.0
"""Two tracks that move alike at less than this are one mover under two names, metres."""

UNBOUND, BOUND = 1, 2
"""How a zone counts at a place: only for others than this mover, or for it too."""

PART = np.dtype(
    [
        ("from_us", "i8"),
        ("to_us", "i8"),
        ("lat_deg", "f8"),  # where it ends
        ("lon_deg", "f8"),
        ("alt_m", "f8"),
        ("beat", "i8"),
        ("leg", "i4"),
        ("exemption", "i4"),  # zone that exempts the track there, or NONE
    ],
    align=True,
)
"""What a `pairs.PIECE` is a part of."""

TOUCH = np.dtype(
    [
        ("beat", "i8"),
        ("in_us", "i8"),  # within the wider distance
        ("out_us", "i8"),
        ("near_us", "i8"),  # first within the agreed one, or NEVER
        ("closest_us", "i8"),
        ("closest_m", "f8"),
        ("a", "i4"),  # tracks, a < b; one track that stays somewhere: a = b
        ("b", "i4"),
        ("p", "i4"),  # their pieces
        ("q", "i4"),
    ],
    align=True,
)
"""Two tracks near each other within one beat."""

CONTACT = np.dtype(
    [
        ("began_us", "i8"),
        ("last_us", "i8"),  # when they were last near
        ("closest_us", "i8"),
        ("closest_m", "f8"),
        ("lat_deg", "f8"),  # where `a` was when they were last near, and what its report said
        ("lon_deg", "f8"),
        ("accuracy_m", "f4"),
        ("feed", "i4"),
        ("party", "i4"),
        ("category", "i4"),
        ("rule", "i4"),
        ("a", "i4"),
        ("b", "i4"),
        ("full", "u1"),  # 1 once it has lasted the agreed time
        ("exempt", "u1"),  # 1 if both were exempt when that was
    ],
    align=True,
)
"""Something that lasts between two tracks."""

FULL, OVER = 1, 0
"""Kinds of turn; at one instant what is over comes first."""

TURN = np.dtype(
    [
        ("beat", "i8"),
        ("at_us", "i8"),
        ("began_us", "i8"),
        ("closest_us", "i8"),
        ("closest_m", "f8"),
        ("lat_deg", "f8"),  # as of the contact
        ("lon_deg", "f8"),
        ("accuracy_m", "f4"),
        ("feed", "i4"),
        ("party", "i4"),
        ("category", "i4"),
        ("a", "i4"),
        ("b", "i4"),
        ("p", "i4"),  # pieces at that instant; NONE if it is over
        ("q", "i4"),
        ("kind", "u1"),
        ("exempt", "u1"),
    ],
    align=True,
)
"""A contact has lasted the agreed time, or one that had is over."""


@kernel
def take_legs(reports: Reports, state: State, place_of: Rows, fixes: Rows, atlas: AtlasArrays, near_m: float,
              gap_us: int, zones: Rows, legs: Rows) -> int:  # fmt: skip
    """Write the ways between fixes that come near a watched zone, in the order of reports, and return how many.

    Parameters
    ----------
    reports : Reports
    state : State
        Before these reports.
    place_of : ndarray, shape (tracks,), int32
        Scratch, all NONE; left so.
    fixes : ndarray, shape (n,), TRACK
        Scratch, as long as the reports.
    atlas : AtlasArrays
        Of the watched zones.
    near_m : float
        What is farther from every one of them does not matter.
    gap_us : int
        Two fixes further apart than this say nothing of what lies between.
    zones : ndarray, shape (m,), int64
        Scratch; one place is enough.
    legs : ndarray, shape (n,), LEG
    """
    n = used = 0
    for i in range(len(reports.track)):
        track = reports.track[i]
        if place_of[track] == NONE:
            place_of[track] = used
            fixes[used] = state.tracks[track]
            used += 1
        last = fixes[place_of[track]]
        at_us = reports.observed_us[i]
        if at_us <= last.observed_us:
            continue  # the sweep counts it, or refuses it
        leg = legs[n]
        leg.from_us, leg.from_lat_deg, leg.from_lon_deg = last.observed_us, last.lat_deg, last.lon_deg
        leg.from_alt_m, leg.to_alt_m, leg.accuracy_m = last.alt_m, reports.alt_m[i], reports.accuracy_m[i]
        if not leg.accuracy_m >= last.accuracy_m and not isnan(last.accuracy_m):
            leg.accuracy_m = last.accuracy_m
        if reports.party[i] != NONE:
            last.party = reports.party[i]
        if reports.category[i] != NONE:
            last.category = reports.category[i]
        leg.track, leg.feed, leg.from_feed = track, reports.feed[i], last.feed
        leg.party, leg.category = last.party, last.category
        leg.to_us, leg.to_lat_deg, leg.to_lon_deg = at_us, reports.lat_deg[i], reports.lon_deg[i]
        leg.speed_mps, leg.course_deg = reports.speed_mps[i], reports.course_deg[i]
        leg.from_exemption, leg.to_exemption, leg.first, leg.knows_motion = NONE, NONE, 0, 0
        leg.way_m = leg.azimuth_deg = nan
        if last.observed_us != NEVER and at_us - last.observed_us <= gap_us and _is_near(leg, atlas, near_m, zones):
            n += 1
        last.observed_us, last.lat_deg, last.lon_deg = at_us, reports.lat_deg[i], reports.lon_deg[i]
        last.alt_m, last.accuracy_m, last.feed = reports.alt_m[i], reports.accuracy_m[i], reports.feed[i]
    for i in range(len(reports.track)):
        place_of[reports.track[i]] = NONE
    return n


@kernel
def _is_near(leg: Row, atlas: AtlasArrays, near_m: float, zones: Rows) -> bool:
    """Return False if a way certainly stays farther than this from every zone."""
    north = abs(leg.to_lat_deg - leg.from_lat_deg)
    east = abs(short_way(leg.to_lon_deg - leg.from_lon_deg))
    half_m = 0.5 * METRES_PER_DEGREE * (north + east) + near_m
    clear_m = min(
        clearance_m(atlas, leg.from_lat_deg, leg.from_lon_deg), clearance_m(atlas, leg.to_lat_deg, leg.to_lon_deg)
    )
    return clear_m <= half_m or zones_at(atlas, leg.to_lat_deg, leg.to_lon_deg, zones) > 0


@kernel
def _on_leg(leg: Row, at_us: int, way_m: float, azimuth_deg: float) -> tuple[float, float]:
    """Return where a track is at an instant of a leg."""
    if at_us <= leg.from_us or way_m == 0.0:
        return leg.from_lat_deg, leg.from_lon_deg
    if at_us >= leg.to_us:
        return leg.to_lat_deg, leg.to_lon_deg
    gone_m = way_m * ((at_us - leg.from_us) / (leg.to_us - leg.from_us))
    return direct(leg.from_lat_deg, leg.from_lon_deg, azimuth_deg, gone_m)


@kernel
def cut_legs(legs: Rows, from_us: int, to_us: int, start: int, pieces: Rows, parts: Rows, n: int) -> tuple[int, int]:
    """Write the pieces of legs that lie in a span of whole beats, from leg `start` on.

    Parameters
    ----------
    legs : ndarray of LEG
    from_us, to_us : int
        Multiples of `BEAT_US`.
    start : int
    pieces, parts : ndarray of pairs.PIECE and PART
        Written from row `n` on. A piece's slot is its beat, counted from the first; its times are counted from the
        beginning of its beat, and `reach_m` is left 0: where a span was cut changes no piece.

    Returns
    -------
    next, n : int
        The leg to go on with (of which nothing was written), and how many pieces there are.
    """
    for i in range(start, len(legs)):
        leg, before = legs[i], n
        at_us, end_us = max(leg.from_us, from_us), min(leg.to_us, to_us)
        if at_us >= end_us:
            continue
        took_us = leg.to_us - leg.from_us
        way_m, azimuth_deg = inverse_m(leg.from_lat_deg, leg.from_lon_deg, leg.to_lat_deg, leg.to_lon_deg)
        if way_m * 1e6 > FASTEST_MPS * took_us:
            continue
        lat, lon = _on_leg(leg, at_us, way_m, azimuth_deg)
        x, y, z = earth_centred(lat, lon)
        climb_mps = (float(leg.to_alt_m) - float(leg.from_alt_m)) * 1e6 / took_us
        while at_us < end_us:
            beat = at_us // BEAT_US
            first_us, last_us = at_us, min((beat + 1) * BEAT_US, end_us)
            count = max(1, ceil(way_m * ((last_us - first_us) / took_us) / PIECE_M))
            for k in range(count):
                if n == len(pieces):
                    return i, before
                piece, part = pieces[n], parts[n]
                n += 1
                until_us = first_us + (last_us - first_us) * (k + 1) // count
                piece.x_m, piece.y_m, piece.z_m = x, y, z
                piece.from_s, piece.to_s = (at_us - beat * BEAT_US) / 1e6, (until_us - beat * BEAT_US) / 1e6
                piece.alt_m = float(leg.from_alt_m) + climb_mps * ((at_us - leg.from_us) / 1e6)
                piece.climb_mps, piece.reach_m = climb_mps, 0.0
                piece.track, piece.slot = leg.track, beat - from_us // BEAT_US
                lat, lon = _on_leg(leg, until_us, way_m, azimuth_deg)
                x, y, z = earth_centred(lat, lon)
                took_s = piece.to_s - piece.from_s
                piece.x_mps, piece.y_mps = (x - piece.x_m) / took_s, (y - piece.y_m) / took_s
                piece.z_mps = (z - piece.z_m) / took_s
                part.from_us, part.to_us, part.lat_deg, part.lon_deg = at_us, until_us, lat, lon
                part.alt_m = float(leg.from_alt_m) + climb_mps * ((until_us - leg.from_us) / 1e6)
                part.beat, part.leg, part.exemption = beat, i, NONE
                at_us = until_us
    return len(legs), n


@kernel
def counts_at_end(
    legs: Rows, parts: Rows, state: State, book: Book, part_of: Rows, zone_of: Rows, counts: Rows
) -> None:
    """Say of places in zones which ones count: in force just before, in the band, and about such a mover.

    Parameters
    ----------
    legs, parts : ndarray of LEG and PART
    state : State
    book : Book
    part_of, zone_of : ndarray, shape (k,)
        Where a part ends, and a zone of the book that holds that place.
    counts : ndarray, shape (k,), uint8
        Written: `BOUND` where the zone counts for the mover, `UNBOUND` where only for others: 0 elsewhere. A leg longer
        than the zone's gap time never does.
    """
    for k in range(len(part_of)):
        part, zone = parts[part_of[k]], book.zones[zone_of[k]]
        leg = legs[part.leg]
        known = not zone.banded or zone.lower_m <= part.alt_m <= zone.upper_m  # false for NaN: unknown is not inside
        bound = book.binds[state.party_class[leg.party], state.category_class[leg.category], zone_of[k]]
        forced = in_force(book.windows_us, zone.windows_from, zone.windows_to, part.to_us - 1)
        counts[k] = 0
        if known and forced and not is_unobserved(state, book, leg, zone_of[k]):
            counts[k] = BOUND if bound else UNBOUND


@kernel
def _follows(p: Row, q: Row, at_s: float) -> bool:
    """Return True if one goes behind the other on one way at one speed, or is the other under a second name."""
    p2 = p.x_mps * p.x_mps + p.y_mps * p.y_mps + p.z_mps * p.z_mps
    q2 = q.x_mps * q.x_mps + q.y_mps * q.y_mps + q.z_mps * q.z_mps
    if min(p2, q2) < FOLLOWS_FROM_MPS * FOLLOWS_FROM_MPS:
        return False
    u, v, w = q.x_mps - p.x_mps, q.y_mps - p.y_mps, q.z_mps - p.z_mps
    if u * u + v * v + w * w > FOLLOWS_LIKE * FOLLOWS_LIKE * max(p2, q2):
        return False
    a, b = at_s - p.from_s, at_s - q.from_s
    x = q.x_m + q.x_mps * b - p.x_m - p.x_mps * a
    y = q.y_m + q.y_mps * b - p.y_m - p.y_mps * a
    z = q.z_m + q.z_mps * b - p.z_m - p.z_mps * a
    apart2 = x * x + y * y + z * z
    # By the course of both together: which of the two is `p` means nothing.
    u, v, w = q.x_mps + p.x_mps, q.y_mps + p.y_mps, q.z_mps + p.z_mps
    ahead = abs(x * u + y * v + z * w)
    return apart2 < ONE_PLACE_M * ONE_PLACE_M or ahead >= FOLLOWS_BEHIND * sqrt(apart2 * (u * u + v * v + w * w))


@kernel
def _instant(beat: int, at_s: float) -> int:
    """Return the instant of a time in a beat, to the nearest microsecond."""
    return beat * BEAT_US + np.int64(floor(at_s * 1e6 + 0.5))


@kernel
def hits_by_zone(hits: Rows, start_of: Rows, zone_of: Rows, both: bool, hit_out: Rows, zone_out: Rows) -> int:
    """Write for each hit the zones it is about, and return how many rows that are; nothing past the room is written.

    Parameters
    ----------
    hits : ndarray of pairs.HIT
    start_of : ndarray, shape (pieces + 1,)
        Where in `zone_of` the zones of each piece begin.
    zone_of : ndarray
        Zones that count where a piece ends, ascending for each piece.
    both : bool
        True if both must be inside, False if one is enough.
    hit_out, zone_out : ndarray, shape (m,)
    """
    n = 0
    for h in range(len(hits)):
        i, i_end = start_of[hits[h].p], start_of[hits[h].p + 1]
        j, j_end = start_of[hits[h].q], start_of[hits[h].q + 1]
        while i < i_end or j < j_end:
            if both and (i == i_end or j == j_end):
                break
            mine = i < i_end and (j == j_end or zone_of[i] <= zone_of[j])
            its = j < j_end and (i == i_end or zone_of[j] <= zone_of[i])
            if not both or (mine and its):
                if n < len(hit_out):
                    hit_out[n], zone_out[n] = h, zone_of[i] if mine else zone_of[j]
                n += 1
            i, j = i + mine, j + its
    return n


@kernel
def reach_m(leg: Row, within_m: float) -> float:
    """Return what a track's accuracy adds to the wider of the two distances: at most half the agreed one."""
    return min(float(leg.accuracy_m), 0.5 * within_m) if leg.accuracy_m > 0.0 else 0.0  # NaN: 0


@kernel
def set_reach(legs: Rows, parts: Rows, within_m: float, pieces: Rows) -> None:
    """Write `reach_m` of each piece."""
    for k in range(len(pieces)):
        pieces[k].reach_m = reach_m(legs[parts[k].leg], within_m)


@kernel
def touches(legs: Rows, pieces: Rows, parts: Rows, state: State, book: Book, hits: Rows, chosen: Rows, within_m: float,
            zone: int, strangers: bool, out: Rows) -> int:  # fmt: skip
    """Write which hits are meetings by a rule, and return how many.

    Parameters
    ----------
    legs, pieces, parts : ndarray of LEG, pairs.PIECE, PART
    state : State
    book : Book
    hits : ndarray of pairs.HIT
    chosen : ndarray, shape (m,)
        The hits that are about the rule's zone.
    within_m : float
        The agreed distance.
    zone : int
        The rule's.
    strangers : bool
        True if two of one party, and one that follows the other, do not meet.
    out : ndarray, shape (m,), TOUCH
    """
    n = 0
    for c in range(len(chosen)):
        hit = hits[chosen[c]]
        p, q = pieces[hit.p], pieces[hit.q]
        one, other = legs[parts[hit.p].leg], legs[parts[hit.q].leg]
        if is_unobserved(state, book, one, zone) or is_unobserved(state, book, other, zone):
            continue
        if strangers and (_follows(p, q, hit.closest_s) or (one.party != NONE and one.party == other.party)):
            continue
        wider_m = within_m + reach_m(one, within_m) + reach_m(other, within_m)
        in_s, out_s = together(p, q, hit.closest_s, hit.closest_m, wider_m)
        near_s, _ = together(p, q, hit.closest_s, hit.closest_m, within_m)
        beat, row = parts[hit.p].beat, out[n]
        n += 1
        row.beat, row.in_us, row.out_us = beat, _instant(beat, in_s), _instant(beat, out_s)
        row.near_us = NEVER if isnan(near_s) else _instant(beat, near_s)
        row.closest_us, row.closest_m = _instant(beat, hit.closest_s), hit.closest_m
        swap = p.track > q.track
        row.a, row.b = (q.track, p.track) if swap else (p.track, q.track)
        row.p, row.q = (hit.q, hit.p) if swap else (hit.p, hit.q)
    return n


@kernel
def stays(pieces: Rows, parts: Rows, chosen: Rows, out: Rows) -> None:
    """Write chosen pieces, those inside a zone, as touches of a track with itself."""
    for n in range(len(chosen)):
        row, part = out[n], parts[chosen[n]]
        row.beat, row.in_us, row.out_us, row.near_us = part.beat, part.from_us, part.to_us, part.from_us
        row.closest_us, row.closest_m = part.from_us, 0.0
        row.a = row.b = pieces[chosen[n]].track
        row.p = row.q = chosen[n]


@kernel
def _turn(turns: Rows, n: int, contact: Row, kind: int, beat: int, at_us: int, p: int, q: int) -> int:
    row = turns[n]
    row.kind, row.beat, row.at_us, row.a, row.b, row.p, row.q = kind, beat, at_us, contact.a, contact.b, p, q
    row.began_us, row.closest_us, row.closest_m = contact.began_us, contact.closest_us, contact.closest_m
    row.exempt = contact.exempt
    row.lat_deg, row.lon_deg, row.accuracy_m = contact.lat_deg, contact.lon_deg, contact.accuracy_m
    row.feed, row.party, row.category = contact.feed, contact.party, contact.category
    return n + 1


@kernel
def _note_last(row: Row, leg: Row, part: Row) -> None:
    """Note where the first of a contact's two was, and what it said, at the end of a piece."""
    row.lat_deg, row.lon_deg, row.accuracy_m = part.lat_deg, part.lon_deg, leg.accuracy_m
    row.feed, row.party, row.category = leg.feed, leg.party, leg.category


@kernel
def _over(row: Row, clear_us: int, turns: Rows, m: int) -> int:
    """Write that a contact is over, if it ever was full."""
    if row.full:
        over_us = row.last_us + clear_us
        m = _turn(turns, m, row, OVER, over_us // BEAT_US, over_us, NONE, NONE)
    return m


@kernel
def keep_contacts(found: Rows, legs: Rows, parts: Rows, before: Rows, rule: int, after_us: int, clear_us: int,
                  until_us: int, after: Rows, turns: Rows) -> tuple[int, int]:  # fmt: skip
    """Carry the contacts of one rule over a span of time.

    A contact begins when two tracks come within the agreed distance, lasts while they are within the wider one with
    breaks of at most `clear_us`, and is full once it has lasted `after_us`.

    Parameters
    ----------
    found : ndarray of TOUCH
        Ordered by (a, b, beat, in_us).
    legs, parts : ndarray of LEG and PART
    before : ndarray of CONTACT
        Those of this rule, ordered by (a, b).
    rule, after_us, clear_us : int
    until_us : int
        The end of the span.
    after : ndarray, shape (found + before,), CONTACT
        Written, in the same order.
    turns : ndarray, shape (2 found + before,), TURN
        Written, in the order of contacts.

    Returns
    -------
    contacts, turns : int
    """
    n = m = i = j = 0
    while i < len(found) or j < len(before):
        row = after[n]
        lives = j < len(before)
        if lives and i < len(found):
            lives = before[j].a < found[i].a or (before[j].a == found[i].a and before[j].b <= found[i].b)
        if lives:
            row = after[n]
            after[n] = before[j]
            j += 1
        else:
            row.a, row.b = found[i].a, found[i].b
        a, b = row.a, row.b
        while i < len(found) and found[i].a == a and found[i].b == b:
            touch = found[i]
            i += 1
            if lives and touch.in_us > row.last_us + clear_us:
                lives, m = False, _over(row, clear_us, turns, m)
            if not lives:
                if touch.near_us == NEVER:
                    continue
                lives = True
                row.a, row.b, row.rule, row.full, row.exempt = a, b, rule, 0, 0
                row.began_us, row.last_us = touch.near_us, touch.out_us
                row.closest_us, row.closest_m = touch.closest_us, touch.closest_m
                _note_last(row, legs[parts[touch.p].leg], parts[touch.p])
            else:
                if touch.out_us >= row.last_us:
                    _note_last(row, legs[parts[touch.p].leg], parts[touch.p])
                row.last_us = max(row.last_us, touch.out_us)
                if touch.closest_m < row.closest_m:
                    row.closest_us, row.closest_m = touch.closest_us, touch.closest_m
            if row.full == 0 and row.last_us - row.began_us >= after_us:
                row.full = 1
                row.exempt = parts[touch.p].exemption != NONE and parts[touch.q].exemption != NONE
                at_us = max(row.began_us + after_us, touch.in_us)
                m = _turn(turns, m, row, FULL, touch.beat, at_us, touch.p, touch.q)
        if lives and row.last_us + clear_us < until_us:
            lives, m = False, _over(row, clear_us, turns, m)
        if lives:
            n += 1
    return n, m


@kernel
def where_at(leg: Row, at_us: int) -> tuple[float, float]:
    """Return where a track is at an instant of a leg: latitude and longitude."""
    way_m, azimuth_deg = inverse_m(leg.from_lat_deg, leg.from_lon_deg, leg.to_lat_deg, leg.to_lon_deg)
    return _on_leg(leg, at_us, way_m, azimuth_deg)


@kernel
def courses_at(p: Row, q: Row, at_s: float) -> tuple[float, float]:
    """Return how near two pieces would come if both went on, and after how long: metres and seconds, NaN if unmoved."""
    u, v, w = q.x_mps - p.x_mps, q.y_mps - p.y_mps, q.z_mps - p.z_mps
    a, b = at_s - p.from_s, at_s - q.from_s
    x = q.x_m + q.x_mps * b - p.x_m - p.x_mps * a
    y = q.y_m + q.y_mps * b - p.y_m - p.y_mps * a
    z = q.z_m + q.z_mps * b - p.z_m - p.z_mps * a
    speed2 = u * u + v * v + w * w
    if speed2 < 0.01:  # slower than any fix can tell: 0.1 m/s
        return nan, nan
    after_s = -(x * u + y * v + z * w) / speed2
    x, y, z = x + u * after_s, y + v * after_s, z + w * after_s
    return sqrt(x * x + y * y + z * z), after_s
