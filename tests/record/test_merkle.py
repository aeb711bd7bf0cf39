"""Trees and proofs against the recursive definition of RFC 6962."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import naive_record as naive

from tocsin.errors import VerificationError
from tocsin.record.c2sp.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tocsin.record.c2sp.tiles import ENTRIES, TileReader, parse_tile, parse_tile_path, tile_path, tiles_of
from tocsin.record.growth import check_growth, grow
from tocsin.record.verifier.audit import audit

ENTRIES_70 = [b"entry %d" % i for i in range(70)]


LARGE = 65_792
"""Entries of a tree with a full tile at level 1 and one more of level 0."""


def reader_of(entries: list[bytes], *steps: int) -> TileReader:
    """Return a reader of a tree that grew in these steps."""
    files: dict[str, bytes] = {}
    size = 0
    for step in (*steps, len(entries)):
        if step > size:
            files |= grow(files.get, size, entries[size:step])
            size = step
    return TileReader(files.get, len(entries))


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_root_equals_the_recursive_definition(entries: list[bytes]) -> None:
    assert root_of([leaf_hash(entry) for entry in entries]) == naive.mth(entries)


@given(st.integers(1, 70).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_inclusion_proof_equals_the_recursive_definition(case: tuple[int, int]) -> None:
    size, index = case
    entries = ENTRIES_70[:size]
    proof = inclusion_proof(index, size, reader_of(entries).subtree_root)
    assert proof == naive.path(index, entries)
    verify_inclusion(index=index, size=size, leaf=leaf_hash(entries[index]), proof=proof, root=naive.mth(entries))


@given(st.integers(1, 70).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))))
def test_consistency_proof_equals_the_recursive_definition(case: tuple[int, int]) -> None:
    size, old = case
    entries = ENTRIES_70[:size]
    proof = consistency_proof(old, size, reader_of(entries).subtree_root)
    assert proof == naive.proof(old, entries)
    verify_consistency(
        old_size=old, new_size=size, old_root=naive.mth(entries[:old]), new_root=naive.mth(entries), proof=proof
    )


@given(
    st.integers(1, 70),
    st.integers(-1, 71),
    st.lists(st.sampled_from([bytes(32), EMPTY_ROOT, b"\x01" * 32]), max_size=8),
)
def test_invented_inclusion_proof_is_judged_as_the_slow_walk_judges_it(
    size: int, index: int, proof: list[bytes]
) -> None:
    leaf, root = bytes(32), b"\x01" * 32
    holds = 0 <= index < size and naive.inclusion_holds(index, size, leaf, proof, root)
    try:
        verify_inclusion(index=index, size=size, leaf=leaf, proof=proof, root=root)
        verified = True
    except VerificationError:
        verified = False
    assert verified is holds


@given(st.integers(1, 700), st.integers(0, 700), st.integers(0, 700))
def test_tiles_do_not_depend_on_how_the_tree_grew(size: int, first: int, second: int) -> None:
    """A publication at every moment must give the files that one publication at the end gives."""
    entries = [b"%d" % i for i in range(size)]
    steps = sorted({min(first, size), min(second, size)})
    grown, whole = reader_of(entries, *steps), reader_of(entries)
    for level, number, _ in tiles_of(size):
        assert grown.bytes_of(level, number) == whole.bytes_of(level, number)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 600, 65_536, 65_537])
def test_tiles_of_a_size_are_those_of_the_definition(size: int) -> None:
    entries = [b"%d" % i for i in range(size)]
    reader = reader_of(entries)
    for level, number, width in tiles_of(size):
        assert parse_tile_path(tile_path(level, number, width)) == (level, number, width)
        if level != ENTRIES and (number in {0, size // 256}):
            data, found, path = reader.bytes_of(level, number)
            assert found == width
            if size <= 600 or level:
                assert parse_tile(data, width, path) == naive.tile_hashes(int(level), number, entries)
    assert reader.root() == naive.mth(entries)


def test_tiles_of_seventy_thousand_entries_are_those_the_specification_counts() -> None:
    """C2SP tlog-tiles names them: 273 full and one of 112, one full and one of 17, one of 1."""
    found = [tile for tile in tiles_of(70_000) if tile[0] != ENTRIES]
    assert [tile for tile in found if tile[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert len(found) == 273 + 1 + 1 + 1 + 1


@pytest.mark.parametrize(
    "path", ["tile/0/000", "tile/0/255", "tile/1/000", "tile/2/000.p/1", "tile/1/001.p/1", "tile/entries/128"]
)
def test_the_audit_looks_at_every_level(path: str, large: tuple[dict[str, bytes], bytes]) -> None:
    """A tree of 65,792 entries: full tiles of level 1 exist from 65,536 on."""
    files, root = large
    assert audit(files.get, LARGE).root == root
    bad = files | {path: files[path][:-1] + bytes([files[path][-1] ^ 1])}
    with pytest.raises(VerificationError):
        audit(bad.get, LARGE)


@pytest.fixture(scope="module")
def large() -> tuple[dict[str, bytes], bytes]:
    entries = [b"%d" % i for i in range(LARGE)]
    return grow({}.get, 0, entries), naive.mth(entries)


def test_nothing_is_signed_for_that_the_disk_does_not_hold() -> None:
    """`check_growth` rebuilds the root from what it reads: each kind of file wrong once, and the old root."""
    entries = [b"%d" % i for i in range(520)]
    files = grow({}.get, 0, entries[:250])
    files |= grow(files.get, 250, entries[250:])
    old_root = naive.mth(entries[:250])
    assert check_growth(files.get, old_size=250, old_root=old_root, new_size=520) == naive.mth(entries)
    with pytest.raises(VerificationError, match="not the one signed"):
        check_growth(files.get, old_size=250, old_root=bytes(32), new_size=520)
    for path in ("tile/entries/000", "tile/entries/002.p/8", "tile/0/001", "tile/1/000.p/2"):
        bad = files | {path: files[path][:-1] + bytes([files[path][-1] ^ 1])}
        with pytest.raises(VerificationError):
            check_growth(bad.get, old_size=250, old_root=old_root, new_size=520)
    both = files | {"tile/0/000": files["tile/0/000"][:-32] + bytes(32)}  # a tile that fits neither entry nor parent
    with pytest.raises(VerificationError, match="not the one in its tile"):
        check_growth(both.get, old_size=250, old_root=old_root, new_size=520)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/x000/000",
        "tile/0/0000",
        "tile/0/1",
        "tile/64x/000",
        "tile/0/../000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/0/٠٠٠",
    ],
)
def test_paths_that_no_tile_has(path: str) -> None:
    assert parse_tile_path(path) is None


def test_no_consistency_from_nothing() -> None:
    """The empty tree begins every tree; accepting that is the witness protocol's choice, not the proof's."""
    with pytest.raises(VerificationError):
        verify_consistency(old_size=0, new_size=3, old_root=EMPTY_ROOT, new_root=bytes(32), proof=[])
