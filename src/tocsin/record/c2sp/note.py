"""Signed notes: a text, a blank line, and signature lines, as bytes that have one reading only.

Implements C2SP signed-note: the format, verifier keys and key ids. Stricter than the Go reader in one place:
base64 must be canonical, or one signature would have several spellings. What each signature type signs is in
`cosign.py`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from enum import IntEnum

from msgspec import Struct

from tocsin.errors import VerificationError

MAX_SIGNATURES = 100
"""Signature lines a note may have; at least 16 by the specification, 100 in the Go reader."""

MAX_NOTE_BYTES = 1_000_000
"""Bytes a note may have: 100 of the largest signatures (ML-DSA, 3.3 kB in base64) three times over."""

KEY_ID_BYTES = 4
"""Bytes of a key id, in front of every signature."""

ED25519_KEY_BYTES = 32
"""Bytes of an Ed25519 public key."""

MLDSA44_KEY_BYTES = 1_312
"""Bytes of an ML-DSA-44 public key."""

_SIGNATURE_START = "— "
_FIELD_PRIME = 2**255 - 19
_SIGN_BIT = 1 << 255
_LOW_ORDER_Y = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    }
)
"""The y coordinates of the eight points of low order on Ed25519: "keys" under which one signature fits many texts."""


class SignatureType(IntEnum):
    """What a key is for: the byte in front of it (C2SP signed-note, "Signature types")."""

    ED25519 = 0x01
    COSIGNATURE_ED25519 = 0x04
    COSIGNATURE_MLDSA44 = 0x06


_KEY_BYTES = {
    SignatureType.ED25519: ED25519_KEY_BYTES,
    SignatureType.COSIGNATURE_ED25519: ED25519_KEY_BYTES,
    SignatureType.COSIGNATURE_MLDSA44: MLDSA44_KEY_BYTES,
}


def decode_base64(text: str, what: str) -> bytes:
    """Return the bytes of canonical standard base64.

    Raises
    ------
    VerificationError
        For anything that encoding the bytes again would not give back.

    Examples
    --------
    >>> decode_base64("AB==", "a hash")
    Traceback (most recent call last):
    ...
    tocsin.errors.VerificationError: a hash is no canonical base64: 'AB=='
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not text or base64.b64encode(data).decode() != text:
        raise VerificationError(f"{what} is no canonical base64: {text[:60]!r}")
    return data


def encode_base64(data: bytes) -> str:
    """Return the standard base64 of bytes."""
    return base64.b64encode(data).decode()


def is_key_name(name: str) -> bool:
    """Return True for a non-empty name without spaces of any kind and without a plus sign."""
    return bool(name) and "+" not in name and not any(c.isspace() for c in name) and _is_plain(name)


class Vkey(Struct, frozen=True, kw_only=True):
    """A verifier key: whose, for what, and the public key.

    Attributes
    ----------
    name : str
    type : SignatureType
    public : bytes
    """

    name: str
    type: SignatureType
    public: bytes

    @property
    def key_id(self) -> bytes:
        """First 4 bytes of SHA-256(name, newline, type, public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.type]) + self.public)}"


def parse_vkey(text: str) -> Vkey:
    """Return the key that a vkey text stands for.

    Raises
    ------
    VerificationError
        For a wrong form, an unknown type, an id that does not fit the key, or an Ed25519 key of low order or
        with a second spelling.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    if not is_key_name(name):
        raise VerificationError(f"a vkey without a usable name: {text[:80]!r}")
    data = decode_base64(encoded, f"vkey of {name}")
    try:
        kind = SignatureType(data[0])
    except ValueError:
        raise VerificationError(f"vkey of {name} has signature type {data[0]}: expected 1, 4 or 6") from None
    key = Vkey(name=name, type=kind, public=data[1:])
    if len(key.public) != _KEY_BYTES[kind]:
        raise VerificationError(
            f"vkey of {name}", expected=f"{_KEY_BYTES[kind]} bytes", calculated=f"{len(key.public)} bytes"
        )
    if key_id != key.key_id.hex():
        raise VerificationError(f"vkey of {name}: key id", expected=key_id[:16], calculated=key.key_id.hex())
    if kind is not SignatureType.COSIGNATURE_MLDSA44 and not is_sound_ed25519(key.public):
        raise VerificationError(f"vkey of {name} is an Ed25519 key of low order or not in its one spelling")
    return key


def is_sound_ed25519(public: bytes) -> bool:
    """Return True for a canonical y coordinate that is not of low order (RFC 8032 §5.1.3; C2SP CCTV ed25519)."""
    y = int.from_bytes(public, "little") & ~_SIGN_BIT
    return y < _FIELD_PRIME and y not in _LOW_ORDER_Y


class NoteSignature(Struct, frozen=True, kw_only=True):
    """One signature line.

    Attributes
    ----------
    name : str
        The key's name.
    key_id : bytes
        4 bytes.
    signature : bytes
        As its type has it, without the key id.
    """

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_SIGNATURE_START}{self.name} {encode_base64(self.key_id + self.signature)}"

    def is_by(self, key: Vkey) -> bool:
        """Return True if this line claims to be by that key; whether it is must be verified."""
        return self.name == key.name and self.key_id == key.key_id


class SignedNote(Struct, frozen=True, kw_only=True):
    """A text and its signature lines; nothing is verified yet.

    Attributes
    ----------
    text : str
        With its final newline, without the blank line.
    signatures : tuple of NoteSignature
    """

    text: str
    signatures: tuple[NoteSignature, ...]

    def __bytes__(self) -> bytes:
        return "\n".join([self.text, *(str(s) for s in self.signatures), ""]).encode()


def parse_note(data: bytes) -> SignedNote:
    """Return a note's text and signature lines.

    Raises
    ------
    VerificationError
        For anything that is not one note with at least one signature line, byte for byte.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise VerificationError(f"a note of {len(data):,} bytes: expected at most {MAX_NOTE_BYTES:,}")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise VerificationError(f"a note that is no UTF-8 at byte {error.start}") from None
    if not _is_plain(whole.replace("\n", "")):
        raise VerificationError("a note with control characters")
    head, blank, tail = whole.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise VerificationError("a note without a blank line and signature lines, each ending in a newline")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise VerificationError(f"a note with {len(lines)} signatures: expected at most {MAX_SIGNATURES}")
    return SignedNote(text=head + "\n", signatures=tuple(parse_signature(line) for line in lines))


def parse_signature(line: str) -> NoteSignature:
    """Return what one signature line (without its newline) says.

    Raises
    ------
    VerificationError
        If it is none.
    """
    if not line.startswith(_SIGNATURE_START):
        raise VerificationError(f"a signature line that does not begin with an em dash: {line[:60]!r}")
    name, _, encoded = line[len(_SIGNATURE_START) :].partition(" ")
    if not is_key_name(name):
        raise VerificationError(f"a signature line without a usable key name: {line[:60]!r}")
    data = decode_base64(encoded, f"signature of {name}")
    if len(data) <= KEY_ID_BYTES:
        raise VerificationError(f"signature of {name} of {len(data)} bytes: expected a key id and a signature")
    return NoteSignature(name=name, key_id=data[:KEY_ID_BYTES], signature=data[KEY_ID_BYTES:])


def _is_plain(text: str) -> bool:
    return all(c >= " " for c in text)
