"""SHA-256 of many texts of one length at once (FIPS 180-4): a hundred in step, so that each line is a vector's work.

hashlib hashes one text as fast and then takes five times as long to make the objects about it; where one is to be
hashed, it is the one to ask.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.jit import kernel

LANES = 128
"""Texts in step: what is made of them fits the first cache."""
WORK_ROWS = 80
"""Rows of `LANES` words of scratch room: the hash so far, the hash being made, and the 64 words of the schedule."""
BLOCK = 16
"""Words of a block."""

_WORD = np.uint32
_FIRST = np.array(
    [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19], _WORD
)
"""The hash of nothing yet (5.3.3)."""
_ROUNDS = np.array(
    [
        0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
        0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
        0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
        0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
        0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
        0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
        0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
        0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
    ],
    _WORD,
)  # fmt: skip
"""The constants of the rounds (4.2.2)."""


@kernel
def hash_texts(texts: NDArray[Any], work: NDArray[Any], digests: NDArray[Any]) -> None:
    """Hash texts.

    Parameters
    ----------
    texts : ndarray, shape (n, k), uint32
        4 k bytes each, as big-endian words.
    work : ndarray, shape (`WORK_ROWS`, `LANES`), uint32
        Scratch room.
    digests : ndarray, shape (n, 8), uint32
        Written, as big-endian words.
    """
    n, size = texts.shape
    state, new, words = work[:8], work[8:16], work[16:]
    blocks = (size + 3 + BLOCK - 1) // BLOCK  # a bit after the text, and its length in the last two words
    for begin in range(0, n, LANES):
        many = min(LANES, n - begin)
        for j in range(8):
            state[j, :] = _FIRST[j]
        for block in range(blocks):
            for j in range(BLOCK):
                at = block * BLOCK + j
                is_last = at == blocks * BLOCK - 1
                words[j, :] = _WORD(0x80000000) if at == size else _WORD(32 * size) if is_last else _WORD(0)
                for lane in range(many if at < size else 0):
                    words[j, lane] = texts[begin + lane, at]
            _expand(words)
            for j in range(8):
                for lane in range(LANES):
                    new[j, lane] = state[j, lane]
            _mix(words, new[0], new[1], new[2], new[3], new[4], new[5], new[6], new[7])
            for j in range(8):
                for lane in range(LANES):
                    state[j, lane] += new[j, lane]
        for lane in range(many):
            for j in range(8):
                digests[begin + lane, j] = state[j, lane]


@kernel
def _turned(x: Any, by: int) -> Any:
    """Return a word with its bits turned to the right."""
    return _WORD(x >> _WORD(by)) | _WORD(x << _WORD(32 - by))


@kernel
def _expand(words: NDArray[Any]) -> None:
    """Make the schedule's other 48 words of its first 16 (6.2.2, step 1)."""
    for t in range(BLOCK, 64):
        word, oldest, older, middle, newer = words[t], words[t - 16], words[t - 15], words[t - 7], words[t - 2]
        for lane in range(LANES):
            x, y = older[lane], newer[lane]
            small = _WORD(_turned(x, 7) ^ _turned(x, 18) ^ (x >> _WORD(3)))
            great = _WORD(_turned(y, 17) ^ _turned(y, 19) ^ (y >> _WORD(10)))
            word[lane] = _WORD(oldest[lane] + small + middle[lane] + great)


@kernel
def _mix(words: NDArray[Any], a: NDArray[Any], b: NDArray[Any], c: NDArray[Any], d: NDArray[Any], e: NDArray[Any],
         f: NDArray[Any], g: NDArray[Any], h: NDArray[Any]) -> None:  # fmt: skip
    """Mix the schedule into the hash (6.2.2, step 3; the standard's letters)."""
    for t in range(64):
        word, constant = words[t], _ROUNDS[t]
        for lane in range(LANES):
            x, y = a[lane], e[lane]
            chosen = _WORD((y & f[lane]) ^ (~y & g[lane]))
            one = _WORD(h[lane] + (_turned(y, 6) ^ _turned(y, 11) ^ _turned(y, 25)) + chosen + constant + word[lane])
            most = _WORD((x & b[lane]) ^ (x & c[lane]) ^ (b[lane] & c[lane]))
            d[lane] = _WORD(d[lane] + one)
            h[lane] = _WORD(one + (_turned(x, 2) ^ _turned(x, 13) ^ _turned(x, 22)) + most)
        a, b, c, d, e, f, g, h = h, a, b, c, d, e, f, g
