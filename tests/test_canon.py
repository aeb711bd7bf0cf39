"""Canonical JSON: whichever way it is written, the bytes are those of the standard's own serialiser."""

from __future__ import annotations

from enum import StrEnum

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tocsin.canon import canonical_bytes


class Word(StrEnum):
    ONE = "one"


NUMBERS = st.floats() | st.floats(-1e17, 1e17) | st.floats(-1, 1) | st.integers(-(2**54), 2**54)
TEXTS = st.text(st.characters(codec=None, exclude_categories=())) | st.text(max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.just(Word.ONE) | st.just(b"x"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | st.integers(0, 3), inner, max_size=4)
    | st.tuples(inner, inner),
)  # fmt: skip


@example(1e-4)
@example(1e15)
@example(123456789.12345679)
@example({"\x7f": '\x7f\x1f\b\u2028</>\\"', "B": -0.0, "a": 5e-324})
@settings(max_examples=300)
@given(VALUES)
def test_bytes_are_those_of_the_standard_serialiser(value: object) -> None:
    try:
        expected = rfc8785.dumps(value)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(ValueError, match="no canonical JSON"):
            canonical_bytes(value)
    else:
        assert canonical_bytes(value) == expected
