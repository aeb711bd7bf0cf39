"""How fast a record is written, audited and proved from, against its bars: python3 benchmarks/record.py [FOLDER]

Bars: an audit of 1,000,000 entries under 6 s on one core; 5,000 entries/s appended and published, durable, with a
checkpoint every 256; an inclusion proof under 1 ms. The folder should lie on the disk that is meant (fsync is real).
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tocsin.record.c2sp.checkpoint import Checkpoint
from tocsin.record.c2sp.cosign import Signer
from tocsin.record.c2sp.merkle import inclusion_proof, leaf_hash, verify_inclusion
from tocsin.record.c2sp.note import SignedNote
from tocsin.record.c2sp.tiles import TileReader
from tocsin.record.growth import grow
from tocsin.record.keys import create_key
from tocsin.record.leaf import Entry, EntryKind, new_salt, seal
from tocsin.record.log import Log
from tocsin.record.verifier.audit import audit
from tocsin.record.verifier.source import FolderSource
from tocsin.record.verifier.verify import CHECKPOINT, LOG_VKEY, verify_folder

AUDITED = 1_000_000
APPENDED = 20_000
BATCH = 256
PROOFS = 1_000
AT_US = 1_495_094_400_000_000


def entry(number: int) -> Entry:
    payload = {"kind": "approach", "zone": "tanf-55km", "track": f"mmsi:{number}", "lat_deg": 33.5, "lon_deg": 38.6}
    return Entry(kind=EntryKind.EVENT, at_us=AT_US + number, audience=frozenset({"a", "b", "un"}), payload=payload)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def write_large(folder: Path, key: Signer) -> FolderSource:
    """Write a record of a million real envelopes without the journal, in seconds instead of minutes."""
    envelopes = [seal(entry(number), new_salt()).envelope for number in range(BATCH)]
    source = FolderSource(folder)
    digits = envelopes[0].find(b"commitment") + 13
    size = 0
    while size < AUDITED:
        batch = [e[:digits] + b"%08x" % (size + i) + e[digits + 8 :] for i, e in enumerate(envelopes)]
        for path, data in grow(source.read, size, batch[: AUDITED - size]).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        size += len(batch[: AUDITED - size])
    for partial in folder.glob("tile/**/*.p"):
        if partial.with_suffix("").exists():
            shutil.rmtree(partial)
    text = str(Checkpoint(origin=key.name, size=AUDITED, root=TileReader(source.read, AUDITED).root()))
    (folder / CHECKPOINT).write_bytes(bytes(SignedNote(text=text, signatures=(key.sign(text),))))
    (folder / LOG_VKEY).write_text(f"{key.vkey}\n")
    return source


def bench_append(folder: Path, key: Signer) -> float:
    batches = [[entry(i + at) for at in range(BATCH)] for i in range(0, APPENDED, BATCH)]
    with Log.create(folder, key=key) as log:

        def run() -> None:
            for batch in batches:
                log.append(batch)
                log.publish()

        return APPENDED / timed(run)


def bench_single(folder: Path, key: Signer) -> float:
    with Log.create(folder, key=key) as log:

        def run() -> None:
            for number in range(200):
                log.append([entry(number)])

        return 200 / timed(run)


def bench_proofs(source: FolderSource) -> tuple[float, float]:
    root = TileReader(source.read, AUDITED).root()
    made, checked = [], []
    for number in range(PROOFS):
        index = number * (AUDITED // PROOFS) + number % 256
        reader = TileReader(source.read, AUDITED)  # nothing kept from the proof before
        proof: list[bytes] = []
        made.append(timed(lambda r=reader, i=index, p=proof: p.extend(inclusion_proof(i, AUDITED, r.subtree_root))))
        leaf = leaf_hash(reader.entry(index))
        checked.append(
            timed(lambda i=index, h=leaf, p=proof: verify_inclusion(index=i, size=AUDITED, leaf=h, proof=p, root=root))
        )
    return statistics.median(made) * 1e3, statistics.median(checked) * 1e3


def main(arguments: list[str]) -> int:
    base = Path(arguments[0]) if arguments else Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    folder = base / "bench-record"
    shutil.rmtree(folder, ignore_errors=True)
    key = create_key(folder / "log.key", "bench.example/log")
    try:
        rate = bench_append(folder / "append", key)
        single = bench_single(folder / "single", key)
        source = write_large(folder / "large", key)
        seconds = min(timed(lambda: audit(source.read, AUDITED)) for _ in range(3))
        whole = timed(lambda: verify_folder(folder / "large"))
        made_ms, checked_ms = bench_proofs(source)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rows = [
        ("append and publish, 256 a checkpoint, durable", rate, "entries/s", rate >= 5_000, "at least 5,000"),
        ("append one at a time, durable", single, "entries/s", True, ""),
        (f"audit of {AUDITED:,} entries", seconds, "s", seconds < 6, "under 6"),
        ("the same with files accounted for and signatures", whole, "s", whole < 6, "under 6"),
        (f"inclusion proof out of {AUDITED:,}, cold reader", made_ms, "ms", made_ms < 1, "under 1"),
        ("verifying it", checked_ms, "ms", True, ""),
    ]
    for name, value, unit, is_met, bar in rows:
        print(f"{name:<52} {value:>12,.3f} {unit:<10} {bar:<16} {'met' if is_met else 'MISSED'}")
    return 0 if all(row[3] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
