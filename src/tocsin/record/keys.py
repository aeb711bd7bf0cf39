"""Private keys in files that only their owner can read, and never in a log line.

A key file is one line in the form Go's `sumdb/note` gave signer keys:
`PRIVATE+KEY+<name>+<key id>+<base64 of type and seed>`. It lies outside `record/`, so that a record can be handed
over whole. Which key signs next is decided in `rotate.py`.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.cosign import SEED_BYTES, Signer
from tocsin.record.c2sp.note import SignatureType, decode_base64, encode_base64, is_key_name
from tocsin.record.files import sync_folder, write_new

KEY_FILE_MODE = 0o600
"""Owner reads and writes, nobody else does anything."""

_START = "PRIVATE+KEY+"


def create_key(path: Path, name: str, kind: SignatureType = SignatureType.ED25519) -> Signer:
    """Make a key, write it to a new file of mode 0600, and return it; after a crash the file is whole or not there.

    Parameters
    ----------
    path : Path
        Must not exist; folders on the way are made with mode 0700.
    name : str
        For a log its origin, for a witness its name; a schema-less URL without spaces or plus signs.
    kind : SignatureType

    Raises
    ------
    RecordError
        If a file is there already: a key is never overwritten; or if the name cannot be one.
    """
    if not is_key_name(name):
        raise RecordError(f"found the key name {name!r}, expected one without spaces and plus signs")
    signer = Signer(name=name, type=kind, seed=secrets.token_bytes(SEED_BYTES))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        write_new(fresh, format_key(signer).encode(), mode=KEY_FILE_MODE)
        os.link(fresh, path)  # which a rename would put in the place of another key
    except FileExistsError:
        raise RecordError(f"{path}: there is a key already, and a key is never overwritten") from None
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)
    return signer


def load_key(path: Path) -> Signer:
    """Read a key file.

    Raises
    ------
    RecordError
        If there is none, if others than its owner may read it, or if its content is no key. No message repeats any
        of the content.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(4_096)
    except OSError as error:
        raise RecordError(f"{path}: no key could be read ({error.strerror})") from error
    if os.name == "posix" and mode & 0o077:
        raise RecordError(f"{path}: found mode {mode:04o}, expected 0600: others may have read this key")
    try:
        return parse_key(content.decode())
    except (UnicodeDecodeError, VerificationError):
        raise RecordError(f"{path}: found something else, expected one line PRIVATE+KEY+name+id+key") from None


def format_key(signer: Signer) -> str:
    """Return the content of a key file."""
    secret = encode_base64(bytes([signer.type]) + signer.seed)
    return f"{_START}{signer.name}+{signer.vkey.key_id.hex()}+{secret}\n"


def parse_key(text: str) -> Signer:
    """Return the key in a key file's content.

    Raises
    ------
    VerificationError
        If it is none, or if its id does not fit; the message holds nothing secret.
    """
    line = text.removesuffix("\n")
    parts = line.removeprefix(_START).split("+", 2)
    if not line.startswith(_START) or len(parts) != 3 or not is_key_name(parts[0]):
        raise VerificationError("no private key")
    try:
        data = decode_base64(parts[2], "key")
        signer = Signer(name=parts[0], type=SignatureType(data[0]), seed=data[1:])
    except (VerificationError, ValueError):
        raise VerificationError("no private key of a known type") from None
    if len(signer.seed) != SEED_BYTES or signer.vkey.key_id.hex() != parts[1]:
        raise VerificationError(f"private key of {signer.name}: its id does not fit it")
    return signer
