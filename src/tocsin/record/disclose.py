"""Evidence packs, written: what one party is to have of a record, so that it opens and verifies without anybody's help.

Two steps, so that witnesses can cosign between them: `record_disclosure` makes the handing over an entry, with the
table of contents in it; `write_pack` writes the folder that `pack.py` reads. Nobody gets what the envelope's audience
does not name, unless a grant says so in the record.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tocsin.errors import RecordError, VerificationError, VisibilityError
from tocsin.record.c2sp.checkpoint import parse_checkpoint
from tocsin.record.c2sp.merkle import inclusion_proof
from tocsin.record.c2sp.note import SignedNote, parse_note
from tocsin.record.c2sp.proof import TlogProof
from tocsin.record.c2sp.tiles import TILE_WIDTH, TileReader
from tocsin.record.envelope import parse_envelope
from tocsin.record.files import sync_path
from tocsin.record.leaf import Entry, EntryKind
from tocsin.record.log import Log
from tocsin.record.payload import DETACHED, Opening, format_opening, payload_file
from tocsin.record.verifier.audit import open_entries
from tocsin.record.verifier.entitled import ranges_of
from tocsin.record.verifier.keychain import handover_path
from tocsin.record.verifier.pack import HANDOVERS, OPENINGS, PROOF_SUFFIX, PROOFS, verify_pack
from tocsin.record.verifier.standalone import standalone_source
from tocsin.record.verifier.verify import LOG_VKEY, WITNESSED
from tocsin.units import format_instant

README = """{title}

This folder holds entries of the record "{origin}", handed to {to} on {at}.
Why: {reason}

To verify it, offline:

    pip install cryptography        (once; Python 3.11 or later)
    python3 verify.py . --vkey KEY

KEY is the log's key as you find it in the agreement, not in this folder. GOOD means: every entry here stands in the
log that this key signed, at the time the named witnesses had seen, and its content is the one committed to then.
It does not mean that an entry is true; a claim in the record is still a claim.

openings              the entries: index, salt, envelope, content, one to a line
proofs/               for each entry, its proof of inclusion (c2sp.org/tlog-proof)
verify.py             the verifier; any copy of it will do, and one from elsewhere is better
{documents}
"""


class Disclosure(Struct, frozen=True, kw_only=True):
    """A disclosure that is an entry of the log, or is to be.

    Attributes
    ----------
    entry : Entry
    index : int
        Of its entry; -1 until it has one.
    indices : frozenset of int
        What was disclosed.
    files : mapping of str to bytes
        What goes with it, by path inside the pack.
    """

    entry: Entry
    index: int = -1
    indices: frozenset[int]
    files: Mapping[str, bytes]


def record_disclosure(log: Log, planned: Disclosure) -> Disclosure:
    """Make the handing over of entries an entry itself, and publish it; see `plan_disclosure`."""
    (index,) = log.append([planned.entry])
    log.publish()
    return replace(planned, index=index)


def plan_disclosure(
    log: Log,
    *,
    to: str,
    indices: Iterable[int],
    keeper: str,
    reason: str,
    at_us: int,
    grant: str | None = None,
    title: str = "Evidence pack",
    documents: Mapping[str, bytes] | None = None,
) -> Disclosure:
    """Return a disclosure whose entry somebody else has to append before its pack can be written.

    Parameters
    ----------
    log : Log
    to : str
        The party that will get the pack.
    indices : iterable of int
        Entries, published or not yet.
    keeper : str
        The party that hands over; it and `to` are the disclosure's audience.
    reason : str
        For people.
    at_us : int
        Microseconds UTC.
    grant : str or None
        The clause or decision by which `to` may have what its audience does not name.
    title : str
    documents : mapping of str to bytes or None
        Further files, by name: the agreement's text, a dossier, attachments.

    Raises
    ------
    VisibilityError
        If an entry is not for `to` and there is no grant; nothing is then recorded.
    RecordError
        If an entry is not in the log, or a document's name is no plain name.
    """
    wanted = frozenset(indices)
    log.publish()
    if wanted and not 0 <= min(wanted) <= max(wanted) < log.size:
        raise RecordError(f"found entries up to {max(wanted)}, expected entries of a log of {log.size}")
    reader = log.reader()
    withheld = [index for index in sorted(wanted) if not parse_envelope(reader.entry(index)).is_for(to)]
    if withheld and grant is None:
        raise VisibilityError(f"entries {withheld[:10]} are not for {to}, and no grant was given")
    files = _files(log.origin, to, reason, title, at_us, documents or {})
    payload = {
        "to": to,
        "entries": ranges_of(wanted),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "grant": grant,
        "reason": reason,
    }
    entry = Entry(kind=EntryKind.DISCLOSURE, at_us=at_us, audience=frozenset({keeper, to}), payload=payload)
    return Disclosure(entry=entry, indices=wanted, files=files)


def write_pack(log: Log, disclosure: Disclosure, folder: Path) -> None:
    """Write the pack of a disclosure into a folder that must not exist: whole and on the disk, or not at all.

    The checkpoint is the newest one with its quorum of witnesses, if that covers the disclosure, else the newest.

    Raises
    ------
    RecordError
        If the folder exists, or a payload is not here.
    """
    if folder.exists():
        raise RecordError(f"{folder}: is there already; a pack is never mixed with something else")
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    _write_pack(log, disclosure, part)
    for path in (part, *part.rglob("*")):
        sync_path(path)
    os.replace(part, folder)
    sync_path(folder.parent)


def own_pack(folder: Path, *, to: str, indices: Iterable[int], reason: str, grant: str | None) -> int | None:
    """Return the index of the disclosure whose pack a folder is, if it is a whole pack of just this; else None."""
    try:
        pack = verify_pack(folder)
    except (VerificationError, RecordError):
        return None
    told = pack.disclosure
    asked = {"to": to, "entries": ranges_of(frozenset(indices)), "reason": reason, "grant": grant}
    if any(told.get(name) != value for name, value in asked.items()):
        return None
    return max(index for index, (envelope, _) in pack.contents.items() if envelope.kind == EntryKind.DISCLOSURE)


def zip_pack(folder: Path, path: Path) -> None:
    """Put a pack into one file to be sent; the same pack gives the same bytes."""
    with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            info = zipfile.ZipInfo(f"{folder.name}/{file.relative_to(folder).as_posix()}")
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, file.read_bytes())


def extract_payloads(openings: Iterable[Opening], party: str) -> dict[str, bytes]:
    """Return path and bytes of a party's own copy of `payload/`: what is for it, and nothing else.

    Hand it over with a disclosure entry that names what is in it (`record_disclosure`).
    """
    files: dict[str, bytes] = {}
    for opening in openings:
        if opening.salt and parse_envelope(opening.envelope).is_for(party):
            name = payload_file(opening.index // TILE_WIDTH)
            line = format_opening(opening.index, opening.envelope, opening.salt, opening.payload)
            files[name] = files.get(name, b"") + line
            if opening.detached:
                files[f"{DETACHED}/{opening.detached}"] = opening.payload
    return files


def _write_pack(log: Log, disclosure: Disclosure, folder: Path) -> None:
    note = _best_note(log, disclosure.index)
    size = parse_checkpoint(note.text).size
    reader = TileReader(log.read, size)
    support = [(i, e) for i, e in open_entries(reader) if e.kind in {EntryKind.KEY, EntryKind.WITNESSES}]
    indices = sorted(disclosure.indices | {disclosure.index} | {index for index, _ in support})
    for name in (PROOFS, DETACHED):
        (folder / name).mkdir(parents=True)
    lines = []
    for index in indices:
        opening = log.opening(index)
        lines.append(format_opening(index, opening.envelope, opening.salt, opening.payload))
        if opening.detached:
            (folder / DETACHED / opening.detached).write_bytes(opening.payload)
        proof = _proof(index, reader, note)
        (folder / PROOFS / f"{index}{PROOF_SUFFIX}").write_bytes(bytes(proof))
    (folder / OPENINGS).write_bytes(b"".join(lines))
    (folder / LOG_VKEY).write_bytes(log.read(LOG_VKEY) or b"")
    for index, envelope in support:
        if envelope.kind == EntryKind.KEY:
            kept = parse_note(log.read(handover_path(index)) or bytes(log.note))
            under = TileReader(log.read, parse_checkpoint(kept.text).size)
            (folder / HANDOVERS).mkdir(exist_ok=True)
            (folder / HANDOVERS / f"{index}{PROOF_SUFFIX}").write_bytes(bytes(_proof(index, under, kept)))
    for name, data in disclosure.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if not any((folder / DETACHED).iterdir()):
        (folder / DETACHED).rmdir()


def _files(
    origin: str, to: str, reason: str, title: str, at_us: int, documents: Mapping[str, bytes]
) -> dict[str, bytes]:
    for name in documents:
        if not name or name.startswith(".") or not all(c.isalnum() or c in "-_. " for c in name):
            raise RecordError(f"found the document name {name!r}, expected letters, digits, spaces, - _ and .")
    listed = [f"documents/{name}" for name in sorted(documents)]
    readme = README.format(
        title=title, origin=origin, to=to, at=format_instant(at_us), reason=reason, documents="\n".join(listed)
    )
    files = {"README.txt": readme.encode(), "verify.py": standalone_source().encode()}
    return files | {f"documents/{name}": data for name, data in documents.items()}


def _best_note(log: Log, index: int) -> SignedNote:
    data = log.read(WITNESSED)
    if data is not None:
        witnessed = parse_note(data)
        if parse_checkpoint(witnessed.text).size > index:
            return witnessed
    return log.note


def _proof(index: int, reader: TileReader, note: SignedNote) -> TlogProof:
    hashes = inclusion_proof(index, reader.size, reader.subtree_root)
    return TlogProof(index=index, hashes=tuple(hashes), note=note)
