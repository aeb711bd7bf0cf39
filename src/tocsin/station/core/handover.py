"""Handover: one agreement version follows another while tracks are where they are.

Each version has a watch of its own, in force for its own time (`agreement/versions/in_force.py`), and for a while both
are given all reports: the old one settles what happened under it, the new one begins with every track's last fix. At
the instant between them the old watch tells `zone_ended` of whoever is inside and the new one `zone_began`: the zone
caused it, not the track. Where both tell so of one zone nothing has changed, and nothing is said. Which cases follow is
the ladder's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tocsin.agreement.terms.state import given
from tocsin.agreement.versions.in_force import InForce, watchlist_in_force
from tocsin.clock import US_PER_S
from tocsin.kernels.tables import NEVER
from tocsin.station.core.terms import Terms
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.order import canonical
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event, EventKind
from tocsin.watch.live import LiveState
from tocsin.watch.state import WatchState

SETTLED_US = 3_600 * US_PER_S
"""How far the watermark must be past a version's end before its watch is given up, microseconds: longer than an exit or
a meeting takes to become certain."""


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """The watch of a version that another has followed.

    Attributes
    ----------
    terms : Terms
    from_us : int or None
    until_us : int
        Its time, half-open.
    engine : Engine
    live : LiveState
    """

    terms: Terms
    from_us: int | None
    until_us: int
    engine: Engine
    live: LiveState

    @property
    def is_settled(self) -> bool:
        """True if nothing of its time can change any more."""
        return self.live.order.watermark_us > self.until_us + SETTLED_US and not self.live.open


def engine_of(terms: Terms, *, from_us: int | None, until_us: int | None) -> Engine:
    """Return the watch of a version, in force within these bounds and its own `effective`."""
    agreement = terms.agreement
    effective = given(agreement.effective)
    begins = [at for at in (from_us, given(effective.from_us) if effective else None) if at is not None]
    ends = [at for at in (until_us, given(effective.to_us) if effective else None) if at is not None]
    return Engine(
        watchlist_in_force(InForce(agreement, max(begins, default=None), min(ends, default=None))), terms.engine.routes
    )


def taken_over(engine: Engine, before: LiveState) -> LiveState:
    """Return the live watch of a new version, which knows where every track was last."""
    settled = WatchState()
    fixes = _last_fixes(before.settled)
    settled, _ = engine.step(settled, fixes, watermark_us=before.settled.watermark_us)
    state = LiveState(order=before.order, settled=settled, looked_us=before.looked_us)
    waiting = before.order.waiting.whole().tracks
    state.again = {settled.track_ids.setdefault(name, len(settled.track_ids)) for name in waiting}
    return state


def at_seam(old: Sequence[Event], new: Sequence[Event], at_us: int) -> list[Event]:
    """Return what two watches told in one tick, without what one ended and the other began of the same zone."""
    ended = {_place(event) for event in old if _is_seam(event, EventKind.ZONE_ENDED, at_us)}
    began = {_place(event) for event in new if _is_seam(event, EventKind.ZONE_BEGAN, at_us)}
    goes_on = ended & began
    kept = [event for event in old if not (_is_seam(event, EventKind.ZONE_ENDED, at_us) and _place(event) in goes_on)]
    return kept + [
        event for event in new if not (_is_seam(event, EventKind.ZONE_BEGAN, at_us) and _place(event) in goes_on)
    ]


def _is_seam(event: Event, kind: EventKind, at_us: int) -> bool:
    return event.kind is kind and event.at_us == at_us


def _place(event: Event) -> tuple[str, str, str, str]:
    return (event.track_id, event.zone_id, event.standing, event.revision)


def _last_fixes(state: WatchState) -> ReportBatch:
    rows = state.tracks[: len(state.track_ids)]
    known = np.flatnonzero(rows["observed_us"] != NEVER)
    rows = rows[known]
    batch = ReportBatch(
        track=known.astype(np.int32),
        observed_us=rows["observed_us"].copy(),
        received_us=rows["observed_us"].copy(),
        lat_deg=rows["lat_deg"].copy(),
        lon_deg=rows["lon_deg"].copy(),
        alt_m=rows["alt_m"].copy(),
        speed_mps=rows["speed_mps"].copy(),
        course_deg=rows["course_deg"].copy(),
        heading_deg=np.full(len(rows), np.nan, np.float32),
        accuracy_m=rows["accuracy_m"].copy(),
        feed=rows["feed"].copy(),
        party=rows["party"].copy(),
        category=rows["category"].copy(),
        tracks=tuple(state.track_ids),
        feeds=tuple(state.feeds),
        parties=tuple(state.parties),
        categories=tuple(state.categories),
    )
    return batch.take(canonical(batch).keep)
