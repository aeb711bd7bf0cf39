"""How fast a record is written, audited and proved from, against its bars: python3 benchmarks/record.py [FOLDER]

Bars: an audit of 1,000,000 entries under 6 s on one core; 5,000 entries/s appended and published, durable, with a
checkpoint every 256; an inclusion proof under 1 ms. The folder should lie on the disk that is meant (fsync is real).
The audit runs in one thread and is judged by the core's seconds; its wall time stands beside, and so does what one
fsync took, because on a machine with other work both say more about that work than about Tocsin.
"""

from __future__ import annotations

import os
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


def core_seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that this process's threads computed, and the wall's."""
    began = time.process_time()
    wall = timed(work)
    return time.process_time() - began, wall


def fsync_ms(folder: Path) -> float:
    """Return the median time of an fsync of 8 kB, one at a time."""
    spent = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(bytes(8_192))
            spent.append(timed(lambda: os.fsync(file.fileno())))
    return statistics.median(spent) * 1e3


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


def bench_append(folder: Path, key: Signer) -> tuple[float, float]:
    """Return entries a second, by the wall and by one core's time."""
    batches = [[entry(i + at) for at in range(BATCH)] for i in range(0, APPENDED, BATCH)]
    with Log.create(folder, key=key) as log:

        def run() -> None:
            for batch in batches:
                log.append(batch)
                log.publish()

        core, wall = core_seconds(run)
        return APPENDED / wall, APPENDED / core


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
        rate, core_rate = bench_append(folder / "append", key)
        fsync = fsync_ms(folder)
        single = bench_single(folder / "single", key)
        source = write_large(folder / "large", key)
        seconds, wall = min(core_seconds(lambda: audit(source.read, AUDITED)) for _ in range(3))
        whole, whole_wall = core_seconds(lambda: verify_folder(folder / "large"))
        made_ms, checked_ms = bench_proofs(source)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rows = [
        ("append and publish, 256 a checkpoint, durable", rate, "entries/s", rate >= 5_000, "at least 5,000"),
        ("  by the core's time, waits for the disk left out", core_rate, "entries/s", True, ""),
        ("  one fsync of 8 kB on this disk now", fsync, "ms", True, ""),
        ("append one at a time, durable", single, "entries/s", True, ""),
        (f"audit of {AUDITED:,} entries, one core's seconds", seconds, "s", seconds < 6, "under 6"),
        ("  by the wall", wall, "s", True, ""),
        ("the same with files accounted for and signatures", whole, "s", whole < 6, "under 6"),
        ("  by the wall", whole_wall, "s", True, ""),
        (f"inclusion proof out of {AUDITED:,}, cold reader", made_ms, "ms", made_ms < 1, "under 1"),
        ("verifying it", checked_ms, "ms", True, ""),
    ]
    for name, value, unit, is_met, bar in rows:
        print(f"{name:<52} {value:>12,.3f} {unit:<10} {bar:<16} {'met' if is_met else 'MISSED'}")
    return 0 if all(row[3] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
