"""The slow twin of the watch: one track, one zone, one report at a time, with shapely and plain Python.

Written from docs/guide/events.md, not from the kernels. Good for zones small enough that a straight line in lon/lat is
the geodesic, which the tests see to.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from itertools import pairwise
from math import isnan
from typing import Any

import pyproj
import shapely

from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.category import may_be

Found = tuple[str, str, str, int, int]
"""kind, zone, track, at_us, visit_us"""


@dataclass
class _Visit:
    inside: bool = False
    counts_since: int | None = None
    left_us: int | None = None
    clear_us: int | None = None
    judged_us: int = -1
    spells: dict[str, list[Any]] = field(default_factory=dict)


def naive_events(watchlist: Watchlist, reports: ReportBatch, watermark_us: int) -> list[Found]:
    """Return (kind, zone, track, at, visit) of every event but approaches, sorted."""
    found: list[Found] = []
    for t, track in enumerate(reports.tracks):
        rows = [i for i in range(len(reports)) if reports.track[i] == t]
        for z, zone in enumerate(watchlist.zones):
            if not zone.is_exemption:
                rules = [r for r in watchlist.rules if r.zone == z]
                found += _one(watchlist, zone, rules, track, reports, rows, watermark_us)
    return sorted(found)


def _one(watchlist: Watchlist, zone: Zone, rules: list[Rule], track: str, reports: ReportBatch, rows: list[int],
         watermark_us: int) -> list[Found]:  # fmt: skip
    out: list[Found] = []
    polygon, visit = zone.region.geometry, _Visit()
    last: tuple[int, float, float, float] | None = None
    party = category = None
    before, before_feed = -1, ""

    def silences(feed: str) -> list[tuple[Rule, int]]:
        return [(r, silence_us(r, feed)) for r in rules if r.conduct is Conduct.GAP]

    def force(at_us: int) -> bool:
        return all(
            any(a <= at_us < b for a, b in s.intervals_us(0, 2**60)) for s in (watchlist.in_force, zone.schedule)
        )

    def say(kind: str, at_us: int, visit_us: int) -> None:
        out.append((kind, zone.zone_id, track, at_us, visit_us))

    def end_visit() -> None:
        visit.counts_since = visit.left_us = visit.clear_us = None
        visit.spells.clear()

    def certain_us() -> int | None:
        if visit.left_us is None or visit.clear_us is None:
            return None
        return max(visit.clear_us, visit.left_us + int(zone.clear_s * 1e6))

    def dwell(until_us: int) -> None:
        for r in rules:
            due_us = (visit.counts_since or 0) + int((r.after_s if r.conduct is Conduct.DWELL else 0) * 1e6)
            if r.conduct is Conduct.DWELL and visit.judged_us < due_us <= until_us:
                say("dwell", due_us, visit.counts_since or 0)
        visit.judged_us = until_us

    def leave_if(certain: bool) -> None:
        if certain:
            say("exit", visit.left_us or 0, visit.counts_since or 0)
            end_visit()

    for i in rows:
        now = (
            int(reports.observed_us[i]),
            float(reports.lat_deg[i]),
            float(reports.lon_deg[i]),
            float(reports.alt_m[i]),
        )
        if reports.party[i] >= 0:
            party = reports.parties[reports.party[i]]
        if reports.category[i] >= 0:
            category = reports.categories[reports.category[i]]
        bound = zone.binds(party) and (zone.categories is None or may_be(category, zone.categories))
        banded = zone.lower_m != -float("inf") or zone.upper_m != float("inf")

        def band(alt_m: float, counted: bool, banded: bool = banded) -> bool:
            if not banded:
                return True
            return counted if isnan(alt_m) else zone.lower_m <= alt_m <= zone.upper_m

        inside = bool(polygon.intersects(shapely.Point(now[2], now[1])))
        if last is None:
            if inside and bound and force(now[0]) and band(now[3], False):
                say("first_seen_inside", now[0], now[0])
                visit.counts_since = now[0]
        elif now[0] == last[0]:
            continue
        else:
            told, before_feed = len(out), reports.feeds[reports.feed[before]]
            leave_if((at := certain_us()) is not None and at < now[0])
            counted = visit.counts_since is not None and visit.left_us is None
            if counted:
                for _, after_us in silences(before_feed):
                    if now[0] - last[0] > after_us:
                        say("gap", last[0] + after_us, last[0])
                        say("gap_ended", now[0], last[0])
            if bound or visit.counts_since is not None:
                _way(watchlist, zone, polygon, last, now, visit, force, band, inside, say, end_visit, dwell)
            if visit.left_us is not None:
                worst = [reports.accuracy_m[k] for k in (i, before) if not isnan(reports.accuracy_m[k])]
                margin_m = zone.clear_m + float(max(worst, default=0.0))
                if inside or margin_m <= 0 or edge_distance_m(polygon, now[1], now[2]) > margin_m:
                    visit.clear_us = now[0] if visit.clear_us is None else visit.clear_us
                else:
                    visit.clear_us = None
                leave_if((at := certain_us()) is not None and at <= now[0])
            if not inside and visit.left_us is None:
                end_visit()
            silent = [r for r, after_us in silences(before_feed) if now[0] - last[0] > after_us]
            on_this_way = any(kind != "exit" or at_us > last[0] for kind, _, _, at_us, _ in out[told:])
            elsewhere = not on_this_way and not inside and visit.left_us is None
            if silent and bound and elsewhere and _could_count(watchlist, zone, last, now):
                speeds = [float(reports.speed_mps[k]) for k in (i, before)]
                if _was_reachable(polygon, last, now, speeds):
                    for _ in silent:
                        say("gap_ended", now[0], last[0])
        visit.inside, before = inside, i
        if visit.counts_since is not None and visit.left_us is None:
            gap = last is not None and now[0] - last[0] > unobserved_us(rules, before_feed)
            _spells(rules, visit, now, float(reports.speed_mps[i]), gap, say)
            dwell(now[0])
        last = now
    leave_if((at := certain_us()) is not None and at < watermark_us)
    if last and visit.counts_since is not None and visit.left_us is None:
        for _, after_us in silences(reports.feeds[reports.feed[before]]):
            if watermark_us - last[0] > after_us:
                say("gap", last[0] + after_us, last[0])
    return out


def silence_us(rule: Rule, feed: str) -> int:
    """Return after how long a gap rule calls a track silent whose last report this feed brought."""
    return int(dict(rule.by_feed).get(feed, rule.after_s) * 1e6)


def unobserved_us(rules: list[Rule], feed: str) -> int:
    """Return the longest step from a report of this feed that tells what lies between, for the zone of these rules."""
    gaps = [r for r in rules if r.conduct is Conduct.GAP]
    return min((min(silence_us(r, feed), int(r.after_s * 1e6)) for r in gaps), default=3_600_000_000)


def _could_count(watchlist: Watchlist, zone: Zone, last: Any, now: Any) -> bool:
    """Return True if a zone was in force at some time between two fixes, not both above or both below its band."""
    schedules = [s.intervals_us(0, 2**60) for s in (watchlist.in_force, zone.schedule)]
    forced = any(max(a, c, last[0]) < min(b, d, now[0]) for a, b in schedules[0] for c, d in schedules[1])
    above, below = (all(c(fix[3]) for fix in (last, now)) for c in (zone.upper_m.__lt__, zone.lower_m.__gt__))
    return forced and not above and not below


def _was_reachable(polygon: Any, last: Any, now: Any, speeds: list[float]) -> bool:
    _, _, way_m = pyproj.Geod(ellps="WGS84").inv(last[2], last[1], now[2], now[1])
    took_s = (now[0] - last[0]) / 1e6
    detour_m = sum(edge_distance_m(polygon, fix[1], fix[2]) for fix in (last, now))
    return detour_m <= took_s * max(way_m / took_s, *(speed for speed in speeds if not isnan(speed)))


def _way(watchlist: Watchlist, zone: Any, polygon: Any, last: Any, now: Any, visit: _Visit, force: Any, band: Any,
         inside: bool, say: Any, end_visit: Any, dwell: Any) -> None:  # fmt: skip
    counted = visit.counts_since is not None and visit.left_us is None
    span_us = now[0] - last[0]
    cuts = [0.0, 1.0]
    line = shapely.LineString([(last[2], last[1]), (now[2], now[1])])
    if line.length > 0:
        for point in shapely.get_parts(line.intersection(polygon.boundary)):
            for x, y in point.coords:
                d = (line.project(shapely.Point(x, y))) / line.length
                insort(cuts, d)
    for a, b in [*zone.schedule.intervals_us(0, 2**60), *watchlist.in_force.intervals_us(0, 2**60)]:
        for edge in (a, b):
            if last[0] < edge < now[0]:
                insort(cuts, (edge - last[0]) / span_us)
    if last[3] == last[3] and now[3] == now[3] and now[3] != last[3]:
        for limit in (zone.lower_m, zone.upper_m):
            s = (limit - last[3]) / (now[3] - last[3])
            if 0 < s < 1:
                insort(cuts, s)

    def alt(s: float) -> float:
        if s >= 1.0:
            return float(now[3])
        if last[3] != last[3] or now[3] != now[3]:
            return float("nan")
        return float(last[3] + s * (now[3] - last[3]))

    def at(s: float) -> int:
        return int(last[0] + int(s * span_us + 0.5)) if s < 1 else int(now[0])

    def live(s: float) -> tuple[bool, bool, bool]:
        x, y = last[2] + s * (now[2] - last[2]), last[1] + s * (now[1] - last[1])
        within = inside if s >= 1 else (visit.inside if s <= 0 else bool(polygon.intersects(shapely.Point(x, y))))
        forced = force(int(last[0] + int(s * span_us)))
        unknown_now = now[3] != now[3]
        return within and forced and band(float("nan") if unknown_now else alt(s), counted), forced, within

    spans: list[list[Any]] = [[None, "track", None, "track"]] if counted else []
    on, was = counted, (counted, force(last[0]), visit.inside)
    pieces = [(a, (a + b) / 2) for a, b in pairwise(cuts) if b > a] + [(1.0, 1.0)]
    for start, middle in pieces:
        this = live(middle)
        if this[0] != on:
            by = "zone" if this[1] != was[1] else "track"
            if this[0] and by == "track" and was[2] and was[1] and (start == 0.0 or last[3] != last[3]):
                by = "knowledge"
            if this[0]:
                spans.append([start, by, None, "track"])
            else:
                spans[-1][2:] = [start, by]
            on = this[0]
        was = this
    spans = [s for s in spans if s[0] is None or s[2] is None or s[2] > s[0]]
    if spans and spans[0][0] is None and spans[-1][2] is None:
        return
    for begin, began_by, end, ended_by in spans:
        begin_kind = {"zone": "zone_began", "knowledge": "first_seen_inside", "track": "entry"}[began_by]
        begin_us = None if begin is None else at(1.0 if began_by == "knowledge" else begin)
        if begin is not None and end is not None and visit.counts_since is None and began_by == ended_by == "track":
            say("crossing", begin_us, begin_us)
            continue
        if begin is not None:
            if visit.counts_since is None:
                say(begin_kind, begin_us, begin_us)
                visit.counts_since = begin_us
            visit.left_us = visit.clear_us = None
        if end is not None:
            dwell(at(end))
        if end is not None and ended_by == "zone":
            say("zone_ended", at(end), visit.counts_since)
            end_visit()
        elif end is not None:
            visit.left_us, visit.clear_us = at(end), None


def edge_distance_m(polygon: Any, lat_deg: float, lon_deg: float) -> float:
    """Return the distance from a place to a polygon's edge, in a plane that is true around the place."""
    plane = pyproj.Proj(proj="aeqd", lat_0=lat_deg, lon_0=lon_deg, datum="WGS84")
    edge = shapely.transform(shapely.segmentize(polygon.boundary, 0.001), plane, interleaved=False)
    return float(shapely.distance(edge, shapely.Point(0, 0)))


def _spells(rules: list[Rule], visit: _Visit, now: Any, speed_mps: float, gap: bool, say: Any) -> None:
    for r in rules:
        if r.conduct not in (Conduct.LOITER, Conduct.STOPPED):
            continue
        slow = r.speed_lo_mps <= speed_mps < r.speed_hi_mps
        spell = visit.spells.get(r.rule_id)
        if spell and (not slow or gap):
            del visit.spells[r.rule_id]
            spell = None
        if spell is None:
            if slow:
                visit.spells[r.rule_id] = [now[0], False]
        elif not spell[1] and now[0] - spell[0] >= r.after_s * 1e6:
            spell[1] = True
            say(r.conduct.value, spell[0] + int(r.after_s * 1e6), spell[0])
