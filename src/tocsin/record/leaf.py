"""Entries on their way into the log: a payload is sealed into an envelope with a salted commitment.

The one list of what is recorded (`EntryKind`). Sealing is pure: the salt is an argument, so whoever stores the
entry first (a database, in the same transaction as the event) can append the very same bytes after a crash.
See docs/format/leaf.md; `envelope.py` reads what this writes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from msgspec import Struct

from tocsin.canon import canonical_bytes
from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.tiles import MAX_ENTRY_BYTES
from tocsin.record.envelope import EVERYBODY, SALT_BYTES, Envelope, commitment_of, is_audience
from tocsin.units import format_instant

MAX_PAYLOAD_BYTES = 64 * 1024 * 1024
"""Bytes of the largest payload taken in; larger things are recorded by their hash."""


class EntryKind(StrEnum):
    """What is recorded. A verifier accepts kinds it does not know; a writer uses these."""

    AGREEMENT_VERSION = "agreement_version"
    SIGNATURE = "signature"
    EVENT = "event"
    CASE_STEP = "case_step"
    MESSAGE = "message"
    ATTEMPT = "attempt"
    ACKNOWLEDGEMENT = "acknowledgement"
    NOTICE = "notice"
    DISCLOSURE = "disclosure"
    CLAIM = "claim"
    CONTRADICTION = "contradiction"
    COUNTS = "counts"
    HEALTH = "health"
    ACCESS = "access"
    KEY = "key"
    WITNESSES = "witnesses"
    CONTINUES = "continues"
    CONTINUED = "continued"


OPEN_KINDS = frozenset({EntryKind.KEY, EntryKind.WITNESSES, EntryKind.CONTINUES, EntryKind.CONTINUED})
"""Kinds whose payload everybody reads in the envelope: without them nobody could verify the log itself."""


class Entry(Struct, frozen=True, kw_only=True):
    """One thing to be recorded.

    Attributes
    ----------
    kind : EntryKind
    at_us : int
        When it happened or was decided, microseconds UTC.
    audience : frozenset of str
        Party ids that are entitled to the payload, or `EVERYBODY`.
    payload : JSON value
    """

    kind: EntryKind
    at_us: int
    audience: frozenset[str]
    payload: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """An entry ready to be appended.

    Attributes
    ----------
    envelope : bytes
        What everybody sees; the leaf of the tree.
    salt, payload : bytes
        What only the audience gets; both empty for an open kind.
    """

    envelope: bytes
    salt: bytes = field(repr=False)
    payload: bytes = field(repr=False)


def new_salt() -> bytes:
    """Return 32 random bytes; the one thing in a record that is not a function of its inputs."""
    return secrets.token_bytes(SALT_BYTES)


def seal(entry: Entry, salt: bytes, *, written: bytes | None = None) -> Sealed:
    """Return an entry's envelope, with what opens it.

    Parameters
    ----------
    entry : Entry
    salt : bytes
        32 bytes that nobody can guess and that no other entry has.
    written : bytes or None
        The canonical bytes of the payload, where somebody has made them already.

    Raises
    ------
    RecordError
        For an empty audience, an open kind not for everybody, a payload that is no JSON or over
        `MAX_PAYLOAD_BYTES`, or an envelope over 65,535 bytes. Nothing is ever cut.
    """
    audience = sorted(entry.audience)
    if not is_audience(audience):
        raise RecordError(f"found the audience {audience!r}, expected party ids, or {EVERYBODY!r} alone")
    at = format_instant(entry.at_us)
    if entry.kind in OPEN_KINDS:
        if audience != [EVERYBODY]:
            raise RecordError(f"an entry of kind {entry.kind} is open to everybody; found the audience {audience!r}")
        try:
            envelope = bytes(Envelope(kind=entry.kind, at=at, audience=tuple(audience), open=entry.payload))
        except VerificationError as error:
            raise RecordError(f"payload of an entry of kind {entry.kind}: {error}") from error
        return Sealed(envelope=_within_limit(envelope, entry), salt=b"", payload=b"")
    try:
        payload = canonical_bytes(entry.payload) if written is None else written
    except ValueError as error:
        raise RecordError(f"payload of an entry of kind {entry.kind}: {error}") from error
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise RecordError(
            f"payload of an entry of kind {entry.kind}: {len(payload):,} bytes, at most {MAX_PAYLOAD_BYTES:,}"
        )
    committed = commitment_of(salt, payload)
    envelope = bytes(Envelope(kind=entry.kind, at=at, audience=tuple(audience), commitment=committed))
    return Sealed(envelope=_within_limit(envelope, entry), salt=salt, payload=payload)


def _within_limit(envelope: bytes, entry: Entry) -> bytes:
    if len(envelope) > MAX_ENTRY_BYTES:
        raise RecordError(
            f"envelope of an entry of kind {entry.kind}: {len(envelope):,} bytes, at most {MAX_ENTRY_BYTES:,}"
        )
    return envelope
