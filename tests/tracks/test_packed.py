"""Packed reports: back exactly as they were, as few or as many, and refused when they are anything else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from tocsin.tracks.batch import EMPTY, ReportBatch
from tocsin.tracks.packed import COLUMNS, FORMAT, PLAIN_BYTES, dump_batch, load_batch

WORDS = {"track": "tracks", "feed": "feeds", "party": "parties", "category": "categories"}


def made(count: int, seed: int, names: tuple[str, ...]) -> ReportBatch:
    """Return reports of any bits at all: NaNs of every kind, names that nobody has, codes that name nothing."""
    rng = np.random.default_rng(seed)
    columns = {name: np.frombuffer(rng.bytes(count * np.dtype(kind).itemsize), kind) for name, kind in COLUMNS.items()}
    codes = {word: rng.integers(-1, len(names), count).astype(np.int32) for word in WORDS}
    return ReportBatch(**{**columns, **codes}, **dict.fromkeys(WORDS.values(), names))


def assert_same(found: ReportBatch, batch: ReportBatch) -> None:
    for f in fields(ReportBatch):
        one, other = getattr(found, f.name), getattr(batch, f.name)
        if isinstance(other, np.ndarray):
            assert one.dtype == other.dtype and one.tobytes() == other.tobytes(), f.name
            assert one.flags.aligned and one.flags.c_contiguous, f.name
        else:
            assert one == other, f.name


def test_every_column_of_a_batch_is_packed_as_it_is() -> None:
    arrays = [f.name for f in fields(ReportBatch) if isinstance(getattr(EMPTY, f.name), np.ndarray)]
    assert sorted(COLUMNS) == sorted(arrays)
    assert all(getattr(EMPTY, name).dtype == np.dtype(kind) for name, kind in COLUMNS.items())


@given(
    count=st.integers(0, 300), seed=st.integers(0, 2**32), names=st.lists(st.text(max_size=9), min_size=1, max_size=5)
)
def test_it_comes_back_bit_by_bit(count: int, seed: int, names: list[str]) -> None:
    batch = made(count, seed, tuple(names))
    assert_same(load_batch(dump_batch(batch)), batch)


def test_rows_cut_out_of_a_batch_come_back_and_many_are_compressed() -> None:
    batch = made(4_000, 1, ("a", "b"))
    assert_same(load_batch(dump_batch(batch.take(slice(1, None, 3)))), batch.take(slice(1, None, 3)))
    alike = batch.take(np.zeros(4_000, np.int64))
    assert len(dump_batch(alike)) < PLAIN_BYTES
    assert_same(load_batch(dump_batch(alike)), alike)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no packed reports"),
        (dump_batch(made(5, 2, ("a",)))[:-1], "no packed reports"),
        (b"\x98" + bytes([FORMAT + 1]) + dump_batch(EMPTY)[2:], f"expected {FORMAT}"),
    ],
    ids=["nothing", "cut", "a later format"],
)
def test_other_bytes_are_refused(raw: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_batch(raw)
