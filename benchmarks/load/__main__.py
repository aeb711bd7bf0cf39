"""Run scenarios: `python3 do.py load [ONLY=tcp_5k,restart] [SECONDS=30] [SEED=1] [ENTRIES=300] [WRITE=0]`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.load import restart, scene
from benchmarks.load.process import Sink, Station
from tests.reliability import environment, write_page

SCENARIOS: dict[str, dict[str, Any]] = {
    "tcp_5k": {"door": "tcp", "rate": 5_000, "senders": 4, "piece_s": 0.002},
    "http_5k": {"door": "http", "rate": 5_000, "senders": 24, "piece_s": 0.010},
    "tcp_50k": {"door": "tcp", "rate": 50_000, "senders": 8, "piece_s": 0.005},
    "overload": {"door": "tcp", "rate": 150_000, "senders": 8, "piece_s": 0.010},
}
"""What is sent, how, at what rate, and how long a sender gathers before it sends."""

FEEDS = {
    "tcp": "tcp-listen://127.0.0.1:0?format=json&name=f",
    "udp": "udp://127.0.0.1:0?format=json&name=f",
    "http": "push:f",
}

SETTLE_S = 60.0
"""How long a station may take to have everything decided that was sent, before it is taken to be lost."""


def main(arguments: list[str]) -> int:
    """Run what is asked for, print a line of JSON for each, and return 1 if a counter or a warning is missing."""
    told = dict(argument.partition("=")[::2] for argument in arguments)
    names = told["ONLY"].split(",") if "ONLY" in told else [*SCENARIOS, "restart"]
    seconds, seed, entries = (int(told.get(k, d)) for k, d in (("SECONDS", 30), ("SEED", 1), ("ENTRIES", 300)))
    wrong = 0
    for name in names:
        if name == "restart":
            figures = restart.run(seed=seed, starts=int(told.get("STARTS", 20)))
        else:
            figures = run(name, seconds=seconds, seed=seed, entries=entries)
        print(json.dumps({"scenario": name, **figures}), flush=True)
        wrong += bool(figures["wrong"])
        if told.get("WRITE", "1") == "1":
            write_page(f"load, {name.replace('_', ' ')}", figures)
    return 1 if wrong else 0


def run(name: str, *, seconds: int, seed: int, entries: int) -> dict[str, Any]:
    """Run one scenario and return its figures."""
    asked = {**SCENARIOS[name], "seconds": seconds, "seed": seed, "entries": entries}
    with tempfile.TemporaryDirectory(prefix="tocsin-load-") as folder:
        sea = scene.make(rate=asked["rate"], seconds=seconds, entries=entries, seed=seed)
        scene.write_agreement(Path(folder) / "agreement.yaml", sea)
        sink = Sink()
        station = Station(Path(folder), feeds=[FEEDS[asked["door"]]], hook_port=sink.port)
        try:
            start_s = station.begin()
            asked["port"] = station.http_port if asked["door"] == "http" else station.ready["feeds"]["f"]
            asked["token"] = station.token
            load, sync_ms = os.getloadavg()[0], disk_sync_ms(Path(folder))
            cpu_s = station.cpu_s()
            driver = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.load.driver", json.dumps(asked)], stdout=subprocess.PIPE, text=True
            )
            said, _ = driver.communicate()
            if driver.returncode:
                raise RuntimeError(f"the sender failed; {station.folder}: {(Path(folder) / 'stderr.txt').read_text()}")
            sent = json.loads(said)
            drained_s = settle(station, sent["sent"])
            cpu_s = station.cpu_s() - cpu_s
            counts = station.ask("/counters")["total"]
            rss_mb, ticks = station.rss_mb(), station.ask("/healthz")["tick"]
            code = station.stop()
        finally:
            station.kill()
            got = sink.end()
    return {
        "asked_per_s": asked["rate"],
        "seconds": seconds,
        "seed": seed,
        **judge(sent, counts, got),
        "reports_per_s": round(sent["sent"] / (sent["took_s"] + drained_s)),
        "behind_max_s": round(sent["behind_max_s"], 2),
        "drained_s": round(drained_s, 1),
        "cpu_us_per_report": round(cpu_s / sent["sent"] * 1e6, 1),
        "ticks": ticks,
        "rss_mb": round(rss_mb),
        "start_s": round(start_s, 2),
        "exit_code": code,
        "others_load": round(load, 1),
        "disk_sync_ms": sync_ms,
        "machine": environment(),
    }


def disk_sync_ms(folder: Path) -> float:
    """Return how long this disk takes to make 4 KiB durable, as a median of fifty, in milliseconds."""
    took = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(50):
            began = time.perf_counter()
            file.write(bytes(4_096))
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return round(float(np.median(took)) * 1_000, 2)


def settle(station: Station, sent: int) -> float:
    """Wait until the station accounts for everything; return how long that took, in seconds."""
    began = time.monotonic()
    while time.monotonic() - began < SETTLE_S:
        if station.ask("/counters")["total"]["received"] >= sent:
            return time.monotonic() - began
        time.sleep(0.1)
    return time.monotonic() - began


def judge(sent: dict[str, Any], counts: dict[str, Any], got: list[tuple[float, str, str]]) -> dict[str, Any]:
    """Return latencies of first attempts, warnings that never came, and what does not add up."""
    first: dict[str, float] = {}
    for at, _, track in got:
        first[track] = min(at, first.get(track, at))
    late_ms = sorted((first[t] - at) * 1_000 for t, at in sent["enters"].items() if t in first)
    missing = [track for track in sent["enters"] if track not in first]
    wrong = []
    accounted = counts["accepted"] + sum(counts["rejected"].values()) + counts["shed"] + counts["duplicate"]
    if counts["received"] != accounted:
        wrong.append(f"received {counts['received']}, accounted for {accounted}")
    if counts["received"] != sent["sent"]:
        wrong.append(f"sent {sent['sent']}, received {counts['received']}")
    if counts["accepted"] != counts["applied"] + counts["late"] + counts["pending"]:
        wrong.append(f"accepted is not applied, late and pending: {counts}")
    if missing:
        wrong.append(f"{len(missing)} vessels entered and nobody was told")
    if strangers := {track for track in first if track} - sent["enters"].keys():
        wrong.append(f"told of {len(strangers)} vessels that entered nothing")
    cuts = np.percentile(late_ms, [50, 95, 99]) if late_ms else [float("nan")] * 3
    return {
        "warnings": len(late_ms),
        "p50_ms": round(float(cuts[0]), 1),
        "p95_ms": round(float(cuts[1]), 1),
        "p99_ms": round(float(cuts[2]), 1),
        "max_ms": round(late_ms[-1], 1) if late_ms else None,
        "missing": len(missing),
        "sent": sent["sent"],
        "shed": counts["shed"],
        "rejected": sum(counts["rejected"].values()),
        "late": counts["late"],
        "refused_and_sent_again": sent["refused"],
        "wrong": wrong,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
