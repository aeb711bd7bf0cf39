"""Evidence packs, read: some entries with what opens them and the proof of their place, checkable by itself.

A pack is a folder: `openings` (lines as in `payload.py`), `proofs/<index>.tlog-proof` for each, `log.vkey`, for each
change of key `handover/<index>.tlog-proof`, and files. The `disclosure` entry among the openings is the table of
contents: it names every entry and the SHA-256 of every file. See docs/format/evidence-pack.md; `disclose.py` writes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from msgspec import Struct

from tocsin.errors import VerificationError
from tocsin.record.c2sp.checkpoint import Checkpoint
from tocsin.record.c2sp.cosign import open_note
from tocsin.record.c2sp.note import Vkey
from tocsin.record.c2sp.policy import Policy, read_policy
from tocsin.record.c2sp.proof import TlogProof, parse_proof, verify_proof
from tocsin.record.envelope import Envelope
from tocsin.record.payload import DETACHED, Opening, parse_opening, resolve
from tocsin.record.verifier.entitled import DISCLOSURE_KIND, entries_in
from tocsin.record.verifier.keychain import key_entry
from tocsin.record.verifier.source import FolderSource
from tocsin.record.verifier.verify import KEY_KIND, LOG_VKEY, WITNESSES_KIND, read_vkey

OPENINGS = "openings"
"""File with the entries and what opens them; a folder that has it is a pack."""

PROOFS = "proofs"
"""Folder with one tlog-proof for each entry."""

HANDOVERS = "handover"
"""Folder with one tlog-proof for each change of key."""

PROOF_SUFFIX = ".tlog-proof"
"""Ending of a C2SP tlog-proof's name."""


class Pack(Struct, frozen=True, kw_only=True):
    """A pack that is what its signatures cover.

    Attributes
    ----------
    keys : tuple of Vkey
        The log's keys, first to last.
    checkpoint : Checkpoint
        What all proofs lead to.
    policy : Policy or None
        In force by the log; None if the pack brings no `witnesses` entry.
    times_s : dict of str to int
        By witness, when it cosigned the checkpoint; seconds since 1970.
    contents : dict of int to (Envelope, bytes)
        Every entry's envelope and payload, by index.
    disclosure : JSON value
        What the table of contents says: to whom, why, by which grant.
    """

    keys: tuple[Vkey, ...]
    checkpoint: Checkpoint
    policy: Policy | None
    times_s: dict[str, int]
    contents: dict[int, tuple[Envelope, bytes]]
    disclosure: Any

    @property
    def is_witnessed(self) -> bool:
        """True if the log names witnesses and enough of them cosigned the checkpoint."""
        if self.policy is None:
            return False
        return self.policy.is_met({w.vkey for w in self.policy.witnesses if w.name in self.times_s})


def is_pack(folder: Path) -> bool:
    """Return True if a folder looks like a pack rather than a record."""
    return (folder / OPENINGS).is_file()


def verify_pack(folder: Path, *, vkey: Vkey | None = None) -> Pack:
    """Check a whole pack, by itself.

    Parameters
    ----------
    folder : Path
    vkey : Vkey or None
        A key of this log as the agreement has it; the pack's own `log.vkey` if None.

    Raises
    ------
    VerificationError
        At the first thing that does not fit: a signature, a proof, a payload, an entry or file that is missing, or
        one that nobody listed.
    """
    source = FolderSource(folder)
    openings = _read_openings(folder, source)
    contents = {opening.index: (opening.check(), opening.payload) for opening in openings}
    proofs = {opening.index: _read_proof(source, f"{PROOFS}/{opening.index}{PROOF_SUFFIX}") for opening in openings}
    keys, handovers = _follow_keys(source, openings, contents)
    if vkey is not None and vkey not in keys:
        raise VerificationError("the log's key is not the one expected", expected=str(vkey), calculated=str(keys[-1]))
    newest = proofs[openings[-1].index].note
    for opening in openings:
        proof = proofs[opening.index]
        if proof.index != opening.index or proof.note != newest or proof.extra is not None:
            raise VerificationError(f"the proof of entry {opening.index} is of another entry or checkpoint")
        checkpoint = verify_proof(proof, opening.envelope, log=keys[-1:])
    if checkpoint.origin != keys[-1].name:
        raise VerificationError("origin of the checkpoint", expected=keys[-1].name, calculated=checkpoint.origin)
    policy = _policy(contents)
    verified = open_note(newest, [*keys, *(witness.vkey for witness in policy.witnesses)] if policy else keys)
    if verified.unknown:
        raise VerificationError(f"a signature line by none of the log's keys and witnesses: {verified.unknown[0].name}")
    disclosure = _disclosure(contents)
    listed = {f"{PROOFS}/{index}{PROOF_SUFFIX}" for index in contents} | set(handovers) | {OPENINGS, LOG_VKEY}
    listed |= {f"{DETACHED}/{opening.detached}" for opening in openings if opening.detached}
    _check_files(source, disclosure["files"], listed)
    times = {w.name: verified.verified.get(w.vkey) for w in policy.witnesses} if policy else {}
    return Pack(
        keys=keys,
        checkpoint=checkpoint,
        policy=policy,
        times_s={name: time for name, time in times.items() if time},
        contents=contents,
        disclosure=disclosure,
    )


def _read_openings(folder: Path, source: FolderSource) -> list[Opening]:
    data = source.read(OPENINGS)
    lines = (data or b"").split(b"\n")
    if lines.pop() or not lines:
        raise VerificationError(f"{OPENINGS} is missing, empty or torn")
    openings = [resolve(folder, parse_opening(line, f"{OPENINGS}:{n}")) for n, line in enumerate(lines, start=1)]
    indices = [opening.index for opening in openings]
    if indices != sorted(set(indices)):
        raise VerificationError(f"{OPENINGS} has entries twice or out of order")
    return openings


def _read_proof(source: FolderSource, name: str) -> TlogProof:
    data = source.read(name)
    if data is None:
        raise VerificationError(f"{name} is missing")
    return parse_proof(data)


def _follow_keys(
    source: FolderSource, openings: list[Opening], contents: dict[int, tuple[Envelope, bytes]]
) -> tuple[tuple[Vkey, ...], list[str]]:
    """Return the log's keys; each handover is a proof of the key entry under a checkpoint that both keys signed."""
    last, names = read_vkey(source.read), []
    keys: list[Vkey] = []
    for opening in openings:
        envelope = contents[opening.index][0]
        if envelope.kind != KEY_KIND:
            continue
        entry = key_entry(opening.index, envelope.open)
        keys = keys or [entry.old]
        if entry.old != keys[-1]:
            raise VerificationError(f"entry {entry.index} hands over from a key that did not sign")
        keys.append(entry.new)
        name = f"{HANDOVERS}/{entry.index}{PROOF_SUFFIX}"
        proof = _read_proof(source, name)
        if proof.index != entry.index or not {entry.old, entry.new} <= set(open_note(proof.note, keys).verified):
            raise VerificationError(f"{name} is not of this entry, or not signed by both keys")
        verify_proof(proof, opening.envelope, log=keys)
        names.append(name)
    if keys and keys[-1] != last:
        raise VerificationError(
            "log.vkey is not the key last handed over to", expected=str(keys[-1]), calculated=str(last)
        )
    return tuple(keys or [last]), names


def _policy(contents: dict[int, tuple[Envelope, bytes]]) -> Policy | None:
    found = [(index, envelope.open) for index, (envelope, _) in contents.items() if envelope.kind == WITNESSES_KIND]
    return read_policy(found[-1][1], found[-1][0]) if found else None


def _disclosure(contents: dict[int, tuple[Envelope, bytes]]) -> Any:
    """Return the table of contents, the last disclosure entry, every entry it names being here."""
    tables = [index for index, (envelope, _) in contents.items() if envelope.kind == DISCLOSURE_KIND]
    if not tables:
        raise VerificationError("a pack without the disclosure entry that lists what is in it")
    try:
        disclosure = json.loads(contents[tables[-1]][1])
        missing = [index for index in entries_in(disclosure) if index not in contents]
        named = set(entries_in(disclosure)) | {tables[-1]}
        files = {str(name): str(digest) for name, digest in disclosure["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise VerificationError(f"disclosure entry {tables[-1]} has no entries and files") from None
    if missing:
        raise VerificationError(f"disclosed, not delivered: entries {missing[:10]}")
    extra = [i for i, (e, _) in contents.items() if i not in named and e.kind not in {KEY_KIND, WITNESSES_KIND}]
    if extra:
        raise VerificationError(f"entries {extra[:10]} are in the pack and not in its disclosure entry")
    return disclosure | {"files": files}


def _check_files(source: FolderSource, files: dict[str, str], listed: set[str]) -> None:
    for name in source.names():
        if name in listed:
            continue
        if name not in files:
            raise VerificationError(f"{name} is in the pack and not in its disclosure entry")
    for name, digest in files.items():
        found = hashlib.sha256(source.read(name) or b"").hexdigest()
        if found != digest:
            raise VerificationError(f"{name} is missing or not the file disclosed", expected=digest, calculated=found)
