"""Many texts at once have the hashes that hashlib gives them one by one."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tocsin.kernels.numbers.sha256 import LANES, WORK_ROWS, hash_texts


def hashed(texts: np.ndarray) -> bytes:
    """Return the hashes of texts, shape (n, bytes), one after the other."""
    digests, work = np.empty((len(texts), 8), np.uint32), np.full((WORK_ROWS, LANES), 0xDEADBEEF, np.uint32)
    words = np.ascontiguousarray(texts).view(">u4").astype(np.uint32)
    hash_texts(words.reshape(len(texts), texts.shape[1] // 4), work, digests)
    return digests.astype(">u4").tobytes()


def by_hashlib(texts: np.ndarray) -> bytes:
    return b"".join(hashlib.sha256(text.tobytes()).digest() for text in texts)


@pytest.mark.parametrize("size", range(0, 264, 4))
def test_every_length_is_padded_as_the_standard_says(size: int) -> None:
    """Would catch a length at which the end of a text, its bit or its length falls into another block."""
    texts = np.random.default_rng(size).integers(0, 256, (3, size), np.uint8)
    assert hashed(texts) == by_hashlib(texts)


@settings(max_examples=50)
@given(st.data())
def test_many_texts_have_the_hashes_of_hashlib(data: st.DataObject) -> None:
    many = data.draw(st.sampled_from([1, 2, LANES - 1, LANES, LANES + 1, 3 * LANES + 7]))
    size = 4 * data.draw(st.integers(1, 40))
    texts = data.draw(arrays(np.uint8, (many, size), elements=st.integers(0, 255), fill=st.sampled_from([0, 255, 128])))
    assert hashed(texts) == by_hashlib(texts)
