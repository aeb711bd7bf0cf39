"""One measurement: CPU seconds of a call, its answer as sorted numbers, and one JSON line about both."""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ.setdefault(f"{_name}_NUM_THREADS", "1")
os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("RAYON_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

LEAST_S = 0.5
"""Runs go on until they took so long together: the first few of some milliseconds each still meet fresh memory."""
BUDGET_S = 120.0
"""No further run begins once the runs of one measurement took so long together."""

Columns = dict[str, np.ndarray]
Asked = argparse.Namespace
Peer = Callable[[Asked], tuple[int, Callable[[], Any], Callable[[Any], np.ndarray]]]
"""Takes the arguments; returns how many rows go in, what to time, and how its answer becomes numbers."""


def table(folder: Path, name: str, rows: int | None = None) -> Columns:
    """Return a file of the workloads as arrays."""
    read = pq.read_table(folder / f"{name}.parquet")
    read = read if rows is None else read.slice(0, rows)
    return {column: read[column].to_numpy(zero_copy_only=False) for column in read.column_names}


def shapes(folder: Path, case: str) -> np.ndarray:
    """Return the zones of a case as shapely geometries."""
    import shapely

    return shapely.from_wkb(table(folder, f"zones_{case}")["wkb"])


def run(peers: Mapping[str, Peer], about: str) -> None:
    """Measure the peer that the command line names and print the line."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("folder", type=Path)
    parser.add_argument("peer", choices=peers)
    parser.add_argument("case")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, help="write the answer's numbers there")
    asked = parser.parse_args()
    rows, call, numbers = peers[asked.peer](asked)
    spent: list[float] = []
    answer = None
    while (len(spent) < asked.runs and sum(spent) < BUDGET_S) or sum(spent) < LEAST_S:
        answer = None  # or two answers would lie in memory at once
        began = time.process_time()
        answer = call()
        spent.append(time.process_time() - began)
    found = np.unique(numbers(answer))
    if asked.out:
        np.save(asked.out, found)
    line = {
        "peer": asked.peer,
        "case": asked.case,
        "rows": rows,
        "found": len(found),
        "cpu_s": statistics.median(spent),
        "runs": len(spent),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(line), flush=True)
