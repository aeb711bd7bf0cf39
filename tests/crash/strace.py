"""strace on a child that is forked from here, so that nothing is loaded twice: counted, killed or refused at a call."""

from __future__ import annotations

import gc
import mmap
import os
import re
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.crash import scripted

CALLS = (
    "openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,ftruncate,"
    "mkdir,mkdirat"
)
"""What changes a disk; an `openat` if it may make a file."""

TOLD = ("-y", "-s", "0")
"""What a trace is to tell of a call: its paths, and nothing of what is written."""

CALL = re.compile(r"(\d+) +((\w+)\(.*?) += (?:-?\d+|\?)")
"""A line of strace's output: of which thread, the call, and its name."""


OWN = re.compile(r'(?:(?<=\()|(?<=, ))\d+(?=<)|(?<=\.end\.new>, ""\.\.\., )\d+')
"""What is a process's own: the number of an open file; how long it is that tells where something lies."""


@dataclass(frozen=True, slots=True)
class Place:
    """A call of a run: its name, the how manieth of that name it is, and all that it says."""

    name: str
    number: int
    told: str


def forked(folder: Path, *options: str, output: str = "/dev/null", calls: str = CALLS) -> tuple[int, int]:
    """Run the script in a child under strace; return its wait status and the last delivery that it acknowledged."""
    shared = mmap.mmap(-1, 4)
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        gc.disable()  # what the parent left unclosed would warn as it is collected, and that opens a file more
        os.close(go)
        code = scripted.FAILED
        try:
            log = os.open(folder.parent / f"{folder.name}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 2)
            os.read(ready, 1)
            code = scripted.child(folder, shared)
        finally:
            os._exit(code)
    os.close(ready)
    command = ["strace", "-f", "-p", str(child), "-e", f"trace={calls}", "-o", output, *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        attached = tracer.stderr.readline()
        assert "attached" in attached, attached
        os.write(go, b"g")
        os.close(go)
        _, status = os.waitpid(child, 0)
        tracer.stderr.read()
    return status, int.from_bytes(shared[:4], "big")


def places(folder: Path) -> list[Place]:
    """Return every call of an uninterrupted run that changes the disk, the same in every run."""
    output = folder.parent / f"{folder.name}.trace"
    status, done = forked(folder, *TOLD, output=str(output))
    assert status == 0 and done == len(scripted.SCRIPT), (folder.parent / f"{folder.name}.txt").read_text()
    calls = _calls(output, folder)
    assert len({thread for thread, _, _ in calls}) == 1, "strace counts each thread's calls by themselves"
    seen: Counter[str] = Counter()
    made = []
    for _, name, told in calls:
        seen[name] += 1
        if name != "openat" or "O_CREAT" in told:
            made.append(Place(name, seen[name], told))
    return made


def cut(folder: Path, place: Place, fault: str) -> str:
    """Let the script's process have a fault at a place; return what became of it: killed, stopped or went on.

    Parameters
    ----------
    folder : Path
    place : Place
    fault : str
        As strace injects it, `signal=SIGKILL` or `error=EIO`.

    Raises
    ------
    AssertionError
        If it was not there, or another fault, that the process died of.
    """
    output = folder.parent / f"{folder.name}.trace"
    inject = f"inject={place.name}:{fault}:when={place.number}"
    status, _ = forked(folder, *TOLD, "-e", inject, output=str(output), calls=place.name)
    calls = _calls(output, folder)
    at = calls[place.number - 1][2] if len(calls) >= place.number else "nothing"
    assert at == place.told, f"it was at {at}, after {[told for _, _, told in calls[: place.number - 1]][-3:]}"
    if fault == "signal=SIGKILL":
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"it ended with {status}"
        assert len(calls) == place.number, "it went on after its kill"
        return "killed"
    injected = [line for line in output.read_text().splitlines() if line.endswith("(INJECTED)")]
    assert len(injected) == 1 and fault.partition("=")[2] in injected[0], f"{injected} were refused"
    code = os.waitstatus_to_exitcode(status)
    told = (folder.parent / f"{folder.name}.txt").read_text()
    assert code in (0, scripted.REFUSED), f"it ended with {code}: {told}"
    return "stopped" if code else "went on"


def _calls(output: Path, folder: Path) -> list[tuple[str, str, str]]:
    """Return the thread, the name and the words of each call of a trace, without what is the process's own."""
    text = OWN.sub("", output.read_text().replace(str(folder), ""))
    return [(found[1], found[3], found[2]) for line in text.splitlines() if (found := CALL.match(line))]


def go_on(folder: Path) -> None:
    """Run the rest of the script without any fault."""
    child = os.fork()
    if child == 0:
        code = scripted.FAILED
        try:
            log = os.open(folder.parent / f"{folder.name}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 2)
            code = scripted.child(folder, mmap.mmap(-1, 4))
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert status == 0, (folder.parent / f"{folder.name}.txt").read_text()
