"""Requests: what a keeper asks of a station's record from a command line, as files in its data folder.

Who may write there is who may keep the record: no network, no key. A request is put in its place whole, carried out by
the station that runs on the folder, or by the next one, and its end is written beside it. Rotating the key and handing
over entries both need an entry whose place the station's core gives; what each does is `publisher.py`'s.
"""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import Any

import msgspec

from tocsin.errors import RecordError
from tocsin.record.files import make_folder, replace_file
from tocsin.record.rotation import RotationReason

FOLDER = "requests"
ASKED, ENDED = ".request", ".end"
LOOK_S = 0.1


class Rotate(msgspec.Struct, kw_only=True, frozen=True, tag="rotate"):
    """Hand the log over from one key to a new one."""

    old: str
    reason: RotationReason


class EndOverlap(msgspec.Struct, kw_only=True, frozen=True, tag="end_overlap"):
    """Let the old key of the last rotation sign no more.

    Attributes
    ----------
    old : str
        That key, as it was when it was asked; empty if there was none.
    """

    old: str


class Disclose(msgspec.Struct, kw_only=True, frozen=True, tag="disclose"):
    """Hand entries over to a party, as an evidence pack in a folder."""

    to: str
    entries: tuple[int, ...]
    keeper: str
    reason: str
    out: str
    grant: str | None = None


Request = Rotate | EndOverlap | Disclose

_DECODER: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


def ask(folder: Path, request: Request) -> Path:
    """Put a request into a station's folder; return its file."""
    make_folder(folder / FOLDER)
    path = folder / FOLDER / f"{time.time_ns():020}-{secrets.token_hex(4)}{ASKED}"
    replace_file(path, msgspec.json.encode(request), mode=0o600)
    return path


def waiting(folder: Path) -> list[Path]:
    """Return the files of the requests that have no end yet, the oldest first."""
    return sorted((folder / FOLDER).glob(f"*{ASKED}"))


def read(path: Path) -> Request:
    """Return a request.

    Raises
    ------
    RecordError
        If the file is none.
    """
    try:
        return _DECODER.decode(path.read_bytes())
    except msgspec.DecodeError as error:
        raise RecordError(f"{path}: found no request ({error})") from None


def end(path: Path, came: dict[str, Any]) -> None:
    """Write what came of a request, then forget it."""
    replace_file(path.with_suffix(ENDED), json.dumps(came).encode(), mode=0o600)
    path.unlink(missing_ok=True)


def end_of(path: Path, *, within_s: float) -> dict[str, Any] | None:
    """Return what came of a request, once it is there, and take it away; None if nothing came in that time."""
    ended = path.with_suffix(ENDED)
    until = time.monotonic() + within_s
    while path.exists() or not ended.exists():
        if time.monotonic() > until:
            return None
        time.sleep(LOOK_S)
    came: dict[str, Any] = json.loads(ended.read_bytes())
    ended.unlink()
    return came
