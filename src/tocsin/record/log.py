"""The log: entries appended durably, and a signed tree over them in files anybody can be handed.

Implements the log's side of C2SP tlog-tiles and tlog-checkpoint for one folder:

    DIR/record/    checkpoint, log.vkey, tile/...: public, the whole of it may be handed over
    DIR/payload/   salts and payloads: for the keeper, and by extract for whom they are meant (`payload.py`)
    DIR/staging/   the next publication, until it is moved into record/; a crash loses nothing with it
    DIR/torn/      what crashes left unfinished

The key lies where the caller keeps it, never under record/. Nothing is signed that was not read back from the disk
and hashed; no two checkpoints are signed without the one beginning the other. Witnesses are `witness/`'s matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from tocsin.clock import US_PER_S
from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.checkpoint import Checkpoint, parse_checkpoint
from tocsin.record.c2sp.cosign import Signer, open_note
from tocsin.record.c2sp.merkle import EMPTY_ROOT, consistency_proof, inclusion_proof
from tocsin.record.c2sp.note import NoteSignature, SignatureType, SignedNote, Vkey, parse_note
from tocsin.record.c2sp.policy import Policy, read_policy
from tocsin.record.c2sp.proof import TlogProof
from tocsin.record.c2sp.tiles import TileReader
from tocsin.record.envelope import parse_envelope
from tocsin.record.files import Lock, make_folder, read_back, replace_file
from tocsin.record.growth import check_growth, grow
from tocsin.record.journal import Journal, Torn
from tocsin.record.leaf import Entry, EntryKind, Sealed, new_salt, seal
from tocsin.record.payload import Opening
from tocsin.record.rotation import RotationReason, begin_rotation, rotation_entry, rotation_under_way
from tocsin.record.staging import Staging
from tocsin.record.verifier.keychain import key_entry
from tocsin.record.verifier.verify import CHECKPOINT, LOG_VKEY, WITNESSED

RECORD = "record"
PAYLOAD = "payload"
STAGING = "staging"

MAX_UNPUBLISHED = 256
"""Entries that may wait for a checkpoint; one bundle."""

MAX_WAIT_US = US_PER_S
"""Time an entry may wait for a checkpoint; 1 s."""


class Log:
    """One append-only log in one folder, open for writing by this process alone.

    Made by `create` or `open`; close it, or use it in a `with` statement.

    Attributes
    ----------
    folder : Path
        DIR of the module's text.
    origin : str
    size : int
        Entries that are durable, published or not.
    note : SignedNote
        The newest checkpoint, with its signatures.
    published : Checkpoint
        What it says.
    torn : Torn or None
        What a crash before this opening left unfinished; nobody had been told it was recorded.
    """

    def __init__(self, folder: Path, signers: Sequence[Signer]) -> None:
        self.folder = folder
        self.origin = signers[0].name
        self._signers = tuple(signers)
        self._record = folder / RECORD
        self._waiting_since_us: int | None = None
        self._failed: str | None = None
        self._lock = Lock(folder / "lock")
        try:
            self._staging = Staging(folder / STAGING, self._record)
            self.note, self.published = self._load()
            self._journal = Journal(folder / PAYLOAD, self.published.size)
            self._finish_rotation()
            self._is_ended = self.size > 0 and self._ends_with_continued()
        except BaseException:
            self._lock.close()
            raise

    @classmethod
    def create(cls, folder: Path, *, key: Signer, origin: str | None = None) -> Log:
        """Begin a log in a folder that has none, and sign its empty tree.

        Parameters
        ----------
        folder : Path
            Made if missing.
        key : Signer
            Ed25519; its name is the log's origin.
        origin : str or None
            If given, must be the key's name (C2SP tlog-checkpoint: they should match; here they do).

        Raises
        ------
        RecordError
            If there is a record already, or the key does not fit.
        """
        if key.type is not SignatureType.ED25519:
            raise RecordError(f"a log signs with Ed25519; found a key of type {key.type.name}")
        if origin is not None and origin != key.name:
            raise RecordError(f"found a key named {key.name!r}, expected the origin {origin!r}")
        record = folder / RECORD
        if (record / CHECKPOINT).exists():
            raise RecordError(f"{record}: there is a record already; open it")
        make_folder(record)
        empty = Checkpoint(origin=key.name, size=0, root=EMPTY_ROOT)
        replace_file(record / LOG_VKEY, f"{key.vkey}\n".encode(), by=folder)
        replace_file(record / CHECKPOINT, bytes(_signed(empty, [key])), by=folder)
        return cls(folder, [key])

    @classmethod
    def open(cls, folder: Path, key: Signer, *, also: Sequence[Signer] = ()) -> Log:
        """Open the log in a folder; what a crash left unfinished is cut off, and what it left unpublished waits.

        Parameters
        ----------
        folder : Path
        key : Signer
            The log's newest key.
        also : sequence of Signer
            Keys that still sign beside it, while a rotation's overlap lasts.

        Raises
        ------
        RecordError
            If another process has it open, there is none, or a published entry is damaged.
        VerificationError
            If the key is not the one that signed the checkpoint, or the tree is not the one it signed.
        """
        if not (folder / RECORD / CHECKPOINT).exists():
            raise RecordError(f"{folder}: found no record/checkpoint, expected a log; create one first")
        return cls(folder, [key, *also])

    @property
    def size(self) -> int:
        """Entries that are durable."""
        return self._journal.size

    @property
    def vkey(self) -> Vkey:
        """The public half of the newest key that signs."""
        return self._signers[0].vkey

    @property
    def torn(self) -> Torn | None:
        """What a crash before this opening left unfinished."""
        return self._journal.torn

    def append(self, entries: Sequence[Entry]) -> range:
        """Seal entries with new salts, write and fsync them, and return their indices.

        See `append_sealed`.
        """
        return self.append_sealed([seal(entry, new_salt()) for entry in entries])

    def append_sealed(self, sealed: Sequence[Sealed], *, at_size: int | None = None) -> range:
        """Write entries and fsync them; return their indices, which are then theirs for ever.

        Parameters
        ----------
        sealed : sequence of Sealed
        at_size : int or None
            If given, the size the log must have before: whoever keeps the entries elsewhere too can thereby
            repeat an append after a crash without doubling any.

        Raises
        ------
        RecordError
            If the size is another, the disk refuses (nothing is then recorded; try again when there is room), or
            the log failed before.
        """
        self._require_sound()
        if at_size is not None and at_size != self.size:
            raise RecordError(f"found a log of {self.size} entries, expected {at_size}")
        is_last = self._check_open_entries(sealed)
        try:
            indices = self._journal.append(sealed)
        except OSError as error:
            if self._journal.dirty:
                self._failed = f"an append could not be made durable: {error}"
            raise RecordError(f"{self.folder}: nothing was recorded: {error}") from error
        self._is_ended = is_last
        return indices

    def is_due(self, now_us: int) -> bool:
        """Return True if entries wait that should be published: 256 of them, or one for a second."""
        waiting = self.size - self.published.size
        if waiting == 0:
            self._waiting_since_us = None
            return False
        if self._waiting_since_us is None:
            self._waiting_since_us = now_us
        return waiting >= MAX_UNPUBLISHED or now_us - self._waiting_since_us >= MAX_WAIT_US

    def publish(self) -> Checkpoint:
        """Sign the tree over everything appended, and put it in `record/`.

        The entries are read from the journal on the disk, the new tiles written, fsynced and read back, and the
        root rebuilt from those bytes before it is signed. Returns the newest checkpoint, which is the old one if
        nothing was appended since.

        Raises
        ------
        RecordError
            If the disk refuses; the log is unchanged, or failed if it is not known.
        VerificationError
            If what the disk holds is not what was written or signed: nothing is signed, and the log has failed.
        """
        self._require_sound()
        if self.size == self.published.size:
            return self.published
        old = self.published
        try:
            entries = [opening.envelope for opening in self._journal.read(old.size, self.size)]
            self._staging.write(grow(self.read, old.size, entries))
            root = check_growth(self._staging.read, old_size=old.size, old_root=old.root, new_size=self.size)
            new = Checkpoint(origin=self.origin, size=self.size, root=root)
            note = _signed(new, self._signers)
            self._staging.write_checkpoint(bytes(note))
            self._failed = "a publication was interrupted"
            self._staging.move()
            self._failed = None
        except VerificationError as error:
            self._failed = str(error)
            raise
        except OSError as error:
            if self._failed is None and not _is_refusal(error):
                self._failed = f"a publication could not be made durable: {error}"
            raise RecordError(f"{self.folder}: nothing was published: {error}") from error
        self.note, self.published, self._waiting_since_us = note, new, None
        self._staging.drop_partials(old.size, new.size)
        self._finish_rotation()
        return new

    def rotate(self, new: Signer, *, reason: RotationReason, at_us: int) -> Checkpoint:
        """Hand over to a new key: an entry under the old one, then a checkpoint signed by both.

        Both sign from then on, until the log is opened without the old key; after a theft the new one alone does.

        Parameters
        ----------
        new : Signer
            Its key file is safe on the disk already; same name as the old one.
        reason : RotationReason
        at_us : int
            Microseconds UTC.
        """
        entry = rotation_entry(old=self._signers[0].vkey, new=new.vkey, reason=reason, at_us=at_us)
        return self.hand_over(seal(entry, new_salt()), new)

    def hand_over(self, sealed: Sealed, new: Signer) -> Checkpoint:
        """Hand over to a new key by a key entry that was sealed elsewhere; see `rotate`.

        Raises
        ------
        RecordError
            If the entry does not hand over from the log's key to the new one, or as `append_sealed` and `publish`.
        """
        self._require_sound()
        self.publish()
        old = self._signers[0]
        entry = key_entry(self.size, parse_envelope(sealed.envelope).open)
        if (entry.old, entry.new) != (old.vkey, new.vkey):
            raise RecordError(f"found a handover from {entry.old} to {entry.new}, expected {old.vkey} to {new.vkey}")
        begin_rotation(self.folder, entry)
        self.append_sealed([sealed])
        self._signers = (new, old)
        checkpoint = self.publish()
        if entry.reason == RotationReason.STOLEN:
            self.sign_alone()
        return checkpoint

    def sign_alone(self) -> None:
        """Let the newest key sign alone from now on: the end of a rotation's overlap."""
        self._signers = self._signers[:1]

    def add_cosignatures(self, note: SignedNote, lines: Sequence[NoteSignature], policy: Policy) -> bool:
        """Put witnesses' cosignatures into the record; return True if they meet the policy's quorum.

        Parameters
        ----------
        note : SignedNote
            The checkpoint they were asked to cosign, the newest or an earlier one of this log.
        lines : sequence of NoteSignature
            Lines by keys that the policy does not name are left out.
        policy : Policy
            As the last `witnesses` entry has it.

        Raises
        ------
        VerificationError
            If a line by a witness does not verify.
        """
        self._require_sound()
        witnesses = {(w.vkey.name, w.vkey.key_id) for w in policy.witnesses}
        theirs = {(line.name, line.key_id): line for line in lines if (line.name, line.key_id) in witnesses}
        if note.text == self.note.text:
            note = self.note
        kept = [line for line in note.signatures if (line.name, line.key_id) not in theirs]
        cosigned = SignedNote(text=note.text, signatures=(*kept, *theirs.values()))
        opened = open_note(cosigned, [*(s.vkey for s in self._signers), *(w.vkey for w in policy.witnesses)])
        if note.text == self.note.text and theirs:
            replace_file(self._record / CHECKPOINT, bytes(cosigned), by=self.folder)
            self.note = cosigned
        is_met = policy.is_met(opened.verified)
        if is_met and parse_checkpoint(note.text).size >= self._witnessed_size():
            replace_file(self._record / WITNESSED, bytes(cosigned), by=self.folder)
        return is_met

    def _witnessed_size(self) -> int:
        data = self.read(WITNESSED)
        return parse_checkpoint(parse_note(data).text).size if data else 0

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file of the record as the disk has them, or None if there is no such file."""
        try:
            return read_back(self._record / path)
        except FileNotFoundError:
            return None

    def reader(self) -> TileReader:
        """Return a reader of the published tree."""
        return TileReader(self.read, self.published.size)

    def openings(self, start: int, end: int) -> Iterator[Opening]:
        """Yield the entries [start, end), published or not, with their salts and payloads, read from the disk.

        Raises
        ------
        VerificationError
            If one is not here any more, or damaged.
        """
        return self._journal.read(start, end)

    def opening(self, index: int) -> Opening:
        """Return one entry with its salt and payload; see `openings`."""
        return next(self.openings(index, index + 1))

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Return the proof that a published entry is in the published tree."""
        return inclusion_proof(index, self.published.size, self.reader().subtree_root)

    def proof(self, index: int) -> TlogProof:
        """Return the proof of a published entry with the newest checkpoint, ready to travel with a warning."""
        return TlogProof(index=index, hashes=tuple(self.inclusion_proof(index)), note=self.note)

    def consistency_proof(self, old_size: int) -> list[bytes]:
        """Return the proof that an earlier tree is the beginning of the published one."""
        return consistency_proof(old_size, self.published.size, self.reader().subtree_root)

    def close(self) -> None:
        """Let another process open the folder; entries appended and not published stay durable."""
        self._lock.close()

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _require_sound(self) -> None:
        if self._failed:
            raise RecordError(f"{self.folder}: stopped, open it again to read what the disk holds: {self._failed}")

    def _check_open_entries(self, sealed: Sequence[Sealed]) -> bool:
        """Refuse open entries that would make the record unverifiable for ever; tell if the log ends with them."""
        is_ended = self._is_ended
        for index, entry in enumerate(sealed, start=self.size):
            if is_ended:
                raise RecordError(f"{self.folder}: this log has ended; its last entry names the log that goes on")
            if entry.salt:
                continue
            envelope = parse_envelope(entry.envelope)
            is_ended = envelope.kind == EntryKind.CONTINUED
            if envelope.kind == EntryKind.WITNESSES:
                read_policy(envelope.open, index)
            elif envelope.kind == EntryKind.KEY:
                rotation = rotation_under_way(self.folder)
                if rotation is None or rotation.entry != key_entry(index, envelope.open):
                    raise RecordError(f"{self.folder}: a key entry is made by rotating the key, and by nothing else")
            elif envelope.kind == EntryKind.CONTINUES and index:
                raise RecordError(f"{self.folder}: only a log's first entry can say what log it continues")
        return is_ended

    def _ends_with_continued(self) -> bool:
        at = self.size - 1
        entry = self.opening(at).envelope if at >= self.published.size else self.reader().entry(at)
        return parse_envelope(entry).kind == EntryKind.CONTINUED

    def _load(self) -> tuple[SignedNote, Checkpoint]:
        note = parse_note((self._record / CHECKPOINT).read_bytes())
        open_note(note, [signer.vkey for signer in self._signers])
        checkpoint = parse_checkpoint(note.text)
        if checkpoint.origin != self.origin:
            raise VerificationError("origin of the checkpoint", expected=self.origin, calculated=checkpoint.origin)
        found = TileReader(self.read, checkpoint.size).root()
        if found != checkpoint.root:
            raise VerificationError(
                f"{self._record}: the tree is not the one signed",
                expected=checkpoint.root.hex(),
                calculated=found.hex(),
            )
        return note, checkpoint

    def _finish_rotation(self) -> None:
        rotation = rotation_under_way(self.folder)
        if rotation is None:
            return
        entry = rotation.entry
        if self.size <= entry.index:
            rotation.forget()
        elif self.published.size > entry.index:
            open_note(self.note, [entry.new])
            rotation.finish()
        elif not {entry.old, entry.new} <= {signer.vkey for signer in self._signers}:
            raise RecordError(f"{self.folder}: handing over to {entry.new} was begun; open the log with both keys")


def _signed(checkpoint: Checkpoint, signers: Sequence[Signer]) -> SignedNote:
    text = str(checkpoint)
    return SignedNote(text=text, signatures=tuple(signer.sign(text) for signer in signers))


def _is_refusal(error: OSError) -> bool:
    """Return True if the disk said no before anything was in doubt (no space, no quota, no file left)."""
    import errno

    return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE}
