"""A part: what a reader has made of one piece of a file, with nothing lost between what it read and what it gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from msgspec import Struct, field
from numpy.typing import NDArray

from tocsin.tracks.quality import FLAG_SCHEMA, REJECT_SCHEMA
from tocsin.tracks.report import CODED_SCHEMA

NO_REPORTS = CODED_SCHEMA.empty_table()
NO_REJECTS = REJECT_SCHEMA.empty_table()
NO_FLAGS = FLAG_SCHEMA.empty_table()


class Part(Struct, frozen=True, kw_only=True):
    """One piece of a file.

    Attributes
    ----------
    read : int
        Records found in the piece, counted from its bytes and not from the two tables below.
    table : Table
        The accepted reports, `report.CODED_SCHEMA`, in file order.
    rejects : Table
        `quality.REJECT_SCHEMA`.
    flags : Table
        `quality.FLAG_SCHEMA`.
    joined : int
        Lines beyond the first of records that have several.
    of : int
        Records of the whole file, where it says so itself: how much room to make.
    """

    read: int
    table: pa.Table = field(default_factory=lambda: NO_REPORTS)
    rejects: pa.Table = field(default_factory=lambda: NO_REJECTS)
    flags: pa.Table = field(default_factory=lambda: NO_FLAGS)
    joined: int = 0
    of: int = 0

    def __post_init__(self) -> None:
        if self.read != self.table.num_rows + self.rejects.num_rows:
            raise ValueError(
                f"read {self.read} records, but {self.table.num_rows} accepted and {self.rejects.num_rows} rejected"
            )


def coded(codes: NDArray[np.integer], names: Sequence[str] | pa.Array) -> pa.DictionaryArray:
    """Return a column of `report.CODED_SCHEMA`'s words.

    Parameters
    ----------
    codes : ndarray, shape (n,), int
        Into `names`; -1 where missing.
    names : sequence of str, or Array of them
        Each once.
    """
    codes = codes.astype(np.int32, copy=False)
    absent = codes < 0
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=absent if absent.any() else None),
        names if isinstance(names, pa.Array) else pa.array(names, pa.string()),
    )
