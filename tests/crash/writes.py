"""Every call that changes the disk: the scripted run is killed there, and refused there, and must end as if it was not.

    python3 do.py crash WRITES=1 JOBS=2

Each cut is a process forked from one that has run the whole script, under strace: it dies there by SIGKILL, or is
answered EIO or ENOSPC, in turn. That it was there, at the very call, is read from the trace. Another process then opens
what it left and goes on to the end of the script.
"""

from __future__ import annotations

import json
import mmap
import multiprocessing
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.crash import scripted, strace
from tests.reliability import environment, write_page

KILLED = "signal=SIGKILL"
REFUSED = ("error=EIO", "error=ENOSPC")
"""What happens at a call: it is the last, and in another run it is refused, in turn with one or the other."""

TOLD_EVERY = 250
"""Cuts between two lines about how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """What the cuts of a run share.

    Attributes
    ----------
    folder : Path
    places : list of Place
        Every call of an uninterrupted run.
    expected : dict
        What that run came to.
    """

    folder: Path
    places: list[strace.Place]
    expected: dict[str, object]

    def made(self, cut: tuple[int, str]) -> tuple[int, str, str, str]:
        """Make one; return its place and fault, what became of the process, and what was wrong then, if anything."""
        number, fault = cut
        data = self.folder / f"{number}-{fault.partition('=')[2]}"
        data.mkdir()
        came, wrong = "", ""
        try:
            came = strace.cut(data, self.places[number], fault)
            strace.go_on(data)
            found = scripted.outcome_of(data)
            wrong = ", ".join(key for key in self.expected if found[key] != self.expected[key])
        except Exception:  # whatever it is, it is told, and the others are made
            wrong = traceback.format_exc(limit=-1)
        shutil.rmtree(data)
        for beside in self.folder.glob(f"{data.name}.*"):
            beside.unlink()
        return number, fault, came, wrong


def every_write(step: int, *, first: int = 0, jobs: int = 1) -> int:
    """Cut a scripted run at every step-th call from the first, several at once if asked; print what came of it."""
    began = time.monotonic()
    wrong: list[str] = []
    came: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="tocsin-crash-") as folder:
        cuts = prepared(Path(folder))
        numbers = range(first, len(cuts.places), step)
        # Two calls each in turn: SQLite writes a frame's head, then its page.
        asked = [(n, fault) for at, n in enumerate(numbers) for fault in (KILLED, REFUSED[at // 2 % 2])]
        for done, (number, fault, what, fell) in enumerate(_all(cuts, asked, jobs), start=1):
            came[what if fault == KILLED else f"{fault.partition('=')[2]} {what}"] += 1
            if fell:
                wrong.append(f"{number} {fault}")
                print(json.dumps({"call": cuts.places[number].told, "cut": wrong[-1], "wrong": fell}), flush=True)
            if done % TOLD_EVERY == 0:
                print(json.dumps({"done": done, "of": len(asked), "s": round(time.monotonic() - began)}), flush=True)
    took_s = round(time.monotonic() - began)
    told = {"calls": len(cuts.places), "first": first, "step": step, "cut": dict(sorted(came.items())), "wrong": wrong}
    figures = {**told, "jobs": jobs, "took_s": took_s, "machine": environment()}
    print(json.dumps(figures), flush=True)
    write_page("cut at writes", figures)
    return 1 if wrong else 0


def prepared(folder: Path) -> Cuts:
    """Run the script here, so that every process forked from here has loaded it, and then under strace."""
    for name in ("loaded", "whole"):
        (folder / name).mkdir()
    scripted.run(folder / "loaded", mmap.mmap(-1, 4))
    expected = scripted.outcome_of(folder / "loaded")
    places = strace.places(folder / "whole")
    assert scripted.outcome_of(folder / "whole") == expected
    return Cuts(folder=folder, places=places, expected=expected)


def _all(cuts: Cuts, asked: list[tuple[int, str]], jobs: int) -> Iterator[tuple[int, str, str, str]]:
    if jobs == 1:
        yield from map(cuts.made, asked)
        return
    with multiprocessing.get_context("fork").Pool(jobs, _begin, (cuts,)) as pool:
        yield from pool.imap_unordered(_one, asked)


_shared: list[Cuts] = []
"""What a process of several has from the one that it is forked from."""


def _begin(cuts: Cuts) -> None:
    _shared.append(cuts)


def _one(cut: tuple[int, str]) -> tuple[int, str, str, str]:
    return _shared[0].made(cut)
