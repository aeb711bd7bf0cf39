"""Several logs, one history: the last entry of one and the first of the next name each other.

For when an agreement's log must be split: a new keeper, a new origin, or a log grown too large. A new key alone is a
rotation. One log for the life of an agreement is the rule.
"""

from __future__ import annotations

from pathlib import Path

from tocsin.errors import VerificationError
from tocsin.record.c2sp.checkpoint import Checkpoint
from tocsin.record.c2sp.cosign import Signer
from tocsin.record.c2sp.note import Vkey, encode_base64
from tocsin.record.envelope import EVERYBODY
from tocsin.record.leaf import Entry, EntryKind
from tocsin.record.log import Log
from tocsin.record.verifier.verify import CONTINUED_KIND, CONTINUES_KIND, Verified


def end_log(log: Log, *, next_key: Vkey, at_us: int) -> Checkpoint:
    """Write a log's last entry, which names the log that goes on, and publish; nothing can be added after it.

    Parameters
    ----------
    log : Log
    next_key : Vkey
        Key and origin of the next log.
    at_us : int
        Microseconds UTC.
    """
    payload = {"origin": next_key.name, "vkey": str(next_key)}
    log.append([Entry(kind=EntryKind.CONTINUED, at_us=at_us, audience=frozenset({EVERYBODY}), payload=payload)])
    return log.publish()


def continue_log(folder: Path, *, key: Signer, previous: Verified, at_us: int) -> Log:
    """Begin a log whose first entry names the one it continues, down to its root.

    Parameters
    ----------
    folder : Path
        Without a record.
    key : Signer
        The new log's.
    previous : Verified
        The ended log, as verified.
    at_us : int
        Microseconds UTC.
    """
    payload = {
        "origin": previous.origin,
        "root": encode_base64(previous.root),
        "size": previous.size,
        "vkey": str(previous.vkey),
    }
    log = Log.create(folder, key=key)
    log.append([Entry(kind=EntryKind.CONTINUES, at_us=at_us, audience=frozenset({EVERYBODY}), payload=payload)])
    log.publish()
    return log


def check_joined(earlier: Verified, later: Verified) -> None:
    """Check that two verified logs are one history.

    Raises
    ------
    VerificationError
        If the earlier one's last entry and the later one's first do not name each other.
    """
    last = [content for index, kind, content in earlier.joins if (index, kind) == (earlier.size - 1, CONTINUED_KIND)]
    first = [content for index, kind, content in later.joins if (index, kind) == (0, CONTINUES_KIND)]
    if last != [{"origin": later.origin, "vkey": str(later.keys[0])}]:
        raise VerificationError(f"the last entry of {earlier.origin} does not name {later.origin} and its first key")
    named = {"origin": earlier.origin, "root": encode_base64(earlier.root), "size": earlier.size}
    if first != [named | {"vkey": str(earlier.vkey)}]:
        raise VerificationError(f"the first entry of {later.origin} does not name {earlier.origin} as it ended")
