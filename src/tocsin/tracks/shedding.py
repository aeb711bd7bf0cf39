"""What is given up when more comes than can be taken: the oldest positions of each track first (FAULTS 37, 106).

Pure. The newest position of a track says the most, and what is not about a track (the parts of a message, a ship's own
description) stays before any position, since it does not come again soon. Where even one position a track is too many,
the tracks stay that were given up most often since one was taken, so that all are seen in turn.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T", bound=Hashable)

NOBODY: Mapping[Any, int] = {}
"""Nobody was given up."""

NO_POSITION = -1
"""Age of what is no position: younger than any."""


def kept_of(keys: Sequence[T | None], most: int, *, starved: Mapping[T, int] = NOBODY) -> list[int]:
    """Return which of some waiting records stay.

    Parameters
    ----------
    keys : sequence
        Whose position each record is, in order of arrival; None for what is no position.
    most : int
        Records that may stay.
    starved : mapping
        How often positions of a track were given up since one was taken; those of the most stay, of the same age.

    Returns
    -------
    list of int
        Places among `keys`, in order of arrival.

    Notes
    -----
    A position's age is how many newer ones of its track wait. The lowest ages stay; of one age, those of the most
    starved, then what came last.

    Examples
    --------
    >>> kept_of(["a", "a", "b", "a", None], 3)
    [2, 3, 4]
    >>> kept_of(["a", "b", "c"], 1), kept_of(["a", "b", "c"], 1, starved={"b": 1})
    ([2], [1])
    """
    if len(keys) <= most:
        return list(range(len(keys)))
    newer: dict[T, int] = {}
    ranked: list[tuple[int, int, int]] = []
    for place in range(len(keys) - 1, -1, -1):
        key = keys[place]
        if key is None:
            ranked.append((NO_POSITION, 0, -place))
        else:
            age = newer.get(key, 0)
            newer[key] = age + 1
            ranked.append((age, -starved.get(key, 0), -place))
    ranked.sort()
    return sorted(-place for _, _, place in ranked[:most])
