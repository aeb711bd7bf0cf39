"""Reports that wait for their order: taken in as they come, given back by time or by track, at a cost for what moves.

A minute of 50,000 reports a second waits at a time, so neither a report that comes nor the watermark that passes may
cost a look at all of them. Reports lie in runs, each sorted by time; two runs of about one size become one, so that
there are few, and each report is moved as often as the logarithm of how many wait (the log-structured merge of O'Neil
et al., 1996). Words are codes of one growing list: a code never changes its meaning. Knows no lateness: `order.py`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from tocsin.tracks.batch import EMPTY, ReportBatch

_WORDS = {"track": "tracks", "feed": "feeds", "party": "parties", "category": "categories"}
_COLUMNS = ("track", "observed_us", "received_us", "lat_deg", "lon_deg", "alt_m", "speed_mps", "course_deg",
            "heading_deg", "accuracy_m", "feed", "party", "category")  # fmt: skip
ROW = np.dtype([(name, getattr(EMPTY, name).dtype) for name in _COLUMNS])
"""One report that waits; words as codes of `Waiting.words`."""

_Rows = NDArray[Any]


class Words(Struct, frozen=True):
    """Words and their codes, which only ever grow.

    Attributes
    ----------
    codes : dict of str to int
    names : list of str
        By code.
    """

    codes: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, names: Sequence[str]) -> Words:
        """Return words that have the codes 0, 1, 2 and so on."""
        return cls(dict(zip(names, range(len(names)), strict=True)), list(names))

    def code(self, name: str) -> int:
        """Return a word's code, a new one if it has none yet."""
        code = self.codes.get(name)
        if code is None:
            code = self.codes[name] = len(self.names)
            self.names.append(name)
        return code


def _new_words() -> dict[str, Words]:
    return {word: Words() for word in _WORDS}


class Waiting(Struct, frozen=True, kw_only=True):
    """Reports that wait; a new value for every change, the rows and the words shared.

    Attributes
    ----------
    runs : tuple of ndarray of ROW
        Each sorted by time; none empty.
    words : mapping of str to Words
        Of tracks, feeds, parties and categories; shared by every value that comes of this one.
    counts : mapping of str to int
        How many reports of each feed wait.
    """

    runs: tuple[_Rows, ...] = ()
    words: Mapping[str, Words] = field(default_factory=_new_words)
    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of_rows(cls, rows: NDArray[Any], names: Mapping[str, Sequence[str]]) -> Waiting:
        """Return what waits, of its rows in any order and of the words behind their codes."""
        words = {
            word: Words(dict(zip(names[word], range(len(names[word])), strict=True)), list(names[word]))
            for word in _WORDS
        }
        found = np.bincount(rows["feed"], minlength=len(names["feed"])).tolist() if len(rows) else []
        counts = {name: count for name, count in zip(names["feed"], found, strict=False) if count}
        return cls(runs=(_sorted(rows),) if len(rows) else (), words=words, counts=counts)

    def __len__(self) -> int:
        return sum(self.counts.values())

    def add(self, batch: ReportBatch) -> Waiting:
        """Take more reports, in any order."""
        if not len(batch):
            return self
        rows = np.empty(len(batch), ROW)
        for name in _COLUMNS:
            rows[name] = getattr(batch, name)
        for word, names in _WORDS.items():
            # The last place serves code -1, so that missing stays missing.
            codes = np.array([*map(self.words[word].code, getattr(batch, names)), -1], np.int32)
            rows[word] = codes[rows[word]]
        runs = [*self.runs, _sorted(rows)]
        while len(runs) > 1 and 2 * len(runs[-1]) > len(runs[-2]):
            runs[-2:] = [_sorted(_joined(runs[-2:]))]
        return Waiting(runs=tuple(runs), words=self.words, counts=_sum(self.counts, by_feed(batch), 1))

    def before(self, at_us: int) -> tuple[ReportBatch, Waiting]:
        """Return the reports before an instant, in no particular order, and what still waits."""
        done, left = [], []
        for run in self.runs:
            n = bisect_left(run["observed_us"], at_us)  # NumPy's own would first copy the column out of its rows
            if n:
                done.append(run[:n])
            if n < len(run):
                left.append(run[n:])
        if not done:
            return EMPTY, self
        batch = self._batch(done)
        return batch, Waiting(runs=tuple(left), words=self.words, counts=_sum(self.counts, by_feed(batch), -1))

    def of(self, tracks: Iterable[str]) -> ReportBatch:
        """Return the reports of some tracks, in no particular order."""
        known = self.words["track"]
        wanted = np.zeros(len(known.names) + 1, bool)
        for name in tracks:
            wanted[known.codes.get(name, -1)] = True
        wanted[-1] = False
        return self._batch([run[wanted[run["track"]]] for run in self.runs])

    def whole(self) -> ReportBatch:
        """Return all that waits, in no particular order."""
        return self._batch(self.runs)

    def _batch(self, runs: Sequence[_Rows]) -> ReportBatch:
        if not runs:
            return EMPTY
        rows = runs[0] if len(runs) == 1 else _joined(runs)
        columns: dict[str, Any] = {name: np.ascontiguousarray(rows[name]) for name in _COLUMNS}
        for word, names in _WORDS.items():
            known = self.words[word].names
            used, columns[word] = _used(columns[word], len(known))
            columns[names] = tuple([known[code] for code in used])
        return ReportBatch(**columns)


def by_feed(batch: ReportBatch) -> dict[str, int]:
    """Return how many reports of a batch each feed brought."""
    found = np.bincount(batch.feed, minlength=len(batch.feeds)).tolist() if len(batch) else []
    return {name: count for name, count in zip(batch.feeds, found, strict=False) if count}


def _sum(one: Mapping[str, int], other: Mapping[str, int], sign: int) -> dict[str, int]:
    counts = dict(one)
    for name, count in other.items():
        counts[name] = counts.get(name, 0) + sign * count
    return {name: count for name, count in counts.items() if count}


def _joined(runs: Sequence[_Rows]) -> _Rows:
    # By their bytes: NumPy compares the fields of records one by one before it copies them.
    return np.concatenate([np.ascontiguousarray(run).view(np.uint8) for run in runs]).view(ROW)


def _sorted(rows: _Rows) -> _Rows:
    at = rows["observed_us"]
    return rows if (at[1:] >= at[:-1]).all() else rows[np.argsort(at, kind="stable")]


def _used(codes: NDArray[np.int32], known: int) -> tuple[list[int], NDArray[np.int32]]:
    """Return the codes that are in use, and each code's place among them; -1 stays."""
    seen = np.zeros(known + 1, bool)
    seen[codes] = True
    used = np.flatnonzero(seen[:-1])
    place = np.full(known + 1, -1, np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    return used.tolist(), place[codes]
