"""Envelopes: what everybody sees of an entry, and how a payload is shown to be the one inside.

An envelope is canonical JSON of kind, time, audience and either a salted commitment or, for what everybody may
read (keys, witnesses, how logs join), the payload itself as `open`. See docs/format/leaf.md. This module reads;
`leaf.py` writes. What an envelope gives away to all: that there is an entry, its kind, its time, whose it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from typing import Any

from msgspec import Struct

from tocsin.errors import VerificationError

ENVELOPE_VERSION = 1
"""The `v` of every envelope."""

SALT_BYTES = 32
"""Random bytes before a payload; positions and names could be guessed without them."""

COMMITMENT_LABEL = b"tocsin/leaf/v1\n"
"""First bytes of what a commitment hashes, so that it is never a hash of anything else."""

EVERYBODY = "*"
"""Audience of what everybody may read."""

_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_COMMITMENT = re.compile(r"[0-9a-f]{64}")
_KEYS_SEALED = ["at", "audience", "commitment", "kind", "v"]
_KEYS_OPEN = ["at", "audience", "kind", "open", "v"]


def commitment_of(salt: bytes, payload: bytes) -> bytes:
    """Return SHA-256 of the label, a salt and a payload's canonical bytes."""
    if len(salt) != SALT_BYTES:
        raise VerificationError(f"a salt of {len(salt)} bytes: expected {SALT_BYTES}")
    return hashlib.sha256(COMMITMENT_LABEL + salt + payload).digest()


class Envelope(Struct, frozen=True, kw_only=True):
    """What everybody sees of an entry.

    Attributes
    ----------
    kind : str
        One of `leaf.EntryKind`, or of a later version's kinds.
    at : str
        When what it tells of happened or was decided, RFC 3339 UTC with microseconds.
    audience : tuple of str
        Party ids, sorted, or `EVERYBODY` alone.
    commitment : bytes or None
        None where the payload is open.
    open : JSON value
        None where there is a commitment.
    """

    kind: str
    at: str
    audience: tuple[str, ...]
    commitment: bytes | None = None
    open: Any = None

    def __bytes__(self) -> bytes:
        head = f'{{"at":"{self.at}","audience":'.encode() + _audience_bytes(self.audience)
        if self.commitment is not None:
            tail = f',"commitment":"{self.commitment.hex()}","kind":"{self.kind}"'.encode()
        else:
            tail = f',"kind":"{self.kind}","open":'.encode() + plain_bytes(self.open)
        return head + tail + b',"v":%d}' % ENVELOPE_VERSION

    def is_for(self, party: str) -> bool:
        """Return True if this party is entitled to the payload."""
        return party in self.audience or EVERYBODY in self.audience

    def check_opens(self, salt: bytes, payload: bytes) -> None:
        """Check that a salt and a payload are those committed to.

        Raises
        ------
        VerificationError
            If they are not, or if this envelope commits to nothing.
        """
        if self.commitment is None:
            raise VerificationError(f"the payload of an open {self.kind} entry stands in its envelope, nowhere else")
        calculated = commitment_of(salt, payload)
        if calculated != self.commitment:
            raise VerificationError(
                f"payload of {self.kind} entry of {self.at} does not open its commitment",
                expected=self.commitment.hex(),
                calculated=calculated.hex(),
            )


def parse_envelope(data: bytes) -> Envelope:
    """Return the envelope that an entry's bytes are.

    Raises
    ------
    VerificationError
        For anything but one envelope in its canonical bytes.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise VerificationError(f"an entry that is no JSON: {error}") from None
    if not isinstance(value, dict) or sorted(value) not in (_KEYS_SEALED, _KEYS_OPEN):
        raise VerificationError(f"an entry without the fields of an envelope: expected {', '.join(_KEYS_SEALED)}")
    kind, at, audience = value["kind"], value["at"], value["audience"]
    if value["v"] != ENVELOPE_VERSION or not _is_like(_KIND, kind) or not _is_like(_AT, at):
        raise VerificationError(f"an envelope of kind {kind!r} at {at!r}: expected version 1, a kind, a UTC time")
    if not is_audience(audience):
        raise VerificationError(f"an envelope for {audience!r}: expected party ids, sorted, each once")
    commitment = value.get("commitment", "0" * 64)
    if not _is_like(_COMMITMENT, commitment):
        raise VerificationError(f"a commitment {commitment!r}: expected 64 hexadecimal digits")
    sealed = bytes.fromhex(commitment) if "commitment" in value else None
    envelope = Envelope(kind=kind, at=at, audience=tuple(audience), commitment=sealed, open=value.get("open"))
    if bytes(envelope) != data:
        raise VerificationError(f"an envelope that is not in its canonical bytes: {data[:80]!r}")
    return envelope


def is_audience(value: object) -> bool:
    """Return True for a list of distinct, sorted, non-empty party ids, or `EVERYBODY` alone."""
    if not isinstance(value, list) or not value or not all(isinstance(p, str) and p for p in value):
        return False
    return value == sorted(set(value)) and (EVERYBODY not in value or value == [EVERYBODY])


def plain_bytes(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a value that needs no number formatting.

    Raises
    ------
    VerificationError
        For a float, a large integer or a key outside ASCII: their canonical form needs more than this.
    """
    _require_plain(value)
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise VerificationError(f"a lone surrogate in an envelope: {error.reason}") from None


@lru_cache(maxsize=256)
def _audience_bytes(audience: tuple[str, ...]) -> bytes:
    return plain_bytes(list(audience))


def _require_plain(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise VerificationError(f"key {key!r} in an open payload: expected ASCII text")
            _require_plain(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _require_plain(inner)
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) >= 2**53):
        raise VerificationError(f"number {value!r} in an open payload: expected an integer below 2**53")
    elif not isinstance(value, str | int | None):
        raise VerificationError(f"a {type(value).__name__} in an open payload: expected JSON")


def _is_like(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
