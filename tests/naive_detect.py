"""The slow twin of the detectors of many tracks: every two tracks, every stretch between fixes, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, combinations_with_replacement, pairwise
from math import cos, hypot, inf, isnan, radians, sin, sqrt
from typing import Any, NamedTuple

import pyproj
import shapely
from msgspec.structs import replace
from tests.naive_watch import unobserved_us

from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.category import may_be

GEOD = pyproj.Geod(ellps="WGS84")
S = 1_000_000
BEAT_US = 60 * S


class Piece(NamedTuple):
    """A stretch of one track between two fixes, within one minute."""

    from_us: int
    to_us: int
    start: tuple[float, float]
    end: tuple[float, float]
    alts: tuple[float, float]
    gap_us: int
    before_feed: str
    accuracy_m: float
    party: str | None
    category: str | None


class Contact(NamedTuple):
    """Something that lasted: since when, until when, and from when on it had lasted the agreed time."""

    began_us: int
    over_us: int
    full_us: int | None
    full_beat: int | None


def naive_meetings(watchlist: Watchlist, reports: ReportBatch) -> list[tuple[str, str, tuple[str, ...], int, int]]:
    """Return kind, rule, tracks (sorted), at and visit start of every proximity, build-up and void."""
    ways = _ways(reports)
    newest_us = int(reports.observed_us.max())
    out = []
    for rule in watchlist.rules:
        zone = watchlist.zones[rule.zone]
        of_zone = [r for r in watchlist.rules if r.zone == rule.zone]
        seen = {
            name: [p for p in pieces if p.gap_us <= unobserved_us(of_zone, p.before_feed)]
            for name, pieces in ways.items()
        }
        here = {name: [(p, _inside(watchlist, zone, p)) for p in pieces] for name, pieces in seen.items()}
        if rule.conduct is Conduct.PROXIMITY:
            for a, b in combinations(sorted(here), 2):
                for c in _contacts(zone, rule, _touches(rule, here[a], here[b], need=1)):
                    if c.full_us is not None:
                        out.append(("proximity", rule.rule_id, (a, b), c.full_us, c.began_us))
        elif rule.conduct is Conduct.BUILD_UP:
            out += _buildups(zone, rule, here)
        elif rule.conduct is Conduct.VOID:
            anybody = replace(zone, applies_to=None, exempt=frozenset(), categories=None)
            there = {
                name: [(p, _inside(watchlist, anybody, p) and _of(rule, p)) for p in pieces]
                for name, pieces in seen.items()
            }
            out += _voids(watchlist, zone, rule, there, newest_us)
    return sorted(out)


def _ways(reports: ReportBatch) -> dict[str, list[Piece]]:
    ways: dict[str, list[Piece]] = defaultdict(list)
    last: dict[str, tuple[Any, ...]] = {}
    for i in range(len(reports)):
        name = reports.tracks[reports.track[i]]
        party = reports.parties[reports.party[i]] if reports.party[i] >= 0 else None
        category = reports.categories[reports.category[i]] if reports.category[i] >= 0 else None
        now = (
            int(reports.observed_us[i]),
            (float(reports.lat_deg[i]), float(reports.lon_deg[i])),
            float(reports.alt_m[i]),
            float(reports.accuracy_m[i]),
            reports.feeds[reports.feed[i]],
        )
        if name in last and now[0] == last[name][0]:
            continue
        if name in last:
            before = last[name]
            known = [v for v in (before[3], now[3]) if not isnan(v)]
            cuts = [before[0], *range((before[0] // BEAT_US + 1) * BEAT_US, now[0], BEAT_US), now[0]]
            for a, b in pairwise(cuts):
                ways[name].append(
                    Piece(
                        a, b, _at(before, now, a), _at(before, now, b),
                        (_alt(before, now, a), _alt(before, now, b)),
                        now[0] - before[0], before[4], max(known, default=float("nan")), party, category,
                    )
                )  # fmt: skip
        last[name] = now
    return ways


def _at(before: Any, now: Any, at_us: int) -> tuple[float, float]:
    if at_us in (before[0], now[0]):
        return before[1] if at_us == before[0] else now[1]
    azimuth, _, way_m = GEOD.inv(before[1][1], before[1][0], now[1][1], now[1][0])
    lon, lat, _ = GEOD.fwd(before[1][1], before[1][0], azimuth, way_m * (at_us - before[0]) / (now[0] - before[0]))
    return lat, lon


def _alt(before: Any, now: Any, at_us: int) -> float:
    return before[2] + (now[2] - before[2]) * (at_us - before[0]) / (now[0] - before[0])


def _inside(watchlist: Watchlist, zone: Zone, piece: Piece) -> bool:
    at_us = piece.to_us - 1
    forced = all(
        any(a <= at_us < b for a, b in schedule.intervals_us(0, 2**60))
        for schedule in (zone.schedule, watchlist.in_force)
    )
    banded = zone.lower_m > -inf or zone.upper_m < inf
    return (
        bool(zone.region.geometry.intersects(shapely.Point(piece.end[1], piece.end[0])))
        and forced
        and (not banded or zone.lower_m <= piece.alts[1] <= zone.upper_m)
        and zone.binds(piece.party)
        and (zone.categories is None or may_be(piece.category, zone.categories))
    )


def _plane(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    azimuth, _, way_m = GEOD.inv(a[1], a[0], b[1], b[0])
    return way_m * sin(radians(azimuth)), way_m * cos(radians(azimuth))


def _touches(rule: Rule, ones: Any, others: Any, *, need: int) -> list[tuple[int, int, int, int | None]]:
    """Return beat, first and last instant within the wider distance, and the first within the agreed one."""
    out = []
    for p, p_in in ones:
        for q, q_in in others:
            lo, hi = max(p.from_us, q.from_us), min(p.to_us, q.to_us)
            if lo > hi or p.from_us // BEAT_US != q.from_us // BEAT_US or p_in + q_in < need:
                continue
            d0, d1 = (_apart(p, q, at) for at in (lo, hi))
            span_s = (hi - lo) / S
            rate = tuple((e - s) / span_s if span_s else 0.0 for s, e in zip(d0, d1, strict=True))
            if rule.conduct is Conduct.PROXIMITY:
                if p.party is not None and p.party == q.party:
                    continue
                if _follows(p, q, d0, rate, span_s):
                    continue
            wider = rule.radius_m + sum(min(x.accuracy_m, rule.radius_m / 2) for x in (p, q) if x.accuracy_m > 0)
            wide, near = _roots(d0, rate, span_s, wider), _roots(d0, rate, span_s, rule.radius_m)
            if wide:
                first = None if near is None else lo + round(near[0] * S)
                out.append((p.from_us // BEAT_US, lo + round(wide[0] * S), lo + round(wide[1] * S), first))
    return sorted(out, key=lambda t: t[:3])


def _share(piece: Piece, at_us: int) -> float:
    return (at_us - piece.from_us) / (piece.to_us - piece.from_us)


def _apart(p: Piece, q: Piece, at_us: int) -> tuple[float, float, float]:
    places = []
    for piece in (p, q):
        s = _share(piece, at_us)
        lon, lat = (piece.start[k] + s * (piece.end[k] - piece.start[k]) for k in (1, 0))
        places.append((lat, lon))
    alts = [piece.alts[0] + _share(piece, at_us) * (piece.alts[1] - piece.alts[0]) for piece in (p, q)]
    up = alts[1] - alts[0]
    return (*_plane(*places), 0.0 if isnan(up) else up)


def _roots(d0: Any, rate: Any, span_s: float, limit_m: float) -> tuple[float, float] | None:
    """Return from when to when |d0 + rate t| is within a limit, t from 0 to span_s."""
    a, b, c = sum(r * r for r in rate), sum(d * r for d, r in zip(d0, rate, strict=True)), sum(d * d for d in d0)
    c -= limit_m * limit_m
    if a == 0:
        return (0.0, span_s) if c <= 0 else None
    if b * b - a * c < 0:
        return None
    root = sqrt(b * b - a * c)
    lo, hi = max(0.0, (-b - root) / a), min(span_s, (-b + root) / a)
    return (lo, hi) if lo <= hi else None


def _follows(p: Piece, q: Piece, d0: Any, rate: Any, span_s: float) -> bool:
    speeds = []
    for piece in (p, q):
        east, north = _plane(piece.start, piece.end)
        took_s = (piece.to_us - piece.from_us) / S
        speeds.append((east / took_s, north / took_s))
    (pe, pn), (qe, qn) = speeds
    p_mps, q_mps = hypot(pe, pn), hypot(qe, qn)
    if min(p_mps, q_mps) < 1.0 or hypot(qe - pe, qn - pn) > 0.25 * max(p_mps, q_mps):
        return False
    a, b = sum(r * r for r in rate), sum(d * r for d, r in zip(d0, rate, strict=True))
    t = min(max(-b / a, 0.0), span_s) if a else 0.0
    east, north = d0[0] + rate[0] * t, d0[1] + rate[1] * t
    ahead = abs(east * (pe + qe) + north * (pn + qn))
    return hypot(east, north) < 1.0 or ahead >= 0.866 * hypot(east, north) * hypot(pe + qe, pn + qn)


def _contacts(zone: Zone, rule: Rule, touches: Any) -> list[Contact]:
    after_us = 0 if isnan(rule.after_s) else round(rule.after_s * S)
    clear_us = round(zone.clear_s * S)
    out: list[Contact] = []
    now: list[Any] | None = None
    for beat, in_us, out_us, near_us in touches:
        if now and in_us > now[1] + clear_us:
            out.append(Contact(now[0], now[1] + clear_us, *now[2:]))
            now = None
        if now is None:
            if near_us is None:
                continue
            now = [near_us, out_us, None, None]
        now[1] = max(now[1], out_us)
        if now[2] is None and now[1] - now[0] >= after_us:
            now[2:] = [max(now[0] + after_us, in_us), beat]
    if now:
        out.append(Contact(now[0], now[1] + clear_us, *now[2:]))
    return out


def _of(rule: Rule, piece: Piece) -> bool:
    named = rule.category is None or (piece.category is not None and may_be(piece.category, {rule.category}))
    return rule.party in (None, piece.party) and named


def _voids(watchlist: Watchlist, zone: Zone, rule: Rule, there: Any, newest_us: int) -> list[Any]:
    """Walk through everybody's coming and going, and count who is there."""
    lasting, clear_us, after_us = replace(rule, after_s=float("nan")), round(zone.clear_s * S), round(rule.after_s * S)
    turns = []
    for name, pieces in there.items():
        touches = [(p.from_us // BEAT_US, p.from_us, p.to_us, p.from_us) for p, inside in pieces if inside]
        for contact in _contacts(zone, lasting, touches):
            turns += [(contact.began_us, 1, name), (contact.over_us, 0, name)]
    here: set[str] = set()
    thin: tuple[int, str] | None = None
    out = []
    for at_us, kind, name in [*sorted(turn for turn in turns if turn[0] < newest_us), (newest_us - 1, 2, "")]:
        if thin and thin[0] + after_us <= at_us:
            due_us = thin[0] + after_us
            schedules = (zone.schedule, watchlist.in_force)
            if all(any(a <= thin[0] and due_us <= b for a, b in s.intervals_us(0, 2**60)) for s in schedules):
                out.append(("void", rule.rule_id, (thin[1],), due_us, thin[0]))
            thin = None
        if kind == 1:
            here.add(name)
            thin = None if len(here) >= rule.count else thin
        elif kind == 0:
            thin = (at_us - clear_us, name) if len(here) == rule.count else thin
            here.discard(name)
    return out


def _buildups(zone: Zone, rule: Rule, here: Any) -> list[Any]:
    """Walk through everything that became full or was over, and count around every track each time."""
    whole = isnan(rule.radius_m)
    kept = {}
    for a, b in combinations_with_replacement(sorted(here), 2):
        if (a == b) != whole:
            continue
        if whole:
            touches = [(p.from_us // BEAT_US, p.from_us, p.to_us, p.from_us) for p, inside in here[a] if inside]
        else:
            touches = _touches(rule, here[a], here[b], need=2)
        kept[a, b] = [c for c in _contacts(zone, rule, touches) if c.full_us is not None]
    turns = [(c.full_beat, c.full_us, 1, pair, c) for pair, cs in kept.items() for c in cs]
    # What is over comes first, but for a contact that is full at that very instant: it is there then, and no longer.
    for pair, cs in kept.items():
        turns += [(c.over_us // BEAT_US, c.over_us, 2 if c.over_us == c.full_us else 0, pair, c) for c in cs]
    standing: set[Any] = set()
    told: set[str] = set()
    out = []

    def around(middle: str) -> set[str]:
        if whole:
            return {a for (a, _), _ in standing}
        return {b if a == middle else a for (a, b), _ in standing if middle in (a, b)}

    needed = rule.count if whole else rule.count - 1
    for _, at_us, kind, pair, contact in sorted(turns, key=lambda t: t[:4]):
        if kind != 1:
            standing.discard((pair, contact))
            told = {m for m in told if len(around(m)) >= needed}
            continue
        standing.add((pair, contact))
        for track in sorted(set(pair)):
            middle = "*" if whole else track
            if len(around(middle)) >= needed and middle not in told:
                if not told & around(middle):
                    out.append(("buildup", rule.rule_id, (track,), at_us, at_us - round(rule.after_s * S)))
                told.add(middle)
    return out
