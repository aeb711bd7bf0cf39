"""A batch: reports as contiguous NumPy arrays, names as codes, ready for a kernel.

Words (track, feed, party, category) become int32 codes into the batch's own lists of names; -1 means missing.
A batch holds no opinion about order: `tracks/order.py` sorts, `watch` requires.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from tocsin.tracks.report import CODED_SCHEMA, FLOAT32_COLUMNS, INSTANT, SCHEMA

_N = TypeVar("_N", bound=np.generic)
WORDS = {"track": "track_id", "feed": "feed", "party": "party", "category": "category"}
"""What a batch has codes of, and the column of a table that has the words."""
NAMES = {"track": "tracks", "feed": "feeds", "party": "parties", "category": "categories"}
"""Where the names of each are."""


class ReportBatch(Struct, frozen=True, kw_only=True):
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
        """Return the reports at these rows, in this order, with the same lists of names.

        Columns that are one array stay one, and are taken once.
        """
        own: dict[str, Any] = {name: getattr(self, name) for name in self.__struct_fields__}
        columns = {id(value): value for value in own.values() if isinstance(value, np.ndarray)}
        taken = {key: column[index] for key, column in columns.items()}
        return ReportBatch(**{name: taken.get(id(value), value) for name, value in own.items()})

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
        """Return the batch of a table whose schema is `report.SCHEMA` or `report.CODED_SCHEMA`.

        Columns that lie in one piece are not copied, and can then only be read; those that say nothing share one array.

        Raises
        ------
        ValueError
            If a column is missing or of another type.
        """
        if not table.schema.equals(SCHEMA) and not table.schema.equals(CODED_SCHEMA):
            raise ValueError(f"expected the report schema, found {table.schema}")
        observed = _values(table["observed"], np.int64)
        columns: dict[str, Any] = {
            "observed_us": observed,
            "received_us": _received_us(table, observed),
            "lat_deg": _values(table["lat_deg"], np.float64),
            "lon_deg": _values(table["lon_deg"], np.float64),
        }
        missing = np.full(len(observed), np.nan, np.float32)
        for name in FLOAT32_COLUMNS:
            pieces = _pieces(table[name])
            is_said = any(not np.isnan(np.fmax.reduce(piece)) for piece in pieces)
            columns[name] = _joined(pieces, np.float32) if is_said else missing
        unsaid = np.full(len(observed), -1, np.int32)
        for word in WORDS:
            column = table[WORDS[word]]
            is_said = column.null_count < len(column)
            columns[word], columns[NAMES[word]] = _codes(column) if is_said else (unsaid, ())
        return cls(**columns)

    def to_table(self) -> pa.Table:
        """Return the reports as a table of `report.SCHEMA`; `received` is null where it equals `observed`."""
        known = self.received_us != self.observed_us
        columns = {
            "observed": pa.array(self.observed_us).cast(INSTANT),
            "received": pa.array(self.received_us, mask=~known).cast(INSTANT),
            "lat_deg": pa.array(self.lat_deg),
            "lon_deg": pa.array(self.lon_deg),
            **{name: pa.array(getattr(self, name)) for name in FLOAT32_COLUMNS},
            **{WORDS[word]: _words(getattr(self, word), getattr(self, NAMES[word])) for word in WORDS},
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
    for word in WORDS:
        names: dict[str, int] = {}
        first = getattr(batches[0], NAMES[word])
        if all(getattr(batch, NAMES[word]) == first for batch in batches):
            columns[word] = np.concatenate([getattr(batch, word) for batch in batches])
            columns[NAMES[word]] = first
            continue
        codes = []
        for batch in batches:
            own = getattr(batch, NAMES[word])
            # The last place serves code -1, so that missing stays missing.
            place = np.array([*(names.setdefault(name, len(names)) for name in own), -1], np.int32)
            codes.append(place[getattr(batch, word)])
        columns[word] = np.concatenate(codes)
        columns[NAMES[word]] = tuple(names)
    for name in ReportBatch.__struct_fields__:
        if name not in columns:
            columns[name] = np.concatenate([getattr(batch, name) for batch in batches])
    return ReportBatch(**columns)


def _words(codes: NDArray[np.int32], names: tuple[str, ...]) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(codes, mask=codes < 0))


def _received_us(table: pa.Table, observed_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return when reports arrived, and were true where that is not known."""
    received = table["received"]
    if received.null_count == len(received):
        return observed_us
    if received.null_count:
        import pyarrow.compute as pc  # a thirtieth of a start

        received = pc.coalesce(received, table["observed"])
    return _values(received, np.int64)


def _values(column: pa.ChunkedArray, dtype: type[_N]) -> NDArray[_N]:
    return _joined(_pieces(column), dtype)


def _pieces(column: pa.ChunkedArray) -> list[NDArray[Any]]:
    """Return the numbers of each of a column's pieces, NaN where missing, as they lie in memory."""
    chunks = [chunk.view(pa.int64()) if pa.types.is_timestamp(chunk.type) else chunk for chunk in column.chunks]
    return [chunk.to_numpy(zero_copy_only=False) for chunk in chunks if len(chunk)]


def _joined(pieces: Sequence[NDArray[Any]], dtype: type[_N]) -> NDArray[_N]:
    whole = pieces[0] if len(pieces) == 1 else np.concatenate([np.empty(0, dtype), *pieces])
    return np.ascontiguousarray(whole, dtype)


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return a column's words as codes into its names, -1 where missing, and the names in order of first appearance."""
    is_coded = pa.types.is_dictionary(column.type)
    encoded = (column if is_coded else column.dictionary_encode()).unify_dictionaries()
    parts = [chunk.indices for chunk in encoded.chunks]
    filled = [part.fill_null(-1) if part.null_count else part for part in parts]
    codes = _values(pa.chunked_array(filled, pa.int32()), np.int32)
    names = encoded.chunk(0).dictionary.to_pylist()
    newest = np.maximum.accumulate(codes) if len(names) > 1 else codes
    if len(codes) and newest[0] <= 0 and newest[-1] == len(names) - 1 and (newest[1:] - newest[:-1] <= 1).all():
        return codes, tuple(names)
    first = np.full(len(names) + 1, len(codes), np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # of the rows of one code the last written stays
    used = np.argsort(first[:-1], kind="stable")[: np.count_nonzero(first[:-1] < len(codes))]
    place = np.full(len(first), -1, np.int32)
    place[used] = np.arange(len(used))
    return place[codes], tuple([names[code] for code in used.tolist()])


EMPTY = ReportBatch.from_table(SCHEMA.empty_table())
"""A batch of no reports."""
