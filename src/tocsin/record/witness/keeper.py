"""A witness's memory: the largest checkpoint it cosigned of each log, on the disk before anybody hears of it.

The other half of C2SP tlog-witness: checking and remembering are one step under a lock, the cosigned checkpoint is
fsynced before it is answered, and the state is read from the disk each time. A damaged state is an error, never a
fresh start. What a log's key signed and this witness refused is kept: it may convict the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock as ThreadLock

from tocsin.clock import US_PER_S
from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.checkpoint import Checkpoint, parse_checkpoint
from tocsin.record.c2sp.cosign import Opened, Signer, open_note
from tocsin.record.c2sp.note import SignatureType, SignedNote, Vkey, parse_note
from tocsin.record.files import Lock, make_folder, replace_file
from tocsin.record.verifier.evidence import Evidence, check_evidence
from tocsin.record.witness.protocol import Answer, Request, Status, authenticate, judge, parse_request

MAX_REFUSED = 1_000
"""Refused checkpoints kept for each log; a key holder could otherwise fill the disk."""

CHECKPOINT_FILE = "checkpoint"


class WitnessKeeper:
    """One witness: its keys, its logs and what it saw of them.

    Parameters
    ----------
    folder : Path
        Made if missing; one process at a time.
    signers : sequence of Signer
        Cosigner keys, each of which signs every answer: Ed25519, and ML-DSA-44 if there is one.
    logs : mapping of str to sequence of Vkey
        Keys trusted for each origin.

    Raises
    ------
    RecordError
        If another process uses the folder, or a signer is no cosigner.
    """

    def __init__(self, folder: Path, signers: Sequence[Signer], logs: Mapping[str, Sequence[Vkey]]) -> None:
        if not signers or any(signer.type is SignatureType.ED25519 for signer in signers):
            raise RecordError("a witness needs cosigner keys (type 4 or 6); a log's own key is none")
        make_folder(folder)
        self.folder = folder
        self.logs = dict(logs)
        self._signers = tuple(signers)
        self._process_lock = Lock(folder / "lock")
        self._step = ThreadLock()

    @property
    def vkeys(self) -> tuple[Vkey, ...]:
        """The keys that the parties put into their policies."""
        return tuple(signer.vkey for signer in self._signers)

    def add_checkpoint(self, body: bytes, now_us: int) -> Answer:
        """Answer an `add-checkpoint` request.

        Parameters
        ----------
        body : bytes
        now_us : int
            Microseconds UTC.

        Raises
        ------
        RecordError
            If the state is damaged or cannot be made durable; nothing is then cosigned.
        """
        try:
            request = parse_request(body)
        except VerificationError as error:
            return Answer(status=Status.BAD_REQUEST, body=f"{error}\n".encode())
        opened = authenticate(request, self.logs)
        if isinstance(opened, Answer):
            return opened
        with self._step:
            return self._answer(request, opened, now_us)

    def checkpoint(self, origin_hash: str) -> bytes | None:
        """Return the newest cosigned checkpoint of the log whose origin has this SHA-256 (hexadecimal), or None."""
        for origin in self.logs:
            if _hash_of(origin) == origin_hash:
                found = self._load(origin)
                return bytes(found[0]) if found else None
        return None

    def size(self, origin: str) -> int:
        """Return the size of the largest tree cosigned for an origin; 0 if none was."""
        found = self._load(origin)
        return found[1].size if found else 0

    def close(self) -> None:
        """Let another process use the folder."""
        self._process_lock.close()

    def _answer(self, request: Request, opened: Opened, now_us: int) -> Answer:
        origin = request.checkpoint.origin
        found = self._load(origin)
        refusal = judge(request, found[1] if found else None)
        if refusal is not None:
            if refusal.status == Status.UNPROCESSABLE:
                self._keep_refused(request, opened, found[0] if found else None)
            return refusal
        time_s = max(now_us // US_PER_S, found[2] if found else 1)  # a clock that steps back must not contradict
        lines = [signer.sign(request.note.text, time_s=time_s) for signer in self._signers]
        by_log = [line for line in request.note.signatures if any(line.is_by(key) for key in opened.verified)]
        cosigned = SignedNote(text=request.note.text, signatures=(*by_log, *lines))
        try:
            make_folder(self._place(origin))
            replace_file(self._place(origin) / CHECKPOINT_FILE, bytes(cosigned))
        except OSError as error:
            raise RecordError(f"{self.folder}: the checkpoint could not be made durable: {error}") from error
        return Answer(status=Status.OK, body="".join(f"{line}\n" for line in lines).encode())

    def _load(self, origin: str) -> tuple[SignedNote, Checkpoint, int] | None:
        """Return note, checkpoint and newest own time of the largest tree cosigned."""
        path = self._place(origin) / CHECKPOINT_FILE
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            note = parse_note(data)
            checkpoint = parse_checkpoint(note.text)
            verified = open_note(note, [*self.vkeys, *self.logs.get(origin, ())]).verified
            times = [time for time in verified.values() if time is not None]
            if not times:
                raise VerificationError("none of this witness's own cosignatures stands in it")
            if checkpoint.origin != origin:
                raise VerificationError("origin", expected=origin, calculated=checkpoint.origin)
        except VerificationError as error:
            raise RecordError(f"{path}: this witness's memory is damaged, and it cosigns nothing: {error}") from error
        return note, checkpoint, max(times)

    def _keep_refused(self, request: Request, opened: Opened, known: SignedNote | None) -> None:
        folder = self._place(request.checkpoint.origin) / "refused"
        make_folder(folder)
        if len(list(folder.iterdir())) >= MAX_REFUSED:
            return
        name = hashlib.sha256(bytes(request.note)).hexdigest()[:16]
        replace_file(folder / f"{name}.checkpoint", bytes(request.note))
        evidence = _same_size_evidence(request, opened, known)
        if evidence:
            replace_file(folder / f"{name}.evidence", str(evidence).encode())

    def _place(self, origin: str) -> Path:
        return self.folder / _hash_of(origin)


def _same_size_evidence(request: Request, opened: Opened, known: SignedNote | None) -> Evidence | None:
    """Return the evidence in two roots of one size by one key; for other sizes a witness lacks the tree."""
    for key in opened.verified:
        if known and any(line.is_by(key) for line in known.signatures):
            older, newer = (
                SignedNote(text=note.text, signatures=tuple(s for s in note.signatures if s.is_by(key)))
                for note in (known, request.note)
            )
            evidence = Evidence(vkey=key, older=older, newer=newer, proof=(), contained=request.checkpoint.root)
            try:
                check_evidence(evidence)
            except VerificationError:
                continue
            return evidence
    return None


def _hash_of(origin: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest()
