"""Checkpoints: the signed head of a tree: origin, size, root.

Implements C2SP tlog-checkpoint, byte for byte: one spelling of every size and root.
"""

from __future__ import annotations

import re

from msgspec import Struct

from tocsin.errors import VerificationError
from tocsin.record.c2sp.merkle import HASH_BYTES
from tocsin.record.c2sp.note import decode_base64, encode_base64

MAX_SIZE = 2**63 - 1
"""Largest tree that a checkpoint may name."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_FIXED_LINES = 3


class Checkpoint(Struct, frozen=True, kw_only=True):
    """What a log signs.

    Attributes
    ----------
    origin : str
        The log's identity.
    size : int
        Entries in the tree.
    root : bytes
        RFC 6962 root, 32 bytes.
    extension : tuple of str
        Further lines, opaque; Tocsin writes none.
    """

    origin: str
    size: int
    root: bytes
    extension: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the note text that is signed."""
        return "\n".join([self.origin, str(self.size), encode_base64(self.root), *self.extension, ""])


def parse_checkpoint(text: str) -> Checkpoint:
    r"""Return the checkpoint in a note's text.

    Raises
    ------
    VerificationError
        For fewer than three lines, an empty line, a size not as printed or past 2**63 - 1, or a root that is no
        canonical base64 of 32 bytes.

    Examples
    --------
    >>> parse_checkpoint("example.com/log\n07\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")
    Traceback (most recent call last):
    ...
    tocsin.errors.VerificationError: checkpoint of example.com/log: tree size '07': expected a decimal below 2**63
    """
    lines = text.split("\n")
    if lines.pop() or len(lines) < _FIXED_LINES or not all(lines):
        raise VerificationError(f"a checkpoint of {len(lines)} lines: expected at least 3, none empty")
    origin, size, root, *extension = lines
    decoded = decode_base64(root, f"root of {origin}")
    if len(decoded) != HASH_BYTES:
        raise VerificationError(f"root of {origin}", expected=f"{HASH_BYTES} bytes", calculated=str(len(decoded)))
    return Checkpoint(origin=origin, size=parse_size(size, origin), root=decoded, extension=tuple(extension))


def parse_size(text: str, origin: str) -> int:
    """Return a tree size or index written in its one way.

    Raises
    ------
    VerificationError
        For signs, spaces, leading zeroes, other digits than ASCII, or 2**63 and more.
    """
    if _DECIMAL.fullmatch(text) is None or int(text) > MAX_SIZE:
        raise VerificationError(f"checkpoint of {origin}: tree size {text[:40]!r}: expected a decimal below 2**63")
    return int(text)
