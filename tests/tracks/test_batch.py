"""A batch keeps what the table said, in whatever pieces it is put together."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields
from tests.common import WORDY, ZOO, batch, report, table

from tocsin.tracks.batch import EMPTY, ReportBatch, concat
from tocsin.tracks.report import CODED_SCHEMA, SCHEMA


def same(one: ReportBatch, other: ReportBatch) -> bool:
    """Whether two batches say the same, whatever codes they use."""
    return one.to_table().equals(other.to_table()) or all(
        a[name] == b[name] or (a[name] != a[name] and b[name] != b[name])
        for a, b in zip(one.to_table().to_pylist(), other.to_table().to_pylist(), strict=True)
        for name in SCHEMA.names
    )


@pytest.mark.parametrize("name", ZOO)
def test_table_and_back_is_the_same_batch(name: str) -> None:
    assert same(ReportBatch.from_table(ZOO[name].to_table()), ZOO[name])


def test_concat_keeps_a_missing_word_missing() -> None:
    joined = concat([batch([report(party="north")]), batch([report()]), batch([report(party="south")])])
    assert joined.party.tolist() == [0, -1, 1]
    assert joined.parties == ("north", "south")


def test_concat_of_nothing_is_empty() -> None:
    assert len(concat([])) == 0
    assert concat([]).to_table().schema.equals(SCHEMA)


@given(st.lists(st.sampled_from(sorted(ZOO)), max_size=5))
def test_concat_is_the_rows_one_after_the_other(names: list[str]) -> None:
    joined = concat([ZOO[name] for name in names]).to_table()
    rows = [row for name in names for row in ZOO[name].to_table().to_pylist()]
    assert str(joined.to_pylist()) == str(rows)


def test_take_selects_rows_in_the_order_asked() -> None:
    taken = ZOO["out_of_order"].take(np.array([2, 0]))
    assert taken.observed_us.tolist() == ZOO["out_of_order"].observed_us[[2, 0]].tolist()
    assert {len(getattr(taken, f.name)) for f in fields(taken) if isinstance(getattr(taken, f.name), np.ndarray)} == {2}


def test_from_table_refuses_another_schema() -> None:
    with pytest.raises(ValueError, match="expected the report schema"):
        ReportBatch.from_table(EMPTY.to_table().drop_columns(["party"]))


@given(st.lists(WORDY, max_size=12), st.lists(st.integers(0, 12), max_size=3))
def test_coded_words_in_any_pieces_make_the_batch_of_the_plain_table(rows: list[dict], cuts: list[int]) -> None:
    plain = table(rows)
    pieces = [plain.slice(a, max(0, b - a)) for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), 12], strict=True)]
    coded = pa.concat_tables([CODED_SCHEMA.empty_table(), *(piece.cast(CODED_SCHEMA) for piece in pieces)])
    assert repr(ReportBatch.from_table(coded)) == repr(ReportBatch.from_table(plain))
    assert repr(ReportBatch.from_table(coded.slice(1))) == repr(ReportBatch.from_table(plain.slice(1)))
