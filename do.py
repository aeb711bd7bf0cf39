#!/usr/bin/env python3
"""The one entry point for people: `python3 do.py demo` and `python3 do.py test` need nothing but Python 3.11 and pip.

Makes `.venv` beside this file, installs what the lock files name (with hashes; by uv where it can be had, by pip
where not), installs Tocsin itself in place, and runs. The next call skips all set-up until a lock file changes.
Standard library only. Commands: demo, test, check, fix, lock, crash, sim, load, bench.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
CORE_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
UV = "uv==0.13.9"
OUT = ROOT / "out"


def run(*command: str | Path, quiet: bool = False) -> int:
    """Run a command in the project's folder and return its exit code."""
    sink = subprocess.DEVNULL if quiet else None
    return subprocess.run([str(part) for part in command], cwd=ROOT, stdout=sink, stderr=sink, check=False).returncode


def must(*command: str | Path) -> None:
    """Run a command; end this program with its exit code if it fails."""
    if code := run(*command):
        sys.exit(code)


def set_up(lock: Path) -> None:
    """Make the environment hold what this lock file names, unless it already does."""
    wanted = hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = VENV / f"{lock.name}.installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Setting up {VENV.name} from {lock.name}: the first time takes a minute or two.", file=sys.stderr)
    if not PYTHON.exists():
        venv.create(VENV, with_pip=True)
    if not install(lock):
        sys.exit(f"do.py: could not install {lock.name}; see the messages above")
    stamp.write_text(wanted)


def install(lock: Path) -> bool:
    """Install the lock file and the project, by uv if pip can bring it, else by pip; return True if it went well."""
    wanted = ("--require-hashes", "-r", lock)
    project = ("--no-deps", "--no-build-isolation", "-e", ".")
    by_pip = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    if run(*by_pip, UV, quiet=True) == 0:
        by_uv = (BIN / "uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", PYTHON)
        if run(*by_uv, *wanted) == 0 and run(*by_uv, *project) == 0:
            return True
    return run(*by_pip, *wanted) == 0 and run(*by_pip, *project) == 0


def compile_kernels() -> None:
    """Compile what is not compiled yet, in one process, before several would wait for it."""
    must(PYTHON, "-m", "tocsin", "compile")


def demo(arguments: list[str]) -> None:
    """Run both examples and say where their reports are."""
    set_up(CORE_LOCK)
    compile_kernels()
    must(PYTHON, "-m", "tocsin", "demo", "--out", OUT, *arguments)


def test(arguments: list[str]) -> None:
    """Run the whole test suite; arguments go to pytest."""
    set_up(DEV_LOCK)
    compile_kernels()
    must(PYTHON, "-m", "pytest", *(arguments or ["-n", "2", "--dist", "worksteal"]))


def check(arguments: list[str]) -> None:
    """Lint, format, types, the house's import rules, spelling, and documents against code."""
    set_up(DEV_LOCK)
    must(PYTHON, "-m", "ruff", "check", ".")
    must(PYTHON, "-m", "ruff", "format", "--check", ".")
    must(PYTHON, "-m", "mypy")
    must(BIN / "lint-imports", "--no-cache")
    must(BIN / "codespell")
    must(PYTHON, "-m", "pytest", "-q", "tests/docs/test_docstrings.py", "tests/docs/test_drift.py", *arguments)


def fix(arguments: list[str]) -> None:
    """Format and mend what ruff can mend by itself."""
    set_up(DEV_LOCK)
    must(PYTHON, "-m", "ruff", "check", "--fix", *(arguments or ["."]))
    must(PYTHON, "-m", "ruff", "format", *(arguments or ["."]))


def lock(arguments: list[str]) -> None:
    """Write both lock files anew from pyproject.toml; arguments go to uv, such as `--upgrade`."""
    set_up(DEV_LOCK)
    base = (BIN / "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", "3.11")
    note = ("--custom-compile-command", "python3 do.py lock")
    must(*base, *note, "pyproject.toml", "--group", "build", "-o", CORE_LOCK, *arguments)
    must(*base, *note, "pyproject.toml", "--all-extras", "--group", "dev", "-o", DEV_LOCK, *arguments)


def crash(arguments: list[str]) -> None:
    """Kill a station many times and print what was lost or doubled: `KILLS=200 SEED=1`, or `CUTS=50`, or `WRITES=9`."""
    set_up(DEV_LOCK)
    must(PYTHON, "-m", "tests.crash.figures", *arguments)


def sim(arguments: list[str]) -> None:
    """Simulate the ladder under faults by seed; arguments: SEEDS=300 FROM=0 HOURS=12, STATION=1 for a whole station."""
    set_up(DEV_LOCK)
    must(PYTHON, "-m", "tests.sim", *arguments)


def load(arguments: list[str]) -> None:
    """Load a station from outside and measure until its receiver is warned: `ONLY=tcp_5k,restart SECONDS=30 SEED=1`."""
    set_up(DEV_LOCK)
    compile_kernels()
    must(PYTHON, "-m", "benchmarks.load", *arguments)


def bench(arguments: list[str]) -> None:
    """Measure Tocsin beside the programs a user would pick instead: `--rows 500000 --runs 3 --only locate --write`."""
    set_up(DEV_LOCK)
    compile_kernels()
    peers = ROOT / ".venv-bench"
    python = peers / BIN.name / PYTHON.name
    wanted = ROOT / "benchmarks" / "peers" / "requirements.txt"
    stamp = peers / "installed"
    if not stamp.exists() or stamp.read_text() != wanted.read_text():
        venv.create(peers, with_pip=True)
        must(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted)
        stamp.write_text(wanted.read_text())
    must(PYTHON, "benchmarks/bench.py", "--peer-python", python, *arguments)


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "demo": demo, "test": test, "check": check, "fix": fix, "lock": lock, "crash": crash, "sim": sim,
    "load": load, "bench": bench,
}  # fmt: skip


def main() -> None:
    """Run the command that the first argument names."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in COMMANDS:
        lines = [f"  python3 do.py {key:6} {command.__doc__}" for key, command in COMMANDS.items()]
        sys.exit("\n".join(["usage:", *lines]))
    if sys.version_info < (3, 11):  # noqa: UP036  (this file also meets older Pythons)
        sys.exit(f"do.py: needs Python 3.11 or newer, this is {sys.version.split()[0]}")
    COMMANDS[name](sys.argv[2:])


if __name__ == "__main__":
    main()
