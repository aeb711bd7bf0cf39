"""Canonical JSON: the one sequence of bytes that stands for a value, by RFC 8785 (JCS).

Everything that is hashed, signed or compared byte for byte passes through here. The serialiser is the
`rfc8785` package, which refuses what would not survive another party's JSON reader (NaN, infinities, integers
past 2**53, RFC 8785 §3.2.2.3); `parse_json` refuses the same on the way in, and repeated keys. Values of which msgspec
writes the same bytes are written by it, in a tenth of the time.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import rfc8785

LEAST_PLAIN, MOST_PLAIN = 1e-4, 1e15
"""Between these, every printer of shortest numbers prints the digits of ECMAScript, without an exponent."""

MOST_INT = 2**53 - 1
"""The largest integer that every JSON reader holds exactly (RFC 8785 §3.2.2.3)."""

_ENCODER = msgspec.json.Encoder(order="sorted")

_AS_THEY_ARE = frozenset({str, bool, type(None)})
_ONLY_STR = frozenset({str})
"""Types of values of which there is one text, and of keys."""


def canonical_bytes(value: Any) -> bytes:
    r"""Return the RFC 8785 bytes of a JSON value.

    Parameters
    ----------
    value : JSON value
        None, bool, int, float, str, list, tuple and dict with str keys, nested.

    Returns
    -------
    bytes
        UTF-8, no spaces, keys in UTF-16 order, numbers as ECMAScript prints them.

    Raises
    ------
    ValueError
        For NaN, an infinity, an integer outside ±(2**53 - 1), a lone surrogate or a type JSON lacks.

    References
    ----------
    RFC 8785, JSON Canonicalization Scheme, §3.2.

    Examples
    --------
    >>> canonical_bytes({"b": 1.0, "a": [None, "é"]})
    b'{"a":[null,"\xc3\xa9"],"b":1}'
    >>> canonical_bytes(float("nan"))
    Traceback (most recent call last):
    ...
    ValueError: no canonical JSON: nan is not representable in JCS
    """
    try:
        return _ENCODER.encode(_plain(value))
    except (_NotPlainError, UnicodeEncodeError, RecursionError):
        pass
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise ValueError(f"no canonical JSON: {error}") from error


class _NotPlainError(Exception):
    """Raised for a value that only the serialiser of the standard is trusted with."""


def _plain(value: Any) -> Any:
    """Return a value with its whole numbers as integers, if it is one of which every sorted encoder makes one text."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is dict:
        if not _ONLY_STR.issuperset(map(type, value)) or not "".join(value).isascii():
            raise _NotPlainError
        return {key: held if type(held) in _AS_THEY_ARE else _plain(held) for key, held in value.items()}
    if kind is list or kind is tuple:
        return [held if type(held) in _AS_THEY_ARE else _plain(held) for held in value]
    if kind is int and -MOST_INT <= value <= MOST_INT:
        return value
    if kind is float and LEAST_PLAIN <= abs(value) < MOST_PLAIN:
        return int(value) if value.is_integer() else value
    if kind is float and value == 0.0:
        return 0
    raise _NotPlainError


def canonical_line(value: Any) -> bytes:
    """Return `canonical_bytes(value)` with a newline: one line of a JSON Lines file."""
    return canonical_bytes(value) + b"\n"


def digest(value: Any) -> bytes:
    """Return the SHA-256 of the canonical bytes of a JSON value (32 bytes)."""
    return hashlib.sha256(canonical_bytes(value)).digest()


def parse_json(text: str | bytes) -> Any:
    """Return the value of strict JSON text.

    Python's own reader accepts NaN, Infinity and repeated keys; two readers of one document could
    then see two documents. All three are refused here, as is nesting that exhausts the reader.

    Raises
    ------
    ValueError
        For text that is not strict JSON; the message says what and, where known, at which character.

    Examples
    --------
    >>> parse_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ...
    ValueError: key 'a' stands twice in one object
    """
    try:
        return json.loads(text, object_pairs_hook=_once_each, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key {key!r} stands twice in one object")
        found[key] = value
    return found


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"number {digits[:20]} is too large")
    return number
