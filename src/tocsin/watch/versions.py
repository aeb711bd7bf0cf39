"""Versions: what the watches of an agreement's versions say of the instants at which one follows another.

Every version has a watch of its own and is given all reports (`agreement/versions/in_force.py` says when it is in
force). When one version follows another, the old watch tells `zone_ended` of whoever is inside and the new one
`zone_began`. Where both tell so of one zone nothing has changed, and nothing is said; if a zone is in both versions and
the track inside of it in one of them only, the zone was drawn over the track or away from it, and that is
`zone_changed` (docs/format/version.md, 14; live, `station/core/handover.py` does the same). Leaves out which version is
in force when.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Watchlist
from tocsin.kernels.tables import ZONE_BEGAN, ZONE_CHANGED, ZONE_ENDED
from tocsin.watch.found import EventBatch

BOUND_US = 2**62
"""Before and after everything, microseconds."""

Place = tuple[str, str]
"""A track and a zone, by id."""


def at_seams(batches: Sequence[EventBatch]) -> list[EventBatch]:
    """Return the same events, but for what the watches tell of a zone that is in two versions in a row.

    Parameters
    ----------
    batches : sequence of EventBatch
        Every event of each version's watch, in order of time; each watchlist is in force for its own time only.
    """
    found = list(batches)
    for place, (old, new) in enumerate(pairwise([batch.watchlist for batch in batches])):
        at_us = _seam_us(old, new)
        if at_us is not None:
            found[place], found[place + 1] = _at_seam(found[place], found[place + 1], at_us)
    return found


def _seam_us(old: Watchlist, new: Watchlist) -> int | None:
    """Return the instant at which one version follows another; None if there is a time without either."""
    before, after = (watchlist.in_force.intervals_us(-BOUND_US, BOUND_US) for watchlist in (old, new))
    if not len(before) or not len(after) or before[-1, 1] != after[0, 0]:
        return None
    return int(after[0, 0])


def _at_seam(before: EventBatch, after: EventBatch, at_us: int) -> tuple[EventBatch, EventBatch]:
    ended, began = _rows_at(before, ZONE_ENDED, at_us), _rows_at(after, ZONE_BEGAN, at_us)
    in_both = {zone.zone_id for zone in before.watchlist.zones} & {zone.zone_id for zone in after.watchlist.zones}
    changed = {place for place in ended.keys() ^ began.keys() if place[1] in in_both}
    same = ended.keys() & began.keys()
    return _settled(before, ended, changed, same), _settled(after, began, changed, same)


def _rows_at(batch: EventBatch, code: int, at_us: int) -> dict[Place, int]:
    """Return the rows of a kind at an instant, by track and zone."""
    rows: NDArray[np.int64] = np.flatnonzero((batch.rows["code"] == code) & (batch.rows["at_us"] == at_us))
    return {batch.place(row): row for row in rows.tolist()}


def _settled(batch: EventBatch, told: dict[Place, int], changed: set[Place], same: set[Place]) -> EventBatch:
    """Return a batch in which what is told of some places is the zone's change, and of others nothing."""
    if not told.keys() & (changed | same):
        return batch
    rows = batch.rows.copy()
    rows["code"][[told[place] for place in told.keys() & changed]] = ZONE_CHANGED
    return EventBatch(np.delete(rows, [told[place] for place in same]), batch.words)
