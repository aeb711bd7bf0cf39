"""Build-up: as many tracks as agreed stay in one place over the agreed time (docs/guide/events.md).

With an agreed distance, the place is a circle around one of them: all the others have stayed within the distance of it
for the time. Without one, the place is the zone. Told once: a place is told again only after it had fewer. The inverse
is `void.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.detect.meetings import FULL, OVER
from tocsin.kernels.tables import BUILDUP, FOUND, MEASURED, NONE
from tocsin.watch.detect.span import Rows, Span


class _Gathering:
    """Who has stayed with whom for the time: each track's companions, and whether both were exempt when it was full."""

    def __init__(self, standing: Rows, told: NDArray[np.int32]) -> None:
        self.with_: dict[int, dict[int, bool]] = {}
        self.told = set(told.tolist())
        for contact in standing[standing["full"] != 0]:
            self.join(int(contact["a"]), int(contact["b"]), bool(contact["exempt"]))

    def join(self, a: int, b: int, exempt: bool) -> None:
        """Add a pair; a track that stays somewhere is a companion of the place, NONE."""
        self.with_.setdefault(a if a != b else NONE, {})[b] = exempt
        if a != b:
            self.with_.setdefault(b, {})[a] = exempt

    def part(self, a: int, b: int, needed: int) -> None:
        """Take a pair out; who is left with too few has to be told again."""
        for one, other in ((a if a != b else NONE, b), (b if a != b else NONE, a)):
            companions = self.with_.get(one, {})
            companions.pop(other, None)
            if len(companions) < needed:
                self.told.discard(one)

    def is_news(self, middle: int, needed: int) -> bool:
        """Return True, once, if enough are around a track and no neighbour of it is the middle of a told gathering."""
        around = self.with_.get(middle, {})
        if len(around) < needed or middle in self.told:
            return False
        news = self.told.isdisjoint(around)
        self.told.add(middle)
        return news


def buildups(span: Span, turns: Rows, standing: Rows, told: NDArray[np.int32]) -> tuple[Rows, NDArray[np.int32]]:
    """Return the finding of each place that has filled up, and the tracks in the middle of what has been told.

    Parameters
    ----------
    span : Span
    turns : ndarray of TURN
        In any order.
    standing : ndarray of CONTACT
        The rule's, before the span.
    told : ndarray, int32
        Before the span; ascending.

    Returns
    -------
    rows : ndarray of FOUND
    told : ndarray, int32
        After it.
    """
    if not len(turns):
        return np.empty(0, FOUND), told
    whole_zone = bool(np.isnan(span.rule.radius_m))
    needed = span.rule.count if whole_zone else span.rule.count - 1
    gathering, rows = _Gathering(standing, told), [np.empty(0, FOUND)]
    for turn in _ordered(span, turns):
        a, b = int(turn["a"]), int(turn["b"])
        if turn["kind"] != FULL:
            gathering.part(a, b, needed)
            continue
        gathering.join(a, b, bool(turn["exempt"]))
        pair = sorted(((a, int(turn["p"])), (b, int(turn["q"]))), key=lambda end: span.names[end[0]])
        for track, piece in pair[:1] if a == b else pair:
            middle = NONE if whole_zone else track
            if gathering.is_news(middle, needed):
                rows.append(_buildup(span, turn, piece, gathering.with_[middle]))
    return np.concatenate(rows), np.array(sorted(gathering.told), np.int32)


def _ordered(span: Span, turns: Rows) -> list[Any]:
    """Return turns in their order; a contact that is over at the instant at which it is full is there at that instant.

    Its end then comes after all that fills up: before its own, it would end what is not yet there, and leave for good
    what is over.
    """
    full_us = {_contact(turn): int(turn["at_us"]) for turn in turns if turn["kind"] == FULL}

    def order(turn: Any) -> tuple[int, int, bool, int, list[str]]:
        beat, at_us, kind, who = span.order(turn)
        return beat, at_us, kind == OVER and full_us.get(_contact(turn)) == at_us, kind, who

    return sorted(turns, key=order)


def _contact(turn: Any) -> tuple[int, int, int]:
    return int(turn["a"]), int(turn["b"]), int(turn["began_us"])


def _buildup(span: Span, turn: Any, piece: int, around: dict[int, bool]) -> Rows:
    row = span.finding(turn, piece, BUILDUP)
    row["visit_us"] = row["at_us"] - round(span.rule.after_s * 1e6)
    if not all(around.values()):
        row["exemption"] = NONE
    count = len(around) + (not np.isnan(span.rule.radius_m))
    row["value"][0, : len(MEASURED[BUILDUP])] = count, span.rule.after_s
    return row
