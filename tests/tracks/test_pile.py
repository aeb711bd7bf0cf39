"""A pile is what its parts are, one after the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.common import NOON_US, WORDY, S, report, table

from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.pile import Pile
from tocsin.tracks.report import CODED_SCHEMA


def piled(tables: list[list[dict]], room: int = 0) -> Pile:
    """Return a pile of some tables of reports."""
    pile = Pile()
    for rows in tables:
        pile.add(table(rows).cast(CODED_SCHEMA), room=room)
    return pile


@given(st.lists(st.lists(WORDY, max_size=4), max_size=5), st.integers(0, 30))
def test_a_pile_is_the_tables_one_after_the_other_whatever_room_is_made(tables: list[list[dict]], room: int) -> None:
    """Would catch a column that is first said in the middle, and a list of names that another table has otherwise."""
    pile = piled(tables, room)
    assert len(pile) == sum(map(len, tables))
    assert repr(pile.batch()) == repr(ReportBatch.from_table(table([row for rows in tables for row in rows])))


def test_what_is_moved_moves_in_every_column_of_the_batch() -> None:
    rows = [report(track_id=f"dev:{n}", received=NOON_US + n * S, lat_deg=n / 2, speed_mps=n / 2) for n in (3, 2, 1)]
    pile = piled([rows[:1], rows[1:]])
    reports = pile.batch()
    pile.move(np.array([0, 2]), np.array([2, 0]))
    assert str(reports.to_table().to_pylist()) == str(table(rows[::-1]).to_pylist())


def test_columns_that_say_nothing_are_one_array() -> None:
    reports = piled([[report()], [report()]]).batch()
    assert reports.received_us is not reports.lat_deg and reports.received_us.base is reports.observed_us.base
    assert reports.alt_m is reports.heading_deg
    assert reports.party is reports.category
