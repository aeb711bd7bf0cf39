"""The watch over many tracks: takes ways as reports come, decides whole beats, hands each kind what it needs.

The design stands in the package's docstring. Costs nothing for an agreement without such a rule.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Conduct, Rule, Watchlist
from tocsin.clock import US_PER_S
from tocsin.geo.atlas import Atlas
from tocsin.geo.pairs import meet
from tocsin.kernels import tables
from tocsin.kernels.detect import meetings as kernels
from tocsin.kernels.pairs.pairs import PIECE
from tocsin.tracks.category import is_a
from tocsin.watch.book import TOGETHER
from tocsin.watch.detect.buildup import buildups
from tocsin.watch.detect.meetings import THIN, TOLD, Meetings
from tocsin.watch.detect.proximity import proximities
from tocsin.watch.detect.span import Rows, Span
from tocsin.watch.detect.void import voids
from tocsin.watch.found import Words

SPAN_PIECES = 250_000
"""About how many pieces are looked at in one span, which bounds memory (some 60 MB); dimensionless."""


class _Cut(Struct):
    """The pieces of a span, the zones that count where each ends, and the meetings found among them so far.

    `zone_of[start_of[k] : start_of[k + 1]]` are the zones of piece k; `parts_by_zone` and `zones` are the same in the
    order of zones; `anybody_…` too, and those whom the zone is not about.
    """

    legs: Rows
    pieces: Rows
    parts: Rows
    part_of: NDArray[np.int64]
    zone_of: NDArray[np.int32]
    start_of: NDArray[np.int64]
    parts_by_zone: NDArray[np.int64]
    zones: NDArray[np.int32]
    anybody_by_zone: NDArray[np.int64]
    anybody_zones: NDArray[np.int32]
    met: dict[tuple[float, bool], tuple[Rows, Rows, Rows]] = field(default_factory=dict)

    def inside(self, zone: int) -> NDArray[np.int64]:
        """Return the pieces at whose ends a zone counts, ascending."""
        return self.parts_by_zone[slice(*np.searchsorted(self.zones, [zone, zone + 1]))]

    def inside_anybody(self, zone: int) -> NDArray[np.int64]:
        """Return the pieces at whose ends a zone counts, or would if it were about such a mover, ascending."""
        return self.anybody_by_zone[slice(*np.searchsorted(self.anybody_zones, [zone, zone + 1]))]

    def hits(self, within_m: float, both: bool, zone: int) -> tuple[Rows, Rows]:
        """Return the meetings within a distance, and which of them are about a zone."""
        if (within_m, both) not in self.met:
            self.met[within_m, both] = self._meet(within_m, both)
        hits, chosen, zones = self.met[within_m, both]
        return hits, chosen[slice(*np.searchsorted(zones, [zone, zone + 1]))]

    def _meet(self, within_m: float, both: bool) -> tuple[Rows, Rows, Rows]:
        """Return all meetings within a distance, and (meeting, zone) as two arrays in the order of zones."""
        kernels.set_reach(self.legs, self.parts, within_m, self.pieces)
        among = np.unique(self.part_of) if both else np.arange(len(self.pieces))
        hits = meet(self.pieces[among], within_m=within_m, cell_m=2.0 * within_m)
        hits["p"], hits["q"] = among[hits["p"]], among[hits["q"]]
        room = n = 2 * len(hits) + 64
        while n >= room:
            room = n + 1
            hit, zone = np.empty(room, np.int64), np.empty(room, np.int32)
            n = kernels.hits_by_zone(hits, self.start_of, self.zone_of, both, hit, zone)
        order = np.argsort(zone[:n], kind="stable")
        return hits, hit[order], zone[order]


class PairWatch:
    """The rules of one agreement version about several tracks.

    Parameters
    ----------
    watchlist : Watchlist
    book : tables.Book
        Of the same version.

    Attributes
    ----------
    rules : list of (int, Rule)
        With their places in the watchlist, ordered by place.
    waits_us : int
        How far the watermark must be past an instant before everything at it is decided.
    """

    def __init__(self, watchlist: Watchlist, book: tables.Book) -> None:
        self.rules = [(i, r) for i, r in enumerate(watchlist.rules) if r.conduct in TOGETHER]
        self.waits_us = 0
        if not self.rules:
            return
        self._zones = np.array(sorted({rule.zone for _, rule in self.rules}), np.int32)
        self._exempting = np.array([i for i, z in enumerate(watchlist.zones) if z.is_exemption], np.int32)
        self._atlas = Atlas.build([watchlist.zones[i].region for i in self._zones])
        self._exempt_atlas = Atlas.build([watchlist.zones[i].region for i in self._exempting])
        self._gap_us = int(book.unobserved_us[:, self._zones].max(initial=0))
        self._clear_us = book.zones["clear_us"].copy()
        self._near_m = 2.0 * max((r.radius_m for _, r in self.rules if not np.isnan(r.radius_m)), default=0.0)
        self._place_of = np.empty(0, np.int32)
        self.waits_us = self._gap_us + kernels.BEAT_US + 1

    def __bool__(self) -> bool:
        return bool(self.rules)

    def take(self, memory: Meetings, reports: tables.Reports, state: tables.State) -> None:
        """Remember the ways that reports tell.

        Parameters
        ----------
        memory : Meetings
        reports : tables.Reports
        state : tables.State
            As it was before them.
        """
        if len(self._place_of) < len(state.tracks):
            self._place_of = np.full(len(state.tracks), tables.NONE, np.int32)
        n = len(reports.track)
        legs, fixes = np.empty(n, tables.LEG), np.empty(n, tables.TRACK)
        zones = np.empty(1, np.int64)
        n = kernels.take_legs(
            reports, state, self._place_of, fixes, self._atlas.arrays, self._near_m, self._gap_us, zones, legs
        )
        memory.legs = np.concatenate([memory.legs, legs[:n]])

    def decide(
        self,
        memory: Meetings,
        state: tables.State,
        book: tables.Book,
        words: Words,
        *,
        before_us: int | None,
        newest_us: int,
        early: bool = False,
    ) -> Rows:
        """Decide all beats that are complete, and return what was found.

        Parameters
        ----------
        memory : Meetings
        state : tables.State
        book : tables.Book
            Its windows laid out over all that is decided.
        words : Words
            What the state's codes mean.
        before_us : int or None
            No report older than this will come; None: no report at all will come.
        newest_us : int
            Nothing is known of what comes after this.
        early : bool
            True if more will come after all: nobody counts as gone then.

        Returns
        -------
        ndarray of FOUND
        """
        beat_us = kernels.BEAT_US
        rows = [np.empty(0, tables.FOUND)]
        if not len(memory.legs) and not len(memory.contacts) and not len(memory.thin):
            return rows[0]
        if before_us is None:
            until_us = (newest_us // beat_us + 1) * beat_us
        else:
            until_us = (before_us - self._gap_us - 1) // beat_us * beat_us
        if not len(memory.contacts) and not len(memory.thin):  # before the first way nothing lasts
            # A way that is told later may begin before those that are known, yet not before `until_us`.
            first_us = min(int(memory.legs["from_us"].min()) // beat_us * beat_us, until_us)
            memory.decided_us = first_us if memory.decided_us is None else max(memory.decided_us, first_us)
        assert memory.decided_us is not None
        while memory.decided_us < until_us:
            to_us = self._span_end(memory, until_us)
            rows.append(self._span(memory, state, book, words, memory.decided_us, to_us, newest_us, early=early))
            memory.decided_us = to_us
        memory.legs = memory.legs[memory.legs["to_us"] > memory.decided_us]
        return np.concatenate(rows)

    def _span_end(self, memory: Meetings, until_us: int) -> int:
        """Return where to end the next span, so that it has about `SPAN_PIECES` pieces."""
        from_us, legs = memory.decided_us or 0, memory.legs
        inside_us = np.minimum(legs["to_us"], until_us) - np.maximum(legs["from_us"], from_us)
        pieces = float(np.maximum(inside_us, 0).sum()) / kernels.BEAT_US + len(legs)
        beats = (until_us - from_us) // kernels.BEAT_US
        return from_us + max(1, int(beats * min(1.0, SPAN_PIECES / max(pieces, 1.0)))) * kernels.BEAT_US

    def _span(
        self, memory: Meetings, state: tables.State, book: tables.Book, words: Words, from_us: int, to_us: int,
        newest_us: int, *, early: bool,
    ) -> Rows:  # fmt: skip
        cut = self._cut(memory.legs, state, book, from_us, to_us)
        rows, contacts, told, thin = [np.empty(0, tables.FOUND)], [], [], [np.empty(0, THIN)]
        for place, rule in self.rules:
            mine = memory.contacts[slice(*np.searchsorted(memory.contacts["rule"], [place, place + 1]))]
            mine_told = memory.told["track"][memory.told["rule"] == place]
            mine_thin = memory.thin[memory.thin["rule"] == place]
            is_void = rule.conduct is Conduct.VOID
            inside = _of_rule(cut, rule, words) if is_void else cut.inside(rule.zone)
            if (early and is_void) or not (len(mine) or len(inside) or len(mine_thin)):
                continue
            after, turns = self._contacts(cut, state, book, place, rule, inside, mine, to_us)
            span = Span(
                legs=cut.legs, pieces=cut.pieces, parts=cut.parts, inside=inside, place=place, rule=rule,
                names=words.tracks,
            )  # fmt: skip
            if is_void:
                limits = book.zones[rule.zone]
                found, mine_thin = voids(
                    span, turns, mine, mine_thin,
                    until_us=min(to_us, newest_us), clear_us=int(self._clear_us[rule.zone]),
                    windows_us=book.windows_us[limits["windows_from"] : limits["windows_to"]],
                )  # fmt: skip
                rows.append(found)
                thin.append(mine_thin)
            elif rule.conduct is Conduct.PROXIMITY:
                rows.append(proximities(span, turns[turns["kind"] == kernels.FULL]))
            else:
                found, mine_told = buildups(span, turns, mine, mine_told)
                rows.append(found)
            contacts.append(after)
            marks = np.empty(len(mine_told), TOLD)
            marks["rule"], marks["track"] = place, mine_told
            told.append(marks)
        memory.contacts = np.concatenate([np.empty(0, kernels.CONTACT), *contacts])
        memory.told = np.concatenate([np.empty(0, TOLD), *told])
        memory.thin = np.concatenate(thin)
        return np.concatenate(rows)

    def _contacts(
        self, cut: _Cut, state: tables.State, book: tables.Book, place: int, rule: Rule, chosen: NDArray[np.int64],
        before: Rows, to_us: int,
    ) -> tuple[Rows, Rows]:  # fmt: skip
        """Return the contacts of a rule after a span, and what turned in it."""
        if np.isnan(rule.radius_m):
            found = np.empty(len(chosen), kernels.TOUCH)
            kernels.stays(cut.pieces, cut.parts, chosen, found)
        else:
            strangers = rule.conduct is Conduct.PROXIMITY
            hits, chosen = cut.hits(rule.radius_m, not strangers, rule.zone)
            found = np.empty(len(chosen), kernels.TOUCH)
            n = kernels.touches(
                cut.legs, cut.pieces, cut.parts, state, book, hits, chosen, rule.radius_m, rule.zone, strangers, found
            )
            found = found[:n]
        names = ("p", "q", "closest_m", "out_us", "in_us", "beat", "b", "a")
        found = found[np.lexsort([found[name] for name in names])]
        after = np.empty(len(found) + len(before) + 1, kernels.CONTACT)
        turns = np.empty(2 * len(found) + len(before), kernels.TURN)
        at_once = np.isnan(rule.after_s) or rule.conduct is Conduct.VOID
        after_us = 0 if at_once else round(rule.after_s * US_PER_S)
        clear_us = int(self._clear_us[rule.zone])
        n, m = kernels.keep_contacts(found, cut.legs, cut.parts, before, place, after_us, clear_us, to_us, after, turns)
        return after[:n], turns[:m]

    def _cut(self, legs: Rows, state: tables.State, book: tables.Book, from_us: int, to_us: int) -> _Cut:
        legs = legs[(legs["from_us"] < to_us) & (legs["to_us"] > from_us)]
        room = len(legs) + 64
        pieces, parts = np.empty(room, PIECE), np.empty(room, kernels.PART)
        at = n = 0
        while True:
            at, n = kernels.cut_legs(legs, from_us, to_us, at, pieces, parts, n)
            if at == len(legs):
                break
            pieces = np.concatenate([pieces, np.empty_like(pieces)])
            parts = np.concatenate([parts, np.empty_like(parts)])
        pieces, parts = pieces[:n], parts[:n]
        part_of, zone_of, counts = self._counting(self._atlas, self._zones, legs, parts, state, book)
        anybody = np.argsort(zone_of, kind="stable")
        anybody_by_zone, anybody_zones = part_of[anybody], zone_of[anybody]
        part_of, zone_of = part_of[counts == kernels.BOUND], zone_of[counts == kernels.BOUND]
        if len(self._exempting) and len(part_of):
            exempt, by, counts = self._counting(self._exempt_atlas, self._exempting, legs, parts, state, book)
            exempt, by = exempt[counts == kernels.BOUND], by[counts == kernels.BOUND]
            parts["exemption"][exempt[::-1]] = by[::-1]  # the first of them stands
        start_of = np.searchsorted(part_of, np.arange(len(parts) + 1))
        order = np.argsort(zone_of, kind="stable")
        return _Cut(
            legs, pieces, parts, part_of, zone_of, start_of, part_of[order], zone_of[order],
            anybody_by_zone, anybody_zones,
        )  # fmt: skip

    def _counting(
        self, atlas: Atlas, zones: NDArray[np.int32], legs: Rows, parts: Rows, state: tables.State, book: tables.Book
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8]]:
        """Return the ends of parts, the zones that count there, and whether for the mover or only for others."""
        part_of, zone_of = atlas.locate(parts["lat_deg"], parts["lon_deg"])
        zone_of = zones[zone_of]
        counts = np.zeros(len(part_of), np.uint8)
        kernels.counts_at_end(legs, parts, state, book, part_of, zone_of, counts)
        return part_of[counts != 0], zone_of[counts != 0], counts[counts != 0]


def _of_rule(cut: _Cut, rule: Rule, words: Words) -> NDArray[np.int64]:
    """Return the pieces inside a rule's zone of tracks that the rule counts: of its party and category, if it says."""
    chosen = cut.inside_anybody(rule.zone)
    legs = cut.legs[cut.parts["leg"][chosen]]
    party = [rule.party is None or party == rule.party for party in words.parties]
    category = [rule.category is None or is_a(category, {rule.category}) for category in words.categories]
    counts = np.array([*party, rule.party is None])[legs["party"]]
    counts &= np.array([*category, rule.category is None])[legs["category"]]
    of_rule: NDArray[np.int64] = chosen[counts]
    return of_rule
