"""Reading: what a restart and whoever looks on need of the store, over connections that can only read.

A reader may be another process, beside the one that writes: it holds up nobody and is shown no fence. It knows tables,
and nothing of what is in their bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Table, func, inspect, select
from sqlalchemy.exc import DBAPIError

from tocsin.errors import StoreError
from tocsin.store import schema
from tocsin.store.connect import as_store_error, connect

Row = Mapping[str, Any]


class KeptTick(Struct, frozen=True, kw_only=True):
    """A tick as it was committed."""

    tick: int
    at_us: int
    reports: bytes | None
    inputs: bytes | None
    digest: bytes


class StoreReader:
    """The database, open for reading.

    Parameters
    ----------
    url : str
    """

    def __init__(self, url: str) -> None:
        self._read = connect(url, read_only=True)

    def check_version(self) -> None:
        """See that it is a store of the version that this program knows.

        Raises
        ------
        StoreError
            If it is none, or of another version.
        """
        try:
            with self.reader() as connection:
                found = None
                if inspect(connection).has_table("alembic_version"):
                    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        except DBAPIError as error:
            raise as_store_error(error) from error
        if found != schema.SCHEMA_VERSION:
            raise StoreError(f"found a store of version {found}, expected {schema.SCHEMA_VERSION}")

    def reader(self) -> Connection:
        """Return a connection that can only read; close it, or use it in a `with` statement."""
        return self._read.connect()

    def last_tick(self) -> tuple[int, int]:
        """Return the number and the time of the last tick; (0, 0) if there is none."""
        query = select(schema.ticks.c.tick, schema.ticks.c.at_us).order_by(schema.ticks.c.tick.desc()).limit(1)
        with self.reader() as connection:
            row = connection.execute(query).first()
        return (row.tick, row.at_us) if row else (0, 0)

    def ticks_after(self, tick: int) -> Iterator[KeptTick]:
        """Yield every tick after one, in order."""
        table = schema.ticks
        columns = (table.c.tick, table.c.at_us, table.c.reports, table.c.inputs, table.c.digest)
        query = select(*columns).where(table.c.tick > tick).order_by(table.c.tick)
        with self.reader() as connection, connection.execution_options(yield_per=64).execute(query) as rows:
            for row in rows:
                yield KeptTick(**row._mapping)

    def rows(self, table: Table, *, descending: bool = False) -> list[Row]:
        """Return all rows of a small table, by its primary key."""
        key = next(iter(table.primary_key.columns))
        with self.reader() as connection:
            found = connection.execute(select(table).order_by(key.desc() if descending else key))
            return [dict(row._mapping) for row in found]

    def value(self, key: str) -> bytes | None:
        """Return a single value of the station, or None."""
        with self.reader() as connection:
            return connection.execute(select(schema.station.c.value).where(schema.station.c.key == key)).scalar()

    def next_number(self, column: Any) -> int:
        """Return one more than the largest of a column of numbers; 0 if there is none."""
        with self.reader() as connection:
            largest = connection.execute(select(func.max(column))).scalar()
        return 0 if largest is None else largest + 1

    def close(self) -> None:
        """Close every connection."""
        self._read.dispose()
