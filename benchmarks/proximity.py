"""Proximity: who is within 5 km of whom now, and who comes within 1 km in 10 minutes, among 10,000 and 100,000 movers.

    python benchmarks/proximity.py [--runs 5] [--peer-python /path/to/python]

Peers: `scipy.spatial.cKDTree.query_pairs` on Earth-centred places; and cKDTree candidates within the distance that
two can close, then the formula of closest approach in NumPy. scipy need not be in Tocsin's environment: `--peer-
python` names one that has it, and the peers then run there, on the same data, in the same run. Prints CPU seconds
(median) and ratios, and how the answers differ: the first peer's must be equal; the second computes on a flat Earth,
so each pair in which it differs is walked along both geodesics, and must prove Tocsin right.

Data: fixed seed; movers scattered around 200 hubs of unequal size over the contiguous USA, 2 to 30 m/s; in `mixed` a
quarter are aircraft of 60 to 250 m/s.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

SEED = 20170518
WITHIN_M, CPA_M, HORIZON_S = 5_000.0, 1_000.0, 600.0
CASES = {
    "slow_10k": (10_000, False),
    "mixed_10k": (10_000, True),
    "slow_100k": (100_000, False),
    "mixed_100k": (100_000, True),
}
BARS = {("within", "slow_100k"): 1, ("cpa", "slow_100k"): 15, ("cpa", "mixed_100k"): 60}
A_M, E2 = 6_378_137.0, 0.0066943799901413165

Movers = dict[str, np.ndarray]


def movers(n: int, mixed: bool) -> Movers:
    """Return n movers: latitude, longitude, speed, course."""
    rng = np.random.default_rng([SEED, n, mixed])
    hubs = np.random.default_rng(SEED)
    weight = 1.0 / np.arange(1, 201) ** 0.8
    hub_lat, hub_lon = hubs.uniform(26, 48, 200), hubs.uniform(-122, -70, 200)
    hub = rng.choice(200, n, p=weight / weight.sum())
    spread = rng.uniform(0.3, 3.0, n)
    speed = rng.uniform(2, 30, n)
    if mixed:
        speed = np.where(rng.random(n) < 0.25, rng.uniform(60, 250, n), speed)
    return {
        "lat": np.clip(hub_lat[hub] + 0.8 * rng.normal(0, 1, n) * spread, 24, 50),
        "lon": np.clip(hub_lon[hub] + rng.normal(0, 1, n) * spread, -125, -66),
        "speed": speed,
        "course": rng.uniform(0, 360, n),
    }


def measured(run: Callable[[], np.ndarray], runs: int, budget_s: float = 60.0) -> tuple[float, np.ndarray]:
    """Return the median CPU time of several runs, fewer if they take long, and what the last one found."""
    times: list[float] = []
    while len(times) < runs and sum(times) < budget_s:
        began = time.process_time()
        pairs = run()
        times.append(time.process_time() - began)
    return statistics.median(times), pairs


def as_keys(i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Return unordered pairs as sorted numbers."""
    return np.unique(np.minimum(i, j).astype(np.int64) << 32 | np.maximum(i, j))


# --- peers: run in an environment that has scipy --------------------------------------------------------------------


def places(m: Movers) -> np.ndarray:
    lat, lon = np.radians(m["lat"]), np.radians(m["lon"])
    n = A_M / np.sqrt(1 - E2 * np.sin(lat) ** 2)
    return np.stack([n * np.cos(lat) * np.cos(lon), n * np.cos(lat) * np.sin(lon), n * (1 - E2) * np.sin(lat)], axis=1)


def peer_within(m: Movers) -> np.ndarray:
    from scipy.spatial import cKDTree

    pairs = cKDTree(places(m)).query_pairs(WITHIN_M, output_type="ndarray")
    return pairs[:, 0].astype(np.int64) << 32 | pairs[:, 1]


def peer_cpa(m: Movers) -> np.ndarray:
    from scipy.spatial import cKDTree

    at, fastest = places(m), m["speed"].max()
    tree, found = cKDTree(at), []
    u, v = m["speed"] * np.sin(np.radians(m["course"])), m["speed"] * np.cos(np.radians(m["course"]))
    for first in range(0, len(at), 2_000):
        q = slice(first, first + 2_000)
        hit = tree.query_ball_point(at[q], (m["speed"][q] + fastest) * HORIZON_S + CPA_M, return_sorted=False)
        i = np.repeat(np.arange(len(hit)) + first, [len(h) for h in hit])
        j = np.concatenate([np.asarray(h, np.int64) for h in hit])
        i, j = i[j > i], j[j > i]
        metre = np.radians(1.0) * 6_371_008.8
        x = (m["lon"][j] - m["lon"][i]) * metre * np.cos(np.radians((m["lat"][i] + m["lat"][j]) / 2))
        y = (m["lat"][j] - m["lat"][i]) * metre
        du, dv = u[j] - u[i], v[j] - v[i]
        t = np.clip(-(x * du + y * dv) / np.maximum(du * du + dv * dv, 1e-9), 0, HORIZON_S)
        near = (x + du * t) ** 2 + (y + dv * t) ** 2 < CPA_M**2
        found.append(i[near] << 32 | j[near])
    return np.concatenate(found)


PEERS = {"within": peer_within, "cpa": peer_cpa}


def serve_peer(job: str, case: str, runs: int, out: str) -> None:
    m = movers(*CASES[case])
    seconds, keys = measured(lambda: PEERS[job](m), runs)
    np.save(out, np.unique(keys))
    print(json.dumps({"seconds": seconds}))


def ask_peer(python: str, job: str, case: str, runs: int) -> tuple[float, np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "keys.npy"
        command = [python, __file__, "--serve", job, case, str(out), "--runs", str(runs)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return json.loads(said)["seconds"], np.load(out)


# --- Tocsin ---------------------------------------------------------------------------------------------------------


def ours(job: str, m: Movers) -> np.ndarray:
    from tocsin.geo.pairs import closest_approach, within

    if job == "within":
        near = within(m["lat"], m["lon"], within_m=WITHIN_M)
    else:
        near = closest_approach(m["lat"], m["lon"], m["speed"], m["course"], within_m=CPA_M, horizon_s=HORIZON_S)
    return near.i.astype(np.int64) << 32 | near.j


def least_apart(m: Movers, keys: np.ndarray) -> np.ndarray:
    """Return the least distance of pairs in the horizon, both walked along their geodesics by pyproj."""
    import pyproj

    geod = pyproj.Geod(ellps="WGS84")
    i, j = keys >> 32, keys & 0xFFFFFFFF

    def apart(t: np.ndarray) -> np.ndarray:
        lon1, lat1, _ = geod.fwd(m["lon"][i], m["lat"][i], m["course"][i], m["speed"][i] * t)
        lon2, lat2, _ = geod.fwd(m["lon"][j], m["lat"][j], m["course"][j], m["speed"][j] * t)
        return np.asarray(geod.inv(lon1, lat1, lon2, lat2)[2])

    times = np.linspace(0, HORIZON_S, 121)
    best, step = times[np.argmin([apart(np.full(len(i), t)) for t in times], axis=0)], HORIZON_S / 120
    while step > 1e-4:
        tries = [np.clip(best + f * step, 0, HORIZON_S) for f in np.linspace(-1, 1, 9)]
        best, step = np.choose(np.argmin([apart(t) for t in tries], axis=0), tries), 0.3 * step
    return apart(best)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--serve", nargs=3, metavar=("JOB", "CASE", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_peer(*options.serve[:2], options.runs, options.serve[2])
        return
    print(f"{'job':7} {'case':11} {'pairs':>7} {'Tocsin s':>9} {'peer s':>9} {'ratio':>7} {'bar':>4}  differs")
    for job in PEERS:
        for case, (n, mixed) in CASES.items():
            m = movers(n, mixed)
            ours(job, m)  # compiled, or read from the cache
            mine_s, mine = measured(lambda job=job, m=m: ours(job, m), options.runs)
            peer_s, theirs = ask_peer(options.peer_python, job, case, options.runs)
            odd = np.setxor1d(mine, theirs)
            right = (
                int(np.sum((least_apart(m, odd) <= CPA_M) == np.isin(odd, mine))) if job == "cpa" and len(odd) else 0
            )
            said = f"{len(odd)} pairs, Tocsin right in {right}" if len(odd) else "no"
            bar = BARS.get((job, case), "")
            print(
                f"{job:7} {case:11} {len(mine):7} {mine_s:9.4f} {peer_s:9.4f} {peer_s / mine_s:7.1f} {bar:>4}  {said}",
                flush=True,
            )


if __name__ == "__main__":
    main()
