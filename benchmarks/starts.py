"""How long the first call after an install takes, and later ones: a real `pip install` of this checkout, then calls.

    python benchmarks/starts.py [--runs 5] [--folder out/starts]

Makes an environment of its own, installs by pip with an isolated build, and calls `tocsin compile`, which calls every
kernel of the watch once, and `tocsin replay` of the example at At Tanf, under a home that holds nothing. Each call is a
process of its own; what counts is its CPU time, as other work on the machine moves it little. The build takes what this
checkout has compiled (`do.py bench` sees to that) if pip brings the same versions; the bars are on what comes after it.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path

from tocsin.kernels.kept import FOLDER

ROOT = Path(__file__).resolve().parents[1]
TANF = ROOT / "examples" / "at-tanf"
FIRST_S, LATER_S = 5.0, 1.5
"""The bars."""
LEFT_OUT = ("NUMBA", "HATCH", "PYTHON", "XDG")
"""Settings of whoever measures that an installed program would not have."""


@dataclass(frozen=True)
class Call:
    """One process: its CPU time, and how long one waited for it."""

    cpu_s: float
    wall_s: float


@dataclass(frozen=True)
class Starts:
    """What one installation does."""

    first: Call
    """Every kernel once, straight after the install."""
    later: Call
    """The same again, median."""
    replay: Call
    """A replay with its record and report, median."""
    compiled: int
    """Kernels that the first call had to compile; 0 if the installation's code was used."""
    wheel_bytes: int


def measure(folder: Path, runs: int) -> Starts:
    """Install into a folder, call, and delete the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    env = {k: v for k, v in os.environ.items() if not k.startswith(LEFT_OUT)}
    venv.create(folder / "env", with_pip=True)
    place = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    kept = {"NUMBA_CACHE_DIR": str(FOLDER.parent)} if FOLDER else {}
    pip = [str(place / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", folder, ROOT], env=env | kept, check=True)
    wheel = next(folder.glob("*.whl"))
    subprocess.run([*pip, "install", wheel], env=env, check=True)
    tocsin = str(place / "tocsin")
    with tempfile.TemporaryDirectory() as home:
        env |= {"HOME": home, "XDG_CACHE_HOME": home}
        first, said = _call([tocsin, "compile"], env)
        later = [_call([tocsin, "compile"], env)[0] for _ in range(runs)]
        replay = [tocsin, "replay", str(TANF / "with-mechanisms.yaml"), str(TANF / "tracks.csv"), "--out"]
        replays = [_call([*replay, str(Path(home) / f"out{run}")], env)[0] for run in range(runs)]
    told = re.search(r"\((\d+) compiled now", said)
    made = Starts(
        first=first,
        later=_median(later),
        replay=_median(replays),
        compiled=int(told[1]) if told else -1,
        wheel_bytes=wheel.stat().st_size,
    )
    shutil.rmtree(folder)
    return made


def _call(command: list[str], env: dict[str, str]) -> tuple[Call, str]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Call(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall_s), done.stderr


def _median(calls: list[Call]) -> Call:
    return Call(statistics.median(c.cpu_s for c in calls), statistics.median(c.wall_s for c in calls))


def rows(folder: Path, runs: int) -> list[str]:
    """Return the rows of the table: what, measured, bar, verdict."""
    told = measure(folder, runs)
    how = f"every kernel once, {told.compiled} compiled; a wheel of {told.wheel_bytes / 1e6:.1f} MB"

    def row(what: str, call: Call, bar_s: float) -> str:
        verdict = "met" if call.cpu_s <= bar_s else "**missed**"
        return f"| {what} | {call.cpu_s:.3g} s, waited {call.wall_s:.3g} s | ≤ {bar_s:g} s | {verdict} |"

    replay = f"{told.replay.cpu_s:.3g} s, waited {told.replay.wall_s:.3g} s"
    return [
        row(f"first call after `pip install`: {how}", told.first, FIRST_S),
        row("the same call, later", told.later, LATER_S),
        f"| `tocsin replay` of At Tanf, with its record and report | {replay} | | |",
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "starts")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    print("\n".join(rows(asked.folder, asked.runs)))


if __name__ == "__main__":
    main()
