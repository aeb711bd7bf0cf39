"""Signatures: a party says that it signs, objects to, or takes back its signature of one version of an agreement.

Implements `tocsin-signature/1` (docs/format/version.md): a detached JSON file, one statement and its Ed25519 signature
(RFC 8032) over RFC 8785 bytes. It names the version by number and digest, so that no other text can be slipped under
it. Whose key is whose is an argument: the agreement's format holds no keys.

References
----------
RFC 8032 (Ed25519), RFC 8785 (canonical JSON).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from tocsin.agreement.model import Agreement
from tocsin.agreement.terms.state import given
from tocsin.canon import canonical_bytes, canonical_line, parse_json
from tocsin.errors import AgreementError, Place, UnitError, VerificationError
from tocsin.units import format_instant, parse_instant_us

FORMAT = "tocsin-signature/1"
"""The format's name and version. It stands before the signed bytes, so that no signature of another format fits."""

MAX_BYTES = 65_536
"""Bytes of one signature file."""

MAX_NOTE = 5_000
"""Characters of the words that a party adds, such as the ground of an objection."""

_KEYS = frozenset({"format", "agreement", "version", "digest", "party", "what", "at", "note", "key", "signature"})


class What(StrEnum):
    """What a party says about a version. Its newest word counts."""

    SIGNATURE = "signature"
    OBJECTION = "objection"
    WITHDRAWAL = "withdrawal"
    """It takes its signature back."""


class Statement(Struct, frozen=True, kw_only=True):
    """What a party says about one version.

    Attributes
    ----------
    agreement_id : str
    version : int
    digest : str
        The version's SHA-256, 64 hexadecimal digits (`Agreement.digest`).
    party : str
    what : What
    at_us : int
    note : str
    """

    agreement_id: str
    version: int
    digest: str
    party: str
    what: What
    at_us: int
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the statement as a JSON object."""
        return {
            "format": FORMAT,
            "agreement": self.agreement_id,
            "version": self.version,
            "digest": self.digest,
            "party": self.party,
            "what": str(self.what),
            "at": format_instant(self.at_us),
            "note": self.note,
        }

    @property
    def signed_bytes(self) -> bytes:
        """The bytes that are signed: the format's name, a newline, and the statement's canonical bytes."""
        return FORMAT.encode() + b"\n" + canonical_bytes(self.as_json())


class Signed(Struct, frozen=True, kw_only=True):
    """A statement and its signature; nothing is verified yet.

    Attributes
    ----------
    statement : Statement
    key : bytes, length 32
        The public key that it claims to be by.
    signature : bytes, length 64
    """

    statement: Statement
    key: bytes
    signature: bytes

    def as_json(self) -> dict[str, Any]:
        """Return the signed statement as a JSON object: the file, and the payload of the record's entry."""
        return {
            **self.statement.as_json(),
            "key": base64.b64encode(self.key).decode(),
            "signature": base64.b64encode(self.signature).decode(),
        }

    def __bytes__(self) -> bytes:
        return canonical_line(self.as_json())


def statement_of(agreement: Agreement, *, party: str, what: What, at_us: int, note: str = "") -> Statement:
    """Return what a party is about to say about a version.

    Raises
    ------
    AgreementError
        If the agreement has no version, or no such party.
    """
    version = given(agreement.version)
    if version is None:
        found = f"version {agreement.state('version')}"
        raise AgreementError(found, expected="its number: only a version is signed", place=agreement.where("version"))
    parties = [p.id for p in given(agreement.parties) or ()]
    if party not in parties:
        expected = f"one of {', '.join(parties)}"
        raise AgreementError(f"party {party!r}", expected=expected, place=agreement.where("parties"))
    return Statement(
        agreement_id=agreement.id,
        version=version,
        digest=agreement.digest.hex(),
        party=party,
        what=what,
        at_us=at_us,
        note=note,
    )


def sign(statement: Statement, seed: bytes) -> Signed:
    """Return a statement under a private key's seed, 32 bytes."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key = private.public_key().public_bytes_raw()
    return Signed(statement=statement, key=key, signature=private.sign(statement.signed_bytes))


def parse_signed(text: bytes, *, file: str) -> Signed:
    """Return the signed statement of a file.

    Parameters
    ----------
    text : bytes
    file : str
        The name to give in places.

    Raises
    ------
    AgreementError
        For anything but one object with exactly the format's keys, each as it must be.
    """

    def refusal(found: str, expected: str, path: str = "") -> AgreementError:
        return AgreementError(found, expected=expected, place=Place(file, path=path))

    if len(text) > MAX_BYTES:
        raise refusal(f"{len(text):,} bytes", f"at most {MAX_BYTES:,}")
    try:
        told = parse_json(text)
    except ValueError as error:
        raise refusal(f"no strict JSON ({error})", f"a {FORMAT} object") from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise refusal("another format", f"an object with format: {FORMAT}")
    if set(told) != _KEYS:
        odd = sorted(set(told) ^ _KEYS)
        raise refusal(
            f"{'missing' if odd[0] in _KEYS else 'unknown'} key {odd[0]!r}", f"exactly {', '.join(sorted(_KEYS))}"
        )
    for key in _KEYS - {"version"}:
        if not isinstance(told[key], str):
            raise refusal(f"{told[key]!r:.60}", "text", key)
    if type(told["version"]) is not int or told["version"] < 0:
        raise refusal(f"{told['version']!r:.60}", "a number", "version")
    if len(told["note"]) > MAX_NOTE:
        raise refusal(f"{len(told['note']):,} characters", f"at most {MAX_NOTE:,}", "note")
    try:
        what, at_us = What(told["what"]), parse_instant_us(told["at"])
        public, signature = _raw(told["key"], 32), _raw(told["signature"], 64)
        is_digest = told["digest"] == bytes.fromhex(told["digest"]).hex() and len(told["digest"]) == 64
    except (ValueError, UnitError, binascii.Error) as error:
        raise refusal(f"{error}", "what the format says of it") from error
    if not is_digest:
        raise refusal(f"{told['digest'][:70]!r}", "64 hexadecimal digits", "digest")
    statement = Statement(
        agreement_id=told["agreement"],
        version=told["version"],
        digest=told["digest"],
        party=told["party"],
        what=what,
        at_us=at_us,
        note=told["note"],
    )
    if statement.as_json()["at"] != told["at"]:
        raise refusal(f"{told['at']!r}", "UTC with microseconds, in its one spelling", "at")
    return Signed(statement=statement, key=public, signature=signature)


def verify(signed: Signed, *, keys: Mapping[str, bytes]) -> None:
    """Check that a statement is by its party.

    Parameters
    ----------
    signed : Signed
    keys : mapping of str to bytes
        By party: its public key, 32 bytes, from whoever is trusted to say so.

    Raises
    ------
    VerificationError
        If the party has no key, another key signed, or the signature does not fit.
    """
    party = signed.statement.party
    key = keys.get(party)
    if key is None:
        raise VerificationError(f"{party} has no key here: nothing was verified")
    if key != signed.key:
        given_key, known = (base64.b64encode(k).decode() for k in (signed.key, key))
        raise VerificationError(
            f"{signed.statement.what} of {party}: another key", expected=known, calculated=given_key
        )
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signed.signature, signed.statement.signed_bytes)
    except InvalidSignature:
        raise VerificationError(
            f"{signed.statement.what} of {party}: the signature does not fit the statement"
        ) from None


def check_version(signed: Signed, agreement: Agreement) -> None:
    """Check that a statement is about this version and no other.

    Raises
    ------
    VerificationError
        If id, number or digest differ.
    """
    said = signed.statement
    for what, told, found in (
        ("agreement", said.agreement_id, agreement.id),
        ("version", str(said.version), str(given(agreement.version))),
        ("digest", said.digest, agreement.digest.hex()),
    ):
        if told != found:
            text = f"{said.what} of {said.party} is about another {what}"
            raise VerificationError(text, expected=found, calculated=told)


def _raw(text: str, size: int) -> bytes:
    data = base64.b64decode(text, validate=True)
    if len(data) != size or base64.b64encode(data).decode() != text:
        raise ValueError(f"{text[:60]!r} is not {size} bytes of canonical base64")
    return data
