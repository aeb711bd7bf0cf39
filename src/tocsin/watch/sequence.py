"""Sequence: the one order of events (`Event.order`), told from the kernels' rows before anything has words.

By time, track, rule, kind and id (FAULTS §3.3). Most events share their instant with no other, or with one of the same
track, which leaves one zone for the next; words are looked at for those alone that they can part. Ids are not made
here: which events only their ids can part is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Watchlist

Ints = NDArray[np.int64]


class Alphabet:
    """The alphabetical order of a watchlist's rules, found out when it is first asked for."""

    def __init__(self, watchlist: Watchlist) -> None:
        self._rules = watchlist.rules

    @cached_property
    def rules(self) -> Ints:
        """The place of each rule in it."""
        return ranks([rule.rule_id for rule in self._rules])


def ranks(words: Sequence[str]) -> Ints:
    """Return the place of each word in alphabetical order."""
    places = np.empty(len(words), np.int64)
    places[sorted(range(len(words)), key=words.__getitem__)] = np.arange(len(words))
    return places


def ordered(
    rows: NDArray[Any], names: Callable[[NDArray[np.int32]], list[str]], rule_ranks: Ints, kind_ranks: Ints
) -> tuple[NDArray[np.intp], NDArray[np.intp], Ints]:
    """Return the one order of events but for ids, and the places in it that ids have to settle.

    Parameters
    ----------
    rows : ndarray of `tables.FOUND`, shape (n,)
    names : callable
        Returns the names of tracks, given their codes.
    rule_ranks, kind_ranks : ndarray, int64
        The place of each rule and kind in alphabetical order.

    Returns
    -------
    order : ndarray, shape (n,), int64
        Rows.
    places : ndarray, shape (k,), int64
        Ascending places in `order` of rows that are alike in all but the id.
    group : ndarray, shape (k,), int64
        Ascending; such rows share one.
    """
    at_us = np.ascontiguousarray(rows["at_us"])
    order = np.argsort(at_us, kind="stable")  # linear where rows are nearly in order, as they are
    group = _groups(at_us[order])
    tied = np.flatnonzero(_is_shared(group))
    if not len(tied):
        return order, tied, group[tied]
    at, group = order[tied], group[tied]
    track = rows["track"][at]
    several = group[1:][(track[1:] != track[:-1]) & (group[1:] == group[:-1])]
    if len(several):
        these = np.flatnonzero(np.isin(group, several))
        tracks, track_at = np.unique(track[these], return_inverse=True)
        track_ranks = np.zeros(len(at), np.int64)
        track_ranks[these] = ranks(names(tracks))[track_at]
        at, group = _sorted(at, group, track_ranks)
    what = rule_ranks[rows["rule"][at]] * len(kind_ranks) + kind_ranks[rows["code"][at]]
    order[tied], group = _sorted(at, group, what)
    alike = _is_shared(group)
    return order, tied[alike], group[alike]


def _sorted(at: NDArray[np.intp], group: Ints, key: Ints) -> tuple[NDArray[np.intp], Ints]:
    """Sort rows within their groups by a key that is not negative; return them and their groups, parted by the key."""
    keys = group * (key.max() + 1) + key
    within = np.argsort(keys, kind="stable")
    return at[within], _groups(keys[within])


def _groups(keys: Ints) -> Ints:
    """Return how many smaller ones each of some ascending keys has, equal ones counted once."""
    groups = np.zeros(len(keys), np.int64)
    np.cumsum(keys[1:] != keys[:-1], out=groups[1:])
    return groups


def _is_shared(group: Ints) -> NDArray[np.bool_]:
    """Return which of some ascending groups are that of the one before or after, too."""
    same, shared = group[1:] == group[:-1], np.zeros(len(group), np.bool_)
    shared[1:] = same
    shared[:-1] |= same
    return shared
