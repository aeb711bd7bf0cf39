"""Order and lateness: one order of reports whatever order they came in, and a stated end to waiting.

The canonical order is (observed, track, content hash). Reports of one track at one instant with the same content are
one report; with different content they are a conflict, and both are kept. Live, each feed has a watermark: the newest
plausible time it told, less its lateness; what lies before every feed's watermark is complete and released in order.
A feed never holds the watermark back for longer than `hold_us`, so a silent or lagging one cannot freeze the rest,
and a report from the future is set apart and moves nothing. Pure: the time is an argument. What a late report
changes, and saying so, is the watch's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace
from numpy.typing import NDArray

from tocsin.clock import US_PER_S
from tocsin.tracks.batch import EMPTY, ReportBatch
from tocsin.tracks.waiting import Waiting

Rows = NDArray[np.int64]

BEGINNING_US = -(2**62)
"""A watermark before any report."""

_NUMBERS = ("lat_deg", "lon_deg", "alt_m", "speed_mps", "course_deg", "heading_deg", "accuracy_m")
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_SEED = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


class Ordering(Struct, frozen=True):
    """What canonical order makes of a batch.

    Attributes
    ----------
    keep : ndarray, int64
        Rows to keep, in canonical order.
    duplicate : ndarray, int64
        Rows that say what a kept row says, in no particular order.
    conflict : ndarray, int64
        The rows of `keep` that share track and instant with another of them.
    to : ndarray, int64, or None
        The places to which the rows of `keep` come, all others staying where they are; None: one after the other.
    """

    keep: Rows
    duplicate: Rows
    conflict: Rows
    to: Rows | None = None


def content_hash(batch: ReportBatch) -> NDArray[np.uint64]:
    """Return the hash of what each report says of its mover: the seven numbers and the party.

    Parameters
    ----------
    batch : ReportBatch
        n reports.

    Returns
    -------
    ndarray, shape (n,), uint64
        The same on every machine. NaNs are alike, and so are 0 and -0. The feed, the time of arrival and the
        category are left out, so that two receivers of one message say the same.

    Notes
    -----
    A multiply-and-shift mix of 64 bits (constants of splitmix64) over the columns' bit patterns, and the first 8
    bytes of the SHA-256 of the party's name. Two different contents of one track at one instant are taken for
    equal once in 2**64 pairs.
    """
    mixed = np.full(len(batch), _SEED, np.uint64)
    for name in _NUMBERS:
        values = getattr(batch, name).astype(np.float64) + 0.0
        bits = np.where(np.isnan(values), np.nan, values).view(np.uint64)
        mixed = _mix(mixed, bits)
    digests = [int.from_bytes(hashlib.sha256(p.encode()).digest()[:8], "big") for p in batch.parties]
    return _mix(mixed, np.array([*digests, 0], np.uint64)[batch.party])


def by_instant(batch: ReportBatch) -> Ordering | None:
    """Return the canonical order of a batch by what changes its place, as little does in an archive.

    None if the batch is not in order of time, or tells of one track twice at one instant: `canonical` orders any.
    """
    from tocsin.kernels.instants import NOT_SO, order_instants  # with numba, which only archives need here

    to, rows = np.empty((2, len(batch)), np.int64)
    at_us, track = batch.observed_us.view(), batch.track.view()
    for view in (at_us, track):  # whether an array may be written is part of its type, and code is compiled for types
        view.setflags(write=False)
    n = order_instants(at_us, track, _rank(batch.tracks), to, rows)
    return None if n == NOT_SO else Ordering(keep=rows[:n], duplicate=to[:0], conflict=to[:0], to=to[:n])


def canonical(batch: ReportBatch) -> Ordering:
    """Return the canonical order of a batch, its duplicates and its conflicts.

    Of equal reports the one is kept that names a category, then the one received first, then by feed.

    Parameters
    ----------
    batch : ReportBatch
        In any order.
    """
    order, at_us = _ordered(batch.observed_us)
    equal = at_us[1:] == at_us[:-1]
    if not equal.any():  # as in most live ticks: no two of one instant
        return Ordering(keep=order, duplicate=order[:0], conflict=order[:0])
    # Who it is is looked at only where another has the instant, and what is said only where it has the track as well.
    tied = np.flatnonzero(np.r_[equal, False] | np.r_[False, equal])
    instant = np.cumsum(np.r_[False, np.diff(at_us[tied]) > 0])
    who = instant * (len(batch.tracks) + 1) + _rank(batch.tracks)[batch.track[order[tied]]]
    within, who = _ordered(who)
    order[tied] = order[tied[within]]
    again = np.zeros(len(order), np.bool_)
    again[tied[1:]] = who[1:] == who[:-1]
    if not again.any():  # as in most archives: no two of one track at one instant
        return Ordering(keep=order, duplicate=order[:0], conflict=order[:0])
    shared = again | np.r_[again[1:], False]
    fix = np.cumsum(~again)[shared]
    said = content_hash(batch.take(order[shared]))
    within = np.lexsort((said, fix))
    order[shared] = order[shared][within]
    same = np.zeros(len(order), np.bool_)
    same[shared] = again[shared] & np.r_[False, said[within][1:] == said[within][:-1]]
    if same.any():
        order = _prefer(batch, order, same)
    keep, kept_again = order[~same], again[~same]
    followed = np.r_[kept_again[1:], False]
    return Ordering(keep=keep, duplicate=order[same], conflict=keep[kept_again | followed])


def _ordered(key: Rows) -> tuple[Rows, Rows]:
    """Return the rows in ascending order of a key, equal ones as they stand, and the key in that order."""
    if (key[1:] >= key[:-1]).all():
        return np.arange(len(key)), key
    order = np.argsort(key, kind="stable")
    return order, key[order]


class FeedPolicy(Struct, frozen=True, kw_only=True):
    """What is expected of a feed.

    Attributes
    ----------
    lateness_us : int
        How long after it was true a report may arrive and still be in order.
    hold_us : int
        How far behind the clock, beyond its lateness, the feed may hold back the others.
    ahead_us : int
        How far ahead of the clock a report may be before it is taken for a wrong clock.
    """

    lateness_us: int
    hold_us: int = 60 * US_PER_S
    ahead_us: int = 5 * US_PER_S


class Reorder(Struct, frozen=True, kw_only=True):
    """The reports that wait for their order, and how far it is settled.

    Attributes
    ----------
    feeds : mapping of str to FeedPolicy
        The feeds that are expected: each holds the watermark from the start.
    other : FeedPolicy
        For a feed that is not among them, from its first report on.
    waiting : Waiting
        At or after the watermark.
    watermark_us : int
        Everything before it is released. It never goes back.
    newest_us : mapping of str to int
        The newest plausible time that each feed told, at most the clock at its arrival.
    """

    feeds: Mapping[str, FeedPolicy]
    other: FeedPolicy
    waiting: Waiting = field(default_factory=Waiting)
    watermark_us: int = BEGINNING_US
    newest_us: Mapping[str, int] = field(default_factory=dict)


class Release(Struct, frozen=True, kw_only=True):
    """What one push sets free; every report that was pushed is once, and only once, in one of these or still waits.

    Attributes
    ----------
    ready : ReportBatch
        In canonical order, after everything released before.
    late : ReportBatch
        Before the watermark when they arrived, in order of arrival.
    ahead : ReportBatch
        Too far ahead of the clock: quarantined, in order of arrival.
    duplicate : int
        Reports that say what a ready one says.
    came : ReportBatch
        What was pushed and is neither late nor ahead, in order of arrival: it waits, or is ready at once.
    """

    ready: ReportBatch
    late: ReportBatch
    ahead: ReportBatch
    duplicate: int
    came: ReportBatch


def push(state: Reorder, batch: ReportBatch, *, now_us: int) -> tuple[Reorder, Release]:
    """Take reports as they arrive; return the new state and what is complete.

    Parameters
    ----------
    state : Reorder
    batch : ReportBatch
        In any order; may be empty, which lets time pass.
    now_us : int
        When they arrived, microseconds UTC: the wall clock live, the recorded arrival in a replay.

    Returns
    -------
    Reorder, Release

    Notes
    -----
    Reports that arrive within their feed's lateness, by a clock that is right, come out in the same sequence in
    whatever order and batches they arrive.
    """
    policies = [state.feeds.get(name, state.other) for name in batch.feeds]
    limit = now_us + np.array([p.ahead_us for p in policies] or [0], np.int64)
    is_ahead = batch.observed_us > limit[batch.feed]
    is_late = ~is_ahead & (batch.observed_us < state.watermark_us)
    newest = _newest(state.newest_us, batch, ~is_ahead, now_us)
    watermark = max(state.watermark_us, _watermark(state, newest, now_us))
    fine = not (is_ahead.any() or is_late.any())
    came = batch if fine else batch.take(~is_ahead & ~is_late)
    done, waiting = state.waiting.add(came).before(watermark)
    ready, duplicate = _in_order(done)
    after = replace(state, waiting=waiting, watermark_us=watermark, newest_us=newest)
    late, ahead = (EMPTY, EMPTY) if fine else (batch.take(is_late), batch.take(is_ahead))
    return after, Release(ready=ready, late=late, ahead=ahead, duplicate=duplicate, came=came)


def flush(state: Reorder) -> tuple[Reorder, Release]:
    """Return everything that still waits, in order: the end of a replay, when no more can come."""
    ready, duplicate = _in_order(state.waiting.whole())
    last = int(ready.observed_us[-1]) + 1 if len(ready) else state.watermark_us
    after = replace(state, waiting=Waiting(), watermark_us=max(state.watermark_us, last))
    return after, Release(ready=ready, late=EMPTY, ahead=EMPTY, duplicate=duplicate, came=EMPTY)


def _in_order(batch: ReportBatch) -> tuple[ReportBatch, int]:
    if not len(batch):
        return EMPTY, 0
    ordering = canonical(batch)
    return batch.take(ordering.keep), len(ordering.duplicate)


def _newest(before: Mapping[str, int], batch: ReportBatch, plausible: NDArray[np.bool_], now_us: int) -> dict[str, int]:
    newest = dict(before)
    for code, name in enumerate(batch.feeds):
        times = batch.observed_us[plausible & (batch.feed == code)]
        if len(times):
            # A report a little ahead of the clock must not cost those behind it their lateness.
            newest[name] = max(newest.get(name, BEGINNING_US), min(int(times.max()), now_us))
    return newest


def _watermark(state: Reorder, newest: Mapping[str, int], now_us: int) -> int:
    marks = []
    for name in {*state.feeds, *newest}:
        policy = state.feeds.get(name, state.other)
        held = now_us - policy.hold_us
        marks.append(max(newest.get(name, BEGINNING_US), held) - policy.lateness_us)
    return min(marks, default=BEGINNING_US)


def _mix(state: NDArray[np.uint64], bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = (state ^ bits) * _MIX
    return mixed ^ (mixed >> _SHIFT)


def _rank(names: Sequence[str]) -> Rows:
    # By code points, which is the order of their UTF-8 bytes: every machine and database sorts them alike.
    rank = np.empty(len(names) + 1, np.int64)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    rank[-1] = -1
    return rank


def _prefer(batch: ReportBatch, order: Rows, same: NDArray[np.bool_]) -> Rows:
    # Only rows that share everything are sorted again, within their group.
    group = np.cumsum(~same)
    shared = same | np.r_[same[1:], False]
    rows = order[shared]
    keys = (
        _rank(batch.categories)[batch.category[rows]],
        _rank(batch.feeds)[batch.feed[rows]],
        batch.received_us[rows],
        batch.category[rows] < 0,
        group[shared],
    )
    preferred = order.copy()
    preferred[shared] = rows[np.lexsort(keys)]
    return preferred
