"""A part: what a reader has made of one piece of a file, with nothing lost between what it read and what it gives."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from tocsin.tracks.quality import FLAG_SCHEMA, REJECT_SCHEMA
from tocsin.tracks.report import SCHEMA

NO_REPORTS = SCHEMA.empty_table()
NO_REJECTS = REJECT_SCHEMA.empty_table()
NO_FLAGS = FLAG_SCHEMA.empty_table()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One piece of a file.

    Attributes
    ----------
    read : int
        Records found in the piece, counted from its bytes and not from the two tables below.
    table : Table
        The accepted reports, `report.SCHEMA`, in file order.
    rejects : Table
        `quality.REJECT_SCHEMA`.
    flags : Table
        `quality.FLAG_SCHEMA`.
    joined : int
        Lines beyond the first of records that have several.
    """

    read: int
    table: pa.Table = field(default_factory=lambda: NO_REPORTS)
    rejects: pa.Table = field(default_factory=lambda: NO_REJECTS)
    flags: pa.Table = field(default_factory=lambda: NO_FLAGS)
    joined: int = 0

    def __post_init__(self) -> None:
        if self.read != self.table.num_rows + self.rejects.num_rows:
            raise ValueError(
                f"read {self.read} records, but {self.table.num_rows} accepted and {self.rejects.num_rows} rejected"
            )
