"""`verify` as a command: what it prints, and its exit code; the same in Tocsin and in the one-file verifier.

Exit codes: 0 good, 1 bad, 2 usage (no such place, a damaged memory), 3 rollback or fork, 4 a server that does not
answer. Given an evidence file instead of a record it checks that: 3 if it proves a fork, 1 if it does not. Given a
proof of one entry (`.tlog-proof`) it checks that against the key or policy it is told.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tocsin.errors import ForkError, RecordError, SplitViewError, VerificationError
from tocsin.record.c2sp.note import MAX_NOTE_BYTES, Vkey, encode_base64, parse_vkey
from tocsin.record.c2sp.policy import NONE, Policy, parse_policy
from tocsin.record.c2sp.proof import PROOF_HEAD, parse_proof, verify_proof
from tocsin.record.c2sp.tiles import MAX_BUNDLE_BYTES
from tocsin.record.files import replace_file
from tocsin.record.verifier.entitled import undelivered
from tocsin.record.verifier.evidence import EVIDENCE_HEAD, parse_evidence, split_view
from tocsin.record.verifier.memory import Remembered, load_memory, save_memory
from tocsin.record.verifier.pack import is_pack, verify_pack
from tocsin.record.verifier.source import FolderSource, Source, UrlSource, find_record
from tocsin.record.verifier.verify import CONTINUED_KIND, Verified, read_vkey, verify

GOOD, BAD, USAGE, FORK, UNAVAILABLE = 0, 1, 2, 3, 4
"""Exit codes."""


def main(arguments: Sequence[str]) -> int:
    """Run the one-file verifier's command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="verify.py", description="Verify a Tocsin record, or evidence of a fork.")
    parser.add_argument("place", help="the record's folder, the URL it is served under, an evidence or a proof file")
    parser.add_argument("--state", type=Path, help="file in which this verifier remembers the newest tree it saw")
    parser.add_argument("--vkey", help="the log's key, as the agreement has it")
    parser.add_argument("--party", help="list what this party is entitled to and has not got")
    parser.add_argument("--policy", type=Path, help="a C2SP tlog-policy with the agreed keys, witnesses and quorum")
    given = parser.parse_args(arguments)
    try:
        policy = parse_policy(given.policy.read_text(encoding="utf-8")) if given.policy else None
    except (RecordError, OSError, UnicodeDecodeError) as error:
        return _say(f"usage: {given.policy}: {error}", USAGE)
    return verify_command(given.place, state=given.state, vkey=given.vkey, party=given.party, policy=policy)


def verify_command(
    place: str,
    *,
    state: Path | None = None,
    vkey: str | None = None,
    party: str | None = None,
    policy: Policy | None = None,
) -> int:
    """Verify a record, print what was found on stdout and what is wrong on stderr, and return the exit code.

    Parameters
    ----------
    place : str
        A record's folder or http(s) URL, an evidence pack's folder, an evidence file, or a proof file.
    state : Path or None
        Where this verifier remembers the newest tree it saw; evidence of a fork is written beside it as
        `<state>.fork` (and `.fork-2`, ...: one for each who signed both).
    vkey : str or None
        The log's key, as the agreement has it.
    party : str or None
        List what this party is entitled to and has not got; exit code 1 if there is anything.
    policy : Policy or None
        The agreed keys, witnesses and quorum: a record that names others is bad, however well it is signed.
    """
    try:
        return _verify_command(place, state, vkey, party, policy)
    except ForkError as error:
        return _report_fork(error, state)
    except SplitViewError as error:
        return _say(f"FORK OR ROLLBACK: {error}", FORK)
    except VerificationError as error:
        return _say(f"BAD: {error}", BAD)
    except RecordError as error:
        return _say(f"UNAVAILABLE: {error}", UNAVAILABLE)


def _verify_command(place: str, state: Path | None, vkey: str | None, party: str | None, policy: Policy | None) -> int:
    try:
        pinned = parse_vkey(vkey) if vkey else None
        source, payload = _source(place)
        memory = load_memory(state) if state else {}
    except RecordError as error:
        return _say(f"usage: {error}", USAGE)
    if source is None:
        return _check_file(Path(place), pinned, policy)
    if isinstance(source, FolderSource) and is_pack(source.folder):
        return _check_pack(source.folder, pinned, policy)
    remembered = memory.get(read_vkey(source.read).name)
    verified = verify(source, vkey=pinned, payload=payload, remembered=remembered)
    if policy:
        _check_agreed(policy, verified.keys, verified.witnessing.policy if verified.witnessing else None)
    is_pinned = pinned is not None or bool(policy and policy.logs)
    for line in describe(verified, is_pinned=is_pinned, remembered=remembered):
        sys.stdout.write(line + "\n")
    if state:
        save_memory(state, memory | {verified.origin: verified.remembered})
    found = verified.witnessing
    part = ", but not all of it is witnessed" if found and found.size < verified.size else ""
    sys.stdout.write(f"GOOD{part}: every entry and file above is what the signature covers\n")
    return _list_undelivered(source, verified, party) if party else GOOD


def describe(verified: Verified, *, is_pinned: bool, remembered: Remembered | None) -> list[str]:
    """Return the lines that say what was verified and what was not."""
    trust = "as expected" if is_pinned else "as remembered" if remembered else _UNPINNED
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(verified.kinds.items()))
    lines = [
        f"origin   {verified.origin}",
        f"key      {verified.vkey} ({trust})",
        f"tree     {verified.size:,} entries, root {encode_base64(verified.root)}",
        f"entries  {kinds or 'none'}",
    ]
    lines += [f"         key before: {key}" for key in verified.keys[:-1]]
    if verified.file_count:
        lines.append(f"files    {verified.file_count:,} covered")
    if verified.payload_indices is not None:
        held = len(verified.payload_indices)
        lines.append(f"payloads {held:,} of {verified.size:,} here, each opens its commitment")
    lines += _describe_witnesses(verified)
    for _, kind, content in verified.joins:
        other = content.get("origin") if isinstance(content, dict) else None
        lines.append(f"joined   {'is continued by' if kind == CONTINUED_KIND else 'continues'} {other}: verify it too")
    if remembered:
        lines.append(f"memory   goes on from the {remembered.checkpoint.size:,} entries seen before")
    else:
        lines.append("memory   none: whether this is the newest tree, and the same for all, only --state can tell")
    return [*lines, *(f"NOT COVERED  {what}" for what in verified.uncovered)]


_LONGEST_HEAD = 64
_UNPINNED = "found in the record itself: compare it with the one in the agreement"


def _check_agreed(agreed: Policy, keys: Sequence[Vkey], found: Policy | None) -> None:
    """Refuse a record whose keys and witnesses are not those agreed on."""
    if agreed.logs and not set(agreed.logs) & set(keys):
        raise VerificationError(
            "the log's key is none of those agreed on",
            expected=", ".join(map(str, agreed.logs)),
            calculated=str(keys[-1]),
        )
    if agreed.quorum != NONE and (found is None or not found.asks_the_same(agreed)):
        raise VerificationError(
            "the witnesses that the record names are not those agreed on (or have other keys)",
            expected=agreed.words,
            calculated=found.words if found else "none",
        )


def _describe_witnesses(verified: Verified) -> list[str]:
    found = verified.witnessing
    if found is None:
        return ["witness  the log names no witnesses: whoever holds its key could show others another history"]
    since = max(found.times_s.values(), default=0)
    seen = ", ".join(f"{name} {_utc(time)}" for name, time in sorted(found.times_s.items()))
    lines = [f"witness  {found.size:,} entries seen by {found.policy.words} ({seen or 'never'})"]
    if found.size < verified.size:
        when = f"since {_utc(since)}" if since else "since the log began"
        lines.append(f"         UNWITNESSED {when}: {verified.size - found.size:,} entries")
    return lines


def _source(place: str) -> tuple[Source | None, Path | None]:
    if place.startswith(("http://", "https://")):
        return UrlSource(place), None
    path = Path(place)
    if path.is_file():
        with path.open("rb") as file:
            if file.read(_LONGEST_HEAD).startswith((EVIDENCE_HEAD.encode(), PROOF_HEAD.encode())):
                return None, None
        raise RecordError(f"{place} is a file, and neither evidence nor a proof: expected a record's folder")
    if not path.is_dir():
        raise RecordError(f"{place}: no such folder")
    record = find_record(path)
    payload = record.parent / "payload"
    return FolderSource(record), payload if payload.is_dir() else None


def _list_undelivered(source: Source, verified: Verified, party: str) -> int:
    missing = undelivered(source.read, verified.size, party, verified.payload_indices or frozenset())
    for index in missing:
        sys.stdout.write(f"ENTITLED, NOT DELIVERED  entry {index}\n")
    return _say(f"{party} is entitled to {len(missing)} payloads that are not here", BAD) if missing else GOOD


def _check_pack(folder: Path, pinned: Vkey | None, policy: Policy | None) -> int:
    pack = verify_pack(folder, vkey=pinned)
    if policy:
        _check_agreed(policy, pack.keys, pack.policy)
    trust = "as expected" if pinned or (policy and policy.logs) else _UNPINNED
    seen = ", ".join(f"{name} {_utc(time)}" for name, time in sorted(pack.times_s.items())) or "by no witness"
    quorum = f", quorum {pack.policy.words}" if pack.policy else ""
    part = ", but UNWITNESSED" if not pack.is_witnessed else ""
    lines = [
        f"pack     for {pack.disclosure.get('to')}: {pack.disclosure.get('reason')}",
        f"origin   {pack.checkpoint.origin}",
        f"key      {pack.keys[-1]} ({trust})",
        f"tree     {pack.checkpoint.size:,} entries, cosigned {seen}{quorum}",
        *(f"entry    {index} {e.kind} {e.at}" for index, (e, _) in pack.contents.items()),
        f"files    {len(pack.disclosure['files'])} as disclosed",
        f"GOOD{part}: every entry stands in the log, and its content is the one committed to",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return GOOD


def _check_file(path: Path, pinned: Vkey | None, policy: Policy | None) -> int:
    with path.open("rb") as file:
        data = file.read(MAX_NOTE_BYTES + MAX_BUNDLE_BYTES)
    if data.startswith(EVIDENCE_HEAD.encode()):
        return _say(f"PROVEN: {split_view(parse_evidence(data))}", FORK)
    keys = [pinned] if pinned else list(policy.logs) if policy else []
    if not keys:
        return _say("usage: a proof names no key to believe: give --vkey, or the agreed policy", USAGE)
    proof = parse_proof(data)
    if proof.extra is None:
        return _say(f"usage: {path}: this proof holds no entry; `tocsin record prove` writes one that does", USAGE)
    checkpoint = verify_proof(proof, proof.extra, log=keys, policy=policy)
    seen = f", seen by {policy.words}" if policy and policy.quorum != NONE else ""
    sys.stdout.write(f"entry    {proof.index} {proof.extra.decode(errors='replace')}\n")
    sys.stdout.write(f"GOOD: it stands in {checkpoint.origin}, {checkpoint.size:,} entries{seen}\n")
    return GOOD


def _report_fork(error: ForkError, state: Path | None) -> int:
    _say(f"FORK: {error}", FORK)
    if state is None:
        return FORK
    for number, evidence in enumerate(error.evidence, start=1):
        path = state.with_name(f"{state.name}.fork" + (f"-{number}" if number > 1 else ""))
        replace_file(path, str(evidence).encode())
        _say(f"evidence against {evidence.vkey.name} in {path}: keep it, and show it to every party", FORK)
    return FORK


def _utc(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _say(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code
