"""The store on a real PostgreSQL: one writer, unsafe settings named, restarts that lose and double nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from tests.store.postgres import Postgres, postgres
from tests.store.test_store import row

from tocsin.errors import StoreAwayError, StoreError
from tocsin.store import schema
from tocsin.store.connect import connect
from tocsin.store.store import Store, Write


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(autouse=True)
def empty(server: Postgres) -> None:
    engine = connect(server.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    engine.dispose()


def test_migrations_make_the_tables_of_the_schema(server: Postgres) -> None:
    Store(server.url).close()
    engine = connect(server.url, read_only=True)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    engine.dispose()


def test_a_second_writer_is_refused_at_once(server: Postgres) -> None:
    store = Store(server.url)
    with pytest.raises(StoreError, match="only one may"):
        Store(server.url)
    store.write(Write(tick=row(1), put={schema.feeds: [{"name": "f", "position": "1", "tick": 1}]}))
    store.write(Write(tick=row(2), put={schema.feeds: [{"name": "f", "position": "2", "tick": 2}]}))
    assert [r["position"] for r in store.rows(schema.feeds)] == ["2"]
    assert [kept.tick for kept in store.ticks_after(0)] == [1, 2]
    store.close()


def test_restarts_under_load_lose_and_double_no_tick(server: Postgres) -> None:
    store = Store(server.url)
    made, stalls = [0], [0]
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            number = made[0] + 1
            added = {schema.facts: [{"seq": number, "tick": number, "case_id": None, "kind": "k", "line": b"l"}]}
            try:
                store.write(Write(tick=row(number), added=added))
                made[0] = number
            except StoreAwayError:
                stalls[0] += 1
                time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            before = made[0]
            while made[0] < before + 20:
                time.sleep(0.01)
            server.restart()
        before = made[0]
        while made[0] < before + 20:
            time.sleep(0.01)
    finally:
        stop.set()
        writer.join()
    assert stalls[0] > 0, "no restart was noticed"
    assert [kept.tick for kept in store.ticks_after(0)] == list(range(1, made[0] + 1))
    assert [r["seq"] for r in store.rows(schema.facts)] == list(range(1, made[0] + 1))
    store.close()


@pytest.mark.parametrize("setting", [{"fsync": "off"}, {"full_page_writes": "off"}, {"synchronous_commit": "off"}])
def test_settings_that_lose_commits_are_named_and_need_a_word(server: Postgres, setting: dict[str, str]) -> None:
    server.restart(**setting)
    try:
        with pytest.raises(StoreError, match=f"{next(iter(setting))} is off"):
            Store(server.url)
        store = Store(server.url, allow_unsafe=True)
        assert len(store.faults) == 1
        store.write(Write(tick=row(1)))
        store.close()
    finally:
        server.restart()


def test_a_server_that_is_not_there_is_said_to_be_away() -> None:
    with pytest.raises(StoreAwayError):
        Store("postgresql://postgres@127.0.0.1:1/postgres")
