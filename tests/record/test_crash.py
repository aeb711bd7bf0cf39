"""Killed, out of power, out of space or out of luck at every single change of a file."""

from __future__ import annotations

import errno
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.record.conftest import make_entries, make_signer
from tests.record.faulty_disk import FaultyDisk, PowerCutError

from tocsin.errors import RecordError
from tocsin.record.c2sp.checkpoint import Checkpoint
from tocsin.record.c2sp.tiles import TileReader
from tocsin.record.leaf import Sealed, new_salt, seal
from tocsin.record.log import Log
from tocsin.record.verifier.verify import verify_folder

STEPS = (1, 257)
"""Entries appended before each publication: one, and then over the edge of a tile."""

BATCHES = [[seal(entry, new_salt()) for entry in make_entries(count)] for count in STEPS]


class Story:
    """A run of appends and publications, and what it told the outside."""

    def __init__(self) -> None:
        self.acknowledged: list[Sealed] = []
        self.published: list[Checkpoint] = []

    def run(self, folder: Path) -> None:
        with Log.open(folder, make_signer()) as log:
            self.go_on(log)

    def go_on(self, log: Log) -> None:
        for batch in BATCHES:
            log.append_sealed(batch)
            self.acknowledged += batch
            self.published.append(log.publish())

    def check(self, folder: Path) -> None:
        """Check that a folder still is what the outside was told: before it is opened again, and after."""
        before = verify_folder(folder / "record")
        with Log.open(folder, make_signer()) as log:
            assert log.size >= len(self.acknowledged)
            assert log.published.size >= (self.published[-1].size if self.published else 0)
            kept = [opening.envelope for opening in log.openings(0, len(self.acknowledged))]
            assert kept == [sealed.envelope for sealed in self.acknowledged]
            log.append_sealed(BATCHES[0])
            log.publish()
            reader = TileReader(log.read, log.published.size)
            for seen in [*self.published, before.checkpoint]:
                assert reader.subtree_root(0, seen.size) == seen.root
        after = verify_folder(folder)
        assert after.uncovered == ()
        assert len(after.payload_indices or ()) == after.size


def begin(folder: Path) -> Path:
    folder.mkdir()
    Log.create(folder / "log", key=make_signer()).close()
    return folder / "log"


def points(tmp_path: Path, only: str = "") -> Iterator[int]:
    """Yield every change that a clean run makes once the log is open."""
    disk, folder = FaultyDisk(only=only), begin(tmp_path / "clean")
    with Log.open(folder, make_signer()) as log, disk.installed(pytest.MonkeyPatch()):
        Story().go_on(log)
    assert disk.count > 20 or only
    yield from range(1, disk.count + 1)


def test_dead_at_every_change_nothing_told_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed: the folder is as it was. Without power: everything not synced is gone, contents and names in folders."""
    for point in points(tmp_path):
        folder = tmp_path / f"at{point}"
        folder.mkdir()
        story, disk = Story(), FaultyDisk()
        with disk.installed(monkeypatch):
            Log.create(folder / "killed", key=make_signer()).close()
            with Log.open(folder / "killed", make_signer()) as log:
                disk.fail_at = disk.count + point
                with pytest.raises(PowerCutError):
                    story.go_on(log)
        disk.after_power_cut(folder / "killed", folder / "without power")
        story.check(folder / "killed")
        story.check(folder / "without power")
        shutil.rmtree(folder)


def test_dead_while_recovering_recovers_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A torn append and a half publication, and then killed again at every change that the opening makes."""
    for point in range(1, 40):
        folder = begin(tmp_path / f"at{point}")
        story = Story()
        with Log.open(folder, make_signer()) as log:
            log.append_sealed(BATCHES[0])
            story.acknowledged += BATCHES[0]
        with (folder / "payload/000").open("ab") as file:
            file.write(b"1\t00")
        (folder / "staging").mkdir()
        (folder / "staging/tile,0,000.p,1").write_bytes(b"half")
        disk = FaultyDisk(fail_at=point)
        with disk.installed(monkeypatch), suppress(PowerCutError):
            Log.open(folder, make_signer()).close()
        story.check(folder)
        assert list((folder / "torn").iterdir())
        if disk.count < point:
            assert point > 5
            return
    raise AssertionError("opening never came to an end")


def test_every_failed_fsync_stops_the_log_and_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed fsync the kernel may drop the pages and say yes the second time: only reading again helps."""
    for point in points(tmp_path, "fsync"):
        folder = begin(tmp_path / f"at{point}")
        story, disk = Story(), FaultyDisk(fail_at=point, error=OSError(errno.EIO, "I/O error"), only="fsync")
        log = Log.open(folder, make_signer())
        with disk.installed(monkeypatch):
            with pytest.raises(RecordError, match="I/O error"):
                story.go_on(log)
            with pytest.raises(RecordError, match="open it again"):
                log.append_sealed(BATCHES[0])
        log.close()
        story.check(folder)
        shutil.rmtree(folder.parent)


@pytest.mark.parametrize("call", ["write", "open"])
def test_a_full_disk_loses_and_doubles_nothing_and_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    for point in points(tmp_path, call):
        folder = begin(tmp_path / f"at{point}")
        story = Story()
        disk = FaultyDisk(fail_at=point, error=OSError(errno.ENOSPC, "No space left on device"), only=call)
        with Log.open(folder, make_signer()) as log, disk.installed(monkeypatch):
            for batch in BATCHES:
                for step in (lambda batch=batch: log.append_sealed(batch), log.publish):
                    try:
                        step()
                    except RecordError as error:
                        assert "No space left" in str(error)
                        step()
                story.acknowledged += batch
                story.published.append(log.published)
            assert log.size == sum(STEPS)
        story.check(folder)
        shutil.rmtree(folder.parent)


SCRIPT = """
import sys
from pathlib import Path
from tests.record.test_crash import Story
Story().run(Path(sys.argv[1]))
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_a_real_process_killed_in_its_system_calls(tmp_path: Path) -> None:
    """The points inside one process are those a kernel sees: some of them, by SIGKILL."""
    trace = "fsync,rename,write"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-B", "-c", SCRIPT]  # with no bytecode to keep, which would be renamed into its place
    clean = begin(tmp_path / "clean")
    counted = ["strace", "-f", "-e", f"trace={trace}", "-o", str(tmp_path / "trace"), *command, str(clean)]
    subprocess.run(counted, cwd=root, check=True)
    calls = Counter(re.findall(r"(?m)^(\d+) +(fsync|rename|write)\(", (tmp_path / "trace").read_text()))
    for name in ("fsync", "rename"):
        total = max(count for (_, call), count in calls.items() if call == name)  # strace counts in each thread
        assert total >= 5
        for number in {1, 2, total // 2, total - 1}:
            folder = begin(tmp_path / f"{name}{number}")
            inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={name}:signal=KILL:when={number}"]
            done = subprocess.run([*inject, *command, str(folder)], cwd=root, check=False)
            assert done.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}
            Story().check(folder)
