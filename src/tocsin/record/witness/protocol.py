"""What a witness answers to a checkpoint: a pure decision on the request and what it saw before.

Implements C2SP tlog-witness, `add-checkpoint`: the request's form and every refusal with its status. Does not sign,
store or listen. `sign-subtree` is left out: it is optional, and nothing here asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

from msgspec import Struct

from tocsin.errors import VerificationError
from tocsin.record.c2sp.checkpoint import Checkpoint, parse_checkpoint, parse_size
from tocsin.record.c2sp.cosign import Opened, open_note
from tocsin.record.c2sp.merkle import EMPTY_ROOT, HASH_BYTES, MAX_PROOF_HASHES, verify_consistency
from tocsin.record.c2sp.note import SignedNote, Vkey, decode_base64, encode_base64, parse_note

MAX_REQUEST_BYTES = 256 * 1024
"""Bytes of a request: 63 hashes and a checkpoint with 70 ML-DSA-44 signatures."""

SIZE_TYPE = "text/x.tlog.size"
"""Content type of a 409's body."""

TEXT_TYPE = "text/plain; charset=utf-8"
"""Content type of every other body."""


class Status(IntEnum):
    """HTTP statuses of the protocol."""

    OK = 200
    BAD_REQUEST = 400
    FORBIDDEN = 403
    NOT_FOUND = 404
    CONFLICT = 409
    UNPROCESSABLE = 422


class Answer(Struct, frozen=True, kw_only=True):
    """What is sent back.

    Attributes
    ----------
    status : int
    body : bytes
    content_type : str
    """

    status: int
    body: bytes
    content_type: str = TEXT_TYPE


class Request(Struct, frozen=True, kw_only=True):
    """A checkpoint, and the proof that it goes on from an earlier one.

    Attributes
    ----------
    old_size : int
    proof : tuple of bytes
    note : SignedNote
    checkpoint : Checkpoint
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: SignedNote
    checkpoint: Checkpoint


def format_request(old_size: int, proof: Sequence[bytes], note: SignedNote) -> bytes:
    """Return the body of an `add-checkpoint` request."""
    lines = [f"old {old_size}", *(encode_base64(value) for value in proof), "", ""]
    return "\n".join(lines).encode() + bytes(note)


def parse_request(body: bytes) -> Request:
    """Return what a request's body says.

    Raises
    ------
    VerificationError
        If it is not byte for byte one request: status 400.
    """
    if len(body) > MAX_REQUEST_BYTES:
        raise VerificationError(f"a request of {len(body):,} bytes: expected at most {MAX_REQUEST_BYTES:,}")
    head, blank, note_bytes = body.partition(b"\n\n")
    if not blank or not head.isascii():
        raise VerificationError("a request without an empty line, or not in ASCII before it")
    first, *lines = head.decode().split("\n")
    if not first.startswith("old "):
        raise VerificationError(f"a request that begins with {first[:40]!r}: expected old and a size")
    if len(lines) > MAX_PROOF_HASHES:
        raise VerificationError(f"a proof of {len(lines)} hashes: expected at most {MAX_PROOF_HASHES}")
    proof = tuple(decode_base64(line, "a proof line") for line in lines)
    if any(len(value) != HASH_BYTES for value in proof):
        raise VerificationError(f"a proof line that has not {HASH_BYTES} bytes")
    note = parse_note(note_bytes)
    checkpoint = parse_checkpoint(note.text)
    old_size = parse_size(first.removeprefix("old "), checkpoint.origin)
    return Request(old_size=old_size, proof=proof, note=note, checkpoint=checkpoint)


def authenticate(request: Request, logs: Mapping[str, Sequence[Vkey]]) -> Answer | Opened:
    """Return which log signatures of a request verify, or the refusal of it.

    Parameters
    ----------
    request : Request
    logs : mapping of str to sequence of Vkey
        Keys trusted for each origin.
    """
    keys = logs.get(request.checkpoint.origin)
    if keys is None:
        return _refuse(Status.NOT_FOUND, f"unknown log {request.checkpoint.origin!r}")
    try:
        return open_note(request.note, keys)
    except VerificationError as error:
        return _refuse(Status.FORBIDDEN, f"invalid signature: {error}")


def judge(request: Request, known: Checkpoint | None) -> Answer | None:
    """Return the refusal of a checkpoint that its log signed, or None if it may be cosigned.

    Parameters
    ----------
    request : Request
        Authenticated.
    known : Checkpoint or None
        The largest one cosigned for this origin.
    """
    old_size, new = request.old_size, request.checkpoint
    known_size = known.size if known else 0
    if old_size > new.size:
        return _refuse(Status.BAD_REQUEST, f"old size {old_size} is above the checkpoint's {new.size}")
    if old_size != known_size:
        return Answer(status=Status.CONFLICT, body=f"{known_size}\n".encode(), content_type=SIZE_TYPE)
    try:
        if new.size == 0 and new.root != EMPTY_ROOT:
            raise VerificationError("root of no entries", expected=EMPTY_ROOT.hex(), calculated=new.root.hex())
        if old_size == 0:
            if request.proof:
                raise VerificationError("a proof from size 0, which proves nothing and must be empty")
        else:
            verify_consistency(
                old_size=old_size,
                new_size=new.size,
                old_root=known.root if known else EMPTY_ROOT,
                new_root=new.root,
                proof=request.proof,
            )
    except VerificationError as error:
        return _refuse(Status.UNPROCESSABLE, f"consistency proof: {error}")
    return None


def _refuse(status: Status, reason: str) -> Answer:
    return Answer(status=status, body=f"{reason}\n".encode())
