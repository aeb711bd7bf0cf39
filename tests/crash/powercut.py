"""A power cut, by the book: what a disk must still hold at any moment of a run is what was synced until then.

A run is traced by strace with every byte that it writes; a model of the disk takes the calls one by one and knows of
every file what was synced and what was not. At a cut the folder is built anew: without anything unsynced; or, as disks
do, with any of the unsynced writes and the last of them torn. Names are durable once their folder is synced. What is
only mapped into memory is not seen: SQLite keeps nothing there that it needs again.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash import strace

CALLS = (
    "openat,close,lseek,write,pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,"
    "rmdir,access,faccessat,faccessat2"
)
ACKNOWLEDGED = "/acknowledged/"
"""A path that is asked for after each delivery that is durable, so that the trace tells."""

_LINE = re.compile(
    r"(\d+) +(?:(\w+)\((.*)\) += (-?\d+).*"
    r"|<\.\.\. (\w+) resumed>(.*)\) += (-?\d+).*"
    r"|(\w+)\((.*) <unfinished \.\.\.>)$"
)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FD = re.compile(r"^(?:AT_FDCWD|(\d+))<((?:\\x[0-9a-f]{2})*)>")
_NUMBER = re.compile(r"-?\d+")


@dataclass(frozen=True, slots=True)
class Call:
    """One call that succeeded: its name, its arguments as strace writes them, and what it returned."""

    name: str
    told: str
    result: int


@dataclass
class Node:
    """A file or a folder: as programs see it, and as it is on the disk."""

    is_folder: bool
    mode: int = 0o644
    content: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Writes since the last sync: where, and what; None cuts the file there."""
    names: dict[str, Node] = field(default_factory=dict)
    synced_names: dict[str, Node] = field(default_factory=dict)

    def write(self, at: int, what: bytes | None) -> None:
        _put(self.content, at, what)
        self.pending.append((at, what))

    def sync(self) -> None:
        self.synced, self.pending = bytes(self.content), []
        self.synced_names = dict(self.names)


class Disk:
    """What a folder holds, and what of it would survive."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = Node(is_folder=True)
        self._at: dict[int, int] = {}
        self.acknowledged = 0

    def take(self, call: Call) -> None:
        """Take one call."""
        texts = [_bytes(text) for text in _TEXT.findall(call.told)]
        named = _FD.match(call.told)
        held = self._find(_bytes(named[2]).decode()) if named and named[1] else None
        match call.name:
            case "openat":
                self._open(_path(call.told, texts[0]), call.told, call.result)
            case "close" if named and named[1]:
                self._at.pop(int(named[1]), None)
            case "lseek" if named and named[1]:
                self._at[int(named[1])] = call.result
            case "write" if held is not None and named:
                at = self._at.get(int(named[1]), 0)
                at = len(held.content) if at < 0 else at
                held.write(at, texts[0][: call.result])
                if self._at.get(int(named[1]), 0) >= 0:
                    self._at[int(named[1])] = at + call.result
            case "pwrite64" if held is not None:
                held.write(int(_NUMBER.findall(call.told)[-1]), texts[0][: call.result])
            case "ftruncate" if held is not None:
                held.write(int(_NUMBER.findall(call.told)[-1]), None)
            case "fsync" | "fdatasync" if held is not None:
                held.sync()
            case "rename" | "renameat" | "renameat2":
                self._rename(*texts)
            case "link" | "linkat":
                self._link(*texts)
            case "unlink" | "unlinkat" | "rmdir":
                self._drop(_path(call.told, texts[0]))
            case "mkdir" | "mkdirat":
                self._add(_path(call.told, texts[0]), Node(is_folder=True))
            case _:
                pass

    def asked(self, told: str) -> None:
        """Take a question after a path: the script asks so for what is acknowledged."""
        path = _bytes(_TEXT.findall(told)[0]).decode()
        if path.startswith(ACKNOWLEDGED):
            self.acknowledged = int(path.removeprefix(ACKNOWLEDGED))

    def after_power_cut(self, into: Path, rng: random.Random | None) -> None:
        """Build what is left: only what was synced, or with `rng` some of the rest as well."""
        into.mkdir()
        _build(self._root, into, rng)

    def _open(self, path: str, told: str, fd: int) -> None:
        node = self._find(path)
        if node is None and "O_CREAT" in told:
            node = Node(is_folder=False, mode=int(told.rpartition(" ")[2], 8))
            self._add(path, node)
        if node is not None and "O_TRUNC" in told and node.content:
            node.write(0, None)
        self._at[fd] = -1 if "O_APPEND" in told else 0

    def _rename(self, old: bytes, new: bytes) -> None:
        node = self._find(old.decode())
        if node is not None:
            self._drop(old.decode())
            self._add(new.decode(), node)

    def _link(self, old: bytes, new: bytes) -> None:
        node = self._find(old.decode())
        if node is not None:
            self._add(new.decode(), node)

    def _steps(self, path: str) -> list[str] | None:
        try:
            return list((self._folder / path).relative_to(self._folder).parts)  # where the process is, too
        except ValueError:
            return None

    def _find(self, path: str) -> Node | None:
        node, steps = self._root, self._steps(path)
        for step in steps or ():
            if step not in node.names:
                return None
            node = node.names[step]
        return None if steps is None else node

    def _add(self, path: str, node: Node) -> None:
        parent = self._find(str(Path(path).parent))
        if parent is not None and self._steps(path):
            parent.names[Path(path).name] = node

    def _drop(self, path: str) -> None:
        parent = self._find(str(Path(path).parent))
        if parent is not None and self._steps(path):
            parent.names.pop(Path(path).name, None)


def traced(folder: Path) -> list[tuple[str, Call]]:
    """Return the calls of an uninterrupted run in the order of their ends, each with its name, questions among them."""
    output = folder.parent / f"{folder.name}.cut"
    status, _ = strace.forked(folder, "-y", "-xx", "-s", str(2**26), output=str(output), calls=CALLS)
    assert status == 0, (folder.parent / f"{folder.name}.txt").read_text()
    return list(_calls(output))


def _calls(output: Path) -> Iterator[tuple[str, Call]]:
    begun: dict[str, str] = {}
    with output.open() as lines:
        for line in lines:
            found = _LINE.match(line.rstrip("\n"))
            if found is None:
                continue
            thread, name, told, result, resumed, rest, later, unfinished, half = found.groups()
            if unfinished is not None:
                begun[thread] = half
                continue
            if resumed is not None:
                name, told, result = resumed, begun.pop(thread) + rest, later
            if int(result) >= 0 or "access" in name:
                yield name, Call(name, told, int(result))


def cut(folder: Path, calls: list[tuple[str, Call]], after: int) -> Disk:
    """Return the disk of a traced run in `folder` after so many of its calls."""
    disk = Disk(folder)
    for name, call in calls[:after]:
        if "access" in name:
            disk.asked(call.told)
        else:
            disk.take(call)
    return disk


def _build(node: Node, into: Path, rng: random.Random | None) -> None:
    for name, child in (node.synced_names if rng is None else node.names).items():
        if child.is_folder:
            (into / name).mkdir()
            _build(child, into / name, rng)
        else:
            (into / name).write_bytes(_left(child, rng))
            (into / name).chmod(child.mode)


def _left(node: Node, rng: random.Random | None) -> bytes:
    content = bytearray(node.synced)
    if rng is not None:
        some = [made for made in node.pending if rng.random() < 0.5]
        for number, (at, what) in enumerate(some):
            torn = what is not None and number == len(some) - 1
            _put(content, at, what[: rng.randrange(len(what) + 1)] if torn and what is not None else what)
    return bytes(content)


def _put(content: bytearray, at: int, what: bytes | None) -> None:
    size = at if what is None else at + len(what)
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if what is None:
        del content[at:]
    else:
        content[at:size] = what


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _path(told: str, text: bytes) -> str:
    """Return a path argument whole: beside the folder that the call names, if it names one."""
    beside = _FD.match(told)
    return str(Path(_bytes(beside[2]).decode()) / text.decode()) if beside else text.decode()
