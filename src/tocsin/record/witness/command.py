"""A witness as a command: makes its keys on the first run, says how to put them into a policy, and serves.

One party's node: a folder that holds its memory (`memory/`) and its keys (`keys/`, mode 0600), both of which the log's
keeper must not be able to write. Stops cleanly on SIGINT and SIGTERM.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

from tocsin.errors import RecordError
from tocsin.record.c2sp.cosign import Signer
from tocsin.record.c2sp.note import SignatureType, Vkey, parse_vkey
from tocsin.record.keys import create_key, load_key
from tocsin.record.witness.keeper import WitnessKeeper
from tocsin.record.witness.server import WitnessServer

KEY_FILES = {
    SignatureType.COSIGNATURE_ED25519: "witness.key",
    SignatureType.COSIGNATURE_MLDSA44: "witness-ml-dsa.key",
}
"""Key file of each kind of cosignature."""


def serve_witness(
    folder: Path, *, name: str, logs: Sequence[str], host: str = "127.0.0.1", port: int = 0, with_mldsa: bool = False
) -> int:
    """Serve until told to stop; print one line of JSON on stdout when ready, and return the exit code.

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

    Raises
    ------
    RecordError
        If a key or log cannot be used, or another process serves from this folder.
    """
    kinds = list(KEY_FILES) if with_mldsa else [SignatureType.COSIGNATURE_ED25519]
    signers = [_key(folder / "keys" / KEY_FILES[kind], name, kind) for kind in kinds]
    keeper = WitnessKeeper(folder / "memory", signers, read_logs(logs))
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
            sys.stdout.write(json.dumps(ready, sort_keys=True) + "\n")
            sys.stdout.flush()
            server.serve_forever(poll_interval=0.1)
    finally:
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


def _key(path: Path, name: str, kind: SignatureType) -> Signer:
    if path.exists():
        return load_key(path)
    return create_key(path, name, kind)
