"""Alike: the same notice twice, and notices that tell of nearly the same. Found and said; never merged.

The same content (`Notice.content_hash`) is a duplicate. Nearly the same is: a mover in common, overlapping times, and
places less than `NEAR_M` apart; or, for sites, the same place under another name. The same site at another place is
neither: one of the two is wrong, and somebody must ask which (SEMANTICS §3.6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import ceil, cos, floor, inf, radians

import numpy as np
import shapely

from tocsin.agreement.notices.check import Flagged
from tocsin.agreement.notices.notice import Notice, PlaceOf, positions_of, region_of
from tocsin.agreement.notices.places import METRES_PER_DEGREE, apart_m
from tocsin.agreement.notices.words import Flag, NoticeKind
from tocsin.geo.measure import distance_m
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

MAX_COMPARED = 500
"""Standing notices with a name or place in common that a new one is compared with (P11); further ones are counted."""


class Alike:
    """The standing notices, by what they could be alike in.

    Attributes
    ----------
    by_hash : dict of str to str
        The first notice of each content.
    """

    def __init__(self) -> None:
        self.by_hash: dict[str, str] = {}
        self._by_key: dict[str, set[str]] = defaultdict(set)
        self._by_cell: dict[tuple[int, int], set[str]] = defaultdict(set)
        self._known: dict[str, tuple[Notice, frozenset[str]]] = {}

    @property
    def names(self) -> list[str]:
        """The ids of the standing notices, in the order in which they were taken in."""
        return list(self._known)

    def same(self, notice: Notice) -> str | None:
        """Return the id of the standing notice with the same content, if there is one."""
        return self.by_hash.get(notice.content_hash)

    def add(self, notice: Notice) -> None:
        """Take a standing notice in."""
        keys = frozenset(_keys(notice))
        self._known[notice.notice_id] = (notice, keys)
        self.by_hash.setdefault(notice.content_hash, notice.notice_id)
        for key in keys:
            self._by_key[key].add(notice.notice_id)
        for cell in _own_cells(notice):
            self._by_cell[cell].add(notice.notice_id)

    def drop(self, notice: Notice) -> None:
        """Leave out a notice that stands no longer."""
        _, keys = self._known.pop(notice.notice_id, (notice, frozenset()))
        if self.by_hash.get(notice.content_hash) == notice.notice_id:
            del self.by_hash[notice.content_hash]
        for key in keys:
            self._by_key[key].discard(notice.notice_id)
        for cell in _own_cells(notice):
            self._by_cell[cell].discard(notice.notice_id)

    def flags(self, notice: Notice) -> tuple[Flagged, ...]:
        """Return what should be looked at in a new notice beside the standing ones, in order of their ids."""
        keys = frozenset(_keys(notice))
        met = {other for key in keys for other in self._by_key.get(key, ())}
        for cell in _cells_about(notice):
            met |= self._by_cell.get(cell, set())
        names = sorted(met - {notice.notice_id})
        found = [
            flag for name in names[:MAX_COMPARED] if (flag := _beside(notice, keys, *self._known[name])) is not None
        ]
        more = [f"{len(found) - MAX_TOLD} more standing notices are nearly the same."] if len(found) > MAX_TOLD else []
        if len(names) > MAX_COMPARED:
            more.append(f"{len(names)} standing notices have a name in common with it; {MAX_COMPARED} were compared.")
        return (*found[:MAX_TOLD], *(Flagged(flag=Flag.NEAR_DUPLICATE, words=words) for words in more))


def _beside(notice: Notice, keys: frozenset[str], other: Notice, other_keys: frozenset[str]) -> Flagged | None:
    if notice.kind is not other.kind or notice.place is None or other.place is None:
        return None
    shared = sorted(keys & other_keys)
    if notice.kind is NoticeKind.SITE:
        return _sites(notice.place, shared, other, other.place)
    both_tracked = all(any(key.startswith(_TRACK) for key in told) for told in (keys, other_keys))
    if both_tracked:  # then a name in common is nothing: two ships may have one
        shared = [key for key in shared if key.startswith(_TRACK)]
    if not shared or not _overlap(notice, other):
        return None
    apart = _near_m(notice.place, other.place)
    if apart > NEAR_M:
        return None
    where = "at the same place" if apart == 0.0 else f"{format_length(apart)} apart"
    words = f"{other.notice_id} tells of {shared[0].partition('=')[2]} at overlapping times, {where}."
    return Flagged(flag=Flag.NEAR_DUPLICATE, words=words)


_TRACK = "track="


def _sites(place: PlaceOf, shared: list[str], other: Notice, other_place: PlaceOf) -> Flagged | None:
    (lat, lon), (other_lat, other_lon) = positions_of(place)[0], positions_of(other_place)[0]
    apart = float(distance_m(lat, lon, other_lat, other_lon))
    if shared and apart > SAME_SITE_M:
        words = f"{other.notice_id} tells of site {shared[0].partition('=')[2]}, {format_length(apart)} from here."
        return Flagged(flag=Flag.SITE_ELSEWHERE, words=words)
    if apart <= SAME_SITE_M:
        words = f"{other.notice_id} tells of a site {format_length(apart)} from here."
        return Flagged(flag=Flag.NEAR_DUPLICATE, words=words)
    return None


def _near_m(first: PlaceOf, second: PlaceOf) -> float:
    """Return how far two places are apart, metres, to a part in a hundred; infinite where surely more than `NEAR_M`.

    Far from 180° and the poles the plane of longitude and latitude settles most pairs: a degree of it is never more
    than 112 km, and never less than the cosine of the latitude of that.
    """
    one, two = region_of(first), region_of(second)
    west, south, east, north = np.array([one.bounds, two.bounds]).T
    if west.min() > -179.0 and east.max() < 179.0 and max(-south.min(), north.max()) < 85.0:
        flat_deg = float(shapely.distance(one.geometry, two.geometry))
        if flat_deg == 0.0:
            return 0.0
        if flat_deg * METRES_PER_DEGREE * cos(radians(max(-south.min(), north.max()))) > NEAR_M:
            return inf
    return apart_m(one, two, about=positions_of(first)[0])


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
            yield f"{_TRACK}{mover.track_id}"
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
