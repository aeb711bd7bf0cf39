"""Reads: what a station has decided, from its store, for whoever asks by the station's door (FAULTS §3)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from tocsin.station.api import Page
from tocsin.store import schema
from tocsin.store.store import Store


class Reads:
    """The asking half of `api.StationApi`, over a store that is open.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def events(self, *, after: int = 0, limit: int = 1_000) -> Page:
        """Return events, final and provisional, opened, amended and withdrawn, in the order of their commit."""
        table = schema.events
        query = select(table.c.seq, table.c.line).where(table.c.seq >= after).order_by(table.c.seq).limit(limit)
        return self._page(query, after)

    def facts(self, *, after: int = 0, limit: int = 1_000, case_id: str | None = None) -> Page:
        """Return what the ladder decided and heard, and what befell the station, in the order of its commit."""
        table = schema.facts
        query = select(table.c.seq, table.c.line).where(table.c.seq >= after).order_by(table.c.seq).limit(limit)
        return self._page(query if case_id is None else query.where(table.c.case_id == case_id), after)

    def cases(self, *, is_open: bool | None = None, limit: int = 1_000) -> Sequence[dict[str, Any]]:
        """Return cases, the newest first; only open or only closed ones if asked."""
        table = schema.cases
        query = select(table.c.line).order_by(table.c.opened_us.desc(), table.c.case_id).limit(limit)
        if is_open is not None:
            query = query.where(table.c.is_open == is_open)
        with self._store.reader() as connection:
            return [json.loads(line) for line in connection.execute(query).scalars()]

    def case(self, case_id: str) -> dict[str, Any] | None:
        """Return one case with its whole timeline, or None if there is none of this id."""
        query = select(schema.cases.c.line).where(schema.cases.c.case_id == case_id)
        with self._store.reader() as connection:
            line = connection.execute(query).scalar()
        return None if line is None else json.loads(line)

    def _page(self, query: Select[Any], after: int) -> Page:
        with self._store.reader() as connection:
            rows = connection.execute(query).all()
        return Page(rows=tuple(json.loads(row.line) for row in rows), after=rows[-1].seq + 1 if rows else after)
