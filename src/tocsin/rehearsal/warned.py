"""Warned: the approach warnings of a watch, and the entries that they should have told of.

Each look-ahead that the agreement names is a stream of warnings of its own, judged at the zones it is agreed for
(docs/guide/warning-quality.md). An entry that the agreement is not about is no entry here: a mover that the zone does
not bind, a window in which it is not in force, an altitude outside its band, a written exemption. Without a declared
altitude, party or category it counts, as it does for the watch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Conduct, Watchlist, Zone
from tocsin.clock import US_PER_S
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.category import is_a, may_be
from tocsin.watch.event import Event, EventKind, Revision
from tocsin.watch.rehearse.judge import Judged, Warnings, judge
from tocsin.watch.rehearse.truth import NEVER, Terms, Truth, find_truth


class Stream(Struct, frozen=True, kw_only=True, eq=False):
    """The warnings of one look-ahead, judged.

    Attributes
    ----------
    horizon_s : float, seconds
    zones : tuple of int
        Places in the watchlist of the zones that it is agreed for; the judged warnings count them from 0.
    judged : Judged
    """

    horizon_s: float
    zones: tuple[int, ...]
    judged: Judged


def judge_approaches(
    events: Iterable[Event], watchlist: Watchlist, reports: ReportBatch, terms: Terms
) -> tuple[Stream, ...]:
    """Return the approach warnings of a watch by look-ahead, shortest first, each judged.

    Parameters
    ----------
    events : iterable of Event
        What the watch found; approaches that were not withdrawn and not exempt are its warnings.
    watchlist : Watchlist
    reports : ReportBatch
        What it watched.
    terms : Terms
    """
    warned = [
        e
        for e in events
        if e.kind is EventKind.APPROACH and e.revision is not Revision.WITHDRAWN and e.exemption is None
    ]
    ahead_s = {rule.rule_id: rule.lookahead_s for rule in watchlist.rules if rule.conduct is Conduct.APPROACH}
    streams = []
    for horizon_s in sorted(set(ahead_s.values())):
        rules = [r for r in watchlist.rules if r.conduct is Conduct.APPROACH and r.lookahead_s == horizon_s]
        zones = tuple(sorted({rule.zone for rule in rules}))
        truth = find_truth(reports, [watchlist.zones[z].region for z in zones], terms)
        truth = replace(truth, entries=truth.entries[_agreed(truth, watchlist, zones, reports)])
        names = [watchlist.zones[z].zone_id for z in zones]
        own = as_warnings([e for e in warned if ahead_s[e.rule_id] == horizon_s], reports.tracks, names, horizon_s)
        streams.append(Stream(horizon_s=horizon_s, zones=zones, judged=judge(truth, own, horizon_s)))
    return tuple(streams)


def as_warnings(events: list[Event], tracks: Sequence[str], zones: Sequence[str], horizon_s: float) -> Warnings:
    """Return approach events as warnings, issued when they could first be known.

    Parameters
    ----------
    events : list of Event
        Approaches of one look-ahead.
    tracks, zones : sequence of str
        What the warnings' indices mean.
    horizon_s : float, seconds
    """
    track = {name: i for i, name in enumerate(tracks)}
    zone = {name: i for i, name in enumerate(zones)}

    def instants(name: str) -> NDArray[np.int64]:
        return np.array(
            [e.known_us + round(e.measured[name] * US_PER_S) if name in e.measured else NEVER for e in events], np.int64
        )

    return Warnings(
        track=np.array([track[e.track_id] for e in events], np.int64),
        zone=np.array([zone[e.zone_id] for e in events], np.int64),
        at_us=np.array([e.known_us for e in events], np.int64),
        horizon_s=np.full(len(events), horizon_s),
        probability=np.array([e.measured.get("probability", np.nan) for e in events], np.float64),
        lo_us=instants("time_to_entry_lo_s"),
        hi_us=instants("time_to_entry_hi_s"),
    )


def _agreed(truth: Truth, watchlist: Watchlist, zones: tuple[int, ...], reports: ReportBatch) -> NDArray[np.bool_]:
    """Return which entries the agreement is about."""
    order = np.lexsort((reports.observed_us, reports.track))
    span = (int(reports.observed_us.min(initial=0)), int(reports.observed_us.max(initial=0)) + 1)
    whole = watchlist.in_force.intervals_us(*span)
    windows = {z: watchlist.zones[z].schedule.intervals_us(*span) for z in zones}
    exempting = [zone for zone in watchlist.zones if zone.is_exemption]
    keep = np.ones(len(truth.entries), np.bool_)
    for i, entry in enumerate(truth.entries):
        place, at_us = zones[int(entry["zone"])], int(entry["at_us"])
        zone, track = watchlist.zones[place], int(truth.fixes.segment_track[entry["segment"]])
        low, high = np.searchsorted(reports.track[order], [track, track + 1])
        row = int(order[low + max(0, np.searchsorted(reports.observed_us[order[low:high]], at_us, side="right") - 1)])
        exempt = any(_exempts(other, reports, row, at_us, span) for other in exempting)
        in_force = _within(whole, at_us) and _within(windows[place], at_us)
        keep[i] = in_force and _is_about(zone, reports, row) and not exempt
    return keep


def _is_about(zone: Zone, reports: ReportBatch, row: int) -> bool:
    """Return True if a zone binds the mover of a report at its altitude."""
    party, category, alt_m = _party(reports, row), _category(reports, row), float(reports.alt_m[row])
    outside = alt_m < zone.lower_m or alt_m > zone.upper_m  # false where no altitude was reported
    return zone.binds(party) and (zone.categories is None or may_be(category, zone.categories)) and not outside


def _exempts(zone: Zone, reports: ReportBatch, row: int, at_us: int, span: tuple[int, int]) -> bool:
    """Return True if the mover of a report stands in an exempting zone that names it."""
    party, category = _party(reports, row), _category(reports, row)
    named = zone.applies_to is None or (party is not None and party in zone.applies_to)
    named = named and (zone.categories is None or is_a(category, zone.categories))
    place = shapely.Point(float(reports.lon_deg[row]), float(reports.lat_deg[row]))
    return (
        named
        and _within(zone.schedule.intervals_us(*span), at_us)
        and bool(shapely.covers(zone.region.geometry, place))
    )


def _within(intervals_us: NDArray[np.int64], at_us: int) -> bool:
    return bool(((intervals_us[:, 0] <= at_us) & (at_us < intervals_us[:, 1])).any())


def _party(reports: ReportBatch, row: int) -> str | None:
    return reports.parties[reports.party[row]] if reports.party[row] >= 0 else None


def _category(reports: ReportBatch, row: int) -> str | None:
    return reports.categories[reports.category[row]] if reports.category[row] >= 0 else None
