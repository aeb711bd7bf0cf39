"""Conformance: did a notified mover keep to what its notice told? Excursions beyond a budget are findings.

A way between two fixes is taken for a geodesic at even speed; a longer silence than `UNOBSERVED_S` is not judged at
all. Outside a notified route counts from the first time the mover was on it until it passes the route's end, and
wherever it is in a zone of the agreement; outside a notified area counts in a zone only, since nothing else was agreed.
A finding says where a mover was, not why: current, traffic and rescue look alike from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from tocsin.agreement.notices.budget import Budget
from tocsin.agreement.notices.plan import Plan
from tocsin.agreement.watchlist import Watchlist
from tocsin.clock import US_PER_S
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.excursion import Conformance, Excursion, ExcursionKind, Over
from tocsin.watch.way import Way, ways_of

HOUR_S = 3_600.0

BESIDE_S = 86_400.0
"""How long before and after its window a mover that lingers in a zone is followed, seconds: a day."""

NEITHER, INSIDE, OUTSIDE = 0, 1, 2
"""What a sample counts as: not begun yet, or past the route's end and in no zone; inside; outside."""


class _Run(Struct, frozen=True, kw_only=True):
    """A time of one state: its bounds, and the first and last sample of its stretches."""

    from_us: int
    to_us: int
    state: int
    first: int
    last: int


def conformance_of(
    plans: Sequence[Plan], reports: ReportBatch, watchlist: Watchlist, *, until_us: int
) -> tuple[Conformance, ...]:
    """Return how every notified track kept to its notice: by notice as given, then by track.

    Parameters
    ----------
    plans : sequence of Plan
        Late ones too: a notice that quiets nothing is still followed.
    reports : ReportBatch
        In canonical order.
    watchlist : Watchlist
        Whose zones decide where leaving a place matters.
    until_us : int
        The end of what was watched: a window that begins later is not judged, one that ends later is judged up to here.
    """
    begun = [plan for plan in plans if max(plan.from_us, plan.known_us) < until_us]
    return tuple(
        _judged(plan, track, way, until_us)
        for plan, track, way in ways_of(begun, reports, watchlist, beside_s=BESIDE_S)
    )


def _judged(plan: Plan, track: str, way: Way | None, until_us: int) -> Conformance:
    budget = plan.budget
    begin_us = max(plan.from_us, plan.known_us)
    nothing = Conformance(
        notice_id=plan.notice_id, party=plan.party, track_id=track, until_us=min(plan.to_us, until_us), seen=False
    )
    if way is None or not np.any((way.at_us >= begin_us) & (way.at_us < plan.to_us)):
        return nothing
    runs = _runs(way, _states(way, begin_us, plan.to_us), begin_us, plan.to_us)
    seconds = {s: sum(r.to_us - r.from_us for r in runs if r.state == s) / US_PER_S for s in (INSIDE, OUTSIDE)}
    places = [_left_place(way, run, plan.to_us, budget) for run in runs if run.state == OUTSIDE]
    excursions = sorted([*places, *_lingering(plan, way, budget)], key=lambda e: (e.from_us, e.kind))
    over = {part for excursion in excursions for part in excursion.over}
    if seconds[OUTSIDE] > (1.0 - budget.inside_share) * max(sum(seconds.values()), HOUR_S):
        over.add(Over.SHARE)
    if _most_in_an_hour([e.from_us for e in places]) > budget.per_hour:
        over.add(Over.TOO_MANY)
    return replace(
        nothing,
        seen=True,
        inside_s=seconds[INSIDE],
        outside_s=seconds[OUTSIDE],
        excursions=tuple(excursions),
        over=tuple(part for part in Over if part in over),
    )


def _states(way: Way, begin_us: int, to_us: int) -> NDArray[np.int8]:
    """Return what each sample of a way counts as."""
    inside = way.excess_m <= 0.0
    begun = np.logical_or.accumulate(inside & (way.at_us >= begin_us) & (way.at_us < to_us))
    outside = ~inside & (way.in_zone | (way.beside & begun))
    return np.where(inside, INSIDE, np.where(outside, OUTSIDE, NEITHER)).astype(np.int8)


def _runs(way: Way, state: NDArray[np.int8], begin_us: int, to_us: int) -> list[_Run]:
    """Return the times of one state each inside the window, in order; silences lie between them."""
    found: list[_Run] = []
    for run in _stretches(way, state, begin_us, to_us):
        if found and (found[-1].to_us, found[-1].state) == (run.from_us, run.state):
            found[-1] = replace(found[-1], to_us=run.to_us, last=run.last)
        else:
            found.append(run)
    return found


def _stretches(way: Way, state: NDArray[np.int8], begin_us: int, to_us: int) -> Iterator[_Run]:
    """Yield every stretch between two samples in the window, cut where its state changes."""
    for i in np.flatnonzero(~way.after_gap[1:]).tolist():
        a, b = int(way.at_us[i]), int(way.at_us[i + 1])
        if b <= begin_us or a >= to_us:
            continue
        one, two = int(state[i]), int(state[i + 1])
        cut = b if one == two else a + round((b - a) * _share(way, i, at_edge=INSIDE in (one, two)))
        for start, end, what in ((a, cut, one), (cut, b, two)):
            if max(start, begin_us) < min(end, to_us):
                yield _Run(from_us=max(start, begin_us), to_us=min(end, to_us), state=what, first=i, last=i + 1)


def _share(way: Way, i: int, *, at_edge: bool) -> float:
    """Return how far along a stretch its state changes: where the edge is passed, else in the middle."""
    first, last = float(way.excess_m[i]), float(way.excess_m[i + 1])
    return first / (first - last) if at_edge and first != last else 0.5


def _left_place(way: Way, run: _Run, to_us: int, budget: Budget) -> Excursion:
    is_last = run.last + 1 >= len(way.at_us) or bool(way.after_gap[run.last + 1])
    is_open = is_last and run.to_us == int(way.at_us[run.last]) and run.to_us < to_us
    return _excursion(ExcursionKind.PLACE, way, run, is_open=is_open, budget=budget)


def _excursion(kind: ExcursionKind, way: Way, run: _Run, *, is_open: bool, budget: Budget) -> Excursion:
    samples = np.arange(run.first, run.last + 1)
    within = samples[(way.at_us[samples] >= run.from_us) & (way.at_us[samples] <= run.to_us)]
    samples = within if len(within) else samples
    worst = int(samples[np.argmax(way.distance_m[samples])])
    long_s = (run.to_us - run.from_us) / US_PER_S
    passed = ((Over.SINGLE, long_s > budget.single_s), (Over.NOT_RECOVERED, long_s > budget.recover_s))
    return Excursion(
        kind=kind,
        from_us=run.from_us,
        to_us=run.to_us,
        worst_m=float(way.distance_m[worst]),
        worst_us=int(way.at_us[worst]),
        worst_lat_deg=float(way.lat_deg[worst]),
        worst_lon_deg=float(way.lon_deg[worst]),
        is_open=is_open,
        over=tuple(part for part, is_passed in passed if is_passed),
    )


def _lingering(plan: Plan, way: Way, budget: Budget) -> Iterator[Excursion]:
    """Yield the stays in a zone that reach over the window's start or end."""
    stays = np.where(way.in_zone, OUTSIDE, NEITHER).astype(np.int8)
    for run in _runs(way, stays, int(way.at_us[0]), int(way.at_us[-1])):
        if run.state == NEITHER:
            continue
        if plan.known_us < plan.from_us and run.from_us < plan.from_us < run.to_us:
            early = replace(run, from_us=max(run.from_us, plan.known_us), to_us=plan.from_us)
            yield _excursion(ExcursionKind.BEFORE_WINDOW, way, early, is_open=False, budget=budget)
        if plan.own_end and run.from_us < plan.to_us < run.to_us:
            is_open = run.to_us == int(way.at_us[-1])
            late = replace(run, from_us=plan.to_us)
            yield _excursion(ExcursionKind.AFTER_WINDOW, way, late, is_open=is_open, budget=budget)


def _most_in_an_hour(starts_us: Sequence[int]) -> int:
    """Return the most excursions that began within one hour."""
    starts = np.sort(np.asarray(starts_us, np.int64))
    ends = np.searchsorted(starts, starts + round(HOUR_S * US_PER_S), side="left")
    return int((ends - np.arange(len(starts))).max(initial=0))
