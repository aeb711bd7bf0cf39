"""The store: opens the database, makes a tick's transaction, and hands back what a restart needs.

One `Write` is one transaction: all of it is durable or none (DESIGN P4). A write that was made and whose answer was
lost is recognised by its tick and digest and not made twice. Every transaction shows the fencing number of the process
that opened the store last; an older process's writes are refused (FAULTS 57). It knows tables, and nothing of what is
in their bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from sqlalchemy import Connection, Insert, Table, Update, delete, func, insert, inspect, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

from tocsin.errors import StoreAwayError, StoreError
from tocsin.store import schema
from tocsin.store.connect import as_store_error, connect, damage_of, execute_sqlite, faults_of, size_of
from tocsin.store.reading import KeptTick, Row, StoreReader

__all__ = ["PG_LOCK", "KeptTick", "Row", "Store", "Write", "migrate"]

WRITER = "writer"
"""Key of the fencing number."""

PG_LOCK = 0x746F6373696E
"""PostgreSQL's advisory lock of the one writer: "tocsin" in ASCII."""

CHECKED_AT_ONCE_BYTES = 64 * 2**20
"""A SQLite file up to this size is checked whole before it is used: a quarter of a second. A larger one, which may take
minutes, is checked beside the work (`check`)."""


class Write(Struct, frozen=True, kw_only=True):
    """One transaction.

    Attributes
    ----------
    tick : mapping
        The row of `schema.ticks`.
    added : mapping of Table to sequence of mapping
        New rows.
    put : mapping of Table to sequence of mapping
        Rows that take the place of those with the same primary key, if there are any.
    sent : sequence of str
        Attempts that leave the outbox.
    recorded : int or None
        Log entries before this index leave: the record has them.
    forgotten : int or None
        Snapshots before this tick leave.
    archived : tuple of (int, int) or None
        First and last tick that leave, since their hour is in the archive; of one at which a version of the agreement
        began, its inputs alone.
    dropped_us : int or None
        Hours that begin before this leave the archive.
    """

    tick: Row
    added: Mapping[Table, Sequence[Row]] = field(default_factory=dict)
    put: Mapping[Table, Sequence[Row]] = field(default_factory=dict)
    sent: Sequence[str] = ()
    recorded: int | None = None
    forgotten: int | None = None
    archived: tuple[int, int] | None = None
    dropped_us: int | None = None


class Store(StoreReader):
    """The database, open for writing by this process alone.

    Parameters
    ----------
    url : str
    allow_unsafe : bool
        Go on although the database's settings can lose what was acknowledged.

    Attributes
    ----------
    faults : list of str
        What is unsafe about it.
    is_checked : bool
        False if it is so large that `check` is still to be called.

    Raises
    ------
    StoreError
        If it is damaged, unsafe, of a later version, or another process writes it.
    """

    def __init__(self, url: str, *, allow_unsafe: bool = False) -> None:
        self._engine = connect(url)
        super().__init__(url)
        self._insert = sqlite.insert if self._engine.dialect.name == "sqlite" else _postgresql_insert()
        self._connection: Connection | None = None
        self._in_doubt = False
        self._fence = b""
        self._show_fence: _Spelled | None = None
        self._spelled: dict[tuple[str, bool], _Spelled] = {}
        self.faults: list[str] = []
        self.is_checked = False
        try:
            self._open(allow_unsafe=allow_unsafe)
        except DBAPIError as error:
            self.close()
            raise as_store_error(error) from error
        except BaseException:
            self.close()
            raise

    def write(self, work: Write) -> None:
        """Make one transaction; return when it is durable.

        Raises
        ------
        StoreFullError
            There is no space: nothing was written, make it again later.
        StoreAwayError
            The database does not answer: make it again, it is made once.
        StoreError
            It is not known what the disk holds, or another process has taken over: stop.
        """
        try:
            connection = self._connected()
            with connection.begin():
                self._check_fence(connection)
                if self._in_doubt and self._is_made(connection, work):
                    self._in_doubt = False
                    return
                self._write(connection, work)
            self._in_doubt = False
        except DBAPIError as error:
            found = as_store_error(error)
            if isinstance(found, StoreAwayError):
                self._in_doubt = True
                self._drop()
            raise found from error

    def check(self) -> None:
        """Read all of a SQLite file beside the writer and see that it is sound; may be called from any thread.

        Raises
        ------
        StoreError
            If it is damaged.
        """
        with self.reader() as connection:
            self._check(connection)

    def close(self) -> None:
        """Close every connection."""
        self._drop()
        self._engine.dispose()
        super().close()

    # --- inside ----------------------------------------------------------------------------------------------------

    def _open(self, *, allow_unsafe: bool) -> None:
        connection = self._connected()
        with connection.begin():
            size_bytes = size_of(connection)
        if size_bytes <= CHECKED_AT_ONCE_BYTES:
            self._check(connection)
        with connection.begin():
            self.faults = faults_of(connection)
            if self.faults and not allow_unsafe:
                raise StoreError(f"the database is not safe: {'; '.join(self.faults)}; --allow-unsafe goes on with it")
            migrate(connection)
        with connection.begin():
            held = connection.execute(select(schema.station.c.value).where(schema.station.c.key == WRITER)).scalar()
            self._fence = str(int(held or b"0") + 1).encode()
            self._put(connection, schema.station, [{"key": WRITER, "value": self._fence}])
        table = schema.station
        mine = (table.c.key == WRITER) & (table.c.value == self._fence)
        self._show_fence = _Spelled.of(update(table).where(mine).values(value=self._fence), connection)

    def _check(self, connection: Connection) -> None:
        with connection.begin():
            damage = damage_of(connection)
        if damage is not None:
            raise StoreError(f"the database is damaged: {damage}")
        self.is_checked = True

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = self._engine.connect()
            if connection.dialect.name == "postgresql":
                locked = connection.execute(select(func.pg_try_advisory_lock(PG_LOCK))).scalar()
                connection.rollback()
                if not locked:
                    connection.close()
                    raise StoreError("another process writes this database; only one may")
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _check_fence(self, connection: Connection) -> None:
        if self._show_fence is None or self._show_fence.run(connection, [{}]) != 1:
            raise StoreError("another process has taken this store over; this one must not write any more")

    def _is_made(self, connection: Connection, work: Write) -> bool:
        table = schema.ticks
        found = connection.execute(select(table.c.digest).where(table.c.tick == work.tick["tick"])).scalar()
        if found is not None and found != work.tick["digest"]:
            raise StoreError(f"tick {work.tick['tick']} is held with another digest: two processes have written")
        return found is not None

    def _write(self, connection: Connection, work: Write) -> None:
        self._add(connection, schema.ticks, [work.tick])
        for table, rows in work.added.items():
            self._add(connection, table, rows)
        for table, rows in work.put.items():
            self._put(connection, table, rows)
        for some in _portions(work.sent):
            connection.execute(delete(schema.outbox).where(schema.outbox.c.attempt_id.in_(some)))
        if work.recorded is not None:
            entries = schema.log_entries
            connection.execute(delete(entries).where(entries.c.entry_index < work.recorded))
        if work.forgotten is not None:
            connection.execute(delete(schema.snapshots).where(schema.snapshots.c.tick < work.forgotten))
        if work.archived is not None:
            ticks = schema.ticks
            within = ticks.c.tick.between(*work.archived)
            begun = ticks.c.tick.in_(select(schema.agreements.c.tick))
            connection.execute(delete(ticks).where(within, ~begun))
            connection.execute(update(ticks).where(within, begun).values(reports=None, inputs=None))
        if work.dropped_us is not None:
            connection.execute(delete(schema.archive).where(schema.archive.c.hour_us < work.dropped_us))

    def _add(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        if not rows:
            return
        held = self._spelled.get((table.name, False))
        if held is None:
            held = self._spelled[table.name, False] = _Spelled.of(insert(table), connection)
        held.run(connection, rows)

    def _put(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        if not rows:
            return
        held = self._spelled.get((table.name, True))
        if held is None:
            keys = [column.name for column in table.primary_key.columns]
            new = self._insert(table)
            others = {c.name: new.excluded[c.name] for c in table.columns if c.name not in keys}
            made = new.on_conflict_do_update(index_elements=keys, set_=others)
            held = self._spelled[table.name, True] = _Spelled.of(made, connection)
        held.run(connection, rows)


def _postgresql_insert() -> Any:
    from sqlalchemy.dialects.postgresql import insert as found  # the drivers of a database that is not used load slowly

    return found


class _Spelled(Struct, frozen=True, kw_only=True):
    """A statement of every tick as its text: SQLAlchemy takes longer to find what it compiled than SQLite to run it.

    Attributes
    ----------
    text : str
    names : tuple of str or None
        Of the parameters, in their order; None where the database takes them by name.
    given : dict
        What the statement itself says.
    """

    text: str
    names: tuple[str, ...] | None
    given: Row

    @classmethod
    def of(cls, statement: Insert | Update, connection: Connection) -> _Spelled:
        """Return a statement as this connection's database takes it; an insert takes every column."""
        compiled = statement.compile(dialect=connection.dialect)
        names = compiled.positiontup if isinstance(compiled, SQLCompiler) else None
        given = {name: value for name, value in compiled.params.items() if value is not None}
        return cls(text=str(compiled), names=tuple(names) if names is not None else None, given=given)

    def run(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Run it once for each row, and return how many rows it changed."""
        full = [{**self.given, **row} for row in rows] if self.given or self.names is None else rows
        if self.names is None:
            return connection.exec_driver_sql(self.text, full if len(full) > 1 else full[0]).rowcount
        return execute_sqlite(connection, self.text, [tuple([row[name] for name in self.names]) for row in full])


def migrate(connection: Connection) -> None:
    """Bring the tables to `schema.SCHEMA_VERSION`, inside the connection's transaction.

    Raises
    ------
    StoreError
        If they are of a later version than this program knows (FAULTS 15).
    """
    if inspect(connection).has_table("alembic_version"):
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if found == schema.SCHEMA_VERSION:
            return
        if found is not None and found > schema.SCHEMA_VERSION:
            expected = f"{schema.SCHEMA_VERSION} or older"
            raise StoreError(f"found a store of version {found}, expected {expected}: a later Tocsin has written it")
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "tocsin.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _portions(items: Iterable[str], size: int = 500) -> Iterator[list[str]]:
    held = list(items)
    for start in range(0, len(held), size):
        yield held[start : start + size]
