"""Connecting: a database that is safe to trust, or a sentence that says why it is not.

SQLite: write-ahead log with `synchronous=FULL` (NORMAL loses acknowledged commits at a power cut, FAULTS §0.6), read
back after being set; one connection writes, others only read, which keeps clear of the WAL-reset fault of SQLite up to
3.51.2. PostgreSQL: `fsync`, `full_page_writes` and `synchronous_commit` are looked at (FAULTS 13). Makes no tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from tocsin.errors import StoreAwayError, StoreError, StoreFullError

LEAST_SQLITE = (3, 37, 0)
"""What the store's statements need; older ones lack `STRICT` and `RETURNING`, and their WAL has known faults."""

SAFE_COMMITS = frozenset({"on", "local", "remote_write", "remote_apply"})
"""PostgreSQL's `synchronous_commit` with which a commit is on this server's disk."""

PG_FULL = frozenset({"53100"})
"""SQLSTATE of a disk without space."""

PG_AWAY = ("08", "57P", "53300", "25006")
"""How the SQLSTATE begins of a server that goes, comes or was cut off, or is a replica for the moment."""

TIMEOUT_S = 5
"""How long a connection may take, and a writer wait for a lock; seconds."""

CHECKPOINT_PAGES = 4_096
"""Pages of SQLite's log, 16 MiB, after which it goes into the file: the commit that it falls on waits for it."""

SQLITE_FULL = frozenset({"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"})
"""SQLite's names for a disk without space; the second when it is the index of the log that cannot grow."""


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path.resolve()}"


def connect(url: str, *, read_only: bool = False) -> Engine:
    """Return an engine for a database; nothing is opened before its first use.

    Parameters
    ----------
    url : str
        `sqlite:///FILE` or `postgresql://…`.
    read_only : bool
        For readers beside the one writer.

    Raises
    ------
    StoreError
        For another kind of database, or a driver that is not installed.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"found {url.partition('@')[2] or url!r}, expected a database URL: {error}") from error
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise StoreError("found a database in memory, expected a file: nothing in memory survives a crash")
        return _sqlite(Path(parsed.database), read_only=read_only)
    if parsed.get_backend_name() != "postgresql":
        raise StoreError(f"found a database of kind {parsed.get_backend_name()!r}, expected sqlite or postgresql")
    try:
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=4 if read_only else 1,
            max_overflow=0,
            pool_pre_ping=read_only,
            connect_args={"connect_timeout": TIMEOUT_S, "application_name": "tocsin"},
        )
    except ModuleNotFoundError as error:
        raise StoreError("PostgreSQL needs psycopg: install tocsin[postgres]") from error


def _sqlite(path: Path, *, read_only: bool) -> Engine:
    if sqlite3.sqlite_version_info < LEAST_SQLITE:
        expected = ".".join(map(str, LEAST_SQLITE))
        raise StoreError(f"found SQLite {sqlite3.sqlite_version}, expected {expected} or later")

    def opened() -> sqlite3.Connection:
        """Return a connection with the settings that durability needs."""
        mode = "ro" if read_only else "rwc"
        uri = f"{path.resolve().as_uri()}?mode={mode}"
        connection = sqlite3.connect(
            uri, uri=True, timeout=TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        if read_only:
            connection.execute("PRAGMA query_only=1")
            return connection
        settings = ("journal_mode=WAL", "synchronous=FULL", "fullfsync=1", "checkpoint_fullfsync=1")
        for setting in (*settings, f"wal_autocheckpoint={CHECKPOINT_PAGES}"):
            connection.execute(f"PRAGMA {setting}")
        return connection

    engine = create_engine("sqlite://", creator=opened, poolclass=QueuePool, pool_size=4 if read_only else 1)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        execute_sqlite(connection, "BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def execute_sqlite(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]] = ((),)) -> int:
    """Run a statement once for each row by the driver itself, and return how many rows it changed.

    Half of a small transaction's time is SQLAlchemy's own on the way to the driver.

    Parameters
    ----------
    connection : Connection
        To SQLite; in a transaction, unless the statement begins one.
    statement : str
    rows : sequence of tuple
        What each question mark stands for.

    Raises
    ------
    DBAPIError
        As SQLAlchemy would raise it.
    """
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    try:
        cursor = raw.execute(statement, rows[0]) if len(rows) == 1 else raw.executemany(statement, rows)
    except sqlite3.Error as error:
        raise DBAPIError.instance(statement, None, error, sqlite3.Error, dialect=connection.dialect) from error
    return cursor.rowcount


def faults_of(connection: Connection) -> list[str]:
    """Return what makes a database unsafe to trust, a sentence each; empty if nothing does."""
    if connection.dialect.name == "sqlite":
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
        faults = [] if journal == "wal" else [f"journal_mode is {journal}, expected wal: is this a network disk?"]
        return faults if synchronous == 2 else [*faults, f"synchronous is {synchronous}, expected 2 (FULL)"]
    faults = []
    for name, safe, why in (
        ("fsync", {"on"}, "a power cut would destroy the database"),
        ("full_page_writes", {"on"}, "a power cut would tear pages"),
        ("synchronous_commit", SAFE_COMMITS, "a crash would lose what was acknowledged"),
    ):
        found = connection.execute(text(f"SHOW {name}")).scalar()
        if found not in safe:
            faults.append(f"{name} is {found}: {why}")
    return faults


def size_of(connection: Connection) -> int:
    """Return the bytes of a SQLite file; 0 for PostgreSQL."""
    if connection.dialect.name != "sqlite":
        return 0
    return int(
        connection.exec_driver_sql("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").scalar()
        or 0
    )


def damage_of(connection: Connection) -> str | None:
    """Return what SQLite's own check finds wrong with the file, or None; PostgreSQL checks its pages itself."""
    if connection.dialect.name != "sqlite":
        return None
    found = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check(1)")]
    return None if found == ["ok"] else "; ".join(map(str, found))


def as_store_error(error: DBAPIError) -> StoreError:
    """Return what a database's refusal means for whoever writes."""
    cause: Any = error.orig
    said = str(cause).strip().partition("\n")[0] or type(cause).__name__
    name = getattr(cause, "sqlite_errorname", None)
    if name is not None:
        return StoreFullError(said) if name in SQLITE_FULL else StoreError(f"{said} ({name})")
    state = getattr(cause, "sqlstate", None) or ""
    if state in PG_FULL:
        return StoreFullError(said)
    if error.connection_invalidated or state.startswith(PG_AWAY) or (not state and _is_operational(cause)):
        return StoreAwayError(said)
    return StoreError(said)


def _is_operational(cause: object) -> bool:
    return type(cause).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"}
