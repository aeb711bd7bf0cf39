"""Signatures on notes: a log's own, and cosignatures that say when a witness saw a tree.

Implements C2SP signed-note "Ed25519 signatures" (type 1) and tlog-cosignature (types 4, Ed25519, and 6,
ML-DSA-44, which `cryptography` has from 48.0 on). Subtree cosignatures (start above 0) are left out: nothing here
asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.checkpoint import MAX_SIZE, Checkpoint, parse_checkpoint
from tocsin.record.c2sp.note import NoteSignature, SignatureType, SignedNote, Vkey

SEED_BYTES = 32
"""Bytes of a private key, for all three types."""

_TIME_BYTES = 8
_SUBTREE_LABEL = b"subtree/v1\n\0"
_MAX_NAME_BYTES = 255


def cosigned_message(checkpoint: Checkpoint, time_s: int) -> bytes:
    """Return what an Ed25519 cosignature signs: a header line, a time line and the checkpoint's text."""
    return f"cosignature/v1\ntime {time_s}\n{checkpoint}".encode()


def cosigned_subtree(checkpoint: Checkpoint, name: str, time_s: int) -> bytes:
    """Return what an ML-DSA-44 cosignature signs: the `cosigned_message` structure, start 0."""
    return b"".join(
        [
            _SUBTREE_LABEL,
            _short(name),
            time_s.to_bytes(8, "big"),
            _short(checkpoint.origin),
            (0).to_bytes(8, "big"),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        ]
    )


def verify_signature(key: Vkey, text: str, signature: bytes) -> int | None:
    """Check one signature over a note's text.

    Returns
    -------
    int or None
        The time a cosignature states, in seconds since 1970; None for a log's own signature.

    Raises
    ------
    VerificationError
        If it does not verify.
    RecordError
        For an ML-DSA key where the installed `cryptography` has no ML-DSA.
    """
    if key.type is SignatureType.ED25519:
        _verify_ed25519(key, signature, text.encode())
        return None
    if len(signature) <= _TIME_BYTES:
        raise VerificationError(f"cosignature of {key.name} of {len(signature)} bytes: expected a time and more")
    time_s, rest = int.from_bytes(signature[:_TIME_BYTES], "big"), signature[_TIME_BYTES:]
    if not 0 < time_s <= MAX_SIZE:
        raise VerificationError(f"cosignature of {key.name} at time {time_s}: expected 1 to 2**63 - 1")
    checkpoint = parse_checkpoint(text)
    if key.type is SignatureType.COSIGNATURE_ED25519:
        _verify_ed25519(key, rest, cosigned_message(checkpoint, time_s))
    else:
        _verify_mldsa(key, rest, cosigned_subtree(checkpoint, key.name, time_s))
    return time_s


class Opened(Struct, frozen=True, kw_only=True):
    """Which signature lines of a note hold.

    Attributes
    ----------
    verified : dict of Vkey to int or None
        Keys whose signature verifies, with the time a cosignature states.
    unknown : tuple of NoteSignature
        Lines by none of the keys asked about.
    """

    verified: dict[Vkey, int | None]
    unknown: tuple[NoteSignature, ...]


def open_note(note: SignedNote, keys: Iterable[Vkey]) -> Opened:
    """Verify every line of a note that claims to be by one of these keys.

    Raises
    ------
    VerificationError
        If such a line does not verify, or if no line is by any of the keys (C2SP signed-note, "Signatures").
    """
    wanted = {(key.name, key.key_id): key for key in keys}
    verified: dict[Vkey, int | None] = {}
    unknown: list[NoteSignature] = []
    for line in note.signatures:
        key = wanted.get((line.name, line.key_id))
        if key is None:
            unknown.append(line)
        else:
            verified[key] = verify_signature(key, note.text, line.signature)
    if not verified:
        names = ", ".join(sorted(name for name, _ in wanted)) or "no key at all"
        raise VerificationError(f"a note that carries no signature by {names}")
    return Opened(verified=verified, unknown=tuple(unknown))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A private key and what it is for.

    Attributes
    ----------
    name : str
        For a log: its origin.
    type : SignatureType
    seed : bytes
        32 secret bytes; never printed.
    """

    name: str
    type: SignatureType
    seed: bytes = field(repr=False)

    @property
    def vkey(self) -> Vkey:
        """The public half."""
        public = self._private().public_key().public_bytes_raw()
        return Vkey(name=self.name, type=self.type, public=public)

    def sign(self, text: str, *, time_s: int | None = None) -> NoteSignature:
        """Sign a note's text.

        Parameters
        ----------
        text : str
            For a cosignature: a checkpoint.
        time_s : int or None
            Seconds since 1970, for a cosignature; None for a log's own signature.
        """
        if (time_s is None) is not (self.type is SignatureType.ED25519):
            raise ValueError("a cosignature states a time, a log's own signature does not")
        key_id = self.vkey.key_id
        if time_s is None:
            return NoteSignature(name=self.name, key_id=key_id, signature=self._private().sign(text.encode()))
        checkpoint = parse_checkpoint(text)
        message = (
            cosigned_message(checkpoint, time_s)
            if self.type is SignatureType.COSIGNATURE_ED25519
            else cosigned_subtree(checkpoint, self.name, time_s)
        )
        stated = time_s.to_bytes(_TIME_BYTES, "big")
        return NoteSignature(name=self.name, key_id=key_id, signature=stated + self._private().sign(message))

    def _private(self) -> Any:
        if self.type is SignatureType.COSIGNATURE_MLDSA44:
            return _mldsa().MLDSA44PrivateKey.from_seed_bytes(self.seed)
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def _short(text: str) -> bytes:
    data = text.encode()
    if not 0 < len(data) <= _MAX_NAME_BYTES:
        raise VerificationError(f"name of {len(data)} bytes in an ML-DSA-44 cosignature: expected 1 to 255")
    return bytes([len(data)]) + data


def _verify_ed25519(key: Vkey, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        raise VerificationError(f"signature of {key.name}+{key.key_id.hex()} does not verify") from None


def _verify_mldsa(key: Vkey, signature: bytes, message: bytes) -> None:
    try:
        _mldsa().MLDSA44PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        raise VerificationError(f"signature of {key.name}+{key.key_id.hex()} does not verify") from None


def _mldsa() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa
    except ImportError:
        raise RecordError("ML-DSA-44 needs cryptography 48.0 or later") from None
    return mldsa
