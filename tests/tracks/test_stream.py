"""A stream gives every sound byte, bounds every size, and says when it was cut."""

from __future__ import annotations

import gzip
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import Place, ReportError
from tocsin.tracks.formats import stream as module
from tocsin.tracks.formats.stream import Stream, check_text


def opened(data: bytes) -> Stream:
    return Stream(BytesIO(data), name="log.txt")


def taken(data: bytes) -> tuple[bytes, str]:
    stream = opened(data)
    return b"".join(stream.pieces()), stream.cut


@given(st.binary(max_size=2_000), st.booleans())
def test_head_takes_nothing_away(data: bytes, packed: bool) -> None:
    stream = opened(gzip.compress(data, mtime=0) if packed else b"x" + data)
    whole = data if packed else b"x" + data
    assert stream.head() == whole
    assert b"".join(stream.pieces()) == whole


def test_gzip_that_unpacks_to_much_is_whole() -> None:
    data = b"33.5,38.6\n" * 1_000_000
    assert taken(gzip.compress(data, mtime=0)) == (data, "")


def test_gzip_members_follow_one_another_and_zeros_may_follow_them() -> None:
    assert taken(gzip.compress(b"one\n", mtime=0) + gzip.compress(b"two\n", mtime=0) + bytes(512)) == (
        b"one\ntwo\n",
        "",
    )


def test_gzip_cut_at_any_byte_gives_a_beginning_and_says_so() -> None:
    data = b"".join(b"%d,33.5,38.6\n" % k for k in range(200))
    packed = gzip.compress(data, mtime=0)
    for end in range(3, len(packed)):
        found, cut = taken(packed[:end])
        assert data.startswith(found)
        assert "ends early" in cut


def test_gzip_damaged_in_the_middle_says_so() -> None:
    packed = bytearray(gzip.compress(b"x,y\n" * 1_000, mtime=0))
    packed[15] ^= 0xFF
    assert "damaged" in taken(bytes(packed))[1]


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RATIO_FROM", 2**20)
    with pytest.raises(ReportError, match="expected at most 200 times as many"):
        taken(gzip.compress(bytes(8 * 2**20), mtime=0))


def test_a_file_past_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 2**20)
    with pytest.raises(ReportError, match="expected a smaller file"):
        taken(b"x" * (2**20 + 1))


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 2**10)
    with pytest.raises(ReportError, match="expected lines of text"):
        list(opened(b"x" * 2**21).blocks())


@given(st.lists(st.tuples(st.text("ab,", max_size=9), st.sampled_from(["\n", "\r\n", "\r"]))), st.integers(1, 40))
def test_blocks_are_the_lines_whatever_their_ends_and_wherever_they_are_cut(
    lines: list[tuple[str, str]], size: int
) -> None:
    data = "".join(text + end for text, end in lines).encode()
    original = module.BLOCK_BYTES, module._PIECE
    module.BLOCK_BYTES = module._PIECE = size
    try:
        try:
            found = b"".join(opened(data).blocks())
        except ReportError:
            return
        assert found == data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    finally:
        module.BLOCK_BYTES, module._PIECE = original


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_in_another_coding_is_refused(coding: str) -> None:
    with pytest.raises(ReportError, match="UTF-8"):
        check_text("lat,lon\n1,2\n".encode(coding), Place("a.csv"))


def test_a_byte_order_mark_is_known() -> None:
    assert check_text(b"\xef\xbb\xbflat", Place("a.csv")) == b"\xef\xbb\xbf"
