"""Asking witnesses to cosign: all of a policy's at once, each with the proof it needs, none waited for too long.

The client's side of C2SP tlog-witness. Nothing here holds up a warning: whoever calls it does so beside the watch,
and hands what came back to `Log.add_cosignatures`.
"""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from tocsin.clock import US_PER_S, monotonic_us
from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.checkpoint import parse_checkpoint, parse_size
from tocsin.record.c2sp.cosign import open_note
from tocsin.record.c2sp.note import NoteSignature, SignedNote, parse_signature
from tocsin.record.c2sp.policy import Policy, Witness
from tocsin.record.verifier.source import refusing_redirects
from tocsin.record.witness.protocol import MAX_REQUEST_BYTES, SIZE_TYPE, Status, format_request

TIMEOUT_S = 5.0
"""Seconds for each of the two requests that one witness may need."""

REQUESTS = 2
"""Requests one witness may need: the first may only bring the size it knows."""

Prove = Callable[[int], Sequence[bytes]]
"""Gives the consistency proof from an earlier size to the checkpoint's tree."""


class Outcome(StrEnum):
    """What came of asking one witness."""

    COSIGNED = "cosigned"
    AHEAD = "ahead"
    """It has seen a larger tree of this log: this folder is an old copy, or somebody else has the key."""
    CONTRADICTS = "contradicts"
    """The proof does not lead from the tree it saw to this one: these are two histories."""
    REFUSED = "refused"
    INVALID = "invalid"
    UNREACHABLE = "unreachable"


class Reply(Struct, frozen=True, kw_only=True):
    """One witness's answer.

    Attributes
    ----------
    witness : str
        Its name in the policy.
    outcome : Outcome
    detail : str
        In words; empty if it cosigned.
    lines : tuple of NoteSignature
        Its cosignatures, verified.
    known_size : int or None
        The size of the largest tree it has cosigned now, if it said so.
    went_back_from : int or None
        The size it had cosigned before, if it has forgotten that.
    """

    witness: str
    outcome: Outcome
    detail: str = ""
    lines: tuple[NoteSignature, ...] = ()
    known_size: int | None = None
    went_back_from: int | None = None


def ask_witnesses(
    policy: Policy,
    note: SignedNote,
    prove: Prove,
    *,
    known_sizes: Mapping[str, int] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> list[Reply]:
    """Ask every witness of a policy that has a URL to cosign a checkpoint; return their answers in its order.

    Parameters
    ----------
    policy : Policy
    note : SignedNote
        Signed by the log.
    prove : callable
        Called from several threads.
    known_sizes : mapping of str to int or None
        By witness, the size it is known to have cosigned last; saves it one request.
    timeout_s : float
        Seconds for one request.
    """
    sizes = known_sizes or {}
    asked = [witness for witness in policy.witnesses if witness.url]
    replies: dict[str, Reply] = {}

    def ask(witness: Witness) -> None:
        replies[witness.name] = ask_witness(witness, note, prove, sizes.get(witness.name, 0), timeout_s)

    threads = [threading.Thread(target=ask, args=(witness,), daemon=True) for witness in asked]
    for thread in threads:
        thread.start()
    deadline_us = monotonic_us() + round(REQUESTS * timeout_s * US_PER_S)
    for thread in threads:  # a server that drips one byte at a time outlives every socket timeout, so: one deadline
        thread.join(max(0.0, (deadline_us - monotonic_us()) / US_PER_S))
    late = f"no whole answer within {REQUESTS * timeout_s:g} s"
    return [replies.get(w.name, Reply(witness=w.name, outcome=Outcome.UNREACHABLE, detail=late)) for w in asked]


def ask_witness(witness: Witness, note: SignedNote, prove: Prove, known_size: int, timeout_s: float) -> Reply:
    """Ask one witness; if it knows another size than thought, ask it once more from there."""
    size = parse_checkpoint(note.text).size
    went_back = None
    old_size = min(known_size, size)
    for _ in range(REQUESTS):
        proof = prove(old_size) if old_size else ()
        try:
            status, body, content_type = _post(witness, format_request(old_size, proof, note), timeout_s)
            if status == Status.OK:
                return _cosigned(witness, note, body, size, went_back)
            if status != Status.CONFLICT or content_type != SIZE_TYPE:
                detail = f"{status}: {body[:200].decode(errors='replace').strip()}"
                outcome = Outcome.CONTRADICTS if status == Status.UNPROCESSABLE else Outcome.REFUSED
                return Reply(witness=witness.name, outcome=outcome, detail=detail)
            old_size = parse_size(body.decode("ascii").removesuffix("\n"), witness.name)
        except RecordError as error:
            is_down = not isinstance(error, VerificationError)
            outcome = Outcome.UNREACHABLE if is_down else Outcome.INVALID
            return Reply(witness=witness.name, outcome=outcome, detail=str(error))
        except UnicodeDecodeError:
            return Reply(witness=witness.name, outcome=Outcome.INVALID, detail="an answer that is no text")
        if old_size > size:
            detail = f"it has seen {old_size} entries, more than the {size} here"
            return Reply(witness=witness.name, outcome=Outcome.AHEAD, detail=detail, known_size=old_size)
        went_back = known_size if old_size < known_size else None
    detail = "it named two sizes in a row; somebody else is asking it too"
    return Reply(witness=witness.name, outcome=Outcome.REFUSED, detail=detail, known_size=old_size)


def require_not_behind(replies: Sequence[Reply]) -> None:
    """Stop whoever would go on from an old copy of a log.

    Raises
    ------
    RecordError
        If a witness has seen more than this folder holds, or refuses to connect it with what it saw.
    """
    for reply in replies:
        if reply.outcome in {Outcome.AHEAD, Outcome.CONTRADICTS}:
            raise RecordError(
                f"witness {reply.witness} remembers another history of this log ({reply.detail}). This folder is an "
                "old copy, or somebody else signs with this key; a person must decide before anything is added"
            )


def _cosigned(witness: Witness, note: SignedNote, body: bytes, size: int, went_back: int | None) -> Reply:
    text = body.decode()
    if not text.endswith("\n"):
        raise VerificationError(f"{witness.name}: cosignature lines without a final newline")
    lines = [parse_signature(line) for line in text[:-1].split("\n")]
    theirs = tuple(line for line in lines if line.is_by(witness.vkey))
    open_note(SignedNote(text=note.text, signatures=theirs), [witness.vkey])
    return Reply(
        witness=witness.name, outcome=Outcome.COSIGNED, lines=theirs, known_size=size, went_back_from=went_back
    )


def _post(witness: Witness, body: bytes, timeout_s: float) -> tuple[int, bytes, str]:
    url = f"{witness.url.rstrip('/')}/add-checkpoint"
    if not url.startswith(("https://", "http://")):
        raise RecordError(f"{witness.name}: found the URL {witness.url!r}, expected http or https")
    request = urllib.request.Request(url, data=body, method="POST", headers={"Content-Type": "text/plain"})
    try:
        return _exchange(request, timeout_s)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise RecordError(f"{url}: no answer ({error})") from error


def _exchange(request: urllib.request.Request, timeout_s: float) -> tuple[int, bytes, str]:
    try:
        with refusing_redirects().open(request, timeout=timeout_s) as answer:
            return answer.status, answer.read(MAX_REQUEST_BYTES), answer.headers.get("Content-Type", "")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(MAX_REQUEST_BYTES), error.headers.get("Content-Type", "")
