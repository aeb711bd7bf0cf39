"""The book: one agreement version as arrays, as the kernels read it.

Joins each zone's own schedule with the time the agreement is in force, numbers the parties and categories that the
agreement names, and lays the rules out by zone. Rules whose conduct the watch does not find are named by `unwatched`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Conduct, Rule, Watchlist, Zone
from tocsin.clock import US_PER_S
from tocsin.geo.pairs import MOST_WITHIN_M
from tocsin.kernels import tables
from tocsin.kernels.forecast.vigil import PATIENCE, ask_every_s
from tocsin.kernels.held import hold
from tocsin.tracks.category import Category, is_a, may_be

UNOBSERVED_S = 3_600.0
"""Without a gap rule at a zone, a step longer than this leaves what lies between two fixes unobserved; seconds; a
quarter of the silence after which Global Fishing Watch calls a port visit a gap (4 h), so on the careful side."""

TIMED_CODES = {
    Conduct.LOITER: tables.LOITER,
    Conduct.STOPPED: tables.STOPPED,
    Conduct.GAP: tables.GAP,
    Conduct.PROBING: tables.PROBING,
    Conduct.DWELL: tables.DWELL,
}
"""Conduct that needs an agreed time, and its code."""

TOGETHER = (Conduct.PROXIMITY, Conduct.BUILD_UP, Conduct.VOID)
"""Conduct that shows only in several tracks together (`detect`)."""

VISIT_RULES = (Conduct.ENTRY, Conduct.EXIT, Conduct.CROSSING)
"""Conduct without numbers: each zone has one rule of each."""

STOPPED_BELOW_MPS = 0.5 * 1_852 / 3_600
"""Stopped, where the agreement gives no speed: below 0.5 kn (Global Fishing Watch's end of a port stop)."""

WATCHED = frozenset({*TIMED_CODES, *VISIT_RULES, *TOGETHER, Conduct.APPROACH})
"""Conduct that the watch finds."""

NOBODY_SAID, NOT_NAMED = 0, 1
"""Classes of party and category: the report says nothing; it names one that the agreement does not."""


class Names:
    """The words of one kind that the agreement names, as classes for `Book.binds`."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._place = {word: place + 2 for place, word in enumerate(self.words)}

    def class_of(self, word: str | None) -> int:
        """Return the class of a word, `NOT_NAMED` for a stranger, `NOBODY_SAID` for None."""
        return NOBODY_SAID if word is None else self._place.get(word, NOT_NAMED)

    def __len__(self) -> int:
        return len(self.words) + 2


def named_parties(watchlist: Watchlist) -> Names:
    """Return the parties that any zone names."""
    return Names(sorted({p for z in watchlist.zones for p in (z.applies_to or frozenset()) | z.exempt}))


def named_categories(watchlist: Watchlist) -> Names:
    """Return the categories that any zone names, and all that reports may have."""
    named = {c for z in watchlist.zones for c in z.categories or frozenset()}
    return Names(sorted(named | {str(category) for category in Category}))


class Feeds:
    """The feeds to which a gap rule gives a time of their own, as classes; every other feed is of class 0."""

    def __init__(self, watchlist: Watchlist) -> None:
        self.words = tuple(sorted({feed for rule in watchlist.rules for feed, _ in rule.by_feed}))
        self._place = {word: place + 1 for place, word in enumerate(self.words)}

    def class_of(self, word: str) -> int:
        """Return the class of a feed."""
        return self._place.get(word, 0)

    def __len__(self) -> int:
        return len(self.words) + 1

    def silent_us(self, rule: Rule) -> NDArray[np.int64]:
        """Return a gap rule's time by class, microseconds."""
        own = dict(rule.by_feed)
        after_s = [rule.after_s, *(own.get(word, rule.after_s) for word in self.words)]
        return np.array([round(one_s * US_PER_S) for one_s in after_s], np.int64)


def write_book(watchlist: Watchlist, *, from_us: int, to_us: int) -> tables.Book:
    """Return the book of an agreement, with windows good for every instant in [from_us, to_us).

    Raises
    ------
    ValueError
        If a rule lacks its time, or a probing rule its count or an approach rule at the same zone.
    """
    spells = [(i, r) for i, r in enumerate(watchlist.rules) if r.conduct in TIMED_CODES]
    ahead = [(i, r) for i, r in enumerate(watchlist.rules) if r.conduct is Conduct.APPROACH]
    approached = {r.zone for _, r in ahead}
    for rule in watchlist.rules:
        _check(rule, approached)
    rules, rule_bounds = _by_zone(spells, len(watchlist.zones))
    approaches, approach_bounds = _by_zone(ahead, len(watchlist.zones))
    windows, window_bounds = _windows(watchlist, from_us, to_us)
    zones = np.zeros(len(watchlist.zones), tables.ZONE)
    for name in VISIT_RULES:
        zones[name.value] = tables.NONE
    for place, rule in enumerate(watchlist.rules):
        if rule.conduct in VISIT_RULES:
            zones[rule.conduct.value][rule.zone] = place
    silent_us, unobserved_us = _silences(watchlist, rules)
    for i, zone in enumerate(watchlist.zones):
        zones[i]["clear_us"], zones[i]["clear_m"] = round(zone.clear_s * US_PER_S), zone.clear_m
        zones[i]["lower_m"], zones[i]["upper_m"] = zone.lower_m, zone.upper_m
        zones[i]["banded"] = np.isfinite(zone.lower_m) or np.isfinite(zone.upper_m)
        zones[i]["exempts"] = zone.is_exemption
    zones["rules_from"], zones["rules_to"] = rule_bounds[:-1], rule_bounds[1:]
    zones["approach_from"], zones["approach_to"] = approach_bounds[:-1], approach_bounds[1:]
    zones["windows_from"], zones["windows_to"] = window_bounds[:-1], window_bounds[1:]
    book = tables.Book(
        zones=zones,
        rules=rules,
        approaches=approaches,
        windows_us=windows,
        binds=_binds(watchlist),
        silent_us=silent_us,
        unobserved_us=unobserved_us,
        gap_us=int(silent_us.min(initial=tables.FOREVER, where=rules["code"] == tables.GAP)),
        horizon_s=PATIENCE * max((r.lookahead_s for _, r in ahead), default=0.0),
        soonest_s=PATIENCE * min((r.lookahead_s for _, r in ahead), default=0.0),
        ask_us=round(ask_every_s(min((r.lookahead_s for _, r in ahead), default=0.0)) * US_PER_S),
    )
    return hold(book)


def unwatched(watchlist: Watchlist) -> tuple[Rule, ...]:
    """Return the rules that this watch does not look for; whoever runs it must be told."""
    return tuple(rule for rule in watchlist.rules if rule.conduct not in WATCHED)


def _check(rule: Rule, approached: set[int]) -> None:
    if rule.conduct not in WATCHED:
        return
    if rule.conduct is Conduct.PROBING and (rule.count < 2 or rule.zone not in approached):
        found = f"count {rule.count} and {'an' if rule.zone in approached else 'no'} approach rule"
        raise ValueError(f"rule {rule.rule_id} ({rule.clause}): found {found}, expected 2 or more, and one at its zone")
    if rule.conduct in TOGETHER:
        _check_together(rule)
        return
    time_s = rule.lookahead_s if rule.conduct is Conduct.APPROACH else rule.after_s
    if rule.conduct not in VISIT_RULES and not time_s > 0:
        raise ValueError(f"rule {rule.rule_id} ({rule.clause}): found a time of {time_s} s, expected more than 0")


def _check_together(rule: Rule) -> None:
    near = rule.conduct is Conduct.PROXIMITY
    if not (0.0 < rule.radius_m <= MOST_WITHIN_M or (np.isnan(rule.radius_m) and not near)):
        found = f"a distance of {rule.radius_m} m"
        raise ValueError(f"rule {rule.rule_id} ({rule.clause}): found {found}, expected at most {MOST_WITHIN_M:.0f} m")
    least = 1 if rule.conduct is Conduct.VOID else 2
    if not near and (rule.count < least or not rule.after_s > 0):
        found, wanted = f"count {rule.count} and a time of {rule.after_s} s", f"{least} or more, and more than 0 s"
        raise ValueError(f"rule {rule.rule_id} ({rule.clause}): found {found}, expected {wanted}")


def _by_zone(chosen: Sequence[tuple[int, Rule]], zones: int) -> tuple[tables.Rows, NDArray[np.int32]]:
    rows = np.zeros(len(chosen), tables.RULE)
    for row, (place, rule) in zip(rows, sorted(chosen, key=lambda pair: (pair[1].zone, pair[0])), strict=True):
        stopped = rule.conduct is Conduct.STOPPED and rule.speed_hi_mps == np.inf
        row["after_us"] = 0 if np.isnan(rule.after_s) else round(rule.after_s * US_PER_S)
        row["lookahead_s"], row["radius_m"] = rule.lookahead_s, rule.radius_m
        row["speed_lo_mps"] = rule.speed_lo_mps
        row["speed_hi_mps"] = STOPPED_BELOW_MPS if stopped else rule.speed_hi_mps
        row["zone"], row["place"], row["count"] = rule.zone, place, rule.count
        row["code"] = TIMED_CODES.get(rule.conduct, tables.APPROACH)
    bounds = np.searchsorted(rows["zone"], np.arange(zones + 1)).astype(np.int32)
    return rows, bounds


def _silences(watchlist: Watchlist, rules: tables.Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return `Book.silent_us` and `Book.unobserved_us`, and write the shortest silence of any feed into the gap rules.

    A step is unobserved if it is longer than the agreed time, whichever feed; or than its own feed's, if that is
    shorter: then it was told as a silence.
    """
    feeds = Feeds(watchlist)
    silent_us = np.repeat(rules["after_us"][np.newaxis], len(feeds), axis=0)
    none_us = round(UNOBSERVED_S * US_PER_S)
    unobserved_us = np.full((len(feeds), len(watchlist.zones)), tables.FOREVER, np.int64)
    for r in np.flatnonzero(rules["code"] == tables.GAP):
        silent_us[:, r] = feeds.silent_us(watchlist.rules[rules["place"][r]])
        zone = rules["zone"][r]
        unobserved_us[:, zone] = np.minimum(unobserved_us[:, zone], np.minimum(silent_us[:, r], silent_us[0, r]))
        rules["after_us"][r] = silent_us[:, r].min()
    unobserved_us[unobserved_us == tables.FOREVER] = none_us
    return silent_us, unobserved_us


def _windows(watchlist: Watchlist, from_us: int, to_us: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    whole = watchlist.in_force.intervals_us(from_us, to_us)
    per_zone = [
        whole if z.schedule.is_always else _both(whole, z.schedule.intervals_us(from_us, to_us))
        for z in watchlist.zones
    ]
    bounds = np.cumsum([0, *(len(w) for w in per_zone)]).astype(np.int32)
    return np.concatenate([np.empty((0, 2), np.int64), *per_zone]), bounds


def _both(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the instants that lie in both of two sorted lists of half-open intervals."""
    out = [(max(x[0], y[0]), min(x[1], y[1])) for x in a for y in b if max(x[0], y[0]) < min(x[1], y[1])]
    return np.array(out, np.int64).reshape(-1, 2)


def _binds(watchlist: Watchlist) -> NDArray[np.uint8]:
    parties, categories = named_parties(watchlist), named_categories(watchlist)
    table = np.zeros((len(parties), len(categories), len(watchlist.zones)), np.uint8)
    alike: dict[tuple[object, ...], list[int]] = {}
    for number, zone in enumerate(watchlist.zones):
        alike.setdefault((zone.is_exemption, zone.applies_to, zone.exempt, zone.categories), []).append(number)
    for p, party in enumerate((None, "", *parties.words)):
        for c, category in enumerate((None, "", *categories.words)):
            for numbers in alike.values():
                table[p, c, numbers] = _about(watchlist.zones[numbers[0]], party, category)
    return table


def _about(zone: Zone, party: str | None, category: str | None) -> bool:
    """Return True if the zone is about such a mover; an exemption is about those it names, never about the unknown."""
    if not zone.is_exemption:
        return zone.binds(party) and (zone.categories is None or may_be(category, zone.categories))
    party_named = zone.applies_to is None or (party is not None and party in zone.applies_to)
    return party_named and (zone.categories is None or is_a(category, zone.categories))
