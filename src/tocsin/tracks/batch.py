"""A batch: reports as contiguous NumPy arrays, names as codes, ready for a kernel.

Words (track, feed, party, category) become int32 codes into the batch's own lists of names; -1 means missing.
A batch holds no opinion about order: `tracks/order.py` sorts, `watch` requires.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tocsin.tracks.report import FLOAT32_COLUMNS, INSTANT, SCHEMA

_F = TypeVar("_F", bound=np.floating[Any])
_WORDS = ("track", "feed", "party", "category")
_NAMES = {"track": "tracks", "feed": "feeds", "party": "parties", "category": "categories"}
_COLUMN = {"track": "track_id", "feed": "feed", "party": "party", "category": "category"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBatch:
    """n reports, column by column.

    Attributes
    ----------
    track, feed, party, category : ndarray, shape (n,), int32
        Codes into the tuples of names below; -1 where the report says nothing.
    observed_us, received_us : ndarray, shape (n,), int64
        Microseconds UTC; `received_us` equals `observed_us` where no arrival was recorded.
    lat_deg, lon_deg : ndarray, shape (n,), float64
    alt_m, speed_mps, course_deg, heading_deg, accuracy_m : ndarray, shape (n,), float32, NaN where missing
    tracks, feeds, parties, categories : tuple of str
        The names behind the codes.
    """

    track: NDArray[np.int32]
    observed_us: NDArray[np.int64]
    received_us: NDArray[np.int64]
    lat_deg: NDArray[np.float64]
    lon_deg: NDArray[np.float64]
    alt_m: NDArray[np.float32]
    speed_mps: NDArray[np.float32]
    course_deg: NDArray[np.float32]
    heading_deg: NDArray[np.float32]
    accuracy_m: NDArray[np.float32]
    feed: NDArray[np.int32]
    party: NDArray[np.int32]
    category: NDArray[np.int32]
    tracks: tuple[str, ...]
    feeds: tuple[str, ...]
    parties: tuple[str, ...]
    categories: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.track)

    def take(self, index: NDArray[np.integer] | NDArray[np.bool_] | slice) -> ReportBatch:
        """Return the reports at these rows, in this order, with the same lists of names."""
        columns: dict[str, Any] = {
            f.name: value[index] if isinstance(value := getattr(self, f.name), np.ndarray) else value
            for f in fields(self)
        }
        return ReportBatch(**columns)

    def of_tracks(self, names: Collection[str]) -> ReportBatch:
        """Return the reports of some tracks, in their order, with no other track's name in the list."""
        kept = [code for code, name in enumerate(self.tracks) if name in names]
        code_of = np.full(len(self.tracks) + 1, -1, np.int32)
        code_of[kept] = np.arange(len(kept))
        code = code_of[self.track]
        rows = self.take(code >= 0)
        return replace(rows, track=code[code >= 0], tracks=tuple(self.tracks[code] for code in kept))

    @classmethod
    def from_table(cls, table: pa.Table) -> ReportBatch:
        """Return the batch of a table whose schema is `report.SCHEMA`.

        Raises
        ------
        ValueError
            If a column is missing or of another type.
        """
        if not table.schema.equals(SCHEMA):
            raise ValueError(f"expected the report schema, found {table.schema}")
        observed = _instants(table["observed"])
        received = _instants(pc.coalesce(table["received"], table["observed"]))
        words = {name: _codes(table[_COLUMN[name]]) for name in _WORDS}
        return cls(
            observed_us=observed,
            received_us=received,
            lat_deg=_floats(table["lat_deg"], np.float64),
            lon_deg=_floats(table["lon_deg"], np.float64),
            alt_m=_floats(table["alt_m"], np.float32),
            speed_mps=_floats(table["speed_mps"], np.float32),
            course_deg=_floats(table["course_deg"], np.float32),
            heading_deg=_floats(table["heading_deg"], np.float32),
            accuracy_m=_floats(table["accuracy_m"], np.float32),
            track=words["track"][0],
            feed=words["feed"][0],
            party=words["party"][0],
            category=words["category"][0],
            tracks=words["track"][1],
            feeds=words["feed"][1],
            parties=words["party"][1],
            categories=words["category"][1],
        )

    def to_table(self) -> pa.Table:
        """Return the reports as a table of `report.SCHEMA`; `received` is null where it equals `observed`."""
        known = self.received_us != self.observed_us
        columns = {
            "observed": pa.array(self.observed_us).cast(INSTANT),
            "received": pa.array(self.received_us, mask=~known).cast(INSTANT),
            "lat_deg": pa.array(self.lat_deg),
            "lon_deg": pa.array(self.lon_deg),
            **{name: pa.array(getattr(self, name)) for name in FLOAT32_COLUMNS},
            **{_COLUMN[word]: _words(getattr(self, word), getattr(self, _NAMES[word])) for word in _WORDS},
        }
        return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def concat(batches: Sequence[ReportBatch]) -> ReportBatch:
    """Return the reports of several batches, one batch after the other.

    Parameters
    ----------
    batches : sequence of ReportBatch
        Each with its own lists of names; the result lists every name once, in order of first appearance.
    """
    batches = [batch for batch in batches if batch is not EMPTY] or [EMPTY]
    if len(batches) == 1:
        return batches[0]
    columns: dict[str, Any] = {}
    for word in _WORDS:
        names: dict[str, int] = {}
        first = getattr(batches[0], _NAMES[word])
        if all(getattr(batch, _NAMES[word]) == first for batch in batches):
            columns[word] = np.concatenate([getattr(batch, word) for batch in batches])
            columns[_NAMES[word]] = first
            continue
        codes = []
        for batch in batches:
            own = getattr(batch, _NAMES[word])
            # The last place serves code -1, so that missing stays missing.
            place = np.array([*(names.setdefault(name, len(names)) for name in own), -1], np.int32)
            codes.append(place[getattr(batch, word)])
        columns[word] = np.concatenate(codes)
        columns[_NAMES[word]] = tuple(names)
    for f in fields(ReportBatch):
        if f.name not in columns:
            columns[f.name] = np.concatenate([getattr(batch, f.name) for batch in batches])
    return ReportBatch(**columns)


def _words(codes: NDArray[np.int32], names: tuple[str, ...]) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(codes, mask=codes < 0))


def _instants(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.ascontiguousarray(column.cast(pa.int64()).to_numpy())


def _floats(column: pa.ChunkedArray, dtype: type[_F]) -> NDArray[_F]:
    return np.ascontiguousarray(column.to_numpy(), dtype=dtype)


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    encoded = column.combine_chunks().dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(codes, dtype=np.int32), tuple(encoded.dictionary.to_pylist())


EMPTY = ReportBatch.from_table(SCHEMA.empty_table())
"""A batch of no reports."""
