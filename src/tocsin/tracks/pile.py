"""A pile: the parts of an archive put together as they come, each column written once and in one place.

A part is small enough for the cache, and its memory serves for the next one; fresh memory is the dearest thing about
reading millions of reports. So a column that nobody says anything in takes none, and reports change places in place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tocsin.tracks.batch import NAMES, WORDS, ReportBatch
from tocsin.tracks.report import CODED_SCHEMA, FLOAT32_COLUMNS

MOST_AHEAD = 2**24
"""Reports for which room is made on a file's word alone; beyond that it doubles as they come."""

_ALWAYS = {"track": np.int32, "observed_us": np.int64, "lat_deg": np.float64, "lon_deg": np.float64}
"""Columns that every report has."""

_UNMET = -2
"""In the place of a code: this word of a list has not been met yet."""
_NO_PLACES = np.empty(0, np.int32)


class Pile:
    """Reports, the last on top; names have codes in order of first appearance."""

    def __init__(self) -> None:
        self._rows = 0
        self._columns: dict[str, NDArray[Any]] = {name: np.empty(0, kind) for name, kind in _ALWAYS.items()}
        self._codes: dict[str, dict[str, int]] = {word: {} for word in WORDS}
        self._read: dict[str, tuple[pa.Array, list[str], NDArray[np.int32]]] = {}

    def __len__(self) -> int:
        return self._rows

    def add(self, table: pa.Table, *, room: int = 0) -> None:
        """Put reports after those that came before.

        Parameters
        ----------
        table : Table
            Of `report.CODED_SCHEMA`, no word twice in a list.
        room : int
            How many reports there will be at least, as far as is known.
        """
        for piece in table.to_batches():
            if len(piece):
                self._add(dict(zip(CODED_SCHEMA.names, piece.columns, strict=True)), room)
                self._rows += len(piece)

    def batch(self) -> ReportBatch:
        """Return all that came, as it lies here; columns of a kind that say nothing are one array."""
        columns: dict[str, Any] = {name: column[: self._rows] for name, column in self._columns.items()}
        columns.setdefault("received_us", columns["observed_us"])
        for names, nothing in ((FLOAT32_COLUMNS, np.float32(np.nan)), (WORDS, np.int32(-1))):
            if unsaid := [name for name in names if name not in columns]:
                columns |= dict.fromkeys(unsaid, np.full(self._rows, nothing))
        columns |= {NAMES[word]: tuple(self._codes[word]) for word in WORDS}
        return ReportBatch(**columns)

    def move(self, to: NDArray[np.int64] | slice, rows: NDArray[np.int64]) -> None:
        """Put the reports of these rows in those places, in the batch that was returned as well."""
        for column in self._columns.values():
            column[to] = column[rows]

    def _add(self, said: dict[str, pa.Array], room: int) -> None:
        observed, received = _numbers(said["observed"]), said["received"]
        if "received_us" in self._columns or received.null_count < len(received):
            known = received.is_valid().to_numpy(zero_copy_only=False)
            came = np.where(known, _numbers(received.fill_null(0)), observed)
            self._write("received_us", came, self._columns["observed_us"][: self._rows], room)
        self._write("observed_us", observed, 0, room)
        for name in ("lat_deg", "lon_deg", *FLOAT32_COLUMNS):
            values = _numbers(said[name])
            if name in self._columns or not np.isnan(np.fmax.reduce(values)):
                self._write(name, values, np.nan, room)
        for word, column in WORDS.items():
            if word in self._columns or said[column].null_count < len(observed):
                self._write(word, self._coded(word, said[column]), -1, room)

    def _write(self, name: str, values: NDArray[Any], missing: Any, room: int) -> None:
        """Write the next values of a column; in one that is new nobody said anything before."""
        column, end = self._columns.get(name), self._rows + len(values)
        if column is None or end > len(column):
            had = missing if column is None else column[: self._rows]
            column = np.empty(max(end, min(room, MOST_AHEAD), 2 * self._rows), values.dtype)
            column[: self._rows] = had
            self._columns[name] = column
        column[self._rows : end] = values

    def _coded(self, word: str, column: pa.DictionaryArray) -> NDArray[np.int32]:
        """Return words as codes, -1 where missing; a word that was not met before gets the next one."""
        known, (read, names, places) = self._codes[word], self._read.get(word, (None, [], _NO_PLACES))
        if read is None or not read.equals(column.dictionary):  # piece after piece has the same
            read, names = column.dictionary, column.dictionary.to_pylist()
            places = np.array([*(known.get(name, _UNMET) for name in names), -1], np.int32)
            self._read[word] = read, names, places
        at = (column.indices.fill_null(-1) if column.indices.null_count else column.indices).to_numpy()
        codes: NDArray[np.int32] = places.take(at)
        if codes.min() == _UNMET:
            first = np.full(len(places), len(at))
            first[at[::-1]] = np.arange(len(at) - 1, -1, -1)  # of the rows of one word the last written stays
            new = np.flatnonzero((places == _UNMET) & (first < len(at)))
            for place in new[np.argsort(first[new])].tolist():
                places[place] = known.setdefault(names[place], len(known))
            codes = places.take(at)
        return codes


def _numbers(column: pa.Array) -> NDArray[Any]:
    """Return a column's numbers, NaN where missing, as they lie in memory."""
    column = column.view(pa.int64()) if pa.types.is_timestamp(column.type) else column
    return np.asarray(column.to_numpy(zero_copy_only=False))
