"""A witness as a command: makes its keys on the first run, says how to put them into a policy, and serves.

One party's node: a folder that holds its memory (`memory/`) and its keys (`keys/`, mode 0600), both of which the log's
keeper must not be able to write. Beside answering it may follow records where they are served. Stops cleanly on
SIGINT and SIGTERM.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread

from tocsin.clock import now_us
from tocsin.errors import RecordError
from tocsin.record.c2sp.cosign import Signer
from tocsin.record.c2sp.note import SignatureType, Vkey, parse_vkey
from tocsin.record.keys import create_key, load_key
from tocsin.record.verifier.source import Source, open_source
from tocsin.record.witness.follower import Look, Sight, look
from tocsin.record.witness.keeper import WitnessKeeper
from tocsin.record.witness.server import WitnessServer

KEY_FILES = {
    SignatureType.COSIGNATURE_ED25519: "witness.key",
    SignatureType.COSIGNATURE_MLDSA44: "witness-ml-dsa.key",
}
"""Key file of each kind of cosignature."""


FOLLOW_EVERY_S = 10.0
"""Seconds between two looks at a record that is followed."""


def serve_witness(
    folder: Path,
    *,
    name: str,
    logs: Sequence[str],
    host: str = "127.0.0.1",
    port: int = 0,
    with_mldsa: bool = False,
    follow: Sequence[str] = (),
    every_s: float = FOLLOW_EVERY_S,
) -> int:
    """Serve until told to stop; print one line of JSON on stdout when ready, and return the exit code.

    What comes of following a record is printed as further lines, one whenever it changes.

    Parameters
    ----------
    folder : Path
        Made if missing.
    name : str
        The witness's name, such as `un.example/witness`; used when its keys are made.
    logs : sequence of str
        A vkey for each log, or `ORIGIN=VKEY` where a log's origin is not its key's name; several for one origin while
        its key is changed.
    host : str
    port : int
        0 for any free one.
    with_mldsa : bool
        Cosign with ML-DSA-44 too.
    follow : sequence of str
        Folders or URLs of records to look at, besides being asked to cosign them.
    every_s : float
        Seconds between two looks.

    Raises
    ------
    RecordError
        If a key or log cannot be used, or another process serves from this folder.
    """
    kinds = list(KEY_FILES) if with_mldsa else [SignatureType.COSIGNATURE_ED25519]
    signers = [_key(folder / "keys" / KEY_FILES[kind], name, kind) for kind in kinds]
    sources = {place: open_source(place) for place in follow}
    keeper = WitnessKeeper(folder / "memory", signers, read_logs(logs))
    stopping = Event()
    followers = [
        Thread(target=_follow, args=(place, source, keeper, every_s, stopping), daemon=True)
        for place, source in sources.items()
    ]
    try:
        with WitnessServer(keeper, host, port) as server:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: Thread(target=server.shutdown, daemon=True).start())
            ready = {
                "logs": sorted(keeper.logs),
                "port": server.server_address[1],
                "ready": True,
                "vkeys": [str(key) for key in keeper.vkeys],
            }
            _print(ready)
            for follower in followers:
                follower.start()
            server.serve_forever(poll_interval=0.1)
    finally:
        stopping.set()
        keeper.close()
    return 0


def read_logs(texts: Sequence[str]) -> dict[str, list[Vkey]]:
    """Return the keys trusted for each origin.

    Raises
    ------
    RecordError
        For a text that is no vkey, or none at all.
    """
    logs: dict[str, list[Vkey]] = {}
    for text in texts:
        before, plus, after = text.partition("+")
        origin, is_named, name = before.rpartition("=")  # the base64 at the end may have equals signs of its own
        key = parse_vkey(name + plus + after)
        logs.setdefault(origin if is_named else key.name, []).append(key)
    if not logs:
        raise RecordError("found no log, expected the vkey of at least one log to be a witness of")
    return logs


def _follow(place: str, source: Source, keeper: WitnessKeeper, every_s: float, stopping: Event) -> None:
    before: Look | None = None
    while not stopping.is_set():
        try:
            seen = look(source, keeper, now_us())
        except RecordError as error:
            seen = Look(sight=Sight.INVALID, detail=str(error))
        if seen != before and not (seen.sight is Sight.SAME and before and before.sight is Sight.COSIGNED):
            _print({"followed": place, "log": seen.origin, "saw": seen.sight, "size": seen.size, "detail": seen.detail})
        before = seen
        stopping.wait(every_s)


def _print(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line, sort_keys=True) + "\n")
    sys.stdout.flush()


def _key(path: Path, name: str, kind: SignatureType) -> Signer:
    if path.exists():
        return load_key(path)
    return create_key(path, name, kind)
