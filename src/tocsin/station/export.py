"""Export: the events of a store as canonical lines in the one order (time, track, rule, kind, id).

Implements FAULTS §3.3. Of the final events of one id the newest revision counts, and a withdrawn one is gone; with the
provisional ones everything that was ever said stands in the order of its event. Reads the store and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from tocsin.store.schema import events
from tocsin.watch.event import Revision

ROWS_AT_A_TIME = 1_000


def export_events(connection: Connection, *, is_final: bool) -> Iterator[bytes]:
    """Yield events, a canonical line each.

    Parameters
    ----------
    connection : Connection
        A reader of the store.
    is_final : bool
        True: only final events, each as it stands now. False: every revision of every event.
    """
    order = [events.c.at_us, events.c.track_id, events.c.rule_id, events.c.kind, events.c.event_id, events.c.seq]
    columns = select(events.c.line)
    if is_final:
        newest = select(func.max(events.c.seq)).where(events.c.is_final).group_by(events.c.event_id)
        query = columns.where(events.c.seq.in_(newest), events.c.revision != str(Revision.WITHDRAWN))
    else:
        query = columns
    if connection.dialect.name == "postgresql":
        order = [column.collate("C") if column.type.python_type is str else column for column in order]  # type: ignore[misc]
    # Closed whatever comes: rows half read would hold the reader to what the store was then.
    with connection.execution_options(yield_per=ROWS_AT_A_TIME).execute(query.order_by(*order)) as rows:
        for line in rows.scalars():
            yield bytes(line)
