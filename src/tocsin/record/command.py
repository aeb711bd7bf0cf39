"""`verify` as a command: what it prints, and its exit code; the same in Tocsin and in the one-file verifier.

Exit codes: 0 good, 1 bad, 2 usage (no such place), 3 rollback or fork, 4 a server that does not answer.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tocsin.errors import RecordError, VerificationError
from tocsin.record.note import Vkey, encode_base64, parse_vkey
from tocsin.record.source import UrlSource
from tocsin.record.verify import Verified, verify, verify_folder

GOOD, BAD, USAGE, FORK, UNAVAILABLE = 0, 1, 2, 3, 4


def verify_command(place: str, *, state: Path | None = None, vkey: str | None = None) -> int:
    """Verify a record, print what was found on stdout and what is wrong on stderr, and return the exit code.

    Parameters
    ----------
    place : str
        A folder or an http(s) URL.
    state : Path or None
        Where this verifier remembers the newest tree it saw.
    vkey : str or None
        The log's key, as the agreement has it.
    """
    try:
        pinned = parse_vkey(vkey) if vkey else None
    except VerificationError as error:
        return _say(f"usage: {error}", USAGE)
    if not place.startswith(("http://", "https://")) and not Path(place).exists():
        return _say(f"usage: {place}: no such folder", USAGE)
    try:
        verified = _verify(place, pinned)
    except VerificationError as error:
        return _say(f"BAD: {error}", BAD)
    except RecordError as error:
        return _say(f"UNAVAILABLE: {error}", UNAVAILABLE)
    for line in describe(verified, is_pinned=pinned is not None):
        sys.stdout.write(line + "\n")
    sys.stdout.write("GOOD: every entry and file above is what the signature covers\n")
    return GOOD


def main(arguments: Sequence[str]) -> int:
    """Run the one-file verifier's command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="verify.py", description="Verify a Tocsin record.")
    parser.add_argument("place", help="the record's folder, or the URL it is served under")
    parser.add_argument("--state", type=Path, help="file in which this verifier remembers the newest tree it saw")
    parser.add_argument("--vkey", help="the log's key, as the agreement has it")
    given = parser.parse_args(arguments)
    return verify_command(given.place, state=given.state, vkey=given.vkey)


def describe(verified: Verified, *, is_pinned: bool) -> list[str]:
    """Return the lines that say what was verified and what was not."""
    trust = "as expected" if is_pinned else "found in the record itself: compare it with the one in the agreement"
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(verified.kinds.items()))
    lines = [
        f"origin   {verified.origin}",
        f"key      {verified.vkey} ({trust})",
        f"tree     {verified.size:,} entries, root {encode_base64(verified.root)}",
        f"entries  {kinds or 'none'}",
    ]
    if verified.file_count:
        lines.append(f"files    {verified.file_count:,} covered")
    if verified.payloads is not None:
        lines.append(f"payloads {verified.payloads.held:,} of {verified.size:,} here, each opens its commitment")
    lines += [f"NOT COVERED  {what}" for what in verified.uncovered]
    return lines


def _verify(place: str, pinned: Vkey | None) -> Verified:
    if place.startswith(("http://", "https://")):
        return verify(UrlSource(place), vkey=pinned)
    return verify_folder(Path(place), vkey=pinned)


def _say(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code
