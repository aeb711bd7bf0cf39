"""Alike: the same notice twice, and notices that tell of nearly the same. Found and said; never merged.

The same content (`Notice.content_hash`) is a duplicate. Nearly the same is: a mover in common, overlapping times, and
places less than `NEAR_M` apart; or, for sites, the same place under another name. The same site at another place is
neither: one of the two is wrong, and somebody must ask which (SEMANTICS §3.6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import ceil, cos, floor, radians

from tocsin.agreement.notices.check import Flagged
from tocsin.agreement.notices.notice import Notice, PlaceOf, positions_of, region_of
from tocsin.agreement.notices.places import METRES_PER_DEGREE, apart_m
from tocsin.agreement.notices.words import Flag, NoticeKind
from tocsin.geo.measure import distance_m
from tocsin.geo.shapes import Region
from tocsin.units import format_length

NEAR_M = 1_000.0
"""Metres between the places of two notices of one mover under which they are taken for nearly the same; own choice."""

SAME_SITE_M = 300.0
"""Metres up to which two positions may be the same site: the size of a hospital's ground, and the least blur that is
told to others (ASTM F3411)."""

CELL_DEG = 0.01
"""Size of the cells in which sites are looked up, degrees: about a kilometre of latitude."""

COLUMNS = 36_000
"""Cells round a parallel."""

MAX_TOLD = 20
"""Like notices that a flag names one by one (P11); of further ones their number is told."""


class Alike:
    """The standing notices, by what they could be alike in."""

    def __init__(self) -> None:
        self._by_hash: dict[str, str] = {}
        self._by_key: dict[str, set[str]] = defaultdict(set)
        self._by_cell: dict[tuple[int, int], set[str]] = defaultdict(set)
        self._known: dict[str, Notice] = {}

    def same(self, notice: Notice) -> str | None:
        """Return the id of the standing notice with the same content, if there is one."""
        return self._by_hash.get(notice.content_hash)

    def add(self, notice: Notice) -> None:
        """Take a standing notice in."""
        self._known[notice.notice_id] = notice
        self._by_hash.setdefault(notice.content_hash, notice.notice_id)
        for key in _keys(notice):
            self._by_key[key].add(notice.notice_id)
        for cell in _own_cells(notice):
            self._by_cell[cell].add(notice.notice_id)

    def drop(self, notice: Notice) -> None:
        """Leave out a notice that stands no longer."""
        if self._known.pop(notice.notice_id, None) is None:
            return
        if self._by_hash.get(notice.content_hash) == notice.notice_id:
            del self._by_hash[notice.content_hash]
        for key in _keys(notice):
            self._by_key[key].discard(notice.notice_id)
        for cell in _own_cells(notice):
            self._by_cell[cell].discard(notice.notice_id)

    def flags(self, notice: Notice) -> tuple[Flagged, ...]:
        """Return what should be looked at in a new notice beside the standing ones, in order of their ids."""
        met = {other for key in _keys(notice) for other in self._by_key.get(key, ())}
        for cell in _cells_about(notice):
            met |= self._by_cell.get(cell, set())
        others = (self._known[name] for name in sorted(met - {notice.notice_id}))
        found = [flag for other in others if (flag := _beside(notice, other)) is not None]
        if len(found) > MAX_TOLD:
            more = f"And {len(found) - MAX_TOLD} more standing notices are nearly the same."
            found = [*found[:MAX_TOLD], Flagged(flag=Flag.NEAR_DUPLICATE, words=more)]
        return tuple(found)


def _beside(notice: Notice, other: Notice) -> Flagged | None:
    if notice.kind is not other.kind:
        return None
    if notice.kind is NoticeKind.SITE:
        return _sites(notice, other)
    shared = sorted(set(_keys(notice)) & set(_keys(other)))
    if not shared or not _overlap(notice, other) or notice.place is None or other.place is None:
        return None
    if _boxes_apart(region_of(notice.place), region_of(other.place)):
        return None
    apart = between_m(notice.place, other.place)
    if apart > NEAR_M:
        return None
    where = "at the same place" if apart == 0.0 else f"{format_length(apart)} apart"
    words = f"{other.notice_id} tells of {shared[0].partition('=')[2]} at overlapping times, {where}."
    return Flagged(flag=Flag.NEAR_DUPLICATE, words=words)


def _sites(notice: Notice, other: Notice) -> Flagged | None:
    if notice.place is None or other.place is None:
        return None
    (lat, lon), (other_lat, other_lon) = positions_of(notice.place)[0], positions_of(other.place)[0]
    apart = float(distance_m(lat, lon, other_lat, other_lon))
    shared = sorted(set(_keys(notice)) & set(_keys(other)))
    if shared and apart > SAME_SITE_M:
        words = f"{other.notice_id} tells of site {shared[0].partition('=')[2]}, {format_length(apart)} from here."
        return Flagged(flag=Flag.SITE_ELSEWHERE, words=words)
    if apart <= SAME_SITE_M:
        words = f"{other.notice_id} tells of a site {format_length(apart)} from here."
        return Flagged(flag=Flag.NEAR_DUPLICATE, words=words)
    return None


def between_m(first: PlaceOf, second: PlaceOf) -> float:
    """Return the shortest way between two places, metres, to a part in a hundred; 0 where they meet."""
    return apart_m(region_of(first), region_of(second), about=positions_of(first)[0])


def _boxes_apart(first: Region, second: Region) -> bool:
    """Return True if two regions are further apart in latitude than `NEAR_M`: settled without measuring."""
    (_, south, _, north), (_, other_south, _, other_north) = first.bounds, second.bounds
    return max(south - other_north, other_south - north) > NEAR_M / METRES_PER_DEGREE


def _overlap(notice: Notice, other: Notice) -> bool:
    """Return True if the times of two notices overlap; a missing end is open."""
    for a, b in ((notice, other), (other, notice)):
        if a.to_us is not None and b.from_us is not None and b.from_us >= a.to_us:
            return False
    return True


def _keys(notice: Notice) -> Iterator[str]:
    """Yield what a notice could share with another: its movers' tracks and names, or its site's id and name."""
    if notice.kind is NoticeKind.SITE:
        if notice.site is not None:
            yield from (f"id={notice.site.site_id}",) if notice.site.site_id else ()
            yield from (f"site={_folded(notice.site.name)}",) if notice.site.name else ()
        return
    for mover in notice.movers:
        if mover.track_id:
            yield f"track={mover.track_id}"
        if mover.name:
            yield f"name={_folded(mover.name)}"


def _own_cells(notice: Notice) -> Iterator[tuple[int, int]]:
    if notice.kind is NoticeKind.SITE and notice.place is not None:
        lat, lon = positions_of(notice.place)[0]
        yield floor(lat / CELL_DEG), floor(lon / CELL_DEG) % COLUMNS


def _cells_about(notice: Notice) -> Iterator[tuple[int, int]]:
    """Yield every cell in which a site within `SAME_SITE_M` can lie."""
    for row, column in _own_cells(notice):
        wide = CELL_DEG * METRES_PER_DEGREE * max(cos(radians(min(90.0, (abs(row) + 2) * CELL_DEG))), 1e-9)
        reach = min(ceil(SAME_SITE_M / wide), COLUMNS // 2)
        for i in (-1, 0, 1):
            for j in range(-reach, reach + 1):
                yield row + i, (column + j) % COLUMNS


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
