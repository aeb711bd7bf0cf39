"""Live: two watches of the same reports, one at arrival and one at the watermark (DESIGN P2).

Warning now and not depending on the order of arrival cannot both be had, so there are two classes of event.
*Provisional* events come from the watch at arrival and drive the ladder. *Final* events come from the watch at the
watermark, which sees every report in canonical order: they are the same bytes for every order of arrival within the
lateness and every cut into batches. A final event confirms the provisional one of its id; a provisional one that no
final event confirms is withdrawn. What comes later than the lateness is handed back, and `corrections` says what it
would have changed: history is amended, never edited (FAULTS appendix C).

An approach that is due at a moment at which no fix came (`kernels/forecast/vigil.py`) is provisional as soon as the
clock of arrival has passed that moment, and final once the watermark has.

What shows only in several tracks together (`detect`) is not watched track by track at arrival. Every `EARLY_US` all
that waits is looked at as if nothing else came (`Engine.early`): that is what the provisional events of those kinds
are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from msgspec.structs import replace

from tocsin.clock import US_PER_S
from tocsin.kernels.detect.episodes import copy_track
from tocsin.kernels.tables import NEVER
from tocsin.tracks.batch import EMPTY, ReportBatch, concat
from tocsin.tracks.order import BEGINNING_US, Release, Reorder, canonical, push
from tocsin.watch.corrections import amendments
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event, Revision, Standing
from tocsin.watch.replay import replay
from tocsin.watch.state import WatchState

EARLY_US = 10 * US_PER_S
"""How often several tracks together are looked at before the watermark, microseconds of arrival: short
beside the minutes that agreements set for them; oftener costs more and warns sooner."""

END_US = np.iinfo(np.int64).max
"""After every watermark."""


@dataclass(slots=True, kw_only=True)
class LiveState:
    """What a live watch remembers; taken over by `step`, like `WatchState`.

    Attributes
    ----------
    order : Reorder
        The reports that wait, and the watermark.
    settled, arrived : WatchState
        The watch at the watermark and the watch at arrival; they give words the same codes.
    open : dict of str to Event
        Provisional events, by id, that are neither confirmed nor withdrawn yet.
    open_us : int
        Up to this watermark none of them is withdrawn; at the beginning it is not known.
    looked_us : int
        When several tracks together were last looked at.
    again : set of int
        Tracks of the watch at arrival that are to be watched again from where they are settled.
    """

    order: Reorder
    settled: WatchState = field(default_factory=WatchState)
    arrived: WatchState = field(init=False)
    open: dict[str, Event] = field(default_factory=dict)
    open_us: int = field(default=BEGINNING_US, compare=False)
    looked_us: int = BEGINNING_US
    again: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.arrived = self.settled.beside()

    def frozen(self) -> LiveState:
        """Return this state as it stands, to be dumped while this one goes on."""
        state = LiveState(order=self.order, settled=self.settled.frozen(), looked_us=self.looked_us)
        state.arrived = self.arrived.frozen().like(state.settled)
        state.open, state.again = dict(self.open), set(self.again)
        return state


def step(
    engine: Engine, state: LiveState, batch: ReportBatch, *, now_us: int
) -> tuple[LiveState, list[Event], Release]:
    """Take reports as they arrive.

    Parameters
    ----------
    engine : Engine
    state : LiveState
        Taken over: use the returned one from now on.
    batch : ReportBatch
        In any order; empty to let time pass.
    now_us : int
        When they arrived, microseconds UTC.

    Returns
    -------
    state : LiveState
    events : list of Event
        Final ones first (they confirm what was open under their id), then withdrawals, then new provisional ones; each
        group in the one order of events.
    release : Release
        What became of the reports: `late` and `ahead` were not watched.
    """
    state.order, release = push(state.order, batch, now_us=now_us)
    state, events = watch(engine, state, release, now_us=now_us)
    return state, events, release


def watch(engine: Engine, state: LiveState, release: Release, *, now_us: int) -> tuple[LiveState, list[Event]]:
    """Take what one push set free; `step` without the push, for a watch whose order is another's.

    Parameters
    ----------
    engine : Engine
    state : LiveState
        Taken over; its order has been pushed.
    release : Release
        Of all tracks, or of some alone.
    now_us : int

    Returns
    -------
    state : LiveState
    events : list of Event
        As `step` does.
    """
    watermark_us = state.order.watermark_us
    state.settled, final = engine.step(state.settled, release.ready, watermark_us=watermark_us)
    told = {event.event_id for event in final}
    for key in told:
        state.open.pop(key, None)
    found = [
        *_at_arrival(engine, state, release),
        *_due(engine, state, now_us),
        *_together(engine, state, now_us),
    ]
    fresh = [e for e in found if e.event_id not in told and _is_news(state.open, e)]
    fresh = [replace(e, revision=Revision.AMENDED) if e.event_id in state.open else e for e in fresh]
    for event in fresh:
        state.open[event.event_id] = replace(event, revision=Revision.OPENED)
        state.open_us = min(state.open_us, event.known_us + engine.waits_us(event.kind))
    gone = _unconfirmed(engine, state) if state.open_us < watermark_us else []
    return state, [*final, *gone, *(e for e in fresh if e.event_id in state.open)]


def corrections(engine: Engine, history: ReportBatch, late: ReportBatch) -> list[Event]:
    """Return what reports that came too late change in the final events of their tracks.

    Parameters
    ----------
    engine : Engine
    history : ReportBatch
        Every report of those tracks that was watched, in canonical order.
    late : ReportBatch
        Reports that came later than the lateness.

    Returns
    -------
    list of Event
        Final; opened, amended or withdrawn; in the one order of events. Empty if nothing would have changed.
    """
    both = concat([history, late])
    end = both.take(canonical(both).keep)
    return amendments(replay(engine, history)[0], replay(engine, end)[0])


def _unconfirmed(engine: Engine, state: LiveState) -> list[Event]:
    """Take out what the watermark has passed unconfirmed, and return it withdrawn."""
    until_us = {key: event.known_us + engine.waits_us(event.kind) for key, event in state.open.items()}
    gone = [state.open.pop(key) for key, at_us in until_us.items() if at_us < state.order.watermark_us]
    state.open_us = min((until_us[key] for key in state.open), default=END_US)
    return sorted((replace(e, revision=Revision.WITHDRAWN) for e in gone), key=lambda event: event.order)


def _at_arrival(engine: Engine, state: LiveState, release: Release) -> list[Event]:
    """Watch what came, track by track, and return what is found.

    A track whose reports come in the order of their times is watched on from where it was. One with a report that is
    not newer than its last fix, or whose reports are settled already, or that was told of by the clock alone since its
    last fix, is watched again from where it is settled, over all that waits.
    """
    came = release.came
    if not len(came):
        state.arrived, found = engine.step(state.arrived, EMPTY, watermark_us=state.order.watermark_us)
        return [replace(event, standing=Standing.PROVISIONAL) for event in found]
    codes = state.settled.codes(came.track, came.tracks, state.settled.track_ids)
    for watch in (state.settled, state.arrived):
        watch.make_room_for_tracks()
    last_us = state.arrived.tracks["observed_us"][codes]
    is_new = (last_us == NEVER) & (state.settled.tracks["observed_us"][codes] != NEVER)
    back = is_new | (came.observed_us < state.order.watermark_us) | (came.observed_us <= last_us)
    if state.again:
        back |= np.isin(codes, list(state.again))
    if back.any():
        again = np.zeros(len(state.settled.track_ids), bool)
        again[codes[back]] = True
        tracks = np.flatnonzero(again).tolist()
        names = [came.tracks[code] for code in np.unique(came.track[again[codes]]).tolist()]
        _begin_again(state, tracks)
        state.again.difference_update(tracks)
        came = concat([came.take(~again[codes]), state.order.waiting.of(names)])
    reports = came.take(canonical(came).keep)
    state.arrived, found = engine.step(state.arrived, reports, watermark_us=state.order.watermark_us)
    return [replace(event, standing=Standing.PROVISIONAL) for event in found]


def _due(engine: Engine, state: LiveState, now_us: int) -> list[Event]:
    """Return what fell due by the clock alone; a fix that comes yet may show that it did not."""
    found = engine.due(state.arrived, now_us=now_us)
    state.again.update(found.track_codes)
    return [replace(event, standing=Standing.PROVISIONAL) for event in found]


def _together(engine: Engine, state: LiveState, now_us: int) -> list[Event]:
    """Look at several tracks together over all that waits, if it is time to, and return what is found."""
    if now_us < state.looked_us + EARLY_US:
        return []
    state.looked_us = now_us
    if not engine.looks_together:
        return []
    waiting = state.order.waiting.whole()
    found = engine.early(state.settled, waiting.take(canonical(waiting).keep))
    return [replace(event, standing=Standing.PROVISIONAL) for event in found]


def _is_news(known: dict[str, Event], event: Event) -> bool:
    return event.event_id not in known or known[event.event_id].as_line() != event.as_line()


def _begin_again(state: LiveState, tracks: list[int]) -> None:
    """Put tracks of the watch at arrival back to where they are settled."""
    state.settled.make_room_for_tracks()
    state.arrived.make_room_for_tracks()
    used = len(state.settled.episodes) - int(state.settled.free[1])
    while state.arrived.free[1] < used:
        state.arrived.make_room_for_episodes()
    for track in tracks:
        copy_track(state.settled.arrays(), state.arrived.arrays(), track)
