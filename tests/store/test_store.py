"""The store trusts no database it has not looked at, writes whole ticks or nothing, and no tick twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from tocsin.errors import StoreError
from tocsin.store import schema
from tocsin.store import store as module
from tocsin.store.connect import as_store_error, connect, sqlite_url
from tocsin.store.store import Store, Write


def row(number: int, **more: Any) -> dict[str, Any]:
    """Return a tick's row."""
    whole = {"tick": number, "at_us": number, "reports": None, "inputs": b"i", "report_count": 0, "digest": b"d" * 32}
    return whole | more


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


def test_migrations_make_the_tables_of_the_schema(path: Path) -> None:
    Store(sqlite_url(path)).close()
    with connect(sqlite_url(path), read_only=True).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_commits_are_on_the_disk(path: Path) -> None:
    store = Store(sqlite_url(path))
    connection = store._connected()
    assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    store.close()


def test_a_write_is_whole_or_nothing(path: Path) -> None:
    store = Store(sqlite_url(path))
    store.write(Write(tick=row(1), put={schema.feeds: [{"name": "f", "position": "1", "tick": 1}]}))
    twice = [{"name": "x", "position": "9", "tick": 2}, {"name": None, "position": "9", "tick": 2}]
    with pytest.raises(StoreError):
        store.write(Write(tick=row(2), put={schema.feeds: twice}))
    assert store.last_tick() == (1, 1) and [r["name"] for r in store.rows(schema.feeds)] == ["f"]
    store.write(Write(tick=row(2), put={schema.feeds: [{"name": "f", "position": "2", "tick": 2}]}))
    assert [r["position"] for r in store.rows(schema.feeds)] == ["2"]
    store.close()


def test_a_write_in_doubt_is_made_once(path: Path) -> None:
    store = Store(sqlite_url(path))
    store.write(Write(tick=row(1)))
    store._in_doubt = True
    store.write(Write(tick=row(1)))
    store._in_doubt = True
    with pytest.raises(StoreError, match="another digest"):
        store.write(Write(tick=row(1, digest=b"e" * 32)))
    store.close()


def test_an_older_process_cannot_write_any_more(path: Path) -> None:
    old = Store(sqlite_url(path))
    new = Store(sqlite_url(path))
    with pytest.raises(StoreError, match="taken this store over"):
        old.write(Write(tick=row(1)))
    new.write(Write(tick=row(1)))
    old.close()
    new.close()


def test_a_later_version_is_refused_and_left_as_it_is(path: Path) -> None:
    Store(sqlite_url(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="a later Tocsin has written it"):
        Store(sqlite_url(path))
    assert path.read_bytes() == before


def test_damage_is_found_at_the_start(path: Path) -> None:
    store = Store(sqlite_url(path))
    for number in range(1, 200):
        store.write(Write(tick=row(number, inputs=b"x" * 500)))
    store.close()
    whole = bytearray(path.read_bytes())
    page = 4096
    for at in range(2 * page, len(whole) - page, 3 * page):
        whole[at : at + 200] = b"\xff" * 200
    path.write_bytes(whole)
    with pytest.raises(StoreError, match=r"damaged|malformed|NOTADB|CORRUPT"):
        Store(sqlite_url(path))


def test_a_large_file_is_checked_beside_the_work(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(sqlite_url(path))
    for number in range(1, 60):
        store.write(Write(tick=row(number, reports=bytes(8_000))))
    store.close()
    monkeypatch.setattr(module, "CHECKED_AT_ONCE_BYTES", 1_000)
    store = Store(sqlite_url(path))
    assert not store.is_checked
    store.check()
    assert store.is_checked
    store.close()
    with path.open("r+b") as file:  # the pages of the first ticks; nothing that opening reads
        file.seek(120 * 1_024)
        file.write(b"\xff" * 60_000)
    store = Store(sqlite_url(path))
    with pytest.raises(StoreError, match="damaged"):
        store.check()
    store.close()


@pytest.mark.parametrize("url", ["sqlite://", "mysql://x/y", "nothing"])
def test_what_is_no_safe_database_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="expected"):
        connect(url)


def test_a_full_disk_is_told_from_a_broken_one() -> None:
    from sqlalchemy.exc import OperationalError

    def told(name: str) -> str:
        cause = sqlite3.OperationalError("x")
        cause.sqlite_errorname = name
        return type(as_store_error(OperationalError("s", None, cause))).__name__

    assert told("SQLITE_FULL") == "StoreFullError"
    assert told("SQLITE_IOERR_FSYNC") == told("SQLITE_CORRUPT") == "StoreError"
