"""strace on a child that is forked from here, so that nothing is loaded twice: counted, killed or refused at a call."""

from __future__ import annotations

import mmap
import os
import re
import subprocess
from collections import Counter
from pathlib import Path

from tests.crash import scripted

CALLS = "write,pwrite64,fsync,fdatasync,rename,renameat2,link,linkat,unlink,unlinkat,ftruncate,mkdir"
"""What changes a disk."""

CALL = re.compile(r"(\d+) +(\w+)\(")
"""A line of strace's output that begins a call: of which thread, and which."""


def forked(folder: Path, *options: str, output: str = "/dev/null", calls: str = CALLS) -> tuple[int, int]:
    """Run the script in a child under strace; return its wait status and the last delivery that it acknowledged."""
    shared = mmap.mmap(-1, 4)
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        code = 70
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


def places(folder: Path) -> list[tuple[str, int]]:
    """Return every call of the first thread in an uninterrupted run: its name, and the how manieth of that name.

    strace counts each thread's calls by themselves (`when`); which of the others syncs which file is not settled.
    """
    output = folder.parent / f"{folder.name}.trace"
    status, done = forked(folder, output=str(output))
    assert status == 0 and done == len(scripted.SCRIPT), (folder.parent / f"{folder.name}.txt").read_text()
    seen: Counter[str] = Counter()
    made = []
    calls = [found.group(1, 2) for line in output.read_text().splitlines() if (found := CALL.match(line))]
    for name in (name for thread, name in calls if thread == calls[0][0]):
        seen[name] += 1
        made.append((name, seen[name]))
    return made


def go_on(folder: Path) -> None:
    """Run the rest of the script without any fault."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            log = os.open(folder.parent / f"{folder.name}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 2)
            code = scripted.child(folder, mmap.mmap(-1, 4))
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert status == 0, (folder.parent / f"{folder.name}.txt").read_text()
